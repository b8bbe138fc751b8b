"""What runs here in this process runs on the device that all tests share, whoever starts it first."""

import pytest

from seedsoil.sim.device import Device


@pytest.fixture(scope="session", autouse=True)
def on_the_device(device: Device) -> Device:
    return device
