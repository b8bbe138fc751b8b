"""The birth-death process of a colony: its closed forms, and its table where cells need one another.

A cell divides at rate b and dies at rate d, r = b - d. Over a time t (Kendall 1948, Ann Math Stat 19:1), with
E = (e^(rt) - 1)/r, a lineage is extinct with probability P = dE/(1 + bE); else its size is geometric, 1 - B = 1/(1 + bE).

Bottleneck: in a colony of n < n_c cells a cell dies at d_s > d, from n_c on at d (an Allee effect; Szczurek et al. 2020 put
n_c at 10-21 cells). What soil and clone do to births leaves d_s as it is. From n cells it is established in the long run
with probability

    P_n = (1 + sum_(j=1)^(n-1) prod_(i=1)^j d_i/b_i) / (1 + sum_(j=1)^inf prod_(i=1)^j d_i/b_i)

and over a time t by the matrix exponential of its generator, tabulated for n <= 64: on so many cells up the road back to the
bottleneck is as good as closed, and the linear kernel, exact without a bottleneck, takes over. How much it then overrates
establishment in an interval is known (`overrated`); where that is more than OVERRATED_MAX the interval is refused.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

SMALL = 64  # cells up to which a colony is looked up
SIZES = 256  # a table knows sizes below this
GUIDE_BITS = 6  # a draw's first bits, by which its size is looked up
GUIDES = 1 << GUIDE_BITS
# a table leaves out what lies beyond so many standard deviations: less than 1e-12
_REACH = 7.5
SUBSTEPS_MAX = 256
OVERRATED_MAX = 2e-3


class Rates(NamedTuple):
    """Of a law: what its cells do, per hour."""

    birth: float
    death: float
    bottleneck: int = 1  # n_c: in colonies of fewer cells they die at small_death; 1 = never
    small_death: float = 0.0


def lineage(birth: float, death: float, time: float) -> tuple[float, float]:
    """(P, B): that a cell's descendants are extinct after `time`, and the parameter of their number if not."""
    grown = exposure(birth - death, time)
    return death * grown / (1.0 + birth * grown), birth * grown / (1.0 + birth * grown)


def exposure(rate: float, time: float) -> float:
    """(e^(rate time) - 1)/rate: the hours that one cell's descendants live in `time`, expected."""
    return time if rate == 0.0 else float(np.expm1(rate * time)) / rate


def establishment(rates: Rates, cells: np.ndarray | int) -> np.ndarray:
    """That a colony of so many cells is never extinct, P_n, f8 of the shape of `cells`."""
    beyond = rates.death / rates.birth if rates.birth > 0 else np.inf
    if beyond >= 1.0:
        return np.zeros(np.shape(cells))
    cells = np.asarray(cells, dtype=np.int64)
    inside = rates.bottleneck - 1  # sizes at which cells die faster
    within = rates.small_death / rates.birth
    terms = np.cumsum(within ** np.arange(inside + 1))  # sums over j = 0 .. k
    last = within**inside
    whole = terms[-1] + last * beyond / (1.0 - beyond)
    more = np.maximum(cells - 1 - inside, 0)
    tail = last * beyond * (1.0 - beyond**more) / (1.0 - beyond)
    reached = terms[np.clip(cells - 1, 0, inside)] + tail
    return np.where(cells > 0, reached / whole, 0.0)


def overrated(rates: Rates, time: float) -> float:
    """By how much a colony of SMALL + 1 cells is established too often if its cells ignore the bottleneck for `time`.

    From n_c cells on P_n = 1 - A (d/b)^n, which that process keeps in the mean; only where it ends below n_c is P_n another."""
    from scipy.special import gammaln

    if rates.bottleneck <= 1 or rates.death == 0.0 or rates.death >= rates.birth:
        return 0.0
    dead, spread = lineage(rates.birth, rates.death, time)
    sizes, alive = np.arange(rates.bottleneck), np.arange(1, rates.bottleneck)
    ends = np.zeros(len(sizes))
    ends[0] = dead ** (SMALL + 1)

    def log_choose(n: np.ndarray | int, k: np.ndarray) -> np.ndarray:
        return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)

    if 0.0 < spread and dead < 1.0 and rates.birth * exposure(rates.birth - rates.death, time) < 1e12:
        survive = log_choose(SMALL + 1, alive) + alive * np.log1p(-dead) + (SMALL + 1 - alive) * np.log(dead)
        more = sizes[:, None] - alive
        at = np.maximum(more, 0)
        split = log_choose(at + alive - 1, at) + alive * np.log1p(-spread) + at * np.log(spread)
        ends += np.where(more >= 0, np.exp(survive + split), 0.0).sum(axis=1)
    fails = (1.0 - establishment(rates, rates.bottleneck)) * (rates.death / rates.birth) ** (sizes - rates.bottleneck)
    return float((ends * (establishment(rates, sizes) - 1.0 + fails)).sum())


def generator(rates: Rates, sizes: int, slowing: float = 0.0, capacity: float = 1.0) -> np.ndarray:
    """The generator on 0 .. sizes - 1 cells, rows sum to 0; at the greatest size nothing is born.

    With `slowing` deaths are more where that makes growth Gompertz's: b - d = a ln(K/n)."""
    n = np.arange(sizes)
    up = rates.birth * n
    up[-1] = 0.0
    death = np.full(sizes, rates.death)
    if slowing > 0.0:
        death = np.maximum(death, rates.birth - slowing * np.log(capacity / np.maximum(n, 1)))
    down = np.where(n < rates.bottleneck, np.maximum(rates.small_death, death), death) * n
    return np.diag(up[:-1], 1) + np.diag(down[1:], -1) - np.diag(up + down)


def substeps(rates: Rates, interval_h: float) -> int:
    """Equal parts of an interval, so short that a colony of SMALL cells stays below SIZES in one of them.

    Raises ValueError if they would be too many.
    """
    for parts in range(1, SUBSTEPS_MAX + 1):
        time = interval_h / parts
        factor = float(np.exp(min(50.0, max(0.0, rates.birth - rates.death) * time)))
        _, spread = lineage(rates.birth, rates.death, time)
        variance = SMALL * factor * (factor - 1.0 + 2.0 * rates.death * exposure(rates.birth - rates.death, time))
        # of a geometric tail the reach is longer than of a normal one
        if SMALL * factor + _REACH * variance**0.5 + _REACH**2 / 2 / max(1e-12, 1.0 - spread) < SIZES:
            return parts
    raise ValueError(
        f"an interval of {interval_h:g} h is too long for {rates.birth:g} births and {rates.death:g} deaths per hour: "
        f"{SMALL} cells would become more than {SIZES} in each of {SUBSTEPS_MAX} parts"
    )


@lru_cache(maxsize=64)
def transitions(rates: Rates, time: float, slowing: float = 0.0, capacity: float = 1.0) -> np.ndarray:
    """P(n -> k) over `time` for n up to SMALL: (SMALL + 1, SIZES) f8, rows sum to 1. Not to be written to."""
    from scipy.linalg import expm

    if rates.birth == 0.0 and rates.small_death == 0.0 and rates.death == 0.0:
        return np.eye(SMALL + 1, SIZES)
    rows = np.clip(expm(generator(rates, SIZES, slowing, capacity) * time)[: SMALL + 1], 0.0, None)
    return rows / rows.sum(axis=1, keepdims=True)


def as_limits(rows: np.ndarray) -> np.ndarray:
    """Rows of probabilities as u32 limits: the size is the number of limits that a 32-bit draw has reached.

    The last one is reached by no draw (`draws.ALWAYS`)."""
    sums = np.cumsum(rows, axis=1)
    limits = np.minimum(np.rint(sums * 2.0**32), 2.0**32 - 2).astype(np.uint32)
    limits[sums > 1.0 - 2.0**-33] = 0xFFFFFFFF
    limits[:, -1] = 0xFFFFFFFF
    return limits


def guides(limits: np.ndarray) -> np.ndarray:
    """How many limits the least draw with given first bits has reached: (rows, GUIDES) u8, where to begin a search."""
    least = (np.arange(GUIDES, dtype=np.uint64) << np.uint64(32 - GUIDE_BITS)).astype(np.uint32)
    return np.stack([np.searchsorted(row, least, side="right") for row in limits]).astype(np.uint8)
