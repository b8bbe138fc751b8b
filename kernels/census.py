"""The census: how many cells of each kind there are, counted afresh from the lattice.

The ledger compares it with what the passes say they did, so it shares nothing with them.
"""

import taichi as ti

from .lattice import is_idle
from .launch import array, kernel
from .tissue import MESENCHYMAL_EMT, Cell, Count, Tissue


@kernel
def census_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
):
    """cell code u1; emt u1; intent u1; busy (chunks,) 0/1 u1; counters (len(Count),) i4.

    Walls: none.
    Conserves: everything.
    Race-free because: cells are only read, a chunk writes its own flag and intents; counts are integers, added
    atomically, so their order does not matter.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        end = ti.min(first + lattice.chunk, lattice.voxels)
        tumour, mesenchymal, present = 0, 0, 0
        for i in range(first, end):
            # sums of comparisons, not branches: which voxels hold cells cannot be predicted
            here = ti.cast(cell[i] == ti.u8(Cell.TUMOUR), ti.i32)
            tumour += here
            present += ti.cast(cell[i] != ti.u8(Cell.EMPTY), ti.i32)
            mesenchymal += here * ti.cast(emt[i] >= ti.u8(MESENCHYMAL_EMT), ti.i32)
        if ti.static(lattice.chunk > 1):
            if present == 0:
                # the chunk falls idle, so nobody will overwrite its last intents: they go now
                busy[chunk] = ti.u8(0)
                for i in range(first, end):
                    intent[i] = ti.u8(0)
        if tumour > 0:
            ti.atomic_add(counters[ti.static(int(Count.TUMOUR))], tumour)
            ti.atomic_add(counters[ti.static(int(Count.MESENCHYMAL))], mesenchymal)
        if present > tumour:
            # rare, so a second look
            necrotic, immune, stroma, epithelium = 0, 0, 0, 0
            for i in range(first, end):
                necrotic += ti.cast(cell[i] == ti.u8(Cell.NECROTIC), ti.i32)
                immune += ti.cast(cell[i] == ti.u8(Cell.IMMUNE), ti.i32)
                stroma += ti.cast(cell[i] == ti.u8(Cell.STROMA), ti.i32)
                epithelium += ti.cast(cell[i] == ti.u8(Cell.EPITHELIUM), ti.i32)
            ti.atomic_add(counters[ti.static(int(Count.NECROTIC))], necrotic)
            ti.atomic_add(counters[ti.static(int(Count.IMMUNE))], immune)
            ti.atomic_add(counters[ti.static(int(Count.STROMA))], stroma)
            ti.atomic_add(counters[ti.static(int(Count.EPITHELIUM))], epithelium)


def count(tissue: Tissue) -> None:
    """Count the cells. Reads cell, emt. Writes busy (and intent of chunks that fall idle).

    Adds to the counters TUMOUR, MESENCHYMAL, NECROTIC, IMMUNE, STROMA and EPITHELIUM."""
    census_pass(tissue.lattice, tissue.cell, tissue.emt, tissue.intent, tissue.busy, tissue.counters)
