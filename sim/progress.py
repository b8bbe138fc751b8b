"""What a run tells of itself while it runs: `sim.run` calls a `Progress` after every tick.

On a terminal one bar, in a log a plain line now and then, or nothing.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

_LINE_EVERY_S = 10.0
_BAR_EVERY_S = 0.1


@dataclass(frozen=True)
class Status:
    """Where a run stands."""

    tick: int
    ticks: int
    time_h: float
    until_h: float
    tumour_cells: int
    seeds: int  # released so far
    colonies: int  # growing
    ticks_per_s: float
    state: str = "running"  # or "done", "stopped"

    @property
    def eta_s(self) -> float:
        """Seconds of wall time still to go; infinite before the first tick."""
        left = self.ticks - self.tick
        return left / self.ticks_per_s if self.ticks_per_s > 0 else math.inf if left else 0.0


class Progress(Protocol):
    """What `sim.run` calls, often; it must return at once and may raise to stop the run between two ticks."""

    def __call__(self, status: Status) -> None: ...


class NoProgress:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, status: Status) -> None:
        pass

    def close(self) -> None:
        pass


class LineProgress(NoProgress):
    """A plain line at the start, about every ten seconds, and at the end."""

    def __init__(
        self, stream: TextIO | None = None, every_s: float = _LINE_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._every_s = every_s
        self._clock = clock
        self._next_s = -math.inf
        self._last: Status | None = None
        self._written: Status | None = None

    def __call__(self, status: Status) -> None:
        self._last = status
        if status.state != "running" or self._clock() >= self._next_s:
            self._write(status)

    def close(self) -> None:
        if self._last is not None and self._last != self._written:
            self._write(self._last)

    def _write(self, status: Status) -> None:
        self._next_s = self._clock() + self._every_s
        self._written = status
        share = 100 * status.tick / max(1, status.ticks)
        self._stream.write(
            f"{status.time_h:.1f} of {status.until_h:g} h ({share:.0f} %), {pace(status.ticks_per_s)}, "
            f"{duration(status.eta_s)} left, {counts(status)}\n"
        )
        self._stream.flush()


class BarProgress(NoProgress):
    """One bar on a terminal, redrawn at most ten times a second."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._clock = clock
        self._next_s = -math.inf
        self._last: Status | None = None
        console = Console(file=stream or sys.stderr)
        self._bar: Any = Progress(
            BarColumn(max(6, min(40, console.width - 90)), complete_style="cyan", finished_style="green"),
            *(
                TextColumn(f"{{task.fields[{name}]}}", markup=False, table_column=Column(no_wrap=True))
                for name in ("hours", "speed", "counts")
            ),
            console=console,
            auto_refresh=False,
        )
        self._task: Any = None

    def __call__(self, status: Status) -> None:
        self._last = status
        if status.state != "running" or self._clock() >= self._next_s:
            self._draw(status)

    def close(self) -> None:
        if self._task is not None:
            if self._last is not None:
                self._draw(self._last)
            self._bar.stop()

    def _draw(self, status: Status) -> None:
        self._next_s = self._clock() + _BAR_EVERY_S
        shown = {
            "hours": f"{status.time_h:.1f}/{status.until_h:g} h",
            "speed": f"{pace(status.ticks_per_s)}, {duration(status.eta_s)} left",
            "counts": counts(status),
        }
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("run", total=status.ticks, **shown)
        self._bar.update(self._task, completed=status.tick, **shown)
        self._bar.refresh()


def progress_on(stream: TextIO | None = None, *, quiet: bool = False) -> NoProgress:
    """The progress that suits a stream (default stderr): a bar, lines, or nothing."""
    out = sys.stderr if stream is None else stream
    if quiet:
        return NoProgress()
    return BarProgress(out) if out.isatty() else LineProgress(out)


def counts(status: Status) -> str:
    """`1,234 cells, 12 seeds, 1 colony`"""
    parts = [(status.tumour_cells, "cell"), (status.seeds, "seed"), (status.colonies, "colony")]
    plural = {"cell": "cells", "seed": "seeds", "colony": "colonies"}
    return ", ".join(f"{count:,} {name if count == 1 else plural[name]}" for count, name in parts)


def pace(ticks_per_s: float) -> str:
    """`250 ticks/s`, `0.4 ticks/s`"""
    return f"{ticks_per_s:,.0f} ticks/s" if ticks_per_s >= 10 else f"{ticks_per_s:.2g} ticks/s"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `2 h 10 min`"""
    if not math.isfinite(seconds):
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
