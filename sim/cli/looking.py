"""Commands that look and change nothing but a report: check, status, report, scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..estimate import Estimate
    from ..scenario import Scenario

# placing vessels and implant is tried out in `check` up to this size: a second or so
_TRY_VOXELS = 4_000_000


def check(
    scenario: options.ScenarioName,
    settings: options.Settings = None,
    rng_key: options.RngKey = None,
    device: options.Device = options.DeviceName.auto,
    until_h: options.UntilH = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where the run would go: its disk is looked at.", parser=options.path
        ),
    ] = None,
) -> None:
    """Validate a scenario; say what it takes. Runs nothing."""
    loaded = options.load(scenario, settings, rng_key, until_h)

    from ..available import cuda_is_likely, gpu_free_bytes
    from ..limits import refuse_what_cannot_run
    from ..warned import warnings_of

    on_gpu = device == "cuda" or (device == "auto" and cuda_is_likely())
    folder = output or Path("runs") / (Path(scenario).stem or "run")
    where = "cuda" if on_gpu else "cpu"
    needs = refuse_what_cannot_run(loaded, folder, where, gpu_free_bytes() if on_gpu else None)
    if needs.voxels + needs.organ_voxels <= _TRY_VOXELS:
        _try_placing(loaded)
    typer.echo(_told(loaded, needs, folder, where))
    for warning in warnings_of(loaded, needs):
        typer.echo(f"  warning   {warning}")
    typer.echo("It can run.")


def report(directory: options.RunFolder) -> None:
    """Write a run's report.html anew."""
    from ...outputs.report import REPORT_FILE, write_report
    from ..errors import OutputFailed
    from ..plain_text import printable

    try:
        path = write_report(directory)
    except OSError as error:
        file = (directory if directory.is_dir() else directory.parent) / REPORT_FILE
        raise OutputFailed(f"{printable(str(file), 4096)}: cannot be written: {error.strerror or error}") from None
    typer.echo(str(path))


def status(
    directory: options.RunFolder,
) -> None:
    """Say where a run stands."""
    import json

    from ...outputs.reader import RUN_FILE
    from ...outputs.recovery import is_being_written
    from ..errors import InputError
    from ..plain_text import printable
    from .standing import standing

    file = directory / "status.json"
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if (directory / "resolved.toml").is_file():  # stopped, or out of space, before its first tick
            typer.echo(
                f"{printable(str(directory))}: has not begun\n  go on     seedsoil resume {printable(str(directory))}"
            )
            return
        raise InputError(f"{printable(str(directory))}: no run is in this folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(str(file))}: cannot be read: {printable(str(error))}") from None
    if not isinstance(found, dict):
        raise InputError(f"{printable(str(file))}: is not the status of a run")
    alive = is_being_written(str(directory / RUN_FILE))
    typer.echo(standing(directory, found, alive=alive))


def scenarios(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Print this one.")] = None,
) -> None:
    """List the shipped scenarios, or print one."""
    import tomllib
    from importlib.resources import files

    folder = files("seedsoil.scenarios")
    names = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name is None:
        width = max(map(len, names), default=0)
        for known in names:
            table = tomllib.loads((folder / f"{known}.toml").read_text("utf-8"))
            typer.echo(f"{known:<{width}}  {table.get('title', '')}")
    elif name in names:
        typer.echo((folder / f"{name}.toml").read_text("utf-8"), nl=False)
    else:
        from ..errors import InputError
        from ..plain_text import printable
        from ..problems import did_you_mean

        close = did_you_mean(name, names)
        hint = f"did you mean {close!r}?" if close else f"there are {', '.join(names)}"
        raise InputError(f"{printable(name)}: no shipped scenario of that name - {hint}")


def _try_placing(scenario: "Scenario") -> None:
    """Whether there is room for the vessels and the implant."""
    import numpy as np

    from ..available import cores
    from ..device import Device
    from ..implant import organ, primary

    host = Device("cpu", cores(), np)
    primary(scenario, host)
    for name in scenario.body.organs:
        organ(scenario, host, name)


def _told(scenario: "Scenario", needs: "Estimate", folder: Path, device: str) -> str:
    from ..available import available_memory, free_disk, readable_bytes
    from ..limits import of_colonies
    from ..plain_text import printable
    from ..resolved import resolved_rows

    def of_free(need: int, have: int | None) -> str:
        return readable_bytes(need) + (f" of {readable_bytes(have)} free" if have is not None else "")

    lattice, body = scenario.lattice, scenario.body
    organs = body.organs
    voxels = " x ".join(map(str, lattice.shape))
    size = " x ".join(f"{n * lattice.voxel_um / 1000:.3g}" for n in lattice.shape)
    rows = resolved_rows(scenario)
    given = sum(row["status"] == "given" for row in rows)
    assumed = sum(row["status"] == "default" and "assumed" in row["source"] for row in rows)
    stepped = [f"{substeps} {role}" for role, substeps in needs.solute_substeps.items() if substeps]
    solved = ", ".join(f"{role} {needs.solvers[role]}" for role, n in needs.solute_substeps.items() if not n)
    lines = {
        "title": printable(scenario.title),
        "lattice": f"{voxels} voxels of {lattice.voxel_um:g} um: {size} mm; {needs.voxels:,} voxels",
        "organs": f"{', '.join(organs)}; {needs.organ_voxels:,} voxels together" if organs else "none",
        "time": f"{scenario.until_h:g} h in {needs.ticks:,} ticks of {lattice.tick_h:g} h",
        "stability": (f"{', '.join(stepped)} and " if stepped else "")
        + f"{needs.hop_substeps} hop substeps a tick"
        + (f"; {solved}" if solved else ""),
        "memory": f"{of_free(needs.host_bytes, available_memory())}; {needs.bytes_per_voxel} bytes a voxel",
        "GPU": f"{readable_bytes(needs.device_bytes)}" if device == "cuda" else "not used",
        "disk": f"about {of_free(needs.disk_bytes, free_disk(folder))}; {needs.frames:,} frames "
        f"of {readable_bytes(needs.frame_bytes)} uncompressed, checkpoints of {readable_bytes(needs.checkpoint_bytes)}",
        "values": f"{given} given, {len(rows) - given} defaults, {assumed} of those assumed",
    }
    if body.graph:
        from ..body.budget import told

        lines["body"] = f"{printable(body.anatomy.title)}; {body.primary} primary, {len(body.organ_names)} organs"
        lines["steps"] = f"log10 {told(body)}"
    if scenario.emission is not None:
        lines["colonies"] = of_colonies(needs)
    return "\n".join(f"  {name:<9} {text}" for name, text in lines.items())
