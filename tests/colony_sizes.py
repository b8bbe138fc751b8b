"""Sizes of the colonies that growing primaries, and their colonies in turn, have founded: a power law, and its exponent.

A primary of e^(at) cells sheds m x^alpha seeds per unit of time, of which each founds a colony; colonies grow at a too, from
one cell. Founders of age s are e^(-lambda s) as frequent as those of today, lambda = a alpha without secondary seeding, so
the density of sizes falls as x^-(1 + lambda/a). With it (Iwata et al. 2000) lambda solves

    1 = m int E[N(s)^alpha] e^(-lambda s) ds = m/(lambda - a alpha)      if N were e^(as) without chance:  lambda = a alpha + m
"""

import numpy as np
from scipy import optimize

from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.mean_field import MeanField, entity_of
from seedsoil.sim.device import Device

ALPHA, GROWTH, INTERVAL_H = 0.663, 0.1, 1.0  # growth per h and per interval
LEAST = 20


def sizes(
    device: Device, primaries: int, end_h: int, m: float, *, growth: float = GROWTH, secondary: bool
) -> np.ndarray:
    """Cells of all colonies at the end. `growth` is that of the primaries; m in units of GROWTH."""
    law = ColonyGrowth(
        birth_per_h=GROWTH,
        death_per_h=0.0,
        bottleneck_cells=1,
        shedding_per_h=m * GROWTH if secondary else 0.0,
        shedding_exponent=ALPHA,
    )
    field = MeanField(law, INTERVAL_H, device, rng_key=9)
    own = field.law()
    rng = np.random.default_rng(4)
    born = 0
    for interval in range(end_h):
        seeds = rng.poisson(primaries * m * GROWTH * np.exp(growth * ALPHA * (interval + 0.5)))
        field.advance(interval)
        if secondary:
            seeds += int(field.shed(interval)[0].sum())
        field.found(entity_of(0, interval, born + np.arange(seeds), 0, 9), 1, law=own)
        born += int(seeds)
    return field.table["cells"].copy()


def exponent(cells: np.ndarray, most: float) -> tuple[float, int]:
    """(beta, events): the maximum likelihood of a density x^-beta between LEAST and `most` cells."""
    low, high = LEAST - 0.5, np.floor(most) + 0.5
    x = cells[(cells > low) & (cells < high)]
    mean = np.log(x).mean()

    def slope(beta: float) -> float:
        k = 1.0 - beta
        a, b = low**k, high**k
        return (b * np.log(high) - a * np.log(low)) / (b - a) - 1.0 / k - mean

    return float(optimize.brentq(slope, 1.05, 6.0)), len(x)
