"""The emission law of a run on a lattice: how the seeds that a tumour sheds go with its cells, mu N^alpha per hour.

Between two rows of the series a tumour sheds a Poisson number of seeds of mean mu times the integral of N^alpha dt (N
interpolated geometrically). For a given alpha the likeliest mu is seeds over integral; what is left is the profile

    l(alpha) = sum n_i ln I_i(alpha) - n ln sum I_i(alpha),

whose maximum is alpha and whose fall by chi²/2 gives the interval. Counts that scatter more than Poisson numbers widen
it: the deviance is divided by the dispersion (Pearson's chi² over its degrees of freedom; McCullagh & Nelder 1989).
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2, poisson

from .reader import Run, open_run

ALPHA_RANGE = (-1.0, 3.0)
# bins of the dispersion hold this many expected seeds at least
_EXPECTED_MIN = 5.0


@dataclass(frozen=True)
class Shedding:
    """A fitted law: seeds per hour of a tumour of N cells = per_h * N**exponent."""

    per_h: float
    exponent: float
    exponent_low: float  # 95 % interval
    exponent_high: float
    dispersion: float  # of the counts: 1 for Poisson, never taken below it
    seeds: int  # that were fitted
    cells_low: float  # tumour sizes that were fitted
    cells_high: float
    hours: float
    centre_cells: float  # size at which rate and exponent are uncorrelated
    _rates: "Counts"

    def rate_per_h(self, cells: np.ndarray | float) -> np.ndarray:
        """Seeds per hour in the mean."""
        return self.per_h * np.asarray(cells, float) ** self.exponent

    def predict(self, cells: float, hours: float) -> tuple[int, int]:
        """What 95 of 100 times a tumour of `cells` sheds within `hours`, chance and the fit's own uncertainty included.

        The mean's bounds are those of the exponent's interval; the counts' spread is Poisson, by the dispersion.
        """
        return self.predict_growing([cells, cells], [0.0, hours])

    def predict_growing(self, cells: Sequence[float], time_h: Sequence[float]) -> tuple[int, int]:
        """The same of a tumour that has so many `cells` at these times: what it sheds from the first to the last."""
        low, high = (self._rates.per_h(alpha) * _along(cells, time_h).integrals(alpha).sum() for alpha in self._ends)
        wide = self.dispersion
        return (
            int(np.floor(wide * poisson.ppf(0.025, min(low, high) / wide))),
            int(np.ceil(wide * poisson.ppf(0.975, max(low, high) / wide))),
        )

    def expected(self, cells: Sequence[float], time_h: Sequence[float]) -> float:
        """Seeds that such a tumour sheds in the mean, by the likeliest law."""
        return self.per_h * float(_along(cells, time_h).integrals(self.exponent).sum())

    @property
    def _ends(self) -> tuple[float, float]:
        return self.exponent_low, self.exponent_high


@dataclass(frozen=True)
class Counts:
    """Seeds between rows: tumour cells at both ends, hours between, seeds. Arrays (rows,)."""

    cells_from: np.ndarray
    cells_to: np.ndarray
    hours: np.ndarray
    seeds: np.ndarray

    def integrals(self, alpha: float) -> np.ndarray:
        """Integral of N^alpha dt of each stretch, N changing by a constant factor per hour."""
        power = alpha * np.log(self.cells_to / self.cells_from)
        mean = np.where(np.abs(power) < 1e-8, 1.0, np.expm1(power) / np.where(power == 0, 1.0, power))
        return self.hours * self.cells_from**alpha * mean

    def per_h(self, alpha: float) -> float:
        return float(self.seeds.sum() / self.integrals(alpha).sum())

    def profile(self, alpha: float) -> float:
        integrals = self.integrals(alpha)
        return float((self.seeds * np.log(integrals)).sum() - self.seeds.sum() * np.log(integrals.sum()))


def fit_shedding(
    run: Run | str | os.PathLike[str] | Iterable[Run | str | os.PathLike[str]],
    *,
    cells: tuple[float, float] = (1.0, np.inf),
) -> Shedding:
    """Fit seeds per hour = mu N^alpha to one or several runs on a lattice, alpha with its 95 % interval.

    Args:
        run: a `Run`, a run's folder, or several; seeds of all are taken together.
        cells: only stretches in which the tumour has from this to that many cells.

    Returns: the law (`per_h`, `exponent`, `exponent_low`, `exponent_high`), which also predicts.

    Raises:
        ValueError: too few seeds or sizes to tell mu from alpha.
        RunFileError: there is no readable run.
    """
    several = [run] if isinstance(run, Run | str | os.PathLike) else list(run)
    opened = [one if isinstance(one, Run) else open_run(one) for one in several]
    return fit(gathered([stretches(one.series(), one.seeds(), cells) for one in opened]))


def stretches(series: xr.Dataset, seeds: xr.Dataset, cells: tuple[float, float] = (1.0, np.inf)) -> Counts:
    """The counts of one run: seeds that left the primary, by the rows of the series between which they did."""
    time_h = np.asarray(series["tick_time"].values, float)
    number = np.asarray(series["tumour_cells"].values, float)
    mine = np.ones(seeds.sizes["seed"], bool)
    for column in ("source", "fragment"):  # from the primary, and whole as they left
        if column in seeds:
            mine &= seeds[column].values == 0
    counted, _ = np.histogram(np.asarray(seeds["time_h"].values, float)[mine], time_h) if len(time_h) > 1 else ([], 0)
    low, high = np.minimum(number[:-1], number[1:]), np.maximum(number[:-1], number[1:])
    keep = (low >= max(cells[0], 1.0)) & (high <= cells[1])
    return Counts(number[:-1][keep], number[1:][keep], np.diff(time_h)[keep], np.asarray(counted, float)[keep])


def _along(cells: Sequence[float], time_h: Sequence[float]) -> Counts:
    """The stretches of a tumour of which nobody has counted the seeds."""
    number, at = np.asarray(cells, float), np.asarray(time_h, float)
    if number.shape != at.shape or len(at) < 2 or (number <= 0).any() or (np.diff(at) < 0).any():
        raise ValueError("a prediction needs as many numbers of cells above 0 as times, two at least, in their order")
    return Counts(number[:-1], number[1:], np.diff(at), np.zeros(len(at) - 1))


def gathered(parts: list[Counts]) -> Counts:
    names = ("cells_from", "cells_to", "hours", "seeds")
    return Counts(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def fit(counts: Counts) -> Shedding:
    """The likeliest law of `counts`. Raises ValueError if they cannot tell mu from alpha."""
    total = int(counts.seeds.sum())
    if total < 10 or len(counts.seeds) < 3:
        raise ValueError(
            f"{total} seeds in {len(counts.seeds)} stretches: too few to fit mu and alpha to; ten at least"
        )
    sizes = np.concatenate([counts.cells_from, counts.cells_to])
    if sizes.max() < 1.5 * sizes.min():
        raise ValueError(
            f"the tumour has from {sizes.min():.0f} to {sizes.max():.0f} cells: too little change to tell mu from alpha"
        )
    best = minimize_scalar(lambda a: -counts.profile(a), bounds=ALPHA_RANGE, method="bounded", options={"xatol": 1e-10})
    alpha = float(best.x)  # pyright: ignore[reportAttributeAccessIssue]
    spread = dispersion(counts, alpha)
    drop = float(chi2.ppf(0.95, 1)) / 2 * spread
    top = counts.profile(alpha)

    def below(a: float) -> float:
        return counts.profile(a) - top + drop

    low, high = ALPHA_RANGE
    low = float(brentq(below, low, alpha)) if below(low) < 0 else low  # pyright: ignore[reportArgumentType]
    high = float(brentq(below, alpha, high)) if below(high) < 0 else high  # pyright: ignore[reportArgumentType]
    weight = counts.integrals(alpha)
    middle = np.exp((weight * np.log(np.sqrt(counts.cells_from * counts.cells_to))).sum() / weight.sum())
    return Shedding(
        per_h=counts.per_h(alpha),
        exponent=alpha,
        exponent_low=low,
        exponent_high=high,
        dispersion=spread,
        seeds=total,
        cells_low=float(sizes.min()),
        cells_high=float(sizes.max()),
        hours=float(counts.hours.sum()),
        centre_cells=float(middle),
        _rates=counts,
    )


def dispersion(counts: Counts, alpha: float) -> float:
    """Pearson's chi² over its degrees of freedom, of rows gathered until each holds some seeds; at least 1."""
    expected = counts.per_h(alpha) * counts.integrals(alpha)
    group = (np.cumsum(expected) - expected / 2) // _EXPECTED_MIN
    index = np.unique(group, return_inverse=True)[1]
    mean, seen = np.bincount(index, expected), np.bincount(index, counts.seeds)
    free = len(mean) - 2
    return max(1.0, float(((seen - mean) ** 2 / mean).sum() / free)) if free > 0 else 1.0
