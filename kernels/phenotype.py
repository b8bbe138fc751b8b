"""Phenotype: epithelial-mesenchymal transition as a spectrum with hysteresis and stable hybrids.

With x = emt/255 and s the drive a cell is under,

    dx/dt = rate (s - g(x)),  g(x) = midpoint + slope (x - 1/2) + barrier sin(4 pi x),  0 <= x <= 1

that is, x slides down the potential V(x) = g_0 x + slope x^2/2 - barrier/(4 pi) cos(4 pi x) - s x with g_0 = g(0). g rises
on three stretches and falls between them, so up to three states are stable under one drive: epithelial (x up to 1/8),
hybrid (3/8 to 5/8) and mesenchymal (from 7/8). With the defaults a cell goes E -> H above a drive of 0.539 and H -> M
above 0.689, and back M -> H below 0.361 and H -> E below 0.211; from 0.361 to 0.539 all three are stable. Under a drive
of 1 E -> M takes 1.94/rate, without any M -> E takes 2.47/rate. A barrier of 0 leaves one state per drive: no
hysteresis. (The law is a minimal form of the two-step, tristable switch of Lu et al. 2013, PNAS 110:18144; hysteresis:
Celia-Terrassa et al. 2018, Nat Commun 9:5005.) The drive:

    s = EMT (w_gf c^n/(K^n + c^n) + w_hyp min(1, max(0, (onset - pO2)/(onset - full))) + w_stiff matrix) + background

EMT is a trait of the clone; c is growth factor, matrix that of the cell's own voxel, and stands for stiffness.
`emt` is a byte and moves by a fraction of a unit a tick: it is rounded to one of the whole numbers beside by a draw, so
that its mean drifts by the fraction (rounded to nearest it would never move).
Ignored: noise and memory besides x itself, signals between neighbours, matrix beyond the own voxel.
"""

import math
from typing import NamedTuple, Self

import numpy as np
import taichi as ti
from pydantic import model_validator

from .draws import Purpose, Stamp, as_threshold, below, draw
from .lattice import is_idle
from .launch import array, kernel
from .parameters import Parameters, quantity
from .tissue import Cell, Tissue, Trait
from .traits import trait_of

PHYSICELL = "PhysiCell (Ghaffarizadeh et al. 2018)"
# a cell is counted as hybrid from the first to the second
HYBRID_EMT = (64, 191)


class Emt(Parameters):
    """The `[emt]` table: transitions between epithelial and mesenchymal. Without `rate_per_h` there are none."""

    rate_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source="off; assumed where given: 0.016 takes 5 d from E to M under a drive of 1, and 6.4 d back without",
        about="how fast emt follows its drive",
    )
    midpoint_drive: float = quantity(
        0.45, unit="1", ge=-5, le=5, source="assumed", about="g at the middle of the spectrum"
    )
    slope_drive: float = quantity(
        0.3,
        unit="1",
        ge=0,
        le=5,
        source="assumed",
        about="rise of g over the spectrum: H -> M needs half of it more than E -> H",
    )
    barrier_drive: float = quantity(
        0.2,
        unit="1",
        ge=0,
        le=5,
        source="assumed",
        about="height of the barriers between the states; 0 = no hysteresis",
    )
    growth_factor_weight: float = quantity(
        0.0, unit="1", ge=0, le=10, source="off; assumed where given", about="drive of saturating growth factor"
    )
    growth_factor_half: float = quantity(
        1.0, unit="of the solute", gt=0, le=1e6, source="assumed", about="growth factor of half that drive"
    )
    growth_factor_exponent: int = quantity(2, unit="1", ge=1, le=8, source="assumed", about="Hill exponent")
    hypoxia_weight: float = quantity(
        0.0, unit="1", ge=0, le=10, source="off; assumed where given", about="drive of full hypoxia"
    )
    hypoxia_onset_mmhg: float = quantity(
        15.0,
        unit="mmHg",
        ge=0,
        le=760,
        source=f"{PHYSICELL}: hypoxic signalling",
        about="oxygen below which hypoxia drives",
    )
    hypoxia_full_mmhg: float = quantity(
        4.0, unit="mmHg", ge=0, le=760, source=f"{PHYSICELL}: saturation", about="oxygen at which it drives fully"
    )
    stiffness_weight: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=10,
        source="off; assumed where given",
        about="drive of intact matrix in the cell's voxel",
    )
    background_drive: float = quantity(
        0.0, unit="1", ge=-10, le=10, source="the scenario's choice", about="drive in the primary that has no field"
    )
    organ_background_drive: float = quantity(
        0.0,
        unit="1",
        ge=-10,
        le=10,
        source="the scenario's choice",
        about="the same in organs; negative: permissive for MET",
    )

    @model_validator(mode="after")
    def _ramp(self) -> Self:
        if self.hypoxia_full_mmhg >= self.hypoxia_onset_mmhg:
            raise ValueError(
                f"emt.hypoxia_full_mmhg: must lie below emt.hypoxia_onset_mmhg (got {self.hypoxia_full_mmhg:g} and "
                f"{self.hypoxia_onset_mmhg:g}); hypoxia rises as oxygen falls"
            )
        return self


class EmtRates(NamedTuple):
    """Per tick, in units of the emt byte."""

    gain: float  # of a drive of 1
    resisted: tuple[float, ...]  # 256: gain g(emt/255)
    growth_factor: float
    half: float
    exponent: int
    hypoxia: float
    onset: float  # mmHg
    steepness: float  # per mmHg
    stiffness: float
    background: float


def rates(parameters: Emt, tick_h: float, *, organ: bool = False) -> EmtRates:
    """Raises ValueError if the tick is too long for emt to come to rest: rate tick max|dg/dx| over 1."""
    steepest = parameters.slope_drive + 4 * math.pi * parameters.barrier_drive
    if parameters.rate_per_h * tick_h * steepest > 1.0:
        raise ValueError(
            f"emt.rate_per_h: at lattice.tick_h = {tick_h:g} h emt would overshoot its states; at most "
            f"{1.0 / (tick_h * steepest):.4g} per h, or shorten the tick"
        )
    gain = 255.0 * parameters.rate_per_h * tick_h
    return EmtRates(
        gain,
        tuple(gain * resistance(parameters, emt / 255.0) for emt in range(256)),
        parameters.growth_factor_weight,
        parameters.growth_factor_half,
        parameters.growth_factor_exponent,
        parameters.hypoxia_weight,
        parameters.hypoxia_onset_mmhg,
        1.0 / (parameters.hypoxia_onset_mmhg - parameters.hypoxia_full_mmhg),
        parameters.stiffness_weight,
        parameters.organ_background_drive if organ else parameters.background_drive,
    )


def resistance(parameters: Emt, x: float) -> float:
    """g(x): the drive that holds a cell at x."""
    return (
        parameters.midpoint_drive
        + parameters.slope_drive * (x - 0.5)
        + parameters.barrier_drive * math.sin(4 * math.pi * x)
    )


@ti.func
def saturating(exponent: ti.template(), concentration: ti.f32, half: ti.f32):
    """Hill: c^n / (K^n + c^n)."""
    ratio = ti.max(concentration, 0.0) / half
    power = ti.f32(1.0)
    for _ in ti.static(range(exponent)):
        power *= ratio
    # beyond the range of f32 it is saturated: inf/inf is no number
    return ti.select(power < 1e30, power / (1.0 + power), ti.f32(1.0))


@ti.func
def stepped(emt: ti.u8, change: ti.f32, chance: ti.u32):
    """emt after a change that is rounded by the draw to one of the whole numbers beside it, within 0 to 255."""
    whole = ti.floor(change)
    moved = ti.cast(emt, ti.i32) + ti.cast(whole, ti.i32)
    if below(chance, as_threshold(change - whole)):
        moved += 1
    return ti.cast(ti.min(255, ti.max(0, moved)), ti.u8)


@kernel
def adapt_pass(
    lattice: ti.template(),
    grows: ti.template(),
    exponent: ti.template(),
    breathes: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    matrix: array(ti.f32),
    growth_factor: array(ti.f32),
    oxygen: array(ti.f32),
    traits: array(ti.f32),
    busy: array(ti.u8),
    resisted: array(ti.f32),
    gain: ti.f32,
    induction: ti.f32,
    half: ti.f32,
    hypoxia: ti.f32,
    onset: ti.f32,
    steepness: ti.f32,
    stiffness: ti.f32,
    background: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; clone u4; matrix f4 fraction; growth_factor f4 (if `grows`); oxygen f4 mmHg (if
    `breathes`); traits (clones, len(Trait)) f4; busy (chunks,) 0/1 u1; resisted (256,) f4, gain: emt units per tick.

    Walls: none (a voxel knows only itself).
    Conserves: cells.
    Race-free because: each voxel reads and writes itself.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.TUMOUR):
                cues = stiffness * matrix[i]
                if ti.static(grows):
                    cues += induction * saturating(exponent, growth_factor[i], half)
                if ti.static(breathes):
                    cues += hypoxia * ti.min(1.0, ti.max(0.0, (onset - oxygen[i]) * steepness))
                drive = trait_of(traits, clone[i], Trait.EMT) * cues + background
                change = gain * drive - resisted[ti.cast(emt[i], ti.i32)]
                chance = draw(i, tick, ti.u32(0), Purpose.EMT_ROUND, lattice_id, k0, k1)
                emt[i] = stepped(emt[i], ti.min(255.0, ti.max(-255.0, change)), chance)


def adapt(tissue: Tissue, rates: EmtRates, stamp: Stamp) -> None:
    """Let emt follow its drive for one tick.

    Reads cell, clone, matrix, growth_factor, oxygen, traits, busy. Writes emt.
    """
    if rates.gain == 0.0:
        return
    adapt_pass(
        tissue.lattice,
        rates.growth_factor > 0.0,
        rates.exponent,
        rates.hypoxia > 0.0,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.matrix,
        tissue.solute("growth_factor"),
        tissue.solute("oxygen"),
        tissue.traits,
        tissue.busy,
        _table(tissue, rates.resisted),
        rates.gain,
        rates.growth_factor,
        rates.half,
        rates.hypoxia,
        rates.onset,
        rates.steepness,
        rates.stiffness,
        rates.background,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )


_tables: dict[tuple, object] = {}


def _table(tissue: Tissue, values: tuple[float, ...]) -> object:
    """The table as an array beside the tissue's, kept: a run has one."""
    key = (tissue.xp.__name__, values)
    if key not in _tables:
        if len(_tables) > 64:
            _tables.clear()
        _tables[key] = tissue.xp.asarray(np.asarray(values, dtype=np.float32))
    return _tables[key]
