"""What every process promises: rate 0 is exactly off, extremes are safe, and only what it declares is written."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from twins.tissues import DEEP, FLAT, SCRATCH, STATE, changed, filled_tissue, random_tissue, snapshot

from seedsoil.kernels import (
    census,
    collapse,
    contest,
    death,
    immune,
    immune_entry,
    immune_search,
    intravasation,
    matrix,
    motility,
    persistence,
    phenotype,
    proliferation,
    pulling,
    pushing,
    rupture,
    solute,
    transport,
    turnover,
)
from seedsoil.kernels.adhesion import AdhesionRates
from seedsoil.kernels.collapse import CollapseRates
from seedsoil.kernels.death import Death
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.immune import Immune
from seedsoil.kernels.intravasation import ARRIVAL, CONTACT, IntravasationRates
from seedsoil.kernels.law import Solute
from seedsoil.kernels.matrix import MatrixRates
from seedsoil.kernels.motility import BOLTZMANN, LINEAR, MotilityRates
from seedsoil.kernels.mutation import NO_MUTATION, Mutation, MutationRates, TraitLaw
from seedsoil.kernels.persistence import Run
from seedsoil.kernels.phenotype import Emt
from seedsoil.kernels.pores import PoreRates
from seedsoil.kernels.proliferation import CLOCK, HAZARD, Proliferation, ProliferationRates
from seedsoil.kernels.rupture import RuptureRates
from seedsoil.kernels.solute import SoluteRates
from seedsoil.kernels.stroma import StromaRates
from seedsoil.kernels.tissue import Cell, Count, Tissue, bare
from seedsoil.sim import departures
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STAMP = Stamp.of(7, 1, 20)
TAKES_ALL = intravasation.Intravasation()


def settle(tissue: Tissue, law: int, mutation: MutationRates = NO_MUTATION) -> None:
    """Hops and divisions are wanted, then settled."""
    motility.propose(tissue, MotilityRates(1, LINEAR, 0.1, 0.2, 0.0, ALWAYS), 0, STAMP, solid_vessels=False)
    proliferation.propose(tissue, STAMP, solid_vessels=False)
    contest.settle(tissue, IntravasationRates(law, 0.0, 0.0, 128), 0, STAMP, mutation=mutation)


def depart(tissue: Tissue, marked: int) -> None:
    """Every `marked`-th tumour cell enters a vessel."""
    if marked:
        tissue.leaving.reshape(-1)[np.flatnonzero(tissue.cell == Cell.TUMOUR)[::marked]] = 1
    departures.gather(tissue, TAKES_ALL, 2, STAMP)


class Process(NamedTuple):
    """A verb that does something, the same verb at rate 0, and what the verb says that it writes."""

    active: Callable[[Tissue], object]
    off: Callable[[Tissue], object]
    writes: set[str]
    always_writes: frozenset[str] = frozenset()  # even at rate 0: scratch only


def hop(tissue: Tissue, law: int, d: float, taxis: float) -> None:
    rates = MotilityRates(1, law, d, 2 * d, taxis, ALWAYS if d or taxis else 0)
    motility.propose(tissue, rates, 0, STAMP, solid_vessels=False)


def hop_with_all(tissue: Tissue, share: float) -> None:
    """All that there is to a hop, or bonds, fibres and pores alone with nothing that hops."""
    rates = MotilityRates(
        1,
        LINEAR if tissue.lattice.nz == 1 else BOLTZMANN,
        0.05 * share,
        0.1 * share,
        0.01 * share,
        ALWAYS if share else 0,
        adhesion=AdhesionRates(1.0, 0.5),
        fastest=2.0,
        pores=PoreRates(90.0, 5.0, 70.0, 7.0, 7.0, 4.0),
        run=Run(0.05 * share, 0.1 * share, 2**30) if share else Run(0.0, 1e-30, 0),
        alignment=0.5,
        role="protease",
        chemotaxis=0.01 * share or 1e-30,
    )
    motility.propose(tissue, rates, 0, STAMP, solid_vessels=True)


def pull(tissue: Tissue, traction: float) -> None:
    """Cells have hopped, and take others along."""
    hops = MotilityRates(1, LINEAR, 0.1, 0.2, 0.0, ALWAYS)
    if traction:
        motility.propose(tissue, hops, 0, STAMP, solid_vessels=False)
        contest.settle(tissue, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, STAMP)
    of = hops._replace(adhesion=AdhesionRates(2.0, 0.0, traction), fastest=1.0, pores=PoreRates(9.0, 5.0, 7.0, 1.0))
    pulling.follow(tissue, of, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, STAMP)


def turn(tissue: Tissue, speed: float) -> None:
    persistence.turn(tissue, Run(speed, speed, 2**30), STAMP)


RESPONDING = Proliferation(
    epithelial_per_h=0.9, mesenchymal_per_h=0.5, mitogen_half=1.0, mitogen_basal_fraction=0.5, contact_fall_fraction=0.1
)
AT_REST = RESPONDING.model_copy(update={"epithelial_per_h": 0.0, "mesenchymal_per_h": 0.0})
VARIED = Mutation(division=TraitLaw(step_sd=0.1))


def push(tissue: Tissue, reach: int) -> None:
    """All tumour cells are due; those without a free voxel beside them push."""
    if reach > 1:
        tissue.due[...] = tissue.cell == Cell.TUMOUR
    rates = ProliferationRates(HAZARD, (0,) * 256, 0, 0, reach=reach)
    pushing.push(tissue, rates, STAMP, solid_vessels=False)


def ripen(tissue: Tissue, rates: ProliferationRates) -> None:
    proliferation.ripen(tissue, rates, STAMP, solid_vessels=False)


def strike(tissue: Tissue, table: Death) -> None:
    death.strike(tissue, death.rates(table, 1.0), STAMP, solid_vessels=False)


def fight(tissue: Tissue, table: Immune) -> None:
    rates = immune.rates(table, tissue.lattice, 20.0, 1.0)
    immune.fight(tissue, rates, STAMP, effectors=int((tissue.cell == Cell.IMMUNE).sum()))


def search(tissue: Tissue, table: Immune) -> None:
    rates = immune.rates(table, tissue.lattice, 20.0, 1.0)
    for substep in range(rates.substeps):
        immune_search.propose(tissue, rates, substep, STAMP, solid_vessels=False)


def transport_(tissue: Tissue, solver: str, secretion: float) -> None:
    """A solute with secretion by epithelial cells, without diffusion and decay: nothing else can change it."""
    table = Solute(solver=solver, epithelial_secretion_per_h=secretion)  # pyright: ignore[reportArgumentType]
    rates = transport.rates({"protease": table}, tissue.lattice, 20.0, 0.1)
    transport.advance(tissue, rates, 0, transport.Scratch())


def rest(tissue: Tissue, tick: int) -> None:
    """A solute at rest, at every second tick. Without sources it is none, whatever it was, so off is not to solve it."""
    table = Solute(
        solver="quasi-steady",
        every_ticks=2,
        diffusivity_um2_per_h=400.0,
        decay_per_h=1.0,
        epithelial_secretion_per_h=1.0,
    )
    rates = transport.rates({"protease": table}, tissue.lattice, 20.0, 0.1)
    transport.advance(tissue, rates, tick, transport.Scratch())


PROCESSES = {
    "explicit transport": Process(
        lambda t: transport_(t, "explicit", 1.0),
        lambda t: transport_(t, "explicit", 0.0),
        {"protease", "spare"},
        frozenset({"spare"}),
    ),
    "implicit transport": Process(
        lambda t: transport_(t, "implicit", 1.0),
        lambda t: transport_(t, "implicit", 0.0),
        {"protease", "spare"},
        frozenset({"spare"}),
    ),
    "quasi-steady transport": Process(lambda t: rest(t, 2), lambda t: rest(t, 1), {"protease", "spare"}),
    "solute": Process(
        lambda t: solute.diffuse(t, SoluteRates(2, 0.1, 0.01, 1e-3)),
        lambda t: solute.diffuse(t, SoluteRates(2, 0.0, 0.0, 0.0)),
        {"protease", "spare"},
        frozenset({"spare"}),
    ),
    "matrix": Process(
        lambda t: matrix.degrade(t, MatrixRates(1e-3, 0.1)),
        lambda t: matrix.degrade(t, MatrixRates(0.0, 0.0)),
        {"matrix"},
    ),
    "turnover": Process(
        lambda t: turnover.turn_over(t, MatrixRates(1e-3, 0.1, reach=1), StromaRates(0.1, 0.5)),
        lambda t: turnover.turn_over(t, MatrixRates(0.0, 0.0, reach=1), StromaRates(0.0, 0.5)),
        {"matrix"},
    ),
    "become mesenchymal": Process(
        lambda t: phenotype.adapt(t, phenotype.rates(Emt(rate_per_h=0.3, stiffness_weight=1.0), 1.0), STAMP),
        lambda t: phenotype.adapt(t, phenotype.rates(Emt(stiffness_weight=1.0), 1.0), STAMP),
        {"emt"},
    ),
    "fight": Process(
        lambda t: fight(t, Immune(kill_per_h=0.5, exhaustion_probability=0.5, death_per_h=0.1)),
        lambda t: fight(t, Immune()),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "counters"},
    ),
    "search": Process(
        lambda t: search(t, Immune(speed_um_per_h=200.0)),
        lambda t: search(t, Immune()),
        {"intent", "heading"},
    ),
    "immune entry": Process(
        lambda t: immune_entry.enter(t, immune.rates(Immune(entry_per_h=0.5), t.lattice, 20.0, 1.0), STAMP),
        lambda t: immune_entry.enter(t, immune.rates(Immune(), t.lattice, 20.0, 1.0), STAMP),
        {"cell", "busy", "counters"},
    ),
    "die": Process(
        lambda t: strike(t, Death(apoptosis_per_h=0.05, anoikis_per_h=0.4, clearance_per_h=0.4)),
        lambda t: strike(t, Death()),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "counters"},
    ),
    "ripen by hazard": Process(
        lambda t: ripen(t, ProliferationRates(HAZARD, (2**30,) * 256, 0, 0)),
        lambda t: ripen(t, ProliferationRates(HAZARD, (0,) * 256, 0, 0)),
        {"due"},
    ),
    "ripen by the clock": Process(
        lambda t: ripen(t, ProliferationRates(CLOCK, (0,) * 256, 10, 4)),
        lambda t: ripen(t, ProliferationRates(CLOCK, (0,) * 256, 0, 0)),
        {"due"},
    ),
    "ripen by all responses": Process(
        lambda t: ripen(t, proliferation.rates(RESPONDING, 1.0, VARIED)),
        lambda t: ripen(t, proliferation.rates(AT_REST, 1.0, VARIED)),
        {"due"},
    ),
    "push": Process(
        lambda t: push(t, 4),
        lambda t: push(t, 1),
        {"cell", "emt", "clone", "colony", "due", "heading", "busy", "counters"},
    ),
    "divide": Process(
        lambda t: proliferation.propose(t, STAMP, solid_vessels=False),
        lambda t: (t.due.fill(0), proliferation.propose(t, STAMP, solid_vessels=False)),
        {"intent"},
        frozenset({"due"}),
    ),
    "hop, linear": Process(
        lambda t: hop(t, LINEAR, 0.1, 0.05), lambda t: hop(t, LINEAR, 0.0, 0.0), {"intent", "counters"}
    ),
    "hop, Boltzmann": Process(
        lambda t: hop(t, BOLTZMANN, 0.05, 0.01), lambda t: hop(t, BOLTZMANN, 0.0, 0.0), {"intent"}
    ),
    "hop, with all factors": Process(
        lambda t: hop_with_all(t, 1.0), lambda t: hop_with_all(t, 0.0), {"intent", "counters"}
    ),
    "pull": Process(
        lambda t: pull(t, 3.0),
        lambda t: pull(t, 0.0),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "busy", "counters"},
    ),
    "turn": Process(lambda t: turn(t, 0.1), lambda t: turn(t, 0.0), {"heading"}),
    "settle": Process(
        lambda t: settle(t, CONTACT),
        lambda t: contest.settle(t, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, STAMP),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "busy", "counters"},
    ),
    "settle with mutations": Process(
        lambda t: settle(t, CONTACT, MutationRates(2**30)),
        lambda t: contest.settle(
            t, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, STAMP, mutation=MutationRates(2**30)
        ),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "busy", "counters"},
    ),
    "settle on vessels": Process(
        lambda t: settle(t, ARRIVAL),
        lambda t: contest.settle(t, IntravasationRates(ARRIVAL, 0.0, 0.0, 128), 0, STAMP),
        {"cell", "emt", "clone", "colony", "due", "heading", "intent", "leaving", "busy", "counters"},
    ),
    "intravasate": Process(
        lambda t: intravasation.mark(t, IntravasationRates(CONTACT, 0.5, 0.9, 128), STAMP),
        lambda t: intravasation.mark(t, IntravasationRates(CONTACT, 0.0, 0.0, 128), STAMP),
        {"leaving", "counters"},
    ),
    "depart": Process(
        lambda t: depart(t, 50), lambda t: depart(t, 0), {"cell", "emt", "clone", "colony", "due", "heading", "leaving"}
    ),
    "rupture": Process(
        lambda t: rupture.tear(t, RuptureRates(0.3, 0.2, 0.0), STAMP),
        lambda t: rupture.tear(t, RuptureRates(0.0, 0.0, 0.0), STAMP),
        {"vessel", "counters"},
    ),
    "collapse": Process(
        lambda t: collapse.press(t, CollapseRates(0.9, 0.5, 0.2), STAMP),
        lambda t: collapse.press(t, CollapseRates(0.0, 0.0, 0.2), STAMP),
        {"vessel", "counters"},
    ),
    "census": Process(census.count, lambda t: None, {"counters", "busy"}),
}
# what a verb uses and leaves as it found it
QUIET = {"depart": {"leaving"}, "die": {"intent"}, "fight": {"intent"}}
EACH = pytest.mark.parametrize("name", PROCESSES)


@EACH
@SHAPES
def test_rate_zero_is_exactly_off(device: Device, shape: tuple[int, int, int], name: str) -> None:
    tissue = random_tissue(device.lattice(shape))
    before = snapshot(tissue)
    for _ in range(3):
        PROCESSES[name].off(tissue)
    assert changed(before, tissue) <= PROCESSES[name].always_writes


@EACH
@SHAPES
def test_only_what_is_declared_is_written(device: Device, shape: tuple[int, int, int], name: str) -> None:
    tissue = random_tissue(device.lattice(shape))
    before = snapshot(tissue)
    PROCESSES[name].active(tissue)
    found = changed(before, tissue)
    assert found <= PROCESSES[name].writes
    # and it does write: a process that did nothing would pass the line above
    assert found >= PROCESSES[name].writes - {"busy", "counters", *QUIET.get(name, ())}
    tissue.fibre[0, 0, 0] ^= 1
    assert not changed(before, tissue) <= PROCESSES[name].writes  # a stray write would have been seen


@EACH
@SHAPES
def test_an_empty_lattice_stays_empty(device: Device, shape: tuple[int, int, int], name: str) -> None:
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    tissue.vessel[...] = 13
    before = snapshot(tissue)
    for _ in range(3):
        PROCESSES[name].active(tissue)
    assert changed(before, tissue) <= {"busy"}


@EACH
@SHAPES
def test_a_full_lattice_is_safe(device: Device, shape: tuple[int, int, int], name: str) -> None:
    tissue = filled_tissue(device.lattice(shape))
    tissue.vessel[...] = 5
    tissue.due[...] = 1
    clones = np.sort(tissue.clone, axis=None)
    for _ in range(3):
        tissue.counters[...] = 0
        PROCESSES[name].active(tissue)
        assert tissue.census()[Count.BORN] == tissue.census()[Count.MOVED] == 0
    if name in ("depart", "die"):
        assert (tissue.cell == Cell.TUMOUR).sum() < tissue.lattice.voxels
        return
    assert np.all(tissue.cell == Cell.TUMOUR)
    np.testing.assert_array_equal(np.sort(tissue.clone, axis=None), clones)
    assert np.isfinite(tissue.protease).all()
    assert tissue.protease.min() >= 0
    assert (tissue.matrix >= 0).all() and (tissue.matrix <= 1).all()


@SHAPES
def test_the_snapshot_sees_a_single_bit(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = random_tissue(device.lattice(shape))
    before = snapshot(tissue)
    assert changed(before, tissue) == set()
    for name in (*STATE, *SCRATCH):
        getattr(tissue, name).view(np.uint8).reshape(-1)[-1] ^= 1
        assert changed(before, tissue) == {name}
        getattr(tissue, name).view(np.uint8).reshape(-1)[-1] ^= 1
