"""How a parameter is declared: a value with a unit, a range, a default and where the default comes from.

Every table of a scenario is a frozen model built from `quantity` fields, so the JSON schema, the
resolved scenario and the report all read the same declaration. A default whose source was not read
carries "assumed" in its source: it is an input to sweep, never a constant.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FRANSSEN_2019 = "Franssen et al. 2019, Bull Math Biol 81:1965"


class Parameters(BaseModel):
    """A table of a scenario: frozen, closed to unknown keys, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


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
