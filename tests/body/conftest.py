"""Taichi starts once per process: every test here shares one CPU device with two threads."""

import pytest

from seedsoil.sim.device import Device, start


@pytest.fixture(scope="session")
def device() -> Device:
    return start("cpu", 2)
