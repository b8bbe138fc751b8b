"""After arrest: natural killers come by until they no longer kill; who is left gets out of the vessel, or dies there.

    encounters    at t = e, 2e, 3e ... after arrest; each kills one cell of the seed with probability
                  p(t) = p0                                 t <= full_h
                         p0 (1 - (t - full_h)/(end_h - full_h))    up to end_h      fall "linear"
                         0                                         from there       fall "step": at once from full_h
    leaves        at `extravasation_h`, with `extravasation_probability`; nobody meets it any more

Ichise et al. 2022 (eLife 11:e76269): p0 = 0.5 an encounter in the first 4 h, about 0 after 24 h, an encounter each 2 h.
The form of the fall between is not known and decides the result: a single cell comes through "linear" with probability
0.0164 and through "step" with 0.25; killing at p0 all along would leave 0.5^12 = 0.00024.
A cluster loses one cell at a time, and with it no more than that: its advantage here is not put in but follows.
Ignored: killers that meet several cells, cells that get loose again, time of extravasation that varies.
"""

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from ...kernels.parameters import Parameters, quantity

ICHISE_2022 = "Ichise et al. 2022, eLife 11:e76269"
KOOP_1995 = "Koop et al. 1995, Cancer Res 55:2520"
# an encounter is told from the next by 16 bits of a draw's counter
ENCOUNTERS_MAX = 1000


class Gauntlet(Parameters):
    """The `[body.gauntlet]` table."""

    kill_probability: float = quantity(
        0.5,
        unit="1",
        ge=0,
        le=1,
        source=ICHISE_2022,
        about="that an early encounter kills a cell of the seed; 0 = no killers",
    )
    encounter_h: float = quantity(2.0, unit="h", gt=0, le=1e4, source=ICHISE_2022, about="time between encounters")
    full_h: float = quantity(
        4.0, unit="h", ge=0, le=1e4, source=ICHISE_2022, about="until when killers kill as at first"
    )
    end_h: float = quantity(24.0, unit="h", ge=0, le=1e4, source=ICHISE_2022, about="from when on they kill no more")
    fall: Literal["linear", "step"] = quantity(
        "linear", unit="-", source="assumed", about="how the probability falls from full_h to end_h: evenly, or at once"
    )
    extravasation_h: float = quantity(
        24.0,
        unit="h",
        ge=0,
        le=1e4,
        source=f"{KOOP_1995}: by 24 h",
        about="time from arrest until it is out of the vessel",
    )
    extravasation_probability: float = quantity(
        0.8,
        unit="1",
        ge=0,
        le=1,
        source=f"{KOOP_1995}: > 80 %",
        about="that a seed that is left gets out of the vessel",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        name = "full_h" if self.fall == "step" else "end_h"
        last = getattr(self, name)
        if self.full_h > last:
            raise ValueError(f"body.gauntlet.full_h: {self.full_h:g} h is after body.gauntlet.end_h ({self.end_h:g} h)")
        if last / self.encounter_h > ENCOUNTERS_MAX:
            raise ValueError(
                f"body.gauntlet.encounter_h: more than {ENCOUNTERS_MAX} encounters up to {name} ({last:g} h)"
            )
        return self


def kill_probabilities(gauntlet: Gauntlet) -> np.ndarray:
    """(encounters,) f8: that the first, second ... encounter kills a cell of the seed."""
    last = gauntlet.full_h if gauntlet.fall == "step" else gauntlet.end_h
    last = min(last, gauntlet.extravasation_h)  # out of the vessel they meet it no more
    hours = gauntlet.encounter_h * np.arange(1, int(last / gauntlet.encounter_h + 1e-9) + 1)
    span = gauntlet.end_h - gauntlet.full_h
    left = (
        np.ones(len(hours))
        if gauntlet.fall == "step" or span == 0
        else np.clip(1.0 - (hours - gauntlet.full_h) / span, 0.0, 1.0)
    )
    return gauntlet.kill_probability * left


def killed_distribution(kills: np.ndarray) -> np.ndarray:
    """(encounters + 1,) f8: the probability that 0, 1, 2 ... encounters kill (Poisson binomial)."""
    law = np.ones(1)
    for kill in kills:
        law = np.convolve(law, [1.0 - kill, kill])
    return law


def survival_probability(gauntlet: Gauntlet, cells: int, factor: float = 1.0) -> float:
    """That a cell of the seed is left; `factor` multiplies every kill (evasion, cloak, niche)."""
    law = killed_distribution(np.minimum(factor * kill_probabilities(gauntlet), 1.0))
    return float(law[:cells].sum())
