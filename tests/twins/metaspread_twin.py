"""The first steps of Franssen et al. 2019 in plain NumPy and Python, on sites of four cells or on voxels of one.

On 10 um sites with `capacity` 4 this is the rule of the original programs: cells act one after the other
in random order, a hop is blocked only by a full site, and every mesenchymal cell degrades the matrix of its
whole site. On 5 um voxels with capacity 1 it is what seedsoil computes, told independently: a cell shares
its voxel with nobody and degrades that voxel four times as fast. What lies between the two is the lattice.
"""

from typing import NamedTuple

import numpy as np

# per step of 1e-3 tau and in units of L: 201 sites of 0.005 L
STEP, SITE, SITES, Q = 1e-3, 0.005, 201, 4
D_M, D_E, PHI, D_PROTEASE, THETA, DECAY, GAMMA = 1e-4, 5e-5, 5e-4, 1e-3, 0.195, 0.1, 1.0
CELLS, M_CELLS = 388, 233


class Outcome(NamedTuple):
    """Sums are over sites; radii in sites."""

    protease_total: float
    protease: float
    matrix: float
    matrix_lost: float
    radius_m: float
    radius_e: float


def run(seed: int, *, edge: int = 1, share_blocks: bool = False, steps: int = 300) -> Outcome:
    """`edge` 1: sites of four cells; 2: voxels of one cell, two hop substeps a step.

    `share_blocks`: a hop is blocked with the probability that a place in the target is taken (n/4), which
    is what four voxels in place of a site amount to, instead of by four of them alone.
    """
    draw = np.random.default_rng(seed)
    n, capacity = SITES * edge, Q // edge**2
    scale = Q / capacity  # a concentration that a cell makes in 1/scale of a site
    rate = STEP / (SITE / edge) ** 2
    at = np.argwhere(np.ones((n, n), dtype=bool))
    nearest = np.argsort(((at - (n - 1) / 2) ** 2).sum(axis=1), kind="stable")[: CELLS // capacity]
    cells = at[draw.permutation(np.repeat(nearest, capacity))]
    fast = np.arange(CELLS) < M_CELLS
    held = np.zeros((n, n), dtype=int)
    np.add.at(held, tuple(cells.T), 1)
    matrix, protease = np.ones((n, n)), np.zeros((n, n))
    substeps = edge
    for _ in range(steps):
        producers = np.zeros((n, n))
        np.add.at(producers, tuple(cells[fast].T), scale)
        padded = np.pad(protease, 1, mode="edge")
        around = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]
        protease = (
            protease + rate * D_PROTEASE * (around - 4 * protease) + STEP * (THETA * producers - DECAY * protease)
        )
        matrix *= 1 - STEP * (GAMMA * producers + GAMMA * protease)
        for _ in range(substeps):
            for cell in draw.permutation(CELLS):
                y, x = cells[cell]
                hop = (D_M if fast[cell] else D_E) * rate / substeps
                across = PHI / 4 * rate / substeps * (matrix[y, x + 1] - matrix[y, x - 1])
                along = PHI / 4 * rate / substeps * (matrix[y + 1, x] - matrix[y - 1, x])
                pick = draw.random()
                for weight, to in (
                    (hop - across, (y, x - 1)),
                    (hop + across, (y, x + 1)),
                    (hop - along, (y - 1, x)),
                    (hop + along, (y + 1, x)),
                ):
                    pick -= max(weight, 0.0)
                    if pick < 0:
                        taken = held[to] / capacity
                        if (draw.random() >= taken) if share_blocks else taken < 1:
                            held[y, x] -= 1
                            held[to] += 1
                            cells[cell] = to
                        break
    radius2 = ((cells - (n - 1) / 2) ** 2).sum(axis=1) / edge**2
    return Outcome(
        float(protease.sum()) / edge**2,
        float(protease.max()),
        float(matrix.min()),
        float((1 - matrix).sum()) / edge**2,
        float(np.sqrt(radius2[fast].mean())),
        float(np.sqrt(radius2[~fast].mean())),
    )
