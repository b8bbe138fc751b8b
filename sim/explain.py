"""Turns what pydantic found into problems a person can act on: what was expected, and "did you mean"."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .declared import entry_of, field_at, model_at, parameter_at, parameters, table_of
from .plain_text import printable, shown
from .problems import Problem, did_you_mean
from .scenario import Scenario
from .toml_lines import Path, dotted

_NAMED = re.compile(r"([a-z_0-9]+(?:\.[a-z_0-9]+)*)(:\s*| )")
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of")
_WRONG_KIND = ("float_type", "int_type", "string_type", "bool_type", "tuple_type", "literal_error", "int_from_float")


def explain(error: ValidationError) -> list[Problem]:
    """One problem for each of pydantic's errors, but for what another one already says."""
    details = error.errors(include_url=False)
    found = [_explain_one(detail) for detail in details]
    # a misspelt required key is one mistake, not a missing key and an unknown one
    meant = {
        (*detail["loc"][:-1], name)
        for detail in details
        if detail["type"] == "extra_forbidden" and (name := _sibling(detail["loc"]))
    }
    return [
        problem
        for problem, detail in zip(found, details, strict=True)
        if not (detail["type"] == "missing" and detail["loc"] in meant)
    ]


def _explain_one(detail: ErrorDetails) -> Problem:
    kind, path, value = detail["type"], detail["loc"], detail["input"]
    declared = parameter_at(path)
    if kind == "extra_forbidden":
        return Problem(path, _unknown(path, value))
    if kind == "missing":
        return _missing(path)
    if kind == "value_error":
        return _from_validator(path, str(detail["ctx"]["error"]) if "ctx" in detail else detail["msg"])
    if kind in ("model_type", "dict_type"):
        return Problem(path, f"needs a table (got {shown(value)})")
    if kind == "string_pattern_mismatch" and path[-1:] == ("[key]",):
        return Problem(path[:-1], "a name is a letter, then up to 31 letters, digits or underscores")
    if kind == "too_long" and declared:
        return Problem(path, f"needs {declared.kind} (got {len(value)})")
    if kind == "finite_number":
        return Problem(path, f"needs a finite number (got {shown(value)})")
    if declared and kind in _OUT_OF_RANGE:
        unit = "" if declared.unit in ("1", "-") else f", in {declared.unit}"
        return Problem(path, f"needs {_kind(path)} {_ranged(declared.range)}{unit} (got {shown(value)})")
    if declared and kind in _WRONG_KIND:
        choice = did_you_mean(value, re.findall(r"'(\w+)'", declared.range)) if isinstance(value, str) else None
        hint = f" - did you mean {choice!r}?" if choice else ""
        return Problem(path, f"needs {_kind(path)} (got {shown(value)}){hint}")
    return Problem(path, printable(f"{detail['msg']} (got {shown(value)})"))


def _kind(path: Path) -> str:
    declared = parameter_at(path)
    if path and isinstance(path[-1], int):
        kinds = {"names": "text in quotes", "whole": "a whole number", "numbers": "a number"}
        return next(kind for word, kind in kinds.items() if declared is None or word in declared.kind)
    return declared.kind if declared else "a value"


def _ranged(text: str) -> str:
    return f"of {text}" if text.startswith("at ") else text if text.startswith(("above", "below")) else f"from {text}"


def _unknown(path: Path, value: Any) -> str:
    what = "unknown table" if isinstance(value, dict) else "unknown key"
    name = str(path[-1])
    if sibling := _sibling(path):
        return f"{what} - did you mean {sibling!r}?"
    elsewhere = [known for known, _ in parameters() if known[-1] == name]
    if elsewhere:
        home = elsewhere[0][:-1]
        where = f"belongs in [{dotted(home).replace('*', '<name>')}]" if home else "belongs before the first table"
        return f"{what} here - it {where}"
    return f"{what}; there are {', '.join(_names(path[:-1]))}"


def _sibling(path: Path) -> str | None:
    return did_you_mean(str(path[-1]), _names(path[:-1]))


def _names(path: Path) -> list[str]:
    model = model_at(path)
    return list(model.model_fields) if model else []


def _missing(path: Path) -> Problem:
    if path and isinstance(path[-1], int):  # too short a list
        declared = parameter_at(path)
        return Problem(path[:-1], f"needs {declared.kind if declared else 'more values'}")
    declared = parameter_at(path)
    if declared is not None:
        unit = "" if declared.unit in ("1", "-") else f" ({declared.unit})"
        return Problem(path, f"missing: needs {declared.kind}{unit}, {declared.about}")
    field = field_at(path)
    table = (table_of(field.annotation) or entry_of(field.annotation)) if field else None
    required = [name for name, part in table.model_fields.items() if part.is_required()] if table else []
    return Problem(path, f"missing table [{dotted(path)}]" + (f"; it needs {', '.join(required)}" if required else ""))


def _from_validator(path: Path, text: str) -> Problem:
    """A check across fields: its text may begin with the name of the key to blame."""
    if found := _NAMED.match(text):
        named: Path = tuple(found[1].split("."))
        if field_at((*path, *named)) is not None:  # named from its own table on
            named = (*path, *named)
        if field_at(named) is not None and named[: len(path)] == path:
            return Problem(named, text[found.end() :] if found[2].startswith(":") else text)
    return Problem(path, printable(text, 300))


def validate(data: dict[str, Any]) -> tuple[Scenario | None, list[Problem]]:
    """The scenario, or what is wrong with it."""
    large = _oversized(data)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        told = {problem.path[:length] for problem in large for length in range(len(problem.path) + 1)}
        return None, large + [problem for problem in explain(error) if problem.path not in told]
    return (None, large) if large else (scenario, [])


def _oversized(data: Any, path: Path = ()) -> list[Problem]:
    """Whole numbers beyond TOML's 64 bits (unsigned ones too: `rng_key`)."""
    if isinstance(data, dict):
        return [problem for key, value in data.items() for problem in _oversized(value, (*path, key))]
    if isinstance(data, list):
        return [problem for index, value in enumerate(data) for problem in _oversized(value, (*path, index))]
    if isinstance(data, int) and not -(2**63) <= data < 2**64:
        return [Problem(path, f"needs a number that fits 64 bits (got {shown(data)})")]
    return []
