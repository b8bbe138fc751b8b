"""Commands that take something out of a run for other eyes and programs: movie, export."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import options

_RunFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder or run file.", parser=options.path)]


class ExportFormat(StrEnum):
    csv = "csv"
    vti = "vti"
    newick = "newick"


def movie(
    directory: _RunFolder,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A .mp4 or .gif [movie.* in the run's folder].", parser=options.path
        ),
    ] = None,
    frames_per_s: Annotated[
        float, typer.Option("--fps", metavar="N", help="Frames a second.", min=0.1, max=60.0)
    ] = 8.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless something is wrong.")] = False,
) -> None:
    """Film a run: its tissue and its counts through time."""
    from ...outputs.movie import write_movie
    from ..errors import InputError, OutputFailed

    def told(done: int, frames: int) -> None:
        if not quiet and (done == frames or done % 10 == 0):
            print(f"{done} of {frames} frames", file=sys.stderr)

    try:
        path = write_movie(directory, output, frames_per_s=frames_per_s, progress=told)
    except (ValueError, ImportError) as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise OutputFailed(
            f"{error.filename or output or directory}: cannot be written: {error.strerror or error}"
        ) from None
    typer.echo(str(path))


def export(
    directory: _RunFolder,
    to: Annotated[ExportFormat, typer.Option("--to", help="csv: series and tables; vti: one frame; newick: clones.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PATH", help="Folder (csv) or file [in the run's folder].", parser=options.path
        ),
    ] = None,
    at_h: Annotated[
        float | None, typer.Option("--at-h", metavar="H", help="vti: the frame nearest to it [the last].")
    ] = None,
    organ: Annotated[
        str | None, typer.Option("--organ", metavar="NAME", help="vti: an organ instead of the primary.")
    ] = None,
) -> None:
    """Write a run in another format."""
    from ...outputs.export import export as write
    from ..errors import InputError, OutputFailed

    try:
        paths = write(directory, to.value, output, at_h=at_h, organ=organ)
    except (ValueError, KeyError) as error:
        raise InputError(str(error.args[0] if error.args else error)) from None
    except OSError as error:
        raise OutputFailed(
            f"{error.filename or output or directory}: cannot be written: {error.strerror or error}"
        ) from None
    for path in paths:
        typer.echo(str(path))
