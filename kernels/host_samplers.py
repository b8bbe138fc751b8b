"""`samplers` in NumPy, for few entities and without a device: the same numbers from the same counters.

(To the last place of log and exp, which can turn one rejection in some 1e12; all else is the same arithmetic.)
`Draws` says whose numbers they are: whose key, which interval and purpose, and which entities, (rows,) u8.
"""

from dataclasses import dataclass

import numpy as np

from .draws import Purpose, host_philox
from .samplers import ATTEMPTS_MAX, COUNTABLE, FEW, INVERSION_STEPS_MAX, UNCOUNTABLE

_LOWER = np.uint64(0xFFFFFFFF)
_CENTRE = ((59.109374720, 159.29113202, 50.434271938, 3.3871327179), (67.187563600, 78.757757664, 17.895169469, 1.0))
_FLANK = ((0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0))
_RIM = ((0.017337203997, 0.42868294337, 3.0812263860, 6.6579051150), (0.012258202635, 0.24197894225, 1.0))


@dataclass(frozen=True)
class Draws:
    """The numbers of some entities in an interval, for a purpose."""

    key: tuple[int, int]
    interval: int
    purpose: Purpose
    entities: np.ndarray  # (rows,) u8
    stream: int = 0
    first: np.ndarray | None = None  # (rows, 2) u4: the words of the first attempt, where they are handed in

    def words(self, rows: np.ndarray, attempt: int = 0) -> np.ndarray:
        """(len(rows), 2 or 4) u4."""
        if attempt == 0 and self.first is not None:
            return self.first[rows]
        counter = np.empty((len(rows), 4), dtype=np.uint32)
        counter[:, 0] = self.entities[rows] & _LOWER
        counter[:, 1] = self.interval
        counter[:, 2] = (int(self.purpose) << 16 | self.stream) + attempt
        counter[:, 3] = self.entities[rows] >> np.uint64(32)
        return host_philox(counter, self.key)

    def further(self, first: np.ndarray | None = None) -> "Draws":
        """A stream of its own beside this one."""
        return Draws(self.key, self.interval, self.purpose, self.entities, self.stream + 256, first)

    def of(self, rows: np.ndarray) -> "Draws":
        """Those of some rows only."""
        first = None if self.first is None else self.first[rows]
        return Draws(self.key, self.interval, self.purpose, self.entities[rows], self.stream, first)


def unit(words: np.ndarray) -> np.ndarray:
    return (words.astype(np.float64) + 0.5) * 2.0**-32


def fine_unit(words: np.ndarray) -> np.ndarray:
    return (words[:, 0].astype(np.float64) + unit(words[:, 1])) * 2.0**-32


def log_rest(p: np.ndarray) -> np.ndarray:
    series = -p * (1.0 + p * (1 / 2 + p * (1 / 3 + p * (1 / 4 + p * (1 / 5 + p * (1 / 6))))))
    with np.errstate(divide="ignore"):
        return np.where(p > 2e-3, np.log(1.0 - p), series)


def stirling_tail(k: np.ndarray) -> np.ndarray:
    tail, x = np.zeros_like(k), k.copy()
    while (low := x < 10.0).any():
        at = x[low]
        tail[low] += (at + 1.5) * np.log((at + 2.0) / (at + 1.0)) - 1.0
        x[low] += 1.0
    y = 1.0 / (x + 1.0)
    return tail + y * (1 / 12 - y * y * (1 / 360 - y * y * (1 / 1260 - y * y * (1 / 1680))))


def normal(u: np.ndarray) -> np.ndarray:
    """The inverse of the normal distribution function (AS 241, PPND7)."""
    q = u - 0.5
    with np.errstate(all="ignore"):
        r = np.sqrt(-np.log(np.minimum(u, 1.0 - u)))
        centre, flank, rim = (
            np.polyval(above, x) / np.polyval(below, x)
            for (above, below), x in ((_CENTRE, 0.180625 - q * q), (_FLANK, r - 1.6), (_RIM, r - 5.0))
        )
    outer = np.where(r <= 5.0, flank, rim)
    return np.where(np.abs(q) <= 0.425, q * centre, np.where(q < 0, -outer, outer))


def binomial(n: np.ndarray, p: np.ndarray | float, draws: Draws) -> np.ndarray:
    """How many of n (rows,) events of probability p happen, i8."""
    n = np.asarray(n, dtype=np.int64)
    p = np.broadcast_to(np.asarray(p, dtype=np.float64), n.shape)
    count, small = n.astype(np.float64), np.minimum(p, 1.0 - p)
    out = np.zeros(n.shape)
    drawn = (small > 0) & (n > 0)
    few = drawn & (count * small < FEW)
    out[few] = _few(
        fine_unit(draws.words(np.flatnonzero(few))),
        np.exp(count[few] * log_rest(small[few])),
        lambda x, at: (small[few] / (1.0 - small[few]))[at] * (count[few][at] - x + 1.0) / x,
    )
    rows = np.flatnonzero(drawn & ~few)
    for attempt in range(ATTEMPTS_MAX):
        if not len(rows):
            break
        c, s = count[rows], small[rows]
        deviation = np.sqrt(c * s * (1.0 - s))
        b = 1.15 + 2.53 * deviation
        a = -0.0873 + 0.0248 * b + 0.01 * s
        words = draws.words(rows, attempt)
        u, v = unit(words[:, 0]) - 0.5, unit(words[:, 1])
        rim = 0.5 - np.abs(u)
        k = np.floor((2.0 * a / rim + b) * u + c * s + 0.5)
        taken = (rim >= 0.07) & (v <= 0.92 - 4.2 / b)
        open_ = ~taken & (k >= 0) & (k <= c)
        c, s, k_, b_, a_ = c[open_], s[open_], k[open_], b[open_], a[open_]
        mode, odds = np.floor((c + 1.0) * s), s / (1.0 - s)
        bound = (
            (mode + 0.5) * np.log((mode + 1.0) / (odds * (c - mode + 1.0)))
            + (c + 1.0) * np.log((c - mode + 1.0) / (c - k_ + 1.0))
            + (k_ + 0.5) * np.log(odds * (c - k_ + 1.0) / (k_ + 1.0))
        )
        bound = bound + stirling_tail(mode) + stirling_tail(c - mode) - stirling_tail(k_) - stirling_tail(c - k_)
        scale = (2.83 + 5.1 / b_) * deviation[open_]
        taken[open_] = np.log(v[open_] * scale / (a_ / rim[open_] ** 2 + b_)) <= bound
        out[rows[taken]] = k[taken]
        rows = rows[~taken]
    events = np.clip(out, 0, count).astype(np.int64)
    return np.where(p > 0.5, n - events, events)


def poisson(mean: np.ndarray, draws: Draws) -> np.ndarray:
    """Poisson numbers of these means (rows,) f8, i8; UNCOUNTABLE if a mean is above COUNTABLE."""
    mean = np.asarray(mean, dtype=np.float64)
    out = np.where(mean > COUNTABLE, float(UNCOUNTABLE), 0.0)
    few = (mean > 0) & (mean < FEW)
    small = mean[few]
    out[few] = _few(fine_unit(draws.words(np.flatnonzero(few))), np.exp(-small), lambda x, at: small[at] / x)
    rows = np.flatnonzero((mean >= FEW) & (mean <= COUNTABLE))
    for attempt in range(ATTEMPTS_MAX):
        if not len(rows):
            break
        m = mean[rows]
        b = 0.931 + 2.53 * np.sqrt(m)
        a = -0.059 + 0.02483 * b
        words = draws.words(rows, attempt)
        u, v = unit(words[:, 0]) - 0.5, unit(words[:, 1])
        rim = 0.5 - np.abs(u)
        k = np.floor((2.0 * a / rim + b) * u + m + 0.43)
        taken = (rim >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
        open_ = ~taken & (k >= 0) & ((rim >= 0.013) | (v <= rim))
        x, b_, m_ = k[open_] + 1.0, b[open_], m[open_]
        bound = k[open_] * np.log(m_ / x) + (x - m_) - 0.5 * np.log(x) - (0.9189385332046727 + stirling_tail(k[open_]))
        scale = 1.1239 + 1.1328 / (b_ - 3.4)
        taken[open_] = np.log(v[open_] * scale / (a[open_] / rim[open_] ** 2 + b_)) <= bound
        out[rows[taken]] = k[taken]
        rows = rows[~taken]
    return out.astype(np.int64)


def gamma(shape: np.ndarray, draws: Draws) -> np.ndarray:
    """Gamma numbers of unit scale and these shapes (rows,) f8, at least 1."""
    d = np.asarray(shape, dtype=np.float64) - 1 / 3
    c, out = 1.0 / np.sqrt(9.0 * d), d.copy()
    rows = np.arange(len(d))
    for attempt in range(ATTEMPTS_MAX):
        if not len(rows):
            break
        words = draws.words(rows, attempt)
        x, u = normal(unit(words[:, 0])), unit(words[:, 1])
        root = 1.0 + c[rows] * x
        v = root * root * root
        with np.errstate(invalid="ignore", divide="ignore"):
            slow = np.log(u) < 0.5 * x * x + d[rows] - d[rows] * v + d[rows] * np.log(v)
        taken = (root > 0) & ((u < 1.0 - 0.0331 * x * x * x * x) | slow)
        out[rows[taken]] = (d[rows] * v)[taken]
        rows = rows[~taken]
    return out


def negative_binomial(
    k: np.ndarray, p: np.ndarray | float, draws: Draws, second: np.ndarray | None = None
) -> np.ndarray:
    """Sums of k (rows,) geometric numbers with P(j) = (1 - p) p^j, i8. `second` (rows, 2) u4: as `first` of `draws`, for its
    Poisson number."""
    k = np.asarray(k, dtype=np.int64)
    p = np.broadcast_to(np.asarray(p, dtype=np.float64), k.shape)
    count = k.astype(np.float64)
    drawn = (k > 0) & (p > 0)
    few = drawn & (count * p < FEW * (1.0 - p))
    out = np.zeros(k.shape, dtype=np.int64)
    c, q = count[few], p[few]
    out[few] = _few(
        fine_unit(draws.words(np.flatnonzero(few))),
        np.exp(c * log_rest(q)),
        lambda x, at: q[at] * (c[at] + x - 1.0) / x,
    )
    many = np.flatnonzero(drawn & ~few)
    if len(many):
        own = draws.of(many)
        mean = gamma(count[many], own) * p[many] / (1.0 - p[many])
        out[many] = poisson(mean, own.further(None if second is None else second[many]))
    return out


def _few(u: np.ndarray, chance: np.ndarray, step) -> np.ndarray:
    """Chop u down by the probabilities of 0, 1, 2 ...; `step(x, at)` is that of x over that of x - 1, for the rows at."""
    out = np.zeros(u.shape)
    at = np.flatnonzero(u > chance)
    x = 0.0
    while len(at) and x < INVERSION_STEPS_MAX:
        u[at] -= chance[at]
        x += 1.0
        chance[at] = chance[at] * step(x, at)
        out[at] = x
        at = at[(u[at] > chance[at]) & (chance[at] > 0)]
    return out
