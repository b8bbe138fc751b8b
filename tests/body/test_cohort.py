"""Cohorts of lasting metastases against runs of the whole, one patient at a time, and against what they are the law of."""

import cohorts
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from seedsoil.kernels.birth_death import SMALL, establishment
from seedsoil.sim.body import emission
from seedsoil.sim.body.bloodstream import Bloodstream
from seedsoil.sim.body.budget import budget
from seedsoil.sim.body.cohort import Cohort
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.emission import Law
from seedsoil.sim.body.lasting import Lasting
from seedsoil.sim.body.mean_field import GROWING
from seedsoil.sim.device import Device
from seedsoil.sim.emitting import Emitting
from seedsoil.sim.scenario_file import load_scenario


def lasting(**given: object) -> Lasting:
    growth = ColonyGrowth.model_validate({**cohorts.SLOW, **given})
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


def test_draws_of_a_patient_are_its_own_and_numbers_are_poisson() -> None:
    cohort, found = cohorts.followed(500)
    few = cohort.follow(np.full(50, 30 * cohorts.WEEK), 60 * cohorts.WEEK)
    same = found.of(found.patient < 50)
    assert np.array_equal(np.sort(few.small_h), np.sort(same.small_h))
    other, _ = cohorts.followed(1, key=4)
    assert not np.array_equal(other.factors(50), cohort.factors(50))
    factor = cohort.factors(500)
    assert abs(factor.mean() - 1) < 4 * np.sqrt(1 / 2 / 500)  # gamma of shape 2
    count = np.bincount(found.patient[found.generation == 0], minlength=500)
    mean = count.sum() / factor.sum() * factor
    assert abs(((count - mean) ** 2 / mean).sum() - 500) < 5 * np.sqrt(2 * 500)  # given the factor
    assert ((count - count.mean()) ** 2 / count.mean()).sum() > 650  # planted: all patients alike


def test_no_metastasis_is_as_likely_as_the_thinned_process_says() -> None:
    """exp(-integral of mu N^alpha p), p multiplied out by the efficiency budget (without Gompertz growth)."""
    body = load_scenario("breast", {"body.colonies.slowing_per_h": 0.0, "body.colonies.shedding_per_h": 0.0}).body
    table = load_scenario("breast").emission
    assert table is not None
    cohort, patients = Cohort(table, body, 1), 3000
    surgery = cohort.resected_h(np.full(patients, 20.0))
    found = cohort.follow(surgery, float(surgery[0]))
    share = emission.sizes(table)
    through = share @ [budget(body, cells)[-1].through for cells in range(1, len(share) + 1)]
    expected = np.exp(-Law.of(table).expected(0, float(surgery[0])) * through)
    none = (np.bincount(found.patient, minlength=patients) == 0).mean()
    error = np.sqrt(expected * (1 - expected) / patients)
    assert abs(none - expected) < 4 * error
    assert abs(none - expected**1.2) > 4 * error  # planted: a fifth more


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"body.niche.organs": ["lung"], "body.niche.survival_gain": 0.5}, "body.niche.organs"),
        ({"body.soil.lung.growth_factor": 2.0}, "body.soil"),
        ({"body.colonies.adaptation_probability": 0.1}, "body.colonies.adaptation_probability"),
        ({"body.colonies.death_per_h": 1.1e-3}, "body.colonies"),
    ],
)
def test_what_a_cohort_ignores_is_refused(changes: dict, named: str) -> None:
    scenario = load_scenario("breast", changes)
    assert scenario.emission is not None
    with pytest.raises(ValueError, match=f"^{named}: "):
        Cohort(scenario.emission, scenario.body, 1)


def test_samples_are_what_a_run_s_would_be(device: Device) -> None:
    """From one colony of known size, and the primary: as `Emitting.observed`."""
    cohort, _ = cohorts.followed(1)
    organs = cohort.steps.anatomy.organs
    per_h = np.zeros((2, len(organs)))
    per_h[1, organs.index("lung")] = 1000.0
    mean = cohort.in_tube(np.array([500.0, 0.0]), per_h)
    blood = Bloodstream(cohort.steps)
    assert mean[0] == pytest.approx(blood.in_tube(500.0, 0.1, np.zeros(len(organs)))[-1].sum())
    assert mean[1] == pytest.approx(blood.in_tube(0.0, 0.0, per_h[1])[-1].sum())


def test_surgery_gives_vessels_to_colonies_that_wait_and_no_others(device: Device) -> None:
    scenario = cohorts.scenario(1, **{**cohorts.AVASCULAR, "vessels_per_h": 0.0})
    run = Emitting(scenario, device)
    for _ in range(30):
        run.advance()
    field = run.circulation.metastases.field
    field.table["cells"][:40], field.table["state"][:40] = 15_000, GROWING  # of 20,000: they wait
    field.table["cells"][40:60], field.table["state"][40:60] = 900, GROWING
    assert not field.table["vascular"].any()
    run.circulation.metastases.resected()
    assert 18 < field.table["vascular"][:40].sum() < 38  # 28 of 40
    assert not field.table["vascular"][40:60].any()


def test_a_cohort_is_what_runs_of_the_whole_come_to(device: Device) -> None:
    """Of 6 patients that are alike; more, and others, in `tests/physics/test_cohort_runs.py`."""
    there = cohorts.runs(device, 6, alike=True, **cohorts.AVASCULAR)
    here = cohorts.cohort(500, alike=True, **cohorts.AVASCULAR)
    assert (abs(cohorts.apart(here, there)) < 4).all()
    without = cohorts.cohort(500, alike=True)  # planted: without angiogenic dormancy
    assert (abs(cohorts.apart(without, there)) > 4).any()


def test_recurrences_come_early_by_surgery() -> None:
    """The small form of `tests/physics/test_recurrence.py`: first metastases of 5 mm within 15 to 24 months of it."""
    early, late = [], []
    for by_surgery in (0.0, 1.0):
        changes = {"avascular_cells": 2.2e5, "vessels_per_h": 0.3 / 8766, "surgery_vessels_probability": by_surgery}
        scenario = load_scenario("breast", {f"body.colonies.{name}": value for name, value in changes.items()})
        assert scenario.emission is not None
        cohort, months = Cohort(scenario.emission, scenario.body, 1), 8766 / 12
        surgery = cohort.resected_h(np.full(1500, 25.0))
        found = cohort.follow(surgery, float(surgery[0]) + 60 * months)
        after = (found.first_h(scenario.emission.cells_of(5.0), 1500) - surgery) / months
        early.append(int(((after > 15) & (after < 24)).sum()))
        late.append(int(((after > 36) & (after < 60)).sum()))
    assert early[1] > 2 * early[0] > 20
    assert late[1] > 0.5 * late[0]
