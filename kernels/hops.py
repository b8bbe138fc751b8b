"""Hops: where a cell wants to go in one substep. The rules and the pass of kernels.motility, which has the equations.

One draw decides: the faces' probabilities are laid end to end, and the cell wants the face in whose share the draw
falls, if the voxel beyond is free. Most draws lie above any cell's total and are turned away before
anything is looked at. What a scenario does not use is left out when the kernel is compiled (`Factors`).
"""

from dataclasses import dataclass

import taichi as ti

from . import adhesion
from .draws import Purpose, as_threshold, below, block, draw
from .guidance import along
from .intent import MOVE
from .lattice import coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .pores import limit_of, passage
from .taxis import BOLTZMANN, LINEAR, attraction, hop_weight
from .tissue import Cell, Count, Trait
from .traits import trait_of


@dataclass(frozen=True)
class Factors:
    """What there is to a hop, known when the kernel is compiled: what is False costs nothing."""

    law: int = LINEAR
    bonds: bool = False
    grip: bool = False
    varied: bool = False  # clones differ
    attracted: bool = False  # by a solute
    guided: bool = False  # by fibres
    pores: bool = False
    runs: bool = False  # along a heading

    @property
    def shared(self) -> bool:
        """Is there anything that all weights of a cell are multiplied by?"""
        return self.bonds or self.grip or self.varied


@ti.func
def choose(
    lattice: ti.template(),
    factors: ti.template(),
    solid_vessels: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    clone: ti.template(),
    heading: ti.template(),
    matrix: ti.template(),
    fibre: ti.template(),
    vessel: ti.template(),
    solute: ti.template(),
    traits: ti.template(),
    i: ti.i32,
    chance: ti.u32,
    epithelial: ti.f32,
    mesenchymal: ti.f32,
    taxis: ti.f32,
    chemotaxis: ti.f32,
    half: ti.f32,
    epithelial_run: ti.f32,
    mesenchymal_run: ti.f32,
    alignment: ti.f32,
    bond_energy: ti.f32,
    grip: ti.f32,
    open_area: ti.f32,
    intact_area: ti.f32,
    nucleus: ti.f32,
    epithelial_limit: ti.f32,
    mesenchymal_limit: ti.f32,
    amoeboid_limit: ti.f32,
    fastest: ti.f32,
):
    """(intent, clamped weights) of the cell at i, whose draw is `chance`: the face in whose share it falls."""
    z, y, x = coordinates(lattice, i)
    spectrum = ti.cast(emt[i], ti.f32) / 255.0
    hop = epithelial + (mesenchymal - epithelial) * spectrum
    here = attraction(factors.attracted, matrix, solute, i, taxis, chemotaxis, half)
    around = ti.Vector([here] * lattice.faces)  # beyond a wall: the voxel itself
    highest = here
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            j = i + ti.static(offset(lattice, face))
            around[face] = attraction(factors.attracted, matrix, solute, j, taxis, chemotaxis, half)
            highest = ti.max(highest, around[face])
    slope = taxis
    if ti.static(factors.attracted):
        slope = 1.0  # both coefficients are in the attraction
    run = ti.f32(0.0)
    if ti.static(factors.runs):
        run = epithelial_run + (mesenchymal_run - epithelial_run) * spectrum
    # what all the cell's weights are multiplied by
    share = ti.f32(1.0)
    if ti.static(factors.varied):
        share = ti.min(trait_of(traits, clone[i], Trait.MOTILITY), fastest)
    looks = True
    most = ti.f32(0.0)
    if ti.static(factors.law == BOLTZMANN):
        # no weight exceeds that of the densest neighbour: most draws lie above all of them, and one exponential tells
        most = ti.static(lattice.faces * (1 + 1e-5)) * hop_weight(factors.law, hop, slope, here, highest, here)
        if ti.static(factors.runs):
            most += ti.static(1 + 1e-5) * run
        if ti.static(factors.guided):
            most *= 1.0 + ti.static((lattice.dimensions - 1) * (1 + 1e-5)) * alignment
        if ti.static(factors.varied):
            most *= share
        looks = below(chance, as_threshold(most))
    if ti.static(factors.bonds or factors.grip):
        if looks:
            barrier = ti.f32(0.0)
            if ti.static(factors.bonds):
                barrier = adhesion.held(lattice, factors.varied, cell, emt, clone, traits, i, z, y, x, bond_energy)
            if ti.static(factors.grip):
                barrier += grip * matrix[i]
            loose = ti.exp(-barrier)
            share *= loose
            if ti.static(factors.law == BOLTZMANN):
                looks = below(chance, as_threshold(most * loose))
    want = ti.u8(0)
    clamped = 0
    if looks:
        limit = ti.f32(0.0)
        if ti.static(factors.pores):
            protease = ti.f32(1.0)
            if ti.static(factors.varied):
                protease = trait_of(traits, clone[i], Trait.PROTEASE)
            limit = limit_of(emt[i], protease, epithelial_limit, mesenchymal_limit, amoeboid_limit)
        total = ti.f32(0.0)
        chosen = False
        for face in ti.static(range(lattice.faces)):
            if not chosen and has_neighbour(lattice, z, y, x, face):
                to = i + ti.static(offset(lattice, face))
                weight = hop_weight(factors.law, hop, slope, here, around[face], around[face ^ 1])
                if weight < 0.0:
                    weight = 0.0
                    clamped += 1
                if ti.static(factors.runs):
                    if heading[i] == ti.u8(1 + face):
                        weight += run
                if ti.static(factors.guided):
                    weight *= 0.5 * (
                        along(lattice, fibre[i], matrix[i], face, alignment)
                        + along(lattice, fibre[to], matrix[to], face, alignment)
                    )
                if ti.static(factors.pores):
                    weight *= passage(matrix[to], open_area, intact_area, nucleus, limit)
                if ti.static(factors.shared):
                    weight *= share
                total += weight
                if below(chance, as_threshold(total)):
                    chosen = True
                    free = cell[to] == ti.u8(Cell.EMPTY)
                    if ti.static(solid_vessels):
                        free = free and vessel[to] == 0
                    if free:
                        want = ti.u8(MOVE + face)
    return want, clamped


@kernel
def propose_pass(
    lattice: ti.template(),
    factors: ti.template(),
    solid_vessels: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    heading: array(ti.u8),
    matrix: array(ti.f32),
    fibre: array(ti.u8),
    vessel: array(ti.u8),
    solute: array(ti.f32),
    traits: array(ti.f32),
    leaving: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
    epithelial: ti.f32,
    mesenchymal: ti.f32,
    taxis: ti.f32,
    chemotaxis: ti.f32,
    half: ti.f32,
    epithelial_run: ti.f32,
    mesenchymal_run: ti.f32,
    alignment: ti.f32,
    bond_energy: ti.f32,
    grip: ti.f32,
    open_area: ti.f32,
    intact_area: ti.f32,
    nucleus: ti.f32,
    epithelial_limit: ti.f32,
    mesenchymal_limit: ti.f32,
    amoeboid_limit: ti.f32,
    fastest: ti.f32,
    bound: ti.u32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; clone u4; heading 1 + face u1; matrix f4 fraction; fibre 1 + axis u1; vessel bits u1; solute
    f4, the attractant (one element where there is none); traits (clones, len(Trait)) f4; leaving 0/1 u1; intent u1
    (kernels.intent); busy (chunks,) 0/1 u1. Per substep: hops and attraction per face, voxels run; `half` in the
    solute's unit; energies in kT; areas in um2; `fastest` bounds the trait MOTILITY; no cell hops with more than
    `bound` (a threshold).

    Walls: closed; no hop is proposed through them, and a gradient there takes the voxel itself for what is beyond.
    Conserves: everything; only intents are written.
    Race-free because: each voxel writes its own intent; all else is only read.
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
                                factors,
                                solid_vessels,
                                cell,
                                emt,
                                clone,
                                heading,
                                matrix,
                                fibre,
                                vessel,
                                solute,
                                traits,
                                i,
                                chance,
                                epithelial,
                                mesenchymal,
                                taxis,
                                chemotaxis,
                                half,
                                epithelial_run,
                                mesenchymal_run,
                                alignment,
                                bond_energy,
                                grip,
                                open_area,
                                intact_area,
                                nucleus,
                                epithelial_limit,
                                mesenchymal_limit,
                                amoeboid_limit,
                                fastest,
                            )
                            intent[i] = want
                            clamped += clamps
        if clamped > 0:
            ti.atomic_add(counters[ti.static(int(Count.CLAMPED))], clamped)
