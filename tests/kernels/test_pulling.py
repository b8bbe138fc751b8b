"""Pulling: the plain twin, exactly off, nobody lost, and how much seldomer a pair that pulls parts."""

import math

import numpy as np
import pytest
from twins import pulling_twin
from twins.tissues import DEEP, FLAT

from seedsoil.kernels import contest, motility, pulling
from seedsoil.kernels.adhesion import Adhesion, AdhesionRates
from seedsoil.kernels.draws import ALWAYS, SUBSTEPS_MAX, Purpose, Stamp, host_draw
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import Motility, MotilityRates
from seedsoil.kernels.pores import PoreRates
from seedsoil.kernels.taxis import LINEAR
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare

pytestmark = pytest.mark.usefixtures("device")

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
LATTICES = pytest.mark.parametrize("lattice", [Lattice.of(FLAT), Lattice.of(DEEP, form="voxels")], ids=["2-D", "3-D"])
# random hops for the moves, and all that pulling depends on for those who follow
HOPS = MotilityRates(1, LINEAR, 0.1, 0.1, 0.0, ALWAYS)
PULLS = HOPS._replace(
    adhesion=AdhesionRates(1.5, 0.0, 3.0), fastest=1.0, pores=PoreRates(80.0, 10.0, 70.0, 12.0, 8.0, 3.0)
)


def hopped(strew, lattice: Lattice) -> Tissue:
    """Cells of all phenotypes and five clones, after a substep of hops."""
    tissue = strew(lattice.shape, 0.5, seed=1, others=0.1, lattice=lattice)
    rng = np.random.default_rng(4)
    tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, rng.integers(0, 5, lattice.shape), 0)
    tissue.traits = (2 * rng.random((5, len(Trait)))).astype(np.float32)
    tissue.intent[...] = 0
    motility.propose(tissue, HOPS, 0, Stamp.of(8), solid_vessels=True)
    contest.settle(tissue, STAYS, 0, Stamp.of(8))
    return tissue


def twin_of(state: dict, lattice: Lattice, stamp: Stamp, of: MotilityRates, **changed) -> tuple[np.ndarray, np.ndarray]:
    voxels = np.arange(lattice.voxels).reshape(lattice.shape)
    draws = [host_draw(voxels, stamp, purpose, 5) for purpose in (Purpose.FOLLOW, Purpose.FOLLOW_FACE)]
    given = {"bond_energy": of.adhesion.bond, "traction": of.adhesion.traction, "pores": of.pores._asdict()}
    return pulling_twin.follow(state, *draws, **{**given, **changed})


@LATTICES
def test_those_who_follow_are_those_of_the_twin(strew, lattice):
    tissue, stamp = hopped(strew, lattice), Stamp.of(99, 3, 17)
    names = ("cell", "emt", "clone", "matrix", "leaving", "intent")
    state = {name: getattr(tissue, name).copy() for name in names}
    pulling.propose(tissue, PULLS, 5, stamp)
    expected, margin = twin_of(state, lattice, stamp, PULLS, traits=tissue.traits)
    sure = margin > 1e-6  # single against double precision
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(tissue.intent[sure], expected[sure])
    assert np.count_nonzero(tissue.intent) > 40
    for name in names[:-1]:
        np.testing.assert_array_equal(getattr(tissue, name), state[name])
    # planted: each would go unseen by a weaker comparison
    wrong = ({"bond_energy": 2.0}, {"traction": 4.0}, {"pores": None}, {"traits": None})
    for changed in wrong:
        other, _ = twin_of(state, lattice, stamp, PULLS, **{"traits": tissue.traits, **changed})
        assert (other != tissue.intent)[sure].any(), changed


@LATTICES
def test_without_traction_nobody_is_taken_along(strew, lattice):
    for adhesion in (AdhesionRates(1.5, 0.0, 0.0), AdhesionRates(0.0, 0.0, 3.0)):
        tissue = hopped(strew, lattice)
        before = {name: getattr(tissue, name).copy() for name in ("cell", "emt", "clone", "intent", "counters")}
        pulling.follow(tissue, PULLS._replace(adhesion=adhesion), STAYS, 0, Stamp.of(1))
        for name, array in before.items():
            np.testing.assert_array_equal(getattr(tissue, name), array)
    pulling.follow(tissue, PULLS, STAYS, 0, Stamp.of(1))
    assert (tissue.cell != before["cell"]).any()


@LATTICES
def test_cells_are_neither_lost_nor_copied(strew, lattice):
    tissue = hopped(strew, lattice)

    def everyone() -> np.ndarray:
        here = tissue.cell != Cell.EMPTY
        kept = np.stack([getattr(tissue, n)[here].astype(int) for n in ("cell", "emt", "clone", "colony", "heading")])
        return kept[:, np.lexsort(kept)]

    before, at = everyone(), tissue.cell.copy()
    for tick in range(20):
        motility.propose(tissue, HOPS, 0, Stamp.of(3, 0, tick), solid_vessels=True)
        contest.settle(tissue, STAYS, 0, Stamp.of(3, 0, tick))
        pulling.follow(tissue, PULLS, STAYS, 0, Stamp.of(3, 0, tick))
    np.testing.assert_array_equal(everyone(), before)
    assert (tissue.cell != at).mean() > 0.1
    tissue.emt[np.nonzero(tissue.cell == Cell.TUMOUR)[0][0]] ^= 1
    assert (everyone() != before).any()  # planted: a changed cell


@LATTICES
def test_a_pair_that_pulls_parts_seldomer_by_what_the_bond_transmits(lattice):
    """exp(-g), g = f (1 - exp(-J)): of its hops, that share parts the pair; in the others it goes on as a pair."""
    flat = lattice.nz == 1
    j, f = 0.8, 1.5
    of = PULLS._replace(adhesion=AdhesionRates(j, 0.0, f), pores=PULLS.pores._replace(intact=1e3, open=1e3))
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
    middle = (slice(None),) if flat else (slice(2, -2, 5),)
    parted = moved = 0
    for tick in range(150 if flat else 1200):
        tissue.cell[...] = 0
        for shift in (2, 3):  # pairs along x, so far apart that they never meet
            tissue.cell[(*middle, slice(2, -2, 5), slice(shift, -3, 6))] = Cell.TUMOUR
        pairs = int(tissue.cell.sum()) // 2
        tissue.wake()
        stamp = Stamp.of(7, 0, tick)
        tissue.leaving[(*middle, slice(2, -2, 5), slice(3, -3, 6))] = 1  # one of each pair may hop, the other not
        motility.propose(tissue, HOPS, 0, stamp, solid_vessels=True)
        contest.settle(tissue, STAYS, 0, stamp)
        tissue.leaving[...] = 0
        moved += pairs - still_together(tissue)
        pulling.follow(tissue, of, STAYS, 0, stamp)
        parted += pairs - still_together(tissue)
    share = math.exp(-f * (1 - math.exp(-j)))
    error = math.sqrt(share * (1 - share) / moved)
    assert error < 0.03 * share
    assert abs(parted / moved - share) < 4 * error  # 6e-5 false alarms
    assert abs(parted / moved - math.exp(-f)) > 4 * error  # planted: a bond that transmits all


def still_together(tissue: Tissue) -> int:
    cell = tissue.cell.astype(int)
    return int(
        sum((np.take(cell, range(1, n), a) * np.take(cell, range(n - 1), a)).sum() for a, n in enumerate(cell.shape))
    )


def test_rounds_draw_from_substeps_of_their_own():
    assert pulling.ROUND * (pulling.ROUNDS + 1) == SUBSTEPS_MAX
    table = Motility(law="linear", mesenchymal_um2_per_h=1e6, epithelial_um2_per_h=0.0, haptotaxis_um2_per_h=0.0)
    fits = pulling.ROUND * 0.05 * 25 / (6 * 1e6)
    lattice, pull = Lattice.of(DEEP), Adhesion(bond_energy=1.0, traction_energy=1.0)
    assert motility.rates(table, lattice, 5.0, fits, adhering=pull).substeps == pulling.ROUND
    with pytest.raises(ValueError, match=r"lattice\.tick_h: .* substeps"):
        motility.rates(table, lattice, 5.0, 1.001 * fits, adhering=pull)
    motility.rates(table, lattice, 5.0, 1.001 * fits)  # without pulling there are more
