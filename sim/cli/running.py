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
    """Run a scenario and write its folder: run.vtkhdf, report.html and what it was run with."""
    loaded = options.load(scenario, settings, rng_key, until_h)
    folder = output or Path("runs") / (Path(scenario).stem or "run")

    from .. import run as runs
    from ..progress import progress_on
    from .summary import summary

    began = time.monotonic()
    with progress_on(sys.stderr, quiet=quiet) as progress, _stoppable(progress, folder) as watch:
        done = runs.run(
            loaded, out=folder, device=device.value, threads=threads, force=force, progress=watch
        )
    report = folder / "report.html"
    if not report.exists():
        from ...outputs.report import write_report

        report = Path(write_report(folder))
    if not quiet:
        typer.echo(summary(done, loaded.ticks, time.monotonic() - began, folder, report))


class _Stop:
    """Passes progress on, until a signal has come: then it ends the run between two ticks."""

    def __init__(self, progress: "Progress", folder: Path) -> None:
        self._progress = progress
        self._folder = folder
        self.signal: signal.Signals | None = None

    def __call__(self, status: "Status") -> None:
        self._progress(status)
        if self.signal is not None and status.tick < status.ticks:
            from ..errors import Interrupted
            from ..plain_text import printable

            raise Interrupted(
                f"Stopped by {self.signal.name} at {status.time_h:.4g} of {status.until_h:g} h; "
                f"what was recorded until then is whole: {printable(str(self._folder))}"
            )


@contextmanager
def _stoppable(progress: "Progress", folder: Path) -> Iterator[_Stop]:
    """The first Ctrl-C or SIGTERM stops the run at its next tick, a second one at once."""
    stop = _Stop(progress, folder)
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        stop.signal = signal.Signals(number)
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
