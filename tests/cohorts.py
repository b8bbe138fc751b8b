"""A patient small enough to be run as a whole, and cohorts of such patients beside it."""

import numpy as np

from seedsoil.sim.body.cohort import Cohort, Metastases
from seedsoil.sim.device import Device
from seedsoil.sim.emitting import Emitting
from seedsoil.sim.scenario import Scenario

WEEK = 168.0
SLOW = {"birth_per_h": 0.004, "death_per_h": 0.001, "bottleneck_cells": 3, "slowing_per_h": 2e-4, "capacity_cells": 1e9}
AVASCULAR = {"avascular_cells": 2e4, "vessels_per_h": 1e-4, "surgery_vessels_probability": 0.7}
EMISSION = {
    "start_diameter_mm": 10.0, "doubling_h": 2400.0, "shedding_per_h": 5e-5, "exponent": 0.61, "cluster_fraction": 0.1,
    "cluster_cells_max": 5, "resection_h": 30 * WEEK, "spread_shape": 2.0,
}  # fmt: skip
BODY = {
    "graph": "human", "primary": "breast", "interval_h": WEEK,
    "dormancy": {"probability": 0.5, "waking_per_h": 2e-4, "death_per_h": 1e-4},
    "soil": {"lung": {"receptive_probability": 0.02}},
}  # fmt: skip


# patients alike, who hardly seed in turn: fewer are needed to tell laws apart
ALIKE = {"spread_shape": 0.0, "shedding_per_h": 2e-4}


def scenario(key: int, alike: bool = False, interval_h: float = WEEK, **colonies: object) -> Scenario:
    growth = {**SLOW, "shedding_per_h": 5e-6 if alike else 5e-5, "shedding_exponent": 0.8, **colonies}
    emission = {**EMISSION, **ALIKE} if alike else EMISSION
    return Scenario.model_validate({
        "title": "a patient", "primary": "emission", "until_h": 60 * WEEK, "rng_key": key, "emission": emission,
        "body": {**BODY, "interval_h": interval_h, "colonies": growth},
    })  # fmt: skip


def followed(patients: int, key: int = 3, alike: bool = False, **colonies: object) -> tuple[Cohort, Metastases]:
    one = scenario(0, alike, **colonies)
    assert one.emission is not None
    cohort = Cohort(one.emission, one.body, key)
    return cohort, cohort.follow(np.full(patients, 30 * WEEK), 60 * WEEK)


def runs(
    device: Device, patients: int, alike: bool = False, interval_h: float = WEEK, **colonies: object
) -> np.ndarray:
    """(patients, 3) of runs of the whole: colonies above 1,000 and 30,000 cells after 60 weeks, cells^0.4 summed over
    the former."""
    out = []
    for key in range(patients):
        run = Emitting(scenario(key, alike, interval_h, **colonies), device)
        for _ in range(round(60 * WEEK / interval_h)):
            run.advance()
        cells = run.circulation.metastases.field.table["cells"]
        out.append([(cells > 1e3).sum(), (cells > 3e4).sum(), (cells[cells > 1e3] ** 0.4).sum()])
    return np.array(out)


def cohort(patients: int, alike: bool = False, **colonies: object) -> np.ndarray:
    """The same, (patients, 3), of a cohort."""
    _, found = followed(patients, alike=alike, **colonies)
    cells = found.cells(np.full(len(found), 60 * WEEK))
    weights = [cells > 1e3, cells > 3e4, np.where(cells > 1e3, cells**0.4, 0.0)]
    return np.array([np.bincount(found.patient, weight, patients) for weight in weights]).T


def apart(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(3,) by how many standard errors the means of a cohort and of runs differ."""
    return (here.mean(axis=0) - there.mean(axis=0)) / here.std(axis=0) / np.sqrt(1 / len(here) + 1 / len(there))
