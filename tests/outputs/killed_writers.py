"""Write runs in processes that are killed at random instants (a program of its own, see test_kill).

    python killed_writers.py FOLDER COUNT SEED

leaves FOLDER/<i>/run.vtkhdf and FOLDER/<i>/acknowledged, the frames whose publication had returned.
Forking here is safe: this process has no threads and no open file.
"""

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import runs
from seedsoil.outputs.runfile import RunFile


def write_for_ever(path: str, pipe: int) -> None:
    file = RunFile.create(path, runs.LAYOUT, runs.ATTRIBUTES)
    os.write(pipe, b"o")
    for number in range(10**6):
        from seedsoil.outputs.prepare import prepare

        time_h, *content = runs.frame(number)
        grouped: dict = {}
        for name, array in prepare(runs.LAYOUT, *content).items():
            *groups, last = name.split("/")
            target = grouped
            for group in groups:
                target = target.setdefault(group, {})
            target[last] = array
        file.publish(time_h, **grouped)
        os.write(pipe, b".")


def main(folder: Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    for i in range(count):
        target = folder / str(i)
        target.mkdir()
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            write_for_ever(str(target / "run.vtkhdf"), theirs)
            os._exit(1)
        os.close(theirs)
        acknowledged = -1  # the first byte says that the file is there
        end = None
        while end is None or time.monotonic() < end:
            wait = 1e3 if end is None else max(0.0, end - time.monotonic())
            if select.select([ours], [], [], wait)[0]:
                acknowledged += len(os.read(ours, 4096))
                end = end or time.monotonic() + draw.uniform(0, 0.15)
        os.kill(child, signal.SIGKILL)
        while data := os.read(ours, 4096):
            acknowledged += len(data)
        os.close(ours)
        os.waitpid(child, 0)
        (target / "acknowledged").write_text(str(acknowledged))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
