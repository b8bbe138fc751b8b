"""The tissue: one plain array per quantity, and what each of them is.

Arrays are C-contiguous, of shape (nz, ny, nx) with x fastest: NumPy on a CPU, CuPy on CUDA. They
are the state and they own the memory; kernels are handed them zero-copy and anything else may read
them as ordinary arrays. Between start and end of a run they are written by the verbs that `sim.step`
calls, and by seeds that settle in an organ.
"""

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


class Count(IntEnum):
    """The places of `Tissue.counters`: what the passes of one tick counted."""

    BORN = 0
    MOVED = 1
    LEAVING = 2
    CLAMPED = 3
    TUMOUR = 4
    MESENCHYMAL = 5


# a cell is called mesenchymal from here up
MESENCHYMAL_EMT = 128


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
    due: Any  # 1 = waiting to divide        u1  starts at 0, for both daughters
    vessel: Any  # bits (Vessel)             u1  belongs to the voxel
    matrix: Any  # fraction of intact ECM    f4  belongs to the voxel
    protease: Any  # concentration, c / c0   f4  belongs to the voxel

    # scratch: dead between ticks
    spare: Any  # the solute's next state    f4
    intent: Any  # what a cell wants         u1  kernels.intent
    leaving: Any  # 1 = entering a vessel    u1  such a cell neither hops nor divides
    busy: Any  # 1 = may hold cells          u1  one per chunk of the lattice; idle chunks have no intents
    counters: Any  # one tick's counts       i4  (Count)

    def wake(self) -> None:
        """Look at every chunk again. To be called after cells were put in from outside the passes."""
        self.busy[...] = 1

    def census(self) -> dict[Count, int]:
        """The counters as host integers. Waits for the device."""
        values = self.counters if isinstance(self.counters, np.ndarray) else self.counters.get()
        return {count: int(values[count]) for count in Count}

    def host(self, name: str) -> np.ndarray:
        """A member as a host array: the array itself on a CPU, a copy from a GPU."""
        value = getattr(self, name)
        return value if isinstance(value, np.ndarray) else value.get()


def bare(lattice: Lattice, *, lattice_id: int, voxel_um: float, xp: Any = np, matrix: float = 1.0) -> Tissue:
    """Tissue without cells or vessels, its matrix uniform. `xp` is numpy or cupy."""

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
        vessel=empty(np.uint8),
        matrix=xp.full(lattice.shape, matrix, dtype=np.float32),
        protease=empty(np.float32),
        spare=empty(np.float32),
        intent=empty(np.uint8),
        leaving=empty(np.uint8),
        busy=xp.ones(lattice.chunks if lattice.chunk > 1 else 1, dtype=np.uint8),
        counters=xp.zeros(len(Count), dtype=np.int32),
    )
