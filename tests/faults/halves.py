"""Runs cut into two at many ticks: a program of its own, since a process computes with one number of threads.

    python -m faults.halves save SCENARIO FOLDER THREADS TICK...
        FOLDER/whole: the uninterrupted run; FOLDER/<tick>: what a kill right after the checkpoint of that tick leaves
    python -m faults.halves resume FOLDER THREADS [forget PATH]
        goes on with each FOLDER/<tick> and prints as JSON what differs from FOLDER/whole by tick, "" if nothing

`forget` plants an error: arrays whose path in the checkpoint ends in PATH are not restored.
"""

import json
import shutil
import sys
from pathlib import Path

from faults.busy import deviation, digest, recorded

from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint, drive, state
from seedsoil.sim.progress import Status
from seedsoil.sim.resume import resume
from seedsoil.sim.run import run


def save(scenario: Path, folder: Path, threads: int, ticks: set[int]) -> None:
    whole = folder / "whole"

    def copy(status: Status) -> None:
        if status.tick in ticks and status.tick > 0:
            shutil.copytree(whole, folder / str(status.tick))

    drive._Journey._checkpoint_due = lambda self: self.run.tick in ticks
    run(scenario, out=whole, threads=threads, report=False, progress=copy)


def resume_all(folder: Path, threads: int) -> dict[str, str]:
    whole = recorded(open_run(folder / "whole"))
    expected = digest(folder / "whole")
    outcomes = {}
    for half in sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name)):
        assert int(checkpoint.found(half)[0].stem.split("-")[1]) == int(half.name)
        try:
            done = resume(half, threads=threads, report=False)
        except Exception as error:
            outcomes[half.name] = f"{type(error).__name__}: {error}"
            continue
        outcomes[half.name] = "digest" if digest(half) != expected else deviation(recorded(done), whole)
        shutil.rmtree(half)
    return outcomes


def forget(ending: str) -> None:
    """Restore such arrays as if nothing had happened to them yet: with zeros."""
    restore = state.restore

    def forgetful(scenario, device, arrays, numbers):
        arrays = {path: array * 0 if path.endswith(ending) else array for path, array in arrays.items()}
        return restore(scenario, device, arrays, numbers)

    state.restore = forgetful


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), {int(word) for word in sys.argv[5:]})
    else:
        if sys.argv[4:]:
            forget(sys.argv[5])
        print(json.dumps(resume_all(Path(sys.argv[2]), int(sys.argv[3]))))
