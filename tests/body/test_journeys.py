"""Seeds in a body that is a graph: sampled fates against the exact ones, and draws that belong to one seed alone.

Counts are held against the binomial law at 4 standard errors; keys are fixed.
"""

import math

import numpy as np
import pytest
from seeds_in_bodies import TICK_H, body, clusters, single_cells, travel

from seedsoil.sim.body.account import Account
from seedsoil.sim.body.gauntlet import Gauntlet, kill_probabilities, survival_probability
from seedsoil.sim.body.mean_field import DORMANT
from seedsoil.sim.body.outcomes import Steps
from seedsoil.sim.body.passage import Kind, enriched, hazard_per_h, share_of
from seedsoil.sim.body.seed_draws import mean_trait
from seedsoil.sim.body.seeds import NONE, Fate
from seedsoil.sim.device import Device

MANY = 20_000
DAYS = round(400 / TICK_H)  # by then nobody travels, and nobody waits
TABLES = {
    "transit": {"small_fraction": 0.3, "evasive_fraction": 0.3, "cloaked_fraction": 0.2, "shear_per_h": 0.5},
    "gauntlet": {"full_h": 4.0, "end_h": 12.0},
    "soil": {"lung": {"receptive_probability": 0.4}, "bone": {"adhesion_probability": 0.5}},
    "colonies": {"birth_per_h": 0.0, "death_per_h": 0.0, "bottleneck_ratio": 0.0},
}


def within(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) <= 4 * math.sqrt(max(n * p * (1 - p), 1e-9))


@pytest.fixture(scope="module")
def travelled(device: Device):
    seeds = single_cells(MANY)
    return seeds, travel(body(**TABLES), seeds, device, DAYS)


def test_sampled_fates_are_the_exact_ones(travelled) -> None:
    seeds, account = travelled
    start = account.steps.anatomy.source_of("breast", "blood")
    exact = account.steps.outcomes(start)
    assert exact.probability.sum() == pytest.approx(1.0, abs=1e-12)
    fate, organ = seeds.table["fate"], seeds.table["organ"]
    assert set(np.unique(fate)) == {Fate.DIED_IN_TRANSIT, Fate.DIED_AFTER_ARREST, Fate.COLONY}
    off = 0
    wrong = Steps(body(**{**TABLES, "transit": {**TABLES["transit"], "evasive_factor": 0.5}})).outcomes(start)
    for which in range(len(account.steps.anatomy.organs)):
        for what in (Fate.DIED_AFTER_ARREST, Fate.COLONY):
            count = int(((fate == what) & (organ == which)).sum())
            p, q = (float(o.probability[0, (o.fate == what) & (o.organ == which)].sum()) for o in (exact, wrong))
            assert within(count, MANY, p), (account.steps.anatomy.organs[which], what)
            off += not within(count, MANY, q)
    assert within(int((fate == Fate.DIED_IN_TRANSIT).sum()), MANY, float(exact.probability[0, 0]))
    assert np.all((organ == NONE) == (fate == Fate.DIED_IN_TRANSIT))
    assert off > 0  # a planted error: evasion of another strength is seen


def test_evasion_is_enriched_as_the_formula_says(travelled) -> None:
    """f' = f S_e/(f S_e + (1 - f) S_0) among those that settled."""
    seeds, account = travelled
    steps, start = account.steps, account.steps.anatomy.source_of("breast", "blood")
    survival = []
    for evasive in (True, False):
        share = {kind: share_of(steps.transit, kind) for kind in (Kind.of(code) for code in range(16))}
        whole = sum(p for kind, p in share.items() if kind.evasive == evasive and not kind.cluster)
        one = steps.outcomes(
            start, share=lambda kind, e=evasive, w=whole, s=share: s[kind] / w if kind.evasive == e else 0.0
        )
        survival.append(float(one.probability[0, one.lives].sum()))
    expected = enriched(0.3, *survival)
    settled = seeds.table["fate"] == Fate.COLONY
    evasive = account.journeys.table["kind"][settled] >> 2 & 1
    assert expected > 0.5 > 0.3
    assert within(int(evasive.sum()), int(settled.sum()), expected)
    assert not within(int(evasive.sum()), int(settled.sum()), 0.3)
    assert account.colonies.table["evasive"].sum() == evasive.sum()


def test_what_happens_to_a_seed_depends_on_no_other(travelled, device: Device) -> None:
    seeds, account = travelled
    few = single_cells(300, skip=5000)
    alone = travel(body(**TABLES), few, device, DAYS)
    for name in ("fate", "organ", "arrest_tick"):
        assert few.table[name].tolist() == seeds.table[name][5000:5300].tolist()
    for name in ("kind", "killed", "due_tick", "entity_low"):
        assert alone.journeys.table[name].tolist() == account.journeys.table[name][5000:5300].tolist()
    other = single_cells(300, skip=5000)
    travel(body(**TABLES), other, device, DAYS, key=2)
    assert other.table["fate"].tolist() != few.table["fate"].tolist()


def test_the_form_of_the_fall_decides() -> None:
    """0.0164 by an even fall from 4 to 24 h, 0.25 at once, 0.5^12 without one (Ichise et al. 2022)."""
    linear = Gauntlet()
    assert kill_probabilities(linear)[:3] == pytest.approx([0.5, 0.5, 0.45])
    assert survival_probability(linear, 1) == pytest.approx(0.016368, abs=1e-6)
    assert survival_probability(Gauntlet(fall="step"), 1) == 0.25
    assert survival_probability(Gauntlet(full_h=24.0), 1) == 0.5**12
    assert survival_probability(Gauntlet(extravasation_h=4.0), 1) == 0.25  # out of the vessel it meets them no more
    assert survival_probability(linear, 13) == 1.0
    assert survival_probability(linear, 1, factor=0.0) == 1.0


def test_a_cluster_loses_a_cell_to_each_killer_that_hits(device: Device) -> None:
    seeds = clusters([4] * 3000)
    table = body(**{**TABLES, "transit": {"breakup_probability": 0.0}, "arrest": {"cluster_pass_probability": 0.0}})
    account = travel(table, seeds, device, DAYS)
    arrested = seeds.table["fate"] != Fate.DIED_IN_TRANSIT
    killed = account.journeys.table["killed"][arrested]
    law = account.steps.left_law(Kind(cluster=True), 4, np.zeros(1))[0]
    for left in range(5):
        assert within(int((killed == 4 - left).sum()), int(arrested.sum()), law[left])
    founders = account.colonies.table["founder_cells"]
    seed = account.colonies.table["founder_seed"]
    assert np.array_equal(founders, 4 - account.journeys.table["killed"][seed])
    assert seeds.fragments == 0


def test_rates_of_nothing_are_off(device: Device) -> None:
    seeds = clusters([3, 1] * 500)
    table = body(
        transit={
            "breakup_probability": 0.0,
            "shear_per_h": 0.0,
            "nk_per_h": 0.0,
            "anoikis_per_h": 0.0,
            "small_fraction": 0.0,
        },
        gauntlet={"kill_probability": 0.0, "extravasation_probability": 1.0},
    )
    account = travel(table, seeds, device, 60)
    assert set(np.unique(seeds.table["fate"])) <= {Fate.COLONY, Fate.IN_TRANSIT, Fate.ARRESTED}
    assert not account.journeys.table["killed"].any()
    assert hazard_per_h(table.transit, Kind(evasive=True, cloaked=True)) == 0.0
    assert account.niche.factor == account.niche.prepared == 0.0


HARMLESS = {"shear_per_h": 0.0, "nk_per_h": 0.0, "anoikis_per_h": 0.0}


@pytest.mark.parametrize(
    ("transit", "arrest", "named"),
    [
        ({**HARMLESS, "shear_per_h": 1e-3, "small_fraction": 1.0}, {"small_pass_probability": 1.0}, "small"),
        (HARMLESS, {"large_pass_probability": 1.0}, "large"),
        ({**HARMLESS, "small_fraction": 0.0}, {"cluster_pass_probability": 1.0}, "cluster"),
    ],
)
def test_seeds_that_would_go_round_for_ever_are_refused_before_a_run(transit: dict, arrest: dict, named: str) -> None:
    everywhere = {"node_pass_probability": 1.0, "cavity_pass_probability": 1.0, **arrest}
    with pytest.raises(ValueError, match=rf"body\.arrest\.{named}_pass_probability: such seeds would come into"):
        body(transit=transit, arrest=everywhere)
    # what holds or kills them in time is enough, and a kind that there is not is none
    held = body(transit=transit, arrest={**everywhere, f"{named}_pass_probability": 0.99})
    assert held.arrest and held.transit
    if named == "small":
        body(transit={**transit, "small_fraction": 0.0}, arrest=everywhere)


def test_every_cell_of_a_cluster_comes_off_alike(device: Device) -> None:
    seeds = clusters([5] * 800)
    travel(body(transit={"breakup_probability": 0.3, "small_fraction": 0.0}), seeds, device, 1)
    assert seeds.table["cells"].sum() == 4000
    assert seeds.fragments == seeds.table.rows - 800
    members = seeds.table["fragment"][800:] - 1
    for member in range(1, 5):
        assert within(int((members == member).sum()), 800, 0.3)
        assert not within(int((members == member).sum()), 800, 0.45)


def test_dormant_seeds_lie_still_until_they_wake(device: Device) -> None:
    given = {
        "gauntlet": {"kill_probability": 0.0, "extravasation_probability": 1.0},
        "dormancy": {"probability": 0.4, "waking_per_h": 0.001, "death_per_h": 0.0005},
        "colonies": {"birth_per_h": 0.0, "death_per_h": 0.0, "bottleneck_ratio": 0.0},
        "interval_h": 50.0,
        "transit": {"small_fraction": 0.0},
    }
    seeds = single_cells(4000)
    account = travel(body(**given), seeds, device, round(30 / TICK_H))
    settled = int(np.isin(seeds.table["fate"], (Fate.DORMANT, Fate.COLONY)).sum())
    assert settled > 3900 and within(seeds.count(Fate.DORMANT), settled, 0.4)
    first = account.metastases.field.count(DORMANT)
    assert first == seeds.count(Fate.DORMANT)
    for tick in range(round(30 / TICK_H), round(1060 / TICK_H)):
        account.advance(seeds, tick)
    # 21 intervals of 50 h
    assert within(account.metastases.field.count(DORMANT), first, math.exp(-0.0015 * 1050))
    assert seeds.count(Fate.DORMANT) == account.metastases.field.count(DORMANT)


@pytest.mark.parametrize(("interval_h", "waits_h"), [(240.0, 239.5), (48.0, 20.0), (24.0, 20.0)])
def test_a_colony_grows_and_sheds_from_the_hour_of_its_founding(
    device: Device, interval_h: float, waits_h: float
) -> None:
    """However long an interval is: e^(bt) cells and mu t seeds in the mean, t the hours since it was founded."""
    b, shed, hours = 0.01, 0.05, 240.0
    given = {
        "interval_h": interval_h,
        "transit": {"small_fraction": 0.0, "shear_per_h": 0.0, "nk_per_h": 0.0, "anoikis_per_h": 0.0},
        "gauntlet": {"kill_probability": 0.0, "extravasation_probability": 1.0, "extravasation_h": waits_h},
        "colonies": {
            "birth_per_h": b,
            "death_per_h": 0.0,
            "bottleneck_cells": 1,
            "shedding_per_h": shed,
            "shedding_exponent": 0.0,
        },
    }
    seeds = single_cells(2000)
    account = Account(body(**given), TICK_H, 1, device)
    for tick in range(round(hours / TICK_H) + 1):
        account.advance(seeds, tick)
    colonies, last = account.colonies.table, round(hours / TICK_H)
    first = colonies["parent"] == NONE
    age = (last - colonies["founded_tick"]) * TICK_H
    assert first.sum() > 1900 and (age[first] <= 220.5).all()
    cells, mean = account.metastases.field.table["cells"], np.exp(b * age)
    error = math.sqrt(float((mean * (mean - 1)).sum()))
    assert abs(float((cells - mean).sum())) <= 4 * error
    expected = shed * float(age.sum())
    released = seeds.released - 2000
    assert abs(released - expected) <= 4 * math.sqrt(expected)
    if interval_h > 24.0:  # planted: a whole interval at once
        whole = np.ceil(np.maximum(age, TICK_H) / interval_h) * interval_h
        assert float((np.exp(b * whole) - mean).sum()) > 10 * error
        assert shed * float(whole.sum()) > expected + 10 * math.sqrt(expected)


def test_traits_of_clones_are_carried_into_the_body(device: Device) -> None:
    """A clone that nobody sees evades; one that divides twice as fast has colonies of another law; mixed seeds are between."""
    trait = {"visibility": np.array([1.0, 0.0]), "division": np.array([1.0, 2.0])}
    account = Account(body(**{**TABLES, "interval_h": 24.0, "colonies": {}}), TICK_H, 1, device, trait.get)
    seeds = single_cells(4000)
    seeds.members["clone"][:] = seeds.table["clone"][:] = np.arange(4000) % 2
    for tick in range(DAYS):
        account.advance(seeds, tick)
    evasive, clone = account.journeys.table["kind"] >> 2 & 1, seeds.table["clone"]
    assert evasive[clone == 1].all() and within(int(evasive[clone == 0].sum()), 2000, 0.3)
    colony = account.colonies.table["clone"]
    rates = [account.metastases.field.rates_of(int(np.flatnonzero(colony == which)[0])) for which in (0, 1)]
    assert rates[1].birth == pytest.approx(2 * rates[0].birth, rel=0.05)  # in steps of a tenth
    mixed = clusters([4])
    mixed.members["clone"][:] = [0, 0, 0, 1]
    assert mean_trait(mixed, np.array([0]), trait["division"]) == pytest.approx([1.25])
    assert mean_trait(mixed, np.array([0]), None).tolist() == [1.0]
