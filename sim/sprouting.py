"""The `[angiogenesis]` and `[lymphangiogenesis]` tables, and the rates of a step (`sim.angiogenesis` has the model)."""

import math
from typing import NamedTuple

from ..kernels.parameters import Parameters, quantity
from ..kernels.tissue import Vessel

_MOCAFE = "rh_mocafe, a published code of sprouting"


class Angiogenesis(Parameters):
    """The `[angiogenesis]` table: growth of blood vessels towards VEGF. `[lymphangiogenesis]` is alike, towards VEGF-C."""

    sprouting_per_mm_h: float = quantity(
        0.0,
        unit="1/(mm h)",
        ge=0,
        le=1e4,
        source="none unless asked for; assumed",
        about="sprouts per length of perfused vessel above the threshold; 0 = no growth",
    )
    branching_per_mm_h: float = quantity(
        0.0,
        unit="1/(mm h)",
        ge=0,
        le=1e4,
        source="none unless asked for; assumed",
        about="sprouts per length of stalk that is not perfused",
    )
    threshold_ng_per_ml: float = quantity(
        3.0, unit="ng/mL", ge=0, source="Song and Finley 2022", about="ligand above which a vessel sprouts"
    )
    spacing_um: float = quantity(
        40.0, unit="um", ge=0, source=_MOCAFE, about="least distance of a new tip to other tips and vessels"
    )
    least_gradient_ng_per_ml_mm: float = quantity(
        14.0,
        unit="ng/mL/mm",
        ge=0,
        source="Shamloo et al. 2008, Lab Chip 8:1292",
        about="gradient below which tips rest",
    )
    full_gradient_ng_per_ml_mm: float = quantity(
        42.0, unit="ng/mL/mm", gt=0, source="Shamloo et al. 2008, Lab Chip 8:1292", about="gradient of full speed"
    )
    speed_um_per_h: float = quantity(
        21.0,
        unit="um/h",
        ge=0,
        le=21.0,
        source=f"{_MOCAFE}: 0.35 um/min, 0.5 mm/day",
        about="speed at the full gradient",
    )
    wander: float = quantity(0.3, unit="1", ge=0, le=10, source="assumed", about="share of chance in a tip's direction")
    reach_um: float = quantity(
        40.0, unit="um", ge=0, le=200, source="assumed", about="how far ahead a tip feels another vessel"
    )
    regression_um_per_h: float = quantity(
        0.0,
        unit="um/h",
        ge=0,
        le=1e3,
        source="none unless asked for; assumed",
        about="how fast a dead end that is not perfused draws back",
    )
    every_h: float = quantity(0.5, unit="h", gt=0, le=24, source="numerical", about="time between steps of the growth")


class Lymphangiogenesis(Angiogenesis):
    """The `[lymphangiogenesis]` table: growth of lymph vessels towards VEGF-C. Thresholds as for blood: assumed."""


class GrowthRates(NamedTuple):
    """What a step of the growth needs; lengths in voxels where they say so."""

    kind: int  # Vessel.BLOOD or LYMPH
    ligand: str  # role
    every: int  # ticks
    sprout: float  # probability a voxel of perfused vessel and step
    branch: float  # the same of a stalk
    regress: float  # the same of a dead end
    step_um: float  # a tip's way in a step at full speed
    table: Angiogenesis

    @property
    def grows(self) -> bool:
        """Does anything happen at all?"""
        return self.sprout > 0.0 or self.branch > 0.0 or self.regress > 0.0


LIGANDS = {"angiogenesis": (Vessel.BLOOD, "vegf"), "lymphangiogenesis": (Vessel.LYMPH, "vegf_c")}


def rates(name: str, table: Angiogenesis, voxel_um: float, tick_h: float) -> GrowthRates:
    """Raises ValueError if a tip would pass more than a voxel in a step, or a step less than a tick."""
    kind, ligand = LIGANDS[name]
    every = max(1, round(table.every_h / tick_h))
    step_um = table.speed_um_per_h * every * tick_h
    if table.sprouting_per_mm_h > 0 and step_um > voxel_um:
        raise ValueError(
            f"{name}.every_h: a tip at {table.speed_um_per_h:g} um/h would pass {step_um:g} um in a step of "
            f"{every * tick_h:g} h, more than a voxel of {voxel_um:g} um; shorten the step or the tick"
        )
    if table.least_gradient_ng_per_ml_mm > table.full_gradient_ng_per_ml_mm:
        raise ValueError(f"{name}.least_gradient_ng_per_ml_mm: exceeds {name}.full_gradient_ng_per_ml_mm")
    hours = every * tick_h
    sprout, branch = (
        -math.expm1(-rate * voxel_um / 1e3 * hours) for rate in (table.sprouting_per_mm_h, table.branching_per_mm_h)
    )
    regress = -math.expm1(-table.regression_um_per_h / voxel_um * hours)
    return GrowthRates(int(kind), ligand, every, sprout, branch, regress, step_um, table)
