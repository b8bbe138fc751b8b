"""What only a GPU can show: large lattices, memory per voxel, and that kernels and CuPy share memory and order.

The bridge is `kernels.launch`: a CuPy array's device address goes into Taichi's launch as it is. Three checks:
a kernel's result stands in the CuPy array itself; launching over 1 GiB takes no time, so nothing is copied;
CuPy -> kernel -> CuPy without a wait in between sees each other's results.
"""

import time
from collections.abc import Callable

import numpy as np

from ...kernels import solute
from ...kernels.tissue import bare
from ..device import Device, free_bytes
from . import diffusion, passes
from .figures import Figure, sampled
from .plan import Bench

NAME = "cuda"
ROUNDS = 20


def measure(bench: Bench) -> list[Figure]:
    if bench.device.arch != "cuda":
        reason = "no CUDA device: this run computes on the CPU"
        return [Figure(NAME, name, unit, not_measured=reason) for name, unit in _rows(bench)]
    edge, large = bench.plan.cuda_edge, bench.plan.cuda_large_edge
    release(bench.device)
    figures = memory(bench, large)
    substep = diffusion.prepared(bench.device, edge, bench.wait)
    times = sampled(substep.call, bench.wait, bench.plan.repeats, calls=20)
    figures += diffusion.of_substep(bench, NAME, edge, substep, times, floor=0.70, goal=0.85)
    del substep
    release(bench.device)
    figures += passes.dense(bench, NAME, edge, floor=5e10, goal=2e11)
    release(bench.device)
    figures += passes.dense(bench, NAME, large, floor=None, goal=None)
    release(bench.device)
    return [*figures, *bridge(bench)]


def _rows(bench: Bench) -> list[tuple[str, str]]:
    """The names of what is measured on CUDA, for a machine without it."""
    edge, large = bench.plan.cuda_edge, bench.plan.cuda_large_edge
    return [
        (f"memory {large}^3", "B/voxel"),
        (f"substep {edge}^3", "ns/voxel"),
        (f"substep {edge}^3: of the copy rate", "1"),
        (f"passes {edge}^3, 5 % fill", "voxels/s"),
        (f"passes {large}^3, 5 % fill", "voxels/s"),
        *BRIDGE,
    ]


BRIDGE = (
    ("bridge: voxels not written through the array", "voxels"),
    ("bridge: launch over the array", "ms"),
    ("bridge: voxels out of order", "voxels"),
)


def memory(bench: Bench, edge: int) -> list[Figure]:
    """Device memory that a tissue of edge^3 voxels takes, as the driver counts it."""
    name, unit = f"memory {edge}^3", "B/voxel"
    if reason := passes.too_large(bench.device, edge**3):
        return [Figure(NAME, name, unit, not_measured=reason)]
    before = free_bytes(bench.device) or 0
    tissue = bare(bench.device.lattice((edge, edge, edge)), lattice_id=0, voxel_um=20.0, xp=bench.device.xp)
    bench.wait()
    taken = (before - (free_bytes(bench.device) or 0)) / tissue.lattice.voxels
    del tissue
    release(bench.device)
    note = f"tissue with one solute; {passes.bytes_per_voxel()} by declaration"
    return [Figure(NAME, name, unit, (taken,), "lower", 48.0, 40.0, note)]


def bridge(bench: Bench) -> list[Figure]:
    """The three checks, over f4 arrays of `bench.plan.bridge_shape`."""
    shape, device = bench.plan.bridge_shape, bench.device
    halve, source, target = _halving(device, shape)
    source.fill(1.0)
    target.fill(-1.0)
    halve()
    bench.wait()
    unwritten = int((target != 0.5).sum())
    launches = []
    for _ in range(bench.plan.repeats):
        bench.wait()
        began = time.perf_counter()
        halve()
        launches.append(1e3 * (time.perf_counter() - began))
    bench.wait()
    late = in_order(device, halve, source, target)
    size = f"{source.nbytes / 2**20:,.0f} MiB"
    samples = ((float(unwritten),), tuple(launches), (float(late),))
    marks = (0.0, 1.0, 0.0)
    notes = (f"of {target.size:,}", f"{size}, host time of the launch alone", f"in {ROUNDS} rounds without a wait")
    wrong = (unwritten > 0, False, late > 0)
    return [
        Figure(NAME, name, unit, sample, "lower", mark, mark, note, failed=bad)
        for (name, unit), sample, mark, note, bad in zip(BRIDGE, samples, marks, notes, wrong, strict=True)
    ]


def in_order(device: Device, halve: Callable[[], None], source: np.ndarray, target: np.ndarray) -> int:
    """Voxels in which the array library did not see the kernel's result, or the kernel not the library's."""
    wrong = device.xp.zeros((), dtype=np.int64)
    for number in range(ROUNDS):
        source.fill(2.0 * number)
        halve()
        wrong += (target != float(number)).sum()
    return int(wrong)


def release(device: Device) -> None:
    """Give what CuPy's pool holds and nobody uses back to the driver, so that its count means something."""
    if device.arch == "cuda":
        device.xp.get_default_memory_pool().free_all_blocks()


def _halving(device: Device, shape: tuple[int, int, int]) -> tuple[Callable[[], None], np.ndarray, np.ndarray]:
    """(call, source, target): a kernel that writes half of `source` to `target`; called once, so compiled."""
    lattice = device.lattice(shape)
    source, target = (device.xp.zeros(shape, dtype=np.float32) for _ in range(2))

    def halve() -> None:
        solute.diffuse_pass(lattice, source, target, 0.0, 0.5)

    halve()
    return halve, source, target
