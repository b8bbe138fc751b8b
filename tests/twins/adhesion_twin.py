"""A plain twin of adhesion: bonds found by shifting the whole lattice, one axis at a time.

Double precision, so a kernel may differ from it in the last digits of single precision.
"""

import numpy as np

TUMOUR = 1
ADHESION = 2  # column of the traits


def expressed(state: dict[str, np.ndarray], traits: np.ndarray | None) -> np.ndarray:
    """E of every tumour cell, 0 where there is none."""
    e = 1.0 - state["emt"] / 255.0
    if traits is not None:
        e = e * traits[np.where(state["cell"] == TUMOUR, state["clone"], 0), ADHESION]
    return np.where(state["cell"] == TUMOUR, e, 0.0)


def energies(state: dict[str, np.ndarray], bond_energy: float, traits: np.ndarray | None = None) -> np.ndarray:
    """Sum over each cell's bonds of J_ab = bond_energy sqrt(E_a E_b); (nz, ny, nx) f8."""
    e = expressed(state, traits)
    total = np.zeros(e.shape)
    for axis in range(3):
        near = [slice(None)] * 3
        far = [slice(None)] * 3
        near[axis], far[axis] = slice(0, -1), slice(1, None)
        j = bond_energy * np.sqrt(e[tuple(near)] * e[tuple(far)])
        total[tuple(near)] += j
        total[tuple(far)] += j
    return total
