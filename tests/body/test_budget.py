"""Efficiency budgets against published experiments, the cluster advantage, the niche in time."""

import math

import numpy as np
import pytest
from seeds_in_bodies import body

from seedsoil.kernels.birth_death import Rates, generator
from seedsoil.sim.body.budget import STEPS, budget, presets, told
from seedsoil.sim.body.niche import Niche, NicheState, raised
from seedsoil.sim.body.parameters import Body

HALF_A_DECADE = 0.5


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_comes_to_its_anchors(name: str) -> None:
    preset = presets()[name]
    found = {step.name: step.through for step in budget(preset.body)}
    assert list(found) == list(STEPS)
    for step, share in preset.anchors.items():
        assert abs(math.log10(found[step] / share)) < HALF_A_DECADE, (name, step, found[step], share)
    assert told(preset.body).endswith("found a lasting colony")


def test_experiments_that_disagree_are_seen_to() -> None:
    """Luzzi's liver by the killers of Ichise's lung, and Ichise's lung without them, are off by more than half a decade."""
    both = presets()
    for name, other, step in (("luzzi1998", "ichise2022", "extravasation"), ("ichise2022", "luzzi1998", "gauntlet")):
        swapped = both[name].body.model_copy(update={"gauntlet": both[other].body.gauntlet})
        through = {one.name: one.through for one in budget(swapped)}[step]
        assert abs(math.log10(through / both[name].anchors[step])) > HALF_A_DECADE


def test_luzzi_predicts_the_solitary_cells() -> None:
    """Fitted: 0.80 out of the vessels and 0.02 in 4 to 16 cells on day 3. Not fitted: 36 % solitary on day 13."""
    table = presets()["luzzi1998"].body
    assert table.gauntlet and table.colonies and table.dormancy
    out = table.gauntlet.extravasation_probability
    law: Rates = table.colonies.rates()
    from scipy.linalg import expm

    sizes = [expm(generator(law, 128) * hours)[1] for hours in (48.0, 288.0)]  # from day 1 on
    divides = 1.0 - table.dormancy.probability
    micro = out * divides * sizes[0][4:17].sum()
    solitary = out * (table.dormancy.probability + divides * sizes[1][1])
    assert micro == pytest.approx(0.02, abs=0.003)
    assert solitary == pytest.approx(0.36, abs=0.05)


def test_the_cluster_advantage_comes_out() -> None:
    """Nobody enters a multiplier: of the Allee bottleneck, where no killers are (Aceto et al. 2014 used mice without)."""
    mouse = Body.model_validate({"graph": "mouse", "primary": "breast", "gauntlet": {"kill_probability": 0.0}})
    share = {cells: budget(mouse, cells)[-1].share for cells in (1, 5, 6, 7)}
    assert share[1] == pytest.approx(2.5e-4, rel=0.05)
    assert [share[cells] / share[1] for cells in (5, 6, 7)] == pytest.approx([17.3, 29.5, 49.7], rel=0.01)
    free = {"bottleneck_cells": 1, "birth_per_h": 1e-3, "death_per_h": 0.9e-3}
    without = Body.model_validate({"graph": "mouse", "primary": "breast", "colonies": free})
    assert budget(without, 7)[-1].share < 7 * budget(without, 1)[-1].share  # without a bottleneck there is none


def by_small_steps(niche: Niche, factor: float, prepared: float, cells: float, hours: float) -> float:
    """The niche by the classical Runge-Kutta method, in steps of a fiftieth of a half-life or response."""
    decay, steps = math.log(2.0) / niche.factor_half_life_h, 50 * math.ceil(hours / niche.factor_half_life_h)
    steps = max(steps, 50 * math.ceil(hours / niche.response_h))

    def slope(f: float, m: float) -> np.ndarray:
        return np.array(
            [niche.secretion_per_h * cells - decay * f, (f / (f + niche.half_saturation) - m) / niche.response_h]
        )

    state, h = np.array([factor, prepared]), hours / steps
    for _ in range(steps):
        a = slope(*state)
        b = slope(*(state + 0.5 * h * a))
        c = slope(*(state + 0.5 * h * b))
        state = state + h / 6 * (a + 2 * b + 2 * c + slope(*(state + h * c)))
    return float(state[1])


@pytest.mark.parametrize("response_h", [336.0, 3.0])
@pytest.mark.parametrize(("cells", "hours"), [(0.0, 2400.0), (0.0, 240.0), (300.0, 240.0), (3.0, 1.0)])
def test_the_niche_is_the_same_for_any_interval(response_h: float, cells: float, hours: float) -> None:
    niche = Niche(organs=("lung",), factor_half_life_h=24.0, half_saturation=1000.0, response_h=response_h)
    once, often = NicheState(5e4, 0.9), NicheState(5e4, 0.9)
    once.advance(niche, cells, hours)
    for _ in range(10):
        often.advance(niche, cells, hours / 10)
    exact = by_small_steps(niche, 5e4, 0.9, cells, hours)
    assert once.prepared == pytest.approx(exact, rel=1e-5, abs=1e-9)
    assert often.prepared == pytest.approx(once.prepared, rel=1e-11, abs=1e-13)
    # planted: the saturation of the mean of both ends
    middle = 0.5 * (5e4 + once.factor)
    target = middle / (middle + 1000.0)
    if hours > 1.0 and cells == 0.0:
        assert target + (0.9 - target) * math.exp(-hours / response_h) > exact + 0.05


def test_the_niche_rises_saturates_and_decays_after_resection() -> None:
    niche = Niche(
        organs=("lung",), factor_half_life_h=20.0, half_saturation=1000.0, response_h=100.0, survival_gain=0.5
    )
    coarse, fine = NicheState(), NicheState()
    for _ in range(100):
        coarse.advance(niche, 200.0, 12.0)
    for _ in range(12_000):
        fine.advance(niche, 200.0, 0.1)
    rest = 200.0 * 20.0 / math.log(2.0)
    assert coarse.factor == pytest.approx(rest, rel=1e-12) == fine.factor
    assert coarse.prepared == pytest.approx(rest / (rest + 1000.0), abs=1e-3)
    assert coarse.prepared == pytest.approx(fine.prepared, abs=1e-3)
    for _ in range(2):  # no primary: two half-lives
        coarse.advance(niche, 0.0, 20.0)
    assert coarse.factor == pytest.approx(rest / 4, rel=1e-12)
    for _ in range(100):
        coarse.advance(niche, 0.0, 20.0)
    assert coarse.prepared < 1e-3
    still = NicheState()
    still.advance(Niche(), 1e9, 24.0)
    assert (still.factor, still.prepared) == (0.0, 0.0)


def test_a_prepared_organ_takes_more_and_no_other_does() -> None:
    given = {"organs": ["lung"], "survival_gain": 0.8, "extravasation_gain": 0.5, "receptive_gain": 0.5}
    table = body(niche=given, soil={"lung": {"receptive_probability": 0.3}})
    plain, ready = budget(table), budget(table, level=1.0)
    by_name = {a.name: (a.share, b.share) for a, b in zip(plain, ready, strict=True)}
    assert by_name["gauntlet"][1] > 5 * by_name["gauntlet"][0]
    assert by_name["transit"][0] == by_name["transit"][1]
    elsewhere = body(niche={**given, "organs": ["bone"]}, soil={"lung": {"receptive_probability": 0.3}})
    assert budget(elsewhere, level=1.0)[-1].through < 0.1 * ready[-1].through
    assert raised(0.3, 0.5, np.array([0.0, 1.0])).tolist() == pytest.approx([0.3, 0.65])
