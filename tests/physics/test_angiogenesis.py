"""The scenario `angiogenesis`: a starving nodule is reached by sprouts and breathes; without sprouts it does not."""

import numpy as np
import pytest
from scipy import ndimage

import seedsoil
from seedsoil.kernels.tissue import Cell, Vessel
from seedsoil.sim.device import Device
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics
HOURS = 120.0


def after(device: Device, hours: float, **changes: object) -> Simulation:
    overrides = {name.replace("__", "."): value for name, value in changes.items()}
    run = Simulation(seedsoil.load_scenario("angiogenesis", overrides=overrides), device)
    while run.time_h < hours:
        run.advance()
    return run


def oxygen(run: Simulation) -> float:
    """Mean in the voxels of tumour cells, mmHg."""
    return float(run.primary.solutes["oxygen"][run.primary.cell == Cell.TUMOUR].mean())


def nearest_um(run: Simulation) -> float:
    """From the tumour to the nearest perfused vessel."""
    far = ndimage.distance_transform_edt(run.primary.vessel & Vessel.PERFUSED == 0)
    return run.primary.voxel_um * float(np.asarray(far)[run.primary.cell == Cell.TUMOUR].min())


def test_a_nodule_that_calls_for_vessels_is_reached_and_breathes(device: Device) -> None:
    start, grown, control = (
        after(device, 0.5),
        after(device, HOURS),
        after(device, HOURS, angiogenesis__sprouting_per_mm_h=0.0),
    )
    print(f"oxygen {oxygen(start):.2f}, {oxygen(grown):.2f}, control {oxygen(control):.2f} mmHg")
    print(f"nearest vessel {nearest_um(start):.0f}, {nearest_um(grown):.0f}, control {nearest_um(control):.0f} um")
    print(f"cells {start.cells}, {grown.cells}, control {control.cells}")
    # at the start the nodule starves, and the ligand passes the threshold at a vessel
    assert oxygen(start) < 2.0
    assert nearest_um(start) > 200.0
    fresh = (grown.primary.vessel > 0) & (grown.primary.vessel & Vessel.GIVEN == 0)
    flows = fresh & (grown.primary.vessel & Vessel.PERFUSED > 0)
    assert flows.sum() > 50
    assert nearest_um(grown) <= 60.0
    assert oxygen(grown) > 2.0 * oxygen(control)
    assert grown.cells > control.cells
    # no blood where no inlet leads, told by labels of all voxels
    labels, _ = ndimage.label(grown.primary.vessel & Vessel.PERFUSED > 0)
    supplied = np.unique(labels[(grown.primary.vessel & Vessel.GIVEN > 0) & (labels > 0)])
    assert np.isin(labels[flows], supplied).all()
    # the control keeps its vessels, and starves on
    given = start.primary.vessel & Vessel.GIVEN > 0
    np.testing.assert_array_equal(control.primary.vessel > 0, given)
    assert oxygen(control) < 1.5 * oxygen(start)
