"""What the small files of a run folder say of its past, held against what was recorded."""

import json
import math
from pathlib import Path
from typing import Any

from ..outputs.errors import RunFileError
from ..outputs.reader import open_run
from . import checkpoint
from .errors import InputError
from .explain import validate
from .plain_text import printable, shown
from .resolved import GIVEN, resolved_rows
from .run_folder import BRANCH_FILE, RUN_FILE, id_of
from .scenario import Scenario


def refuse_edited(place: Path, scenario: Scenario) -> None:
    """Raises InputError unless `scenario`, read from resolved.toml in the folder `place`, is what was run there.

    The run file says what was; where it cannot be read, the newest checkpoint that can. until_h is free: a run
    may have been prolonged, and no past depends on it.
    """
    found = _recorded(place)
    if found is None:
        return  # nothing was written yet that could say otherwise
    file, was = found
    rows = resolved_rows(scenario)
    for row in rows:
        name, value = row["name"], row["value"]
        if name == "until_h" or (name not in was and not _written(scenario, row, was)):
            continue
        if name not in was or was[name] != value:
            before = shown(was[name]) if name in was else "no such value"
            raise InputError(
                f"{place / 'resolved.toml'}: {name} = {shown(value)}, but {file.name} was run with {before}; "
                "resolved.toml says what was run and is not to be edited: put it back, or run scenario.toml with --set"
            )
    there = {row["name"] for row in rows}
    if gone := [name for name in was if name not in there]:
        raise InputError(
            f"{place / 'resolved.toml'}: lacks {gone[0]}, with which {file.name} was run; resolved.toml says what was "
            "run and is not to be edited: put it back, or run scenario.toml with --set"
        )


def _written(scenario: Scenario, row: dict[str, Any], was: dict[str, Any]) -> bool:
    """Whether resolved.toml holds a key that the run had not, or a table: not so a key that came with a later version."""
    if row["status"] == GIVEN:
        return True
    name, _, _ = row["name"].rpartition(".")
    if not name or any(key.startswith(f"{name}.") for key in was):
        return False
    table: Any = scenario
    for part in name.split("."):
        if isinstance(table, dict):
            table = table[part]
        elif part in table.model_fields_set:
            table = getattr(table, part)
        else:
            return False
    return True


def _recorded(place: Path) -> tuple[Path, dict[str, Any]] | None:
    """(file that says so, name -> value) of what the run in a folder used, if a file still tells."""
    try:
        run = open_run(place)
        rows = run.resolved
    except (RunFileError, ValueError):
        rows = []
    else:
        if run.attributes.get("run_id", "") != id_of(place):
            raise InputError(f"{place / RUN_FILE}: is the file of another run, not of the one in this folder")
    if rows:
        return place / RUN_FILE, {row["name"]: row["value"] for row in rows}
    for path in checkpoint.found(place):
        try:
            _, numbers = checkpoint.load(path)
        except checkpoint.CheckpointDamaged:
            continue
        then, _ = validate(numbers["scenario"])
        if then is not None:
            return path, {row["name"]: row["value"] for row in resolved_rows(then)}
    return None


def origin_of(place: Path) -> dict[str, Any] | None:
    """Where the branch in a folder comes from: `of`, a folder, and `at_h`; None for a run that is no branch.

    Raises InputError where the note of it is damaged.
    """
    file = place / BRANCH_FILE
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {error}; it says which run this branch left, and when") from None
    try:
        origin = json.loads(text)
        if isinstance(origin["of"], str) and math.isfinite(origin["at_h"]):
            return origin
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        pass
    raise InputError(
        f"{file}: is damaged: it says which run this branch left, and when (of, at_h), and here says "
        f"{printable(text, 80) or 'nothing'}; put it back, or branch again"
    )
