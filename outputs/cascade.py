"""What became of the seeds: the cascade from the vessel wall to colonies, as numbers.

Works on the tables of a run; codes are those of `schema.FATES` and `schema.COLONY_STATES`.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from .schema import COLONY_STATES, FATES

IN_TRANSIT, DIED, ARRESTED, DIED_LATER, DORMANT, COLONY, RETURNED, NO_ROOM = range(len(FATES))
GROWING = COLONY_STATES.index("growing")
PRIMARY = -1  # the row of the primary in `seeding_table`: its last
ESTABLISHED = 100  # cells: beyond what chance ends
VISIBLE_MM = 5.0  # about what a CT shows
# how a seed that came to an organ ended there, so far
ENDS = ("died", "arrested", "asleep", "growing")
_END_OF_FATE = {DIED: 0, DIED_LATER: 0, NO_ROOM: 0, ARRESTED: 1, DORMANT: 2}
_END_OF_COLONY = {"waiting": 1, "dormant": 2, "growing": 3, "extinct": 0}


class Step(NamedTuple):
    """One step of the cascade."""

    name: str
    number: int
    about: str


def funnel(seeds: xr.Dataset, colonies: xr.Dataset, series: xr.Dataset) -> list[Step]:
    """How many seeds reached each step, each step a part of the one above it.

    Except after break-up: one seed that leaves may arrive as several fragments, each with a row of
    its own. How many left is the last value of the series `seeds_released`, or the rows of the table
    where that was not recorded.
    """
    fate = np.asarray(seeds["fate"].values)
    rows = len(fate)
    released = rows
    if "seeds_released" in series and series.sizes["tick_time"]:
        released = int(series["seeds_released"].values[-1])
    waiting = int((fate == IN_TRANSIT).sum())
    survived = int(np.isin(fate, [ARRESTED, DIED_LATER, DORMANT, COLONY, RETURNED, NO_ROOM]).sum())
    arrested = survived - int((fate == RETURNED).sum())
    settled = int(np.isin(fate, [DORMANT, COLONY]).sum())
    growing = int((np.asarray(colonies["state"].values) == GROWING).sum())
    travelling = f"{waiting} of them still travel" if waiting else "none still travels"
    return [
        Step("left the primary", released, "cells and clusters that entered a vessel"),
        Step("after break-up", rows, f"seeds and the fragments they broke into; {travelling}"),
        Step("survived transit", survived, "came out of the vessels alive"),
        Step(
            "arrested in an organ",
            arrested,
            "came to rest in its capillaries" if arrested == survived else "the rest returned to the primary",
        ),
        Step("settled there", settled, "found room, or lie dormant"),
        Step("colonies founded", colonies.sizes["colony"], "colonies that ever were"),
        Step("colonies growing", growing, "at the end of the run"),
    ]


def counted_funnel(colonies: xr.Dataset, series: xr.Dataset) -> list[Step]:
    """The same where the dead were only counted: of all seeds, from the primary and from its colonies."""
    last = {str(name): int(series[name].values[-1]) for name in series.data_vars if str(name).startswith("seeds_")}
    released, lost = last["seeds_released"], last["seeds_died_in_transit"]
    survived = released - lost - last["seeds_in_transit"]
    out = survived - last["seeds_died_after_arrest"] - last.get("seeds_returned", 0) - last.get("seeds_waiting", 0)
    state, diameter = np.asarray(colonies["state"].values), np.asarray(colonies["diameter_mm"].values)
    growing, cells = state == GROWING, np.asarray(colonies["cells"].values)
    return [
        Step("left a tumour", released, "cells and clusters that entered a vessel, of the primary and of colonies"),
        Step("arrested in an organ", survived, "came to rest in its capillaries, nodes or cavities"),
        Step("founded a colony", out, "outlived the killers, got out, found a spot"),
        Step("colonies growing", int(growing.sum()), "not dormant and not extinct at the end"),
        Step(f"of {ESTABLISHED} cells or more", int((growing & (cells >= ESTABLISHED)).sum()), "past the bottleneck"),
        Step(f"of {VISIBLE_MM:g} mm or more", int((growing & (diameter >= VISIBLE_MM)).sum()), "a CT would show them"),
    ]


def seeding_table(colonies: xr.Dataset, organs: int) -> np.ndarray:
    """Growing colonies by the organ whose colony shed their founder (the last row: the primary) and their own organ.

    (organs + 1, organs) i8. Without a column `parent` all are the primary's.
    """
    out = np.zeros((organs + 1, organs), np.int64)
    growing = np.asarray(colonies["state"].values) == GROWING
    organ = np.asarray(colonies["organ"].values, int)
    parent = np.asarray(colonies["parent"].values, int) if "parent" in colonies else np.full(len(organ), PRIMARY)
    source = np.where(parent >= 0, organ[parent], organs)
    np.add.at(out, (source[growing], organ[growing]), 1)
    return out


def fates_by_organ(seeds: xr.Dataset, organs: int) -> np.ndarray:
    """Seeds by organ and fate, shape (organs, len(FATES)); seeds without an organ are not counted."""
    table = np.zeros((organs, len(FATES)), np.int64)
    organ, fate = np.asarray(seeds["organ"].values, int), np.asarray(seeds["fate"].values, int)
    known = (organ >= 0) & (organ < organs) & (fate < len(FATES))
    np.add.at(table, (organ[known], fate[known]), 1)
    return table


def ends_by_organ(seeds: xr.Dataset, colonies: xr.Dataset, organs: int) -> np.ndarray:
    """Seeds by organ and end, shape (organs, len(ENDS)); one that founded or joined a colony ended as that did.

    Seeds without an organ, in transit or back in the primary are not counted.
    """
    organ, fate = np.asarray(seeds["organ"].values, int), np.asarray(seeds["fate"].values, int)
    colony, state = np.asarray(seeds["colony"].values, int), np.asarray(colonies["state"].values, int)
    end = np.full(len(FATES), -1)
    end[list(_END_OF_FATE)] = list(_END_OF_FATE.values())
    ends = end[fate]
    settled = (fate == COLONY) & (colony >= 0) & (colony < len(state))
    ends[settled] = np.array([_END_OF_COLONY[name] for name in COLONY_STATES])[state[colony[settled]]]
    table = np.zeros((organs, len(ENDS)), np.int64)
    known = (organ >= 0) & (organ < organs) & (ends >= 0)
    np.add.at(table, (organ[known], ends[known]), 1)
    return table


def colony_labels(colonies: xr.Dataset) -> np.ndarray:
    """The number that the cells of each colony carry on their organ's lattice, (colonies,) i8.

    The column `label` if the run has one, else the colony's row + 1.
    """
    if "label" in colonies:
        return np.asarray(colonies["label"].values, np.int64)
    return np.arange(1, colonies.sizes["colony"] + 1)
