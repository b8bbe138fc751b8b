"""Running a scenario: from a file to a folder with the run in it."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..outputs.reader import Run, open_run
from . import device as devices
from . import observe, provenance
from .drive import as_output_failure, drive
from .emitting import simulation_of
from .errors import OutputFailed
from .limits import refuse_what_cannot_run
from .progress import Status
from .recording import Recording
from .run_folder import RunFolder, place_of
from .scenario import Scenario
from .scenario_file import load_scenario, pinned, with_overrides
from .warned import warn_of


def run(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    threads: int | None = None,
    force: bool = False,
    progress: Callable[[Status], None] | None = None,
    stop: Callable[[], bool] | None = None,
    warn: Callable[[str], None] | None = None,
    report: bool = True,
    **overrides: Any,
) -> Run:
    """Run a scenario to its end and return the recorded run.

    Args:
        scenario: a `Scenario`, the path of a TOML file, or the name of a shipped one.
        out: the run's folder; default runs/<name of the scenario>.
        device: "auto", "cpu" or "cuda".
        threads: CPU threads; default all.
        force: replace a run that the folder already holds.
        progress: called after every tick.
        stop: asked after every tick; once it says True the run is checkpointed and ends as interrupted.
        warn: called before the first tick with each thing that runs, but not as one would wish.
        report: write report.html at the end.
        overrides: values to set anew, dots written as double underscores: `motility__law="linear"`.

    Raises:
        InputError: the scenario cannot be run (nothing was written); OutputFailed: the files could not be
        written; IdentityBroken: the ledger did not balance; BeyondLimits: it came to more than it can hold; Interrupted: stopped, with a checkpoint to resume from.
    """
    changes = {name.replace("__", "."): value for name, value in overrides.items()}
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario, changes)
    else:
        scenario = with_overrides(scenario, changes) if changes else pinned(scenario, Path())
    place = place_of(out) if out is not None else Path("runs") / name_of(scenario)
    started = devices.start(device, threads)
    needs = refuse_what_cannot_run(scenario, place, started.arch, devices.free_bytes(started))
    simulation = simulation_of(scenario, started)
    folder = RunFolder(place, scenario, force=force)
    folder.log(f"{scenario.title}: {scenario.ticks} ticks on {provenance.machine(started)}, rng_key {scenario.rng_key}")
    warn_of(scenario, needs, warn)
    with as_output_failure():
        recording = Recording(folder.run_file, scenario, started, folder.run_id)
    drive(simulation, recording, folder, progress=progress, stop=stop)
    return finished(place, report=report)


def evaluate(
    params: Mapping[str, Any], rng_key: int, *, scenario: str | os.PathLike[str] = "quickstart"
) -> dict[str, Any]:
    """Run a scenario in memory and return its scalars: what optimisers and sensitivity analyses call.

    Args:
        params: dotted names to values ("motility.mesenchymal_um2_per_h": 50.0).
        rng_key: the key of this evaluation's draws.
        scenario: path or name of the scenario that `params` change.

    Returns: the summary of the end state (cells, seeds by fate, colonies, cells by organ), flat.
    """
    chosen = load_scenario(scenario, {**params, "rng_key": rng_key})
    simulation = simulation_of(chosen, devices.start())
    for _ in range(chosen.ticks):
        simulation.advance()
    flat = observe.summary(simulation)
    for name, organ in flat.pop("organs").items():
        flat |= {f"{what}.{name}": value for what, value in organ.items()}
    return {**flat, "invasion_rms_um": observe.spread_um(simulation.primary)}


def finished(place: Path, *, report: bool = True) -> Run:
    """What a run returns: the recorded run, with its report written."""
    if report:
        from ..outputs.report import write_report

        try:
            write_report(place)
        except OSError as error:
            raise OutputFailed(
                f"{place}: the run is whole, but its report cannot be written: {error.strerror or error}; "
                f"write it later with: seedsoil report {place}"
            ) from None
    return open_run(place)


def name_of(scenario: Scenario) -> str:
    """A folder name for a scenario: that of its file, else its title, made harmless."""
    name = Path(scenario.source.name).stem if scenario.source.name else scenario.title
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"
