"""`seedsoil run`: one run, watched, stoppable, and summed up at its end."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options

if TYPE_CHECKING:
    from ..progress import Progress, Status


def run(
    scenario: options.ScenarioName,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="The run's folder [runs/<scenario>].")
    ] = None,
    settings: options.Settings = None,
    rng_key: options.RngKey = None,
    device: options.Device = options.DeviceName.auto,
    threads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads [all].")] = None,
    until_h: options.UntilH = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a run that is in the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")] = False,
) -> None:
    """Run a scenario and write its folder."""
    loaded = options.load(scenario, settings, rng_key, until_h)

    from .. import run as runs
    from ..progress import progress_on
    from .summary import summary

    began = time.monotonic()
    with progress_on(sys.stderr, quiet=quiet) as progress, _stoppable(progress) as watch:
        done = runs.run(loaded, out=output, device=device.value, threads=threads, force=force, progress=watch)
    if not quiet:
        typer.echo(summary(done, loaded.ticks, time.monotonic() - began))


class _Stop:
    """Passes progress on, until a signal has come: then it interrupts the run between two ticks."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self.asked = False

    def __call__(self, status: "Status") -> None:
        self._progress(status)
        if self.asked and status.state == "running" and status.tick < status.ticks:
            raise KeyboardInterrupt


@contextmanager
def _stoppable(progress: "Progress") -> Iterator[_Stop]:
    """The first Ctrl-C or SIGTERM stops the run at its next tick, a second one at once."""
    stop = _Stop(progress)
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        stop.asked = True
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
