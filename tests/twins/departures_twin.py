"""Who leaves with whom, told with sets of coordinates instead of index ranges."""

import numpy as np

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
