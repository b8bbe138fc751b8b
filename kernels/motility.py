"""Motility: random hops, biased up the matrix (haptotaxis).

A hop to the voxel beyond a face has probability w per substep; h = D dt / dx^2, q = chi dt / (4 dx^2):

    linear     w = h + q (m_ahead - m_behind), below 0 clamped to 0                   (Franssen 2019)
    boltzmann  w = h B(4 q/h (m_ahead - m_here)), B(z) = z/(1 - exp(-z))        (Scharfetter & Gummel 1969)

The second is the flux between two voxels that the drift-diffusion equation gives exactly: w_there/w_back
is exp(chi/D dm), so it obeys detailed balance with the Boltzmann weight exp(chi/D m), and on a step of
matrix it tends to chi dm dt/dx^2, however small D is; a cell of motility 0
stays. (The more usual h exp(chi/D dm/2) has the same
balance, but the less motile a cell is the faster it takes a step.)
Both drift at chi grad(m) for small gradients; of the clamped weights those are counted that a draw got
to. D goes from the epithelial to the mesenchymal value
with emt. A hop into an occupied voxel or a wall is lost. Substeps keep the total hop probability
of a fast cell on flat matrix at or below 0.05, because crowding slows exchange by (1-(1-x)^6)/(6x),
x = p rho/6; and below 1 on the steepest step a matrix can have. Cells that degrade their own voxel leave a hole
behind, whose edge drives them on: they spread faster than D alone says (docs/model.md has figures).
Ignored: persistence, chemotaxis, adhesion.
"""

import math
from typing import Literal, NamedTuple

import taichi as ti

from .draws import SUBSTEPS_MAX, Purpose, Stamp, as_threshold, below, block, draw, threshold
from .intent import MOVE
from .lattice import Lattice, coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .parameters import FRANSSEN_2019, Parameters, quantity
from .tissue import Cell, Count, Tissue

LINEAR, BOLTZMANN = 0, 1
_SUBSTEP_PROBABILITY = 0.05


class Motility(Parameters):
    """The `[motility]` table."""

    law: Literal["boltzmann", "linear"] = quantity(
        "boltzmann", unit="-", source="detailed balance; 'linear' is Franssen 2019", about="how a gradient biases hops"
    )
    mesenchymal_um2_per_h: float = quantity(
        36.0, unit="um2/h", ge=0, le=1e6, source=f"{FRANSSEN_2019}: 1e-10 cm2/s", about="motility of emt 255"
    )
    epithelial_um2_per_h: float = quantity(
        18.0, unit="um2/h", ge=0, le=1e6, source=f"{FRANSSEN_2019}: 5e-11 cm2/s", about="motility of emt 0"
    )
    haptotaxis_um2_per_h: float = quantity(
        180.0,
        unit="um2/h",
        ge=0,
        le=1e6,
        source=f"{FRANSSEN_2019}: 5e-4 (0.2 cm)^2 per 4e4 s",
        about="haptotactic coefficient chi, per unit of matrix",
    )


class MotilityRates(NamedTuple):
    """What a substep needs, per substep."""

    substeps: int
    law: int
    epithelial: float  # h of emt 0
    mesenchymal: float  # h of emt 255
    taxis: float  # q
    bound: int  # no cell hops with more than this probability (threshold): draws above it stay at once


def rates(parameters: Motility, lattice: Lattice, voxel_um: float, tick_h: float) -> MotilityRates:
    """Substeps from the crowding limit, and the coefficients of one of them.

    Raises ValueError if that asks for more substeps than draws can tell apart.
    """
    per_tick = tick_h / voxel_um**2
    fast = max(parameters.epithelial_um2_per_h, parameters.mesenchymal_um2_per_h)
    taxis = parameters.haptotaxis_um2_per_h / 4.0
    total = lattice.faces * fast * per_tick
    if parameters.law == "linear":
        # of the two weights of an axis one rises as the other falls, and none falls below 0
        steepest = lattice.dimensions * max(2 * fast, fast + taxis) * per_tick
    else:
        # h B(4 q/h) rises with h, from 4 q at h = 0
        pull = parameters.haptotaxis_um2_per_h
        steepest = (
            lattice.faces * per_tick * (pull / -math.expm1(-pull / fast) if fast > 0 and pull > 0 else fast + pull)
        )
    substeps = max(1, math.ceil(total / _SUBSTEP_PROBABILITY - 1e-9), math.ceil(steepest - 1e-9))
    if substeps > SUBSTEPS_MAX:
        raise ValueError(
            f"lattice.tick_h: at {tick_h:g} h the hops of [motility] ask for {substeps} substeps a tick, and there are "
            f"at most {SUBSTEPS_MAX}; shorten the tick, or lower the motility or the haptotaxis"
        )
    scale = per_tick / substeps
    return MotilityRates(
        substeps,
        LINEAR if parameters.law == "linear" else BOLTZMANN,
        parameters.epithelial_um2_per_h * scale,
        parameters.mesenchymal_um2_per_h * scale,
        taxis * scale,
        threshold(min(1.0, steepest / substeps * (1 + 1e-5))),
    )


@ti.func
def hop_weight(law: ti.template(), hop: ti.f32, taxis: ti.f32, here: ti.f32, ahead: ti.f32, behind: ti.f32):
    """Probability of a hop to the voxel ahead; negative where the linear law must be clamped."""
    weight = ti.f32(0.0)
    if ti.static(law == LINEAR):
        weight = hop + taxis * (ahead - behind)
    else:
        pull = 4.0 * taxis * (ahead - here)
        z = ti.abs(pull)
        weight = hop + 0.5 * pull  # B(z) = 1 + z/2 + z^2/12 - ...
        if z > 1e-3 * hop and hop > 0.0:
            back = ti.exp(-z / hop)
            weight = z / (1.0 - back)
            if pull < 0.0:
                weight *= back
        elif hop == 0.0:
            weight = 0.0  # what does not move is not pulled either
    return weight


@ti.func
def choose(
    lattice: ti.template(),
    law: ti.template(),
    solid_vessels: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    matrix: ti.template(),
    vessel: ti.template(),
    i: ti.i32,
    chance: ti.u32,
    epithelial: ti.f32,
    mesenchymal: ti.f32,
    taxis: ti.f32,
):
    """(intent, clamped weights) of the cell at i, whose draw is `chance`: the face in whose share it falls."""
    z, y, x = coordinates(lattice, i)
    here = matrix[i]
    hop = epithelial + (mesenchymal - epithelial) * (ti.cast(emt[i], ti.f32) / 255.0)
    around = ti.Vector([here] * lattice.faces)  # beyond a wall: the voxel itself
    highest = here
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            around[face] = matrix[i + ti.static(offset(lattice, face))]
            highest = ti.max(highest, around[face])
    looks = True
    if ti.static(law == BOLTZMANN):
        # no weight exceeds that of the densest neighbour: most draws lie above all of them, and one exponential tells
        most = hop_weight(law, hop, taxis, here, highest, here)
        looks = below(chance, as_threshold(ti.static(lattice.faces * (1 + 1e-5)) * most))
    want = ti.u8(0)
    clamped = 0
    if looks:
        total = ti.f32(0.0)
        chosen = False
        for face in ti.static(range(lattice.faces)):
            if not chosen and has_neighbour(lattice, z, y, x, face):
                weight = hop_weight(law, hop, taxis, here, around[face], around[face ^ 1])
                if weight < 0.0:
                    weight = 0.0
                    clamped += 1
                total += weight
                if below(chance, as_threshold(total)):
                    chosen = True
                    to = i + ti.static(offset(lattice, face))
                    free = cell[to] == ti.u8(Cell.EMPTY)
                    if ti.static(solid_vessels):
                        free = free and vessel[to] == 0
                    if free:
                        want = ti.u8(MOVE + face)
    return want, clamped


@kernel
def propose_pass(
    lattice: ti.template(),
    law: ti.template(),
    solid_vessels: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    matrix: array(ti.f32),
    vessel: array(ti.u8),
    leaving: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
    epithelial: ti.f32,
    mesenchymal: ti.f32,
    taxis: ti.f32,
    bound: ti.u32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; matrix f4 fraction; vessel bits u1; leaving 0/1 u1; intent u1 (kernels.intent);
    busy (chunks,) 0/1 u1; hop probabilities per face and substep.

    Walls: closed; no hop is proposed through them, and a gradient there takes the voxel itself for what is beyond.
    Conserves: everything; only intents are written.
    Race-free because: each voxel writes its own intent; cell, emt, matrix and vessel are only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        clamped = 0
        for tile in range(ti.static(lattice.chunk // lattice.tile)):
            first = chunk * lattice.chunk + tile * lattice.tile
            count = ti.min(lattice.tile, lattice.voxels - first)
            # which cells of the tile look around at all: most draws lie above any cell's total probability
            able = ti.u32(0)
            if count == lattice.tile:
                for lane in ti.static(range(lattice.tile)):
                    able |= ti.cast(cell[first + lane] == ti.u8(Cell.TUMOUR), ti.u32) << ti.u32(lane)
                for lane in ti.static(range(lattice.tile)):
                    intent[first + lane] = ti.u8(0)
            else:
                for lane in range(count):
                    able |= ti.cast(cell[first + lane] == ti.u8(Cell.TUMOUR), ti.u32) << ti.cast(lane, ti.u32)
                    intent[first + lane] = ti.u8(0)
            if able != 0:
                # all draws of the tile at once: independent chains, which the processor overlaps
                hops = ti.u32(0)
                if ti.static(lattice.tile >= 4):
                    for quad in ti.static(range(lattice.tile // 4)):
                        four = block(first + 4 * quad, tick, substep, Purpose.HOP, lattice_id, k0, k1)
                        for n in ti.static(range(4)):
                            hops |= ti.cast(below(four[n], bound), ti.u32) << ti.u32(4 * quad + n)
                else:
                    hops = ti.cast(below(draw(first, tick, substep, Purpose.HOP, lattice_id, k0, k1), bound), ti.u32)
                hops &= able
                if hops != 0:
                    for lane in range(count):
                        i = first + lane
                        if ((hops >> ti.cast(lane, ti.u32)) & ti.u32(1)) != 0 and leaving[i] == 0:
                            chance = draw(i, tick, substep, Purpose.HOP, lattice_id, k0, k1)
                            want, clamps = choose(
                                lattice,
                                law,
                                solid_vessels,
                                cell,
                                emt,
                                matrix,
                                vessel,
                                i,
                                chance,
                                epithelial,
                                mesenchymal,
                                taxis,
                            )
                            intent[i] = want
                            clamped += clamps
        if clamped > 0:
            ti.atomic_add(counters[ti.static(int(Count.CLAMPED))], clamped)


def propose(tissue: Tissue, rates: MotilityRates, substep: int, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Every tumour cell states where it wants to hop, if anywhere, in this substep.

    Reads cell, emt, matrix, vessel, leaving, busy. Writes intent; counts clamped weights.
    """
    propose_pass(
        tissue.lattice,
        rates.law,
        solid_vessels,
        tissue.cell,
        tissue.emt,
        tissue.matrix,
        tissue.vessel,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        tissue.counters,
        rates.epithelial,
        rates.mesenchymal,
        rates.taxis,
        rates.bound,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
