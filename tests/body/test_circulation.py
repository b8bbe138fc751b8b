"""The circulation: fates in their proportions, and draws that belong to one seed alone.

Counts are held against the binomial law at 4 standard errors, so a fresh key would fail once in 16000
comparisons; keys are fixed.
"""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from seedsoil.sim.body.circulation import Arrival, Circulation
from seedsoil.sim.body.parameters import Body
from seedsoil.sim.body.seeds import NONE, Fate, Seeds
from seedsoil.sim.departures import BLOOD, Departure

SHARES = {"bone": 0.5461, "lung": 0.2553, "liver": 0.1986}
TRANSIT = 20  # ticks of 0.1 h
MANY = 20_000


def body(**given: object) -> Body:
    organs = {name: {"share_probability": share} for name, share in SHARES.items()}
    return Body.model_validate({"transit_h": 2.0, "organs": organs, **given})


def released(sizes: list[int], *, skip: int = 0, tick: int = 0) -> Seeds:
    """One seed of each size, told apart by the voxel that it left from."""
    seeds = Seeds()
    for voxel, cells in enumerate(sizes):
        emt = np.full(cells, 255, dtype=np.uint8)
        seeds.release(Departure(0, tick, skip + voxel, BLOOD, emt, np.full(cells, voxel, dtype=np.uint32)))
    return seeds


def travel(seeds: Seeds, parameters: Body, key: int = 1) -> list[Arrival]:
    circulation = Circulation(parameters, 0.1, key)
    for row in range(seeds.table.rows):
        circulation.admit(seeds, row)
    return circulation.advance(seeds, int(seeds.table["tick"][0]) + TRANSIT)


def within(count: int, n: int, p: float, sigmas: float = 4.0) -> bool:
    return abs(count - n * p) <= sigmas * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("probability", [5e-4, 0.025, 0.4])
@pytest.mark.parametrize(("cells", "name"), [(1, "single_survival_probability"), (3, "cluster_survival_probability")])
def test_seeds_survive_with_the_probability_of_their_size(probability: float, cells: int, name: str) -> None:
    seeds = released([cells] * MANY)
    other = "cluster_survival_probability" if cells == 1 else "single_survival_probability"
    arrivals = travel(seeds, body(**{"breakup_probability": 0.0, name: probability, other: 0.9}))
    assert len(arrivals) == seeds.count(Fate.ARRESTED)
    assert within(len(arrivals), MANY, probability)
    assert seeds.count(Fate.DIED_IN_TRANSIT) == MANY - len(arrivals)
    if probability > 0.1:  # with so many survivors a tenth more would be seen
        assert not within(len(arrivals), MANY, 1.1 * probability)


@pytest.mark.parametrize(("probability", "alive"), [(0.0, 0), (1.0, MANY)])
def test_never_and_always_are_exact(probability: float, alive: int) -> None:
    given = body(breakup_probability=0.0, single_survival_probability=probability)
    assert len(travel(released([1] * MANY), given)) == alive


def test_survivors_are_split_over_the_organs_by_share() -> None:
    seeds = released([1] * MANY)
    arrivals = travel(seeds, body(single_survival_probability=0.8))
    found = Counter(arrival.organ for arrival in arrivals)
    for organ, share in enumerate(SHARES.values()):
        assert within(found[organ], len(arrivals), share)
        assert not within(found[organ], len(arrivals), share * 1.2)
    rows = [arrival.row for arrival in arrivals]
    assert seeds.table["organ"][rows].tolist() == [arrival.organ for arrival in arrivals]
    assert np.all(seeds.table["organ"][seeds.table["fate"] == Fate.DIED_IN_TRANSIT] == NONE)


def test_an_organ_without_a_share_is_never_reached() -> None:
    organs = {"a": {"share_probability": 0.0}, "b": {"share_probability": 1.0}, "c": {"share_probability": 0.0}}
    arrivals = travel(released([1] * MANY), body(single_survival_probability=1.0, organs=organs))
    assert {arrival.organ for arrival in arrivals} == {1}


def test_without_organs_nobody_arrives() -> None:
    seeds = released([1] * 100)
    assert travel(seeds, body(single_survival_probability=1.0, organs={})) == []
    assert seeds.count(Fate.DIED_IN_TRANSIT) == 100


def test_arrested_seeds_may_fail_to_get_into_the_organ() -> None:
    seeds = released([1] * MANY)
    given = body(single_survival_probability=0.9, extravasation_probability=0.3)
    arrivals = travel(seeds, given)
    arrested = len(arrivals) + seeds.count(Fate.DIED_AFTER_ARREST)
    assert within(arrested, MANY, 0.9)
    assert within(len(arrivals), arrested, 0.3)
    # both kinds know where and when they stuck
    stuck = seeds.table["fate"] != Fate.DIED_IN_TRANSIT
    assert np.all(seeds.table["arrest_tick"][stuck] == TRANSIT)
    assert np.all(seeds.table["organ"][stuck] >= 0)


def test_what_one_draw_decides_says_nothing_about_the_next() -> None:
    """Organ and vessel site of survivors are as spread out as those of everybody."""
    arrivals = travel(released([1] * MANY), body(single_survival_probability=0.25))
    sites = np.array([arrival.site_draw for arrival in arrivals]) / 2**32
    organs = np.array([arrival.organ for arrival in arrivals])
    assert stats.kstest(sites, "uniform").pvalue > 6e-5
    assert abs(np.corrcoef(sites, organs)[0, 1]) < 4 / math.sqrt(len(arrivals))
    assert stats.kstest(sites * 0.95, "uniform").pvalue < 6e-5


def test_each_cell_of_a_cluster_comes_off_with_the_break_up_probability() -> None:
    """Sizes of what is left of clusters of five: binomial, but the last cell stays (it is the seed)."""
    n = 6000
    seeds = released([5] * n)
    travel(seeds, body(breakup_probability=0.3))
    left = np.bincount(seeds.table["cells"][:n], minlength=6)[1:]
    off = stats.binom.pmf(np.arange(6), 5, 0.3)
    expected = n * np.array([off[4] + off[5], off[3], off[2], off[1], off[0]])
    assert stats.chisquare(left, expected).pvalue > 6e-5
    assert stats.chisquare(left, np.roll(expected, 1)).pvalue < 6e-5
    # each member alike
    members = seeds.table["fragment"][n:]
    for member in range(1, 5):
        assert within(int((members == 1 + member).sum()), n, 0.3)
    assert seeds.fragments == seeds.table.rows - n
    assert seeds.table["cells"].sum() == 5 * n


def test_single_cells_do_not_break_up_and_zero_is_off() -> None:
    seeds = released([1] * 500)
    travel(seeds, body(breakup_probability=1.0))
    assert (seeds.table.rows, seeds.fragments) == (500, 0)
    seeds = released([7] * 500)
    travel(seeds, body(breakup_probability=0.0))
    assert (seeds.table.rows, seeds.fragments) == (500, 0)


def test_a_cluster_that_fell_to_one_cell_travels_as_a_single() -> None:
    seeds = released([4] * 2000)
    given = body(breakup_probability=1.0, single_survival_probability=0.0, cluster_survival_probability=1.0)
    assert travel(seeds, given) == []
    assert np.all(seeds.table["cells"] == 1)
    assert seeds.table.rows == 8000


def test_the_books_balance_with_fragments() -> None:
    seeds = released([1 + number % 20 for number in range(3000)])
    given = body(single_survival_probability=0.3, cluster_survival_probability=0.6, extravasation_probability=0.5)
    arrivals = travel(seeds, given)
    dead = seeds.count(Fate.DIED_IN_TRANSIT, Fate.DIED_AFTER_ARREST)
    assert seeds.fragments > 1000
    assert seeds.released + seeds.fragments == seeds.count(Fate.IN_TRANSIT) + dead + len(arrivals) == seeds.table.rows
    assert len({arrival.row for arrival in arrivals}) == len(arrivals)


def fates(seeds: Seeds, arrivals: list[Arrival]) -> dict[tuple[int, int], tuple[int, ...]]:
    """What became of each (voxel, fragment)."""
    sites = {arrival.row: arrival.site_draw for arrival in arrivals}
    names = ("voxel", "fragment", "fate", "organ", "cells")
    columns = [seeds.table[name].tolist() for name in names]
    return {
        (voxel, fragment): (*rest, sites.get(row, -1))
        for row, (voxel, fragment, *rest) in enumerate(zip(*columns, strict=True))
    }


GIVEN = body(single_survival_probability=0.3, cluster_survival_probability=0.6, extravasation_probability=0.7)


def test_a_seed_does_not_notice_other_seeds() -> None:
    """Paired runs: adding seeds, or leaving half of them out, changes nobody else's fate."""
    sizes = [1 + number % 6 for number in range(1200)]
    all_seeds = released(sizes)
    everybody = fates(all_seeds, travel(all_seeds, GIVEN))
    few = Seeds()
    for row in range(1, 1200, 2):
        voxel = int(all_seeds.table["voxel"][row])
        cells = sizes[row]
        few.release(Departure(0, 0, voxel, BLOOD, np.full(cells, 255, np.uint8), np.zeros(cells, np.uint32)))
    some = fates(few, travel(few, GIVEN))
    assert some == {who: what for who, what in everybody.items() if who[0] % 2 == 1}
    assert len(some) > 600


def test_a_key_a_lattice_or_a_tick_of_its_own_is_another_fate() -> None:
    def outcome(key: int = 1, **given: int) -> list[int]:
        seeds = released([1] * 400, **given)
        travel(seeds, GIVEN, key)
        return seeds.table["fate"].tolist()

    assert outcome() == outcome()
    for other in (outcome(key=2), outcome(key=1 + 2**32), outcome(tick=1), outcome(skip=400)):
        assert other != outcome()
    seeds = released([1] * 400)
    seeds.table["lattice_id"][...] = 2
    travel(seeds, GIVEN)
    assert seeds.table["fate"].tolist() != outcome()


def test_seeds_come_out_when_their_transit_ends_and_only_then() -> None:
    seeds = released([1] * 50, tick=100)
    circulation = Circulation(body(single_survival_probability=1.0), 0.1, 1)
    for row in range(50):
        circulation.admit(seeds, row)
    for tick in range(100, 140):
        arrivals = circulation.advance(seeds, tick)
        assert len(arrivals) == (50 if tick == 100 + TRANSIT else 0)
        assert seeds.count(Fate.IN_TRANSIT) == (50 if tick < 100 + TRANSIT else 0)


def test_franssen_2019_is_180_steps_of_transit() -> None:
    seeds = released([1], tick=7)
    circulation = Circulation(body(single_survival_probability=1.0), 40 / 3600, 1)
    circulation.admit(seeds, 0)
    assert [len(circulation.advance(seeds, tick)) for tick in (186, 187, 188)] == [0, 1, 0]


def test_the_queue_can_be_rebuilt_from_the_table() -> None:
    seeds, twin = released([3] * 300), released([3] * 300)
    queue = Circulation(GIVEN, 0.1, 9)
    queue.readmit(twin, 0)
    assert queue.advance(twin, TRANSIT) == travel(seeds, GIVEN, 9)
    assert fates(twin, []) == fates(seeds, [])
    queue.readmit(twin, TRANSIT + 1)  # nobody is in transit any more
    assert queue.advance(twin, TRANSIT) == []
