"""Contact intravasation voxel by voxel in plain Python."""

import numpy as np
from twins.proliferation_twin import FACES, cells_of

from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.intravasation import IntravasationRates

CONDUIT, PERFUSED, RUPTURED = 1 | 2, 4, 8


def walls(vessel: np.ndarray, at: tuple[int, ...]) -> tuple[int, int]:
    """(intact, ruptured) perfused vessel voxels among `at` and its neighbours."""
    intact = ruptured = 0
    for step in [(0, 0, 0), *(tuple(face[1:]) for face in FACES)]:
        there = tuple(a + s for a, s in zip(at, step, strict=True))
        if (
            all(0 <= t < n for t, n in zip(there, vessel.shape, strict=True))
            and vessel[there] & CONDUIT
            and vessel[there] & PERFUSED
        ):
            ruptured += bool(vessel[there] & RUPTURED)
            intact += not vessel[there] & RUPTURED
    return intact, ruptured


def marked(
    cell: np.ndarray,
    emt: np.ndarray,
    vessel: np.ndarray,
    protease: np.ndarray,
    rates: IntravasationRates,
    stamp: Stamp,
) -> np.ndarray:
    """(nz, ny, nx) bool: the cells that leave in this tick."""
    out = np.zeros(cell.shape, dtype=bool)
    for voxel, at in cells_of(cell):
        intact, ruptured = walls(vessel, at)
        active = rates.active * (1.0 + rates.gain * float(protease[at]))
        hazard = ruptured * rates.passive + (intact * active if emt[at] >= rates.minimum_emt else 0.0)
        chance = int(host_draw(np.array(voxel), stamp, Purpose.INTRAVASATE)) / 2**32
        out[at] = chance < -np.expm1(-hazard)
    return out
