"""Clusters: which cells adhere to one that enters a vessel, and go along.

A bond between two tumour cells that share a face holds with probability 1 - exp(-J), J its energy (`kernels.adhesion`).
The cluster is what still hangs together with the entering cell: the connected component over bonds that hold,
within `reach_um` of it. Beyond `cells_max` the nearest by bonds stay on, ties by draw. A bond has one draw a tick, so two
cells that enter at once agree about it.
"""

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.lattice import Lattice
from ..kernels.tissue import Cell, Tissue, Trait


def bonded(tissue: Tissue, voxel: int, reach_um: float, cells_max: int, bond_energy: float, stamp: Stamp) -> np.ndarray:
    """Flat indices (ascending) of the cells that go along with the one at `voxel`, itself left out."""
    window = _window(tissue, voxel, int(reach_um / tissue.voxel_um))
    free = window.tumour & (window.far_um <= reach_um)
    holds = [_holds(window, axis, bond_energy, stamp) for axis in range(3)]
    taken = np.zeros(window.flat.shape, dtype=bool)
    taken[window.middle] = True
    edge, found = taken.copy(), np.empty(0, dtype=np.int64)
    while edge.any() and len(found) < cells_max - 1:
        edge = _next_to(edge, holds) & free & ~taken
        taken |= edge
        layer = window.flat[edge]
        places = cells_max - 1 - len(found)
        if len(layer) > places:
            layer = layer[np.argsort(host_draw(layer, stamp, Purpose.COMPANION), kind="stable")[:places]]
        found = np.concatenate([found, layer])
    return np.sort(found)


class _Window:
    """The voxels around one: as many to each side as the reach, fewer at a wall."""

    flat: np.ndarray  # their indices in the lattice
    tumour: np.ndarray
    stickiness: np.ndarray  # sqrt(E) of each cell
    far_um: np.ndarray  # distance from the middle
    middle: tuple[int, int, int]


def _window(tissue: Tissue, voxel: int, reach: int) -> _Window:
    lattice, out = tissue.lattice, _Window()
    at = [int(n) for n in np.unravel_index(voxel, lattice.shape)]
    low = [max(0, n - reach) for n in at]
    box = tuple(slice(a, n + reach + 1) for a, n in zip(low, at, strict=True))
    cell, emt, clone = (_host(getattr(tissue, name)[box]) for name in ("cell", "emt", "clone"))
    out.flat = _indices(lattice, low, cell.shape)
    out.tumour = cell == Cell.TUMOUR
    rows, inverse = np.unique(np.where(out.tumour, clone, 0), return_inverse=True)
    if tissue.traits.shape[0] > 1:
        adhesion = _host(tissue.traits[tissue.xp.asarray(rows.astype(np.int64)), int(Trait.ADHESION)])
    else:
        adhesion = np.ones(len(rows), dtype=np.float32)
    out.stickiness = np.sqrt((1.0 - emt / 255.0) * adhesion[inverse].reshape(cell.shape))
    out.middle = (at[0] - low[0], at[1] - low[1], at[2] - low[2])
    steps = np.ogrid[tuple(slice(0, n) for n in cell.shape)]
    far2 = sum((step - middle) ** 2 for step, middle in zip(steps, out.middle, strict=True))
    out.far_um = tissue.voxel_um * np.sqrt(np.asarray(far2))
    return out


def _indices(lattice: Lattice, low: list[int], shape: tuple[int, ...]) -> np.ndarray:
    z, y, x = (a + np.arange(n) for a, n in zip(low, shape, strict=True))
    return (z[:, None, None] * lattice.ny + y[None, :, None]) * lattice.nx + x[None, None, :]


def _holds(window: _Window, axis: int, bond_energy: float, stamp: Stamp) -> np.ndarray:
    """Does the bond of a voxel's cell with the next one along the axis hold? One shorter than the window there."""
    here, there = (_cut(axis, slice(None, -1)), _cut(axis, slice(1, None)))
    energy = bond_energy * window.stickiness[here] * window.stickiness[there]
    chance = host_draw(window.flat[here], stamp, Purpose.BOND, substep=axis) / 2**32
    return window.tumour[here] & window.tumour[there] & (chance < -np.expm1(-energy))


def _next_to(edge: np.ndarray, holds: list[np.ndarray]) -> np.ndarray:
    """The voxels that a bond joins to one of `edge`."""
    out = np.zeros(edge.shape, dtype=bool)
    for axis, bond in enumerate(holds):
        here, there = (_cut(axis, slice(None, -1)), _cut(axis, slice(1, None)))
        out[there] |= edge[here] & bond
        out[here] |= edge[there] & bond
    return out


def _cut(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if n == axis else slice(None) for n in range(3))


def _host(value: object) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.get()  # type: ignore[attr-defined]
