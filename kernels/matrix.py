"""Degradation of the extracellular matrix, by contact and by protease.

    dm/dt = -(k_contact emt/255 [tumour cell here] + k_soluble protease) m

m is the intact fraction. The rate is held over a tick and integrated by its exact exponential, so m
stays in [0, 1] for any tick (Franssen 2019 steps 1 - rate dt instead; 0.24 % apart after 300 steps
under four cells). Here membrane-bound MT1-MMP acts on the cell's own voxel; a reach beyond it, an
inhibitor, clones that make more or less of it, and rebuilding are in `kernels.turnover`, which passes
here where a scenario has none of them.
Ignored: the products of degradation, and what growth factors the matrix held.
"""

from typing import NamedTuple, Self

import taichi as ti
from pydantic import Field, model_validator

from .lattice import TILE
from .launch import array, kernel
from .parameters import FRANSSEN_2019, Parameters, quantity
from .texture import Texture, check_mean
from .tissue import Cell, Tissue


class Matrix(Parameters):
    """The `[matrix]` table."""

    initial_fraction: float = quantity(
        1.0, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="intact fraction at the start; the mean of a texture"
    )
    contact_per_h: float = quantity(
        0.36,
        unit="1/h",
        ge=0,
        le=1e6,
        source=f"{FRANSSEN_2019}: 1 per 4e4 s and cell at 4 cells a site, so 4 per 4e4 s for a voxel of 5 um with one cell",
        about="degradation by MT1-MMP of a fully mesenchymal cell, in its own voxel",
    )
    soluble_per_h: float = quantity(
        0.09, unit="1/h", ge=0, le=1e6, source=f"{FRANSSEN_2019}: 1 per 4e4 s", about="degradation per unit of protease"
    )
    contact_reach_voxels: int = quantity(
        0,
        unit="voxels",
        ge=0,
        le=1,
        source="Franssen et al. 2019 degrade a cell's own site; pericellular beyond it: assumed",
        about="reach of MT1-MMP: 0 a cell's own voxel, 1 also those beyond its six faces, each at the full rate",
    )
    inhibition_constant: float = quantity(
        1.0,
        unit="1",
        gt=0,
        le=1e6,
        source="assumed",
        about="concentration of inhibitor (TIMP) that halves the work of MT1-MMP and of the protease",
    )
    texture: Texture = Field(default_factory=Texture)

    @model_validator(mode="after")
    def _mean(self) -> Self:
        check_mean(self.texture, self.initial_fraction)
        return self


class MatrixRates(NamedTuple):
    contact: float  # per emt unit and tick
    soluble: float  # per protease unit and tick
    reach: int = 0  # voxels
    inhibited: bool = False  # does the scenario have an inhibitor?
    inhibition_constant: float = 1.0
    bound: bool = False  # is the protease that is left free of inhibitor (`kernels.binding`)?


def rates(parameters: Matrix, tick_h: float, *, inhibited: bool = False, bound: bool = False) -> MatrixRates:
    return MatrixRates(
        parameters.contact_per_h * tick_h / 255.0,
        parameters.soluble_per_h * tick_h,
        parameters.contact_reach_voxels,
        inhibited,
        parameters.inhibition_constant,
        bound,
    )


@ti.func
def left_over(exposure: ti.f32):
    """exp(-exposure) for exposures up to 1/16: four terms are exact to f32 there (the fifth is below 1e-8)."""
    return 1.0 - exposure * (1.0 - exposure * (0.5 - exposure * (1.0 / 6.0 - exposure * (1.0 / 24.0))))


@ti.func
def exposed(cell: ti.u8, emt: ti.u8, protease: ti.f32, contact: ti.f32, soluble: ti.f32):
    """The rate a voxel's matrix is under, times the tick."""
    touched = ti.select(cell == ti.u8(Cell.TUMOUR), contact * ti.cast(emt, ti.f32), ti.f32(0.0))
    return soluble * protease + touched


@ti.func
def degrade_tile(
    width: ti.template(),
    matrix: ti.template(),
    protease: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    i: ti.i32,
    contact: ti.f32,
    soluble: ti.f32,
):
    """`width` voxels from i on; strong exposures, which are rare, are done once more with the exponential itself."""
    fresh = ti.Vector([ti.f32(0.0)] * width)
    strongest = ti.f32(0.0)
    for lane in ti.static(range(width)):
        exposure = exposed(cell[i + lane], emt[i + lane], protease[i + lane], contact, soluble)
        fresh[lane] = matrix[i + lane] * left_over(exposure)
        strongest = ti.max(strongest, exposure)
    if strongest > 0.0625:
        for lane in ti.static(range(width)):
            exposure = exposed(cell[i + lane], emt[i + lane], protease[i + lane], contact, soluble)
            if exposure > 0.0625:
                fresh[lane] = matrix[i + lane] * ti.exp(-exposure)
    for lane in ti.static(range(width)):
        matrix[i + lane] = fresh[lane]


@kernel
def degrade_pass(
    lattice: ti.template(),
    matrix: array(ti.f32),
    protease: array(ti.f32),
    cell: array(ti.u8),
    emt: array(ti.u8),
    contact: ti.f32,
    soluble: ti.f32,
):
    """matrix (voxels,) f4 fraction; protease f4 c/c0; cell code u1; emt u1; contact, soluble per tick.

    Walls: none (a voxel knows only itself).
    Conserves: nothing; m falls and stays in [0, 1].
    Race-free because: each voxel reads and writes itself.
    """
    for row in range(lattice.rows):
        first = row * lattice.lanes
        for tile in range(ti.static(lattice.lanes // TILE)):
            degrade_tile(TILE, matrix, protease, cell, emt, first + tile * TILE, contact, soluble)
        if ti.static(lattice.lanes % TILE > 0):
            rest = ti.static(lattice.lanes % TILE)
            degrade_tile(rest, matrix, protease, cell, emt, first + lattice.lanes - rest, contact, soluble)


def degrade(tissue: Tissue, rates: MatrixRates) -> None:
    """Degrade the matrix for one tick, by contact with own cells and by protease alone (see `kernels.turnover`).

    Reads cell, emt, protease. Writes matrix."""
    if rates.contact == 0.0 and rates.soluble == 0.0:
        return
    degrade_pass(tissue.lattice, tissue.matrix, tissue.protease, tissue.cell, tissue.emt, rates.contact, rates.soluble)
