"""Cohorts of lasting metastases against patients run tick by tick with all that dies.

Held at 4 s.e.; of patients that are alike these are a few per cent, so other laws are seen. So is, there, an interval of a week,
within which a run lets nobody wake or settle: it has a few per cent less or more than a cohort, which has no intervals.
"""

import cohorts
import pytest

from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics


def test_patients_that_differ_and_seed_in_turn(device: Device) -> None:
    there = cohorts.runs(device, 40)
    here = cohorts.cohort(3000)
    print(here.mean(axis=0), there.mean(axis=0), cohorts.apart(here, there))
    assert (abs(cohorts.apart(here, there)) < 4).all()


@pytest.mark.parametrize(
    ("colonies", "wrong"),
    [({}, {"birth_per_h": 0.0045}), (cohorts.AVASCULAR, {**cohorts.AVASCULAR, "surgery_vessels_probability": 0.0})],
)
def test_patients_alike(device: Device, colonies: dict, wrong: dict) -> None:
    there = cohorts.runs(device, 12, alike=True, interval_h=24.0, **colonies)
    here = cohorts.cohort(1000, alike=True, **colonies)
    other = cohorts.cohort(1000, alike=True, **wrong)
    print(here.mean(axis=0), there.mean(axis=0), cohorts.apart(here, there), cohorts.apart(other, there))
    assert (abs(cohorts.apart(here, there)) < 4).all()
    assert (abs(cohorts.apart(other, there)) > 4).any()  # planted
