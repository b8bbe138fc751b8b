"""The necrotic core of a ball that grows, by radius alone: oxygen by quadrature, and what has lived of each shell.

Live cells take up oxygen at a rate of zero order, dead ones none. So flux (r) = q/(D r^2) x integral of live r^2, and
oxygen falls from the surface inwards by the integral of that flux: nothing is solved for, and no lattice is there. Cells
are added at the surface; every shell keeps the share of its cells that is still alive, and loses of it by the hazard
rate x share of the ramp. Holds as long as oxygen stays above 0.
"""

from typing import NamedTuple

import numpy as np


class Ball(NamedTuple):
    """Uptake q/D in mmHg/um2, oxygen at the surface in mmHg; begins at radius `start` and grows to `end`, um."""

    uptake: float
    surface: float
    start: float
    end: float


class Core(NamedTuple):
    radius_um: float  # of a ball as large as what has died
    centre_mmhg: float  # oxygen in the middle, and so in all of the core that is dead to the last cell


def grow(ball: Ball, speed_um_per_h: float, tick_h: float, onset: float, full: float, per_h: float) -> Core:
    """The core when the ball has reached its end. Necrosis rises from none at `onset` to `per_h` at `full` mmHg."""
    width = 0.5
    outer = np.arange(1, round(ball.end / width) + 1) * width
    volume = (outer**3 - (outer - width) ** 3) / 3
    left = np.ones(len(outer))  # of the cells that were ever there
    radius = ball.start
    while True:
        there = np.clip((radius**3 / 3 - np.cumsum(volume) + volume) / volume, 0.0, 1.0)
        flux = ball.uptake * np.cumsum(there * left * volume) / outer**2
        inside = outer <= radius
        fall = np.where(inside, flux * width, 0.0)
        below = np.append(np.cumsum(fall[::-1])[::-1], 0.0)  # from the surface to the inner edge of each shell
        oxygen = ball.surface - (below[:-1] + below[1:]) / 2
        if radius >= ball.end:
            break
        left *= np.exp(-per_h * tick_h * np.clip((onset - oxygen) / (onset - full), 0.0, 1.0))
        radius = min(ball.end, radius + speed_um_per_h * tick_h)
    dead = float(((1 - left) * volume).sum())
    return Core((3 * dead) ** (1 / 3), float(oxygen[0]))
