"""A plain twin of the hop proposals: one cell at a time, its weights laid end to end, one draw thrown at them.

Single precision throughout, in the order in which the equation is written, so the linear law agrees
to the bit; the exponential of the Boltzmann law may differ in its last bits, so every cell also says
how close its draw came to a boundary.
"""

from typing import NamedTuple

import numpy as np
from twins import adhesion_twin

EMPTY, TUMOUR = 0, 1
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
ONE = np.float32(1)
MOTILITY, PROTEASE = 1, 3  # columns of the traits
AXIS_OF = {0: 2, 1: 2, 2: 1, 3: 1, 4: 0, 5: 0}  # of a face; 0 is z


class Proposed(NamedTuple):
    """Arrays (nz, ny, nx)."""

    intent: np.ndarray  # u1
    margin: np.ndarray  # distance of the draw from the nearest boundary between two choices, in probability
    clamped: int  # weights below zero that cells met on their way to a choice
    steepest: float  # largest total probability of any cell


def _flux(h: np.float32, pull: np.float32) -> np.float32:
    """h B(pull / h), B(z) = z / (1 - exp(-z)), in double precision; a cell without motility stays."""
    if h == 0:
        return np.float32(0)
    z = float(pull) / float(h)
    return np.float32(float(h) * (1 + z / 2 if abs(z) < 1e-6 else z / -np.expm1(-z)))


def propose(
    state: dict[str, np.ndarray],
    draws: np.ndarray,
    *,
    law: str,
    epithelial: float,
    mesenchymal: float,
    taxis: float,
    solid_vessels: bool,
    bound: int = 2**32 - 1,
    bond_energy: float = 0.0,
    grip: float = 0.0,
    fastest: float = 0.0,
    traits: np.ndarray | None = None,
    chemotaxis: float = 0.0,
    half: float = 1.0,
    runs: tuple[float, float] = (0.0, 0.0),
    alignment: float = 0.0,
    pores: dict[str, float] | None = None,
) -> Proposed:
    """What every tumour cell of `state` (cell, emt, clone, matrix, vessel, leaving; heading, fibre, solute where they are
    asked for) wants; `draws` u4 per voxel. runs: of emt 0 and 255; pores: open, intact, nucleus, epithelial, mesenchymal,
    amoeboid areas.

    `bound` decides only whose clamped weights are counted: those of cells that drew below it.
    """
    shape = state["cell"].shape
    faces = 4 if shape[0] == 1 else 6
    slow, fast, q = np.float32(epithelial), np.float32(mesenchymal), np.float32(taxis)
    matrix = state["matrix"]
    attraction = q * matrix
    if chemotaxis:
        attraction = attraction + np.float32(chemotaxis) * (state["solute"] / (state["solute"] + np.float32(half)))
    intent = np.zeros(shape, dtype=np.uint8)
    margin = np.full(shape, np.inf)
    clamped, steepest = 0, 0.0
    varied = traits if fastest > 0 else None
    loose = np.exp(-adhesion_twin.energies(state, bond_energy, varied) - grip * matrix.astype(float))
    for at in zip(*np.nonzero(state["cell"] == TUMOUR), strict=True):
        if state["leaving"][at]:
            continue
        h = slow + (fast - slow) * (np.float32(state["emt"][at]) / np.float32(255))
        chance = int(draws[at])
        total, choice = np.float32(0), None
        share = np.float32(loose[at])
        if varied is not None:
            share *= np.float32(min(traits[state["clone"][at], MOTILITY], fastest))
        counts = chance < bound or bound == 2**32 - 1
        for face in range(faces):
            ahead = _beyond(at, face, shape)
            if ahead is None:
                continue
            opposite = _beyond(at, face ^ 1, shape)
            if law == "linear":
                behind = at if opposite is None else opposite
                # with the matrix alone to the bit: the coefficient times the difference
                weight = h + (
                    attraction[ahead] - attraction[behind] if chemotaxis else q * (matrix[ahead] - matrix[behind])
                )
            else:
                weight = _flux(h, np.float32(4) * (attraction[ahead] - attraction[at]))
            if weight < 0:
                weight = np.float32(0)
                clamped += int(counts and choice is None)
            spectrum = float(state["emt"][at]) / 255
            if any(runs) and state["heading"][at] == 1 + face:
                weight += np.float32(runs[0] + (runs[1] - runs[0]) * spectrum)
            if alignment:
                weight *= np.float32(
                    np.mean([_along(state["fibre"][v], face, alignment * matrix[v], faces // 2) for v in (at, ahead)])
                )
            if pores is not None:
                protease = 1.0 if varied is None else min(float(traits[state["clone"][at], PROTEASE]), 1.0)
                squeezed = pores["amoeboid"] * (1 - protease) + pores["mesenchymal"] * protease
                limit = pores["epithelial"] * (1 - spectrum) + squeezed * spectrum
                area = pores["open"] * (1 - float(matrix[ahead])) + pores["intact"] * float(matrix[ahead])
                weight *= np.float32(np.clip((area - limit) / (pores["nucleus"] - limit), 0, 1))
            total = np.float32(total + share * weight)
            limit = 2**32 if total >= ONE else int(total * np.float32(2**32))
            margin[at] = min(margin[at], abs(chance - limit) / 2**32)
            if choice is None and chance < limit:
                choice = ahead
                free = state["cell"][ahead] == EMPTY and not (solid_vessels and state["vessel"][ahead])
                intent[at] = 1 + face if free else 0
        steepest = max(steepest, float(total))
    return Proposed(intent, margin, clamped, steepest)


def _along(fibre: int, face: int, order: float, dimensions: int) -> float:
    """Of d axes, hops along the fibres gain what those along the other axes lose; one out of the plane does nothing."""
    axis = int(fibre) - 1
    if axis < 3 - dimensions:
        return 1.0
    return 1 + (dimensions - 1) * order if axis == AXIS_OF[face] else 1 - order


def _beyond(at: tuple, face: int, shape: tuple) -> tuple[int, int, int] | None:
    z, y, x = (int(a) + b for a, b in zip(at, STEPS[face], strict=True))
    inside = 0 <= z < shape[0] and 0 <= y < shape[1] and 0 <= x < shape[2]
    return (z, y, x) if inside else None
