"""The duct's promise: tumour cells get out of it where the membrane was degraded, and not one without protease."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from seedsoil.kernels.pores import rates as pore_rates
from seedsoil.kernels.tissue import Cell
from seedsoil.sim import duct
from seedsoil.sim.device import Device
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics
CLOSED: dict[str, Any] = {"matrix.contact_per_h": 0.0, "matrix.soluble_per_h": 0.0}
# an inhibitor that is everywhere and stays
INHIBITED: dict[str, Any] = {
    "solutes.inhibitor.initial": 1000.0,
    "solutes.inhibitor.decay_per_h": 0.0,
    "solutes.inhibitor.diffusivity_um2_per_h": 0.0,
}


def advanced(device: Device, until_h: float, breach: bool = False, **changes: Any) -> Simulation:
    """The scenario after `until_h`; `breach` takes a voxel's width out of its membrane before it begins."""
    run = Simulation(load_scenario("duct", {"until_h": until_h, **changes}), device)
    if breach:
        run.primary.matrix[:, run.primary.lattice.ny // 2, run.primary.lattice.nx // 2 :] = 0.3
    for _ in range(run.scenario.ticks):
        run.advance()
    return run


def zones(run: Simulation) -> np.ndarray:
    return duct.zones(run.scenario.matrix.texture, run.primary.lattice, run.primary.voxel_um)


def cells_in(run: Simulation, zone: duct.Zone) -> int:
    return int(((run.primary.cell == Cell.TUMOUR) & (zones(run) == zone)).sum())


@pytest.mark.parametrize("key", [1, 2, 3])
def test_cells_get_out_through_breaches(device: Device, key: int) -> None:
    early = advanced(device, 12.0, rng_key=key)
    assert cells_in(early, duct.Zone.OUTSIDE) < 0.001 * early.cells
    run = advanced(device, 96.0, rng_key=key)
    out = cells_in(run, duct.Zone.OUTSIDE)
    matrix, zone = run.primary.matrix, zones(run)
    membrane = matrix[zone == duct.Zone.MEMBRANE]
    print(f"key {key}: {out} of {run.cells} cells outside, {(membrane < 0.5).mean():.3f} of the membrane half gone")
    assert 100 < out < 0.2 * run.cells
    assert (membrane > 0.95).mean() > 0.6  # most of it stands
    # all that are outside can have come by a breach: through pores wider than the limit
    pores = pore_rates(run.scenario.pores)
    passable = pores.open + (pores.intact - pores.open) * matrix > pores.epithelial
    label, _ = ndimage.label(passable)
    inside = label[tuple(n // 2 for n in matrix.shape)]
    where = (run.primary.cell == Cell.TUMOUR) & (zone == duct.Zone.OUTSIDE)
    assert (label[where] == inside).all()


@pytest.mark.parametrize("changes", [CLOSED, INHIBITED], ids=["no protease", "inhibited"])
def test_without_protease_not_one_cell_gets_out(device: Device, changes: dict[str, Any]) -> None:
    run = advanced(device, 168.0, **changes)
    assert cells_in(run, duct.Zone.OUTSIDE) == cells_in(run, duct.Zone.MEMBRANE) == 0
    assert run.cells > 0.99 * (zones(run) <= duct.Zone.LINING).sum()  # it is the membrane, not a lack of cells


def test_a_hole_in_the_membrane_is_enough(device: Device) -> None:
    """The control of the test above: the same without protease, and a slit cut into the membrane."""
    run = advanced(device, 48.0, breach=True, **CLOSED)
    assert cells_in(run, duct.Zone.OUTSIDE) > 20


def test_it_is_the_pores_that_hold_them(device: Device) -> None:
    """Pores as wide as a nucleus, and room for daughters: the same membrane holds nobody."""
    run = advanced(device, 24.0, **CLOSED, **{"pores.intact_um2": 100.0, "proliferation.matrix_stop_fraction": 1.0})
    assert cells_in(run, duct.Zone.OUTSIDE) > 100
