"""The contest: many may want a voxel, one gets it, and nobody is lost or copied.

Every acting cell has stated one intent (kernels.intent). Then

    pull     every empty voxel looks at its neighbours; of those that want it the one with the highest
             random priority wins (a draw of the *source* voxel; ties to the lower index), and the
             voxel takes over what that cell is
    release  every cell that wanted something looks at its target, learns whether it won, and clears
             its voxel (a move) or its wish (a division); a lost division stays due

Only empty voxels are written by `pull` and only occupied ones are read; only occupied ones are
written by `release`. So the state needs no second copy, no atomics and no order, and a cell is in
exactly one place at the end. Resolving by a fixed priority instead drifts (tests/physics shows it).
"""

import taichi as ti

from .draws import Purpose, Stamp, draw
from .intent import DIVIDE, LEAVING, MOVE, arrival_of
from .intravasation import ARRIVAL, IntravasationRates, enters
from .lattice import has_neighbour, offset, offset_of, row_origin
from .launch import array, kernel
from .tissue import Cell, Count, Tissue

RANDOM, FIXED = 0, 1


@ti.func
def priority(
    fairness: ti.template(),
    source: ti.i32,
    face: ti.template(),
    tick: ti.u32,
    substep: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """What a source voxel bids; the fixed order of faces is the negative control."""
    bid = ti.u32(face)
    if ti.static(fairness == RANDOM):
        bid = draw(source, tick, substep, Purpose.PRIORITY, lattice_id, k0, k1)
    return bid


@kernel
def pull_pass(
    lattice: ti.template(),
    fairness: ti.template(),
    catches: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    colony: array(ti.u16),
    due: array(ti.u8),
    vessel: array(ti.u8),
    intent: array(ti.u8),
    outcome: array(ti.u8),
    counters: array(ti.i32),
    minimum_emt: ti.u32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """All arrays (voxels,); see `Tissue`. `catches`: cells that hop onto a vessel may leave.

    Walls: nobody comes through them.
    Conserves: with `release_pass`, the cells that moved; divisions add one each.
    Race-free because: a voxel writes itself, and only if it was empty; what it reads of its
    neighbours (intent, and the winner's state) belongs to occupied voxels, which nobody writes here.
    """
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        born, moved, leaving = 0, 0, 0
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            came = outcome[i] & ti.u8(LEAVING)
            if cell[i] == ti.u8(Cell.EMPTY):
                x = x0 + lane
                came = ti.u8(0)
                source = -1
                highest = ti.u32(0)
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        j = i + ti.static(offset(lattice, face))
                        want = intent[j]
                        if want == ti.u8(MOVE + (face ^ 1)) or want == ti.u8(DIVIDE + (face ^ 1)):
                            bid = priority(fairness, j, face, tick, substep, lattice_id, k0, k1)
                            if source < 0 or bid > highest or (bid == highest and j < source):
                                source = j
                                highest = bid
                                came = ti.u8(MOVE + face)
                                if want >= ti.u8(DIVIDE):
                                    came = ti.u8(DIVIDE + face)
                if source >= 0:
                    cell[i] = cell[source]
                    emt[i] = emt[source]
                    clone[i] = clone[source]
                    colony[i] = colony[source]
                    if came >= ti.u8(DIVIDE):
                        due[i] = ti.u8(0)
                        born += 1
                    else:
                        due[i] = due[source]
                        moved += 1
                        if ti.static(catches):
                            if enters(vessel[i], emt[source], minimum_emt):
                                came = came | ti.u8(LEAVING)
                                leaving += 1
            outcome[i] = came
        if born > 0:
            ti.atomic_add(counters[ti.static(int(Count.BORN))], born)
        if moved > 0:
            ti.atomic_add(counters[ti.static(int(Count.MOVED))], moved)
        if leaving > 0:
            ti.atomic_add(counters[ti.static(int(Count.LEAVING))], leaving)


@kernel
def release_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    colony: array(ti.u16),
    due: array(ti.u8),
    intent: array(ti.u8),
    outcome: array(ti.u8),
):
    """All arrays (voxels,); see `Tissue`.

    Walls: an intent never points through them.
    Conserves: see `pull_pass`.
    Race-free because: a voxel writes itself only; of its target it reads `outcome`, which nobody writes here.
    """
    for row in range(lattice.rows):
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            want = intent[i]
            if want != ti.u8(0):
                face = (ti.cast(want, ti.i32) - 1) % 6
                target = i + offset_of(lattice, face)
                if (outcome[target] & ti.u8(0x7F)) == arrival_of(want):
                    due[i] = ti.u8(0)
                    if want < ti.u8(DIVIDE):
                        cell[i] = ti.u8(Cell.EMPTY)
                        emt[i] = ti.u8(0)
                        clone[i] = ti.u32(0)
                        colony[i] = ti.u16(0)


def settle(
    tissue: Tissue, intravasation: IntravasationRates, substep: int, stamp: Stamp, *, fairness: int = RANDOM
) -> None:
    """Resolve all intents of a substep.

    Reads intent, vessel. Writes cell, emt, clone, colony, due, outcome; counts BORN, MOVED, LEAVING.
    """
    pull_pass(
        tissue.lattice,
        fairness,
        intravasation.law == ARRIVAL,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.colony,
        tissue.due,
        tissue.vessel,
        tissue.intent,
        tissue.outcome,
        tissue.counters,
        intravasation.minimum_emt,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
    release_pass(
        tissue.lattice,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.colony,
        tissue.due,
        tissue.intent,
        tissue.outcome,
    )
