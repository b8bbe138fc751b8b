"""What is measured on a run: plain functions of arrays, each with its definition.

Masks are boolean, shape (nz, ny, nx); a 2-D tissue has nz = 1 and is measured in its plane.
Lengths are in µm, times in h. Functions of an empty tumour return NaN, or nothing where they return
arrays.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

TUMOUR = 1  # code in `cell`
H_PER_DAY = 24.0
ACROSS_MIN = 32  # voxels; a smaller tumour has no box-counting dimension


class Layers(NamedTuple):
    """The tumour's cells by their distance from where it ends."""

    core: np.ndarray  # (nz, ny, nx) bool
    rim: np.ndarray  # (nz, ny, nx) bool


class Rate(NamedTuple):
    """Events per day, day by day."""

    day: np.ndarray  # (days,) start of each bin, in days
    per_day: np.ndarray  # (days,) events per day; a last day that is cut short counts by its length


def dimensions(mask: np.ndarray) -> int:
    """3, or 2 for a single plane."""
    return 3 if mask.shape[0] > 1 else 2


def positions_um(mask: np.ndarray, voxel_um: float) -> np.ndarray:
    """Centres (z, y, x) of the voxels of a mask, shape (cells, 3); the lattice's corner is 0."""
    return (np.argwhere(mask) + 0.5) * voxel_um


def radii_um(mask: np.ndarray, voxel_um: float, centre_um: np.ndarray | None = None) -> np.ndarray:
    """Distances of the cells from `centre_um` (z, y, x), or from their own centroid; shape (cells,)."""
    at = positions_um(mask, voxel_um)
    if not len(at):
        return np.empty(0)
    return np.linalg.norm(at - (at.mean(axis=0) if centre_um is None else np.asarray(centre_um)), axis=1)


def invasion_radius_um(mask: np.ndarray, voxel_um: float, centre_um: np.ndarray | None = None) -> float:
    """Root mean square distance of the cells from the centre, µm. A ball of radius R has R sqrt(3/5)."""
    radii = radii_um(mask, voxel_um, centre_um)
    return float(np.sqrt((radii**2).mean())) if len(radii) else float("nan")


def invasion_depth_um(mask: np.ndarray, implant: np.ndarray, voxel_um: float, quantile: float = 0.95) -> float:
    """How far the front went beyond the implant, µm: 0 if every cell stands where the implant was.

    Distances are those of the cells outside the implant from its nearest voxel; `quantile` of them is
    returned (1 for the farthest cell), so that a few strays do not make the number.
    """
    outside = mask & ~implant
    if not mask.any() or not implant.any():
        return float("nan")
    if not outside.any():
        return 0.0
    distance = ndimage.distance_transform_edt(~implant, sampling=voxel_um)
    return float(np.quantile(np.asarray(distance)[outside], quantile))


def front_radii_um(mask: np.ndarray, voxel_um: float, centre_um: np.ndarray | None = None) -> np.ndarray:
    """Distance of the outermost cell's far side in each direction from the centre that has a cell, µm.

    A cell reaches half a voxel beyond its middle. Directions are sectors of equal angle in 2-D, and
    equal solid angle in 3-D (bands of equal area by twice as many turns), two voxels wide at the
    surface of one disc (ball) of as many cells, so that each meets the rim of a compact tumour and none
    belongs to inner cells alone; at most 72 in 2-D, 12 by 24 in 3-D. A disc or ball comes out within
    half a voxel of its radius on average, at any size. Shape (directions,).
    """
    at = positions_um(mask, voxel_um)
    if not len(at):
        return np.empty(0)
    away = at - (at.mean(axis=0) if centre_um is None else np.asarray(centre_um))
    radius = np.linalg.norm(away, axis=1)
    turn = np.arctan2(away[:, 1], away[:, 2]) / (2 * np.pi) % 1.0
    if dimensions(mask) == 2:
        bands, turns = 1, int(np.clip(np.sqrt(np.pi * len(at)), 1, 72))
        band = np.zeros(len(at), int)
    else:
        patches = (36 * np.pi * len(at) ** 2.0) ** (1 / 3) / 4
        bands = int(np.clip(np.sqrt(patches / 2), 1, 12))
        turns = 2 * bands
        # equal steps of cos(polar angle) are equal areas of the sphere
        cosine = np.divide(away[:, 0], radius, out=np.zeros_like(radius), where=radius > 0)
        band = np.clip(((cosine + 1) / 2 * bands).astype(int), 0, bands - 1)
    sector = band * turns + np.minimum((turn * turns).astype(int), turns - 1)
    front = np.full(bands * turns, -1.0)
    np.maximum.at(front, sector, radius)
    return front[front >= 0] + voxel_um / 2


def front_roughness_um(mask: np.ndarray, voxel_um: float, centre_um: np.ndarray | None = None) -> float:
    """Standard deviation of `front_radii_um` over directions, µm.

    The lattice's grain alone makes up to a third of a voxel, as for a disc or ball of any size.
    """
    front = front_radii_um(mask, voxel_um, centre_um)
    return float(front.std()) if len(front) else float("nan")


def surface_um(mask: np.ndarray, voxel_um: float) -> float:
    """Surface (3-D, µm²) or perimeter (2-D, µm), from faces between cells and the rest.

    Faces of a lattice overstate a curved surface by 3/2 (3-D) and 4/π (2-D), averaged over
    directions; the result is divided by that. So it is right for round shapes, and low for boxes
    that stand along the lattice.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    axes = (0, 1, 2) if dimensions(mask) == 3 else (1, 2)
    faces = sum(int(np.count_nonzero(np.diff(padded, axis=axis))) for axis in axes)
    if dimensions(mask) == 3:
        return faces * voxel_um**2 * 2 / 3
    return faces * voxel_um * np.pi / 4


def invasiveness_index(mask: np.ndarray) -> float:
    """Surface over that of one ball (disc) of the same content: 1 for a ball, more for fingers and strays.

    2-D: P² / (4 π A), which is n for n equal discs. 3-D: S / (36 π V²)^(1/3), n^(1/3) for n balls.
    """
    content = int(np.count_nonzero(mask))
    if not content:
        return float("nan")
    surface = surface_um(mask, 1.0)
    if dimensions(mask) == 3:
        return float(surface / (36 * np.pi * content**2) ** (1 / 3))
    return float(surface**2 / (4 * np.pi * content))


def fractal_dimension(mask: np.ndarray) -> float:
    """Box-counting dimension: minus the slope of log(boxes that hold a cell) over log(box edge).

    Edges are 1, 2, 4 ... voxels up to a quarter of the longest side of the box around the cells; each
    count is the least over all places of the grid of boxes, so neither the lattice nor where the tumour
    stands in it matters. NaN if that side is shorter than `ACROSS_MIN` voxels: too few edges.

    A line has 1, a filled square 2, a filled cube 3. Boxes that hold little of the tumour's margin
    count in full, so at sizes of a tissue a solid disc reads 1.8 to 1.95 and a solid ball 2.65 to 2.85:
    compare like with like, and take no fraction below 2 or 3 for a sign of fingers by itself.
    """
    if not mask.any():
        return float("nan")
    held = mask[ndimage.find_objects(mask.astype(np.int8))[0]]
    axes = [axis for axis in range(3) if held.shape[axis] > 1]
    if max(held.shape) < ACROSS_MIN:
        return float("nan")
    edges, counts = [1], [int(np.count_nonzero(held))]
    while 8 * edges[-1] <= max(held.shape):
        # held[i] says whether a box with its far corner at i has a cell; double its edge, axis by axis
        for axis in axes:
            near, far = [(0, 0)] * 3, [(0, 0)] * 3
            near[axis], far[axis] = (edges[-1], 0), (0, edges[-1])
            held = np.pad(held, near) | np.pad(held, far)
        edges.append(2 * edges[-1])
        counts.append(_fewest_boxes(held, [edges[-1] if axis in axes else 1 for axis in range(3)]))
    return float(-np.polyfit(np.log(edges), np.log(counts), 1)[0])


def _fewest_boxes(held: np.ndarray, edge: list[int]) -> int:
    """The least count of boxes over all places of their grid, each place a stride through `held`."""
    held = np.pad(held, [(0, -size % e) for size, e in zip(held.shape, edge, strict=True)])
    split = [n for size, e in zip(held.shape, edge, strict=True) for n in (size // e, e)]
    return int(held.reshape(split).sum(axis=(0, 2, 4), dtype=np.int64).min())


def core_and_rim(mask: np.ndarray, voxel_um: float, rim_um: float) -> Layers:
    """Cells less than `rim_um` from the nearest voxel without a cell (the rim), and the others (the core).

    Walls of the lattice are no edge of the tumour.
    """
    if mask.all():
        return Layers(mask.copy(), np.zeros_like(mask))
    distance = np.asarray(ndimage.distance_transform_edt(mask, sampling=voxel_um))
    rim = mask & (distance < rim_um)
    return Layers(mask & ~rim, rim)


def cluster_sizes(mask: np.ndarray) -> np.ndarray:
    """Cells in each cluster of cells that share faces, largest first; shape (clusters,) i8."""
    labels, _ = ndimage.label(mask)  # pyright: ignore[reportGeneralTypeIssues]
    return np.sort(np.bincount(labels.reshape(-1))[1:])[::-1]


def cells_apart(mask: np.ndarray, least: list[int]) -> np.ndarray:
    """Cells that are not in the largest cluster, by the size of theirs: `least` are the smallest sizes of each class,
    ascending from 1. Shape (classes,) i8."""
    apart = cluster_sizes(mask)[1:]
    return np.bincount(np.searchsorted(least, apart, side="right") - 1, apart, len(least)).astype(np.int64)


def clone_cells(clone: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Cells of each clone that has any, in the order of clone numbers; shape (clones,) i8."""
    return np.unique(clone[mask], return_counts=True)[1]


def clone_diversity(cells: np.ndarray, order: float = 1.0) -> float:
    """Effective number of clones, the Hill number (Hill 1973, Ecology 54:427) of `order`.

    Order 0 counts clones, 1 is exp(Shannon entropy), 2 is the inverse Simpson index. n equally
    frequent clones have n at every order.
    """
    counts = np.asarray(cells, dtype=float)
    counts = counts[counts > 0]
    if not len(counts):
        return float("nan")
    share = counts / counts.sum()
    if order == 1.0:
        return float(np.exp(-(share * np.log(share)).sum()))
    return float((share**order).sum() ** (1 / (1 - order)))


def events_per_day(time_h: np.ndarray, until_h: float) -> Rate:
    """Events per day in bins of a day from 0 to `until_h`, as for seeds that leave."""
    time_h = np.asarray(time_h, dtype=float)
    days = max(1, int(np.ceil(until_h / H_PER_DAY - 1e-9)))
    which = np.clip((time_h / H_PER_DAY).astype(int), 0, days - 1)
    counts = np.bincount(which, minlength=days).astype(float)
    length = np.full(days, 1.0)
    length[-1] = max(until_h / H_PER_DAY - (days - 1), 1e-9)
    return Rate(np.arange(days, dtype=float), counts / length)


def time_to_first_colony_h(founded_h: np.ndarray) -> float:
    """When the first colony was founded, h; NaN if none was."""
    founded_h = np.asarray(founded_h, dtype=float)
    return float(np.nanmin(founded_h)) if np.isfinite(founded_h).any() else float("nan")


def burden_by_organ(organ: np.ndarray, cells: np.ndarray, organs: int) -> np.ndarray:
    """Tumour cells in each of `organs` organs, from the colonies' columns `organ` and `cells`; i8."""
    burden = np.zeros(organs, dtype=np.int64)
    organ = np.asarray(organ, dtype=np.int64)
    known = (organ >= 0) & (organ < organs)
    np.add.at(burden, organ[known], np.asarray(cells, dtype=np.int64)[known])
    return burden


def mean_trait(trait: np.ndarray, cells: np.ndarray) -> float:
    """Mean of a trait over cells, from two columns of the table of clones; NaN without cells."""
    cells = np.asarray(cells, dtype=float)
    return float((np.asarray(trait, dtype=float) * cells).sum() / cells.sum()) if cells.sum() else float("nan")
