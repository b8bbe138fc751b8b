"""A primary that is a number of cells: it sheds into the account of a body that is a graph.

In each tick the seeds that it sheds are thinned exactly (`thinning`) by all that can become of them (`outcomes`): those
that live on get a row and come out of their vessels when that takes, the others are counted by fate and organ. Sizes are
those in which seeds travel: what breaks up has broken up, and `body.transit.breakup_probability` has no say.
The niche enters in steps of a hundredth, so that the outcomes need not be worked out in every tick.
"""

import numpy as np

from ...kernels.draws import Purpose, key_of
from .account import Account
from .emission import Emission, Law
from .journeys import PRIMARY, Arrival
from .mean_field import entity_of
from .outcomes import Outcomes
from .passage import EVASIVE_BIT
from .seed_draws import words_of
from .seeds import NONE, Fate, Seeds
from .thinning import Fates, shed

NICHE_STEP = 0.01


class Primary:
    """The primary of one patient."""

    def __init__(self, table: Emission, account: Account, rng_key: int, tick_h: float) -> None:
        self._key = key_of(rng_key)
        self._rng_key = rng_key
        self._tick_h = tick_h
        self._account = account
        self.law = Law.of(table, self._key)
        steps = account.steps
        self._start = steps.anatomy.source_of(steps.body.primary)
        self._fates: dict[int, tuple[Outcomes, Fates]] = {}

    def cells(self, tick: int) -> int:
        """Cells at the end of so many ticks, to the nearest whole one."""
        return round(float(self.law.course.cells(tick * self._tick_h)))

    def shedding_per_h(self, tick: int) -> float:
        """Seeds per hour in the mean, over the tick that ends there."""
        return self.law.expected((tick - 1) * self._tick_h, tick * self._tick_h) / self._tick_h if tick else 0.0

    def emit(self, seeds: Seeds, tick: int) -> int:
        """Shed what is shed in this tick. Returns the cells that left."""
        outcomes, fates = self._outcomes(self._account.niche.prepared)
        expected = self.law.expected(tick * self._tick_h, (tick + 1) * self._tick_h)
        out = shed(expected, self.law.share_of_size, fates, self._key, tick, table=seeds.table)
        each = np.arange(1, len(out.counts) + 1)
        cells = int((out.counts.sum(axis=1) * each).sum())
        seeds.released += out.seeds
        seeds.released_cells += cells
        for outcome in np.flatnonzero(out.counts.any(axis=0) & ~outcomes.lives):
            column = out.counts[:, outcome]
            self._account.metastases.count(
                int(outcomes.fate[outcome]), int(outcomes.organ[outcome]), int(column.sum()), int((column * each).sum())
            )
        if len(out.cells):
            self._enter(seeds, out.cells, out.fate, outcomes, tick)
        return cells

    def take_back(self, seeds: Seeds, arrivals: list[Arrival], tick: int) -> int:
        """Seeds that are back at the primary; a primary that was resected takes nobody. Returns the cells it took.

        They join a primary whose growth is given, so they change its composition and not its number.
        """
        there = self.cells(tick) > 0
        taken = 0
        for arrival in arrivals:
            assert arrival.organ == PRIMARY
            cells = int(seeds.table["cells"][arrival.row])
            seeds.table["fate"][arrival.row] = Fate.RETURNED if there else Fate.NO_ROOM
            seeds.table["cells_without_room"][arrival.row] = 0 if there else cells
            taken += cells if there else 0
        seeds.returned_cells += taken
        return taken

    def _outcomes(self, level: float) -> tuple[Outcomes, Fates]:
        step = round(level / NICHE_STEP)
        if step not in self._fates:
            sizes = len(self.law.share_of_size)
            found = self._account.steps.outcomes(self._start, sizes, level=step * NICHE_STEP)
            probability = found.probability / found.probability.sum(axis=1, keepdims=True)
            self._fates[step] = found, Fates(tuple(map(str, range(len(found.fate)))), probability, found.lives)
        return self._fates[step]

    def _enter(self, seeds: Seeds, cells: np.ndarray, which: np.ndarray, outcomes: Outcomes, tick: int) -> None:
        count = len(cells)
        first = seeds.members.append({"emt": 0, "clone": 0}, count=int(cells.sum()))
        row = seeds.table.append(
            {
                "tick": tick,
                "voxel": NONE,
                "colony": NONE,
                "cells": cells,
                "first": first + np.cumsum(cells) - cells,
            },
            count=count,
        )
        back = outcomes.fate[which] == Fate.RETURNED
        # nobody else's founder is known by these four numbers: colonies have the words of an entity first
        number = np.arange(count)
        own = entity_of(0 * number + int(Purpose.SHED), 0 * number, 0 * number + tick, number, rng_key=self._rng_key)
        low, high = words_of(own)
        columns = {
            "entity_low": low,
            "entity_high": high,
            "kind": outcomes.evasive[which] << EVASIVE_BIT | (cells > 1),
            "killed": np.where(back, 0, cells - outcomes.cells[which]),
        }
        rows = np.arange(row, row + count)
        self._account.journeys.enter_decided(seeds, rows, columns, outcomes.organ[which], back, tick)
