"""Reading a CSV file of somebody else's: named columns, whole numbers, and complaints with file and line."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..errors import InputError
from ..plain_text import printable, shown
from ..problems import did_you_mean, refusal

BYTES_MAX = 10_000_000
Source = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Row:
    """One line of a table, by column, with the number of its line."""

    name: str
    line: int
    cells: dict[str, str]

    def refuse(self, column: str, expected: str) -> InputError:
        got = shown(self.cells.get(column, ""))
        return refused(f"{printable(self.name)}:{self.line}  {column}: {expected} (got {got})")

    def number(self, column: str, low: float = 0.0) -> float:
        """A finite number from `low` on."""
        try:
            value = float(self.cells[column])
        except ValueError:
            raise self.refuse(column, "needs a number") from None
        if not low <= value < 1e15:
            raise self.refuse(column, f"needs a number from {low:g} on")
        return value

    def count(self, column: str) -> int:
        """A whole number from 0 on."""
        value = self.number(column)
        if value != round(value):
            raise self.refuse(column, "needs a whole number")
        return round(value)


def refused(head: str, *advice: str) -> InputError:
    return InputError(refusal(head, *advice))


def rows(source: Source, shipped: str) -> tuple[str, list[str], list[Row]]:
    """(name to cite, columns, rows) of a file, or of the shipped table of that name. Raises InputError."""
    name = shipped if source is None else os.fspath(source)
    columns, found = _parsed(name, _text(source, shipped))
    if not found:
        raise refused(f"{printable(name)}: has no rows")
    return name, columns, found


def one_of(name: str, columns: list[str], wanted: tuple[str, ...]) -> str:
    """The column that goes by one of these names. Raises InputError."""
    for column in wanted:
        if column in columns:
            return column
    close = next((c for w in wanted if (c := did_you_mean(w, columns))), None)
    hint = f" - is it {close!r}?" if close else ""
    raise refused(f"{printable(name)}:1  no column {wanted[0]!r}{hint}", f"Columns: {', '.join(columns)}.")


def _text(source: Source, shipped: str) -> str:
    if source is None:
        return (files("seedsoil.scenarios") / "data" / shipped).read_text("utf-8")
    name = printable(os.fspath(source))
    try:
        with open(source, "rb") as file:
            raw = file.read(BYTES_MAX + 1)
        if len(raw) > BYTES_MAX:
            raise refused(f"{name}: larger than {BYTES_MAX // 1_000_000} MB, so not a table of counts")
        return raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not UTF-8 text"
        raise refused(f"{name}: cannot be read: {printable(reason)}") from None


def _parsed(name: str, text: str) -> tuple[list[str], list[Row]]:
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        raise refused(f"{printable(name)}: not CSV: {printable(str(error))}") from None
    if not lines:
        raise refused(f"{printable(name)}: is empty")
    columns = [printable(cell.strip()) for cell in lines[0][1]]
    for column in columns:
        if not column or columns.count(column) > 1:
            raise refused(f"{printable(name)}:1  columns need names, each its own (got {shown(column)})")
    out = []
    for line, cells in lines[1:]:
        if len(cells) != len(columns):
            raise refused(f"{printable(name)}:{line}  {len(cells)} cells under {len(columns)} columns")
        out.append(Row(Path(name).name, line, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    return columns, out


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells
