"""A scenario: what one run is, as frozen tables with units, ranges, defaults and sources.

The tables of the processes stand in the files of those processes; the ones here say where and how
long. Reading TOML, overrides and error messages: `sim.scenario_file`.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from ..kernels import immune, motility, phenotype
from ..kernels.adhesion import Adhesion
from ..kernels.collapse import Collapse
from ..kernels.death import Death
from ..kernels.draws import SUBSTEPS_MAX
from ..kernels.immune import Immune
from ..kernels.intravasation import Intravasation
from ..kernels.lattice import VOXELS_MAX, Lattice
from ..kernels.matrix import Matrix
from ..kernels.motility import Motility, MotilityRates
from ..kernels.mutation import Mutation
from ..kernels.parameters import FRANSSEN_2019, Parameters, quantity
from ..kernels.phenotype import Emt
from ..kernels.pores import Pores
from ..kernels.proliferation import Proliferation
from ..kernels.roles import ROLES
from ..kernels.rupture import Rupture
from ..kernels.stroma import Stroma
from ..kernels.texture import check_duct
from . import body_only, demands, inert, sprouting
from .body.emission import Emission
from .body.parameters import Body
from .recorded import Checkpoint, Output
from .solutes import Solutes
from .sprouting import Angiogenesis, Lymphangiogenesis
from .vessels import Vessels

Shape = Annotated[tuple[int, int, int], Field(strict=False)]


class LatticeTable(Parameters):
    """The `[lattice]` table."""

    shape: Shape = quantity(
        ..., unit="voxels", source="the scenario's choice", about="nz, ny, nx; nz = 1 makes the tissue 2-D"
    )
    voxel_um: float = quantity(
        20.0, unit="um", ge=5, le=50, source="one tumour cell a voxel (cell diameter 10-20 um)", about="voxel edge"
    )
    tick_h: float = quantity(0.1, unit="h", ge=1e-6, le=1e3, source="numerical", about="length of a tick")

    @model_validator(mode="after")
    def _size(self) -> Self:
        if min(self.shape) < 1 or max(self.shape) > VOXELS_MAX:
            raise ValueError(f"lattice.shape: needs whole numbers from 1 to {VOXELS_MAX} (got {list(self.shape)})")
        if self.voxels > VOXELS_MAX:
            raise ValueError(
                f"lattice.shape: {self.voxels} voxels, more than the {VOXELS_MAX} that 32-bit indices "
                "reach; use fewer or larger voxels (1024 x 1024 x 1024 fits)"
            )
        return self

    @property
    def voxels(self) -> int:
        nz, ny, nx = self.shape
        return nz * ny * nx


class Implant(Parameters):
    """The `[implant]` table: the initial tumour."""

    kind: Literal["ball", "scattered", "duct"] = quantity(
        "ball",
        unit="-",
        source="the scenario's choice",
        about="packed around the centre (a disc in 2-D), strewn, or packed around the centre within the lumen of a duct",
    )
    cells: int = quantity(388, unit="cells", ge=1, source=FRANSSEN_2019, about="cells at the start")
    mesenchymal_fraction: float = quantity(
        0.6, unit="1", ge=0, le=1, source=FRANSSEN_2019, about="share of them that is mesenchymal, the rest is of emt 0"
    )
    mesenchymal_emt: int = quantity(
        255, unit="1", ge=128, le=255, source=FRANSSEN_2019, about="emt of those: below 255 they are hybrids"
    )
    clones: int = quantity(
        1,
        unit="clones",
        ge=1,
        source="the scenario's choice",
        about="clones among them, in equal numbers; all but the first are children of it, with traits by [mutation]",
    )


@dataclass(frozen=True)
class Source:
    """Where a scenario was read: what to call it, and its text. No part of what it is: all compare equal."""

    name: str | None = field(default=None, compare=False)
    text: str | None = field(default=None, compare=False)


class Scenario(Parameters):
    """One run, whole. Every value has a unit in its name or its declaration, a range and a source."""

    title: str = quantity("untitled", unit="-", source="the scenario's choice", about="one line for people")
    until_h: float = quantity(..., unit="h", gt=0, le=1e6, source="the scenario's choice", about="simulated time")
    rng_key: int = quantity(
        0, unit="1", ge=0, lt=2**64, source="the scenario's choice", about="the key of all random draws"
    )
    primary: Literal["lattice", "emission"] = quantity(
        "lattice",
        unit="-",
        source="the scenario's choice",
        about="the primary: tissue on a lattice, or a number of cells that sheds by a law, [emission]",
    )
    lattice: LatticeTable
    emission: Emission | None = None
    implant: Implant = Field(default_factory=Implant)
    solutes: Solutes = Field(default_factory=Solutes)
    matrix: Matrix = Field(default_factory=Matrix)
    stroma: Stroma = Field(default_factory=Stroma)
    emt: Emt = Field(default_factory=Emt)
    death: Death = Field(default_factory=Death)
    immune: Immune = Field(default_factory=Immune)
    motility: Motility = Field(default_factory=Motility)
    adhesion: Adhesion = Field(default_factory=Adhesion)
    pores: Pores = Field(default_factory=Pores)
    proliferation: Proliferation = Field(default_factory=Proliferation)
    mutation: Mutation = Field(default_factory=Mutation)
    vessels: Vessels = Field(default_factory=Vessels)
    intravasation: Intravasation = Field(default_factory=Intravasation)
    rupture: Rupture = Field(default_factory=Rupture)
    collapse: Collapse = Field(default_factory=Collapse)
    angiogenesis: Angiogenesis = Field(default_factory=Angiogenesis)
    lymphangiogenesis: Lymphangiogenesis = Field(default_factory=Lymphangiogenesis)
    body: Body = Field(default_factory=Body)
    output: Output = Field(default_factory=Output)
    checkpoint: Checkpoint = Field(default_factory=Checkpoint)
    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="before")
    @classmethod
    def _stand_in(cls, given: Any) -> Any:
        return body_only.whole(given)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        without_lattice = body_only.check(self)
        inert.refuse(self)
        if without_lattice:
            return self  # no process of the tissue acts
        if self.implant.cells > self.lattice.voxels:
            raise ValueError(
                f"implant.cells: {self.implant.cells} cells do not fit the {self.lattice.voxels} voxels of lattice.shape"
            )
        if self.implant.clones > self.implant.cells:
            raise ValueError(f"implant.clones: {self.implant.clones} clones among {self.implant.cells} implant.cells")
        if self.implant.clones > self.mutation.clones_max:
            raise ValueError(
                f"mutation.clones_max: {self.mutation.clones_max} clones at most, and the implant alone has "
                f"{self.implant.clones} (implant.clones)"
            )
        if self.intravasation.law == "arrival" and self.vessels.solid and self.vessels.kind != "none":
            raise ValueError(
                "intravasation.law: 'arrival' needs vessels.solid = false; no cell hops onto a solid vessel"
            )
        check_duct(self.matrix.texture, self.lattice.shape, self.lattice.voxel_um)
        if self.implant.kind == "duct" and self.matrix.texture.kind != "duct":
            raise ValueError("implant.kind: 'duct' fills the lumen of a duct, so it needs matrix.texture.kind = 'duct'")
        demands.of_division(self.proliferation, self.mutation, demands.present(self.solutes), self.lattice.tick_h)
        if self.intravasation.cluster_law == "bonds" and self.adhesion.bond_energy == 0.0:
            raise ValueError(
                "intravasation.cluster_law: 'bonds' needs bonds; give adhesion.bond_energy, or leave the law at 'block'"
            )
        ticks = self.body.interval_h / self.lattice.tick_h
        if self.body.graph and (ticks < 0.5 or abs(ticks - round(ticks)) > 1e-6 * ticks):
            raise ValueError(
                f"body.interval_h: needs whole ticks of lattice.tick_h = {self.lattice.tick_h:g} h (got "
                f"{self.body.interval_h:g})"
            )
        if self.body.graph and self.clones_differ:
            demands.of_clones(self.body, self.mutation)
        demands.of_stroma(self.stroma, demands.present(self.solutes))
        demands.of_emt(self.emt, demands.present(self.solutes))
        phenotype.rates(self.emt, self.lattice.tick_h)
        demands.of_death(self.death, demands.present(self.solutes), self.lattice.tick_h)
        demands.of_immune(self.immune, demands.present(self.solutes), self.lattice.tick_h)
        for shape in {self.lattice.shape, self.body.organ_shape if self.body.organs else self.lattice.shape}:
            demands.of_solutes(self.solutes, Lattice.of(shape), self.lattice.voxel_um, self.lattice.tick_h)
        demands.of_walls(self.rupture, self.collapse, self.lattice.tick_h)
        for name in sprouting.LIGANDS:
            demands.of_growth(
                name, getattr(self, name), demands.present(self.solutes), self.lattice.voxel_um, self.lattice.tick_h
            )
        for name in self.output.fields:
            if name in ROLES and name not in self.solutes.roles:
                raise ValueError(f"output.fields: there is no {name} to record; add a table [solutes.{name}]")
        demands.of_motility(self.motility, self.matrix.texture, demands.present(self.solutes))
        # the gradient weights must stay probabilities: refused here rather than met in a run
        for shape in (self.lattice.shape, self.body.organ_shape):
            hops = self.hops(Lattice.of(shape)).substeps
            search = immune.rates(self.immune, Lattice.of(shape), self.lattice.voxel_um, self.lattice.tick_h).substeps
            # where cells pull, the draws beyond are those of its rounds (kernels.pulling)
            most = SUBSTEPS_MAX // 8 if self.adhesion.traction_energy > 0 else SUBSTEPS_MAX
            if hops + search > most:
                raise ValueError(
                    f"immune.speed_um_per_h: {search} substeps of the search after {hops} of the hops are more than the "
                    f"{most} a tick can have; shorten lattice.tick_h or lower the speeds"
                )
        return self

    @property
    def clones_differ(self) -> bool:
        """Can there be clones with traits of their own?"""
        return self.implant.clones > 1 or self.mutation.probability > 0

    def hops(self, lattice: Lattice) -> MotilityRates:
        """What hops take on a lattice: bonds, pores and the traits that clones can have are in other tables."""
        return motility.rates(
            self.motility,
            lattice,
            self.lattice.voxel_um,
            self.lattice.tick_h,
            adhering=self.adhesion,
            squeezing=self.pores,
            fastest=motility.fastest(self.mutation) if self.clones_differ else 0.0,
        )

    @property
    def source(self) -> Source:
        """The file's name and text; both None for a scenario that was built in Python."""
        return self._source

    def keep_source(self, source: Source) -> None:
        """Remember where this scenario was read (changes nothing that a run depends on)."""
        self._source = source

    @property
    def ticks(self) -> int:
        """Ticks from 0 to `until_h`."""
        return max(1, round(self.until_h / self.lattice.tick_h))
