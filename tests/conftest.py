"""What every test run shares: no display, one device, and Hypothesis without deadlines (nothing here is timed)."""

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from seedsoil.sim.device import Device

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("seedsoil", deadline=None, derandomize=True, database=None)
settings.load_profile("seedsoil")


@pytest.fixture(scope="session")
def device() -> "Device":
    """Taichi starts once a process, so every test there computes on the same two threads; on one where several
    processes share the tests: a kernel of a small lattice would wait for its second thread, not compute."""
    from seedsoil.sim.device import start  # brings Taichi, which what is tested of outputs/ must do without

    return start("cpu", 1 if "PYTEST_XDIST_WORKER" in os.environ else 2)
