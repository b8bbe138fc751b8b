"""Organs: where the cells of a seed settle, and what becomes of their colonies."""

import numpy as np
import pytest

from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare
from seedsoil.sim.body.circulation import Arrival
from seedsoil.sim.body.organs import EXTINCT, GROWING, Colonies, Organ, around, arrival_sites, settle
from seedsoil.sim.body.seeds import Fate, Seeds
from seedsoil.sim.departures import BLOOD, Departure
from seedsoil.sim.device import Device

FLAT, DEEP = (1, 64, 64), (12, 16, 20)
SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])


def bone(device: Device, shape: tuple[int, int, int]) -> tuple[Organ, Tissue, int]:
    """An organ with one vessel voxel in the middle. Returns it, its tissue and that voxel."""
    tissue = bare(device.lattice(shape), lattice_id=1, voxel_um=20.0)
    middle = tuple(n // 2 for n in shape)
    tissue.vessel[middle] = int(Vessel.BLOOD | Vessel.PERFUSED | Vessel.GIVEN)
    return Organ("bone", 0, tissue), tissue, int(np.ravel_multi_index(middle, shape))


def arriving(seeds: Seeds, emt: list[int], *, site_draw: int = 0) -> Arrival:
    cells = np.array(emt, dtype=np.uint8)
    row = seeds.release(Departure(0, 3, 1, BLOOD, cells, 100 + np.arange(len(emt), dtype=np.uint32)))
    seeds.table["fate"][row] = Fate.ARRESTED
    return Arrival(row, 0, site_draw)


def distance2(shape: tuple[int, int, int], voxel: int) -> np.ndarray:
    at = np.unravel_index(voxel, shape)
    return sum((axis - c) ** 2 for axis, c in zip(np.indices(shape), at, strict=True)).reshape(-1)


@SHAPES
def test_cells_take_the_nearest_free_voxels_mesenchymal_first(device: Device, shape: tuple[int, int, int]) -> None:
    organ, tissue, site = bone(device, shape)
    seeds, colonies = Seeds(), Colonies()
    emt = [0, 255, 10, 200, 255, 0, 130, 127]
    assert settle(organ, seeds, colonies, arriving(seeds, emt), 99, 1) == 8
    cell, held = tissue.cell.reshape(-1), tissue.emt.reshape(-1)
    occupied = np.flatnonzero(cell == Cell.TUMOUR)
    far = distance2(shape, site)
    free = np.setdiff1d(np.flatnonzero(cell == Cell.EMPTY), [site])
    assert far[occupied].max() <= far[free].min()
    assert site not in occupied
    fast = occupied[held[occupied] >= 128]
    slow = occupied[held[occupied] < 128]
    assert far[fast].max() <= far[slow].min()
    assert sorted(held[occupied].tolist()) == sorted(emt)
    # each cell keeps its clone
    for voxel in occupied:
        assert emt[int(tissue.clone.reshape(-1)[voxel]) - 100] == held[voxel]
    assert set(tissue.colony.reshape(-1)[occupied].tolist()) == {1}
    assert not tissue.due.any()
    assert tissue.busy.all()  # they came from outside the passes, so every row is looked at
    assert organ.cells == 8


@SHAPES
def test_nearest_first_with_ties_in_order(device: Device, shape: tuple[int, int, int]) -> None:
    lattice = device.lattice(shape)
    for site in (0, lattice.voxels - 1, lattice.voxels // 2 + 7):
        ranked = around(lattice, site, 2)
        far = distance2(shape, site)
        assert site not in ranked
        assert len(np.unique(ranked)) == len(ranked)
        keys = list(zip(far[ranked].tolist(), ranked.tolist(), strict=True))
        assert keys == sorted(keys)
        nearest = np.setdiff1d(np.flatnonzero(far <= 36), [site])
        assert set(nearest) <= set(ranked.tolist())


def test_vessels_and_occupied_voxels_are_left_alone(device: Device) -> None:
    organ, tissue, site = bone(device, FLAT)
    seeds, colonies = Seeds(), Colonies()
    z, y, x = np.unravel_index(site, FLAT)
    tissue.vessel[z, y, x + 1] = int(Vessel.LYMPH)
    tissue.cell[z, y, x - 1] = Cell.STROMA
    settle(organ, seeds, colonies, arriving(seeds, [255] * 2), 1, 1)
    assert tissue.cell[z, y, x - 1] == Cell.STROMA
    assert tissue.cell[z, y, x + 1] == Cell.EMPTY
    assert tissue.cell[z, y - 1, x] == tissue.cell[z, y + 1, x] == Cell.TUMOUR


def test_each_arrival_founds_a_colony_of_its_own(device: Device) -> None:
    organ, tissue, site = bone(device, FLAT)
    seeds, colonies = Seeds(), Colonies()
    for tick, cells in enumerate([3, 1, 5]):
        settle(organ, seeds, colonies, arriving(seeds, [255] * cells), tick, 2)
    table = colonies.table
    assert table["label"].tolist() == [1, 2, 3]
    assert table["founder_seed"].tolist() == seeds.table["colony"].tolist() == [0, 1, 2]
    assert table["founder_cells"].tolist() == table["cells"].tolist() == [3, 1, 5]
    assert table["founded_tick"].tolist() == [0, 1, 2]
    assert table["voxel"].tolist() == [site] * 3
    assert set(table["organ"].tolist()) == {0}
    assert np.bincount(tissue.colony[tissue.colony > 0]).tolist() == [0, 3, 1, 5]
    assert seeds.table["fate"].tolist() == [Fate.COLONY] * 3
    assert colonies.count(GROWING) == organ.colonies == 3
    assert organ.cells == 9


def test_the_colony_is_named_after_a_cell_that_got_in(device: Device) -> None:
    """The founder's clone is that of the first cell placed: a mesenchymal one if there is any."""
    organ, _, _ = bone(device, FLAT)
    seeds, colonies = Seeds(), Colonies()
    settle(organ, seeds, colonies, arriving(seeds, [0, 0, 255]), 1, 1)
    assert colonies.table["clone"].tolist() == [102]


def test_cells_without_room_are_left_out_and_a_seed_without_any_dies(device: Device) -> None:
    organ, tissue, site = bone(device, FLAT)
    seeds, colonies = Seeds(), Colonies()
    near = around(tissue.lattice, site, 1)
    cell = tissue.cell.reshape(-1)
    cell[near[:-2]] = Cell.STROMA
    arrival = arriving(seeds, [0, 255, 255, 255])
    assert settle(organ, seeds, colonies, arrival, 1, 1) == 2
    assert colonies.table["founder_cells"].tolist() == [2]
    assert np.all(tissue.emt.reshape(-1)[near[-2:]] == 255)
    before = tissue.cell.copy()
    late = arriving(seeds, [255, 255])
    assert settle(organ, seeds, colonies, late, 2, 1) == 0
    assert seeds.table["fate"][late.row] == Fate.NO_ROOM
    assert seeds.table["colony"][late.row] == -1
    assert (organ.colonies, organ.cells, colonies.table.rows) == (1, 2, 1)
    np.testing.assert_array_equal(tissue.cell, before)


def test_all_vessel_sites_are_used_alike(device: Device) -> None:
    """The site is the draw's share of the list: both ends are reached; lymph vessels, grown ones and collapsed ones are no
    way in."""
    organ, tissue, _ = bone(device, FLAT)
    tissue.vessel[...] = 0
    flat = tissue.vessel.reshape(-1)
    flat[[100, 900, 2000, 3000]] = int(Vessel.BLOOD | Vessel.GIVEN | Vessel.PERFUSED)
    flat[[50, 4000]] = int(Vessel.LYMPH | Vessel.GIVEN | Vessel.PERFUSED)
    flat[[20, 4050]] = int(Vessel.BLOOD | Vessel.GIVEN | Vessel.COLLAPSED)
    flat[[60, 3500]] = int(Vessel.BLOOD | Vessel.PERFUSED), int(Vessel.BLOOD | Vessel.TIP)  # these have grown
    assert arrival_sites(tissue).tolist() == [100, 900, 2000, 3000]
    seeds, colonies = Seeds(), Colonies()
    for draw in (0, 2**30 - 1, 2**30, 2**31, 2**32 - 1):
        settle(organ, seeds, colonies, arriving(seeds, [255], site_draw=draw), 1, 1)
    assert colonies.table["voxel"].tolist() == [100, 100, 900, 2000, 3000]


def test_where_all_vessels_have_collapsed_a_seed_finds_no_room(device: Device) -> None:
    organ, tissue, site = bone(device, FLAT)
    tissue.vessel.reshape(-1)[site] = int(Vessel.BLOOD | Vessel.GIVEN | Vessel.COLLAPSED)
    seeds, colonies = Seeds(), Colonies()
    arrival = arriving(seeds, [255, 0, 255])
    assert settle(organ, seeds, colonies, arrival, 1, 1) == 0
    assert seeds.table["fate"][arrival.row] == Fate.NO_ROOM
    assert seeds.table["cells_without_room"].tolist() == [3] and seeds.table["organ"].tolist() == [0]
    assert colonies.table.rows == organ.colonies == organ.cells == 0 and not tissue.cell.any()
    # it is perfused again: the next one gets in
    tissue.vessel.reshape(-1)[site] = int(Vessel.BLOOD | Vessel.GIVEN | Vessel.PERFUSED)
    assert settle(organ, seeds, colonies, arriving(seeds, [255]), 2, 1) == 1


def test_recount_follows_the_lattice_and_knows_who_died_out(device: Device) -> None:
    bones, tissue, _ = bone(device, FLAT)
    lungs, lung_tissue, _ = bone(device, FLAT)
    lungs.name, lungs.index = "lung", 1
    seeds, colonies = Seeds(), Colonies()
    for organ in (bones, lungs, bones):
        settle(organ, seeds, colonies, arriving(seeds, [255, 255]), 1, 1)
    assert colonies.table["label"].tolist() == [1, 1, 2]  # counted per organ
    free = np.flatnonzero((tissue.cell == Cell.EMPTY) & (tissue.vessel == 0))[:30]
    tissue.cell.reshape(-1)[free] = Cell.TUMOUR
    tissue.colony.reshape(-1)[free] = 2
    lung_tissue.colony[lung_tissue.colony == 1] = 0
    lung_tissue.cell[...] = 0
    for organ in (bones, lungs, Organ("liver", 2)):  # an organ without tissue is passed over
        colonies.recount(organ)
    assert colonies.table["cells"].tolist() == [2, 0, 32]
    assert colonies.table["state"].tolist() == [GROWING, EXTINCT, GROWING]
    assert (colonies.count(GROWING), colonies.count(EXTINCT)) == (2, 1)
