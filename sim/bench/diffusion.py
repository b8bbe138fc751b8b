"""One explicit substep of a solute (`kernels.solute.diffuse_pass`), f32, one field.

Least traffic: each voxel read once and written once, 8 bytes; anything above one copy rate would mean
that the field lives in the caches. On a CPU our C/OpenMP reference takes its turn between the kernel's
samples, over the same arrays and with as many threads, and both must give the same field.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...kernels import solute
from ..device import Device
from .figures import Figure, quotients, sampled, seconds
from .plan import Bench
from .reference import NoReference, Reference

NAME = "diffusion"
BYTES_PER_VOXEL = 8
# D dt / dx^2 and decay dt of the default protease at 20 um and 0.1 h
EXCHANGE, DECAY = 0.09, 0.0009
# the reference counts as the kernel's equal up to this, for fields in [0, 1]
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Substep:
    """The kernel's substep over a field of its own."""

    now: np.ndarray  # or CuPy's, like `after`
    after: np.ndarray
    call: Callable[[], None]
    first_call_s: float  # compiles, or loads from the kernel cache


def measure(bench: Bench) -> list[Figure]:
    edge, repeats = bench.plan.edge, bench.plan.repeats
    substep = prepared(bench.device, edge, bench.wait)
    try:
        if bench.device.arch == "cuda":
            raise NoReference("the C reference is for CPUs")
        reference = Reference.built()
    except NoReference as reason:
        alone = sampled(substep.call, bench.wait, repeats)
        absent = [
            Figure(NAME, f"speed against C ({form})", "x", better="higher", not_measured=str(reason))
            for form in ("plain", "tuned")
        ]
        return [*of_substep(bench, NAME, edge, substep, alone), *absent]
    threads = bench.device.threads
    forms = {form: _turn(reference, form, substep, threads) for form in ("plain", "tuned")}
    apart = {form: _apart(turn, substep) for form, turn in forms.items()}
    times: dict[str, list[float]] = {"kernel": [], "plain": [], "tuned": []}
    for _ in range(repeats):
        for who, call in {"kernel": substep.call, **forms}.items():
            times[who].append(seconds(call, bench.wait))
    samples = {who: tuple(each) for who, each in times.items()}
    faster = min(forms, key=lambda form: sorted(samples[form])[repeats // 2])
    figures = of_substep(bench, NAME, edge, substep, samples["kernel"])
    for form in forms:
        note = f"OpenMP, {threads} threads, f32; differs from the kernel by at most {apart[form]:.1g}"
        per_voxel = tuple(1e9 * each / edge**3 for each in samples[form])
        figures.append(
            Figure(NAME, f"C ({form})", "ns/voxel", per_voxel, note=note, failed=not apart[form] <= TOLERANCE)
        )
    for form in forms:
        floor, goal = (0.40, 0.45) if form == faster else (None, None)
        note = "time of C over time of the kernel" + ("; the faster C form counts" if form == faster else "")
        speed = quotients(samples[form], samples["kernel"])
        figures.append(Figure(NAME, f"speed against C ({form})", "x", speed, "higher", floor, goal, note))
    return figures


def prepared(device: Device, edge: int, wait: Callable[[], None]) -> Substep:
    """A cube of `edge` voxels with a field in it, and the kernel called once."""
    lattice = device.lattice((edge, edge, edge))
    plane = np.random.default_rng(7).random((edge, edge), dtype=np.float32)
    now, after = (device.xp.zeros(lattice.shape, dtype=np.float32) for _ in range(2))
    for z in range(edge):
        now[z] = device.array(np.roll(plane, z * 31, axis=0))

    def call() -> None:
        solute.diffuse_pass(lattice, now, after, EXCHANGE, DECAY)

    return Substep(now, after, call, seconds(call, wait))


def of_substep(
    bench: Bench,
    name: str,
    edge: int,
    substep: Substep,
    times: tuple[float, ...],
    *,
    floor: float | None = None,
    goal: float | None = None,
) -> list[Figure]:
    """What the kernel's samples say; floor and goal are of the fraction of the copy rate."""
    where = f"{edge}^3, f32"
    return [
        Figure(
            name, f"substep {edge}^3: first call", "s", (substep.first_call_s,), note="compiles, or loads the cache"
        ),
        Figure(name, f"substep {edge}^3", "ns/voxel", tuple(1e9 * each / edge**3 for each in times), note=where),
        Figure(
            name,
            f"substep {edge}^3: of the copy rate",
            "1",
            bench.of_copy_rate(times, BYTES_PER_VOXEL * edge**3),
            "higher",
            floor,
            goal,
            note=f"8 B a voxel over time, over {bench.copy_gb_per_s:.1f} GB/s",
        ),
    ]


def _turn(reference: Reference, form: str, substep: Substep, threads: int) -> Callable[[], None]:
    return lambda: reference.diffuse(form, substep.now, substep.after, EXCHANGE, DECAY, threads)


def _apart(turn: Callable[[], None], substep: Substep) -> float:
    """Greatest difference between the C form's field and the kernel's."""
    substep.call()
    kernels = substep.after.copy()
    substep.after[...] = -1.0
    turn()
    return float(np.abs(substep.after - kernels).max())
