"""A run file being written: frames in, each published whole or not at all.

This is what the writer process runs; it can also be used in-process. One instance per file; not
thread-safe (it uses threads of its own to compress).
"""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from . import commit, integrity, recovery
from .chunks import write_frame
from .create import LIBVER, create, set_end_attribute, set_end_attributes
from .errors import RunFileBusy, RunFileError
from .layout import Layout
from .opened import Opened
from .schema import END_ATTRIBUTES, TABLE_DIMENSIONS, TABLES, Spec
from .settle import fit, kept, put_rows, read_table, settle, write_commit, write_table

Arrays = dict[str, np.ndarray]


class RunFile:
    """An open run file in single-writer-multiple-reader mode."""

    def __init__(self, path: str, file: h5py.File, layout: Layout, record: commit.Commit) -> None:
        self.path = path
        self.layout = layout
        self.commit = record
        self._file = file
        self._datasets = Opened(file)
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "deflate")
        self._lock = -1

    @classmethod
    def create(cls, path: str, layout: Layout, attributes: dict[str, Any], *, overwrite: bool = False) -> "RunFile":
        """A new file at `path`; it appears there complete.

        Raises:
            FileExistsError: there is something at `path` and `overwrite` is false.
            RunFileBusy: a living writer has it.
        """
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(path)
        if overwrite and os.path.lexists(path) and recovery.is_being_written(path):
            raise RunFileBusy(f"{path}: another run is writing it")
        partial = path + ".partial"
        if os.path.lexists(partial):
            os.unlink(partial)
        try:
            file = create(partial, layout, attributes)
            run = cls(path, file, layout, commit.Commit.first(len(layout.grids())))
            run._start()
            os.rename(partial, path)
        except BaseException:
            if os.path.lexists(partial):
                os.unlink(partial)
            raise
        run._hold()
        return run

    @classmethod
    def append(
        cls,
        path: str,
        layout: Layout,
        attributes: dict[str, Any] | None = None,
        *,
        keep: commit.Commit | None = None,
        keep_until_h: float = float("inf"),
    ) -> "RunFile":
        """Go on with a file, after recovering it if its writer was killed.

        `keep` (counts) or `keep_until_h` (h) say how much of it stays; the rest is cut off.
        The tables stay until the next publication. Attributes that differ are replaced first, which
        is the one change here that a kill in its midst may leave unreadable.

        Raises:
            RunFileError: the file cannot be read.
            ValueError: it records something else than `layout`, or another run than `attributes` names
                (`run_id`); then it is as it was.
        """
        recovery.recover(path, assume_dead=True)
        found_layout, found = recovery.inspect(path)
        if found_layout != layout:
            raise ValueError("the file at this path has another lattice, other fields or organs")
        with recovery.open_file(path, dead=True) as before:
            of, here = str(before.attrs.get("run_id", "")), (attributes or {}).get("run_id")
        if here is not None and of != here:
            raise ValueError("the file at this path is of another run")
        file = h5py.File(path, "r+", libver=LIBVER)
        for name, value in (attributes or {}).items():
            if name not in END_ATTRIBUTES and not np.array_equal(file.attrs.get(name), value):
                file.attrs[name] = value
                file["journal"].attrs.modify(integrity.TEXT_CRC, np.uint32(integrity.text_crc(file)))
        if keep is not None:
            counts = {k: getattr(keep, k) for k in ("frames", "series_rows", "grid_frames")}
            target = replace(found, serial=found.serial + 1, **counts)
            if target.frames > found.frames:
                raise RunFileError(f"{path}: holds {found.frames} of {target.frames} frames")
            target = integrity.measured(file, found_layout, target)
        else:
            target = kept(file, found_layout, found, keep_until_h)
        run = cls(path, file, found_layout, target)  # the file's order of organs
        run._start()
        run._hold()
        set_end_attribute(file, "state", "running")
        set_end_attribute(file, "digest", "")
        set_end_attribute(file, "at_end", "")
        run.commit = settle(file, found_layout, target)
        return run

    def _start(self) -> None:
        self._file.flush()
        self._file.swmr_mode = True

    def _hold(self) -> None:
        """A shared lock for as long as this process lives: how others know the writer is alive.

        libhdf5 gives its own lock up when SWMR starts. File systems without locks do without.
        """
        self._lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass

    @property
    def organs_begun(self) -> list[str]:
        """Organs with at least one frame."""
        counts = dict(zip(self.layout.grids(), (self.commit.frames, *self.commit.grid_frames), strict=True))
        return [organ for organ in self.layout.organs if counts[self.layout.group(None, organ)]]

    @property
    def last_h(self) -> float | None:
        """Time of the last frame, h."""
        frames = self.commit.frames
        return float(self._file["time"][frames - 1]) if frames else None

    def publish(
        self,
        time_h: float,
        fields: Arrays,
        organs: dict[str, Arrays] | None = None,
        tables: dict[str, Arrays] | None = None,
        series: Arrays | None = None,
    ) -> commit.Commit:
        """One frame, flushed when this returns. Arguments as `Recorder.frame`, already checked.

        A field with times of its own gets a frame if it is among the fields.
        """
        now = self.commit
        last = self.last_h
        if last is not None and not time_h > last:
            raise ValueError(f"a frame at {time_h} h after one at {last} h")
        counts = dict(zip(self.layout.grids(), (now.frames, *now.grid_frames), strict=True))
        times = dict(zip(self.layout.grids(), now.time_crcs, strict=True))
        for organ, values in {None: fields, **(organs or {})}.items():
            for group, (_, specs) in self.layout.grids_of(organ).items():
                if specs.keys() <= values.keys():
                    self._grid(group, specs, time_h, values, counts[group])
                    times[group] = commit.rows_crc({"time": np.array([time_h])}, times[group])
                    counts[group] += 1
        rows = self._series(series or {}, now.series_rows)
        changes = self._tables(tables or {})
        self._file.flush()
        self.commit = now.next(
            frames=counts[""],
            series_rows=rows,
            grid_frames=tuple(counts.values())[1:],
            series_crc=commit.rows_crc(series, now.series_crc) if series else now.series_crc,
            time_crcs=tuple(times.values()),
            **changes,
        )
        write_commit(self._file, self.commit)
        return self.commit

    def close(self, at_end: dict[str, Any] | None = None) -> None:
        """Settle, note how the run ended (`None`: it was interrupted) and close, on disk."""
        self.commit = settle(self._file, self.layout, self.commit.next())
        if at_end is None:
            set_end_attribute(self._file, "state", "interrupted")
        else:
            set_end_attributes(self._file, {"state": "finished", **at_end})
        self._file.flush()
        self._file.close()
        self._pool.shutdown()
        os.fsync(self._lock)
        os.close(self._lock)

    def _grid(self, group: str, specs: dict[str, Spec], time_h: float, fields: Arrays, frame: int) -> None:
        for name, spec in specs.items():
            dataset = self._datasets[f"{group}/{name}"]
            fit(dataset, frame + 1)
            write_frame(dataset, frame, fields[name], spec.keep_bits, self._pool)
        put_rows(self._datasets[f"{group}/time"], frame, np.array([time_h]))

    def _series(self, series: Arrays, start: int) -> int:
        count = len(series.get("tick_time", ()))
        if count:
            for name in ("tick_time", *self.layout.series):
                put_rows(self._datasets[f"series/{name}"], start, series[name])
        return start + count

    def _tables(self, tables: dict[str, Arrays]) -> dict[str, Any]:
        """Write the tables beside the current ones, unless nothing changed."""
        now = self.commit
        if not tables:
            return {}
        full = {t: tables[t] if t in tables else read_table(self._file, self.layout, t, now) for t in TABLES}
        rows = tuple(len(next(iter(c.values()))) for c in full.values())
        crcs = tuple(commit.table_crc(c) for c in full.values())
        if (rows, crcs) == (now.rows, now.crcs):
            return {}
        slot = commit.SPARE if now.slot == commit.PUBLIC else commit.PUBLIC
        for table, columns in full.items():
            parent = f"journal/{table}" if slot == commit.SPARE else table
            write_table(self._datasets, parent, TABLE_DIMENSIONS[table], columns)
        return {"slot": slot, "rows": rows, "crcs": crcs}
