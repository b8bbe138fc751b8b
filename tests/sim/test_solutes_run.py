"""Solutes in a run: resumed to the same bits by every solver, organs with solutes of their own, fingers in small."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from seedsoil.kernels.tissue import Cell
from seedsoil.kernels.transport import NotAtRest
from seedsoil.outputs.observables import invasiveness_index
from seedsoil.sim import implant, state, step
from seedsoil.sim.body.circulation import Arrival
from seedsoil.sim.body.seeds import Fate
from seedsoil.sim.departures import BLOOD, Departure
from seedsoil.sim.device import Device
from seedsoil.sim.errors import NoSolution
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

SOLUTES: dict[str, Any] = {
    "oxygen": {"every_ticks": 3},  # quasi-steady
    "vegf": {"hypoxic_secretion_per_h": 34.0},  # implicit
    "inhibitor": {"diffusivity_um2_per_h": 900.0, "epithelial_secretion_per_h": 0.1, "binding_per_h": 3.0},  # explicit
    "drug": {"boluses": 2, "bolus_first_h": 0.25, "bolus_every_h": 0.5, "every_ticks": 1},
}


def scenario(**changes: Any) -> Scenario:
    tables = {
        "until_h": 1.0,
        "rng_key": 3,
        "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
        "implant": {"cells": 300},
        "vessels": {"blood": 20, "ruptured": 0},
        "solutes": SOLUTES,
        "body": {"organ_shape": [1, 64, 64], "organs": {"lung": {"share_probability": 1.0, "vessels": 3}}},
        **changes,
    }
    return Scenario.model_validate(tables)


def bits(run: Simulation) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.capture(run)[0].items()}


def test_a_state_taken_between_solves_goes_on_to_the_same_bits(device: Device) -> None:
    """Stopped after 4 ticks: oxygen was last solved two ticks before, and its field is all that the next solve needs."""
    whole = Simulation(scenario(), device)
    for tick in range(8):
        if tick == 4:
            arrays, numbers = state.capture(whole)
            taken = {name: np.array(array) for name, array in arrays.items()}
        whole.advance()
    again = state.restore(scenario(), device, taken, numbers)
    for _ in range(4):
        again.advance()
    assert bits(again) == bits(whole)
    fields = whole.primary.solutes
    assert fields["oxygen"].min() < 5.0 < 30.0 < fields["oxygen"].max()
    assert fields["vegf"].max() > 0.1 and fields["drug"].max() > 0.01 and fields["inhibitor"].max() > 1e-3
    # the detector can fail: a field that is off by a bit goes on to other bits
    taken["tissue/primary/vegf"][0, 3, 3] += 1e-3
    other = state.restore(scenario(), device, taken, numbers)
    for _ in range(4):
        other.advance()
    assert bits(other) != bits(whole)


def test_an_organ_breathes_by_its_own_vessels(device: Device) -> None:
    """Its colony takes oxygen that its vessels bring, whatever the primary's tumour does."""
    run = Simulation(scenario(), device)
    lung = run.organs[0]
    lung.tissue = implant.organ(run.scenario, device, "lung")
    lung.tissue.cell[0, 30:34, 30:34] = Cell.TUMOUR
    lung.tissue.wake()
    lung.cells = 16
    run.advance()
    organ, primary = lung.tissue.solutes["oxygen"], run.primary.solutes["oxygen"]
    assert organ[0, 30:34, 30:34].min() < 20.0 and 30.0 < organ.max() <= 40.0
    assert not np.array_equal(organ, primary)


def test_an_organ_breathes_from_the_tick_in_which_it_is_made(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oxygen is solved at every third tick; the organ is made between two, and its first colony does not wait."""
    found = {}
    for made in (0, 1):
        run = Simulation(scenario(), device)
        run.tick = made
        row = run.seeds.release(Departure(0, 0, 1, BLOOD, np.full(2, 255, np.uint8), np.zeros(2, np.uint32)))
        run.seeds.table["fate"][row] = Fate.ARRESTED
        monkeypatch.setattr(run.circulation, "advance", lambda *_, row=row: [Arrival(row, 0, 0)])
        monkeypatch.setattr(run, "_balance", lambda: None)  # the seed came from nowhere
        run.advance()
        lung = run.organs[0].tissue
        assert lung is not None and np.ptp(lung.solutes["oxygen"]) > 1.0  # it begins at one value everywhere
        found[made] = lung.solutes["oxygen"].copy()
        monkeypatch.setattr(run.circulation, "advance", lambda *_: [])
        run.advance()  # from then on at every third tick only
        np.testing.assert_array_equal(lung.solutes["oxygen"], found[made])
    np.testing.assert_array_equal(found[0], found[1])


def test_a_field_without_solution_ends_the_run_with_tick_and_place(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise NotAtRest("solutes.oxygen: no state of rest")

    run = Simulation(scenario(), device)
    monkeypatch.setattr(step.transport, "advance", failing)
    with pytest.raises(NoSolution, match=r"tick 0, primary: solutes\.oxygen: no state of rest") as caught:
        run.advance()
    assert caught.value.exit_code == 70


def test_a_harsh_place_makes_fingers_in_small(device: Device) -> None:
    """At 170 cells, one key each (tests/physics/test_fingering.py has twenty, and the controls)."""
    found = {}
    for name in ("fingering", "fingering-mild"):
        given = {"until_h": 1000.0, "lattice.shape": [1, 64, 64], "solutes.oxygen.every_ticks": 12}
        run = Simulation(load_scenario(name, given), device)
        while run.cells < 170:
            run.advance()
        label, _ = ndimage.label(run.primary.cell == Cell.TUMOUR)
        sizes = np.bincount(label.reshape(-1))
        sizes[0] = 0
        found[name] = invasiveness_index(label == sizes.argmax())
    assert found["fingering"] > 2 * found["fingering-mild"]
