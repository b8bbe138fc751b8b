"""An empty run file with everything in it that it will ever hold.

Once frames flow, the file is in single-writer-multiple-reader mode, which keeps it whole if the
writer is killed but forbids new groups, datasets and attributes. So all of them are made here.
"""

import json
from typing import Any

import h5py
import numpy as np
from h5py import h5f, h5p

from . import commit, integrity
from .chunks import chunk_shape
from .layout import Layout
from .schema import END_ATTRIBUTES, FORMAT_VERSION, GRID_LABELS, TABLE_DIMENSIONS, VTKHDF_VERSION, Spec

# 'latest' makes VTK 9.7 silently return no array; "v110" is also what netCDF-4 libraries read.
LIBVER = ("v110", "v110")
ROWS_PER_CHUNK = 2048
PAGE = 4096


def create(path: str, layout: Layout, attributes: dict[str, Any]) -> h5py.File:
    """Make the file (which must not exist) and return it open, before SWMR starts."""
    file = h5py.File(_new_file(path))
    file.attrs["Conventions"] = "CF-1.11"
    for name, value in attributes.items():
        if name not in END_ATTRIBUTES:
            file.attrs[name] = value
    file.attrs["format_version"] = FORMAT_VERSION
    if "organ_names" not in attributes:
        file.attrs["organ_names"] = np.array(list(layout.organs), h5py.string_dtype())
    for name, size in END_ATTRIBUTES.items():
        file.attrs.create(name, b"", dtype=h5py.string_dtype("utf-8", size))
    set_end_attribute(file, "state", "running")

    for group, (shape, fields) in layout.grids().items():
        _grid(file.require_group(group or "/"), shape, fields, layout.voxel_um)
    _vtk(file, layout)
    _columns(file.create_group("series"), "tick_time", layout.series, "h", "f8")
    journal = file.create_group("journal")
    journal.attrs["layout"] = layout.to_json()
    for table, columns in layout.tables.items():
        for parent in (file, journal):
            _columns(parent.create_group(table), TABLE_DIMENSIONS[table], columns, "1", "i8")
    grids = len(layout.grids())
    records = file.create_dataset(commit.PATH, (2, commit.Commit.words(grids)), "i8", track_times=False)
    records[...] = 0
    records[1] = commit.Commit.first(grids).record()
    file["journal"].attrs[integrity.TEXT_CRC] = np.uint32(integrity.text_crc(file))
    return file


def set_end_attribute(file: h5py.File, name: str, text: str) -> None:
    """Overwrite one of the reserved attributes in place.

    Raises:
        ValueError: the text is longer than the room reserved for it.
    """
    value = text.encode()
    if len(value) > END_ATTRIBUTES[name]:
        raise ValueError(f"attribute {name} has room for {END_ATTRIBUTES[name]} bytes")
    file.attrs.modify(name, np.bytes_(value))


def set_end_attributes(file: h5py.File, values: dict[str, Any]) -> None:
    """All of `values` as JSON in `at_end`, and those with a reserved attribute there as well."""
    set_end_attribute(file, "at_end", json.dumps(values, default=_plain))
    for name, value in values.items():
        if name in END_ATTRIBUTES and name != "at_end":
            set_end_attribute(file, name, str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"an attribute at the end cannot be a {type(value).__name__}")


def _new_file(path: str) -> h5f.FileID:
    creation = h5p.create(h5p.FILE_CREATE)
    # Attributes stay in the object header, where overwriting one is a single write.
    creation.set_attr_phase_change(64, 60)
    # A kill can cut a write in two where memory pages meet. So that this never is inside an object header or an
    # index, libhdf5 keeps what is smaller than a page within one (measured: 1 of 600 kills left a file unreadable).
    creation.set_file_space_strategy(h5f.FSPACE_STRATEGY_PAGE, False, 1)
    creation.set_file_space_page_size(PAGE)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    return h5f.create(path.encode(), h5f.ACC_EXCL, creation, access)


def _scale(group: h5py.Group, name: str, labels: dict[str, str], values: Any = None, dtype: str = "f8") -> Any:
    if values is None:
        scale = group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(ROWS_PER_CHUNK,))
    else:
        scale = group.create_dataset(name, data=values)
    scale.make_scale(name)
    scale.attrs.update(labels)
    return scale


def _columns(group: Any, dimension: str, columns: dict[str, Spec], units: str, dtype: str) -> None:
    scale = _scale(group, dimension, {"units": units}, None, dtype)
    for name, spec in columns.items():
        column = group.create_dataset(
            name, (0,), spec.dtype, maxshape=(None,), chunks=(ROWS_PER_CHUNK,), fillvalue=spec.missing
        )
        column.attrs.update(spec.attributes())
        column.dims[0].attach_scale(scale)


def _grid(group: Any, shape: tuple[int, ...], fields: dict[str, Spec], voxel_um: float) -> None:
    scales = [_scale(group, "time", GRID_LABELS["time"])]
    for name, count in zip("zyx", shape, strict=True):
        scales.append(_scale(group, name, GRID_LABELS[name], integrity.axis_um(count, voxel_um)))
    for name, spec in fields.items():
        dataset = group.create_dataset(
            name,
            (0, *shape),
            spec.dtype,
            maxshape=(None, *shape),
            chunks=(1, *chunk_shape(shape)),
            shuffle=np.dtype(spec.dtype).itemsize > 1,
            compression="gzip",
            compression_opts=1,
        )
        dataset.attrs.update(spec.attributes())
        for axis, scale in enumerate(scales):
            dataset.dims[axis].attach_scale(scale)


def _vtk(file: h5py.File, layout: Layout) -> None:
    """Hard links to the primary's datasets, as VTK's image data with voxels as cells.

    VTK believes NSteps, not the datasets. It cannot read a temporal file of one step, so NSteps is
    0 until there are two frames. Fields with times of their own it does not see: netCDF4 reads no
    variable whose dimensions stand neither in its group nor above it.
    """
    vtk = file.create_group("VTKHDF")
    vtk.attrs["Version"] = np.array(VTKHDF_VERSION, "i8")
    vtk.attrs.create("Type", np.bytes_("ImageData"))
    nz, ny, nx = layout.shape
    vtk.attrs["WholeExtent"] = np.array([0, nx, 0, ny, 0, nz], "i8")
    vtk.attrs["Origin"] = np.zeros(3)
    vtk.attrs["Spacing"] = np.full(3, layout.voxel_um)
    vtk.attrs["Direction"] = np.eye(3).reshape(-1)
    cells = vtk.create_group("CellData")
    for name in layout.grids()[""][1]:
        cells[name] = file[name]
    steps = vtk.create_group("Steps")
    steps.attrs["NSteps"] = np.int64(0)
    steps["Values"] = file["time"]
