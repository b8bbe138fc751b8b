"""What cells and vessels give to a solute and take of it, voxel by voxel.

    supply = secretion + e c_blood        drain = decay + e        uptake = q by what stands in the voxel

Secretion of a tumour cell: epithelial + (mesenchymal - epithelial) emt/255 + hypoxic h(pO2), where h climbs linearly
from 0 at `hypoxia_from_mmhg` to 1 at `hypoxia_full_mmhg` and below; of the protease, times the clone's trait. Of a
fibroblast: basal + activated g^n/(K^n + g^n), g being the growth factor (TGF-beta), K and n those of `[stroma]`. Of
immune cells and normal epithelium: constant. Debris and empty voxels do nothing but decay.

Exchange e = X/dx^2 in voxels of perfused blood vessels; X is permeability times circumference. A vessel thinner than
its voxel meets, besides its wall, the tissue between its radius r and that for which a voxel stands, 0.2 dx (Peaceman
1978): 1/X' = 1/X + ln(0.2 dx/r)/(2 pi D). A bed of capillaries finer than the lattice runs through intact matrix where no
cell stands (Anderson et al. 2006, Cell 127:905: oxygen is supplied in proportion to matrix): e = bed m.
Ignored: concentration falling along a vessel, lymph, convection.
"""

import math
from typing import Any, NamedTuple

import taichi as ti

from .launch import array, kernel
from .law import Solute
from .stroma import StromaRates, response
from .tissue import Cell, Tissue, Trait, Vessel
from .traits import trait_of

_PERFUSED_BLOOD = int(Vessel.BLOOD | Vessel.PERFUSED)


class SourceRates(NamedTuple):
    """Per hour, in units of the solute."""

    epithelial: float
    by_emt: float  # per unit of emt
    hypoxic: float
    hypoxia_from: float  # mmHg
    hypoxia_width: float  # mmHg
    stroma: float
    activated: float
    half: float  # of the activation, in units of growth factor
    hill: int
    immune: float
    epithelium: float
    uptakes: tuple[float, float, float, float]  # tumour, stroma, immune, epithelium
    exchange: float
    bed: float
    decay: float
    by_clone: bool  # times the trait PROTEASE?

    @property
    def takes(self) -> bool:
        return any(self.uptakes)


def exchange_per_h(table: Solute, voxel_um: float) -> float:
    """Exchange of a voxel with a perfused blood vessel. Raises ValueError where the well's correction makes no sense."""
    through = table.exchange_um2_per_h
    if through == 0.0 or table.vessel_radius_um == 0.0:
        return through / voxel_um**2
    if table.diffusivity_um2_per_h == 0.0:
        raise ValueError("vessel_radius_um: what does not diffuse has no well; leave it out")
    resistance = 1 / through + math.log(0.2 * voxel_um / table.vessel_radius_um) / (
        2 * math.pi * table.diffusivity_um2_per_h
    )
    if not resistance > 0.0:
        raise ValueError(
            f"vessel_radius_um: {table.vessel_radius_um:g} um is wider than the 0.2 voxels for which a voxel stands, by "
            "more than its wall resists; leave it out"
        )
    return 1 / resistance / voxel_um**2


def rates(table: Solute, voxel_um: float, stroma: StromaRates, *, by_clone: bool) -> SourceRates:
    return SourceRates(
        epithelial=table.epithelial_secretion_per_h,
        by_emt=(table.secretion_per_h - table.epithelial_secretion_per_h) / 255.0,
        hypoxic=table.hypoxic_secretion_per_h,
        hypoxia_from=table.hypoxia_from_mmhg,
        hypoxia_width=table.hypoxia_from_mmhg - table.hypoxia_full_mmhg,
        stroma=table.stroma_secretion_per_h,
        activated=table.activated_stroma_secretion_per_h,
        half=stroma.half,
        hill=stroma.hill,
        immune=table.immune_secretion_per_h,
        epithelium=table.epithelium_secretion_per_h,
        uptakes=(
            table.uptake_per_h,
            table.stroma_uptake_per_h,
            table.immune_uptake_per_h,
            table.epithelium_uptake_per_h,
        ),
        exchange=exchange_per_h(table, voxel_um),
        bed=table.bed_per_h,
        decay=table.decay_per_h,
        by_clone=by_clone,
    )


@ti.func
def hypoxia(oxygen: ti.f32, begins: ti.f32, width: ti.f32):
    """0 from `begins` mmHg up, 1 from `width` below it down, linear between."""
    return ti.min(ti.max((begins - oxygen) / width, 0.0), 1.0)


@ti.func
def of_kind(cell: ti.u8, tumour: ti.f32, stroma: ti.f32, immune: ti.f32, epithelium: ti.f32):
    """The number that belongs to what stands in a voxel, 0 for debris and nothing."""
    out = ti.f32(0.0)
    if cell == ti.u8(Cell.TUMOUR):
        out = tumour
    elif cell == ti.u8(Cell.STROMA):
        out = stroma
    elif cell == ti.u8(Cell.IMMUNE):
        out = immune
    elif cell == ti.u8(Cell.EPITHELIUM):
        out = epithelium
    return out


@kernel
def fill_pass(
    hypoxic: ti.template(),
    activated: ti.template(),
    hill: ti.template(),
    by_clone: ti.template(),
    takes: ti.template(),
    bedded: ti.template(),
    supply: array(ti.f32),
    drain: array(ti.f32),
    uptake: array(ti.f32),
    cell: array(ti.u8),
    emt: array(ti.u8),
    vessel: array(ti.u8),
    clone: array(ti.u32),
    traits: array(ti.f32),
    oxygen: array(ti.f32),
    growth_factor: array(ti.f32),
    matrix: array(ti.f32),
    voxels: ti.i32,
    epithelial: ti.f32,
    by_emt: ti.f32,
    induced: ti.f32,
    begins: ti.f32,
    width: ti.f32,
    basal: ti.f32,
    activation: ti.f32,
    half: ti.f32,
    immune: ti.f32,
    epithelium: ti.f32,
    q_tumour: ti.f32,
    q_stroma: ti.f32,
    q_immune: ti.f32,
    q_epithelium: ti.f32,
    exchange: ti.f32,
    bed: ti.f32,
    blood: ti.f32,
    decay: ti.f32,
):
    """supply (voxels,) f4 c/h; drain f4 1/h; uptake f4 c/h, if it `takes`; cell code, emt, vessel bits u1; clone u4, row
    of traits f4, if `by_clone`; oxygen f4 mmHg, if `hypoxic`; growth_factor f4, if `activated`; matrix f4; rates
    per h.

    Walls: none (a voxel knows only itself).
    Conserves: nothing; it only says what will be given and taken.
    Race-free because: each voxel writes itself and reads what is not written.
    """
    for i in range(voxels):
        tumour = epithelial + by_emt * ti.cast(emt[i], ti.f32)
        fibroblast = basal
        if ti.static(hypoxic):
            tumour += induced * hypoxia(oxygen[i], begins, width)
        if ti.static(by_clone):
            if cell[i] == ti.u8(Cell.TUMOUR):
                tumour *= trait_of(traits, clone[i], Trait.PROTEASE)
        if ti.static(activated):
            fibroblast += activation * response(growth_factor[i], half, hill)
        e = ti.f32(0.0)
        if (vessel[i] & ti.u8(_PERFUSED_BLOOD)) == ti.u8(_PERFUSED_BLOOD):
            e = exchange
        if ti.static(bedded):
            if cell[i] == ti.u8(Cell.EMPTY):
                e += bed * matrix[i]
        supply[i] = of_kind(cell[i], tumour, fibroblast, immune, epithelium) + e * blood
        drain[i] = decay + e
        if ti.static(takes):
            uptake[i] = of_kind(cell[i], q_tumour, q_stroma, q_immune, q_epithelium)


def fill(tissue: Tissue, rates: SourceRates, blood: float, decay: float, supply: Any, drain: Any, uptake: Any) -> None:
    """Write supply (c/h), drain (1/h) and uptake (c/h) of a solute; uptake is left alone if nothing takes it up.

    Reads cell, emt, vessel; and clone, traits, oxygen, growth_factor, matrix where they matter.
    """
    fill_pass(
        rates.hypoxic > 0.0,
        rates.activated > 0.0,
        rates.hill,
        rates.by_clone and tissue.traits.shape[0] > 1,
        rates.takes,
        rates.bed > 0.0,
        supply,
        drain,
        uptake,
        tissue.cell,
        tissue.emt,
        tissue.vessel,
        tissue.clone,
        tissue.traits,
        tissue.solute("oxygen"),
        tissue.solute("growth_factor"),
        tissue.matrix,
        tissue.lattice.voxels,
        rates.epithelial,
        rates.by_emt,
        rates.hypoxic,
        rates.hypoxia_from,
        rates.hypoxia_width,
        rates.stroma,
        rates.activated,
        rates.half,
        rates.immune,
        rates.epithelium,
        *rates.uptakes,
        rates.exchange,
        rates.bed,
        blood,
        decay,
    )
