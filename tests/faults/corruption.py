"""Damage a file in many ways and read each: a program of its own, so that a crash or a hang is seen.

    python -m faults.corruption run FILE COUNT SEED [blind]
    python -m faults.corruption checkpoint FILE COUNT SEED [blind]

prints as JSON how often each outcome came: "good" (every value as written), "older" (a run file that
lost frames at its end, all else whole), "refused" (one line), and the defects "wrong", "traceback",
"hang", "signal <n>". `blind` leaves our own checksums out: the defects then have to show.
"""

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from faults.busy import Recorded, deviation, recorded

from seedsoil.outputs import integrity, reader, recovery
from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint

PATIENCE_S = 60
OUTCOMES = ("good", "older", "refused", "wrong", "traceback")


def damages(content: bytes, count: int, seed: int) -> list[Callable[[], bytes]]:
    """Truncations, flipped bits (anywhere, and where something is written), zeroed and garbled blocks."""
    draw = random.Random(seed)
    written = np.flatnonzero(np.frombuffer(content, np.uint8))

    def cut() -> bytes:
        return content[: draw.randrange(len(content))]

    def flip(place: int) -> bytes:
        damaged = bytearray(content)
        damaged[place] ^= 1 << draw.randrange(8)
        return bytes(damaged)

    def block(fill: Callable[[int], bytes]) -> bytes:
        size = 1 << draw.randrange(4, 13)
        place = draw.randrange(max(1, len(content) - size))
        return content[:place] + fill(size) + content[place + size :]

    kinds: list[Callable[[], bytes]] = [
        cut,
        lambda: flip(draw.randrange(len(content))),
        lambda: flip(int(written[draw.randrange(len(written))])),
        lambda: flip(int(written[draw.randrange(len(written))])),
        lambda: flip(int(written[draw.randrange(len(written))])),
        lambda: block(bytes),
        lambda: block(draw.randbytes),
    ]
    return [kinds[number % len(kinds)] for number in range(count)]


def outcome_of_run(file: str, whole: Recorded, attributes: dict[str, Any], frames: int) -> str:
    try:
        run = open_run(file)
        run.verify()
        if run.frames == frames:
            same = not deviation(recorded(run), whole) and all(
                run.attributes.get(name) == value for name, value in attributes.items()
            )
            return "good" if same else "wrong"
        return "wrong" if run.frames > frames or deviation(recorded(run), whole, so_far=True) else "older"
    except RunFileError as error:
        return "refused" if "\n" not in str(error) else "traceback"
    except Exception:
        return "traceback"


def runs(source: Path, count: int, seed: int) -> Counter[str]:
    target = str(source.with_suffix(".damaged"))
    Path(target).write_bytes(source.read_bytes())
    run = open_run(target)
    whole, frames = recorded(run), run.frames
    attributes = {k: v for k, v in run.attributes.items() if k not in ("state", "digest")}
    seen: Counter[str] = Counter()
    for damage in damages(source.read_bytes(), count, seed):
        Path(target).write_bytes(damage())
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE_S)
            os._exit(OUTCOMES.index(outcome_of_run(target, whole, attributes, frames)))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seen[OUTCOMES[code] if code >= 0 else "hang" if code == -signal.SIGALRM else f"signal {-code}"] += 1
    return seen


def outcome_of_checkpoint(path: Path, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> str:
    try:
        found, said = checkpoint.load(path)
    except checkpoint.CheckpointDamaged as error:
        return "refused" if "\n" not in str(error) else "traceback"
    except Exception:
        return "traceback"
    same = said == numbers and found.keys() == arrays.keys()
    return "good" if same and all(a.tobytes() == found[n].tobytes() for n, a in arrays.items()) else "wrong"


def checkpoints(source: Path, count: int, seed: int) -> Counter[str]:
    arrays, numbers = checkpoint.load(source)
    whole = source.read_bytes()
    target = source.with_name("checkpoint-999999999999.h5")
    seen: Counter[str] = Counter()
    for damage in damages(whole, count, seed):
        damaged = damage()
        if damaged == whole:  # a block of zeros in place of zeros
            damaged = whole[:-1]
        target.write_bytes(damaged)
        signal.alarm(PATIENCE_S)
        seen[outcome_of_checkpoint(target, arrays, numbers)] += 1
    signal.alarm(0)
    target.unlink()
    return seen


def blind() -> None:
    """Believe everything that HDF5 believes."""
    for module in (integrity, recovery, reader):
        for name in ("check_times", "check_text", "check_labels"):
            if hasattr(module, name):
                setattr(module, name, lambda *_: None)
        if hasattr(module, "table_crc"):
            module.table_crc = _anything
    recovery.commit.table_crc = _anything
    checkpoint._verify = lambda *_, **__: 1


class _Equal(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def _anything(_: object) -> int:
    return _Equal(0)


if __name__ == "__main__":
    if "blind" in sys.argv[5:]:
        blind()
    act = {"run": runs, "checkpoint": checkpoints}[sys.argv[1]]
    print(json.dumps(act(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
