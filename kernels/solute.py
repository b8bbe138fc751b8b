"""A solute that diffuses, decays and is secreted by mesenchymal cells, stepped explicitly.

    dc/dt = D lap(c) - decay c + secretion emt/255        (in voxels that hold a tumour cell)

Explicit Euler in f32 over the faces of a voxel (5-point in 2-D, 7-point in 3-D), walls of zero flux. Positive and bounded while
2 d D dt/dx^2 + decay dt <= 1 in d dimensions; the tick is cut into as many substeps as that asks for.
Which solutes there are, and their tables: `kernels.roles`. Secretion, times the clone's trait if it is the protease, is per voxel with a mesenchymal cell in it, so it
scales with the inverse voxel volume when `voxel_um` changes. What else can happen to a solute: `kernels.transport`.
Ignored: convection.
"""

import math
from typing import NamedTuple

import taichi as ti

from .lattice import TILE, Lattice, is_idle, row_origin
from .launch import array, kernel
from .law import Solute
from .tissue import Cell, Tissue, Trait
from .traits import trait_of


class SoluteRates(NamedTuple):
    """What a substep needs, per substep; `decay_at_last` replaces `decay` in the tick's last one."""

    substeps: int
    exchange: float  # D dt / dx^2
    decay: float  # decay dt
    secretion: float  # secretion dt / 255
    decay_at_last: float | None = None


# the share of the stability limit that a substep may take: at the limit itself a checkerboard would not fade
_SHARE = 0.9
# a decay per substep below this loses its digits in f32 (below 3e-8 it does nothing at all)
_SMALL_DECAY = 1e-5


def rates(parameters: Solute, lattice: Lattice, voxel_um: float, tick_h: float) -> SoluteRates:
    """Substeps from the stability limit, and the coefficients of one of them."""
    spread = tick_h * 2 * lattice.dimensions * parameters.diffusivity_um2_per_h / voxel_um**2
    faded = tick_h * parameters.decay_per_h
    substeps = max(1, math.ceil((spread + faded) / _SHARE - 1e-9))
    if substeps == 1 or faded / substeps >= _SMALL_DECAY:
        decay, at_last = faded / substeps, None
    else:
        # too little to be noticed substep by substep: all of it in the last one (where it is still below 0.1)
        substeps = max(substeps, math.ceil(spread / (_SHARE - min(faded, _SHARE / 2)) - 1e-9))
        decay, at_last = 0.0, faded
    dt = tick_h / substeps
    return SoluteRates(
        substeps,
        parameters.diffusivity_um2_per_h * dt / voxel_um**2,
        decay,
        parameters.secretion_per_h * dt / 255.0,
        at_last,
    )


@ti.func
def relaxed(here: ti.f32, around: ti.f32, faces: ti.f32, exchange: ti.f32, decay: ti.f32):
    """One voxel one substep on: what flowed in, and what decayed."""
    return here + exchange * (around - faces * here) - decay * here


@ti.func
def diffuse_tile(
    lattice: ti.template(),
    width: ti.template(),
    now: ti.template(),
    after: ti.template(),
    i: ti.i32,
    x: ti.i32,
    south: ti.i32,
    north: ti.i32,
    below: ti.i32,
    above: ti.i32,
    exchange: ti.f32,
    decay: ti.f32,
):
    """`width` voxels from i on, along x; south ... above are the index distances to the neighbours.

    All of them are worked out before any is stored: a store may alias what is read next, and only so
    does the compiler keep several voxels in one register.
    """
    line = ti.Vector([ti.f32(0.0)] * (width + 2))
    line[0] = now[i + ti.select(x > 0, -1, 0)]
    line[width + 1] = now[i + width - 1 + ti.select(x + width < lattice.nx, 1, 0)]
    for lane in ti.static(range(width)):
        line[lane + 1] = now[i + lane]
    fresh = ti.Vector([ti.f32(0.0)] * width)
    for lane in ti.static(range(width)):
        around = line[lane] + line[lane + 2] + now[i + lane + south] + now[i + lane + north]
        if ti.static(lattice.faces == 6):
            around += now[i + lane + below] + now[i + lane + above]
        fresh[lane] = relaxed(line[lane + 1], around, ti.static(float(lattice.faces)), exchange, decay)
    for lane in ti.static(range(width)):
        after[i + lane] = fresh[lane]


@kernel
def diffuse_pass(lattice: ti.template(), now: array(ti.f32), after: array(ti.f32), exchange: ti.f32, decay: ti.f32):
    """now, after (voxels,) f4 concentration; D dt / dx^2 and decay dt of one substep.

    Walls: zero flux (a wall stands in for a neighbour equal to the voxel itself).
    Conserves: the plain sum, but for decay (each face's flux is added and taken once).
    Race-free because: each voxel writes itself in `after` and reads `now`.
    """
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        first = row * lattice.lanes
        # at a wall the neighbour across is the voxel itself: a distance of 0, the same for the whole row
        south = ti.select(y > 0, -lattice.nx, 0)
        north = ti.select(y < lattice.ny - 1, lattice.nx, 0)
        below = ti.select(z > 0, -lattice.ny * lattice.nx, 0)
        above = ti.select(z < lattice.nz - 1, lattice.ny * lattice.nx, 0)
        for tile in range(ti.static(lattice.lanes // TILE)):
            i, x = first + tile * TILE, x0 + tile * TILE
            diffuse_tile(lattice, TILE, now, after, i, x, south, north, below, above, exchange, decay)
        if ti.static(lattice.lanes % TILE > 0):
            rest = ti.static(lattice.lanes % TILE)
            i, x = first + lattice.lanes - rest, x0 + lattice.lanes - rest
            diffuse_tile(lattice, rest, now, after, i, x, south, north, below, above, exchange, decay)


@ti.func
def secreted(
    by_clone: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    clone: ti.template(),
    traits: ti.template(),
    i: ti.i32,
    secretion: ti.f32,
):
    """What the cell of voxel i adds in a substep."""
    out = ti.select(cell[i] == ti.u8(Cell.TUMOUR), secretion * ti.cast(emt[i], ti.f32), ti.f32(0.0))
    if ti.static(by_clone):
        if cell[i] == ti.u8(Cell.TUMOUR):
            out *= trait_of(traits, clone[i], Trait.PROTEASE)
    return out


@kernel
def secrete_pass(
    lattice: ti.template(),
    by_clone: ti.template(),
    solute: array(ti.f32),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    traits: array(ti.f32),
    busy: array(ti.u8),
    secretion: ti.f32,
):
    """solute (voxels,) f4 concentration; cell code u1; emt u1; clone u4, row of traits (clones x len(Trait),) f4, looked
    at if `by_clone`; busy (chunks,) 0/1 u1; secretion dt / 255.

    Walls: none (a voxel knows only itself).
    Conserves: nothing; it adds what the cells secrete.
    Race-free because: each voxel reads and writes itself.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        if ti.static(not by_clone) and first + lattice.chunk <= lattice.voxels:
            for tile in range(ti.static(lattice.chunk // lattice.tile)):
                at = first + tile * lattice.tile
                fresh = ti.Vector([ti.f32(0.0)] * lattice.tile)
                for lane in ti.static(range(lattice.tile)):
                    fresh[lane] = solute[at + lane] + secreted(False, cell, emt, clone, traits, at + lane, secretion)
                for lane in ti.static(range(lattice.tile)):
                    solute[at + lane] = fresh[lane]
        else:
            for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
                solute[i] += secreted(by_clone, cell, emt, clone, traits, i, secretion)


def diffuse(tissue: Tissue, rates: SoluteRates, role: str = "protease") -> None:
    """Advance the solute of a role by one tick.

    Reads cell, emt, busy, the field; of the protease also clone and traits, once there are clones. Writes the field
    (and spare).
    """
    for substep in range(rates.substeps):
        last = substep == rates.substeps - 1
        decay = rates.decay_at_last if last and rates.decay_at_last is not None else rates.decay
        field = tissue.solutes[role]
        diffuse_pass(tissue.lattice, field, tissue.spare, rates.exchange, decay)
        tissue.solutes[role], tissue.spare = tissue.spare, field
        if rates.secretion > 0.0:
            by_clone = role == "protease" and tissue.traits.shape[0] > 1
            secrete_pass(
                tissue.lattice, by_clone, tissue.solutes[role], tissue.cell, tissue.emt, tissue.clone, tissue.traits,
                tissue.busy, rates.secretion,
            )  # fmt: skip
