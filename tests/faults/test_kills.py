"""SIGKILL at random instants: of the simulation, of it and its writer, of the writer alone.

Runs are killed several times on their way: what a kill leaves is looked at and gone on with, and that is killed
again, until the run comes to its end, and to the bits of the uninterrupted one.
"""

import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faults import busy
from faults.commands import Commands, Ended
from faults.whole import Pair, Whole

pytestmark = pytest.mark.faults
KILL = 9
RUNS, KILLS_A_RUN = 40, 5
STARTS = 10  # runs killed before their first frame
WRITER_RUNS, WRITER_BLOWS = 29, (2, 2, 2, 1)  # kills of the writer in each of a run's stretches: at the second it ends
WHOM = (("run",), ("run", "writer"), ("run",), ("writer", "run"), ("run",))


class Killed(NamedTuple):
    """One command that was hit."""

    ended: Ended
    frames: int  # that its file held


def blow(event: str, after_s: float, *whom: str, at: int = 0) -> dict[str, Any]:
    return {"event": event, "at": at, "after_s": after_s, "whom": list(whom), "signal": KILL}


class Chain:
    """A run in its folder, from one kill to the next."""

    def __init__(self, commands: Commands, whole: Whole, folder: Path, seed: str) -> None:
        self.commands, self.whole, self.folder = commands, whole, folder
        self.draw = random.Random(seed)

    def __call__(self, plan: dict[str, Any] | None = None) -> Ended:
        """Begin, or go on with what is there."""
        threads = self.draw.choice([1, 2])
        if (self.folder / "resolved.toml").exists():
            return self.commands("resume", self.folder, "--quiet", "--threads", threads, plan=plan)
        run = ("run", self.whole.scenario, "-o", self.folder, "--force", "--quiet")
        return self.commands(*run, "--threads", threads, plan=plan)

    def instants(self, count: int) -> list[tuple[int, float]]:
        """So many instants of a run, in order: a tick, and seconds from its beginning."""
        tick_s = self.whole.lived_s / busy.TICKS
        ticks = sorted(self.draw.randrange(busy.TICKS - 2) for _ in range(count))
        return [(tick, self.draw.uniform(0, 1.5 * tick_s)) for tick in ticks]

    def holds(self, ended: Ended) -> Killed:
        """Every frame acknowledged is there, and none torn."""
        if not (self.folder / "run.vtkhdf").exists():
            assert ended.acknowledged == 0, ended
            return Killed(ended, 0)
        return Killed(ended, busy.assert_holds(self.folder, self.whole.content, ended.acknowledged))

    def ends(self, ended: Ended) -> None:
        if ended.code == 2 and "its end" in ended.err:  # the last kill came after all was written
            ended = ended._replace(code=0, err="")
        assert (ended.code, ended.err) == (0, ""), ended
        busy.assert_is(self.folder, self.whole.content, self.whole.digest)

    def begin_anew(self, ended: Ended) -> None:
        """A blow fell after the end: the run is whole, and another takes the blows that are left."""
        self.ends(ended)
        (self.folder / "resolved.toml").unlink()


def kill_run(chain: Chain, number: int) -> list[Killed]:
    """Kill it, look, go on, so many times, to the end."""
    seen: list[Killed] = []
    for tick, after_s in chain.instants(KILLS_A_RUN):
        whom = WHOM[(number + len(seen)) % len(WHOM)]
        ended = chain({"blows": [blow("tick", after_s, *whom, at=tick)]})
        while ended.code != -KILL:
            chain.begin_anew(ended)
            tick //= 2
            ended = chain({"blows": [blow("tick", after_s, *whom, at=tick)]})
        seen.append(chain.holds(ended))
    chain.ends(chain())
    return seen


def kill_start(chain: Chain, number: int) -> list[Killed]:
    """Kill it before its first frame, or while it goes on from there."""
    seen: list[Killed] = []
    for _ in range(2):
        after_s = chain.draw.uniform(0, chain.whole.began_s)
        ended = chain({"blows": [blow("start", after_s, *WHOM[number % 2])]})
        if ended.code == -KILL:
            seen.append(chain.holds(ended))
    chain.ends(chain())
    return seen


def kill_writer(chain: Chain, number: int) -> list[Killed]:
    """Kill the writer once, and the run goes on; or twice, and it ends with one line and can be resumed."""
    seen: list[Killed] = []
    for kills, (tick, after_s) in zip(WRITER_BLOWS, chain.instants(len(WRITER_BLOWS)), strict=True):
        while True:
            again = [blow("writer", chain.draw.uniform(0, chain.whole.began_s / 2), "writer")] * (kills - 1)
            ended = chain({"blows": [blow("tick", after_s, "writer", at=tick), *again]})
            if len(ended.blows) == kills and len(ended.writers) == 2:
                break
            chain.begin_anew(ended)
            tick //= 2
        if ended.code == 74:
            assert kills == 2 and ended.err.count("\n") == 1 and "died twice" in ended.err, ended
            seen.append(chain.holds(ended))
            continue
        seen.append(Killed(ended, ended.acknowledged))
        if kills == 2:  # the second fell after all was written
            chain.begin_anew(ended)
        else:
            chain.ends(ended)
    return seen


def tell(what: str, seen: list[Killed]) -> None:
    """The figures of docs/verification.md."""
    kills = sum(len(one.ended.blows) for one in seen)
    acknowledged, found = (sum(each) for each in zip(*((k.ended.acknowledged, k.frames) for k in seen), strict=True))
    ticks = sorted(one.ended.tick for one in seen)
    print(
        f"\n{what}: {kills} kills, ticks {ticks[0]} to {ticks[-1]}; frames {acknowledged} acknowledged, {found} found"
    )


def test_a_killed_run_loses_nothing_and_goes_on_to_the_same_bits(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    def work(commands: Commands, number: int) -> list[Killed]:
        return kill_run(Chain(commands, whole, tmp_path / str(number), f"run {number}"), number)

    seen = [killed for chain in pair.each(work, range(RUNS)) for killed in chain]
    tell("run killed", seen)
    assert len(seen) == RUNS * KILLS_A_RUN
    assert len({one.ended.tick for one in seen}) > busy.TICKS // 2, "the kills fell at too few instants"
    assert len({one.ended.acknowledged for one in seen}) > busy.FRAMES // 2


def test_killed_before_its_first_frame(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    def work(commands: Commands, number: int) -> list[Killed]:
        return kill_start(Chain(commands, whole, tmp_path / str(number), f"start {number}"), number)

    seen = [killed for chain in pair.each(work, range(STARTS)) for killed in chain]
    tell("run killed at its start", seen)
    assert len(seen) > STARTS


def test_a_killed_writer_costs_no_frame(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    def work(commands: Commands, number: int) -> list[Killed]:
        return kill_writer(Chain(commands, whole, tmp_path / str(number), f"writer {number}"), number)

    seen = [killed for chain in pair.each(work, range(WRITER_RUNS)) for killed in chain]
    tell("writer killed", seen)
    assert sum(len(one.ended.blows) for one in seen) >= 200
    assert sum(one.ended.code == 74 for one in seen) > WRITER_RUNS, "too few runs lost two writers"
    assert len({one.ended.acknowledged for one in seen}) > busy.FRAMES // 2
