"""Motility: random hops, biased up the matrix (haptotaxis).

A hop to the voxel beyond a face has probability w per substep; h = D dt / dx^2, q = chi dt / (4 dx^2):

    linear     w = h + q (m_ahead - m_behind), below 0 clamped to 0                   (Franssen 2019)
    boltzmann  w = h B(4 q/h (m_ahead - m_here)), B(z) = z/(1 - exp(-z))        (Scharfetter & Gummel 1969)

The second is the flux between two voxels that the drift-diffusion equation gives exactly: w_there/w_back
is exp(chi/D dm), so it obeys detailed balance with the Boltzmann weight exp(chi/D m), and on a step of
matrix it tends to chi dm dt/dx^2, however small D is; a cell of motility 0
stays. (The more usual h exp(chi/D dm/2) has the same
balance, but the less motile a cell is the faster it takes a step.)
Both drift at chi grad(m) for small gradients; of the clamped weights those are counted that a draw got
to. D goes from the epithelial to the mesenchymal value
with emt. A hop into an occupied voxel or a wall is lost. Substeps keep the total hop probability
of a fast cell on flat matrix at or below 0.05, because crowding slows exchange by (1-(1-x)^6)/(6x),
x = p rho/6; and below 1 on the steepest step a matrix can have. Cells that degrade their own voxel leave a hole
behind, whose edge drives them on: they spread faster than D alone says (docs/model.md has figures).
Adhesion multiplies all weights of a cell by exp(-energy of what it holds) (kernels.adhesion), and the trait MOTILITY
of its clone by another factor.
Ignored: persistence, chemotaxis.
"""

import math
from typing import Literal, NamedTuple

from . import adhesion
from .adhesion import Adhesion, AdhesionRates
from .draws import SUBSTEPS_MAX, Stamp, threshold
from .hops import BOLTZMANN, LINEAR, Factors, propose_pass
from .lattice import Lattice
from .parameters import FRANSSEN_2019, Parameters, quantity
from .tissue import Tissue

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

    @property
    def factors(self) -> Factors:
        """What of all this there is, for the compiler."""
        return Factors(law=self.law, bonds=self.adhesion.bond > 0, grip=self.adhesion.grip > 0, varied=self.fastest > 0)


def rates(
    parameters: Motility,
    lattice: Lattice,
    voxel_um: float,
    tick_h: float,
    *,
    adhering: Adhesion | None = None,
    fastest: float = 0.0,
) -> MotilityRates:
    """Substeps from the crowding limit, and the coefficients of one of them.

    `fastest` is the largest trait MOTILITY that a clone can have; 0 says that clones do not differ, and then no
    trait is looked at. Raises ValueError if that asks for more substeps than draws can tell apart.
    """
    per_tick = tick_h / voxel_um**2
    fast = max(parameters.epithelial_um2_per_h, parameters.mesenchymal_um2_per_h)
    taxis = parameters.haptotaxis_um2_per_h / 4.0
    total = lattice.faces * fast * per_tick
    if parameters.law == "linear":
        # of the two weights of an axis one rises as the other falls, and none falls below 0
        steepest = lattice.dimensions * max(2 * fast, fast + taxis) * per_tick
    else:
        # h B(4 q/h) rises with h, from 4 q at h = 0
        pull = parameters.haptotaxis_um2_per_h
        steepest = (
            lattice.faces * per_tick * (pull / -math.expm1(-pull / fast) if fast > 0 and pull > 0 else fast + pull)
        )
    if fastest > 0:
        total, steepest = fastest * total, fastest * steepest
    substeps = max(1, math.ceil(total / _SUBSTEP_PROBABILITY - 1e-9), math.ceil(steepest - 1e-9))
    if substeps > SUBSTEPS_MAX:
        raise ValueError(
            f"lattice.tick_h: at {tick_h:g} h the hops of [motility] ask for {substeps} substeps a tick, and there are "
            f"at most {SUBSTEPS_MAX}; shorten the tick, or lower the motility or the haptotaxis"
        )
    scale = per_tick / substeps
    return MotilityRates(
        substeps,
        LINEAR if parameters.law == "linear" else BOLTZMANN,
        parameters.epithelial_um2_per_h * scale,
        parameters.mesenchymal_um2_per_h * scale,
        taxis * scale,
        threshold(min(1.0, steepest / substeps * (1 + 1e-5))),
        adhesion.rates(adhering) if adhering else AdhesionRates(),
        fastest,
    )


def propose(tissue: Tissue, rates: MotilityRates, substep: int, stamp: Stamp, *, solid_vessels: bool) -> None:
    """Every tumour cell states where it wants to hop, if anywhere, in this substep.

    Reads cell, emt, clone, matrix, vessel, traits, leaving, busy. Writes intent; counts clamped weights.
    """
    propose_pass(
        tissue.lattice,
        rates.factors,
        solid_vessels,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.matrix,
        tissue.vessel,
        tissue.traits,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        tissue.counters,
        rates.epithelial,
        rates.mesenchymal,
        rates.taxis,
        rates.adhesion.bond,
        rates.adhesion.grip,
        rates.fastest,
        rates.bound,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
