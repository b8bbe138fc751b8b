"""Binomial, Poisson and negative binomial numbers as pure functions of (key, entity, interval, purpose).

A counter is (entity low, interval, purpose << 16 | stream | attempt, entity high), so nothing is carried from one draw
to the next and what one entity draws never depends on another. Few expected events: inversion of one 53-bit uniform,
chopped down from zero. Many: transformed rejection, BTRS and PTRS (Hörmann 1993, J Stat Comput Simul 46:101; Insurance
Math Econ 12:39). The first attempt takes two words that the caller hands in, so that a Philox block serves two numbers;
further ones, one time in ten, take blocks of their own. The negative
binomial is a Poisson whose mean is gamma distributed (Marsaglia & Tsang 2000, ACM Trans Math Softw 26:363), its normal
number by the inverse of the distribution function (Wichura 1988, AS 241). Exact but for the rounding of f64 and the
grid of 2**-32 on which uniforms of the rejection stand. `host_samplers` is the same in NumPy, for few entities.
"""

import taichi as ti

from .draws import _multiply
from .special_functions import F, fine_unit, log_rest, normal, stirling_tail, unit

# below so many expected events inversion is faster than rejection
FEW = 10.0
# an inversion that has not come to its end here has met a probability below f64's rounding
INVERSION_STEPS_MAX = 1000
# attempts of a rejection; one fails one time in four at worst, so all of them never
ATTEMPTS_MAX = 64
# f64 has no whole numbers one by one beyond; of a larger mean there is no number but this
COUNTABLE = 2.0**53
UNCOUNTABLE = -1

_HALF_LOG_TWO_PI = 0.9189385332046727


@ti.func
def block_of(low: ti.u32, interval: ti.u32, what: ti.u32, high: ti.u32, k0: ti.u32, k1: ti.u32):
    """`draws.philox` as a loop: the same words; unrolled in each of its places it would take ten times as long to compile."""
    c0, c1, c2, c3 = low, interval, what, high
    for _ in range(10):
        high0, low0 = _multiply(ti.u32(0xD2511F53), c0)
        high1, low1 = _multiply(ti.u32(0xCD9E8D57), c2)
        c0 = high1 ^ c1 ^ k0
        c1 = low1
        c2 = high0 ^ c3 ^ k1
        c3 = low0
        k0 += ti.u32(0x9E3779B9)
        k1 += ti.u32(0xBB67AE85)
    return ti.Vector([c0, c1, c2, c3])


@ti.func
def few_binomial(n: ti.f64, p: ti.f64, u: ti.f64):
    """Binomial(n, p) by inversion of u, for p <= 1/2 and a small mean."""
    odds = p / (F(1.0) - p)
    chance = ti.exp(n * log_rest(p))
    x = F(0.0)
    steps = 0
    while u > chance and x < n and steps < INVERSION_STEPS_MAX:
        u -= chance
        x += F(1.0)
        chance *= odds * (n - x + F(1.0)) / x
        steps += 1
    return x


@ti.func
def binomial(
    n: ti.i64,
    p: ti.f64,
    a: ti.u32,
    b: ti.u32,
    low: ti.u32,
    interval: ti.u32,
    what: ti.u32,
    high: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """How many of n events of probability p happen, i8. a, b are the first attempt's words; `what` is purpose << 16 | stream,
    with 8 bits free for further ones."""
    count = ti.cast(n, ti.f64)
    small = ti.min(p, F(1.0) - p)
    out = F(0.0)
    if small > F(0.0) and n > 0:
        if count * small < F(FEW):
            out = few_binomial(count, small, fine_unit(a, b))
        else:
            deviation = ti.sqrt(count * small * (F(1.0) - small))
            wide = F(1.15) + F(2.53) * deviation
            steep = F(-0.0873) + F(0.0248) * wide + F(0.01) * small
            squeeze = F(0.92) - F(4.2) / wide
            attempt = ti.u32(0)
            while attempt < ti.u32(ATTEMPTS_MAX):
                u, v = unit(a) - F(0.5), unit(b)
                rim = F(0.5) - ti.abs(u)
                k = ti.floor((F(2.0) * steep / rim + wide) * u + count * small + F(0.5))
                taken = rim >= F(0.07) and v <= squeeze
                if not taken and k >= F(0.0) and k <= count:
                    mode = ti.floor((count + F(1.0)) * small)
                    odds = small / (F(1.0) - small)
                    bound = (
                        (mode + F(0.5)) * ti.log((mode + F(1.0)) / (odds * (count - mode + F(1.0))))
                        + (count + F(1.0)) * ti.log((count - mode + F(1.0)) / (count - k + F(1.0)))
                        + (k + F(0.5)) * ti.log(odds * (count - k + F(1.0)) / (k + F(1.0)))
                    )
                    for side in range(4):
                        at = ti.select(side < 2, mode, k)
                        at = ti.select((side & 1) == 0, at, count - at)
                        tail = stirling_tail(at)
                        bound += ti.select(side < 2, tail, -tail)
                    scale = (F(2.83) + F(5.1) / wide) * deviation
                    taken = ti.log(v * scale / (steep / (rim * rim) + wide)) <= bound
                if taken:
                    out = k
                    break
                attempt += ti.u32(1)
                words = block_of(low, interval, what + attempt, high, k0, k1)
                a, b = words[0], words[1]
    events = ti.cast(ti.max(F(0.0), ti.min(out, count)), ti.i64)
    return ti.select(p > F(0.5), n - events, events)


@ti.func
def few_poisson(mean: ti.f64, u: ti.f64):
    """Poisson by inversion of u, for a small mean."""
    chance = F(1.0) - mean
    if u > chance:  # else it is none in any case, for 1 - mean < exp(-mean)
        chance = ti.exp(-mean)
    x = F(0.0)
    steps = 0
    while u > chance and steps < INVERSION_STEPS_MAX:
        u -= chance
        x += F(1.0)
        chance *= mean / x
        steps += 1
    return x


@ti.func
def poisson(
    mean: ti.f64,
    a: ti.u32,
    b: ti.u32,
    low: ti.u32,
    interval: ti.u32,
    what: ti.u32,
    high: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """A Poisson number, i8; UNCOUNTABLE if the mean is above COUNTABLE. `what` as for `binomial`."""
    out = F(0.0)
    if mean > F(0.0):
        if mean > F(COUNTABLE):
            out = ti.cast(UNCOUNTABLE, ti.f64)
        elif mean < F(FEW):
            out = few_poisson(mean, fine_unit(a, b))
        else:
            wide = F(0.931) + F(2.53) * ti.sqrt(mean)
            steep = F(-0.059) + F(0.02483) * wide
            squeeze = F(0.9277) - F(3.6224) / (wide - F(2.0))
            attempt = ti.u32(0)
            while attempt < ti.u32(ATTEMPTS_MAX):
                u, v = unit(a) - F(0.5), unit(b)
                rim = F(0.5) - ti.abs(u)
                k = ti.floor((F(2.0) * steep / rim + wide) * u + mean + F(0.43))
                taken = rim >= F(0.07) and v <= squeeze
                if not taken and k >= F(0.0) and (rim >= F(0.013) or v <= rim):
                    x = k + F(1.0)
                    logarithm = k * ti.log(mean / x) + (x - mean) - F(0.5) * ti.log(x)
                    logarithm -= F(_HALF_LOG_TWO_PI) + stirling_tail(k)
                    scale = F(1.1239) + F(1.1328) / (wide - F(3.4))
                    taken = ti.log(v * scale / (steep / (rim * rim) + wide)) <= logarithm
                if taken:
                    out = k
                    break
                attempt += ti.u32(1)
                words = block_of(low, interval, what + attempt, high, k0, k1)
                a, b = words[0], words[1]
    return ti.cast(out, ti.i64)


@ti.func
def gamma(
    shape: ti.f64,
    a: ti.u32,
    b: ti.u32,
    low: ti.u32,
    interval: ti.u32,
    what: ti.u32,
    high: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """A gamma number of unit scale, for shape >= 1; `what` as for `binomial`."""
    d = shape - F(1 / 3)
    c = F(1.0) / ti.sqrt(F(9.0) * d)
    out = d
    attempt = ti.u32(0)
    while attempt < ti.u32(ATTEMPTS_MAX):
        x = normal(unit(a))
        root = F(1.0) + c * x
        if root > F(0.0):
            v = root * root * root
            u = unit(b)
            taken = u < F(1.0) - F(0.0331) * x * x * x * x
            if not taken:
                taken = ti.log(u) < F(0.5) * x * x + d - d * v + d * ti.log(v)
            if taken:
                out = d * v
                break
        attempt += ti.u32(1)
        words = block_of(low, interval, what + attempt, high, k0, k1)
        a, b = words[0], words[1]
    return out


@ti.func
def few_negative_binomial(k: ti.f64, p: ti.f64, u: ti.f64):
    """The sum of k geometric numbers, P(j) = (1 - p) p^j, by inversion of u, for a small mean."""
    chance = ti.exp(k * log_rest(p))
    x = F(0.0)
    steps = 0
    while u > chance and steps < INVERSION_STEPS_MAX:
        u -= chance
        chance *= p * (k + x) / (x + F(1.0))
        x += F(1.0)
        steps += 1
    return x


@ti.func
def negative_binomial(
    k: ti.i64,
    p: ti.f64,
    a: ti.u32,
    b: ti.u32,
    c: ti.u32,
    d: ti.u32,
    low: ti.u32,
    interval: ti.u32,
    what: ti.u32,
    high: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """The sum of k geometric numbers with P(j) = (1 - p) p^j, i8 (UNCOUNTABLE as for `poisson`); takes two pairs of words, and the streams `what` and
    `what + 256`, with 8 bits each."""
    out = ti.cast(0, ti.i64)
    if k > 0 and p > F(0.0):
        count = ti.cast(k, ti.f64)
        if count * p < F(FEW) * (F(1.0) - p):
            out = ti.cast(few_negative_binomial(count, p, fine_unit(a, b)), ti.i64)
        else:
            mean = gamma(count, a, b, low, interval, what, high, k0, k1) * p / (F(1.0) - p)
            out = poisson(mean, c, d, low, interval, what + ti.u32(256), high, k0, k1)
    return out
