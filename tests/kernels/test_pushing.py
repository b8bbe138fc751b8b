"""Pushing: the twin's lines and winners, nobody lost, and a front that moves as fast as its layer is deep."""

import math

import numpy as np
import pytest
from twins import proliferation_twin, pushing_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, random_tissue, snapshot

from seedsoil.kernels import census, contest, proliferation, pushing
from seedsoil.kernels.draws import ALWAYS, Purpose, Stamp, host_draw, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.mutation import MUTANT, MutationRates
from seedsoil.kernels.proliferation import HAZARD, Proliferation, ProliferationRates
from seedsoil.kernels.tissue import CARRIED, Cell, Count, Tissue, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
CASES = pytest.mark.parametrize(("reach", "solid"), [(2, False), (3, True), (8, False)])
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)


def pushes(reach: int) -> ProliferationRates:
    return ProliferationRates(HAZARD, (0,) * 256, 0, 0, reach=reach)


def crowded(lattice: Lattice, seed: int = 1) -> Tissue:
    """Nearly full, half of its cells due, all told apart by their clone; debris, immune cells, stroma, vessels."""
    tissue = random_tissue(lattice, seed=seed, density=0.9, vessels=0.03)
    tumour = tissue.cell == Cell.TUMOUR
    draw = np.random.default_rng(seed)
    tissue.clone[...] = np.where(tissue.cell != Cell.EMPTY, 1 + np.arange(lattice.voxels).reshape(lattice.shape), 0)
    tissue.due[...] = tumour & (draw.random(lattice.shape) < 0.5)
    return tissue


def state_of(tissue: Tissue) -> dict[str, np.ndarray]:
    return {name: getattr(tissue, name).copy() for name in (*CARRIED, "vessel")}


@SHAPES
@CASES
def test_lines_and_winners_equal_the_twin(device: Device, shape: tuple[int, int, int], reach: int, solid: bool) -> None:
    lattices = (device.lattice(shape), Lattice.of(shape, form="voxels")) if reach == 3 else (device.lattice(shape),)
    for lattice in lattices:
        tissue, stamp = crowded(lattice), Stamp.of(3, 2, 9)
        before = state_of(tissue)
        twin = pushing_twin.push(before, reach, stamp, solid_vessels=solid)
        tissue.intent[...] = 77  # of the tick before: out of date, and no matter
        pushing.push(tissue, pushes(reach), stamp, solid_vessels=solid)
        for name in CARRIED:
            np.testing.assert_array_equal(getattr(tissue, name), twin.state[name], err_msg=name)
        assert tissue.census()[Count.BORN] == len(twin.mothers) > 30
        assert not tissue.intent.any()
        assert (tissue.claims == pushing.FREE).all()
        cells = np.count_nonzero(before["cell"])
        assert np.count_nonzero(tissue.cell) == cells + len(twin.mothers)
        who = np.unique(tissue.clone[tissue.cell != Cell.EMPTY])  # nobody is missing, nobody is new
        np.testing.assert_array_equal(who, np.unique(before["clone"][before["cell"] != Cell.EMPTY]))
        for planted in ({"fair": False}, {"first": True}):
            wrong = pushing_twin.push(before, reach, stamp, solid_vessels=solid, **planted)
            assert not np.array_equal(wrong.state["clone"], tissue.clone)
    shorter = pushing_twin.push(before, reach - 1, stamp, solid_vessels=solid)
    assert not np.array_equal(shorter.state["clone"], twin.state["clone"])


@SHAPES
def test_mutations_are_marked_by_the_draw_of_the_mother(device: Device, shape: tuple[int, int, int]) -> None:
    tissue, stamp, limit = crowded(device.lattice(shape)), Stamp.of(3, 2, 9), threshold(0.4)
    twin = pushing_twin.push(state_of(tissue), 3, stamp, solid_vessels=True)
    pushing.push(tissue, pushes(3), stamp, solid_vessels=True, mutation=MutationRates(limit))
    expected = int((host_draw(np.array(twin.mothers), stamp, Purpose.MUTATE) < limit).sum())
    assert int((tissue.due == MUTANT).sum()) == tissue.census()[Count.MUTATED] == expected > 10


@SHAPES
def test_a_reach_of_one_is_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device.lattice(shape))
    before = snapshot(tissue)
    pushing.push(tissue, pushes(1), Stamp.of(1), solid_vessels=False)
    assert changed(before, tissue) == set()
    assert tissue.claims.size == 1


@SHAPES
def test_nobody_is_pushed_through_walls_vessels_stroma_or_epithelium(
    device: Device, shape: tuple[int, int, int]
) -> None:
    full = filled_tissue(device.lattice(shape))
    full.due[...] = 1
    pushing.push(full, pushes(8), Stamp.of(1), solid_vessels=False)
    assert full.census()[Count.BORN] == 0
    for block, code in [("cell", Cell.STROMA), ("cell", Cell.EPITHELIUM), ("vessel", 1)]:
        tissue = filled_tissue(device.lattice(shape))
        middle = tuple(n // 2 for n in shape)
        tissue.cell[middle] = Cell.EMPTY
        tissue.due[...] = 1
        for axis in range(3):
            for step in (-1, 1):
                beside = tuple(m + step * (a == axis) for a, m in enumerate(middle))
                if all(0 <= b < n for b, n in zip(beside, shape, strict=True)):
                    getattr(tissue, block)[beside] = code
                    tissue.due[beside] = 0
        pushing.push(tissue, pushes(8), Stamp.of(1), solid_vessels=True)
        assert tissue.census()[Count.BORN] == 0
        # without the block those behind it push
        tissue.vessel[...], tissue.cell[...] = 0, Cell.TUMOUR
        tissue.cell[middle] = Cell.EMPTY
        pushing.push(tissue, pushes(8), Stamp.of(1), solid_vessels=True)
        assert tissue.census()[Count.BORN] == 1


@SHAPES
@pytest.mark.parametrize("reach", [1, 3])
def test_who_ripens_has_room_within_reach(device: Device, shape: tuple[int, int, int], reach: int) -> None:
    tissue = crowded(device.lattice(shape))
    tissue.due[...] = 0
    before = state_of(tissue)
    certain = ProliferationRates(HAZARD, (ALWAYS,) * 256, 0, 0, reach=reach)
    proliferation.ripen(tissue, certain, Stamp.of(1), solid_vessels=True)
    expected = np.zeros_like(tissue.due)
    for _, at in proliferation_twin.cells_of(before["cell"]):
        expected[at] = proliferation_twin.reachable(before, at, reach, solid_vessels=True)
    np.testing.assert_array_equal(tissue.due, expected)
    assert 0 < expected.sum() < (before["cell"] == 1).sum()


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_a_file_of_cells_grows_at_reach_times_the_rate(device: Device, reach: int) -> None:
    """32 files between walls of vessel: dR/dt = reach x rate at each end, exactly, of which a tick takes little.

    Each end is a Poisson process of that rate; 4 standard errors (false alarm 6e-5), and a reach wrong by one is seen.
    """
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.vessel[0, 1::2] = 1
    tissue.cell[0, ::2, 28:36] = Cell.TUMOUR
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.02, push_voxels_max=reach), 1.0)
    assert rates.reach == reach
    ticks = 850 // reach
    for tick in range(ticks):
        stamp = Stamp.of(5, 0, tick)
        tissue.counters[...] = 0
        tissue.intent[...] = 0
        proliferation.ripen(tissue, rates, stamp, solid_vessels=True)
        pushing.push(tissue, rates, stamp, solid_vessels=True)
        proliferation.propose(tissue, stamp, solid_vessels=True)
        contest.settle(tissue, CLOSED, 0, stamp)
        census.count(tissue)
    grown = int((tissue.cell == Cell.TUMOUR).sum()) - 32 * 8
    expected = 64 * -math.expm1(-0.02) * reach * ticks
    assert abs(grown - expected) < 4 * expected**0.5
    for wrong in (reach - 1, reach + 1):
        assert abs(grown - expected * wrong / reach) > 4 * expected**0.5
