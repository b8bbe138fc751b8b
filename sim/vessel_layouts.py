"""Layouts of given vessels: points, straight ones, a regular array, trees.

A vessel is a row of sites, and a site is a block of voxels: its corner and its edge.

    krogh   capillaries along an axis on a square lattice of `spacing_um`, as many whole prisms as fit, in the middle; so
            with walls of zero flux each capillary supplies a prism of its own (Krogh 1919)
    tree    the lattice is cut into a part for each trunk; a trunk enters on the low side of `axis` and runs to the middle
            of its part; the part is cut across its longest edge, at 0.4 to 0.6 of it by a draw, and a branch runs to
            the middle of each half, until no edge exceeds `spacing_um`. So no voxel is farther from a
            vessel than half the diagonal of such a part. Widths fall by Murray's law, r^3 = 2 r'^3 (Murray 1926).
"""

import heapq
import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.lattice import Lattice
from .errors import InputError
from .ranks import lowest_draws

Place = tuple[int, int, int]
Site = tuple[Place, int]  # corner, edge in voxels


class Wanted(Protocol):
    """What a layout reads of the `[vessels]` table."""

    @property
    def kind(self) -> str: ...
    @property
    def blood(self) -> int: ...
    @property
    def lymph(self) -> int: ...
    @property
    def axis(self) -> str: ...
    @property
    def spacing_um(self) -> float: ...
    @property
    def site_voxels(self) -> int: ...
    @property
    def free_core_um(self) -> float: ...
    @property
    def margin_um(self) -> float: ...


def lay(wanted: Wanted, lattice: Lattice, voxel_um: float, stamp: Stamp) -> tuple[list[Site], list[Site]]:
    """(blood sites, lymph sites). Raises InputError if there is no room for as many vessels."""
    along = None if wanted.kind == "points" else "zyx".index(wanted.axis)
    if wanted.kind == "krogh":
        return _krogh(wanted, lattice, voxel_um, stamp, "zyx".index(wanted.axis))
    if wanted.kind == "tree":
        return _trees(wanted, lattice, voxel_um, stamp, "zyx".index(wanted.axis))
    count = wanted.blood + wanted.lymph
    chosen = lowest_draws(_sites(wanted, lattice, voxel_um, along), count, stamp, Purpose.VESSEL_SITE)
    if len(chosen) < count:
        raise InputError(
            f"vessels: room for {len(chosen)} vessels outside vessels.free_core_um and vessels.margin_um, "
            f"but {count} are asked for; use fewer vessels or smaller margins"
        )
    rows = [_stations(int(origin), lattice, wanted.site_voxels, along) for origin in chosen]
    return _flat(rows[: wanted.blood]), _flat(rows[wanted.blood :])


def corners(wanted: Wanted, lattice: Lattice, voxel_um: float, along: int | None) -> list[np.ndarray]:
    """Where along z, y and x a site may begin: on the grid of sites, clear of the walls."""
    edge, size = wanted.site_voxels, lattice.shape
    margin = int(np.ceil(wanted.margin_um / voxel_um))
    axes = []
    for axis, n in enumerate(size):
        if axis == along or n == 1:
            axes.append(np.arange(0, 1))
        else:
            at = np.arange(0, n - edge + 1, edge)
            axes.append(at[(at >= margin) & (at + edge <= n - margin)])
    return axes


def _sites(wanted: Wanted, lattice: Lattice, voxel_um: float, along: int | None) -> Iterator[np.ndarray]:
    """Flat indices of the corners at which a vessel may be put, plane by plane: on the grid of sites, clear of
    core and walls."""
    return _clear(corners(wanted, lattice, voxel_um, along), wanted, lattice, voxel_um, along)


def _clear(
    axes: list[np.ndarray], wanted: Wanted, lattice: Lattice, voxel_um: float, along: int | None
) -> Iterator[np.ndarray]:
    edge, size = wanted.site_voxels, lattice.shape
    for plane in axes[0]:
        z, y, x = np.meshgrid(plane, axes[1], axes[2], indexing="ij")
        distance2 = np.zeros(z.shape)
        for axis, (at, n) in enumerate(zip((z, y, x), size, strict=True)):
            if axis != along and n > 1:
                distance2 += (at + (edge - 1) / 2 - (n - 1) / 2) ** 2
        clear = distance2 * voxel_um**2 >= wanted.free_core_um**2
        yield np.asarray(np.ravel_multi_index((z[clear], y[clear], x[clear]), size))


def _stations(origin: int, lattice: Lattice, edge: int, along: int | None) -> list[Site]:
    """A vessel's sites: one, or all along its axis."""
    corner = [int(at) for at in np.unravel_index(origin, lattice.shape)]
    if along is None:
        return [((corner[0], corner[1], corner[2]), edge)]
    out = []
    for at in range(0, lattice.shape[along], edge):
        corner[along] = at
        out.append(((corner[0], corner[1], corner[2]), edge))
    return out


def _flat(rows: list[list[Site]]) -> list[Site]:
    return [site for row in rows for site in row]


def _krogh(
    wanted: Wanted, lattice: Lattice, voxel_um: float, stamp: Stamp, along: int
) -> tuple[list[Site], list[Site]]:
    spacing, edge = wanted.spacing_um / voxel_um, wanted.site_voxels
    if spacing < edge + 1:
        raise InputError(
            f"vessels.spacing_um: {wanted.spacing_um:g} um leave no tissue between capillaries of {edge} voxels "
            f"(vessels.site_voxels) of {voxel_um:g} um; use at least {(edge + 1) * voxel_um:g}"
        )
    axes = []
    for axis, n in enumerate(lattice.shape):
        count = int(n / spacing + 1e-9)
        middles = (n - count * spacing) / 2 + (np.arange(count) + 0.5) * spacing
        at = np.ceil(middles - edge / 2 - 0.5).astype(np.int64)
        axes.append(np.zeros(1, dtype=np.int64) if axis == along or n == 1 else at[(at >= 0) & (at + edge <= n)])
    origins = np.concatenate(list(_clear(axes, wanted, lattice, voxel_um, along)))
    if len(origins) <= wanted.lymph:
        raise InputError(
            f"vessels.spacing_um: an array of {wanted.spacing_um:g} um has room for {len(origins)} capillaries outside "
            f"vessels.free_core_um, of which vessels.lymph asks for {wanted.lymph}; one at least carries blood"
        )
    lymph = lowest_draws([origins], wanted.lymph, stamp, Purpose.VESSEL_SITE)
    blood = np.setdiff1d(origins, lymph)
    return tuple(_flat([_stations(int(at), lattice, edge, along) for at in kind]) for kind in (blood, lymph))  # type: ignore[return-value]


def _trees(
    wanted: Wanted, lattice: Lattice, voxel_um: float, stamp: Stamp, along: int
) -> tuple[list[Site], list[Site]]:
    count = wanted.blood + wanted.lymph
    parts = _cut(lattice.shape, count)
    if len(parts) < count:
        raise InputError(f"vessels.blood: {count} trees do not fit a lattice of {list(lattice.shape)}; use fewer")
    lymph = set(lowest_draws([np.arange(count)], wanted.lymph, stamp, Purpose.VESSEL_SITE).tolist())
    out: tuple[list[Site], list[Site]] = ([], [])
    for number, (low, high) in enumerate(parts):
        middle = [(a + b) // 2 for a, b in zip(low, high, strict=True)]
        middle[along] = low[along]
        inlet: Place = (middle[0], middle[1], middle[2])
        sites = _grow(wanted, low, high, inlet, number, voxel_um, stamp)
        sites = _outside_core(sites, wanted, lattice, voxel_um)
        out[number in lymph].extend(sites)
    return out


def _cut(shape: Place, count: int) -> list[tuple[Place, Place]]:
    """`count` boxes of about one size: the largest is halved across its longest edge until there are as many."""
    parts = [(-math.prod(shape), (0, 0, 0), shape)]
    while 0 < len(parts) < count and parts[0][0] < -1:
        _, low, high = heapq.heappop(parts)
        for part in _halves(low, high, 0.5):
            heapq.heappush(parts, (-math.prod(b - a for a, b in zip(*part, strict=True)), *part))
    return sorted((low, high) for _, low, high in parts)


def _halves(low: Place, high: Place, share: float) -> tuple[tuple[Place, Place], tuple[Place, Place]]:
    edges = [b - a for a, b in zip(low, high, strict=True)]
    axis = edges.index(max(edges))
    length = high[axis] - low[axis]
    cut = low[axis] + min(length - 1, max(1, round(share * length)))
    first, second = list(high), list(low)
    first[axis] = second[axis] = cut
    return (low, (first[0], first[1], first[2])), ((second[0], second[1], second[2]), high)


def _grow(
    wanted: Wanted, low: Place, high: Place, inlet: Place, number: int, voxel_um: float, stamp: Stamp
) -> list[Site]:
    """The sites of one tree, its trunk first. Branches are numbered as in a heap, and have a draw each."""
    widest = max(1, int(wanted.spacing_um / voxel_um))
    found: dict[Place, int] = {}
    waiting = [(low, high, inlet, 1)]
    generation = 0
    stamp = stamp._replace(tick=number)
    while waiting:
        edge = max(1, round(wanted.site_voxels * 2.0 ** (-generation / 3)))
        chances = host_draw(np.array([branch for *_, branch in waiting]), stamp, Purpose.VESSEL_TREE) / 2**32
        parts, waiting = waiting, []
        for (low, high, start, branch), chance in zip(parts, chances.tolist(), strict=True):
            middle: Place = ((low[0] + high[0]) // 2, (low[1] + high[1]) // 2, (low[2] + high[2]) // 2)
            for place in _path(start, middle):
                found.setdefault(place, edge)
            if max(b - a for a, b in zip(low, high, strict=True)) > widest:
                for half, part in enumerate(_halves(low, high, 0.4 + 0.2 * chance)):
                    waiting.append((*part, middle, 2 * branch + half))
        generation += 1
    # the block of a site has the site in its middle
    return [(tuple(max(0, at - (edge - 1) // 2) for at in place), edge) for place, edge in found.items()]  # type: ignore[misc]


def _path(start: Place, end: Place) -> list[Place]:
    """Voxels from start to end by faces, one axis after the other, the longest leg first."""
    at, out = list(start), [start]
    for axis in sorted(range(3), key=lambda n: -abs(end[n] - start[n])):
        step = 1 if end[axis] > at[axis] else -1
        while at[axis] != end[axis]:
            at[axis] += step
            out.append((at[0], at[1], at[2]))
    return out


def _outside_core(sites: list[Site], wanted: Wanted, lattice: Lattice, voxel_um: float) -> list[Site]:
    middle = (np.array(lattice.shape) - 1) / 2
    places = np.array([corner for corner, _ in sites]) + (np.array([[edge] for _, edge in sites]) - 1) / 2
    far2 = (((places - middle) * (np.array(lattice.shape) > 1)) ** 2).sum(axis=1) * voxel_um**2
    return [site for site, clear in zip(sites, far2 >= wanted.free_core_um**2, strict=True) if clear]
