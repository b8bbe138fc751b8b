"""Colonies of many cells over what is left of an interval, adaptation of all, and what ends or gets vessels.

Of n cells with rates b, d, r = b - d (the closed forms are those of `birth_death`), in T hours:

    growth       survivors Binomial(n, 1 - P), and as many more as the sum of so many geometric numbers; where these are so
                 many that it is off by 1e-5, a normal number with the same mean, variance and skewness (Cornish & Fisher)
    crowding     the same with d raised, so that the mean of e^(rT) becomes that of
                   dn/dt = min(r, a ln(K/n)) n        exponential, then Gompertz (Wheldon 1988)
                   n G/(1 + n (G - 1)/K_a), G the factor before, while it has no vessels (Beverton-Holt, logistic)
                 for both kinds of cell by the same factor; with a = 0 growth is exponential up to K, and ends there
    adaptation   of M = b int n0 dt births a share u is adapted, spread over the cells n0 that are left at the end: a cell is
                 one with 1 - exp(-u M/n0), and counts from then on. They grow by a law of their own; so do their
                 descendants and what they shed
    vessels      without them, from half of K_a on, a colony gets them at a rate: angiogenic dormancy ends

Ignored: space, which the lattice has (`sim/body/handover.py`); adaptation back; cells that it sheds are not missed, because
growth is net of them.
"""

import taichi as ti

from .draws import Purpose, as_threshold, below, happens
from .launch import array, kernel
from .samplers import COUNTABLE, UNCOUNTABLE, binomial, block_of, negative_binomial
from .small_colonies import BIRTH, DEATH, EXTINCT, FACTOR, GROWING, SLOW_FROM, SPREAD, SURVIVE, WIDTH
from .special_functions import F, growth_less_one, normal, unit

# of the 16 bits below the purpose the upper ones tell kinds of cell apart, the lower ones streams and attempts
_KIND = 1 << 12
# what squared skewness and excess kurtosis of a number may come to for it to be normal, corrected for its skewness: the
# next term of the expansion is a 24th of them
FAR = 2.4e-4
# from this share of the avascular size on vessels may come
SWITCH_FROM = 0.5


@ti.func
def crowded(
    n: ti.f64,
    free: ti.f64,
    rate: ti.f64,
    slow_from: ti.f64,
    time: ti.f64,
    avascular: ti.f64,
    capacity: ti.f64,
    slowing: ti.f64,
):
    """By what factor n cells multiply in `time`, if `free` = exp(rate time) is the one without crowding and Gompertz growth
    is the slower from `slow_from` cells on. `avascular` 0: no such limit; `slowing` 0: no Gompertz, but a sudden end."""
    out = free
    if slowing > F(0.0) and n * free > slow_from:
        slow = time
        start = n
        if n < slow_from:
            slow -= ti.log(slow_from / n) / rate
            start = slow_from
        out = ti.exp(-growth_less_one(-slowing * slow) * ti.log(capacity / start)) * start / n
    if out > F(1.0):
        out = ti.max(F(1.0), ti.min(out, capacity / n))
    if avascular > F(0.0) and out > F(1.0):
        out = out / (F(1.0) + n * (out - F(1.0)) / avascular)
    return out


@ti.func
def grown(
    n: ti.i64,
    survive: ti.f64,
    spread: ti.f64,
    low: ti.u32,
    interval: ti.u32,
    kind: ti.u32,
    high: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """What n cells become if a lineage survives with probability `survive` and has a geometric size; UNCOUNTABLE if too many."""
    what = ti.u32(Purpose.COLONY_SURVIVE << 16) | kind
    four = block_of(low, interval, what, high, k0, k1)
    # moments about zero of what a lineage comes to, then cumulants
    count, rest = ti.cast(n, ti.f64), F(1.0) - spread
    mean = survive / rest
    second = mean * (F(1.0) + spread) / rest
    third = mean * (F(1.0) + spread * (F(4.0) + spread)) / (rest * rest)
    fourth = mean * (F(1.0) + spread * (F(11.0) + spread * (F(11.0) + spread))) / (rest * rest * rest)
    square = mean * mean
    variance = second - square
    lean = third - F(3.0) * mean * second + F(2.0) * square * mean
    peak = (
        fourth - F(4.0) * mean * third - F(3.0) * second * second + F(12.0) * square * second - F(6.0) * square * square
    )
    out = n
    if count * mean > F(COUNTABLE):
        out = ti.cast(UNCOUNTABLE, ti.i64)
    elif F(FAR) * count * variance * variance * variance > peak * variance + lean * lean:
        x = normal(unit(four[0]))
        size = count * mean + ti.sqrt(count * variance) * x + lean / variance * (x * x - F(1.0)) / F(6.0)
        out = ti.cast(ti.max(F(0.0), ti.floor(size + F(0.5))), ti.i64)
    else:
        alive = binomial(n, survive, four[0], four[1], low, interval, what, high, k0, k1)
        what = ti.u32(Purpose.COLONY_SPREAD << 16) | kind
        more = block_of(low, interval, what, high, k0, k1)
        out = alive + negative_binomial(
            alive, spread, four[2], four[3], more[0], more[1], low, interval, what, high, k0, k1
        )
    return out


@kernel
def grow_pass(
    entity_low: array(ti.u32),
    entity_high: array(ti.u32),
    law: array(ti.i32),
    adapted_law: array(ti.i32),
    state: array(ti.u8),
    vascular: array(ti.u8),
    cells: array(ti.i64),
    adapted: array(ti.i64),
    span: array(ti.f64),
    left: array(ti.f64),
    laws: array(ti.f64),
    count: ti.i32,
    interval_h: ti.f64,
    adaptation: ti.f64,
    avascular: ti.f64,
    capacity: ti.f64,
    slowing: ti.f64,
    switch: ti.f32,
    interval: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """entity u4 x 2; law, adapted_law rows of laws i4; state u1; vascular 0/1 u1; cells, of them adapted i8; span: hours of
    the interval that it has been there, left: hours to grow, f8, all of (colonies,); laws (laws, WIDTH) f8; adaptation per
    birth; avascular, capacity
    cells; slowing 1/h; switch: hazard per interval.

    Walls: none.
    Conserves: colonies; one without cells is extinct and stays so.
    Race-free because: each colony writes its own elements; tables are only read.
    """
    for i in range(count):
        if state[i] == ti.u8(GROWING):
            mine, other = law[i] * WIDTH, adapted_law[i] * WIDTH
            low, high = entity_low[i], entity_high[i]
            n1 = adapted[i]
            n0 = cells[i] - n1
            time = left[i]
            if time > F(0.0):
                c0, c1, lived = ti.cast(n0, ti.f64), ti.cast(n1, ti.f64), F(0.0)
                n = c0 + c1
                lead = ti.select(n0 > 0, mine, other)
                rate, free, slow_from = (
                    laws[lead + BIRTH] - laws[lead + DEATH],
                    laws[lead + FACTOR],
                    laws[lead + SLOW_FROM],
                )
                if (n0 > 0 and n1 > 0) or time < interval_h:
                    r0, r1 = laws[mine + BIRTH] - laws[mine + DEATH], laws[other + BIRTH] - laws[other + DEATH]
                    free = (c0 * ti.exp(r0 * time) + c1 * ti.exp(r1 * time)) / n
                    rate = ti.log(free) / time
                    if slowing > F(0.0):
                        slow_from = capacity * ti.exp(-rate / slowing)
                limit = ti.select(vascular[i] != 0, F(0.0), avascular)
                share = crowded(n, free, rate, slow_from, time, limit, capacity, slowing) / free
                slower = F(0.0)
                if share != F(1.0):
                    slower = ti.log(share) / time
                for kind in range(2):
                    m = ti.select(kind == 0, n0, n1)
                    if m > 0:
                        own = ti.select(kind == 0, mine, other)
                        survive, spread = laws[own + SURVIVE], laws[own + SPREAD]
                        pace = laws[own + BIRTH] - laws[own + DEATH] + slower
                        if share != F(1.0) or time < interval_h:
                            births = laws[own + BIRTH] * time
                            deaths = births - pace * time
                            if pace != F(0.0):
                                births *= growth_less_one(pace * time) / (pace * time)
                                deaths *= growth_less_one(pace * time) / (pace * time)
                            spread = births / (F(1.0) + births)
                            survive = (F(1.0) + births - deaths) / (F(1.0) + births)
                        after = grown(m, survive, spread, low, interval, ti.cast(kind * _KIND, ti.u32), high, k0, k1)
                        if kind == 0:
                            n0 = after
                            if adaptation > F(0.0):
                                x = pace * time
                                bend = F(1.0) - x * x / F(12.0)  # from the mean of both ends to that of the exponential
                                if ti.abs(x) > F(0.01):
                                    bend = F(2.0) * ti.tanh(F(0.5) * x) / x
                                lived = bend * F(0.5) * (c0 + ti.cast(after, ti.f64)) * time
                        else:
                            n1 = after
                if lived > F(0.0) and n0 > 0:
                    what = ti.u32(Purpose.COLONY_ADAPT << 16)
                    four = block_of(low, interval, what, high, k0, k1)
                    each = adaptation * laws[mine + BIRTH] * lived / ti.cast(n0, ti.f64)
                    becomes = -growth_less_one(-each)
                    new = binomial(n0, becomes, four[0], four[1], low, interval, what, high, k0, k1)
                    n0 -= new
                    n1 += new
            cells[i] = n0 + n1
            adapted[i] = n1
            if n0 + n1 == 0:
                state[i] = ti.u8(EXTINCT)
            elif avascular > F(0.0) and vascular[i] == 0 and ti.cast(n0 + n1, ti.f64) >= F(SWITCH_FROM) * avascular:
                four = block_of(low, interval, ti.u32(Purpose.COLONY_VESSELS << 16), high, k0, k1)
                if below(four[0], as_threshold(happens(switch * ti.cast(span[i] / interval_h, ti.f32)))):
                    vascular[i] = ti.u8(1)
