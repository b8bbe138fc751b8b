"""The tables of the body: how seeds travel, and the organs they may reach."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ...kernels.lattice import VOXELS_MAX
from ...kernels.parameters import FRANSSEN_2019, Parameters, quantity

Shape = Annotated[tuple[int, int, int], Field(strict=False)]
# it names groups and series of the run file
OrganName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]


class Organ(Parameters):
    """A `[body.organs.<name>]` table."""

    share_probability: float = quantity(
        ...,
        unit="1",
        ge=0,
        le=1,
        source="the scenario's choice",
        about="that a seed that survives transit arrests here",
    )
    vessels: int = quantity(10, unit="sites", ge=1, source=FRANSSEN_2019, about="vessel sites at which seeds arrive")


class Body(Parameters):
    """The `[body]` table: one account of transit, its survival given per passage."""

    transit_h: float = quantity(
        2.0,
        unit="h",
        gt=0,
        le=1e4,
        source=f"{FRANSSEN_2019}: 180 steps of 40 s",
        about="time from entry to arrest or death",
    )
    breakup_probability: float = quantity(
        0.5, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="that a cell of a cluster comes off it in transit"
    )
    single_survival_probability: float = quantity(
        5e-4, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="that a single cell survives transit"
    )
    cluster_survival_probability: float = quantity(
        0.025, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="that a cluster survives transit"
    )
    extravasation_probability: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source=f"{FRANSSEN_2019}: every survivor",
        about="that an arrested seed gets into the organ",
    )
    organ_shape: Shape = quantity(
        (1, 64, 64), unit="voxels", source="the scenario's choice", about="nz, ny, nx of every organ's lattice"
    )
    secondary_seeding: bool = quantity(
        False, unit="-", source=f"{FRANSSEN_2019}: organs do not shed", about="do colonies shed seeds in turn"
    )
    organs: dict[OrganName, Organ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _size(self) -> Self:
        nz, ny, nx = self.organ_shape
        if min(nz, ny, nx) < 1 or nz * ny * nx > VOXELS_MAX:
            raise ValueError(
                f"body.organ_shape: needs whole numbers of at least 1 and at most {VOXELS_MAX} voxels "
                f"(got {[nz, ny, nx]})"
            )
        return self

    @model_validator(mode="after")
    def _shares(self) -> Self:
        total = sum(organ.share_probability for organ in self.organs.values())
        if self.organs and abs(total - 1.0) > 1e-6:
            raise ValueError(f"body.organs: share_probability adds up to {total:.6g} over the organs; it must be 1")
        return self
