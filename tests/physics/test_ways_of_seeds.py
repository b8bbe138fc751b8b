"""Seeds of every primary of both bodies, one by one, against the chain: difference and equivalence.

Difference: largest deviation of some 30 counts below 4.5 standard errors (a fresh key would fail once in 5000 primaries).
Equivalence: two one-sided tests at 5 % that each organ of more than a tenth of the arrests is within 2 % of its share.
"""

import numpy as np
import pytest

from seedsoil.sim.body.anatomy import Anatomy, load
from seedsoil.sim.body.chain import Chain, hazard_for
from seedsoil.sim.body.transit import Ends, names_of, travel

pytestmark = pytest.mark.physics

KEY = (2024, 5)
MANY = 200_000
BODIES = {name: load(name) for name in ("human", "mouse")}
PRIMARIES = [(body, primary) for body, anatomy in BODIES.items() for primary in anatomy.primaries]


def sent(chain: Chain, primary: str, many: int) -> Ends:
    names = names_of(np.arange(many), np.full(many, 3), np.zeros(many), np.zeros(many), KEY)
    return travel([chain], np.zeros(many, np.int64), chain.anatomy.source_of(primary), names, KEY)


def arrests(anatomy: Anatomy, ends: Ends) -> np.ndarray:
    """(organs,) seeds that arrested in each."""
    return np.bincount(ends.place[~ends.died], minlength=len(anatomy.places)) @ anatomy.of_organ


def deviation(counts: np.ndarray, p: np.ndarray, n: int) -> float:
    often = n * p >= 10
    counts, p = np.append(counts[often], counts[~often].sum()), np.append(p[often], p[~often].sum())
    return float(np.max(np.abs(counts - n * p) / np.sqrt(n * p * (1 - p) + 1e-9)))


def equivalent(counts: np.ndarray, p: np.ndarray, n: int) -> bool:
    share = counts / n
    error = np.sqrt(share * (1 - share) / n)
    return bool(np.all((np.abs(share - p) + 1.645 * error)[p > 0.1] < 0.02 * p[p > 0.1]))


@pytest.mark.parametrize(("body", "primary"), PRIMARIES)
def test_large_seeds_end_where_the_chain_says(body: str, primary: str) -> None:
    anatomy = BODIES[body]
    chain = Chain.of(anatomy, 0.1, 0.02)
    counts, p = arrests(anatomy, sent(chain, primary, MANY)), chain.arrested(primary)
    assert deviation(counts, p, MANY) < 4.5
    assert equivalent(counts, p, MANY)
    # planted: a twentieth of the largest share elsewhere
    wrong = p.copy()
    wrong[np.argmax(p)] *= 0.95
    assert deviation(counts, wrong, MANY) > 4.5 and not equivalent(counts, wrong, MANY)


@pytest.mark.parametrize("half_life_h", [1.0, 2.4])
def test_small_seeds_go_round_for_hours(half_life_h: float) -> None:
    anatomy, many = BODIES["human"], 4000
    chain = Chain.of(anatomy, 0.999, 0.0, hazard_for(anatomy, half_life_h, 0.999))
    ends = sent(chain, "breast", many)
    assert deviation(arrests(anatomy, ends), chain.arrested("breast"), many) < 4.5
    in_blood = chain.visits("breast") @ chain.hours
    assert abs(ends.hours.mean() - in_blood) < 4.0 * ends.hours.std() / np.sqrt(many)
    # half are gone after a half-life: those on the way are removed at a constant rate
    blood = names_of(np.arange(many), np.full(many, 4), np.zeros(many), np.zeros(many), KEY)
    hours = travel([chain], np.zeros(many, np.int64), anatomy.source_of("breast", "blood"), blood, KEY).hours
    left = float((hours > half_life_h).mean())
    assert abs(left - 0.5) < 4.0 * np.sqrt(0.25 / many) + 0.01
