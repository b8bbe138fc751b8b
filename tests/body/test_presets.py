"""The five presets of a body without a lattice: their efficiency against its anchor, and where their seeds go first."""

import csv
import math
from importlib.resources import files

import numpy as np
import pytest

from seedsoil.sim.body import emission
from seedsoil.sim.body.blood_sample import probability_of_at_least
from seedsoil.sim.body.bloodstream import Bloodstream
from seedsoil.sim.body.budget import budget
from seedsoil.sim.body.emission import Law
from seedsoil.sim.body.outcomes import Steps
from seedsoil.sim.body.parameters import Body
from seedsoil.sim.body.passage import source_of_organ
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


def by_organ(body: Body, start: np.ndarray) -> np.ndarray:
    """(organs,) that a single cell that starts there lives on in each."""
    steps = Steps(body)
    found = steps.outcomes(start, 1)
    lives = found.probability[0] * found.lives
    return np.bincount(found.organ[found.lives], lives[found.lives], len(steps.anatomy.organs))


def with_lining(body: Body, factor: float) -> Body:
    pleura = body.soil_of("pleura").model_copy(update={"lining_factor": factor})
    return body.model_copy(update={"soil": {**body.soil, "pleura": pleura}})


def test_a_lung_tumour_reaches_the_pleura_about_as_often_as_counted(presets: dict[str, Scenario]) -> None:
    """With the soil of all presets: among the sites without nodes, by 2. In-sample: the factor is derived from this count."""
    table = (files("seedsoil.scenarios") / "data" / "autopsies_disibio2008.csv").read_text("utf-8").splitlines()
    row = next(row for row in csv.DictReader(table) if row["primary"] == "lung")
    sites = [name for name in row if name not in ("primary", "n_autopsies", "lung") and "nodes" not in name]
    counted = int(row["pleura"]) / sum(int(row[name]) for name in sites)
    body = presets["lung"].body
    organs = body.anatomy.organs
    share = []
    for factor in (body.soil_of("pleura").lining_factor, 1.0):
        lives = by_organ(with_lining(body, factor), body.anatomy.source_of("lung"))
        share.append(lives[organs.index("pleura")] / sum(lives[organs.index(name)] for name in sites))
    assert 0.5 < share[0] / counted < 2.0
    assert share[1] / counted > 5.0  # planted: a lining that holds all that its cavity does not let go
    scale = [presets[name].body.soil_of("bone").receptive_probability for name in ("breast", "lung")]
    soil = [presets[name].body.soil_of("pleura").receptive_probability for name in ("breast", "lung")]
    assert soil[0] / soil[1] == pytest.approx(scale[0] / scale[1], rel=0.01)  # no deviation of one primary


@pytest.mark.parametrize("name", ANCHORS)
def test_colonies_of_the_pleura_do_not_seed_it_above_all(name: str, presets: dict[str, Scenario]) -> None:
    """Their seeds live on in it less often than those of the lung do anywhere."""
    body = presets[name].body
    organs = body.anatomy.organs
    lung = by_organ(body, source_of_organ(body.anatomy, "lung")).sum()
    own = [
        by_organ(with_lining(body, factor), source_of_organ(body.anatomy, "pleura"))[organs.index("pleura")]
        for factor in (body.soil_of("pleura").lining_factor, 1.0, 0.0)
    ]
    assert own[0] < lung
    assert own[1] / lung > 5.0  # planted: a lining that holds all that its cavity does not let go
    assert own[2] < 1e-3 * own[1]  # without the cavity


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
