"""Rupture and collapse of vessel walls, voxel by voxel in plain Python."""

import numpy as np

from seedsoil.kernels.collapse import CollapseRates
from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.rupture import RuptureRates

BLOOD, LYMPH, PERFUSED, RUPTURED, TIP, GIVEN, COLLAPSED = 1, 2, 4, 8, 16, 32, 64
FACES = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]


def around(shape: tuple[int, ...], at: tuple[int, ...]) -> list[tuple[int, ...]]:
    near = [tuple(a + s for a, s in zip(at, step, strict=True)) for step in FACES]
    return [there for there in near if all(0 <= t < n for t, n in zip(there, shape, strict=True))]


def happens(voxel: int, hazard: float, stamp: Stamp, purpose: Purpose) -> bool:
    return int(host_draw(np.array(voxel), stamp, purpose)) / 2**32 < -np.expm1(-hazard)


def torn(cell: np.ndarray, vessel: np.ndarray, protease: np.ndarray, rates: RuptureRates, stamp: Stamp) -> np.ndarray:
    """The bits after a tick of rupture and healing."""
    out = vessel.copy()
    for voxel in np.flatnonzero(vessel & (BLOOD | LYMPH)).tolist():
        at = np.unravel_index(voxel, vessel.shape)
        if vessel[at] & TIP:
            continue
        cells = sum(cell[there] == 1 for there in around(vessel.shape, at))
        hazard = rates.protease * float(protease[at]) + rates.contact * cells
        if happens(voxel, rates.healing if vessel[at] & RUPTURED else hazard, stamp, Purpose.RUPTURE):
            out[at] ^= RUPTURED
    return out


def pressed(cell: np.ndarray, vessel: np.ndarray, rates: CollapseRates, stamp: Stamp) -> np.ndarray:
    """The bits after a tick of collapse and reopening."""
    out = vessel.copy()
    for voxel in np.flatnonzero(vessel & (PERFUSED | COLLAPSED)).tolist():
        at = np.unravel_index(voxel, vessel.shape)
        free = [there for there in around(vessel.shape, at) if vessel[there] == 0]
        tight = len(free) > 0 and sum(cell[there] == 1 for there in free) >= rates.least * len(free)
        shut = bool(vessel[at] & COLLAPSED)
        hazard = (0.0 if shut else rates.collapse) if tight else (rates.reopening if shut else 0.0)
        if happens(voxel, hazard, stamp, Purpose.COLLAPSE):
            if shut:
                out[at] = int(vessel[at]) & ~COLLAPSED | (PERFUSED if vessel[at] & GIVEN else 0)
            else:
                out[at] = (int(vessel[at]) | COLLAPSED) & ~PERFUSED
    return out
