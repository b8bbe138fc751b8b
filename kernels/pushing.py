"""Pushing: a cell without room beside it shoves a straight line of cells towards a free voxel within reach.

A due cell all of whose faces are occupied looks along the directions of its faces for the nearest open
voxel, at most `push_voxels_max` (L) voxels away, past tumour cells, debris and immune cells; a draw decides between
directions that are equally near. The line moves up by one and the daughter takes the voxel that comes
free beside her mother. In a solid tumour a layer L deep then divides instead of the surface alone: a flat front
moves at L rate voxels per unit of time (exactly so for a file of cells), for rate voxels with L = 1.
(Compare the shoving of Drasdo & Hoehme 2005, Phys Biol 2:133, whose tumours grow at a speed set by the
depth of the layer that divides.)

Lines may cross. Each pusher bids for every voxel of its line, its own and the free one among them, with a
priority that no other has (a draw, then its voxel); `atomic_min` leaves the lowest bid in each voxel, whatever the order. Who
holds all of its line has won, and the lines of winners share no voxel. The others stay due.
Pushing comes before intents are stated in a tick, so nobody's intent is out of date.
Ignored: forces, lines that bend, friction: L is a stand-in for how far a dividing cell can push.
"""

import numpy as np
import taichi as ti

from .draws import Purpose, Stamp, below, draw
from .lattice import is_idle, offset_of, wake_chunk_of
from .launch import array, kernel
from .mutation import MUTANT, NO_MUTATION, MutationRates
from .proliferation import ProliferationRates
from .room import gap
from .tissue import Count, Tissue

# nobody has bid for the voxel
FREE = np.uint64(2**64 - 1)


@kernel
def claim_pass(
    lattice: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    reach: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    matrix: array(ti.f32),
    due: array(ti.u8),
    intent: array(ti.u8),
    claims: array(ti.u64),
    busy: array(ti.u8),
    dense: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; matrix f4, no room above `dense`; due 0/1 u1; intent u1: 0, or 1 + face + 6 (length - 1) of the line that a cell would
    push; claims u8, all FREE before; busy (chunks,) 0/1 u1.

    Walls: closed; no line reaches beyond them.
    Conserves: cells; only intents and claims are written.
    Race-free because: each voxel writes its own intent; claims are whole numbers of which the least stays, in any order.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            intent[i] = ti.u8(0)
            if due[i] == ti.u8(1):
                nearest, ties = reach + 1, 0
                for face in range(lattice.faces):
                    far = gap(lattice, cell, vessel, matrix, solid_vessels, confined, dense, i, face, reach)
                    if far > 0:
                        if far < nearest:
                            nearest, ties = far, 1
                        elif far == nearest:
                            ties += 1
                if nearest > 1 and ties > 0:  # at 1 there is room, and nobody needs to be pushed
                    chance = draw(i, tick, ti.u32(0), Purpose.PUSH_DIRECTION, lattice_id, k0, k1)
                    left = ti.cast((ti.cast(chance, ti.u64) * ti.cast(ties, ti.u64)) >> ti.u64(32), ti.i32)
                    bid = ti.cast(draw(i, tick, ti.u32(0), Purpose.PUSH_PRIORITY, lattice_id, k0, k1), ti.u64)
                    bid = (bid << ti.u64(32)) | ti.cast(i, ti.u64)
                    for face in range(lattice.faces):
                        if (
                            gap(lattice, cell, vessel, matrix, solid_vessels, confined, dense, i, face, reach)
                            == nearest
                        ):
                            if left == 0:
                                intent[i] = ti.cast(1 + face + 6 * (nearest - 1), ti.u8)
                                step = offset_of(lattice, face)
                                for n in range(nearest + 1):
                                    ti.atomic_min(claims[i + n * step], bid)
                            left -= 1


@kernel
def shift_pass(
    lattice: ti.template(),
    mutates: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    colony: array(ti.u16),
    due: array(ti.u8),
    heading: array(ti.u8),
    intent: array(ti.u8),
    claims: array(ti.u64),
    busy: array(ti.u8),
    counters: array(ti.i32),
    mutation: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """All arrays (voxels,), busy (chunks,); see `Tissue`. `mutation` is the threshold of a daughter's mutation.

    Walls: no line reaches them.
    Conserves: the cells that are pushed, with all they carry; each line adds one.
    Race-free because: a winner holds every voxel of its line, so no other winner writes or reads there; losers only
    read claims and their own intent, which are not written.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        born, mutated = 0, 0
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if intent[i] != ti.u8(0):
                face = (ti.cast(intent[i], ti.i32) - 1) % 6
                length = (ti.cast(intent[i], ti.i32) - 1) // 6 + 1
                step = offset_of(lattice, face)
                bid = ti.cast(draw(i, tick, ti.u32(0), Purpose.PUSH_PRIORITY, lattice_id, k0, k1), ti.u64)
                bid = (bid << ti.u64(32)) | ti.cast(i, ti.u64)
                won = True
                for n in range(length + 1):
                    won = won and claims[i + n * step] == bid
                if won:
                    wake_chunk_of(lattice, busy, i + length * step)
                    for back in range(length - 1):
                        here = i + (length - 1 - back) * step
                        to = here + step
                        cell[to] = cell[here]
                        emt[to] = emt[here]
                        clone[to] = clone[here]
                        colony[to] = colony[here]
                        due[to] = due[here]
                        heading[to] = heading[here]
                    beside = i + step
                    cell[beside] = cell[i]
                    emt[beside] = emt[i]
                    clone[beside] = clone[i]
                    colony[beside] = colony[i]
                    due[i] = ti.u8(0)
                    due[beside] = ti.u8(0)
                    heading[beside] = ti.u8(0)
                    born += 1
                    if ti.static(mutates):
                        if below(draw(i, tick, ti.u32(0), Purpose.MUTATE, lattice_id, k0, k1), mutation):
                            due[beside] = ti.u8(MUTANT)
                            mutated += 1
        if born > 0:
            ti.atomic_add(counters[ti.static(int(Count.BORN))], born)
        if ti.static(mutates):
            if mutated > 0:
                ti.atomic_add(counters[ti.static(int(Count.MUTATED))], mutated)


@kernel
def release_pass(lattice: ti.template(), intent: array(ti.u8), claims: array(ti.u64), busy: array(ti.u8), free: ti.u64):
    """intent as `claim_pass` left it; claims u8, FREE again afterwards; busy (chunks,) 0/1 u1.

    Walls: no line reaches them.
    Conserves: cells, none of which is touched.
    Race-free because: each voxel writes its own intent; all that is written to a claim is the same number.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if intent[i] != ti.u8(0):
                face = (ti.cast(intent[i], ti.i32) - 1) % 6
                length = (ti.cast(intent[i], ti.i32) - 1) // 6 + 1
                step = offset_of(lattice, face)
                for n in range(length + 1):
                    claims[i + n * step] = free
                intent[i] = ti.u8(0)


def push(
    tissue: Tissue,
    rates: ProliferationRates,
    stamp: Stamp,
    *,
    solid_vessels: bool,
    mutation: MutationRates = NO_MUTATION,
) -> None:
    """Let due cells without room divide by pushing others aside, if the scenario lets them.

    Reads vessel, matrix, busy. Writes what cells carry, busy and, as scratch, intent and claims; counts BORN and MUTATED.
    """
    if rates.reach <= 1:
        return
    if tissue.claims.size != tissue.lattice.voxels:
        tissue.claims = tissue.xp.full(tissue.lattice.shape, FREE, dtype=np.uint64)
    lattice, where = tissue.lattice, (stamp.tick, stamp.lattice_id, stamp.key_low, stamp.key_high)
    claim_pass(
        lattice,
        solid_vessels,
        rates.dense < 1.0,
        rates.reach,
        tissue.cell,
        tissue.vessel,
        tissue.matrix,
        tissue.due,
        tissue.intent,
        tissue.claims,
        tissue.busy,
        rates.dense,
        *where,
    )
    shift_pass(
        lattice,
        mutation.limit > 0,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.colony,
        tissue.due,
        tissue.heading,
        tissue.intent,
        tissue.claims,
        tissue.busy,
        tissue.counters,
        mutation.limit,
        *where,
    )
    release_pass(lattice, tissue.intent, tissue.claims, tissue.busy, int(FREE))
