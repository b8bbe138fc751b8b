"""The smoke form of tests/faults: one run through a full disk, dead writers, kills and signals; a little damage."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import busy
from faults.commands import Commands
from faults.corruption import checkpoints, outcome_of_run

from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint

KILL, TERM = 9, 15


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    made = Commands(tmp_path_factory.mktemp("commands"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "busy.toml"
    path.write_text(busy.SCENARIO)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, commands: Commands, scenario: Path) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    ended = commands("run", scenario, "-o", folder, "--quiet", "--threads", 1)
    assert (ended.code, ended.err, ended.acknowledged) == (0, "", busy.FRAMES)
    return folder


def at(tick: int, *blows: tuple[list[str], int]) -> dict[str, Any]:
    """A plan: at that tick the first blow, and each further one as soon as another writer has started."""
    first = {"event": "tick", "at": tick}
    rest = [{"event": "writer"} for _ in blows[1:]]
    told = zip([first, *rest], blows, strict=True)
    return {
        "blows": [{**event, "after_s": 0.0, "whom": whom, "signal": signal} for event, (whom, signal) in told],
        "hold": {"tick": tick, "s": 0.4},
    }


def test_through_all_of_it_to_the_same_bits(tmp_path: Path, commands: Commands, scenario: Path, whole: Path) -> None:
    expected, largest = busy.recorded(open_run(whole)), (whole / "run.vtkhdf").stat().st_size
    folder = tmp_path / "run"
    run, resume = ("run", scenario, "-o", folder), ("resume", folder)
    # what is done to it, the plan, the exit code, lines on stderr, writers
    stages: list[tuple[str, tuple, dict[str, Any], int, int, int]] = [
        ("the disk is full", run, {"file_bytes": largest // 2}, 74, 1, 1),
        ("its writer is killed, and the next", resume, at(21, (["writer"], KILL), (["writer"], KILL)), 74, 1, 2),
        ("it is killed", resume, at(25, (["run"], KILL)), -KILL, 0, 1),
        ("it and its writer are killed", resume, at(28, (["run", "writer"], KILL)), -KILL, 0, 1),
        ("both are asked to stop", resume, at(31, (["writer", "run"], TERM)), 75, 1, 1),
        ("its writer is killed once", resume, at(35, (["writer"], KILL)), 0, 0, 2),
    ]
    reached = -1
    for number, (what, words, plan, code, lines, writers) in enumerate(stages):
        ended = commands(*words, "--quiet", "--threads", 1 + number % 2, plan=plan)
        assert (ended.code, ended.err.count("\n"), len(ended.writers)) == (code, lines, writers), (what, ended)
        assert busy.assert_holds(folder, expected, ended.acknowledged) > 1
        tick = checkpoint.load(checkpoint.found(folder)[0])[1]["tick"]
        assert tick > reached, f"{what}: no checkpoint between tick {reached} and then"
        reached = tick
    busy.assert_is(folder, expected, busy.digest(whole))


def test_a_lost_frame_and_a_changed_bit_are_noticed(whole: Path) -> None:
    """The detectors of all the above, shown to fail."""
    expected = busy.recorded(open_run(whole))
    with pytest.raises(AssertionError, match="1 acknowledged frames are lost"):
        busy.assert_holds(whole, expected, busy.FRAMES + 1)
    changed = expected["organs/lung/cell"].copy()
    changed[0, 0, 0, 0] ^= 1
    with pytest.raises(AssertionError, match="organs/lung/cell"):
        busy.assert_holds(whole, expected | {"organs/lung/cell": changed}, busy.FRAMES)
    with pytest.raises(AssertionError):
        busy.assert_is(whole, expected, "another digest")
    without_last = {path: values[:-1] if path.startswith("primary/") else values for path, values in expected.items()}
    with pytest.raises(AssertionError, match="primary/time"):
        busy.assert_is(whole, without_last, busy.digest(whole))
    assert busy.deviation(expected, {**expected, "seeds/age": expected["seeds/cells"]}) == "seeds/age"
    assert busy.difference(open_run(whole), busy.content(open_run(whole))) == ""


def test_damage_is_refused(tmp_path: Path, whole: Path) -> None:
    path = Path(shutil.copy(checkpoint.found(whole)[0], tmp_path))
    assert checkpoints(path, 140, 1) == {"refused": 140}
    file = Path(shutil.copy(whole / "run.vtkhdf", tmp_path))
    content, intact = busy.recorded(open_run(whole)), file.read_bytes()
    assert outcome_of_run(str(file), content, {}, busy.FRAMES) == "good"
    for text in (b"small and busy", b"empty tumour necrotic", b'"voxel_um": 20.0'):
        damaged = bytearray(intact)
        damaged[intact.index(text) + len(text) - 1] ^= 1
        file.write_bytes(damaged)
        assert outcome_of_run(str(file), content, {}, busy.FRAMES) == "refused", text
