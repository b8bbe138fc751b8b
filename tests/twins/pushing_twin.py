"""Pushing one cell at a time: every pusher's line, the bids sorted, and the lines of winners moved up."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from twins.proliferation_twin import cells_of, line

from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.tissue import CARRIED


class Pushed(NamedTuple):
    """The state afterwards, and whose daughters were born, by mother's voxel."""

    state: dict[str, np.ndarray]
    mothers: list[int]


def push(
    state: dict[str, np.ndarray],
    reach: int,
    stamp: Stamp,
    *,
    solid_vessels: bool,
    fair: bool = True,
    first: bool = False,
) -> Pushed:
    """Settle all pushes in `state` (what cells carry, and vessel). Not `fair`: the lowest voxel wins; `first`: of directions
    that are equally near always the first."""
    shape = state["cell"].shape
    wishes = []
    voxels = np.arange(state["cell"].size)
    ways, bids = (host_draw(voxels, stamp, purpose) for purpose in (Purpose.PUSH_DIRECTION, Purpose.PUSH_PRIORITY))
    for voxel, at in cells_of(state["cell"]):
        if state["due"][at] != 1:
            continue
        lines = [line(state, at, face, reach, solid_vessels=solid_vessels) for face in range(6)]
        shortest = min((len(found) for found in lines if found), default=0)
        if shortest < 2:
            continue
        near = [found for found in lines if len(found) == shortest]
        chance = int(ways[voxel]) / 2**32
        way = near[0 if first else int(chance * len(near))]
        bid = int(bids[voxel]) if fair else 0
        wishes.append(((bid, voxel), [at, *way]))
    best: dict[tuple, tuple] = {}
    for bid, way in wishes:
        for there in way:
            best[there] = min(bid, best.get(there, bid))
    new = {name: array.copy() for name, array in state.items()}
    mothers = []
    for bid, way in wishes:
        if any(best[there] != bid for there in way):
            continue
        mothers.append(int(np.ravel_multi_index(way[0], shape)))
        for name in CARRIED:
            for here, to in pairwise(way):
                new[name][to] = state[name][here]
        daughter = way[1]
        new["due"][way[0]] = new["due"][daughter] = new["heading"][daughter] = 0
    return Pushed(new, mothers)
