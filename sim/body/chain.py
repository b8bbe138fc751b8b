"""Where seeds end, exactly: the absorbing Markov chain of a body.

A seed that comes into a place where it can stop dies there with `death`, else passes on with `pass`, else arrests.
With Q the moves between places and N = (I − Q)^-1, the visits of a seed that starts by the distribution s are sN
(Kemeny & Snell 1960, Finite Markov Chains), and what it is absorbed by follows from them.

Ignores: that passage changes a seed; that successive passages are not independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy

PASS_PROBABILITY = 0.05  # more than 95 % arrest in the first bed: Proctor 1976, Br J Cancer 34:651


@dataclass(frozen=True)
class Chain:
    """The chain of one body and one kind of seed. Arrays over `anatomy.places` or `anatomy.organs`."""

    anatomy: Anatomy
    passes: np.ndarray  # (places,) of those alive
    dies: np.ndarray  # (places,) of those that come in
    visits_from: np.ndarray  # N, (places, places): visits to the column's place from the row's

    @classmethod
    def of(
        cls,
        anatomy: Anatomy,
        pass_probability: float | Mapping[str, float] | np.ndarray = PASS_PROBABILITY,
        death_probability: float | Mapping[str, float] | np.ndarray = 0.0,
    ) -> "Chain":
        """The chain with these probabilities per passage.

        A number holds for every place where a seed can stop; a mapping names places or organs (places go first)
        and takes "default" for the rest; an array runs over the places.
        """
        passes = np.where(anatomy.stops, per_place(anatomy, pass_probability, PASS_PROBABILITY), 1.0)
        dies = np.where(anatomy.stops, per_place(anatomy, death_probability, 0.0), 0.0)
        onward = anatomy.leads * (passes * (1.0 - dies))[:, None]
        return cls(anatomy, passes, dies, np.linalg.inv(np.eye(len(passes)) - onward))

    def visits(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) mean visits of a seed of this primary, shed by one route or by all in their shares."""
        return self.anatomy.source_of(primary, route) @ self.visits_from

    def arrested_places(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) probability to arrest there. What a cavity without an exit does not hold settles on its lining."""
        stays = 1.0 - self.passes * self.anatomy.leads.sum(axis=1)
        return np.where(self.anatomy.stops, self.visits(primary, route) * (1.0 - self.dies) * stays, 0.0)

    def arrested(self, primary: str, route: str | None = None) -> np.ndarray:
        """(organs,) probability that a seed arrests in each organ."""
        return by_organ(self.anatomy, self.arrested_places(primary, route))

    def died(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) probability to die on the way there."""
        return self.visits(primary, route) * self.dies

    def first_bed(self, primary: str, route: str | None = None) -> np.ndarray:
        """(organs,) shares of the first place where a seed could stop."""
        return Chain.of(self.anatomy, 0.0, 0.0).arrested(primary, route)


def per_place(anatomy: Anatomy, given: float | Mapping[str, float] | np.ndarray, default: float) -> np.ndarray:
    """(places,) f8 of a number, of a mapping by place or organ, or of an array over places; all in [0, 1]."""
    if isinstance(given, Mapping):
        known = {*anatomy.places, *anatomy.organs, "default"}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"no place and no organ is called {unknown[0]!r}")
        rest = given.get("default", default)
        pairs = zip(anatomy.places, anatomy.organ_of, strict=True)
        out = np.array([given.get(place, given.get(organ, rest) if organ else rest) for place, organ in pairs])
    else:
        out = np.broadcast_to(np.asarray(given, dtype=float), (len(anatomy.places),)).copy()
    if not np.all((out >= 0.0) & (out <= 1.0)):
        raise ValueError("a probability lies in [0, 1]")
    return out


def by_organ(anatomy: Anatomy, values: np.ndarray) -> np.ndarray:
    """(organs,) sums of values (places,) over the places of each organ."""
    out = np.zeros(len(anatomy.organs))
    for value, organ in zip(values, anatomy.organ_of, strict=True):
        if organ is not None:
            out[anatomy.organs.index(organ)] += value
    return out
