"""Stroma: fibroblasts that rebuild the matrix around them.

    built = deposition (1 + (gain - 1) g^n / (K^n + g^n))        per fibroblast in reach

g is the growth factor (TGF-beta) at the fibroblast, which makes it a cancer-associated one. Its reach is
its own voxel and those beyond its six faces. What is built goes towards a ceiling: `kernels.turnover`.
Fibroblasts stand where they were put, exclude other cells, and neither divide nor die.
Ignored: migration and recruitment of fibroblasts, contraction and alignment of fibres, cross-linking.
"""

from typing import NamedTuple

import taichi as ti

from .parameters import Parameters, quantity
from .tissue import Cell


class Stroma(Parameters):
    """The `[stroma]` table."""

    site_probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="off",
        about="that a free voxel of the primary holds a fibroblast at the start (never in a vessel, nor in a duct's lumen)",
    )
    deposition_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e3,
        source="off",
        about="rate at which a fibroblast closes the gap to the ceiling, in its own voxel and beyond its faces",
    )
    ceiling_fraction: float = quantity(
        1.0, unit="1", ge=0, le=1, source="assumed", about="matrix beyond which fibroblasts build no more"
    )
    activation_gain: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1e3,
        source="off; cancer-associated fibroblasts deposit more: the factor is assumed where it is given",
        about="by what growth factor in excess multiplies deposition; needs [solutes.growth_factor] unless 1",
    )
    activation_half: float = quantity(
        1.0, unit="1", gt=0, le=1e6, source="assumed", about="growth factor of half the response, in its units"
    )
    activation_hill: int = quantity(2, unit="1", ge=1, le=8, source="assumed", about="Hill exponent of the response")


class StromaRates(NamedTuple):
    deposition: float = 0.0  # per fibroblast in reach and tick
    ceiling: float = 1.0
    gain: float = 1.0
    half: float = 1.0
    hill: int = 1


NO_STROMA = StromaRates()


def rates(parameters: Stroma, tick_h: float) -> StromaRates:
    # below a ceiling of 0 there is nothing to build
    deposition = parameters.deposition_per_h * tick_h if parameters.ceiling_fraction > 0 else 0.0
    return StromaRates(
        deposition,
        parameters.ceiling_fraction,
        parameters.activation_gain,
        parameters.activation_half,
        parameters.activation_hill,
    )


@ti.func
def response(growth_factor: ti.f32, half: ti.f32, hill: ti.template()):
    """The Hill response, 0 to 1."""
    ratio = growth_factor / half
    power = ratio
    for _ in ti.static(range(hill - 1)):
        power *= ratio
    # of two forms the one that stays finite
    return ti.select(ratio < 1.0, power / (1.0 + power), 1.0 / (1.0 + 1.0 / power))


@ti.func
def builds(cell: ti.u8):
    """Is this a fibroblast?"""
    return cell == ti.u8(Cell.STROMA)
