"""Motility: the plain twin's choices, exact zeros, closed walls, and the substep rule."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from twins import motility_twin

from seedsoil.kernels import contest, motility
from seedsoil.kernels.draws import ALWAYS, SUBSTEPS_MAX, Purpose, Stamp, host_draw
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import BOLTZMANN, LINEAR, Motility, MotilityRates
from seedsoil.kernels.tissue import Cell, Count, Tissue

# the last chunk of RAGGED is shorter than the others, and so is its last tile
FLAT, DEEP, RAGGED = (1, 64, 64), (12, 16, 20), (11, 17, 20)
LATTICES = [Lattice.of(FLAT), Lattice.of(DEEP, form="voxels"), Lattice(*RAGGED, lanes=20)]
STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
STEP = {1: (0, 0, -1), 2: (0, 0, 1), 3: (0, -1, 0), 4: (0, 1, 0), 5: (-1, 0, 0), 6: (1, 0, 0)}
STATE = ("cell", "emt", "matrix", "vessel", "leaving")
LAWS = {"linear": LINEAR, "boltzmann": BOLTZMANN}


def one_substep(law: str, epithelial: float, mesenchymal: float, taxis: float) -> MotilityRates:
    """Rates given outright, per face: far more hops than a run has, so that a small lattice shows them."""
    return MotilityRates(1, LAWS[law], epithelial, mesenchymal, taxis, ALWAYS)


def hops(tissue: Tissue, stamp: Stamp, substep: int = 0) -> np.ndarray:
    voxels = np.arange(tissue.lattice.voxels).reshape(tissue.lattice.shape)
    return host_draw(voxels, stamp, Purpose.HOP, substep)


def twin_of(tissue: Tissue, rates: MotilityRates, stamp: Stamp, solid: bool, **changed) -> motility_twin.Proposed:
    given = {name: getattr(rates, name) for name in ("epithelial", "mesenchymal", "taxis", "bound")}
    return motility_twin.propose(
        {name: getattr(tissue, name) for name in STATE},
        hops(tissue, stamp, 2),
        law="linear" if rates.law == LINEAR else "boltzmann",
        solid_vessels=solid,
        **{**given, **changed},
    )


# each law with one kind of vessel: every combination compiles for seconds
@pytest.mark.parametrize(("law", "solid"), [("linear", True), ("boltzmann", False)])
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_kernel_equals_the_twin(strew, lattice, law, solid):
    tissue = strew(lattice.shape, 0.4, seed=1, vessels=0.1, others=0.1, lattice=lattice)
    tissue.leaving[(tissue.cell == Cell.TUMOUR) & (tissue.matrix < 0.05)] = 1
    stamp = Stamp.of(99, 3, 17)
    # weights of 0.05 to 0.1 a face: the sum stays below one, and the linear law is clamped here and there
    rates = one_substep(law, 0.03, 0.06, 0.07 if law == "linear" else 0.01)
    tissue.intent[...] = 77  # left over from before
    motility.propose(tissue, rates, 2, stamp, solid_vessels=solid)
    twin = twin_of(tissue, rates, stamp, solid)
    # linear: integer exact. Boltzmann: exp may differ by some ulp (1e-7), so a draw within 1e-6 of a boundary
    # is left out: below one voxel in 1e5
    sure = twin.margin > (0 if law == "linear" else 1e-6)
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(tissue.intent[sure], twin.intent[sure])
    assert tissue.census()[Count.CLAMPED] == twin.clamped
    assert (twin.clamped > 20) == (law == "linear")
    assert np.isin(np.arange(1, lattice.faces + 1), tissue.intent).all()
    assert not tissue.intent[tissue.leaving == 1].any()

    # planted: each would go unseen by a weaker comparison
    for changed in ({"taxis": rates.taxis * 1.1}, {"mesenchymal": 0.063}, {"epithelial": 0.0285}):
        assert (twin_of(tissue, rates, stamp, solid, **changed).intent != tissue.intent)[sure].any(), changed
    tissue.matrix[...] = tissue.matrix[:, :, ::-1].copy()
    assert (twin_of(tissue, rates, stamp, solid).intent != tissue.intent)[sure].any()


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_the_bound_cuts_no_hop(strew, law):
    """Draws above `bound` are turned away at once; no cell may have had a chance that high."""
    tissue = strew(DEEP, 0.4, seed=2, others=0.1)
    tissue.matrix[...] = np.indices(DEEP).sum(axis=0) % 2  # the steepest there can be
    table = Motility(law=law, mesenchymal_um2_per_h=36.0, epithelial_um2_per_h=9.0, haptotaxis_um2_per_h=72.0)
    rates = motility.rates(table, tissue.lattice, 10.0, 0.4)
    stamp = Stamp.of(5)
    tissue.leaving[...] = 0
    twin = motility_twin.propose(
        {name: getattr(tissue, name) for name in STATE},
        hops(tissue, stamp),
        law=law,
        epithelial=rates.epithelial,
        mesenchymal=rates.mesenchymal,
        taxis=rates.taxis,
        solid_vessels=False,
    )
    assert 0 < twin.steepest <= rates.bound / 2**32 <= 1
    assert rates.bound < ALWAYS
    motility.propose(tissue, rates, 0, stamp, solid_vessels=False)
    sure = twin.margin > 1e-6
    np.testing.assert_array_equal(tissue.intent[sure], twin.intent[sure])
    # planted: a bound half as high loses hops
    motility.propose(tissue, rates._replace(bound=rates.bound // 2), 0, stamp, solid_vessels=False)
    assert (tissue.intent != twin.intent)[sure].any()


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_rate_zero_is_exactly_off(strew, law):
    tissue = strew(DEEP, 0.4, vessels=0.1)
    table = Motility(law=law, mesenchymal_um2_per_h=0.0, epithelial_um2_per_h=0.0, haptotaxis_um2_per_h=0.0)
    off = motility.rates(table, tissue.lattice, 10.0, 24.0)
    assert off.substeps == 1
    before = {name: getattr(tissue, name).copy() for name in (*STATE, "clone", "colony", "due", "protease")}
    for tick in range(20):
        motility.propose(tissue, off, 0, Stamp.of(0, 0, tick), solid_vessels=False)
        assert not tissue.intent.any()
        contest.settle(tissue, STAYS, 0, Stamp.of(0, 0, tick))
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(tissue, name), array)
    # and on, it moves: the test could have failed
    motility.propose(tissue, one_substep(law, 1e-3, 1e-3, 0.0), 0, Stamp.of(0), solid_vessels=False)
    assert tissue.intent.any()


def test_a_phenotype_with_rate_zero_stays(strew):
    tissue = strew(DEEP, 0.4)
    tissue.emt[...] = np.where(tissue.emt < 128, 0, 255)
    motility.propose(tissue, one_substep("boltzmann", 0.0, 0.1, 0.05), 0, Stamp.of(0), solid_vessels=False)
    assert not tissue.intent[tissue.emt == 0].any()
    assert tissue.intent[tissue.emt == 255].any()


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_without_haptotaxis_the_matrix_does_not_matter(strew, law):
    rough, flat = strew(DEEP, 0.4), strew(DEEP, 0.4)
    flat.matrix[...] = 1.0
    for tissue in (rough, flat):
        motility.propose(tissue, one_substep(law, 0.05, 0.1, 0.0), 0, Stamp.of(0), solid_vessels=False)
    np.testing.assert_array_equal(rough.intent, flat.intent)
    motility.propose(rough, one_substep(law, 0.05, 0.1, 0.02), 0, Stamp.of(0), solid_vessels=False)
    assert (rough.intent != flat.intent).any()


@pytest.mark.parametrize(("law", "solid"), [("linear", True), ("boltzmann", False)])
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_intents_point_at_empty_voxels_inside(strew, lattice, law, solid):
    """Walls are closed, occupied voxels are not wanted, and solid vessels keep cells out."""
    for density in (0.05, 0.6, 1.0):
        tissue = strew(lattice.shape, density, vessels=0.3, others=0.2, lattice=lattice)
        # a cell tries every substep, so every wall is knocked at
        always = one_substep(law, 1 / lattice.faces, 1 / lattice.faces, 0.0)
        motility.propose(tissue, always, 0, Stamp.of(3), solid_vessels=solid)
        assert set(np.unique(tissue.intent)) <= set(range(lattice.faces + 1))
        wanting = np.argwhere(tissue.intent)
        assert (len(wanting) > 0) == (density < 1)
        onto_vessel = 0
        for at in wanting:
            assert tissue.cell[tuple(at)] == Cell.TUMOUR
            target = at + STEP[int(tissue.intent[tuple(at)])]
            assert ((target >= 0) & (target < lattice.shape)).all()
            assert tissue.cell[tuple(target)] == Cell.EMPTY
            onto_vessel += tissue.vessel[tuple(target)] != 0
        assert (onto_vessel > 0) == (not solid and density < 1)


def test_an_empty_lattice_is_safe(strew):
    tissue = strew(DEEP, 0.0)
    motility.propose(tissue, one_substep("linear", 0.1, 0.1, 0.1), 0, Stamp.of(0), solid_vessels=True)
    assert not tissue.intent.any()
    assert not tissue.counters.any()


def test_only_intents_are_written(strew):
    tissue = strew(DEEP, 0.4, vessels=0.1)
    names = ("cell", "emt", "clone", "colony", "due", "vessel", "matrix", "protease", "spare", "leaving")
    before = {name: getattr(tissue, name).copy() for name in names}
    motility.propose(tissue, one_substep("linear", 0.1, 0.1, 0.2), 0, Stamp.of(0), solid_vessels=True)
    for name in names:
        np.testing.assert_array_equal(getattr(tissue, name), before[name], err_msg=name)
    assert tissue.intent.any()


def test_substeps_keep_hops_rare():
    table = Motility(haptotaxis_um2_per_h=0.0)  # D 36 and 18
    flat, deep = Lattice.of(FLAT), Lattice.of(DEEP)
    # 4 * 36 * tick / 25: Franssen's 40 s on 5 um voxels is 0.064
    rates = motility.rates(table, flat, 5.0, 40 / 3600)
    assert rates.substeps == 2
    assert math.isclose(rates.mesenchymal, 36 * 40 / 3600 / 25 / 2)
    assert math.isclose(rates.epithelial, rates.mesenchymal / 2)
    for tick_h in (1e-4, 0.01, 0.1, 0.5, 6.0):
        for lattice in (flat, deep):
            rates = motility.rates(table, lattice, 20.0, tick_h)
            total = lattice.faces * 36 * tick_h / 400
            assert lattice.faces * rates.mesenchymal <= 0.05 * (1 + 1e-6)
            assert math.isclose(rates.substeps * lattice.faces * rates.mesenchymal, total)
            assert rates.substeps == 1 or (rates.substeps - 1) * 0.05 < total  # and no more of them than that
    # either phenotype may be the fast one
    swapped = motility.rates(Motility(epithelial_um2_per_h=36.0, mesenchymal_um2_per_h=18.0), deep, 20.0, 0.5)
    assert swapped.substeps == motility.rates(Motility(), deep, 20.0, 0.5).substeps


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_no_gradient_asks_for_more_than_certainty(law):
    # a slow cell with a strong pull: the haptotactic weights set the substeps, not the motility
    pull = 400.0
    table = Motility(law=law, mesenchymal_um2_per_h=2.0, epithelial_um2_per_h=1.0, haptotaxis_um2_per_h=pull)
    rates = motility.rates(table, Lattice.of(DEEP), 5.0, 2.0)
    assert math.ceil(6 * 2.0 * 2.0 / 25 / 0.05) < rates.substeps < SUBSTEPS_MAX
    for hop in (rates.epithelial, rates.mesenchymal):
        pull = 4 * rates.taxis
        # linear: of the two weights of an axis one rises as the other falls
        total = 3 * max(2 * hop, hop + rates.taxis) if law == "linear" else 6 * pull / -math.expm1(-pull / hop)
        assert total <= 1 + 1e-6


def test_a_cell_of_little_motility_takes_a_step_no_faster_than_the_pull(strew, device):
    """As D falls, the flux up a step of matrix tends to chi dm dt/dx^2; h exp(chi/D dm/2) would grow without bound."""
    lattice = device.lattice(FLAT)
    for d in (36.0, 9.0, 1.0, 1e-3):
        table = Motility(mesenchymal_um2_per_h=d, epithelial_um2_per_h=d, haptotaxis_um2_per_h=180.0)
        rates = motility.rates(table, lattice, 20.0, 0.1)
        assert rates.substeps <= 2
    # at D of almost 0 only upward hops are left, each with the pull's own probability
    tissue = strew(FLAT, 0.0)
    tissue.cell[0, 2::4, 2::4] = Cell.TUMOUR
    tissue.matrix[...] = 0.0
    tissue.matrix[0, :, 3::4] = 1.0
    up = 4 * rates.taxis
    found = np.zeros(7, dtype=np.int64)
    for tick in range(400):
        motility.propose(tissue, rates, 0, Stamp.of(5, 0, tick), solid_vessels=False)
        found += np.bincount(tissue.intent.reshape(-1), minlength=7)[:7]
    chances = 400 * int((tissue.cell == Cell.TUMOUR).sum())
    assert found[1 + 0] == found[1 + 2] == found[1 + 3] == 0
    assert abs(found[1 + 1] - up * chances) < 4 * math.sqrt(up * (1 - up) * chances)  # 6e-5 false alarms


def test_more_substeps_than_a_draw_can_tell_apart_are_refused():
    """A counter word gives the substep 16 bits: one substep more would repeat the draws of another purpose."""
    stamp, voxels = Stamp.of(1), np.arange(8)
    np.testing.assert_array_equal(
        host_draw(voxels, stamp, Purpose.HOP, SUBSTEPS_MAX + 2 * 2**16), host_draw(voxels, stamp, Purpose.DIVIDE)
    )
    table = Motility(law="linear", mesenchymal_um2_per_h=1e6, epithelial_um2_per_h=0.0, haptotaxis_um2_per_h=0.0)
    fits = SUBSTEPS_MAX * 0.05 * 25 / (6 * 1e6)
    assert motility.rates(table, Lattice.of(DEEP), 5.0, fits).substeps == SUBSTEPS_MAX
    with pytest.raises(ValueError, match=r"lattice\.tick_h: .* substeps"):
        motility.rates(table, Lattice.of(DEEP), 5.0, 1.001 * fits)


@pytest.mark.parametrize("name", ["mesenchymal_um2_per_h", "epithelial_um2_per_h", "haptotaxis_um2_per_h"])
def test_what_is_no_motility_is_refused(name):
    for value in (-1.0, float("nan"), float("inf"), 2e6, "36"):
        with pytest.raises(ValidationError, match=name):
            Motility(**{name: value})
