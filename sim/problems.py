"""What is wrong with a scenario, told as a person would: where, the line itself, what was expected.

bad.toml: 2 problems

  bad.toml:8  lattice.voxel_size
       8 | voxel_size = 0.02
      unknown key - did you mean 'voxel_um'?
...
  Nothing was run.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .plain_text import printable
from .toml_lines import Path, dotted, line_at

NOTHING_WAS_RUN = "Nothing was run."
_SHOWN_AT_MOST = 50


@dataclass(frozen=True)
class Problem:
    """One thing to put right. `path` is where in the scenario; empty for the whole file."""

    path: Path
    what: str


@dataclass(frozen=True)
class Origin:
    """Where the values of a scenario came from: a file's lines, and what the caller set over them."""

    name: str
    text: str
    lines: Mapping[Path, int]
    overrides: Mapping[Path, str]  # path -> how the caller wrote it, e.g. "--set until_h=3"

    def override_of(self, path: Path) -> str | None:
        """What set `path` or a table around it, if the caller did."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return self.overrides[path[:length]]
        return None

    def order(self, problem: Problem) -> tuple[int, int, str]:
        line = line_at(self.lines, problem.path)
        return (self.override_of(problem.path) is not None, line or 0, dotted(problem.path))

    def describe(self, problem: Problem) -> list[str]:
        """The lines of one problem, indented."""
        override = self.override_of(problem.path)
        line = None if override else line_at(self.lines, problem.path)
        name = printable(self.name)
        where = printable(override) if override else f"{name}:{line}" if line else name
        out = [f"  {where}  {printable(dotted(problem.path))}".rstrip()]
        if line:
            out += quoted(self.text, line)
        return [*out, *(f"      {part}" for part in problem.what.split("\n"))]


def quoted(text: str, line: int, column: int | None = None) -> list[str]:
    """A line of the text with its number, and a caret under `column` (from 1)."""
    rows = text.split("\n")
    row = rows[line - 1].removesuffix("\r") if line <= len(rows) else ""
    margin = f"  {line:>6} | "
    out = [margin + printable(row)]
    if column is not None and 0 < column <= 100:
        out.append(" " * (len(margin) - 2) + "| " + " " * len(printable(row[: column - 1])) + "^")
    return out


def report(origin: Origin, problems: Iterable[Problem]) -> str:
    """The whole message: every problem, in the order of the file."""
    found = sorted(problems, key=origin.order)
    count = f"{len(found)} problem{'s' if len(found) != 1 else ''}"
    out = [f"{printable(origin.name)}: {count}", ""]
    for problem in found[:_SHOWN_AT_MOST]:
        out += [*origin.describe(problem), ""]
    if len(found) > _SHOWN_AT_MOST:
        out += [f"  ... and {len(found) - _SHOWN_AT_MOST} more", ""]
    cited = {origin.override_of(problem.path) for problem in found}
    silent = [text for text in dict.fromkeys(origin.overrides.values()) if text not in cited]
    if silent:
        out += [f"  This is with {', '.join(printable(text) for text in silent)}.", ""]
    return "\n".join([*out, f"  {NOTHING_WAS_RUN}"])


def refusal(head: str, *advice: str) -> str:
    """The message for what has no line to show: a missing file, too large a lattice."""
    return "\n".join([head, "", *(f"  {line}" for line in advice), *([""] if advice else []), f"  {NOTHING_WAS_RUN}"])


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was probably meant to be."""
    known = list(candidates)
    lowered = {_plain(candidate): candidate for candidate in reversed(known)}
    close = difflib.get_close_matches(_plain(name)[:80], lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def _plain(name: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")
