"""The passes over colonies: equal to their plain form, safe at extremes, off at rate zero; crowding by its closed forms."""

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm
from twins import colony_twin as twin

from seedsoil.kernels.birth_death import (
    OVERRATED_MAX,
    SMALL,
    Rates,
    establishment,
    generator,
    lineage,
    overrated,
    transitions,
)
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.mean_field import DORMANT, EXTINCT, GROWING, ON_LATTICE, WAITING, MeanField
from seedsoil.sim.body.parameters import Body
from seedsoil.sim.device import Device
from seedsoil.sim.errors import BeyondLimits, IdentityBroken

ALL = ColonyGrowth(
    birth_per_h=0.02,
    death_per_h=0.008,
    avascular_cells=1e5,
    vessels_per_h=0.02,
    capacity_cells=1e9,
    slowing_per_h=1e-3,
    adaptation_probability=0.03,
    adapted_birth_factor=1.3,
    adapted_death_factor=0.8,
    shedding_per_h=1e-3,
)


def mixed(growth: ColonyGrowth, device: Device, rows: int = 240) -> tuple[MeanField, list[twin.Colony], twin.World]:
    """Colonies of every state and size, some of them adapted in part, some wholly, and their twins."""
    field = MeanField(growth, 24.0, device, rng_key=7, dormant_wake_per_h=0.01, dormant_death_per_h=0.02)
    rng = np.random.default_rng(2)
    cells = np.exp(rng.uniform(0, np.log(1e8), rows)).astype(np.int64)
    adapted = rng.choice([0.0, 0.0, 0.5, 1.0], rows)
    adapted = (cells * adapted).astype(np.int64)
    states = rng.choice([GROWING] * 6 + [DORMANT, WAITING, ON_LATTICE], rows)
    entities = rng.integers(0, 2**64, rows, dtype=np.uint64)
    vascular = rng.integers(0, 2, rows)
    own, fit = field.law(), field.law(adapted=True)
    field.found(entities, cells, law=own, adapted_law=fit, adapted=adapted, state=states, vascular=vascular)
    laws = (growth.rates(), growth.rates(adapted=True))
    columns = zip(entities, states, vascular, cells, adapted, strict=True)
    twins = [twin.Colony(int(e), *laws, int(s), bool(v), int(n), int(a)) for e, s, v, n, a in columns]
    return field, twins, twin.World(growth, 24.0, field.key, 0.01, 0.02)


@pytest.mark.parametrize("growth", [ALL, ColonyGrowth(birth_per_h=0.05, death_per_h=0.01)])
def test_the_passes_equal_their_plain_form(device: Device, growth: ColonyGrowth) -> None:
    field, twins, world = mixed(growth, device)
    for interval in range(3):
        hours = np.full(len(twins), 24.0)
        if interval == 1:  # most were not there at its start
            hours = np.random.default_rng(4).choice([24.0, 17.5, 0.5, 0.0], len(twins))
        for colony, span in zip(twins, hours, strict=True):
            colony.span = float(span)
        field.advance(interval, hours if interval < 2 else None)
        shed = field.shed(interval, hours if interval < 2 else None)
        twins = [twin.advance(colony, interval, world) for colony in twins]
        for name in ("cells", "adapted", "state", "before"):
            np.testing.assert_array_equal(field.table[name], [getattr(colony, name) for colony in twins], name)
        np.testing.assert_array_equal(field.table["vascular"], [colony.vascular for colony in twins])
        if growth.shedding_per_h:
            np.testing.assert_array_equal(np.stack(shed, axis=1), [twin.shed(c, interval, world) for c in twins])
            assert shed[0].sum() > shed[1].sum() > 0


def test_extremes_are_safe(device: Device) -> None:
    cells = np.array([1, 64, 65, 99_999, 100_000, 10**12, 10**15])
    fast = ColonyGrowth(birth_per_h=0.5, death_per_h=0.4, bottleneck_cells=1, capacity_cells=1e15, slowing_per_h=5e-3)
    doomed = ColonyGrowth(birth_per_h=0.0, death_per_h=10.0, bottleneck_cells=1)
    for growth, states in ((fast, {GROWING, EXTINCT}), (doomed, {EXTINCT})):
        field = MeanField(growth, 24.0, device)
        field.found(np.arange(7, dtype=np.uint64), cells, law=field.law())
        for interval in range(4):
            field.advance(interval)
        assert set(field.table["state"]) <= states
        assert ((field.table["cells"] == 0) == (field.table["state"] == EXTINCT)).all()
        assert (field.table["cells"] < 2e15).all()
    empty = MeanField(fast, 24.0, device)
    empty.advance(0)
    assert len(empty.shed(0)[0]) == 0


def test_only_what_is_declared_is_written(device: Device) -> None:
    field, _, _ = mixed(ALL, device)
    kept = {n: field.table[n].copy() for n in ("entity_low", "entity_high", "law", "adapted_law")}
    idle = np.isin(field.table["state"], (WAITING, ON_LATTICE, EXTINCT))
    before = field.table["cells"][idle].copy()
    field.advance(0)
    assert all((field.table[name] == kept[name]).all() for name in kept)
    assert (field.table["cells"][idle] == before).all()


def test_normal_numbers_stand_for_many_cells_and_only_for_many(device: Device) -> None:
    """Sizes of very many cells against the sum they stand for; and of as many that hardly ever divide, a Poisson number."""
    rows = 20_000
    fast = ColonyGrowth(birth_per_h=0.03, death_per_h=0.012)
    field = MeanField(fast, 24.0, device)
    field.found(np.arange(rows, dtype=np.uint64), 20_000, law=field.law())
    field.advance(0)
    dead, spread = lineage(0.03, 0.012, 24.0)
    rng = np.random.default_rng(3)
    alive = rng.binomial(20_000, 1 - dead, rows)
    expected = alive + rng.negative_binomial(alive, 1 - spread)
    assert stats.ks_2samp(field.table["cells"], expected).pvalue > 1e-4
    assert stats.ks_2samp(field.table["cells"], expected + 15).pvalue < 1e-4  # a twelfth of a standard deviation
    slow = ColonyGrowth(birth_per_h=1e-7, death_per_h=0.0)
    field = MeanField(slow, 24.0, device)
    field.found(np.arange(rows, dtype=np.uint64), 10**6, law=field.law())
    field.advance(0)
    born = field.table["cells"] - 10**6
    none = np.exp(-2.4)
    assert abs((born == 0).mean() - none) < 4 * (none / rows) ** 0.5
    assert abs(born.mean() - 2.4) < 4 * (2.4 / rows) ** 0.5


def test_growth_ends_at_the_capacity(device: Device) -> None:
    """Also where nothing slows it before; in 40 intervals it would be 2e19 cells."""
    rows = np.array([200, 10**8, 9 * 10**11, 10**12, 3 * 10**12])
    field = MeanField(ColonyGrowth(birth_per_h=0.03, death_per_h=0.005), 24.0, device)
    field.found(np.arange(5, dtype=np.uint64), rows, law=field.law())
    for interval in range(60):
        field.advance(interval)
    assert (field.table["state"] == GROWING).all()
    np.testing.assert_allclose(field.table["cells"], [1e12, 1e12, 1e12, 1e12, 3e12], rtol=1e-4)


def test_what_cannot_be_counted_stops_the_run(device: Device) -> None:
    field = MeanField(ColonyGrowth(shedding_per_h=1e3, shedding_exponent=2.0), 24.0, device)
    field.found(np.arange(2, dtype=np.uint64), np.array([10, 10**11]), law=field.law())
    field.advance(0)
    with pytest.raises(BeyondLimits, match="too many to be counted"):
        field.shed(0)
    field.table["cells"][1] = 10**17  # the detector
    with pytest.raises(IdentityBroken, match="colony 1 has -1 cells"):
        field.advance(1)


def test_what_wakes_at_the_end_of_an_interval_sheds_nothing_in_it(device: Device) -> None:
    still = ColonyGrowth(birth_per_h=0.0, death_per_h=0.0, shedding_per_h=1.0)
    field = MeanField(still, 24.0, device, dormant_wake_per_h=0.01)
    field.found(np.arange(2000, dtype=np.uint64), 1, law=field.law(), state=DORMANT)
    field.advance(0)
    woken = field.table["state"] == GROWING
    assert woken.sum() > 300 and field.shed(0)[0].sum() == 0
    field.advance(1)
    shed = field.shed(1)[0]
    assert abs(shed[woken].mean() - 24) < 4 * (24 / woken.sum()) ** 0.5 and shed[~woken].sum() == 0


@pytest.mark.parametrize(
    ("table", "hours", "why"),
    [
        ({"bottleneck_cells": 48, "bottleneck_ratio": 1.2, "death_per_h": 0.027}, 240.0, "bottleneck of 48"),
        ({"birth_per_h": 1.2, "death_per_h": 1.2}, 240.0, "more than 65535"),
    ],
)
def test_intervals_too_long_for_their_law_are_refused(device: Device, table: dict, hours: float, why: str) -> None:
    growth = ColonyGrowth(**{"birth_per_h": 0.03, **table})
    MeanField(growth, hours / 10, device).law()
    with pytest.raises(BeyondLimits, match=why):
        MeanField(growth, hours, device).law()
    with pytest.raises(ValueError, match=why):
        Body.model_validate(
            {"graph": "human", "primary": "breast", "interval_h": hours, "colonies": growth.model_dump()}
        )


def test_overrated_establishment_is_that_of_a_process_that_forgets_the_bottleneck() -> None:
    """From 65 cells without a bottleneck for 240 h, by its generator; the law as it is keeps P_65 over any time."""
    rates = Rates(0.03, 0.027, 48, 0.036)
    grown = {}
    for name, law in (("without", rates._replace(bottleneck=1)), ("with", rates)):
        ends = expm(generator(law, 420) * 240.0)[SMALL + 1]
        grown[name] = float(ends @ establishment(rates, np.arange(420)))
    assert grown["with"] == pytest.approx(float(establishment(rates, SMALL + 1)), abs=1e-5)
    assert overrated(rates, 240.0) == pytest.approx(grown["without"] - grown["with"], abs=1e-5)
    assert overrated(rates, 240.0) == pytest.approx(0.060, abs=0.001) and overrated(rates, 24.0) < OVERRATED_MAX


@pytest.mark.parametrize("adaptation", [0.0, 1e-9])
def test_few_cells_grow_by_gompertz_too(device: Device, adaptation: float) -> None:
    """From the table and one by one: the mean of 20 cells, K = 1000, is Gompertz's; growth without it is 1.62-fold."""
    rows = 20_000
    growth = ColonyGrowth(
        birth_per_h=0.02,
        death_per_h=0.0,
        bottleneck_cells=1,
        capacity_cells=1e3,
        slowing_per_h=1e-3,
        adaptation_probability=adaptation,
    )
    field = MeanField(growth, 24.0, device)
    field.found(np.arange(rows, dtype=np.uint64), 20, law=field.law())
    field.advance(0)
    cells = field.table["cells"]
    error = cells.std() / rows**0.5
    # of cells in colonies of several sizes the mean lags a little behind: ln is concave
    expected = gompertz(20, 1e3, 1e-3, 24.0)
    assert abs(cells.mean() - expected) < 4 * error + 0.1
    assert abs(cells.mean() - gompertz(20, 1e3, 1.3e-3, 24.0)) > 4 * error + 0.1


def gompertz(n: float, capacity: float, slowing: float, time: float) -> float:
    return capacity * np.exp(np.log(n / capacity) * np.exp(-slowing * time))


def test_large_colonies_grow_by_gompertz(device: Device) -> None:
    """Where a ln(K/n) < r from the start: V = K exp(ln(V0/K) e^(-at)), here of so many cells that chance is below 1e-6."""
    growth = ColonyGrowth(birth_per_h=0.02, death_per_h=0.0, capacity_cells=1e15, slowing_per_h=1e-3)
    field = MeanField(growth, 24.0, device)
    start = np.array([10**14, 3 * 10**14, 10**15])
    field.found(np.arange(3, dtype=np.uint64), start, law=field.law())
    for interval in range(10):
        field.advance(interval)
    expected = gompertz(start, 1e15, 1e-3, 240.0)
    np.testing.assert_allclose(field.table["cells"], expected, rtol=1e-6)
    assert not np.allclose(field.table["cells"], gompertz(start, 1e15, 1.01e-3, 240.0), rtol=1e-6)


def test_growth_is_exponential_until_gompertz_is_slower(device: Device) -> None:
    """dn/dt = min(r, a ln(K/n)) n, through its kink, against an integration in steps of a minute."""
    growth = ColonyGrowth(birth_per_h=0.02, death_per_h=0.0, capacity_cells=1e15, slowing_per_h=4e-3)
    field = MeanField(growth, 24.0, device)
    field.found(np.arange(1, dtype=np.uint64), 10**12, law=field.law())
    n = 1e12
    for interval in range(12):
        field.advance(interval)
        for _ in range(24 * 60):
            n *= 1 + min(0.02, 4e-3 * np.log(1e15 / n)) / 60
    assert field.table["cells"][0] == pytest.approx(n, rel=1e-3)
    assert field.table["cells"][0] < 0.5e12 * np.exp(0.02 * 288)


def test_colonies_without_vessels_wait_at_their_limit_for_the_switch(device: Device) -> None:
    rows, rate = 4000, 0.002
    growth = ColonyGrowth(birth_per_h=0.02, death_per_h=0.01, avascular_cells=1e4, vessels_per_h=rate)
    field = MeanField(growth, 24.0, device)
    field.found(np.arange(rows, dtype=np.uint64), 9_000, law=field.law())
    for interval in range(20):
        field.advance(interval)
    share = field.table["vascular"].mean()
    expected = 1 - np.exp(-rate * 480)
    assert abs(share - expected) < 4 * (expected * (1 - expected) / rows) ** 0.5
    waiting = field.angiogenically_dormant()
    assert (waiting == (field.table["vascular"] == 0)).all()
    assert field.table["cells"][waiting].mean() == pytest.approx(1e4, rel=0.02)
    assert np.median(field.table["cells"][~waiting]) > 1.5e4
    # the detector: twice the rate is seen
    assert abs(share - (1 - np.exp(-2 * rate * 480))) > 4 * (0.25 / rows) ** 0.5


def test_dormant_cells_wake_or_die_at_their_rates(device: Device) -> None:
    rows, intervals = 20_000, 10
    still = ColonyGrowth(birth_per_h=0.0, death_per_h=0.0)
    field = MeanField(still, 24.0, device, dormant_wake_per_h=0.001, dormant_death_per_h=0.003)
    field.found(np.arange(rows, dtype=np.uint64), 1, law=field.law(), state=DORMANT)
    for interval in range(intervals):
        field.advance(interval)
    gone = 1 - np.exp(-0.004 * 24 * intervals)
    for state, expected in ((DORMANT, 1 - gone), (GROWING, gone / 4), (EXTINCT, gone * 3 / 4)):
        error = (expected * (1 - expected) / rows) ** 0.5
        assert abs(field.count(state) / rows - expected) < 4 * error
        assert abs(field.count(state) / rows - 1.1 * expected) > 4 * error


def test_the_table_is_the_exponential_of_its_generator() -> None:
    rates = Rates(0.03, 0.012, 15, 0.0495)
    rows, q = transitions(rates, 10.0), generator(rates, 256)
    assert np.abs(q.sum(axis=1)).max() < 1e-12 and np.abs(rows.sum(axis=1) - 1).max() < 1e-12
    # by uniformisation: as many jumps of the chain (I + Q/m) as a Poisson process of rate m has
    most = float(-q.diagonal().min())
    power, expected = np.eye(65, 256), np.zeros((65, 256))
    for weight in stats.poisson.pmf(np.arange(300), most * 10.0):
        expected += weight * power
        power = power + power @ q / most
    np.testing.assert_allclose(rows, expected, atol=1e-9)
    assert np.abs(rows - transitions(rates._replace(small_death=0.0498), 10.0)).max() > 1e-4


def test_establishment_is_the_ratio_formula_term_by_term() -> None:
    rates = Rates(0.03, 0.012, 15, 0.0495)
    ratios = np.where(np.arange(1, 400) < 15, 1.65, 0.4)
    terms = np.concatenate([[1.0], np.cumprod(ratios)])
    expected = [terms[:n].sum() / terms.sum() for n in range(41)]
    np.testing.assert_allclose(establishment(rates, np.arange(41)), expected, rtol=1e-12)
    assert establishment(Rates(0.01, 0.02), 5) == 0
