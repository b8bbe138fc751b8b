"""Cohorts of lasting metastases against runs of the whole, one patient at a time, and against what they are the law of."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from seedsoil.kernels.birth_death import SMALL, establishment
from seedsoil.sim.body.cohort import Cohort, Metastases
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.lasting import Lasting
from seedsoil.sim.device import Device
from seedsoil.sim.emitting import Emitting
from seedsoil.sim.scenario import Scenario

WEEK = 168.0
SLOW = {"birth_per_h": 0.004, "death_per_h": 0.001, "bottleneck_cells": 3, "slowing_per_h": 2e-4, "capacity_cells": 1e9}


def lasting(**given: object) -> Lasting:
    growth = ColonyGrowth.model_validate({**SLOW, **given})
    return Lasting(growth, growth.rates())


def test_who_lasts_is_the_ratio_formula_s() -> None:
    law = lasting(slowing_per_h=0.0)
    expected = establishment(law.rates, np.arange(SMALL + 1))
    assert law.lasts == pytest.approx(expected, abs=1e-12 + float(1 - expected[-1]))


def test_hours_while_small_are_those_of_cells_one_by_one() -> None:
    """Births and deaths drawn one at a time, of colonies that get to 64 cells (bottleneck, and Gompertz growth besides)."""
    law, rng, arrived, begun = lasting(), np.random.default_rng(1), [], 20_000
    cells, time_h, alive = np.ones(begun, int), np.zeros(begun), np.ones(begun, bool)
    rate = law._generator
    while (alive := alive & (cells > 0) & (cells < SMALL)).any():
        n = cells[alive]
        up, all_ = rate[n, n + 1], -rate[n, n]
        time_h[alive] += rng.exponential(1 / all_)
        cells[alive] += np.where(rng.random(len(n)) * all_ < up, 1, -1)
    arrived = time_h[cells == SMALL]
    share = law.lasts[1]
    assert abs(len(arrived) / begun - share) < 4 * np.sqrt(share * (1 - share) / begun)
    drawn = law.hours_small(np.ones(20_000, int), (np.arange(20_000) + 0.5) / 20_000)
    error = arrived.std() / np.sqrt(len(arrived))
    assert abs(drawn.mean() - arrived.mean()) < 4 * error
    assert abs(np.median(drawn) - np.median(arrived)) < 6 * error
    assert drawn.std() == pytest.approx(arrived.std(), rel=0.05)
    plain = np.log(SMALL) / (law.rates.birth - law.rates.death)  # planted: by the mean of those that do not die out
    assert abs(plain - arrived.mean()) > 4 * error


@pytest.mark.parametrize("avascular", [0.0, 1e5])
def test_courses_are_those_of_their_equation(avascular: float) -> None:
    law = lasting(avascular_cells=avascular)
    growth, switch = law.growth, law.hours_to_switch + 500.0 if avascular else np.inf

    def pace(time: float, n: np.ndarray) -> np.ndarray:
        free = min(law.rates.birth - law.rates.death, growth.slowing_per_h * np.log(growth.capacity_cells / n[0]))
        return free * n * (1.0 if avascular == 0 or time > switch else 1 - n / avascular)

    ends = np.linspace(100.0, 2e4, 40)
    found = solve_ivp(pace, (0, ends[-1]), [SMALL], t_eval=ends, rtol=1e-9, max_step=20.0).y[0]
    assert law.cells_at(ends, np.full(40, switch)) == pytest.approx(found, rel=2e-3)
    for cells in (1e3, 4e4, 9e4, 1e7):
        at = law.hours_until(cells, np.array([switch]))
        assert law.cells_at(at, np.array([switch]))[0] == pytest.approx(cells, rel=1e-6)
    assert law.hours_until(2e9, np.array([switch]))[0] == np.inf
    if avascular:
        assert law.hours_until(1e7, np.array([np.inf]))[0] == np.inf
        assert law.cells_at(np.array([1e6]), np.array([np.inf]))[0] == pytest.approx(avascular, rel=1e-3)


TEXT = {
    "title": "a patient", "primary": "emission", "until_h": 60 * WEEK,
    "emission": {"start_diameter_mm": 10.0, "doubling_h": 2400.0, "shedding_per_h": 5e-5, "exponent": 0.61,
                 "cluster_fraction": 0.1, "cluster_cells_max": 5, "resection_h": 30 * WEEK, "spread_shape": 2.0},
    "body": {"graph": "human", "primary": "breast", "interval_h": WEEK,
             "colonies": {**SLOW, "shedding_per_h": 5e-5, "shedding_exponent": 0.8},
             "dormancy": {"probability": 0.5, "waking_per_h": 2e-4, "death_per_h": 1e-4},
             "soil": {"lung": {"receptive_probability": 0.02}}},
}  # fmt: skip
AVASCULAR = {"avascular_cells": 2e4, "vessels_per_h": 1e-4, "surgery_vessels_probability": 0.7}


def scenario(key: int, **colonies: object) -> Scenario:
    body = TEXT["body"]
    return Scenario.model_validate(
        {**TEXT, "rng_key": key, "body": {**body, "colonies": {**body["colonies"], **colonies}}}  # type: ignore[index]
    )


def followed(patients: int, key: int = 3, **colonies: object) -> tuple[Cohort, Metastases]:
    one = scenario(0, **colonies)
    assert one.emission is not None
    cohort = Cohort(one.emission, one.body, key)
    return cohort, cohort.follow(np.full(patients, 30 * WEEK), 60 * WEEK)


@pytest.mark.parametrize("colonies", [{}, AVASCULAR])
def test_a_cohort_is_what_runs_of_the_whole_come_to(device: Device, colonies: dict) -> None:
    """Colonies above 1,000 and 30,000 cells, and what they shed, of 60 patients run tick by tick and of 3,000 here."""
    runs = []
    for key in range(60):
        run = Emitting(scenario(key, **colonies), device)
        for _ in range(60):
            run.advance()
        cells = run.circulation.metastases.field.table["cells"]
        runs.append([(cells > 1e3).sum(), (cells > 3e4).sum(), (cells[cells > 1e3] ** 0.4).sum()])
    cohort, found = followed(3000, **colonies)
    assert (found.generation > 0).sum() > 100

    def summed(found: Metastases) -> np.ndarray:
        cells = found.cells(np.full(len(found), 60 * WEEK))
        weights = [cells > 1e3, cells > 3e4, np.where(cells > 1e3, cells**0.4, 0.0)]
        return np.array([np.bincount(found.patient, weight, 3000) for weight in weights]).T

    here, there = summed(found), np.array(runs)
    error = np.sqrt(here.var(axis=0) / 3000 + here.var(axis=0) / 60)
    print(colonies, here.mean(axis=0), there.mean(axis=0), error)
    assert (abs(here.mean(axis=0) - there.mean(axis=0)) < 4 * error).all()
