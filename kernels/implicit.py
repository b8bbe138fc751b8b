"""A transient solute by backward Euler: for what relaxes in minutes to hours, between explicit and at rest.

    (c' - c)/dt = D lap(c') - drain c' - uptake c'/(K_m + c') + supply

First order in time, stable and >= 0 for any step. It is the law of `kernels.steady` with 1/dt more on the diagonal
and c/dt more of supply, solved by the same multigrid from c as the first guess.

Ignored: changes of supply, drain and uptake within the step.
"""

from typing import Any

import taichi as ti

from .lattice import Lattice
from .launch import array, kernel
from .levels import Law, Levels
from .multigrid import BEFORE
from .steady import STEPS_MAX, Solved, prepared, settle


@kernel
def carry_pass(supply: array(ti.f32), field: array(ti.f32), voxels: ti.i32, per_h: ti.f32):
    """supply (voxels,) f4 c/h gains field (f4 c) times per_h = 1/dt.

    Walls: none. Conserves: nothing. Race-free because: each voxel reads and writes itself.
    """
    for i in range(voxels):
        supply[i] += per_h * field[i]


def advance(
    lattice: Lattice,
    field: Any,
    supply: Any,
    drain: Any,
    uptake: Any,
    scratch: Levels,
    law: Law,
    dt_h: float,
    *,
    tolerance: float = 1e-4,
    cycles_max: int = 30,
    steps_max: int = STEPS_MAX,
) -> Solved:
    """Take `field` one step of `dt_h` on. Arguments as `kernels.steady.solve`; supply is used up (it gains c/dt)."""
    if not dt_h > 0.0:
        raise ValueError(f"a step needs to be longer than 0 h (got {dt_h:g})")
    solver = prepared(lattice, field, supply, drain, uptake, scratch, law, 1.0 / dt_h)
    idle = law.diffusivity_um2_per_h == 0.0 and not solver.takes and not bool(supply.any()) and not bool(drain.any())
    if idle:
        return Solved(0, 0.0, 0.0, True)
    carry_pass(supply, field, lattice.voxels, solver.extra_per_h)
    if law.diffusivity_um2_per_h == 0.0:
        # no voxel knows of another: one sweep is the answer, and coarse levels have none to give
        solver.relax(0, BEFORE)
        return Solved(1, 0.0, 0.0, True)
    return settle(solver, tolerance, cycles_max, steps_max)
