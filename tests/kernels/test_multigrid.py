"""The multigrid's parts: levels of any shape, relaxation and its twin, what goes down and what comes up."""

import numpy as np
import pytest
from twins import steady_twin
from twins.tissues import DEEP, FLAT

from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.levels import Axis, Law, Levels, Problem
from seedsoil.kernels.multigrid import JUNK, Solver
from seedsoil.kernels.steady import prepared
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP, (3, 7, 37)], ids=["2-D", "3-D", "odd"])
FORMS = pytest.mark.parametrize("form", ["rows", "voxels"])
UPTAKE = pytest.mark.parametrize("takes", [False, True], ids=["linear", "uptake"])


def rough(lattice: Lattice, *, takes: bool, seed: int = 1) -> Problem:
    """Random fields of the sizes that occur."""
    draw = np.random.default_rng(seed)

    def field(top: float) -> np.ndarray:
        return (top * draw.random(lattice.shape)).astype(np.float32)

    return Problem(field(40.0), field(300.0), field(5.0), field(900.0) if takes else np.zeros(1, np.float32))


def solver_of(lattice: Lattice, problem: Problem, **law: object) -> Solver:
    given = {"diffusivity_um2_per_h": 1000.0, "voxel_um": 10.0, "half_saturation": 1.5, **law}
    return prepared(lattice, *problem, Levels.of(lattice), Law(**given), 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("cells", [*range(1, 20), 63, 64, 65, 127, 129, 402])
def test_an_axis_of_any_length_is_halved_down_to_one_cell(cells: int) -> None:
    axis, length = Axis(cells), float(cells)
    while axis.cells > 1:
        coarser = axis.halved()
        assert coarser.cells == axis.cells // 2
        assert coarser.widths().sum() == length  # nothing is lost at the end
        assert coarser.width <= coarser.last <= 2 * coarser.width
        axis = coarser
    assert axis.last == length and axis.halved() == axis


def test_the_scratch_is_small(device: Device) -> None:
    assert Levels.of(device.lattice((64, 64, 64))).bytes_per_voxel < 3.0


@UPTAKE
@FORMS
@SHAPES
def test_the_relaxation_equals_its_twin(device: Device, shape: tuple[int, int, int], form: str, takes: bool) -> None:
    lattice = Lattice.of(shape, form=form)
    problem = rough(lattice, takes=takes)
    solver = solver_of(lattice, problem)
    expected = problem.field.copy()
    for colour in (0, 1):
        uptake = problem.uptake if takes else None
        given = (problem.supply, problem.drain, uptake, colour)
        # two per cent on a link, and a step that goes no further than asked
        planted = [
            steady_twin.relax_colour(expected, *given, per_h, 1.5, over)
            for per_h, over in [(10.2, solver.over), (10.0, 0.0)]
        ]
        expected = steady_twin.relax_colour(expected, *given, 10.0, 1.5, solver.over)
    solver.relax(0, JUNK)
    assert solver.over > 0.0
    np.testing.assert_allclose(problem.field, expected, rtol=2e-6, atol=2e-5)
    assert all(np.abs(problem.field - off).max() > 1e-2 for off in planted)


@SHAPES
def test_going_down_keeps_what_enters_and_leaves(device: Device, shape: tuple[int, int, int]) -> None:
    lattice = device.lattice(shape)
    problem = rough(lattice, takes=True)
    problem.drain[...] = 3.0  # (of single strong voxels less is felt: below)
    mean = solver_of(lattice, problem).coarsen()
    assert mean.supply[0] == pytest.approx(problem.supply.mean(dtype=float), rel=1e-5)
    assert mean.uptake[0] == pytest.approx(problem.uptake.mean(dtype=float), rel=1e-5)
    assert mean.drain[0] == pytest.approx(3.0, rel=1e-5)


def test_a_vessel_draws_no_more_than_diffusion_brings(device: Device) -> None:
    """A voxel held at a value draws 1/0.2527 = 3.957 D w from an endless lattice (Watson 1939): so do coarse cells."""
    lattice = device.lattice((64, 64, 64))
    problem = Problem(*(np.zeros(lattice.shape, np.float32) for _ in range(3)), np.zeros(1, np.float32))
    problem.drain[20, 30, 40] = 1e9
    solver = solver_of(lattice, problem)
    solver.coarsen()
    drawn = [solver.on(at).drain.sum(dtype=float) * 8.0**at / 10.0 for at in range(1, 6)]  # in D w
    # what the coarse lattice itself resists with comes on top: together a voxel's
    whole = [1 / (1 / each + 0.2527 / 2**at) for at, each in enumerate(drawn, 1)]
    assert whole == pytest.approx([3.957] * 5, rel=0.01)


@SHAPES
def test_a_plane_comes_up_as_a_plane(device: Device, shape: tuple[int, int, int]) -> None:
    """Between the outermost coarse centres; beyond them a closed wall mirrors."""
    lattice = device.lattice(shape)
    problem = rough(lattice, takes=False)
    solver = solver_of(lattice, problem)
    fine, coarse = solver.levels.levels[:2]
    x, y, z = (axis.centres() for axis in coarse.axes)
    solver.on(1).field[...] = (1 + x[None, None, :] + 2 * y[None, :, None] + 3 * z[:, None, None]).ravel()
    solver.prolong(0, JUNK, correct=False)
    lines = [np.interp(a.centres(), b.centres(), b.centres()) for a, b in zip(fine.axes, coarse.axes, strict=True)]
    expected = 1 + lines[0][None, None, :] + 2 * lines[1][None, :, None] + 3 * lines[2][:, None, None]
    np.testing.assert_allclose(problem.field, expected, rtol=1e-6)


@FORMS
@UPTAKE
@SHAPES
def test_a_field_at_rest_stays(device: Device, shape: tuple[int, int, int], takes: bool, form: str) -> None:
    """No residual, no correction, whatever the levels: and 5 % of planted residual move it."""
    lattice = Lattice.of(shape, form=form)
    problem = rough(lattice, takes=takes)
    walls = (1.0, None, 5.0, 9.0, None, 40.0)
    rest = steady_twin.at_rest(
        problem.supply, problem.drain, problem.uptake if takes else None, per_h=10.0, half=1.5, walls=walls
    )
    problem.field[...] = rest
    solver = solver_of(lattice, problem, walls=walls)
    solver.coarsen()
    solver.cycle()
    assert np.abs(problem.field - rest).max() < 1e-5 * rest.max()
    problem.supply[...] *= 1.05
    solver.cycle()
    assert np.abs(problem.field - rest).max() > 1e-3 * rest.max()


def test_tables_of_many_laws_are_dropped_in_turn(device: Device) -> None:
    lattice = device.lattice(DEEP)
    problem = rough(lattice, takes=False)
    levels = Levels.of(lattice)
    results = []
    for _turn in range(2):
        for wall in range(12):
            problem.field[...] = 0.0
            solver = prepared(lattice, *problem, levels, Law(1000.0, 10.0, 0.0, (float(wall), *[None] * 5)), 0.0)
            solver.coarsen()
            for _ in range(3):
                solver.cycle()
            results.append(problem.field.tobytes())
    assert len(levels.tables_of) == 8
    assert results[:12] == results[12:] and len(set(results)) == 12
