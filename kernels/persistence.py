"""Persistence: a cell keeps its heading for a while and runs along it.

A cell runs at speed v through the face that it heads for, v dt/dx a substep, besides its random hops. It takes a new
heading, any face alike, at rate 1/P, with p = 1 - exp(-tick/P) once a tick. So its mean squared displacement is

    2 v^2 P [t - P (1 - exp(-t/P))] + dx v t        (Fuerth 1920, Z Phys 2:244, and the lattice's own term)

the second term because a lattice grants whole voxels only, at random times; it is not small at short times and small
v P. A walk is therefore resolved only if the faster phenotype's v P is at least three voxels (and two ticks are no more than P);
else it is told by its diffusion D = v^2 P/d in d dimensions, which is added to the random motility.
A heading is not lost at an obstacle: the cell pushes on until it takes another. A new cell takes one in its first whole tick.
Ignored: contact inhibition of locomotion, headings between the axes, headings that align with neighbours.
"""

import math
from typing import NamedTuple

import taichi as ti

from .draws import Purpose, Stamp, below, draw, threshold
from .lattice import is_idle
from .launch import array, kernel
from .tissue import Cell, Tissue

RESOLVED_VOXELS = 3.0


class Run(NamedTuple):
    """Per tick: voxels run by either phenotype, and the threshold of a new heading. All 0: nobody persists."""

    epithelial: float = 0.0
    mesenchymal: float = 0.0
    turn: int = 0


def run(
    epithelial_um_per_h: float, mesenchymal_um_per_h: float, persistence_h: float, voxel_um: float, tick_h: float
) -> Run:
    """Runs of a tick, or none where the lattice does not resolve them.

    Raises ValueError where the tick does not.
    """
    if max(epithelial_um_per_h, mesenchymal_um_per_h) * persistence_h < RESOLVED_VOXELS * voxel_um:
        return Run()
    if 2 * tick_h > persistence_h * (1 + 1e-9):
        raise ValueError(
            f"motility.persistence_h: headings are taken once a tick of {tick_h:g} h, so {persistence_h:g} h is too short; "
            "shorten lattice.tick_h to half of it"
        )
    per_tick = tick_h / voxel_um
    turns = threshold(-math.expm1(-tick_h / persistence_h))
    return Run(epithelial_um_per_h * per_tick, mesenchymal_um_per_h * per_tick, turns)


@kernel
def turn_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    heading: array(ti.u8),
    busy: array(ti.u8),
    limit: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; heading 1 + face u1, 0 none; busy (chunks,) 0/1 u1; limit threshold of a new heading.

    Walls: none; a cell may head for one.
    Conserves: cells; only headings are written.
    Race-free because: each voxel reads and writes itself.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.TUMOUR):
                turns = heading[i] == 0
                if not turns:
                    turns = below(draw(i, tick, ti.u32(0), Purpose.TURN, lattice_id, k0, k1), limit)
                if turns:
                    chance = draw(i, tick, ti.u32(0), Purpose.HEADING, lattice_id, k0, k1)
                    face = (ti.cast(chance, ti.u64) * ti.u64(lattice.faces)) >> ti.u64(32)
                    heading[i] = ti.cast(face, ti.u8) + ti.u8(1)


def turn(tissue: Tissue, run: Run, stamp: Stamp) -> None:
    """Cells take new headings for this tick. Reads cell, busy. Writes heading."""
    if run.epithelial == 0.0 and run.mesenchymal == 0.0:
        return
    turn_pass(
        tissue.lattice,
        tissue.cell,
        tissue.heading,
        tissue.busy,
        run.turn,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
