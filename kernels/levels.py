"""The levels of a lattice for the multigrid: their sizes, scratch, and the tables of a law.

Levels are cell-centred. Each axis is halved while it has two cells or more; an odd length leaves a last cell that
is wider, up to twice the others, with the distances that follow from it. So a lattice of one layer is 2-D, and a
thin one loses its thin axis first. The coarsest level is a single cell.

`Levels` belongs to a lattice shape and is scratch between solves: every solute of every tissue of that shape may
use the same one, in turn. It may live in arrays of bytes that are lent to it and dead while a solve lasts: the finest of
its arrays go there, as many as fit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from taichi.lang import impl

from .lattice import ROWS_PER_THREAD, Lattice

# of each coarse level: field, supply, drain, uptake, and the field as it came down
_ARRAYS = 5
# laws whose tables are kept; one more takes the place of the oldest
_LAWS_KEPT = 8


class Law(NamedTuple):
    """What of a solute is the same everywhere."""

    diffusivity_um2_per_h: float
    voxel_um: float
    half_saturation: float = 0.0  # K_m, in units of the field; 0 is zero order
    walls: tuple[float | None, ...] = (None,) * 6  # value at the face, in face order -x +x -y +y -z +z; None: no flux


class Problem(NamedTuple):
    """A law with its fields, on the lattice or on a coarse level."""

    field: Any  # f4 c
    supply: Any  # f4 c/h
    drain: Any  # f4 1/h
    uptake: Any  # f4 c/h


class Axis(NamedTuple):
    """The cells of a level along one axis, in voxels: all `width` wide but the last."""

    cells: int
    width: float = 1.0
    last: float = 1.0

    def halved(self) -> "Axis":
        if self.cells < 2:
            return self
        length = (self.cells - 1) * self.width + self.last
        cells = self.cells // 2
        return Axis(cells, 2 * self.width if cells > 1 else length, length - 2 * (cells - 1) * self.width)

    def widths(self) -> np.ndarray:
        out = np.full(self.cells, self.width)
        out[-1] = self.last
        return out

    def centres(self) -> np.ndarray:
        widths = self.widths()
        return np.cumsum(widths) - widths / 2


Axes = tuple[Axis, Axis, Axis]  # x, y, z


@dataclass
class Level:
    """Sizes and loop form of a level, its scratch, and how its cells lie in the next coarser level."""

    axes: Axes
    lanes: int
    problem: Problem | None  # None on the lattice itself, whose fields are the caller's
    old: Any = None
    places: Any = None

    @property
    def sizes(self) -> tuple[int, int, int]:
        x, y, z = self.axes
        return x.cells, y.cells, z.cells

    @property
    def voxels(self) -> int:
        return self.axes[0].cells * self.axes[1].cells * self.axes[2].cells

    @property
    def width(self) -> float:
        """Of its cells, in voxels, along the axis that is longest."""
        return max((axis.cells, axis.width) for axis in self.axes)[1]


class Tables(NamedTuple):
    """What a law makes of a level: links (`kernels.relax`) and shares (`kernels.transfer`)."""

    links: Any
    shares: Any  # of a correction, which is 0 at a fixed wall
    spread: Any  # of a field


@dataclass
class Levels:
    """The levels of a lattice shape; level 0 is the lattice."""

    lattice: Lattice
    xp: Any
    levels: list[Level]
    extremes: Any
    none: Any  # stands for an uptake that is not there
    lent: tuple[Any, ...] = ()
    own_bytes: int = 0  # of arrays that did not fit into what is lent
    tables_of: dict[Law, list[Tables]] = field(default_factory=dict)

    @classmethod
    def of(cls, lattice: Lattice, xp: Any = np, lent: tuple[Any, ...] = ()) -> "Levels":
        """Coarse levels and tables for `lattice`, in arrays of `xp` (numpy or cupy); `lent` u1 are overwritten."""
        threads = int(impl.current_cfg().cpu_max_num_threads)
        levels = [Level(axes, _lanes(lattice, axes, threads), None) for axes in _axes_of(lattice)]
        pools, own_bytes = [_as_floats(each) for each in lent], 0
        for finer, level in pairwise(levels):
            finer.places = xp.asarray(
                np.concatenate([_places(*pair) for pair in zip(finer.axes, level.axes, strict=True)])
            )
            blank = []
            for _ in range(_ARRAYS):
                number = _pool_of([pool.size for pool in pools], level.voxels)
                if number is None:
                    blank.append(xp.zeros(level.voxels, dtype=np.float32))
                    own_bytes += blank[-1].nbytes
                else:
                    blank.append(pools[number][: level.voxels])
                    pools[number] = pools[number][level.voxels :]
            level.problem, level.old = Problem(*blank[:4]), blank[4]
        extremes, none = xp.zeros(4, dtype=np.int32), xp.zeros(1, dtype=np.float32)
        return cls(lattice, xp, levels, extremes, none, lent, own_bytes)

    @property
    def bytes_per_voxel(self) -> float:
        """Scratch of all levels beside what is lent, over the voxels of the lattice."""
        return self.own_bytes / self.lattice.voxels

    def give_back(self) -> None:
        """Leave zeros in what is lent."""
        for each in self.lent:
            each[...] = 0

    def tables(self, law: Law) -> list[Tables]:
        """The tables of a law, made once."""
        law = law._replace(half_saturation=0.0)
        if law not in self.tables_of:
            made = [self._made(law, at) for at in range(len(self.levels))]
            if len(self.tables_of) >= _LAWS_KEPT:
                # the launches over these arrays are prepared: fill them anew
                kept = self.tables_of.pop(next(iter(self.tables_of)))
                for old, new in zip(kept, made, strict=True):
                    for to, value in zip(old, new, strict=True):
                        to[...] = value
                made = kept
            self.tables_of[law] = made
        return self.tables_of[law]

    def _made(self, law: Law, at: int) -> Tables:
        level = self.levels[at]
        coarser = self.levels[min(at + 1, len(self.levels) - 1)]
        pairs = [law.walls[2 * axis : 2 * axis + 2] for axis in range(3)]
        per_h = law.diffusivity_um2_per_h / law.voxel_um**2
        links = [_links(axis, walls, per_h) for axis, walls in zip(level.axes, pairs, strict=True)]
        both = list(zip(level.axes, coarser.axes, pairs, strict=True))
        shares = [_shares(axis, above, walls) for axis, above, walls in both]
        spread = [_shares(axis, above, (None, None)) for axis, above, _ in both]
        for each in (shares, spread):
            each.append(_pairs(each[0], level.axes[0].cells))
        return Tables(*(self.xp.asarray(np.concatenate(t).astype(np.float32)) for t in (links, shares, spread)))


def own_bytes(lattice: Lattice, lent_bytes: Sequence[int]) -> int:
    """`Levels.own_bytes` of this lattice beside arrays of so many bytes, without making them."""
    pools, own = [each // 4 for each in lent_bytes], 0
    for axes in _axes_of(lattice)[1:]:
        count = math.prod(axis.cells for axis in axes)
        for _ in range(_ARRAYS):
            number = _pool_of(pools, count)
            if number is None:
                own += 4 * count
            else:
                pools[number] -= count
    return own


def _axes_of(lattice: Lattice) -> list[Axes]:
    """Of all levels, of which there are two at least."""
    found: list[Axes] = [(Axis(lattice.nx), Axis(lattice.ny), Axis(lattice.nz))]
    while len(found) == 1 or any(axis.cells > 1 for axis in found[-1]):
        x, y, z = found[-1]
        found.append((x.halved(), y.halved(), z.halved()))
    return found


def _as_floats(lent: Any) -> Any:
    """An array of bytes as one of f4, all that go into it."""
    flat = lent.reshape(-1)
    return flat[: flat.size - flat.size % 4].view(np.float32)


def _pool_of(sizes: Sequence[int], count: int) -> int | None:
    """The first pool with room for `count` numbers.

    They are taken without a gap: with even edges four arrays of the finest coarse level fill two arrays of bytes to the last
    number, so rounding each up to a cache line would leave one of them out. Passes ask for no more than whole numbers.
    """
    return next((number for number, size in enumerate(sizes) if size >= count), None)


def _lanes(lattice: Lattice, axes: Axes, threads: int) -> int:
    """Voxels of a row: a whole line, unless there would be too few rows for the threads."""
    if lattice.lanes == 1:
        return 1
    x, y, z = (axis.cells for axis in axes)
    rows_a_line = -(-2 * ROWS_PER_THREAD * threads // (y * z))
    return max(min(x, 16), -(-x // rows_a_line))


def _links(axis: Axis, walls: tuple[float | None, ...], per_h: float) -> np.ndarray:
    """Links below and above, outflow, inflow by walls and outflow to them, of each cell; per_h = D/voxel^2."""
    widths, centres = axis.widths(), axis.centres()
    below, above, inflow, wall = np.zeros((4, axis.cells))
    apart = np.diff(centres)
    below[1:] = per_h / (widths[1:] * apart)
    above[:-1] = per_h / (widths[:-1] * apart)
    for cell, value in zip((0, -1), walls, strict=True):
        if value is not None:
            through = per_h / (widths[cell] * widths[cell] / 2)
            wall[cell] += through
            inflow[cell] += through * value
    out = below + above + wall
    return np.concatenate([below, above, out, inflow, wall])


def _places(fine: Axis, coarse: Axis) -> np.ndarray:
    """Parent and other parent of each cell (and a third that is not used), along one axis."""
    parent, other, _ = _parents(fine, coarse)
    return np.concatenate([parent, other, other]).astype(np.int32)


def _parents(fine: Axis, coarse: Axis) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(parent, other parent, how far from the parent's centre) of each cell."""
    parent = np.minimum(np.arange(fine.cells) // (2 if coarse.cells != fine.cells or fine.cells == 1 else 1),
                        coarse.cells - 1)  # fmt: skip
    off = fine.centres() - coarse.centres()[parent]
    other = np.clip(parent + np.sign(np.round(off, 9)).astype(int), 0, coarse.cells - 1)
    return parent, other, off


def _shares(fine: Axis, coarse: Axis, walls: tuple[float | None, ...]) -> np.ndarray:
    """Share of the parent's value, of the other parent's, and of the cell in its parent's volume."""
    parent, other, off = _parents(fine, coarse)
    centres, widths = coarse.centres(), coarse.widths()
    own, far = np.ones(fine.cells), np.zeros(fine.cells)
    for cell in range(fine.cells):
        at, distance = parent[cell], abs(off[cell])
        if other[cell] != at:
            far[cell] = distance / abs(centres[other[cell]] - centres[at])
            own[cell] = 1.0 - far[cell]
        elif distance > 1e-9 and walls[0 if off[cell] < 0 else 1] is not None:
            own[cell] = 1.0 - distance / (widths[at] / 2)
    return np.concatenate([own, far, fine.widths() / widths[parent]])


def _pairs(shares: np.ndarray, cells: int) -> np.ndarray:
    """The first two shares of the cells 0, 2, 4 ... and then of 1, 3, 5 ..., as a pass reads them in a row."""
    even = cells - cells % 2
    return np.concatenate([shares[at : at + even : 2] for at in (0, cells, 1, cells + 1)])
