"""Newton's method for a solute at rest: what finishes a solve whose cycles (`kernels.multigrid`) come to no rest.

    F(c) = (drain + extra) c - D lap(c) + u(c) - supply = 0,   u(c) = uptake c/(K_m + c)

Uptake is taken at its tangent, u(c') ~ u(c) + s (c' - c) with s = uptake K_m/(K_m + c)^2, and a cycle of the linear
problem, which needs no coarse picture of how cells take up, gives the next c'.

**Why it gets there.** F's off-diagonals are <= 0 and u bends downwards, below 0 too, where it goes on straight: so a
step from anywhere ends below the answer, F(c') <= F(c) + F'(c)(c' - c) = 0, one from there goes up and ends below
again (Ortega & Rheinboldt 1970, 13.3), and 0 in place of a negative value stays below. No line search is needed. An
s that is larger only shortens steps; one of at least a share of u(c)/c keeps a saturated tissue, which nothing but
its cells drains, from a singular system. For K_m -> 0 a voxel at 0 has an endless slope and would leave 0 by ever
larger factors of next to nothing: so each step begins with a relaxation by the full law, which takes it to what its
neighbours ask for at once, also from below. That a step is one cycle, no exact solve, is not covered by this; it
is tested (tests/physics/test_few_vessels.py).
"""

from dataclasses import dataclass, field

import taichi as ti

from .launch import array, kernel
from .levels import Problem
from .multigrid import BEFORE, Solver

# of u(c)/c: the least slope of the tangent
_STEEP = 1e-4


@kernel
def tangent_pass(
    field: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tangent_supply: array(ti.f32),
    tangent_drain: array(ti.f32),
    voxels: ti.i32,
    half: ti.f32,
    steep: ti.f32,
):
    """(voxels,) f4: field c; supply and tangent_supply c/h; drain and tangent_drain 1/h; uptake c/h; half = K_m > 0 in c;
    steep: least slope over u(c)/c.

    Walls: none. Conserves: supply - drain c - u(c) at `field`. Race-free because: each voxel writes itself.
    """
    for i in range(voxels):
        c = field[i]
        # s over u(c)/c, and what of u(c) the tangent has at 0, without a difference of near equals
        slope, left = ti.max(half / (half + c), steep), ti.min(c / (half + c), 1.0 - steep)
        tangent_drain[i] = drain[i] + uptake[i] / (half + c) * slope
        tangent_supply[i] = supply[i] - uptake[i] * (c / (half + c)) * left


@dataclass
class Newton:
    """The tangent of a solver's problem, in two more arrays of the lattice's size."""

    solver: Solver
    tangent: Problem = field(init=False)
    linear: Solver = field(init=False)

    def __post_init__(self) -> None:
        whole, levels = self.solver.problem, self.solver.levels
        supply, drain = (levels.xp.empty_like(whole.drain) for _ in range(2))
        self.tangent = Problem(whole.field, supply, drain, levels.none)
        self.linear = Solver(levels, self.solver.law, self.tangent, False, self.solver.extra_per_h)

    def relax(self) -> None:
        """The first half of a step."""
        self.solver.relax(0, BEFORE)

    def cycle(self) -> None:
        """The second."""
        solver, tangent = self.solver, self.tangent
        tangent_pass(
            *solver.problem, tangent.supply, tangent.drain, solver.problem.field.size, solver.half, _STEEP
        )  # fmt: skip
        self.linear.coarsen()
        self.linear.cycle()
