"""What can become of a seed, all at once and exactly: the chain of its kind, then the steps after arrest.

The probabilities that `journeys` draws from one step at a time, multiplied out. They let seeds by the hundred million be
thinned without drawing each (only those that live on get a row), and they are the efficiency budget (`budget`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .gauntlet import kill_probabilities, killed_distribution
from .niche import raised
from .parameters import Body
from .passage import KINDS, Kind, chain, share_of
from .seeds import NONE, Fate


@dataclass(frozen=True)
class Outcomes:
    """Fates of seeds of 1, 2, ... cells from one source. Arrays over outcomes, but for the last."""

    fate: np.ndarray  # u1 Fate: died in transit, died after arrest, returned, or COLONY: is to found one
    organ: np.ndarray  # i2, NONE where it died on the way
    cells: np.ndarray  # i4, of those that live: cells that are left
    evasive: np.ndarray  # u1
    probability: np.ndarray  # (sizes, outcomes) f8, rows sum to 1

    @property
    def lives(self) -> np.ndarray:
        """(outcomes,) bool: the seed needs a row of its own."""
        return np.isin(self.fate, (Fate.COLONY, Fate.RETURNED))


class Steps:
    """The steps of one body; transit is worked out once, what follows anew as the niche changes."""

    def __init__(self, body: Body) -> None:
        assert body.transit and body.arrest and body.gauntlet and body.niche
        self.body = body
        self.transit, self.arrest, self.gauntlet, self.niche = body.transit, body.arrest, body.gauntlet, body.niche
        self.anatomy = body.anatomy
        self.home = self.anatomy.primaries[body.primary].organ  # None for an injection
        self._chains = {}

    def chain(self, kind: Kind):
        """The chain of a kind of seed."""
        if kind not in self._chains:
            self._chains[kind] = chain(self.anatomy, self.transit, self.arrest, kind, self.body.soil_of)
        return self._chains[kind]

    def arrested(self, kind: Kind, start: np.ndarray) -> np.ndarray:
        """(organs,) f8: that a seed that starts by `start` (places,) arrests there. What is missing to one died."""
        way = self.chain(kind)
        return (start @ way.visits_from * way.stays) @ self.anatomy.of_organ

    def kill_factor(self, kind: Kind, prepared: np.ndarray) -> np.ndarray:
        """(organs,) f8 by which every kill is multiplied; `prepared` (organs,) f8 is how far the niche is."""
        factor = self.transit.evasive_factor if kind.evasive else 1.0
        factor *= self.transit.cloaked_factor if kind.cloaked else 1.0
        return factor * (1.0 - prepared * self.niche.survival_gain)

    def gets_out(self, prepared: np.ndarray) -> np.ndarray:
        """(organs,) f8: that it gets out of the vessel."""
        return raised(self.gauntlet.extravasation_probability, self.niche.extravasation_gain, prepared)

    def is_received(self, prepared: np.ndarray) -> np.ndarray:
        """(organs,) f8: that it finds a spot to live on."""
        given = np.array([self.body.soil_of(organ).receptive_probability for organ in self.anatomy.organs])
        return raised(given, self.niche.receptive_gain, prepared)

    def returns(self) -> np.ndarray:
        """(organs,) f8: that who arrests there is back in the primary's own vessels."""
        own = np.array([organ == self.home for organ in self.anatomy.organs])
        return own * self.arrest.self_seeding_probability

    def prepared(self, level: float) -> np.ndarray:
        """(organs,) f8: how far the niche is in each organ, where it is at `level` in those that it prepares."""
        return np.array([level if organ in self.niche.organs else 0.0 for organ in self.anatomy.organs])

    def left_law(self, kind: Kind, cells: int, prepared: np.ndarray) -> np.ndarray:
        """(organs, cells + 1) f8: that 0, 1 ... of the cells are left after the gauntlet."""
        kills, out = kill_probabilities(self.gauntlet), np.zeros((len(prepared), cells + 1))
        for organ, factor in enumerate(self.kill_factor(kind, prepared)):
            law = killed_distribution(np.minimum(factor * kills, 1.0))
            out[organ, cells - np.arange(min(cells, len(law)))] = law[:cells]
            out[organ, 0] = max(0.0, 1.0 - out[organ, 1:].sum())
        return out

    def outcomes(
        self,
        start: np.ndarray,
        cells_max: int = 1,
        *,
        level: float = 0.0,
        share: Callable[[Kind], float] | None = None,
    ) -> Outcomes:
        """All that can become of seeds of 1 .. cells_max cells that start by `start` (places,)."""
        prepared, organs = self.prepared(level), len(self.anatomy.organs)
        back, out = self.returns(), self.gets_out(prepared) * self.is_received(prepared)
        share = share or (lambda kind: share_of(self.transit, kind))
        transit = np.zeros((cells_max, 1))
        after = np.zeros((cells_max, organs))
        home = np.zeros((cells_max, organs))
        lives = np.zeros((cells_max, 2, organs, cells_max))
        for cells in range(1, cells_max + 1):
            for kind in KINDS:
                if kind.cluster != (cells > 1) or share(kind) == 0.0:
                    continue
                arrested = share(kind) * self.arrested(kind, start)
                transit[cells - 1] += share(kind) - arrested.sum()
                home[cells - 1] += arrested * back
                arrested = arrested * (1.0 - back)
                left = arrested[:, None] * self.left_law(kind, cells, prepared)
                lives[cells - 1, int(kind.evasive), :, :cells] += left[:, 1:] * out[:, None]
                after[cells - 1] += left[:, 0] + (left[:, 1:] * (1.0 - out)[:, None]).sum(axis=1)
        every = np.arange(organs)
        living = np.broadcast_to(every[None, :, None], (2, organs, cells_max)).ravel()
        return Outcomes(
            fate=np.concatenate(
                [
                    [Fate.DIED_IN_TRANSIT],
                    np.full(organs, Fate.DIED_AFTER_ARREST),
                    np.full(organs, Fate.RETURNED),
                    np.full(len(living), Fate.COLONY),
                ]
            ).astype(np.uint8),
            organ=np.concatenate([[NONE], every, every, living]).astype(np.int16),
            cells=np.concatenate([np.zeros(1 + 2 * organs), np.tile(np.arange(1, cells_max + 1), 2 * organs)]).astype(
                np.int32
            ),
            evasive=np.concatenate([np.zeros(1 + 2 * organs), np.repeat([0, 1], organs * cells_max)]).astype(np.uint8),
            probability=np.concatenate([transit, after, home, lives.reshape(cells_max, -1)], axis=1),
        )
