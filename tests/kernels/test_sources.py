"""What cells and vessels give to a solute and take of it: twin, ramps, traits, the well, off."""

import math

import numpy as np
import pytest
from twins import sources_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot, ulps

from seedsoil.kernels import sources
from seedsoil.kernels.law import Solute
from seedsoil.kernels.roles import Drug, Oxygen, Protease, Vegf
from seedsoil.kernels.sources import SourceRates
from seedsoil.kernels.stroma import StromaRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait, Vessel, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STROMA = StromaRates(half=0.4, hill=2)
BUSY = Solute(
    epithelial_secretion_per_h=0.3,
    secretion_per_h=2.0,
    hypoxic_secretion_per_h=5.0,
    stroma_secretion_per_h=0.2,
    activated_stroma_secretion_per_h=1.5,
    immune_secretion_per_h=0.7,
    epithelium_secretion_per_h=0.1,
    uptake_per_h=3.0,
    stroma_uptake_per_h=0.5,
    immune_uptake_per_h=0.25,
    epithelium_uptake_per_h=0.125,
    exchange_um2_per_h=4000.0,
    bed_per_h=2.5,
    blood=7.0,
    decay_per_h=0.3,
)


def tissue_with_fields(device: Device, shape: tuple[int, int, int]) -> Tissue:
    tissue = random_tissue(device.lattice(shape), vessels=0.1)
    draw = np.random.default_rng(3)
    tissue.solutes["oxygen"] = (20 * draw.random(shape)).astype(np.float32)
    tissue.solutes["growth_factor"] = draw.random(shape).astype(np.float32)
    tissue.traits = (0.5 + draw.random((50, len(Trait)))).astype(np.float32)
    tissue.clone[...] = draw.integers(0, 60, shape)  # some without a row
    return tissue


def filled(tissue: Tissue, rates: SourceRates, blood: float, decay: float) -> list[np.ndarray]:
    out = [np.full(tissue.lattice.shape, -1.0, dtype=np.float32) for _ in range(3)]
    sources.fill(tissue, rates, blood, decay, *out)
    return out


@pytest.mark.parametrize("by_clone", [False, True])
@SHAPES
def test_the_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int], by_clone: bool) -> None:
    tissue = tissue_with_fields(device, shape)
    before = snapshot(tissue)
    rates = sources.rates(BUSY, 20.0, STROMA, by_clone=by_clone)
    found = filled(tissue, rates, 7.0, 0.3)
    for mine, twin in zip(found, sources_twin.fill(tissue, rates, 7.0, 0.3), strict=True):
        assert ulps(mine, twin) <= 4
    assert changed(before, tissue) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"hypoxia_from": 14.0},
        {"by_emt": 0.0068},
        {"half": 0.41},
        {"exchange": 9.9},
        {"bed": 2.51},
        {"uptakes": (3.0, 0.5, 0.26, 0.125)},
    ],
)
def test_the_twin_catches_a_wrong_number(device: Device, wrong: dict) -> None:
    tissue = tissue_with_fields(device, FLAT)
    rates = sources.rates(BUSY, 20.0, STROMA, by_clone=False)
    found = filled(tissue, rates._replace(**wrong), 7.0, 0.3)
    twins = sources_twin.fill(tissue, rates, 7.0, 0.3)
    assert max(ulps(mine, twin) for mine, twin in zip(found, twins, strict=True)) > 4


def test_hypoxia_induces_between_its_thresholds(device: Device) -> None:
    """15 mmHg and above: nothing; 4 and below: all; 9.5, half way: half. Only tumour cells answer."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, roles=("protease", "oxygen"))
    tissue.cell[0, :, :] = Cell.TUMOUR
    tissue.cell[0, 1, :] = Cell.NECROTIC
    for column, mmhg in enumerate((40.0, 15.0, 9.5, 4.0, 0.0)):
        tissue.solutes["oxygen"][0, :, column] = mmhg
    rates = sources.rates(Vegf(hypoxic_secretion_per_h=34.0), 20.0, StromaRates(), by_clone=False)
    supply, _, _ = filled(tissue, rates, 0.0, 0.0)
    np.testing.assert_allclose(supply[0, 0, :5], [0.0, 0.0, 17.0, 34.0, 34.0], rtol=1e-6)
    assert not supply[0, 1].any()


def test_only_perfused_blood_vessels_exchange(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    kinds = [Vessel.BLOOD, Vessel.PERFUSED, Vessel.LYMPH | Vessel.PERFUSED, Vessel.BLOOD | Vessel.PERFUSED]
    for x, kind in enumerate(kinds):
        tissue.vessel[0, 0, x] = kind
    rates = sources.rates(Oxygen(exchange_um2_per_h=4e5), 20.0, StromaRates(), by_clone=False)
    supply, drain, _ = filled(tissue, rates, 40.0, 0.0)
    np.testing.assert_array_equal(drain[0, 0, :5], [0, 0, 0, 1000, 0])
    np.testing.assert_array_equal(supply[0, 0, :5], [0, 0, 0, 40_000, 0])


def test_a_clone_multiplies_what_its_cells_secrete(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, traits=np.ones((2, len(Trait)), dtype=np.float32))
    tissue.traits[1, Trait.PROTEASE] = 3.0
    tissue.cell[0, 0, :2], tissue.emt[0, 0, :2], tissue.clone[0, 0, 1] = Cell.TUMOUR, 255, 1
    rates = sources.rates(Protease(secretion_per_h=0.5), 20.0, StromaRates(), by_clone=True)
    supply, _, _ = filled(tissue, rates, 0.0, 0.0)
    np.testing.assert_allclose(supply[0, 0, :3], [0.5, 1.5, 0.0], rtol=1e-6)


def test_a_thin_vessel_meets_the_resistance_of_its_well() -> None:
    """1/X' = 1/X + ln(0.2 dx/r)/(2 pi D); a vessel of the voxel's own radius has none."""
    table = Oxygen(diffusivity_um2_per_h=6e6, exchange_um2_per_h=5e7, vessel_radius_um=1.0)
    expected = 1 / (1 / 5e7 + math.log(4.0) / (2 * math.pi * 6e6)) / 400
    assert sources.exchange_per_h(table, 20.0) == pytest.approx(expected)
    same = table.model_copy(update={"vessel_radius_um": 4.0})
    assert sources.exchange_per_h(same, 20.0) == pytest.approx(5e7 / 400)
    wide = table.model_copy(update={"vessel_radius_um": 40.0})
    with pytest.raises(ValueError, match="vessel_radius_um"):
        sources.exchange_per_h(wide, 20.0)


def test_blood_after_boluses() -> None:
    """Means over ticks add up to the area under the curve, and halve each half-life."""
    drug = Drug(boluses=2, bolus=8.0, bolus_first_h=1.0, bolus_every_h=10.0, half_life_h=2.0, blood=0.5)
    assert drug.blood_over(0.0, 1.0) == 0.5
    first = drug.blood_over(1.0, 1.1) - 0.5
    assert drug.blood_over(3.0, 3.1) - 0.5 == pytest.approx(first / 2)
    over = sum(0.1 * (drug.blood_over(0.1 * k, 0.1 * (k + 1)) - 0.5) for k in range(1000))
    assert over == pytest.approx(2 * 8.0 * 2.0 / math.log(2), rel=1e-6)
    # a bolus within a tick counts from when it is given
    assert drug.blood_over(0.5, 1.5) - 0.5 == pytest.approx(0.5 * (drug.blood_over(1.0, 1.5) - 0.5))
    assert Drug().blood_over(0.0, 5.0) == 0.0


def test_off_gives_and_takes_nothing(device: Device) -> None:
    tissue = tissue_with_fields(device, FLAT)
    rates = sources.rates(Solute(), 20.0, StromaRates(), by_clone=True)
    supply, drain, uptake = filled(tissue, rates, 0.0, 0.0)
    assert not supply.any() and not drain.any()
    assert (uptake == -1.0).all()  # left alone
