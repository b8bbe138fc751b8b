"""What a caller sets over a scenario: `--set a.b=c`, options such as `--until-h`, and dicts from Python."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from .plain_text import printable, shown
from .problems import Problem
from .toml_lines import Path
from .toml_text import number_of

Overrides = Mapping[str, Any] | Iterable[str]
_DEPTH_MAX = 50


def parse(overrides: Overrides) -> tuple[list[tuple[Path, Any, str]], list[str]]:
    """(path, value, how the caller wrote it) of each override, and complaints about the unreadable.

    Strings are `key=value` with a dotted key and a TOML value; text needs no quotes there. A dict may
    have dotted keys, nested dicts, or both.
    """
    if isinstance(overrides, Mapping):
        if deeper_than(overrides, _DEPTH_MAX) or any(str(key).count(".") > _DEPTH_MAX for key in overrides):
            return [], ["overrides: nested too deeply"]
        return [(path, value, f"{'.'.join(map(str, path))}={shown(value)}") for path, value in _leaves(overrides)], []
    found, complaints = [], []
    for text in [overrides] if isinstance(overrides, str) else overrides:
        label = f"--set {text}"
        key, equals, value = text.partition("=")
        path = _keys(key)
        if not equals or path is None:
            complaints.append(f"--set '{printable(text)}': needs key=value, e.g. --set lattice.tick_h=0.05")
        else:
            found.append((path, _value(value.strip()), label))
    return found, complaints


def apply(data: dict[str, Any], found: list[tuple[Path, Any, str]]) -> list[Problem]:
    """Put the overrides into the tables of `data`; says where one runs into something that is no table."""
    problems = []
    for path, value, _ in found:
        table: Any = data
        for name in path[:-1]:
            table = table.setdefault(name, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):
            table[path[-1]] = value
        else:
            problems.append(Problem(path, "this is set inside of something that is no table"))
    return problems


def deeper_than(value: Any, levels: int) -> bool:
    """Whether there are more than so many tables and lists within one another."""
    within = [value]
    for _ in range(levels + 1):
        found = [part for part in within if isinstance(part, Mapping | list | tuple)]
        within = [inner for part in found for inner in (part.values() if isinstance(part, Mapping) else part)]
    return bool(within)


def _leaves(overrides: Mapping[str, Any], path: Path = ()) -> Iterable[tuple[Path, Any]]:
    for key, value in overrides.items():
        here = (*path, *str(key).split("."))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, here)
        else:
            yield here, list(value) if isinstance(value, tuple) else value


def _keys(text: str) -> Path | None:
    """The names of a dotted key, or None."""
    if "\n" in text or "=" in text or text.count(".") > _DEPTH_MAX:
        return None
    try:
        table: Any = tomllib.loads(f"{text} = 0")
    except (ValueError, RecursionError):
        return None
    path: Path = ()
    while isinstance(table, dict):
        if len(table) != 1:
            return None
        name, table = next(iter(table.items()))
        path = (*path, name)
    return path or None


def _value(text: str) -> Any:
    """A TOML value, a number that TOML writes otherwise (.5), or else the text itself."""
    try:
        parsed = tomllib.loads(f"value = {text}", parse_float=number_of)
        if list(parsed) == ["value"] and not deeper_than(parsed, _DEPTH_MAX):
            return parsed["value"]
    except (ValueError, RecursionError):
        pass
    try:
        return number_of(text)
    except ValueError:
        return text
