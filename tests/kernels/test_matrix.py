"""The matrix: exact exponential, bounds for any tick, twin, off."""

import math

import numpy as np
import pytest
from twins import matrix_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, random_tissue, snapshot, ulps

from seedsoil.kernels import matrix
from seedsoil.kernels.matrix import Matrix, MatrixRates
from seedsoil.kernels.tissue import bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])


@SHAPES
def test_the_kernel_equals_its_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    rates = matrix.rates(Matrix(), 5.0)
    expected = tissue.matrix.copy()
    for _ in range(3):
        before = tissue.matrix.copy()
        expected = matrix_twin.degrade(before, tissue.protease, tissue.cell, tissue.emt, rates)
        matrix.degrade(tissue, rates)
        assert ulps(tissue.matrix, expected) <= 4


@pytest.mark.parametrize("name", ["contact", "soluble"])
def test_the_twin_catches_a_rate_that_is_a_millionth_off(device: Device, name: str) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    rates = matrix.rates(Matrix(), 50.0)
    expected = matrix_twin.degrade(tissue.matrix, tissue.protease, tissue.cell, tissue.emt, rates)
    matrix.degrade(tissue, rates._replace(**{name: getattr(rates, name) * (1 + 1e-6)}))
    assert ulps(tissue.matrix, expected) > 4


@pytest.mark.parametrize("tick_h", [1e-3, 0.1, 24.0, 1000.0])
def test_any_tick_keeps_the_matrix_a_fraction(device: Device, tick_h: float) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    for _ in range(5):
        before = tissue.matrix.copy()
        matrix.degrade(tissue, matrix.rates(Matrix(), tick_h))
        assert tissue.matrix.min() >= 0.0
        assert np.all(tissue.matrix <= before)
    euler = 1.0 - (0.36 + 0.09) * tick_h
    assert (euler < 0.0) == (tick_h >= 24.0)  # a plain Euler step leaves [0, 1] where this must hold


def test_the_matrix_is_the_exponential_of_the_exposure(device: Device) -> None:
    """exp(-integral of the rate) while the protease changes from tick to tick and cells stand still."""
    tissue = filled_tissue(device.lattice(FLAT))
    exposure = np.zeros(tissue.cell.shape)
    draw = np.random.default_rng(3)
    tissue.emt[...] = draw.integers(0, 256, tissue.cell.shape)
    for _ in range(20):
        tissue.protease[...] = draw.random(tissue.cell.shape, dtype=np.float32)
        exposure += 0.2 * (0.36 * tissue.emt / 255.0 + 0.09 * tissue.protease.astype(np.float64))
        matrix.degrade(tissue, matrix.rates(Matrix(), 0.2))
    # 20 products and exponentials, each rounded to 6e-8 or so
    np.testing.assert_allclose(tissue.matrix, np.exp(-exposure), rtol=5e-6)


@pytest.mark.parametrize("ticks", [1, 10, 1000])
def test_the_length_of_the_tick_does_not_matter(device: Device, ticks: int) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.protease[...] = 0.5
    for _ in range(ticks):
        matrix.degrade(tissue, matrix.rates(Matrix(), 3.0 / ticks))
    np.testing.assert_allclose(tissue.matrix, math.exp(-3.0 * (0.36 + 0.045)), rtol=1e-4)


def test_matrix_that_nobody_touches_stays(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, matrix=0.3)
    before = snapshot(tissue)
    matrix.degrade(tissue, matrix.rates(Matrix(), 1000.0))
    assert changed(before, tissue) == set()


@SHAPES
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    before = snapshot(tissue)
    matrix.degrade(tissue, matrix.rates(Matrix(contact_per_h=0.0, soluble_per_h=0.0), 24.0))
    assert changed(before, tissue) == set()
    matrix.degrade(tissue, MatrixRates(0.0, 1e-3))
    assert changed(before, tissue) == {"matrix"}


def test_each_rate_can_be_off_alone(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT))
    before = tissue.matrix.copy()
    matrix.degrade(tissue, matrix.rates(Matrix(soluble_per_h=0.0), 1.0))
    bare_voxels = tissue.cell != 1
    assert tissue.matrix[bare_voxels].tobytes() == before[bare_voxels].tobytes()
    assert np.any(tissue.matrix[~bare_voxels] < before[~bare_voxels])
    kept = tissue.matrix.copy()
    tissue.protease[:, :, :10] = 0.0
    matrix.degrade(tissue, matrix.rates(Matrix(contact_per_h=0.0), 1.0))
    assert tissue.matrix[:, :, :10].tobytes() == kept[:, :, :10].tobytes()
    assert np.all(tissue.matrix[:, :, 10:] <= kept[:, :, 10:])
