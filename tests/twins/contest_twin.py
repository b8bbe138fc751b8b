"""A plain twin of the contest, written from the cell's side.

In the kernels every cell works out its own verdict from its rivals' intents. Here the bids for a voxel
are collected and sorted, and the first takes it. The two share no code, only the numbers in which
intents are stated.
"""

from typing import NamedTuple

import numpy as np

EMPTY = 0
CARRIED = ("cell", "emt", "clone", "colony", "heading")
# what a neighbour beyond face n differs by in (z, y, x)
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
BLOOD_OR_LYMPH, RUPTURED = 1 | 2, 8


class Settled(NamedTuple):
    """The state after a contest and what was counted."""

    state: dict[str, np.ndarray]
    born: int
    moved: int
    leaving: int


def settle(state: dict[str, np.ndarray], bids: np.ndarray, *, catches: bool = False, minimum_emt: int = 0) -> Settled:
    """Settle the intents in `state` (arrays (nz, ny, nx): cell, emt, clone, colony, heading, due, vessel, intent, leaving).

    `bids` (nz, ny, nx): what each source voxel bids; the highest wins, ties go to the lower index. With
    `catches`, a cell that hops onto a vessel is marked as leaving if the wall is ruptured or it is at
    least `minimum_emt`. Returns new arrays; `state` is left alone.
    """
    shape = state["cell"].shape
    old = {name: array.copy() for name, array in state.items()}
    new = {name: array.copy() for name, array in state.items()}
    wishes: dict[tuple, list] = {}
    for source in zip(*np.nonzero(old["intent"]), strict=True):
        act, face = divmod(int(old["intent"][source]) - 1, 6)
        target = tuple(int(a) + b for a, b in zip(source, STEPS[face], strict=True))
        index = int(np.ravel_multi_index(source, shape))
        wishes.setdefault(target, []).append((-int(bids[source]), index, source, act))
    born = moved = leaving = 0
    for target, bidders in wishes.items():
        if old["cell"][target] != EMPTY:
            continue
        _, _, source, act = min(bidders)
        for name in CARRIED:
            new[name][target] = old[name][source]
        new["due"][source] = 0
        if act == 1:
            born += 1
            new["due"][target] = new["heading"][target] = 0
            continue
        moved += 1
        new["due"][target] = old["due"][source]
        for name in CARRIED:
            new[name][source] = 0
        wall = int(old["vessel"][target])
        if (
            catches
            and old["cell"][source] == 1
            and wall & BLOOD_OR_LYMPH
            and (wall & RUPTURED or old["emt"][source] >= minimum_emt)
        ):
            new["leaving"][target] = 1
            leaving += 1
    return Settled(new, born, moved, leaving)
