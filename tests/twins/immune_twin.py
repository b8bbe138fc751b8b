"""A plain twin of the immune effectors: one voxel at a time. Verdicts come with their margin, the distance of the draw
from the nearest boundary in probability, since exponentials may differ in their last bits."""

import numpy as np

from seedsoil.kernels.draws import Purpose, Stamp, host_draw

EMPTY, TUMOUR, IMMUNE = 0, 1, 3
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
BLOOD, PERFUSED = 1, 4


def _faces(at: tuple[int, ...], shape: tuple[int, ...]):
    for face, step in enumerate(STEPS):
        there = tuple(a + b for a, b in zip(at, step, strict=True))
        if all(0 <= t < n for t, n in zip(there, shape, strict=True)):
            yield face, there


def _draw(at: tuple[int, ...], shape: tuple[int, ...], stamp: Stamp, purpose: Purpose, substep: int = 0) -> float:
    return int(host_draw(np.array(np.ravel_multi_index(at, shape)), stamp, purpose, substep)) / 2.0**32


def _visibility(state: dict, at: tuple[int, ...]) -> float:
    clone = int(state["clone"][at])
    return float(state["visibility"][clone]) if clone < len(state["visibility"]) else 1.0


def judge(state: dict, rates, stamp: Stamp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(killed, spent, margin) of `state` (cell, clone; visibility by clone)."""
    cell = state["cell"]
    killed, spent, margin = np.zeros(cell.shape, bool), np.zeros(cell.shape, bool), np.full(cell.shape, np.inf)
    for at in np.ndindex(cell.shape):
        near = [there for _, there in _faces(at, cell.shape)]
        if cell[at] == TUMOUR:
            n = sum(int(cell[there]) == IMMUNE for there in near)
            p = -np.expm1(-rates.kill * _visibility(state, at) * n)
            chance = _draw(at, cell.shape, stamp, Purpose.KILL)
            killed[at] = chance < p
        elif cell[at] == IMMUNE:
            seen = sum(_visibility(state, there) for there in near if cell[there] == TUMOUR)
            p = -np.expm1(-(rates.death + rates.exhaustion * rates.kill * seen))
            chance = _draw(at, cell.shape, stamp, Purpose.SPEND)
            spent[at] = chance < p
        else:
            continue
        margin[at] = abs(chance - p)
    return killed, spent, margin


def enter(state: dict, rates, stamp: Stamp) -> tuple[np.ndarray, np.ndarray]:
    """(entered, margin) of `state` (cell, vessel, signal)."""
    cell = state["cell"]
    entered, margin = np.zeros(cell.shape, bool), np.full(cell.shape, np.inf)
    for at in np.ndindex(cell.shape):
        if cell[at] != EMPTY or state["vessel"][at]:
            continue
        both = BLOOD | PERFUSED
        walls = sum(int(state["vessel"][there]) & both == both for _, there in _faces(at, cell.shape))
        c = float(state["signal"][at])
        p = -np.expm1(-walls * (rates.entry + rates.recruited * c / (rates.half + c)))
        chance = _draw(at, cell.shape, stamp, Purpose.IMMUNE_ENTER)
        entered[at], margin[at] = chance < p, abs(chance - p)
    return entered, margin


def search(state: dict, rates, stamp: Stamp, substep: int, *, solid_vessels: bool) -> tuple[np.ndarray, ...]:
    """(intent, heading, margin) of `state` (cell, clone, heading, vessel, signal; visibility by clone)."""
    cell = state["cell"]
    intent, heading = np.zeros(cell.shape, np.uint8), state["heading"].copy()
    margin = np.full(cell.shape, np.inf)
    turn = 1.0 if rates.turn == 2**32 - 1 else rates.turn / 2.0**32
    for at in zip(*np.nonzero(cell == IMMUNE), strict=True):
        at = tuple(int(a) for a in at)
        beyond = dict(_faces(at, cell.shape))
        way, chance = int(heading[at]) - 1, _draw(at, cell.shape, stamp, Purpose.IMMUNE_TURN, substep)
        margin[at] = abs(chance - turn)
        if way < 0 or chance < turn:
            part = chance if way < 0 else chance / turn
            step = {face: float(state["signal"][there]) - float(state["signal"][at]) for face, there in beyond.items()}
            weight = {face: np.exp(np.clip(rates.attraction * s, -20, 20)) for face, s in step.items()}
            ends = np.cumsum(list(weight.values())) / sum(weight.values())
            way = list(weight)[min(int(np.searchsorted(ends, part, side="right")), len(weight) - 1)]
            margin[at] = min(margin[at], *(abs(part - end) for end in ends[:-1]))
        seen = sum(_visibility(state, there) for there in beyond.values() if cell[there] == TUMOUR)
        limit = rates.hop / 2.0**32 * (1 - (1 - rates.contact) * min(1.0, rates.visibility * seen))
        chance = _draw(at, cell.shape, stamp, Purpose.IMMUNE_HOP, substep)
        margin[at] = min(margin[at], abs(chance - limit))
        if chance < limit:
            there = beyond.get(way)
            if there is not None and cell[there] == EMPTY and not (solid_vessels and state["vessel"][there]):
                intent[at] = 1 + way
            else:
                way = -1
        heading[at] = way + 1
    return intent, heading, margin
