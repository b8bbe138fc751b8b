"""A solute at rest: diffusion, decay, uptake by cells, secretion and exchange with vessels in balance.

    0 = D lap(c) - drain c - uptake c/(K_m + c) + supply
    supply = secretion + exchange c_blood,   drain = decay + exchange

Cells change in hours and such a field in seconds to minutes, so it is taken to follow them at once. Multigrid
(`kernels.multigrid`) from the field's old values; fields are >= 0 if supply, drain, uptake and walls are.

**When it stops.** When the last cycle has changed no voxel by more than `tolerance` times the range of the field
(the sum of the largest changes of its parts, a bound from above), or than 4e-6 of the largest value, which is as much
as f32 resolves. Where cells take up, cycles may never come to that: few vessels that feed many cells of nearly zero
order hold them at false answers or send them round. After 15 of them Newton's method takes over (`kernels.newton`),
which has no such places; `steps_max` = 0 leaves it out. A residual alone would be no criterion: f32 leaves |r|/|b| of
1e-4 to 1e-3 where L/h is 20 to 50.

**What has no answer** is refused with ValueError: D = 0; closed walls and nothing that drains (any constant could be
added), or no more uptake than supply (it would rise for ever). Without any supply the field is 0, and set so.
"""

from typing import Any, NamedTuple

import numpy as np

from .lattice import Lattice
from .levels import Law, Levels, Problem
from .multigrid import AFTER, BEFORE, CORRECTION, Solver
from .newton import Newton
from .residual import restrict_pass

# of the largest value: rounding alone changes as much in a cycle
RESOLVED = 4e-6
# cycles before Newton's method takes over, where cells take up; shipped scenarios need up to 6
_USUAL = 15
# steps of Newton's method; 3 to 8 are the rule
STEPS_MAX = 60

__all__ = ["Law", "Levels", "Solved", "settle", "solve"]


class Solved(NamedTuple):
    """How a solve ended."""

    cycles: int
    change: float  # by the last cycle, over the field's range (or 1 % of its top, if more); a bound from above
    residual: float  # |r|/|b|, Euclidean; b: supply and walls of fixed value
    converged: bool
    steps: int = 0  # of Newton's method, after cycles that came to no rest


def solve(
    lattice: Lattice,
    field: Any,
    supply: Any,
    drain: Any,
    uptake: Any,
    scratch: Levels,
    law: Law,
    *,
    tolerance: float = 1e-4,
    cycles_max: int = 30,
    steps_max: int = STEPS_MAX,
    cold: bool = False,
) -> Solved:
    """Bring `field` to rest, from its old values or (`cold`) from none.

    field f4 c is written; supply f4 c/h, drain f4 1/h, uptake f4 c/h are read: arrays of the lattice's size, all
    >= 0; an uptake of one element means that there is none. scratch: `Levels.of` this lattice.
    """
    if not law.diffusivity_um2_per_h > 0.0:
        raise ValueError(f"a solute at rest needs a diffusivity above 0 (got {law.diffusivity_um2_per_h:g} um2/h)")
    solver = prepared(lattice, field, supply, drain, uptake, scratch, law, 0.0)
    return settle(solver, tolerance, cycles_max, steps_max, cold=cold)


def prepared(
    lattice: Lattice,
    field: Any,
    supply: Any,
    drain: Any,
    uptake: Any,
    scratch: Levels,
    law: Law,
    extra_per_h: float,
) -> Solver:
    """The solver of these fields. Raises ValueError for sizes and laws that do not fit."""
    if scratch.lattice != lattice:
        raise ValueError(f"the scratch is for the lattice {scratch.lattice}, the fields are on {lattice}")
    takes = uptake.size > 1 or lattice.voxels == 1
    given = {"field": field, "supply": supply, "drain": drain, **({"uptake": uptake} if takes else {})}
    for name, value in given.items():
        if value.size != lattice.voxels:
            raise ValueError(f"{name}: needs {lattice.voxels} values, got {value.size}")
    numbers = [law.diffusivity_um2_per_h, law.half_saturation, *(wall for wall in law.walls if wall is not None)]
    if len(law.walls) != 6 or not law.voxel_um > 0.0 or not all(0.0 <= number < np.inf for number in numbers):
        raise ValueError(f"a law needs a voxel above 0, six walls and finite numbers of at least 0 (got {law})")
    return Solver(scratch, law, Problem(field, supply, drain, uptake if takes else scratch.none), takes, extra_per_h)


def settle(solver: Solver, tolerance: float, cycles_max: int, steps_max: int, *, cold: bool = False) -> Solved:
    """Cycle until the field rests (see the module)."""
    mean = solver.coarsen()
    supplied = float(mean.supply[0])
    fixed = [wall for wall in solver.law.walls if wall is not None]
    if supplied == 0.0 and not any(fixed):
        if not fixed and not solver.takes:
            _refuse_undrained(mean, solver)
        solver.problem.field[...] = 0.0
        return Solved(0, 0.0, 0.0, True)
    if not fixed and not float(mean.drain[0]) + solver.extra_per_h > 0.0:
        if not solver.takes:
            _refuse_undrained(mean, solver)
        if not supplied < float(mean.uptake[0]):
            raise ValueError(
                f"no state of rest: closed walls, no decay, and a mean supply of {supplied:g} per h is not below "
                f"the greatest mean uptake, {float(mean.uptake[0]):g}"
            )
    if cold:
        solver.ascend()
    solver.top = float(solver.problem.field.max())
    change = np.inf
    by_steps = solver.takes and steps_max > 0
    cycles_max = min(cycles_max, _USUAL) if by_steps else cycles_max
    for cycles in range(1, cycles_max + 1):
        solver.levels.extremes[...] = 0
        solver.cycle()
        change, resolved = _over_range(solver, _changed(solver))
        if change <= max(tolerance, resolved):
            return Solved(cycles, change, _residual(solver), True)
    if by_steps:
        return _stepped(solver, tolerance, cycles_max, steps_max)
    return Solved(cycles_max, change, _residual(solver), False)


def _stepped(solver: Solver, tolerance: float, cycles: int, steps_max: int) -> Solved:
    """Newton's method from where `cycles` have left the field."""
    newton, change = Newton(solver), np.inf
    for steps in range(1, steps_max + 1):
        solver.levels.extremes[...] = 0
        newton.relax()
        relaxed = _changed(solver)
        solver.levels.extremes[...] = 0
        newton.cycle()
        change, resolved = _over_range(solver, relaxed + _changed(solver))
        if change <= max(tolerance, resolved):
            return Solved(cycles, change, _residual(solver), True, steps)
    return Solved(cycles, change, _residual(solver), False, steps_max)


def _refuse_undrained(mean: Problem, solver: Solver) -> None:
    if not float(mean.drain[0]) + solver.extra_per_h > 0.0:
        raise ValueError("no state of rest: closed walls, no decay, no exchange and no uptake leave its level open")


def _changed(solver: Solver) -> float:
    """The largest change of a voxel since `extremes` were 0, from above."""
    extremes = solver.levels.extremes
    parts = (extremes if isinstance(extremes, np.ndarray) else extremes.get()).view(np.float32)
    return float(parts[BEFORE]) + float(parts[CORRECTION]) + float(parts[AFTER])


def _over_range(solver: Solver, changed: float) -> tuple[float, float]:
    """A change, and the least that f32 can tell from none, both over the range of the field."""
    values = solver.problem.field
    low, high = float(values.min()), float(values.max())
    solver.top = high
    # a field that is flat but for rounding has no range to speak of
    span = max(high - low, 0.01 * high, 1e-30)
    return changed / span, RESOLVED * high / span


def _residual(solver: Solver) -> float:
    """|r|/|b| over the lattice."""
    levels = solver.levels
    fine, coarse = levels.levels[0], levels.levels[1]
    left, given = solver.on(1).supply, solver.on(1).field
    tables = solver.tables[0]
    restrict_pass(
        True, solver.takes, *solver.problem, tables.links, tables.shares, left, given,
        *fine.sizes, *coarse.sizes, coarse.lanes, solver.half, solver.extra_per_h, 1.0,
    )  # fmt: skip
    r2, b2 = float(left.sum(dtype=np.float64)), float(given.sum(dtype=np.float64))
    return float(np.sqrt(r2 / b2)) if b2 > 0.0 else 0.0
