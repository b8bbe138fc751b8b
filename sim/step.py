"""One tick of one tissue: the table of contents of the biology.

The primary and every organ take the same step. The order is a scientific claim: cells act on what
they sense in this tick, divisions and hops contest the same voxels, and a cell that reached a vessel
wall is gone before the next tick.
"""

from ..kernels import census, contest, death, intravasation, matrix, motility, phenotype, proliferation, solute
from ..kernels.draws import Stamp
from ..kernels.tissue import DEBRIS, GONE, Count, Tissue
from . import departures
from .departures import Departure
from .ledger import NO_OTHERS, Others, Tally
from .processes import Processes


def step(
    tissue: Tissue, processes: Processes, stamp: Stamp, cells: int, arrived: int, others: Others = NO_OTHERS
) -> tuple[Tally, list[Departure]]:
    """Advance `tissue` by one tick; `cells` stood in it before, of which `arrived` came in just now, and `others`."""
    tissue.counters[...] = 0
    solid = processes.solid_vessels

    # sense: the protease spreads, cells secrete, and what it and they touch of the matrix goes
    solute.diffuse(tissue, processes.protease)
    matrix.degrade(tissue, processes.matrix)

    # become: what a cell is follows what it senses; who dies of it; of those who live, who is due to divide
    phenotype.adapt(tissue, processes.emt, stamp)
    death.strike(tissue, processes.death, stamp, solid_vessels=solid)
    proliferation.ripen(tissue, processes.proliferation, stamp, solid_vessels=solid)

    # act: divisions and hops contest the same voxels; fast cells take more substeps, not longer hops
    for substep in range(processes.motility.substeps):
        motility.propose(tissue, processes.motility, substep, stamp, solid_vessels=solid)
        if substep == 0:
            proliferation.propose(tissue, stamp, solid_vessels=solid)
        contest.settle(tissue, processes.intravasation, substep, stamp)

    # leave: through the walls of vessels, alone or with companions
    intravasation.mark(tissue, processes.intravasation, stamp)
    census.count(tissue)
    counts = tissue.census()
    seeds = departures.gather(tissue, processes.leaving, processes.block_voxels, stamp) if counts[Count.LEAVING] else []

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
        causes=tuple((cause.name.lower(), counts[cause]) for cause in (*GONE, *DEBRIS)),
        others_before=others,
        others_gained=Others(necrotic=debris, immune=counts[Count.ENTERED]),
        others_lost=Others(necrotic=counts[Count.CLEARED], immune=counts[Count.EXHAUSTED]),
        others=Others(*(counts[kind] for kind in (Count.NECROTIC, Count.IMMUNE, Count.STROMA, Count.EPITHELIUM))),
    ), seeds
