"""How immune effectors search: they go straight, turn now and then, and prefer to turn up a signal.

In each substep an effector turns with p = 1 - exp(-dt/P), or at once if it has no direction or its last hop was
blocked. It turns to the face f with weight exp(a (c_f - c_here)), c the signal, among those that are no wall. Then
it hops that way with p = v dt/dx, if the voxel is empty. Where v P is less than three voxels, too little for a lattice
to show, it takes a new direction at every substep and hops at 2 v^2 P/dx^2 instead: a random walk with the same D = v^2 P/d
in d dimensions. Beside tumour cells it slows down:
its hops are multiplied by 1 - (1 - contact) min(1, sum of their visibility).

Effectors are faster than tumour cells, so they take substeps of their own, after all those of the tumour cells in the
same tick; they contest voxels by the same rule (kernels.contest), with draws of substeps that no tumour cell used.
Ignored: matrix in the way, squeezing past cells, homing by adhesion.
"""

import taichi as ti

from .draws import Purpose, Stamp, below, draw
from .immune import ImmuneRates, beside
from .intent import MOVE
from .lattice import coordinates, has_neighbour, is_idle, offset, offset_of
from .launch import array, kernel
from .tissue import Cell, Tissue


@ti.func
def turned(
    lattice: ti.template(), attracted: ti.template(), signal: ti.template(), i: ti.i32, part: ti.f32, attraction: ti.f32
):
    """The face that a part in [0, 1) of all weights falls in."""
    z, y, x = coordinates(lattice, i)
    weight = ti.Vector([ti.f32(0.0)] * lattice.faces)
    total = ti.f32(0.0)
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            weight[face] = 1.0
            if ti.static(attracted):
                step = signal[i + ti.static(offset(lattice, face))] - signal[i]
                weight[face] = ti.exp(ti.min(20.0, ti.max(-20.0, attraction * step)))
            total += weight[face]
    left = part * total
    chosen = -1
    last = 0
    for face in ti.static(range(lattice.faces)):
        if weight[face] > 0.0:
            last = face
            if chosen < 0:
                left -= weight[face]
                if left < 0.0:
                    chosen = face
    return ti.select(chosen < 0, last, chosen)


@kernel
def search_pass(
    lattice: ti.template(),
    attracted: ti.template(),
    solid_vessels: ti.template(),
    cell: array(ti.u8),
    clone: array(ti.u32),
    heading: array(ti.u8),
    vessel: array(ti.u8),
    signal: array(ti.f32),
    traits: array(ti.f32),
    intent: array(ti.u8),
    busy: array(ti.u8),
    hop: ti.u32,
    turn: ti.u32,
    attraction: ti.f32,
    contact: ti.f32,
    visibility: ti.f32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; clone u4; heading u1; vessel bits u1; signal f4 (if `attracted`); traits (clones, len(Trait)) f4;
    intent u1 (kernels.intent); busy (chunks,) 0/1 u1; hop, turn: thresholds per substep.

    Walls: closed; nobody turns to them.
    Conserves: everything; only intents and headings are written.
    Race-free because: each voxel writes its own intent and heading; cells, vessels and signal are only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            want = ti.u8(0)
            if cell[i] == ti.u8(Cell.IMMUNE):
                way = ti.cast(heading[i], ti.i32) - 1
                chance = draw(i, tick, substep, Purpose.IMMUNE_TURN, lattice_id, k0, k1)
                part = ti.cast(chance >> ti.u32(8), ti.f32) / 16777216.0
                if way < 0:
                    way = turned(lattice, attracted, signal, i, part, attraction)
                elif below(chance, turn):
                    # of the draws that make it turn, this one's place
                    part = ti.cast(ti.cast(chance, ti.f64) / (ti.cast(turn, ti.f64) + 1.0), ti.f32)
                    way = turned(lattice, attracted, signal, i, part, attraction)
                limit = ti.cast(hop, ti.f64)
                _, visible = beside(lattice, cell, clone, traits, i)
                if visible > 0.0:
                    limit *= ti.cast(1.0 - (1.0 - contact) * ti.min(1.0, visibility * visible), ti.f64)
                if ti.cast(draw(i, tick, substep, Purpose.IMMUNE_HOP, lattice_id, k0, k1), ti.f64) < limit:
                    z, y, x = coordinates(lattice, i)
                    inside = False
                    for face in ti.static(range(lattice.faces)):
                        if face == way:
                            inside = has_neighbour(lattice, z, y, x, face)
                    free = False
                    if inside:
                        to = i + offset_of(lattice, way)
                        free = cell[to] == ti.u8(Cell.EMPTY)
                        if ti.static(solid_vessels):
                            free = free and vessel[to] == 0
                    if free:
                        want = ti.cast(MOVE + way, ti.u8)
                    else:
                        way = -1
                heading[i] = ti.cast(way + 1, ti.u8)
            intent[i] = want


def propose(tissue: Tissue, rates: ImmuneRates, substep: int, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Every effector states where it wants to go in this substep; tumour cells want nothing in it.

    `substep` counts on from those of the tumour cells. Reads cell, clone, vessel, traits, the signal, busy. Writes
    intent, heading.
    """
    search_pass(
        tissue.lattice,
        rates.attraction > 0.0,
        solid_vessels,
        tissue.cell,
        tissue.clone,
        tissue.heading,
        tissue.vessel,
        tissue.solute(rates.signal),
        tissue.traits,
        tissue.intent,
        tissue.busy,
        rates.hop,
        rates.turn,
        rates.attraction,
        rates.contact,
        rates.visibility,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
