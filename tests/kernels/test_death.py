"""Death: causes and their shares, the ramp of necrosis, who is spared, what a dead cell leaves behind."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from twins import death_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, put, random_tissue, snapshot

from seedsoil.kernels import census, death
from seedsoil.kernels.death import Death, DeathRates
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.tissue import CARRIED, Cell, Count, Tissue, Trait, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STATE = ("cell", "emt", "clone", "due", "vessel", "matrix")
ALL = Death(
    apoptosis_per_h=0.1,
    anoikis_per_h=1.0,
    anoikis_matrix_fraction=0.95,
    necrosis_per_h=0.3,
    clearance_per_h=0.4,
    drug_per_h=0.5,
)
ENDS = (Count.APOPTOTIC, Count.ANOIKIC, Count.NECROSED, Count.POISONED, Count.CLEARED)


def furnished(device: Device, shape: tuple[int, int, int], density: float = 0.2) -> Tissue:
    """A random tissue with oxygen around the thresholds, drug, and three clones that differ in DEATH."""
    tissue = random_tissue(device.lattice(shape), density=density, vessels=0.1)
    draw = np.random.default_rng(5)
    tissue.cell[(tissue.cell == Cell.EMPTY) & (draw.random(shape) < 0.1)] = Cell.NECROTIC
    tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, draw.integers(0, 3, shape), 0)
    tissue.solutes["oxygen"] = draw.uniform(0, 8, shape).astype(np.float32)
    tissue.solutes["drug"] = draw.random(shape, dtype=np.float32)
    tissue.traits = np.ones((3, len(Trait)), dtype=np.float32)
    tissue.traits[:, Trait.DEATH] = (0.5, 1.0, 2.0)
    return tissue


def twin_of(tissue: Tissue, rates: DeathRates, stamp: Stamp, *, solid: bool) -> death_twin.Judged:
    state = {name: getattr(tissue, name) for name in STATE} | {
        "oxygen": tissue.solutes["oxygen"],
        "drug": tissue.solutes["drug"],
        "death": tissue.traits[:, Trait.DEATH],
    }
    return death_twin.judge(state, rates, stamp, solid_vessels=solid)


@pytest.mark.parametrize(("shape", "solid"), [(FLAT, False), (DEEP, True)], ids=["2-D", "3-D"])
def test_the_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int], solid: bool) -> None:
    tissue = furnished(device, shape)
    rates, stamp = death.rates(ALL, 1.0), Stamp.of(3, 1, 7)
    before, twin = snapshot(tissue), twin_of(tissue, rates, stamp, solid=solid)
    sure = twin.margin > 1e-6
    assert sure.mean() > 0.999
    tissue.intent[...] = 99  # left over from the tick before
    tissue.counters[...] = 0
    death.strike(tissue, rates, stamp, solid_vessels=solid)
    assert not tissue.intent.any()
    counts = tissue.census()
    for end in ENDS:
        mine = twin.cause == end.name
        assert abs(counts[end] - int(mine.sum())) <= int((~sure).sum())
        assert mine.sum() > 10, end
        code = Cell.NECROTIC if end == Count.NECROSED else Cell.EMPTY
        assert np.all(tissue.cell[mine & sure] == code)
    ended = twin.cause != ""
    for name in CARRIED:
        held, old = getattr(tissue, name), before[name]
        np.testing.assert_array_equal(held[sure & ~ended], old[sure & ~ended])
        if name != "cell":
            assert not held[sure & ended].any()
    # planted: each would go unseen by a weaker comparison
    for planted in (
        {"apoptosis": rates.apoptosis * 1.1},
        {"anoikis": rates.anoikis * 1.2},
        {"resistance": 0.0},
        {"hold": 0.7},
        {"onset": 5.5},
        {"necrosis": rates.necrosis * 1.1},
        {"drug": rates.drug * 1.1},
        {"clearance": rates.clearance * 1.1},
    ):
        for name in STATE:
            getattr(tissue, name)[...] = before[name]
        wrong = twin_of(tissue, rates._replace(**planted), stamp, solid=solid)
        assert (wrong.cause != twin.cause)[sure].any(), planted


@pytest.mark.parametrize("tick_h", [0.1, 1.0, 4.0])
def test_the_dead_follow_the_exponential_and_the_causes_their_rates(device: Device, tick_h: float) -> None:
    """4,096 cells under three competing hazards for 4 h; 4 standard errors: a fresh key fails once in 16,000 a figure."""
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.solutes["oxygen"] = np.full(FLAT, 3.75, dtype=np.float32)  # half way down the ramp
    tissue.solutes["drug"] = np.full(FLAT, 2.0, dtype=np.float32)
    tissue.due[...] = 1
    hazards = {Count.APOPTOTIC: 0.05, Count.NECROSED: 0.5 * 0.2, Count.POISONED: 2.0 * 0.04}
    rates = death.rates(Death(apoptosis_per_h=0.05, necrosis_per_h=0.2, drug_per_h=0.04), tick_h)
    tissue.counters[...] = 0
    for tick in range(round(4.0 / tick_h)):
        death.strike(tissue, rates, Stamp.of(1, 0, tick), solid_vessels=False)
    counts, n, total = tissue.census(), tissue.lattice.voxels, sum(hazards.values())
    dead = -math.expm1(-4.0 * total)
    for cause, hazard in hazards.items():
        p = dead * hazard / total
        assert abs(counts[cause] - n * p) < 4 * math.sqrt(n * p * (1 - p))
        # planted: a share that is a quarter off would be seen
        assert abs(counts[cause] - n * p * 1.25) > 4 * math.sqrt(n * p * (1 - p))
    assert int((tissue.cell == Cell.TUMOUR).sum()) == n - sum(counts[c] for c in hazards)
    assert int((tissue.cell == Cell.NECROTIC).sum()) == counts[Count.NECROSED]
    euler = 4.0 * total  # of a first-order step: more than all of them would be dead at once at the longest tick
    assert abs(sum(counts[c] for c in hazards) - n * min(1.0, euler)) > 8 * math.sqrt(n * dead * (1 - dead))


@pytest.mark.parametrize(("oxygen", "share"), [(40.0, 0), (5.0, 0), (4.0, 0.4), (2.5, 1), (0.0, 1)])
def test_necrosis_follows_its_ramp(device: Device, oxygen: float, share: float) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.solutes["oxygen"] = np.full(FLAT, oxygen, dtype=np.float32)
    tissue.counters[...] = 0
    death.strike(tissue, death.rates(Death(necrosis_per_h=1 / 6), 2.0), Stamp.of(2), solid_vessels=False)
    p, n = -math.expm1(-share / 3), tissue.lattice.voxels
    assert abs(tissue.census()[Count.NECROSED] - n * p) <= 4 * math.sqrt(n * p * (1 - p))


def test_debris_stays_in_its_voxel_until_it_is_cleared(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.solutes["oxygen"] = np.zeros(FLAT, dtype=np.float32)
    killing = death.rates(Death(necrosis_per_h=10.0), 10.0)
    death.strike(tissue, killing, Stamp.of(2), solid_vessels=False)
    assert np.all(tissue.cell == Cell.NECROTIC)
    before = snapshot(tissue)
    death.strike(tissue, killing, Stamp.of(2, 0, 1), solid_vessels=False)
    assert changed(before, tissue) == set()
    tissue.counters[...] = 0
    clearing = death.rates(Death(clearance_per_h=0.05), 1.0)
    for tick in range(10):
        death.strike(tissue, clearing, Stamp.of(2, 0, tick), solid_vessels=False)
        census.count(tissue)
    left, n = -math.expm1(-0.5), tissue.lattice.voxels
    cleared = tissue.census()[Count.CLEARED]
    assert cleared == (tissue.cell == Cell.EMPTY).sum()
    assert abs(cleared - n * left) < 4 * math.sqrt(n * left * (1 - left))


@pytest.mark.parametrize(
    ("matrix", "beside", "emt", "share"),
    [
        (0.0, None, 0, 1.0),
        (0.0, None, 255, 0.25),
        (0.3, None, 0, 0.0),  # holds to the matrix
        (0.0, Cell.TUMOUR, 0, 0.0),
        (0.0, Cell.STROMA, 0, 0.0),
        (0.0, Cell.NECROTIC, 0, 1.0),  # debris is no hold
        (0.0, Cell.IMMUNE, 0, 1.0),
    ],
)
def test_anoikis_takes_who_has_no_hold(
    device: Device, matrix: float, beside: Cell | None, emt: int, share: float
) -> None:
    """256 cells for 8 ticks, each made good again: 4 standard errors."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, matrix=0.0)
    tissue.matrix[0, 1::4, 2::4] = matrix  # beyond a face of the cells: reach is a voxel
    tissue.counters[...] = 0
    table = Death(anoikis_per_h=0.5, anoikis_matrix_fraction=0.2, anoikis_resistance_fraction=0.75)
    for tick in range(8):
        for y in range(1, 64, 4):
            for x in range(1, 64, 4):
                put(tissue, (0, y, x), emt=emt)
        if beside is not None:
            tissue.cell[0, 2::4, 1::4] = beside
        death.strike(tissue, death.rates(table, 1.0), Stamp.of(8, 0, tick), solid_vessels=False)
    # a tumour cell that is beside another is held by it too, so nobody in a pair dies
    p, n = -math.expm1(-0.5 * share), 256 * 8
    assert abs(tissue.census()[Count.ANOIKIC] - n * p) <= 4 * math.sqrt(n * p * (1 - p))


def test_a_drug_kills_who_cycles_and_spares_who_has_no_room(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.solutes["drug"] = np.full(FLAT, 10.0, dtype=np.float32)
    sure = death.rates(Death(drug_per_h=100.0), 1.0)
    before = snapshot(tissue)
    death.strike(tissue, sure, Stamp.of(1), solid_vessels=False)
    assert changed(before, tissue) == set()  # packed: nobody has room
    tissue.due[0, 5, 5] = 1
    tissue.cell[0, 40, 40] = Cell.EMPTY
    death.strike(tissue, sure, Stamp.of(1), solid_vessels=False)
    gone = {(5, 5), (40, 40), (39, 40), (41, 40), (40, 39), (40, 41)}
    assert {(int(y), int(x)) for _, y, x in zip(*np.nonzero(tissue.cell == Cell.EMPTY), strict=True)} == gone


def test_room_in_a_solid_vessel_is_none(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.solutes["drug"] = np.full(FLAT, 10.0, dtype=np.float32)
    tissue.cell[0, 40, 40], tissue.vessel[0, 40, 40] = Cell.EMPTY, 1
    sure, before = death.rates(Death(drug_per_h=100.0), 1.0), snapshot(tissue)
    death.strike(tissue, sure, Stamp.of(1), solid_vessels=True)
    assert changed(before, tissue) == set()
    death.strike(tissue, sure, Stamp.of(1), solid_vessels=False)
    assert (tissue.cell == Cell.EMPTY).sum() == 5


@SHAPES
def test_rate_zero_is_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    before = snapshot(tissue)
    for tick in range(3):
        death.strike(tissue, death.rates(Death(), 24.0), Stamp.of(1, 0, tick), solid_vessels=False)
    assert changed(before, tissue) == set()


@pytest.mark.parametrize(("onset", "full"), [(5.0, 5.0), (2.5, 5.0), (0.0, 0.0)])
def test_reversed_thresholds_are_refused(onset: float, full: float) -> None:
    with pytest.raises(ValidationError, match="necrosis_full_mmhg: must lie below"):
        Death(necrosis_onset_mmhg=onset, necrosis_full_mmhg=full)
