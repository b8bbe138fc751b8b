"""Proliferation: who is due, and where the daughter goes.

    hazard  a cell with room beside it becomes due with p = 1 - exp(-rate tick)      (Yule if uncrowded)
    clock   all cells of a phenotype become due at multiples of 1/rate               (Franssen 2019)

The rate goes from the epithelial to the mesenchymal value with emt (hazard) or is that of the
phenotype (clock). A due cell picks one of its empty neighbours at random; it stays due until it has
divided, so a division that lost its contest, or found no room, is retried at the next tick.
A cell divides at most once a tick, so growth per tick is 2 - exp(-rate tick): about rate tick / 2
slower than the continuous Yule process (0.2 % at the default rate and tick).
Ignored: oxygen, mitogens, pushing.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import taichi as ti

from .draws import ALWAYS, Purpose, Stamp, below, block, draw, threshold, word
from .intent import DIVIDE
from .lattice import coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .parameters import Parameters, quantity
from .tissue import MESENCHYMAL_EMT, Cell, Tissue

HAZARD, CLOCK = 0, 1


class Proliferation(Parameters):
    """The `[proliferation]` table."""

    law: Literal["hazard", "clock"] = quantity(
        "hazard", unit="-", source="Yule process; 'clock' is Franssen 2019", about="when cells divide"
    )
    epithelial_per_h: float = quantity(
        0.045,
        unit="1/h",
        ge=0,
        le=10,
        source="Franssen et al. 2019: one division per 22.22 h (by hazard the number doubles in ln 2 of that)",
        about="divisions per hour and cell at emt 0",
    )
    mesenchymal_per_h: float = quantity(
        0.03,
        unit="1/h",
        ge=0,
        le=10,
        source="Franssen et al. 2019: one division per 33.33 h (by hazard the number doubles in ln 2 of that)",
        about="divisions per hour and cell at emt 255",
    )


class ProliferationRates(NamedTuple):
    law: int
    chances: tuple[int, ...]  # hazard: threshold per tick for each of the 256 emt values
    epithelial_ticks: int  # clock: ticks between divisions, 0 = never
    mesenchymal_ticks: int


def rates(parameters: Proliferation, tick_h: float) -> ProliferationRates:
    """Per-tick thresholds (hazard) or whole ticks between divisions (clock)."""
    if parameters.law == "hazard":
        slow, fast = parameters.epithelial_per_h, parameters.mesenchymal_per_h
        hazards = [(slow + (fast - slow) * emt / 255.0) * tick_h for emt in range(256)]
        return ProliferationRates(HAZARD, tuple(threshold(-math.expm1(-h)) for h in hazards), 0, 0)

    def ticks(rate: float) -> int:
        return max(1, round(1.0 / (rate * tick_h))) if rate > 0 else 0

    return ProliferationRates(
        CLOCK, (0,) * 256, ticks(parameters.epithelial_per_h), ticks(parameters.mesenchymal_per_h)
    )


@ti.func
def is_open(cell: ti.template(), vessel: ti.template(), solid_vessels: ti.template(), voxel: ti.i32):
    """May a daughter be put into this voxel?"""
    out = cell[voxel] == ti.u8(Cell.EMPTY)
    if ti.static(solid_vessels):
        out = out and vessel[voxel] == 0
    return out


@ti.func
def rooms(lattice: ti.template(), cell: ti.template(), vessel: ti.template(), solid_vessels: ti.template(), i: ti.i32):
    """How many of a voxel's neighbours a daughter could be put into."""
    z, y, x = coordinates(lattice, i)
    count = 0
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            if is_open(cell, vessel, solid_vessels, i + ti.static(offset(lattice, face))):
                count += 1
    return count


@kernel
def ripen_pass(
    lattice: ti.template(),
    needs_room: ti.template(),
    solid_vessels: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    vessel: array(ti.u8),
    due: array(ti.u8),
    busy: array(ti.u8),
    chances: array(ti.u32),
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; vessel bits u1; due 0/1 u1; busy (chunks,) 0/1 u1; chances (256,) u4 thresholds by emt.

    Walls: no room beyond them.
    Conserves: cells; only `due` is written.
    Race-free because: each voxel writes its own `due`; cell, emt and vessel are only read.
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
                if below(word(four, i), chances[ti.cast(emt[i], ti.i32)]):
                    room = True
                    if ti.static(needs_room):
                        room = rooms(lattice, cell, vessel, solid_vessels, i) > 0
                    if room:
                        due[i] = ti.u8(1)


@kernel
def propose_pass(
    lattice: ti.template(),
    solid_vessels: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    due: array(ti.u8),
    leaving: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; due, leaving 0/1 u1; intent u1 (kernels.intent); busy (chunks,) 0/1 u1.

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
                count = rooms(lattice, cell, vessel, solid_vessels, i)
                if count > 0:
                    chance = draw(i, tick, ti.u32(0), Purpose.DIVIDE_DIRECTION, lattice_id, k0, k1)
                    # the draw picks the n-th room, n = draw * count / 2^32
                    left = ti.cast((ti.cast(chance, ti.u64) * ti.cast(count, ti.u64)) >> ti.u64(32), ti.i32)
                    z, y, x = coordinates(lattice, i)
                    for face in ti.static(range(lattice.faces)):
                        if has_neighbour(lattice, z, y, x, face):
                            if is_open(cell, vessel, solid_vessels, i + ti.static(offset(lattice, face))):
                                if left == 0:
                                    intent[i] = ti.u8(DIVIDE + face)
                                left -= 1


def chances_at(rates: ProliferationRates, tick: int) -> tuple[int, ...]:
    """The 256 thresholds, by emt, of becoming due at this tick."""
    if rates.law == HAZARD:
        return rates.chances
    epithelial = ALWAYS if rates.epithelial_ticks and tick and tick % rates.epithelial_ticks == 0 else 0
    mesenchymal = ALWAYS if rates.mesenchymal_ticks and tick and tick % rates.mesenchymal_ticks == 0 else 0
    return (epithelial,) * MESENCHYMAL_EMT + (mesenchymal,) * (256 - MESENCHYMAL_EMT)


def ripen(tissue: Tissue, rates: ProliferationRates, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Decide who becomes due in this tick. Reads cell, emt, vessel, busy. Writes due."""
    chances = chances_at(rates, stamp.tick)
    if not any(chances):
        return
    ripen_pass(
        tissue.lattice,
        rates.law == HAZARD,
        solid_vessels,
        tissue.cell,
        tissue.emt,
        tissue.vessel,
        tissue.due,
        tissue.busy,
        _table(tissue, chances),
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


def propose(tissue: Tissue, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Due cells with room beside them state where they want to divide, instead of hopping.

    Reads cell, vessel, due, leaving, busy. Writes intent.
    """
    propose_pass(
        tissue.lattice,
        solid_vessels,
        tissue.cell,
        tissue.vessel,
        tissue.due,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


_tables: dict[tuple, object] = {}


def _table(tissue: Tissue, chances: tuple[int, ...]) -> object:
    """The thresholds as an array beside the tissue's; a run has one or two of them, so they are kept."""
    key = (tissue.xp.__name__, chances)
    if key not in _tables:
        if len(_tables) > 64:
            _tables.clear()
        _tables[key] = tissue.xp.asarray(np.asarray(chances, dtype=np.uint32))
    return _tables[key]
