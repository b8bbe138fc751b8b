"""Growth of colonies on lattices of their own against that of numbers, with the power to see a percent."""

import pytest
from colonies_on_lattices import compared

from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics


def test_mean_growth_is_the_same_with_and_without_a_lattice(device: Device) -> None:
    difference, error = compared(device, 128, 3)
    assert abs(difference) < 3 * error
    difference, error = compared(device, 64, 3, push_voxels=1)
    assert abs(difference) > 3 * error
