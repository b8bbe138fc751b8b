"""Correlated noise: white noise of keyed draws, smoothed along each axis in turn.

A Gaussian of standard deviation l/2 makes noise whose correlation is exp(-(r/l)^2). The draws go on beyond the
walls as far as the Gaussian reaches, so noise is as strong and as correlated at a wall as anywhere; opposite walls
have nothing to do with one another. Planes come one after the other, so that no copy of the lattice is held.
"""

import math

import numpy as np
from scipy.special import ndtri

from ..kernels.draws import Purpose, Stamp, host_draws

# where the Gaussian is cut off, in its standard deviations
_REACH = 3.5
# below this standard deviation, in voxels, its neighbours weigh less than 0.0004: white
_WHITE = 0.25
# voxels whose noise is worked out together, where a plane has fewer
_SCRATCH = 2**15


def add_noise(out: np.ndarray, lengths: tuple[float, float, float], stamp: Stamp, number: int) -> None:
    """Add to `out` (nz, ny, nx) f4 a Gaussian field of mean 0 and variance 1; lengths of correlation in voxels (z, y, x).

    `number` tells fields of one lattice apart. An axis of one voxel is no axis.
    """
    slow = 0 if out.shape[0] > 1 else 1  # planes of a 3-D lattice, rows of a 2-D one
    middle = 1 if slow == 0 else 0
    view = out if slow == 0 else out.transpose(1, 0, 2)
    kernels = [weights(lengths[axis], out.shape[axis]) for axis in (slow, middle, 2)]
    halos = [len(kernel) - 1 for kernel in kernels]
    planes, rows, columns = (n + halo for n, halo in zip(view.shape, halos, strict=True))
    stride = -(-rows * columns // 4) * 4  # a plane begins with a block of draws
    together = max(1, _SCRATCH // stride)
    for start in range(0, planes, together):
        count = min(together, planes - start)
        draws = host_draws(start * stride, count * stride, stamp, Purpose.TEXTURE, number)
        white = ndtri((draws.reshape(count, stride)[:, : rows * columns] + 0.5) / 2.0**32)
        smooth = _smoothed(white.reshape(count, rows, columns), kernels[2], 2)
        smooth = _smoothed(smooth, kernels[1], 1).astype(np.float32)
        for tap, weight in enumerate(kernels[0]):
            first, last = max(0, start - tap), min(view.shape[0], start + count - tap)
            if first < last:
                view[first:last] += np.float32(weight) * smooth[first + tap - start : last + tap - start]


def weights(length: float, size: int) -> np.ndarray:
    """The Gaussian that makes noise of this length of correlation, in voxels: the squares add up to 1."""
    sigma = length / 2
    if size == 1 or sigma < _WHITE:
        return np.ones(1)
    reach = math.ceil(_REACH * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return kernel / np.sqrt((kernel**2).sum())


def _smoothed(planes: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """The weighted sums of neighbours along an axis (1 or 2), which becomes shorter by the kernel's halo."""
    if len(kernel) == 1:
        return planes
    size = planes.shape[axis] - len(kernel) + 1
    out = np.zeros([size if at == axis else n for at, n in enumerate(planes.shape)])
    for tap, weight in enumerate(kernel):
        out += weight * (planes[:, tap : tap + size] if axis == 1 else planes[:, :, tap : tap + size])
    return out
