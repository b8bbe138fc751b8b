"""The power law of sizes of metastases, with and without metastases of metastases, within 5 % of its slope."""

import pytest
from colony_sizes import ALPHA, GROWTH, exponent, sizes

from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics
END_H = 95
MOST = 13_000 / 20  # e^(GROWTH END_H) / 20


@pytest.mark.parametrize("ratio", [1.0, 0.8, 1.3])
def test_sizes_follow_the_ratio_of_growth_rates(device: Device, ratio: float) -> None:
    primaries = {1.0: 700, 0.8: 1500, 1.3: 200}[ratio]
    beta, events = exponent(sizes(device, primaries, END_H, 0.4, growth=ratio * GROWTH, secondary=False), MOST)
    assert events >= 4000
    assert beta == pytest.approx(1 + ALPHA * ratio, rel=0.05)
    assert beta != pytest.approx(1 + ALPHA * (ratio + 0.15), rel=0.05)


def test_metastases_of_metastases_steepen_it(device: Device) -> None:
    expected = 1 + ALPHA + 0.4
    beta, events = exponent(sizes(device, 60, END_H, 0.4, secondary=True), MOST)
    assert events >= 4000
    assert beta == pytest.approx(expected, rel=0.05)
    # without them the slope is another
    beta, _ = exponent(sizes(device, 700, END_H, 0.4, secondary=False), MOST)
    assert beta != pytest.approx(expected, rel=0.05)
