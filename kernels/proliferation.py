"""Proliferation: who is due, and where the daughter goes.

    hazard  a cell with room becomes due with p = 1 - exp(-rate tick)                   (Yule if uncrowded)
    clock   all cells of a phenotype become due at multiples of 1/rate                  (Franssen 2019)

The rate, and what it responds to: `kernels.division`. A due cell picks one of its empty neighbours at
random; it stays due until it has divided, so a division that lost its contest, or found no room, is
retried at the next tick. Room is an empty voxel beyond a face, unless its matrix is denser than
`matrix_stop_fraction` (confinement arrests growth: Helmlinger et al. 1997, Nat Biotechnol 15:778); or, where cells push (`kernels.pushing`),
one farther off along a face's direction. Daughters go through faces only, not over edges or corners: the
contest for a voxel is among the cells that share a face with it.
A cell divides at most once a tick, so growth per tick is 2 - exp(-rate tick): about rate tick / 2
slower than the continuous Yule process (0.2 % at the default rate and tick).
Ignored: the volume of a growing cell, the direction of its spindle.
"""

import numpy as np
import taichi as ti

from .division import (
    CLOCK,
    HAZARD,
    Proliferation,
    ProliferationRates,
    Responds,
    chances_at,
    contact_response,
    mitogen_response,
    oxygen_response,
    rates,
)
from .draws import Purpose, Stamp, as_threshold, below, block, draw, happens, word
from .intent import DIVIDE
from .lattice import coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .room import gap, has_room, is_open, occupied_faces, rooms, takes
from .tissue import Cell, Tissue, Trait
from .traits import trait_of


@kernel
def ripen_pass(
    lattice: ti.template(),
    needs_room: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    responds: ti.template(),
    reach: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    vessel: array(ti.u8),
    matrix: array(ti.f32),
    oxygen: array(ti.f32),
    mitogen: array(ti.f32),
    traits: array(ti.f32),
    due: array(ti.u8),
    busy: array(ti.u8),
    chances: array(ti.u32),
    ceilings: array(ti.u32),
    hazards: array(ti.f32),
    dense: ti.f32,
    stop: ti.f32,
    full: ti.f32,
    half: ti.f32,
    basal: ti.f32,
    fall: ti.f32,
    free: ti.i32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; clone u4; vessel bits u1; matrix f4, no room above `dense`; oxygen mmHg f4; mitogen f4; traits (clones, len(Trait)) f4;
    due 0/1 u1; busy (chunks,) 0/1 u1; chances, ceilings (256,) u4 thresholds by emt; hazards (256,) f4 per tick by emt.
    Oxygen, mitogen, traits and hazards are looked at only where the rate responds to them.

    Walls: no room beyond them.
    Conserves: cells; only `due` is written.
    Race-free because: each voxel writes its own `due`; all else is only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        held = -1
        four = ti.Vector([ti.u32(0), ti.u32(0), ti.u32(0), ti.u32(0)])
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.TUMOUR) and due[i] == 0:
                if (i >> 2) != held:
                    held = i >> 2
                    four = block(i, tick, ti.u32(0), Purpose.DIVIDE, lattice_id, k0, k1)
                chance = word(four, i)
                kind = ti.cast(emt[i], ti.i32)
                ripe = below(chance, ceilings[kind])
                if ti.static(responds.any):
                    # most draws lie above what any response could come to: only the others look around
                    if ripe:
                        factor = ti.f32(1.0)
                        if ti.static(responds.oxygen):
                            factor *= oxygen_response(oxygen[i], stop, full)
                        if ti.static(responds.mitogen > 0):
                            factor *= mitogen_response(responds.mitogen, mitogen[i], half, basal)
                        if ti.static(responds.contact):
                            factor *= contact_response(occupied_faces(lattice, cell, i), fall, free)
                        if ti.static(responds.traits):
                            factor *= trait_of(traits, clone[i], Trait.DIVISION)
                        limit = chances[kind]  # of the full rate: to the bit what it is without responses
                        if factor != 1.0:
                            limit = as_threshold(happens(hazards[kind] * factor))
                        ripe = below(chance, limit)
                if ripe:
                    room = True
                    if ti.static(needs_room):
                        room = has_room(lattice, cell, vessel, matrix, solid_vessels, confined, dense, reach, i)
                    if room:
                        due[i] = ti.u8(1)


@kernel
def propose_pass(
    lattice: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    matrix: array(ti.f32),
    due: array(ti.u8),
    leaving: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    dense: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; matrix f4, no room above `dense`; due, leaving 0/1 u1; intent u1 (kernels.intent); busy (chunks,) 0/1 u1.

    Walls: closed.
    Conserves: everything; only intents are written.
    Race-free because: each voxel writes its own intent; cell, due and vessel are only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if due[i] == ti.u8(1) and leaving[i] == 0:
                count = rooms(lattice, cell, vessel, matrix, solid_vessels, confined, dense, i)
                if count > 0:
                    chance = draw(i, tick, ti.u32(0), Purpose.DIVIDE_DIRECTION, lattice_id, k0, k1)
                    # the draw picks the n-th room, n = draw * count / 2^32
                    left = ti.cast((ti.cast(chance, ti.u64) * ti.cast(count, ti.u64)) >> ti.u64(32), ti.i32)
                    z, y, x = coordinates(lattice, i)
                    for face in ti.static(range(lattice.faces)):
                        if has_neighbour(lattice, z, y, x, face):
                            to = i + ti.static(offset(lattice, face))
                            if takes(cell, vessel, matrix, solid_vessels, confined, dense, to):
                                if left == 0:
                                    intent[i] = ti.u8(DIVIDE + face)
                                left -= 1


def ripen(tissue: Tissue, rates: ProliferationRates, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Decide who becomes due in this tick.

    Reads cell, emt, clone, vessel, matrix, oxygen, mitogen, traits, busy. Writes due.
    """
    chances = chances_at(rates, stamp.tick)
    if not any(chances):
        return
    responds = rates.responds.any
    ripen_pass(
        tissue.lattice,
        rates.law == HAZARD,
        solid_vessels,
        rates.dense < 1.0,
        rates.responds,
        rates.reach,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.vessel,
        tissue.matrix,
        tissue.solute("oxygen"),
        tissue.solute("mitogen"),
        tissue.traits,
        tissue.due,
        tissue.busy,
        _table(tissue, chances, np.uint32),
        _table(tissue, rates.ceilings if responds else chances, np.uint32),
        _table(tissue, rates.hazards, np.float32) if responds else tissue.nothing,
        rates.dense,
        rates.stop,
        rates.full,
        rates.half,
        rates.basal,
        rates.fall,
        rates.free,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


def propose(tissue: Tissue, stamp: Stamp, *, solid_vessels: bool, dense: float = 1.0) -> None:
    """Due cells with room beside them state where they want to divide, instead of hopping.

    Reads cell, vessel, matrix, due, leaving, busy. Writes intent. No daughter goes where matrix is above `dense`.
    """
    propose_pass(
        tissue.lattice,
        solid_vessels,
        dense < 1.0,
        tissue.cell,
        tissue.vessel,
        tissue.matrix,
        tissue.due,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        dense,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


_tables: dict[tuple, object] = {}


def _table(tissue: Tissue, values: tuple, dtype: type) -> object:
    """Numbers by emt as an array beside the tissue's; a run has a few of them, so they are kept."""
    key = (tissue.xp.__name__, dtype, values)
    if key not in _tables:
        if len(_tables) > 64:
            _tables.clear()
        _tables[key] = tissue.xp.asarray(np.asarray(values, dtype=dtype))
    return _tables[key]


__all__ = [
    "CLOCK",
    "HAZARD",
    "Proliferation",
    "ProliferationRates",
    "Responds",
    "chances_at",
    "gap",
    "is_open",
    "propose",
    "rates",
    "ripen",
    "rooms",
]
