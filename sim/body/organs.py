"""Organs: where surviving seeds arrive, each with a tissue of its own once the first one does.

A seed comes out at one of the organ's vessel sites and its cells take the nearest free voxels around
it, mesenchymal ones first; cells that find none are lost (`cells_without_room` of the seed). If none
finds room, or blood flows through none of the sites, the seed has died on arrival. Every other arrival founds a colony; its cells carry the colony's number and hand it down.
"""

from dataclasses import dataclass, field

import numpy as np

from ...kernels.lattice import Lattice
from ...kernels.tissue import MESENCHYMAL_EMT, Cell, Tissue, Vessel
from ..errors import BeyondLimits
from ..ledger import NO_OTHERS, Others
from ..vasculature import Vasculature
from .circulation import Arrival
from .seeds import NONE, Fate, Growing, Seeds

# as in the file: 0 waiting, 1 dormant, 2 growing, 3 extinct
GROWING, EXTINCT = 2, 3
# colony labels are u2, 0 means none
COLONIES_MAX = 2**16 - 1
# voxel edges around a vessel site within which arriving cells look for room
_SEARCH_SITES = 3

COLUMNS = {
    "organ": np.int16,
    "founded_tick": np.int64,
    "founder_seed": np.int32,
    "clone": np.uint32,
    "founder_cells": np.int32,
    "cells": np.int32,
    "state": np.uint8,
    "voxel": np.int64,
    "label": np.int32,
}


@dataclass
class Organ:
    """One organ: its name, its index in the scenario, and its tissue once a seed has arrived."""

    name: str
    index: int
    tissue: Tissue | None = None
    cells: int = 0
    others: Others = NO_OTHERS  # besides tumour cells
    colonies: int = 0
    vessels: Vasculature = field(default_factory=Vasculature)  # what has grown of them


class Colonies:
    """The table of colonies, over all organs."""

    def __init__(self, columns: dict[str, type] = COLUMNS) -> None:
        self.table = Growing(columns)

    def recount(self, organ: Organ) -> None:
        """Bring `cells` and `state` of the organ's colonies up to date from its lattice."""
        if organ.tissue is None:
            return
        xp, colony = organ.tissue.xp, organ.tissue.colony.reshape(-1)
        held = xp.bincount(colony[xp.flatnonzero(colony != 0)], minlength=organ.colonies + 1)  # most voxels have none
        counts = held if isinstance(held, np.ndarray) else held.get()
        mine = np.flatnonzero(self.table["organ"] == organ.index)
        cells = counts[self.table["label"][mine]]
        self.table["cells"][mine] = cells
        self.table["state"][mine] = np.where(cells > 0, GROWING, EXTINCT)

    @property
    def growing(self) -> int:
        return self.count(GROWING)

    def count(self, state: int) -> int:
        return int((self.table["state"] == state).sum())


def settle(organ: Organ, seeds: Seeds, colonies: Colonies, arrival: Arrival, tick: int, block_voxels: int) -> int:
    """Put an arriving seed's cells into the organ's tissue and found its colony. Returns the cells placed.

    Writes what cells carry in the organ's tissue and the seed's fate.
    """
    tissue = organ.tissue
    assert tissue is not None, "the run makes the organ's tissue before a seed is settled in it"
    emt, clone = seeds.members_of(arrival.row)
    seeds.table["organ"][arrival.row] = organ.index
    if organ.colonies >= COLONIES_MAX:
        raise BeyondLimits(
            f"organ {organ.name}: more than {COLONIES_MAX} colonies, the most its cells can be labelled with; "
            "lower the survival probabilities or until_h"
        )
    site, order, placed = _put(tissue, arrival.site_draw, emt, clone, organ.colonies + 1, block_voxels)
    seeds.table["cells_without_room"][arrival.row] = len(emt) - placed
    if placed == 0:
        seeds.table["fate"][arrival.row] = Fate.NO_ROOM
        return 0
    organ.colonies += 1
    row = colonies.table.append(
        {
            "organ": organ.index,
            "founded_tick": tick,
            "founder_seed": arrival.row,
            "clone": clone[order[0]],
            "founder_cells": placed,
            "cells": placed,
            "state": GROWING,
            "voxel": site,
            "label": organ.colonies,
        }
    )
    seeds.table["fate"][arrival.row] = Fate.COLONY
    seeds.table["colony"][arrival.row] = row
    organ.cells += placed
    return placed


def come_back(tissue: Tissue, seeds: Seeds, arrival: Arrival, block_voxels: int) -> int:
    """Put a seed that came back to the primary there. Returns the cells placed.

    Writes what cells carry in the tissue and the seed's fate.
    """
    emt, clone = seeds.members_of(arrival.row)
    _, _, placed = _put(tissue, arrival.site_draw, emt, clone, 0, block_voxels)
    seeds.table["cells_without_room"][arrival.row] = len(emt) - placed
    seeds.table["fate"][arrival.row] = Fate.RETURNED if placed else Fate.NO_ROOM
    seeds.returned_cells += placed
    return placed


def _put(
    tissue: Tissue, site_draw: int, emt: np.ndarray, clone: np.ndarray, label: int, block_voxels: int
) -> tuple[int, np.ndarray, int]:
    """Cells into the nearest free voxels around one of the vessel sites, mesenchymal ones first; none without a site.

    Writes what cells carry. Returns the site (-1 if there is none), the order in which they were served, and how many
    found room.
    """
    sites = arrival_sites(tissue)
    order = np.argsort(emt < MESENCHYMAL_EMT, kind="stable")
    if not len(sites):
        return -1, order, 0
    site = int(sites[site_draw * len(sites) >> 32])
    near = around(tissue.lattice, site, block_voxels)
    cell = tissue.cell.reshape(-1)
    free = near[(_host(cell[near]) == Cell.EMPTY) & (_host(tissue.vessel.reshape(-1)[near]) == 0)]
    placed = min(len(free), len(emt))
    if placed:
        where, who = free[:placed], order[:placed]
        cell[where] = np.uint8(Cell.TUMOUR)
        tissue.emt.reshape(-1)[where] = tissue.xp.asarray(emt[who])
        tissue.clone.reshape(-1)[where] = tissue.xp.asarray(clone[who])
        tissue.colony.reshape(-1)[where] = np.uint16(label)
        tissue.due.reshape(-1)[where] = np.uint8(0)
        tissue.heading.reshape(-1)[where] = np.uint8(0)
        tissue.wake()
    return site, order, placed


def arrival_sites(tissue: Tissue) -> np.ndarray:
    """Flat indices of the organ's given blood vessel voxels that are perfused, ascending. None through a collapsed one:
    no blood flows there. What grew since may be a sprout without a lumen."""
    open_ = np.uint8(Vessel.BLOOD | Vessel.GIVEN | Vessel.PERFUSED)
    return np.flatnonzero((tissue.host("vessel").reshape(-1) & open_) == open_)


def around(lattice: Lattice, site: int, block_voxels: int) -> np.ndarray:
    """Flat indices of the voxels near a site, nearest first (ties by index), the site itself left out."""
    centre = np.unravel_index(site, lattice.shape)
    far = _SEARCH_SITES * block_voxels
    axes = [np.arange(max(0, at - far), min(n, at + far + 1)) for at, n in zip(centre, lattice.shape, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    distance2 = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
    flat = ((z * lattice.ny + y) * lattice.nx + x).reshape(-1)
    ranked = flat[np.lexsort((flat, distance2.reshape(-1)))]
    return ranked[ranked != site]


def _host(value: object) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.get()  # type: ignore[attr-defined]


__all__ = ["EXTINCT", "GROWING", "NONE", "Colonies", "Organ", "around", "arrival_sites", "come_back", "settle"]
