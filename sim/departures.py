"""Departures: the cells that leave through a wall, gathered into seeds and taken off the lattice.

The contest and `kernels.intravasation` mark the cells that enter a vessel; there are few of them, so
what remains is ordinary array code over a handful of voxels. A seed is a marked cell and its companions:

    block  those in its reach, each with a probability: the block it stands in and the blocks beyond its faces (a
           five-block plus in 2-D, seven blocks in 3-D), a block being as wide as a vessel site    (Franssen 2019)
    bonds  those that adhere to it (`sim.clusters`)

Marked cells are served in the order of their voxels, and a cell goes with the first that claims it. The route is that of
the wall that was crossed: of the walls that the marked cell touches one is drawn, by the hazards of their faces.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw, threshold
from ..kernels.intravasation import Intravasation, leaving_voxels
from ..kernels.lattice import Lattice, offset
from ..kernels.tissue import CARRIED, Cell, Tissue, Vessel
from . import clusters

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


def gather(
    tissue: Tissue, parameters: Intravasation, block_voxels: int, stamp: Stamp, *, bond_energy: float = 0.0
) -> list[Departure]:
    """Take the marked cells and their companions off the lattice.

    Writes what a cell carries and leaving where they stood. Returns the seeds in the order
    of their voxels; a marked cell that went along with an earlier one founds no seed of its own.
    """
    cell, emt, clone = (getattr(tissue, name).reshape(-1) for name in ("cell", "emt", "clone"))
    departures = []
    for voxel in leaving_voxels(tissue).tolist():
        if int(cell[voxel]) != Cell.TUMOUR:
            continue  # it left with an earlier one
        if parameters.cluster_law == "bonds":
            reach_um, cells_max = parameters.cluster_reach_um, parameters.cluster_cells_max
            others = clusters.bonded(tissue, voxel, reach_um, cells_max, bond_energy, stamp)
        else:
            others = _willing(tissue, parameters, voxel, block_voxels, stamp)
        taken = np.concatenate([[voxel], others])
        at = tissue.xp.asarray(taken)
        departures.append(
            Departure(
                lattice_id=tissue.lattice_id,
                tick=stamp.tick,
                voxel=voxel,
                route=_route(tissue, parameters, voxel, stamp),
                emt=_host(emt[at]).copy(),
                clone=_host(clone[at]).copy(),
            )
        )
        for name in (*CARRIED, "leaving"):
            getattr(tissue, name).reshape(-1)[at] = 0
    return departures


def _willing(tissue: Tissue, parameters: Intravasation, voxel: int, block_voxels: int, stamp: Stamp) -> np.ndarray:
    """The companions by the block law, ascending."""
    goes_along = threshold(parameters.companion_probability)
    near = reach(tissue.lattice, voxel, block_voxels)
    here = near[_host(tissue.cell.reshape(-1)[tissue.xp.asarray(near)]) == Cell.TUMOUR]
    others = here[here != voxel]
    if goes_along < 2**32 - 1:
        others = others[host_draw(others, stamp, Purpose.COMPANION) < goes_along]
    places = parameters.cluster_cells_max - 1
    if len(others) > places:
        # the draw chooses: the first by index would all be from one side
        lowest = np.argsort(host_draw(others, stamp, Purpose.COMPANION), kind="stable")[:places]
        others = np.sort(others[lowest])
    return others


def _route(tissue: Tissue, parameters: Intravasation, voxel: int, stamp: Stamp) -> int:
    """BLOOD or LYMPH, by the wall that the cell at `voxel` crossed."""
    vessel = tissue.vessel.reshape(-1)
    if parameters.law == "arrival":  # it stands on the vessel that it entered
        bits = int(vessel[voxel])
        return LYMPH if bits & Vessel.LYMPH and not bits & Vessel.BLOOD else BLOOD
    touched, at = [voxel], np.unravel_index(voxel, tissue.lattice.shape)
    for face in range(tissue.lattice.faces):
        axis = 2 - face // 2
        if 0 <= at[axis] + (1 if face % 2 else -1) < tissue.lattice.shape[axis]:
            touched.append(voxel + offset(tissue.lattice, face))
    bits = _host(vessel[tissue.xp.asarray(touched)])
    active = parameters.active_per_h if int(tissue.emt.reshape(-1)[voxel]) >= parameters.minimum_emt else 0.0
    hazard = np.where(bits & Vessel.RUPTURED, parameters.passive_per_h, active) * (bits & Vessel.PERFUSED > 0)
    blood, lymph = (float(hazard[bits & kind > 0].sum()) for kind in (Vessel.BLOOD, Vessel.LYMPH))
    if blood > 0.0 and lymph > 0.0:
        chance = int(host_draw(np.array(voxel), stamp, Purpose.WALL)) / 2**32
        return LYMPH if chance * (blood + lymph) < lymph else BLOOD
    return LYMPH if lymph > 0.0 else BLOOD


def _host(value: object) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.get()  # type: ignore[attr-defined]


__all__ = ["BLOOD", "LYMPH", "Departure", "gather", "reach"]
