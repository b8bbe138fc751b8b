"""Lays the matrix of the primary as `[matrix.texture]` says (`kernels.texture` has the laws).

Every value is a pure function of key, lattice and texture, whatever the device.
"""

import numpy as np
from scipy.special import ndtr

from ..kernels.draws import Stamp
from ..kernels.lattice import Lattice
from ..kernels.matrix import Matrix
from ..kernels.texture import Texture
from . import duct, texture_file
from .noise import add_noise

_WIDTH = np.sqrt(12.0)


def lay(
    matrix: np.ndarray, fibre: np.ndarray, table: Matrix, vessel: np.ndarray, lattice: Lattice, um: float, stamp: Stamp
) -> None:
    """Fill matrix (nz, ny, nx) f4, which holds `initial_fraction`, and fibre u1, which holds 0; vessel bits u1.

    Raises InputError if the file of a texture cannot be used.
    """
    texture = table.texture
    if texture.kind == "noise":
        matrix[...] = 0.0
        length = texture.correlation_um / um
        add_noise(matrix, (length, length, length), stamp, 0)
        _spread(matrix, texture, table.initial_fraction, 1)
    elif texture.kind == "fibres":
        _lay_strands(matrix, fibre, texture, table.initial_fraction, um, stamp)
    elif texture.kind == "duct":
        duct.lay_matrix(matrix, duct.zones(texture, lattice, um), texture)
    elif texture.kind == "file":
        texture_file.read_into(matrix, texture)
    if texture.vessel_membrane_um > 0:
        near = _dilated(vessel > 0, round(texture.vessel_membrane_um / um)) & (vessel == 0)
        matrix[near] = np.maximum(matrix[near], np.float32(texture.membrane_fraction))


def _lay_strands(matrix: np.ndarray, fibre: np.ndarray, texture: Texture, mean: float, um: float, stamp: Stamp) -> None:
    """Strands along the axes: where one axis' field is the greatest, they run along it."""
    wanted = "zyx" if texture.fibre_axis == "any" else texture.fibre_axis
    axes = [axis for axis in range(3) if "zyx"[axis] in wanted and matrix.shape[axis] > 1]
    field = np.empty_like(matrix)
    matrix[...] = -np.inf
    for axis in axes:
        lengths = [texture.correlation_um / um] * 3
        lengths[axis] = texture.coherence_um / um
        field[...] = 0.0
        add_noise(field, (lengths[0], lengths[1], lengths[2]), stamp, 1 + axis)
        for plane in range(len(matrix)):
            greater = field[plane] > matrix[plane]
            fibre[plane][greater] = 1 + axis
            matrix[plane][greater] = field[plane][greater]
    del field
    _spread(matrix, texture, mean, len(axes), fibre)


def _spread(matrix: np.ndarray, texture: Texture, mean: float, axes: int, fibre: np.ndarray | None = None) -> None:
    """From the greatest of `axes` Gaussian fields to the fraction, in place; fibre stays in the densest voxels only."""
    for plane in range(len(matrix)):
        rank = ndtr(matrix[plane].astype(np.float64)) ** axes  # uniform in 0 to 1
        matrix[plane] = np.clip(mean + texture.contrast_fraction * _WIDTH * (rank - 0.5), 0.0, 1.0)
        if fibre is not None:
            fibre[plane][rank < 1.0 - texture.fibre_share_fraction] = 0


def _dilated(there: np.ndarray, steps: int) -> np.ndarray:
    """Voxels that so many steps through faces lead to from those that are `there`."""
    for _ in range(steps):
        grown = there.copy()
        for axis in range(3):
            ahead = [slice(None)] * 3
            behind = [slice(None)] * 3
            ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
            grown[tuple(ahead)] |= there[tuple(behind)]
            grown[tuple(behind)] |= there[tuple(ahead)]
        there = grown
    return there
