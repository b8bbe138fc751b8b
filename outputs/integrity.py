"""Damage that HDF5 does not notice: in rows and times, in axes, in text.

HDF5 checks its own metadata, and every block of a field ends in deflate's checksum. Rows, times and
axes are stored as they are, and text attributes lie in a heap without a checksum. So the commit
carries checksums of rows and times, `/journal` one of the file's text, and the rest must be what
the layout says.
"""

import zlib
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from . import commit
from .errors import RunFileError
from .layout import Layout
from .schema import END_ATTRIBUTES, GRID_LABELS, TABLE_DIMENSIONS, Spec

TEXT_CRC = "text_crc32"  # attribute of /journal


def axis_um(count: int, voxel_um: float) -> np.ndarray:
    """Voxel centres along an axis, um."""
    return (np.arange(count) + 0.5) * voxel_um


def text_crc(file: h5py.File) -> int:
    """Checksum of the root's attributes, but for those written at the end, and of the layout."""
    crc = zlib.crc32(str(file["journal"].attrs["layout"]).encode())
    for name in sorted(file.attrs):
        if name not in END_ATTRIBUTES:
            value = file.attrs[name]
            whole = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
            crc = zlib.crc32(f"{name}={whole!r}".encode(), crc)
    return crc


def check_text(file: h5py.File, path: str) -> None:
    """Raises RunFileError if the text is not what was written."""
    if int(file["journal"].attrs[TEXT_CRC]) != text_crc(file):
        raise RunFileError(f"{path}: corrupt (its attributes do not match their checksum)")


def series_columns(file: h5py.File, layout: Layout, rows: int) -> dict[str, np.ndarray]:
    """The first rows of the series, `tick_time` among them."""
    return {name: file[f"series/{name}"][:rows] for name in ("tick_time", *layout.series)}


def measured(file: h5py.File, layout: Layout, record: commit.Commit) -> commit.Commit:
    """The record with the checksums that its rows and times have as they lie in the file."""
    frames = (record.frames, *record.grid_frames)
    times = (file[f"{group}/time"][:count] for group, count in zip(layout.grids(), frames, strict=True))
    return replace(
        record,
        series_crc=commit.rows_crc(series_columns(file, layout, record.series_rows)),
        time_crcs=tuple(commit.rows_crc({"time": values}) for values in times),
    )


def check_times(file: h5py.File, path: str, layout: Layout, record: commit.Commit) -> None:
    """Raises RunFileError if times of frames, series or axes are not what was written."""
    found = measured(file, layout, record)
    if found.time_crcs != record.time_crcs:
        raise RunFileError(f"{path}: corrupt (the times of its frames do not match their checksum)")
    if found.series_crc != record.series_crc:
        raise RunFileError(f"{path}: corrupt (the series do not match their checksum)")
    for group, (shape, _) in layout.grids().items():
        for axis, count in zip("zyx", shape, strict=True):
            if not np.array_equal(file[f"{group}/{axis}"][...], axis_um(count, layout.voxel_um)):
                raise RunFileError(f"{path}: corrupt ({group}/{axis} is not the axis of its lattice)")


def check_labels(file: h5py.File, path: str, layout: Layout, rows: tuple[int, ...]) -> None:
    """Raises RunFileError if a dataset's units and meanings, or what its dimensions are, differ from the layout.

    `rows`: of each table.
    """
    for group, (_, fields) in layout.grids().items():
        _check_scales(file, path, group, GRID_LABELS)
        for name, spec in fields.items():
            _check_label(file[f"{group}/{name}"], path, spec, [f"{group}/{axis}" for axis in ("time", *"zyx")])
    places: dict[str, tuple[str, dict[str, Spec]]] = {"series": ("tick_time", layout.series)}
    for table, columns in layout.tables.items():
        places |= dict.fromkeys((table, f"journal/{table}"), (TABLE_DIMENSIONS[table], columns))
    for group, (dimension, columns) in places.items():
        _check_scales(file, path, group, {dimension: {"units": "h" if group == "series" else "1"}})
        for name, spec in columns.items():
            _check_label(file[f"{group}/{name}"], path, spec, [f"{group}/{dimension}"])
    for (table, dimension), count in zip(TABLE_DIMENSIONS.items(), rows, strict=True):
        numbers = file[f"{table}/{dimension}"][...]
        if len(numbers) == count and not np.array_equal(numbers, np.arange(count)):
            raise RunFileError(f"{path}: corrupt (the rows of {table} are not numbered)")


def _check_scales(file: h5py.File, path: str, group: str, labels: dict[str, dict[str, str]]) -> None:
    for name, expected in labels.items():
        for key, value in expected.items():
            if file[f"{group}/{name}"].attrs[key] != value:
                raise RunFileError(f"{path}: corrupt ({key} of {group}/{name})")


def _check_label(dataset: Any, path: str, spec: Spec, scales: list[str]) -> None:
    for name, value in spec.attributes().items():
        if not np.array_equal(dataset.attrs[name], value):
            raise RunFileError(f"{path}: corrupt ({name} of {dataset.name})")
    for axis, scale in enumerate(scales):
        if dataset.dims[axis][0].name != f"/{scale.lstrip('/')}":
            raise RunFileError(f"{path}: corrupt (dimension {axis} of {dataset.name})")
