"""Poisson and gamma numbers by inversion of one keyed draw of 53 bits, for means of nothing to 1e12.

A number is a pure function of its uniform and its mean, and nothing is carried on. Up to a mean of 1e5 the distribution
function decides, exactly; above, the expansion of Cornish and Fisher to third order does, which there is off by less than
a hundredth of a count (what is left is of order z^4/mean). Used for the few counts per interval of a body whose primary sheds up to 1e9 seeds; a colony's own numbers come
from `kernels.samplers`.
"""

import numpy as np
from scipy.special import gammaincinv, ndtri, pdtr, pdtrc

from ...kernels.draws import Purpose, host_philox

MEAN_MAX = 1e12
EXACT_MEAN = 1e5


def uniforms(
    key: tuple[int, int],
    entity: np.ndarray,
    interval: int,
    purpose: Purpose,
    source: int | np.ndarray = 0,
    part: int = 0,
) -> np.ndarray:
    """Uniforms of 53 bits, strictly between 0 and 1, for each of `entity` (any shape of u32); f8.

    A pure function of (key, entity, interval, purpose, part, source): `source` is who sheds or is sampled (u32),
    `part` (below 2**16) tells apart several uniforms for one purpose.
    """
    entity = np.asarray(entity, np.int64)
    counter = np.empty((*entity.shape, 4), np.uint32)
    counter[..., 0] = entity
    counter[..., 1] = interval
    counter[..., 2] = int(purpose) << 16 | part
    counter[..., 3] = source
    four = host_philox(counter, key).astype(np.uint64)
    whole = (four[..., 0] >> np.uint64(5) << np.uint64(26)) | four[..., 1] >> np.uint64(6)
    # the largest would round to 1
    return np.minimum((whole.astype(float) + 0.5) * 2.0**-53, 1 - 2.0**-53)


def poisson(uniform: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The smallest k with P(K <= k) >= uniform, K Poisson of `mean`; i8, shapes broadcast.

    Raises ValueError for a mean that is negative, not finite, or above 1e12, where doubles would blur the count.
    """
    u, m = np.broadcast_arrays(np.asarray(uniform, float), np.asarray(mean, float))
    if not ((m >= 0) & (m <= MEAN_MAX)).all():
        raise ValueError(f"a Poisson mean lies in [0, {MEAN_MAX:g}], got {m[~((m >= 0) & (m <= MEAN_MAX))].flat[0]:g}")
    out = np.zeros(u.shape, np.int64)
    some = u > np.exp(-m)
    u, m = u[some], m[some]
    z, root = ndtri(u), np.sqrt(m)
    k = np.maximum(np.rint(m + root * z + (z * z - 1) / 6 + (z - z**3) / (72 * root)), 0.0)
    exact = m <= EXACT_MEAN
    k[exact] = _walked(k[exact], m[exact], u[exact])
    out[some] = k
    return out


def _walked(k: np.ndarray, mean: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """From a first guess to the smallest k that reaches the uniform."""
    while (low := ~_reaches(k, mean, uniform)).any():
        k[low] += 1
    while (high := (k > 0) & _reaches(np.maximum(k - 1, 0), mean, uniform)).any():
        k[high] -= 1
    return k


def _reaches(k: np.ndarray, mean: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """P(K <= k) >= uniform, in the tail that has the digits: near 1 the other one would have none left."""
    return np.where(uniform <= 0.5, pdtr(k, mean) >= uniform, pdtrc(k, mean) <= 1 - uniform)


def gamma(uniform: np.ndarray | float, shape: float) -> np.ndarray:
    """Gamma numbers of mean 1 and variance 1/shape."""
    return gammaincinv(shape, np.asarray(uniform, float)) / shape
