"""One run in memory: the primary, the body and the organs, advanced tick by tick.

It knows nothing of files, terminals or signals; `sim.run` drives it and records what it does.
"""

import hashlib
from collections import Counter

import numpy as np

from ..kernels.draws import Stamp
from ..kernels.tissue import CARRIED, Tissue
from ..kernels.transport import NotAtRest
from . import implant
from .body import books, organs
from .body.account import Account
from .body.circulation import Arrival, Circulation
from .body.handover import Handover, OnLattice
from .body.journeys import PRIMARY
from .body.organs import Colonies, Organ
from .body.parameters import Body
from .body.seeds import Seeds
from .clones import Clones
from .device import Device
from .errors import NoSolution
from .ledger import Others, Tally, check_cells, check_perfused
from .processes import Processes
from .scenario import Scenario
from .step import step
from .vasculature import Vasculature


class Simulation:
    """The state of a run after `tick` ticks. `device` must be started (sim.device.start)."""

    def __init__(self, scenario: Scenario, device: Device) -> None:
        self.scenario = scenario
        self.device = device
        self.tick = 0
        implant.check_organs(scenario)
        self.primary = implant.primary(scenario, device)
        self.clones = Clones(scenario.mutation, device)
        self.matrix_at_start = float(self.primary.matrix.sum(dtype=np.float64))  # of all voxels
        self.vessels = Vasculature()  # what has grown of them, in the primary
        self.seeds = Seeds()
        self.organs = [Organ(name, index) for index, name in enumerate(scenario.body.organ_names)]
        body, tick_h = self._body(), scenario.lattice.tick_h
        if body.graph:
            self.circulation = Account(body, tick_h, scenario.rng_key, device, self._trait)
            self.colonies = self.circulation.colonies
        else:
            self.circulation = Circulation(body, tick_h, scenario.rng_key)
            self.colonies = Colonies()
        self.flows: Counter[str] = Counter()  # of the primary (born, moved, ...), since they were last read
        self._start()

    def _body(self) -> Body:
        """The body of this run."""
        return self.scenario.body

    def _start(self) -> None:
        """What a primary on a lattice adds: its implant, and the processes of its tissue and of all others."""
        scenario, implanted = self.scenario, self.scenario.implant
        self.clones.start(self.primary, implanted.clones, Stamp.of(scenario.rng_key))
        self.cells = implanted.cells
        self.mesenchymal = round(implanted.cells * implanted.mesenchymal_fraction)
        self.others = implant.others_of(self.primary)  # in the primary, besides tumour cells
        if isinstance(self.circulation, Account):
            field = self.circulation.metastases.field
            self.circulation.hand_over(Handover(scenario, self.device, field, self._tick_of_colony))
        self._fresh: set[int] = set()  # organs made in this tick: their solutes have never been solved
        self._processes = Processes.of(scenario, self.primary.lattice)
        self._organ_processes = Processes.of(
            scenario, self.device.lattice(scenario.body.organ_shape), organ=True, sheds=scenario.body.secondary_seeding
        )

    @property
    def time_h(self) -> float:
        return self.tick * self.scenario.lattice.tick_h

    def advance(self) -> None:
        """One tick: seeds come out of the vessels, every tissue takes its step, new seeds enter.

        Raises IdentityBroken if the ledger does not balance.
        """
        arrived = self._arrive()
        before = (self.cells + arrived[PRIMARY], arrived[PRIMARY], self.others)
        self.cells, self.others = self._step(self.primary, self._processes, before, "primary")
        for organ in self.organs:
            if organ.tissue is not None:
                before = (organ.cells, arrived[organ.index], organ.others)
                organ.cells, organ.others = self._step(organ.tissue, self._organ_processes, before, organ.name)
        self._fresh.clear()
        self._balance()
        self.tick += 1

    def tissues(self) -> list[tuple[str, Tissue]]:
        """The primary and every organ that has a tissue, by name."""
        found = [("primary", self.primary)]
        return found + [(organ.name, organ.tissue) for organ in self.organs if organ.tissue is not None]

    def cells_by_organ(self) -> list[int]:
        """Tumour cells of each organ: those on its lattice, and those of colonies that are numbers."""
        numbers = self.circulation.cells_by_organ()
        return [organ.cells + int(numbers[organ.index]) if len(numbers) else organ.cells for organ in self.organs]

    def recount(self) -> None:
        """Bring the tables of colonies and clones up to date from the lattices."""
        for organ in self.organs:
            self.colonies.recount(organ)
        self.clones.recount(
            [tissue for _, tissue in self.tissues()], self.cells + sum(organ.cells for organ in self.organs)
        )

    def digest(self) -> str:
        """SHA-256 over the tick and the integer state (cells and tables). Runs with equal bits have equal digests."""
        self.recount()
        sha = hashlib.sha256(self.tick.to_bytes(8, "little"))
        lattices = [tissue for _, tissue in self.tissues()] + [tissue for _, tissue in self.circulation.lattices()]
        for tissue in lattices:
            for name in (*CARRIED, "vessel", "fibre"):
                sha.update(tissue.host(name).tobytes())
        tables = [self.seeds.table, self.seeds.members, self.colonies.table, *self.circulation.tables().values()]
        for vessels in (self.vessels, *(organ.vessels for organ in self.organs)):
            tables += vessels.tables().values()
        for table in tables:
            for name in table.names:
                sha.update(np.ascontiguousarray(table[name]).tobytes())
        for name in ("parent", "born_tick", "lattice_id", "voxel"):
            sha.update(self.clones.table[name][1:].tobytes())  # clone 0 is the same in every run
        return sha.hexdigest()

    def observed(self) -> dict[str, float]:
        """Further columns of a row of the series, beside those of the circulation: none."""
        return {}

    def _trait(self, name: str) -> np.ndarray | None:
        """A trait by clone, None where all clones are alike."""
        return self.clones.table[name] if self.clones.rows > 1 else None

    def _come_back(self, arrival: Arrival) -> int:
        return organs.come_back(self.primary, self.seeds, arrival, self.scenario.vessels.site_voxels)

    def _arrive(self) -> Counter[int]:
        """Put what arrives where it arrives. Returns the cells placed, by organ or PRIMARY."""
        placed: Counter[int] = Counter()
        for arrival in self.circulation.advance(self.seeds, self.tick, self.cells):
            if arrival.organ == PRIMARY:
                placed[PRIMARY] += self._come_back(arrival)
                continue
            organ = self.organs[arrival.organ]
            if organ.tissue is None:
                organ.tissue = implant.organ(self.scenario, self.device, organ.name)
                self._fresh.add(organ.index)
            block = self.scenario.vessels.site_voxels
            placed[organ.index] += organs.settle(organ, self.seeds, self.colonies, arrival, self.tick, block)
        return placed

    def _step(
        self, tissue: Tissue, processes: Processes, before: tuple[int, int, Others], where: str
    ) -> tuple[int, Others]:
        """One tick of one tissue; `before` is its tumour cells, those that arrived just now, other cells. Returns the
        tumour cells and the others after it."""
        stamp = Stamp.of(self.scenario.rng_key, tissue.lattice_id, self.tick)
        self.clones.attach(tissue)
        grown = self.organs[tissue.lattice_id - 1].vessels if tissue.lattice_id else self.vessels
        try:
            fresh = tissue.lattice_id - 1 in self._fresh
            tally, departures = step(tissue, processes, stamp, *before, clones=self.clones, vessels=grown, fresh=fresh)
        except NotAtRest as reason:
            raise NoSolution(f"tick {self.tick}, {where}: {reason}") from None
        check_cells(tally, self.tick, where)
        for law in processes.growth:
            if law.grows and self.tick % law.every == 0:
                check_perfused(grown.unreached(tissue, law.kind), self.tick, where)
        for departure in departures:
            self.circulation.admit(self.seeds, self.seeds.release(departure))
        if departures and tissue.lattice_id:
            self.colonies.recount(self.organs[tissue.lattice_id - 1])
        if tissue.lattice_id == 0:  # a row's flows are the primary's, like its stocks
            self._note(tally)
            self.mesenchymal = tally.mesenchymal
        return tally.after, tally.others

    def _tick_of_colony(self, colony: OnLattice, stamp: Stamp) -> tuple[int, Others]:
        """One tick of a colony's own lattice. It sheds by the emission law, so nobody leaves by its vessels."""
        where = f"colony {colony.row}"
        try:
            tally, departures = step(colony.tissue, colony.processes, stamp, colony.cells, 0, colony.others)
        except NotAtRest as reason:
            raise NoSolution(f"tick {self.tick}, {where}: {reason}") from None
        check_cells(tally, self.tick, where)
        assert not departures, "a colony's lattice sheds nothing by itself"
        return tally.after, tally.others

    def _note(self, tally: Tally) -> None:
        for name in ("born", "died", "moved", "departed", "arrived", "clamped"):
            self.flows[name] += getattr(tally, name)
        self.flows["immune_entered"] += tally.others_gained.immune
        self.flows["immune_exhausted"] += tally.others_lost.immune
        self.flows.update({f"died.{cause}": cells for cause, cells in tally.causes if cells})

    def _balance(self) -> None:
        books.balance(self.tick, self.seeds, self.colonies, **self.circulation.ledgers())
