"""A run in other formats: tables as CSV, a frame as VTK image data, the clones as a Newick tree."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
import xarray as xr

from .lineage import newick
from .planes import SLAB_VOXELS, recorded_h
from .reader import Run, open_run
from .schema import TABLE_DIMENSIONS
from .whole import whole_file

# NumPy kind and size -> VTK's name; what a run file may hold
_VTK_TYPES = {"u1": "UInt8", "u2": "UInt16", "u4": "UInt32", "u8": "UInt64", "i1": "Int8", "i2": "Int16"}
_VTK_TYPES |= {"i4": "Int32", "i8": "Int64", "f4": "Float32", "f8": "Float64"}


def export(
    run_dir: str | os.PathLike[str],
    to: Literal["csv", "vti", "newick"],
    path: str | os.PathLike[str] | None = None,
    *,
    at_h: float | None = None,
    organ: str | None = None,
) -> list[Path]:
    """Write a run in another format and return the files.

    Args:
        run_dir: the run's folder or file.
        to: "csv" writes series.csv, seeds.csv, colonies.csv and clones.csv; "vti" one frame with all its
            fields; "newick" the tree of clones.
        path: folder (csv) or file (the others); default: in the run's folder, in `export/` for csv.
        at_h: vti: the frame nearest to this time, h; default the last.
        organ: vti: an organ's lattice instead of the primary's.

    Raises:
        ValueError: unknown format, no such frame or organ, an option that has no part in the format, or clones that
            form no tree.
        RunFileError: there is no readable run.
    """
    run = open_run(run_dir)
    home = run.file.parent
    suffix = {"vti": ".vti", "newick": ".nwk"}.get(to)
    if path and suffix and Path(path).suffix != suffix:
        raise ValueError(f"{path}: a file for {to} ends in {suffix}")
    if to != "vti":
        for name, value in {"--at-h": at_h, "--organ": organ}.items():
            if value is not None:
                raise ValueError(f"{name}: has no part in an export to {to}, only to vti; take it away")
    if to == "csv":
        return write_csv(run, Path(path) if path else home / "export")
    if to == "vti":
        return [write_vti(run, Path(path) if path else None, at_h, organ)]
    if to == "newick":
        target = Path(path) if path else home / "clones.nwk"
        tree = newick(run.clones())
        with whole_file(target) as file:
            file.write_text(tree + "\n", "utf-8")
        return [target]
    raise ValueError(f"cannot export to {to!r}; there are csv, vti and newick")


def write_csv(run: Run, folder: Path) -> list[Path]:
    """One file a table. Codes are written as their meanings, organs by name; what is missing is left empty."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"series": run.series(), "seeds": run.seeds(), "colonies": run.colonies(), "clones": run.clones()}
    organs = list(run.layout.organs)
    written = []
    for name, table in tables.items():
        first = TABLE_DIMENSIONS.get(name, "tick_time")
        columns = {first: table[first]} | {str(key): table[key] for key in table.data_vars}
        target = folder / f"{name}.csv"
        with whole_file(target) as path, open(path, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(columns)
            rows.writerows(zip(*(_texts(key, column, organs) for key, column in columns.items()), strict=True))
        written.append(target)
    return written


def _texts(name: str, column: xr.DataArray, organs: list[str]) -> list[Any]:
    values = column.values
    meanings = str(column.attrs.get("flag_meanings", "")).split()
    if meanings and "flag_values" in column.attrs:
        known = dict(zip(np.atleast_1d(column.attrs["flag_values"]).tolist(), meanings, strict=True))
        return [known.get(value, value) for value in values.tolist()]
    if name == "organ":
        return [organs[value] if 0 <= value < len(organs) else "" for value in values.tolist()]
    if values.dtype.kind == "f":
        # the shortest text that reads back as the same number of this width
        return ["" if np.isnan(v) else np.format_float_positional(v, trim="-") for v in values]
    if values.dtype.kind == "i":
        index = name in ("colony", "founder_seed", "parent")
        return ["" if index and value < 0 else value for value in values.tolist()]
    return values.tolist()


def write_vti(run: Run, path: Path | None = None, at_h: float | None = None, organ: str | None = None) -> Path:
    """One frame as VTK image data (.vti), cell data in appended raw form, for ParaView, VTK and 3D Slicer.

    Written a slab at a time; lengths are in µm, the lattice's corner is the origin.
    """
    if organ is not None and organ not in run.layout.organs:
        raise ValueError(f"no organ {organ!r} in this run; it has {', '.join(run.layout.organs) or 'none'}")
    with run.dataset(filled=True) if organ is None else run.organ(organ, filled=True) as dataset:
        times = dataset["time"].values
        if not len(times):
            raise ValueError(f"no frame of {organ or 'the primary'} in this run")
        frame = len(times) - 1 if at_h is None else _frame_at(times, at_h, organ)
        stem = f"{organ or 'primary'}-{times[frame]:g}h.vti"
        target = path or run.file.parent / stem
        names = [str(name) for name, field in dataset.data_vars.items() if field.dims == ("time", "z", "y", "x")]
        names = [name for name in names if recorded_h(dataset, name, frame) is None]
        with whole_file(target) as unfinished, open(unfinished, "wb") as file:
            file.write(_vti_head(dataset, names, run.layout.voxel_um, float(times[frame])).encode())
            for name in names:
                field = dataset[name]
                file.write(np.uint64(field[0].size * field.dtype.itemsize).astype("<u8").tobytes())
                for slab in _slabs(field, frame):
                    file.write(slab.astype(slab.dtype.newbyteorder("<")).tobytes())
            file.write(b"\n</AppendedData>\n</VTKFile>\n")
    return target


def _frame_at(times: np.ndarray, at_h: float, organ: str | None) -> int:
    """The frame nearest to a time. Raises ValueError before the first frame and after the last."""
    if not np.isfinite(at_h):
        raise ValueError(f"--at-h: needs a finite number of hours (got {at_h})")
    first, last = float(times[0]), float(times[-1])
    rounded = 1e-5 * abs(last)  # times are told to people with six digits
    if not first - rounded <= at_h <= last + rounded:
        raise ValueError(f"--at-h {at_h:g}: the frames of {organ or 'the primary'} go from {first:g} to {last:g} h")
    return int(np.abs(times - at_h).argmin())


def _slabs(field: xr.DataArray, frame: int) -> Iterator[np.ndarray]:
    nz, ny, nx = field.shape[1:]
    depth = max(1, SLAB_VOXELS // (ny * nx))
    for start in range(0, nz, depth):
        yield np.ascontiguousarray(field.isel(time=frame, z=slice(start, start + depth)).values)


def _vti_head(dataset: xr.Dataset, names: list[str], voxel_um: float, time_h: float) -> str:
    extent = " ".join(f"0 {dataset.sizes[axis]}" for axis in "xyz")
    arrays, offset = [], 0
    for name in names:
        field = dataset[name]
        kind = _VTK_TYPES[f"{field.dtype.kind}{field.dtype.itemsize}"]
        arrays.append(f'<DataArray type="{kind}" Name={quoteattr(name)} format="appended" offset="{offset}"/>')
        offset += 8 + field[0].size * field.dtype.itemsize
    nl = "\n        "
    return f"""<?xml version="1.0"?>
<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
  <ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{voxel_um} {voxel_um} {voxel_um}">
    <FieldData>
      <DataArray type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">{time_h!r}</DataArray>
    </FieldData>
    <Piece Extent="{extent}">
      <CellData Scalars="cell">
        {nl.join(arrays)}
      </CellData>
    </Piece>
  </ImageData>
  <AppendedData encoding="raw">
_"""
