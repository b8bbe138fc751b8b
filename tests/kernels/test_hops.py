"""Hops with all that there is to them: the plain twin, exactly off, the bound, refusals, and the laws in numbers.

All tests here use two compiled kernels, with every factor on (2-D by the linear law, 3-D by the other); one that a test does not look at is given values
that make it neutral. Fixed keys; a statistical bar of 4 s.e. is 6e-5 false alarms.
"""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from twins import motility_twin
from twins.tissues import DEEP, FLAT

from seedsoil.kernels import contest, motility
from seedsoil.kernels.adhesion import Adhesion, AdhesionRates
from seedsoil.kernels.draws import ALWAYS, Purpose, Stamp, host_draw
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import Motility, MotilityRates
from seedsoil.kernels.mutation import Mutation
from seedsoil.kernels.persistence import Run
from seedsoil.kernels.pores import PoreRates, Pores
from seedsoil.kernels.taxis import BOLTZMANN, LINEAR
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare

pytestmark = pytest.mark.usefixtures("device")

FLAT_ROWS, DEEP_ROWS = Lattice.of(FLAT), Lattice.of(DEEP)
STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
LAW = {FLAT_ROWS: LINEAR, DEEP_ROWS: BOLTZMANN}
BOTH = pytest.mark.parametrize("lattice", [FLAT_ROWS, DEEP_ROWS], ids=["2-D", "3-D"])
WIDE = PoreRates(1e3, 0.5, 1.0, 0.0, 0.0, 0.0)  # hinders where matrix is above 0.999
NEUTRAL = MotilityRates(
    1,
    LINEAR,
    0.05,
    0.05,
    0.0,
    ALWAYS,
    adhesion=AdhesionRates(1e-30, 1e-30),
    fastest=1.0,
    pores=WIDE,
    run=Run(1e-30, 1e-30, 0),
    alignment=1e-30,
    role="vegf",
    chemotaxis=1e-30,
    half=1.0,
)
MIXED = NEUTRAL._replace(
    epithelial=0.02,
    mesenchymal=0.05,
    taxis=0.008,
    adhesion=AdhesionRates(0.5, 0.3),
    fastest=1.5,
    pores=PoreRates(80.0, 10.0, 70.0, 12.0, 8.0, 3.0),
    run=Run(0.03, 0.09, 0),
    alignment=0.3,
    chemotaxis=0.012,
    half=0.4,
)


def mixed(strew, lattice: Lattice) -> Tissue:
    """Cells of all phenotypes, headings and five clones, among fibres, matrix and an attractant."""
    tissue = strew(lattice.shape, 0.4, seed=1, vessels=0.1, others=0.1, lattice=lattice)
    rng = np.random.default_rng(4)
    tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, rng.integers(0, 5, lattice.shape), 0)
    tissue.traits = (2 * rng.random((5, len(Trait)))).astype(np.float32)
    tissue.fibre[...] = rng.integers(0, 4, lattice.shape)
    tissue.solutes["vegf"] = rng.random(lattice.shape, dtype=np.float32)
    return tissue


def twin_of(tissue: Tissue, of: MotilityRates, stamp: Stamp, **changed) -> motility_twin.Proposed:
    voxels = np.arange(tissue.lattice.voxels).reshape(tissue.lattice.shape)
    names = ("cell", "emt", "clone", "heading", "matrix", "fibre", "vessel", "leaving")
    state = {name: getattr(tissue, name) for name in names} | {"solute": tissue.solute(of.role)}
    given = {name: getattr(of, name) for name in ("epithelial", "mesenchymal", "taxis", "chemotaxis", "half")}
    given |= {"bond_energy": of.adhesion.bond, "grip": of.adhesion.grip, "fastest": of.fastest}
    given |= {"runs": of.run[:2], "alignment": of.alignment, "pores": of.pores._asdict(), "traits": tissue.traits}
    return motility_twin.propose(
        state,
        host_draw(voxels, stamp, Purpose.HOP),
        law="linear" if of.law == LINEAR else "boltzmann",
        solid_vessels=True,
        **{**given, **changed},
    )


@BOTH
def test_kernel_equals_the_twin(strew, lattice):
    tissue = mixed(strew, lattice)
    of, stamp = MIXED._replace(law=LAW[lattice]), Stamp.of(99, 3, 17)
    motility.propose(tissue, of, 0, stamp, solid_vessels=True)
    twin = twin_of(tissue, of, stamp)
    # single precision against mostly double: draws within 1e-6 of a boundary are left out
    sure = twin.margin > 1e-6
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(tissue.intent[sure], twin.intent[sure])
    assert np.isin(np.arange(1, lattice.faces + 1), tissue.intent).all()
    # planted: each would go unseen by a weaker comparison
    pores = of.pores._asdict()
    for changed in (
        {"chemotaxis": 0.018},
        {"half": 0.8},
        {"runs": (0.04, 0.09)},
        {"runs": (0.03, 0.08)},
        {"alignment": 0.4},
        *({"pores": pores | {name: 1.2 * pores[name]}} for name in ("open", "intact", "nucleus")),
        *({"pores": pores | {name: 3 * pores[name]}} for name in ("epithelial", "mesenchymal", "amoeboid")),
    ):
        assert (twin_of(tissue, of, stamp, **changed).intent != tissue.intent)[sure].any(), changed
    turned = np.where(tissue.fibre > 0, 1 + tissue.fibre % 3, 0)
    tissue.fibre[...] = turned
    assert (twin_of(tissue, of, stamp).intent != tissue.intent)[sure].any()


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
@BOTH
def test_the_bound_holds_with_every_factor_at_its_steepest(strew, lattice, law):
    """Draws above `bound` are turned away at once; no cell may have had a chance that high."""
    tissue = mixed(strew, lattice)
    checks = np.indices(lattice.shape).sum(axis=0) % 2
    tissue.matrix[...] = checks
    tissue.solutes["vegf"][...] = 1e6 * checks
    tissue.traits[...] = 3.0
    table = Motility(
        law=law,
        epithelial_um2_per_h=9.0,
        haptotaxis_um2_per_h=40.0,
        chemotaxis_role="vegf",
        chemotaxis_um2_per_h=60.0,
        mesenchymal_speed_um_per_h=20.0,
        persistence_h=2.0,
        guidance_fraction=0.6,
    )
    rates = motility.rates(table, lattice, 10.0, 0.5, fastest=2.0)
    assert 0 < twin_of(tissue, rates, Stamp.of(5), pores=None).steepest <= rates.bound / 2**32 <= 1
    # what is added raises the substeps; what only holds back does not
    plain = motility.rates(Motility(law=law), lattice, 10.0, 0.5)
    assert rates.substeps > motility.rates(table, lattice, 10.0, 0.5).substeps > plain.substeps
    held = motility.rates(
        Motility(law=law),
        lattice,
        10.0,
        0.5,
        adhering=Adhesion(bond_energy=2.0),
        squeezing=Pores(intact_um2=5.0),
    )
    assert held[:6] == plain[:6]


def test_what_is_zero_is_exactly_off(strew):
    for law in ("linear", "boltzmann"):
        plain = motility.rates(Motility(law=law), DEEP_ROWS, 20.0, 0.1)
        assert not any(value for name, value in vars(plain.factors).items() if name != "law")
        same = Motility(law=law, chemotaxis_role="vegf", chemotaxis_half=3.0, persistence_h=5.0)
        off = motility.rates(same, DEEP_ROWS, 20.0, 0.1, adhering=Adhesion(), squeezing=Pores())
        assert off._replace(role="none", half=1.0, pores=PoreRates()) == plain
        assert off.factors == plain.factors
    # and in the kernel that has every factor: neutral values change no intent
    tissue, bare_one = mixed(strew, FLAT_ROWS), mixed(strew, FLAT_ROWS)
    for one in (tissue, bare_one):
        one.matrix *= np.float32(0.99)
        one.traits[...] = 1.0
    motility.propose(tissue, NEUTRAL, 0, Stamp.of(1), solid_vessels=True)
    motility.propose(bare_one, MotilityRates(1, LINEAR, 0.05, 0.05, 0.0, ALWAYS), 0, Stamp.of(1), solid_vessels=True)
    np.testing.assert_array_equal(tissue.intent, bare_one.intent)
    motility.propose(tissue, MIXED, 0, Stamp.of(1), solid_vessels=True)
    assert (tissue.intent != bare_one.intent).any()


def apart(lattice: Lattice, emt: int = 255) -> Tissue:
    """Cells three voxels apart, away from the walls, on ground without matrix."""
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0, matrix=0.0, roles=("protease", "vegf"))
    depth = slice(None) if lattice.nz == 1 else slice(2, -2, 3)
    tissue.cell[depth, 2:-2:3, 2:-2:3] = Cell.TUMOUR
    tissue.emt[tissue.cell == Cell.TUMOUR] = emt
    return tissue


def by_face(tissue: Tissue, of: MotilityRates, trials: int, key: int = 20190711) -> tuple[np.ndarray, int]:
    """How often cells wanted to go through each face, and their chances. Nobody moves."""
    found = np.zeros(7, np.int64)
    for tick in range(trials):
        motility.propose(tissue, of, 0, Stamp.of(key, 0, tick), solid_vessels=True)
        found += np.bincount(tissue.intent.reshape(-1), minlength=7)[:7]
    return found[1:], trials * int((tissue.cell == Cell.TUMOUR).sum())


@BOTH
def test_cells_drift_up_a_solute_as_far_as_receptors_tell(lattice):
    """Drift 4 q d(c/(c + K))/dx voxels a substep: chi grad c x K/(K + c)^2."""
    half, q, slope = 2.0, 0.6, 1 / 16
    of = NEUTRAL._replace(law=LAW[lattice], epithelial=0.1, mesenchymal=0.1, chemotaxis=q, half=half)
    for level in (0.0, 6.0):
        tissue = apart(lattice)
        tissue.solutes["vegf"][...] = level + slope * np.arange(lattice.nx, dtype=np.float32)
        c = level + slope * np.nonzero(tissue.cell)[2]
        expected = 4 * q * slope * (half / (half + c) ** 2).mean()
        found, chances = by_face(tissue, of, (1000 if level == 0 else 2000) * (1 if lattice.nz == 1 else 4))
        drift, error = (found[1] - found[0]) / chances, math.sqrt(found[0] + found[1]) / chances
        assert error < (0.04 if level == 0 else 0.2) * expected
        assert abs(drift - expected) < 4 * error
        assert abs(found[3] - found[2]) < 4 * math.sqrt(found[2] + found[3])
        # planted: no saturation, and a factor of two
        assert abs(drift - 4 * q * slope / half) > 4 * error
        assert abs(drift - 2 * expected) > 4 * error


@BOTH
def test_cells_are_neither_lost_nor_copied(strew, lattice):
    tissue = mixed(strew, lattice)
    tissue.leaving[...] = 0

    def everyone() -> np.ndarray:
        here = tissue.cell != Cell.EMPTY
        kept = np.stack([getattr(tissue, n)[here].astype(int) for n in ("cell", "emt", "clone", "colony", "heading")])
        return kept[:, np.lexsort(kept)]

    before, at = everyone(), tissue.cell.copy()
    for tick in range(30):
        motility.propose(tissue, MIXED._replace(law=LAW[lattice]), 0, Stamp.of(3, 0, tick), solid_vessels=True)
        contest.settle(tissue, STAYS, 0, Stamp.of(3, 0, tick))
    np.testing.assert_array_equal(everyone(), before)
    assert (tissue.cell != at).mean() > 0.1
    assert not (tissue.cell[(tissue.vessel > 0) & (at == 0)]).any()
    tissue.heading[tissue.cell == Cell.TUMOUR] = 0
    assert (everyone() != before).any()  # planted: a heading lost


@BOTH
def test_fibres_split_hops_and_keep_their_number(lattice):
    """(1 + (d - 1) S)/(1 - S) along to across; the sum is that without fibres."""
    order, h, d = 0.4, 0.1, lattice.dimensions
    of = NEUTRAL._replace(law=LAW[lattice], epithelial=h, mesenchymal=h, alignment=order)
    tissue = apart(lattice)
    tissue.matrix[...] = 0.98
    tissue.fibre[...] = 3  # along x
    s = order * 0.98
    found, chances = by_face(tissue, of, 400 if d == 2 else 1600)
    along, across = found[:2].sum(), found[2:].sum()
    for count, expected in (
        (along, 2 * h * (1 + (d - 1) * s) * chances),
        (across, 2 * (d - 1) * h * (1 - s) * chances),
        (found.sum(), 2 * d * h * chances),
    ):
        assert abs(count - expected) < 4 * math.sqrt(expected)
        assert abs(count - 1.05 * expected) > 4 * math.sqrt(expected)  # planted: 5 %
    assert abs(found[0] - found[1]) < 4 * math.sqrt(along)
    tissue.matrix[...] = 0.0  # fibres that are gone guide nobody
    found, chances = by_face(tissue, of, 150 if d == 2 else 600)
    assert abs(found[:2].sum() - 2 * h * chances) < 4 * math.sqrt(2 * h * chances)


def test_fibres_across_a_plane_guide_nobody_in_it(strew):
    tissue, free = mixed(strew, FLAT_ROWS), mixed(strew, FLAT_ROWS)
    tissue.fibre[...], free.fibre[...] = 1, 0
    for one in (tissue, free):
        motility.propose(one, MIXED, 0, Stamp.of(1), solid_vessels=True)
    np.testing.assert_array_equal(tissue.intent, free.intent)
    tissue.fibre[...] = 2
    motility.propose(tissue, MIXED, 0, Stamp.of(1), solid_vessels=True)
    assert (tissue.intent != free.intent).any()


def test_speed_is_linear_in_the_pores_and_zero_at_the_limit():
    """Wolf 2013: a straight line from free passage at a nucleus' cross-section to arrest at 7 um2."""
    areas = PoreRates(100.0, 0.0, 70.0, 7.0, 7.0, 4.0)
    of = NEUTRAL._replace(pores=areas, epithelial=0.2, mesenchymal=0.2)
    for area in (100.0, 70.0, 38.5, 14.0, 7.0, 3.0):
        tissue = apart(FLAT_ROWS)
        tissue.matrix[...] = 1 - area / 100.0
        found, chances = by_face(tissue, of, 100)
        expected = 0.8 * chances * min(max((area - 7) / 63, 0.0), 1.0)
        assert abs(found.sum() - expected) <= 4 * math.sqrt(expected)
        if 7 < area < 70:  # planted: arrest at 4 um2
            assert abs(found.sum() - 0.8 * chances * (area - 4) / 66) > 4 * math.sqrt(expected)
    # a clone without protease squeezes through 5 um2, and only its mesenchymal cells do
    for emt, protease, passes in ((255, 1.0, False), (255, 0.0, True), (0, 0.0, False)):
        tissue = apart(FLAT_ROWS, emt)
        tissue.traits[0, Trait.PROTEASE] = protease
        tissue.matrix[...] = 0.95
        assert (by_face(tissue, of, 100)[0].sum() > 0) == passes


def test_a_cell_leaves_a_hole_only_where_the_matrix_ahead_lets_it():
    """The pores ahead count, not those at home: a way that was dug stays open, in both directions."""
    of = NEUTRAL._replace(pores=PoreRates(100.0, 5.0, 70.0, 7.0, 7.0, 4.0), epithelial=0.2, mesenchymal=0.2)
    tissue = bare(FLAT_ROWS, lattice_id=0, voxel_um=20.0, roles=("protease", "vegf"))
    tissue.cell[0, 2:-2:4, 2:-2:4] = Cell.TUMOUR
    found, _ = by_face(tissue, of, 50)
    assert found.sum() == 0  # shut in
    tissue.matrix[0, 2:-2:4, 3:-2:4] = 0.0  # a hole on the +x side of each
    found, _ = by_face(tissue, of, 50)
    assert found[1] > 100 and found.sum() == found[1]


def test_runs_go_through_the_face_of_the_heading():
    of = NEUTRAL._replace(run=Run(0.04, 0.12, 0))
    for emt, run in ((0, 0.04), (255, 0.12)):
        tissue = apart(FLAT_ROWS, emt)
        tissue.heading[tissue.cell == Cell.TUMOUR] = 1 + 3
        found, chances = by_face(tissue, of, 200)
        expected = np.array([0.05, 0.05, 0.05, 0.05 + run]) * chances
        assert (np.abs(found[:4] - expected) < 4 * np.sqrt(expected)).all()
        assert abs(found[3] - 1.1 * expected[3]) > 4 * math.sqrt(expected[3])  # planted: 10 %


def test_nonsense_is_refused():
    for wrong, message in (
        ({"chemotaxis_um2_per_h": 5.0}, "chemotaxis_role"),
        ({"chemotaxis_role": "sugar"}, "chemotaxis_role"),
        ({"mesenchymal_speed_um_per_h": 5.0}, "persistence_h"),
        ({"guidance_fraction": 1.5}, "guidance_fraction"),
    ):
        with pytest.raises(ValidationError, match=message):
            Motility.model_validate(wrong)
    for wrong, message in (
        ({"open_um2": 50.0, "intact_um2": 60.0}, "pores.intact_um2"),
        ({"nucleus_um2": 7.0}, "pores.epithelial_limit_um2"),
        ({"amoeboid_limit_um2": 90.0}, "pores.amoeboid_limit_um2"),
    ):
        with pytest.raises(ValidationError, match=message):
            Pores.model_validate(wrong)


def test_traits_are_looked_at_only_where_clones_differ_in_them():
    varied = {"step_sd": 0.3, "most": 4.0}
    assert motility.fastest(Mutation()) == 0.0
    assert motility.fastest(Mutation.model_validate({"division": varied})) == 0.0
    assert motility.fastest(Mutation.model_validate({"motility": varied})) == 4.0
    assert motility.fastest(Mutation.model_validate({"adhesion": varied})) == 1.0
    plain = motility.rates(Motility(), DEEP_ROWS, 20.0, 0.1)
    fast = motility.rates(Motility(), DEEP_ROWS, 20.0, 0.1, fastest=4.0)
    assert fast.factors.varied and not plain.factors.varied
    assert fast.substeps == 5 and plain.substeps == 2  # 6 x 36 x 0.1/400 = 0.054, and four times that
