"""Bring a run file, open for writing, to exactly what a commit says: no more frames, no torn rows.

Used when a run is continued from an earlier time, when a killed writer's file is recovered, and
before a file is closed. Every order of being killed inside leaves a file that settles the same way:
the commit is written first, and what it no longer counts is cut off afterwards.
"""

from dataclasses import replace
from typing import Any

import h5py
import numpy as np
from h5py import h5s

from . import commit
from .integrity import measured
from .layout import Layout
from .opened import Opened
from .schema import TABLE_DIMENSIONS, TABLES


def put(dataset: h5py.Dataset, where: Any, values: Any) -> None:
    """Store values and flush them: on a full disk this raises.

    Without the flush h5py would write the last of them when it lets go of the dataset, and only print
    that it failed: the commit after that would count what is not there.
    """
    dataset[where] = values
    dataset.id.flush()


def fit(dataset: h5py.Dataset, length: int) -> None:
    """Bring a growing dataset to that length, flushed as in `put`."""
    shape = dataset.id.shape
    if shape[0] != length:
        dataset.id.set_extent((length, *shape[1:]))
        dataset.id.flush()


def put_rows(dataset: h5py.Dataset, start: int, values: np.ndarray) -> None:
    """Store the last rows of a dataset of one dimension, from `start` on, and end it there; flushed as in `put`.

    h5py's own indexing takes five times as long for a few rows, and a frame has a hundred columns.
    """
    end = start + len(values)
    dataset.id.set_extent((end,))
    dataset.id.flush()
    if len(values):
        place = h5s.create_simple((end,))
        place.select_hyperslab((start,), (len(values),))
        dataset.id.write(h5s.create_simple((len(values),)), place, np.ascontiguousarray(values))
        dataset.id.flush()


def write_commit(file: h5py.File, record: commit.Commit) -> None:
    """Publish: the record, and the number of steps VTK may see (it cannot read a single one)."""
    put(file[commit.PATH], record.serial % 2, record.record())
    steps = record.frames if record.frames >= 2 else 0
    file["VTKHDF/Steps"].attrs.modify("NSteps", np.int64(steps))
    file.flush()


def write_table(file: h5py.File | Opened, path: str, dimension: str, columns: dict[str, np.ndarray]) -> None:
    """All rows of the table at `path`, in place of what was there."""
    rows = len(next(iter(columns.values())))
    for name, values in {dimension: np.arange(rows), **columns}.items():
        put_rows(file[f"{path}/{name}"], 0, values)


def read_table(file: h5py.File, layout: Layout, table: str, record: commit.Commit) -> dict[str, np.ndarray]:
    """Columns of the committed table, from whichever place holds it. Not verified here."""
    group = file[f"journal/{table}" if record.slot == commit.SPARE else table]
    rows = record.rows[list(TABLES).index(table)]
    return {name: group[name][:rows] for name in layout.tables[table]}


def settle(file: h5py.File, layout: Layout, record: commit.Commit) -> commit.Commit:
    """Cut the file to `record`, with the tables in their public place; returns what was committed."""
    write_commit(file, record)
    if record.slot == commit.SPARE:
        for table, dimension in TABLE_DIMENSIONS.items():
            write_table(file, table, dimension, read_table(file, layout, table, record))
        file.flush()
        record = record.next(slot=commit.PUBLIC)
        write_commit(file, record)
    for dataset, length in growing(file, layout, record):
        fit(dataset, length)
    file.flush()
    # once more, so that both records say the same and the loss of one costs nothing
    record = record.next()
    write_commit(file, record)
    return record


def is_settled(file: h5py.File, layout: Layout, record: commit.Commit) -> bool:
    """Whether every reader, ours or not, sees exactly the committed frames and rows."""
    steps = record.frames if record.frames >= 2 else 0
    return (
        record.slot == commit.PUBLIC
        and int(file["VTKHDF/Steps"].attrs["NSteps"]) == steps
        and all(dataset.shape[0] == length for dataset, length in growing(file, layout, record))
    )


def kept(file: h5py.File, layout: Layout, record: commit.Commit, until_h: float) -> commit.Commit:
    """The commit that counts only frames at or before `until_h` (h), and the series rows up to the last of them.

    Rows travel with the frame that follows them, so rows after the last frame kept will come again.
    """

    def count(times: h5py.Dataset, committed: int, until_h: float = until_h) -> int:
        return int(np.searchsorted(times[:committed], until_h * (1 + 1e-12) + 1e-9, side="right"))

    frames = count(file["time"], record.frames)
    last_h = float(file["time"][frames - 1]) if frames else -np.inf
    others = zip([*layout.grids()][1:], record.grid_frames, strict=True)
    earlier = replace(
        record,
        frames=frames,
        series_rows=count(file["series/tick_time"], record.series_rows, last_h),
        grid_frames=tuple(count(file[f"{group}/time"], n) for group, n in others),
    )
    return record if earlier == record else replace(measured(file, layout, earlier), serial=record.serial + 1)


def growing(file: h5py.File, layout: Layout, record: commit.Commit) -> list[tuple[h5py.Dataset, int]]:
    """Every growing dataset and its length by the commit; the spare tables' if they are current."""
    out = []
    frames = (record.frames, *record.grid_frames)
    for (group, (_, fields)), count in zip(layout.grids().items(), frames, strict=True):
        out += [(file[f"{group}/{name}"], count) for name in (*fields, "time")]
    out += [(file[f"series/{n}"], record.series_rows) for n in (*layout.series, "tick_time")]
    for (table, columns), rows in zip(layout.tables.items(), record.rows, strict=True):
        parent = f"journal/{table}" if record.slot == commit.SPARE else table
        out += [(file[f"{parent}/{n}"], rows) for n in (*columns, TABLE_DIMENSIONS[table])]
    return out
