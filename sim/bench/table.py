"""The result as a table for a terminal."""

from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .figures import Figure
from .suite import Result

# of a pipe or a file, which have no width of their own
_WIDTH = 170
_STYLES = {"goal": "green", "floor": "yellow", "missed": "red"}


def show(result: Result, stream: TextIO) -> None:
    """Print machine and figures."""
    console = Console(file=stream, width=None if stream.isatty() else _WIDTH, highlight=False, markup=False)
    machine = result.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    console.print(f"{machine['device']}; {machine['memory_bytes'] / 2**30:.1f} GiB; {machine['system']}")
    console.print(f"{versions}; load average at the start {machine['load_average'][0]:.1f}")
    table = Table(title=None, show_lines=False, pad_edge=False)
    for heading in ("benchmark", "figure"):
        table.add_column(heading, overflow="fold")
    for heading in ("median", "min .. max", "floor", "goal"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reached", no_wrap=True)
    table.add_column("note", overflow="fold", ratio=1)
    for figure in result.figures:
        table.add_row(*_cells(figure, judged=not result.quick))
    console.print(table)
    if result.quick:
        console.print("--quick: sizes too small to judge by; floors and goals are set for the full sizes.")
    if result.failed:
        console.print(Text("Something that was measured is wrong, or a benchmark broke off: see FAILED.", "red"))


def _cells(figure: Figure, *, judged: bool) -> list[Text]:
    verdict = "FAILED" if figure.failed else figure.verdict if judged else ""
    middle, spread, note = "not measured", "", figure.not_measured
    if figure.median is not None and figure.spread is not None:
        low, high = figure.spread
        middle, note = f"{short(figure.median)} {figure.unit}".removesuffix(" 1"), figure.note
        spread = f"{short(low)} .. {short(high)}" if len(figure.samples) > 1 else ""
    marks = ["" if mark is None else short(mark) for mark in (figure.floor, figure.goal)]
    style = "red" if figure.failed else _STYLES.get(verdict, "")
    cells = [Text(cell) for cell in (figure.benchmark, figure.name, middle, spread, *marks)]
    return [*cells, Text(verdict, style), Text(note)]


def short(value: float) -> str:
    """Three significant digits: 0.0123, 1.23, 123, 75,000, 2.2e+08."""
    if abs(value) >= 1e6:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
