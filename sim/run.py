"""Running a scenario: from a file to a folder with the run in it."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..outputs.errors import OutputError
from ..outputs.reader import Run, open_run
from . import device as devices
from . import observe, provenance
from .errors import Interrupted, OutputFailed
from .limits import refuse_what_cannot_run
from .progress import Status
from .recording import Recording
from .run_folder import RunFolder
from .scenario import Scenario
from .scenario_file import load_scenario, with_overrides
from .simulation import Simulation


def run(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    threads: int | None = None,
    force: bool = False,
    progress: Callable[[Status], None] | None = None,
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
        report: write report.html at the end.
        overrides: values to set anew, dots written as double underscores: `motility__law="linear"`.

    Raises:
        InputError: the scenario cannot be run (nothing was written); OutputFailed: the files could not be
        written; IdentityBroken: the ledger did not balance; Interrupted: Ctrl-C, with the frames so far intact.
    """
    changes = {name.replace("__", "."): value for name, value in overrides.items()}
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario, changes)
    elif changes:
        scenario = with_overrides(scenario, changes)
    place = Path(out) if out is not None else Path("runs") / name_of(scenario)
    started = devices.start(device, threads)
    refuse_what_cannot_run(scenario, place, started.arch, devices.free_bytes(started))
    simulation = Simulation(scenario, started)
    folder = RunFolder(place, scenario, force=force)
    folder.log(f"{scenario.title}: {scenario.ticks} ticks on {provenance.machine(started)}, rng_key {scenario.rng_key}")
    try:
        _record(simulation, folder, progress or _silent)
    except OutputError as error:
        folder.status({"state": "failed", "reason": str(error), "tick": simulation.tick}, now=True)
        raise OutputFailed(str(error)) from error
    if report:
        from ..outputs.report import write_report

        write_report(place)
    return open_run(place)


def evaluate(params: Mapping[str, Any], rng_key: int, *, scenario: str | os.PathLike[str] = "quickstart") -> dict[str, Any]:
    """Run a scenario in memory and return its scalars: what optimisers and sensitivity analyses call.

    Args:
        params: dotted names to values ("motility.mesenchymal_um2_per_h": 50.0).
        rng_key: the key of this evaluation's draws.
        scenario: path or name of the scenario that `params` change.

    Returns: the summary of the end state (cells, seeds by fate, colonies, cells by organ), flat.
    """
    chosen = load_scenario(scenario, {**params, "rng_key": rng_key})
    simulation = Simulation(chosen, devices.start())
    for _ in range(chosen.ticks):
        simulation.advance()
    flat = observe.summary(simulation)
    for name, organ in flat.pop("organs").items():
        flat |= {f"{what}.{name}": value for what, value in organ.items()}
    return {**flat, "invasion_rms_um": observe.spread_um(simulation.primary)}


def name_of(scenario: Scenario) -> str:
    """A folder name for a scenario: that of its file, else its title, made harmless."""
    name = Path(scenario.source.name).stem if scenario.source.name else scenario.title
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"


def _record(simulation: Simulation, folder: RunFolder, progress: Callable[[Status], None]) -> None:
    scenario = simulation.scenario
    recording = Recording(folder.run_file, scenario, simulation.device)
    began, first_tick = time.monotonic(), simulation.tick

    def status(state: str) -> Status:
        spent = max(time.monotonic() - began, 1e-9)
        return Status(
            tick=simulation.tick,
            ticks=scenario.ticks,
            time_h=simulation.time_h,
            until_h=scenario.until_h,
            tumour_cells=simulation.cells,
            seeds=simulation.seeds.released,
            colonies=simulation.colonies.growing,
            ticks_per_s=(simulation.tick - first_tick) / spent,
            state=state,
        )

    def tell(state: str, *, now: bool = False, **more: Any) -> None:
        here = status(state)
        folder.status(
            {
                "state": here.state,
                "tick": here.tick,
                "ticks": here.ticks,
                "time_h": here.time_h,
                "until_h": here.until_h,
                "ticks_per_s": round(here.ticks_per_s, 2),
                "eta_s": None if here.ticks_per_s == 0 else round(here.eta_s, 1),
                "wall_s": round(time.monotonic() - began, 2),
                "device": provenance.machine(simulation.device),
                "pid": os.getpid(),
                **more,
            },
            now=now,
        )
        progress(here)

    try:
        recording.observe(simulation)
        tell("running", now=True)
        while simulation.tick < scenario.ticks:
            simulation.advance()
            recording.observe(simulation, last=simulation.tick == scenario.ticks)
            tell("running")
        ended = observe.summary(simulation)
        digest = simulation.digest()
        wall_s = round(time.monotonic() - began, 3)
        recording.close({"digest": digest, "wall_s": wall_s, **ended})
        tell("done", now=True, digest=digest, acknowledged_frames=recording.recorder.acknowledged, **ended)
        folder.log(f"done after {wall_s:.1f} s: digest {digest}")
    except KeyboardInterrupt:
        with contextlib.suppress(OutputError):
            recording.close(None)
        tell("stopped", now=True)
        folder.log(f"interrupted at tick {simulation.tick}")
        raise Interrupted(
            f"{folder.path}: interrupted at {simulation.time_h:.1f} of {scenario.until_h:g} h; "
            f"{recording.recorder.acknowledged} frames are kept"
        ) from None
    except BaseException as error:
        # whatever stopped it, the frames so far are whole and the folder says how it ended
        with contextlib.suppress(OutputError):
            recording.close(None)
        if not isinstance(error, OutputError):
            folder.status({"state": "failed", "reason": str(error), "tick": simulation.tick}, now=True)
            folder.log(f"failed at tick {simulation.tick}: {error}")
        raise


def _silent(_: Status) -> None:
    pass
