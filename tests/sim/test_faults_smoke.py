"""The smoke form of tests/faults: one kill, signal, full disk and cut of each kind, a little damage."""

import shutil
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize(
    ("whom", "signal", "code"),
    [(["run"], KILL, -KILL), (["run", "writer"], KILL, -KILL), (["writer", "run"], TERM, 75)],
)
def test_stopped_from_outside_it_goes_on_to_the_same_bits(
    tmp_path: Path, commands: Commands, scenario: Path, whole: Path, whom: list[str], signal: int, code: int
) -> None:
    blow = {"event": "frame", "after_s": 0.2, "whom": whom, "signal": signal}
    ended = commands("run", scenario, "-o", tmp_path / "run", "--quiet", "--threads", 1, plan={"blows": [blow]})
    assert ended.code == code, ended
    expected = busy.content(open_run(whole))
    busy.assert_holds(tmp_path / "run", expected, ended.acknowledged)
    again = commands("resume", tmp_path / "run", "--quiet", "--threads", 2)
    assert (again.code, again.err) == (0, "")
    busy.assert_is(tmp_path / "run", expected, busy.digest(whole))


def test_a_killed_writer_is_replaced_once(tmp_path: Path, commands: Commands, scenario: Path, whole: Path) -> None:
    first = {"event": "writer", "after_s": 0.3, "whom": ["writer"], "signal": KILL}  # before or while it makes the file
    run = ("run", scenario, "-o", tmp_path / "run", "--force", "--quiet", "--threads", 1)
    ended = commands(*run, plan={"blows": [first]})
    assert (ended.code, len(ended.writers)) == (0, 2), ended
    busy.assert_is(tmp_path / "run", busy.content(open_run(whole)), busy.digest(whole))
    ended = commands(*run, plan={"blows": [first, {**first, "after_s": 0.0}]})
    assert (ended.code, ended.err.count("\n")) == (74, 1), ended


def test_a_full_disk_is_one_line_and_a_whole_checkpoint(
    tmp_path: Path, commands: Commands, scenario: Path, whole: Path
) -> None:
    limit = (whole / "run.vtkhdf").stat().st_size * 2 // 3
    plan = {"file_bytes": limit}
    ended = commands("run", scenario, "-o", tmp_path / "run", "--quiet", "--threads", 1, plan=plan)
    assert (ended.code, ended.err.count("\n")) == (74, 1), ended
    checkpoint.load(checkpoint.found(tmp_path / "run")[0])
    assert commands("resume", tmp_path / "run", "--quiet", "--threads", 1).code == 0
    busy.assert_is(tmp_path / "run", busy.content(open_run(whole)), busy.digest(whole))


def test_a_lost_frame_and_a_changed_bit_are_noticed(tmp_path: Path, whole: Path) -> None:
    """The detectors of all the above, shown to fail."""
    expected = busy.content(open_run(whole))
    with pytest.raises(AssertionError, match="1 acknowledged frames are lost"):
        busy.assert_holds(whole, expected, busy.FRAMES + 1)
    other = expected | {"lung": expected["lung"].copy(deep=True)}
    other["lung"].cell.values[0, 0, 0, 0] ^= 1
    with pytest.raises(AssertionError, match="lung/cell"):
        busy.assert_holds(whole, other, busy.FRAMES)
    with pytest.raises(AssertionError):
        busy.assert_is(whole, expected, "another digest")
    without_last = expected | {"primary": expected["primary"].isel(time=slice(-1))}
    with pytest.raises(AssertionError, match="primary"):
        busy.assert_is(whole, without_last, busy.digest(whole))


def test_damage_is_refused(tmp_path: Path, whole: Path) -> None:
    path = Path(shutil.copy(checkpoint.found(whole)[0], tmp_path))
    assert checkpoints(path, 140, 1) == {"refused": 140}
    file = Path(shutil.copy(whole / "run.vtkhdf", tmp_path))
    content, intact = busy.content(open_run(whole)), file.read_bytes()
    assert outcome_of_run(str(file), content, {}, busy.FRAMES) == "good"
    for text in (b"small and busy", b"empty tumour necrotic", b'"voxel_um": 20.0'):
        damaged = bytearray(intact)
        damaged[intact.index(text) + len(text) - 1] ^= 1
        file.write_bytes(damaged)
        assert outcome_of_run(str(file), content, {}, busy.FRAMES) == "refused", text
