"""Going on with a run: `resume` to the bit, `branch` with the same past and another future."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..outputs.reader import Run
from . import checkpoint, state
from . import device as devices
from .drive import as_output_failure, drive
from .errors import InputError
from .limits import refuse_what_cannot_run
from .progress import Status
from .recording import Recording
from .run import finished
from .run_folder import RunFolder
from .scenario import Scenario, Source
from .scenario_file import load_scenario, with_overrides
from .simulation import Simulation

# what a branch may not change: the past would not fit
_FIXED = ("lattice", "implant", "vessels")


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

    Args:
        folder: the run's folder.
        until_h: another end; a finished run can be prolonged.
        device, threads, progress, stop, report: as in `run`; they need not be those of before.

    Raises:
        InputError: no run there, no whole checkpoint, or nothing left to do.
    """
    place = _run_folder(folder)
    started = devices.start(device, threads)
    path, arrays, numbers, complaints = checkpoint.newest(place)
    scenario = _scenario_of(numbers)
    if until_h is not None:
        scenario = with_overrides(scenario, {"until_h": until_h})
    if numbers["tick"] >= scenario.ticks:
        raise InputError(
            f"{place}: is at {numbers['tick'] * scenario.lattice.tick_h:g} h, its end; "
            "to prolong it, give a later one with --until-h"
        )
    simulation = state.restore(scenario, started, arrays, numbers)
    del arrays
    at = RunFolder.existing(place, scenario)
    for complaint in complaints:
        at.log(complaint)
    # half a tick past the state: frames of its own tick stay, later ones are written again
    keep_until_h = simulation.time_h + scenario.lattice.tick_h / 2
    with as_output_failure():
        recording = Recording(at.run_file, scenario, started, mode="append", keep_until_h=keep_until_h)
    if recording.frames != numbers["frames"]:
        recording.close(None)
        raise InputError(
            f"{at.run_file}: holds {recording.frames} frames up to the checkpoint {path.name}, which counts "
            f"{numbers['frames']}; the file is not the one of this checkpoint. Run the scenario anew."
        )
    recording.take_up(numbers["rows"])
    at.log(f"resumed from {path.name} at {simulation.time_h:g} h")
    drive(simulation, recording, at, progress=progress, stop=stop)
    return finished(place, report=report)


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
    report: bool = True,
) -> Run:
    """What if: the state of a run at `at_h`, and from there on other parameters, in a folder of its own.

    The past is taken from a checkpoint, or computed again where none is early enough: it has the same
    bits. The new run file starts with the frame at `at_h`.

    Raises:
        InputError: no run there, `at_h` outside it, or an override that the past does not fit.
    """
    place = _run_folder(folder)
    started = devices.start(device, threads)
    simulation = _past(place, at_h, started)
    old = simulation.scenario
    new = with_overrides(old, overrides) if overrides else old
    for name in _FIXED:
        if getattr(new, name) != getattr(old, name):
            raise InputError(f"{name}: a branch shares the past of {place}, so it cannot change [{name}]")
    if round(at_h / new.lattice.tick_h) >= new.ticks:
        raise InputError(f"--at-h {at_h:g}: there is no future before until_h = {new.until_h:g}")
    refuse_what_cannot_run(new, Path(out), started.arch, devices.free_bytes(started))
    simulation = state.restore(new, started, *state.capture(simulation))
    at = RunFolder(Path(out), new, force=force)
    at.log(f"branched from {place.resolve()} at {at_h:g} h")
    with as_output_failure():
        recording = Recording(at.run_file, new, started)
        recording.observe(simulation, last=True)
    drive(simulation, recording, at, progress=progress, stop=stop)
    return finished(Path(out), report=report)


def _past(place: Path, at_h: float, device: devices.Device) -> Simulation:
    """The run's simulation at `at_h`, from the latest checkpoint before it or from the start."""
    simulation = None
    for path in checkpoint.found(place):
        arrays, numbers = checkpoint.load(path)
        scenario = _scenario_of(numbers)
        if numbers["tick"] <= round(at_h / scenario.lattice.tick_h):
            simulation = state.restore(scenario, device, arrays, numbers)
            break
    if simulation is None:
        simulation = Simulation(load_scenario(place / "resolved.toml"), device)
    target = round(at_h / simulation.scenario.lattice.tick_h)
    if not 0 <= target <= simulation.scenario.ticks:
        raise InputError(f"--at-h {at_h:g}: the run goes from 0 to {simulation.scenario.until_h:g} h")
    while simulation.tick < target:
        simulation.advance()
    return simulation


def _scenario_of(numbers: dict[str, Any]) -> Scenario:
    scenario = Scenario.model_validate(numbers["scenario"])
    scenario.keep_source(Source(**numbers["source"]))
    return scenario


def _run_folder(folder: str | os.PathLike[str]) -> Path:
    place = Path(folder)
    if not (place / "resolved.toml").is_file():
        raise InputError(f"{place}: is not the folder of a run (no resolved.toml in it)")
    return place
