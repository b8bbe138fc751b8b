"""Intravasation: which cells leave through a vessel wall, and who goes along.

    arrival  a cell whose hop lands on a vessel leaves: through an intact wall if it is mesenchymal,
             through a ruptured one whatever it is                                  (Franssen 2019)
    contact  a cell on or beside a wall leaves with p = 1 - exp(-h tick), where
             h = active (1 + gain protease) [mesenchymal] * intact faces + passive * ruptured faces

A wall is one of blood or lymph that is perfused: nothing leaves through a sprout without a lumen or a collapsed vessel.
Arriving cells are found by the contest that moves them, and by `kernels.pulling`; being put or pushed onto a vessel
(`kernels.pushing`) is no arrival: such a cell enters when it next hops onto one. Contact needs a pass of its own, over the
vessel bytes. Who goes along with the departing cell, and which way: `sim.departures`. Ruptures: `kernels.rupture`.
Ignored: that a cell squeezes through a wall for hours; the direction of flow.
"""

from typing import Literal, NamedTuple

import numpy as np
import taichi as ti

from .draws import Purpose, Stamp, as_threshold, below, draw, happens
from .lattice import coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .parameters import FRANSSEN_2019, Parameters, quantity
from .tissue import MESENCHYMAL_EMT, Cell, Count, Tissue, Vessel

ARRIVAL, CONTACT = 0, 1


class Intravasation(Parameters):
    """The `[intravasation]` table."""

    law: Literal["contact", "arrival"] = quantity(
        "contact", unit="-", source="hazard per wall face; 'arrival' is Franssen 2019", about="what makes a cell enter"
    )
    active_per_h: float = quantity(
        0.02, unit="1/h", ge=0, le=1e3, source="assumed", about="hazard of a mesenchymal cell per intact wall face"
    )
    passive_per_h: float = quantity(
        0.1, unit="1/h", ge=0, le=1e3, source="assumed", about="hazard of any cell per ruptured wall face"
    )
    minimum_emt: int = quantity(
        MESENCHYMAL_EMT,
        unit="1",
        ge=0,
        le=255,
        source="assumed: the upper half of the spectrum",
        about="least emt with which a cell crosses an intact wall by itself",
    )
    protease_gain: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1e6,
        source="none unless asked for; assumed",
        about="by what a unit of protease raises the hazard at an intact wall: active_per_h (1 + protease_gain protease)",
    )
    cluster_law: Literal["block", "bonds"] = quantity(
        "block",
        unit="-",
        source=f"'block' is {FRANSSEN_2019}; 'bonds' follows [adhesion]",
        about="who goes along: those in the block of the wall and beside it, or those that adhere",
    )
    companion_probability: float = quantity(
        1.0, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="block: that a neighbour in reach goes along"
    )
    cluster_reach_um: float = quantity(
        60.0,
        unit="um",
        ge=0,
        le=1e4,
        source="assumed: three cells",
        about="bonds: no companion is farther from the cell that enters than this",
    )
    cluster_cells_max: int = quantity(
        20, unit="cells", ge=1, le=255, source=f"{FRANSSEN_2019}: five sites of four cells", about="largest cluster"
    )


class IntravasationRates(NamedTuple):
    law: int
    active: float  # hazard per intact face and tick
    passive: float  # hazard per ruptured face and tick
    minimum_emt: int
    gain: float = 0.0  # of the active hazard, per unit of protease


def rates(parameters: Intravasation, tick_h: float) -> IntravasationRates:
    return IntravasationRates(
        ARRIVAL if parameters.law == "arrival" else CONTACT,
        parameters.active_per_h * tick_h,
        parameters.passive_per_h * tick_h,
        parameters.minimum_emt,
        parameters.protease_gain,
    )


@ti.func
def is_open_to_cells(vessel: ti.u8):
    """Is this a vessel of blood or lymph that leads away?"""
    return (vessel & ti.u8(Vessel.BLOOD | Vessel.LYMPH)) != 0 and (vessel & ti.u8(Vessel.PERFUSED)) != 0


@ti.func
def enters(vessel: ti.u8, emt: ti.u8, minimum_emt: ti.u32):
    """Does a cell that has just hopped onto this vessel enter it?"""
    ruptured = (vessel & ti.u8(Vessel.RUPTURED)) != 0
    return is_open_to_cells(vessel) and (ruptured or ti.cast(emt, ti.u32) >= minimum_emt)


@ti.func
def wall_hazard(vessel: ti.u8, emt: ti.u8, active: ti.f32, passive: ti.f32, minimum_emt: ti.u32):
    """Hazard of one face that looks at this voxel."""
    out = ti.f32(0.0)
    if is_open_to_cells(vessel):
        if (vessel & ti.u8(Vessel.RUPTURED)) != 0:
            out = passive
        elif ti.cast(emt, ti.u32) >= minimum_emt:
            out = active
    return out


@kernel
def contact_pass(
    lattice: ti.template(),
    raised: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    vessel: array(ti.u8),
    protease: array(ti.f32),
    leaving: array(ti.u8),
    busy: array(ti.u8),
    counters: array(ti.i32),
    active: ti.f32,
    passive: ti.f32,
    gain: ti.f32,
    minimum_emt: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; vessel bits u1; protease f4, looked at if `raised`; leaving 0/1 u1; busy (chunks,) 0/1 u1;
    hazards per face and tick.

    Walls: no vessel beyond them.
    Conserves: cells; it only marks them.
    Race-free because: each voxel writes its own `leaving`; cell, emt and vessel are only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        marked = 0
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.TUMOUR):
                z, y, x = coordinates(lattice, i)
                able = active
                if ti.static(raised):
                    able *= 1.0 + gain * protease[i]
                hazard = wall_hazard(vessel[i], emt[i], able, passive, minimum_emt)
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        beyond = vessel[i + ti.static(offset(lattice, face))]
                        if beyond != ti.u8(0):
                            hazard += wall_hazard(beyond, emt[i], able, passive, minimum_emt)
                if hazard > 0.0:
                    limit = as_threshold(happens(hazard))
                    if below(draw(i, tick, ti.u32(0), Purpose.INTRAVASATE, lattice_id, k0, k1), limit):
                        leaving[i] = ti.u8(1)
                        marked += 1
        if marked > 0:
            ti.atomic_add(counters[ti.static(int(Count.LEAVING))], marked)


def mark(tissue: Tissue, rates: IntravasationRates, stamp: Stamp) -> None:
    """Mark the cells that leave by contact. Reads cell, emt, vessel, protease, busy. Writes leaving; counts LEAVING."""
    if rates.law == ARRIVAL or (rates.active == 0.0 and rates.passive == 0.0):
        return
    contact_pass(
        tissue.lattice,
        rates.gain > 0.0,
        tissue.cell,
        tissue.emt,
        tissue.vessel,
        tissue.protease,
        tissue.leaving,
        tissue.busy,
        tissue.counters,
        rates.active,
        rates.passive,
        rates.gain,
        rates.minimum_emt,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


def leaving_voxels(tissue: Tissue) -> np.ndarray:
    """Flat indices of the marked cells, ascending, on the host."""
    found = tissue.xp.flatnonzero(tissue.leaving)
    return found if isinstance(found, np.ndarray) else found.get()
