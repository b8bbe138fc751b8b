"""Proliferation: who is due, where daughters go, what they inherit, and that crowding stops it."""

import math

import numpy as np
import pytest
from twins import proliferation_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, put, random_tissue, snapshot

from seedsoil.kernels import census, contest, motility, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intent import DIVIDE
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.proliferation import HAZARD, Proliferation, ProliferationRates, chances_at
from seedsoil.kernels.tissue import Cell, Count, Tissue, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
SOLID = pytest.mark.parametrize("solid", [False, True])
REST = MotilityRates(1, LINEAR, 0.0, 0.0, 0.0, 0)
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)


def tick(
    tissue: Tissue, rates: ProliferationRates, stamp: Stamp, moves: MotilityRates = REST, *, solid: bool = False
) -> dict[Count, int]:
    """One tick of divisions (and hops, if asked for). Returns the counts."""
    tissue.counters[...] = 0
    proliferation.ripen(tissue, rates, stamp, solid_vessels=solid)
    for substep in range(moves.substeps):
        motility.propose(tissue, moves, substep, stamp, solid_vessels=solid)
        if substep == 0:
            proliferation.propose(tissue, stamp, solid_vessels=solid)
        contest.settle(tissue, CLOSED, substep, stamp)
    census.count(tissue)
    return tissue.census()


def tumour_cells(tissue: Tissue) -> int:
    return int((tissue.cell == Cell.TUMOUR).sum())


@SHAPES
@SOLID
def test_who_ripens_equals_the_twin(device: Device, shape: tuple[int, int, int], solid: bool) -> None:
    for density in (0.3, 0.95):
        tissue = random_tissue(device.lattice(shape), density=density, vessels=0.2)
        rates = proliferation.rates(Proliferation(epithelial_per_h=0.8, mesenchymal_per_h=0.2), 1.0)
        stamp = Stamp.of(5, 2, 77)
        arrays = [getattr(tissue, name).copy() for name in ("cell", "emt", "vessel", "due")]
        proliferation.ripen(tissue, rates, stamp, solid_vessels=solid)
        expected = proliferation_twin.ripen(*arrays, rates.chances, stamp, needs_room=True, solid_vessels=solid)
        np.testing.assert_array_equal(tissue.due, expected)
        wrong = tuple(int(limit * 0.9) for limit in rates.chances)
        planted = proliferation_twin.ripen(*arrays, wrong, stamp, needs_room=True, solid_vessels=solid)
        assert not np.array_equal(tissue.due, planted)


@SHAPES
@SOLID
def test_where_daughters_go_equals_the_twin(device: Device, shape: tuple[int, int, int], solid: bool) -> None:
    tissue = random_tissue(device.lattice(shape), density=0.5, vessels=0.2)
    tissue.leaving[...] = (np.random.default_rng(2).random(shape) < 0.1) & (tissue.cell == Cell.TUMOUR)
    stamp = Stamp.of(5, 2, 78)
    proliferation.propose(tissue, stamp, solid_vessels=solid)
    arrays = [getattr(tissue, name) for name in ("cell", "vessel", "due", "leaving")]
    none = np.zeros_like(tissue.intent)
    expected = proliferation_twin.propose(*arrays, none, stamp, solid_vessels=solid)
    np.testing.assert_array_equal(tissue.intent, expected)
    assert np.count_nonzero(expected) > 50
    planted = proliferation_twin.propose(*arrays, none, stamp._replace(tick=79), solid_vessels=solid)
    assert not np.array_equal(tissue.intent, planted)


@SHAPES
def test_daughters_go_to_all_sides_alike(device: Device, shape: tuple[int, int, int]) -> None:
    """Chi-squared over the faces of isolated cells; fails falsely once in 1e6 (fixed keys)."""
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    inner = tuple(slice(1, -1, 3) if n > 1 else slice(None) for n in shape)
    tissue.cell[inner], tissue.due[inner] = Cell.TUMOUR, 1
    counts = np.zeros(tissue.lattice.faces)
    for at in range(100):
        tissue.intent[...] = 0
        proliferation.propose(tissue, Stamp.of(8, 0, at), solid_vessels=False)
        counts += [(tissue.intent == DIVIDE + face).sum() for face in range(tissue.lattice.faces)]
    assert counts.sum() == 100 * tumour_cells(tissue)

    def chi2(found: np.ndarray) -> float:
        return float(((found - found.mean()) ** 2 / found.mean()).sum())

    limit = 30.7 if tissue.lattice.faces == 4 else 35.9
    assert chi2(counts) < limit
    biased = counts * np.where(np.arange(len(counts)) == 0, 1.25, 1.0)  # one side favoured by a quarter
    assert chi2(biased) > limit


def test_the_clock_strikes_at_multiples_and_not_at_the_start() -> None:
    rates = proliferation.rates(Proliferation(law="clock", epithelial_per_h=0.1, mesenchymal_per_h=0.05), 0.5)
    assert (rates.epithelial_ticks, rates.mesenchymal_ticks) == (20, 40)
    for at in range(1, 121):
        chances = chances_at(rates, at)
        assert set(chances[:128]) == {ALWAYS if at % 20 == 0 else 0}
        assert set(chances[128:]) == {ALWAYS if at % 40 == 0 else 0}
    assert not any(chances_at(rates, 0))


def test_a_clock_without_rate_never_strikes() -> None:
    rates = proliferation.rates(Proliferation(law="clock", epithelial_per_h=0.0, mesenchymal_per_h=0.0), 0.5)
    assert not any(any(chances_at(rates, at)) for at in range(200))


def test_a_division_without_room_is_retried(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    rates = proliferation.rates(Proliferation(law="clock", epithelial_per_h=0.1, mesenchymal_per_h=0.1), 1.0)
    for at in range(1, 16):
        assert tick(tissue, rates, Stamp.of(1, 0, at))[Count.BORN] == 0
    assert tissue.due.all()
    tissue.cell[0, 30, 30] = Cell.EMPTY
    tissue.due[0, 30, 30] = 0
    assert tick(tissue, rates, Stamp.of(1, 0, 16))[Count.BORN] == 1  # four wanted it, one had it
    assert tissue.due[0, 30, 30] == 0
    assert int((tissue.due == 0).sum()) == 2  # mother and daughter; the losers stay due


def test_hazard_cells_become_due_as_often_as_the_law_says(device: Device) -> None:
    """256 isolated cells of each of four emt values x 400 ticks; 4 standard errors: 1 run in 4000 fails."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.cell[0, ::2, ::2] = Cell.TUMOUR
    values = [0, 85, 170, 255]
    tissue.emt[0, ::2, ::2] = np.resize(values, (32, 32))
    given = Proliferation(epithelial_per_h=0.9, mesenchymal_per_h=0.3)
    rates = proliferation.rates(given, 0.5)
    fell_due = np.zeros(tissue.due.shape)
    for at in range(400):
        tissue.due[...] = 0
        proliferation.ripen(tissue, rates, Stamp.of(3, 0, at), solid_vessels=False)
        fell_due += tissue.due
    for emt in values:
        mine = (tissue.cell == Cell.TUMOUR) & (tissue.emt == emt)
        n = 400 * int(mine.sum())
        p = -math.expm1(-0.5 * (0.9 - 0.6 * emt / 255))
        z = (fell_due[mine].sum() - n * p) / math.sqrt(n * p * (1 - p))
        assert abs(z) < 4
        euler = 0.5 * (0.9 - 0.6 * emt / 255)  # rate x tick is not a probability, and it shows
        assert abs((fell_due[mine].sum() - n * euler) / math.sqrt(n * p * (1 - p))) > 4


def test_uncrowded_clones_grow_as_a_yule_process(device: Device) -> None:
    """Mean clone size after n ticks is (1 + p)^n, p = 1 - exp(-rate tick); tested within 4 standard errors.

    Each clone divides at most once a cell and tick, so the clones are a branching process in discrete
    time: mean (1 + p)^n and variance m (m - 1)(1 - p)/(1 + p), for e^{rt} and m (m - 1) of the Yule process
    in continuous time. Fixed keys; a fresh key would fail once in 16000. Slow form: tests/physics.
    """
    lattice = device.lattice(DEEP)
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.05, mesenchymal_per_h=0.05), 1.0)
    hops = MotilityRates(4, LINEAR, 0.008, 0.008, 0.0, ALWAYS)
    p, sizes = -math.expm1(-0.05), []
    for key in range(50):
        tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
        founders = tissue.clone[2::4, 2::4, 2::4]
        tissue.cell[2::4, 2::4, 2::4] = Cell.TUMOUR
        founders[...] = np.arange(founders.size).reshape(founders.shape)
        for at in range(20):
            tick(tissue, rates, Stamp.of(key, 0, at), hops)
        sizes.append(np.bincount(tissue.clone[tissue.cell == Cell.TUMOUR], minlength=60))
    found = np.concatenate(sizes)
    mean = (1 + p) ** 20
    error = math.sqrt(mean * (mean - 1) * (1 - p) / (1 + p) / len(found))
    assert abs(found.mean() - mean) < 4 * error
    assert abs(found.mean() - (1 + 1.1 * p) ** 20) > 4 * error  # a rate that is a tenth too high is seen


@SHAPES
@SOLID
def test_the_born_are_the_rise_in_the_census(device: Device, shape: tuple[int, int, int], solid: bool) -> None:
    tissue = random_tissue(device.lattice(shape), density=0.1, vessels=0.1)
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.3, mesenchymal_per_h=0.1), 1.0)
    hops = MotilityRates(2, LINEAR, 0.02, 0.02, 0.0, ALWAYS)
    vessels_with_cells = tumour_cells(tissue) - int(((tissue.cell == 1) & (tissue.vessel == 0)).sum())
    before = tumour_cells(tissue)
    for at in range(10):
        counts = tick(tissue, rates, Stamp.of(2, 0, at), hops, solid=solid)
        assert tumour_cells(tissue) == counts[Count.TUMOUR] == before + counts[Count.BORN]
        assert counts[Count.BORN] > 0
        before = counts[Count.TUMOUR]
    inside = int(((tissue.cell == Cell.TUMOUR) & (tissue.vessel > 0)).sum())
    assert inside <= vessels_with_cells if solid else inside > vessels_with_cells


@SHAPES
def test_daughters_inherit(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    middle = tuple(n // 2 for n in shape)
    put(tissue, middle, emt=173, clone=4_000_000_001, colony=777)
    always = ProliferationRates(HAZARD, (ALWAYS,) * 256, 0, 0)
    assert tick(tissue, always, Stamp.of(1))[Count.BORN] == 1
    both = np.argwhere(tissue.cell == Cell.TUMOUR)
    assert len(both) == 2
    assert np.abs(both[0] - both[1]).sum() == 1
    for at in map(tuple, both):
        held = [int(getattr(tissue, name)[at]) for name in ("emt", "clone", "colony", "due")]
        assert held == [173, 4_000_000_001, 777, 0]


@SHAPES
def test_nobody_is_born_into_a_full_lattice(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = filled_tissue(device.lattice(shape))
    before = snapshot(tissue)
    always = ProliferationRates(HAZARD, (ALWAYS,) * 256, 0, 0)
    for at in range(3):
        assert tick(tissue, always, Stamp.of(1, 0, at))[Count.BORN] == 0
    assert changed(before, tissue) <= {"counters"}


@SHAPES
@pytest.mark.parametrize("law", ["hazard", "clock"])
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int], law: str) -> None:
    tissue = random_tissue(device.lattice(shape))
    tissue.due[...] = 0
    before = snapshot(tissue)
    none = proliferation.rates(Proliferation(law=law, epithelial_per_h=0.0, mesenchymal_per_h=0.0), 24.0)
    for at in range(5):
        tick(tissue, none, Stamp.of(1, 0, at))
    assert changed(before, tissue) <= {"counters", "busy"}
    tick(tissue, proliferation.rates(Proliferation(), 1.0), Stamp.of(1, 0, 5))
    assert "cell" in changed(before, tissue)
