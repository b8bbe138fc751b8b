"""Colonies in the mean field: each a number of cells, advanced an interval at a time.

A struct of arrays whose rows are never removed. What a colony draws depends on (key, patient, its entity, interval,
purpose) alone: changing, adding or leaving out one colony changes no other's draws, and so rows may stand in any order.
An entity is a 64-bit number that the founder's own identity gives (`entity_of`), never a row.
"""

from collections.abc import Mapping

import numpy as np

from ...kernels.birth_death import Rates, as_limits, guides, lineage, substeps, transitions
from ...kernels.colony_growth import SWITCH_FROM, grow_pass
from ...kernels.draws import Purpose, host_philox, key_of
from ...kernels.samplers import COUNTABLE
from ...kernels.shedding import shed_pass
from ...kernels.small_colonies import DORMANT, EXTINCT, GROWING, ON_LATTICE, WAITING, small_pass
from ..device import Device
from ..errors import BeyondLimits, IdentityBroken
from .colony_parameters import ColonyGrowth
from .seeds import Growing

# as in the file
STATES = {"waiting": WAITING, "dormant": DORMANT, "growing": GROWING, "extinct": EXTINCT}
LAWS_MAX = 1024  # 70 kB each
COLUMNS = {
    "entity_low": np.uint32,
    "entity_high": np.uint32,
    "law": np.int32,
    "adapted_law": np.int32,
    "state": np.uint8,
    "vascular": np.uint8,
    "cells": np.int64,
    "adapted": np.int64,
    "before": np.int64,
}
LAW_COLUMNS = {"birth": np.float64, "death": np.float64, "small_death": np.float64}
_WRITTEN = ("state", "vascular", "cells", "adapted", "before")


def entity_of(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, rng_key: int) -> np.ndarray:
    """The 64-bit entity (rows,) u8 of founders known by four numbers below 2**32 (lattice, tick, voxel, fragment of a seed;
    or parent's entity in two words, interval, number within it)."""
    counter = np.stack(np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in (a, b, c, d))), axis=-1)
    low = np.uint64(0xFFFFFFFF)
    # a Feistel step apart from all draws: their third word holds a purpose, so it is mixed in twice
    word, high = key_of(rng_key)
    key = (word ^ int(Purpose.COLONY_ENTITY), high)
    words = host_philox((counter & low).astype(np.uint32), key).astype(np.uint64)
    return words[..., 0] | (words[..., 1] << np.uint64(32))


class MeanField:
    """All colonies of one patient that are numbers of cells. `device` must be started."""

    def __init__(
        self, growth: ColonyGrowth, interval_h: float, device: Device, *, rng_key: int = 0, patient: int = 0,
        dormant_wake_per_h: float = 0.0, dormant_death_per_h: float = 0.0,
    ) -> None:  # fmt: skip
        self.growth = growth
        self.interval_h = float(interval_h)
        self.table = Growing(COLUMNS)
        self.laws = Growing(LAW_COLUMNS)
        self._device = device
        self._wake = dormant_wake_per_h * interval_h
        self._doze = dormant_death_per_h * interval_h
        # a patient has a key of its own
        own = host_philox(
            np.array([patient, 0, int(Purpose.COLONY_PATIENT) << 16, 0], dtype=np.uint32),
            key_of(rng_key),
        )
        self.key = (int(own[0]), int(own[1]))
        self._known: dict[Rates, int] = {}
        self._rows: list[np.ndarray] = []  # of the table of laws, one array a law
        self._limits: list[np.ndarray] = []
        self._guides: list[np.ndarray] = []
        self._stacked: tuple | None = None
        self._left = np.zeros(0)  # scratch of the passes
        self._whole = np.zeros(0)  # hours of colonies that have been there for all of an interval

    def law(self, birth_factor: float = 1.0, death_factor: float = 1.0, *, adapted: bool = False) -> int:
        """The number of the law of cells that fit their soil so well; equal ones are one law. Raises BeyondLimits."""
        return self._law(self.growth.rates(birth_factor, death_factor, adapted=adapted))

    def found(
        self,
        entity: np.ndarray,
        cells: np.ndarray | int,
        *,
        law: np.ndarray | int,
        adapted_law: np.ndarray | int | None = None,
        adapted: np.ndarray | int = 0,
        state: np.ndarray | int = GROWING,
        vascular: np.ndarray | int = 0,
    ) -> np.ndarray:
        """Enter colonies. entity (rows,) u8; cells in all, of them adapted. Returns their rows.

        They take part from the next `advance` on, whose `hours` say for how much of its interval.
        """
        entity = np.asarray(entity, dtype=np.uint64)
        start = self.table.append(
            {
                "entity_low": (entity & np.uint64(0xFFFFFFFF)).astype(np.uint32),
                "entity_high": (entity >> np.uint64(32)).astype(np.uint32),
                "law": law,
                "adapted_law": law if adapted_law is None else adapted_law,
                "state": state,
                "vascular": vascular,
                "cells": cells,
                "adapted": adapted,
                "before": cells,
            },
            count=len(entity),
        )
        return np.arange(start, start + len(entity))

    def advance(self, interval: int, hours: np.ndarray | None = None) -> None:
        """One interval of all colonies: growth, death, adaptation, vessels, dormancy.

        hours (colonies,) f8: how much of it each has been there, at most an interval; None: all have for all of it.
        """
        if not self.table.rows:
            return
        growth, span = self.growth, self._span(hours)
        columns = self._on_device(COLUMNS)
        if len(self._left) != len(columns["cells"]):
            self._left = self._device.array(np.zeros(len(columns["cells"])))
        laws, limits, first = self._law_arrays()
        clock = (interval, *self.key)
        small_pass(
            *(columns[name] for name in COLUMNS if name != "vascular"),
            *(span, self._left, laws, limits, first, self.table.rows),
            *(self.interval_h, growth.bottleneck_cells, growth.adaptation_probability),
            *(growth.capacity_cells, growth.slowing_per_h, self._wake, self._doze),
            *clock,
        )
        grow_pass(
            *(columns[name] for name in COLUMNS if name != "before"),
            *(span, self._left, laws, self.table.rows),
            *(
                self.interval_h,
                growth.adaptation_probability,
                growth.avascular_cells,
                growth.capacity_cells,
                growth.slowing_per_h,
            ),
            growth.vessels_per_h * self.interval_h,
            *clock,
        )
        self._take_back(columns, _WRITTEN)
        cells, adapted = self.table["cells"], self.table["adapted"]
        if cells.min() < 0 or adapted.min() < 0 or (adapted > cells).any():
            row = int(np.flatnonzero((cells < 0) | (adapted < 0) | (adapted > cells))[0])
            raise IdentityBroken(f"body: colony {row} has {cells[row]} cells, of them {adapted[row]} adapted")

    def shed(self, interval: int, hours: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Seeds that each colony sheds in the interval that was advanced last: (all, adapted ones), (colonies,) i8.

        `hours` as given to `advance`.
        """
        rows = self.table.rows
        if not rows or self.growth.shedding_per_h == 0:
            return np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
        columns = self._on_device(("entity_low", "entity_high", "state", "cells", "adapted", "before"))
        out = [self._device.array(np.zeros(rows, dtype=np.int64)) for _ in range(2)]
        shed_pass(
            *columns.values(),
            self._span(hours),
            *out,
            rows,
            self.growth.shedding_per_h,
            self.growth.shedding_exponent,
            interval,
            *self.key,
        )
        total, adapted = (array if isinstance(array, np.ndarray) else array.get() for array in out)
        if total.min() < 0 or total.sum(dtype=np.float64) > COUNTABLE:
            raise BeyondLimits(
                f"body.colonies.shedding_per_h: colonies of up to {self.table['cells'].max():.3g} cells shed more than "
                f"{COUNTABLE:.2g} seeds in an interval, too many to be counted; give a smaller rate or exponent"
            )
        return total, adapted

    def states(self) -> np.ndarray:
        """(colonies,) u1 as in the file: one that grows on a lattice is growing."""
        state = self.table["state"]
        return np.where(state == ON_LATTICE, np.uint8(GROWING), state)

    def count(self, state: int) -> int:
        return int((self.states() == state).sum())

    def rates_of(self, row: int, *, adapted: bool = False) -> Rates:
        """The law of a colony's cells."""
        law = int(self.table["adapted_law" if adapted else "law"][row])
        return Rates(
            bottleneck=self.growth.bottleneck_cells, **{name: float(self.laws[name][law]) for name in LAW_COLUMNS}
        )

    def angiogenically_dormant(self) -> np.ndarray:
        """(colonies,) bool: those that grow no more because they have no vessels."""
        limit = self.growth.avascular_cells
        table = self.table
        full = table["cells"] >= SWITCH_FROM * limit
        return (limit > 0) & full & (table["vascular"] == 0) & (table["state"] == GROWING)

    def _law(self, rates: Rates) -> int:
        known = self._known.get(rates)
        if known is not None:
            return known
        if len(self._known) >= LAWS_MAX:
            raise BeyondLimits(
                f"body: more than {LAWS_MAX} laws of growth; round the traits of clones, or use fewer organs"
            )
        try:
            self.growth.refuse(rates, self.interval_h)
        except ValueError as error:
            raise BeyondLimits(f"body.colonies: {error}") from None
        parts = substeps(rates, self.interval_h)
        dead, spread = lineage(rates.birth, rates.death, self.interval_h)
        factor = float(np.exp((rates.birth - rates.death) * self.interval_h))
        crowding = (self.growth.slowing_per_h, self.growth.capacity_cells)
        limits = as_limits(transitions(rates, self.interval_h / parts, *crowding))
        own = (rates.birth, rates.death, rates.small_death)
        self._rows.append(np.array([*own, parts, 1.0 - dead, spread, factor, self.growth.slows_from(rates)]))
        self._limits.append(limits)
        self._guides.append(guides(limits))
        self._stacked = None
        self._known[rates] = self.laws.append({name: getattr(rates, name) for name in LAW_COLUMNS})
        return self._known[rates]

    def _law_arrays(self) -> tuple:
        if self._stacked is None:
            parts = (self._rows, self._limits, self._guides)
            self._stacked = tuple(self._device.array(np.stack(part)) for part in parts)
        return self._stacked

    def _span(self, hours: np.ndarray | None):
        """(rows of the columns or colonies,) f8 for a kernel."""
        if hours is not None:
            return self._device.array(np.asarray(hours, dtype=np.float64))
        if len(self._whole) < self.table.rows:
            self._whole = self._device.array(np.full(len(self.table.whole("cells")), self.interval_h))
        return self._whole

    def _on_device(self, names: Mapping[str, type] | tuple[str, ...]) -> dict:
        """Columns for a kernel: the table's own arrays on a CPU, copies on a GPU."""
        whole = {name: self.table.whole(name) for name in names}
        return whole if self._device.arch == "cpu" else {name: self._device.array(a) for name, a in whole.items()}

    def _take_back(self, columns: dict, names: tuple[str, ...]) -> None:
        if self._device.arch != "cpu":
            for name in names:
                self.table.whole(name)[...] = columns[name].get()


__all__ = ["DORMANT", "EXTINCT", "GROWING", "ON_LATTICE", "STATES", "WAITING", "MeanField", "entity_of"]
