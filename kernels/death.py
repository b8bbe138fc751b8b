"""Death of tumour cells: apoptosis, anoikis, necrosis, drug; and the clearance of debris.

Hazards of a cell, per hour; they compete, so p = 1 - exp(-sum dt), and of those that die cause k takes the share h_k/sum:

    apoptosis  k_a DEATH
    anoikis    k_d DEATH (1 - r emt/255)     if no tumour, stroma or epithelium cell is beside it and the matrix of its
                                             own voxel and of those beyond its faces is below `anoikis_matrix_fraction`
    necrosis   k_n min(1, max(0, (onset - pO2)/(onset - full)))                            (PhysiCell: 5 -> 2.5 mmHg)
    drug       k_c drug                      if it cycles: it is due to divide, or has an open voxel beside it

DEATH is a trait of the clone. The exponential is exact for any tick while conditions are held over it. A cell that
dies of necrosis leaves debris: it fills its voxel, excludes cells and is cleared at `clearance_per_h`; the others
leave theirs at once. One draw decides both whether and of what.
(Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991, for apoptosis and the ramp of necrosis; Frisch & Francis 1994,
J Cell Biol 124:619, for anoikis; Skipper, Schabel & Wilcox 1964, Cancer Chemother Rep 35:1, for log-kill.)
Ignored: swelling and lysis of debris, what it releases, phases of the cycle, resistance to drugs.
"""

from typing import NamedTuple, Self

import taichi as ti
from pydantic import model_validator

from .draws import Purpose, Stamp, as_threshold, below, draw, happens
from .lattice import coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .parameters import Parameters, quantity
from .proliferation import is_open
from .removal import remove
from .tissue import Cell, Count, Tissue, Trait
from .traits import trait_of

PHYSICELL = "PhysiCell (Ghaffarizadeh et al. 2018)"


class Death(Parameters):
    """The `[death]` table: what ends tumour cells on a lattice. All rates are 0 unless given."""

    apoptosis_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source=f"off; {PHYSICELL} has 0.00319",
        about="apoptosis, times the trait of the clone",
    )
    anoikis_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source="off; assumed where given",
        about="death of an epithelial cell without hold",
    )
    anoikis_matrix_fraction: float = quantity(
        0.1, unit="1", ge=0, le=1, source="assumed", about="matrix in reach below which a lone cell has no hold"
    )
    anoikis_resistance_fraction: float = quantity(
        0.9, unit="1", ge=0, le=1, source="assumed", about="share of anoikis that a fully mesenchymal cell is spared"
    )
    necrosis_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source=f"off; {PHYSICELL} has 1/6",
        about="necrosis where oxygen is at `full` or below",
    )
    necrosis_onset_mmhg: float = quantity(
        5.0,
        unit="mmHg",
        ge=0,
        le=760,
        source=f"{PHYSICELL}; assumed for a tumour whose own pO2 is low",
        about="oxygen below which cells begin to die of necrosis",
    )
    necrosis_full_mmhg: float = quantity(
        2.5,
        unit="mmHg",
        ge=0,
        le=760,
        source=f"{PHYSICELL}; assumed for a tumour whose own pO2 is low",
        about="oxygen at which necrosis has its full rate; linear in between",
    )
    clearance_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=10, source="off; assumed where given", about="removal of necrotic debris"
    )
    drug_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=1e3, source="off; assumed where given", about="kill of cycling cells per unit of drug"
    )

    @model_validator(mode="after")
    def _ramp(self) -> Self:
        if self.necrosis_full_mmhg >= self.necrosis_onset_mmhg:
            raise ValueError(
                f"death.necrosis_full_mmhg: must lie below death.necrosis_onset_mmhg (got {self.necrosis_full_mmhg:g} "
                f"and {self.necrosis_onset_mmhg:g}); necrosis rises as oxygen falls"
            )
        return self


class DeathRates(NamedTuple):
    """Hazards per tick."""

    apoptosis: float
    anoikis: float
    resistance: float  # per unit of emt
    hold: float  # matrix fraction
    necrosis: float
    onset: float  # mmHg
    steepness: float  # per mmHg
    drug: float
    clearance: float


def rates(parameters: Death, tick_h: float) -> DeathRates:
    return DeathRates(
        parameters.apoptosis_per_h * tick_h,
        parameters.anoikis_per_h * tick_h,
        parameters.anoikis_resistance_fraction / 255.0,
        parameters.anoikis_matrix_fraction,
        parameters.necrosis_per_h * tick_h,
        parameters.necrosis_onset_mmhg,
        1.0 / (parameters.necrosis_onset_mmhg - parameters.necrosis_full_mmhg),
        parameters.drug_per_h * tick_h,
        parameters.clearance_per_h * tick_h,
    )


@ti.func
def starving(oxygen: ti.f32, onset: ti.f32, steepness: ti.f32):
    """How far down the ramp of necrosis this oxygen is: 0 to 1."""
    return ti.min(ti.f32(1.0), ti.max(ti.f32(0.0), (onset - oxygen) * steepness))


@ti.func
def surroundings(
    lattice: ti.template(),
    solid_vessels: ti.template(),
    cell: ti.template(),
    vessel: ti.template(),
    matrix: ti.template(),
    i: ti.i32,
):
    """(anchored by a neighbour, densest matrix in reach, an open voxel beside it)."""
    z, y, x = coordinates(lattice, i)
    held, open_beside = False, False
    densest = matrix[i]
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            j = i + ti.static(offset(lattice, face))
            other = cell[j]
            if other == ti.u8(Cell.TUMOUR) or other == ti.u8(Cell.STROMA) or other == ti.u8(Cell.EPITHELIUM):
                held = True
            open_beside = open_beside or is_open(cell, vessel, solid_vessels, j)
            densest = ti.max(densest, matrix[j])
    return held, densest, open_beside


@ti.func
def verdict(chance: ti.u32, apoptosis: ti.f32, anoikis: ti.f32, necrosis: ti.f32, drug: ti.f32):
    """The `Count` of the cause whose share of the draw's range `chance` falls in, or 0: it lives."""
    total = apoptosis + anoikis + necrosis + drug
    mark = ti.u8(0)
    if total > 0.0:
        dies = happens(total)
        if below(chance, as_threshold(dies)):
            mark = ti.u8(Count.POISONED)
            if below(chance, as_threshold(dies * ((apoptosis + anoikis + necrosis) / total))):
                mark = ti.u8(Count.NECROSED)
            if below(chance, as_threshold(dies * ((apoptosis + anoikis) / total))):
                mark = ti.u8(Count.ANOIKIC)
            if below(chance, as_threshold(dies * (apoptosis / total))):
                mark = ti.u8(Count.APOPTOTIC)
    return mark


@kernel
def judge_pass(
    lattice: ti.template(),
    solid_vessels: ti.template(),
    clings: ti.template(),
    breathes: ti.template(),
    treated: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    due: array(ti.u8),
    vessel: array(ti.u8),
    matrix: array(ti.f32),
    oxygen: array(ti.f32),
    drug: array(ti.f32),
    traits: array(ti.f32),
    intent: array(ti.u8),
    busy: array(ti.u8),
    apoptosis: ti.f32,
    anoikis: ti.f32,
    resistance: ti.f32,
    hold: ti.f32,
    necrosis: ti.f32,
    onset: ti.f32,
    steepness: ti.f32,
    kill: ti.f32,
    clearance: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; clone u4; due 0/1 u1; vessel bits u1; matrix f4 fraction; oxygen f4 mmHg (if `breathes`);
    drug f4 (if `treated`); traits (clones, len(Trait)) f4; intent u1; busy (chunks,) 0/1 u1; hazards per tick.

    Walls: nothing to hold to and no room beyond them.
    Conserves: cells; only marks are written.
    Race-free because: each voxel writes its own intent; all else is only read.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            mark = ti.u8(0)
            if cell[i] == ti.u8(Cell.TUMOUR):
                factor = trait_of(traits, clone[i], Trait.DEATH)
                lost, starved, poisoned = ti.f32(0.0), ti.f32(0.0), ti.f32(0.0)
                if ti.static(breathes):
                    starved = necrosis * starving(oxygen[i], onset, steepness)
                if ti.static(clings or treated):
                    held, densest, open_beside = surroundings(lattice, solid_vessels, cell, vessel, matrix, i)
                    if ti.static(clings):
                        if not held and densest < hold:
                            lost = anoikis * factor * (1.0 - resistance * ti.cast(emt[i], ti.f32))
                    if ti.static(treated):
                        if open_beside or due[i] != 0:
                            poisoned = kill * drug[i]
                own = apoptosis * factor
                if own + lost + starved + poisoned > 0.0:
                    chance = draw(i, tick, ti.u32(0), Purpose.DIE, lattice_id, k0, k1)
                    mark = verdict(chance, own, lost, starved, poisoned)
            elif cell[i] == ti.u8(Cell.NECROTIC) and clearance > 0.0:
                if below(draw(i, tick, ti.u32(0), Purpose.CLEAR, lattice_id, k0, k1), as_threshold(happens(clearance))):
                    mark = ti.u8(Count.CLEARED)
            intent[i] = mark


def strike(tissue: Tissue, rates: DeathRates, stamp: Stamp, *, solid_vessels: bool) -> None:
    """End the tumour cells that die in this tick, and clear debris.

    Reads cell, emt, clone, due, vessel, matrix, oxygen, drug, traits, busy. Writes what cells carry and intent;
    counts APOPTOTIC, ANOIKIC, NECROSED, POISONED, CLEARED.
    """
    if rates.apoptosis == rates.anoikis == rates.necrosis == rates.drug == rates.clearance == 0.0:
        return
    judge_pass(
        tissue.lattice,
        solid_vessels,
        rates.anoikis > 0.0,
        rates.necrosis > 0.0,
        rates.drug > 0.0,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.due,
        tissue.vessel,
        tissue.matrix,
        tissue.solute("oxygen"),
        tissue.solute("drug"),
        tissue.traits,
        tissue.intent,
        tissue.busy,
        rates.apoptosis,
        rates.anoikis,
        rates.resistance,
        rates.hold,
        rates.necrosis,
        rates.onset,
        rates.steepness,
        rates.drug,
        rates.clearance,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
    remove(tissue)
