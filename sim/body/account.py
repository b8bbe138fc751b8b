"""The account of a body that is a graph: seeds on their way, colonies, the niche; beside `circulation.Circulation`.

Every tick seeds go on; every interval, at its end, the niche, the colonies and what they shed. A seed that comes back to the
primary is handed to the run at the start of the tick in which it arrives.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...kernels.tissue import Tissue
from ..device import Device
from .circulation import Arrival
from .journeys import Journeys
from .mean_field import DORMANT
from .metastases import COLONY_COLUMNS, Metastases
from .niche import NicheState
from .organs import Colonies
from .outcomes import Steps
from .parameters import Body
from .seeds import Fate, Growing, Seeds

if TYPE_CHECKING:
    from .handover import Handover


class Account:
    """One run's body, from the vessel wall of the primary on."""

    def __init__(
        self,
        body: Body,
        tick_h: float,
        rng_key: int,
        device: Device,
        trait: Callable[[str], np.ndarray | None] = lambda name: None,
    ) -> None:
        """`trait` gives a clone's trait for every clone, or None where clones do not differ in it."""
        self.steps = Steps(body)
        self.interval_ticks = max(1, round(body.interval_h / tick_h))
        self._hours = self.interval_ticks * tick_h
        self.journeys = Journeys(self.steps, tick_h, rng_key, trait)
        self.metastases = Metastases(self.steps, self._hours, tick_h, device, rng_key, trait)
        self.colonies = Colonies(COLONY_COLUMNS)
        self.niche = NicheState()
        self.handover: Handover | None = None

    def hand_over(self, handover: "Handover") -> None:
        """From now on large colonies may get lattices of their own."""
        self.handover = handover

    def lattices(self) -> list[tuple[int, Tissue]]:
        """(row of the colony, its tissue) of the colonies that have a lattice."""
        return sorted(self.handover.members(), key=lambda one: one[0]) if self.handover else []

    def take_up_lattices(self, tissues: dict[int, dict[str, np.ndarray]]) -> None:
        """Go on with these arrays, by row of the colony, once the tables are in place."""
        if self.handover:
            self.handover.restore(tissues)

    def admit(self, seeds: Seeds, row: int) -> None:
        """A seed has left a lattice: it is sent on its way when seeds next go on."""

    def readmit(self, seeds: Seeds, tick: int) -> None:
        """Go on from the state at `tick`, whose tables and numbers are in place."""
        self.metastases.renew_laws(seeds, self.colonies)
        self.journeys.readmit(seeds, tick)

    def advance(self, seeds: Seeds, tick: int, cells: int = 0) -> list[Arrival]:
        """One tick; `cells` are the primary's. Returns the seeds that are back at the primary."""
        level = self.niche.prepared
        settling, arrivals = self.journeys.advance(seeds, tick, level)
        self.metastases.found(seeds, self.journeys, self.colonies, settling, tick)
        if tick > 0 and tick % self.interval_ticks == 0:
            interval = tick // self.interval_ticks
            self.niche.advance(self.steps.niche, cells, self._hours)
            self.metastases.advance(interval, seeds, self.colonies, tick, self.handover)
            self.metastases.shed(interval, seeds, self.journeys, self.colonies, tick, self.niche.prepared)
            if self.handover:
                self.handover.take(interval + 1)
        return arrivals

    def ledgers(self) -> dict[str, Any]:
        """What `books.balance` needs besides the seeds and the colonies."""
        return {
            "counted": self.metastases.counted,
            "killed": self.journeys.table["killed"],
            "states": self.metastases.field.states(),
        }

    def counted(self, *fates: Fate) -> int:
        """Seeds of these fates that were counted and have no row."""
        table = self.metastases.counted
        return int(table["seeds"][np.isin(table["fate"], fates)].sum())

    def observed(self, seeds: Seeds) -> dict[str, float]:
        """Further columns of a row of the series (`outputs.schema.BODY_SERIES`)."""
        states = self.metastases.field
        return {
            "seeds_waiting": seeds.count(Fate.ARRESTED),
            "seeds_returned": seeds.count(Fate.RETURNED),
            "colonies_dormant": states.count(DORMANT),
            "niche_factor": self.niche.factor,
            "niche_prepared": self.niche.prepared,
        }

    def columns(self, rows: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Further columns of the tables of seeds and colonies (`outputs.schema.BODY_COLUMNS`)."""
        seeds = self.journeys.columns(rows, ("kind", "killed", "adapted", "parent"))
        field = self.metastases.field.table
        colonies = {"evasive": self.colonies.table["evasive"], "parent": self.colonies.table["parent"]}
        colonies |= {"adapted_cells": field["adapted"], "vascular": field["vascular"]}
        return seeds, colonies

    def cells_by_organ(self) -> np.ndarray:
        """(organs,) i8: cells of the colonies that are numbers."""
        out = np.zeros(len(self.steps.anatomy.organs), dtype=np.int64)
        np.add.at(out, self.colonies.table["organ"], self.metastases.field.table["cells"])
        return out

    def tables(self) -> dict[str, Growing]:
        """What it keeps beside the seeds and the colonies."""
        return {
            "journeys": self.journeys.table,
            "counted": self.metastases.counted,
            "mean_field": self.metastases.field.table,
        }

    def numbers(self) -> dict[str, Any]:
        """What else a checkpoint holds."""
        return {"factor": self.niche.factor, "prepared": self.niche.prepared}

    def take_up(self, numbers: dict[str, Any]) -> None:
        self.niche = NicheState(float(numbers["factor"]), float(numbers["prepared"]))
