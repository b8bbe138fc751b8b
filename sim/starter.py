"""What `seedsoil new` writes and `seedsoil schema` prints, both read off the model."""

from typing import Any

from .body.parameters import OF_GRAPH
from .declared import declaration, entry_of, is_optional, table_of
from .scenario import Scenario
from .toml_text import toml_value

_HEAD = """\
#:schema seedsoil.schema.json
# A scenario to start from. What is commented out shows a default: remove the '#' to change it.
# After each value: what it is [unit] (range); where the default comes from.
# Tables after '#!' are not there unless you take the '#!' away, from the name of the table too.
# `seedsoil check FILE` says whether it can run, `seedsoil run FILE` runs it.
"""
# what has no default, and a first run small enough to look at at once
_GIVEN: dict[tuple[str, ...], Any] = {
    ("title",): "My first scenario",
    ("until_h",): 48.0,
    ("rng_key",): 1,
    ("lattice", "shape"): (1, 128, 128),
    ("lattice", "voxel_um"): 20.0,
    ("implant", "cells"): 200,
    ("body", "organ_shape"): (1, 64, 64),
    ("body", "organs", "lung", "share_probability"): 0.6,
    ("body", "organs", "liver", "share_probability"): 0.4,
}
_NAMES: dict[tuple[str, ...], tuple[str, ...]] = {("body", "organs"): ("lung", "liver")}
# tables of one account of the body exclude those of the other, so the starter has the ones of the simple account only;
# an emission law needs a graph
_OF_GRAPH = (("emission",), *(("body", name) for name in (*OF_GRAPH, "soil")))


def starter_text() -> str:
    """A scenario with every parameter in it: the necessary ones set, the others as comments.

    Only a body that is a graph has more tables; the two accounts of the body cannot stand in one file.
    """
    return _HEAD + "\n".join(_table(Scenario, ())) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario; each property has its unit and the source of its default."""
    out = _without_null(Scenario.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **out,
        "title": "seedsoil scenario",
    }


def _without_null(node: Any) -> Any:
    """A JSON Schema whose optional tables are tables: TOML has no null."""
    if isinstance(node, list):
        return [_without_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    held = {key: _without_null(item) for key, item in node.items()}
    if {"type": "null"} in held.get("anyOf", ()):
        (table,) = (choice for choice in held.pop("anyOf") if choice != {"type": "null"})
        del held["default"]
        return held | table
    return held


def _table(model: Any, path: tuple[str, ...]) -> list[str]:
    values, tables = [], []
    for name, field in model.model_fields.items():
        here = (*path, name)
        if here in _OF_GRAPH:
            continue
        if table := table_of(field.annotation):
            tables += _optional(_table(table, here)) if is_optional(field.annotation) else _table(table, here)
        elif entry := entry_of(field.annotation):
            for instance in _NAMES[here]:
                tables += _table(entry, (*here, instance))
        else:
            values.append(_line(here, declaration(field)))
    if not path or not values:
        return values + tables
    return ["", f"[{'.'.join(path)}]", *values, *tables]


def _optional(lines: list[str]) -> list[str]:
    """A table that a scenario may leave out, commented out as a whole."""
    return [line and f"#! {line.removeprefix('# ')}" for line in lines]


def _line(path: tuple[str, ...], declared: Any) -> str:
    given = path in _GIVEN
    value = _GIVEN[path] if given else declared.default
    unit = f" [{declared.unit}]" if declared.unit not in ("1", "-") else ""
    bounds = f" ({declared.range})" if declared.range else ""
    setting = f"{'' if given else '# '}{path[-1]} = {toml_value(value)}"
    return f"{setting:<36}  # {declared.about}{unit}{bounds}; {declared.source}"
