"""A transient solute that mesenchymal cells secrete: the protease.

    dc/dt = D lap(c) - decay c + secretion emt/255        (in voxels that hold a tumour cell)

7-point explicit Euler in f32, walls of zero flux. Positive and bounded while
2 d D dt/dx^2 + decay dt <= 1 in d dimensions; the tick is cut into as many substeps as that asks for.
Concentrations are in units of a reference concentration. Secretion is per voxel with a
mesenchymal cell in it, so it scales with the inverse voxel volume when `voxel_um` changes.
Ignored: binding, inhibitors, convection.
"""

import math
from typing import NamedTuple

import taichi as ti

from .lattice import Lattice, has_neighbour, offset, row_origin
from .launch import array, kernel
from .parameters import FRANSSEN_2019, Parameters, quantity
from .tissue import Cell, Tissue


class Solute(Parameters):
    """The `[solutes.protease]` table: a collagen-tethered matrix metalloproteinase (MMP-2)."""

    diffusivity_um2_per_h: float = quantity(
        360.0,
        unit="um2/h",
        ge=0,
        le=1e8,
        source=f"{FRANSSEN_2019}: 1e-9 cm2/s, tethered to collagen (free 72 kDa protein: 100-1000 times faster)",
        about="diffusivity of the protease",
    )
    decay_per_h: float = quantity(
        0.009, unit="1/h", ge=0, le=1e4, source=f"{FRANSSEN_2019}: 0.1 per 4e4 s", about="decay rate"
    )
    secretion_per_h: float = quantity(
        0.0702,
        unit="1/h",
        ge=0,
        le=1e6,
        source=f"{FRANSSEN_2019}: 0.195 per 4e4 s and cell at 4 cells a site, so 0.78 for a voxel of one cell",
        about="rise of concentration per hour in a voxel that holds a fully mesenchymal cell",
    )


class SoluteRates(NamedTuple):
    """What a substep needs, per substep."""

    substeps: int
    exchange: float  # D dt / dx^2
    decay: float  # decay dt
    secretion: float  # secretion dt / 255


def rates(parameters: Solute, lattice: Lattice, voxel_um: float, tick_h: float) -> SoluteRates:
    """Substeps from the stability limit, and the coefficients of one of them."""
    per_tick = tick_h * (
        2 * lattice.dimensions * parameters.diffusivity_um2_per_h / voxel_um**2 + parameters.decay_per_h
    )
    substeps = max(1, math.ceil(per_tick - 1e-9))
    dt = tick_h / substeps
    return SoluteRates(
        substeps,
        parameters.diffusivity_um2_per_h * dt / voxel_um**2,
        parameters.decay_per_h * dt,
        parameters.secretion_per_h * dt / 255.0,
    )


@ti.func
def relaxed(here: ti.f32, around: ti.f32, faces: ti.f32, exchange: ti.f32, decay: ti.f32, source: ti.f32):
    """One voxel one substep on: what flowed in, what decayed, what was secreted."""
    return here + exchange * (around - faces * here) - decay * here + source


@kernel
def diffuse_pass(
    lattice: ti.template(),
    now: array(ti.f32),
    after: array(ti.f32),
    cell: array(ti.u8),
    emt: array(ti.u8),
    exchange: ti.f32,
    decay: ti.f32,
    secretion: ti.f32,
):
    """now, after (voxels,) f4 concentration; cell code u1; emt u1; coefficients of one substep.

    Walls: zero flux (a wall stands in for a neighbour equal to the voxel itself).
    Conserves: the plain sum, but for decay and secretion (each face's flux is added and taken once).
    Race-free because: each voxel writes itself in `after` and reads `now`.
    """
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            x = x0 + lane
            here = now[i]
            around = ti.f32(0.0)
            for face in ti.static(range(lattice.faces)):
                beyond = here
                if has_neighbour(lattice, z, y, x, face):
                    beyond = now[i + ti.static(offset(lattice, face))]
                around += beyond
            source = ti.f32(0.0)
            if cell[i] == ti.u8(Cell.TUMOUR):
                source = secretion * ti.cast(emt[i], ti.f32)
            after[i] = relaxed(here, around, ti.static(float(lattice.faces)), exchange, decay, source)


def diffuse(tissue: Tissue, rates: SoluteRates) -> None:
    """Advance the protease by one tick.

    Reads cell, emt, protease. Writes protease (and spare).
    """
    for _ in range(rates.substeps):
        diffuse_pass(
            tissue.lattice,
            tissue.protease,
            tissue.spare,
            tissue.cell,
            tissue.emt,
            rates.exchange,
            rates.decay,
            rates.secretion,
        )
        tissue.protease, tissue.spare = tissue.spare, tissue.protease
