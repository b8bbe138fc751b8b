"""The tables of a body's file: vessels, beds, lymph, cavities, and the primaries that drain into them."""

from typing import Annotated, Literal

from pydantic import Field

from ...kernels.parameters import Parameters, quantity

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Shares = dict[Name, Share]
Text = Annotated[str, Field(min_length=1)]


class Vessel(Parameters):
    """A `[vessels.<name>]` table: blood that nothing leaves for an organ."""

    blood_volume_fraction: float = quantity(..., unit="1", gt=0, le=1, source="the body's", about="of the blood volume")
    to: Shares = Field(default_factory=dict, description="where what leaves it goes, by share")
    source: Text


class Bed(Parameters):
    """A `[beds.<name>]` table: a capillary bed of an organ."""

    organ: Name
    flow_fraction: float = quantity(
        ..., unit="1", ge=0, le=1, source="the body's", about="arterial supply as a share of the cardiac output"
    )
    blood_volume_fraction: float = quantity(..., unit="1", gt=0, le=1, source="the body's", about="of the blood volume")
    to: Shares
    source: Text


class Lymph(Parameters):
    """A `[lymph.<name>]` table: the sinus of nodes, where seeds stop, or a duct, which has no organ."""

    organ: Name | None = None
    residence_h: float = quantity(..., unit="h", ge=1e-4, le=1e4, source="the body's", about="mean time of what passes")
    to: Shares
    source: Text


class Cavity(Parameters):
    """A `[cavities.<name>]` table: what is shed into it settles on its lining, or leaves with the lymph."""

    organ: Name
    residence_h: float = quantity(..., unit="h", ge=1e-4, le=1e4, source="the body's", about="mean time of what passes")
    to: Shares
    source: Text


class Primary(Parameters):
    """A `[primaries.<name>]` table: where a primary stands (nowhere, if it is an injection) and how it drains."""

    organ: Name | None = None
    routes: dict[Literal["blood", "lymph", "coelomic"], Share] = Field(description="shares of what it sheds, by route")
    blood: Shares = Field(description="first places of what leaves by its veins, by share")
    lymph: Shares = Field(default_factory=dict, description="first places of what leaves by lymph")
    coelomic: Shares = Field(default_factory=dict, description="first places of what falls into a cavity")
    source: Text

    def drains(self, route: str) -> Shares:
        """First places of a route, by share."""
        return getattr(self, route)
