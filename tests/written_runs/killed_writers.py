"""Write runs in processes that are killed at random instants: a program of its own.

    python -m written_runs.killed_writers FOLDER COUNT SEED

leaves FOLDER/<i>/run.vtkhdf and FOLDER/<i>/acknowledged, the frames whose publication had returned.
Forking is safe here: this process has no threads and no open file.
"""

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from written_runs import frames

from seedsoil.outputs.prepare import grouped, prepare
from seedsoil.outputs.runfile import RunFile

MOST_FRAMES = 10  # before the blow, which falls within about two more
LONGEST_WAIT_S = 0.03


def write_for_ever(path: str, pipe: int) -> None:
    file = RunFile.create(path, frames.LAYOUT, frames.ATTRIBUTES)
    os.write(pipe, b"o")
    for number in range(10**6):
        time_h, *content = frames.frame(number)
        file.publish(time_h, **grouped(prepare(frames.LAYOUT, *content)))
        os.write(pipe, b".")


def kill_one(path: str, frames_before: int, wait_s: float) -> int:
    """Start a writer, kill it `wait_s` after so many frames (0: after its file appeared); returns those acknowledged.

    So the instant is a random one on a machine of any speed and load.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        write_for_ever(path, theirs)
        os._exit(1)
    os.close(theirs)
    heard = len(os.read(ours, 1))  # the file is there
    while heard <= frames_before:
        heard += len(os.read(ours, 4096))
    end = time.monotonic() + wait_s
    while (left := end - time.monotonic()) > 0:
        if select.select([ours], [], [], left)[0]:
            heard += len(os.read(ours, 4096))
    os.kill(child, signal.SIGKILL)
    while data := os.read(ours, 4096):
        heard += len(data)
    os.close(ours)
    os.waitpid(child, 0)
    return heard - 1


def main(folder: Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    for i in range(count):
        target = folder / str(i)
        target.mkdir()
        acknowledged = kill_one(
            str(target / "run.vtkhdf"), draw.randrange(MOST_FRAMES), draw.uniform(0, LONGEST_WAIT_S)
        )
        (target / "acknowledged").write_text(str(acknowledged))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
