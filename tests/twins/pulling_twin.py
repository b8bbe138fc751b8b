"""A plain twin of pulling: first every way that a cell has just left, then who stands beside it and comes along.

Double precision throughout, so each cell also says how close its draw came to its probability.
"""

import numpy as np

TUMOUR = 1
ADHESION, PROTEASE = 2, 3  # columns of the traits
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))


def follow(
    state: dict[str, np.ndarray],
    draws: np.ndarray,
    picks: np.ndarray,
    *,
    bond_energy: float,
    traction: float,
    pores: dict[str, float] | None = None,
    traits: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(intent, margin): what cells state after the hops of `state` (cell, emt, clone, matrix, leaving, intent) were settled."""
    shape = state["cell"].shape

    def beyond(at: tuple, face: int) -> tuple | None:
        to = tuple(int(a) + b for a, b in zip(at, STEPS[face], strict=True))
        return to if all(0 <= a < n for a, n in zip(to, shape, strict=True)) else None

    def is_tumour(at: tuple | None) -> bool:
        return at is not None and state["cell"][at] == TUMOUR

    def trait(at: tuple, column: int) -> float:
        return 1.0 if traits is None else float(traits[state["clone"][at], column])

    def joined(one: tuple, other: tuple) -> float:
        e = [(1 - state["emt"][at] / 255) * trait(at, ADHESION) for at in (one, other)]
        return bond_energy * np.sqrt(e[0] * e[1])

    ways: dict[tuple, list[tuple[int, tuple]]] = {}
    for left in zip(*np.nonzero((state["cell"] == 0) & (state["intent"] >= 1) & (state["intent"] <= 6)), strict=True):
        gone = beyond(left, int(state["intent"][left]) - 1)
        if not is_tumour(gone):
            continue
        for face in range(6):
            at = beyond(left, face)
            if is_tumour(at) and at != gone:
                ways.setdefault(at, []).append((face ^ 1, gone))
    intent = np.zeros(shape, np.uint8)
    margin = np.full(shape, np.inf)
    for at, choices in ways.items():
        if state["leaving"][at]:
            continue
        face, gone = sorted(choices)[int(picks[at]) * len(choices) >> 32]
        to = beyond(at, face)
        sent = traction * -np.expm1(-joined(at, gone))
        rest = sum(joined(at, n) for n in (beyond(at, f) for f in range(6)) if is_tumour(n))
        chance = -np.expm1(-sent) * min(1.0, np.exp(sent - rest))
        if pores is not None:
            x, protease = state["emt"][at] / 255, min(trait(at, PROTEASE), 1.0)
            squeezed = pores["amoeboid"] * (1 - protease) + pores["mesenchymal"] * protease
            limit = pores["epithelial"] * (1 - x) + squeezed * x
            area = pores["open"] + (pores["intact"] - pores["open"]) * float(state["matrix"][to])
            chance *= np.clip((area - limit) / (pores["nucleus"] - limit), 0, 1)
        draw = int(draws[at]) / 2**32
        margin[at] = abs(draw - chance)
        if draw < chance:
            intent[at] = 1 + face
    return intent, margin
