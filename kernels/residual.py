"""The residual of a solute, what enters a voxel less what leaves it, and what the multigrid makes of it.

    r = supply + D lap(c) - (drain + extra) c - uptake c/(K_m + c)

A coarse level solves the same law for the field itself, not for a correction (the full approximation scheme of
Brandt 1977, Math Comp 31:333), so that a front which uptake makes is a front there too. Its supply is the
restricted residual plus what would hold the restricted field at rest. Arguments are those of `kernels.relax`.
"""

import taichi as ti

from .launch import array, kernel
from .relax import TILE, beside, side_cells, taken_up
from .transfer import ROOM, children


@ti.func
def to_walls(tables: ti.template(), nx: ti.i32, ny: ti.i32, nz: ti.i32, y: ti.i32, z: ti.i32):
    """What leaves the cells of a line through fixed walls of y and z, 1/h."""
    return tables[5 * nx + 4 * ny + y] + tables[5 * (nx + ny) + 4 * nz + z]


@ti.func
def residual_of(
    takes: ti.template(),
    field: ti.template(),
    drain: ti.template(),
    uptake: ti.template(),
    given: ti.f32,
    i: ti.i32,
    below: ti.f32,
    above: ti.f32,
    west: ti.i32,
    east: ti.i32,
    steps: ti.template(),
    links: ti.template(),
    outflow: ti.f32,
    half: ti.f32,
):
    """given + what comes from the neighbours - what leaves, c/h, of voxel i.

    By differences of neighbours, which f32 has to the last digit: of sums, rounding would leave as much as a drain of
    6e-8 D/dx^2. below, above: links along x, 1/h; outflow: drain beside `drain`, and to the walls, 1/h.
    """
    c = field[i]
    along_x = below * (field[i + west] - c) + above * (field[i + east] - c)
    along_y = links[0] * (field[i + steps[0]] - c) + links[1] * (field[i + steps[1]] - c)
    along_z = links[2] * (field[i + steps[2]] - c) + links[3] * (field[i + steps[3]] - c)
    leaves = (drain[i] + outflow) * c
    if ti.static(takes):
        leaves += taken_up(c, uptake[i], half)
    return ((given - leaves) + (along_x + along_y)) + along_z


@kernel
def restrict_pass(
    norms: ti.template(),
    takes: ti.template(),
    field: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tables: array(ti.f32),
    shares: array(ti.f32),
    coarse_left: array(ti.f32),
    coarse_mean: array(ti.f32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    mx: ti.i32,
    my: ti.i32,
    mz: ti.i32,
    lanes: ti.i32,
    half: ti.f32,
    extra: ti.f32,
    reach: ti.f32,
):
    """Of n cells: field f4 c, supply f4 c/h ...; coarse_left: mean of the residual, c/h, that of a
    voxel with a strong drain counting reach/(reach + drain) (it acts on its own value more than on its surroundings, and
    in f32 it is mostly rounding); coarse_mean: of the field, c.
    With `norms`, sums over children: coarse_left of the residual's square, coarse_mean of that of what is given
    (supply and walls), (c/h)^2. Array code adds those up, so that no order depends on threads or loop form.

    Walls: as `kernels.relax`.
    Conserves: the residual, by volume.
    Race-free because: each coarse cell writes itself.
    """
    rows_a_line = (mx + lanes - 1) // lanes
    for row in range(mz * my * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        end = ti.min(begin + lanes, mx)
        z = line // my
        y = line - z * my
        z0, z1 = children(z, mz, nz)
        y0, y1 = children(y, my, ny)
        # between the ends of a line all cells have the same links
        ends, some = side_cells(tables, nx), ti.min(1, nx - 1)
        below, above = tables[some], tables[nx + some]
        left = ti.Vector([ti.f32(0.0)] * ROOM)
        mean = ti.Vector([ti.f32(0.0)] * ROOM)
        at = begin
        while at < end:
            cells = ti.min(TILE // 2, end - at)
            x0, x1 = ti.min(2 * at, nx - 1), ti.select(at + cells == mx, nx, 2 * (at + cells))
            for lane in range(x1 - x0):
                left[lane] = 0.0
                mean[lane] = 0.0
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    share = shares[3 * (nx + ny) + 2 * nz + cz] * shares[3 * nx + 2 * ny + cy]
                    steps, links, _, inflow = beside(tables, nx, ny, nz, cy, cz)
                    outflow = extra + to_walls(tables, nx, ny, nz, cy, cz)
                    first = (cz * ny + cy) * nx
                    inner = ti.max(x0, 1)
                    leaving, entering = outflow + tables[4 * nx + some], inflow + tables[3 * nx + some]
                    for lane in range(ti.min(x1, nx - ends) - inner):
                        x = inner + lane
                        given = supply[first + x] + entering
                        residual = residual_of(
                            takes, field, drain, uptake, given,
                            first + x, below, above, -1, 1, steps, links, leaving, half,
                        )  # fmt: skip
                        if ti.static(norms):
                            left[x - x0] += residual * residual
                            mean[x - x0] += given * given
                        else:
                            left[x - x0] += (share * residual) * (reach / (reach + drain[first + x]))
                            mean[x - x0] += share * field[first + x]
                    for side in range(1 + ends):
                        x = ti.select(side > 0, nx - side, 0)
                        if x >= x0 and x < x1:
                            west, east = ti.select(x > 0, -1, 0), ti.select(x < nx - 1, 1, 0)
                            given = supply[first + x] + (inflow + tables[3 * nx + x])
                            residual = residual_of(
                                takes, field, drain, uptake, given, first + x, tables[x], tables[nx + x],
                                west, east, steps, links, outflow + tables[4 * nx + x], half,
                            )  # fmt: skip
                            if ti.static(norms):
                                left[x - x0] += residual * residual
                                mean[x - x0] += given * given
                            else:
                                left[x - x0] += (share * residual) * (reach / (reach + drain[first + x]))
                                mean[x - x0] += share * field[first + x]
            to = line * mx + at
            if ti.static(norms):
                for cell in range(cells):
                    coarse_left[to + cell] = 0.0
                    coarse_mean[to + cell] = 0.0
                for lane in range(x1 - x0):
                    cell = ti.min(lane // 2, cells - 1)
                    coarse_left[to + cell] += left[lane]
                    coarse_mean[to + cell] += mean[lane]
            elif nx == 1:
                coarse_left[to] = left[0]
                coarse_mean[to] = mean[0]
            else:
                for cell in range(cells):
                    share, other = shares[2 * nx + x0 + 2 * cell], shares[2 * nx + x0 + 2 * cell + 1]
                    coarse_left[to + cell] = share * left[2 * cell] + other * left[2 * cell + 1]
                    coarse_mean[to + cell] = share * mean[2 * cell] + other * mean[2 * cell + 1]
                if x1 - x0 > 2 * cells:
                    share = shares[3 * nx - 1]
                    coarse_left[to + cells - 1] += share * left[2 * cells]
                    coarse_mean[to + cells - 1] += share * mean[2 * cells]
            if ti.static(takes and not norms):
                for cell in range(cells):
                    coarse_mean[to + cell] = ti.max(coarse_mean[to + cell], 0.0)
            at += cells


@kernel
def oppose_pass(
    takes: ti.template(),
    field: array(ti.f32),
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
    """supply f4 c/h: from a residual to the supply that would hold `field` (f4 c) where it is but for it.

    Walls: as `kernels.relax`.
    Conserves: nothing.
    Race-free because: each cell reads the field and writes its own supply.
    """
    rows_a_line = (nx + lanes - 1) // lanes
    for row in range(nz * ny * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        end = ti.min(begin + lanes, nx)
        z = line // ny
        y = line - z * ny
        steps, links, _, inflow = beside(tables, nx, ny, nz, y, z)
        outflow = extra + to_walls(tables, nx, ny, nz, y, z)
        first = line * nx
        held = ti.Vector([ti.f32(0.0)] * TILE)
        ends, some = side_cells(tables, nx), ti.min(1, nx - 1)
        below, above = tables[some], tables[nx + some]
        leaving, entering = outflow + tables[4 * nx + some], inflow + tables[3 * nx + some]
        x = ti.max(begin, 1)
        outer = ti.min(end, nx - ends)
        while x < outer:
            width = ti.min(TILE, outer - x)
            for lane in range(width):
                i = first + x + lane
                held[lane] = supply[i] - residual_of(
                    takes, field, drain, uptake, entering,
                    i, below, above, -1, 1, steps, links, leaving, half,
                )  # fmt: skip
            for lane in range(width):
                supply[first + x + lane] = held[lane]
            x += width
        for side in range(1 + ends):
            at_wall = ti.select(side > 0, nx - side, 0)
            if at_wall >= begin and at_wall < end:
                i = first + at_wall
                west, east = ti.select(at_wall > 0, -1, 0), ti.select(at_wall < nx - 1, 1, 0)
                supply[i] -= residual_of(
                    takes, field, drain, uptake, inflow + tables[3 * nx + at_wall], i, tables[at_wall],
                    tables[nx + at_wall], west, east, steps, links, outflow + tables[4 * nx + at_wall], half,
                )  # fmt: skip
