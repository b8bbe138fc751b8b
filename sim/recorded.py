"""What a run records and when: the `[output]` and `[checkpoint]` tables."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ..kernels.parameters import Parameters, quantity
from ..kernels.roles import ROLES

MANTISSA_BITS = 23  # of an f4
# what can be recorded; of the solutes those that the scenario has
FIELDS = ("cell", "emt", "clone", "colony", "vessel", "matrix", "fibre", "protease", *ROLES[:-1])


def _field_every(name: str) -> Any:
    about = f"time between frames of {name}, a multiple of output.every_h; 0 = in every frame"
    return quantity(0.0, unit="h", ge=0, source="the scenario's choice", about=about)


class FieldsEvery(Parameters):
    """The `[output.fields_every_h]` table: fields recorded less often than the others.

    `cell` and `colony` say whose the voxel is and are in every frame.
    """

    emt: float = _field_every("emt")
    clone: float = _field_every("clone")
    vessel: float = _field_every("vessel")
    matrix: float = _field_every("matrix")
    fibre: float = _field_every("fibre")
    protease: float = _field_every("protease")
    oxygen: float = _field_every("oxygen")
    drug: float = _field_every("drug")
    growth_factor: float = _field_every("growth_factor")
    mitogen: float = _field_every("mitogen")
    cytokine: float = _field_every("cytokine")
    chemokine: float = _field_every("chemokine")
    vegf: float = _field_every("vegf")
    vegf_c: float = _field_every("vegf_c")
    inhibitor: float = _field_every("inhibitor")


class Output(Parameters):
    """The `[output]` table."""

    every_h: float = quantity(6.0, unit="h", gt=0, source="the scenario's choice", about="time between frames")
    series_every_h: float = quantity(
        1.0, unit="h", gt=0, source="the scenario's choice", about="time between rows of the series"
    )
    fields: Annotated[tuple[str, ...], Field(strict=False)] = quantity(
        ("cell", "emt", "vessel", "matrix", "protease"),
        unit="-",
        source="the scenario's choice",
        about=f"fields in each frame, of {', '.join(FIELDS)}",
    )
    keep_bits: int = quantity(
        MANTISSA_BITS,
        unit="bits",
        ge=1,
        le=MANTISSA_BITS,
        source="the scenario's choice",
        about="mantissa bits kept of matrix and solutes in the run file; n bits err by at most 2^-(n+1) of the value, "
        f"{MANTISSA_BITS} are all. What is computed is never rounded",
    )
    fields_every_h: FieldsEvery = Field(default_factory=FieldsEvery)

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [name for name in self.fields if name not in FIELDS]
        if unknown:
            raise ValueError(f"output.fields: unknown field {unknown[0]!r}; there are {', '.join(FIELDS)}")
        if "cell" not in self.fields:
            raise ValueError("output.fields: must hold 'cell'")
        if len(set(self.fields)) < len(self.fields):
            raise ValueError("output.fields: names a field twice")
        for name, every_h in self.fields_every_h:
            here = f"output.fields_every_h.{name}"
            if every_h and name not in self.fields:
                raise ValueError(f"{here}: output.fields does not hold {name!r}")
            frames = every_h / self.every_h
            if every_h and not (frames > 0.5 and abs(frames - round(frames)) < 1e-6 * frames):
                usual = f"output.every_h = {self.every_h:g} h"
                raise ValueError(f"{here}: needs a whole multiple of {usual} (got {every_h:g})")
        return self

    def every_frames(self, field: str) -> int:
        """1 if every frame holds the field, n if every n-th (and the last) does."""
        return max(1, round(getattr(self.fields_every_h, field, 0.0) / self.every_h))


class Checkpoint(Parameters):
    """The `[checkpoint]` table: how much a killed run may lose. A run also checkpoints when it is stopped, and at its end."""

    every_min: float = quantity(
        10.0, unit="min", gt=0, le=1e6, source="numerical", about="wall time between checkpoints"
    )
    every_ticks: int = quantity(
        0,
        unit="ticks",
        ge=0,
        source="numerical",
        about="ticks between checkpoints, besides wall time; 0 = by wall time only",
    )
