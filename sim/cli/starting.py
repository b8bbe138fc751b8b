"""Commands for the first hour: new, schema, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from . import options


def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The scenario to write, e.g. mine.toml.", parser=options.path)
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented scenario to start from."""
    from ..plain_text import printable
    from ..starter import starter_text
    from .writing import refuse_there, write_file

    name = printable(str(file), 4096)
    refuse_there(file, force=force)
    write_file(file, starter_text())
    typer.echo(f"{name} is written. Next: seedsoil check {name}; seedsoil run {name}")


def schema() -> None:
    """Print the JSON Schema of a scenario."""
    import json

    from ..starter import schema as model_schema

    typer.echo(json.dumps(model_schema(), indent=2))


def doctor(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A run's file or folder: look at it, and repair it if it can be.", parser=options.path
        ),
    ] = None,
) -> None:
    """Say whether seedsoil can compute on this machine, or whether a run file is whole."""
    if run is not None:
        typer.echo(_examined(run))
        return
    from ..doctor import examine

    healthy = True
    for finding in examine():
        typer.echo(str(finding))
        healthy = healthy and not finding.broken
    if not healthy:
        raise typer.Exit(1)


def _examined(run: Path) -> str:
    """What was found and done; raises RunFileError if the file is past repair."""
    from ...outputs import recovery
    from ...outputs.reader import RUN_FILE, open_run
    from ..plain_text import printable

    file = run / RUN_FILE if run.is_dir() else run
    found = recovery.recover(str(file))
    opened = open_run(file)
    opened.verify()
    what = "repaired" if found.changed else "whole"
    state = opened.attributes.get("state", "unknown")
    return f"{printable(str(file))}: {what}; {opened.frames} frames, every block read; the run is {state}"
