"""Matrix degradation in plain NumPy."""

import numpy as np

from seedsoil.kernels.matrix import MatrixRates


def degrade(
    matrix: np.ndarray, protease: np.ndarray, cell: np.ndarray, emt: np.ndarray, rates: MatrixRates
) -> np.ndarray:
    """matrix (nz, ny, nx) f4 after one tick."""
    exposure = np.float32(rates.soluble) * protease
    touched = cell == 1
    exposure[touched] += np.float32(rates.contact) * emt[touched].astype(np.float32)
    out = matrix.copy()
    exposed = exposure > 0
    out[exposed] = matrix[exposed] * np.exp(-exposure[exposed])
    return out
