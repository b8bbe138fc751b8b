"""How a parameter is declared: a value with a unit, a range, a default and where the default comes from.

Every table of a scenario is a frozen model built from `quantity` fields, so the JSON schema, the
resolved scenario and the report all read the same declaration. A default whose source was not read
carries "assumed" in its source: it is an input to sweep, never a constant.
"""

import struct
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

# Sizes of numbers, 0 aside: kernels compute in single precision, which ends at 1e-38 and 3e38, and host code may cube.
LEAST, MOST = 1e-30, 1e30

FRANSSEN_2019 = "Franssen et al. 2019, Bull Math Biol 81:1965"


class Parameters(BaseModel):
    """A table of a scenario: frozen, closed to unknown keys, finite numbers only, none of absurd size."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    @field_validator("*")
    @classmethod
    def _sized(cls, value: Any) -> Any:
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not is_sized(number):
                raise ValueError(f"needs 0, or a number whose size is from {LEAST:g} to {MOST:g} (got {number!r})")
        return value


def is_sized(number: float) -> bool:
    """Whether a number is 0 or of a size to compute with.

    Zero is told by its bits: where processors flush subnormal numbers to zero, those compare equal to it.
    """
    size = abs(number)
    return size <= MOST and (size >= LEAST or int.from_bytes(struct.pack(">d", size)) == 0)


def quantity(
    default: Any = ...,
    *,
    unit: str,
    source: str,
    about: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    **more: Any,
) -> Any:
    """A model field with its unit, range, default and source.

    `unit` is "1" for pure numbers and "-" for choices; `source` says where the default comes from
    ("assumed" where nothing was read). Both travel in the JSON schema and in every run file.
    """
    return Field(
        default,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        description=about,
        json_schema_extra={"unit": unit, "source": source},
        **more,
    )
