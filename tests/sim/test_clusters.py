"""Clusters: who adheres to a cell that enters a vessel, against an explicit count of connected components."""

import numpy as np
import pytest
from twins import departures_twin
from twins.tissues import DEEP, FLAT, filled_tissue, put, random_tissue

from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import Intravasation
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare
from seedsoil.sim import clusters
from seedsoil.sim.departures import gather
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STAMP = Stamp.of(11, 0, 40)
CERTAIN = 50.0  # 1 - exp(-50)


def of_three_clones(device: Device, shape: tuple[int, int, int]) -> Tissue:
    tissue = random_tissue(device.lattice(shape), density=0.6)
    tissue.clone[...] %= 3
    tissue.emt[...] //= 2
    tissue.traits = np.ones((3, len(Trait)), dtype=np.float32)
    tissue.traits[:, int(Trait.ADHESION)] = 1.0, 0.3, 2.0
    return tissue


@SHAPES
@pytest.mark.parametrize(("reach_um", "bond_energy"), [(60.0, 2.0), (100.0, 1.0), (200.0, CERTAIN), (19.0, CERTAIN)])
def test_a_cluster_is_a_connected_component(
    device: Device, shape: tuple[int, int, int], reach_um: float, bond_energy: float
) -> None:
    tissue = of_three_clones(device, shape)
    energy = (1 - tissue.emt / 255) * tissue.traits[tissue.clone, int(Trait.ADHESION)]
    pairs = departures_twin.bonds(tissue.cell, energy, STAMP, bond_energy)
    wrong = departures_twin.bonds(tissue.cell, energy, STAMP, 0.8 * bond_energy if bond_energy < CERTAIN else 1.0)
    places = np.stack(np.indices(shape), axis=-1).reshape(-1, 3) * tissue.voxel_um
    sizes, planted = set(), reach_um < 20.0
    for voxel in np.flatnonzero(tissue.cell == Cell.TUMOUR)[::71].tolist():
        allowed = np.sqrt(((places - places[voxel]) ** 2).sum(axis=1)) <= reach_um
        found = clusters.bonded(tissue, voxel, reach_um, 10**6, bond_energy, STAMP)
        expected = departures_twin.component(pairs, voxel, allowed)
        np.testing.assert_array_equal(found, expected[expected != voxel])
        planted |= len(departures_twin.component(wrong, voxel, allowed)) != len(expected)
        sizes.add(len(found))
    assert planted
    assert len(sizes) > 3 or (sizes == {0} and reach_um < 20.0)


def test_a_wrong_bond_would_have_been_seen(device: Device) -> None:
    """Planted: bonds as strong as in a tissue of one clone."""
    tissue = of_three_clones(device, FLAT)
    voxels = np.flatnonzero(tissue.cell == Cell.TUMOUR)[::97].tolist()
    right = [clusters.bonded(tissue, voxel, 100.0, 10**6, 1.0, STAMP).tolist() for voxel in voxels]
    tissue.traits = tissue.traits[:1]
    assert right != [clusters.bonded(tissue, voxel, 100.0, 10**6, 1.0, STAMP).tolist() for voxel in voxels]


@SHAPES
def test_a_cap_takes_the_nearest_by_bonds(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = filled_tissue(device.lattice(shape), emt=0)
    voxel = int(np.ravel_multi_index([n // 2 for n in shape], shape))
    faces = tissue.lattice.faces
    first, nearest = (clusters.bonded(tissue, voxel, 100.0, n, CERTAIN, STAMP) for n in (1 + faces, 3))
    at = np.array([n // 2 for n in shape])
    for found in (first, nearest):
        assert np.all(np.abs(np.stack(np.unravel_index(found, shape), axis=1) - at).sum(axis=1) == 1)
    assert len(first) == faces and len(nearest) == 2
    assert len(clusters.bonded(tissue, voxel, 100.0, 1, CERTAIN, STAMP)) == 0
    # which two of the nearest is drawn, anew at each tick
    others = {tuple(clusters.bonded(tissue, voxel, 100.0, 3, CERTAIN, STAMP._replace(tick=n))) for n in range(20)}
    assert len(others) > 3


@pytest.mark.parametrize(("emt", "energy"), [((0, 0), 1.0), ((0, 128), 1.0), ((64, 64), 0.3)])
def test_a_bond_holds_with_its_probability(device: Device, emt: tuple[int, int], energy: float) -> None:
    """128 pairs x 4 ticks; 4 standard errors."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    for y in range(0, 64, 4):
        for x in range(0, 64, 8):
            put(tissue, (0, y, x), emt=emt[0])
            put(tissue, (0, y, x + 1), emt=emt[1])
    ones = np.flatnonzero(tissue.cell.reshape(-1))[::2].tolist()
    held = sum(
        len(clusters.bonded(tissue, one, 60.0, 20, energy, STAMP._replace(tick=at))) for one in ones for at in range(4)
    )
    n = len(ones) * 4
    j = energy * np.sqrt((1 - emt[0] / 255) * (1 - emt[1] / 255))
    error = np.sqrt(n * -np.expm1(-j) * np.exp(-j))
    assert abs(held + n * np.expm1(-j)) < 4 * error
    assert abs(held + n * np.expm1(-2 * j)) > 4 * error


@SHAPES
def test_without_bonds_cells_leave_alone_and_with_them_together(device: Device, shape: tuple[int, int, int]) -> None:
    table = Intravasation(cluster_law="bonds", cluster_cells_max=255)
    for bond_energy, alone in ((0.0, True), (CERTAIN, False)):
        tissue = of_three_clones(device, shape)
        tumour = tissue.cell == Cell.TUMOUR
        tissue.clone[tumour] = np.arange(tumour.sum(), dtype=np.uint32)
        tissue.traits = tissue.traits[:1]
        tissue.leaving.reshape(-1)[np.flatnonzero(tumour)[::40]] = 1
        marked = int(tissue.leaving.sum())
        seeds = gather(tissue, table, 1, STAMP, bond_energy=bond_energy)
        gone = np.concatenate([seed.clone for seed in seeds])
        assert len(np.unique(gone)) == len(gone) == tumour.sum() - (tissue.cell == Cell.TUMOUR).sum()
        assert all(seed.cells == 1 for seed in seeds) == alone
        assert (len(seeds) == marked) == alone  # two that adhere leave as one seed
        assert not tissue.leaving.any()


def test_mesenchymal_cells_have_no_bonds(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT), emt=255)
    assert len(clusters.bonded(tissue, 2000, 100.0, 20, CERTAIN, STAMP)) == 0
