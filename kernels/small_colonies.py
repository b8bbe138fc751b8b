"""Colonies of few cells over an interval, and those that are dormant.

Up to 64 cells, of which fewer than n_c need one another (`birth_death`):

    one kind of cell     the size after the interval, or after the parts that it is cut into, from the table
    both, or adapting    their births and deaths one by one (Gillespie 1977, J Phys Chem 81:2340), adaptation at birth
    part of an interval  the same: a colony's first has the hours since it was founded, which no table knows
    Gompertz             deaths are more where it is the slower, as in `colony_growth`: in the table, and of both kinds alike
    dormant              neither grows nor shrinks; wakes, or dies, at a rate, at the end of an interval, and sheds nothing in it

What grows beyond is left to `colony_growth`, with the hours that are left of the interval.
"""

import taichi as ti

from .birth_death import GUIDE_BITS, GUIDES, SIZES, SMALL
from .draws import ALWAYS, Purpose, as_threshold, below, happens
from .launch import array, kernel
from .samplers import block_of
from .special_functions import F, unit

# the last one grows on a lattice of its own: these passes leave it alone
WAITING, DORMANT, GROWING, EXTINCT, ON_LATTICE = 0, 1, 2, 3, 4
# columns of a law, f8: per hour; parts of an interval; of a lineage over the whole interval, as in `birth_death`; the factor
# e^(rT); the size at which Gompertz growth is slower than that of the law
BIRTH, DEATH, SMALL_DEATH, PARTS, SURVIVE, SPREAD, FACTOR, SLOW_FROM, WIDTH = 0, 1, 2, 3, 4, 5, 6, 7, 8
# events of one colony in an interval, of which a draw's counter tells so many apart
EVENTS_MAX = 65535


@ti.func
def look_up(limits: ti.template(), guide: ti.template(), law: ti.i32, n: ti.i32, draw: ti.u32):
    """The size that `draw` picks for a colony of n <= SMALL cells."""
    row = law * (SMALL + 1) + n
    size = ti.cast(guide[row * GUIDES + ti.cast(draw >> ti.u32(32 - GUIDE_BITS), ti.i32)], ti.i32)
    while limits[row * SIZES + size] <= draw and limits[row * SIZES + size] != ti.u32(ALWAYS):
        size += 1
    return size


@kernel
def small_pass(
    entity_low: array(ti.u32),
    entity_high: array(ti.u32),
    law: array(ti.i32),
    adapted_law: array(ti.i32),
    state: array(ti.u8),
    cells: array(ti.i64),
    adapted: array(ti.i64),
    before: array(ti.i64),
    span: array(ti.f64),
    left: array(ti.f64),
    laws: array(ti.f64),
    limits: array(ti.u32),
    guide: array(ti.u8),
    count: ti.i32,
    interval_h: ti.f64,
    bottleneck: ti.i32,
    adaptation: ti.f64,
    capacity: ti.f64,
    slowing: ti.f64,
    wake: ti.f32,
    doze: ti.f32,
    interval: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """entity u4 x 2; law, adapted_law rows of laws i4; state u1; cells, of them adapted, before (the cells at the start; 0 if
    dormant then) i8; span: hours of the interval that it has been there, left: hours for colony_growth, f8, all of
    (colonies,); laws (laws, WIDTH) f8; limits (laws, SMALL + 1, SIZES) u4; guide (laws, SMALL + 1, GUIDES) u1; bottleneck,
    capacity cells; adaptation per birth; slowing 1/h; wake,
    doze (deaths while dormant): hazards per interval.

    Walls: none.
    Conserves: colonies; dormant ones that die are extinct, others without cells are marked by `colony_growth`.
    Race-free because: each colony writes its own elements; tables are only read.
    """
    for i in range(count):
        before[i] = cells[i]
        low, high = entity_low[i], entity_high[i]
        rest = F(0.0)
        if state[i] == ti.u8(DORMANT):
            before[i] = ti.cast(0, ti.i64)
            there = ti.cast(span[i] / interval_h, ti.f32)
            hazard = (wake + doze) * there
            chance = block_of(low, interval, ti.u32(Purpose.COLONY_WAKE << 16), high, k0, k1)
            if hazard > 0.0 and below(chance[0], as_threshold(happens(hazard))):
                state[i] = ti.u8(GROWING)
                if below(chance[1], as_threshold(doze * there / hazard)):
                    state[i] = ti.u8(EXTINCT)
                    cells[i] = ti.cast(0, ti.i64)
                    adapted[i] = ti.cast(0, ti.i64)
        elif state[i] == ti.u8(GROWING):
            rest = span[i]
            if cells[i] <= SMALL:
                mine, other = law[i] * WIDTH, adapted_law[i] * WIDTH
                n1 = ti.cast(adapted[i], ti.i32)
                n0 = ti.cast(cells[i], ti.i32) - n1
                if (n0 > 0 and (n1 > 0 or adaptation > F(0.0))) or rest < interval_h:
                    event = 0
                    while rest > F(0.0) and n0 + n1 > 0 and n0 + n1 <= SMALL and event < EVENTS_MAX:
                        c0, c1 = ti.cast(n0, ti.f64), ti.cast(n1, ti.f64)
                        b0, b1 = laws[mine + BIRTH] * c0, laws[other + BIRTH] * c1
                        d0, d1 = laws[mine + DEATH] * c0, laws[other + DEATH] * c1
                        if slowing > F(0.0):
                            n = c0 + c1
                            more = ti.max(F(0.0), (b0 + b1 - d0 - d1) / n - slowing * ti.log(capacity / n))
                            d0 += more * c0
                            d1 += more * c1
                        if n0 + n1 < bottleneck:
                            d0 = ti.max(d0, laws[mine + SMALL_DEATH] * c0)
                            d1 = ti.max(d1, laws[other + SMALL_DEATH] * c1)
                        total = b0 + b1 + d0 + d1
                        what = ti.u32(Purpose.COLONY_EVENT << 16) | ti.cast(event, ti.u32)
                        four = block_of(low, interval, what, high, k0, k1)
                        if total > F(0.0):
                            rest += ti.log(unit(four[0])) / total
                        else:
                            rest = F(0.0)
                        if rest > F(0.0):
                            which = unit(four[1]) * total
                            if which < b0 and unit(four[2]) >= adaptation:
                                n0 += 1
                            elif which < b0 + b1:
                                n1 += 1
                            elif which < b0 + b1 + d0:
                                n0 -= 1
                            else:
                                n1 -= 1
                        event += 1
                    rest = ti.max(rest, F(0.0))
                else:
                    pure = ti.select(n0 > 0, law[i], adapted_law[i])
                    n = n0 + n1
                    parts = ti.cast(laws[pure * WIDTH + PARTS], ti.i32)
                    part_h = interval_h / ti.cast(parts, ti.f64)
                    part = 0
                    draws = ti.Vector([ti.u32(0), ti.u32(0), ti.u32(0), ti.u32(0)])
                    while part < parts and n > 0 and n <= SMALL:
                        at = part & 3
                        if at == 0:
                            what = ti.u32(Purpose.COLONY_SIZE << 16) | ti.cast(part >> 2, ti.u32)
                            draws = block_of(low, interval, what, high, k0, k1)
                        word = draws[0]
                        if at == 1:
                            word = draws[1]
                        elif at == 2:
                            word = draws[2]
                        elif at == 3:
                            word = draws[3]
                        size = look_up(limits, guide, pure, n, word)
                        n = size
                        part += 1
                    rest = ti.select(part == parts, F(0.0), interval_h - ti.cast(part, ti.f64) * part_h)
                    if n0 > 0:
                        n0 = n
                    else:
                        n1 = n
                rest = ti.select(n0 + n1 > SMALL, rest, F(0.0))
                cells[i] = ti.cast(n0 + n1, ti.i64)
                adapted[i] = ti.cast(n1, ti.i64)
        left[i] = rest
