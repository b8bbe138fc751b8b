"""Keys of `[body]` and `[emission]` that are given and cannot act, because something else switches them off.

A key counts as given where its value is not the default: a resolved scenario names all of them. One whose switch is left at
its default is refused, for whoever gave it meant it to act; so is one that another law has no place for. One whose switch is
set to off by name (`--set body.dormancy.probability=0`) is told as a warning: that is an experiment. The past of a branch
names every switch, so there only those count that the branch itself sets.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .inert_rules import rules


class Inert(NamedTuple):
    """One key that cannot act. `told`: why, and what would make it act."""

    key: str
    told: str
    on_purpose: bool  # its switch is off by name


def inert(scenario: Any, named: Callable[[str], bool] | None = None) -> list[Inert]:
    """All of them in this `scenario.Scenario`, once each. `named`: is this switch set by name? By the scenario, if not given."""
    found: dict[str, Inert] = {}
    for rule in rules(scenario):
        keys = [key for key in rule.keys if key not in found and _changed(scenario, key)]
        if not keys or not rule.off(scenario):
            continue
        off = any(named(switch) if named else _named(scenario, switch) for switch in rule.switches)
        for key in keys:
            found[key] = Inert(key, f"has no part {rule.why}; {rule.give}, or take it away", off)
    return list(found.values())


def refuse(scenario: Any) -> None:
    """Raises ValueError, naming the key, for one that cannot act and was meant to."""
    for one in inert(scenario):
        if not one.on_purpose:
            raise ValueError(f"{one.key}: {one.told}")


def set_in_vain(scenario: Any, anew: Mapping[str, Any]) -> list[Inert]:
    """Those among the values `anew`, in nested tables, that were set over a scenario, if their switch is not among them too."""
    return [
        one
        for one in inert(scenario, lambda switch: _holds(anew, switch))
        if _holds(anew, one.key) and not one.on_purpose
    ]


def _holds(tables: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(tables, Mapping) or part not in tables:
            return False
        tables = tables[part]
    return True


def _table(scenario: Any, key: str) -> tuple[Any, str]:
    """The table that has the key, and its name there; entries of free names are looked up by `[name]`."""
    path, _, name = key.rpartition(".")
    table = scenario
    for part in path.split("."):
        table = table.get(part) if isinstance(table, dict) else getattr(table, part)
    return table, name


def _changed(scenario: Any, key: str) -> bool:
    table, name = _table(scenario, key)
    return table is not None and getattr(table, name) != type(table).model_fields[name].default


def _named(scenario: Any, key: str) -> bool:
    table, name = _table(scenario, key)
    return table is not None and name in table.model_fields_set
