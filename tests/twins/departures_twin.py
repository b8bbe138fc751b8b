"""Who leaves with whom, told with sets of coordinates instead of index ranges."""

import numpy as np
from scipy import sparse

from seedsoil.kernels.draws import Purpose, Stamp, host_draw

Site = tuple[int, int, int]


def in_reach(shape: tuple[int, int, int], at: Site, block: int) -> list[Site]:
    """The voxels whose block is that of `at` or shares a face with it, in flat order."""
    home = [a // block for a in at]
    return [
        (z, y, x)
        for z in range(shape[0])
        for y in range(shape[1])
        for x in range(shape[2])
        if abs(z // block - home[0]) + abs(y // block - home[1]) + abs(x // block - home[2]) <= 1
    ]


def seeds(
    cell: np.ndarray, marked: np.ndarray, stamp: Stamp, *, block: int, probability: float, cells_max: int
) -> list[list[Site]]:
    """The places of each seed's cells, the entering cell first; marked cells in flat order."""
    gone: set[Site] = set()
    out: list[list[Site]] = []
    for where in np.argwhere(marked):
        at: Site = (int(where[0]), int(where[1]), int(where[2]))
        if at in gone or cell[at] != 1:
            continue
        willing = []
        for other in in_reach(cell.shape, at, block):
            if other == at or other in gone or cell[other] != 1:
                continue
            flat = np.array(np.ravel_multi_index(other, cell.shape))
            chance = int(host_draw(flat, stamp, Purpose.COMPANION)) / 2**32
            if chance < probability:
                willing.append((chance, other))
        chosen = sorted(willing)[: cells_max - 1]
        group = [at, *sorted(other for _, other in chosen)]
        gone.update(group)
        out.append(group)
    return out


def bonds(cell: np.ndarray, energy: np.ndarray, stamp: Stamp, bond_energy: float) -> np.ndarray:
    """(bonds, 2) flat indices of the pairs whose bond holds. `energy` is E of each voxel's cell."""
    flat, out = np.arange(cell.size).reshape(cell.shape), []
    for axis in range(3):
        ones, others = (np.delete(flat, end, axis=axis).reshape(-1) for end in (cell.shape[axis] - 1, 0))
        both = (cell.flat[ones] == 1) & (cell.flat[others] == 1)
        ones, others = ones[both], others[both]
        chance = host_draw(ones, stamp, Purpose.BOND, substep=axis) / 2**32
        holds = chance < 1 - np.exp(-bond_energy * np.sqrt(energy.flat[ones] * energy.flat[others]))
        out.append(np.stack([ones[holds], others[holds]], axis=1))
    return np.concatenate(out)


def component(pairs: np.ndarray, at: int, allowed: np.ndarray) -> np.ndarray:
    """Who (ascending) hangs together with `at` over the pairs within `allowed` (voxels,) bool: an explicit count."""
    ones, others = pairs[allowed[pairs[:, 0]] & allowed[pairs[:, 1]]].T
    graph = sparse.coo_array((np.ones(len(ones)), (ones, others)), shape=(len(allowed),) * 2)
    labels = sparse.csgraph.connected_components(graph, directed=False)[1]
    return np.flatnonzero(labels == labels[at])
