"""The command that measures this machine: bench."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import options


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: shows in a minute or two that all works.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there too.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Run this benchmark alone. Repeatable.")
    ] = None,
    device: options.Device = options.DeviceName.auto,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="CPU threads [all].")] = None,
) -> None:
    """Measure this machine."""
    from ..bench import suite, table
    from ..bench.plan import Plan

    names = suite.chosen(only or ())
    if json_file is not None:
        suite.refuse_unwritable(json_file)
    result = suite.measure(
        Plan.brief() if quick else Plan.full(),
        only=names,
        device=device.value,
        threads=threads,
        say=lambda what: print(f"seedsoil bench: {what}", file=sys.stderr, flush=True),
    )
    table.show(result, sys.stdout)
    if json_file is not None:
        result.write(json_file)
    if result.failed:
        raise typer.Exit(1)
