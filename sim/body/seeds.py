"""Seeds: every tumour cell or cluster that ever entered a vessel, as a growing struct of arrays.

A row is never removed; its fate is filled in. The cells of a seed stand in two ragged arrays,
`member_emt` and `member_clone`, from `first` on, `cells` of them. The identity of a seed is where and
when it left (lattice, tick, voxel) and which fragment it is: its draws depend on nothing else, so
what happens to one seed never changes another's fate.
"""

from enum import IntEnum

import numpy as np

from ..available import available_memory
from ..departures import Departure
from ..errors import BeyondLimits


class Fate(IntEnum):
    """What became of a seed."""

    IN_TRANSIT = 0
    DIED_IN_TRANSIT = 1
    ARRESTED = 2
    DIED_AFTER_ARREST = 3
    DORMANT = 4
    COLONY = 5
    RETURNED = 6
    NO_ROOM = 7


DEAD = (Fate.DIED_IN_TRANSIT, Fate.DIED_AFTER_ARREST, Fate.NO_ROOM)
NONE = -1  # no organ, no colony
# a seed that lives on, its colony and their tables, in a body that is a graph (measured at 1.5e5; a row of the tables
# alone is 192)
LIVING_BYTES = 450
# rows of tables are told apart by 31 bits
ROWS_MAX = 2**31 - 1
_LOOKED_AT_FROM = 100_000

# name -> dtype of what is kept per seed
COLUMNS = {
    "lattice_id": np.int32,
    "tick": np.int64,
    "voxel": np.int64,
    "fragment": np.int32,
    "cells": np.int32,
    "mesenchymal": np.int32,
    "clone": np.uint32,
    "emt": np.uint8,
    "route": np.uint8,
    "fate": np.uint8,
    "organ": np.int16,
    "arrest_tick": np.int64,
    "colony": np.int32,
    "cells_without_room": np.int32,
    "first": np.int64,
}


def refuse_too_many(count: int, table: "Growing") -> None:
    """Raises BeyondLimits if so many more seeds cannot be held beside those in `table`: before they are drawn one by one.

    Where the table has to grow, it is its new rows that count, those that stay free as well; beside them stands no more
    than one old column of tables, for which `LIVING_BYTES` has room.
    """
    more = max(count, table.grows_by(count))
    free = available_memory() if more >= _LOOKED_AT_FROM else None
    if table.rows + count > ROWS_MAX or (free is not None and more * LIVING_BYTES > free):
        raise BeyondLimits(
            f"body: {count:.3g} seeds would live on from one interval beside {table.rows:.3g}, too many to be held; give a "
            "smaller emission.shedding_per_h or body.colonies.shedding_per_h, or soils that take fewer. The last checkpoint "
            "is kept: seedsoil branch goes on from it with other values"
        )


class Growing:
    """Columns of equal length that grow by doubling; `rows` of them are in use."""

    def __init__(self, columns: dict[str, type]) -> None:
        self.rows = 0
        self._columns = {name: np.zeros(64, dtype=dtype) for name, dtype in columns.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        """The column in use, as a view: writing to it writes to the table."""
        return self._columns[name][: self.rows]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def whole(self, name: str) -> np.ndarray:
        """The column with its spare rows: the same array until the table grows."""
        return self._columns[name]

    def grows_by(self, count: int) -> int:
        """By how many rows `append` makes the columns longer to add so many: 0 while there are spare ones."""
        capacity = len(next(iter(self._columns.values())))
        end = self.rows + count
        return max(end, 2 * capacity) - capacity if end > capacity else 0

    def append(self, values: dict[str, np.ndarray | int | float], count: int = 1) -> int:
        """Add `count` rows; missing columns are 0. Returns the first new row."""
        start, end = self.rows, self.rows + count
        if more := self.grows_by(count):
            self._columns = {
                name: np.concatenate([column, np.zeros(more, dtype=column.dtype)])
                for name, column in self._columns.items()
            }
        self.rows = end
        for name, value in values.items():
            self._columns[name][start:end] = value
        return start

    def keep(self, rows: np.ndarray) -> None:
        """Drop all rows but these (rows,) bool, in their order."""
        count = int(rows.sum())
        if count < self.rows:
            for column in self._columns.values():
                column[:count] = column[: self.rows][rows]
            self.rows = count


class Seeds:
    """The table and its members."""

    def __init__(self) -> None:
        self.table = Growing(COLUMNS)
        self.members = Growing({"emt": np.uint8, "clone": np.uint32})
        self.released = 0
        self.released_cells = 0
        self.returned_cells = 0  # that were placed in the primary
        self.fragments = 0

    def release(self, departure: Departure) -> int:
        """Enter a seed that has just left a lattice. Returns its row."""
        self.released += 1
        self.released_cells += departure.cells
        return self._enter(
            departure.emt,
            departure.clone,
            {
                "lattice_id": departure.lattice_id,
                "tick": departure.tick,
                "voxel": departure.voxel,
                "route": departure.route,
            },
        )

    def enter_single_cells(self, count: int, values: dict[str, np.ndarray | int]) -> np.ndarray:
        """Enter seeds of one cell that no lattice released, of emt 0. `values` are columns. Returns their rows.

        What they count as (`released`) is the caller's, who may have counted others that get no row.
        """
        first = self.members.append({"clone": values["clone"]}, count=count)
        row = self.table.append(
            {
                "organ": NONE,
                "colony": NONE,
                "arrest_tick": NONE,
                "cells": 1,
                "first": first + np.arange(count),
                **values,
            },
            count=count,
        )
        return np.arange(row, row + count)

    def split(self, row: int, off: np.ndarray) -> list[int]:
        """Break the members `off` (positions within the seed) off as single cells. Returns the fragments' rows.

        If all come off, the first stays behind as what is left of the seed.
        """
        emt, clone = self.members_of(row)
        off = off[1:] if len(off) == len(emt) else off
        common = {name: self.table[name][row] for name in ("lattice_id", "tick", "voxel", "route")}
        rows = []
        for member in off:
            # fragments are numbered by the member they were, so numbers do not depend on who else broke off
            rows.append(self._enter(emt[[member]], clone[[member]], {**common, "fragment": 1 + int(member)}))
        keep = np.setdiff1d(np.arange(len(emt)), off)
        first = int(self.table["first"][row])
        self.members["emt"][first : first + len(keep)] = emt[keep]
        self.members["clone"][first : first + len(keep)] = clone[keep]
        self._summarise(row, emt[keep], clone[keep])
        self.fragments += len(rows)
        return rows

    def members_of(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """emt u1 and clone u4 of a seed's cells, as copies."""
        first, cells = int(self.table["first"][row]), int(self.table["cells"][row])
        return self.members["emt"][first : first + cells].copy(), self.members["clone"][first : first + cells].copy()

    def count(self, *fates: Fate) -> int:
        held = self.table["fate"]
        return sum(int(np.count_nonzero(held == fate)) for fate in {int(f) for f in fates})

    def _enter(self, emt: np.ndarray, clone: np.ndarray, values: dict) -> int:
        first = self.members.append({"emt": emt, "clone": clone}, count=len(emt))
        row = self.table.append({"organ": NONE, "colony": NONE, "arrest_tick": NONE, "first": first, **values})
        self._summarise(row, emt, clone)
        return row

    def _summarise(self, row: int, emt: np.ndarray, clone: np.ndarray) -> None:
        self.table["cells"][row] = len(emt)
        self.table["mesenchymal"][row] = int((emt >= 128).sum())
        self.table["emt"][row] = int(np.rint(emt.mean()))
        self.table["clone"][row] = clone[0]
