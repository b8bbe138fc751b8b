"""Red-black relaxation of a solute: each voxel in turn takes the value that its neighbours ask of it.

    D lap(c) - (drain + extra) c - uptake c/(K_m + c) + supply = 0

In a voxel whose neighbours are held this reads  d c + q c/(k + c) = b.  Its root >= 0 is taken in closed
form, for any K_m: so the front of an anoxic core is met exactly (K_m -> 0: c = max(0, (b - q)/d)), and
b >= 0 gives c >= 0. Voxels of one colour of a checkerboard have neighbours of the other colour only: a
sweep is two passes, and no order matters within one.

The same passes serve the lattice and every coarse level of it (`kernels.multigrid`). Sizes are run-time
scalars, so each compiles once. A line along x is cut into rows of `lanes` voxels; the form `single` is the
GPU's, one voxel of the colour a thread. `tables` says what depends on the place along an axis, five
numbers a cell: the links to the cell below and above (1/h; 0 at a wall), all that leaves (links and wall,
1/h), what a wall of fixed value lets in (c/h), and the wall's part of what leaves; first the cells of x,
then those of y, then of z.

Coarse levels meet b < 0, which is no concentration: there the uptake goes on as q c/k.
"""

import taichi as ti

from .launch import array, kernel

# voxels of a row that are worked out before any of them is stored: only so are several kept in one register
TILE = 32


@ti.func
def balanced(inflow: ti.f32, outflow: ti.f32, uptake: ti.f32, half: ti.f32):
    """c with  outflow c + uptake c/(half + c) = inflow,  for half > 0."""
    slack = inflow - uptake - outflow * half
    root = ti.sqrt(slack * slack + 4.0 * outflow * half * ti.max(inflow, 0.0))
    # the form of the root that has no difference of near equals
    over = ti.select(slack > 0.0, slack + root, 2.0 * half * inflow)
    under = ti.select(slack > 0.0, 2.0 * outflow, root - slack)
    under = ti.select(inflow < 0.0, 2.0 * (outflow * half + uptake), under)
    # without uptake to the last bit what a linear voxel takes
    return ti.select(uptake > 0.0, over, inflow) / ti.select(uptake > 0.0, under, outflow)


@ti.func
def taken_up(c: ti.f32, uptake: ti.f32, half: ti.f32):
    """Michaelis-Menten; below 0 its slope at 0."""
    return uptake * c / (half + ti.max(c, 0.0))


@ti.func
def note_largest(extremes: ti.template(), slot: ti.i32, value: ti.i32):
    """extremes[slot] = max(., value), in the bits of a number >= 0, whose order is theirs.

    The load before may be stale, and then the atomic changes nothing.
    """
    if value > extremes[slot]:
        ti.atomic_max(extremes[slot], value)


@ti.func
def along(tables: ti.template(), at: ti.i32, cells: ti.i32, cell: ti.i32):
    """(link below, link above, outflow, wall's inflow) of a cell of the axis whose table begins at `at`."""
    return tables[at + cell], tables[at + cells + cell], tables[at + 2 * cells + cell], tables[at + 3 * cells + cell]


@ti.func
def beside(tables: ti.template(), nx: ti.i32, ny: ti.i32, nz: ti.i32, y: ti.i32, z: ti.i32):
    """What a whole line along x shares: index steps and links to the four lines around it, outflow, inflow."""
    ylow, yhigh, yout, yin = along(tables, 5 * nx, ny, y)
    zlow, zhigh, zout, zin = along(tables, 5 * (nx + ny), nz, z)
    # at a wall the step is 0 and so is the link
    steps = ti.Vector(
        [
            ti.select(y > 0, -nx, 0),
            ti.select(y < ny - 1, nx, 0),
            ti.select(z > 0, -nx * ny, 0),
            ti.select(z < nz - 1, nx * ny, 0),
        ]
    )
    return steps, ti.Vector([ylow, yhigh, zlow, zhigh]), yout + zout, yin + zin


@ti.func
def side_cells(tables: ti.template(), nx: ti.i32):
    """How many cells at the upper end of a line differ from those between: the last, or two if it is wider."""
    return ti.select(nx > 3 and tables[2 * nx - 2] != tables[nx + 1], 2, ti.min(nx - 1, 1))


@ti.func
def around(
    field: ti.template(),
    below: ti.f32,
    above: ti.f32,
    i: ti.i32,
    west: ti.i32,
    east: ti.i32,
    steps: ti.template(),
    links: ti.template(),
):
    """What the neighbours of voxel i let in, c/h; below, above: the links along x, 1/h."""
    along_x = below * field[i + west] + above * field[i + east]
    along_y = links[0] * field[i + steps[0]] + links[1] * field[i + steps[1]]
    along_z = links[2] * field[i + steps[2]] + links[3] * field[i + steps[3]]
    return (along_x + along_y) + along_z


@ti.func
def relaxed(takes: ti.template(), inflow: ti.f32, outflow: ti.f32, uptake: ti.template(), i: ti.i32, half: ti.f32):
    """The value that voxel i is asked to take."""
    value = ti.f32(0.0)
    if ti.static(takes):
        value = balanced(inflow, outflow, uptake[i], half)
    else:
        value = inflow / outflow
    return value


@ti.func
def stretched(
    takes: ti.template(),
    value: ti.f32,
    old: ti.f32,
    leaves: ti.f32,
    links: ti.f32,
    uptake: ti.template(),
    i: ti.i32,
    half: ti.f32,
    over: ti.f32,
    least: ti.f32,
):
    """value, and `over` of the step from the old one more, where diffusion rules.

    Where drain or uptake does, the neighbours' error counts for little: to go on would only be a new error.
    """
    bound = leaves <= 2.0 * links
    if ti.static(takes):
        c = half + ti.max(value, 0.0)
        bound = bound & (uptake[i] * half <= (2.0 * links - leaves) * (c * c))
    return ti.max(least, value + ti.select(bound, over, 0.0) * (value - old))


@kernel
def relax_pass(
    single: ti.template(),
    takes: ti.template(),
    field: array(ti.f32),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    tables: array(ti.f32),
    extremes: array(ti.i32),
    nx: ti.i32,
    ny: ti.i32,
    nz: ti.i32,
    lanes: ti.i32,
    colour: ti.i32,
    slot: ti.i32,
    half: ti.f32,
    extra: ti.f32,
    over: ti.f32,
    least: ti.f32,
):
    """field (voxels,) f4 c; supply f4 c/h; drain f4 1/h; uptake f4 c/h (unread unless `takes`); tables f4 (module
    docstring); extremes (slots,) i4: the largest change, as bits; half = K_m in c; extra 1/h; over: share of the
    step that is taken on top of it (`stretched`); least: of the field after, c.

    Walls: zero flux or a fixed value at the face, both in `tables`.
    Conserves: nothing; at rest what enters a voxel leaves it.
    Race-free because: a voxel of this colour is written by itself and reads voxels of the other, which do not
    change.
    """
    if ti.static(single):
        pairs = (nx + 1) // 2
        for thread in range(nz * ny * pairs):
            line = thread // pairs
            z = line // ny
            y = line - z * ny
            x = 2 * (thread - line * pairs) + ((y + z + colour) & 1)
            if x < nx:
                steps, links, outflow, inflow = beside(tables, nx, ny, nz, y, z)
                i = line * nx + x
                west, east = ti.select(x > 0, -1, 0), ti.select(x < nx - 1, 1, 0)
                enters = supply[i] + (inflow + tables[3 * nx + x])
                enters += around(field, tables[x], tables[nx + x], i, west, east, steps, links)
                leaves = drain[i] + ((extra + outflow) + tables[2 * nx + x])
                value = relaxed(takes, enters, leaves, uptake, i, half)
                near = (extra + outflow) + tables[2 * nx + x]
                value = stretched(takes, value, field[i], leaves, near, uptake, i, half, over, least)
                note_largest(extremes, slot, ti.bit_cast(ti.abs(value - field[i]), ti.i32))
                field[i] = value
    else:
        rows_a_line = (nx + lanes - 1) // lanes
        for row in range(nz * ny * rows_a_line):
            line = row // rows_a_line
            begin = (row - line * rows_a_line) * lanes
            end = ti.min(begin + lanes, nx)
            z = line // ny
            y = line - z * ny
            steps, links, outflow, inflow = beside(tables, nx, ny, nz, y, z)
            outflow += extra
            first = line * nx
            largest = ti.i32(0)
            fresh = ti.Vector([ti.f32(0.0)] * TILE)
            enters = ti.Vector([ti.f32(0.0)] * TILE)
            leaves = ti.Vector([ti.f32(0.0)] * TILE)
            # between the ends, where all cells have the same links, in tiles; one that would be short begins earlier
            # and passes over what is done
            ends = side_cells(tables, nx)
            inner, outer = ti.max(begin, 1), ti.min(end, nx - ends)
            some = ti.min(1, nx - 1)
            below, above = tables[some], tables[nx + some]
            near, inflow_here = outflow + tables[2 * nx + some], inflow + tables[3 * nx + some]
            x = inner
            while x < outer:
                done = x
                width = ti.min(TILE, outer - x)
                if width < TILE and outer - inner >= TILE:
                    x, width = outer - TILE, TILE
                elif width < 8 and outer - inner >= 8:
                    x, width = outer - 8, 8
                elif width < TILE and width > 8:
                    width &= ~7
                done -= x
                odd = (x + y + z + colour) & 1
                taking = ti.i32(0)
                for lane in range(width):
                    i = first + x + lane
                    inward = supply[i] + inflow_here
                    enters[lane] = inward + around(field, below, above, i, -1, 1, steps, links)
                    leaves[lane] = drain[i] + near
                    if ti.static(takes):
                        taking |= ti.bit_cast(uptake[i], ti.i32)
                # (nothing is stored to the field in these loops: only so they are worked out in registers)
                if taking != 0:
                    for lane in range(width):
                        i = first + x + lane
                        value = relaxed(takes, enters[lane], leaves[lane], uptake, i, half)
                        value = stretched(takes, value, field[i], leaves[lane], near, uptake, i, half, over, least)
                        fresh[lane] = value
                        change = ti.bit_cast(ti.abs(value - field[i]), ti.i32)
                        largest = ti.max(largest, ti.select(((lane & 1) == odd) & (lane >= done), change, 0))
                else:
                    for lane in range(width):
                        i = first + x + lane
                        value = enters[lane] / leaves[lane]
                        value = stretched(False, value, field[i], leaves[lane], near, uptake, i, half, over, least)
                        fresh[lane] = value
                        change = ti.bit_cast(ti.abs(value - field[i]), ti.i32)
                        largest = ti.max(largest, ti.select(((lane & 1) == odd) & (lane >= done), change, 0))
                lane = done + ((done + odd) & 1)
                while lane < width:
                    field[first + x + lane] = fresh[lane]
                    lane += 2
                x += width
            for side in range(1 + ends):
                at_wall = ti.select(side > 0, nx - side, 0)
                if at_wall >= begin and at_wall < end and ((at_wall + y + z + colour) & 1) == 0:
                    i = first + at_wall
                    west, east = ti.select(at_wall > 0, -1, 0), ti.select(at_wall < nx - 1, 1, 0)
                    enter = supply[i] + (inflow + tables[3 * nx + at_wall])
                    enter += around(field, tables[at_wall], tables[nx + at_wall], i, west, east, steps, links)
                    out = outflow + tables[2 * nx + at_wall]
                    leave = drain[i] + out
                    value = relaxed(takes, enter, leave, uptake, i, half)
                    value = stretched(takes, value, field[i], leave, out, uptake, i, half, over, least)
                    largest = ti.max(largest, ti.bit_cast(ti.abs(value - field[i]), ti.i32))
                    field[i] = value
            note_largest(extremes, slot, largest)
