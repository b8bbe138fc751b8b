"""The tables of the body: how seeds travel, and the organs they may reach.

Two accounts of transit exclude each other. Without `graph`, the simple one: a fixed time, survival per passage, organs by
share, each with a lattice. With it, a body as a graph of places, and the tables of what happens in them.
"""

import math
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ...kernels.lattice import VOXELS_MAX
from ...kernels.parameters import FRANSSEN_2019, Parameters, quantity
from ..errors import InputError
from ..plain_text import printable
from ..problems import did_you_mean
from .anatomy import Anatomy, is_file, load, sum_of
from .colony_parameters import ColonyGrowth
from .dormancy import Dormancy
from .gauntlet import Gauntlet
from .niche import Niche
from .passage import KINDS, Arrest, Kind, Transit, chain, share_of
from .soil import EQUAL, Soil
from .transit import MEAN_MAX

Shape = Annotated[tuple[int, int, int], Field(strict=False)]
# it names groups and series of the run file
OrganName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
# the tables of a body that is a graph: absent without it, with their defaults where it leaves them out
OF_GRAPH = ("transit", "arrest", "gauntlet", "dormancy", "niche", "colonies")
# what the simple account alone reads
OF_SHARES = (
    "transit_h",
    "breakup_probability",
    "single_survival_probability",
    "cluster_survival_probability",
    "extravasation_probability",
    "organs",
)
_INSTEAD = {
    "transit_h": "times follow from volumes and flows",
    "breakup_probability": "give body.transit.breakup_probability",
    "single_survival_probability": "give the hazards of [body.transit]",
    "cluster_survival_probability": "give the hazards of [body.transit]",
    "extravasation_probability": "give body.gauntlet.extravasation_probability",
    "organs": "the organs are those of the graph; give [body.soil.*]",
}


@cache
def _kept(graph: str, sha256: str) -> Anatomy:
    return _anatomy(graph, sha256)


def _anatomy(graph: str, sha256: str) -> Anatomy:
    try:
        body = load(graph)
        found = sum_of(graph) if sha256 else ""
    except InputError as error:
        raise ValueError(f"body.graph: {error}") from None
    if found != sha256:
        raise ValueError(
            f"body.graph: {printable(graph)}: is not the file this scenario was read with: its SHA-256 is {found}, "
            f"body.graph_sha256 is {printable(sha256)}"
        )
    return body


def _passes(kind: Kind) -> str:
    """Which key says how often a kind of seed passes a bed."""
    size = "cluster" if kind.cluster else "small" if kind.small else "large"
    return f"{size}_pass_probability"


def hint(name: str, known: Iterable[str]) -> str:
    close = did_you_mean(name, list(known))
    return f" - did you mean {close!r}?" if close else ""


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
    """The `[body]` table: one account of transit, by a graph or by shares."""

    graph: str = quantity(
        "",
        unit="-",
        source="the scenario's choice",
        about="name of a shipped body (human, mouse), or a TOML file beside the scenario's; empty = shares of organs",
    )
    graph_sha256: str = quantity(
        "", unit="-", source="noted when the scenario is read", about="SHA-256 of that file, which it must have"
    )
    primary: str = quantity(
        "",
        unit="-",
        source="the scenario's choice",
        about="which primary of the graph this one is: it sets its drainage",
    )
    interval_h: float = quantity(
        24.0,
        unit="h",
        ge=1e-6,
        le=1e4,
        source="numerical",
        about="interval at which a graph's niche, dormancy and colonies go on",
    )
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
        False,
        unit="-",
        source=f"{FRANSSEN_2019}: organs do not shed",
        about="do colonies shed seeds in turn; with body.graph they do if body.colonies.shedding_per_h is above 0",
    )
    organs: dict[OrganName, Organ] = Field(default_factory=dict)
    transit: Transit | None = None
    arrest: Arrest | None = None
    gauntlet: Gauntlet | None = None
    dormancy: Dormancy | None = None
    niche: Niche | None = None
    colonies: ColonyGrowth | None = None
    soil: dict[OrganName, Soil] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        """A graph has all of its tables."""
        if isinstance(given, dict) and given.get("graph"):
            return {**{name: {} for name in OF_GRAPH}, **given}
        return given

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        if self.graph_sha256 and not is_file(self.graph):
            raise ValueError(
                "body.graph_sha256: is of a body's TOML file, and body.graph names none "
                f"(got {printable(self.graph)!r}); take it away"
            )
        if self.graph:
            for name in OF_SHARES:
                # a default may be given: a resolved scenario writes all of them
                if getattr(self, name) != (type(self).model_fields[name].default if name != "organs" else {}):
                    raise ValueError(f"body.{name}: belongs to a body without body.graph; with it, {_INSTEAD[name]}")
            self._check_names()
            self.check_laws()
            self._check_seeding()
            self.check_ends()
            return self
        for name in (*OF_GRAPH, "soil"):
            if getattr(self, name):
                raise ValueError(f"body.{name}: needs a body that is a graph; give body.graph")
        if self.primary:
            raise ValueError("body.primary: needs a body that is a graph; give body.graph")
        return self

    def _check_names(self) -> None:
        """Everything that the tables name is in the graph."""
        body = self.anatomy
        if self.primary not in body.primaries:
            raise ValueError(
                f"body.primary: {printable(body.title)} has no primary {self.primary!r}"
                f"{hint(self.primary, body.primaries)}; there are {', '.join(body.primaries)}"
            )
        niche = self.niche.organs if self.niche else ()
        for key, names in (("body.soil", self.soil), ("body.niche.organs", niche)):
            for name in names:
                if name not in body.organs:
                    raise ValueError(f"{key}: {printable(body.title)} has no organ {name!r}{hint(name, body.organs)}")

    def check_laws(self, division: float = 1.0) -> None:
        """Raises ValueError unless colonies of a clone that divides so many times as fast can be advanced in every soil."""
        growth = self.colonies
        if growth is None:
            return
        factors = {division * soil.growth_factor for soil in (EQUAL, *self.soil.values())}
        for law in {growth.rates(factor, adapted=adapted) for factor in factors for adapted in (False, True)}:
            try:
                growth.refuse(law, self.interval_h)
            except ValueError as error:
                raise ValueError(f"body.colonies: {error}") from None

    def _check_seeding(self) -> None:
        """One switch: colonies of a graph shed at their rate, and the switch of lattices says the same."""
        sheds = self.colonies is not None and self.colonies.shedding_per_h > 0
        if "secondary_seeding" not in self.model_fields_set:
            vars(self)["secondary_seeding"] = sheds  # not as if it had been given: another rate may still change it
        elif sheds and not self.secondary_seeding:
            raise ValueError(
                "body.secondary_seeding: false, and body.colonies.shedding_per_h is above 0; give true, or a rate of 0"
            )

    def check_ends(self, *, clones_evade: bool = False) -> None:
        """Raises ValueError, naming the key, if seeds of a kind that there is would not come to an end.

        `clones_evade`: clones of low visibility evade natural killers, whatever share of all seeds does.
        """
        transit, arrest, body = self.transit, self.arrest, self.anatomy
        assert transit and arrest
        if clones_evade and transit.evasive_fraction == 0.0:
            transit = transit.model_copy(update={"evasive_fraction": 0.5})
        for kind in KINDS:
            if share_of(transit, kind) == 0.0:
                continue
            try:
                passages = float(chain(body, transit, arrest, kind, self.soil_of).visits_from.sum(axis=1).max())
            except ValueError:  # neither held nor dying
                passages = math.inf
            if not passages <= MEAN_MAX:
                who = " of clones of low visibility (mutation.visibility)" if clones_evade and kind.evasive else ""
                raise ValueError(
                    f"body.arrest.{_passes(kind)}: such seeds{who} would come into {passages:.3g} places in the mean before "
                    f"they are held or die (at most {MEAN_MAX:g}); lower it, or raise a hazard of body.transit: "
                    "shear_per_h, nk_per_h, anoikis_per_h"
                )

    @property
    def anatomy(self) -> Anatomy:
        """The body of `graph`."""
        if is_file(self.graph) and not self.graph_sha256:  # it may be another file the next time
            return _anatomy(self.graph, "")
        return _kept(self.graph, self.graph_sha256)

    @property
    def organ_names(self) -> tuple[str, ...]:
        """Where seeds can settle, in the order of their indices."""
        return self.anatomy.organs if self.graph else tuple(self.organs)

    def pinned(self) -> Self:
        """With the SHA-256 of the graph's file noted, if it is one of one's own."""
        return self.model_copy(update={"graph_sha256": sum_of(self.graph)}) if is_file(self.graph) else self

    def soil_of(self, organ: str) -> Soil:
        """The soil of an organ; all alike where the scenario says nothing."""
        return self.soil.get(organ, EQUAL)

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
        if "primary" in self.organs:
            raise ValueError("body.organs: the primary's own tissue is called 'primary'; give another name")
        total = sum(organ.share_probability for organ in self.organs.values())
        if self.organs and abs(total - 1.0) > 1e-6:
            raise ValueError(f"body.organs: share_probability adds up to {total:.6g} over the organs; it must be 1")
        return self
