"""Knots of cells that a few voxels of vessel feed, and nothing else: the level hangs on those alone."""

import numpy as np

from seedsoil.kernels.steady import Law

PER_H = 15000.0  # D/voxel^2 of `law`


def law(half: float) -> Law:
    """Oxygen in voxels of 20 um, mmHg."""
    return Law(6e6, 20.0, half)


def knot(edge: int, vessels: int, cells: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(supply, drain, uptake) of a ball of `cells` anywhere in a cube, and `vessels` at 40 mmHg anywhere."""
    shape, draw = (edge,) * 3, np.random.default_rng(seed)
    vessel, cell = np.zeros(shape, bool), np.zeros(shape, bool)
    vessel.reshape(-1)[draw.choice(vessel.size, vessels, replace=False)] = True
    middle = edge * draw.random(3)
    nearest = ((np.indices(shape).reshape(3, -1).T - middle) ** 2).sum(axis=1).argsort()[:cells]
    cell.reshape(-1)[nearest] = True
    supply, drain = (4.7e6 * vessel).astype(np.float32), (1.175e5 * vessel).astype(np.float32)
    return supply, drain, (3.6e4 * (cell & ~vessel)).astype(np.float32)
