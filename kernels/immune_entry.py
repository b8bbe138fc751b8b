"""How immune effectors come out of perfused blood vessels, into empty voxels beside them (`kernels.immune` has the law)."""

import taichi as ti

from .draws import Purpose, Stamp, as_threshold, below, draw, happens
from .immune import ImmuneRates
from .lattice import coordinates, has_neighbour, offset, wake_chunk_of
from .launch import array, kernel
from .tissue import Cell, Count, Tissue, Vessel


@kernel
def enter_pass(
    lattice: ti.template(),
    recruits: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    signal: array(ti.f32),
    busy: array(ti.u8),
    counters: array(ti.i32),
    entry: ti.f32,
    recruited: ti.f32,
    half: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; signal f4 (if `recruits`); busy (chunks,) 0/1 u1; hazards per face and tick.

    Walls: no vessel beyond them.
    Conserves: cells that are there; it adds effectors to voxels that hold neither a cell nor a vessel.
    Race-free because: each voxel reads and writes its own cell; vessels and signal are only read; who wakes a chunk
    stores the same 1.
    """
    supplied = ti.static(int(Vessel.BLOOD | Vessel.PERFUSED))
    for chunk in range(lattice.chunks):
        first = chunk * lattice.chunk
        entered = 0
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.EMPTY) and vessel[i] == 0:
                z, y, x = coordinates(lattice, i)
                walls = 0
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        beyond = vessel[i + ti.static(offset(lattice, face))]
                        walls += ti.cast((beyond & ti.u8(supplied)) == ti.u8(supplied), ti.i32)
                if walls > 0:
                    hazard = entry
                    if ti.static(recruits):
                        hazard += recruited * (signal[i] / (half + signal[i]))
                    chance = draw(i, tick, ti.u32(0), Purpose.IMMUNE_ENTER, lattice_id, k0, k1)
                    if below(chance, as_threshold(happens(hazard * ti.cast(walls, ti.f32)))):
                        cell[i] = ti.u8(Cell.IMMUNE)
                        wake_chunk_of(lattice, busy, i)
                        entered += 1
        if entered > 0:
            ti.atomic_add(counters[ti.static(int(Count.ENTERED))], entered)


def enter(tissue: Tissue, rates: ImmuneRates, stamp: Stamp) -> None:
    """Effectors come out of perfused blood vessels into empty voxels beside them.

    Reads cell, vessel, the signal. Writes cell, busy; counts ENTERED.
    """
    if rates.entry == rates.recruited == 0.0:
        return
    enter_pass(
        tissue.lattice,
        rates.recruited > 0.0,
        tissue.cell,
        tissue.vessel,
        tissue.solute(rates.signal),
        tissue.busy,
        tissue.counters,
        rates.entry,
        rates.recruited,
        rates.half,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
