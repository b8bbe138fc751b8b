"""Signals to the command: the first ends it with a checkpoint and exit 75, the second at once."""

import random
import signal
from pathlib import Path
from typing import Any

import pytest
from faults import busy
from faults.commands import Commands
from faults.whole import Pair, Whole

from seedsoil.sim import checkpoint

pytestmark = pytest.mark.faults
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def interrupt(commands: Commands, whole: Whole, folder: Path, number: int, writer_too: bool) -> None:
    """One signal, as a scheduler sends it: to the run, or to everything it started."""
    whom = ["writer", "run"] if writer_too else ["run"]
    draw = random.Random(f"{number} {folder.name}")
    for attempt in range(6):
        blows = [
            {"event": "tick", "after_s": draw.uniform(0, whole.lived_s / (1 + attempt)), "whom": whom, "signal": number}
        ]
        ended = commands(
            "run", whole.scenario, "-o", folder, "--force", "--quiet", "--threads", 1, plan={"blows": blows}
        )
        if ended.code == 75:
            break
        assert ended.code == 0, ended  # it came too late
    assert ended.code == 75 and len(ended.writers) == 1, ended
    assert ended.err.count("\n") == 1 and "seedsoil resume" in ended.err, ended
    # nothing of what was done is lost, even what came after the last checkpoint and frame
    # (the first tick, which compiles, is broken off: then there was nothing)
    kept = checkpoint.found(folder)
    assert (checkpoint.load(kept[0])[1]["tick"] if kept else 0) >= ended.tick
    busy.assert_holds(folder, whole.content, ended.acknowledged)
    again = commands("resume", folder, "--quiet", "--threads", 2)
    assert (again.code, again.err) == (0, ""), (ended, again)
    busy.assert_is(folder, whole.content, whole.digest)


def insist(commands: Commands, whole: Whole, folder: Path, first: int, second: int) -> None:
    """A second signal while the checkpoint of the first is being written."""
    tick = 2 * busy.CHECKPOINT_TICKS
    blows: list[dict[str, Any]] = [
        {"event": "checkpoint", "after_s": 0.0, "whom": ["run"], "signal": first},
        {"event": "blow", "after_s": 0.2, "whom": ["run"], "signal": second},
    ]
    plan = {"blows": blows, "slow_checkpoint_tick": tick}
    ended = commands("run", whole.scenario, "-o", folder, "--quiet", "--threads", 1, plan=plan)
    assert ended.code == -second, ended
    assert [checkpoint.load(path)[1]["tick"] for path in checkpoint.found(folder)] == [busy.CHECKPOINT_TICKS]
    busy.assert_holds(folder, whole.content, ended.acknowledged)
    again = commands("resume", folder, "--quiet", "--threads", 1)
    assert (again.code, again.err) == (0, ""), (ended, again)
    busy.assert_is(folder, whole.content, whole.digest)
    assert not list(folder.glob("*.tmp")), "the unfinished checkpoint is still there"


def test_a_signal_ends_the_run_with_a_checkpoint(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    jobs = [(number, writer_too, again) for number in SIGNALS for writer_too in (False, True) for again in range(2)]

    def work(commands: Commands, job: tuple[int, bool, int]) -> None:
        interrupt(commands, whole, tmp_path / "-".join(map(str, job)), job[0], job[1])

    pair.each(work, jobs)


def test_a_second_signal_ends_it_at_once(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    jobs = [(first, second) for first in SIGNALS for second in SIGNALS]

    def work(commands: Commands, job: tuple[int, int]) -> None:
        insist(commands, whole, tmp_path / f"{job[0]}-{job[1]}", *job)

    pair.each(work, jobs)
