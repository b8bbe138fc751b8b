"""A duct: a tube along an axis through the middle of the lattice, with a basement membrane around its lumen.

A voxel is told by the distance of its centre from the axis: up to the radius it is lumen, then membrane, then
outside. A step to a face's neighbour changes that distance by at most a voxel, so a membrane of a voxel or more
has no way through.
"""

from enum import IntEnum

import numpy as np

from ..kernels.draws import ALWAYS, Purpose, Stamp, host_draw, threshold
from ..kernels.lattice import Lattice
from ..kernels.texture import Texture
from ..kernels.tissue import Cell, Tissue


class Zone(IntEnum):
    """Where a voxel lies. The lining is the outermost layer of the lumen, a voxel thick."""

    LUMEN = 0
    LINING = 1
    MEMBRANE = 2
    OUTSIDE = 3


def section(texture: Texture, lattice: Lattice, voxel_um: float) -> np.ndarray:
    """The zones of a cross-section, u1; of one voxel along the duct's axis, so that it broadcasts to the lattice."""
    across = [axis for axis, n in enumerate(lattice.shape) if n > 1 and "zyx"[axis] != texture.duct_axis]
    squares = np.zeros([n if axis in across else 1 for axis, n in enumerate(lattice.shape)])
    for axis in across:
        n = lattice.shape[axis]
        line = (np.arange(n) - (n - 1) / 2) ** 2
        squares = squares + line.reshape([n if at == axis else 1 for at in range(3)])
    far = np.sqrt(squares) * voxel_um
    radius = texture.duct_radius_um
    out = np.full(far.shape, Zone.OUTSIDE, dtype=np.uint8)
    out[far <= radius + texture.membrane_um] = Zone.MEMBRANE
    out[far <= radius] = Zone.LINING
    out[far <= radius - voxel_um] = Zone.LUMEN
    return out


def zones(texture: Texture, lattice: Lattice, voxel_um: float) -> np.ndarray:
    """The zone of each voxel, (nz, ny, nx) u1."""
    return np.ascontiguousarray(np.broadcast_to(section(texture, lattice, voxel_um), lattice.shape))


def cells_outside(tissue: Tissue, texture: Texture) -> int:
    """Tumour cells beyond the membrane."""
    outside = section(texture, tissue.lattice, tissue.voxel_um) == Zone.OUTSIDE
    return int(((tissue.cell == np.uint8(Cell.TUMOUR)) & tissue.xp.asarray(outside)).sum())


def lay_matrix(matrix: np.ndarray, zone: np.ndarray, texture: Texture) -> None:
    """Fill lumen and membrane of matrix (nz, ny, nx) f4; outside it stays."""
    matrix[zone <= Zone.LINING] = texture.lumen_fraction
    matrix[zone == Zone.MEMBRANE] = texture.membrane_fraction


def line(cell: np.ndarray, zone: np.ndarray, texture: Texture, stamp: Stamp) -> None:
    """Put epithelial cells into the lining's voxels of cell (voxels,) u1, each with the texture's probability."""
    chance = threshold(texture.lining_probability)
    if chance == 0:
        return
    lining = np.flatnonzero((zone == Zone.LINING).reshape(-1) & (cell == Cell.EMPTY))
    if chance != ALWAYS:
        lining = lining[host_draw(lining, stamp, Purpose.LINING) < chance]
    cell[lining] = Cell.EPITHELIUM
