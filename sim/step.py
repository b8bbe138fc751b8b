"""One tick of one tissue: the table of contents of the biology.

The primary and every organ take the same step. The order is a scientific claim: cells act on what
they sense in this tick, divisions and hops contest the same voxels, and a cell that reached a vessel
wall is gone before the next tick.
"""

from ..kernels import (
    census,
    collapse,
    contest,
    death,
    immune,
    immune_entry,
    immune_search,
    intravasation,
    motility,
    phenotype,
    proliferation,
    pulling,
    pushing,
    rupture,
    transport,
    turnover,
)
from ..kernels.draws import Stamp
from ..kernels.tissue import DEBRIS, GONE, Count, Tissue
from . import angiogenesis, departures
from .clones import Clones
from .departures import Departure
from .ledger import NO_OTHERS, Others, Tally
from .processes import Processes
from .vasculature import Vasculature


def step(
    tissue: Tissue,
    processes: Processes,
    stamp: Stamp,
    cells: int,
    arrived: int,
    others: Others = NO_OTHERS,
    clones: Clones | None = None,
    vessels: Vasculature | None = None,
    *,
    fresh: bool = False,
) -> tuple[Tally, list[Departure]]:
    """Advance `tissue` by one tick; `cells` stood in it before, of which `arrived` came in just now, and `others`.

    `clones` takes up those that mutations found; without mutation it may be left out. So may `vessels`, which holds what
    has grown of them, if none grow. `fresh` where the tissue was made in this tick.
    """
    tissue.counters[...] = 0
    solid = processes.solid_vessels

    # sense: solutes spread, cells secrete, what the protease and they touch of the matrix goes, and stroma rebuilds it;
    # walls of vessels tear and yield
    transport.advance(tissue, processes.solutes, stamp.tick, processes.scratch, fresh=fresh)
    turnover.turn_over(tissue, processes.matrix, processes.stroma)
    rupture.tear(tissue, processes.rupture, stamp)
    collapse.press(tissue, processes.collapse, stamp)

    # become: what a cell is follows what it senses; who dies of it or is killed; who is due to divide; where they head
    phenotype.adapt(tissue, processes.emt, stamp)
    death.strike(tissue, processes.death, stamp, solid_vessels=solid)
    immune.fight(tissue, processes.immune, stamp, effectors=others.immune)
    proliferation.ripen(tissue, processes.proliferation, stamp, solid_vessels=solid)
    motility.turn(tissue, processes.motility, stamp)

    # act: who is due but walled in pushes a line of cells aside, before anybody states an intent; then
    # divisions and hops contest the same voxels; fast cells take more substeps, not longer hops
    pushing.push(tissue, processes.proliferation, stamp, solid_vessels=solid, mutation=processes.mutation)
    for substep in range(processes.motility.substeps):
        motility.propose(tissue, processes.motility, substep, stamp, solid_vessels=solid)
        if substep == 0:
            proliferation.propose(tissue, stamp, solid_vessels=solid, dense=processes.proliferation.dense)
        contest.settle(tissue, processes.intravasation, substep, stamp, mutation=processes.mutation)
        pulling.follow(tissue, processes.motility, processes.intravasation, substep, stamp)

    # immune effectors are faster by far: substeps of their own, on the tissue that the tumour cells have left
    for substep in range(processes.immune.substeps if others.immune else 0):
        after = processes.motility.substeps + substep
        immune_search.propose(tissue, processes.immune, after, stamp, solid_vessels=solid)
        contest.settle(tissue, processes.intravasation, after, stamp, mutation=processes.mutation)

    # leave: through the walls of vessels, alone or with companions
    intravasation.mark(tissue, processes.intravasation, stamp)
    immune_entry.enter(tissue, processes.immune, stamp)
    census.count(tissue)
    counts = tissue.census()
    # a daughter that mutated gets her clone first: she may leave in the tick of her birth. Their marks are looked for,
    # not asked of the count, which the ledger compares with them
    founded = clones.found(tissue, stamp) if clones and processes.mutation.limit else 0
    seeds = []
    if counts[Count.LEAVING]:
        bonds = processes.bond_energy
        seeds = departures.gather(tissue, processes.leaving, processes.block_voxels, stamp, bond_energy=bonds)

    # vessels grow last, into what cells have left free, and are perfused anew where others collapsed or opened
    changed = counts[Count.SHUT] + counts[Count.OPENED] > 0
    grown = vessels or Vasculature()
    angiogenesis.grow(tissue, processes.growth, grown, stamp, solid_vessels=solid, changed=changed)

    departed = sum(seed.cells for seed in seeds)
    debris = sum(counts[cause] for cause in DEBRIS)
    return Tally(
        before=cells - arrived,
        born=counts[Count.BORN],
        died=sum(counts[cause] for cause in GONE) + debris,
        departed=departed,
        arrived=arrived,
        after=counts[Count.TUMOUR] - departed,
        mesenchymal=counts[Count.MESENCHYMAL] - sum(int((seed.emt >= 128).sum()) for seed in seeds),
        moved=counts[Count.MOVED],
        clamped=counts[Count.CLAMPED],
        mutated=counts[Count.MUTATED],
        founded=founded,
        causes=tuple((cause.name.lower(), counts[cause]) for cause in (*GONE, *DEBRIS)),
        others_before=others,
        others_gained=Others(necrotic=debris, immune=counts[Count.ENTERED]),
        others_lost=Others(necrotic=counts[Count.CLEARED], immune=counts[Count.EXHAUSTED]),
        others=Others(*(counts[kind] for kind in (Count.NECROTIC, Count.IMMUNE, Count.STROMA, Count.EPITHELIUM))),
    ), seeds
