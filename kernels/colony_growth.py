"""Growth of colonies in the mean field: one pass over all of them per interval.

Of a colony of n cells, some of them adapted to its organ, over an interval T (rates and closed forms: `birth_death`):

    n <= 64      the size after T, or after the parts that T is cut into, from the table; where both kinds of cell are
                 present their births and deaths one by one (Gillespie)
    n > 64       survivors Binomial(n, 1 - P), and as many more as the sum of so many geometric numbers
    crowding     the same kernel with d raised so that the mean of e^(rT) becomes that of
                   dn/dt = min(r, a ln(K/n)) n        exponential, then Gompertz (Wheldon 1988)
                   n G/(1 + n (G - 1)/K_a), G the growth before, while it has no vessels (Beverton-Holt, logistic)
    adaptation   of b n0 dt births a share u is adapted: Poisson, as cells at the end of the interval (one by one where both
                 kinds are few). They grow by a law of their own; so do their descendants and what they shed
    vessels      without them, from half of K_a on, a colony gets them at a rate: angiogenic dormancy ends
    dormancy     a dormant colony neither grows nor shrinks; it wakes, or dies, at a rate, at the end of an interval

Ignored: space, of which the lattice takes care (`sim/body/handover.py`); adaptation back; cells that it sheds are not missed,
because growth is net of them.
"""

import taichi as ti

from .birth_death import GUIDE_BITS, GUIDES, SIZES, SMALL
from .draws import ALWAYS, Purpose, as_threshold, below, happens
from .launch import array, kernel
from .samplers import F, binomial, block_of, growth_less_one, negative_binomial, poisson, unit

WAITING, DORMANT, GROWING, EXTINCT = 0, 1, 2, 3
# columns of a law, f8
BIRTH, DEATH, SMALL_DEATH, PARTS, SURVIVE, SPREAD, FACTOR, WIDTH = 0, 1, 2, 3, 4, 5, 6, 7
# of the 16 bits below the purpose the upper ones tell kinds of cell apart, the lower ones attempts
_ADAPTED = 1 << 12
# from this share of the avascular size on vessels may come
SWITCH_FROM = 0.5


@ti.func
def look_up(limits: ti.template(), guide: ti.template(), law: ti.i32, n: ti.i32, draw: ti.u32):
    """The size that `draw` picks for a colony of n <= SMALL cells."""
    row = law * (SMALL + 1) + n
    size = ti.cast(guide[row * GUIDES + ti.cast(draw >> ti.u32(32 - GUIDE_BITS), ti.i32)], ti.i32)
    while limits[row * SIZES + size] <= draw and limits[row * SIZES + size] != ti.u32(ALWAYS):
        size += 1
    return size


@ti.func
def crowded(n: ti.f64, free: ti.f64, time: ti.f64, avascular: ti.f64, capacity: ti.f64, slowing: ti.f64):
    """By what factor n cells multiply in `time`, if `free` is the one without crowding. `avascular` 0: no such limit."""
    out = free
    if slowing > F(0.0) and free > F(1.0):
        rate = ti.log(free) / time
        slow_from = capacity * ti.exp(-rate / slowing)
        if n * free > slow_from:
            fast = ti.max(F(0.0), ti.log(slow_from / n) / rate)
            start = ti.max(n, slow_from)
            out = ti.exp(ti.log(capacity / start) * -growth_less_one(-slowing * (time - fast))) * start / n
    if avascular > F(0.0) and out > F(1.0):
        out = out / (F(1.0) + n * (out - F(1.0)) / avascular)
    return out


@ti.func
def grow_linear(
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
    """What n cells become if a lineage survives with probability `survive` and has a geometric size."""
    what = ti.u32(Purpose.COLONY_SURVIVE << 16) | kind
    alive = binomial(n, survive, low, interval, what, high, k0, k1)
    what = ti.u32(Purpose.COLONY_SPREAD << 16) | kind
    return alive + negative_binomial(alive, spread, low, interval, what, high, k0, k1)


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
    before: array(ti.i64),
    laws: array(ti.f64),
    limits: array(ti.u32),
    guide: array(ti.u8),
    count: ti.i32,
    interval_h: ti.f64,
    bottleneck: ti.i32,
    adaptation: ti.f64,
    avascular: ti.f64,
    capacity: ti.f64,
    slowing: ti.f64,
    switch: ti.f32,
    wake: ti.f32,
    doze: ti.f32,
    interval: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """entity u4 x 2; law, adapted_law rows of laws i4; state u1; vascular 0/1 u1; cells, of them adapted, before (colonies,)
    i8; laws (laws, WIDTH) f8; limits (laws, SMALL + 1, SIZES) u4; guide (laws, SMALL + 1, GUIDES) u1; sizes in cells,
    slowing 1/h; switch, wake, doze (deaths while dormant): hazards per interval.

    Walls: none.
    Conserves: colonies; one without cells is extinct and stays so.
    Race-free because: each colony writes its own elements; tables are only read.
    """
    for i in range(count):
        before[i] = cells[i]
        low, high = entity_low[i], entity_high[i]
        if state[i] == ti.u8(DORMANT):
            hazard = wake + doze
            chance = block_of(low, interval, ti.u32(Purpose.COLONY_WAKE << 16), high, k0, k1)
            if hazard > 0.0 and below(chance[0], as_threshold(happens(hazard))):
                state[i] = ti.u8(GROWING)
                if below(chance[1], as_threshold(doze / hazard)):
                    state[i] = ti.u8(EXTINCT)
                    cells[i] = ti.cast(0, ti.i64)
                    adapted[i] = ti.cast(0, ti.i64)
        elif state[i] == ti.u8(GROWING):
            mine, other = law[i], adapted_law[i]
            n1 = adapted[i]
            n0 = cells[i] - n1
            left = interval_h
            lived = F(0.0)  # cell hours of those not yet adapted
            chance = block_of(low, interval, ti.u32(Purpose.COLONY_SIZE << 16), high, k0, k1)
            if n0 + n1 <= SMALL:
                if n0 > 0 and n1 > 0:
                    event = ti.u32(0)
                    while left > F(0.0) and n0 + n1 > 0 and n0 + n1 <= SMALL and event < ti.u32(65535):
                        few = ti.cast(n0 + n1, ti.i32) < bottleneck
                        b0 = laws[mine * WIDTH + BIRTH] * ti.cast(n0, ti.f64)
                        b1 = laws[other * WIDTH + BIRTH] * ti.cast(n1, ti.f64)
                        d0 = laws[mine * WIDTH + ti.select(few, SMALL_DEATH, DEATH)] * ti.cast(n0, ti.f64)
                        d1 = laws[other * WIDTH + ti.select(few, SMALL_DEATH, DEATH)] * ti.cast(n1, ti.f64)
                        total = b0 + b1 + d0 + d1
                        words = block_of(low, interval, ti.u32(Purpose.COLONY_EVENT << 16) | event, high, k0, k1)
                        wait = left
                        if total > F(0.0):
                            wait = -ti.log(unit(words[0])) / total
                        left -= ti.min(wait, left)
                        if left > F(0.0):
                            which = unit(words[1]) * total
                            if which < b0:
                                if unit(words[2]) < adaptation:
                                    n1 += 1
                                else:
                                    n0 += 1
                            elif which < b0 + b1:
                                n1 += 1
                            elif which < b0 + b1 + d0:
                                n0 -= 1
                            else:
                                n1 -= 1
                        event += ti.u32(1)
                else:
                    pure = ti.select(n0 > 0, mine, other)
                    n = ti.cast(n0 + n1, ti.i32)
                    parts = ti.cast(laws[pure * WIDTH + PARTS], ti.i32)
                    part_h = interval_h / ti.cast(parts, ti.f64)
                    part = 0
                    draws = chance
                    while part < parts and n > 0 and n <= SMALL:
                        if part > 0 and part % 3 == 0:
                            stream = ti.u32(Purpose.COLONY_SIZE << 16) | ti.cast(part // 3, ti.u32)
                            draws = block_of(low, interval, stream, high, k0, k1)
                        word = draws[0]
                        if part % 3 == 1:
                            word = draws[1]
                        elif part % 3 == 2:
                            word = draws[2]
                        size = look_up(limits, guide, pure, n, word)
                        lived += F(0.5) * ti.cast(n + size, ti.f64) * part_h
                        n = size
                        part += 1
                    left = ti.select(part == parts, F(0.0), interval_h - ti.cast(part, ti.f64) * part_h)
                    if n == 0:
                        left = F(0.0)
                    if n0 > 0:
                        n0 = ti.cast(n, ti.i64)
                    else:
                        n1 = ti.cast(n, ti.i64)
                        lived = F(0.0)
            if n0 + n1 > 0 and left > F(0.0):
                c0, c1 = ti.cast(n0, ti.f64), ti.cast(n1, ti.f64)
                n = c0 + c1
                g0, g1 = laws[mine * WIDTH + FACTOR], laws[other * WIDTH + FACTOR]
                if left < interval_h:
                    g0 = ti.exp((laws[mine * WIDTH + BIRTH] - laws[mine * WIDTH + DEATH]) * left)
                    g1 = ti.exp((laws[other * WIDTH + BIRTH] - laws[other * WIDTH + DEATH]) * left)
                free = (c0 * g0 + c1 * g1) / n
                limit = ti.select(vascular[i] != 0, F(0.0), avascular)
                share = crowded(n, free, left, limit, capacity, slowing) / free
                for kind in range(2):
                    m = ti.select(kind == 0, n0, n1)
                    if m > 0:
                        use = ti.select(kind == 0, mine, other)
                        survive, spread = laws[use * WIDTH + SURVIVE], laws[use * WIDTH + SPREAD]
                        rate = laws[use * WIDTH + BIRTH] - laws[use * WIDTH + DEATH]
                        if share != F(1.0) or left < interval_h:
                            birth = laws[use * WIDTH + BIRTH]
                            rate += ti.log(share) / left
                            hours = left
                            if rate != F(0.0):
                                hours = growth_less_one(rate * left) / rate
                            spread = birth * hours / (F(1.0) + birth * hours)
                            survive = (F(1.0) + rate * hours) / (F(1.0) + birth * hours)
                        what = ti.cast(kind, ti.u32) * ti.u32(_ADAPTED)
                        grown = grow_linear(m, survive, spread, low, interval, what, high, k0, k1)
                        if kind == 0:
                            x = rate * left
                            bend = F(1.0) - x * x / F(12.0)  # of the mean of both ends to that of the exponential
                            if ti.abs(x) > F(0.01):
                                bend = F(2.0) * ti.tanh(F(0.5) * x) / x
                            lived += bend * F(0.5) * (ti.cast(m, ti.f64) + ti.cast(grown, ti.f64)) * left
                            n0 = grown
                        else:
                            n1 = grown
            if adaptation > F(0.0) and lived > F(0.0):
                mean = adaptation * laws[mine * WIDTH + BIRTH] * lived
                what = ti.u32(Purpose.COLONY_ADAPT << 16)
                new = poisson(mean, low, interval, what, high, k0, k1)
                n0 = ti.max(ti.cast(0, ti.i64), n0 - new)
                n1 += new
            cells[i] = n0 + n1
            adapted[i] = n1
            if n0 + n1 == 0:
                state[i] = ti.u8(EXTINCT)
            elif avascular > F(0.0) and vascular[i] == 0 and ti.cast(n0 + n1, ti.f64) >= F(SWITCH_FROM) * avascular:
                if below(chance[3], as_threshold(happens(switch))):
                    vascular[i] = ti.u8(1)
