"""Binomial, Poisson and negative binomial numbers as pure functions of (key, entity, interval, purpose).

A counter is (entity low, interval, purpose << 16 | stream | attempt, entity high), so nothing is carried from one draw
to the next and what one entity draws never depends on another. Few expected events: inversion of one 53-bit uniform,
chopped down from zero (Kemp's way). Many: transformed rejection, BTRS and PTRS (Hörmann 1993, J Stat Comput Simul
46:101; Insurance Math Econ 12:39), an attempt a Philox block, of which one is enough nine times in ten. The negative
binomial is a Poisson whose mean is gamma distributed (Marsaglia & Tsang 2000, ACM Trans Math Softw 26:363), its normal
number by the inverse of the distribution function (Wichura 1988, AS 241). Exact but for the rounding of f64 and the
grid of 2**-32 on which uniforms of the rejection stand. `host_samplers` is the same in NumPy, for few entities.
"""

import taichi as ti

from .draws import _multiply

# below so many expected events inversion is faster than rejection
FEW = 10.0
# an inversion that has not come to its end here has met a probability below f64's rounding
INVERSION_STEPS_MAX = 1000
# attempts of a rejection; one fails one time in four at worst, so all of them never
ATTEMPTS_MAX = 64

F = ti.f64
_SCALE = 2.0**-32
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
def unit(word: ti.u32):
    """A word as a number in (0, 1)."""
    return (ti.cast(word, ti.f64) + F(0.5)) * F(_SCALE)


@ti.func
def fine_unit(high: ti.u32, low: ti.u32):
    """Two words as a number in [0, 1) on a grid of 2**-64, to the precision of f64."""
    return (ti.cast(high, ti.f64) + unit(low)) * F(_SCALE)


@ti.func
def log_rest(p: ti.f64):
    """log(1 - p), to f64 accuracy also where p is small."""
    out = -p * (F(1.0) + p * (F(1 / 2) + p * (F(1 / 3) + p * (F(1 / 4) + p * (F(1 / 5) + p * F(1 / 6))))))
    if p > F(2e-3):
        out = ti.log(F(1.0) - p)
    return out


@ti.func
def growth_less_one(x: ti.f64):
    """exp(x) - 1, to f64 accuracy also where x is small."""
    out = x * (F(1.0) + x * (F(1 / 2) + x * (F(1 / 6) + x * (F(1 / 24) + x * (F(1 / 120) + x * F(1 / 720))))))
    if ti.abs(x) > F(5e-3):
        out = ti.exp(x) - F(1.0)
    return out


@ti.func
def stirling_tail(k: ti.f64):
    """log k! - [(k + 1/2) log(k + 1) - (k + 1) + log(2 pi)/2], for whole k >= 0."""
    tail, x = F(0.0), k
    while x < F(10.0):
        tail += (x + F(1.5)) * ti.log((x + F(2.0)) / (x + F(1.0))) - F(1.0)
        x += F(1.0)
    y = F(1.0) / (x + F(1.0))
    square = y * y
    return tail + y * (F(1 / 12) - square * (F(1 / 360) - square * (F(1 / 1260) - square * F(1 / 1680))))


@ti.func
def normal(u: ti.f64):
    """The standard normal number that u in (0, 1) is the distribution function of (AS 241, PPND7: to 1e-7)."""
    q = u - F(0.5)
    out = F(0.0)
    if ti.abs(q) <= F(0.425):
        r = F(0.180625) - q * q
        above = ((F(59.109374720) * r + F(159.29113202)) * r + F(50.434271938)) * r + F(3.3871327179)
        out = q * above / (((F(67.187563600) * r + F(78.757757664)) * r + F(17.895169469)) * r + F(1.0))
    else:
        r = ti.sqrt(-ti.log(ti.min(u, F(1.0) - u)))
        if r <= F(5.0):
            r -= F(1.6)
            above = ((F(0.17023821103) * r + F(1.3067284816)) * r + F(2.7568153900)) * r + F(1.4234372777)
            out = above / ((F(0.12021132975) * r + F(0.73700164250)) * r + F(1.0))
        else:
            r -= F(5.0)
            above = ((F(0.017337203997) * r + F(0.42868294337)) * r + F(3.0812263860)) * r + F(6.6579051150)
            out = above / ((F(0.012258202635) * r + F(0.24197894225)) * r + F(1.0))
        out = ti.select(q < F(0.0), -out, out)
    return out


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
def binomial(n: ti.i64, p: ti.f64, low: ti.u32, interval: ti.u32, what: ti.u32, high: ti.u32, k0: ti.u32, k1: ti.u32):
    """How many of n events of probability p happen. `what` is purpose << 16 | stream, with 8 bits free for attempts."""
    count = ti.cast(n, ti.f64)
    small = ti.min(p, F(1.0) - p)
    out = F(0.0)
    if small > F(0.0) and n > 0:
        words = block_of(low, interval, what, high, k0, k1)
        if count * small < F(FEW):
            out = few_binomial(count, small, fine_unit(words[0], words[1]))
        else:
            deviation = ti.sqrt(count * small * (F(1.0) - small))
            b = F(1.15) + F(2.53) * deviation
            a = F(-0.0873) + F(0.0248) * b + F(0.01) * small
            squeeze = F(0.92) - F(4.2) / b
            attempt = ti.u32(0)
            while attempt < ti.u32(ATTEMPTS_MAX):
                u, v = unit(words[0]) - F(0.5), unit(words[1])
                rim = F(0.5) - ti.abs(u)
                k = ti.floor((F(2.0) * a / rim + b) * u + count * small + F(0.5))
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
                    scale = (F(2.83) + F(5.1) / b) * deviation
                    taken = ti.log(v * scale / (a / (rim * rim) + b)) <= bound
                if taken:
                    out = k
                    break
                attempt += ti.u32(1)
                words = block_of(low, interval, what + attempt, high, k0, k1)
    events = ti.cast(ti.max(F(0.0), ti.min(out, count)), ti.i64)
    return ti.select(p > F(0.5), n - events, events)


@ti.func
def few_poisson(mean: ti.f64, u: ti.f64):
    """Poisson by inversion of u, for a small mean."""
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
def poisson(mean: ti.f64, low: ti.u32, interval: ti.u32, what: ti.u32, high: ti.u32, k0: ti.u32, k1: ti.u32):
    """A Poisson number, i8; `what` as for `binomial`."""
    out = F(0.0)
    if mean > F(0.0):
        words = block_of(low, interval, what, high, k0, k1)
        if mean < F(FEW):
            out = few_poisson(mean, fine_unit(words[0], words[1]))
        else:
            b = F(0.931) + F(2.53) * ti.sqrt(mean)
            a = F(-0.059) + F(0.02483) * b
            squeeze = F(0.9277) - F(3.6224) / (b - F(2.0))
            attempt = ti.u32(0)
            while attempt < ti.u32(ATTEMPTS_MAX):
                u, v = unit(words[0]) - F(0.5), unit(words[1])
                rim = F(0.5) - ti.abs(u)
                k = ti.floor((F(2.0) * a / rim + b) * u + mean + F(0.43))
                taken = rim >= F(0.07) and v <= squeeze
                if not taken and k >= F(0.0) and (rim >= F(0.013) or v <= rim):
                    x = k + F(1.0)
                    logarithm = k * ti.log(mean / x) + (x - mean) - F(0.5) * ti.log(x)
                    logarithm -= F(_HALF_LOG_TWO_PI) + stirling_tail(k)
                    scale = F(1.1239) + F(1.1328) / (b - F(3.4))
                    taken = ti.log(v * scale / (a / (rim * rim) + b)) <= logarithm
                if taken:
                    out = k
                    break
                attempt += ti.u32(1)
                words = block_of(low, interval, what + attempt, high, k0, k1)
    return ti.cast(out, ti.i64)


@ti.func
def gamma(shape: ti.f64, low: ti.u32, interval: ti.u32, what: ti.u32, high: ti.u32, k0: ti.u32, k1: ti.u32):
    """A gamma number of unit scale, for shape >= 1; `what` as for `binomial`."""
    d = shape - F(1 / 3)
    c = F(1.0) / ti.sqrt(F(9.0) * d)
    out = d
    attempt = ti.u32(0)
    while attempt < ti.u32(ATTEMPTS_MAX):
        words = block_of(low, interval, what + attempt, high, k0, k1)
        x = normal(unit(words[0]))
        root = F(1.0) + c * x
        if root > F(0.0):
            v = root * root * root
            u = unit(words[1])
            taken = u < F(1.0) - F(0.0331) * x * x * x * x
            if not taken:
                taken = ti.log(u) < F(0.5) * x * x + d - d * v + d * ti.log(v)
            if taken:
                out = d * v
                break
        attempt += ti.u32(1)
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
    k: ti.i64, p: ti.f64, low: ti.u32, interval: ti.u32, what: ti.u32, high: ti.u32, k0: ti.u32, k1: ti.u32
):
    """The sum of k geometric numbers with P(j) = (1 - p) p^j, i8; takes `what` and `what + 256`, with 8 bits each."""
    out = ti.cast(0, ti.i64)
    if k > 0 and p > F(0.0):
        count = ti.cast(k, ti.f64)
        if count * p < F(FEW) * (F(1.0) - p):
            words = block_of(low, interval, what, high, k0, k1)
            out = ti.cast(few_negative_binomial(count, p, fine_unit(words[0], words[1])), ti.i64)
        else:
            mean = gamma(count, low, interval, what, high, k0, k1) * p / (F(1.0) - p)
            out = poisson(mean, low, interval, what + ti.u32(256), high, k0, k1)
    return out
