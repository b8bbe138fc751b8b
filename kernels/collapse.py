"""Collapse of vessels that a tumour presses on, and their reopening.

    open -> collapsed    h = collapse_per_h   while tumour cells are on at least `least_faces_fraction` of the faces
    collapsed -> open    h = reopening_per_h  while they are not

with p(tick) = 1 - exp(-h tick); faces to other vessel voxels and at the lattice's walls do not count. Proliferating cells
compress the vessels among them, and these open again when cells are killed (Padera et al. 2004, Nature 427:695;
Stylianopoulos et al. 2012, PNAS 109:15101). A collapsed voxel is not perfused. What hangs on it loses its
perfusion with it, if it grew (`sim.vasculature`); a given vessel is supplied from outside at every voxel.
Ignored: pressure as a field, solid stress of the matrix, the width of a vessel.
"""

from typing import NamedTuple

import taichi as ti

from .draws import Purpose, Stamp, as_threshold, below, draw, happens
from .lattice import coordinates, has_neighbour, offset
from .launch import array, kernel
from .parameters import Parameters, quantity
from .tissue import Cell, Count, Tissue, Vessel


class Collapse(Parameters):
    """The `[collapse]` table."""

    collapse_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="none unless asked for; assumed",
        about="hazard of a vessel voxel under tumour pressure",
    )
    least_faces_fraction: float = quantity(
        0.75,
        unit="1",
        gt=0,
        le=1,
        source="assumed",
        about="share of its faces with tumour cells from which it is pressed",
    )
    reopening_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="none unless asked for; assumed",
        about="hazard of a collapsed voxel to open once it is relieved",
    )


class CollapseRates(NamedTuple):
    collapse: float = 0.0  # per tick
    reopening: float = 0.0  # per tick
    least: float = 1.0  # share of faces


def rates(parameters: Collapse, tick_h: float) -> CollapseRates:
    return CollapseRates(
        parameters.collapse_per_h * tick_h, parameters.reopening_per_h * tick_h, parameters.least_faces_fraction
    )


@ti.func
def pressed(cells: ti.i32, faces: ti.i32, least: ti.f32):
    """Do tumour cells on so many of the faces press a vessel shut?"""
    return faces > 0 and ti.cast(cells, ti.f32) >= least * ti.cast(faces, ti.f32)


@kernel
def collapse_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    vessel: array(ti.u8),
    counters: array(ti.i32),
    collapse: ti.f32,
    reopening: ti.f32,
    least: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; vessel bits u1; counters (len(Count),) i4.

    Walls: a face there does not count.
    Conserves: vessels and cells; only the bits COLLAPSED and PERFUSED are written.
    Race-free because: each voxel writes its own bits; of its neighbours it reads the cells, and whether they are vessels,
    which this pass does not change.
    """
    for row in range(lattice.rows):
        shut, opened = 0, 0
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            here = vessel[i]
            if (here & ti.u8(Vessel.PERFUSED | Vessel.COLLAPSED)) != 0:
                z, y, x = coordinates(lattice, i)
                cells, faces = 0, 0
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        j = i + ti.static(offset(lattice, face))
                        if vessel[j] == 0:
                            faces += 1
                            if cell[j] == ti.u8(Cell.TUMOUR):
                                cells += 1
                hazard = ti.f32(0.0)
                if pressed(cells, faces, least):
                    if (here & ti.u8(Vessel.COLLAPSED)) == 0:
                        hazard = collapse
                elif (here & ti.u8(Vessel.COLLAPSED)) != 0:
                    hazard = reopening
                if hazard > 0.0:
                    limit = as_threshold(happens(hazard))
                    if below(draw(i, tick, ti.u32(0), Purpose.COLLAPSE, lattice_id, k0, k1), limit):
                        if (here & ti.u8(Vessel.COLLAPSED)) == 0:
                            vessel[i] = (here | ti.u8(Vessel.COLLAPSED)) & ~ti.u8(Vessel.PERFUSED)
                            shut += 1
                        else:
                            # what grew waits for a path between two supplied vessels, which sim.vasculature looks for
                            vessel[i] = here & ~ti.u8(Vessel.COLLAPSED)
                            if (here & ti.u8(Vessel.GIVEN)) != 0:
                                vessel[i] = vessel[i] | ti.u8(Vessel.PERFUSED)
                            opened += 1
        if shut > 0:
            ti.atomic_add(counters[ti.static(int(Count.SHUT))], shut)
        if opened > 0:
            ti.atomic_add(counters[ti.static(int(Count.OPENED))], opened)


def press(tissue: Tissue, rates: CollapseRates, stamp: Stamp) -> None:
    """Shut vessels under pressure, open relieved ones. Reads cell. Writes vessel (COLLAPSED, PERFUSED); counts SHUT,
    OPENED."""
    if rates.collapse == 0.0 and rates.reopening == 0.0:
        return
    collapse_pass(
        tissue.lattice,
        tissue.cell,
        tissue.vessel,
        tissue.counters,
        rates.collapse,
        rates.reopening,
        rates.least,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
