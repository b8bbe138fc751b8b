"""The resolved scenario: every value that a run used, with its unit and where it came from."""

from collections.abc import Iterator
from typing import Any

from .declared import Declared, declaration, entry_of, table_of
from .scenario import Scenario
from .toml_text import toml_value

GIVEN, DEFAULT = "given", "default"


def resolved_rows(scenario: Scenario) -> list[dict[str, Any]]:
    """One row per value, in the order of the model; JSON holds it.

    Columns: name (dotted), value, unit, source, range, about, status. `status` is "given" where the
    scenario or an override names the value, else "default". `source` is the declared source of the
    default; a value that differs from the default is the scenario's own, which its source then says.
    """
    return [_row(path, value, declared, given) for path, value, declared, given in _leaves(scenario, ())]


def resolved_toml(scenario: Scenario) -> str:
    """The same as a scenario file: loads back to an equal scenario."""
    out = ["# Every value this scenario comes to: what it is [unit], (range), and where the value is from."]
    table: tuple[str, ...] = ()
    for path, value, declared, given in _leaves(scenario, ()):
        if path[:-1] != table:
            table = path[:-1]
            out += ["", f"[{'.'.join(table)}]"]
        row = _row(path, value, declared, given)
        unit = f" [{row['unit']}]" if row["unit"] not in ("1", "-") else ""
        bounds = f" ({row['range']})" if row["range"] else ""
        out += [
            f"# {row['about']}{unit}{bounds}",
            f"{path[-1]} = {toml_value(value)}  # {row['status']}: {row['source']}",
        ]
    return "\n".join([*out, ""])


def _row(path: tuple[str, ...], value: Any, declared: Declared, given: bool) -> dict[str, Any]:
    source = declared.source
    if value != declared.default and not declared.required:
        source = f"the scenario's choice (default {toml_value(declared.default)}: {source})"
    return {
        "name": ".".join(path),
        "value": list(value) if isinstance(value, tuple) else value,
        "unit": declared.unit,
        "source": source,
        "range": declared.range,
        "about": declared.about,
        "status": GIVEN if given else DEFAULT,
    }


def _leaves(table: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Declared, bool]]:
    """Values before tables, so that TOML can write them in this order."""
    tables = []
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if table_of(field.annotation):
            # an optional table that the scenario lacks has no values
            tables += [] if value is None else [((*path, name), value)]
        elif entry_of(field.annotation):
            tables += [((*path, name, entry), part) for entry, part in value.items()]
        else:
            yield (*path, name), value, declaration(field), name in table.model_fields_set
    for inner, part in tables:
        yield from _leaves(part, inner)
