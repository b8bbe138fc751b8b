"""Open a run: `open_run("runs/quickstart").dataset()`.

Needs neither Taichi nor the simulator. Reads finished runs, runs that are still being written, and
runs whose writer was killed (repaired on opening, or read as they lie where they cannot be
written). Only whole frames and rows are ever shown.
"""

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from . import recovery
from .commit import Commit, table_crc
from .create import LIBVER
from .errors import RunFileBusy, RunFileError, RunFileReadOnly
from .integrity import check_labels, check_times
from .layout import Layout
from .schema import OF_CELLS, TABLE_DIMENSIONS
from .settle import read_table
from .superblock import Mended

RUN_FILE = "run.vtkhdf"
STATUS_FILE = "status.json"
_ATTEMPTS = 20  # at a table that is being rewritten while it is read


class Run:
    """What a run recorded up to the moment it was opened.

    Attributes:
        file: path of the run file.
        layout: what it records, where (shapes in voxels, µm).
        frames: whole frames of the primary.
        attributes: scenario text, rng_key, versions, device, commit, digest, state, ...
    """

    def __init__(self, file: Path, layout: Layout, commit: Commit, attributes: dict[str, Any], dead: bool) -> None:
        self.file = file
        self.layout = layout
        self.frames = commit.frames
        self.attributes = attributes
        self._commit = commit
        self._dead = dead  # nobody writes it; on read-only media it stays marked as open

    def __repr__(self) -> str:
        return f"<Run {self.file}: {self.frames} frames, {self.attributes.get('state')}>"

    @property
    def organs(self) -> list[str]:
        """Organs whose lattice has at least one frame."""
        return [organ for organ in self.layout.organs if self._frames(self.layout.group(None, organ))]

    @property
    def resolved(self) -> list[dict[str, Any]]:
        """Parameter rows: name, value, unit, source, status ("given" or "default")."""
        return json.loads(self.attributes.get("resolved", "[]"))

    @property
    def status(self) -> dict[str, Any] | None:
        """The run folder's status.json (state, tick, time, device), if there is one."""
        try:
            return json.loads((self.file.parent / STATUS_FILE).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise RunFileError(f"{self.file.parent / STATUS_FILE}: {error}") from None

    def dataset(self, chunks: Any = None, *, filled: bool = False) -> xr.Dataset:
        """The primary's fields (time, z, y, x), read lazily; `chunks={}` gives dask arrays.

        Fields with times of their own are not in it: `field` has them. `filled` adds those that are no
        properties of cells, at each time as of their latest frame; the coordinate `<name>_time` (h) says
        of when that is.
        """
        dataset = self._lattice(None, chunks, filled)
        dataset.attrs = dict(self.attributes)
        return dataset

    def organ(self, name: str, chunks: Any = None, *, filled: bool = False) -> xr.Dataset:
        """An organ's fields (time, z, y, x), as `dataset`; no times if no seed has reached it.

        Raises:
            KeyError: the run has no such organ.
        """
        return self._lattice(self._known(name), chunks, filled)

    def field(self, name: str, organ: str | None = None, chunks: Any = None) -> xr.DataArray:
        """One field (time, z, y, x) with the times at which it was recorded, read lazily.

        Args:
            name: the field.
            organ: an organ's lattice instead of the primary's.
            chunks: as in `dataset`.

        Raises:
            KeyError: the run has no such organ, or does not record this field.
        """
        held = self.layout.fields if self._known(organ) is None else self.layout.organ_fields
        if name not in held:
            raise KeyError(f"no field {name!r} in this run; it has {', '.join(held)}")
        dataset = self._lazy(self.layout.group(name, organ), chunks)
        field = dataset[name]
        field.set_close(dataset.close)
        return field

    def series(self) -> xr.Dataset:
        """Per-tick scalars (tick_time), loaded."""
        with recovery.open_file(str(self.file), self._dead) as file, recovery.errors_of(str(self.file)):
            rows, group = self._commit.series_rows, file["series"]
            columns = {name: group[name][:rows] for name in self.layout.series}
            return _table(group, "tick_time", group["tick_time"][:rows], columns)

    def seeds(self) -> xr.Dataset:
        """The table of seeds (seed), loaded and verified."""
        return self._rows("seeds")

    def colonies(self) -> xr.Dataset:
        """The table of colonies (colony), loaded and verified."""
        return self._rows("colonies")

    def clones(self) -> xr.Dataset:
        """The table of clones (clone), loaded and verified."""
        return self._rows("clones")

    def verify(self) -> None:
        """Read every block of every committed frame and every table once.

        Raises:
            RunFileError: something does not decompress, does not match its checksum or the layout.
        """
        with recovery.open_file(str(self.file), self._dead) as file, recovery.errors_of(str(self.file)):
            for group, (_, fields) in self.layout.grids().items():
                for name in fields:
                    for frame in range(self._frames(group)):
                        file[f"{group}/{name}"][frame]
            check_labels(file, str(self.file), self.layout, self._commit.rows)
        for table in TABLE_DIMENSIONS:
            self._rows(table)

    def _known(self, organ: str | None) -> str | None:
        if organ is not None and organ not in self.layout.organs:
            raise KeyError(f"no organ {organ!r} in this run; it has {', '.join(self.layout.organs) or 'none'}")
        return organ

    def _frames(self, group: str) -> int:
        return (self._commit.frames, *self._commit.grid_frames)[[*self.layout.grids()].index(group)]

    def _lattice(self, organ: str | None, chunks: Any, filled: bool) -> xr.Dataset:
        frames = self._lazy(self.layout.group(None, organ), chunks)
        if not filled:
            return frames
        opened, time_h, dataset = [frames], frames["time"].values, frames.copy()
        for group, (_, fields) in [*self.layout.grids_of(organ).items()][1:]:
            (name,) = fields
            if name in OF_CELLS or not self._frames(group):
                continue
            own = self._lazy(group, chunks)
            latest = np.maximum(np.searchsorted(own["time"].values, time_h, side="right") - 1, 0)
            dataset[name] = own[name].isel(time=latest).assign_coords(time=time_h)
            about = {"units": "h", "long_name": f"when the {name} shown was recorded"}
            dataset = dataset.assign_coords({f"{name}_time": ("time", own["time"].values[latest], about)})
            opened.append(own)

        def close() -> None:
            for each in opened:
                each.close()

        dataset.set_close(close)
        return dataset

    def _lazy(self, group: str, chunks: Any) -> xr.Dataset:
        path = str(self.file)
        block = recovery.read_superblock(path)
        options: dict[str, Any] = {"libver": LIBVER}
        if block.flags and not self._dead:
            options["swmr"] = True
        with recovery.errors_of(path):
            dataset = xr.open_dataset(
                Mended(path, block) if block.flags and self._dead else path,
                engine="h5netcdf",
                group=group or None,
                chunks=chunks,
                decode_times=False,
                mask_and_scale=False,
                driver_kwds=options,
            )
        return dataset.isel(time=slice(self._frames(group)))

    def _rows(self, table: str) -> xr.Dataset:
        path, dimension = str(self.file), TABLE_DIMENSIONS[table]
        index = list(TABLE_DIMENSIONS).index(table)
        for _ in range(_ATTEMPTS):
            # The writer leaves the committed place alone until the publication after the next.
            _, record = recovery.inspect(path, self._dead, extent=False)
            with recovery.open_file(path, self._dead) as file, recovery.errors_of(path):
                columns = read_table(file, self.layout, table, record)
                if record.rows[index] == 0 or table_crc(columns) == record.crcs[index]:
                    return _table(file[table], dimension, np.arange(record.rows[index]), columns)
        raise RunFileError(f"{path}: corrupt (the table of {table} does not match its checksum)")


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open a run folder or a run file.

    Args:
        path: the folder `seedsoil run` wrote, or its run.vtkhdf.

    Raises:
        RunFileError: there is none, or it is truncated or corrupt.
    """
    file = Path(path)
    if file.is_dir():
        file = file / RUN_FILE
        if not file.exists():
            raise RunFileError(f"{path}: no {RUN_FILE} in this folder")
    read_only = False
    try:
        recovery.recover(str(file))
    except RunFileBusy:
        pass  # being written: the commit says what can be shown
    except RunFileReadOnly:
        read_only = True  # read as it lies
    layout, commit = recovery.inspect(str(file), read_only, extent=read_only)
    with recovery.open_file(str(file), read_only) as opened, recovery.errors_of(str(file)):
        check_times(opened, str(file), layout, commit)
        attributes = _attributes(opened)
    return Run(file, layout, commit, attributes, read_only)


def _attributes(file: h5py.File) -> dict[str, Any]:
    """Root attributes as plain Python values, those noted at the end among them."""
    out = {name: _plain(value) for name, value in file.attrs.items()}
    at_end = out.pop("at_end", "")
    return {**out, **(json.loads(at_end) if at_end else {})}


def _table(group: h5py.Group, dimension: str, index: np.ndarray, columns: dict[str, np.ndarray]) -> xr.Dataset:
    hidden = {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"}

    def attributes(name: str) -> dict[str, Any]:
        return {k: _plain(v) for k, v in group[name].attrs.items() if k not in hidden}

    return xr.Dataset(
        {name: (dimension, values, attributes(name)) for name, values in columns.items()},
        coords={dimension: (dimension, index, attributes(dimension))},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value.tolist()
    return value
