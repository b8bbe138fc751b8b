"""The scenario `immune`: effectors hold the nodule, and without checkpoint control, or against cells they do not see, it grows.

Growth is compared over the second half of 72 h, when effectors have found their way. The claim is one of sign and
size, with room for chance: what is held grows by less than half of what is not.
"""

import numpy as np
import pytest

from seedsoil.kernels.tissue import Trait
from seedsoil.sim.device import Device
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics
KEYS = (3, 4)
HALF = 360  # ticks


def growth(device: Device, key: int, *, visible: float = 1.0, **changes: object) -> tuple[float, Simulation]:
    """ln of the cells at 72 h over those at 36 h; `visible` is the trait of the one clone."""
    run = Simulation(load_scenario("immune", {"rng_key": key, **changes}), device)
    run.clones.traits[:, Trait.VISIBILITY] = visible
    for _ in range(HALF):
        run.advance()
    before = run.cells
    for _ in range(HALF):
        run.advance()
    return float(np.log(run.cells / before)), run


def test_effectors_hold_the_nodule_and_without_checkpoint_control_it_escapes(device: Device) -> None:
    held = [growth(device, key) for key in KEYS]
    escaped = [growth(device, key, **{"immune.visibility_fraction": 0.0}) for key in KEYS]  # the control
    print("ln N(72 h)/N(36 h): held", [rate for rate, _ in held], "escaped", [rate for rate, _ in escaped])
    assert max(rate for rate, _ in held) < 0.5 * min(rate for rate, _ in escaped)
    assert min(rate for rate, _ in escaped) > 0.35
    for (_, with_control), (_, without) in zip(held, escaped, strict=True):
        assert with_control.flows["died.killed"] > 300 and without.flows["died.killed"] == 0
        assert without.others.immune > 50  # they are there, and do nothing


def test_cells_that_evade_are_not_held_either(device: Device) -> None:
    rate, run = growth(device, KEYS[0], visible=0.05)
    assert rate > 0.35
    assert run.flows["died.killed"] < 200
