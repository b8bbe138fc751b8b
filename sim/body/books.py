"""The books of the body: counts of seeds and of their cells by what became of them, handed to the ledger.

Seeds with rows and seeds that were only counted stand together. Colonies are counted by their own table, which nobody else
keeps, so that a seed that settled without a colony, or a colony without a seed, is seen.
"""

import numpy as np

from ..ledger import check_arrested, check_on_board, check_seeds
from .mean_field import DORMANT, EXTINCT, GROWING
from .organs import Colonies
from .seeds import DEAD, Fate, Growing, Seeds

# fates of those that stuck and live, or lived on
ARRESTED = (Fate.ARRESTED, Fate.DORMANT, Fate.COLONY)
# of those whose cells have come to where they were going
SETTLED = (Fate.COLONY, Fate.DORMANT, Fate.NO_ROOM, Fate.RETURNED)


def balance(
    tick: int,
    seeds: Seeds,
    colonies: Colonies,
    *,
    counted: Growing | None = None,
    killed: np.ndarray | None = None,
    states: np.ndarray | None = None,
) -> None:
    """Raises IdentityBroken if a seed, one of its cells, or a colony was lost or copied.

    counted: table of seeds without rows (fate, seeds, cells). killed: (rows,) cells that killers took of each seed; rows
    beyond have lost none yet. states: of colonies, by who grows them; those of the table of colonies without it.
    """
    fate, cells = seeds.table["fate"], seeds.table["cells"].astype(np.int64)
    fates = np.bincount(fate, minlength=len(Fate)).astype(np.int64)
    lost = np.zeros(len(fate), dtype=np.int64)
    counted_cells = 0
    if killed is not None:
        lost[: len(killed)] = killed
    if counted is not None:
        np.add.at(fates, counted["fate"], counted["seeds"])
        counted_cells = int(counted["cells"].sum())
    check_seeds(
        tick,
        released=seeds.released,
        fragments=seeds.fragments,
        in_transit=int(fates[Fate.IN_TRANSIT]),
        dead=int(fates[list(DEAD)].sum()),
        arrested=int(fates[list(ARRESTED)].sum()),
        returned=int(fates[Fate.RETURNED]),
    )
    settled = np.isin(fate, SETTLED)
    check_on_board(
        tick,
        departed=seeds.released_cells,
        on_board=int(cells.sum()) + counted_cells,
        settled=int(cells[settled].sum()),
        founders=int(colonies.table["founder_cells"].sum()),
        without_room=int(seeds.table["cells_without_room"].sum()),
        killed=int(lost[settled].sum()),
        returned=seeds.returned_cells,
    )
    state = colonies.table["state"] if states is None else states
    held = {which: int((state == which).sum()) for which in (DORMANT, GROWING, EXTINCT)}
    check_arrested(
        tick,
        arrested=int(fates[list(ARRESTED)].sum()),
        waiting=int(fates[Fate.ARRESTED]),
        dormant=held[DORMANT],
        growing=held[GROWING],
        extinct=held[EXTINCT],
    )
