"""Between a level of the multigrid and the next coarser one.

A coarse cell is 2 x 2 x 2 cells of the level below; along an axis of odd length its last cell is 3 wide, and an
axis of one cell stays as it is. Down go means over a cell's children by volume, so what enters and leaves is kept;
up goes a correction, linear between the centres of coarse cells, mirrored at closed walls and 0 at fixed ones.

`places` (i4) and `shares` (f4) hold, for x, y, z in turn, three numbers a cell: parent, other parent, unused;
share of the parent, share of the other, share of the cell in its parent's volume (`kernels.levels.Tables`). After
these `shares` has the first two along x once more, of cells 0, 2, 4 ..., then of cells 1, 3, 5 ....

A strong drain in single voxels (a vessel) is felt by the coarse cell no more than the diffusion towards it allows:
its excess over the least of its siblings, e, counts as e s/(e + s) with s = 7.914 D/w^2. A coarse lattice resists
with 0.2527/(D 2w) where its children do with 0.2527/(D w) (Watson 1939), and 1/s makes up for the difference.
"""

import taichi as ti

from .launch import array, kernel
from .relax import TILE, note_largest

# cells of the finer level that a tile of the coarser one may have along x, and two beyond
ROOM = TILE + 8


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
        end = ti.min(begin + lanes, mx)
        z = line // my
        y = line - z * my
        z0, z1 = children(z, mz, nz)
        y0, y1 = children(y, my, ny)
        least = ti.Vector([ti.f32(0.0)] * ROOM)
        supplied = ti.Vector([ti.f32(0.0)] * ROOM)
        drained = ti.Vector([ti.f32(0.0)] * ROOM)
        taken = ti.Vector([ti.f32(0.0)] * ROOM)
        at = begin
        while at < end:
            cells = ti.min(TILE // 2, end - at)
            x0, x1 = ti.min(2 * at, nx - 1), ti.select(at + cells == mx, nx, 2 * (at + cells))
            for lane in range(x1 - x0):
                least[lane] = drain[(z0 * ny + y0) * nx + x0 + lane]
                supplied[lane] = 0.0
                drained[lane] = 0.0
                taken[lane] = 0.0
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    for lane in range(x1 - x0):
                        least[lane] = ti.min(least[lane], drain[(cz * ny + cy) * nx + x0 + lane])
            if x1 - x0 > 2 * cells:
                lowest = ti.min(least[2 * cells], ti.min(least[2 * cells - 1], least[2 * cells - 2]))
                least[2 * cells] = lowest
                least[2 * cells - 1] = lowest
            if nx > 1:
                for cell in range(cells):
                    lowest = ti.min(least[2 * cell], least[2 * cell + 1])
                    least[2 * cell] = lowest
                    least[2 * cell + 1] = lowest
            for cz in range(z0, z1):
                for cy in range(y0, y1):
                    share = shares[3 * (nx + ny) + 2 * nz + cz] * shares[3 * nx + 2 * ny + cy]
                    for lane in range(x1 - x0):
                        i = (cz * ny + cy) * nx + x0 + lane
                        excess = drain[i] - least[lane]
                        felt = strongest / (strongest + excess)
                        if not strongest > 0.0:
                            felt = 1.0
                        drained[lane] += share * (least[lane] + felt * excess)
                        supplied[lane] += share * (felt * supply[i])
                        if ti.static(takes):
                            taken[lane] += share * uptake[i]
            to = line * mx + at
            if nx == 1:
                coarse_supply[to] = supplied[0]
                coarse_drain[to] = drained[0]
                if ti.static(takes):
                    coarse_uptake[to] = taken[0]
            else:
                for cell in range(cells):
                    share, other = shares[2 * nx + x0 + 2 * cell], shares[2 * nx + x0 + 2 * cell + 1]
                    coarse_supply[to + cell] = share * supplied[2 * cell] + other * supplied[2 * cell + 1]
                    coarse_drain[to + cell] = share * drained[2 * cell] + other * drained[2 * cell + 1]
                    if ti.static(takes):
                        coarse_uptake[to + cell] = share * taken[2 * cell] + other * taken[2 * cell + 1]
                if x1 - x0 > 2 * cells:
                    share = shares[3 * nx - 1]
                    coarse_supply[to + cells - 1] += share * supplied[2 * cells]
                    coarse_drain[to + cells - 1] += share * drained[2 * cells]
                    if ti.static(takes):
                        coarse_uptake[to + cells - 1] += share * taken[2 * cells]
            at += cells


@kernel
def prolong_pass(
    correct: ti.template(),
    takes: ti.template(),
    field: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    coarse: array(ti.f32),
    old: array(ti.f32),
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
    least: ti.f32,
    half: ti.f32,
    reach: ti.f32,
):
    """field f4 c of n cells becomes `coarse` (f4 c) between its cells, or gains what `coarse` has gained on `old` (f4 c)
    if `correct`; but at least `least`. extremes i4: the largest change, as bits.

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
        at_y, at_z, of_pairs, pairs = 3 * nx, 3 * (nx + ny), 3 * (nx + ny + nz), nx // 2
        y0, y1, y0_share, y1_share = along_parents(places, shares, at_y, ny, y)
        z0, z1, z0_share, z1_share = along_parents(places, shares, at_z, nz, z)
        a, b, c, d = (z0 * my + y0) * mx, (z0 * my + y1) * mx, (z1 * my + y0) * mx, (z1 * my + y1) * mx
        wa, wb, wc, wd = z0_share * y0_share, z0_share * y1_share, z1_share * y0_share, z1_share * y1_share
        largest = ti.i32(0)
        line_of = ti.Vector([ti.f32(0.0)] * ROOM)
        came = ti.Vector([ti.f32(0.0)] * ROOM)
        even = ti.Vector([ti.f32(0.0)] * ROOM)
        odd = ti.Vector([ti.f32(0.0)] * ROOM)
        x = begin
        end = ti.min(begin + lanes, nx)
        while x < end:
            # the coarse line between the lines around: cell k of it is coarse cell k - 1 from x
            at, last = x // 2 - 1, mx - 1
            width = ti.min(TILE, end - x)
            for cell in range(ti.max(-at, 0), ti.min(width // 2 + 2, last - at) + 1):
                j = at + cell
                if ti.static(correct):
                    near_y = wa * (coarse[a + j] - old[a + j]) + wb * (coarse[b + j] - old[b + j])
                    far_y = wc * (coarse[c + j] - old[c + j]) + wd * (coarse[d + j] - old[d + j])
                    line_of[cell] = near_y + far_y
                else:
                    near_y, far_y = wa * coarse[a + j] + wb * coarse[b + j], wc * coarse[c + j] + wd * coarse[d + j]
                    line_of[cell] = near_y + far_y
            if width % 2 == 0 and x % 2 == 0 and x + width <= nx - nx % 2:
                of_even = of_pairs + x // 2
                of_odd = of_even + 2 * pairs
                for pair in range(width // 2):
                    even[pair] = (
                        shares[of_even + pair] * line_of[pair + 1] + shares[of_even + pairs + pair] * line_of[pair]
                    )
                for pair in range(width // 2):
                    odd[pair] = (
                        shares[of_odd + pair] * line_of[pair + 1] + shares[of_odd + pairs + pair] * line_of[pair + 2]
                    )
                for pair in range(width // 2):
                    came[2 * pair] = even[pair]
                    came[2 * pair + 1] = odd[pair]
            else:
                for lane in range(width):
                    i = x + lane
                    came[lane] = shares[i] * line_of[places[i] - at] + shares[nx + i] * line_of[places[nx + i] - at]
            if ti.static(correct):
                stiff = ti.i32(0)
                for lane in range(width):
                    i = line * nx + x + lane
                    stiff |= ti.bit_cast(drain[i], ti.i32)
                    if ti.static(takes):
                        stiff |= ti.bit_cast(uptake[i], ti.i32)
                # (1 times a correction elsewhere)
                if stiff != 0:
                    for lane in range(width):
                        i = line * nx + x + lane
                        if ti.static(takes):
                            over = half + ti.max(field[i], 0.0)
                            square = over * over
                            came[lane] *= (reach * square) / ((reach + drain[i]) * square + uptake[i] * half)
                        else:
                            came[lane] *= reach / (reach + drain[i])
            # (nothing is stored to the field in this loop: only so it is worked out in registers)
            for lane in range(width):
                i = line * nx + x + lane
                value = came[lane]
                if ti.static(correct):
                    value += field[i]
                value = ti.max(least, value)
                largest = ti.max(largest, ti.bit_cast(ti.abs(value - field[i]), ti.i32))
                came[lane] = value
            for lane in range(width):
                field[line * nx + x + lane] = came[lane]
            x += width
        note_largest(extremes, slot, largest)


@ti.func
def along_parents(places: ti.template(), shares: ti.template(), at: ti.i32, cells: ti.i32, cell: ti.i32):
    """(parent, other parent, their shares) of a cell of the axis whose tables begin at `at`."""
    return places[at + cell], places[at + cells + cell], shares[at + cell], shares[at + cells + cell]
