"""The pre-metastatic niche: a factor from the primary prepares named organs for what will arrive there.

    factor    dF/dt = s N - k F            s secreted per cell, N cells of the primary, k = ln 2 / half-life
    niche     dM/dt = (F/(F + F_half) - M) / tau,    0 <= M <= 1
    a step    p' = p + M gain (1 - p)      a probability raised towards 1;  a rate: r' = r (1 + gain M)

Kaplan et al. 2005 (Nature 438:820) saw bone marrow cells prepare organs ahead of tumour cells; half-lives and gains were
not read, so all of them are "assumed" and off by default. Both equations are solved exactly over an interval in which
N is constant, however long it is; the saturation of the decaying F is integrated by Gauss's rule over each half-life.
Ignored: organs that differ in how fast they are prepared, metastases that secrete.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from ...kernels.parameters import Parameters, quantity

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_ROUNDING = 1e-16


class Niche(Parameters):
    """The `[body.niche]` table. Off by default."""

    organs: Annotated[tuple[str, ...], Field(strict=False)] = quantity(
        (), unit="-", source="assumed; none", about="organs that are prepared"
    )
    secretion_per_h: float = quantity(
        1.0, unit="1/h", ge=0, le=1e6, source="the unit of the factor", about="factor from a cell of the primary"
    )
    factor_half_life_h: float = quantity(
        24.0, unit="h", gt=0, le=1e6, source="assumed", about="half-life of the factor"
    )
    half_saturation: float = quantity(
        1e9, unit="1", gt=0, source="assumed", about="factor at which the niche is prepared half way"
    )
    response_h: float = quantity(
        336.0, unit="h", gt=0, le=1e6, source="assumed: two weeks", about="time in which the niche follows the factor"
    )
    survival_gain: float = quantity(
        0.0, unit="1", ge=0, le=1, source="assumed; 0 = none", about="share of killers that a full niche keeps away"
    )
    extravasation_gain: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 0 = none",
        about="share of those that would not get out that then do",
    )
    receptive_gain: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 0 = none",
        about="share of those that the soil would refuse that it takes",
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        for name in self.organs:
            if self.organs.count(name) > 1:
                raise ValueError(f"body.niche.organs: names {name!r} twice; once is enough, nothing is prepared twice")
        return self


@dataclass
class NicheState:
    """The factor in the blood and how far the organs are prepared, 0 to 1."""

    factor: float = 0.0
    prepared: float = 0.0

    def advance(self, niche: Niche, cells: float, hours: float) -> None:
        """Go on by an interval in which the primary has so many cells."""
        if not niche.organs:
            return
        decay = math.log(2.0) / niche.factor_half_life_h
        rest = niche.secretion_per_h * cells / decay
        before = self.factor
        self.factor = rest + (before - rest) * math.exp(-decay * hours)
        tau = niche.response_h
        self.prepared *= math.exp(-hours / tau)
        # from where on the factor is at rest; before that, what the niche has forgotten by the end
        swing = max(1.0, abs(before - rest) / niche.half_saturation)
        still = min(hours, (math.log(swing) - math.log(_ROUNDING)) / decay)
        start = min(still, max(0.0, hours + tau * math.log(_ROUNDING)))
        pieces = max(1, math.ceil((still - start) / min(niche.factor_half_life_h, tau)))
        width = (still - start) / pieces
        time = start + width * (np.arange(pieces)[:, None] + 0.5 * (1.0 + _NODES))
        factor = rest + (before - rest) * np.exp(-decay * time)
        followed = factor / (factor + niche.half_saturation) * np.exp((time - hours) / tau)
        self.prepared += 0.5 * width / tau * float((followed * _WEIGHTS).sum())
        self.prepared -= rest / (rest + niche.half_saturation) * math.expm1((still - hours) / tau)


def raised(probability: np.ndarray | float, gain: float, prepared: np.ndarray) -> np.ndarray:
    """p + M gain (1 - p), f8 of the shape of `prepared`, which is M."""
    return probability + prepared * gain * (1.0 - probability)
