"""The tissue: one plain array per quantity, and what each of them is.

Arrays are C-contiguous, of shape (nz, ny, nx) with x fastest: NumPy on a CPU, CuPy on CUDA. They
are the state and they own the memory; kernels are handed them zero-copy and anything else may read
them as ordinary arrays. Between start and end of a run they are written by the verbs that `sim.step`
calls, and by seeds that settle in an organ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np

from .lattice import Lattice


class Cell(IntEnum):
    """What stands in a voxel."""

    EMPTY = 0
    TUMOUR = 1
    NECROTIC = 2
    IMMUNE = 3
    STROMA = 4
    EPITHELIUM = 5


class Vessel(IntFlag):
    """What a vessel in a voxel is; bits add up."""

    NONE = 0
    BLOOD = 1
    LYMPH = 2
    PERFUSED = 4
    RUPTURED = 8
    TIP = 16
    GIVEN = 32  # there from the start and supplied from outside the lattice
    COLLAPSED = 64  # pressed shut, so not perfused


class Count(IntEnum):
    """The places of `Tissue.counters`: what the passes of one tick counted."""

    BORN = 0
    MOVED = 1
    LEAVING = 2
    CLAMPED = 3
    # what the census found, by what stands in a voxel
    TUMOUR = 4
    MESENCHYMAL = 5
    NECROTIC = 6
    IMMUNE = 7
    STROMA = 8
    EPITHELIUM = 9
    # tumour cells that died, by cause
    APOPTOTIC = 10
    ANOIKIC = 11
    NECROSED = 12
    POISONED = 13
    KILLED = 14
    # what became of other cells
    CLEARED = 15  # necrotic debris
    ENTERED = 16  # immune cells out of vessels
    EXHAUSTED = 17  # immune cells, spent
    MUTATED = 18  # daughters that found a clone
    # walls of vessels
    TORN = 19  # ruptured
    SHUT = 20  # collapsed
    OPENED = 21  # opened again


# Deaths whose cell leaves its voxel at once, and those that leave debris.
GONE = (Count.APOPTOTIC, Count.ANOIKIC, Count.POISONED, Count.KILLED)
DEBRIS = (Count.NECROSED,)


class Trait(IntEnum):
    """The columns of `Tissue.traits`: by what a clone multiplies what the scenario gives. 1 is neutral."""

    DIVISION = 0
    MOTILITY = 1
    ADHESION = 2
    PROTEASE = 3
    VISIBILITY = 4  # to immune effectors: 0 evades them
    DEATH = 5  # apoptosis and anoikis
    EMT = 6  # response to what drives it


# a cell is called mesenchymal from here up
MESENCHYMAL_EMT = 128
# what a tissue is between ticks, besides its solutes; a cell takes the first six along
CARRIED = ("cell", "emt", "clone", "colony", "due", "heading")
STATE = (*CARRIED, "vessel", "matrix", "fibre")


@dataclass
class Tissue:
    """One lattice of tissue: the primary (lattice_id 0) or an organ (1 + index of the organ).

    In the right margin: unit, dtype, and what a daughter gets of it when a cell divides.
    """

    lattice: Lattice
    lattice_id: int
    voxel_um: float
    xp: Any  # the array module: numpy or cupy

    cell: Any  # code (Cell)                u1  inherits
    emt: Any  # 0 epithelial - 255 mesench.  u1  inherits
    clone: Any  # row of the clone table     u4  inherits
    colony: Any  # number in its organ       u2  inherits; 0 on the primary
    due: Any  # 1 = waiting to divide        u1  starts at 0, for both daughters; 2 within a tick: kernels.mutation
    heading: Any  # 1 + face it persists in  u1  starts at 0 (none); the mother keeps hers
    vessel: Any  # bits (Vessel)             u1  belongs to the voxel
    matrix: Any  # fraction of intact ECM    f4  belongs to the voxel
    fibre: Any  # 1 + axis (0 z, 1 y, 2 x)   u1  belongs to the voxel; 0 = no preferred axis
    solutes: dict[str, Any]  # by role       f4  belong to the voxel; only the roles of the scenario

    traits: Any  # (clones, len(Trait))      f4  one row a clone, the same array for all tissues of a run

    # scratch: dead between ticks
    spare: Any  # the solute's next state    f4
    intent: Any  # what a cell wants         u1  kernels.intent
    leaving: Any  # 1 = entering a vessel    u1  such a cell neither hops nor divides
    busy: Any  # 1 = may hold cells          u1  one per chunk of the lattice; idle chunks have no intents
    claims: Any  # bids for voxels           u8  (uint64) kernels.pushing; one element where cells do not push
    counters: Any  # one tick's counts       i4  (Count)
    nothing: Any  # one 0, for a role that the scenario lacks; kernels do not look at it  f4

    @property
    def protease(self) -> Any:
        """The diffusing protease, c / c0, f4."""
        return self.solutes["protease"]

    @protease.setter
    def protease(self, value: Any) -> None:
        self.solutes["protease"] = value

    def solute(self, role: str) -> Any:
        """The field of a role, or `nothing` where the scenario has no such solute."""
        return self.solutes.get(role, self.nothing)

    def members(self) -> dict[str, Any]:
        """The state by name: all arrays of voxels that the next tick depends on, solutes by their role."""
        return {name: getattr(self, name) for name in STATE} | self.solutes

    def wake(self) -> None:
        """Look at every chunk again. To be called after cells were put in from outside the passes."""
        self.busy[...] = 1

    def census(self) -> dict[Count, int]:
        """The counters as host integers. Waits for the device."""
        values = self.counters if isinstance(self.counters, np.ndarray) else self.counters.get()
        return {count: int(values[count]) for count in Count}

    def host(self, name: str) -> np.ndarray:
        """A member as a host array: the array itself on a CPU, a copy from a GPU."""
        value = self.members()[name]
        return value if isinstance(value, np.ndarray) else value.get()


def bare(
    lattice: Lattice,
    *,
    lattice_id: int,
    voxel_um: float,
    xp: Any = np,
    matrix: float = 1.0,
    roles: Mapping[str, float] | tuple[str, ...] = ("protease",),
    traits: Any = None,
) -> Tissue:
    """Tissue without cells or vessels, its fields uniform. `xp` is numpy or cupy; `roles` are its solutes, by role with
    their concentration at the start (0 where only names are given).

    `traits` (clones, len(Trait)) f4 is shared, not copied; left out, there is one clone and it is neutral.
    """

    levels = roles if isinstance(roles, Mapping) else dict.fromkeys(roles, 0.0)

    def empty(dtype: Any) -> Any:
        return xp.zeros(lattice.shape, dtype=dtype)

    return Tissue(
        lattice=lattice,
        lattice_id=lattice_id,
        voxel_um=voxel_um,
        xp=xp,
        cell=empty(np.uint8),
        emt=empty(np.uint8),
        clone=empty(np.uint32),
        colony=empty(np.uint16),
        due=empty(np.uint8),
        heading=empty(np.uint8),
        vessel=empty(np.uint8),
        matrix=xp.full(lattice.shape, matrix, dtype=np.float32),
        fibre=empty(np.uint8),
        solutes={role: xp.full(lattice.shape, level, dtype=np.float32) for role, level in levels.items()},
        traits=xp.ones((1, len(Trait)), dtype=np.float32) if traits is None else traits,
        spare=empty(np.float32),
        intent=empty(np.uint8),
        leaving=empty(np.uint8),
        busy=xp.ones(lattice.chunks if lattice.chunk > 1 else 1, dtype=np.uint8),
        claims=xp.zeros(1, dtype=np.uint64),
        counters=xp.zeros(len(Count), dtype=np.int32),
        nothing=xp.zeros(1, dtype=np.float32),
    )
