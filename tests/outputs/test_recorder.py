"""The simulation's end: handing over, going on, and what happens when the writer does not live."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from written_runs import frames

from seedsoil.outputs.errors import OutputError, RunFileError
from seedsoil.outputs.layout import Layout
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.recorder import Recorder
from seedsoil.outputs.schema import FIELDS, Spec


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.vtkhdf"


def record(recorder: Recorder, first: int, last: int) -> None:
    for k in range(first, last):
        recorder.frame(*frames.frame(k))


def new(path: Path, count: int = 0) -> Recorder:
    recorder = Recorder(path, frames.LAYOUT, frames.ATTRIBUTES)
    record(recorder, 0, count)
    return recorder


def kill(recorder: Recorder) -> None:
    assert recorder.writer_pid is not None
    os.kill(recorder.writer_pid, signal.SIGKILL)


def test_the_caller_may_reuse_its_arrays_at_once(path: Path) -> None:
    layout = Layout((2, 3, 4), 20, ["cell"])
    cell = np.zeros((2, 3, 4), "u1")
    with Recorder(path, layout, {}) as recorder:
        for k in range(6):
            cell[...] = k
            recorder.frame(k, {"cell": cell})
            cell[...] = 99
    with open_run(path).dataset() as dataset:
        assert dataset.cell[:, 0, 0, 0].values.tolist() == list(range(6))


def test_a_living_run_can_be_read(path: Path) -> None:
    recorder = new(path, 3)
    assert recorder.wait() == recorder.sent == 3
    run = open_run(path)
    frames.assert_holds(run, 3)
    assert run.attributes["state"] == "running"
    record(recorder, 3, 5)
    recorder.wait()
    frames.assert_holds(open_run(path), 5)
    recorder.close({})
    frames.assert_holds(open_run(path), 5)


def test_an_existing_file_is_not_overwritten_unless_told(path: Path) -> None:
    new(path, 2).close({})
    with pytest.raises(OutputError, match="exists already"):
        new(path)
    frames.assert_holds(open_run(path), 2)
    Recorder(path, frames.LAYOUT, {}, replace=True).close({})
    frames.assert_holds(open_run(path), 0)


def test_a_file_that_is_being_written_is_not_replaced_or_continued(path: Path) -> None:
    with new(path, 1) as recorder:
        recorder.wait()
        for how in ({"replace": True}, {"mode": "append"}):
            with pytest.raises(OutputError, match="another"):
                Recorder(path, frames.LAYOUT, {}, **how)
    frames.assert_holds(open_run(path), 1)


@pytest.mark.parametrize("state", ["finished", "killed"])
def test_going_on_from_an_earlier_time_repeats_no_frame(path: Path, state: str) -> None:
    recorder = new(path, 6)
    if state == "killed":
        recorder.wait()
        kill(recorder)
        recorder._delivery.abandon()
    else:
        recorder.close({"digest": "old"})
    again = Recorder(path, frames.LAYOUT, {"rng_key": 8}, mode="append", keep_until_h=frames.time_h(3))
    assert again.acknowledged == again.sent == 4
    run = open_run(path)
    assert (run.frames, run.attributes["digest"], run.attributes["state"]) == (4, "", "running")
    with pytest.raises(ValueError, match="after one at"):
        again.frame(*frames.frame(3))
    assert open_run(path).series().sizes["tick_time"] == 4 * frames.TICKS_PER_FRAME
    record(again, 4, 5)
    again.close({"digest": "new"})
    run = open_run(path)
    frames.assert_holds(run, 5)
    assert (run.attributes["digest"], run.attributes["rng_key"]) == ("new", 8)


def test_another_layout_cannot_be_continued(path: Path) -> None:
    new(path, 1).close({})
    other = Layout(frames.SHAPE, 20.0, ["cell"])
    with pytest.raises(OutputError, match="another lattice"):
        Recorder(path, other, {}, mode="append")
    with pytest.raises(OutputError, match="No such file"):
        Recorder(path.with_name("none"), other, {}, mode="append")
    with pytest.raises(OutputError, match=r"none/run.vtkhdf: .*[Nn]o such"):
        Recorder(path.parent / "none" / "run.vtkhdf", other, {})


def test_the_writer_may_die_once(path: Path) -> None:
    recorder = new(path, 3)
    kill(recorder)
    record(recorder, 3, 6)
    recorder.close({"digest": "x"})
    run = open_run(path)
    frames.assert_holds(run, 6)
    assert run.attributes["digest"] == "x"


def test_the_writer_may_die_before_the_first_frame_and_before_closing(path: Path) -> None:
    recorder = new(path)
    kill(recorder)
    record(recorder, 0, 2)
    recorder.close({})
    frames.assert_holds(open_run(path), 2)
    other = Recorder(path, frames.LAYOUT, {}, replace=True)
    record(other, 0, 2)
    other.wait()
    kill(other)
    other.close({"digest": "x"})
    frames.assert_holds(open_run(path), 2)
    assert open_run(path).attributes["digest"] == "x"


def test_the_second_death_is_an_error_and_the_file_is_whole(path: Path) -> None:
    recorder = new(path, 2)
    recorder.wait()
    kill(recorder)
    record(recorder, 2, 4)
    recorder.wait()
    kill(recorder)
    with pytest.raises(OutputError, match=r"died twice \(killed by signal 9\); 4 frames are safe"):
        record(recorder, 4, 8)
    recorder.close({})  # nothing left to close
    frames.assert_holds(open_run(path), 4)


def test_a_full_disk_is_named_and_what_was_acknowledged_is_there(path: Path) -> None:
    recorder = new(path, 3)
    recorder.wait()
    limit = path.stat().st_size + 30_000
    assert recorder.writer_pid is not None
    resource.prlimit(recorder.writer_pid, resource.RLIMIT_FSIZE, (limit, limit))
    with pytest.raises(OutputError, match=r"run.vtkhdf: could not be written .*Free space") as error:
        record(recorder, 3, 60)
    assert error.value.exit_code == 74
    frames.assert_holds(open_run(path), recorder.acknowledged)
    again = Recorder(path, frames.LAYOUT, {}, mode="append")
    record(again, again.acknowledged, again.acknowledged + 2)
    again.close({})
    frames.assert_holds(open_run(path), recorder.acknowledged + 2)


def test_signals_for_the_simulation_do_not_reach_the_writer(path: Path) -> None:
    recorder = new(path, 1)
    recorder.wait()
    assert recorder.writer_pid is not None
    assert os.getpgid(recorder.writer_pid) == recorder.writer_pid
    pid = recorder.writer_pid
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        os.kill(pid, number)
    record(recorder, 1, 3)
    recorder.wait()
    assert recorder.writer_pid == pid
    recorder.close({})
    frames.assert_holds(open_run(path), 3)


def test_when_the_simulation_is_killed_the_writer_completes_and_ends(path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from written_runs import frames\n"
        "from seedsoil.outputs.recorder import Recorder\n"
        "recorder = Recorder(sys.argv[1], frames.LAYOUT, {})\n"
        "for k in range(4): recorder.frame(*frames.frame(k))\n"
        "print(recorder.writer_pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    tests = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": tests},
    )
    assert done.returncode == -signal.SIGKILL
    writer = Path("/proc") / done.stdout.strip()
    while writer.exists() and "Z" not in (writer / "stat").read_text().split()[2]:
        time.sleep(0.01)  # it ends by itself: the test runner's own limit is the only one
    run = open_run(path)
    frames.assert_holds(run, 4)
    assert run.attributes["state"] == "interrupted"


def test_one_writer_serves_one_run_after_the_other(tmp_path: Path) -> None:
    pids = set()
    for i in range(3):
        recorder = new(tmp_path / f"{i}.vtkhdf", 1)
        pids.add(recorder.writer_pid)
        recorder.close({})
    assert len(pids) == 1


def test_an_exception_of_the_simulation_passes_and_the_file_is_closed(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new(path, 2):
        raise ZeroDivisionError
    run = open_run(path)
    frames.assert_holds(run, 2)
    assert run.attributes["state"] == "interrupted"


def test_rows_left_out_stay_and_columns_left_out_are_missing(path: Path) -> None:
    layout = Layout((2, 3, 4), 20, ["cell"])
    cell = {"cell": np.zeros((2, 3, 4), "u1")}
    with Recorder(path, layout, {}) as recorder:
        recorder.frame(0, cell, tables={"seeds": {"cells": np.array([2, 3])}})
        recorder.frame(1, cell, tables={"clones": {"parent": np.array([-1])}})
        recorder.frame(2, cell)
    run = open_run(path)
    seeds = run.seeds()
    assert seeds.cells.values.tolist() == [2, 3]
    assert np.isnan(seeds.time_h).all()
    assert (seeds.organ == -1).all()
    assert run.clones().parent.values.tolist() == [-1]


def test_rounded_fields_say_so(path: Path) -> None:
    rounded = Spec("f4", "mmHg", FIELDS["oxygen"].long_name, keep_bits=10)
    layout = Layout((1, 8, 8), 20, {"oxygen": rounded})
    values = np.random.default_rng(0).random((1, 8, 8), dtype="f4")
    with Recorder(path, layout, {}) as recorder:
        recorder.frame(0, {"oxygen": values})
    with open_run(path).dataset() as dataset:
        np.testing.assert_allclose(dataset.oxygen[0], values, rtol=2**-11)
        assert not np.array_equal(dataset.oxygen[0], values)
        assert dataset.oxygen._QuantizeBitRoundNumberOfSignificantBits == 10


CELL = np.zeros((2, 3, 4), "u1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"fields": {}}, "every frame holds exactly cell"),
        ({"fields": {"cell": CELL, "matrix": CELL}}, "check matrix"),
        ({"fields": {"cell": CELL[:1]}}, "shape"),
        ({"fields": {"cell": CELL + 0.5}}, "cannot stand"),
        ({"fields": {"cell": CELL + np.int64(256)}}, "beyond uint8"),
        ({"organs": {"brain": {"cell": CELL}}}, "no organ 'brain'"),
        ({"tables": {"patients": {}}}, "no table 'patients'"),
        ({"tables": {"seeds": {"colour": np.zeros(1)}}}, "no colour"),
        ({"tables": {"seeds": {"cells": np.zeros(1, int), "emt": np.zeros(2, int)}}}, "equally long"),
        ({"series": {"born": np.zeros(1, int)}}, "tick_time"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_recorder_goes_on(path: Path, content: dict, message: str) -> None:
    layout = Layout((2, 3, 4), 20, ["cell"], organs={"lung": (2, 3, 4)})
    with Recorder(path, layout, {}) as recorder:
        with pytest.raises(ValueError, match=message):
            recorder.frame(0, **{"fields": {"cell": CELL}, **content})
        recorder.frame(0, {"cell": CELL})
    assert open_run(path).frames == 1


def test_no_run_here(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"no run.vtkhdf in this folder"):
        open_run(tmp_path)
    with pytest.raises(RunFileError, match="No such file"):
        open_run(tmp_path / "none")
