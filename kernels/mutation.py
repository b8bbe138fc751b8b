"""Mutation: a division founds a new clone, whose traits differ a little from its parent's.

    on division      with probability u the daughter founds a clone          (infinite alleles, one parent each)
    its traits       trait = parent's * exp(m + s z), z standard normal, kept within [least, most]

u is per division and applies to one of the two daughters, as in Luria & Delbrueck's experiment in the form
of Lea & Coulson (1949, J Genet 49:264): the mother stays what she was. A share of the mutations can be
passengers, which found a clone with its parent's traits (Waclaw et al. 2015, Nature 525:261, has both kinds).
The contest marks daughters while it places them (`due` = MUTANT); `sim.clones` gives them their numbers.
Ignored: mutations between divisions, more than one at a division, back mutation, ploidy.
"""

from typing import NamedTuple, Self

from pydantic import Field, model_validator

from .draws import threshold
from .parameters import Parameters, quantity
from .tissue import Trait

# what `due` says of a daughter that founds a clone, from its birth to the end of its tick
MUTANT = 2
# rows of the clone table: as many cells as a lattice can hold have a clone each
CLONES_MAX = 2**31


class TraitLaw(Parameters):
    """A `[mutation.<trait>]` table: how one trait changes from parent to child. 1 is neutral."""

    step_sd: float = quantity(
        0.0, unit="1", ge=0, le=2, source="assumed", about="standard deviation of ln(child's / parent's); 0 = unchanged"
    )
    step_mean: float = quantity(
        0.0, unit="1", ge=-2, le=2, source="assumed", about="mean of ln(child's / parent's); above 0 favours the child"
    )
    least: float = quantity(0.25, unit="1", ge=0, le=1, source="assumed", about="the trait stays at or above this")
    most: float = quantity(4.0, unit="1", ge=1, le=1e3, source="assumed", about="the trait stays at or below this")

    @property
    def varies(self) -> bool:
        return self.step_sd > 0 or self.step_mean != 0


class Mutation(Parameters):
    """The `[mutation]` table: off, unless `probability` is above 0 or `implant.clones` above 1."""

    probability: float = quantity(
        0.0, unit="1", ge=0, le=1, source="assumed; 0 = one clone for ever", about="that a division founds a clone"
    )
    driver_probability: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed",
        about="that a new clone's traits change at all; others are passengers",
    )
    clones_max: int = quantity(
        1_000_000,
        unit="clones",
        ge=1,
        le=CLONES_MAX,
        source="numerical",
        about="most clones of a run, living and extinct; the run ends with a message when it needs more",
    )
    division: TraitLaw = Field(default_factory=TraitLaw)
    motility: TraitLaw = Field(default_factory=TraitLaw)
    adhesion: TraitLaw = Field(default_factory=TraitLaw)
    protease: TraitLaw = Field(default_factory=TraitLaw)
    visibility: TraitLaw = Field(default_factory=TraitLaw)
    death: TraitLaw = Field(default_factory=TraitLaw)
    emt: TraitLaw = Field(default_factory=TraitLaw)

    @model_validator(mode="after")
    def _drives(self) -> Self:
        if self.driver_probability == 0 and any(law.varies for law in self.laws.values()):
            raise ValueError(
                "mutation.driver_probability: is 0, so no trait would change; leave out the traits' tables"
            )
        return self

    @property
    def laws(self) -> dict[Trait, TraitLaw]:
        """The law of every trait, in their order."""
        return {trait: getattr(self, trait.name.lower()) for trait in Trait}

    def varies(self, trait: Trait) -> bool:
        """Can clones differ in this trait? Where not, nobody needs to look at it."""
        return self.laws[trait].varies

    def most(self, trait: Trait) -> float:
        """No clone has more of this trait."""
        return self.laws[trait].most if self.varies(trait) else 1.0


class MutationRates(NamedTuple):
    limit: int  # threshold of founding a clone, per division


NO_MUTATION = MutationRates(0)


def rates(parameters: Mutation) -> MutationRates:
    return MutationRates(threshold(parameters.probability))


__all__ = ["CLONES_MAX", "MUTANT", "NO_MUTATION", "Mutation", "MutationRates", "TraitLaw", "rates"]
