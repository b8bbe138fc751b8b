"""The passes over cells: propose (one hop substep), settle and census, at 5 % fill.

dense   cells scattered over the whole cube, so that nearly every chunk of voxels holds some
empty   a ball of cells in a cube, and the same ball in a cube with 8 times the voxels: what empty space costs

Least traffic a voxel: propose reads cell and leaving and writes intent, settle reads intent, census
reads cell and emt: 6 bytes (the cells' own data come on top).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kernels import census, contest, intravasation, motility
from ...kernels.draws import Stamp
from ...kernels.lattice import Lattice
from ...kernels.tissue import Cell, Count, Tissue, bare
from ..available import available_memory, readable_bytes
from ..device import Device, free_bytes
from ..estimate import field_types
from .figures import Figure, quotients, seconds
from .plan import Bench

NAME = "passes"
FILL = 0.05
BYTES_PER_VOXEL = 6
VOXEL_UM, TICK_H = 20.0, 0.1
PASSES = ("propose", "settle", "census")


@dataclass
class Walkers:
    """A tissue whose cells hop, one substep a call."""

    tissue: Tissue
    hops: motility.MotilityRates
    leaving: intravasation.IntravasationRates
    tick: int = 0

    @classmethod
    def of(cls, tissue: Tissue) -> "Walkers":
        return cls(
            tissue,
            motility.rates(motility.Motility(), tissue.lattice, VOXEL_UM, TICK_H),
            intravasation.rates(intravasation.Intravasation(), TICK_H),
        )

    def calls(self) -> dict[str, Callable[[], None]]:
        """The passes of the next tick, in their order."""
        self.tick += 1
        stamp = Stamp.of(1, 0, self.tick)
        return {
            "propose": lambda: motility.propose(self.tissue, self.hops, 0, stamp, solid_vessels=False),
            "settle": lambda: contest.settle(self.tissue, self.leaving, 0, stamp),
            "census": lambda: census.count(self.tissue),
        }

    def counted(self) -> dict[Count, int]:
        """The counters since they were last asked for."""
        found = self.tissue.census()
        self.tissue.counters[...] = 0
        return found


def measure(bench: Bench) -> list[Figure]:
    edge = bench.plan.edge
    figures = dense(bench, NAME, edge, floor=2.2e8 if bench.device.arch == "cpu" else None, goal=3e8)
    return [*figures, *empty_space(bench, edge)]


def dense(bench: Bench, name: str, edge: int, *, floor: float | None, goal: float | None) -> list[Figure]:
    """The passes over a cube of `edge` voxels with cells scattered in it; floor and goal in voxels/s."""
    shape = (edge, edge, edge)
    if reason := too_large(bench.device, edge**3):
        return [Figure(name, f"passes {edge}^3, 5 % fill", "voxels/s", better="higher", not_measured=reason)]
    walkers = Walkers.of(scattered(bench.device, shape))
    first = sum(seconds(call, bench.wait) for call in walkers.calls().values())
    before = walkers.counted()[Count.TUMOUR]
    times = timed(walkers, bench, bench.plan.repeats)
    counts = walkers.counted()
    whole = tuple(map(sum, zip(*times.values(), strict=True)))
    lost = counts[Count.TUMOUR] != before * bench.plan.repeats
    moved = counts[Count.MOVED] / counts[Count.TUMOUR]
    each = ", ".join(f"{which} {1e9 * sorted(t)[len(t) // 2] / edge**3:.2f}" for which, t in times.items())
    voxels_per_s = tuple(edge**3 / t for t in whole)
    copied = bench.of_copy_rate(whole, BYTES_PER_VOXEL * edge**3)
    title = f"passes {edge}^3, 5 % fill"
    wrong = "; CELLS WERE LOST OR MADE" if lost else ""
    note = f"{each} ns/voxel; {moved:.1%} of cells hop{wrong}"
    return [
        Figure(name, f"{title}: first call", "s", (first,), note="compiles, or loads the cache"),
        Figure(name, title, "voxels/s", voxels_per_s, "higher", floor, goal, note=note, failed=lost),
        Figure(name, f"{title}: of the copy rate", "1", copied, "higher", note="at least 6 B a voxel over time"),
    ]


def empty_space(bench: Bench, edge: int) -> list[Figure]:
    """The same tumour with 8 times the space around it."""
    name = f"passes, same tumour in {2 * edge}^3 over {edge}^3"
    if reason := too_large(bench.device, 9 * edge**3):
        return [Figure(NAME, name, "x", not_measured=reason)]
    both = [Walkers.of(tumour(bench.device, (size, size, size), edge)) for size in (edge, 2 * edge)]
    for walkers in both:
        # the first tick compiles, the second is the first that passes over chunks that were found empty
        for _ in range(2):
            for call in walkers.calls().values():
                call()
        walkers.counted()
    times: list[list[float]] = [[], []]
    for _ in range(bench.plan.repeats):
        for walkers, spent in zip(both, times, strict=True):
            spent.append(sum(t[0] for t in timed(walkers, bench, 1).values()))
    counts = [walkers.counted()[Count.TUMOUR] // bench.plan.repeats for walkers in both]
    ratio = quotients(tuple(times[1]), tuple(times[0]))
    smaller_ms = 1e3 * sorted(times[0])[len(ratio) // 2]
    note = f"{counts[0]:,} cells, every second voxel of a ball; {smaller_ms:.3g} ms in the smaller"
    return [Figure(NAME, name, "x", ratio, floor=1.5, goal=1.2, note=note, failed=counts[0] != counts[1])]


def timed(walkers: Walkers, bench: Bench, repeats: int) -> dict[str, tuple[float, ...]]:
    """Seconds of each pass in each of `repeats` ticks."""
    times: dict[str, list[float]] = {which: [] for which in PASSES}
    for _ in range(repeats):
        for which, call in walkers.calls().items():
            times[which].append(seconds(call, bench.wait))
    return {which: tuple(each) for which, each in times.items()}


def scattered(device: Device, shape: tuple[int, int, int]) -> Tissue:
    """Cells of every phenotype in 5 % of all voxels, at random."""
    tissue = _bare(device, device.lattice(shape))
    rng = np.random.default_rng(5)
    for z in range(shape[0]):
        here = rng.integers(0, 2**16, shape[1:], dtype=np.uint16) < round(FILL * 2**16)
        _put(tissue, device, (z, slice(None), slice(None)), here, rng)
    return tissue


def tumour(device: Device, shape: tuple[int, int, int], edge: int) -> Tissue:
    """5 % of edge^3 cells in the middle of `shape`, in every second voxel of a ball, at random.

    The ball is the same in every lattice: its cells and phenotypes do not depend on `shape`.
    """
    tissue = _bare(device, device.lattice(shape))
    rng = np.random.default_rng(5)
    radius = (2 * FILL * edge**3 * 3 / (4 * np.pi)) ** (1 / 3)
    reach = int(np.ceil(radius))
    axis = np.arange(-reach, reach + 1)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    here = (z**2 + y**2 + x**2 <= radius**2) & (rng.random(z.shape) < 0.5)
    box = tuple(slice(n // 2 - reach, n // 2 + reach + 1) for n in shape)
    _put(tissue, device, box, here, rng)
    return tissue


def too_large(device: Device, voxels: int) -> str:
    """Why tissues of so many voxels do not fit this machine's memory; empty if they do."""
    need = voxels * bytes_per_voxel()
    have = free_bytes(device) if device.arch == "cuda" else available_memory()
    if have is not None and need > 0.9 * have:
        return f"needs {readable_bytes(need)} of memory, {readable_bytes(have)} are free"
    return ""


def bytes_per_voxel() -> int:
    """What the arrays of a tissue take, by their declaration."""
    return sum(np.dtype(kind).itemsize for kind in field_types().values())


def _bare(device: Device, lattice: Lattice) -> Tissue:
    return bare(lattice, lattice_id=0, voxel_um=VOXEL_UM, xp=device.xp)


def _put(tissue: Tissue, device: Device, box: Any, here: np.ndarray, rng: np.random.Generator) -> None:
    emt = rng.integers(0, 256, here.shape, dtype=np.uint8)
    tissue.cell[box] = device.array(np.where(here, np.uint8(Cell.TUMOUR), np.uint8(Cell.EMPTY)))
    tissue.emt[box] = device.array(np.where(here, emt, np.uint8(0)))
