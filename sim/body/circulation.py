"""The circulation, first form: a fixed transit time, break-up, survival, and a choice of organ.

Franssen et al. 2019: a seed spends `transit_h` in the vessels. Then each cell of a cluster comes off
with `breakup_probability` and goes on as a single cell; singles and clusters survive with their own
probabilities; a survivor arrests in one organ, chosen by share, and extravasates or dies there.
One account of removal: survival is per passage, and there is no half-life beside it.

Draws are pure functions of (key, lattice, tick and voxel of departure, fragment, purpose).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kernels.draws import Purpose, host_philox, key_of, threshold
from .parameters import Body
from .seeds import Fate, Growing, Seeds


@dataclass(frozen=True)
class Arrival:
    """A seed that got into an organ and now needs room there."""

    row: int  # of the seed table
    organ: int  # index in the scenario's organs
    site_draw: int  # u32 that picks the vessel site


class Circulation:
    """Seeds on their way; `tick` counts as in the run."""

    def __init__(self, parameters: Body, tick_h: float, rng_key: int) -> None:
        self._parameters = parameters
        self._transit_ticks = max(1, round(parameters.transit_h / tick_h))
        self._key = key_of(rng_key)
        self._due: dict[int, list[int]] = {}
        shares = np.array([organ.share_probability for organ in parameters.organs.values()])
        # u32 limits of the cumulative shares; the last is never passed, whatever rounding left of 1
        self._limits = np.array([threshold(min(1.0, p)) for p in np.cumsum(shares)], dtype=np.uint64)
        if len(self._limits):
            self._limits[np.flatnonzero(shares)[-1] :] = 2**32

    def admit(self, seeds: Seeds, row: int) -> None:
        """A seed has left a lattice in this tick: it comes out of the vessels `transit_h` later."""
        self._due.setdefault(int(seeds.table["tick"][row]) + self._transit_ticks, []).append(row)

    def readmit(self, seeds: Seeds, tick: int) -> None:
        """Rebuild the queue from the table, for a run that goes on from its state at `tick`.

        Where a branch shortens the transit, what should have come out already comes out at `tick`.
        """
        self._due.clear()
        for row in np.flatnonzero(seeds.table["fate"] == Fate.IN_TRANSIT):
            due = max(int(seeds.table["tick"][row]) + self._transit_ticks, tick)
            self._due.setdefault(due, []).append(int(row))

    def ledgers(self) -> dict[str, Any]:
        """What `books.balance` needs besides the seeds and the colonies: nothing."""
        return {}

    def numbers(self) -> dict[str, Any]:
        """What a checkpoint holds besides tables: nothing."""
        return {}

    def take_up(self, numbers: dict[str, Any]) -> None:
        pass

    def counted(self, *fates: Fate) -> int:
        """Seeds of these fates that have no row: none."""
        return 0

    def observed(self, seeds: Seeds) -> dict[str, float]:
        """Further columns of a row of the series: none."""
        return {}

    def columns(self, rows: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Further columns of the tables of seeds and colonies: none."""
        return {}, {}

    def lattices(self) -> list[tuple[int, Any]]:
        """Colonies with a lattice of their own: none, they share those of the organs."""
        return []

    def take_up_lattices(self, tissues: dict[int, dict[str, np.ndarray]]) -> None:
        pass

    def cells_by_organ(self) -> np.ndarray:
        """Cells of colonies that are numbers: there are none."""
        return np.zeros(0, dtype=np.int64)

    def tables(self) -> dict[str, Growing]:
        """What it keeps beside the seeds: nothing (a body that is a graph does)."""
        return {}

    def advance(self, seeds: Seeds, tick: int, cells: int = 0) -> list[Arrival]:
        """Decide the fate of the seeds whose transit ends at `tick`. Returns those that got into an organ.

        How many `cells` the primary has does not matter here.
        """
        due = self._due.pop(tick, [])
        if not due:
            return []
        rows = np.array(due + self._break_up(seeds, due), dtype=np.int64)
        body = self._parameters
        alone = seeds.table["cells"][rows] == 1
        limit = np.where(
            alone, threshold(body.single_survival_probability), threshold(body.cluster_survival_probability)
        )
        survives = _below(self._draws(seeds, rows, Purpose.SURVIVE_TRANSIT), limit) & (len(self._limits) > 0)
        seeds.table["fate"][rows[~survives]] = Fate.DIED_IN_TRANSIT
        rows = rows[survives]
        if not len(rows):
            return []
        organ = np.searchsorted(self._limits, self._draws(seeds, rows, Purpose.ORGAN).astype(np.uint64), side="right")
        seeds.table["organ"][rows] = organ
        seeds.table["arrest_tick"][rows] = tick
        seeds.table["fate"][rows] = Fate.ARRESTED
        gets_in = _below(self._draws(seeds, rows, Purpose.EXTRAVASATE), threshold(body.extravasation_probability))
        seeds.table["fate"][rows[~gets_in]] = Fate.DIED_AFTER_ARREST
        sites = self._draws(seeds, rows, Purpose.ARRIVAL_SITE)
        return [
            Arrival(int(row), int(at), int(site))
            for row, at, site, inside in zip(rows, organ, sites, gets_in, strict=True)
            if inside
        ]

    def _break_up(self, seeds: Seeds, due: list[int]) -> list[int]:
        limit = threshold(self._parameters.breakup_probability)
        fragments: list[int] = []
        for row in due:
            cells = int(seeds.table["cells"][row])
            if cells == 1 or limit == 0:
                continue
            draws = self._draws(seeds, np.full(cells, row), Purpose.BREAK_UP, members=np.arange(cells))
            off = np.flatnonzero(_below(draws, limit))
            if len(off):
                fragments += seeds.split(row, off)
        return fragments

    def _draws(self, seeds: Seeds, rows: np.ndarray, purpose: Purpose, members: np.ndarray | None = None) -> np.ndarray:
        """One u32 for each row (or for each member of a row)."""
        part = seeds.table["fragment"][rows] if members is None else members
        counter = np.empty((len(rows), 4), dtype=np.uint32)
        counter[:, 0] = seeds.table["voxel"][rows]
        counter[:, 1] = seeds.table["tick"][rows]
        counter[:, 2] = (int(purpose) << 16) | part.astype(np.uint32)
        counter[:, 3] = seeds.table["lattice_id"][rows]
        return host_philox(counter, self._key)[:, 0]


def _below(draws: np.ndarray, limit: np.ndarray | int) -> np.ndarray:
    """`kernels.draws.below` on the host."""
    return (draws < limit) | (np.asarray(limit) == 2**32 - 1)
