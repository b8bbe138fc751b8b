"""The quickstart's promise: by chance, and not by script, nearly every key ends with a colony.

Nothing places a colony: a run is stopped at its first one. With at least 19 of 20 keys asked for, a
scenario in which a fifth of the keys fail passes with probability 0.07.
"""

import pytest

from seedsoil.sim.device import Device
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics
KEYS = range(1, 21)


def first_colony_h(device: Device, key: int, **changes: object) -> float | None:
    """When the first colony was founded, in h; None if the run ended without one."""
    scenario = load_scenario("quickstart", {"rng_key": key, **changes})
    run = Simulation(scenario, device)
    while run.tick < scenario.ticks and run.colonies.table.rows == 0:
        run.advance()
    return run.time_h if run.colonies.table.rows else None


def test_at_least_19_of_20_keys_found_a_colony(device: Device) -> None:
    founded = {key: first_colony_h(device, key) for key in KEYS}
    print("first colony (h) by key:", founded)
    times = [time for time in founded.values() if time is not None]
    assert len(times) >= 19
    assert len(set(times)) > 10  # by chance: not at one time


def test_it_is_the_survivors_that_found_them(device: Device) -> None:
    """The control: where nobody survives transit, nobody founds."""
    changes = {"body.single_survival_probability": 0.0, "body.cluster_survival_probability": 0.0, "until_h": 150.0}
    assert first_colony_h(device, 7, **changes) is None  # type: ignore[arg-type]
