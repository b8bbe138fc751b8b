"""What a fit knows of its numbers, and what it cannot tell apart.

From the curvature at the joint optimum, where circulation is free too. The level of all soils together and how aggressive
all primaries are trade off one for one, so soils are told as contrasts to their mean.
"""

from typing import NamedTuple

import numpy as np

from .arrivals import ROUTES, Arrivals
from .autopsies import Autopsies
from .soils import ROUTE_SD, SOIL_SD, fit

CORRELATED = 0.5  # pairs beyond it are told
UNLEARNT = 0.5  # share of the prior's variance that is left: beyond it the data say little


class Number(NamedTuple):
    """One fitted number: estimate, posterior standard deviation, what it was beforehand."""

    name: str
    value: float
    sd: float
    prior_sd: float

    @property
    def left(self) -> float:
        """Share of the prior variance that the data leave."""
        return (self.sd / self.prior_sd) ** 2


class Posterior(NamedTuple):
    """Routes first, then soils as contrasts; `correlation` in the same order."""

    numbers: list[Number]
    correlation: np.ndarray

    def pairs(self, beyond: float = CORRELATED) -> list[tuple[str, str, float]]:
        """Pairs that trade off, the strongest first."""
        found = [
            (self.numbers[i].name, self.numbers[j].name, float(self.correlation[i, j]))
            for i in range(len(self.numbers))
            for j in range(i)
            if abs(self.correlation[i, j]) >= beyond
        ]
        return sorted(found, key=lambda pair: -abs(pair[2]))

    def unlearnt(self) -> list[Number]:
        return [number for number in self.numbers if number.left > UNLEARNT]


def posterior(table: Autopsies, arrivals: Arrivals, sigma: float) -> Posterior:
    """Of a fit to the whole table at this σ."""
    fitted = fit(table, arrivals, sigma)
    rows, columns = table.counts.shape
    routes = int(fitted.free.sum())
    contrast = np.zeros((routes + columns, len(fitted.covariance)))
    contrast[:routes, rows + columns :] = np.eye(routes)
    contrast[routes:, rows : rows + columns] = np.eye(columns) - 1.0 / columns
    covariance = contrast @ fitted.covariance @ contrast.T
    sd = np.sqrt(np.diag(covariance))
    values = [*fitted.theta[fitted.free], *(fitted.soils - fitted.soils.mean())]
    labels = [name for name, free in zip(ROUTES, fitted.free, strict=True) if free]
    labels += [f"soil of {site}" for site in table.sites]
    priors = [ROUTE_SD] * routes + [SOIL_SD * float(np.sqrt(1.0 - 1.0 / columns))] * columns
    numbers = [Number(*n) for n in zip(labels, map(float, values), map(float, sd), priors, strict=True)]
    return Posterior(numbers, covariance / np.outer(sd, sd))
