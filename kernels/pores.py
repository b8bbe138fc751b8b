"""Pores: dense matrix stops the nucleus, unless it is degraded first.

Matrix is taken for a mesh whose pores narrow linearly from `open_um2` (no matrix left) to `intact_um2` (m = 1). A hop
into a voxel with pores of area A has its weight multiplied by

    (A - limit)/(nucleus - limit), kept within [0, 1]

linear in the area and zero at the limit, 7 um2 for tumour cells that do not degrade, about a tenth of a
nucleus' cross-section (Wolf et al. 2013, J Cell Biol 201:1069); pores as wide as a nucleus slow nobody. What counts is
the voxel that a cell hops into: its own it has filled already. So hops are in balance with the room that the matrix
leaves, and cells gather where it is open. The limit goes from the epithelial to the mesenchymal value with emt, and
for mesenchymal cells of a clone without protease (trait PROTEASE below 1) on to that of an amoeboid one, which squeezes
through (Wolf et al. 2003, J Cell Biol 160:267). Nothing names a leader: who degrades opens a way, and
others can pass only there.
Ignored: the time a nucleus takes to deform, damage to it, pores that a cell has pushed wider.
"""

from typing import NamedTuple, Self

import taichi as ti
from pydantic import model_validator

from .parameters import Parameters, quantity

WOLF_2013 = "Wolf et al. 2013, J Cell Biol 201:1069"


class Pores(Parameters):
    """The `[pores]` table. Pores as wide as a nucleus, the default, hinder nobody."""

    open_um2: float = quantity(
        100.0, unit="um2", gt=0, le=1e4, source="assumed", about="pore area where no matrix is left"
    )
    intact_um2: float = quantity(
        100.0,
        unit="um2",
        ge=0,
        le=1e4,
        source="assumed: no hindrance unless asked for (dense collagen 2-20 um2, from memory)",
        about="pore area of intact matrix",
    )
    nucleus_um2: float = quantity(
        70.0,
        unit="um2",
        gt=0,
        le=1e4,
        source=f"derived: the limit of 7 um2 is about 10 % of a nuclear cross-section ({WOLF_2013})",
        about="pore area from which on a nucleus passes freely",
    )
    epithelial_limit_um2: float = quantity(
        7.0, unit="um2", ge=0, le=1e4, source=WOLF_2013, about="pore area that stops a cell of emt 0"
    )
    mesenchymal_limit_um2: float = quantity(
        7.0, unit="um2", ge=0, le=1e4, source=WOLF_2013, about="pore area that stops a cell of emt 255"
    )
    amoeboid_limit_um2: float = quantity(
        4.0,
        unit="um2",
        ge=0,
        le=1e4,
        source=f"assumed: that of a T cell ({WOLF_2013})",
        about="pore area that stops a mesenchymal cell of a clone without protease",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.intact_um2 > self.open_um2:
            raise ValueError("pores.intact_um2: must not exceed pores.open_um2, since matrix narrows pores")
        for name in ("epithelial_limit_um2", "mesenchymal_limit_um2", "amoeboid_limit_um2"):
            if getattr(self, name) >= self.nucleus_um2:
                raise ValueError(f"pores.{name}: must be below pores.nucleus_um2, which passes freely")
        return self


class PoreRates(NamedTuple):
    """Areas in um2. Where pores are never narrower than a nucleus there is nothing to work out."""

    open: float = 1.0
    intact: float = 1.0
    nucleus: float = 1.0
    epithelial: float = 0.0
    mesenchymal: float = 0.0
    amoeboid: float = 0.0

    @property
    def hinder(self) -> bool:
        return self.intact < self.nucleus


def rates(parameters: Pores) -> PoreRates:
    p = parameters
    limits = (p.epithelial_limit_um2, p.mesenchymal_limit_um2, p.amoeboid_limit_um2)
    return PoreRates(p.open_um2, p.intact_um2, p.nucleus_um2, *limits)


@ti.func
def limit_of(emt: ti.u8, protease: ti.f32, epithelial: ti.f32, mesenchymal: ti.f32, amoeboid: ti.f32):
    """Pore area that stops a cell; `protease` is the trait of its clone, 1 where clones do not differ."""
    squeezing = amoeboid + (mesenchymal - amoeboid) * ti.min(protease, 1.0)
    return epithelial + (squeezing - epithelial) * (ti.cast(emt, ti.f32) / 255.0)


@ti.func
def passage(matrix: ti.f32, open_area: ti.f32, intact: ti.f32, nucleus: ti.f32, limit: ti.f32):
    """Share of its speed that a cell keeps on its way into a voxel with this much matrix."""
    area = open_area + (intact - open_area) * matrix
    return ti.min(ti.max((area - limit) / (nucleus - limit), 0.0), 1.0)
