"""Ten thousand damaged checkpoints and a thousand damaged run files: refused or recovered, nothing else."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import pytest
from faults import busy
from faults.commands import Commands
from faults.whole import Pair, Whole

from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint

pytestmark = pytest.mark.faults
CHECKPOINTS = 10_000
RUN_FILES = 1_000
HANG_S = 3600


def corruption(*words: object) -> Counter[str]:
    """`python -m faults.corruption ...`: how often each outcome came."""
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-P", "-m", "faults.corruption", *map(str, words)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=HANG_S, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    return Counter(json.loads(done.stdout))


def files(folder: Path, pair: Pair, whole: Whole) -> dict[str, Path]:
    """A closed run file of some frames, and one whose writer was killed; each in a folder of its own."""
    short = ("--set", "until_h=2.4", "--set", "output.every_h=0.6", "--threads", 1, "--quiet")
    kill = {"event": "tick", "after_s": whole.lived_s / 5, "whom": ["run", "writer"], "signal": 9}
    found = {}

    def make(commands: Commands, state: str) -> None:
        for _ in range(5):
            plan = {"blows": [kill]} if state == "killed" else {}
            ended = commands("run", whole.scenario, "-o", folder / state, "--force", *short, plan=plan)
            if (ended.code == 0) == (state == "closed") and ended.acknowledged > 1:
                break
        (folder / f"{state} file").mkdir()
        found[state] = Path(shutil.copy(folder / state / "run.vtkhdf", folder / f"{state} file"))

    pair.each(make, ["closed", "killed"])
    return found


def test_a_thousand_damaged_run_files(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    found = files(tmp_path, pair, whole)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(corruption, "run", path, RUN_FILES // 2, n) for n, path in enumerate(found.values())]
        seen = {state: job.result() for state, job in zip(found, jobs, strict=True)}
    print(f"\nrun files: {seen}")
    assert set(seen["closed"]) <= {"good", "refused"}
    assert set(seen["killed"]) <= {"good", "refused", "older"}
    assert sum(sum(counts.values()) for counts in seen.values()) == RUN_FILES
    assert all(counts["refused"] > RUN_FILES // 20 for counts in seen.values())


def test_ten_thousand_damaged_checkpoints(tmp_path: Path, whole: Whole) -> None:
    path = Path(shutil.copy(checkpoint.found(whole.folder)[0], tmp_path))
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(corruption, "checkpoint", path, CHECKPOINTS, 1).result()
    print(f"\ncheckpoints: {seen}")
    assert seen == {"refused": CHECKPOINTS}


def test_without_our_checksums_damage_would_be_believed(tmp_path: Path, whole: Whole) -> None:
    path = Path(shutil.copy(checkpoint.found(whole.folder)[0], tmp_path))
    assert corruption("checkpoint", path, 140, 1, "blind")["wrong"] > 20


def _chunk(path: Path, name: str, which: int = 0) -> tuple[int, int]:
    """Where the first bytes of a dataset (or those of another chunk) stand, and how many there are."""
    with h5py.File(path) as file:
        dataset = file[name]
        if dataset.chunks is None:
            return dataset.id.get_offset(), dataset.id.get_storage_size()
        info = dataset.id.get_chunk_info(which % dataset.id.get_num_chunks())
        if dataset.ndim > 1:  # a compressed field
            return info.byte_offset, info.size
        return info.byte_offset, min(info.size, dataset.shape[0] * dataset.dtype.itemsize)


def _text(path: Path, text: bytes) -> tuple[int, int]:
    place = path.read_bytes().index(text)
    return place, len(text)


PLACES: dict[str, Callable[[Path], tuple[int, int]]] = {
    "times of frames": lambda path: _chunk(path, "time"),
    "times of an organ's frames": lambda path: _chunk(path, "organs/lung/time"),
    "times of rows": lambda path: _chunk(path, "series/tick_time"),
    "rows": lambda path: _chunk(path, "series/protease_total"),
    "an axis": lambda path: _chunk(path, "y"),
    "a table": lambda path: _chunk(path, "seeds/cells"),
    "numbers of a table's rows": lambda path: _chunk(path, "seeds/seed"),
    # the last frame: the first is all zeros, where some flips change how far back a match lies and no value
    "a field": lambda path: _chunk(path, "protease", -1),
    "the scenario's text": lambda path: _text(path, b'title = "small and busy"'),
    "a title": lambda path: _text(path, b"small and busy"),
    "a meaning": lambda path: _text(path, b"empty tumour necrotic"),
    "the layout": lambda path: _text(path, b'{"shape": [1, 64, 64], "voxel_um": 20.0'),
}


@pytest.mark.parametrize("what", PLACES)
def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path: Path, whole: Whole, what: str) -> None:
    from faults.corruption import outcome_of_run

    path = Path(shutil.copy(whole.folder / "run.vtkhdf", tmp_path))
    intact = path.read_bytes()
    start, size = PLACES[what](path)
    draw = random.Random(what)
    content = busy.recorded(open_run(whole.folder))
    for _ in range(10):
        damaged = bytearray(intact)
        damaged[start + draw.randrange(size)] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert outcome_of_run(str(path), content, {}, busy.FRAMES) == "refused"
    path.write_bytes(intact)
    assert outcome_of_run(str(path), content, {}, busy.FRAMES) == "good"
