"""Departures: who goes along, what is taken off the lattice, and which way."""

import dataclasses

import numpy as np
import pytest
from twins import departures_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, put, random_tissue, snapshot

from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import Intravasation
from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare
from seedsoil.sim.departures import BLOOD, LYMPH, gather, reach
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STAMP = Stamp.of(11, 0, 40)


def marked_tissue(device: Device, shape: tuple[int, int, int], every: int) -> Tissue:
    """Random tissue, each cell its own clone, every n-th tumour cell about to leave."""
    tissue = random_tissue(device.lattice(shape), density=0.5)
    tumour = np.flatnonzero(tissue.cell == Cell.TUMOUR)
    tissue.clone.reshape(-1)[tumour] = 1 + tumour
    tissue.leaving.reshape(-1)[tumour[::every]] = 1
    return tissue


@SHAPES
@pytest.mark.parametrize("block", [1, 2, 3])
def test_the_reach_is_the_block_and_those_beyond_its_faces(
    device: Device, shape: tuple[int, int, int], block: int
) -> None:
    lattice = device.lattice(shape)
    for voxel in [0, lattice.voxels - 1, *np.random.default_rng(1).integers(0, lattice.voxels, 30)]:
        z, y, x = (int(at) for at in np.unravel_index(voxel, shape))
        expected = [np.ravel_multi_index(at, shape) for at in departures_twin.in_reach(shape, (z, y, x), block)]
        np.testing.assert_array_equal(reach(lattice, int(voxel), block), expected)


@pytest.mark.parametrize(
    ("shape", "block", "voxels"), [(FLAT, 1, 5), (FLAT, 2, 20), (DEEP, 1, 7), (DEEP, 2, 56), (FLAT, 3, 45)]
)
def test_the_reach_away_from_walls(device: Device, shape: tuple[int, int, int], block: int, voxels: int) -> None:
    middle = int(np.ravel_multi_index([n // 2 for n in shape], shape))
    assert len(reach(device.lattice(shape), middle, block)) == voxels


@SHAPES
@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize(("probability", "cells_max"), [(1.0, 20), (0.5, 20), (0.0, 20), (1.0, 1), (0.7, 4)])
def test_seeds_equal_the_twin(
    device: Device, shape: tuple[int, int, int], block: int, probability: float, cells_max: int
) -> None:
    tissue = marked_tissue(device, shape, 25)
    given = Intravasation(companion_probability=probability, cluster_cells_max=cells_max)
    before = snapshot(tissue)
    old = {name: before[name] for name in ("emt", "clone")}

    def expected(**planted: float) -> list[list[int]]:
        asked = {"block": block, "probability": probability, "cells_max": cells_max, **planted}
        groups = departures_twin.seeds(before["cell"], before["leaving"], STAMP, **asked)
        return [[int(old["clone"][at]) for at in group] for group in groups]

    seeds = gather(tissue, given, block, STAMP)
    assert [seed.clone.tolist() for seed in seeds] == expected()
    if probability > 0.0:  # cells that leave alone have no reach and no cap to get wrong
        assert cells_max == 1 or expected(block=block + 1) != expected()
        assert expected(cells_max=2) != expected()

    # exactly the seeds' cells are gone, whole
    gone = np.concatenate([seed.clone for seed in seeds]).astype(np.int64) - 1
    assert len(np.unique(gone)) == len(gone)
    for seed in seeds:
        voxels = seed.clone.astype(np.int64) - 1
        assert seed.voxel == voxels[0]
        np.testing.assert_array_equal(seed.emt, old["emt"].reshape(-1)[voxels])
        assert 1 <= seed.cells <= cells_max
    kept = np.ones(tissue.lattice.voxels, dtype=bool)
    kept[gone] = False
    for name in ("cell", "emt", "clone", "colony", "due", "heading"):
        now, then = getattr(tissue, name).reshape(-1), before[name].reshape(-1)
        assert not now[gone].any()
        np.testing.assert_array_equal(now[kept], then[kept])
    assert not tissue.leaving.any()
    assert changed(before, tissue) <= {"cell", "emt", "clone", "colony", "due", "heading", "leaving"}


def test_two_marked_cells_in_reach_leave_as_one_seed(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    for number, at in enumerate([(0, 10, 10), (0, 10, 11), (0, 10, 12), (0, 30, 30)]):
        put(tissue, at, clone=number)
        tissue.leaving[at] = at != (0, 10, 11)
    seeds = gather(tissue, Intravasation(), 2, STAMP)
    assert [seed.clone.tolist() for seed in seeds] == [[0, 1, 2], [3]]
    assert not tissue.cell.any()


def test_two_marked_cells_that_share_no_companion_split_the_rest(device: Device) -> None:
    """The first takes its neighbour; the second leaves with what is still there."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    for number, x in enumerate([10, 11, 12, 13, 14]):
        put(tissue, (0, 10, x), clone=number)
    tissue.leaving[0, 10, 10] = tissue.leaving[0, 10, 13] = 1
    seeds = gather(tissue, Intravasation(cluster_cells_max=3), 1, STAMP)
    assert [seed.clone.tolist() for seed in seeds] == [[0, 1], [3, 2, 4]]


def test_alone_a_marked_cell_that_was_refused_still_leaves(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    for number, x in enumerate([10, 11]):
        put(tissue, (0, 10, x), clone=number)
        tissue.leaving[0, 10, x] = 1
    seeds = gather(tissue, Intravasation(companion_probability=0.0), 1, STAMP)
    assert [seed.clone.tolist() for seed in seeds] == [[0], [1]]


def test_companions_come_with_their_probability(device: Device) -> None:
    """576 neighbours x 20 ticks at 0.3; 4 standard errors: a fresh key fails once in 16000."""
    given = Intravasation(companion_probability=0.3, cluster_cells_max=255)
    along = n = 0
    for at in range(20):
        tissue = filled_tissue(device.lattice(FLAT))
        tissue.leaving[0, 2::5, 2::5] = 1
        marked = int(tissue.leaving.sum())
        seeds = gather(tissue, given, 1, STAMP._replace(tick=at))
        assert len(seeds) == marked
        along += sum(seed.cells - 1 for seed in seeds)
        n += 4 * marked
    error = np.sqrt(n * 0.3 * 0.7)
    assert abs(along - 0.3 * n) < 4 * error
    assert abs(along - 0.33 * n) > 4 * error


def test_a_cap_takes_companions_from_all_sides(device: Device) -> None:
    """Mean place of capped companions about the middle of their reach, 4 standard errors (fixed keys)."""
    places = []
    for at in range(60):
        tissue = filled_tissue(device.lattice(DEEP))
        tissue.leaving[6, 8, 10] = 1
        (seed,) = gather(tissue, Intravasation(cluster_cells_max=8), 2, STAMP._replace(tick=at))
        places.append(np.stack(np.unravel_index(seed.clone[1:].astype(np.int64), DEEP), axis=1))
    near = np.stack(np.unravel_index(reach(tissue.lattice, seed.voxel, 2), DEEP), axis=1)
    near = near[(near != (6, 8, 10)).any(axis=1)]
    error = near.std(axis=0) / np.sqrt(60 * 7)
    assert np.all(np.abs(np.concatenate(places).mean(axis=0) - near.mean(axis=0)) < 4 * error)
    # as taking them in the order of their voxels would be
    assert np.any(np.abs(near[:7].mean(axis=0) - near.mean(axis=0)) > 4 * error)


OPEN = Vessel.PERFUSED


@pytest.mark.parametrize(
    ("law", "emt", "bits", "route"),
    [
        ("contact", 255, [Vessel.BLOOD | OPEN], BLOOD),
        ("contact", 255, [Vessel.LYMPH | OPEN], LYMPH),
        ("contact", 255, [0, Vessel.LYMPH | OPEN], LYMPH),
        ("contact", 255, [0, Vessel.LYMPH | OPEN, Vessel.BLOOD | OPEN], LYMPH),  # the blood is two voxels away
        ("contact", 255, [Vessel.BLOOD, Vessel.LYMPH | OPEN], LYMPH),  # through a sprout without flow nobody leaves
        (
            "contact",
            0,
            [Vessel.BLOOD | OPEN, Vessel.LYMPH | OPEN | Vessel.RUPTURED],
            LYMPH,
        ),  # nor through an intact wall
        ("arrival", 255, [Vessel.LYMPH | OPEN, Vessel.BLOOD | OPEN], LYMPH),
        ("arrival", 255, [Vessel.BLOOD | OPEN, Vessel.LYMPH | OPEN], BLOOD),
    ],
)
def test_the_route_is_that_of_the_wall_that_was_crossed(
    device: Device, law: str, emt: int, bits: list[Vessel], route: int
) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    put(tissue, (0, 10, 10), emt=emt)
    tissue.leaving[0, 10, 10] = 1
    for offset, kind in enumerate(bits):
        tissue.vessel[0, 10, 10 + offset] = int(kind)
    (seed,) = gather(tissue, Intravasation(law=law), 1, STAMP)
    assert (seed.route, seed.tick, seed.lattice_id) == (route, 40, 0)


def test_between_two_walls_the_hazards_decide(device: Device) -> None:
    """One intact face of blood, two ruptured of lymph: 0.02 to 0.2 by the defaults; 4 standard errors."""
    routes = []
    for at in range(10):
        tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
        for y in range(2, 62, 4):
            for x in range(2, 62, 4):
                put(tissue, (0, y, x))
        tissue.leaving[...] = tissue.cell
        tissue.vessel[0, 2::4, 3::4] = int(Vessel.BLOOD | OPEN)
        tissue.vessel[0, 1::4, 2::4] = tissue.vessel[0, 3::4, 2::4] = int(Vessel.LYMPH | OPEN | Vessel.RUPTURED)
        routes += [seed.route for seed in gather(tissue, Intravasation(), 1, STAMP._replace(tick=at))]
    n, p = len(routes), 0.2 / 0.22
    error = np.sqrt(n * p * (1 - p))
    assert abs(sum(routes) - n * p) < 4 * error
    assert abs(sum(routes) - n * 2 / 3) > 4 * error  # as faces alone would have it


def test_a_departure_keeps_its_cells_when_the_tissue_changes(device: Device) -> None:
    tissue = marked_tissue(device, FLAT, 100)
    seeds = gather(tissue, Intravasation(), 2, STAMP)
    held = [seed.clone.copy() for seed in seeds]
    tissue.clone[...] = 0
    assert all(np.array_equal(a, seed.clone) for a, seed in zip(held, seeds, strict=True))
    with pytest.raises(dataclasses.FrozenInstanceError):
        seeds[0].voxel = 3  # type: ignore[misc]
