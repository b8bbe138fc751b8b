"""The protease: twin, conservation, bounds, decay of a mode, orders of convergence, substeps, off."""

import math

import numpy as np
import pytest
from twins import solute_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot, ulps

from seedsoil.kernels import solute
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.roles import Protease as Solute
from seedsoil.kernels.solute import SoluteRates
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STILL = Solute(diffusivity_um2_per_h=360.0, decay_per_h=0.0, secretion_per_h=0.0)


def with_wave(lattice: Lattice, half_waves: int) -> tuple[Tissue, np.ndarray]:
    """Tissue whose protease is 1 + a cosine along x (zero slope at the walls), and that cosine."""
    wave = np.cos(np.pi * half_waves * (np.arange(lattice.nx) + 0.5) / lattice.nx)
    tissue = bare(lattice, lattice_id=0, voxel_um=1.0)
    tissue.protease[...] = 1.0 + wave
    return tissue, wave


def amplitude(tissue: Tissue, wave: np.ndarray) -> float:
    """What is left of the cosine: its projection, which averages the rounding of single voxels away."""
    return float((tissue.protease.astype(np.float64) * wave).sum() / (np.ones(tissue.cell.shape) * wave**2).sum())


@SHAPES
def test_the_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    rates = solute.rates(Solute(), tissue.lattice, tissue.voxel_um, 2.0)
    expected = tissue.protease.copy()
    for _ in range(5):
        expected = solute_twin.diffuse(expected, tissue.cell, tissue.emt, rates)
        solute.diffuse(tissue, rates)
    assert rates.substeps > 1
    assert ulps(tissue.protease, expected) <= 4


def test_a_slow_decay_keeps_its_digits_over_many_substeps(device: Device) -> None:
    """At 1e-7 a substep, f32 would lose more than a tenth of the rate; the control decays so and is off."""
    tissue = random_tissue(device.lattice(FLAT))
    tissue.cell[...] = 0
    given = Solute(diffusivity_um2_per_h=36_000.0, decay_per_h=0.009, secretion_per_h=0.0)
    rates = solute.rates(given, tissue.lattice, 5.0, 1.0)
    assert rates.substeps > 5000 and rates.decay_at_last is not None
    tissue.protease[...] = 1.0
    before = tissue.protease.astype(np.float64).sum()
    solute.diffuse(tissue, rates)
    lost = 1 - tissue.protease.astype(np.float64).sum() / before
    assert lost == pytest.approx(0.009, rel=1e-3)
    tissue.protease[...] = 1.0
    solute.diffuse(tissue, rates._replace(decay=0.009 / rates.substeps, decay_at_last=None))
    worse = 1 - tissue.protease.astype(np.float64).sum() / before
    assert abs(worse / 0.009 - 1) > 1e-2


@pytest.mark.parametrize("wrong", [{"exchange": 1.02}, {"decay": 1.02}, {"secretion": 1.02}])
def test_the_twin_catches_a_coefficient_that_is_two_per_cent_off(device: Device, wrong: dict[str, float]) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    rates = solute.rates(Solute(decay_per_h=0.5), tissue.lattice, tissue.voxel_um, 0.1)
    planted = rates._replace(**{name: getattr(rates, name) * by for name, by in wrong.items()})
    expected = solute_twin.diffuse(tissue.protease, tissue.cell, tissue.emt, rates)
    solute.diffuse(tissue, planted)
    assert ulps(tissue.protease, expected) > 4


def mass_change(after: np.ndarray, before: np.ndarray) -> float:
    return abs(float(after.sum(dtype=np.float64) / before.sum(dtype=np.float64)) - 1.0)


@SHAPES
def test_mass_is_conserved_without_decay_and_secretion(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    before = tissue.protease.copy()
    rates = solute.rates(STILL, tissue.lattice, tissue.voxel_um, 1.0)
    for _ in range(100):
        solute.diffuse(tissue, rates)
    # 1e-6: a hundred roundings of 6e-8, were they all of one sign
    assert mass_change(tissue.protease, before) < 6e-6
    assert np.ptp(tissue.protease) < 0.5 * np.ptp(before)


def test_a_wrong_number_of_faces_loses_mass(device: Device) -> None:
    """A five-face centre in 2-D is what the mass test is there for."""
    before = random_tissue(device.lattice(FLAT)).protease
    rates = SoluteRates(1, 0.1, 0.0, 0.0)
    off = np.zeros(before.shape, dtype=np.uint8)
    right = solute_twin.diffuse(before, off, off, rates)
    wrong = right - np.float32(rates.exchange) * before  # as if each voxel had one face more
    assert mass_change(right, before) < 6e-6 < mass_change(wrong, before)


@SHAPES
def test_the_maximum_principle_holds_at_the_stability_limit(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    lattice = tissue.lattice
    tick_h = 0.9 * 20.0**2 / (2 * lattice.dimensions * 360.0)  # exactly one substep
    rates = solute.rates(STILL, lattice, 20.0, tick_h)
    assert rates.substeps == 1
    low, high = tissue.protease.min(), tissue.protease.max()
    for _ in range(30):
        solute.diffuse(tissue, rates)
        assert tissue.protease.min() >= low * (1 - 1e-6)
        assert tissue.protease.max() <= high * (1 + 1e-6)


def test_beyond_the_limit_the_maximum_principle_fails(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.protease[0, 32, 32] = 1.0
    solute.diffuse(tissue, SoluteRates(1, 0.26, 0.0, 0.0))
    assert tissue.protease.min() < 0.0


@pytest.mark.parametrize("tick_h", [1e-3, 0.1, 1.0, 7.3, 24.0])
@SHAPES
def test_substeps_keep_the_limit_and_no_more_are_taken(
    device: Device, shape: tuple[int, int, int], tick_h: float
) -> None:
    lattice = device.lattice(shape)
    given = Solute(diffusivity_um2_per_h=900.0, decay_per_h=2.0)
    rates = solute.rates(given, lattice, 10.0, tick_h)

    def load(substeps: int) -> float:
        return tick_h / substeps * (2 * lattice.dimensions * 900.0 / 10.0**2 + 2.0)

    assert load(rates.substeps) <= 0.9 + 1e-6  # nine tenths of the limit, at which a checkerboard would not fade
    assert rates.substeps == 1 or load(rates.substeps - 1) > 0.9
    assert rates.exchange * rates.substeps == pytest.approx(900.0 * tick_h / 100.0)
    assert rates.decay * rates.substeps == pytest.approx(2.0 * tick_h)


def test_a_cosine_decays_as_it_should(device: Device) -> None:
    """Against the exact solution: the wave's half length is 32 voxels, so space costs 0.08 % of the exponent."""
    tissue, wave = with_wave(device.lattice(FLAT), 2)
    k2 = (np.pi * 2 / 64) ** 2
    rates = solute.rates(Solute(diffusivity_um2_per_h=1.0, decay_per_h=1e-3), tissue.lattice, 1.0, 0.2)
    steps = 500
    for _ in range(steps):
        solute.diffuse(tissue, rates)
    exact = math.exp(-(k2 + 1e-3) * 0.2 * steps)
    assert amplitude(tissue, wave) == pytest.approx(exact, rel=2e-3)
    faster = math.exp(-(1.02 * k2 + 1e-3) * 0.2 * steps)
    assert amplitude(tissue, wave) != pytest.approx(faster, rel=2e-3)


def test_space_converges_at_second_order(device: Device) -> None:
    """The same wave on 8, 16 and 32 voxels per half length, D dt/dx^2 fixed (slow form: tests/physics)."""
    errors = []
    for half_waves, steps in [(8, 24), (4, 96), (2, 384)]:
        tissue, wave = with_wave(device.lattice(FLAT), half_waves)
        k2 = (np.pi * half_waves / 64) ** 2
        rates = SoluteRates(1, 0.05, 0.0, 0.0)
        for _ in range(steps):
            solute.diffuse(tissue, rates)
        errors.append(amplitude(tissue, wave) - math.exp(-k2 * 0.05 * steps))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders == pytest.approx([2.0, 2.0], abs=0.05)


def test_time_converges_at_first_order(device: Device) -> None:
    """Decay and diffusion of one mode of the lattice itself, so that space adds no error."""
    errors = []
    for halving in range(4):
        tissue, wave = with_wave(device.lattice(FLAT), 16)
        eigenvalue = 4 * math.sin(np.pi * 16 / 64 / 2) ** 2
        rates = SoluteRates(1, 0.04 / 2**halving, 0.06 / 2**halving, 0.0)
        for _ in range(20 * 2**halving):
            solute.diffuse(tissue, rates)
        errors.append(amplitude(tissue, wave) - math.exp(-20 * (0.04 * eigenvalue + 0.06)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] == pytest.approx(1.0, abs=0.05)
    assert abs(orders[-1] - 1) < abs(orders[0] - 1)


@SHAPES
def test_only_tumour_cells_secrete_in_proportion_to_emt(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    tissue.protease[...] = 0.0
    given = Solute(diffusivity_um2_per_h=0.0, decay_per_h=0.0, secretion_per_h=0.8)
    solute.diffuse(tissue, solute.rates(given, tissue.lattice, 20.0, 0.5))
    expected = np.where(tissue.cell == Cell.TUMOUR, 0.4 * tissue.emt / 255.0, 0.0)
    np.testing.assert_allclose(tissue.protease, expected, rtol=1e-6)


@SHAPES
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    none = Solute(diffusivity_um2_per_h=0.0, decay_per_h=0.0, secretion_per_h=0.0)
    before = snapshot(tissue)
    for _ in range(3):
        solute.diffuse(tissue, solute.rates(none, tissue.lattice, 20.0, 24.0))
    assert changed(before, tissue) <= {"spare"}
    solute.diffuse(tissue, SoluteRates(1, 0.0, 1e-6, 0.0))
    assert "protease" in changed(before, tissue)
