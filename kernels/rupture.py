"""Rupture of vessel walls, and its healing.

    intact -> ruptured   h = protease_per_h p + contact_per_h n      p protease at the wall, n tumour cells on its faces
    ruptured -> intact   h = healing_per_h

with p(tick) = 1 - exp(-h tick). Matrix metalloproteinases degrade the basement membrane of vessels and tumour cells that
press on the endothelium open it (Carmeliet and Jain 2000, Nature 407:249; McDonald and Baluk 2002, Cancer Res 62:5381: the
walls of tumour vessels are leaky). Through a ruptured wall any cell may leave (`kernels.intravasation`).
Ignored: bleeding, inhibitors of the protease beyond what its field shows, the age of a wound.
"""

from typing import NamedTuple

import taichi as ti

from .draws import Purpose, Stamp, as_threshold, below, draw, happens
from .lattice import coordinates, has_neighbour, offset
from .launch import array, kernel
from .parameters import Parameters, quantity
from .tissue import Cell, Count, Tissue, Vessel


class Rupture(Parameters):
    """The `[rupture]` table."""

    protease_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="none unless asked for; assumed",
        about="hazard of a wall's voxel per unit of protease in it",
    )
    contact_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="none unless asked for; assumed",
        about="hazard of a wall's voxel per tumour cell on its faces",
    )
    healing_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=1e3, source="none unless asked for; assumed", about="hazard of a rupture to close"
    )


class RuptureRates(NamedTuple):
    protease: float = 0.0  # per unit and tick
    contact: float = 0.0  # per cell and tick
    healing: float = 0.0  # per tick


def rates(parameters: Rupture, tick_h: float) -> RuptureRates:
    return RuptureRates(
        parameters.protease_per_h * tick_h, parameters.contact_per_h * tick_h, parameters.healing_per_h * tick_h
    )


@ti.func
def strain(vessel: ti.u8, protease: ti.f32, cells: ti.i32, by_protease: ti.f32, by_contact: ti.f32, healing: ti.f32):
    """The hazard of a wall to change: to rupture, or to heal."""
    out = by_protease * protease + by_contact * ti.cast(cells, ti.f32)
    if (vessel & ti.u8(Vessel.RUPTURED)) != 0:
        out = healing
    return out


@kernel
def rupture_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    protease: array(ti.f32),
    counters: array(ti.i32),
    by_protease: ti.f32,
    by_contact: ti.f32,
    healing: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; protease f4; counters (len(Count),) i4; hazards per tick.

    Walls: no cell beyond them.
    Conserves: vessels and cells; only the bit RUPTURED is written.
    Race-free because: each voxel writes its own bits and reads the cells around it; counts are integers.
    """
    for row in range(lattice.rows):
        torn = 0
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            wall = vessel[i]
            if (wall & ti.u8(Vessel.BLOOD | Vessel.LYMPH)) != 0 and (wall & ti.u8(Vessel.TIP)) == 0:
                z, y, x = coordinates(lattice, i)
                cells = 0
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        if cell[i + ti.static(offset(lattice, face))] == ti.u8(Cell.TUMOUR):
                            cells += 1
                hazard = strain(wall, protease[i], cells, by_protease, by_contact, healing)
                if hazard > 0.0:
                    if below(
                        draw(i, tick, ti.u32(0), Purpose.RUPTURE, lattice_id, k0, k1), as_threshold(happens(hazard))
                    ):
                        vessel[i] = wall ^ ti.u8(Vessel.RUPTURED)
                        torn += ti.cast((wall & ti.u8(Vessel.RUPTURED)) == 0, ti.i32)
        if torn > 0:
            ti.atomic_add(counters[ti.static(int(Count.TORN))], torn)


def tear(tissue: Tissue, rates: RuptureRates, stamp: Stamp) -> None:
    """Rupture walls and heal ruptures. Reads cell, protease. Writes vessel (RUPTURED); counts TORN."""
    if not any(rates):
        return
    rupture_pass(
        tissue.lattice,
        tissue.cell,
        tissue.vessel,
        tissue.protease,
        tissue.counters,
        rates.protease,
        rates.contact,
        rates.healing,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
