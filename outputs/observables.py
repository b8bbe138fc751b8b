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
    """Distance of the outermost cell in each direction from the centre that has one, µm.

    Directions: 72 sectors in 2-D; in 3-D 12 bands of equal area by 24 sectors. Shape (directions,).
    """
    at = positions_um(mask, voxel_um)
    if not len(at):
        return np.empty(0)
    away = at - (at.mean(axis=0) if centre_um is None else np.asarray(centre_um))
    radius = np.linalg.norm(away, axis=1)
    turn = np.arctan2(away[:, 1], away[:, 2]) / (2 * np.pi) % 1.0
    if dimensions(mask) == 2:
        sector, count = np.minimum((turn * 72).astype(int), 71), 72
    else:
        # equal steps of cos(polar angle) are equal areas of the sphere
        cosine = np.divide(away[:, 0], radius, out=np.zeros_like(radius), where=radius > 0)
        band = np.clip(((cosine + 1) * 6).astype(int), 0, 11)
        sector, count = band * 24 + np.minimum((turn * 24).astype(int), 23), 12 * 24
    front = np.full(count, -1.0)
    np.maximum.at(front, sector, radius)
    return front[front >= 0]


def front_roughness_um(mask: np.ndarray, voxel_um: float, centre_um: np.ndarray | None = None) -> float:
    """Standard deviation of the front's radius over directions, µm; below a voxel for a disc or ball."""
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

    Edges 1, 2, 4 ... voxels up to a quarter of the lattice's longest side. A line has 1, a filled
    plane 2, a filled box 3. NaN for lattices shorter than 8 voxels.
    """
    edges = [2**k for k in range(12) if 2**k <= max(mask.shape) / 4]
    if len(edges) < 2 or not mask.any():
        return float("nan")
    counts = []
    boxes = mask
    for _ in edges:
        counts.append(int(np.count_nonzero(boxes)))
        boxes = np.pad(boxes, [(0, size % 2) for size in boxes.shape])
        nz, ny, nx = boxes.shape
        boxes = boxes.reshape(nz // 2, 2, ny // 2, 2, nx // 2, 2).any(axis=(1, 3, 5))
    return float(-np.polyfit(np.log(edges), np.log(counts), 1)[0])


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
