"""Backward Euler: a direct solve of the step, order in time, conservation, rest, and exactly off."""

import math

import numpy as np
import pytest
from twins import steady_twin
from twins.tissues import DEEP

from seedsoil.kernels.implicit import advance
from seedsoil.kernels.steady import Law, Levels, solve
from seedsoil.sim.device import Device

NONE = np.zeros(1, np.float32)
LAW = Law(diffusivity_um2_per_h=2500.0, voxel_um=10.0, half_saturation=2.0)
SHAPES = pytest.mark.parametrize("shape", [(1, 40, 40), (6, 9, 11), (3, 7, 37)], ids=["2-D", "3-D", "odd"])


@pytest.mark.parametrize("takes", [False, True], ids=["linear", "uptake"])
@SHAPES
def test_a_step_agrees_with_a_direct_solve(device: Device, shape: tuple[int, int, int], takes: bool) -> None:
    draw = np.random.default_rng(5)
    supply, drain = (draw.random(shape).astype(np.float32) for _ in range(2))
    uptake = (9 * draw.random(shape)).astype(np.float32) if takes else NONE
    field, dt = (10 * draw.random(shape)).astype(np.float32), 0.3
    walls = (4.0, None, None, None, None, 1.0)
    given = {"per_h": 25.0, "half": 2.0, "walls": walls}
    exact, wrong = (
        steady_twin.at_rest(supply + field / step, drain + 1 / step, uptake if takes else None, **given)
        for step in (dt, 1.02 * dt)
    )
    lattice = device.lattice(shape)
    done = advance(
        lattice, field, supply, drain, uptake, Levels.of(lattice), LAW._replace(walls=walls), dt, tolerance=1e-6
    )
    assert done.converged and np.abs(field - exact).max() < 1e-5 * exact.max()
    assert np.abs(field - wrong).max() > 1e-4 * exact.max()


def test_time_converges_at_first_order(device: Device) -> None:
    """Diffusion and decay of a mode of the lattice itself on a level of 1, so that space adds no error."""
    shape = (1, 3, 32)
    lattice, scratch = device.lattice(shape), Levels.of(device.lattice(shape))
    wave = np.cos(np.pi * 4 * (np.arange(32) + 0.5) / 32)
    rate = 0.7 + 0.3
    law = Law(0.7 / (4 * math.sin(np.pi * 4 / 32 / 2) ** 2), 1.0)
    errors = []
    for halving in range(5):
        steps = 4 * 2**halving
        field = np.ascontiguousarray(np.broadcast_to(1 + wave, shape).astype(np.float32))
        for _ in range(steps):
            supply, drain = (np.full(shape, 0.3, np.float32) for _ in range(2))
            advance(lattice, field, supply, drain, NONE, scratch, law, 1.0 / steps, tolerance=1e-7, cycles_max=6)
        errors.append(((field[0] - 1.0) * wave).sum() / (3 * (wave**2).sum()) - math.exp(-rate))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-2:] == pytest.approx([1.0, 1.0], abs=0.05)
    assert abs(orders[-1] - 1) < abs(orders[0] - 1)


@SHAPES
def test_closed_walls_keep_the_mass(device: Device, shape: tuple[int, int, int]) -> None:
    lattice, scratch = device.lattice(shape), Levels.of(device.lattice(shape))
    field = np.random.default_rng(6).random(shape).astype(np.float32)
    before, rough = field.sum(dtype=float), np.ptp(field)
    for _ in range(5):
        zeros = np.zeros((2, *shape), np.float32)
        advance(lattice, field, *zeros, NONE, scratch, LAW, 1.0, tolerance=1e-6)
    assert field.sum(dtype=float) == pytest.approx(before, rel=2e-5)
    assert np.ptp(field) < 0.5 * rough and field.min() >= 0.0


def test_long_steps_lead_to_the_field_at_rest(device: Device) -> None:
    draw = np.random.default_rng(7)
    lattice, scratch = device.lattice(DEEP), Levels.of(device.lattice(DEEP))
    supply, uptake = (50 * draw.random(DEEP)).astype(np.float32), (60 * draw.random(DEEP)).astype(np.float32)
    drain = np.full(DEEP, 0.5, np.float32)
    rest, field = np.zeros(DEEP, np.float32), np.full(DEEP, 90.0, np.float32)
    solve(lattice, rest, supply, drain, uptake, scratch, LAW, tolerance=1e-6)
    for _ in range(25):
        advance(lattice, field, supply.copy(), drain, uptake, scratch, LAW, 2.0, tolerance=1e-6)
    assert np.abs(field - rest).max() < 1e-5 * rest.max()
    assert np.abs(field - 1.01 * rest).max() > 1e-3 * rest.max()


def test_without_diffusion_each_voxel_takes_its_own_step(device: Device) -> None:
    draw = np.random.default_rng(8)
    lattice = device.lattice(DEEP)
    supply, drain, uptake, field = (draw.random(DEEP).astype(np.float32) for _ in range(4))
    b, d, q, k = supply + field.astype(float) / 0.5, drain + 2.0, uptake.astype(float), 2.0
    slack = b - q - d * k
    exact = (slack + np.sqrt(slack**2 + 4 * d * k * b)) / (2 * d)
    done = advance(
        lattice, field, supply, drain, uptake, Levels.of(lattice), LAW._replace(diffusivity_um2_per_h=0.0), 0.5
    )
    assert done.converged
    np.testing.assert_allclose(field, exact, rtol=1e-5)


@SHAPES
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    lattice = device.lattice(shape)
    field = np.random.default_rng(9).random(shape).astype(np.float32)
    before = field.copy()
    still = LAW._replace(diffusivity_um2_per_h=0.0)
    for _ in range(3):
        advance(lattice, field, *np.zeros((2, *shape), np.float32), NONE, Levels.of(lattice), still, 0.7)
    assert field.tobytes() == before.tobytes()
    advance(lattice, field, *np.zeros((2, *shape), np.float32), NONE, Levels.of(lattice), LAW, 0.7)
    assert field.tobytes() != before.tobytes()


def test_a_step_of_no_length_is_refused(device: Device) -> None:
    lattice = device.lattice(DEEP)
    with pytest.raises(ValueError, match="longer than 0 h"):
        advance(lattice, *np.ones((3, *DEEP), np.float32), NONE, Levels.of(lattice), LAW, 0.0)
