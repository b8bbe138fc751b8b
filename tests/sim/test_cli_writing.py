"""Files that commands write: not over another unasked, whole or not at all, and a full disk is exit 74 and one line."""

import errno
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_up_run import write

from seedsoil.outputs import report
from seedsoil.sim import run_folder
from seedsoil.sim.calibrate import told
from seedsoil.sim.cli.app import main
from seedsoil.sim.errors import InputError, OutputFailed
from seedsoil.sim.run_folder import RunFolder
from seedsoil.sim.scenario_file import load_scenario


@contextmanager
def room_for(file_bytes: int) -> Iterator[None]:
    """Within it no file of this process grows beyond that, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("made_up") / "run", (1, 40, 60), 2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit and the figures take seconds; what is written of them matters here, not what it says."""
    monkeypatch.setattr(told, "calibration", lambda *_: ["fitted"])
    monkeypatch.setattr(told, "soils_toml", lambda *_: "# soils\n" * 1000)
    monkeypatch.setattr(report, "report_html", lambda _: "<html></html>" * 1000)


def _new(folder: Path) -> tuple[Path, list[str]]:
    return folder / "mine.toml", ["new", str(folder / "mine.toml"), "--force"]


def _calibrate(folder: Path) -> tuple[Path, list[str]]:
    return folder / "soils.toml", ["calibrate", "--write", str(folder / "soils.toml"), "--force"]


def _report(folder: Path) -> tuple[Path, list[str]]:
    return folder / "report.html", ["report", str(folder)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("command", [_new, _calibrate, _report])
def test_what_was_there_outlives_a_full_disk(
    made_up: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[Path], tuple[Path, list[str]]],
) -> None:
    folder = Path(shutil.copytree(made_up, tmp_path / "run"))
    target, arguments = command(folder)
    target.write_text("precious")
    before = sorted(os.listdir(folder))
    with room_for(100):
        assert main(arguments) == 74
    assert capsys.readouterr().err == f"{target}: cannot be written: {os.strerror(errno.EFBIG)}\n"
    assert target.read_text() == "precious" and sorted(os.listdir(folder)) == before
    target.unlink()
    with room_for(100):
        assert main(arguments) == 74
    assert not target.exists()
    assert main(arguments) == 0 and target.read_text() != "precious"


@pytest.mark.usefixtures("quick")
def test_soils_are_not_written_over_a_file_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "soils.toml"
    arguments = ["calibrate", "--write", str(target)]
    assert main(arguments) == 0
    target.write_text("precious")
    capsys.readouterr()
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert (told.out, target.read_text()) == ("", "precious") and "--force" in told.err
    assert main([*arguments, "--force"]) == 0 and target.read_text().startswith("# soils")
    assert main(["calibrate", "--write", "/dev/null"]) == 0
    assert main(["calibrate", "--force"]) == 2


def test_a_run_without_room_to_start_leaves_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = load_scenario("quickstart")
    assert scenario.source.text is not None
    enough_for_one = len(scenario.source.text.encode())
    place = tmp_path / "run"
    with room_for(enough_for_one), pytest.raises(OutputFailed, match=str(place)):
        RunFolder(place, scenario, branch={"of": "another"})
    assert not place.exists()
    place.mkdir()
    (place / "notes.txt").write_text("mine")
    with room_for(enough_for_one), pytest.raises(OutputFailed):
        RunFolder(place, scenario)
    assert os.listdir(place) == ["notes.txt"]
    RunFolder(place, scenario)
    assert {"notes.txt", "scenario.toml", "resolved.toml"} == set(os.listdir(place))
    with pytest.raises(InputError, match="holds a run"):
        RunFolder(place, scenario)
    capsys.readouterr()
    assert main(["status", str(place)]) == 0  # it has no status yet, and can be resumed
    assert capsys.readouterr().out == f"{place}: has not begun\n  go on     seedsoil resume {place}\n"


def test_a_small_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    run_folder.write_whole(file, "old")
    with room_for(10), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        run_folder.write_whole(file, "new" * 10)
    assert os.listdir(tmp_path) == ["status.json"] and file.read_text() == "old"
