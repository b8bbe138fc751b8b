"""Cohorts of lasting metastases against 60 patients run tick by tick with all that dies."""

import cohorts
import pytest

from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics


@pytest.mark.parametrize("colonies", [{}, cohorts.AVASCULAR])
def test_a_cohort_is_what_runs_of_the_whole_come_to(device: Device, colonies: dict) -> None:
    here, there, error = cohorts.compared(device, 60, colonies)
    print(here, there, error)
    assert (abs(here - there) < 4 * error).all()


def test_another_law_is_seen(device: Device) -> None:
    """Planted: a cohort without angiogenic dormancy beside runs with it."""
    here, there, error = cohorts.compared(device, 10, cohorts.AVASCULAR, {"surgery_vessels_probability": 0.0})
    assert (abs(here - there) > 4 * error).any()
