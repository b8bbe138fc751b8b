"""Shedding of a colony, or of a primary, of known size: Poisson with mean mu N^alpha T.

The emission law (Iwata et al. 2000, J Theor Biol 203:177; Hanin et al. 2006, J Math Biol 52:714). N is the geometric mean of
the sizes at both ends of the interval, so the error is of second order in growth per interval. Of the seeds as large
a share is adapted as of the cells: they inherit it. What was dormant at the start of the interval sheds nothing in it.
Ignored: that a colony is smaller by what it sheds.
"""

import taichi as ti

from .draws import Purpose
from .launch import array, kernel
from .samplers import binomial, block_of, poisson
from .small_colonies import GROWING, ON_LATTICE
from .special_functions import F


@kernel
def shed_pass(
    entity_low: array(ti.u32),
    entity_high: array(ti.u32),
    state: array(ti.u8),
    cells: array(ti.i64),
    adapted: array(ti.i64),
    before: array(ti.i64),
    span: array(ti.f64),
    shed: array(ti.i64),
    shed_adapted: array(ti.i64),
    count: ti.i32,
    per_h: ti.f64,
    alpha: ti.f64,
    interval: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """entity u4 x 2; state u1; cells, of them adapted, before (colonies,) i8; span: hours of the interval that it has been
    there (colonies,) f8; shed, shed_adapted (colonies,) i8, written, UNCOUNTABLE in shed if it is too many; per_h: seeds of
    a colony of one cell.

    Walls: none.
    Conserves: cells; only what is shed is written.
    Race-free because: each colony writes its own elements.
    """
    for i in range(count):
        total, fit = ti.cast(0, ti.i64), ti.cast(0, ti.i64)
        alive = state[i] == ti.u8(GROWING) or state[i] == ti.u8(ON_LATTICE)
        if alive and cells[i] > 0 and before[i] > 0:
            low, high = entity_low[i], entity_high[i]
            square = ti.cast(cells[i], ti.f64) * ti.cast(before[i], ti.f64)
            mean = per_h * span[i] * ti.exp(F(0.5) * alpha * ti.log(square))
            what = ti.u32(Purpose.COLONY_SHED << 16)
            four = block_of(low, interval, what, high, k0, k1)
            total = poisson(mean, four[0], four[1], low, interval, what, high, k0, k1)
            share = ti.cast(adapted[i], ti.f64) / ti.cast(cells[i], ti.f64)
            what = ti.u32(Purpose.COLONY_SHED_ADAPTED << 16)
            fit = binomial(total, share, four[2], four[3], low, interval, what, high, k0, k1)
        shed[i] = total
        shed_adapted[i] = fit
