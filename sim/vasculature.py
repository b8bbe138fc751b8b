"""What has grown of one tissue's vessels: the tips, and the links between voxels; which of it is perfused.

The bits of a voxel say what it is (`kernels.tissue.Vessel`). How vessels hang together does not follow from the
bits: two that run side by side need not be joined. So each grown voxel has a link to the one that it grew out of, and an
anastomosis is a link more. Both are growing tables, of both kinds of vessels, saved and resumed with the run.
"""

from typing import Any

import numpy as np

from ..kernels.lattice import offset
from ..kernels.tissue import Tissue, Vessel
from . import perfusion
from .body.seeds import Growing

TIPS = {
    "kind": np.uint8,  # Vessel.BLOOD or LYMPH
    "voxel": np.int64,
    "sprout": np.int64,  # the voxel in which the sprout was born
    "z": np.float64,  # where in the lattice, in voxels from its corner
    "y": np.float64,
    "x": np.float64,
    "path_um": np.float64,  # how far it has come
}
# `one` grew out of `other`, or has met it, or has lost it (and is its own `other`); `sprout` is that of `one`
LINKS = {"kind": np.uint8, "one": np.int64, "other": np.int64, "sprout": np.int64}


class Vasculature:
    """The tables of one tissue."""

    def __init__(self) -> None:
        self.tips = Growing(TIPS)
        self.links = Growing(LINKS)

    def tables(self) -> dict[str, Growing]:
        return {"tips": self.tips, "links": self.links}

    def grown(self, kind: int) -> np.ndarray:
        """Voxels (ascending) that have grown, of a kind."""
        return np.unique(self.links["one"][self.links["kind"] == kind])

    def forget(self, kind: int, voxels: np.ndarray) -> None:
        """Drop voxels that are lost. What grew out of them stays, linked to itself."""
        links = self.links
        mine = links["kind"] == kind
        orphan = mine & np.isin(links["other"], voxels)
        links["other"][orphan] = links["one"][orphan]
        links.keep(~(mine & np.isin(links["one"], voxels)))

    def perfuse(self, tissue: Tissue, kind: int) -> None:
        """Bring the bit PERFUSED of what has grown up to date. Reads and writes vessel."""
        mine = self.links["kind"] == kind
        ones, others = self.links["one"][mine], self.links["other"][mine]
        if len(ones) == 0:
            return
        nodes, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
        bits = read(tissue, tissue.vessel, nodes)
        given = (bits & Vessel.GIVEN) > 0
        # a tip has no lumen; neither a collapsed voxel nor a tip is passed
        passed = np.where(given, bits & Vessel.PERFUSED, ~bits & Vessel.COLLAPSED) > 0
        passed &= (bits & Vessel.TIP) == 0
        number = np.where(given, perfusion.INLET, np.arange(len(nodes)))
        one, other = place[: len(ones)], place[len(ones) :]
        both = passed[one] & passed[other]
        rule = perfusion.between_inlets if kind == Vessel.BLOOD else perfusion.connected
        flows = np.zeros(len(nodes), dtype=bool)
        flows[sorted(rule(number[one[both]], number[other[both]]))] = True
        wanted = np.where(flows, bits | np.uint8(Vessel.PERFUSED), bits & ~np.uint8(Vessel.PERFUSED))
        change = ~given & (wanted != bits)
        write(tissue, tissue.vessel, nodes[change], wanted[change])

    def unreached(self, tissue: Tissue, kind: int) -> int:
        """How many grown voxels are perfused and yet not connected to a perfused given one by perfused voxels.

        Told from the bits and from who is beside whom, not from the links: a check on them. 0, or something is wrong.
        """
        nodes = self.grown(kind)
        if len(nodes) == 0:
            return 0
        flows = kind | Vessel.PERFUSED
        nodes = nodes[(read(tissue, tissue.vessel, nodes) & flows) == flows]
        near, inside = beside(tissue, nodes)
        bits = read(tissue, tissue.vessel, near.reshape(-1)).reshape(near.shape)
        open_to = inside & ((bits & flows) == flows)
        reached = (open_to & ((bits & Vessel.GIVEN) > 0)).any(axis=1)
        while True:
            at = np.searchsorted(nodes, near).clip(max=max(0, len(nodes) - 1))
            more = reached | (open_to & (nodes[at] == near) & reached[at]).any(axis=1) if len(nodes) else reached
            if (more == reached).all():
                return int((~reached).sum())
            reached = more


def beside(tissue: Tissue, voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(voxels, faces) flat indices of the neighbours, by face, and whether there is one: beyond a wall stands the voxel."""
    lattice = tissue.lattice
    at = np.stack(np.unravel_index(voxels, lattice.shape), axis=0)
    near = np.empty((len(voxels), lattice.faces), dtype=np.int64)
    inside = np.empty(near.shape, dtype=bool)
    for face in range(lattice.faces):
        axis = 2 - face // 2
        there = at[axis] + (1 if face % 2 else -1)
        inside[:, face] = (there >= 0) & (there < lattice.shape[axis])
        near[:, face] = np.where(inside[:, face], voxels + offset(lattice, face), voxels)
    return near, inside


def read(tissue: Tissue, field: Any, voxels: np.ndarray) -> np.ndarray:
    """The values of a field at flat indices, on the host."""
    out = field.reshape(-1)[tissue.xp.asarray(voxels)]
    return out if isinstance(out, np.ndarray) else out.get()


def write(tissue: Tissue, field: Any, voxels: np.ndarray, values: np.ndarray) -> None:
    """Set a field at flat indices."""
    if len(voxels):
        field.reshape(-1)[tissue.xp.asarray(voxels)] = tissue.xp.asarray(values)
