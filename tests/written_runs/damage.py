"""Damage a run file in many ways and open each in a process of its own.

    python -m written_runs.damage FILE cut|flip COUNT SEED BYTES

damages one place among the first BYTES of a copy of FILE and prints how often each outcome came, as
JSON: "good" (every value as written), "older" (all whole, the last frame lost), "refused"
(RunFileError), anything else being a defect: "wrong", "traceback", "hang", "signal <n>".
"""

import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

from written_runs import frames

from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.reader import open_run

PATIENCE_S = 60
OUTCOMES = ("good", "older", "refused", "wrong", "traceback")


def outcome(path: str, count: int) -> str:
    try:
        run = open_run(path)
        run.verify()
        if run.frames < count:
            frames.assert_holds(run, run.frames)
            return "older"
        frames.assert_holds(run, count)
        return "good"
    except RunFileError:
        return "refused"
    except AssertionError:
        return "wrong"
    except Exception:
        return "traceback"


def main(source: Path, how: str, count: int, seed: int, limit: int) -> None:
    content = source.read_bytes()
    whole = frames.DAMAGED_FRAMES
    target = source.with_suffix(".damaged")
    # Whatever is imported late is imported now, once, and not in each child.
    target.write_bytes(content)
    assert outcome(str(target), whole) == "good"
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(count):
        damaged = bytearray(content)
        place = draw.randrange(min(limit, len(content)))
        if how == "cut":
            del damaged[place:]
        else:
            damaged[place] ^= 1 << draw.randrange(8)
        target.write_bytes(damaged)
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE_S)
            os._exit(OUTCOMES.index(outcome(str(target), whole)))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        names = {-signal.SIGALRM: "hang"}
        seen[OUTCOMES[code] if code >= 0 else names.get(code, f"signal {-code}")] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *(int(word) for word in sys.argv[3:6]))
