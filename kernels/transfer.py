"""Between a level of the multigrid and the next coarser one.

A coarse cell is 2 x 2 x 2 cells of the level below; along an axis of odd length its last cell is 3 wide, and an
axis of one cell stays as it is. Down go means over a cell's children by volume, so what enters and leaves is kept;
up goes a correction, linear between the centres of coarse cells, mirrored at closed walls and 0 at fixed ones.

`places` (i4) and `shares` (f4) hold, for x, y, z in turn, three numbers a cell: parent, other parent, unused;
share of the parent, share of the other, share of the cell in its parent's volume (`kernels.multigrid.Tables`).

A strong drain in single voxels (a vessel) is felt by the coarse cell no more than the diffusion towards it allows:
its excess over the least of its siblings, e, counts as e s/(e + s) with s = 7.914 D/w^2. A coarse lattice resists
with 0.2527/(D 2w) where its children do with 0.2527/(D w) (Watson 1939), and 1/s makes up for the difference.
"""

import taichi as ti

from .launch import array, kernel
from .relax import note_largest


@ti.func
def children(cell: ti.i32, coarse: ti.i32, fine: ti.i32):
    """(first, end) of a coarse cell's children along one axis."""
    first, end = cell, cell + 1
    if coarse != fine:
        first = 2 * cell
        end = ti.select(cell == coarse - 1, fine, 2 * cell + 2)
    return first, end


@kernel
def coarsen_pass(
    takes: ti.template(),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    shares: array(ti.f32),
    coarse_supply: array(ti.f32),
    coarse_drain: array(ti.f32),
    coarse_uptake: array(ti.f32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    mx: ti.i32,
    my: ti.i32,
    mz: ti.i32,
    lanes: ti.i32,
    strongest: ti.f32,
):
    """supply f4 c/h, drain f4 1/h, uptake f4 c/h of n cells and of the m coarse ones; strongest = s, 1/h.

    Walls: none (a coarse cell knows its children only).
    Conserves: supply and uptake; drain but for the excess of single voxels.
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
            least = drain[(z0 * ny + y0) * nx + x0]
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    for cx in range(x0, x1):
                        least = ti.min(least, drain[(cz * ny + cy) * nx + cx])
            supplied, drained, taken = ti.f32(0.0), ti.f32(0.0), ti.f32(0.0)
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    share_zy = shares[3 * (nx + ny) + 2 * nz + cz] * shares[3 * nx + 2 * ny + cy]
                    for cx in range(x0, x1):
                        share = share_zy * shares[2 * nx + cx]
                        i = (cz * ny + cy) * nx + cx
                        excess = drain[i] - least
                        felt = ti.f32(1.0)
                        if excess > 0.0:
                            felt = strongest / (strongest + excess)
                        drained += share * (least + felt * excess)
                        supplied += share * (felt * supply[i])
                        if ti.static(takes):
                            taken += share * uptake[i]
            to = line * mx + x
            coarse_supply[to] = supplied
            coarse_drain[to] = drained
            if ti.static(takes):
                coarse_uptake[to] = taken


@kernel
def difference_pass(field: array(ti.f32), old: array(ti.f32), voxels: ti.i32):
    """field f4 c: less what it was.

    Walls: none. Conserves: nothing. Race-free because: each cell knows itself only.
    """
    for i in range(voxels):
        field[i] -= old[i]


@kernel
def prolong_pass(
    takes: ti.template(),
    field: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    coarse: array(ti.f32),
    places: array(ti.i32),
    shares: array(ti.f32),
    extremes: array(ti.i32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    mx: ti.i32,
    my: ti.i32,
    lanes: ti.i32,
    slot: ti.i32,
    keep: ti.f32,
    least: ti.f32,
    half: ti.f32,
    reach: ti.f32,
):
    """field f4 c of n cells becomes keep field + `coarse` between its cells, but at least `least`; extremes: bits.

    Walls: in `shares`.
    Conserves: nothing.
    Race-free because: each cell writes itself and reads the coarse ones.
    """
    rows_a_line = (nx + lanes - 1) // lanes
    for row in range(nz * ny * rows_a_line):
        line = row // rows_a_line
        begin = (row - line * rows_a_line) * lanes
        z = line // ny
        y = line - z * ny
        at_y, at_z = 3 * nx, 3 * (nx + ny)
        y0, y1, y0_share, y1_share = along_parents(places, shares, at_y, ny, y)
        z0, z1, z0_share, z1_share = along_parents(places, shares, at_z, nz, z)
        a, b, c, d = (z0 * my + y0) * mx, (z0 * my + y1) * mx, (z1 * my + y0) * mx, (z1 * my + y1) * mx
        wa, wb, wc, wd = z0_share * y0_share, z0_share * y1_share, z1_share * y0_share, z1_share * y1_share
        largest = ti.i32(0)
        for x in range(begin, ti.min(begin + lanes, nx)):
            x0, x1, x0_share, x1_share = along_parents(places, shares, 0, nx, x)
            near = (wa * coarse[a + x0] + wb * coarse[b + x0]) + (wc * coarse[c + x0] + wd * coarse[d + x0])
            far = (wa * coarse[a + x1] + wb * coarse[b + x1]) + (wc * coarse[c + x1] + wd * coarse[d + x1])
            i = line * nx + x
            came = x0_share * near + x1_share * far
            if keep > 0.0:
                stiff = drain[i]
                if ti.static(takes):
                    reached = half + ti.max(field[i], 0.0)
                    stiff += (uptake[i] / reached) * (half / reached)
                came *= reach / (reach + stiff)
            value = ti.max(least, keep * field[i] + came)
            largest = ti.max(largest, ti.bit_cast(ti.abs(value - field[i]), ti.i32))
            field[i] = value
        note_largest(extremes, slot, largest)


@ti.func
def along_parents(places: ti.template(), shares: ti.template(), at: ti.i32, cells: ti.i32, cell: ti.i32):
    """(parent, other parent, their shares) of a cell of the axis whose tables begin at `at`."""
    return places[at + cell], places[at + cells + cell], shares[at + cell], shares[at + cells + cell]
