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


def scenario(key: int, **colonies: object) -> Scenario:
    growth = {**SLOW, "shedding_per_h": 5e-5, "shedding_exponent": 0.8, **colonies}
    return Scenario.model_validate({
        "title": "a patient", "primary": "emission", "until_h": 60 * WEEK, "rng_key": key, "emission": EMISSION,
        "body": {**BODY, "colonies": growth},
    })  # fmt: skip


def followed(patients: int, key: int = 3, **colonies: object) -> tuple[Cohort, Metastases]:
    one = scenario(0, **colonies)
    assert one.emission is not None
    cohort = Cohort(one.emission, one.body, key)
    return cohort, cohort.follow(np.full(patients, 30 * WEEK), 60 * WEEK)


def compared(device: Device, patients: int, colonies: dict, others: dict | None = None, many: int = 3000):
    """Means over patients, in a cohort of `many` (of `others`) and of runs of the whole, and the error of their difference: (3,) each.

    Of the colonies above 1,000 and 30,000 cells after 60 weeks, and of cells^0.4 summed over the former.
    """
    runs = []
    for key in range(patients):
        run = Emitting(scenario(key, **colonies), device)
        for _ in range(60):
            run.advance()
        cells = run.circulation.metastases.field.table["cells"]
        runs.append([(cells > 1e3).sum(), (cells > 3e4).sum(), (cells[cells > 1e3] ** 0.4).sum()])
    _, found = followed(many, **(others or colonies))
    assert (found.generation > 0).sum() > 100
    cells = found.cells(np.full(len(found), 60 * WEEK))
    weights = [cells > 1e3, cells > 3e4, np.where(cells > 1e3, cells**0.4, 0.0)]
    here = np.array([np.bincount(found.patient, weight, many) for weight in weights]).T
    return here.mean(axis=0), np.array(runs).mean(axis=0), here.std(axis=0) * np.sqrt(1 / many + 1 / patients)
