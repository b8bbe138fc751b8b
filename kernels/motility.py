"""Motility: random hops, biased by gradients, fibres and headings, and held back by bonds and pores.

A hop to the voxel beyond a face has probability w per substep; h = D dt / dx^2, q = chi dt / (4 dx^2), and a the
attraction: the matrix (haptotaxis), and what is sensed of a solute (chemotaxis, kernels.taxis):

    linear     w = h + q (a_ahead - a_behind), below 0 clamped to 0                   (Franssen 2019)
    boltzmann  w = h B(4 q/h (a_ahead - a_here)), B(z) = z/(1 - exp(-z))         (Scharfetter & Gummel 1969)

The second is the flux between two voxels that the drift-diffusion equation gives exactly: w_there/w_back
is exp(chi/D da), so it obeys detailed balance with the Boltzmann weight exp(chi/D a), and on a step of
matrix it tends to chi da dt/dx^2, however small D is; a cell of motility 0
stays. (The more usual h exp(chi/D da/2) has the same
balance, but the less motile a cell is the faster it takes a step.)
Both drift at chi grad(a) for small gradients; of the clamped weights those are counted that a draw got
to. D goes from the epithelial to the mesenchymal value
with emt. Then, in this order, each exactly off where a scenario does not use it:

    + v dt/dx through the face that the cell heads for                       kernels.persistence
    x along or across the fibres                                             kernels.guidance
    x what the pores of the voxel ahead let pass                             kernels.pores
    x exp(-energy of the bonds and the grip that it breaks)                  kernels.adhesion
    x trait MOTILITY of its clone

A hop into an occupied voxel or a wall is lost. Substeps keep the total hop probability
of a fast cell on flat matrix at or below 0.05, because crowding slows exchange by (1-(1-x)^6)/(6x),
x = p rho/6; and below 1 on the steepest step there can be. Cells that degrade their own voxel leave a hole
behind, whose edge drives them on: they spread faster than D alone says (docs/model.md has figures).
"""

import math
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from . import adhesion, guidance, persistence, pores
from .adhesion import Adhesion, AdhesionRates
from .draws import SUBSTEPS_MAX, Stamp, threshold
from .hops import Factors, propose_pass
from .lattice import Lattice
from .mutation import Mutation
from .parameters import FRANSSEN_2019, Parameters, quantity
from .persistence import Run
from .pores import PoreRates, Pores
from .taxis import BOLTZMANN, LINEAR
from .tissue import Tissue, Trait

_SUBSTEP_PROBABILITY = 0.05


class Motility(Parameters):
    """The `[motility]` table."""

    law: Literal["boltzmann", "linear"] = quantity(
        "boltzmann", unit="-", source="detailed balance; 'linear' is Franssen 2019", about="how a gradient biases hops"
    )
    mesenchymal_um2_per_h: float = quantity(
        36.0, unit="um2/h", ge=0, le=1e6, source=f"{FRANSSEN_2019}: 1e-10 cm2/s", about="motility of emt 255"
    )
    epithelial_um2_per_h: float = quantity(
        18.0, unit="um2/h", ge=0, le=1e6, source=f"{FRANSSEN_2019}: 5e-11 cm2/s", about="motility of emt 0"
    )
    haptotaxis_um2_per_h: float = quantity(
        180.0,
        unit="um2/h",
        ge=0,
        le=1e6,
        source=f"{FRANSSEN_2019}: 5e-4 (0.2 cm)^2 per 4e4 s",
        about="haptotactic coefficient chi, per unit of matrix",
    )
    chemotaxis_role: Literal[
        "none", "oxygen", "growth_factor", "mitogen", "cytokine", "vegf", "vegf_c", "chemokine", "drug", "protease"
    ] = quantity("none", unit="-", source="the scenario's choice", about="the solute that draws cells up its gradient")
    chemotaxis_um2_per_h: float = quantity(
        0.0,
        unit="um2/h",
        ge=0,
        le=1e6,
        source="none unless asked for; assumed",
        about="chemotactic coefficient, per unit of receptor occupancy c/(c + half)",
    )
    chemotaxis_half: float = quantity(
        1.0,
        unit="of the solute",
        gt=0,
        le=1e9,
        source="assumed",
        about="concentration that occupies half of the receptors",
    )
    mesenchymal_speed_um_per_h: float = quantity(
        0.0,
        unit="um/h",
        ge=0,
        le=1e4,
        source="none unless asked for; 6-60 um/h in collagen (assumed: from memory)",
        about="speed of emt 255 along its heading, besides its random motility",
    )
    epithelial_speed_um_per_h: float = quantity(
        0.0,
        unit="um/h",
        ge=0,
        le=1e4,
        source="none unless asked for; assumed",
        about="speed of emt 0 along its heading",
    )
    persistence_h: float = quantity(
        0.0,
        unit="h",
        ge=0,
        le=1e4,
        source="assumed",
        about="mean time that a heading is kept; runs under three voxels become a random motility",
    )
    guidance_fraction: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="none unless asked for; assumed",
        about="alignment of hops with fibres in intact matrix: 0 none, 1 never across",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.chemotaxis_um2_per_h > 0 and self.chemotaxis_role == "none":
            raise ValueError("motility.chemotaxis_role: name the solute that motility.chemotaxis_um2_per_h is for")
        if max(self.mesenchymal_speed_um_per_h, self.epithelial_speed_um_per_h) > 0 and self.persistence_h == 0:
            raise ValueError("motility.persistence_h: a speed along a heading needs a time that the heading is kept")
        return self


class MotilityRates(NamedTuple):
    """What a substep needs, per substep."""

    substeps: int
    law: int
    epithelial: float  # h of emt 0
    mesenchymal: float  # h of emt 255
    taxis: float  # q
    bound: int  # no cell hops with more than this probability (threshold): draws above it stay at once
    adhesion: AdhesionRates = AdhesionRates()
    fastest: float = 0.0  # the trait MOTILITY counts up to this; 0 = clones do not differ
    pores: PoreRates = PoreRates()
    run: Run = Run()  # voxels a substep
    alignment: float = 0.0  # with fibres
    role: str = "none"  # of the attractant
    chemotaxis: float = 0.0  # q, per unit of occupancy
    half: float = 1.0

    @property
    def factors(self) -> Factors:
        """What of all this there is, for the compiler."""
        return Factors(
            law=self.law,
            bonds=self.adhesion.bond > 0,
            grip=self.adhesion.grip > 0,
            varied=self.fastest > 0,
            attracted=self.chemotaxis > 0,
            guided=self.alignment > 0,
            pores=self.pores.hinder,
            runs=self.run.epithelial > 0 or self.run.mesenchymal > 0,
        )


def fastest(mutation: Mutation) -> float:
    """The largest trait MOTILITY that a clone can have; 0 where clones differ in nothing that hops depend on."""
    asked = (Trait.MOTILITY, Trait.ADHESION, Trait.PROTEASE)
    return mutation.most(Trait.MOTILITY) if any(mutation.varies(trait) for trait in asked) else 0.0


def rates(
    parameters: Motility,
    lattice: Lattice,
    voxel_um: float,
    tick_h: float,
    *,
    adhering: Adhesion | None = None,
    squeezing: Pores | None = None,
    fastest: float = 0.0,
) -> MotilityRates:
    """Substeps from the crowding limit, and the coefficients of one of them.

    `fastest` is the largest trait MOTILITY that a clone can have; 0 says that clones do not differ, and then no
    trait is looked at. Bonds and pores only lower weights, so they ask for no substeps.
    Raises ValueError if that asks for more substeps than draws can tell apart, or for a shorter tick.
    """
    p, d = parameters, lattice.dimensions
    per_tick = tick_h / voxel_um**2
    run = persistence.run(p.epithelial_speed_um_per_h, p.mesenchymal_speed_um_per_h, p.persistence_h, voxel_um, tick_h)
    slow_h, fast_h = p.epithelial_um2_per_h, p.mesenchymal_um2_per_h
    if run == Run():
        # runs that the lattice does not resolve are diffusion
        slow_h += p.epithelial_speed_um_per_h**2 * p.persistence_h / d
        fast_h += p.mesenchymal_speed_um_per_h**2 * p.persistence_h / d
    fast = max(slow_h, fast_h)
    running = max(run.epithelial, run.mesenchymal)
    pull = p.haptotaxis_um2_per_h + p.chemotaxis_um2_per_h
    total = lattice.faces * fast * per_tick + running
    if p.law == "linear":
        # of the two weights of an axis one rises as the other falls, and none falls below 0
        steepest = d * max(2 * fast, fast + pull / 4.0) * per_tick
    else:
        # h B(4 q/h) rises with h, from 4 q at h = 0
        steepest = (
            lattice.faces * per_tick * (pull / -math.expm1(-pull / fast) if fast > 0 and pull > 0 else fast + pull)
        )
    together, single = guidance.steepest(p.guidance_fraction, d)
    steepest = steepest * together + running * single
    if fastest > 0:
        total, steepest = fastest * total, fastest * steepest
    substeps = max(1, math.ceil(total / _SUBSTEP_PROBABILITY - 1e-9), math.ceil(steepest - 1e-9))
    pulls = adhering is not None and adhering.traction_energy > 0
    most = SUBSTEPS_MAX // 8 if pulls else SUBSTEPS_MAX  # kernels.pulling has rounds of its own
    if substeps > most:
        raise ValueError(
            f"lattice.tick_h: at {tick_h:g} h the hops of [motility] ask for {substeps} substeps a tick, and there are "
            f"at most {most}; shorten the tick, or lower the motility or the haptotaxis"
        )
    scale = per_tick / substeps
    return MotilityRates(
        substeps,
        LINEAR if p.law == "linear" else BOLTZMANN,
        slow_h * scale,
        fast_h * scale,
        p.haptotaxis_um2_per_h / 4.0 * scale,
        threshold(min(1.0, steepest / substeps * (1 + 1e-5))),
        adhesion.rates(adhering) if adhering else AdhesionRates(),
        fastest,
        pores.rates(squeezing) if squeezing else PoreRates(),
        run._replace(epithelial=run.epithelial / substeps, mesenchymal=run.mesenchymal / substeps),
        p.guidance_fraction,
        p.chemotaxis_role,
        p.chemotaxis_um2_per_h / 4.0 * scale,
        p.chemotaxis_half,
    )


def turn(tissue: Tissue, rates: MotilityRates, stamp: Stamp) -> None:
    """Cells take new headings for this tick. Reads cell, busy. Writes heading."""
    persistence.turn(tissue, rates.run, stamp)


def propose(tissue: Tissue, rates: MotilityRates, substep: int, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Every tumour cell states where it wants to hop, if anywhere, in this substep.

    Reads cell, emt, clone, heading, matrix, fibre, vessel, traits, the attractant, leaving, busy. Writes intent; counts
    clamped weights.
    """
    if rates.chemotaxis > 0 and rates.role not in tissue.solutes:
        raise KeyError(f"no solute {rates.role!r} to go up")  # the kernel would read beyond the stand-in
    propose_pass(
        tissue.lattice,
        rates.factors,
        solid_vessels,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.heading,
        tissue.matrix,
        tissue.fibre,
        tissue.vessel,
        tissue.solute(rates.role),
        tissue.traits,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        tissue.counters,
        rates.epithelial,
        rates.mesenchymal,
        rates.taxis,
        rates.chemotaxis,
        rates.half,
        rates.run.epithelial,
        rates.run.mesenchymal,
        rates.alignment,
        rates.adhesion.bond,
        rates.adhesion.grip,
        *rates.pores,
        rates.fastest,
        rates.bound,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
