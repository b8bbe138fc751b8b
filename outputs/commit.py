"""How much of a run file counts: one small record, written last.

A writer can be killed between any two writes, so nothing in the file is believed for being there.
`/journal/commit` holds two records of 64-bit integers, used in turn and each closed by a checksum:
the newest valid one says how many frames and rows are whole, which of the two places holds the
current tables, and the checksum of each table. A record torn by a kill is simply the invalid one.
"""

import zlib
from dataclasses import dataclass, replace

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
    organ_frames: tuple[int, ...]  # per organ, in the order of organ_names

    @classmethod
    def first(cls, organs: int) -> "Commit":
        zeros = (0,) * len(TABLES)
        return cls(1, 0, 0, PUBLIC, zeros, zeros, (0,) * organs)

    @staticmethod
    def words(organs: int) -> int:
        return 4 + 2 * len(TABLES) + organs + 1

    def next(self, **changes: object) -> "Commit":
        return replace(self, serial=self.serial + 1, **changes)  # pyright: ignore

    def record(self) -> np.ndarray:
        head = (self.serial, self.frames, self.series_rows, self.slot)
        words = np.array(head + self.rows + self.crcs + self.organ_frames, "<i8")
        return np.append(words, zlib.crc32(words.tobytes())).astype("<i8")


def newest(records: np.ndarray) -> Commit | None:
    """The newest valid record of shape (2, words), or None."""
    best = None
    t = len(TABLES)
    for row in np.asarray(records, "<i8"):
        if row[0] < 1 or zlib.crc32(row[:-1].tobytes()) != row[-1]:
            continue
        w = [int(v) for v in row[:-1]]
        found = Commit(w[0], w[1], w[2], w[3], tuple(w[4 : 4 + t]), tuple(w[4 + t : 4 + 2 * t]), tuple(w[4 + 2 * t :]))
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
