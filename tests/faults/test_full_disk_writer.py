"""The writer alone on a disk that fills up between, in and after publications: what it acknowledged is there."""

import os
import signal
from pathlib import Path

import pytest
from faults.test_full_disk import small_disk
from written_runs import frames

from seedsoil.outputs import settle
from seedsoil.outputs.opened import Opened
from seedsoil.outputs.prepare import grouped, prepare
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.runfile import RunFile

pytestmark = pytest.mark.faults
ROOMS = (0, 20_000, 60_000, 150_000, 400_000)
PATIENCE_S = 60


def write(disk: Path, before: int, room: int, acts: str, careless: bool) -> int:
    """In a process of its own: so many frames, then a full disk, then `acts`; returns the frames acknowledged."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libhdf5 and h5py say much on a full disk
        if careless:
            Opened.__getitem__ = lambda self, path: self._file[path]  # let go of after each use
            settle.put.__code__ = (lambda dataset, where, values: dataset.__setitem__(where, values)).__code__
            settle.fit.__code__ = (
                lambda dataset, length: dataset.resize(length, 0) if dataset.shape[0] != length else None
            ).__code__
            settle.put_rows.__code__ = (
                lambda dataset, start, values: (
                    dataset.resize(start + len(values), 0),
                    dataset.__setitem__(slice(start, None), values),
                )
            ).__code__
        file = RunFile.create(str(disk / "run.vtkhdf"), frames.LAYOUT, frames.ATTRIBUTES)

        def publish(number: int) -> None:
            time_h, *content = frames.frame(number)
            file.publish(time_h, **grouped(prepare(frames.LAYOUT, *content)))
            os.write(theirs, b".")

        for number in range(before):
            publish(number)
        free = os.statvfs(disk)
        with open(disk / "ballast", "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_frsize - room)
        try:
            if "publish" in acts:
                publish(before)
            if "close" in acts:
                file.close()
        except (OSError, RuntimeError):
            pass
        os._exit(0)  # as the writer does
    os.close(theirs)
    acknowledged = 0
    while heard := os.read(ours, 4096):
        acknowledged += len(heard)
    os.close(ours)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (disk / "ballast").unlink()
    return acknowledged


def lost(tmp_path: Path, acts: str, careless: bool) -> list[str]:
    """The cases in which an acknowledged frame cannot be read any more."""
    found = []
    for before in range(1, 5):
        for room in ROOMS:
            with small_disk(tmp_path / f"{before}-{room}") as disk:
                acknowledged = write(disk, before, room, acts, careless)
                try:
                    run = open_run(disk)
                    run.verify()
                    assert run.frames >= acknowledged
                    frames.assert_holds(run, run.frames)
                except Exception as error:
                    found.append(f"{acts} after {before} frames, {room} bytes left: {error}")
    return found


@pytest.mark.parametrize("acts", ["", "close", "publish", "publish and close"])
def test_no_acknowledged_frame_is_lost(tmp_path: Path, acts: str) -> None:
    assert lost(tmp_path, acts, careless=False) == []


def test_without_flushing_each_dataset_frames_would_be_lost(tmp_path: Path) -> None:
    """h5py ignores a failure to write when it lets go of a dataset."""
    assert lost(tmp_path, "publish", careless=True)
