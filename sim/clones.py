"""Clones: every clone of a run and its parent, the lineage tree, as a growing struct of arrays.

A row is never removed. Clone 0 is the implant's; every other has a parent with a lower number. Numbers are
given within a tick in the order of the lattices (the primary, then the organs) and of the voxels in them, so
they do not depend on threads. Traits are drawn from where and when the clone arose and from nothing else.

The traits also stand on the device, one row a clone, in one array that all tissues share (`Tissue.traits`).
It grows by doubling: then it is another array, which `attach` hands to the tissues.
"""

from typing import Any

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw, threshold
from ..kernels.mutation import MUTANT, Mutation
from ..kernels.tissue import Cell, Tissue, Trait
from .body.seeds import NONE, Growing
from .device import Device
from .errors import BeyondLimits, IdentityBroken

DEFECT = "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
TRAIT_MEANINGS = {
    "division": "the rate of division",
    "motility": "motility",
    "adhesion": "adhesion",
    "protease": "the secretion of protease",
    "visibility": "their visibility to immune cells",
    "death": "the hazards of apoptosis and anoikis",
    "emt": "the response to what drives EMT",
}
TRAITS = tuple(trait.name.lower() for trait in Trait)
# name -> dtype of what is kept per clone; `cells` is as of the last recount
COLUMNS = {"parent": np.int64, "born_tick": np.int64, "lattice_id": np.int32, "voxel": np.int64, "cells": np.int64}
BYTES_PER_CLONE = sum(np.dtype(kind).itemsize for kind in COLUMNS.values()) + 4 * len(TRAITS)


class Clones:
    """The table and the traits on the device."""

    def __init__(self, parameters: Mutation, device: Device) -> None:
        self._parameters = parameters
        self._device = device
        self.table = Growing(COLUMNS | dict.fromkeys(TRAITS, np.float32))
        self.table.append({"parent": NONE, "lattice_id": NONE, "voxel": NONE, **dict.fromkeys(TRAITS, 1.0)})
        self.traits: Any = device.xp.ones((1, len(Trait)), dtype=np.float32)  # (at least clones, len(Trait)) f4

    @property
    def rows(self) -> int:
        return self.table.rows

    def attach(self, tissue: Tissue) -> None:
        """Let a tissue see the traits where they stand now."""
        tissue.traits = self.traits

    def start(self, tissue: Tissue, clones: int, stamp: Stamp) -> None:
        """Share the implant's cells out among clone 0 and `clones` - 1 children of it; who gets which is drawn."""
        if clones == 1:
            return
        cell, clone = tissue.cell.reshape(-1), tissue.clone.reshape(-1)
        at = _host(tissue.xp.flatnonzero(cell == np.uint8(Cell.TUMOUR)))
        self._refuse_more_than_fit(clones - 1)
        rows = np.arange(1, clones)
        traits = self._traits(np.zeros(clones - 1, dtype=np.int64), rows, stamp, Purpose.IMPLANT_TRAIT)
        self.table.append({"parent": 0, "lattice_id": stamp.lattice_id, "voxel": NONE, **traits}, count=clones - 1)
        self.upload()
        self.attach(tissue)
        order = np.argsort(host_draw(at, stamp, Purpose.IMPLANT_CLONE), kind="stable")
        clone[at[order]] = self._device.array((np.arange(len(at)) % clones).astype(np.uint32))

    def found(self, tissue: Tissue, stamp: Stamp) -> int:
        """Give every daughter that the divisions of this tick marked a clone of her own. Returns how many.

        Reads and clears the marks in `due`; writes clone and traits.
        """
        due, clone = tissue.due.reshape(-1), tissue.clone.reshape(-1)
        at = tissue.xp.flatnonzero(due == np.uint8(MUTANT))
        due[at] = np.uint8(0)
        where, parents = _host(at), _host(clone[at]).astype(np.int64)
        count = len(where)
        if not count:
            return 0
        if parents.max() >= self.rows:
            raise IdentityBroken(
                f"tick {stamp.tick}: a cell belongs to clone {parents.max()}, but there are {self.rows}. {DEFECT}"
            )
        self._refuse_more_than_fit(count)
        traits = self._traits(parents, where, stamp, Purpose.TRAIT)
        born = {"parent": parents, "born_tick": stamp.tick, "lattice_id": stamp.lattice_id, "voxel": where}
        first = self.table.append({**born, **traits}, count=count)
        clone[at] = tissue.xp.arange(first, first + count, dtype=np.uint32)
        self.upload(first)
        self.attach(tissue)
        return count

    def upload(self, first: int = 0) -> None:
        """Bring the traits of the rows from `first` on to the device, in a larger array if they need one."""
        capacity = len(self.traits)
        if self.rows > capacity:
            grown = self._device.xp.ones((max(self.rows, 2 * capacity), len(Trait)), dtype=np.float32)
            grown[:capacity] = self.traits
            self.traits = grown
        values = np.stack([self.table[name][first:] for name in TRAITS], axis=1)
        self.traits[first : self.rows] = self._device.array(values)

    def recount(self, tissues: list[Tissue], cells: int) -> None:
        """Bring the column `cells` up to date: tumour cells of each clone on all lattices, `cells` in all.

        Raises IdentityBroken if a cell belongs to no clone, or the clones' cells do not add up.
        """
        found = np.array([cells])
        if self.rows > 1:
            found = np.sum([cells_by_clone(tissue, self.rows) for tissue in tissues], axis=0)
            if found.sum() != cells:
                raise IdentityBroken(f"clones: {cells} tumour cells, but {found.sum()} in the clones. {DEFECT}")
        self.table["cells"][:] = found

    def diversity(self) -> tuple[int, float, float]:
        """(living clones, Shannon entropy in nats, Simpson index 1 - sum p^2), as of the last recount."""
        held = self.table["cells"][self.table["cells"] > 0]
        share = held / max(held.sum(), 1)
        return (
            len(held),
            float(-(share * np.log(share)).sum()) + 0.0,
            float(1.0 - (share**2).sum()) if len(held) else 0.0,
        )

    def _traits(self, parents: np.ndarray, where: np.ndarray, stamp: Stamp, purpose: Purpose) -> dict[str, np.ndarray]:
        """Traits of the children of `parents`, drawn at `where` (voxels, or numbers of the implant's clones)."""
        driver = threshold(self._parameters.driver_probability)
        which = Purpose.IMPLANT_DRIVER if purpose == Purpose.IMPLANT_TRAIT else Purpose.DRIVER
        changes = (host_draw(where, stamp, which) < driver) | (driver == 2**32 - 1)
        out = {}
        for trait, law in self._parameters.laws.items():
            name = trait.name.lower()
            held = self.table[name][parents]
            if law.varies:
                step = law.step_mean + law.step_sd * normal(host_draw(where, stamp, purpose, substep=int(trait)))
                child = np.clip(held * np.exp(step), law.least, law.most).astype(np.float32)
                held = np.where(changes, child, held)
            out[name] = held
        return out

    def _refuse_more_than_fit(self, count: int) -> None:
        most = self._parameters.clones_max
        if self.rows + count > most:
            raise BeyondLimits(
                f"mutation.clones_max: the run needs more than its {most} clones; raise it (each takes "
                f"{BYTES_PER_CLONE} bytes, and as many in every frame), or lower mutation.probability or until_h. "
                "The last checkpoint is kept: seedsoil branch goes on from it with other values"
            )


def cells_by_clone(tissue: Tissue, clones: int) -> np.ndarray:
    """Tumour cells of each clone in one tissue, (clones,) i8. Raises IdentityBroken if a cell's clone is unknown."""
    xp = tissue.xp
    mine = tissue.clone.reshape(-1)[tissue.cell.reshape(-1) == np.uint8(Cell.TUMOUR)]
    most = int(mine.max()) if mine.size else 0
    if most >= clones:  # asked before counting, which takes memory by the highest number
        raise IdentityBroken(
            f"lattice {tissue.lattice_id}: a cell belongs to clone {most}, but there are {clones}. {DEFECT}"
        )
    return _host(xp.bincount(mine, minlength=clones)).astype(np.int64)


def normal(draws: np.ndarray) -> np.ndarray:
    """Standard normal numbers from 32-bit draws, by the inverse of the distribution: one of each, f8."""
    from scipy.special import ndtri  # late: only a run with mutation needs it

    return ndtri((draws.astype(np.float64) + 0.5) / 2.0**32)


def _host(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.get()


__all__ = ["BYTES_PER_CLONE", "COLUMNS", "TRAITS", "Clones", "cells_by_clone", "normal"]
