"""The `[body.colonies]` table: how a colony grows while it is a number of cells, and what it sheds."""

import math
from typing import Self

import numpy as np
from pydantic import model_validator

from ...kernels.birth_death import OVERRATED_MAX, SMALL, Rates, establishment, overrated, substeps
from ...kernels.parameters import Parameters, quantity
from ...kernels.small_colonies import EVENTS_MAX

SZCZUREK_2020 = "Szczurek et al. 2020, PLoS Comput Biol"
COUMANS_2013 = "Coumans et al. 2013, BMC Cancer 13:283"
FACTOR_STEP = 0.1


class ColonyGrowth(Parameters):
    """The `[body.colonies]` table. What organs and clones multiply are `birth_per_h` and `death_per_h`."""

    birth_per_h: float = quantity(
        1.12e-3,
        unit="1/h",
        ge=0,
        le=10,
        source=f"derived: with death_per_h a doubling in 1.7 months ({COUMANS_2013})",
        about="division of a cell",
    )
    death_per_h: float = quantity(
        0.56e-3, unit="1/h", ge=0, le=10, source="assumed: half of the births", about="death of a cell"
    )
    bottleneck_cells: int = quantity(
        15,
        unit="cells",
        ge=1,
        le=48,
        source=f"{SZCZUREK_2020}: 10 to 21",
        about="a colony of fewer cells loses more than it gains; 1 = no bottleneck",
    )
    bottleneck_ratio: float = quantity(
        1.65,
        unit="1",
        ge=0,
        le=100,
        source="derived: one cell in 4000 then founds a lasting colony (assumed), with deaths half of births",
        about="deaths in colonies of fewer cells than bottleneck_cells, over birth_per_h; what multiplies deaths multiplies "
        "them, what multiplies births does not",
    )
    avascular_cells: float = quantity(
        0.0,
        unit="cells",
        ge=0,
        le=1e12,
        source="off; 4e3 to 4e6 for 0.2 to 2 mm at 1e9 cells/cm3",
        about="size at which a colony without vessels stops; 0 = no limit",
    )
    vessels_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source="off; assumed where given",
        about="rate at which such a colony gets vessels",
    )
    surgery_vessels_probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="off; assumed where given (Demicheli et al. 2008, Breast Cancer Res 10:R83, argue for it)",
        about="that taking out a primary that is a number gives vessels to a colony that waits for them",
    )
    capacity_cells: float = quantity(
        1e12, unit="cells", ge=1e3, le=1e15, source="assumed", about="size at which growth ends"
    )
    slowing_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1,
        source="off; assumed where given",
        about="Gompertz's a: growth per cell is at most a ln(capacity/cells); 0 = exponential up to the capacity",
    )
    adaptation_probability: float = quantity(
        0.0, unit="1", ge=0, le=1, source="off; assumed where given", about="that a daughter is adapted to the organ"
    )
    adapted_birth_factor: float = quantity(
        1.0, unit="1", ge=0, le=100, source="assumed", about="births of adapted cells, over those of others"
    )
    adapted_death_factor: float = quantity(
        1.0, unit="1", ge=0, le=100, source="assumed", about="deaths of adapted cells, over those of others"
    )
    shedding_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="off; assumed where given",
        about="seeds that a colony of one cell sheds (mu)",
    )
    shedding_exponent: float = quantity(
        0.66, unit="1", ge=0, le=2, source="assumed: a surface sheds", about="alpha: seeds grow as cells^alpha"
    )

    lattices: int = quantity(
        0,
        unit="lattices",
        ge=0,
        le=64,
        source="off; the scenario's choice",
        about="how many colonies at once grow on a tissue lattice of their own, of body.organ_shape; the oldest come first",
    )
    handover_risk: float = quantity(
        1e-3,
        unit="1",
        gt=0,
        lt=1,
        source="assumed",
        about="chance of dying out below which a colony may grow on a lattice (and no sooner than at 3 bottleneck_cells)",
    )
    lattice_fill_fraction: float = quantity(
        0.3,
        unit="1",
        gt=0,
        le=1,
        source="assumed",
        about="share of its lattice, or a cell at its wall, at which a colony is a number of cells again",
    )

    @model_validator(mode="after")
    def _avascular(self) -> Self:
        least = 10 * SMALL
        if 0 < self.avascular_cells < least:
            raise ValueError(
                f"body.colonies.avascular_cells: needs 0 or at least {least} cells (got {self.avascular_cells:g}); "
                "crowding begins above the sizes that are tabulated"
            )
        return self

    @model_validator(mode="after")
    def _bottleneck(self) -> Self:
        if (
            self.bottleneck_cells > 1
            and self.birth_per_h > 0
            and self.bottleneck_ratio < self.death_per_h / self.birth_per_h
        ):
            raise ValueError(
                f"body.colonies.bottleneck_ratio: small colonies die faster than large ones, so it must be at least "
                f"death_per_h / birth_per_h = {self.death_per_h / self.birth_per_h:.3g} (got {self.bottleneck_ratio:g})"
            )
        return self

    def slows_from(self, rates: Rates) -> float:
        """Cells from which on Gompertz growth is the slower; 0 without it."""
        if self.slowing_per_h == 0:
            return 0.0
        return self.capacity_cells * math.exp(min(700.0, max(-700.0, (rates.death - rates.birth) / self.slowing_per_h)))

    def refuse(self, rates: Rates, interval_h: float) -> None:
        """Raises ValueError if colonies of this law cannot be advanced by such an interval."""
        substeps(rates, interval_h)
        law = f"an interval of {interval_h:g} h is too long for {rates.birth:g} births and {rates.death:g} deaths per hour"
        if (wrong := overrated(rates, interval_h)) > OVERRATED_MAX:
            raise ValueError(
                f"{law}: colonies of more than {SMALL} cells would pass over a bottleneck of {rates.bottleneck}, and be "
                f"established too often by {wrong:.2g} (at most {OVERRATED_MAX:g}); give a shorter body.interval_h"
            )
        if SMALL * (rates.birth + rates.death) * interval_h > EVENTS_MAX / 2:
            raise ValueError(f"{law}: small colonies would have more than {EVENTS_MAX} of them")

    def handover_cells(self, rates: Rates) -> int | None:
        """Cells from which on a colony may grow on a lattice: it dies out with less than the risk, and has 3 n_c or more.

        From n_c cells on 1 - P_n falls as (d/b)^n. None if it always may die out."""
        if rates.death >= rates.birth:
            return None
        least, safe = 3 * rates.bottleneck, rates.bottleneck
        fails = 1.0 - float(establishment(rates, safe))
        if rates.death > 0 and fails > self.handover_risk:
            safe += math.ceil(math.log(self.handover_risk / fails) / math.log(rates.death / rates.birth))
        return max(least, safe)

    def rates(self, birth_factor: float = 1.0, death_factor: float = 1.0, *, adapted: bool = False) -> Rates:
        """The law of cells whose births and deaths are so many times those of the table (soil times clone).

        Deaths in small colonies are so many times the table's as other deaths, and never fewer than these."""
        if adapted:
            birth_factor *= self.adapted_birth_factor
            death_factor *= self.adapted_death_factor
        death = self.death_per_h * death_factor
        small = self.bottleneck_ratio * self.birth_per_h * death_factor if self.bottleneck_cells > 1 else 0.0
        return Rates(self.birth_per_h * birth_factor, death, self.bottleneck_cells, max(death, small))


def rounded_division(division: np.ndarray | float) -> np.ndarray:
    """Factors by which clones divide, in steps of a tenth, so that there are few laws."""
    return np.exp(FACTOR_STEP * np.rint(np.log(np.maximum(division, 1e-6)) / FACTOR_STEP))
