"""Solutes at rest against closed forms with decay, and against a spectral solve of the same lattice; backward Euler."""

import math

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from seedsoil.kernels.implicit import advance
from seedsoil.kernels.steady import Law, Levels, Solved, solve
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics

NONE = np.zeros(1, np.float32)
Shape = tuple[int, int, int]


def rest(
    device: Device, supply: np.ndarray, drain: np.ndarray, law: Law, *, tolerance: float = 1e-4
) -> tuple[np.ndarray, Solved]:
    """The field at rest, in f64, from nothing."""
    lattice = device.lattice(supply.shape)
    field = np.zeros(supply.shape, np.float32)
    given = [np.ascontiguousarray(each.astype(np.float32)) for each in (supply, drain)]
    done = solve(lattice, field, *given, NONE, Levels.of(lattice), law, tolerance=tolerance, cold=True)
    return field.astype(float), done


def decaying(shape: Shape, length: float) -> tuple[np.ndarray, np.ndarray]:
    """No supply, and the drain of a decay length in voxels for D/voxel^2 = 1 per h."""
    return np.zeros(shape), np.full(shape, 1 / length**2)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_decay_from_a_wall_converges_at_second_order(device: Device, axis: int) -> None:
    """c = cosh((X - x)/L)/cosh(X/L) = exp(-x/L) but for the far wall; 3 to 48 voxels per L, X = 6 L."""
    errors, wrong = [], []
    for per_length in (3, 6, 12, 24, 48):
        cells = 6 * per_length
        shape = tuple(cells if a == axis else 3 for a in range(3))
        walls: list[float | None] = [None] * 6
        walls[2 * (2 - axis)] = 1.0
        field, _ = rest(device, *decaying(shape, per_length), Law(1.0, 1.0, walls=tuple(walls)), tolerance=1e-7)
        line = np.moveaxis(field, axis, 0)[:, 1, 1]
        x = (np.arange(cells) + 0.5) / per_length
        exact = np.cosh(6 - x) / np.cosh(6)
        np.testing.assert_allclose(exact, np.exp(-x), atol=math.exp(-6))
        errors.append(math.sqrt(((line - exact) ** 2).mean()))
        # planted: the wall's value half a voxel too far out
        wrong.append(math.sqrt(((line - exact * math.exp(-0.05 / per_length)) ** 2).mean()))
    print("exp(-x/L), axis", axis, errors, np.log2(np.divide(errors[:-1], errors[1:])))
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx([2.0] * 4, abs=0.05)
    assert errors[-1] < 1e-4
    assert np.abs(np.log2(np.divide(wrong[:-1], wrong[1:])) - 2.0).max() > 0.05


def test_a_point_source(device: Device) -> None:
    """Q exp(-r/L)/(4 pi D r), L = 6 voxels, in the middle of 65^3; from 5 voxels on within 2.5 %."""
    cells, length = 65, 6.0
    supply, drain = decaying((cells,) * 3, length)
    supply[32, 32, 32] = 100.0
    field, _ = rest(device, supply, drain, Law(1.0, 1.0), tolerance=1e-6)
    z, y, x = np.indices(supply.shape) - 32
    r = np.sqrt(x**2 + y**2 + z**2)
    near = (r >= 5) & (r <= 16)
    exact = 100 * np.exp(-r[near] / length) / (4 * np.pi * r[near])
    print("point source, largest relative error", np.abs(field[near] / exact - 1).max())
    assert np.abs(field[near] / exact - 1).max() < 0.025
    assert np.abs(field[near] / (1.03 * exact) - 1).max() > 0.025


def test_a_sphere_that_decays(device: Device) -> None:
    """(R/r) sinh(r/L)/sinh(R/L) in an octant, R = 40 and L = 10 voxels, the surface held at 1 from outside."""
    cells, radius, length = 44, 40.0, 10.0
    supply, drain = decaying((cells,) * 3, length)
    z, y, x = np.indices(supply.shape) + 0.5
    r = np.sqrt(x**2 + y**2 + z**2)
    held = r > radius
    supply[held] = drain[held] = 1e4
    field, _ = rest(device, supply, drain, Law(1.0, 1.0))
    exact = np.where(held, 1.0, radius / r * np.sinh(r / length) / math.sinh(radius / length))
    print("sphere, largest error", np.abs(field - exact).max(), np.abs((field - exact)[r < 30]).max())
    # a surface of steps is half a voxel uncertain: 1/(2 L) of the value there, less inside
    assert np.abs(field - exact).max() < 0.05
    assert np.abs((field - exact)[r < 30]).max() < 0.02
    off = radius / r * np.sinh(r / 11.5) / math.sinh(radius / 11.5)
    assert np.abs((field - off)[r < 30]).max() > 0.02


@pytest.mark.parametrize("shape", [(1, 200, 333), (96, 96, 96), (31, 64, 77)], ids=str)
@pytest.mark.parametrize("length", [3.0, 20.0, 50.0])
def test_a_spectral_solve_of_the_same_lattice(device: Device, shape: Shape, length: float) -> None:
    """Closed walls and uniform decay: a cosine transform in f64. At L/h = 50 f32 leaves |r|/|b| up to 1e-3 or so."""
    supply = np.random.default_rng(1).random(shape) ** 4
    z, y, x = (np.arange(n) / n for n in shape)
    supply += 3 * (np.sin(3 * z)[:, None, None] * np.cos(2 * y)[:, None] * x) ** 2
    _, drain = decaying(shape, length)
    field, done = rest(device, supply, drain, Law(1.0, 1.0))
    waves = sum(
        ((2 * np.sin(np.pi * np.arange(n) / (2 * n))) ** 2).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, n in enumerate(shape)
    )

    def spectral(length: float) -> np.ndarray:
        return idctn(dctn(supply.astype(np.float32).astype(float)) / (waves + 1 / length**2))

    exact = spectral(length)
    error = np.abs(field - exact).max() / np.ptp(exact)
    sinks = (drain.astype(np.float32) * field).sum() / supply.astype(np.float32).sum(dtype=float) - 1
    print(f"DCT {shape} L/h {length:g}: {done}, error {error:.1e} of the range, sinks/sources - 1 {sinks:.1e}")
    assert done.converged and error < 1e-3
    assert np.abs(field - spectral(1.01 * length)).max() / np.ptp(exact) > 1e-3


def test_backward_euler_is_first_order_and_leads_to_rest(device: Device) -> None:
    """Diffusion and decay of an eigenvector on a level of 2, five step lengths; then steps until nothing changes."""
    shape = (20, 24, 28)
    lattice, waves = device.lattice(shape), (5, 6, 7)
    scratch = Levels.of(lattice)
    lines = [np.cos(np.pi * m * (np.arange(n) + 0.5) / n) for m, n in zip(waves, shape, strict=True)]
    wave = lines[0][:, None, None] * lines[1][:, None] * lines[2]
    eigenvalue = sum(4 * math.sin(np.pi * m / n / 2) ** 2 for m, n in zip(waves, shape, strict=True))
    law, drain = Law(0.7 / eigenvalue, 1.0), np.full(shape, 0.3, np.float32)
    errors = []
    for steps in (8, 16, 32, 64, 128):
        field = (2 + wave).astype(np.float32)
        for _ in range(steps):
            supply = np.full(shape, 0.6, np.float32)
            advance(lattice, field, supply, drain, NONE, scratch, law, 1.0 / steps, tolerance=1e-7, cycles_max=8)
        errors.append(((field - 2.0) * wave).sum() / (wave**2).sum() - math.exp(-1.0))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    print("backward Euler", errors, orders)
    assert orders == pytest.approx([1.0] * 4, abs=0.05)
    # planted: 1 % of the step lost
    late = np.array(errors) + 0.01 * math.exp(-1.0)
    assert np.abs(np.log2(late[:-1] / late[1:]) - 1.0).max() > 0.05
