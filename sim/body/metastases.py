"""Colonies of a body that is a graph: founded by seeds that settle, grown in the mean field, shedding seeds in turn.

A colony's law of growth is that of `[body.colonies]`, its births multiplied by the organ's soil and its clone's trait (in
steps of a tenth, so that there are few laws). It inherits from its founder: clone, evasion, cells that are adapted. Its
seeds inherit them again, so metastases of metastases carry what they acquired; an adapted cell is adapted wherever it goes.

What colonies shed are single cells, of which by far most die. So they are thinned exactly: how many of a colony's seeds
live on is one binomial number, what those do is drawn for each, and the dead are counted by fate and organ (`counted`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...kernels.draws import Purpose, key_of
from ...kernels.host_samplers import Draws, binomial
from ..device import Device
from .colony_parameters import rounded_division
from .journeys import Journeys
from .mean_field import DORMANT, GROWING, MeanField, entity_of
from .organs import COLUMNS, Colonies
from .outcomes import Outcomes, Steps
from .passage import EVASIVE_BIT, share_of, source_of_organ
from .seed_draws import entities, happens, mean_trait, words, words_of
from .seeds import NONE, Fate, Growing, Seeds, refuse_too_many

if TYPE_CHECKING:
    from .handover import Handover

# of the table of colonies: those of a body with lattices, wider, and what is inherited
COLONY_COLUMNS = {**COLUMNS, "cells": np.int64, "evasive": np.uint8, "parent": np.int32}
COUNTED = {"fate": np.uint8, "organ": np.int16, "seeds": np.int64, "cells": np.int64}


class Metastases:
    """The colonies of one run and the seeds that they shed."""

    def __init__(
        self,
        steps: Steps,
        hours: float,
        tick_h: float,
        device: Device,
        rng_key: int,
        trait: Callable[[str], np.ndarray | None],
    ) -> None:
        """`hours` is the interval; `trait` as for `Journeys`."""
        body = steps.body
        assert body.colonies and body.dormancy
        self.steps = steps
        self.field = MeanField(
            body.colonies,
            hours,
            device,
            rng_key=rng_key,
            dormant_wake_per_h=body.dormancy.waking_per_h,
            dormant_death_per_h=body.dormancy.death_per_h,
        )
        self.counted = Growing(COUNTED)
        organs = len(steps.anatomy.organs)
        fates = np.repeat(np.arange(len(Fate)), organs + 1)
        self.counted.append({"fate": fates, "organ": np.tile(np.arange(-1, organs), len(Fate))}, count=len(fates))
        self._dormant = body.dormancy.probability
        self._growth = np.array([body.soil_of(organ).growth_factor for organ in steps.anatomy.organs])
        self._key = key_of(rng_key)
        self._rng_key = rng_key
        self._trait = trait
        self._tick_h = tick_h
        self._level = 0.0
        self._fates: dict[tuple[int, bool], Outcomes] = {}

    def count(self, fate: int, organ: int, seeds: int, cells: int) -> None:
        """Count seeds that get no row; `organ` NONE for those that died on the way."""
        row = fate * (len(self.steps.anatomy.organs) + 1) + organ + 1
        self.counted["seeds"][row] += seeds
        self.counted["cells"][row] += cells

    def found(self, seeds: Seeds, journeys: Journeys, colonies: Colonies, rows: np.ndarray, tick: int) -> None:
        """Found the colonies of seeds that settle. Writes their fates."""
        if not len(rows):
            return
        travelled, organ, clone = journeys.table, seeds.table["organ"][rows], seeds.table["clone"][rows]
        entity = entities(travelled["entity_low"][rows], travelled["entity_high"][rows])
        cells = seeds.table["cells"][rows] - travelled["killed"][rows]
        dormant = happens(entity, Purpose.LIE_DORMANT, self._dormant, self._key)
        law, adapted_law = self._laws(organ, mean_trait(seeds, rows, self._trait("division")))
        state = np.where(dormant, DORMANT, GROWING)
        adapted = np.minimum(travelled["adapted"][rows], cells)
        self.field.found(entity, cells, law=law, adapted_law=adapted_law, adapted=adapted, state=state)
        label = np.bincount(colonies.table["organ"], minlength=len(self._growth))[organ] + _ranks(organ) + 1
        first = colonies.table.append(
            {
                "organ": organ,
                "founded_tick": tick,
                "founder_seed": rows,
                "clone": clone,
                "founder_cells": cells,
                "cells": cells,
                "state": state,
                "voxel": NONE,
                "label": label,
                "evasive": travelled["kind"][rows] >> EVASIVE_BIT & 1,
                "parent": travelled["parent"][rows],
            },
            count=len(rows),
        )
        seeds.table["fate"][rows] = np.where(dormant, Fate.DORMANT, Fate.COLONY)
        seeds.table["colony"][rows] = first + np.arange(len(rows))

    def advance(
        self, interval: int, seeds: Seeds, colonies: Colonies, tick: int, handover: "Handover | None" = None
    ) -> None:
        """One interval of all colonies; brings their table and the fates of dormant seeds up to date."""
        self.field.advance(interval, self._hours(colonies, tick))
        if handover:  # after the field, or a colony that gives its lattice back would grow twice
            handover.advance(interval)
        colonies.table["cells"][:] = self.field.table["cells"]
        colonies.table["state"][:] = self.field.states()
        founder = colonies.table["founder_seed"][colonies.table["state"] != DORMANT]
        seeds.table["fate"][founder] = Fate.COLONY

    def resected(self) -> None:
        """The primary is taken out: colonies that wait for vessels may get them by it."""
        table, chance = self.field.table, self.field.growth.surgery_vessels_probability
        waiting = np.flatnonzero(self.field.angiogenically_dormant())
        if chance > 0 and len(waiting):
            entity = entities(table["entity_low"][waiting], table["entity_high"][waiting])
            table["vascular"][waiting] |= happens(entity, Purpose.COLONY_SURGERY, chance, self._key).astype(np.uint8)

    def shed(
        self, interval: int, seeds: Seeds, journeys: Journeys, colonies: Colonies, tick: int, level: float
    ) -> None:
        """What the colonies shed in the interval just gone: rows for those that live on, counts for the others."""
        total, adapted = self.field.shed(interval, self._hours(colonies, tick))
        rows = np.flatnonzero(total)
        if not len(rows):
            return
        seeds.released += int(total.sum())
        seeds.released_cells += int(total.sum())
        table = colonies.table
        entity = entities(self.field.table["entity_low"][rows], self.field.table["entity_high"][rows])
        source = table["organ"][rows] * 2 + table["evasive"][rows]
        fates = {int(group): self.fates_of(int(group) // 2, bool(group % 2), level) for group in np.unique(source)}
        chance = {group: float(one.probability[0, one.lives].sum()) for group, one in fates.items()}
        living_chance = np.array([min(1.0, chance[int(group)]) for group in source])
        lives = []
        for part, count in enumerate((total[rows] - adapted[rows], adapted[rows])):
            draws = Draws(self._key, interval, Purpose.LIVING, entity, stream=512 * part)
            lives.append(binomial(count, living_chance, draws))
        self._let_live(rows, entity, source, fates, lives, interval, seeds, journeys, colonies, tick)
        dead = total[rows] - lives[0] - lives[1]
        groups = np.array(list(fates))
        sums = np.array([int(dead[source == group].sum()) for group in groups])
        self._count_dead(groups, list(fates.values()), sums, interval)

    def _hours(self, colonies: Colonies, tick: int) -> np.ndarray:
        """(colonies,) f8: hours of the interval that ends at `tick` in which each was there."""
        return np.minimum((tick - colonies.table["founded_tick"]) * self._tick_h, self.field.interval_h)

    def renew_laws(self, seeds: Seeds, colonies: Colonies) -> None:
        """Work the laws of all colonies out anew, in their order: for a run that goes on from its state, and has none yet."""
        founder = colonies.table["founder_seed"]
        law, adapted_law = self._laws(colonies.table["organ"], mean_trait(seeds, founder, self._trait("division")))
        self.field.table["law"][:], self.field.table["adapted_law"][:] = law, adapted_law

    def _laws(self, organ: np.ndarray, division: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        factor = self._growth[organ] * rounded_division(division)
        ordinary, adapted = {}, {}
        for one in factor.tolist():  # in the order of the seeds, so that numbers of laws do not depend on anything else
            if one not in ordinary:
                ordinary[one], adapted[one] = self.field.law(one), self.field.law(one, adapted=True)
        return (np.array([law[one] for one in factor.tolist()], dtype=np.int32) for law in (ordinary, adapted))  # type: ignore[return-value]

    def fates_of(self, organ: int, evasive: bool, level: float) -> Outcomes:
        """What can become of a single cell that a colony of this organ sheds; `level` is that of the niche."""
        if level != self._level:
            self._fates.clear()
            self._level = level
        key = (organ, evasive)
        if key not in self._fates:
            self._fates[key] = self._work_out(organ, evasive, level)
        return self._fates[key]

    def _work_out(self, organ: int, evasive: bool, level: float) -> Outcomes:
        transit = self.steps.transit
        if evasive:  # what an evasive colony sheds is evasive
            transit = transit.model_copy(update={"evasive_fraction": 1.0})
        start = source_of_organ(self.steps.anatomy, self.steps.anatomy.organs[organ])
        return self.steps.outcomes(start, level=level, share=lambda kind: share_of(transit, kind))

    def _let_live(
        self,
        rows: np.ndarray,
        entity: np.ndarray,
        source: np.ndarray,
        fates: dict[int, Outcomes],
        lives: list[np.ndarray],
        interval: int,
        seeds: Seeds,
        journeys: Journeys,
        colonies: Colonies,
        tick: int,
    ) -> None:
        each = lives[0] + lives[1]
        refuse_too_many(int(each.sum()), seeds.table)
        at = np.repeat(np.arange(len(rows)), each)
        if not len(at):
            return
        number = np.arange(len(at)) - np.repeat(np.cumsum(each) - each, each)
        low, high = words_of(entity[at])
        own = entity_of(low, high, np.full(len(at), interval), number, rng_key=self._rng_key)
        draw = (words(own, Purpose.LIVING_FATE, self._key).astype(np.float64) + 0.5) * 2.0**-32
        organ, evasive, back = (np.zeros(len(at), dtype=kind) for kind in (np.int16, np.uint8, bool))
        for group, one in fates.items():
            mine, which = np.flatnonzero(source[at] == group), np.flatnonzero(one.lives)
            sums = np.cumsum(one.probability[0, which])
            pick = which[np.minimum(np.searchsorted(sums, draw[mine] * sums[-1], side="right"), len(which) - 1)]
            organ[mine], evasive[mine] = one.organ[pick], one.evasive[pick]
            back[mine] = one.fate[pick] == Fate.RETURNED
        parent = rows[at]
        new = seeds.enter_single_cells(
            len(at),
            {
                "lattice_id": colonies.table["organ"][parent] + 1,
                "tick": tick,
                "voxel": NONE,
                "clone": colonies.table["clone"][parent],
            },
        )
        low, high = words_of(own)
        columns = {
            "entity_low": low,
            "entity_high": high,
            "kind": evasive << EVASIVE_BIT,
            "adapted": (number >= lives[0][at]).astype(np.int32),
            "parent": parent,
        }
        journeys.enter_decided(seeds, new, columns, organ, back, tick)

    def _count_dead(self, groups: np.ndarray, fates: list[Outcomes], dead: np.ndarray, interval: int) -> None:
        """Share the dead of each group out over their fates, one conditional binomial number after another."""
        which = np.flatnonzero(~fates[0].lives)
        share = np.array([one.probability[0, which] for one in fates])
        rest = share[:, ::-1].cumsum(axis=1)[:, ::-1]  # of this fate and those after it
        for place, outcome in enumerate(which):
            chance = np.divide(share[:, place], rest[:, place], out=np.zeros(len(dead)), where=rest[:, place] > 0)
            # the last fate that is possible takes all that are left: rest and share are the same number there
            draws = Draws(self._key, interval, Purpose.DEAD_FATE, groups.astype(np.uint64), stream=512 * place)
            count = binomial(dead, np.minimum(chance, 1.0), draws)
            here = int(count.sum())
            self.count(int(fates[0].fate[outcome]), int(fates[0].organ[outcome]), here, here)
            dead = dead - count


def _ranks(values: np.ndarray) -> np.ndarray:
    """How many equal ones stand before each."""
    order = np.argsort(values, kind="stable")
    out = np.empty(len(values), dtype=np.int64)
    starts = np.r_[0, np.flatnonzero(np.diff(values[order])) + 1]
    out[order] = np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
    return out
