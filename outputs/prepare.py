"""Check what a run hands over against its layout, and bring it to the file's types."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from .layout import Layout
from .schema import Spec

Arrays = Mapping[str, np.ndarray]


def prepare(
    layout: Layout,
    fields: Arrays,
    organs: Mapping[str, Arrays],
    tables: Mapping[str, Arrays],
    series: Arrays,
    first: Collection[str | None] = (),
) -> dict[str, np.ndarray]:
    """Everything of one frame under its path: fields/cell, organs/lung/cell, tables/seeds/route, ...

    `first`: lattices (None: the primary) whose first frame this is. It holds every field, so that there
    is a latest frame of each at any time.

    Raises:
        ValueError: a name is unknown, a field is missing, or a shape or type does not fit.
    """
    may_lack = {name: () if name in first else layout.own_times for name in (None, *layout.organs)}
    out = _lattice("fields", layout.fields, layout.shape, fields, may_lack[None])
    for organ, values in organs.items():
        if organ not in layout.organs:
            raise ValueError(f"no organ {organ!r} in this run; it has {', '.join(layout.organs)}")
        shape = layout.organs[organ]
        out |= _lattice(f"organs/{organ}", layout.organ_fields, shape, values, may_lack[organ])
    for table, columns in tables.items():
        if table not in layout.tables:
            raise ValueError(f"no table {table!r}; there are {', '.join(layout.tables)}")
        out |= _columns(f"tables/{table}", layout.tables[table], columns)
    if series:
        if "tick_time" not in series:
            raise ValueError("series need 'tick_time' (h)")
        specs = {"tick_time": Spec("f8", "h", "time"), **layout.series}
        out |= _columns("series", specs, series)
    return out


def grouped(arrays: Arrays) -> dict[str, Any]:
    """What `prepare` made as the arguments of `RunFile.publish`: {"fields": {"cell": ...}, ...}."""
    out: dict[str, Any] = {}
    for path, array in arrays.items():
        *groups, name = path.split("/")
        target = out
        for group in groups:
            target = target.setdefault(group, {})
        target[name] = array
    return out


def _lattice(
    path: str, specs: Mapping[str, Spec], shape: tuple[int, ...], values: Arrays, may_lack: Collection[str]
) -> dict[str, np.ndarray]:
    needed = [name for name in specs if name not in may_lack]
    if wrong := (set(values) - set(specs)) | (set(needed) - set(values)):
        raise ValueError(
            f"{path}: every frame holds exactly {', '.join(needed)}"
            + (f" and those due of {', '.join(n for n in specs if n in may_lack)}" if len(needed) < len(specs) else "")
            + f" (check {', '.join(sorted(wrong))})"
        )
    out = {}
    for name in values:
        spec = specs[name]
        array = np.asarray(values[name])
        if array.shape != tuple(shape):
            raise ValueError(f"{path}/{name}: shape {array.shape}, the file has {tuple(shape)}")
        out[f"{path}/{name}"] = _typed(f"{path}/{name}", array, spec)
    return out


def _columns(path: str, specs: Mapping[str, Spec], values: Arrays) -> dict[str, np.ndarray]:
    unknown = set(values) - set(specs)
    if unknown:
        raise ValueError(f"{path}: the layout has no {', '.join(sorted(unknown))}")
    arrays = {name: np.asarray(v) for name, v in values.items()}
    lengths = {a.shape for a in arrays.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(f"{path}: columns must be 1-D and equally long, got {sorted(lengths)}")
    rows = lengths.pop()[0] if lengths else 0
    return {
        f"{path}/{name}": _typed(f"{path}/{name}", arrays[name], spec)
        if name in arrays
        else np.full(rows, spec.missing, spec.dtype)
        for name, spec in specs.items()
    }


def _typed(path: str, array: np.ndarray, spec: Spec) -> np.ndarray:
    """The array in the file's type, if every value of its own type family fits."""
    dtype = np.dtype(spec.dtype)
    if array.dtype == dtype:
        return array
    if array.dtype.kind == "b":
        return array.astype(dtype)
    if array.dtype.kind not in "iuf" or (dtype.kind in "iu" and array.dtype.kind == "f"):
        raise ValueError(f"{path}: {array.dtype} cannot stand in a column of {dtype}")
    if dtype.kind in "iu" and array.size:
        bounds = np.iinfo(dtype)
        if array.min() < bounds.min or array.max() > bounds.max:
            raise ValueError(f"{path}: values beyond {dtype} ({array.min()} to {array.max()})")
    return array.astype(dtype)
