"""An explicit substep of a solute with all that cells, vessels and walls do to it.

    c' = c + dt (D lap(c) + supply - drain c - uptake c/(K_m + c))

Explicit Euler in f32 over the faces of a voxel. A wall of fixed value lies at the face, half a voxel away, so its flux is
2 D (c_wall - c)/dx^2. Positive and bounded while (2 d + fixed faces) D dt/dx^2 + (drain + uptake/K_m) dt <= 1: so K_m = 0
(zero order) is for the other solvers.
"""

from typing import Any

import taichi as ti

from .lattice import Lattice, row_origin
from .launch import array, kernel


@ti.func
def beyond(here: ti.f32, fixed: ti.i32, face: ti.template(), value: ti.f32):
    """What stands in for a neighbour beyond a wall: the voxel itself, or what puts `value` at the face."""
    return here + ti.select((fixed >> face) & 1 == 1, 2.0 * (value - here), 0.0)


@kernel
def react_pass(
    lattice: ti.template(),
    takes: ti.template(),
    now: array(ti.f32),
    after: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    exchange: ti.f32,
    dt: ti.f32,
    half: ti.f32,
    fixed: ti.i32,
    x_low: ti.f32,
    x_high: ti.f32,
    y_low: ti.f32,
    y_high: ti.f32,
    z_low: ti.f32,
    z_high: ti.f32,
):
    """now, after (voxels,) f4 c; supply f4 c/h; drain f4 1/h; uptake f4 c/h (unread unless `takes`); exchange =
    D dt/dx^2; dt h; half = K_m in c; fixed: bit f = the wall beyond face f holds its value, the last six.

    Walls: zero flux, or a fixed value at the face.
    Conserves: the plain sum, but for supply, drain, uptake and fixed walls.
    Race-free because: each voxel writes itself in `after` and reads what is not written.
    """
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            x = x0 + lane
            here = now[i]
            around = beyond(here, fixed, 0, x_low) if x == 0 else now[i - 1]
            around += beyond(here, fixed, 1, x_high) if x == lattice.nx - 1 else now[i + 1]
            around += beyond(here, fixed, 2, y_low) if y == 0 else now[i - lattice.nx]
            around += beyond(here, fixed, 3, y_high) if y == lattice.ny - 1 else now[i + lattice.nx]
            if ti.static(lattice.faces == 6):
                around += beyond(here, fixed, 4, z_low) if z == 0 else now[i - lattice.ny * lattice.nx]
                around += beyond(here, fixed, 5, z_high) if z == lattice.nz - 1 else now[i + lattice.ny * lattice.nx]
            moved = exchange * (around - ti.static(float(lattice.faces)) * here)
            gained = supply[i] - drain[i] * here
            if ti.static(takes):
                gained -= uptake[i] * (here / (half + here))
            after[i] = (here + moved) + dt * gained


def react(
    lattice: Lattice,
    field: Any,
    spare: Any,
    sources: tuple[Any, Any, Any],
    takes: bool,
    substeps: int,
    tick_h: float,
    exchange: float,
    half: float,
    walls: tuple[float | None, ...],
) -> tuple[Any, Any]:
    """Take `field` a tick on; returns it and what is spare now, as the two change places. `exchange` is of a substep."""
    fixed = sum(1 << face for face, value in enumerate(walls) if value is not None)
    for _ in range(substeps):
        react_pass(
            lattice, takes, field, spare, *sources, exchange, tick_h / substeps, half, fixed,
            *(value or 0.0 for value in walls),
        )  # fmt: skip
        field, spare = spare, field
    return field, spare
