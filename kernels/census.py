"""The census: how many tumour cells there are, counted afresh from the lattice.

The ledger compares it with what the passes say they did, so it shares nothing with them.
"""

import taichi as ti

from .launch import array, kernel
from .tissue import MESENCHYMAL_EMT, Cell, Count, Tissue


@kernel
def census_pass(lattice: ti.template(), cell: array(ti.u8), emt: array(ti.u8), counters: array(ti.i32)):
    """cell code u1; emt u1; counters (len(Count),) i4.

    Walls: none.
    Conserves: everything.
    Race-free because: voxels are only read; counts are integers, added atomically, so their order does not matter.
    """
    for row in range(lattice.rows):
        tumour, mesenchymal = 0, 0
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            if cell[i] == ti.u8(Cell.TUMOUR):
                tumour += 1
                if emt[i] >= ti.u8(MESENCHYMAL_EMT):
                    mesenchymal += 1
        if tumour > 0:
            ti.atomic_add(counters[ti.static(int(Count.TUMOUR))], tumour)
            ti.atomic_add(counters[ti.static(int(Count.MESENCHYMAL))], mesenchymal)


def count(tissue: Tissue) -> None:
    """Count the tumour cells. Reads cell, emt. Adds to the counters TUMOUR and MESENCHYMAL."""
    census_pass(tissue.lattice, tissue.cell, tissue.emt, tissue.counters)
