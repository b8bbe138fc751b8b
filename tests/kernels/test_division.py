"""What the rate of division responds to: each response equals its twin, is off to the bit, and has its own law."""

import math

import numpy as np
import pytest
from twins import proliferation_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot

from seedsoil.kernels import contest, motility, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.mutation import Mutation, TraitLaw
from seedsoil.kernels.proliferation import Proliferation, ProliferationRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare
from seedsoil.sim.device import Device
from seedsoil.sim.scenario import Scenario

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
PLAIN = {"epithelial_per_h": 0.9, "mesenchymal_per_h": 0.4}
VARIED = Mutation(division=TraitLaw(step_sd=0.5, most=3.0))
EACH = {
    "oxygen": {"oxygen_full_mmhg": 30.0},
    "mitogen": {"mitogen_half": 2.0, "mitogen_hill": 2, "mitogen_basal_fraction": 0.25},
    "contact": {"contact_fall_fraction": 0.3, "contact_free_faces": 1},
    "traits": {},
    "all": {
        "oxygen_full_mmhg": 30.0,
        "mitogen_half": 2.0,
        "mitogen_hill": 4,
        "contact_fall_fraction": 0.2,
        "go_or_grow_fraction": 0.5,
        "push_voxels_max": 3,
    },
}


def given(name: str) -> ProliferationRates:
    table = Proliferation.model_validate({**PLAIN, **EACH[name]})
    return proliferation.rates(table, 1.0, VARIED if name in ("traits", "all") else None)


def surroundings(tissue: Tissue) -> Tissue:
    """Rough oxygen and mitogen, and ten clones of ten traits."""
    draw = np.random.default_rng(7)
    for role, most in (("oxygen", 60.0), ("mitogen", 6.0)):
        tissue.solutes[role] = most * draw.random(tissue.lattice.shape, dtype=np.float32)
    tissue.clone[...] %= 12  # two of them without a row
    tissue.traits = np.ones((10, len(Trait)), dtype=np.float32)
    tissue.traits[:, Trait.DIVISION] = np.linspace(0.0, 3.0, 10)
    tissue.due[...] = 0
    return tissue


def state_of(tissue: Tissue) -> dict[str, np.ndarray]:
    arrays = {name: getattr(tissue, name).copy() for name in ("cell", "emt", "clone", "vessel", "due")}
    return arrays | tissue.solutes | {"division": tissue.traits[:, Trait.DIVISION]}


@SHAPES
@pytest.mark.parametrize("name", EACH)
def test_who_ripens_equals_the_twin(device: Device, shape: tuple[int, int, int], name: str) -> None:
    """Voxel for voxel, but for draws within 2^-20 of their limit (the exponential is f32 in the kernel)."""
    tissue, rates, stamp = (
        surroundings(random_tissue(device.lattice(shape), density=0.7)),
        given(name),
        Stamp.of(5, 2, 7),
    )
    state = state_of(tissue)
    proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
    expected, margin = proliferation_twin.ripen_responding(state, rates, stamp, solid_vessels=False)
    sure = margin > 2**-20
    assert sure[state["cell"] == 1].mean() > 0.99
    np.testing.assert_array_equal(tissue.due[sure], expected[sure])
    assert expected.sum() > 50
    planted = {
        "oxygen": rates._replace(stop=rates.stop + 2),
        "mitogen": rates._replace(half=rates.half * 1.2),
        "contact": rates._replace(free=rates.free + 1),
        "traits": rates._replace(responds=rates.responds._replace(traits=False)),
        "all": rates._replace(basal=0.5),
    }[name]
    wrong, _ = proliferation_twin.ripen_responding(state, planted, stamp, solid_vessels=False)
    assert not np.array_equal(wrong[sure], expected[sure])


@SHAPES
@pytest.mark.parametrize("name", EACH)
def test_a_response_of_one_leaves_the_bits_of_none(device: Device, shape: tuple[int, int, int], name: str) -> None:
    plain = Proliferation.model_validate({**PLAIN, "push_voxels_max": EACH[name].get("push_voxels_max", 1)})
    without = surroundings(random_tissue(device.lattice(shape)))
    proliferation.ripen(without, proliferation.rates(plain, 1.0), Stamp.of(5), solid_vessels=False)
    full = surroundings(random_tissue(device.lattice(shape)))
    full.solutes["oxygen"][...] = 1e3
    full.solutes["mitogen"][...] = 1e30  # (1e30)^4 overflows: the rule must not make a NaN of it
    full.traits[...] = 1
    rates = given(name)._replace(fall=0.0, basal=1.0)
    if name == "all":  # go or grow is no factor but part of the table by emt
        straight = {**PLAIN, **EACH["all"], "go_or_grow_fraction": 0.0}
        rates = proliferation.rates(Proliferation.model_validate(straight), 1.0, VARIED)._replace(fall=0.0, basal=1.0)
    proliferation.ripen(full, rates, Stamp.of(5), solid_vessels=False)
    np.testing.assert_array_equal(full.due, without.due)
    assert without.due.any()


@SHAPES
@pytest.mark.parametrize(("name", "stops"), [("oxygen", "oxygen"), ("traits", "traits"), ("contact", "contact")])
def test_a_response_of_zero_stops_division(device: Device, shape: tuple[int, int, int], name: str, stops: str) -> None:
    tissue, rates = surroundings(random_tissue(device.lattice(shape))), given(name)
    tissue.solutes["oxygen"][...] = 5.0
    tissue.traits[...] = 0
    tissue.clone[...] = 0
    if stops == "contact":
        rates = rates._replace(fall=1.0, free=-1)
    before = snapshot(tissue)
    proliferation.ripen(tissue, rates, Stamp.of(1), solid_vessels=False)
    assert changed(before, tissue) == set()


def frequency(device: Device, rates: ProliferationRates, ticks: int = 200, **fields: float) -> tuple[float, float]:
    """(share of ticks in which an isolated cell ripens, its standard error), over 1024 cells."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.cell[0, ::2, ::2] = Cell.TUMOUR
    for role, value in fields.items():
        tissue.solutes[role] = np.full(FLAT, value, dtype=np.float32)
    fell = 0
    for tick in range(ticks):
        tissue.due[...] = 0
        proliferation.ripen(tissue, rates, Stamp.of(3, 0, tick), solid_vessels=False)
        fell += int(tissue.due.sum())
    n = 1024 * ticks
    return fell / n, math.sqrt(max(fell, 1) / n / n)


@pytest.mark.parametrize(
    ("table", "fields", "share"),
    [
        ({"oxygen_full_mmhg": 38.0}, {"oxygen": 21.5}, 0.5),
        ({"oxygen_full_mmhg": 38.0}, {"oxygen": 8.3}, 0.1),
        ({"mitogen_half": 2.0, "mitogen_basal_fraction": 0.2}, {"mitogen": 2.0}, 0.6),
        ({"mitogen_half": 2.0, "mitogen_basal_fraction": 0.2, "mitogen_hill": 3}, {"mitogen": 4.0}, 0.2 + 0.8 * 8 / 9),
        ({"mitogen_half": 2.0, "mitogen_basal_fraction": 0.2}, {"mitogen": 0.0}, 0.2),
    ],
)
def test_rates_fall_as_the_law_says(device: Device, table: dict, fields: dict, share: float) -> None:
    """4 standard errors: a fresh key fails once in 16,000. A share that is 10 % off is seen."""
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.3, mesenchymal_per_h=0.3, **table), 0.5)
    found, error = frequency(device, rates, **fields)
    assert abs(found + math.expm1(-0.15 * share)) < 4 * error
    assert abs(found + math.expm1(-0.15 * share * 1.1)) > 4 * error


def test_go_or_grow_takes_its_share_of_mesenchymal_cells() -> None:
    half = proliferation.rates(Proliferation(**PLAIN, go_or_grow_fraction=0.5), 0.1)
    none = proliferation.rates(Proliferation(**PLAIN), 0.1)
    assert half.chances[0] == none.chances[0]
    hazard = (0.9 - 0.5 * 100 / 255) * 0.1 * (1 - 0.5 * 100 / 255)
    assert half.chances[100] / 2**32 == pytest.approx(-math.expm1(-hazard), abs=2**-31)
    assert half.chances[255] / 2**32 == pytest.approx(-math.expm1(-0.4 * 0.1 * 0.5), abs=2**-31)


def scenario(**tables: object) -> Scenario:
    return Scenario.model_validate({"until_h": 1, "lattice": {"shape": [1, 64, 64], "tick_h": 1.0}, **tables})


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        ({"proliferation": {"oxygen_full_mmhg": 38.0}}, r"proliferation\.oxygen_full_mmhg: needs the solute 'oxygen'"),
        ({"proliferation": {"mitogen_half": 1.0}}, r"proliferation\.mitogen_half: needs the solute 'mitogen'"),
        ({"proliferation": {"oxygen_full_mmhg": 4.0}}, r"proliferation\.oxygen_full_mmhg: must lie above"),
        (
            {"proliferation": {"epithelial_per_h": 0.2}},
            r"proliferation\.epithelial_per_h: a cell divides with prob.* 0\.18",
        ),
        (
            {"mutation": {"division": {"step_sd": 0.1}}},
            r"proliferation\.epithelial_per_h: a cell of the fastest clone \(mutation\.division\.most = 4\)",
        ),
        ({"proliferation": {"law": "clock", "push_voxels_max": 2}}, r"proliferation\.push_voxels_max: with .*'clock'"),
        (
            {"proliferation": {"law": "clock"}, "mutation": {"division": {"step_sd": 0.1}}},
            r"mutation\.division: with proliferation\.law = 'clock'",
        ),
        ({"proliferation": {"push_voxels_max": 9}}, "less than or equal to 8"),
    ],
)
def test_what_cannot_be_is_refused(tables: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        scenario(**tables)


def test_uncrowded_clones_grow_by_their_trait(device: Device) -> None:
    """Founders of three clones far apart, 24 keys: sizes are (1 + p)^n with p = 1 - exp(-trait h), within 4 s.e.

    So the mean trait rises by selection alone; the neutral expectation is refused.
    """
    traits, hazard, ticks = np.array([0.5, 1.0, 2.0]), 0.04, 20
    rates = proliferation.rates(
        Proliferation(epithelial_per_h=hazard, mesenchymal_per_h=hazard), 1.0, Mutation(division=TraitLaw(step_sd=1.0))
    )
    hops, sizes, founders = MotilityRates(2, LINEAR, 0.016, 0.016, 0.0, ALWAYS), [], 0
    for key in range(24):
        tissue = bare(device.lattice(DEEP), lattice_id=0, voxel_um=20.0)
        tissue.traits = np.ones((3, len(Trait)), dtype=np.float32)
        tissue.traits[:, Trait.DIVISION] = traits
        tissue.cell[2::4, 2::4, 2::4] = Cell.TUMOUR
        mine = tissue.clone[2::4, 2::4, 2::4]
        mine[...] = (np.arange(mine.size) % 3).reshape(mine.shape)
        founders = mine.size // 3
        for tick in range(ticks):
            stamp = Stamp.of(key, 0, tick)
            proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
            for substep in range(2):
                motility.propose(tissue, hops, substep, stamp, solid_vessels=False)
                if substep == 0:
                    proliferation.propose(tissue, stamp, solid_vessels=False)
                contest.settle(tissue, CLOSED, substep, stamp)
        sizes.append(np.bincount(tissue.clone[tissue.cell == Cell.TUMOUR], minlength=3))
    p = -np.expm1(-hazard * traits)
    mean = (1 + p) ** ticks
    error = np.sqrt(mean * (mean - 1) * (1 - p) / (1 + p) / (24 * founders))
    found = np.mean(sizes, axis=0) / founders
    assert (abs(found - mean) < 4 * error).all()
    assert (abs(found - mean.mean()) > 4 * error)[[0, 2]].all()
    shares = found / found.sum()
    assert (shares * traits).sum() > 1.05 * traits.mean()
