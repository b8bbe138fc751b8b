"""SIGKILL at random instants: of the simulation, of it and its writer, of the writer alone."""

import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faults import busy
from faults.commands import Commands, Ended
from faults.whole import Pair, Whole

pytestmark = pytest.mark.faults
KILL = 9
ATTEMPTS = 6  # a blow that falls after the end is tried again, earlier


class Job(NamedTuple):
    """One run to be killed."""

    number: int
    whom: tuple[str, ...]
    event: str = "frame"


def blow(event: str, after_s: float, *whom: str) -> dict[str, Any]:
    return {"event": event, "after_s": after_s, "whom": list(whom), "signal": KILL}


def kill_run(commands: Commands, whole: Whole, folder: Path, job: Job) -> Ended:
    """Kill it, look at what it leaves, go on with it; returns how it ended."""
    draw = random.Random(f"run {job}")
    span = whole.lived_s if job.event == "frame" else whole.began_s
    run = ("run", whole.scenario, "-o", folder, "--force", "--quiet", "--threads", draw.choice([1, 2]))
    for attempt in range(ATTEMPTS):
        ended = commands(*run, plan={"blows": [blow(job.event, draw.uniform(0, span / (1 + attempt)), *job.whom)]})
        if ended.code == -KILL:
            break
    assert ended.code == -KILL, ended
    if (folder / "run.vtkhdf").exists():
        busy.assert_holds(folder, whole.content, ended.acknowledged)
    else:
        assert ended.acknowledged == 0
    if (folder / "resolved.toml").exists():
        resume = ("resume", folder, "--quiet", "--threads", draw.choice([1, 2]))
        if job.number % 3 == 0:  # going on can be killed, too
            event = draw.choice(["writer", "frame"])
            again = commands(*resume, plan={"blows": [blow(event, draw.uniform(0, span / 3), *job.whom)]})
            if again.code == -KILL:
                busy.assert_holds(folder, whole.content, again.acknowledged)
        again = commands(*resume)
        if again.code == 2 and "its end" in again.err:  # the kill came too late
            again = again._replace(code=0, err="")
    else:  # killed before there was a run
        assert ended.acknowledged == 0
        again = commands(*run)
    assert (again.code, again.err) == (0, ""), (job, ended, again)
    busy.assert_is(folder, whole.content, whole.digest)
    return ended


def kill_writer(commands: Commands, whole: Whole, folder: Path, job: Job) -> Ended:
    """Kill the writer once, and the run goes on; or twice, and it ends with one line and can be resumed."""
    draw = random.Random(f"writer {job}")
    span = whole.lived_s if job.event == "frame" else whole.began_s / 2
    times = len(job.whom)
    for attempt in range(ATTEMPTS):
        blows = [blow(job.event, draw.uniform(0, span / (1 + attempt)), "writer")]
        if times == 2:
            blows.append(blow("writer", draw.uniform(0, span / (1 + attempt)), "writer"))
        ended = commands(
            "run", whole.scenario, "-o", folder, "--force", "--quiet", "--threads", 1, plan={"blows": blows}
        )
        if len(ended.writers) == 2 and len(ended.blows) == times and (times == 1 or ended.code):
            break
    assert len(ended.blows) == times and len(ended.writers) == 2, ended
    if times == 2:
        assert ended.code == 74, ended
        assert ended.err.count("\n") == 1 and "died twice" in ended.err, ended
        if (folder / "run.vtkhdf").exists():
            busy.assert_holds(folder, whole.content, ended.acknowledged)
        again = commands("resume", folder, "--quiet", "--threads", 1)
        assert (again.code, again.err) == (0, ""), (ended, again)
    else:
        assert (ended.code, ended.err) == (0, ""), ended
    busy.assert_is(folder, whole.content, whole.digest)
    return ended


def tell(what: str, ended: list[Ended]) -> None:
    frames = sorted(one.acknowledged for one in ended)
    kills = sum(len(one.blows) for one in ended)
    print(f"\n{what}: {len(ended)} runs, {kills} kills, {sum(frames)} acknowledged frames, {frames[0]} to {frames[-1]}")


def test_a_killed_run_loses_nothing_and_goes_on_to_the_same_bits(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    whom = [("run",)] * 45 + [("run", "writer")] * 25 + [("writer", "run")] * 20
    jobs = [Job(number, each) for number, each in enumerate(whom)]
    jobs += [Job(90 + number, ("run",) if number % 2 else ("run", "writer"), "start") for number in range(10)]
    ended = pair.each(lambda commands, job: kill_run(commands, whole, tmp_path / str(job.number), job), jobs)
    tell("run killed", ended)
    assert len({one.acknowledged for one in ended}) > 20, "the kills fell at too few instants"


def test_a_killed_writer_is_started_once_more(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    jobs = [Job(number, ("writer",)) for number in range(50)] + [
        Job(50 + number, ("writer",), "writer") for number in range(10)
    ]
    ended = pair.each(lambda commands, job: kill_writer(commands, whole, tmp_path / str(job.number), job), jobs)
    tell("writer killed once", ended)


def test_a_writer_killed_twice_ends_the_run_which_can_be_resumed(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    twice = ("writer", "writer")
    jobs = [Job(number, twice) for number in range(32)] + [Job(32 + number, twice, "writer") for number in range(8)]
    ended = pair.each(lambda commands, job: kill_writer(commands, whole, tmp_path / str(job.number), job), jobs)
    tell("writer killed twice", ended)
    assert len({one.acknowledged for one in ended}) > 8, "the kills fell at too few instants"
