"""Removal: who was marked to die or to be cleared is taken out of its voxel.

A process that ends cells judges all of them on the same old state and writes its verdict into `intent`, which
is free until hops and divisions are proposed: 0 it stays, else the `Count` under which its end is booked. This
pass then carries the verdicts out. Two passes, because a verdict may depend on neighbours.
"""

import taichi as ti

from .lattice import is_idle
from .launch import array, kernel
from .tissue import Cell, Count, Tissue


@kernel
def remove_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    colony: array(ti.u16),
    due: array(ti.u8),
    heading: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
):
    """What a cell carries (`tissue.CARRIED`); intent u1: 0 or a `Count`; busy (chunks,) 0/1 u1; counters (len(Count),) i4.

    Walls: none (a voxel knows only itself).
    Conserves: nothing; each mark ends one cell, or one voxel of debris, and is counted once.
    Race-free because: each voxel reads and writes itself; counts are integers, added atomically.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            mark = intent[i]
            if mark != ti.u8(0):
                intent[i] = ti.u8(0)
                cell[i] = ti.select(mark == ti.u8(Count.NECROSED), ti.u8(Cell.NECROTIC), ti.u8(Cell.EMPTY))
                emt[i] = ti.u8(0)
                clone[i] = ti.u32(0)
                colony[i] = ti.u16(0)
                due[i] = ti.u8(0)
                heading[i] = ti.u8(0)
                ti.atomic_add(counters[ti.cast(mark, ti.i32)], 1)


def remove(tissue: Tissue) -> None:
    """Carry out the marks. Reads intent, busy. Writes what cells carry and intent; counts by mark."""
    remove_pass(
        tissue.lattice,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.colony,
        tissue.due,
        tissue.heading,
        tissue.intent,
        tissue.busy,
        tissue.counters,
    )
