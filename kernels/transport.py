"""Each solute by the solver that suits its time scales: explicit, implicit or quasi-steady.

    dc/dt = D lap(c) - decay c - uptake c/(K_m + c) + secretion + exchange (c_blood - c)

**Which solver** (`solver = "auto"`). Explicit, if stability asks for at most 40 substeps a tick: a substep costs about
1/50 of a solve. Else quasi-steady, if decay and uptake by tumour cells, decay + q/(K_m + c) with the highest c of
start, blood and walls, renew the field at least 5 times a tick, so that what it was is forgotten (e^-5). Else
implicit. Sources are those of the cells' places at the start of the tick, held over it.

A solute that only mesenchymal cells secrete, without uptake, exchange or fixed walls, is stepped by `kernels.solute`.
Where the inhibitor binds the protease for good, both are stepped in time and then bound (`kernels.binding`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from . import implicit, solute, sources, steady
from .binding import bind
from .lattice import Lattice
from .law import Solute
from .levels import Law, Levels
from .react import react
from .roles import Inhibitor
from .solute import SoluteRates
from .sources import SourceRates
from .stroma import NO_STROMA, StromaRates
from .tissue import Tissue

EXPLICIT_MOST = 40  # substeps a tick
RENEWED_LEAST = 5.0  # times a tick
# the share of the stability limit that a substep may take
_SHARE = 0.9


class NotAtRest(RuntimeError):
    """A solver did not come to an answer."""


class RoleRates(NamedTuple):
    """How one solute is advanced on one lattice."""

    solver: str  # "plain", "explicit", "implicit" or "quasi-steady"
    substeps: int  # 0 where a tick is one solve
    plain: SoluteRates
    sources: SourceRates
    law: Law
    table: Solute
    tick_h: float
    every_ticks: int


class SolutesRates(NamedTuple):
    """All solutes of a scenario, in the order in which they advance."""

    roles: Mapping[str, RoleRates]
    binding: float  # k times the tick


@dataclass
class Scratch:
    """Arrays that solvers need beside the fields, dead between two solves; made when first needed.

    One serves all tissues of a lattice shape. Its levels live in `intent` and `leaving` of the first, which mean nothing
    until all solutes have been advanced, nor while another tissue takes its tick.
    """

    drain: Any = None
    uptake: Any = None
    supply: Any = None  # beside `Tissue.spare`, where that takes the next state
    levels: Levels | None = None

    def arrays(self, tissue: Tissue, rates: RoleRates) -> tuple[Any, Any, Any]:
        """(supply, drain, uptake) for this solute; `Tissue.spare` is the supply of those that are solved in place."""
        xp, shape = tissue.xp, tissue.lattice.shape
        if self.drain is None:
            self.drain = xp.zeros(shape, dtype=np.float32)
        if self.uptake is None and rates.sources.takes:
            self.uptake = xp.zeros(shape, dtype=np.float32)
        if self.supply is None and rates.solver == "explicit":
            self.supply = xp.zeros(shape, dtype=np.float32)
        if self.levels is None and rates.solver != "explicit":
            self.levels = Levels.of(tissue.lattice, xp, lent=(tissue.intent, tissue.leaving))
        uptake = self.uptake if rates.sources.takes else tissue.nothing
        return (self.supply if rates.solver == "explicit" else tissue.spare), self.drain, uptake


def substeps_of(table: Solute, lattice: Lattice, voxel_um: float, tick_h: float) -> float:
    """Substeps that explicit stepping would take in a tick; infinite for uptake of zero order."""
    walls = [value is not None for value in table.walls[: lattice.faces]]
    # a corner may touch one fixed wall an axis, both where the lattice is one voxel thick
    sizes = (lattice.nx, lattice.ny, lattice.nz)
    fixed = sum(
        sum(pair) if size == 1 else any(pair)
        for pair, size in zip((walls[0:2], walls[2:4], walls[4:6]), sizes, strict=True)
    )
    per_h = (2 * lattice.dimensions + fixed) * table.diffusivity_um2_per_h / voxel_um**2
    per_h += table.decay_per_h + sources.exchange_per_h(table, voxel_um) + table.bed_per_h
    if taken := most_taken(table):
        per_h += taken / table.half_saturation if table.half_saturation > 0.0 else math.inf
    load = tick_h * per_h / _SHARE
    return max(1, math.ceil(load - 1e-9)) if load < 1e15 else math.inf


def most_taken(table: Solute) -> float:
    """The greatest uptake by any kind of cell, c/h."""
    return max(table.uptake_per_h, table.stroma_uptake_per_h, table.immune_uptake_per_h, table.epithelium_uptake_per_h)


def renewals(table: Solute, tick_h: float) -> float:
    """How often decay and uptake by tumour cells renew the field in a tick."""
    highest = max([table.initial, table.blood, *table.wall_values])
    taken = table.uptake_per_h / (table.half_saturation + highest) if table.uptake_per_h else 0.0
    return tick_h * (table.decay_per_h + taken)


def solver_of(table: Solute, lattice: Lattice, voxel_um: float, tick_h: float, *, binds: bool = False) -> str:
    """The solver's name, as chosen or forced; `binds`: the solute takes part in binding, so it is stepped in time."""
    if table.solver != "auto":
        return table.solver
    if substeps_of(table, lattice, voxel_um, tick_h) <= EXPLICIT_MOST:
        return "explicit"
    forgets = renewals(table, tick_h) >= RENEWED_LEAST and table.diffusivity_um2_per_h > 0.0
    return "quasi-steady" if forgets and not binds else "implicit"


def is_plain(table: Solute) -> bool:
    """Do mesenchymal cells secrete it and nothing else happen to it but decay?"""
    others = (
        table.epithelial_secretion_per_h,
        table.hypoxic_secretion_per_h,
        table.stroma_secretion_per_h,
        table.activated_stroma_secretion_per_h,
        table.immune_secretion_per_h,
        table.epithelium_secretion_per_h,
        table.exchange_um2_per_h,
        table.bed_per_h,
        most_taken(table),
    )
    return not any(others) and not table.fixed_walls


def rates(
    tables: Mapping[str, Solute], lattice: Lattice, voxel_um: float, tick_h: float, stroma: StromaRates = NO_STROMA
) -> SolutesRates:
    """How every solute is advanced; `tables` in the order of `kernels.roles.ROLES`."""
    inhibitor = tables.get("inhibitor")
    binding = inhibitor.binding_per_h * tick_h if isinstance(inhibitor, Inhibitor) else 0.0
    found = {}
    for role, table in tables.items():
        binds = binding > 0.0 and role in ("protease", "inhibitor")
        solver = solver_of(table, lattice, voxel_um, tick_h, binds=binds)
        substeps = 0
        if solver == "explicit":
            substeps = int(min(substeps_of(table, lattice, voxel_um, tick_h), 2**31 - 1))
        plain = solute.rates(table, lattice, voxel_um, tick_h)
        if solver == "explicit" and is_plain(table):
            solver, substeps = "plain", plain.substeps
        found[role] = RoleRates(
            solver,
            substeps,
            plain,
            sources.rates(table, voxel_um, stroma, by_clone=role == "protease"),
            Law(table.diffusivity_um2_per_h, voxel_um, table.half_saturation, _walls(table, lattice)),
            table,
            tick_h,
            table.every_ticks if solver == "quasi-steady" else 1,
        )
    return SolutesRates(found, binding)


def _walls(table: Solute, lattice: Lattice) -> tuple[float | None, ...]:
    return table.walls if lattice.faces == 6 else (*table.walls[:4], None, None)


def advance(tissue: Tissue, rates: SolutesRates, tick: int, scratch: Scratch, *, fresh: bool = False) -> None:
    """Advance every solute of the tissue by the tick that begins now. A `fresh` tissue has been made in this tick, so
    solutes at rest are solved whatever their `every_ticks`, from nothing.

    Reads cell, emt, clone, vessel, busy, traits, the fields. Writes the fields (and spare;
    intent and leaving, 0 after). Raises NotAtRest if a solve fails.
    """
    for role, one in rates.roles.items():
        if one.solver == "plain":
            # what nobody secretes and nothing is left of costs one look
            if one.plain.secretion > 0.0 or bool(tissue.solutes[role].any()):
                solute.diffuse(tissue, one.plain, role)
        elif fresh or tick % one.every_ticks == 0:
            _advance(tissue, role, one, tick, scratch, fresh=fresh or tick == 0)
    bind(tissue, rates.binding)


def _advance(tissue: Tissue, role: str, rates: RoleRates, tick: int, scratch: Scratch, *, fresh: bool) -> None:
    supply, drain, uptake = scratch.arrays(tissue, rates)
    blood = rates.table.blood_over(tick * rates.tick_h, (tick + 1) * rates.tick_h)
    sources.fill(tissue, rates.sources, blood, rates.sources.decay, supply, drain, uptake)
    field, law, lattice = tissue.solutes[role], rates.law, tissue.lattice
    if rates.solver == "explicit":
        exchange = law.diffusivity_um2_per_h * rates.tick_h / rates.substeps / law.voxel_um**2
        tissue.solutes[role], tissue.spare = react(
            lattice, field, tissue.spare, (supply, drain, uptake), rates.sources.takes, rates.substeps, rates.tick_h,
            exchange, law.half_saturation, law.walls,
        )  # fmt: skip
        return
    assert scratch.levels is not None
    try:
        if rates.solver == "implicit":
            done = implicit.advance(lattice, field, supply, drain, uptake, scratch.levels, law, rates.tick_h)
        else:
            done = steady.solve(lattice, field, supply, drain, uptake, scratch.levels, law, cold=fresh)
    except ValueError as reason:
        raise NotAtRest(f"solutes.{role}: {reason}") from None
    finally:
        scratch.levels.give_back()
    if not done.converged:
        raise NotAtRest(
            f"solutes.{role}: no solution after {done.cycles} cycles and {done.steps} steps of Newton's method, the last of "
            f"which changed it by {done.change:.2g} of its range; try a larger half_saturation or another solver"
        )
