"""Departures: the cells that leave through a wall, gathered into seeds and taken off the lattice.

The contest and `kernels.intravasation` mark the cells that enter a vessel; there are few of them, so
what remains is ordinary array code over a handful of voxels. A seed is a marked cell and the
companions in its reach: the block it stands in and the blocks beyond its faces (a five-block plus in
2-D, seven blocks in 3-D), a block being as wide as a vessel site. Marked cells are served in the
order of their voxels, and a cell goes with the first that claims it.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw, threshold
from ..kernels.intravasation import Intravasation, leaving_voxels
from ..kernels.lattice import Lattice
from ..kernels.tissue import CARRIED, Cell, Tissue, Vessel

BLOOD, LYMPH = 0, 1


@dataclass(frozen=True)
class Departure:
    """One seed as it leaves a lattice."""

    lattice_id: int
    tick: int
    voxel: int  # flat index of the cell that entered the vessel
    route: int  # BLOOD or LYMPH
    emt: np.ndarray  # (cells,) u1, the entering cell first
    clone: np.ndarray  # (cells,) u4

    @property
    def cells(self) -> int:
        return len(self.emt)


def reach(lattice: Lattice, voxel: int, block_voxels: int) -> np.ndarray:
    """Flat indices (ascending) of the voxels in the block of `voxel` and the blocks beyond its faces."""
    z, y, x = np.unravel_index(voxel, lattice.shape)
    corner = [int(at) - int(at) % block_voxels for at in (z, y, x)]
    steps = [(0, 0, 0), (0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0)]
    if lattice.dimensions == 3:
        steps += [(-1, 0, 0), (1, 0, 0)]
    found = []
    for step in steps:
        ranges = []
        for at, move, size in zip(corner, step, lattice.shape, strict=True):
            start = at + move * block_voxels
            ranges.append(range(max(0, start), min(size, start + block_voxels)))
        for k in ranges[0]:
            for j in ranges[1]:
                found.extend((k * lattice.ny + j) * lattice.nx + i for i in ranges[2])
    return np.unique(np.asarray(found, dtype=np.int64))


def gather(tissue: Tissue, parameters: Intravasation, block_voxels: int, stamp: Stamp) -> list[Departure]:
    """Take the marked cells and their companions off the lattice.

    Writes what a cell carries and leaving where they stood. Returns the seeds in the order
    of their voxels; a marked cell that went along with an earlier one founds no seed of its own.
    """
    lattice = tissue.lattice
    cell, emt, clone = (getattr(tissue, name).reshape(-1) for name in ("cell", "emt", "clone"))
    goes_along = threshold(parameters.companion_probability)
    departures = []
    for voxel in leaving_voxels(tissue):
        if int(cell[voxel]) != Cell.TUMOUR:
            continue  # it left with an earlier one
        near = reach(lattice, int(voxel), block_voxels)
        here = near[_host(cell[near]) == Cell.TUMOUR]
        others = here[here != voxel]
        if goes_along < 2**32 - 1:
            others = others[host_draw(others, stamp, Purpose.COMPANION) < goes_along]
        places = parameters.cluster_cells_max - 1
        if len(others) > places:
            # the draw chooses: the first by index would all be from one side
            lowest = np.argsort(host_draw(others, stamp, Purpose.COMPANION), kind="stable")[:places]
            others = np.sort(others[lowest])
        taken = np.concatenate([[voxel], others])
        departures.append(
            Departure(
                lattice_id=tissue.lattice_id,
                tick=stamp.tick,
                voxel=int(voxel),
                route=_route(tissue, near),
                emt=_host(emt[taken]).copy(),
                clone=_host(clone[taken]).copy(),
            )
        )
        for name in (*CARRIED, "leaving"):
            getattr(tissue, name).reshape(-1)[taken] = 0
    return departures


def _route(tissue: Tissue, near: np.ndarray) -> int:
    """Lymph if the only conduits in reach are lymph vessels, else blood."""
    bits = int(np.bitwise_or.reduce(_host(tissue.vessel.reshape(-1)[near])))
    return LYMPH if bits & Vessel.LYMPH and not bits & Vessel.BLOOD else BLOOD


def _host(value: object) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.get()  # type: ignore[attr-defined]


__all__ = ["BLOOD", "LYMPH", "Departure", "gather", "reach"]
