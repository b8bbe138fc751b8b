"""The residual of a solute, what enters a voxel less what leaves it, and what the multigrid makes of it.

    r = supply + D lap(c) - (drain + extra) c - uptake c/(K_m + c)

A coarse level solves the same law for the field itself, not for a correction (the full approximation scheme of
Brandt 1977, Math Comp 31:333), so that a front which uptake makes is a front there too. Its supply is the
restricted residual plus what would hold the restricted field at rest. Arguments are those of `kernels.relax`.
"""

import taichi as ti

from .launch import array, kernel
from .relax import around, beside, taken_up
from .transfer import children


@ti.func
def residual_of(
    takes: ti.template(),
    field: ti.template(),
    drain: ti.template(),
    uptake: ti.template(),
    tables: ti.template(),
    given: ti.f32,
    x: ti.i32,
    y: ti.i32,
    z: ti.i32,
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    half: ti.f32,
    extra: ti.f32,
):
    """given + what neighbours let in - what leaves, c/h, of one voxel."""
    steps, links, outflow, _inflow = beside(tables, nx, ny, nz, y, z)
    i = (z * ny + y) * nx + x
    west, east = ti.select(x > 0, -1, 0), ti.select(x < nx - 1, 1, 0)
    enters = given + around(field, tables, i, x, nx, west, east, steps, links)
    leaves = (drain[i] + ((extra + outflow) + tables[2 * nx + x])) * field[i]
    if ti.static(takes):
        leaves += taken_up(field[i], uptake[i], half)
    return enters - leaves


@ti.func
def walls_inflow(tables: ti.template(), x: ti.i32, y: ti.i32, z: ti.i32, nx: ti.i32, ny: ti.i32, nz: ti.i32):
    """What walls of fixed value let into a voxel, c/h."""
    return (tables[4 * nx + 3 * ny + y] + tables[4 * (nx + ny) + 3 * nz + z]) + tables[3 * nx + x]


@kernel
def restrict_pass(
    takes: ti.template(),
    field: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tables: array(ti.f32),
    shares: array(ti.f32),
    coarse_field: array(ti.f32),
    coarse_supply: array(ti.f32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    mx: ti.i32,
    my: ti.i32,
    mz: ti.i32,
    lanes: ti.i32,
    half: ti.f32,
    extra: ti.f32,
):
    """Of n cells: field f4 c, supply f4 c/h ...; coarse_field: mean of the field; coarse_supply: of the residual.

    Walls: as `kernels.relax`.
    Conserves: the residual, by volume.
    Race-free because: each coarse cell writes itself.
    """
    rows_a_line = (mx + lanes - 1) // lanes
    for row in range(mz * my * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        z = line // my
        y = line - z * my
        z0, z1 = children(z, mz, nz)
        y0, y1 = children(y, my, ny)
        for x in range(begin, ti.min(begin + lanes, mx)):
            x0, x1 = children(x, mx, nx)
            mean, left = ti.f32(0.0), ti.f32(0.0)
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    share_zy = shares[3 * (nx + ny) + 2 * nz + cz] * shares[3 * nx + 2 * ny + cy]
                    for cx in range(x0, x1):
                        share = share_zy * shares[2 * nx + cx]
                        i = (cz * ny + cy) * nx + cx
                        given = supply[i] + walls_inflow(tables, cx, cy, cz, nx, ny, nz)
                        left += share * residual_of(
                            takes, field, drain, uptake, tables, given, cx, cy, cz, nx, ny, nz, half, extra
                        )
                        mean += share * field[i]
            to = line * mx + x
            if ti.static(takes):
                mean = ti.max(mean, 0.0)
            coarse_field[to] = mean
            coarse_supply[to] = left


@kernel
def norms_pass(
    takes: ti.template(),
    field: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tables: array(ti.f32),
    coarse_left: array(ti.f32),
    coarse_given: array(ti.f32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    mx: ti.i32,
    my: ti.i32,
    mz: ti.i32,
    lanes: ti.i32,
    half: ti.f32,
    extra: ti.f32,
):
    """coarse_left, coarse_given f4 (c/h)^2: sums over a coarse cell's children of the squares of the residual and of
    what is given (supply and walls). Array code adds them up, so the order does not depend on threads or loop form.

    Walls: as `kernels.relax`.
    Conserves: nothing; a measure.
    Race-free because: each coarse cell writes itself.
    """
    rows_a_line = (mx + lanes - 1) // lanes
    for row in range(mz * my * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        z = line // my
        y = line - z * my
        z0, z1 = children(z, mz, nz)
        y0, y1 = children(y, my, ny)
        for x in range(begin, ti.min(begin + lanes, mx)):
            x0, x1 = children(x, mx, nx)
            left, all_given = ti.f32(0.0), ti.f32(0.0)
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    for cx in range(x0, x1):
                        given = supply[(cz * ny + cy) * nx + cx] + walls_inflow(tables, cx, cy, cz, nx, ny, nz)
                        residual = residual_of(
                            takes, field, drain, uptake, tables, given, cx, cy, cz, nx, ny, nz, half, extra
                        )
                        left += residual * residual
                        all_given += given * given
            coarse_left[line * mx + x] = left
            coarse_given[line * mx + x] = all_given


@kernel
def oppose_pass(
    takes: ti.template(),
    field: array(ti.f32),
    old: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tables: array(ti.f32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    lanes: ti.i32,
    half: ti.f32,
    extra: ti.f32,
):
    """supply f4 c/h: from a residual to the supply that would hold `field` where it is but for it; old = field f4 c.

    Walls: as `kernels.relax`.
    Conserves: nothing.
    Race-free because: each cell reads the field and writes its own supply and old.
    """
    rows_a_line = (nx + lanes - 1) // lanes
    for row in range(nz * ny * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        z = line // ny
        y = line - z * ny
        for x in range(begin, ti.min(begin + lanes, nx)):
            i = line * nx + x
            given = walls_inflow(tables, x, y, z, nx, ny, nz)
            supply[i] -= residual_of(takes, field, drain, uptake, tables, given, x, y, z, nx, ny, nz, half, extra)
            old[i] = field[i]
