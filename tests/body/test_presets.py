"""The five presets of a body without a lattice: their efficiency against its anchor, and where their seeds go first."""

import math

import numpy as np
import pytest

from seedsoil.sim.body import emission
from seedsoil.sim.body.blood_sample import probability_of_at_least
from seedsoil.sim.body.bloodstream import Bloodstream
from seedsoil.sim.body.budget import budget
from seedsoil.sim.body.emission import Law
from seedsoil.sim.body.outcomes import Steps
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario

# log10 of a metastasis per seed: Szczurek 2020 (a seeding cell), Coumans 2013, Michaelson 2005 (12 mm)
ANCHORS = {"breast": (-8.0, -7.77), "colorectal": (-8.0,), "prostate": (-8.0,), "lung": (-8.0,), "melanoma": (-8.0,)}
HALF_A_DECADE = 0.5


@pytest.fixture(scope="module")
def presets() -> dict[str, Scenario]:
    return {name: load_scenario(name) for name in ANCHORS}


def efficiency(scenario: Scenario) -> tuple[float, float]:
    """log10 of lasting colonies per single cell, and per seed of the scenario's sizes."""
    assert scenario.emission is not None
    share = emission.sizes(scenario.emission)
    through = np.array([budget(scenario.body, cells)[-1].through for cells in range(1, len(share) + 1)])
    return math.log10(through[0]), math.log10(float(share @ through))


@pytest.mark.parametrize("name", ANCHORS)
def test_the_budget_is_within_half_a_decade_of_its_anchor(name: str, presets: dict[str, Scenario]) -> None:
    single, mixed = efficiency(presets[name])
    for anchor in ANCHORS[name]:
        assert abs(single - anchor) <= HALF_A_DECADE
        assert abs(mixed - anchor) <= HALF_A_DECADE
    assert mixed > single  # clusters found more than their share


def test_another_law_of_killers_is_outside_of_it(presets: dict[str, Scenario]) -> None:
    """Planted: killers that stop at once after 4 h let fifteen times as many through."""
    body = presets["breast"].body
    assert body.gauntlet is not None
    other = body.model_copy(update={"gauntlet": body.gauntlet.model_copy(update={"fall": "step"})})
    assert math.log10(budget(other)[-1].through) > -8.0 + HALF_A_DECADE


def test_what_lasts_goes_where_autopsies_find_it(presets: dict[str, Scenario]) -> None:
    first = {}
    for name, scenario in presets.items():
        steps = Steps(scenario.body)
        found = steps.outcomes(steps.anatomy.source_of(scenario.body.primary), 1)
        lives = found.probability[0] * found.lives
        by_organ = np.bincount(found.organ[found.lives], lives[found.lives], len(steps.anatomy.organs))
        order = [steps.anatomy.organs[k] for k in np.argsort(-by_organ)]
        first[name] = [organ for organ in order if "nodes" not in organ]
    assert first["colorectal"][0] == "liver"
    assert first["prostate"][0] == "bone"
    assert first["breast"][0] == "lung"
    assert first["lung"].index("brain") < first["breast"].index("brain") or first["lung"][0] != "lung"


def test_ctc_before_metastasis_are_as_rare_as_in_patients(presets: dict[str, Scenario]) -> None:
    """No metastasis, 15 to 25 mm: 10-30 % of patients have one or more in 7.5 mL, at most 5 % five or more."""
    scenario = presets["breast"]
    assert scenario.emission is not None
    law, blood = Law.of(scenario.emission), Bloodstream(Steps(scenario.body))
    organs = np.zeros(len(blood.organs))
    one, five = [], []
    for diameter in (15.0, 17.5, 20.0, 22.5, 25.0):
        per_h = law.per_h * scenario.emission.cells_of(diameter) ** law.exponent
        mean = float(blood.in_tube(per_h, 1.0 - float(law.share_of_size[0]), organs)[-1].sum())
        one.append(probability_of_at_least(1, mean, SPREAD))
        five.append(probability_of_at_least(5, mean, SPREAD))
    assert 0.10 <= np.mean(one) <= 0.30
    assert np.mean(five) <= 0.05
    # planted: the rate of the rat, 3.2e6 cells a day and gram of tumour, gives hundreds
    rat = 3.2e6 / 24 * 4.2  # 20 mm are 4.2 mL
    assert blood.in_tube(rat, 0.0, organs)[-1].sum() > 50


SPREAD = 0.3  # shape of the spread of patients (emission.spread_shape)
