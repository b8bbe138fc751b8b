"""Immune effectors: cytotoxic cells that come out of vessels, kill tumour cells beside them, and are spent.

    enter    an empty voxel receives one with p = 1 - exp(-h tick), per face that looks at a perfused blood vessel
             h = entry + recruited c/(K + c), c the chemokine (or cytokine) in that voxel
    kill     a tumour cell dies with p = 1 - exp(-h tick), h = kill v n, n the effectors beside it, v = visibility VISIBILITY
    end      an effector goes with p = 1 - exp(-h tick), h = death + exhaustion (sum of kill v over the tumour cells beside it)

VISIBILITY is a trait of the clone (0 evades) and `visibility_fraction` what is left of it under checkpoint control.
`exhaustion_probability` is per kill: an effector is spent at that share of the rate at which it kills, and kills
1/exhaustion cells on average before. Both sides of a kill are judged on the same old state. Entry is in `kernels.immune_entry`,
what effectors do in between in `kernels.immune_search`. (In vivo a CTL kills 2 to 16 targets a day: Halle et al. 2016, Immunity 44:233; not read, so assumed.)
Ignored: kinds of effectors, priming, division in the tissue, cooperation, granzyme, what dying cells release.
"""

import math
from typing import Literal, NamedTuple

import taichi as ti

from .draws import SUBSTEPS_MAX, Purpose, Stamp, as_threshold, below, draw, happens, threshold
from .lattice import Lattice, coordinates, has_neighbour, is_idle, offset
from .launch import array, kernel
from .parameters import Parameters, quantity
from .removal import remove
from .tissue import Cell, Count, Tissue, Trait
from .traits import trait_of

# of a hop in one substep: effectors are few, so that crowding hardly matters (tumour cells take 0.05)
SUBSTEP_PROBABILITY = 0.2
# a persistent way shorter than this is a random walk on the lattice
RESOLVED_VOXELS = 3.0


class Immune(Parameters):
    """The `[immune]` table. Without entry there are no effectors."""

    entry_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=100,
        source="off; assumed where given",
        about="entry per face of a perfused vessel's wall",
    )
    recruited_entry_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=100, source="off; assumed where given", about="the same, added where signal saturates"
    )
    signal: Literal["chemokine", "cytokine"] = quantity(
        "chemokine", unit="-", source="the scenario's choice", about="the solute that recruits and attracts effectors"
    )
    signal_half: float = quantity(
        1.0, unit="of the solute", gt=0, le=1e6, source="assumed", about="signal of half that recruitment"
    )
    speed_um_per_h: float = quantity(
        0.0, unit="um/h", ge=0, le=2000, source="off; assumed where given (T cells: some 240)", about="speed of search"
    )
    persistence_h: float = quantity(
        0.05,
        unit="h",
        gt=0,
        le=100,
        source="assumed",
        about="mean time between turns; speed x persistence under 3 voxels is a random walk",
    )
    attraction_per_signal: float = quantity(
        0.0,
        unit="1/of the solute",
        ge=0,
        le=1e6,
        source="off; assumed where given",
        about="bias of turns: weight exp(attraction x step of signal)",
    )
    contact_speed_fraction: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed: effectors stop at their targets",
        about="share of the speed beside a visible tumour cell",
    )
    kill_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=100,
        source="off; assumed where given (2 to 16 a day: 0.08 to 0.67)",
        about="kills per effector and tumour cell beside it",
    )
    visibility_fraction: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source="the scenario's choice",
        about="what checkpoint control leaves of killing, in all clones",
    )
    exhaustion_probability: float = quantity(
        0.0, unit="1", ge=0, le=1, source="off; assumed where given", about="that a kill exhausts the effector"
    )
    death_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=10, source="off; assumed where given", about="effectors' own death or departure"
    )


class ImmuneRates(NamedTuple):
    """Hazards per tick; of the search, per substep."""

    entry: float
    recruited: float
    half: float
    signal: str  # role
    kill: float  # times visibility_fraction
    exhaustion: float
    death: float
    substeps: int  # of the search; 0 = they stay
    hop: int  # threshold
    turn: int  # threshold; ALWAYS = a new direction at each substep
    attraction: float
    contact: float  # share of hops that contact leaves
    visibility: float


def rates(parameters: Immune, lattice: Lattice, voxel_um: float, tick_h: float) -> ImmuneRates:
    """Raises ValueError if the search asks for more substeps than draws can tell apart."""
    way = parameters.speed_um_per_h * parameters.persistence_h / voxel_um
    persistent = way >= RESOLVED_VOXELS
    # a walker that turns at rate 1/P spreads with D = v^2 P / dimensions, so it hops at 2 dimensions D / dx^2
    hops_per_h = (1.0 if persistent else 2.0 * way) * parameters.speed_um_per_h / voxel_um
    substeps = math.ceil(hops_per_h * tick_h / SUBSTEP_PROBABILITY - 1e-9)
    if substeps > SUBSTEPS_MAX // 2:
        raise ValueError(
            f"immune.speed_um_per_h: at lattice.tick_h = {tick_h:g} h the search asks for {substeps} substeps a tick, and "
            f"there are at most {SUBSTEPS_MAX // 2}; shorten the tick or lower the speed"
        )
    turns = -math.expm1(-tick_h / max(1, substeps) / parameters.persistence_h)
    return ImmuneRates(
        parameters.entry_per_h * tick_h,
        parameters.recruited_entry_per_h * tick_h,
        parameters.signal_half,
        parameters.signal,
        parameters.kill_per_h * parameters.visibility_fraction * tick_h,
        parameters.exhaustion_probability,
        parameters.death_per_h * tick_h,
        substeps,
        threshold(hops_per_h * tick_h / substeps) if substeps else 0,
        threshold(turns if persistent else 1.0),
        parameters.attraction_per_signal,
        parameters.contact_speed_fraction,
        parameters.visibility_fraction,
    )


@ti.func
def beside(
    lattice: ti.template(),
    cell: ti.template(),
    clone: ti.template(),
    traits: ti.template(),
    i: ti.i32,
):
    """(effectors beside voxel i, sum of VISIBILITY over the tumour cells beside it)."""
    z, y, x = coordinates(lattice, i)
    effectors, visible = 0, ti.f32(0.0)
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            j = i + ti.static(offset(lattice, face))
            if cell[j] == ti.u8(Cell.IMMUNE):
                effectors += 1
            if cell[j] == ti.u8(Cell.TUMOUR):
                visible += trait_of(traits, clone[j], Trait.VISIBILITY)
    return effectors, visible


@kernel
def judge_pass(
    lattice: ti.template(),
    cell: array(ti.u8),
    clone: array(ti.u32),
    traits: array(ti.f32),
    intent: array(ti.u8),
    busy: array(ti.u8),
    kill: ti.f32,
    exhaustion: ti.f32,
    death: ti.f32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; clone u4; traits (clones, len(Trait)) f4; intent u1; busy (chunks,) 0/1 u1; hazards per tick.

    Walls: nobody beyond them.
    Conserves: cells; only marks are written.
    Race-free because: each voxel writes its own intent; cells are only read, by both sides of a kill.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            mark = ti.u8(0)
            if cell[i] == ti.u8(Cell.TUMOUR):
                effectors, _ = beside(lattice, cell, clone, traits, i)
                if effectors > 0:
                    hazard = kill * trait_of(traits, clone[i], Trait.VISIBILITY) * ti.cast(effectors, ti.f32)
                    chance = draw(i, tick, ti.u32(0), Purpose.KILL, lattice_id, k0, k1)
                    if below(chance, as_threshold(happens(hazard))):
                        mark = ti.u8(Count.KILLED)
            elif cell[i] == ti.u8(Cell.IMMUNE):
                _, visible = beside(lattice, cell, clone, traits, i)
                hazard = death + exhaustion * kill * visible
                chance = draw(i, tick, ti.u32(0), Purpose.SPEND, lattice_id, k0, k1)
                if below(chance, as_threshold(happens(hazard))):
                    mark = ti.u8(Count.EXHAUSTED)
            intent[i] = mark


def fight(tissue: Tissue, rates: ImmuneRates, stamp: Stamp, *, effectors: int) -> None:
    """Tumour cells beside effectors are killed, and effectors spent; `effectors` is how many there are.

    Reads cell, clone, traits, busy. Writes what cells carry and intent; counts KILLED, EXHAUSTED.
    """
    if effectors == 0 or rates.kill == rates.death == 0.0:
        return
    judge_pass(
        tissue.lattice,
        tissue.cell,
        tissue.clone,
        tissue.traits,
        tissue.intent,
        tissue.busy,
        rates.kill,
        rates.exhaustion,
        rates.death,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
    remove(tissue)
