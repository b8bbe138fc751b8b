"""Hand-over: colonies that grow on a tissue lattice of their own, and back to a number of cells.

A colony is handed over at n >= 3 n_c cells with 1 - P_n < eps (`ColonyGrowth.handover_cells`): there it has left the
bottleneck behind and dies out with a chance below eps, so that what a lattice can not show (cells that need one another) no longer matters. Its cells stand as a
ball in the middle; they divide and die by the laws of the colony, whatever else the scenario's tissue does with them (room,
pushing, motility, solutes, death by hypoxia). Per tick the mean of growth is that of the law, e^((b - d) tick):
dying first, with 1 - e^(-d tick), then dividing with e^(b tick) - 1. Once the lattice is filled to a share, or a cell stands
at its wall, the colony is a number of cells again: as many as the lattice held.

Adapted cells are clone 1 of such a lattice, the others clone 0; its traits are their laws. Adaptation goes on between
intervals. A lattice sheds like a number of cells does, by the emission law, and its vessels let no cell in: one account.
The lattice and its draws belong to the colony's entity. Which colonies get one depends on how many there are: the oldest.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...kernels import death, mutation, proliferation
from ...kernels.draws import Purpose, Stamp, host_draw
from ...kernels.host_samplers import Draws, binomial
from ...kernels.tissue import Cell, Tissue, Trait
from .. import implant
from ..device import Device
from ..errors import IdentityBroken, InputError
from ..ledger import NO_OTHERS, Others
from ..processes import Processes
from ..ranks import lowest
from ..scenario import Scenario
from ..vessels import vessel_map
from .mean_field import EXTINCT, GROWING, ON_LATTICE, MeanField

# bit of a lattice id that the primary and the organs leave free
_OF_COLONY = 0x8000_0000
# blood vessel sites of such a lattice, as an organ has by default
_VESSELS = 10


@dataclass
class OnLattice:
    """One colony and its lattice."""

    row: int  # of the mean field
    tissue: Tissue
    processes: Processes
    cells: int
    others: Others = NO_OTHERS


# one tick of a colony's tissue, its books checked -> (tumour cells, other cells) after it
Tick = Callable[[OnLattice, Stamp], tuple[int, Others]]


class Handover:
    """The colonies of a mean field that have a lattice. `tick` takes the step of one of them (the step stands above this)."""

    def __init__(self, scenario: Scenario, device: Device, mean_field: MeanField, tick: Tick) -> None:
        self._scenario, self._device, self._field, self._tick = scenario, device, mean_field, tick
        self._growth = mean_field.growth
        self.ticks = ticks_of(mean_field.interval_h, scenario.lattice.tick_h) if self._growth.lattices else 1
        self._lattice = device.lattice(scenario.body.organ_shape)
        self.colonies: list[OnLattice] = []

    def take(self, interval: int) -> list[int]:
        """Give lattices to the oldest colonies that are large enough, as far as there are any. Returns their rows."""
        free = self._growth.lattices - len(self.colonies)
        if free <= 0:
            return []
        table = self._field.table
        most = self._growth.lattice_fill_fraction * self._lattice.voxels / 2
        rows = np.flatnonzero((table["state"] == GROWING) & (table["cells"] <= most))
        taken = []
        for row in rows[table["cells"][rows] >= 3 * self._growth.bottleneck_cells]:
            lead = self._field.rates_of(row, adapted=bool(2 * table["adapted"][row] > table["cells"][row]))
            needed = self._growth.handover_cells(lead)
            if needed is not None and table["cells"][row] >= needed:
                self.colonies.append(self._place(int(row), interval))
                taken.append(int(row))
                if len(taken) == free:
                    break
        return taken

    def advance(self, interval: int) -> list[int]:
        """One interval of every lattice; to be called beside `MeanField.advance`. Returns the rows that are numbers again."""
        back = []
        for colony in self.colonies:
            table, row = self._field.table, colony.row
            table["before"][row] = colony.cells
            stamp = Stamp.of(self._scenario.rng_key, colony.tissue.lattice_id)
            for tick in range(interval * self.ticks, (interval + 1) * self.ticks):
                if colony.cells:
                    colony.cells, colony.others = self._tick(colony, stamp._replace(tick=tick))
            self._adapt(colony, interval)
            self._report(colony)
            if colony.cells == 0 or self._outgrown(colony):
                table["state"][row] = GROWING if colony.cells else EXTINCT
                back.append(row)
        self.colonies = [colony for colony in self.colonies if colony.row not in back]
        return back

    def members(self) -> Iterator[tuple[int, Tissue]]:
        """(row, tissue) of the colonies that have a lattice, for a checkpoint and the digest."""
        for colony in self.colonies:
            yield colony.row, colony.tissue

    def restore(self, tissues: Mapping[int, Mapping[str, np.ndarray]]) -> None:
        """Become what `members` gave: the arrays of each tissue by the colony's row."""
        self.colonies.clear()
        for row, arrays in tissues.items():
            tissue = self._empty(row)
            for name, target in tissue.members().items():
                target[...] = self._device.array(arrays[name])
            tissue.wake()
            cells = int((arrays["cell"] == Cell.TUMOUR).sum())
            others = implant.others_of(tissue)
            self.colonies.append(OnLattice(row, tissue, self._processes(row), cells, others))

    def _place(self, row: int, interval: int) -> OnLattice:
        table = self._field.table
        cells, adapted = int(table["cells"][row]), int(table["adapted"][row])
        tissue = self._empty(row)
        stamp = Stamp.of(self._scenario.rng_key, tissue.lattice_id, interval * self.ticks)
        solid = tissue.host("vessel").reshape(-1) > 0 if self._scenario.vessels.solid else None
        where = implant.nearest(self._lattice, cells, stamp, solid)
        fit = lowest(host_draw(where, stamp, Purpose.COLONY_PLACE), len(where))[:adapted]
        tissue.cell.reshape(-1)[where] = np.uint8(Cell.TUMOUR)
        tissue.clone.reshape(-1)[where[fit]] = np.uint32(1)
        tissue.wake()
        table["state"][row] = ON_LATTICE
        colony = OnLattice(row, tissue, self._processes(row), cells)
        self._report(colony)
        if int(table["cells"][row]) != cells or int(table["adapted"][row]) != adapted:
            raise IdentityBroken(f"body: colony {row} had {cells} cells, its lattice got {int(table['cells'][row])}")
        return colony

    def _empty(self, row: int) -> Tissue:
        """Its tissue: matrix, vessel sites, and the traits of its two kinds of cell."""
        scenario, lattice_id = self._scenario, _OF_COLONY | int(self._field.table["entity_low"][row])
        tissue = implant.empty(scenario, self._device, self._lattice, lattice_id)
        stamp = Stamp.of(scenario.rng_key, lattice_id)
        sites = vessel_map(implant.sites(scenario, _VESSELS), self._lattice, scenario.lattice.voxel_um, stamp)
        tissue.vessel[...] = self._device.array(sites)
        tissue.traits = self._device.array(self._traits(row))
        return tissue

    def _laws(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Births and deaths per hour of cells that are not adapted and of those that are."""
        both = [self._field.rates_of(row, adapted=fit) for fit in (False, True)]
        h = self._scenario.lattice.tick_h
        # a division takes e^(b tick) - 1 of the cells that are left: as a hazard
        births = [-math.log(2.0 - math.exp(min(0.69, law.birth * h))) / h for law in both]
        return np.array(births), np.array([law.death for law in both])

    def _traits(self, row: int) -> np.ndarray:
        traits = np.ones((2, len(Trait)), dtype=np.float32)
        for trait, values in zip((Trait.DIVISION, Trait.DEATH), self._laws(row), strict=True):
            traits[:, trait] = values / max(values.max(), 1e-300)
        return traits

    def _processes(self, row: int) -> Processes:
        """The scenario's, of an organ that sheds nothing, with the colony's own divisions and deaths."""
        scenario, h = self._scenario, self._scenario.lattice.tick_h
        births, deaths = self._laws(row)
        base = Processes.of(scenario, self._lattice, organ=True, sheds=False)
        most = float(births.max())
        table = scenario.proliferation.model_copy(
            update={"law": "hazard", "epithelial_per_h": most, "mesenchymal_per_h": most}
        )
        divides = proliferation.rates(table, h)
        if births.min() != births.max():
            divides = divides._replace(responds=divides.responds._replace(traits=True), hazards=(most * h,) * 256)
        dies = death.rates(scenario.death.model_copy(update={"apoptosis_per_h": float(deaths.max())}), h)
        # clones are the two kinds of cell here, and no vessels grow
        still = mutation.rates(mutation.Mutation())
        return replace(base, proliferation=divides, death=dies, mutation=still, growth=())

    def _adapt(self, colony: OnLattice, interval: int) -> None:
        """Of the births of an interval a share is adapted: so many of the cells that were not become so (as in
        `colony_growth`), drawn by their voxels."""
        chance = self._growth.adaptation_probability
        if chance == 0 or colony.cells == 0:
            return
        table, row = self._field.table, colony.row
        plain = (colony.tissue.host("cell") == Cell.TUMOUR) & (colony.tissue.host("clone") == 0)
        where = np.flatnonzero(plain.reshape(-1))
        mean = 0.5 * (int(table["before"][row]) - int(table["adapted"][row]) + len(where)) * self._field.interval_h
        entity = np.array([int(table["entity_low"][row]) | int(table["entity_high"][row]) << 32], dtype=np.uint64)
        draws = Draws(self._field.key, interval, Purpose.COLONY_ADAPT, entity)
        each = chance * self._field.rates_of(row).birth * mean / max(1, len(where))
        new = int(binomial(np.array([len(where)]), -math.expm1(-each), draws)[0])
        stamp = Stamp.of(self._scenario.rng_key, colony.tissue.lattice_id, (interval + 1) * self.ticks)
        fit = where[lowest(host_draw(where, stamp, Purpose.COLONY_PLACE), len(where))[:new]]
        colony.tissue.clone.reshape(-1)[fit] = np.uint32(1)

    def _report(self, colony: OnLattice) -> None:
        """Write what the lattice holds to the mean field."""
        alive = colony.tissue.host("cell") == Cell.TUMOUR
        table, row = self._field.table, colony.row
        table["cells"][row] = int(alive.sum())
        table["adapted"][row] = int((alive & (colony.tissue.host("clone") == 1)).sum())
        if int(table["cells"][row]) != colony.cells:
            raise IdentityBroken(f"body: colony {row} has {colony.cells} cells, its lattice {int(table['cells'][row])}")

    def _outgrown(self, colony: OnLattice) -> bool:
        if colony.cells >= self._growth.lattice_fill_fraction * self._lattice.voxels:
            return True
        alive = colony.tissue.host("cell") == Cell.TUMOUR
        walls = [alive.take(side, axis) for axis in range(3) if alive.shape[axis] > 1 for side in (0, -1)]
        return any(wall.any() for wall in walls)


def ticks_of(interval_h: float, tick_h: float) -> int:
    """Ticks of an interval. Raises InputError if they are not whole."""
    ticks = round(interval_h / tick_h)
    if ticks < 1 or abs(ticks * tick_h - interval_h) > 1e-9 * interval_h:
        raise InputError(
            f"body.interval_h: colonies on lattices need whole ticks in an interval (got {interval_h:g} h with "
            f"lattice.tick_h = {tick_h:g})"
        )
    return ticks
