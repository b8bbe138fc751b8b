"""The power law of sizes of metastases: a fast form of `tests/physics/test_colony_sizes.py`."""

import pytest
from colony_sizes import ALPHA, exponent, sizes

from seedsoil.sim.device import Device


def test_sizes_follow_a_power_law_that_secondary_seeding_steepens(device: Device) -> None:
    slopes = {}
    for secondary, primaries in ((False, 300), (True, 60)):
        slopes[secondary], events = exponent(sizes(device, primaries, 70, 0.4, secondary=secondary), 150)
        assert events > 1000
    assert slopes[False] == pytest.approx(1 + ALPHA, abs=0.12)
    assert slopes[True] == pytest.approx(1 + ALPHA + 0.4, abs=0.12)
