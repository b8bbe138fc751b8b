"""Files of two runs are never mixed: a run's id stands in resolved.toml, run file, status and checkpoints."""

import json
import shutil
from pathlib import Path

import h5py
import pytest

from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint, run_folder
from seedsoil.sim.errors import InputError, Interrupted
from seedsoil.sim.resume import branch, resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario


def scenario(rng_key: int) -> Scenario:
    """Flat and short. Another key makes another run that counts as many frames and rows."""
    return Scenario.model_validate(
        {
            "title": "short",
            "until_h": 1.0,
            "rng_key": rng_key,
            "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
            "implant": {"cells": 50},
            "vessels": {"kind": "none"},
            "output": {"every_h": 0.2},
        }
    )


def stopped(folder: Path, rng_key: int) -> Path:
    """A run of ten ticks, stopped after the sixth."""
    ticks = iter(range(1, 100))
    with pytest.raises(Interrupted):
        run(scenario(rng_key), out=folder, report=False, stop=lambda: next(ticks) >= 6)
    return folder


def ids(folder: Path) -> set[str]:
    return {
        run_folder.id_of(folder),
        open_run(folder).attributes["run_id"],
        json.loads((folder / "status.json").read_text())["run_id"],
        *(checkpoint.load(path)[1]["run_id"] for path in checkpoint.found(folder)),
    }


def test_one_run_has_one_id_and_another_has_another(tmp_path: Path) -> None:
    one, other = stopped(tmp_path / "one", 1), stopped(tmp_path / "other", 1)
    (first,), (second,) = ids(one), ids(other)
    assert first != second and len(first) == 32
    resume(one, report=False)
    assert ids(one) == {first}
    resume(one, until_h=1.5, report=False)
    assert ids(one) == {first}
    branch(one, at_h=1.2, out=tmp_path / "branch", report=False)
    (third,) = ids(tmp_path / "branch")
    assert third not in (first, second)
    run(scenario(1), out=one, report=False, force=True)
    assert first not in ids(one)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    one, other = stopped(tmp_path / "one", 1), stopped(tmp_path / "other", 2)
    (own,), (strange,) = checkpoint.found(one), checkpoint.found(other)
    assert own.name == strange.name and open_run(one).frames == open_run(other).frames
    kept = own.read_bytes()
    shutil.copy(strange, own)
    before = (one / "run.vtkhdf").read_bytes()
    with pytest.raises(InputError, match="of another run"):
        resume(one, report=False)
    with pytest.raises(InputError, match="of another run"):
        branch(one, at_h=0.8, out=tmp_path / "branch", report=False)
    assert (one / "run.vtkhdf").read_bytes() == before and not (tmp_path / "branch").exists()
    own.write_bytes(kept)
    resume(one, report=False)


@pytest.mark.parametrize("both", [False, True])
def test_a_run_file_of_another_run_is_refused_and_not_cut(tmp_path: Path, both: bool) -> None:
    one, other = stopped(tmp_path / "one", 1), stopped(tmp_path / "other", 2)
    shutil.copy(other / "run.vtkhdf", one)
    if both:  # with the folder's notes as well, so that only file and checkpoint differ
        shutil.copy(other / "resolved.toml", one)
    before = (one / "run.vtkhdf").read_bytes()
    with pytest.raises(InputError, match="of another run"):
        resume(one, report=False)
    assert (one / "run.vtkhdf").read_bytes() == before
    with h5py.File(one / "run.vtkhdf") as file:
        assert file.attrs["run_id"] == run_folder.id_of(other)


def test_a_run_from_before_there_were_ids_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder.uuid, "uuid4", lambda: type("", (), {"hex": ""}))
    old = stopped(tmp_path / "old", 1)
    assert ids(old) == {""} and not (old / "resolved.toml").read_text().startswith("# run")
    assert resume(old, report=False).frames == 6


def test_a_stop_in_the_first_tick_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seedsoil.sim.cli import stopping

    monkeypatch.setattr(stopping.signal, "signal", lambda *_: None)
    run(scenario(1), out=tmp_path / "whole", report=False)
    stop = stopping.Stop()

    def ask_before_the_first_tick(status: object) -> None:
        if not stop():
            stop.ask()

    with pytest.raises(Interrupted, match=f"seedsoil resume {tmp_path}/run begins it again"):
        run(scenario(1), out=tmp_path / "run", report=False, stop=stop, progress=ask_before_the_first_tick)
    assert checkpoint.found(tmp_path / "run") == [] and open_run(tmp_path / "run").frames == 1
    resume(tmp_path / "run", report=False)
    digests = {json.loads((tmp_path / name / "status.json").read_text())["digest"] for name in ("run", "whole")}
    assert len(digests) == 1 and open_run(tmp_path / "run").frames == 6


def test_a_branch_can_be_stopped_in_its_past(tmp_path: Path) -> None:
    one = tmp_path / "one"
    run(scenario(1), out=one, report=False)
    told = []
    with pytest.raises(KeyboardInterrupt):
        branch(one, at_h=0.8, out=tmp_path / "branch", progress=told.append, stop=lambda: len(told) >= 3)
    assert len(told) == 3 and not (tmp_path / "branch").exists()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("\nrng_key = 1 ", "\nrng_key = 77 ", r"resolved\.toml: rng_key = 77, .* run with 1;"),
        ("\n[matrix]\n", "\n[solutes.oxygen]\n\n[matrix]\n", r"resolved\.toml: solutes\.oxygen\."),
        ("\n[solutes.protease]\n", "\n[solutes.vegf]\n", r"resolved\.toml: "),
    ],
)
@pytest.mark.parametrize("told_by", ["run file", "checkpoint"])
def test_an_edited_note_of_the_run_is_no_past(tmp_path: Path, old: str, new: str, complaint: str, told_by: str) -> None:
    one = stopped(tmp_path / "one", 1)
    note = (one / "resolved.toml").read_text()
    assert note.count(old) == 1
    (one / "resolved.toml").write_text(note.replace(old, new))
    if told_by == "checkpoint":
        (one / "run.vtkhdf").unlink()
    with pytest.raises(InputError, match=complaint):
        branch(one, at_h=0.3, out=tmp_path / "branch", report=False)
    assert not (tmp_path / "branch").exists()
    if told_by == "run file":  # there is no checkpoint to go on from, so that it would begin again
        (own,) = checkpoint.found(one)
        own.unlink()
        before = (one / "run.vtkhdf").read_bytes()
        with pytest.raises(InputError, match=complaint):
            resume(one, report=False)
        assert (one / "run.vtkhdf").read_bytes() == before


def test_a_note_put_back_and_one_of_a_prolonged_run_are_the_past(tmp_path: Path) -> None:
    one = stopped(tmp_path / "one", 1)
    resume(one, until_h=1.5, report=False)
    (one / "resolved.toml").write_text((one / "resolved.toml").read_text())
    branch(one, at_h=0.3, out=tmp_path / "branch", report=False)
    digests = {json.loads((tmp_path / name / "status.json").read_text())["digest"] for name in ("one", "branch")}
    assert len(digests) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"of": 3, "at_h": 1}', '{"of": "x", "at_h": "soon"}', "\udcff"])
def test_a_damaged_note_of_where_a_branch_comes_from_is_refused(tmp_path: Path, text: str) -> None:
    one = stopped(tmp_path / "one", 1)
    (one / "branch.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"one/branch\.json: "):
        branch(one, at_h=0.3, out=tmp_path / "branch", report=False)
    for path in checkpoint.found(one):
        path.unlink()
    with pytest.raises(InputError, match=r"one/branch\.json: "):
        resume(one, report=False)
