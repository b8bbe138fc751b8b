"""The shape of a run file, fixed before its first frame: what is recorded, where, in which type."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .schema import DUCT_SERIES, FIELDS, ORGAN_CELLS, SERIES, SOLUTE_SERIES, TABLE_DIMENSIONS, TABLES, Spec

Grid = tuple[tuple[int, int, int], dict[str, Spec]]  # (nz, ny, nx) and the fields

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*\Z")
_RESERVED = {"time", "z", "y", "x", "tick_time", "series", "fields", "organs", "journal", "VTKHDF", *TABLES}


@dataclass(frozen=True)
class Layout:
    """What a run records.

    Args:
        shape: (nz, ny, nx) of the primary's lattice.
        voxel_um: edge of a voxel, µm.
        fields: names known to `schema.FIELDS`, or a mapping from name to `Spec` or to the schema's
            name for it. Every frame holds every field, but for those of `own_times`.
        organs: organ name to (nz, ny, nx) of its lattice; each gets a group with its own time,
            empty until the organ's first frame. Their order is the attribute `organ_names`, unless the
            run gives that attribute itself (a body has organs without a lattice).
        organ_fields: as `fields`, for the organs; default: the same as `fields`.
        own_times: fields that not every frame holds. Each stands in a group of its own with its own
            time, `fields/<name>` and `organs/<organ>/fields/<name>`. At least one field is in every frame.
        series: per-tick scalars; default: all of `schema.SERIES` and `organ_cells.<organ>`. Names of
            `schema.SOLUTE_SERIES` and `schema.DUCT_SERIES` are known too.
        extra_columns: table name to further columns, `{"clones": {"growth": Spec(...)}}`.

    Raises:
        ValueError: a name that is unknown without a specification, or unfit for a file.
    """

    shape: tuple[int, int, int]
    voxel_um: float
    # Given as Mapping[str, Spec | str] or Iterable[str], held as dict[str, Spec].
    fields: Any
    organs: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    organ_fields: Any = None
    series: Any = None
    extra_columns: Mapping[str, Mapping[str, Spec]] = field(default_factory=dict)
    own_times: Any = ()  # given as Iterable[str], held as tuple[str, ...], sorted

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("shape", _shape("the primary", self.shape))
        put("voxel_um", float(self.voxel_um))
        if not 0 < self.voxel_um < float("inf"):
            raise ValueError(f"voxel_um must be a positive number (got {self.voxel_um})")
        put("fields", _resolve(self.fields, FIELDS, "field"))
        put("organs", {_name(k, "organ"): _shape(k, v) for k, v in self.organs.items()})
        organ_fields = self.fields if self.organ_fields is None else self.organ_fields
        put("organ_fields", _resolve(organ_fields, FIELDS, "field"))
        known = SERIES | {f"organ_cells.{o}": ORGAN_CELLS for o in self.organs}
        put(
            "series",
            _resolve(known if self.series is None else self.series, known | SOLUTE_SERIES | DUCT_SERIES, "series"),
        )
        unknown = set(self.extra_columns) - set(TABLES)
        if unknown:
            raise ValueError(f"no such table: {', '.join(sorted(unknown))}")
        for table, columns in self.extra_columns.items():
            taken = {TABLE_DIMENSIONS[table], *TABLES[table]} & set(columns)
            if taken:
                raise ValueError(f"{table} already has {', '.join(sorted(taken))}")
        put("extra_columns", {t: _resolve(c, {}, "column") for t, c in self.extra_columns.items()})
        put("own_times", tuple(sorted(set(self.own_times))))
        kinds: list[Any] = [self.fields, self.organ_fields]
        for name in self.own_times:
            if not any(name in fields for fields in kinds):
                raise ValueError(f"own_times: {name!r} is no field of this run")
        if any(set(fields) <= set(self.own_times) for fields in kinds):
            raise ValueError("own_times: at least one field must be in every frame")

    @property
    def tables(self) -> dict[str, dict[str, Spec]]:
        """Columns of each table: the schema's, then the run's own."""
        return {t: {**c, **self.extra_columns.get(t, {})} for t, c in TABLES.items()}

    def grids(self) -> dict[str, Grid]:
        """Every group with a time of its own: path ('' for the primary) to shape and fields, primary first."""
        out = self.grids_of(None)
        for organ in self.organs:
            out |= self.grids_of(organ)
        return out

    def grids_of(self, organ: str | None) -> dict[str, Grid]:
        """The groups of one lattice (None: the primary): the one of its frames, then one per field of `own_times`."""
        shape = self.shape if organ is None else self.organs[organ]
        fields = self.fields if organ is None else self.organ_fields
        own = [name for name in fields if name in self.own_times]
        out: dict[str, Grid] = {self.group(None, organ): (shape, {n: s for n, s in fields.items() if n not in own})}
        return out | {self.group(name, organ): (shape, {name: fields[name]}) for name in own}

    def group(self, field: str | None = None, organ: str | None = None) -> str:
        """Path of the group that holds a field (None: that of the frames) of a lattice (None: the primary)."""
        parts = [] if organ is None else ["organs", organ]
        return "/".join([*parts, "fields", field] if field in self.own_times else parts)

    def to_json(self) -> str:
        def specs(group: Any) -> dict[str, Any]:
            return {k: v.to_json() for k, v in group.items()}

        return json.dumps(
            {
                "shape": self.shape,
                "voxel_um": self.voxel_um,
                "fields": specs(self.fields),
                "organs": self.organs,
                "organ_fields": specs(self.organ_fields),
                "series": specs(self.series),
                "extra_columns": {t: specs(c) for t, c in self.extra_columns.items()},
                "own_times": list(self.own_times),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        row = json.loads(text)
        for key in ("fields", "organ_fields", "series"):
            row[key] = {k: Spec.from_json(v) for k, v in row[key].items()}
        row["extra_columns"] = {
            t: {k: Spec.from_json(v) for k, v in c.items()} for t, c in row["extra_columns"].items()
        }
        return cls(**row)


def _name(name: str, kind: str) -> str:
    if not _NAME.match(name) or name in _RESERVED:
        raise ValueError(f"{kind} name {name!r} cannot stand in a run file")
    return name


def _shape(where: str, shape: Iterable[int]) -> tuple[int, ...]:
    out = tuple(int(n) for n in shape)
    if len(out) != 3 or min(out) < 1:
        raise ValueError(f"the lattice of {where} needs a shape (nz, ny, nx), got {out}")
    return out


def _resolve(given: Any, known: Mapping[str, Spec], kind: str) -> dict[str, Spec]:
    """Name to specification; strings are looked up in the schema."""
    items = given.items() if isinstance(given, Mapping) else ((name, name) for name in given)
    out: dict[str, Spec] = {}
    for name, spec in items:
        if isinstance(spec, str):
            if spec not in known:
                raise ValueError(f"unknown {kind} {spec!r}: give its Spec, or one of {', '.join(known)}")
            spec = known[spec]
        out[_name(name, kind)] = spec
    return out
