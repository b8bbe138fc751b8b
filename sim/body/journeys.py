"""Seeds in a body that is a graph: from the vessel wall to where they settle, die, or come back to the primary.

    enters      clusters lose cells; each is of a kind (large or small, evasive, cloaked); its way is drawn (`transit`)
    in transit  until it comes to a bed that holds it, or dies
    arrested    killers come by (`gauntlet`); who is left gets out of the vessel, and finds a spot or not (`soil`, `niche`)
    settled     a colony, growing or dormant (`metastases`)

What a seed will meet is drawn when it enters a stage, and waits in `due_tick` until then; killers count with the niche at
arrest, the ways out and in with the niche of their own time. Draws are pure functions of the seed's entity.
Ignored: that arrested seeds block a bed, that killers tire, that a seed is changed by its way.
"""

from collections.abc import Callable

import numpy as np

from ...kernels.draws import Purpose, key_of
from .circulation import Arrival
from .gauntlet import kill_probabilities
from .mean_field import entity_of
from .outcomes import Steps
from .passage import KINDS, Kind
from .seed_draws import entities, happens, mean_trait, travel_names, words, words_of
from .seeds import NONE, Fate, Growing, Seeds
from .transit import travel

ROUTES = ("blood", "lymph", "coelomic")
PRIMARY = -1  # where an arrival is put that is none of an organ's

# name -> dtype of what is kept per seed, beside the columns of `Seeds` and row by row with them
COLUMNS = {
    "entity_low": np.uint32,
    "entity_high": np.uint32,
    "kind": np.uint8,
    "bound": np.int16,
    "due_tick": np.int64,
    "killed": np.int32,
    "adapted": np.int32,
    "parent": np.int32,
    "decided": np.uint8,
}
# of a row that was entered with its fate
LIVES_ON, COMES_BACK = 1, 2
# what a new row has: nobody is bound anywhere, the primary shed it
NEW = {"bound": NONE, "parent": NONE}


class Journeys:
    """The ways of all seeds of a run; `found` is called with those that are to found a colony."""

    def __init__(self, steps: Steps, tick_h: float, rng_key: int, trait: Callable[[str], np.ndarray | None]) -> None:
        """`trait` gives a clone's trait for every clone, or None where clones do not differ in it."""
        self.steps = steps
        self.table = Growing(COLUMNS)
        self._tick_h = tick_h
        self._rng_key = rng_key
        self._key = key_of(rng_key)
        self._trait = trait
        self._due: dict[int, list[np.ndarray]] = {}

    def readmit(self, seeds: Seeds, tick: int) -> None:
        """Rebuild the queue from the tables. What is due before `tick`, by a branch of other times, is due then."""
        self._due.clear()
        fate = seeds.table["fate"][: self.table.rows]
        waiting = np.flatnonzero((fate == Fate.IN_TRANSIT) | (fate == Fate.ARRESTED))
        self._schedule(waiting, np.maximum(self.table["due_tick"][waiting], tick))

    def advance(self, seeds: Seeds, tick: int, level: float) -> tuple[np.ndarray, list[Arrival]]:
        """One tick. Returns the rows that settle now, and those that return to the primary.

        `level` is how far the niche is prepared.
        """
        self.depart(seeds)
        due = self._due.pop(tick, None)
        if due is None:
            return np.zeros(0, dtype=np.int64), []
        rows = np.sort(np.concatenate(due))
        in_transit = seeds.table["fate"][rows] == Fate.IN_TRANSIT
        arrivals = self._arrest(seeds, rows[in_transit], tick, level)
        at_once = self._due.pop(tick, [])  # where extravasation takes no time
        settling = np.sort(np.concatenate([rows[~in_transit], *at_once]))
        coming_back = self.table["decided"][settling] == COMES_BACK
        arrivals += self._come_back(settling[coming_back])
        return self._get_out(seeds, settling[~coming_back], level), arrivals

    def depart(self, seeds: Seeds) -> None:
        """Send those on their way that have left since the last tick."""
        rows = np.arange(self.table.rows, seeds.table.rows)
        if not len(rows):
            return
        rows = np.concatenate([rows, self._break_up(seeds, rows)])
        entity = self._entity(seeds, rows)
        low, high = words_of(entity)
        self.table.append({**NEW, "entity_low": low, "entity_high": high}, count=len(rows))
        kind = self._kinds(seeds, rows, entity)
        self.table["kind"][rows] = kind
        codes, which = np.unique(kind, return_inverse=True)
        ends = travel(
            [self.steps.chain(Kind.of(int(code))) for code in codes],
            which,
            self._starts(seeds, rows),
            travel_names(entity, self._key),
            self._key,
        )
        organ = self._organ_of_place[ends.place]
        self.table["bound"][rows] = np.where(ends.died, NONE, organ)
        due = seeds.table["tick"][rows] + self._ticks(ends.hours)
        self.table["due_tick"][rows] = due
        self._schedule(rows, due)

    def enter_decided(
        self, seeds: Seeds, rows: np.ndarray, columns: dict, organ: np.ndarray, back: np.ndarray, tick: int
    ) -> None:
        """Enter rows whose fate is decided already: held in `organ`, they live on and settle after the time that getting
        out takes; those with `back` (rows,) bool come back to the primary at the next tick."""
        decided = np.where(back, COMES_BACK, LIVES_ON)
        self.table.append({**NEW, **columns, "bound": organ, "decided": decided}, count=len(rows))
        seeds.table["organ"][rows] = organ
        seeds.table["arrest_tick"][rows] = tick
        seeds.table["fate"][rows] = Fate.ARRESTED
        hours = np.where(back, 0.0, self.steps.gauntlet.extravasation_h)
        self._await(rows, tick, np.maximum(hours, self._tick_h))

    def columns(self, rows: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Columns for `rows` seeds; those that have left in this tick have what new rows have."""
        more = rows - self.table.rows
        return {name: np.r_[self.table[name], np.full(more, NEW.get(name, 0), COLUMNS[name])] for name in names}

    @property
    def _organ_of_place(self) -> np.ndarray:
        organs = self.steps.anatomy.organs
        return np.array([NONE if name is None else organs.index(name) for name in self.steps.anatomy.organ_of])

    def _ticks(self, hours: np.ndarray) -> np.ndarray:
        return np.maximum(1, np.ceil(hours / self._tick_h - 1e-9)).astype(np.int64)

    def _schedule(self, rows: np.ndarray, due: np.ndarray) -> None:
        if not len(rows):
            return
        order = np.argsort(due, kind="stable")
        ticks, starts = np.unique(due[order], return_index=True)
        for tick, part in zip(ticks.tolist(), np.split(rows[order], starts[1:]), strict=True):
            self._due.setdefault(tick, []).append(part)

    def _await(self, rows: np.ndarray, tick: int, hours: np.ndarray) -> None:
        due = tick + np.rint(hours / self._tick_h).astype(np.int64)
        self.table["due_tick"][rows] = due
        self._schedule(rows, due)

    def _entity(self, seeds: Seeds, rows: np.ndarray) -> np.ndarray:
        names = ("lattice_id", "tick", "voxel", "fragment")
        return entity_of(*(seeds.table[name][rows] for name in names), rng_key=self._rng_key)

    def _break_up(self, seeds: Seeds, rows: np.ndarray) -> np.ndarray:
        chance = self.steps.transit.breakup_probability
        rows = rows[seeds.table["cells"][rows] > 1] if chance > 0 else rows[:0]
        fragments: list[int] = []
        for row, entity in zip(rows.tolist(), self._entity(seeds, rows), strict=True):
            members = np.arange(int(seeds.table["cells"][row]))
            off = happens(np.full(len(members), entity), Purpose.COME_OFF, chance, self._key, part=members)
            if off.any():
                fragments += seeds.split(row, np.flatnonzero(off))
        return np.array(fragments, dtype=np.int64)

    def _kinds(self, seeds: Seeds, rows: np.ndarray, entity: np.ndarray) -> np.ndarray:
        """(rows,) u1 codes. A clone of visibility v < 1 adds 1 - v of those that evade."""
        transit = self.steps.transit
        cluster = seeds.table["cells"][rows] > 1
        seen = np.minimum(1.0, mean_trait(seeds, rows, self._trait("visibility")))
        small = happens(entity, Purpose.CELL_CLASS, transit.small_fraction, self._key) & ~cluster
        evades = happens(entity, Purpose.EVASION, 1.0 - seen * (1.0 - transit.evasive_fraction), self._key)
        cloaked = happens(entity, Purpose.CLOAK, transit.cloaked_fraction, self._key)
        return (cluster | small << 1 | evades << 2 | cloaked << 3).astype(np.uint8)

    def _starts(self, seeds: Seeds, rows: np.ndarray) -> np.ndarray:
        """(rows, places) f8: where seeds of the primary's lattice start, by the wall they crossed."""
        anatomy, primary = self.steps.anatomy, self.steps.body.primary
        given = anatomy.primaries[primary]
        coelomic = given.routes.get("coelomic", 0.0)
        starts = []
        for route in ROUTES:
            # a body that says nothing of this way: all of its routes, in their shares
            start = anatomy.source_of(primary, route if given.drains(route) else None)
            if coelomic > 0 and route != "coelomic":  # no lattice has a cavity: this share of what leaves falls into it
                start = start * (1.0 - coelomic) + coelomic * anatomy.source_of(primary, "coelomic")
            starts.append(start)
        return np.array(starts)[seeds.table["route"][rows]]

    def _arrest(self, seeds: Seeds, rows: np.ndarray, tick: int, level: float) -> list[Arrival]:
        bound = self.table["bound"][rows]
        seeds.table["fate"][rows[bound == NONE]] = Fate.DIED_IN_TRANSIT
        rows, organ = rows[bound != NONE], bound[bound != NONE]
        if not len(rows):
            return []
        seeds.table["fate"][rows] = Fate.ARRESTED
        seeds.table["organ"][rows] = organ
        seeds.table["arrest_tick"][rows] = tick
        entity = entities(self.table["entity_low"][rows], self.table["entity_high"][rows])
        back = happens(entity, Purpose.RETURN, self.steps.returns()[organ], self._key)
        returned = self._come_back(rows[back])
        self._run_the_gauntlet(seeds, rows[~back], organ[~back], entity[~back], tick, level)
        return returned

    def _come_back(self, rows: np.ndarray) -> list[Arrival]:
        entity = entities(self.table["entity_low"][rows], self.table["entity_high"][rows])
        sites = words(entity, Purpose.RETURN_SITE, self._key)
        return [Arrival(int(row), PRIMARY, int(site)) for row, site in zip(rows, sites, strict=True)]

    def _run_the_gauntlet(
        self, seeds: Seeds, rows: np.ndarray, organ: np.ndarray, entity: np.ndarray, tick: int, level: float
    ) -> None:
        gauntlet, cells = self.steps.gauntlet, seeds.table["cells"][rows]
        prepared = self.steps.prepared(level)
        factor = np.array([self.steps.kill_factor(kind, prepared) for kind in KINDS])[self.table["kind"][rows], organ]
        killed = np.zeros(len(rows), dtype=np.int64)
        hours = np.full(len(rows), gauntlet.extravasation_h)
        for encounter, kill in enumerate(kill_probabilities(gauntlet)):
            alive = killed < cells
            kills = happens(entity, Purpose.NK_KILL, np.minimum(1.0, kill * factor), self._key, part=encounter) & alive
            killed += kills
            hours[kills & (killed == cells)] = (encounter + 1) * gauntlet.encounter_h
        self.table["killed"][rows] = killed
        self._await(rows, tick, hours)

    def _get_out(self, seeds: Seeds, rows: np.ndarray, level: float) -> np.ndarray:
        """Those of `rows`, whose time in the vessel is over, that settle."""
        prepared = self.steps.prepared(level)
        organ = seeds.table["organ"][rows]
        entity = entities(self.table["entity_low"][rows], self.table["entity_high"][rows])
        lives = happens(entity, Purpose.GET_OUT, self.steps.gets_out(prepared)[organ], self._key)
        lives &= happens(entity, Purpose.RECEPTION, self.steps.is_received(prepared)[organ], self._key)
        lives &= self.table["killed"][rows] < seeds.table["cells"][rows]
        lives |= self.table["decided"][rows] > 0
        seeds.table["fate"][rows[~lives]] = Fate.DIED_AFTER_ARREST
        return rows[lives]
