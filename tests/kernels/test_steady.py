"""A solute at rest: a direct solve, balance, positivity, and what has no answer."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from twins import steady_twin
from twins.tissues import DEEP, FLAT

from seedsoil.kernels.multigrid import Solver
from seedsoil.kernels.steady import Law, Levels, Solved, solve
from seedsoil.sim.device import Device

CLOSED = (None,) * 6
WALLS = [CLOSED, (40.0, None, None, 10.0, 0.0, None), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]
ODD = [(7, 9, 5), (1, 37, 3), (1, 1, 50), (3, 17, 11), (2, 2, 2), (1, 1, 1), (6, 9, 11)]
NONE = np.zeros(1, np.float32)
PER_H = 25.0  # D/voxel^2
LAW = Law(diffusivity_um2_per_h=2500.0, voxel_um=10.0)


def fields(shape: tuple[int, int, int], kind: str, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """(supply, drain, uptake, K_m): decay alone, vessels, or cells that take up, by various laws."""
    draw = np.random.default_rng(seed)
    supply, drain = 30 * draw.random(shape), 0.05 + draw.random(shape)
    uptake, half = NONE, 0.0
    if kind == "vessels":
        vessel = draw.random(shape) < 0.05
        supply, drain = supply + 1e4 * 40 * vessel, drain + 1e4 * vessel
    elif kind != "linear":
        uptake = (150 * draw.random(shape)).astype(np.float32)
        half = {"first order": 1e4, "saturating": 2.0, "nearly zero order": 1e-3}[kind]
    return supply.astype(np.float32), drain.astype(np.float32), uptake, half


KINDS = ["linear", "vessels", "first order", "saturating", "nearly zero order"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ODD, ids=str)
def test_any_shape_and_walls_agree_with_a_direct_solve(device: Device, shape: tuple[int, int, int], kind: str) -> None:
    supply, drain, uptake, half = fields(shape, kind)
    lattice = device.lattice(shape)
    scratch = Levels.of(lattice)
    for walls in WALLS:
        taken = None if uptake is NONE else uptake
        exact = steady_twin.at_rest(supply, drain, taken, per_h=PER_H, half=half, walls=walls)
        for cold in (False, True):
            field = np.full(shape, 7.0, np.float32)
            law = LAW._replace(half_saturation=half, walls=walls)
            done = solve(lattice, field, supply, drain, uptake, scratch, law, tolerance=3e-5, cold=cold)
            # (against the largest value: a field may have a range of a hundredth of it)
            assert done.converged and np.abs(field - exact).max() < 3e-5 * exact.max(), (walls, cold, done)


def test_a_wall_half_a_voxel_out_of_place_is_caught(device: Device) -> None:
    shape, walls = (7, 9, 5), WALLS[1]
    supply, drain, _, _ = fields(shape, "linear")
    field = np.zeros(shape, np.float32)
    lattice = device.lattice(shape)
    solve(lattice, field, supply, drain, NONE, Levels.of(lattice), LAW._replace(walls=walls), tolerance=1e-5)
    planted = steady_twin.at_rest(supply, drain, None, per_h=PER_H, walls=walls, to_wall=1.0)
    assert np.abs(field - planted).max() > 1e-2 * planted.max()


def through_walls(shape: tuple[int, int, int], walls: tuple) -> tuple[np.ndarray, np.ndarray]:
    """(c/h that come in through walls of fixed value, 1/h that go out), voxel by voxel: they are half a voxel away."""
    inflow, outflow = np.zeros(shape), np.zeros(shape)
    for number, value in enumerate(walls):
        if value is not None:
            face = tuple(slice(None) if axis != 2 - number // 2 else -(number % 2) for axis in range(3))
            inflow[face] += 2 * PER_H * value
            outflow[face] += 2 * PER_H
    return inflow, outflow


@pytest.mark.parametrize("walls", [CLOSED, (40.0, None, None, 10.0, None, None)], ids=["closed", "two walls held"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
def test_sources_are_sinks_and_the_residual(
    device: Device, shape: tuple[int, int, int], kind: str, walls: tuple
) -> None:
    """But not of a solve that has lost 1 % of decay and uptake on the way."""
    supply, drain, uptake, half = fields(shape, kind)
    lattice, field = device.lattice(shape), np.zeros(shape, np.float32)
    scratch, law = Levels.of(lattice), LAW._replace(half_saturation=half, walls=walls)
    inflow, outflow = through_walls(shape, walls)
    given = supply + inflow

    def imbalance(drain_: np.ndarray, uptake_: np.ndarray) -> tuple[float, float]:
        """Sinks over sources, less 1, of the field solved with these; and what of it the residual explains."""
        done = solve(lattice, field, supply, drain_, uptake_, scratch, law)
        c = field.astype(float)
        sinks = ((drain + outflow) * c).sum() + (uptake * c / (half + c + 1e-300)).sum()
        # |sum r| <= sqrt(n) |r|, here of the sum of b
        of = np.sqrt(c.size) * np.linalg.norm(given) / given.sum()
        return abs(float(sinks / given.sum() - 1)), done.residual * of + 1e-6

    off, explained = imbalance(drain, uptake)
    assert off < explained < 1e-3
    lost = np.float32(0.99)
    off, explained = imbalance(lost * drain, lost * uptake)
    assert off > explained


def saturating(half: float) -> np.ndarray:
    """c'' = u c/(K + c) at 64 middles of voxels, 40 at x = 0, no flux at x = 64, u = 0.2 a voxel^2: by shooting."""
    x = np.arange(64) + 0.5

    def shot(end: float) -> np.ndarray:
        fall = solve_ivp(
            lambda _, y: [y[1], 0.2 * y[0] / (half + y[0])], (0, 64), [math.exp(end), 0.0],
            t_eval=np.append(64 - x[::-1], 64.0), rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        return fall.y[0]

    end = float(np.asarray(brentq(lambda end: shot(end)[-1] - 40.0, -60.0, math.log(40.0))))
    return shot(end)[:-1][::-1]


@pytest.mark.parametrize("half", [1.0, 10.0])
def test_michaelis_menten_follows_its_equation(device: Device, half: float) -> None:
    """A slab below a wall held at 40, against an ordinary differential equation: K_m 20 % off is caught."""
    shape = (1, 3, 64)
    lattice = device.lattice(shape)
    nothing, law = np.zeros(shape, np.float32), LAW._replace(walls=(40.0, *[None] * 5), half_saturation=half)
    field, uptake = np.zeros(shape, np.float32), np.full(shape, 0.2 * PER_H, np.float32)
    assert solve(lattice, field, nothing, nothing, uptake, Levels.of(lattice), law, cold=True).converged
    assert np.abs(field[0, 1] - saturating(half)).max() < 0.05
    for wrong in (0.8 * half, 1.2 * half):
        planted = np.zeros(shape, np.float32)
        solve(lattice, planted, nothing, nothing, uptake, Levels.of(lattice), law._replace(half_saturation=wrong))
        assert np.abs(planted[0, 1] - saturating(half)).max() > 0.05


def test_the_residual_is_what_array_code_finds(device: Device) -> None:
    shape, walls = (7, 9, 5), WALLS[2]
    supply, drain, uptake, half = fields(shape, "saturating")
    lattice = device.lattice(shape)
    field = np.full(shape, 7.0, np.float32)
    law = LAW._replace(half_saturation=half, walls=walls)
    done = solve(lattice, field, supply, drain, uptake, Levels.of(lattice), law, cycles_max=1, steps_max=0)
    assert not done.converged and done.cycles == 1 and done.change > 1e-4
    lap, inflow = steady_twin.diffusion(shape, walls)
    c = field.ravel().astype(float)
    given = supply.ravel() + PER_H * inflow
    left = given + PER_H * (lap @ c) - drain.ravel() * c - uptake.ravel() * c / (half + c)
    assert done.residual == pytest.approx(np.linalg.norm(left) / np.linalg.norm(given), rel=1e-3)


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_an_anoxic_core_is_at_zero_and_its_front_in_place(device: Device, cold: bool) -> None:
    """Zero order in a slab: c falls as (x - front)^2 q/2D, so the depth is sqrt(2 D c0/q) = 20 voxels."""
    shape = (1, 3, 64)
    lattice = device.lattice(shape)
    field = np.full(shape, 5.0, np.float32)
    nothing, law = np.zeros(shape, np.float32), LAW._replace(walls=(40.0, *[None] * 5))
    uptake = np.full(shape, 2 * PER_H * 40.0 / 20**2, np.float32)
    done = solve(lattice, field, nothing, nothing, uptake, Levels.of(lattice), law, cold=cold)
    x = np.arange(64) + 0.5
    exact = 40.0 * np.clip(1 - x / 20, 0, None) ** 2
    assert done.converged
    np.testing.assert_allclose(field[0, 1], exact, atol=0.03)
    assert field.min() >= 0.0 and (field[0, :, 21:] < 1e-12).all() and (field[0, :, :19] > 0.0).all()
    # a front a voxel further in would be seen
    assert np.abs(field[0, 1] - 40.0 * np.clip(1 - x / 21, 0, None) ** 2).max() > 0.5


def test_what_is_given_at_zero_or_above_stays_there(device: Device) -> None:
    draw = np.random.default_rng(3)
    lattice = device.lattice(DEEP)
    scratch = Levels.of(lattice)
    for half in (0.0, 1e-4, 1.0):
        for cycles in (1, 2, 30):
            supply = (1e4 * (draw.random(DEEP) < 0.01)).astype(np.float32)
            uptake = (1e3 * (draw.random(DEEP) < 0.7)).astype(np.float32)
            field = (100 * draw.random(DEEP)).astype(np.float32)
            law = LAW._replace(half_saturation=half, walls=(3.0, None, None, None, None, 0.0))
            solve(
                lattice, field, supply, np.zeros(DEEP, np.float32), uptake, scratch, law, cycles_max=cycles, steps_max=0
            )
            assert np.isfinite(field).all() and field.min() >= 0.0


def test_without_supply_the_field_is_zero(device: Device) -> None:
    lattice = device.lattice(DEEP)
    zeros, ones = np.zeros(DEEP, np.float32), np.ones(DEEP, np.float32)
    for drain, uptake, walls in [
        (ones, NONE, CLOSED),
        (zeros, ones, CLOSED),
        (zeros, NONE, (0.0, *[None] * 5)),
        (ones, ones, CLOSED),
    ]:
        field = ones.copy()
        done = solve(lattice, field, zeros, drain, uptake, Levels.of(lattice), LAW._replace(walls=walls))
        assert done == Solved(0, 0.0, 0.0, True) and not field.any()


def test_a_flat_field_is_found_flat(device: Device) -> None:
    """No range: rounding is not taken for change."""
    lattice = device.lattice(DEEP)
    ones = np.ones(DEEP, np.float32)
    for field in (np.zeros(DEEP, np.float32), 40 * ones):
        done = solve(lattice, field, 80 * ones, 2 * ones, NONE, Levels.of(lattice), LAW)
        assert done.converged and done.cycles <= 12
        np.testing.assert_allclose(field, 40.0, rtol=1e-5)


def test_uptake_alone_holds_a_supply_below_it(device: Device) -> None:
    """Closed walls, no decay: q c/(K + c) = s has the answer c = K s/(q - s) if s < q, and none otherwise."""
    lattice = device.lattice(DEEP)
    ones, zeros = np.ones(DEEP, np.float32), np.zeros(DEEP, np.float32)
    field = 10 * ones
    law = LAW._replace(half_saturation=2.0)
    done = solve(lattice, field, 3 * ones, zeros, 4 * ones, Levels.of(lattice), law)
    assert done.converged
    np.testing.assert_allclose(field, 6.0, rtol=1e-4)
    with pytest.raises(ValueError, match=r"no state of rest.*mean supply of 4 per h"):
        solve(lattice, field, 4 * ones, zeros, 4 * ones, Levels.of(lattice), law)


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_a_few_vessels_alone_feed_a_knot_of_cells(device: Device, monkeypatch: pytest.MonkeyPatch, cold: bool) -> None:
    """The level hangs on four voxels: V-cycles come to rest where nothing balances, with half the oxygen (caught).

    (Without the steps of `kernels.newton`, which would mend it.)"""
    shape, draw = (32, 32, 32), np.random.default_rng(1)
    vessel = np.zeros(shape, bool)
    vessel.reshape(-1)[draw.choice(vessel.size, 4, replace=False)] = True
    middle = 32 * draw.random(3)
    nearest = ((np.indices(shape).reshape(3, -1).T - middle) ** 2).sum(axis=1).argsort()[:400]
    cell = np.zeros(shape, bool)
    cell.reshape(-1)[nearest] = True
    supply, drain = (4.7e6 * vessel).astype(np.float32), (1.175e5 * vessel).astype(np.float32)
    uptake = (3.6e4 * (cell & ~vessel)).astype(np.float32)
    lattice, law = device.lattice(shape), Law(6e6, 20.0, 1.0)
    scratch = Levels.of(lattice)

    def solved() -> tuple[Solved, float]:
        """And what is taken up of what comes in, less 1."""
        field = np.full(shape, 40.0, np.float32)
        done = solve(lattice, field, supply, drain, uptake, scratch, law, steps_max=0, cold=cold)
        c = field.astype(float)
        return done, float((uptake * c / (1 + c)).sum() / (supply - drain * c).sum() - 1)

    done, off = solved()
    assert done.converged and done.cycles <= 8 and abs(off) < 2e-3
    full = Solver.cycle
    monkeypatch.setattr(Solver, "cycle", lambda self, at=0, **_: full(self, at, full=False))
    planted, off = solved()
    assert not planted.converged and abs(off) > 2e-3


def test_what_has_no_answer_is_refused(device: Device) -> None:
    lattice = device.lattice(DEEP)
    scratch = Levels.of(lattice)
    ones, zeros = np.ones(DEEP, np.float32), np.zeros(DEEP, np.float32)

    def refused(match: str, *, field=ones, supply=ones, drain=ones, uptake=NONE, law=LAW, on=lattice) -> None:
        before = field.copy()
        with pytest.raises(ValueError, match=match):
            solve(on, field, supply, drain, uptake, scratch, law)
        assert (field == before).all()

    refused("no state of rest: closed walls", drain=zeros)
    refused("no state of rest: closed walls", supply=zeros, drain=zeros)
    refused("diffusivity above 0", law=LAW._replace(diffusivity_um2_per_h=0.0))
    refused("finite numbers", law=LAW._replace(diffusivity_um2_per_h=float("inf")))
    refused("finite numbers", law=LAW._replace(walls=(-1.0, *[None] * 5)))
    refused("finite numbers", law=LAW._replace(half_saturation=float("nan")))
    refused("six walls", law=LAW._replace(walls=(None,) * 4))
    refused("supply: needs 3840 values, got 9", supply=np.ones(9, np.float32))
    refused("uptake: needs 3840 values, got 9", uptake=np.ones(9, np.float32))
    refused("scratch is for the lattice", on=device.lattice(FLAT))
