"""Commands that compute: run, resume, branch; each watched, stoppable, and summed up at its end."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, streams
from .stopping import stop_asked

if TYPE_CHECKING:
    from ...outputs.reader import Run
    from ..progress import Progress, Status

_Threads = Annotated[int | None, typer.Option("--threads", metavar="N", help="CPU threads [all].")]
_Force = Annotated[bool, typer.Option("--force", help="Replace a run that is in the folder.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")]


def run(
    scenario: options.ScenarioName,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="The run's folder [runs/<scenario>].", parser=options.path),
    ] = None,
    settings: options.Settings = None,
    rng_key: options.RngKey = None,
    device: options.Device = options.DeviceName.auto,
    threads: _Threads = None,
    until_h: options.UntilH = None,
    force: _Force = False,
    quiet: _Quiet = False,
) -> None:
    """Run a scenario and write its folder."""
    with stop_asked() as stop:
        loaded = options.load(scenario, settings, rng_key, until_h)

        from .. import run as runs

        _watched(
            quiet,
            stop,
            runs.run,
            loaded,
            out=output,
            device=device.value,
            threads=threads,
            force=force,
            warn=_warning(quiet),
        )


def resume(
    directory: options.RunFolder,
    until_h: Annotated[float | None, typer.Option("--until-h", metavar="H", help="Another end [the run's].")] = None,
    device: options.Device = options.DeviceName.auto,
    threads: _Threads = None,
    quiet: _Quiet = False,
) -> None:
    """Go on with an interrupted run, bit for bit."""
    with stop_asked() as stop:
        from .. import resume as resumption

        _watched(quiet, stop, resumption.resume, directory, until_h=until_h, device=device.value, threads=threads)


def branch(
    directory: options.RunFolder,
    at_h: Annotated[float, typer.Option("--at-h", metavar="H", help="Simulated hours that both runs share.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR2", help="The new run's folder.", parser=options.path)
    ],
    settings: options.Settings = None,
    until_h: Annotated[float | None, typer.Option("--until-h", metavar="H", help="Another end [the run's].")] = None,
    device: options.Device = options.DeviceName.auto,
    threads: _Threads = None,
    force: _Force = False,
    quiet: _Quiet = False,
) -> None:
    """What if: the past of a run (computed again unless a checkpoint is early enough), another future."""
    with stop_asked() as stop:
        from .. import resume as resumption

        _watched(
            quiet,
            stop,
            resumption.branch,
            directory,
            at_h=at_h,
            out=output,
            overrides=[*(settings or ()), *([f"until_h={until_h}"] if until_h is not None else [])],
            device=device.value,
            threads=threads,
            force=force,
            warn=_warning(quiet),
        )


def _warning(quiet: bool) -> Callable[[str], None] | None:
    """Prints a warning on stderr, as a line."""
    from ..plain_text import printable

    return None if quiet else lambda text: print(f"warning: {printable(text, 10_000)}", file=sys.stderr)


def _watched(
    quiet: bool, stop: Callable[[], bool], compute: Callable[..., "Run"], *arguments: Any, **named: Any
) -> None:
    """Compute with progress on stderr, until done or asked to stop; then the summary on stdout."""
    from ..progress import progress_on
    from .summary import summary

    began = time.monotonic()
    with progress_on(sys.stderr, quiet=quiet) as progress:
        ticks = _Ticks(progress)
        done = compute(*arguments, progress=ticks, stop=stop, **named)
    if not quiet:
        typer.echo(summary(done, ticks.count, time.monotonic() - began))
    streams.forget_failure()  # the run is in its folder, whoever reads of it here


class _Ticks:
    """Passes progress on and counts the ticks it was told of."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._first: int | None = None
        self.count = 0

    def __call__(self, status: "Status") -> None:
        self._first = status.tick if self._first is None else self._first
        self.count = status.tick - self._first
        self._progress(status)
