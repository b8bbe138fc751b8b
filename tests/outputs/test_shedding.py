"""The emission law fitted to counts of which it is known: mu, alpha, the interval's coverage, predictions."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad

from seedsoil.outputs.shedding import Counts, fit, stretches

HOURS = np.arange(0.0, 400.0, 4.0)
CELLS = 500 * 2 ** (HOURS / 60)  # 500 to 4.9e4


def counts(alpha: float, per_h: float, key: int, cells: np.ndarray = CELLS, scatter: float = 0.0) -> Counts:
    """Poisson counts by the law; `scatter`: variance of the rate between stretches, over its square."""
    rng = np.random.default_rng(key)
    shape = Counts(cells[:-1], cells[1:], np.diff(HOURS), np.zeros(len(HOURS) - 1))
    mean = per_h * shape.integrals(alpha)
    if scatter:
        mean = mean * rng.gamma(1 / scatter, scatter, len(mean))
    return Counts(cells[:-1], cells[1:], np.diff(HOURS), rng.poisson(mean).astype(float))


def test_integrals_are_those_of_quadrature() -> None:
    for alpha in (-0.5, 0.0, 0.7, 2.0):
        by_hand = quad(lambda t, a=alpha: (500 * 2 ** (t / 60)) ** a, 0, 4)[0]
        assert counts(0.7, 0.01, 1).integrals(alpha)[0] == pytest.approx(by_hand, rel=1e-9)
    level = Counts(np.array([9.0]), np.array([9.0]), np.array([2.0]), np.array([0.0]))
    assert level.integrals(0.5)[0] == pytest.approx(6.0)


def test_intervals_hold_the_exponent_as_often_as_they_say() -> None:
    """60 fits: the number that miss is binomial of 0.05; 9 or more have a chance of 0.3 %."""
    fits = [fit(counts(0.7, 0.005, key)) for key in range(60)]
    missed = sum(not f.exponent_low <= 0.7 <= f.exponent_high for f in fits)
    assert missed < 9
    wrong = sum(not f.exponent_low <= 0.5 <= f.exponent_high for f in fits)
    assert wrong > 50  # planted: another exponent is outside nearly all of them
    assert np.mean([f.exponent for f in fits]) == pytest.approx(0.7, abs=0.02)
    rates = np.array([float(f.rate_per_h(f.centre_cells)) / (0.005 * f.centre_cells**0.7) for f in fits])
    assert rates.mean() == pytest.approx(1.0, abs=0.02)


def test_counts_that_scatter_widen_the_interval() -> None:
    plain, scattered = (fit(counts(0.7, 0.05, 3, scatter=s)) for s in (0.0, 0.5))
    assert 1.0 <= plain.dispersion < 1.5
    assert scattered.dispersion > 3
    assert scattered.exponent_high - scattered.exponent_low > 1.5 * (plain.exponent_high - plain.exponent_low)
    missed = sum(not f.exponent_low <= 0.7 <= f.exponent_high
                 for f in (fit(counts(0.7, 0.05, key, scatter=0.5)) for key in range(60)))  # fmt: skip
    assert missed < 9


def test_a_fit_predicts_a_tumour_twenty_times_larger() -> None:
    inside = misled = 0
    for key in range(40):
        law = fit(counts(0.61, 0.02, key))
        low, high = law.predict(1e6, 5.0)
        mean = 0.02 * 1e6**0.61 * 5.0
        inside += low <= np.random.default_rng(1000 + key).poisson(mean) <= high
        # planted: what every cell sheds alike would be at that size, from the largest tumour fitted
        misled += low <= mean * (1e6 / CELLS[-1]) ** 0.39 <= high
    assert inside >= 35
    assert misled <= 5


def test_too_little_to_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="ten at least"):
        fit(counts(0.7, 1e-7, 1))
    with pytest.raises(ValueError, match="too little change"):
        fit(counts(0.7, 0.1, 1, cells=np.full(len(HOURS), 900.0)))


def test_counts_of_a_run_are_of_seeds_as_they_left_the_primary() -> None:
    series = xr.Dataset({"tumour_cells": ("tick_time", [0, 2, 4, 4, 9])}, coords={"tick_time": [0.0, 1, 2, 3, 4]})
    seeds = xr.Dataset(
        {
            "time_h": ("seed", [0.5, 1.5, 1.6, 1.7, 1.8, 3.5]),
            "source": ("seed", [0, 0, 0, 1, 0, 0]),
            "fragment": ("seed", [0, 0, 0, 0, 2, 0]),
        },
        coords={"seed": np.arange(6)},
    )
    found = stretches(series, seeds)
    assert found.seeds.tolist() == [2, 0, 1]  # the stretch that began without cells is left out
    assert found.cells_from.tolist() == [2, 4, 4]
    assert stretches(series, seeds, (3, 100)).seeds.tolist() == [0, 1]
    assert math.isclose(found.hours.sum(), 3.0)
