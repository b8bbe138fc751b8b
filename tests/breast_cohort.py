"""Breast cancer patients as the slow tests follow them: SEER's diameters at diagnosis, shedding that differs."""

import numpy as np

from seedsoil.sim.calibrate import sizes

YEAR_H = 8766.0
SPREAD = 0.3  # emission.spread_shape


def diameters(patients: int, rng: np.random.Generator) -> np.ndarray:
    """(patients,) mm at diagnosis, even within bins of half a centimetre."""
    table = sizes.read()
    breast = table.of(table.cancer == table.cancers.index("breast"))
    bins = rng.choice(len(breast.patients), patients, p=breast.patients / breast.patients.sum())
    return 10 * (breast.diameter_cm[bins] - 0.5 * rng.random(patients))
