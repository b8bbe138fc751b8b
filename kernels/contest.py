"""The contest: many may want a voxel, one gets it, and nobody is lost or copied.

Every acting cell has stated one intent, which points at an empty voxel (kernels.intent). Of those
that want the same voxel the one with the highest random priority wins (a draw of the *source* voxel;
ties to the lower index). Each of them works that out for itself: it reads its rivals' intents and
draws their bids anew, so all come to the same verdict on the same old state. The one winner then
moves its cell over, or puts its daughter there; the losers stay, and a lost division stays due.

A voxel is written only by its own cell or by the one winner of the contest for it, and intents are not
written at all. So the state needs no second copy, no atomics and no order, and what is not wanted
costs nothing. Resolving by a fixed priority instead drifts (tests/physics shows it).
"""

import taichi as ti

from .draws import Purpose, Stamp, below, draw
from .intent import DIVIDE, MOVE
from .intravasation import ARRIVAL, IntravasationRates, enters
from .lattice import coordinates, has_neighbour, is_idle, offset, offset_of, wake_chunk_of
from .launch import array, kernel
from .mutation import MUTANT, NO_MUTATION, MutationRates
from .tissue import Cell, Count, Tissue

RANDOM, FIXED = 0, 1


@ti.func
def priority(
    fairness: ti.template(),
    source: ti.i32,
    face: ti.i32,
    tick: ti.u32,
    substep: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """What a source voxel bids; `face` (of the target) as a fixed order is the negative control."""
    bid = ti.cast(face, ti.u32)
    if ti.static(fairness == RANDOM):
        bid = draw(source, tick, substep, Purpose.PRIORITY, lattice_id, k0, k1)
    return bid


@ti.func
def wins(
    lattice: ti.template(),
    fairness: ti.template(),
    intent: ti.template(),
    source: ti.i32,
    target: ti.i32,
    came: ti.i32,
    tick: ti.u32,
    substep: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """Does `source`, which lies beyond the face `came` of `target`, outbid all others that want `target`?"""
    z, y, x = coordinates(lattice, target)
    rivals = 0  # bit n: the neighbour beyond face n of the target wants it too
    for face in ti.static(range(lattice.faces)):
        if face != came and has_neighbour(lattice, z, y, x, face):
            want = intent[target + ti.static(offset(lattice, face))]
            if want == ti.u8(MOVE + (face ^ 1)) or want == ti.u8(DIVIDE + (face ^ 1)):
                rivals |= 1 << face
    won = True
    if rivals != 0:
        # rare, so a plain loop: unrolled it would hold a generator for each face and compile for seconds
        mine = priority(fairness, source, came, tick, substep, lattice_id, k0, k1)
        for face in range(lattice.faces):
            if (rivals >> face) & 1 == 1:
                rival = target + offset_of(lattice, face)
                bid = priority(fairness, rival, face, tick, substep, lattice_id, k0, k1)
                if bid > mine or (bid == mine and rival < source):
                    won = False
    return won


@kernel
def settle_pass(
    lattice: ti.template(),
    fairness: ti.template(),
    catches: ti.template(),
    mutates: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    colony: array(ti.u16),
    due: array(ti.u8),
    heading: array(ti.u8),
    vessel: array(ti.u8),
    intent: array(ti.u8),
    leaving: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
    minimum_emt: ti.u32,
    mutation: ti.u32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """All arrays (voxels,), busy (chunks,); see `Tissue`. `catches`: a cell that hops onto a vessel may leave.
    `mutates`: a daughter may found a clone; `mutation` is the threshold.

    Walls: an intent never points through them.
    Conserves: the cells that move, with all they carry; a division adds one. Hops of tumour cells are counted.
    Race-free because: the rivals for a voxel agree on one winner, which alone writes it (besides its own
    voxel); the target was empty, so nobody reads its state; intents are only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        born, moved, caught, mutated = 0, 0, 0, 0
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            want = intent[i]
            if want != ti.u8(0):
                face = (ti.cast(want, ti.i32) - 1) % 6
                to = i + offset_of(lattice, face)
                if wins(lattice, fairness, intent, i, to, face ^ 1, tick, substep, lattice_id, k0, k1):
                    cell[to] = cell[i]
                    emt[to] = emt[i]
                    clone[to] = clone[i]
                    colony[to] = colony[i]
                    wake_chunk_of(lattice, busy, to)
                    if want >= ti.u8(DIVIDE):
                        due[i] = ti.u8(0)
                        due[to] = ti.u8(0)
                        heading[to] = ti.u8(0)
                        born += 1
                        if ti.static(mutates):
                            if below(draw(i, tick, substep, Purpose.MUTATE, lattice_id, k0, k1), mutation):
                                due[to] = ti.u8(MUTANT)
                                mutated += 1
                    else:
                        due[to] = due[i]
                        heading[to] = heading[i]
                        moved += ti.cast(cell[i] == ti.u8(Cell.TUMOUR), ti.i32)
                        if ti.static(catches):
                            if cell[i] == ti.u8(Cell.TUMOUR) and enters(vessel[to], emt[i], minimum_emt):
                                leaving[to] = ti.u8(1)
                                caught += 1
                        cell[i] = ti.u8(Cell.EMPTY)
                        emt[i] = ti.u8(0)
                        clone[i] = ti.u32(0)
                        colony[i] = ti.u16(0)
                        due[i] = ti.u8(0)
                        heading[i] = ti.u8(0)
        if born > 0:
            ti.atomic_add(counters[ti.static(int(Count.BORN))], born)
        if moved > 0:
            ti.atomic_add(counters[ti.static(int(Count.MOVED))], moved)
        if caught > 0:
            ti.atomic_add(counters[ti.static(int(Count.LEAVING))], caught)
        if ti.static(mutates):
            if mutated > 0:
                ti.atomic_add(counters[ti.static(int(Count.MUTATED))], mutated)


def settle(
    tissue: Tissue,
    intravasation: IntravasationRates,
    substep: int,
    stamp: Stamp,
    *,
    mutation: MutationRates = NO_MUTATION,
    fairness: int = RANDOM,
) -> None:
    """Resolve all intents of a substep.

    Reads intent, vessel, busy. Writes cell, emt, clone, colony, due, heading, leaving, busy; counts BORN, MOVED,
    LEAVING and MUTATED.
    """
    settle_pass(
        tissue.lattice,
        fairness,
        intravasation.law == ARRIVAL,
        mutation.limit > 0,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.colony,
        tissue.due,
        tissue.heading,
        tissue.vessel,
        tissue.intent,
        tissue.leaving,
        tissue.busy,
        tissue.counters,
        intravasation.minimum_emt,
        mutation.limit,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
