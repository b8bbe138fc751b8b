"""Functions of numbers that samplers need, to the accuracy of f64: uniforms of words, logarithms near 1, Stirling's tail."""

import taichi as ti

F = ti.f64
_SCALE = 2.0**-32


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
