"""A plain twin of death: one voxel at a time, its hazards in a dict, in the order in which the causes are tried.

Sums and products are in single precision as the rule states them; the exponential is in double precision, so a draw
within `margin` of a boundary is left out of a comparison.
"""

from typing import NamedTuple

import numpy as np

from seedsoil.kernels.draws import Purpose, Stamp, host_draw

EMPTY, TUMOUR, NECROTIC, STROMA, EPITHELIUM = 0, 1, 2, 4, 5
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
F = np.float32


class Judged(NamedTuple):
    """Arrays (nz, ny, nx)."""

    cause: np.ndarray  # object: "" or the name of the count
    margin: np.ndarray  # distance of the draw from the nearest boundary, in probability


def judge(state: dict[str, np.ndarray], rates, stamp: Stamp, *, solid_vessels: bool) -> Judged:
    """What ends in each voxel of `state` (cell, emt, clone, due, vessel, matrix, oxygen, drug; death: factor by clone)."""
    shape = state["cell"].shape
    cause = np.full(shape, "", dtype=object)
    margin = np.full(shape, np.inf)
    for at in zip(*np.nonzero(state["cell"]), strict=True):
        at = tuple(int(a) for a in at)
        kind = int(state["cell"][at])
        voxel = np.array(np.ravel_multi_index(at, shape))
        if kind == NECROTIC:
            hazards = {"CLEARED": F(rates.clearance)}
            draw = int(host_draw(voxel, stamp, Purpose.CLEAR))
        elif kind == TUMOUR:
            hazards = _hazards(state, at, rates, solid_vessels)
            draw = int(host_draw(voxel, stamp, Purpose.DIE))
        else:
            continue
        total = sum(hazards.values(), F(0))
        if total <= 0:
            continue
        dies = -np.expm1(-float(total))
        upto = F(0)
        for name, hazard in hazards.items():
            upto = F(upto + hazard)
            limit = dies * float(upto) / float(total)
            margin[at] = min(margin[at], abs(draw / 2**32 - limit))
            if not cause[at] and hazard > 0 and draw / 2**32 < limit:
                cause[at] = name
    return Judged(cause, margin)


def _hazards(state: dict[str, np.ndarray], at: tuple[int, ...], rates, solid_vessels: bool) -> dict[str, np.float32]:
    beside = list(_beside(at, state["cell"].shape))
    factor = F(state["death"][min(int(state["clone"][at]), len(state["death"]) - 1)])
    alone = not any(int(state["cell"][there]) in (TUMOUR, STROMA, EPITHELIUM) for there in beside)
    bare = max(state["matrix"][there] for there in [at, *beside]) < F(rates.hold)
    spared = F(1) - F(rates.resistance) * F(state["emt"][at])
    down = (F(rates.onset) - state["oxygen"][at]) * F(rates.steepness)
    room = any(state["cell"][there] == EMPTY and not (solid_vessels and state["vessel"][there]) for there in beside)
    cycles = room or state["due"][at] != 0
    return {
        "APOPTOTIC": F(rates.apoptosis) * factor,
        "ANOIKIC": F(rates.anoikis) * factor * spared if alone and bare else F(0),
        "NECROSED": F(rates.necrosis) * min(F(1), max(F(0), down)),
        "POISONED": F(rates.drug) * state["drug"][at] if cycles else F(0),
    }


def _beside(at: tuple[int, ...], shape: tuple[int, ...]):
    for step in STEPS:
        there = tuple(a + b for a, b in zip(at, step, strict=True))
        if all(0 <= t < n for t, n in zip(there, shape, strict=True)):
            yield there
