"""Files left by killed writers, and files that were damaged."""

import os
import shutil
from pathlib import Path

import h5py
import pytest
from written_runs import frames

from seedsoil.outputs import recovery
from seedsoil.outputs.errors import RunFileBusy, RunFileError
from seedsoil.outputs.prepare import grouped, prepare
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.runfile import RunFile


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run: a copy made while it was open is what a kill leaves; and the closed file."""
    folder = tmp_path_factory.mktemp("runs")
    closed, killed = folder / "closed.vtkhdf", folder / "killed.vtkhdf"
    file = RunFile.create(str(closed), frames.LAYOUT, frames.ATTRIBUTES)
    for k in range(frames.DAMAGED_FRAMES):
        time_h, *content = frames.frame(k)
        file.publish(time_h, **grouped(prepare(frames.LAYOUT, *content)))
    shutil.copy(closed, killed)
    file.close({"digest": "x"})
    return {"closed": closed, "killed": killed}


@pytest.fixture
def killed(files: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(files["killed"], tmp_path / "run.vtkhdf"))


def test_kills_lose_nothing(tmp_path: Path) -> None:
    frames.assert_kills_lose_nothing(tmp_path, 6, seed=1)


def test_after_recovery_any_program_reads_the_file(killed: Path) -> None:
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(killed)
    assert recovery.recover(str(killed)) == recovery.Recovered(True, frames.DAMAGED_FRAMES)
    with h5py.File(killed) as file:
        assert file["time"].shape == (frames.DAMAGED_FRAMES,)
        assert file["VTKHDF/Steps"].attrs["NSteps"] == frames.DAMAGED_FRAMES
        assert file.attrs["state"] == b"interrupted"
    frames.assert_holds(open_run(killed), frames.DAMAGED_FRAMES)


def test_recovering_again_changes_no_byte(killed: Path) -> None:
    recovery.recover(str(killed))
    before = killed.read_bytes()
    assert not recovery.recover(str(killed)).changed
    assert killed.read_bytes() == before


def test_a_frame_that_was_not_committed_is_cut_off(killed: Path) -> None:
    recovery.recover(str(killed))
    with h5py.File(killed, "r+") as file:  # as if killed when only some fields had grown
        file["cell"].resize(frames.DAMAGED_FRAMES + 1, 0)
        file["series/born"].resize(99, 0)
        file["seeds/fate"].resize(50, 0)
    assert recovery.recover(str(killed)).changed
    frames.assert_holds(open_run(killed), frames.DAMAGED_FRAMES)


def test_recovery_interrupted_after_its_first_write_is_completed(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            recovery.recover(str(killed))
    frames.assert_holds(open_run(killed), frames.DAMAGED_FRAMES)


def test_on_read_only_media_it_is_read_as_it_lies(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = killed.read_bytes()
    real = os.open

    def refuse(path: str, flags: int, *rest: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(30, "Read-only file system", path)
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    run = open_run(killed)
    frames.assert_holds(run, frames.DAMAGED_FRAMES)
    run.verify()
    assert killed.read_bytes() == before


def test_a_file_in_use_is_not_repaired(killed: Path) -> None:
    with killed.open("rb") as file:
        recovery.fcntl.flock(file, recovery.fcntl.LOCK_SH)
        before = killed.read_bytes()
        with pytest.raises(RunFileBusy):
            recovery.recover(str(killed))
        frames.assert_holds(open_run(killed), frames.DAMAGED_FRAMES)
        assert killed.read_bytes() == before


@pytest.mark.parametrize("state", ["closed", "killed"])
@pytest.mark.parametrize(("how", "count"), [("cut", 8), ("flip", 12)])
def test_damage_is_noticed(files: dict[str, Path], state: str, how: str, count: int) -> None:
    limit = 80_000 if how == "flip" else files[state].stat().st_size  # the metadata lies in front
    frames.assert_damage_is_noticed(files[state], how, count, 3, limit)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a run file"), (b"hello" * 100, "not a run file"), (b"\x89HDF\r\n\x1a\n", "not a run")],
)
def test_what_is_not_a_run_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "run.vtkhdf").write_bytes(content)
    with pytest.raises(RunFileError, match=message) as error:
        open_run(tmp_path)
    assert "\n" not in str(error.value)


def test_another_hdf5_file_is_not_a_run_file(tmp_path: Path) -> None:
    for name, libver in {"old": "earliest", "new": "v110"}.items():
        with h5py.File(tmp_path / name, "w", libver=(libver, "v110")) as file:
            file["a"] = 1
        with pytest.raises(RunFileError, match=r"not a (seedsoil )?run file"):
            open_run(tmp_path / name)


def test_truncated_says_how_much_is_there(files: dict[str, Path], tmp_path: Path) -> None:
    content = files["closed"].read_bytes()
    (tmp_path / "run.vtkhdf").write_bytes(content[:-10])
    with pytest.raises(RunFileError, match=rf"truncated \({len(content) - 10} of {len(content)} bytes"):
        open_run(tmp_path)
