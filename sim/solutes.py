"""The `[solutes.*]` tables of a scenario: which roles it has."""

from pydantic import Field

from ..kernels import roles
from ..kernels.law import Solute
from ..kernels.parameters import Parameters
from ..kernels.roles import ROLES


class Solutes(Parameters):
    """The `[solutes.*]` tables. The protease is always there, the others when their table is."""

    protease: roles.Protease = Field(default_factory=roles.Protease)
    inhibitor: roles.Inhibitor | None = None
    oxygen: roles.Oxygen | None = None
    growth_factor: roles.GrowthFactor | None = None
    mitogen: roles.Mitogen | None = None
    cytokine: roles.Cytokine | None = None
    vegf: roles.Vegf | None = None
    vegf_c: roles.VegfC | None = None
    chemokine: roles.Chemokine | None = None
    drug: roles.Drug | None = None

    @property
    def present(self) -> dict[str, Solute]:
        """The tables that are there, by role, in the order in which solutes advance."""
        tables = {role: getattr(self, role) for role in ROLES}
        return {role: table for role, table in tables.items() if table is not None}

    @property
    def binds(self) -> bool:
        """Does the inhibitor bind the protease for good?"""
        return self.inhibitor is not None and self.inhibitor.binding_per_h > 0.0

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are there."""
        return tuple(self.present)
