"""Newton's method, where cycles come to no rest: few vessels and a knot of cells, against a direct solve."""

import numpy as np
import pytest
from twins import knots, steady_twin

from seedsoil.kernels.implicit import advance
from seedsoil.kernels.newton import tangent_pass
from seedsoil.kernels.steady import Law, Levels, solve
from seedsoil.sim.device import Device

EDGE = 12
SHAPE = (EDGE, EDGE, EDGE)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("half", [1.0, 0.3, 0.1, 1e-3])
def test_a_knot_with_a_single_vessel_agrees_with_a_direct_solve(device: Device, half: float, seed: int) -> None:
    """Cycles alone end 6 to 78 % of the largest value off (planted: no steps). One of the eight they solve."""
    supply, drain, uptake = knots.knot(EDGE, 1, 100, seed)
    exact = steady_twin.at_rest(supply, drain, uptake, per_h=knots.PER_H, half=half)
    lattice = device.lattice(SHAPE)
    scratch = Levels.of(lattice)
    stalls = (half, seed) != (1.0, 2)
    for cold in (False, True):
        given = {"tolerance": 3e-5, "cold": cold}
        field = np.full(SHAPE, 40.0, np.float32)
        done = solve(lattice, field, supply, drain, uptake, scratch, knots.law(half), **given)
        assert done.converged and (0 < done.steps <= 12) == stalls, done
        assert field.min() >= 0.0 and np.abs(field - exact).max() < 3e-5 * exact.max()
        planted = np.full(SHAPE, 40.0, np.float32)
        done = solve(lattice, planted, supply, drain, uptake, scratch, knots.law(half), **given, steps_max=0)
        assert done.converged != stalls and done.steps == 0
        assert (np.abs(planted - exact).max() > 1e-2 * exact.max()) == stalls


@pytest.mark.parametrize("start", [0.0, 400.0])
def test_from_far_away_it_arrives(device: Device, start: float) -> None:
    """After a single cycle, at zero order too: an anoxic core is at 0, and what is left balances."""
    supply, drain, uptake = knots.knot(16, 2, 200, 3)
    lattice = device.lattice(supply.shape)
    for half in (1.0, 1e-3, 0.0):
        field = np.full(supply.shape, start, np.float32)
        done = solve(lattice, field, supply, drain, uptake, Levels.of(lattice), knots.law(half), cycles_max=1)
        c = field.astype(float)
        assert done.converged and 0 < done.steps <= 12 and done.cycles == 1 and field.min() >= 0.0
        taken = (uptake * c / (max(half, 1e-20) + c)).sum()
        assert taken == pytest.approx((supply - drain * c).sum(), rel=1e-3)
        assert (half > 0.0) or ((field < 1e-12) & (uptake > 0.0)).any()


def test_the_tangent_touches(device: Device) -> None:
    """Same balance at the field, same slope: to c and to c + h; half the slope is caught."""
    draw = np.random.default_rng(5)
    field, supply, drain, uptake = (top * draw.random(500) for top in (40.0, 300.0, 5.0, 900.0))
    field[:50] = 0.0
    half, h = 1.5, 1e-4
    c, s, d, u = (np.float32(each) for each in (field, supply, drain, uptake))
    of_supply, of_drain = np.zeros_like(s), np.zeros_like(d)
    tangent_pass(c, s, d, u, of_supply, of_drain, c.size, half, 1e-4)

    def balance(at: np.ndarray) -> np.ndarray:
        return supply - drain * at - uptake * at / (half + at)

    np.testing.assert_allclose(of_supply - of_drain.astype(float) * c, balance(field), atol=1e-3)
    slope = (balance(field) - balance(field + h)) / h
    np.testing.assert_allclose(of_drain, slope, rtol=1e-3)
    assert np.abs(0.5 * (of_drain - drain) + drain - slope).max() > 1.0


def test_saturated_cells_alone_hold_a_supply(device: Device) -> None:
    """Nothing but uptake drains, and at first it is saturated to 1e-4: the tangent alone would be next to singular."""
    lattice = device.lattice(SHAPE)
    ones = np.ones(SHAPE, np.float32)
    field = 1e4 * ones
    law = Law(2500.0, 10.0, 1e-3)
    done = solve(lattice, field, 3 * ones, 0 * ones, 4 * ones, Levels.of(lattice), law, cycles_max=1)
    assert done.converged and done.steps > 1
    np.testing.assert_allclose(field, 3e-3, rtol=1e-3)  # K s/(q - s)


def test_a_long_implicit_step_is_finished_too(device: Device) -> None:
    supply, drain, uptake = knots.knot(EDGE, 1, 100, 1)
    per_h = 2.0
    carried = supply + per_h * 40.0
    exact = steady_twin.at_rest(carried, drain + per_h, uptake, per_h=knots.PER_H, half=0.1)
    lattice = device.lattice(SHAPE)
    for steps_max, arrives in ((12, True), (0, False)):
        field = np.full(SHAPE, 40.0, np.float32)
        given = (supply.copy(), drain, uptake, Levels.of(lattice), knots.law(0.1), 1 / per_h)
        done = advance(lattice, field, *given, tolerance=3e-5, steps_max=steps_max)
        assert done.converged == arrives == (done.steps > 0)
        assert (np.abs(field - exact).max() < 3e-5 * exact.max()) == arrives
