"""Going on with a run: `resume` to the bit, `branch` with the same past and another future."""

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..outputs.errors import RunFileError
from ..outputs.reader import Run, open_run
from ..outputs.recovery import is_being_written
from . import checkpoint, state
from . import device as devices
from .drive import as_output_failure, drive
from .emitting import simulation_of
from .errors import InputError
from .explain import validate
from .limits import refuse_what_cannot_run
from .noted import origin_of, refuse_edited
from .past import refuse_another_past
from .problems import Origin
from .problems import report as report_of
from .progress import Status
from .recording import Recording
from .run import finished
from .run_folder import RUN_FILE, RunFolder, id_of, place_of
from .scenario import Scenario, Source
from .scenario_file import branched, load_scenario, with_overrides
from .simulation import Simulation
from .warned import warn_of

# how long the writer that a killed run left behind may take over the frames it still has
_WRITER_S = 30.0


def resume(
    folder: str | os.PathLike[str],
    *,
    until_h: float | None = None,
    device: str = "auto",
    threads: int | None = None,
    progress: Callable[[Status], None] | None = None,
    stop: Callable[[], bool] | None = None,
    report: bool = True,
) -> Run:
    """Go on from the newest whole checkpoint of a run, as if it had never stopped.

    A run that was killed before its first checkpoint begins again: it comes to the same bits.

    Args:
        folder: the run's folder.
        until_h: another end; a finished run can be prolonged.
        device, threads, progress, stop, report: as in `run`; they need not be those of before.

    Raises:
        InputError: no run there, none of its checkpoints whole, files of another run in its folder, or
            nothing left to do.
        RunFileError: the run file is damaged or gone.
    """
    place = _run_folder(folder)
    started = devices.start(device, threads)
    _let_writer_end(place / RUN_FILE)
    if is_being_written(str(place / RUN_FILE)):
        raise InputError(f"{place}: another process is writing this run; stop it first")
    take_up = _from_checkpoint if checkpoint.found(place) else _from_start
    drive(*take_up(place, started, until_h), progress=progress, stop=stop)
    return finished(place, report=report)


def _from_checkpoint(
    place: Path, device: devices.Device, until_h: float | None
) -> tuple[Simulation, Recording, RunFolder]:
    path, arrays, numbers, complaints = checkpoint.newest(place)
    _refuse_stranger(path, numbers)
    file_id = open_run(place).attributes.get("run_id", "")  # RunFileError here if it is damaged or gone
    if file_id != id_of(place):
        raise InputError(f"{place / RUN_FILE}: is the file of another run, not of the one in this folder")
    scenario = _until(_scenario_of(numbers), until_h)
    # a run that was stopped while it closed its files is at its last tick, and still has to end
    if numbers["tick"] > scenario.ticks or (numbers["tick"] == scenario.ticks and _has_ended(place)):
        raise InputError(
            f"{place}: is at {numbers['tick'] * scenario.lattice.tick_h:g} h, its end; "
            "to prolong it, give a later one with --until-h"
        )
    simulation = state.restore(scenario, device, arrays, numbers)
    del arrays
    at = RunFolder.existing(place, scenario)
    for complaint in complaints:
        at.log(complaint)
    # half a tick past the state: frames of its own tick stay, later ones are written again
    keep_until_h = simulation.time_h + scenario.lattice.tick_h / 2
    with as_output_failure():
        recording = Recording(at.run_file, scenario, device, at.run_id, mode="append", keep_until_h=keep_until_h)
    if recording.frames != numbers["frames"]:
        recording.close(None)
        raise InputError(
            f"{at.run_file}: holds {recording.frames} frames up to the checkpoint {path.name}, which counts "
            f"{numbers['frames']}; the file is not the one of this checkpoint. Run the scenario anew."
        )
    recording.take_up(numbers["rows"])
    at.log(f"resumed from {path.name} at {simulation.time_h:g} h")
    return simulation, recording, at


def _from_start(place: Path, device: devices.Device, until_h: float | None) -> tuple[Simulation, Recording, RunFolder]:
    if origin_of(place) is not None:
        raise InputError(f"{place}: this branch was stopped before its first checkpoint; branch again with --force")
    scenario = load_scenario(place / "resolved.toml")
    refuse_edited(place, scenario)
    scenario.keep_source(Source("scenario.toml", (place / "scenario.toml").read_text(encoding="utf-8")))
    scenario = _until(scenario, until_h)
    simulation = simulation_of(scenario, device)
    at = RunFolder.existing(place, scenario)
    at.log("began again: there was no checkpoint yet")
    with as_output_failure():
        recording = Recording(at.run_file, scenario, device, at.run_id, replace=True)
    return simulation, recording, at


def _refuse_stranger(path: Path, numbers: dict[str, Any]) -> None:
    """A checkpoint that was copied here from another run, or left here by one, is no past of this run."""
    if numbers.get("run_id", "") != id_of(path.parent):
        raise InputError(
            f"{path}: is a checkpoint of another run, not of the one in this folder; move it away and try again"
        )


def _until(scenario: Scenario, until_h: float | None) -> Scenario:
    return scenario if until_h is None else with_overrides(scenario, {"until_h": until_h})


def _let_writer_end(file: Path) -> None:
    """A writer outlives its killed simulation by the frames that it was sent; whoever else writes is refused later."""
    end = time.monotonic() + _WRITER_S
    while is_being_written(str(file)) and time.monotonic() < end:
        time.sleep(0.05)


def branch(
    folder: str | os.PathLike[str],
    *,
    at_h: float,
    out: str | os.PathLike[str],
    overrides: Mapping[str, Any] | list[str] = (),  # type: ignore[assignment]
    device: str = "auto",
    threads: int | None = None,
    force: bool = False,
    progress: Callable[[Status], None] | None = None,
    stop: Callable[[], bool] | None = None,
    warn: Callable[[str], None] | None = None,
    report: bool = True,
) -> Run:
    """What if: the state of a run at `at_h`, and from there on other parameters, in a folder of its own.

    The past is taken from a checkpoint, or computed again where none is early enough: it has the same
    bits. The new run file starts with the frame at `at_h`.

    Raises:
        InputError: no run there, `at_h` outside it, or an override that the past does not fit or that cannot act.
        KeyboardInterrupt: stopped while the past was computed; nothing was written.
    """
    place, new_place = _run_folder(folder), place_of(out)
    started = devices.start(device, threads)
    if new_place.resolve() == place.resolve():
        raise InputError(f"{out}: is the run to branch from; give another folder with -o")
    if not math.isfinite(at_h):
        raise InputError(f"--at-h: needs a finite number of hours (got {at_h})")

    def changed(old: Scenario) -> Scenario:
        new = branched(old, overrides) if overrides else old
        refuse_another_past(old, new, at_h, place)
        return new

    # what cannot be is refused before the past is computed
    old = load_scenario(place / "resolved.toml")
    refuse_edited(place, old)
    origin_of(place)
    new = changed(old)
    RunFolder.refuse_held(new_place, force=force)
    needs = refuse_what_cannot_run(new, new_place, started.arch, devices.free_bytes(started))
    warn_of(new, needs, warn)
    simulation = _past(place, old, at_h, started, progress, stop)
    new = changed(simulation.scenario)
    simulation = state.restore(new, started, *state.capture(simulation))
    simulation.flows.clear()  # of ticks that this file does not cover
    at = RunFolder(new_place, new, force=force, branch={"of": str(place.resolve()), "at_h": at_h})
    at.log(f"branched from {place.resolve()} at {at_h:g} h")
    with as_output_failure():
        recording = Recording(at.run_file, new, started, at.run_id)
        recording.observe(simulation, last=True)
    drive(simulation, recording, at, progress=progress, stop=stop)
    return finished(new_place, report=report)


def _past(
    place: Path,
    old: Scenario,
    at_h: float,
    device: devices.Device,
    progress: Callable[[Status], None] | None,
    stop: Callable[[], bool] | None,
) -> Simulation:
    """The simulation at `at_h` of the run of `old` in the folder `place`, from the latest checkpoint before it or from the start.

    Raises KeyboardInterrupt once `stop` says so: nothing has been written yet that could be gone on with.
    """
    target = round(at_h / old.lattice.tick_h)
    simulation = None
    for path in checkpoint.found(place):
        if checkpoint.tick_of(path) > target:
            continue
        try:
            arrays, numbers = checkpoint.load(path)
        except checkpoint.CheckpointDamaged:
            continue  # an older one, or the start, leads to the same bits
        _refuse_stranger(path, numbers)
        then = _scenario_of(numbers)  # the run may have been prolonged since
        now = then if then.until_h == old.until_h else _until(then, old.until_h)
        simulation = state.restore(now, device, arrays, numbers)
        break
    if simulation is None:
        if (origin := origin_of(place)) is not None:
            raise InputError(
                f"--at-h {at_h:g}: is before the oldest checkpoint of {place}, which is itself a branch of "
                f"{origin['of']} at {origin['at_h']:g} h; its past cannot be computed again from its own scenario"
            )
        simulation = simulation_of(old, device)
    began, first = time.monotonic(), simulation.tick
    while simulation.tick < target:
        if stop is not None and stop():
            raise KeyboardInterrupt
        simulation.advance()
        if progress is not None:
            here = simulation
            speed = (here.tick - first) / max(time.monotonic() - began, 1e-9)
            seeds, colonies = here.seeds.released, here.colonies.growing
            progress(Status(here.tick, target, here.time_h, at_h, here.cells, seeds, colonies, speed, "running"))
    return simulation


def _has_ended(place: Path) -> bool:
    try:
        run = open_run(place)
        return run.attributes.get("state") == "finished" and (run.status or {}).get("state") == "done"
    except RunFileError:
        return False


def _scenario_of(numbers: dict[str, Any]) -> Scenario:
    """The scenario of a checkpoint. Raises InputError where a file that it names has changed since."""
    source = Source(**numbers["source"])
    scenario, problems = validate(numbers["scenario"])
    if scenario is None:
        raise InputError(report_of(Origin(source.name or "the scenario of the checkpoint", "", {}, {}), problems))
    scenario.keep_source(source)
    return scenario


def _run_folder(folder: str | os.PathLike[str]) -> Path:
    place = place_of(folder)
    if not (place / "resolved.toml").is_file():
        raise InputError(f"{place}: is not the folder of a run (no resolved.toml in it)")
    return place
