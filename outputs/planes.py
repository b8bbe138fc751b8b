"""Which part of a run is shown: frames, a plane, a window, read piece by piece.

A lattice may have 1024^3 voxels and a run hundreds of frames, so a figure reads single planes, or
volumes slab by slab with a stride; never a whole run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from .observables import TUMOUR

SLAB_VOXELS = 2**24  # read at once


@dataclass(frozen=True)
class Window:
    """A part of a lattice: index ranges in z, y and x, the plane that is drawn, and the voxel."""

    z: slice
    y: slice
    x: slice
    plane: int  # index in z
    voxel_um: float
    whole: bool  # nothing was cut off

    @property
    def extent_um(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the plane, y upwards."""
        return tuple(v * self.voxel_um for v in (self.x.start, self.x.stop, self.y.start, self.y.stop))  # type: ignore[return-value]

    @property
    def plane_um(self) -> float:
        return (self.plane + 0.5) * self.voxel_um


def columns(frames: int) -> int:
    """How many of the frames to show side by side: four to six, so that their times are evenly spaced."""
    return next((n for n in (5, 6, 4) if frames > 1 and (frames - 1) % (n - 1) == 0), 5)


def frame_indices(time_h: np.ndarray, most: int) -> list[int]:
    """At most `most` frames, evenly spread in time, the first and the last among them."""
    time_h = np.asarray(time_h, dtype=float)
    if len(time_h) <= most:
        return list(range(len(time_h)))
    wanted = np.linspace(time_h[0], time_h[-1], most)
    return sorted({int(np.abs(time_h - at).argmin()) for at in wanted})


def read(
    dataset: xr.Dataset, name: str, frame: int, z: Any = slice(None), y: Any = slice(None), x: Any = slice(None)
) -> np.ndarray:
    """Part of one frame as an array; axes given as an integer are dropped."""
    return dataset[name].isel(time=frame, z=z, y=y, x=x).values


def recorded_h(dataset: xr.Dataset, name: str, frame: int) -> float | None:
    """When a field was recorded that a filled dataset shows at a later frame, h; None if it is of that frame."""
    if f"{name}_time" not in dataset.coords:
        return None
    at_h = float(dataset[f"{name}_time"].values[frame])
    return None if at_h == float(dataset["time"].values[frame]) else at_h


def slabs(dataset: xr.Dataset, frame: int) -> Iterator[tuple[int, np.ndarray]]:
    """(first z, tumour mask) of a frame, a few planes at a time."""
    nz, ny, nx = (dataset.sizes[axis] for axis in "zyx")
    depth = max(1, SLAB_VOXELS // (ny * nx))
    for start in range(0, nz, depth):
        yield start, read(dataset, "cell", frame, z=slice(start, min(nz, start + depth))) == TUMOUR


def bounds(dataset: xr.Dataset, frame: int) -> tuple[list[tuple[int, int]], np.ndarray] | None:
    """(first, last + 1) in z, y and x of the tumour cells of a frame and their centroid; None without cells."""
    low, high, total, cells = [2**31] * 3, [-1] * 3, np.zeros(3), 0
    for start, mask in slabs(dataset, frame):
        profiles = [mask.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]
        if not profiles[0].any():
            continue
        cells += int(profiles[0].sum())
        for axis, profile in enumerate(profiles):
            at = np.flatnonzero(profile) + (start if axis == 0 else 0)
            low[axis], high[axis] = min(low[axis], int(at[0])), max(high[axis], int(at[-1]))
            total[axis] += float((profile[np.flatnonzero(profile)] * at).sum())
    if not cells:
        return None
    return [(a, b + 1) for a, b in zip(low, high, strict=True)], total / cells


def window(dataset: xr.Dataset, frame: int, voxel_um: float) -> Window:
    """What to show of a lattice: all of it, or a box around the tumour of `frame` if it fills little.

    The plane goes through the centroid of that frame's tumour cells.
    """
    sizes = [dataset.sizes[axis] for axis in "zyx"]
    ranges = [slice(0, size) for size in sizes]
    found = bounds(dataset, frame)
    if found is None:
        return Window(*ranges, plane=sizes[0] // 2, voxel_um=voxel_um, whole=True)
    box, centroid = found
    edge = max(1.4 * max(b - a for a, b in box), 24)
    if edge < 0.65 * max(sizes):
        for axis, size in enumerate(sizes):
            middle = sum(box[axis]) / 2
            start = int(max(0, min(middle - edge / 2, size - edge)))
            ranges[axis] = slice(start, int(min(size, start + edge)))
    whole = all(r == slice(0, size) for r, size in zip(ranges, sizes, strict=True))
    return Window(*ranges, plane=round(float(centroid[0])), voxel_um=voxel_um, whole=whole)


def closer(dataset: xr.Dataset, frame: int, shown: Window) -> Window:
    """The part of a window that holds the tumour of an earlier frame, when it was small."""
    own = window(dataset, frame, shown.voxel_um)
    pairs = [(getattr(own, axis), getattr(shown, axis)) for axis in "zyx"]
    z, y, x = (slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in pairs)
    if min(z.stop - z.start, y.stop - y.start, x.stop - x.start) < 1:  # it moved out of what is shown
        return shown
    return replace(shown, z=z, y=y, x=x, whole=False) if (z, y, x) != (shown.z, shown.y, shown.x) else shown


def plane(dataset: xr.Dataset, name: str, frame: int, shown: Window) -> np.ndarray:
    """The window's plane of one field, (ny, nx)."""
    return read(dataset, name, frame, z=shown.plane, y=shown.y, x=shown.x)


def seen_along_z(dataset: xr.Dataset, frame: int, shown: Window) -> dict[str, np.ndarray]:
    """`cell`, `emt` and `vessel` (those recorded) of the window as seen from above, each (ny, nx).

    In each column the topmost tumour cell is shown, else nothing; `vessel` has the bits of the whole column.
    """
    names = [name for name in ("cell", "emt", "vessel") if name in dataset]
    shape = (shown.y.stop - shown.y.start, shown.x.stop - shown.x.start)
    out = {name: np.zeros(shape, np.uint8) for name in names}
    depth = max(1, SLAB_VOXELS // (shape[0] * shape[1]))
    for start in range(shown.z.start, shown.z.stop, depth):
        z = slice(start, min(start + depth, shown.z.stop))
        part = {name: read(dataset, name, frame, z, shown.y, shown.x) for name in names}
        mask = part["cell"] == TUMOUR
        top = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
        there = mask.any(axis=0)
        out["cell"][there] = TUMOUR
        if "emt" in out:
            out["emt"][there] = np.take_along_axis(part["emt"], top[None], 0)[0][there]
        if "vessel" in out:
            out["vessel"] |= np.bitwise_or.reduce(part["vessel"], axis=0)
    return out


def vessels_along_z(dataset: xr.Dataset, frame: int, shown: Window) -> np.ndarray | None:
    """Vessel bits that stand anywhere in each column of the window, (ny, nx); None if not recorded."""
    return seen_along_z(dataset, frame, shown).get("vessel")


def silhouette(dataset: xr.Dataset, frame: int, shown: Window) -> np.ndarray:
    """Where the window holds a tumour cell at any z, (ny, nx) bool."""
    out = np.zeros((shown.y.stop - shown.y.start, shown.x.stop - shown.x.start), bool)
    for _, mask in slabs(dataset, frame):
        out |= mask[:, shown.y, shown.x].any(axis=0)
    return out


def stride_for(shown: Window, voxels_max: int) -> int:
    """The least stride at which a window has at most `voxels_max` voxels."""
    lengths = [r.stop - r.start for r in (shown.z, shown.y, shown.x)]
    stride = 1
    while np.prod([-(-length // stride) for length in lengths]) > voxels_max:
        stride += 1
    return stride


def _every(part: np.ndarray, stride: int) -> np.ndarray:
    return part[::stride, ::stride, ::stride]


def _any_bits(part: np.ndarray, stride: int) -> np.ndarray:
    for axis, size in enumerate(part.shape):
        part = np.bitwise_or.reduceat(part, np.arange(0, size, stride), axis=axis)
    return part


def volume(
    dataset: xr.Dataset, frame: int, shown: Window, names: tuple[str, ...], voxels_max: int
) -> tuple[dict[str, np.ndarray], int]:
    """Fields of the window, thinned by the returned stride until they have at most `voxels_max` voxels.

    Every stride-th voxel along each axis is kept; `vessel` has the bits of all voxels it stands for, so
    that thin vessels stay whole. Names the run did not record are left out.
    """
    lengths = [r.stop - r.start for r in (shown.z, shown.y, shown.x)]
    stride = stride_for(shown, voxels_max)
    # whole slabs, thinned in memory: strided selections are slow in HDF5
    depth = stride * max(1, SLAB_VOXELS // (lengths[1] * lengths[2] * stride))
    out = {}
    for name in names:
        if name in dataset:
            starts = range(shown.z.start, shown.z.stop, depth)
            parts = [
                read(dataset, name, frame, slice(at, min(at + depth, shown.z.stop)), shown.y, shown.x) for at in starts
            ]
            thin = _any_bits if name == "vessel" else _every
            out[name] = np.concatenate([thin(part, stride) for part in parts])
    return out, stride


def thinned(length: int, most: int) -> np.ndarray:
    """Indices of at most about `most` of `length` rows, the last among them."""
    step = max(1, -(-length // most))
    return np.unique(np.append(np.arange(0, length, step), max(0, length - 1))) if length else np.empty(0, int)
