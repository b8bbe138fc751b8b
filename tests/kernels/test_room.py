"""Room in the matrix: dense voxels take no daughter, as if something stood there; at 1 that is exactly off."""

import numpy as np
import pytest
from twins import proliferation_twin, pushing_twin
from twins.tissues import DEEP, FLAT, put, random_tissue

from seedsoil.kernels import contest, proliferation, pushing
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.tissue import CARRIED, Cell, Tissue, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STAMP, DENSE = Stamp.of(5, 2, 77), 0.6


def crowded(device: Device, shape: tuple[int, int, int]) -> Tissue:
    tissue = random_tissue(device.lattice(shape), density=0.8, vessels=0.05)
    tumour = tissue.cell == Cell.TUMOUR
    tissue.due[...] = tumour & (np.random.default_rng(4).random(shape) < 0.5)
    return tissue


def state_of(tissue: Tissue, dense: float = DENSE) -> dict[str, np.ndarray]:
    """The state with an epithelial cell, which stands fast, wherever the matrix of an empty voxel is above `dense`."""
    state = {name: getattr(tissue, name).copy() for name in (*CARRIED, "vessel")}
    state["cell"][(tissue.cell == Cell.EMPTY) & (tissue.matrix > np.float32(dense))] = Cell.EPITHELIUM
    return state


def rates(reach: int = 1, dense: float = DENSE) -> proliferation.ProliferationRates:
    table = Proliferation(
        epithelial_per_h=0.3, mesenchymal_per_h=0.3, push_voxels_max=reach, matrix_stop_fraction=dense
    )
    return proliferation.rates(table, 0.3)


@SHAPES
@pytest.mark.parametrize("dense", [DENSE, 1.0], ids=["dense", "off"])
def test_dense_voxels_are_no_room(device: Device, shape: tuple[int, int, int], dense: float) -> None:
    """Who ripens, where daughters go and what is pushed, against the twins; another threshold would be seen."""
    for verb in ("ripen", "propose"):
        tissue = crowded(device, shape)
        expected, planted = (_by_twin(verb, state_of(tissue, limit), tissue) for limit in (dense, dense - 0.1))
        if verb == "ripen":
            proliferation.ripen(tissue, rates(dense=dense), STAMP, solid_vessels=True)
            found = tissue.due
        else:
            proliferation.propose(tissue, STAMP, solid_vessels=True, dense=rates(dense=dense).dense)
            found = tissue.intent
        np.testing.assert_array_equal(found, expected)
        assert not np.array_equal(found, planted)


def _by_twin(verb: str, state: dict[str, np.ndarray], tissue: Tissue) -> np.ndarray:
    if verb == "ripen":
        arrays = (state[name] for name in ("cell", "emt", "vessel", "due"))
        return proliferation_twin.ripen(*arrays, rates().chances, STAMP, needs_room=True, solid_vessels=True)
    none = np.zeros_like(tissue.intent)
    return proliferation_twin.propose(
        state["cell"], state["vessel"], state["due"], none, none, STAMP, solid_vessels=True
    )


@SHAPES
def test_lines_are_not_pushed_into_dense_voxels(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device, shape)
    state = state_of(tissue)
    twin = pushing_twin.push(state, 3, STAMP, solid_vessels=True)
    pushing.push(tissue, rates(reach=3), STAMP, solid_vessels=True)
    stand_ins = state["cell"] == Cell.EPITHELIUM
    for name in CARRIED:
        ours, theirs = getattr(tissue, name), twin.state[name]
        np.testing.assert_array_equal(ours[~stand_ins], theirs[~stand_ins], err_msg=name)
    assert len(twin.mothers) > 5
    free = pushing_twin.push(state_of(crowded(device, shape), 1.0), 3, STAMP, solid_vessels=True)
    assert len(free.mothers) != len(twin.mothers)


def test_a_tumour_fills_its_cage_and_no_more(device: Device) -> None:
    """Intact matrix around a square of 9 x 9 voxels: 81 cells, and none outside, as long as it stands."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    cage = (slice(None), slice(20, 29), slice(30, 39))
    tissue.matrix[cage] = 0.2
    put(tissue, (0, 24, 34), emt=0)
    for tick in range(400):
        stamp = Stamp.of(1, 0, tick)
        proliferation.ripen(tissue, rates(), stamp, solid_vessels=False)
        tissue.intent[...] = 0
        proliferation.propose(tissue, stamp, solid_vessels=False, dense=DENSE)
        contest.settle(tissue, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, stamp)
    assert (tissue.cell[cage] == Cell.TUMOUR).all() and (tissue.cell == Cell.TUMOUR).sum() == 81
    tissue.matrix[0, 24, 39] = 0.5  # a breach
    for tick in range(400, 500):
        stamp = Stamp.of(1, 0, tick)
        proliferation.ripen(tissue, rates(), stamp, solid_vessels=False)
        tissue.intent[...] = 0
        proliferation.propose(tissue, stamp, solid_vessels=False, dense=DENSE)
        contest.settle(tissue, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, stamp)
    assert (tissue.cell == Cell.TUMOUR).sum() == 82
