"""How much of a run file counts: one small record, written last.

A writer can be killed between any two writes, so nothing in the file is believed for being there.
`/journal/commit` holds two records of 64-bit integers, used in turn and each closed by a checksum:
the newest valid one says how many frames and rows are whole, which of the two places holds the
current tables, and the checksums of what HDF5 itself does not protect: of each table, of the series
and of the times of frames. (Fields end in deflate's checksum, HDF5's metadata in its own.) A record
torn by a kill is simply the invalid one.
"""

import zlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from .schema import TABLES

PATH = "journal/commit"
PUBLIC, SPARE = 0, 1  # where the current tables stand: /<table> or /journal/<table>


@dataclass(frozen=True)
class Commit:
    """One publication: counts of whole frames and rows, in the order of the record's words."""

    serial: int
    frames: int
    series_rows: int
    slot: int
    rows: tuple[int, ...]  # per table, in the order of schema.TABLES
    crcs: tuple[int, ...]
    grid_frames: tuple[int, ...]  # per group with a time of its own, in the order of layout.grids(), without the first
    series_crc: int = 0  # of the rows so far
    time_crcs: tuple[int, ...] = (0,)  # of the times of frames so far: the primary's, then as grid_frames

    @classmethod
    def first(cls, grids: int) -> "Commit":
        """Of an empty file with so many groups that have a time of their own, the primary's among them."""
        zeros = (0,) * len(TABLES)
        return cls(1, 0, 0, PUBLIC, zeros, zeros, (0,) * (grids - 1), 0, (0,) * grids)

    @staticmethod
    def words(grids: int) -> int:
        return 4 + 2 * len(TABLES) + (grids - 1) + 1 + grids + 1

    def next(self, **changes: object) -> "Commit":
        return replace(self, serial=self.serial + 1, **changes)  # pyright: ignore

    def record(self) -> np.ndarray:
        head = (self.serial, self.frames, self.series_rows, self.slot)
        crcs = (self.series_crc, *self.time_crcs)
        words = np.array(head + self.rows + self.crcs + self.grid_frames + crcs, "<i8")
        return np.append(words, zlib.crc32(words.tobytes())).astype("<i8")


def newest(records: np.ndarray) -> Commit | None:
    """The newest valid record of shape (2, words), or None."""
    best = None
    t = len(TABLES)
    grids = 1 + (np.shape(records)[1] - Commit.words(1)) // 2
    for row in np.asarray(records, "<i8"):
        if row[0] < 1 or zlib.crc32(row[:-1].tobytes()) != row[-1]:
            continue
        w = [int(v) for v in row[:-1]]
        cuts = np.cumsum([4, t, t, grids - 1, 1, grids]).tolist()
        rows, crcs, frames, series, times = (tuple(w[a:b]) for a, b in pairwise(cuts))
        found = Commit(w[0], w[1], w[2], w[3], rows, crcs, frames, series[0], times)
        if best is None or found.serial > best.serial:
            best = found
    return best


def table_crc(columns: dict[str, np.ndarray]) -> int:
    """Checksum of a table: its columns in name order, little-endian bytes."""
    crc = 0
    for name in sorted(columns):
        column = columns[name]
        crc = zlib.crc32(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data, crc)
    return crc


def rows_crc(columns: dict[str, np.ndarray], crc: int = 0) -> int:
    """Checksum of rows after rows of checksum `crc`: each row is its columns in name order, little-endian."""
    parts = []
    for name in sorted(columns):
        column = np.ascontiguousarray(columns[name], columns[name].dtype.newbyteorder("<"))
        parts.append(column.view("u1").reshape(len(column), column.itemsize))
    return zlib.crc32(np.concatenate(parts, axis=1).tobytes(), crc) if parts else crc
