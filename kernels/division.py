"""How fast a cell divides: the `[proliferation]` table, its rates, and what the rate responds to.

    rate = rate(emt) (1 - g emt/255) f_oxygen f_mitogen f_contact DIVISION

    rate(emt)   from the epithelial to the mesenchymal value, linear in emt
    g           go or grow: how much of division a mesenchymal cell gives up (Giese et al. 1996, Int J Cancer 67:275)
    f_oxygen    min(1, max(0, (pO2 - stop)/(full - stop)))        (PhysiCell: stops at 5 mmHg, full at 38 or more)
    f_mitogen   b + (1 - b) c^n/(K^n + c^n)                                                (Hill, with a basal share b)
    f_contact   max(0, 1 - s max(0, k - k_free)) with k occupied faces                       (contact inhibition)
    DIVISION    the trait of the clone (kernels.mutation)

A response that is not asked for is not computed, and one that is 1 leaves the bits as they would be without it.
Ignored: the cell cycle and its phases, cell size.
"""

import math
from typing import Literal, NamedTuple, Self

import taichi as ti
from pydantic import model_validator

from .draws import ALWAYS, threshold
from .mutation import Mutation
from .parameters import Parameters, quantity
from .tissue import MESENCHYMAL_EMT, Trait

HAZARD, CLOCK = 0, 1
# more than this, and a cell that could have divided twice in a tick is missed too often (growth per tick is
# 2 - exp(-h) rather than exp(h): 5 % slow at 0.1)
PER_TICK_MAX = 0.1
PUSH_MAX = 8
FRANSSEN = "Franssen et al. 2019: one division per"
PHYSICELL = "PhysiCell (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991)"


class Proliferation(Parameters):
    """The `[proliferation]` table."""

    law: Literal["hazard", "clock"] = quantity(
        "hazard", unit="-", source="Yule process; 'clock' is Franssen 2019", about="when cells divide"
    )
    epithelial_per_h: float = quantity(
        0.045,
        unit="1/h",
        ge=0,
        le=10,
        source=f"{FRANSSEN} 22.22 h (by hazard the number doubles in ln 2 of that)",
        about="divisions per hour and cell at emt 0",
    )
    mesenchymal_per_h: float = quantity(
        0.03,
        unit="1/h",
        ge=0,
        le=10,
        source=f"{FRANSSEN} 33.33 h (by hazard the number doubles in ln 2 of that)",
        about="divisions per hour and cell at emt 255",
    )
    go_or_grow_fraction: float = quantity(
        0.0, unit="1", ge=0, le=1, source="off; assumed where given", about="share of division that emt 255 gives up"
    )
    oxygen_stop_mmhg: float = quantity(
        5.0, unit="mmHg", ge=0, le=760, source=PHYSICELL, about="oxygen at and below which nobody divides"
    )
    oxygen_full_mmhg: float = quantity(
        0.0,
        unit="mmHg",
        ge=0,
        le=760,
        source=f"off; {PHYSICELL} has 160, 38 (5 % oxygen) in its samples of tumours",
        about="oxygen from which on the rate is full, linear in between; 0 = oxygen does not matter",
    )
    mitogen_half: float = quantity(
        0.0,
        unit="as [solutes.mitogen]",
        ge=0,
        le=1e6,
        source="off; assumed where given",
        about="mitogen at which half of its effect is reached; 0 = mitogen does not matter",
    )
    mitogen_hill: int = quantity(1, unit="1", ge=1, le=4, source="assumed", about="Hill coefficient of the mitogen")
    mitogen_basal_fraction: float = quantity(
        0.1, unit="1", ge=0, le=1, source="assumed", about="share of the rate that needs no mitogen"
    )
    contact_fall_fraction: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="off; assumed where given",
        about="what every occupied face beyond contact_free_faces takes from the rate; 0 = no contact inhibition",
    )
    contact_free_faces: int = quantity(
        3, unit="faces", ge=0, le=6, source="assumed", about="occupied faces that do not slow division yet"
    )
    push_voxels_max: int = quantity(
        1,
        unit="voxels",
        ge=1,
        le=PUSH_MAX,
        source="off; assumed where given",
        about="how far away, along a face's direction, a free voxel may be towards which a dividing cell pushes those "
        "in between; 1 = it needs a free voxel beside it",
    )

    matrix_stop_fraction: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source="off at 1, which no matrix exceeds; assumed where given",
        about="matrix above which a voxel is no room for a daughter",
    )

    @model_validator(mode="after")
    def _responds(self) -> Self:
        if 0 < self.oxygen_full_mmhg <= self.oxygen_stop_mmhg:
            raise ValueError(
                f"proliferation.oxygen_full_mmhg: must lie above proliferation.oxygen_stop_mmhg "
                f"(got {self.oxygen_full_mmhg:g} and {self.oxygen_stop_mmhg:g})"
            )
        if self.law == "clock":
            off = {"go_or_grow_fraction": 0, "oxygen_full_mmhg": 0, "mitogen_half": 0, "contact_fall_fraction": 0}
            off |= {"push_voxels_max": 1}
            for name, value in off.items():
                if getattr(self, name) != value:
                    raise ValueError(
                        f"proliferation.{name}: with proliferation.law = 'clock' all cells of a phenotype divide at "
                        f"once, whatever is around them; use 'hazard', or leave it at {value}"
                    )
        return self


class Responds(NamedTuple):
    """What the rate responds to. Compiled in: what is off costs nothing."""

    oxygen: bool = False
    mitogen: int = 0  # its Hill coefficient, 0 = off
    contact: bool = False
    traits: bool = False

    @property
    def any(self) -> bool:
        return self.oxygen or self.mitogen > 0 or self.contact or self.traits


class ProliferationRates(NamedTuple):
    law: int
    chances: tuple[int, ...]  # hazard: threshold per tick for each of the 256 emt values, before it responds
    epithelial_ticks: int  # clock: ticks between divisions, 0 = never
    mesenchymal_ticks: int
    responds: Responds = Responds()
    hazards: tuple[float, ...] = ()  # per tick, by emt: where the rate responds
    ceilings: tuple[int, ...] = ()  # thresholds that no response exceeds, by emt
    stop: float = 0.0  # oxygen, mmHg
    full: float = 1.0
    half: float = 1.0  # mitogen
    basal: float = 1.0
    fall: float = 0.0  # contact
    free: int = 6
    reach: int = 1  # of a push, voxels
    dense: float = 1.0  # matrix above which there is no room


def rates(parameters: Proliferation, tick_h: float, mutation: Mutation | None = None) -> ProliferationRates:
    """Per-tick thresholds (hazard) or whole ticks between divisions (clock)."""
    if parameters.law == "clock":

        def ticks(rate: float) -> int:
            return max(1, round(1.0 / (rate * tick_h))) if rate > 0 else 0

        return ProliferationRates(
            CLOCK,
            (0,) * 256,
            ticks(parameters.epithelial_per_h),
            ticks(parameters.mesenchymal_per_h),
            dense=parameters.matrix_stop_fraction,
        )
    slow, fast = parameters.epithelial_per_h, parameters.mesenchymal_per_h
    hazards = [(slow + (fast - slow) * emt / 255.0) * tick_h for emt in range(256)]
    if parameters.go_or_grow_fraction:
        hazards = [h * (1.0 - parameters.go_or_grow_fraction * emt / 255.0) for emt, h in enumerate(hazards)]
    chances = tuple(threshold(-math.expm1(-h)) for h in hazards)
    most = mutation.most(Trait.DIVISION) if mutation else 1.0
    responds = Responds(
        oxygen=parameters.oxygen_full_mmhg > 0,
        mitogen=parameters.mitogen_hill if parameters.mitogen_half > 0 else 0,
        contact=parameters.contact_fall_fraction > 0,
        traits=mutation is not None and mutation.varies(Trait.DIVISION),
    )
    return ProliferationRates(
        HAZARD,
        chances,
        0,
        0,
        responds,
        hazards=tuple(hazards) if responds.any else (),
        # a little more than f32 arithmetic can come to
        ceilings=tuple(threshold(min(1.0, -math.expm1(-h * most) * (1 + 1e-5))) for h in hazards),
        stop=parameters.oxygen_stop_mmhg,
        full=max(parameters.oxygen_full_mmhg, parameters.oxygen_stop_mmhg + 1e-3),
        half=parameters.mitogen_half,
        basal=parameters.mitogen_basal_fraction,
        fall=parameters.contact_fall_fraction,
        free=parameters.contact_free_faces,
        reach=parameters.push_voxels_max,
        dense=parameters.matrix_stop_fraction,
    )


def chances_at(rates: ProliferationRates, tick: int) -> tuple[int, ...]:
    """The 256 thresholds, by emt, of becoming due at this tick."""
    if rates.law == HAZARD:
        return rates.chances
    epithelial = ALWAYS if rates.epithelial_ticks and tick and tick % rates.epithelial_ticks == 0 else 0
    mesenchymal = ALWAYS if rates.mesenchymal_ticks and tick and tick % rates.mesenchymal_ticks == 0 else 0
    return (epithelial,) * MESENCHYMAL_EMT + (mesenchymal,) * (256 - MESENCHYMAL_EMT)


@ti.func
def oxygen_response(oxygen: ti.f32, stop: ti.f32, full: ti.f32):
    """Share of the rate at this oxygen, 0 to 1."""
    return ti.min(ti.f32(1.0), ti.max(ti.f32(0.0), (oxygen - stop) / (full - stop)))


@ti.func
def mitogen_response(hill: ti.template(), mitogen: ti.f32, half: ti.f32, basal: ti.f32):
    """Share of the rate at this concentration of mitogen, `basal` to 1."""
    ratio = ti.min(mitogen / half, ti.f32(1e8))  # to the fourth power it stays in range, and 1e8 is 1
    power = ratio
    for _ in ti.static(range(hill - 1)):
        power = power * ratio
    return basal + (1.0 - basal) * (power / (1.0 + power))


@ti.func
def contact_response(occupied: ti.i32, fall: ti.f32, free: ti.i32):
    """Share of the rate with so many faces occupied."""
    return ti.max(ti.f32(0.0), 1.0 - fall * ti.cast(ti.max(0, occupied - free), ti.f32))
