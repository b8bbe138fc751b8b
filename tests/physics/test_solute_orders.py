"""Orders of convergence of the explicit solute over four and more refinements, in one and three dimensions."""

import math

import numpy as np
import pytest

from seedsoil.kernels import solute
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.solute import SoluteRates
from seedsoil.kernels.tissue import bare
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics


def wave_of(shape: tuple[int, int, int], half_waves: tuple[int, int, int]) -> np.ndarray:
    """A product of cosines with zero slope at the walls."""
    out = np.ones(shape)
    for axis, (n, m) in enumerate(zip(shape, half_waves, strict=True)):
        line = np.cos(np.pi * m * (np.arange(n) + 0.5) / n)
        out = out * line.reshape([-1 if axis == a else 1 for a in range(3)])
    return out


def left_after(lattice: Lattice, half_waves: tuple[int, int, int], rates: SoluteRates, steps: int) -> float:
    """What is left of the wave, as a projection on it, which averages the rounding of single voxels.

    Three amplitudes, because voxels of equal height round alike and one wave has few heights; no mean
    under it, because f32 would round to that. Four digits of the error are left at the finest level.
    """
    wave = wave_of(lattice.shape, half_waves)
    found = []
    for amplitude in (1.0, 1.1879, 1.5361):
        tissue = bare(lattice, lattice_id=0, voxel_um=1.0)
        tissue.protease[...] = amplitude * wave
        for _ in range(steps):
            solute.diffuse(tissue, rates)
        found.append((tissue.protease.astype(np.float64) * wave).sum() / (wave**2).sum() / amplitude)
    return float(np.mean(found))


def orders(errors: list[float]) -> np.ndarray:
    return np.log2(np.divide(errors[:-1], errors[1:]))


def rate_errors(lattice: Lattice, axes: tuple[int, int, int], counts: list[int], bend: float = 0.0) -> np.ndarray:
    """Relative error of a wave's rate of decay, for several numbers of half waves along each of `axes`.

    D dt/dx^2 = 0.02, far from where the errors of space and time cancel (1/6 along one axis, 1/18 along three).
    `bend` plants an error of first order in the step, relative to the half wave.
    """
    found = []
    for count in counts:
        half_waves = tuple(count * axis for axis in axes)
        k2 = sum((np.pi * m / n) ** 2 for m, n in zip(half_waves, lattice.shape, strict=True))
        steps = round(0.6 / (0.02 * k2))
        rate = -math.log(left_after(lattice, half_waves, SoluteRates(1, 0.02, 0.0, 0.0), steps)) / (0.02 * steps)
        found.append(abs(rate / k2 - 1.0) + bend * count / max(lattice.shape))
    return np.array(found)


@pytest.mark.parametrize(
    ("shape", "axes"), [((1, 256, 256), (0, 0, 1)), ((1, 256, 256), (0, 1, 1)), ((64, 64, 64), (1, 1, 1))]
)
def test_second_order_in_space(device: Device, shape: tuple[int, int, int], axes: tuple[int, int, int]) -> None:
    """One wave on 4, 5.3, 8, 10.7, 16, 21.3 and 32 voxels per half length: five refinements by two."""
    lattice = device.lattice(shape)
    counts = [count * shape[2] // 64 // 4 for count in (64, 48, 32, 24, 16, 12, 8)]
    errors = rate_errors(lattice, axes, counts)
    assert np.log2(errors[:-2] / errors[2:]) == pytest.approx([2.0] * 5, abs=0.05)
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.05)


def test_an_error_of_first_order_would_fail(device: Device) -> None:
    """A planted error of 1e-2 of the half wave's resolution, as of a wall half a voxel out of place."""
    errors = rate_errors(device.lattice((1, 256, 256)), (0, 0, 1), [64, 32, 16, 8], bend=0.01)
    assert np.any(np.abs(np.log2(errors[:-1] / errors[1:]) - 2.0) > 0.05)


@pytest.mark.parametrize(("shape", "half_waves"), [((1, 256, 256), (0, 64, 64)), ((64, 64, 64), (16, 16, 16))])
def test_first_order_in_time(device: Device, shape: tuple[int, int, int], half_waves: tuple[int, int, int]) -> None:
    """Diffusion and decay of an eigenvector of the lattice itself, so that all of the error is one of time."""
    lattice = device.lattice(shape)
    eigenvalue = sum(4 * math.sin(np.pi * m / n / 2) ** 2 for m, n in zip(half_waves, shape, strict=True))
    errors = []
    for level in range(5):
        dt = 0.1 / 2**level  # times the total rate of 1
        rates = SoluteRates(1, 0.7 * dt / eigenvalue, 0.3 * dt, 0.0)
        found = left_after(lattice, half_waves, rates, 10 * 2**level)
        errors.append(found - math.exp(-1.0))
    # the next term is dt/6 of the first
    assert orders(errors) == pytest.approx([1.0] * 4, abs=0.05)
