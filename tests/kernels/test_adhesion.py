"""Adhesion: bonds against a plain twin, exactly off at 0, how fast a pair parts, and what a closed box settles to."""

import math

import numpy as np
import pytest
from twins import adhesion_twin, motility_twin
from twins.tissues import DEEP, FLAT

from seedsoil.kernels import contest, motility
from seedsoil.kernels.adhesion import Adhesion, AdhesionRates
from seedsoil.kernels.draws import ALWAYS, Purpose, Stamp, host_draw
from seedsoil.kernels.hops import LINEAR
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import Motility, MotilityRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
BONDED = AdhesionRates(bond=1.2, grip=1.0)  # without matrix there is nothing to grip
FLAT_ROWS, DEEP_VOXELS = Lattice.of(FLAT), Lattice.of(DEEP, form="voxels")


def rates(
    law: int, epithelial: float, mesenchymal: float, taxis: float, adhesion: AdhesionRates, fastest: float = 1.5
) -> MotilityRates:
    """One substep. All tests use the same compiled kernels: solid vessels, and clones that may differ."""
    return MotilityRates(1, law, epithelial, mesenchymal, taxis, ALWAYS, adhesion, fastest)


def with_clones(tissue: Tissue, clones: int = 5) -> Tissue:
    """Give the cells clones with traits of their own, from 0 to 2."""
    rng = np.random.default_rng(3)
    tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, rng.integers(0, clones, tissue.cell.shape), 0)
    tissue.traits = (2 * rng.random((clones, len(Trait)))).astype(np.float32)
    return tissue


def proposed_by_twin(tissue: Tissue, of: MotilityRates, stamp: Stamp, **changed) -> motility_twin.Proposed:
    voxels = np.arange(tissue.lattice.voxels).reshape(tissue.lattice.shape)
    given = {
        "epithelial": of.epithelial,
        "mesenchymal": of.mesenchymal,
        "taxis": of.taxis,
        "bond_energy": of.adhesion.bond,
        "grip": of.adhesion.grip,
        "fastest": of.fastest,
        "traits": tissue.traits,
        "law": "linear" if of.law == LINEAR else "boltzmann",
    }
    state = {n: getattr(tissue, n) for n in ("cell", "emt", "clone", "matrix", "vessel", "leaving")}
    return motility_twin.propose(
        state, host_draw(voxels, stamp, Purpose.HOP), solid_vessels=True, **{**given, **changed}
    )


@pytest.mark.parametrize(
    ("lattice", "law"),
    [(FLAT_ROWS, LINEAR), (DEEP_VOXELS, LINEAR)],
    ids=["2-D, linear", "3-D, linear"],
)
def test_kernel_equals_the_twin(strew, lattice, law):
    tissue = with_clones(strew(lattice.shape, 0.5, seed=1, vessels=0.1, others=0.1, lattice=lattice))
    of = rates(law, 0.08, 0.12, 0.01, AdhesionRates(0.7, 0.4))
    stamp = Stamp.of(99, 3, 17)
    motility.propose(tissue, of, 0, stamp, solid_vessels=True)
    twin = proposed_by_twin(tissue, of, stamp)
    # roots and exponentials in f4 against f8: draws within 1e-6 of a boundary are left out
    sure = twin.margin > 1e-6
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(tissue.intent[sure], twin.intent[sure])
    assert np.count_nonzero(tissue.intent) > 100
    # planted: each would go unseen by a weaker comparison
    for changed in ({"bond_energy": 0.75}, {"grip": 0.45}, {"fastest": 0.0}, {"fastest": 1.6}):
        assert (proposed_by_twin(tissue, of, stamp, **changed).intent != tissue.intent)[sure].any(), changed
    tissue.traits[:, Trait.ADHESION] = 1.0
    assert (proposed_by_twin(tissue, of, stamp).intent != tissue.intent)[sure].any()


def test_energy_zero_is_exactly_off(strew):
    table = Motility()
    for lattice in (Lattice.of(FLAT), Lattice.of(DEEP)):
        plain = motility.rates(table, lattice, 20.0, 0.1)
        assert motility.rates(table, lattice, 20.0, 0.1, adhering=Adhesion()) == plain
        assert not (plain.factors.bonds or plain.factors.grip or plain.factors.varied)
        # a barrier only lowers weights: neither substeps nor the bound on them change
        bonded = motility.rates(table, lattice, 20.0, 0.1, adhering=Adhesion(bond_energy=2.0, matrix_energy=1.0))
        assert bonded._replace(adhesion=AdhesionRates()) == plain
        assert bonded.factors.bonds and bonded.factors.grip
    # bonds that are there but hold nothing: mesenchymal cells have none
    loose, bonded = strew(FLAT, 0.4), strew(FLAT, 0.4)
    for tissue in (loose, bonded):
        tissue.emt[...], tissue.clone[...] = 255, 0
    plain = MotilityRates(1, LINEAR, 0.1, 0.2, 0.05, ALWAYS)
    motility.propose(loose, plain, 0, Stamp.of(1), solid_vessels=True)
    bonds = AdhesionRates(bond=5.0, grip=1e-30)
    motility.propose(bonded, rates(LINEAR, 0.1, 0.2, 0.05, bonds), 0, Stamp.of(1), solid_vessels=True)
    np.testing.assert_array_equal(loose.intent, bonded.intent)
    bonded.emt[...] = 0
    motility.propose(bonded, rates(LINEAR, 0.2, 0.2, 0.05, bonds), 0, Stamp.of(1), solid_vessels=True)
    assert (loose.intent != bonded.intent).any()


def test_bonds_join_tumour_cells_only():
    state = {
        "cell": np.array([[[1, 1, 4, 1, 0, 1]]], np.uint8),
        "emt": np.array([[[0, 191, 0, 0, 0, 0]]], np.uint8),
        "clone": np.zeros((1, 1, 6), np.uint32),
    }
    found = adhesion_twin.energies(state, 3.0)
    np.testing.assert_allclose(found[0, 0], [3 * math.sqrt(64 / 255)] * 2 + [0.0] * 4)


@pytest.mark.parametrize("lattice", [FLAT_ROWS, DEEP_VOXELS], ids=["2-D", "3-D"])
def test_a_bonded_pair_parts_at_the_rate_of_the_barrier(device, lattice):
    """(5/3) k exp(-J) in 3-D and (3/2) k exp(-J) in 2-D, k the hops of a free cell."""
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0, matrix=0.0)
    flat = lattice.nz == 1
    middle = (slice(None),) if flat else (slice(2, -2, 4),)
    for shift in (2, 3):  # pairs along x, apart from each other and from the walls
        tissue.cell[(*middle, slice(2, -2, 4), slice(shift, -3, 5))] = Cell.TUMOUR
    pairs = int(tissue.cell.sum()) // 2
    j, h = 1.2, 0.15
    k = tissue.lattice.faces * h
    factor = 3 / 2 if flat else 5 / 3
    trials, parted = 1000 if flat else 4000, 0
    for tick in range(trials):
        # nobody moves: each proposal that finds a free voxel would part a pair
        motility.propose(tissue, rates(LINEAR, h, h, 0.0, BONDED), 0, Stamp.of(7, 0, tick), solid_vessels=True)
        parted += int(np.count_nonzero(tissue.intent))
    expected = factor * k * math.exp(-j) * pairs * trials
    error = math.sqrt(expected)
    assert error < 0.01 * expected
    assert abs(parted - expected) < 4 * error  # 6e-5 false alarms
    assert abs(parted - expected * math.exp(-0.06)) > 4 * error  # planted: 5 % more energy
    assert abs(parted - 2 * k * math.exp(-j) * pairs * trials) > 4 * error  # planted: the partner's face counted too


def closed_boxes() -> Tissue:
    """256 boxes of 3 x 3 voxels with solid vessels for walls, and two cells in each."""
    tissue = bare(FLAT_ROWS, lattice_id=0, voxel_um=20.0, matrix=0.0)
    tissue.vessel[...] = 1
    for y in range(3):
        for x in range(3):
            tissue.vessel[0, y::4, x::4] = 0
    tissue.cell[0, 0::4, 0::4] = tissue.cell[0, 2::4, 1::4] = Cell.TUMOUR
    return tissue


def together(tissue: Tissue) -> int:
    cell = tissue.cell[0].astype(int)
    return int((cell[1:] * cell[:-1]).sum() + (cell[:, 1:] * cell[:, :-1]).sum())


def share_together(tissue: Tissue, of: MotilityRates, samples: int, between: int) -> float:
    found = 0
    for tick in range(samples * between):
        stamp = Stamp.of(31, 0, tick)
        motility.propose(tissue, of, 0, stamp, solid_vessels=True)
        contest.settle(tissue, STAYS, 0, stamp)
        if tick % between == between - 1:
            found += together(tissue)
    return found / (256 * samples)


def test_pairs_in_closed_boxes_settle_to_detailed_balance(device):
    """Of 36 places of two cells in 3 x 3 voxels 12 are side by side: their share at rest is 12 e^J/(12 e^J + 24)."""
    samples, j = 100, BONDED.bond
    measured = share_together(closed_boxes(), rates(LINEAR, 0.04, 0.04, 0.0, BONDED), samples, 60)

    def at_rest(energy: float) -> float:
        return math.exp(energy) / (math.exp(energy) + 2)

    # 60 substeps are 2.4 hops a face and some 3 relaxation times of a pair; samples are not quite independent
    error = math.sqrt(at_rest(j) * (1 - at_rest(j)) / (256 * samples))
    assert abs(measured - at_rest(j)) < 6 * error
    assert abs(measured - at_rest(1.1 * j)) > 6 * error  # planted: 10 % more energy
    assert abs(measured - at_rest(0.0)) > 6 * error  # planted: no bonds


def test_a_grip_gathers_cells_where_there_is_matrix(device):
    """One cell in 3 x 3 voxels with matrix 1 in the middle and 0 around: e^A/(e^A + 8) at rest; A is the grip."""
    tissue = closed_boxes()
    tissue.cell[...] = 0
    tissue.cell[0, 0::4, 0::4] = Cell.TUMOUR
    tissue.matrix[0, 1::4, 1::4] = 1.0
    grip, samples, found = 1.5, 100, 0
    of = rates(LINEAR, 0.08, 0.08, 0.0, AdhesionRates(1.0, grip))
    for tick in range(60 * samples):
        stamp = Stamp.of(32, 0, tick)
        motility.propose(tissue, of, 0, stamp, solid_vessels=True)
        contest.settle(tissue, STAYS, 0, stamp)
        if tick % 60 == 59:
            found += int(tissue.cell[0, 1::4, 1::4].sum())
    chance = math.exp(grip) / (math.exp(grip) + 8)
    error = math.sqrt(chance * (1 - chance) / (256 * samples))
    assert abs(found / (256 * samples) - chance) < 5 * error
    assert abs(1 / 9 - chance) > 50 * error  # planted: no grip
    assert int((tissue.cell == Cell.TUMOUR).sum()) == 256
