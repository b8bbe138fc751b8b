"""Driving a simulation to its end: record what is due, checkpoint, tell how it goes, stop when asked."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from ..outputs.errors import OutputError
from . import checkpoint, observe, provenance, state
from .errors import Interrupted, OutputFailed, SeedsoilError
from .progress import Status
from .recording import Recording
from .run_folder import RunFolder
from .simulation import Simulation


def drive(
    run: Simulation,
    recording: Recording,
    folder: RunFolder,
    *,
    progress: Callable[[Status], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> None:
    """Advance `run` to its scenario's last tick.

    A simulation at tick 0 records its start first. If `stop` has a method `at_once`, the first tick, which may
    compile kernels for long, is taken in that context: there a stop may raise KeyboardInterrupt.

    Raises Interrupted once `stop` says so or on Ctrl-C, after a checkpoint if there was a tick; OutputFailed if
    the files cannot be written (the last checkpoint before that is the place to go on from); IdentityBroken.
    """
    journey = _Journey(run, recording, folder, progress or _silent, stop or _never)
    try:
        with as_output_failure():
            journey.go()
    except (SeedsoilError, KeyboardInterrupt) as error:
        journey.give_up(error)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(journey.where_to_go_on()) from None
        raise
    except BaseException as error:
        journey.give_up(error)
        raise


@contextlib.contextmanager
def as_output_failure() -> Iterator[None]:
    """Errors of the run file are errors of the run, with their exit code."""
    try:
        yield
    except OutputError as error:
        raise OutputFailed(str(error)) from None


class _Journey:
    """One stretch of a run, from where the simulation stands to its end or to where it is stopped."""

    def __init__(
        self,
        run: Simulation,
        recording: Recording,
        folder: RunFolder,
        progress: Callable[[Status], None],
        stop: Callable[[], bool],
    ) -> None:
        self.run, self.recording, self.folder = run, recording, folder
        self._progress, self._stop = progress, stop
        self._at_once = getattr(stop, "at_once", contextlib.nullcontext)
        self._began = self._checkpointed = time.monotonic()
        self._first_tick = run.tick
        self._between_ticks = True
        self._checkpoint_s: float | None = None  # what the last one took
        self._device = provenance.machine(run.device)

    def go(self) -> None:
        run, scenario = self.run, self.run.scenario
        if run.tick == 0:
            self.recording.observe(run, last=scenario.ticks == 0)
        elif not checkpoint.found(self.folder.path):
            self.checkpoint()  # a branch: its past cannot be run again from its scenario
        self._tell("running", now=True)
        while run.tick < scenario.ticks:
            self._between_ticks = False
            with self._at_once() if run.tick == self._first_tick else contextlib.nullcontext():
                run.advance()
            self.recording.observe(run, last=run.tick == scenario.ticks)
            self._between_ticks = True
            if run.tick == scenario.ticks:
                break
            if self._checkpoint_due():
                self.checkpoint()
            self._tell("running")
            if self._stop():
                raise KeyboardInterrupt
        self._finish()

    def checkpoint(self) -> None:
        """Save the state, once every frame up to it is safe in the run file."""
        rows = self.recording.settled()
        arrays, numbers = state.capture(self.run)
        numbers |= {
            "rows": rows,
            "frames": self.recording.frames,
            "run_id": self.folder.run_id,
            "scenario": self.run.scenario.model_dump(mode="json", exclude_unset=True),
            "source": {"name": self.run.scenario.source.name, "text": self.run.scenario.source.text},
            "versions": provenance.versions(),
        }
        began = time.monotonic()
        checkpoint.save(self.folder.path, arrays, numbers)
        self._checkpointed = time.monotonic()
        self._checkpoint_s = self._checkpointed - began

    def give_up(self, error: BaseException) -> None:
        """Leave the folder in order, whatever stopped the run; never hides `error` behind another."""
        interrupted = isinstance(error, KeyboardInterrupt)
        if interrupted and self._between_ticks:
            # Ctrl-C in the middle of a tick (from a notebook, say) leaves a state that is none; after a broken identity or with a broken run file there is no state worth saving: the last
            # checkpoint before it, whose frames are all safe, is the place to go on from
            with contextlib.suppress(SeedsoilError, OutputError):
                self.checkpoint()
        with contextlib.suppress(OutputError):
            self.recording.close(None)
        with contextlib.suppress(SeedsoilError):
            reason = {} if interrupted else {"reason": str(error)}
            self._tell("stopped" if interrupted else "failed", now=True, **reason)
            self.folder.log(self.where_to_go_on() if interrupted else f"failed at tick {self.run.tick}: {error}")

    def where_to_go_on(self) -> str:
        kept = checkpoint.found(self.folder.path)
        here = f"{self.folder.path}: interrupted at {self.run.time_h:.1f} of {self.run.scenario.until_h:g} h"
        if not kept:
            return f"{here}, before the first checkpoint; seedsoil resume {self.folder.path} begins it again"
        return f"{here}; go on with: seedsoil resume {self.folder.path}"

    def _finish(self) -> None:
        ended = observe.summary(self.run)
        digest = self.run.digest()
        wall_s = round(time.monotonic() - self._began, 3)
        self.checkpoint()
        self.recording.close({"digest": digest, "wall_s": wall_s, **ended})
        acknowledged = self.recording.recorder.acknowledged
        self._tell("done", now=True, digest=digest, acknowledged_frames=acknowledged, **ended)
        self.folder.log(f"done after {wall_s:.1f} s: digest {digest}")

    def _checkpoint_due(self) -> bool:
        settings = self.run.scenario.checkpoint
        by_ticks = settings.every_ticks > 0 and self.run.tick % settings.every_ticks == 0
        return by_ticks or time.monotonic() - self._checkpointed >= 60.0 * settings.every_min

    def _tell(self, name: str, *, now: bool = False, **more: object) -> None:
        spent = max(time.monotonic() - self._began, 1e-9)
        run = self.run
        here = Status(
            tick=run.tick,
            ticks=run.scenario.ticks,
            time_h=run.time_h,
            until_h=run.scenario.until_h,
            tumour_cells=run.cells,
            seeds=run.seeds.released,
            colonies=run.colonies.growing,
            ticks_per_s=(run.tick - self._first_tick) / spent,
            state=name,
        )
        self.folder.status(
            {
                "state": name,
                "tick": here.tick,
                "ticks": here.ticks,
                "time_h": here.time_h,
                "until_h": here.until_h,
                "ticks_per_s": round(here.ticks_per_s, 2),
                "eta_s": round(here.eta_s, 1) if here.ticks_per_s else None,
                "wall_s": round(spent, 2),
                "checkpoint_s": None if self._checkpoint_s is None else round(self._checkpoint_s, 2),
                "tumour_cells": here.tumour_cells,
                "seeds_released": here.seeds,
                "colonies_growing": here.colonies,
                "device": self._device,
                "run_id": self.folder.run_id,
                "pid": os.getpid(),
                **more,
            },
            now=now,
        )
        self._progress(here)


def _silent(_: Status) -> None:
    pass


def _never() -> bool:
    return False
