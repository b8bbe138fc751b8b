"""The texture of the matrix at the start, as a scenario states it; `sim.texture` lays it.

    uniform   initial_fraction everywhere
    noise     m = mean + contrast sqrt(12) (Phi(g) - 1/2), g a Gaussian field of correlation exp(-(r/l)^2):
              uniformly distributed, of just this mean and standard deviation, and never beyond [0, 1]
    fibres    of one field g_a for each axis a, drawn out to the coherence length along it, the greatest says
              where the strands run: m = mean + contrast sqrt(12) (Phi(g)^axes - 1/2), and the densest voxels guide
              cells along their axis
    duct      a tube with a dense shell around it: lumen, basement membrane, and what lies outside
    file      a volume

The mean is `initial_fraction`. Correlation is that of g; of m it is (6/pi) asin(exp(-(r/l)^2)/2), at most 0.02 less.
Ignored: fibres in directions other than the axes, a membrane thinner than a voxel.
"""

import math
import re
from typing import Literal, Self

from pydantic import model_validator

from .parameters import Parameters, quantity

_SPREAD = math.sqrt(3.0)  # half the width of a uniform distribution, in standard deviations
_SHA256 = re.compile(r"[0-9a-f]{64}|")


class Texture(Parameters):
    """The `[matrix.texture]` table. Of the primary; organs start with uniform matrix."""

    kind: Literal["uniform", "noise", "fibres", "duct", "file"] = quantity(
        "uniform", unit="-", source="the scenario's choice", about="how matrix is laid at the start"
    )
    contrast_fraction: float = quantity(
        0.15, unit="1", ge=0, le=0.5, source="assumed", about="standard deviation of noise and of strands"
    )
    correlation_um: float = quantity(
        60.0,
        unit="um",
        gt=0,
        le=2000,
        source="assumed",
        about="distance at which the correlation of noise falls to 1/e; across a strand",
    )
    coherence_um: float = quantity(
        200.0, unit="um", gt=0, le=5000, source="assumed", about="the same along a strand of fibres"
    )
    fibre_axis: Literal["any", "z", "y", "x"] = quantity(
        "any", unit="-", source="the scenario's choice", about="axis along which fibres run"
    )
    fibre_share_fraction: float = quantity(
        0.5, unit="1", ge=0, le=1, source="assumed", about="share of the voxels, the densest, whose fibres guide cells"
    )
    duct_axis: Literal["z", "y", "x"] = quantity(
        "x", unit="-", source="the scenario's choice", about="axis of the duct, through the middle, from wall to wall"
    )
    duct_radius_um: float = quantity(150.0, unit="um", gt=0, source="assumed", about="radius of the duct's lumen")
    lumen_fraction: float = quantity(0.0, unit="1", ge=0, le=1, source="assumed: empty", about="matrix in the lumen")
    membrane_um: float = quantity(
        20.0,
        unit="um",
        gt=0,
        source="numerical: a voxel. Basement membranes are a thousand times thinner; their density stands for that",
        about="thickness of the basement membrane",
    )
    membrane_fraction: float = quantity(
        1.0, unit="1", ge=0, le=1, source="assumed", about="matrix in the basement membrane, of duct or vessels"
    )
    lining_probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed: none",
        about="that a voxel of the lumen's outermost layer holds an epithelial cell, which stays",
    )
    vessel_membrane_um: float = quantity(
        0.0,
        unit="um",
        ge=0,
        le=1000,
        source="off",
        about="thickness of a basement membrane around vessels, by any kind",
    )
    file: str = quantity(
        "",
        unit="-",
        source="the scenario's choice",
        about="an .npy file or 'file.h5:dataset' with a fraction for each voxel; relative to the scenario's file",
    )
    file_sha256: str = quantity(
        "", unit="-", source="noted when the scenario is read", about="SHA-256 of that file, which it must have"
    )

    @model_validator(mode="after")
    def _file(self) -> Self:
        if self.kind == "file" and not self.file:
            raise ValueError("matrix.texture.file: texture.kind = 'file' needs a file")
        if self.file and self.kind != "file":
            raise ValueError(f"matrix.texture.file: is given, but texture.kind is {self.kind!r}")
        if not _SHA256.fullmatch(self.file_sha256):
            raise ValueError("matrix.texture.file_sha256: needs 64 hexadecimal digits")
        return self


def check_mean(texture: Texture, mean: float) -> None:
    """Raises ValueError if noise about this mean would leave [0, 1]."""
    reach = _SPREAD * texture.contrast_fraction
    if texture.kind in ("noise", "fibres") and not reach <= mean <= 1 - reach:
        raise ValueError(
            f"matrix.texture.contrast_fraction: a standard deviation of {texture.contrast_fraction:g} about "
            f"matrix.initial_fraction = {mean:g} would leave 0 to 1; of that mean at most "
            f"{min(mean, 1 - mean) / _SPREAD:.4g}"
        )


def check_duct(texture: Texture, shape: tuple[int, int, int], voxel_um: float) -> None:
    """Raises ValueError if a membrane leaks, or the duct does not fit the lattice."""
    for name, thickness in (("membrane_um", texture.membrane_um), ("vessel_membrane_um", texture.vessel_membrane_um)):
        asked = texture.kind == "duct" if name == "membrane_um" else thickness > 0
        if asked and thickness < voxel_um:
            raise ValueError(f"matrix.texture.{name}: thinner than a voxel of {voxel_um:g} um, so cells pass beside it")
    if texture.kind == "duct":
        across = [n for name, n in zip("zyx", shape, strict=True) if name != texture.duct_axis and n > 1]
        width = 2 * (texture.duct_radius_um + texture.membrane_um)
        if not across or width > min(across) * voxel_um:
            raise ValueError(
                f"matrix.texture.duct_radius_um: the duct with its membrane is {width:g} um wide, the lattice "
                f"{min(across, default=0) * voxel_um:g} um"
            )
