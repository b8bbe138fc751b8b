"""Where seeds end, exactly: the absorbing Markov chain of a body.

A seed that comes into a place where it can stop dies of the passage with `death`, else passes with `pass`, else arrests.
What passes stays τ hours in the mean, well mixed (τ = volume/flow), and dies meanwhile with hazard h:

    arrests   (1 − d)(1 − p)        dies   d + (1 − d) p hτ/(1 + hτ)        goes on   (1 − d) p/(1 + hτ)

With Q the moves between places and N = (I − Q)^-1, the visits of a seed that starts by the distribution s are sN
(Kemeny & Snell 1960, Finite Markov Chains); what it is absorbed by, and how long it is in the blood, follow from them.

**Concentration is flux over flow at the sampled vessel**: C = S·(what goes on from there)/flow. Summed over the blood it
gives the identity C·V = S·T_res. S is what leaves the tumour: arrest and hazard are the one account of removal. A
half-life is a result of them (`half_life_h`); to hold one, `hazard_for` finds the hazard that brings the whole to it.

Ignores: that passage changes a seed, that successive passages are not independent, and the body's pulse.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .anatomy import RIGHT_HEART, Anatomy

PASS_PROBABILITY = 0.05  # more than 95 % arrest in the first bed: Proctor 1976, Br J Cancer 34:651
VISITS_MAX = 1e9  # beyond so many circuits the inverse has lost its digits, and the seed its meaning

Probability = float | Mapping[str, float] | np.ndarray


@dataclass(frozen=True)
class Chain:
    """The chain of one body and one kind of seed. Arrays over `anatomy.places` or `anatomy.organs`, all f8."""

    anatomy: Anatomy
    hazard_per_h: float  # of death in between
    passes: np.ndarray  # (places,) that a seed passes that does not die of the passage
    enters: np.ndarray  # (places,) that a seed that comes in passes on into the place, alive
    stays: np.ndarray  # (places,) that it arrests
    dies: np.ndarray  # (places,) that it dies, of the passage or in between
    goes_on: np.ndarray  # (places,) that it leaves again; with the two above it adds up to one
    visits_from: np.ndarray  # N, (places, places): visits to the column's place from the row's

    @classmethod
    def of(
        cls,
        anatomy: Anatomy,
        pass_probability: Probability = PASS_PROBABILITY,
        death_probability: Probability = 0.0,
        hazard_per_h: float = 0.0,
    ) -> "Chain":
        """The chain with these probabilities per passage, and this hazard in between.

        A number holds for every place where a seed can stop; a mapping names places or organs (places go first)
        and takes "default" for the rest; an array runs over the places. Vessels and ducts hold nothing, whatever
        an array says, and are passed without harm unless an array says otherwise.
        """
        if hazard_per_h < 0.0:
            raise ValueError(f"a hazard is at least 0, got {hazard_per_h}")
        death = per_place(anatomy, death_probability, default=0.0, elsewhere=0.0)
        passes = np.where(anatomy.stops, per_place(anatomy, pass_probability, PASS_PROBABILITY, elsewhere=1.0), 1.0)
        # what a cavity without an exit does not hold settles on its lining after all
        passes *= anatomy.leads.any(axis=1)
        enters = (1.0 - death) * passes
        goes_on = enters / (1.0 + hazard_per_h * anatomy.residence_h)
        stays = (1.0 - death) * (1.0 - passes)
        dies = np.maximum(1.0 - stays - goes_on, 0.0)
        moves = np.eye(len(passes)) - goes_on[:, None] * anatomy.leads
        visits = np.linalg.inv(moves)
        if not np.abs(visits).max() < VISITS_MAX:
            raise ValueError("these seeds are never held and never die: they would go round for ever")
        return cls(anatomy, hazard_per_h, passes, enters, stays, dies, goes_on, visits)

    @property
    def hours(self) -> np.ndarray:
        """(places,) mean time that a seed that comes in spends there on its way."""
        return self.goes_on * self.anatomy.residence_h

    def visits(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) mean visits of a seed of this primary, shed by one route or by all in their shares."""
        return self.anatomy.source_of(primary, route) @ self.visits_from

    def arrested(self, primary: str, route: str | None = None) -> np.ndarray:
        """(organs,) probability that a seed arrests in each organ."""
        return by_organ(self.anatomy, self.visits(primary, route) * self.stays)

    def died(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) probability to die on the way there."""
        return self.visits(primary, route) * self.dies

    def first_bed(self, primary: str, route: str | None = None) -> np.ndarray:
        """(organs,) shares of the first place where a seed could stop."""
        return Chain.of(self.anatomy, 0.0).arrested(primary, route)

    def in_blood_h(self, primary: str, route: str | None = None) -> float:
        """T_res: mean hours that a seed spends in the blood until it arrests or dies."""
        return float((self.visits(primary, route) * self.hours)[self.anatomy.in_blood].sum())

    def concentration_per_mL(self, shed_per_h: float, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) seeds per mL of what leaves each place at steady shedding: flux over flow. NaN outside the blood."""
        flow = self.anatomy.cardiac_output_mL_per_h * self.anatomy.flow_fraction
        flux = shed_per_h * self.visits(primary, route) * self.goes_on
        return np.divide(flux, flow, out=np.full(len(flow), np.nan), where=self.anatomy.in_blood & (flow > 0.0))

    def sampled_per_mL(self, shed_per_h: float, primary: str, route: str | None = None) -> dict[str, float]:
        """Site of sampling (`[sites]` of the body) -> seeds per mL of blood drawn there."""
        at = self.concentration_per_mL(shed_per_h, primary, route)
        return {site: float(at[self.anatomy.index[place]]) for site, place in self.anatomy.sites.items()}

    def half_life_h(self) -> float:
        """ln 2 · T_res of a seed in the right heart: with it, C = S·t/(ln 2·V) says the same as the chain."""
        start = self.visits_from[self.anatomy.index[RIGHT_HEART]]
        return float(np.log(2.0) * (start * self.hours)[self.anatomy.in_blood].sum())


def hazard_for(anatomy: Anatomy, half_life_h: float, pass_probability: Probability) -> float:
    """The hazard (per hour) that, with arrest, removes half of the seeds that go round in `half_life_h`.

    Raises ValueError where arrest alone is faster: removal would be counted twice.
    """
    from scipy.optimize import root_scalar

    def longer(hazard: float) -> float:
        return Chain.of(anatomy, pass_probability, 0.0, hazard).half_life_h() - half_life_h

    if longer(0.0) < 0.0:
        raise ValueError(
            f"arrest alone removes half of these seeds in {longer(0.0) + half_life_h:.3g} h, before {half_life_h:.3g} h"
        )
    return root_scalar(longer, bracket=(0.0, 2.0 * np.log(2.0) / half_life_h), xtol=1e-14).root


def per_place(anatomy: Anatomy, given: Probability, default: float, elsewhere: float) -> np.ndarray:
    """(places,) f8 of a number, of a mapping by place or organ, or of an array over places; all in [0, 1].

    `elsewhere` is what vessels and ducts have unless an array gives them another value.
    """
    if isinstance(given, Mapping):
        known = {*anatomy.places, *anatomy.organs, "default"}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"no place and no organ is called {unknown[0]!r}")
        rest = given.get("default", default)
        pairs = zip(anatomy.places, anatomy.organ_of, strict=True)
        out = np.array([given.get(place, given.get(organ, rest) if organ else elsewhere) for place, organ in pairs])
    elif np.ndim(given) == 0:
        out = np.where(anatomy.stops, float(given), elsewhere)  # type: ignore[arg-type]
    else:
        out = np.array(np.broadcast_to(given, (len(anatomy.places),)), dtype=float)
    if not np.all((out >= 0.0) & (out <= 1.0)):
        raise ValueError("a probability lies in [0, 1]")
    return out


def by_organ(anatomy: Anatomy, values: np.ndarray) -> np.ndarray:
    """(organs,) sums of values (places,) over the places of each organ."""
    return values @ anatomy.of_organ
