"""What a run without a lattice comes to for a usual key: colonies, and for how many intervals each is there.

Of what the primary sheds those that live on found colonies (`outcomes`), of which a share is established (`budget`) and
grows by the law of its soil; what these shed founds colonies in turn. That is a renewal equation, solved in `STEPS` steps:

    founded_k(t) = primary_k(t) + sum over j of integral of established_j(s) mu N_j(t - s)^alpha q_jk ds

Keys in which a colony is established much sooner than usual rule the mean over keys. So nobody counts as established until
one is in half of all keys; those expected by then begin there and then.
An estimate, of the right order: colonies that are not established shed nothing here, none waits for vessels or lies dormant,
and one that is established grows from its bottleneck on without chance. The niche counts as if it were full.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..kernels.birth_death import Rates, establishment
from ..kernels.draws import key_of
from .body import emission
from .body.colony_parameters import ColonyGrowth
from .body.dormancy import wakes_probability
from .body.outcomes import Outcomes, Steps
from .body.passage import source_of_organ
from .scenario import Scenario

STEPS = 200
COUNT_MAX = 1e18  # beyond it the number means no more


@dataclass(frozen=True)
class Expected:
    """Of a usual key. `colony_intervals` is their sum over the intervals of the body."""

    colonies: float
    colony_intervals: float


def expected(scenario: Scenario) -> Expected:
    """Of a scenario with `primary = "emission"`."""
    body, table = scenario.body, scenario.emission
    assert table and body.colonies and body.dormancy and body.niche
    law = emission.Law.of(table, key_of(scenario.rng_key))
    steps, growth = Steps(body), body.colonies
    level = 1.0 if body.niche.organs else 0.0
    organs = steps.anatomy.organs
    rates = [growth.rates(body.soil_of(organ).growth_factor) for organ in organs]
    wakes = 1.0 - body.dormancy.probability * (1.0 - wakes_probability(body.dormancy))
    lasts = np.array([wakes * establishment(one, np.arange(len(law.share_of_size) + 1)) for one in rates])
    end_h = scenario.until_h
    edges = np.linspace(0.0, end_h, STEPS + 1)
    shed = np.array([law.expected(a, b) for a, b in pairwise(edges)])
    first = steps.outcomes(steps.anatomy.source_of(body.primary), len(law.share_of_size), level=level)
    founds, established = _lives(first, lasts, law.share_of_size)
    founded, stay = np.outer(shed, founds), np.outer(shed, established)  # (steps, organs)
    if growth.shedding_per_h > 0:
        held = np.zeros(len(organs))  # expected to be established, before one is
        each = [
            _lives(steps.outcomes(source_of_organ(steps.anatomy, o), level=level), lasts, np.ones(1)) for o in organs
        ]
        later, later_stay = (np.array(part) for part in zip(*each, strict=True))  # (organs, organs)
        kernel = np.array([_shed(growth, one, edges) for one in rates])  # (organs, steps): by age
        for at in range(1, STEPS):
            if held is not None:
                held = held + stay[at - 1]
                begun = held.sum() >= np.log(2.0)
                stay[at - 1] = held if begun else 0.0
                held = None if begun else held
            age = np.arange(at, 0, -1)
            now = np.minimum((stay[:at] * kernel[:, age].T).sum(axis=0), COUNT_MAX)
            founded[at] += now @ later
            stay[at] += now @ later_stay
    total = founded.sum(axis=1)
    intervals = max(1.0, end_h / body.interval_h)
    return Expected(float(total.sum()), float(np.cumsum(total).mean() * intervals))


def _lives(found: Outcomes, lasts: np.ndarray, share_of_size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(organs,) of a seed: that it founds a colony there, and one that lasts."""
    lives = found.lives & (found.cells > 0)
    chance = share_of_size @ found.probability[:, lives]
    organ, cells = found.organ[lives], found.cells[lives]
    out = np.zeros((2, len(lasts)))
    np.add.at(out[0], organ, chance)
    np.add.at(out[1], organ, chance * lasts[organ, cells])
    return out[0], out[1]


def _shed(growth: ColonyGrowth, rates: Rates, edges: np.ndarray) -> np.ndarray:
    """(steps,) seeds that a colony sheds in each step of its age, once it is established."""
    step_h = edges[1] - edges[0]
    most = growth.capacity_cells
    if growth.avascular_cells > 0 and growth.vessels_per_h == 0:
        most = min(most, growth.avascular_cells)
    cells, out = float(rates.bottleneck), np.zeros(len(edges) - 1)
    for age in range(len(out)):
        grown = cells
        for _ in range(10):
            rate = rates.birth - rates.death
            if growth.slowing_per_h > 0:
                rate = min(rate, growth.slowing_per_h * np.log(max(growth.capacity_cells / grown, 1.0)))
            grown = min(most, grown * np.exp(min(rate * step_h / 10, 50.0)))
        middle = np.sqrt(cells * grown)
        out[age] = growth.shedding_per_h * middle**growth.shedding_exponent * step_h
        cells = grown
    return out
