"""Seeds sent one by one end as the chain says, at 4 standard errors; their draws are their own.

Keys are fixed. Some 150 counts are compared, so a fresh key would fail once in a hundred times.
"""

import numpy as np
import pytest

from seedsoil.sim.body.anatomy import Anatomy, load
from seedsoil.sim.body.chain import Chain
from seedsoil.sim.body.transit import Ends, names_of, travel
from seedsoil.sim.errors import BeyondLimits

KEY = (11, 3)
MANY = 60_000


@pytest.fixture(scope="module")
def human() -> Anatomy:
    return load("human")


def sent(anatomy: Anatomy, chains: list[Chain], primary: str, many: int = MANY, first: int = 0) -> Ends:
    voxel = np.arange(first, first + many)
    names = names_of(voxel, np.full(many, 7), np.zeros(many), np.zeros(many), KEY)
    return travel(chains, voxel % len(chains), anatomy.source_of(primary), names, KEY)


def furthest(ends: Ends, chain: Chain, primary: str) -> float:
    """Largest deviation over places and fates, in standard errors; those of fewer than 10 seeds are put together."""
    n, worst = len(ends.place), 0.0
    for died, each in ((False, chain.stays), (True, chain.dies)):
        p = chain.visits(primary) * each
        counts = np.bincount(ends.place[ends.died == died], minlength=len(p)).astype(float)
        assert not counts[p <= 0.0].any()
        rare = n * p < 10
        counts = np.append(counts[~rare], counts[rare].sum())
        p = np.append(p[~rare], p[rare].sum())
        worst = max(worst, float(np.max(np.abs(counts - n * p) / np.sqrt(n * p * (1 - p) + 1e-9))))
    return worst


@pytest.mark.parametrize("primary", ["breast", "colon", "rectum", "lung", "ovary"])
def test_sampled_seeds_end_where_the_chain_says(human: Anatomy, primary: str) -> None:
    chain = Chain.of(human, {"default": 0.2, "lung": 0.35, "brain": 0.6}, 0.05, 5.0)
    ends = sent(human, [chain], primary)
    assert len(ends.place) == MANY  # every one of them has ended
    assert furthest(ends, chain, primary) < 4.0
    hours = chain.visits(primary) @ chain.hours
    assert abs(ends.hours.mean() - hours) < 4.0 * ends.hours.std() / np.sqrt(MANY)
    assert abs(ends.passages.mean() - chain.visits(primary).sum()) < 4.0 * ends.passages.std() / np.sqrt(MANY)


def test_an_edge_that_one_of_the_two_has_wrong_is_seen(human: Anatomy) -> None:
    wrong = human.changed(beds={"liver": {"to": {"right_heart": 0.9, "vertebral_plexus": 0.1}}})
    ends = sent(human, [Chain.of(human, 0.5)], "colon")
    assert furthest(ends, Chain.of(wrong, 0.5), "colon") > 6.0


def test_a_pass_probability_off_by_a_twenty_fifth_is_seen(human: Anatomy) -> None:
    ends = sent(human, [Chain.of(human, 0.5)], "colon")
    assert furthest(ends, Chain.of(human, 0.52), "colon") > 4.0


def test_two_classes_travel_together(human: Anatomy) -> None:
    chains = [Chain.of(human, 0.05, 0.3), Chain.of(human, 0.97, 0.0, 20.0)]
    ends = sent(human, chains, "breast", 40_000)
    for kind, chain in enumerate(chains):
        mine = Ends(*(column[np.arange(40_000) % 2 == kind] for column in ends))
        assert furthest(mine, chain, "breast") < 4.0


def test_survivors_are_enriched_in_those_that_evade(human: Anatomy) -> None:
    """f' = f S_e/(f S_e + (1 − f) S_0), with the survival of each class from its chain."""
    others, evasive = Chain.of(human, 0.9, 0.0, 400.0), Chain.of(human, 0.9, 0.0, 40.0)
    ends = sent(human, [others, evasive], "melanoma", 40_000)
    alive = ~ends.died
    survival = [float(chain.arrested("melanoma").sum()) for chain in (others, evasive)]
    f = 0.5
    expected = f * survival[1] / (f * survival[1] + (1 - f) * survival[0])
    found = float((alive & (np.arange(40_000) % 2 == 1)).sum() / alive.sum())
    error = np.sqrt(expected * (1 - expected) / alive.sum())
    assert abs(found - expected) < 4 * error
    assert abs(found - f) > 10 * error  # planted: no enrichment


def test_the_way_of_a_seed_is_its_own(human: Anatomy) -> None:
    chain = [Chain.of(human, 0.5, 0.02, 1.0)]
    together = sent(human, chain, "colon", 4000)
    later = sent(human, chain, "colon", 1000, first=3000)
    for whole, part in zip(together, later, strict=True):
        assert np.array_equal(whole[3000:], part)
    alone = sent(human, chain, "colon", 1, first=17)
    assert [column[17] for column in together] == [column[0] for column in alone]


def test_names_differ_by_everything_that_tells_seeds_apart() -> None:
    base = {"voxel": 5, "tick": 9, "fragment": 0, "lattice_id": 0}
    seen = set()
    for key in ((1, 2), (1, 3)):
        for change in ({}, {"voxel": 6}, {"tick": 10}, {"fragment": 1}, {"lattice_id": 1}):
            given = {**base, **change}
            seen.add(names_of(*(np.array([given[name]]) for name in base), key).tobytes())
    assert len(seen) == 10


def test_seeds_that_never_end_are_refused(human: Anatomy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedsoil.sim.body.transit.PASSAGES_MAX", 50)
    with pytest.raises(BeyondLimits, match="still on its way") as caught:
        sent(human, [Chain.of(human, 0.999)], "breast", 100)
    assert caught.value.exit_code == 65
