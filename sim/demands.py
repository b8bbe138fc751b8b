"""What a process asks of the rest of a scenario: solutes that are there, and a tick that is short enough.

Each check raises ValueError with the key to blame at its start (`sim.explain` finds its line).
"""

import math

from ..kernels import division, sources, transport
from ..kernels.collapse import Collapse
from ..kernels.death import Death
from ..kernels.division import Proliferation
from ..kernels.immune import Immune
from ..kernels.lattice import Lattice
from ..kernels.law import Solute
from ..kernels.motility import Motility
from ..kernels.mutation import Mutation
from ..kernels.parameters import Parameters
from ..kernels.phenotype import Emt
from ..kernels.rupture import Rupture
from ..kernels.stroma import Stroma
from ..kernels.texture import Texture
from ..kernels.tissue import Trait
from . import sprouting
from .body.colony_parameters import rounded_division
from .body.parameters import Body
from .solutes import Solutes
from .sprouting import Angiogenesis

# more than this in one tick, and what happens within the tick is no longer followed
PER_TICK_MAX = 0.5


def present(solutes: Parameters) -> frozenset[str]:
    """The roles that a `[solutes]` table has."""
    return frozenset(name for name in type(solutes).model_fields if getattr(solutes, name) is not None)


def solute(key: str, rate: float, role: str, roles: frozenset[str], *, off: float = 0.0) -> None:
    """`key` is not at rest, so the solute of `role` must be there."""
    if rate != off and role not in roles:
        raise ValueError(
            f"{key}: needs the solute {role!r}, which this scenario does not have; add a table [solutes.{role}], or "
            f"set it to {off:g}"
        )


def short_tick(key: str, rate_per_h: float, tick_h: float, what: str, most: float = PER_TICK_MAX) -> None:
    """The hazard is integrated exactly, but its conditions are held over a tick."""
    chance = -math.expm1(-rate_per_h * tick_h)
    if chance > most:
        raise ValueError(
            f"{key}: {what} with probability {chance:.2f} in a tick of {tick_h:g} h, and at most {most:g} are "
            "allowed; shorten lattice.tick_h or lower the rate"
        )


def of_immune(immune: Immune, roles: frozenset[str], tick_h: float) -> None:
    """Effectors that are recruited or attracted need the signal; no hazard ends half of the cells in a tick."""
    solute("immune.recruited_entry_per_h", immune.recruited_entry_per_h, immune.signal, roles)
    solute("immune.attraction_per_signal", immune.attraction_per_signal, immune.signal, roles)
    short_tick("immune.kill_per_h", immune.kill_per_h * immune.visibility_fraction, tick_h, "a target is killed")
    short_tick("immune.death_per_h", immune.death_per_h, tick_h, "an effector dies")
    for name in ("entry_per_h", "recruited_entry_per_h"):
        short_tick(f"immune.{name}", getattr(immune, name), tick_h, "a voxel at a vessel is filled")


def of_emt(emt: Emt, roles: frozenset[str]) -> None:
    """Cells that change follow solutes that are there."""
    if emt.rate_per_h > 0.0:
        solute("emt.growth_factor_weight", emt.growth_factor_weight, "growth_factor", roles)
        solute("emt.hypoxia_weight", emt.hypoxia_weight, "oxygen", roles)


def of_death(death: Death, roles: frozenset[str], tick_h: float) -> None:
    """Necrosis needs oxygen and a drug kill needs the drug; no hazard ends half of the cells in a tick."""
    solute("death.necrosis_per_h", death.necrosis_per_h, "oxygen", roles)
    solute("death.drug_per_h", death.drug_per_h, "drug", roles)
    for name in ("apoptosis_per_h", "anoikis_per_h", "necrosis_per_h", "clearance_per_h", "drug_per_h"):
        what = "debris goes" if name == "clearance_per_h" else "a cell dies"
        short_tick(f"death.{name}", getattr(death, name), tick_h, what)


def of_division(table: Proliferation, mutation: Mutation, roles: frozenset[str], tick_h: float) -> None:
    """Responses need their solutes; the fastest clone divides seldom enough in a tick; the clock knows no clones."""
    solute("proliferation.oxygen_full_mmhg", table.oxygen_full_mmhg, "oxygen", roles)
    solute("proliferation.mitogen_half", table.mitogen_half, "mitogen", roles)
    if table.law == "clock":
        if mutation.varies(Trait.DIVISION):
            raise ValueError(
                "mutation.division: with proliferation.law = 'clock' all cells divide at once, whatever their clone; "
                "use 'hazard', or leave the trait's step at 0"
            )
        return
    factor = mutation.most(Trait.DIVISION)
    what = (
        "a cell divides"
        if factor == 1
        else f"a cell of the fastest clone (mutation.division.most = {factor:g}) divides"
    )
    for name in ("epithelial_per_h", "mesenchymal_per_h"):
        rate = factor * getattr(table, name)
        short_tick(f"proliferation.{name}", rate, tick_h, what, most=division.PER_TICK_MAX)


def of_solutes(solutes: Solutes, lattice: Lattice, voxel_um: float, tick_h: float) -> None:
    """What a solute responds to is there, its solver can take it, and its walls exist."""
    tables = solutes.present
    for role, table in tables.items():
        here = f"solutes.{role}"
        solute(f"{here}.hypoxic_secretion_per_h", table.hypoxic_secretion_per_h, "oxygen", frozenset(tables))
        responds = table.activated_stroma_secretion_per_h
        solute(f"{here}.activated_stroma_secretion_per_h", responds, "growth_factor", frozenset(tables))
        if lattice.faces == 4 and any(wall in ("z_low", "z_high") for wall in table.fixed_walls):
            raise ValueError(f"{here}.fixed_walls: a 2-D lattice has no walls along z")
        try:
            sources.exchange_per_h(table, voxel_um)
        except ValueError as reason:
            raise ValueError(f"{here}.{reason}") from None
        _solver(here, table, lattice, voxel_um, tick_h, binds=solutes.binds and role in ("protease", "inhibitor"))


def _solver(here: str, table: Solute, lattice: Lattice, voxel_um: float, tick_h: float, *, binds: bool) -> None:
    taken = transport.most_taken(table) > 0.0
    solver = transport.solver_of(table, lattice, voxel_um, tick_h, binds=binds)
    if solver != "quasi-steady":
        if table.every_ticks > 1:
            raise ValueError(
                f"{here}.every_ticks: only a quasi-steady solute can be left for ticks; this one is {solver}"
            )
        if solver == "explicit" and taken and table.half_saturation == 0.0:
            raise ValueError(
                f"{here}.half_saturation: uptake of zero order (0) cannot be stepped explicitly; give a value above 0, or "
                'solver = "implicit"'
            )
        return
    if binds:
        raise ValueError(
            f'{here}.solver: what is bound for good (solutes.inhibitor.binding_per_h) is not "quasi-steady"'
        )
    if table.diffusivity_um2_per_h == 0.0:
        raise ValueError(f"{here}.diffusivity_um2_per_h: a quasi-steady solute has to diffuse; give a value above 0")
    drained = table.decay_per_h > 0.0 or bool(table.fixed_walls) or table.exchange_um2_per_h > 0.0
    drained = drained or table.bed_per_h > 0.0
    secreted = any(value for name, value in table if name.endswith("secretion_per_h"))
    if not drained and (not taken or secreted):
        raise ValueError(
            f"{here}.decay_per_h: between closed walls, without decay and without exchange, a quasi-steady solute has no "
            "state of rest; give it one of these"
        )


def of_stroma(stroma: Stroma, roles: frozenset[str]) -> None:
    """What growth factor does to fibroblasts needs growth factor."""
    solute("stroma.activation_gain", stroma.activation_gain, "growth_factor", roles, off=1.0)


def of_motility(motility: Motility, texture: Texture, roles: frozenset[str]) -> None:
    """Chemotaxis needs the solute that it goes up, and guidance needs fibres."""
    solute("motility.chemotaxis_um2_per_h", motility.chemotaxis_um2_per_h, motility.chemotaxis_role, roles)
    if motility.guidance_fraction > 0 and texture.kind != "fibres":
        raise ValueError(
            "motility.guidance_fraction: needs fibres to follow, and a matrix of texture "
            f"{texture.kind!r} has none; give matrix.texture.kind = 'fibres', or set it to 0"
        )


def of_clones(body: Body, mutation: Mutation) -> None:
    """In a body that is a graph, seeds of every clone that can come about end their way, and their colonies can be advanced."""
    seen = mutation.visibility
    if seen.least < 1 and (seen.step_sd > 0 or seen.step_mean < 0):
        body.check_ends(clones_evade=True)
    if mutation.varies(Trait.DIVISION):
        for name in ("least", "most"):
            factor = getattr(mutation.division, name)
            try:
                body.check_laws(float(rounded_division(factor)))
            except ValueError as error:
                what = str(error).removeprefix("body.colonies: ")
                raise ValueError(f"mutation.division.{name}: colonies of a clone of {factor:g}: {what}") from None


def of_walls(rupture: Rupture, collapse: Collapse, tick_h: float) -> None:
    """No hazard changes half of the walls in a tick."""
    for table, name, what in (
        (rupture, "contact_per_h", "a wall ruptures"),
        (rupture, "healing_per_h", "a rupture heals"),
        (collapse, "collapse_per_h", "a vessel collapses"),
        (collapse, "reopening_per_h", "a vessel opens"),
    ):
        short_tick(f"{type(table).__name__.lower()}.{name}", getattr(table, name), tick_h, what)


def of_growth(name: str, table: Angiogenesis, roles: frozenset[str], voxel_um: float, tick_h: float) -> None:
    """Vessels grow towards a solute, from vessels that are there, no farther than a voxel in a step."""
    for rate in ("sprouting_per_mm_h", "branching_per_mm_h"):
        solute(f"{name}.{rate}", getattr(table, rate), sprouting.LIGANDS[name][1], roles)
    sprouting.rates(name, table, voxel_um, tick_h)
