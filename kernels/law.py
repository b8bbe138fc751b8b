"""The law that all solutes follow, as a table.

    dc/dt = D lap(c) - decay c - uptake c/(K_m + c) + secretion + exchange (c_blood - c)      (kernels.transport)

Rates of secretion and uptake are per volume of tissue that is full of such cells (one cell a voxel: 1.25e8 cells/cm3
at 20 um, 1e9 at 10 um), so what a tissue does to a field does not depend on `voxel_um`. What is exchanged with blood
is per length of vessel, exchange = exchange_um2_per_h / dx^2 in its voxel, and in a bed of capillaries per volume.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .parameters import Parameters, quantity

# the walls, in face order
WALLS = ("x_low", "x_high", "y_low", "y_high", "z_low", "z_high")

_OFF = "0: off"
_IN = "rise of concentration per hour in a voxel that holds"
_OUT = "most that is taken up per hour in a voxel that holds"
_RATE = {"unit": "c/h", "ge": 0, "le": 1e9}
# what is declared once for all roles; "c" stands for the unit of the role's concentration
_LAW: dict[str, dict[str, Any]] = {
    "diffusivity_um2_per_h": {"unit": "um2/h", "ge": 0, "le": 1e8, "about": "diffusivity in the tissue"},
    "decay_per_h": {"unit": "1/h", "ge": 0, "le": 1e4, "about": "decay rate"},
    "initial": {"unit": "c", "ge": 0, "le": 1e9, "about": "concentration at the start, everywhere"},
    "secretion_per_h": _RATE | {"about": f"{_IN} a fully mesenchymal tumour cell"},
    "epithelial_secretion_per_h": _RATE | {"about": f"{_IN} an epithelial tumour cell; linear in emt between the two"},
    "hypoxic_secretion_per_h": _RATE | {"about": f"{_IN} any tumour cell in full hypoxia, besides; needs oxygen"},
    "hypoxia_from_mmhg": {"unit": "mmHg", "gt": 0, "le": 1e3, "about": "oxygen below which hypoxia induces secretion"},
    "hypoxia_full_mmhg": {"unit": "mmHg", "ge": 0, "le": 1e3, "about": "oxygen from which down the induction is full"},
    "stroma_secretion_per_h": _RATE | {"about": f"{_IN} a fibroblast"},
    "activated_stroma_secretion_per_h": _RATE
    | {"about": f"{_IN} a fully activated fibroblast, besides (by growth factor: stroma.activation_half, _hill)"},
    "immune_secretion_per_h": _RATE | {"about": f"{_IN} an immune cell"},
    "epithelium_secretion_per_h": _RATE | {"about": f"{_IN} a cell of normal epithelium"},
    "uptake_per_h": _RATE | {"about": f"{_OUT} a tumour cell"},
    "stroma_uptake_per_h": _RATE | {"about": f"{_OUT} a fibroblast"},
    "immune_uptake_per_h": _RATE | {"about": f"{_OUT} an immune cell"},
    "epithelium_uptake_per_h": _RATE | {"about": f"{_OUT} a cell of normal epithelium"},
    "half_saturation": {"unit": "c", "ge": 0, "le": 1e9, "about": "K_m: concentration of half the uptake; 0 = zero order"},
    "exchange_um2_per_h": {
        "unit": "um2/h",
        "ge": 0,
        "le": 1e12,
        "about": "permeability times circumference of a perfused blood vessel: what it lets through per length",
    },
    "vessel_radius_um": {
        "unit": "um",
        "ge": 0,
        "le": 50,
        "about": "radius of a vessel that is thinner than its voxel (a well: a voxel stands for a radius of 0.2 of its "
        "edge); 0 = as wide as the voxel makes it",
    },
    "bed_per_h": {
        "unit": "1/h",
        "ge": 0,
        "le": 1e6,
        "about": "exchange with a bed of capillaries finer than the lattice, in voxels that hold no cell, times their matrix",
    },
    "blood": {"unit": "c", "ge": 0, "le": 1e9, "about": "concentration in blood"},
}  # fmt: skip


def law(name: str, default: float, source: str) -> Any:
    """The parameter `name` of the common law with a role's own default and where that is from."""
    return quantity(default, source=source, **_LAW[name])


class Solute(Parameters):
    """A `[solutes.ROLE]` table. Roles give their unit and their own defaults."""

    UNIT: ClassVar[str] = "1"

    solver: Literal["auto", "explicit", "implicit", "quasi-steady"] = quantity(
        "auto",
        unit="-",
        source="numerical",
        about="how it is advanced; auto: explicit up to 40 substeps a tick, quasi-steady if decay and uptake by tumour "
        "cells renew it 5 times a tick, else implicit",
    )
    every_ticks: int = quantity(
        1, unit="ticks", ge=1, le=10_000, source="numerical", about="a quasi-steady solute is solved at every n-th tick"
    )
    diffusivity_um2_per_h: float = law("diffusivity_um2_per_h", 0.0, _OFF)
    decay_per_h: float = law("decay_per_h", 0.0, _OFF)
    initial: float = law("initial", 0.0, "none at the start")
    secretion_per_h: float = law("secretion_per_h", 0.0, _OFF)
    epithelial_secretion_per_h: float = law("epithelial_secretion_per_h", 0.0, _OFF)
    hypoxic_secretion_per_h: float = law("hypoxic_secretion_per_h", 0.0, _OFF)
    hypoxia_from_mmhg: float = law("hypoxia_from_mmhg", 15.0, "PhysiCell, after McKeown 2014")
    hypoxia_full_mmhg: float = law("hypoxia_full_mmhg", 4.0, "PhysiCell, after McKeown 2014")
    stroma_secretion_per_h: float = law("stroma_secretion_per_h", 0.0, _OFF)
    activated_stroma_secretion_per_h: float = law("activated_stroma_secretion_per_h", 0.0, _OFF)
    immune_secretion_per_h: float = law("immune_secretion_per_h", 0.0, _OFF)
    epithelium_secretion_per_h: float = law("epithelium_secretion_per_h", 0.0, _OFF)
    uptake_per_h: float = law("uptake_per_h", 0.0, _OFF)
    stroma_uptake_per_h: float = law("stroma_uptake_per_h", 0.0, _OFF)
    immune_uptake_per_h: float = law("immune_uptake_per_h", 0.0, _OFF)
    epithelium_uptake_per_h: float = law("epithelium_uptake_per_h", 0.0, _OFF)
    half_saturation: float = law("half_saturation", 1.0, "assumed")
    exchange_um2_per_h: float = law("exchange_um2_per_h", 0.0, _OFF)
    vessel_radius_um: float = law("vessel_radius_um", 0.0, _OFF)
    bed_per_h: float = law("bed_per_h", 0.0, _OFF)
    blood: float = law("blood", 0.0, "none in blood")
    fixed_walls: Annotated[tuple[str, ...], Field(strict=False)] = quantity(
        (),
        unit="-",
        source="closed: no flux",
        about=f"walls at which the concentration is held, of {', '.join(WALLS)}; no flux through the others",
    )
    wall_values: Annotated[tuple[float, ...], Field(strict=False)] = quantity(
        (), unit="c", source="the scenario's choice", about="concentration at each of them"
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        """Write the role's unit into what it inherited."""
        super().__pydantic_init_subclass__(**more)
        for field in cls.model_fields.values():
            extra = dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}
            unit = str(extra["unit"])
            if unit in ("c", "c/h"):
                field.json_schema_extra = {**extra, "unit": unit.replace("c", cls.UNIT, 1)}
        cls.model_rebuild(force=True)

    @model_validator(mode="after")
    def _walls(self) -> Self:
        for name in self.fixed_walls:
            if name not in WALLS:
                raise ValueError(f"fixed_walls: unknown wall {name!r}; there are {', '.join(WALLS)}")
        if len(set(self.fixed_walls)) < len(self.fixed_walls):
            raise ValueError("fixed_walls: names a wall twice")
        if len(self.wall_values) != len(self.fixed_walls):
            raise ValueError(
                f"wall_values: needs a value for each of fixed_walls, {len(self.fixed_walls)} (got {len(self.wall_values)})"
            )
        if any(value < 0 for value in self.wall_values):
            raise ValueError(f"wall_values: no concentration is below 0 (got {min(self.wall_values):g})")
        if not self.hypoxia_full_mmhg < self.hypoxia_from_mmhg:
            raise ValueError(
                f"hypoxia_full_mmhg: must lie below hypoxia_from_mmhg = {self.hypoxia_from_mmhg:g} "
                f"(got {self.hypoxia_full_mmhg:g})"
            )
        return self

    @property
    def walls(self) -> tuple[float | None, ...]:
        """The value at each wall in face order, None where no flux passes."""
        held = dict(zip(self.fixed_walls, self.wall_values, strict=True))
        return tuple(held.get(name) for name in WALLS)

    def blood_over(self, begin_h: float, end_h: float) -> float:
        """Mean concentration in blood from `begin_h` to `end_h`."""
        return self.blood
