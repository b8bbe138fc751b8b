"""A run that was stopped goes on to the same bits; a branch shares the past and not the future."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint
from seedsoil.sim.errors import InputError, Interrupted
from seedsoil.sim.resume import branch, resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario

TICKS = 90


def scenario(**changes: object) -> Scenario:
    """2-D, busy in every part: seeds, break-up, organs that shed, several solutes."""
    tables = {
        "title": "small and busy",
        "until_h": 9.0,
        "rng_key": 11,
        "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
        "implant": {"kind": "scattered", "cells": 900},
        "vessels": {"blood": 60, "ruptured": 20, "free_core_um": 0.0},
        "intravasation": {"active_per_h": 0.2, "passive_per_h": 0.5, "companion_probability": 0.7},
        "body": {
            "transit_h": 1.0,
            "single_survival_probability": 0.4,
            "cluster_survival_probability": 0.8,
            "secondary_seeding": True,
            "organ_shape": [1, 64, 64],
            "organs": {"lung": {"share_probability": 0.6}, "bone": {"share_probability": 0.4}},
        },
        "solutes": {
            "oxygen": {"every_ticks": 15},  # quasi-steady: solved from the field as it was
            "vegf": {"diffusivity_um2_per_h": 900.0, "secretion_per_h": 1.0},
        },
        "output": {
            "every_h": 2.0,
            "series_every_h": 0.3,
            "fields": ["cell", "emt", "vessel", "matrix", "protease", "vegf"],
        },
        **changes,
    }
    return Scenario.model_validate(tables)


def stop_at(tick: int):
    """Stops a run that starts at tick 0 after so many ticks."""
    asked = iter(range(1, 10**9))
    return lambda: next(asked) >= tick


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run(scenario(), out=folder, report=False)
    return folder


def digest(folder: Path) -> str:
    return json.loads((folder / "status.json").read_text())["digest"]


def same_record(one: Path, other: Path) -> None:
    """Frames, series and tables are equal, value for value."""
    first, second = open_run(one), open_run(other)
    for a, b in (
        (first.dataset(), second.dataset()),
        (first.series(), second.series()),
        (first.seeds(), second.seeds()),
        (first.colonies(), second.colonies()),
        *((first.organ(name), second.organ(name)) for name in first.organs),
    ):
        assert a.drop_attrs().equals(b.drop_attrs())


def test_the_run_is_busy_enough_to_mean_something(whole: Path) -> None:
    record = open_run(whole)
    assert record.organs == ["lung", "bone"]
    assert (record.seeds().source > 0).any()  # colonies shed in turn
    assert (record.seeds().fragment > 0).any()
    assert np.isin([0, 1, 5], record.seeds().fate).all()
    assert record.series().vegf_mean[-1] > 0 and record.field("vegf")[-1].max() > 0
    assert 0 <= record.series().oxygen_min[-1] < 40.0 == record.series().oxygen_max[0]


@pytest.mark.parametrize("tick", [1, 19, 20, 53, 89])
def test_stopped_and_resumed_it_has_the_same_bits_and_frames(tmp_path: Path, whole: Path, tick: int) -> None:
    with pytest.raises(Interrupted, match="seedsoil resume") as stopped:
        run(scenario(), out=tmp_path / "run", report=False, stop=stop_at(tick))
    assert stopped.value.exit_code == 75
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "stopped"
    resume(tmp_path / "run", report=False)
    assert digest(tmp_path / "run") == digest(whole)
    same_record(tmp_path / "run", whole)


def test_headings_bonds_and_traits_go_on_too(tmp_path: Path) -> None:
    """With every factor that a hop can have, on the kernel of tests/kernels/test_hops.py."""
    busy = scenario(
        until_h=3.0,
        motility={
            "law": "linear",
            "mesenchymal_speed_um_per_h": 40.0,
            "persistence_h": 3.0,
            "guidance_fraction": 0.5,
            "chemotaxis_role": "vegf",
            "chemotaxis_um2_per_h": 50.0,
        },
        matrix={"initial_fraction": 0.5, "texture": {"kind": "fibres", "fibre_axis": "x"}},
        adhesion={"bond_energy": 1.0, "matrix_energy": 0.2, "traction_energy": 3.0},
        pores={"intact_um2": 20.0},
        mutation={"probability": 0.3, "motility": {"step_sd": 0.3, "most": 2.0}},
    )
    run(busy, out=tmp_path / "whole", report=False)
    with pytest.raises(Interrupted):
        run(busy, out=tmp_path / "run", report=False, stop=stop_at(13))
    resume(tmp_path / "run", report=False)
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")
    arrays, _ = checkpoint.load(checkpoint.found(tmp_path / "run")[0])
    assert any(name.endswith("heading") and array.any() for name, array in arrays.items())


def test_another_key_has_other_bits(tmp_path: Path, whole: Path) -> None:
    run(scenario(rng_key=12), out=tmp_path / "run", report=False)
    assert digest(tmp_path / "run") != digest(whole)


def test_stopped_twice_and_from_an_older_checkpoint(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(Interrupted):
        run(scenario(checkpoint={"every_ticks": 25}), out=folder, report=False, stop=stop_at(60))
    assert [path.name[-5:-3] for path in checkpoint.found(folder)] == ["60", "50"]
    newest = checkpoint.found(folder)[0]
    newest.write_bytes(b"\0" * 100)  # so the frames after tick 50 have to go
    with pytest.raises(Interrupted):
        resume(folder, report=False, stop=stop_at(7))
    resume(folder, report=False)
    assert digest(folder) == digest(whole)
    same_record(folder, whole)
    assert newest.name in (folder / "log.txt").read_text()


def test_a_finished_run_is_prolonged_not_repeated(tmp_path: Path, whole: Path) -> None:
    run(scenario(until_h=6.0), out=tmp_path / "run", report=False)
    with pytest.raises(InputError, match="--until-h"):
        resume(tmp_path / "run", report=False)
    resume(tmp_path / "run", until_h=9.0, report=False)
    assert digest(tmp_path / "run") == digest(whole)


def test_a_branch_without_changes_is_the_run_itself(tmp_path: Path, whole: Path) -> None:
    branch(whole, at_h=5.0, out=tmp_path / "same", report=False)
    assert digest(tmp_path / "same") == digest(whole)
    past, future = open_run(whole).dataset(), open_run(tmp_path / "same").dataset()
    assert future.time.values[0] == pytest.approx(5.0)
    shared = [t for t in future.time.values if t in past.time.values]
    assert len(shared) >= 2
    assert past.sel(time=shared).drop_attrs().equals(future.sel(time=shared).drop_attrs())


def test_a_branch_with_changes_differs_from_there_on(tmp_path: Path, whole: Path) -> None:
    changed = {"motility.mesenchymal_um2_per_h": 9.0}
    branch(whole, at_h=4.0, out=tmp_path / "other", overrides=changed, report=False)
    assert digest(tmp_path / "other") != digest(whole)
    past, future = open_run(whole).dataset(), open_run(tmp_path / "other").dataset()
    first = future.time.values[0]
    assert (past.cell.sel(time=first) == future.cell.isel(time=0)).all()


@pytest.mark.parametrize(
    ("overrides", "at_h", "complaint"),
    [
        ({"lattice.tick_h": 0.05}, 4.0, r"\[lattice\]"),
        ({"vessels.blood": 3}, 4.0, r"\[vessels\]"),
        ({"mutation.clones_max": 0}, 4.0, "mutation.clones_max"),
        ({"body.organ_shape": [1, 40000, 40000]}, 4.0, "keeps the organs"),
        ({}, 4.0, "does not fit"),
        ({}, 10.0, "from 0 to 9 h"),
        ({}, 1e308, "from 0 to 9 h"),
        ({}, 9.0, "no future"),
    ],
)
def test_a_branch_that_cannot_be_is_refused_before_its_past_is_computed_and_writes_nothing(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, overrides: dict, at_h: float, complaint: str
) -> None:
    monkeypatch.setattr("seedsoil.sim.resume._past", lambda *_: pytest.fail("the past was computed"))
    monkeypatch.setattr("seedsoil.sim.limits.free_disk", lambda _: 1)
    with pytest.raises(InputError, match=complaint):
        branch(whole, at_h=at_h, out=tmp_path / "never", overrides=overrides, report=False)
    assert not (tmp_path / "never").exists()


def test_a_branch_into_another_run_is_refused_before_its_past_is_computed(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedsoil.sim.resume._past", lambda *_: pytest.fail("the past was computed"))
    (tmp_path / "run.vtkhdf").write_text("precious")
    with pytest.raises(InputError, match="--force"):
        branch(whole, at_h=4.0, out=tmp_path, report=False)
    assert (tmp_path / "run.vtkhdf").read_text() == "precious"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the folder of a run"):
        resume(tmp_path, report=False)


def test_a_run_is_never_overwritten_unasked(tmp_path: Path) -> None:
    run(scenario(until_h=0.5), out=tmp_path / "run", report=False)
    before = digest(tmp_path / "run")
    with pytest.raises(InputError, match="--force"):
        run(scenario(until_h=0.5, rng_key=5), out=tmp_path / "run", report=False)
    assert digest(tmp_path / "run") == before
    (tmp_path / "run" / "notes.txt").write_text("mine")
    run(scenario(until_h=0.5, rng_key=5), out=tmp_path / "run", report=False, force=True)
    assert digest(tmp_path / "run") != before
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_a_branch_that_shortens_the_transit_strands_no_seed(tmp_path: Path, whole: Path) -> None:
    branch(whole, at_h=5.0, out=tmp_path / "fast", overrides={"body.transit_h": 0.1}, report=False)
    seeds = open_run(tmp_path / "fast").seeds()
    assert ((seeds.fate == 0) & (seeds.time_h < 5.0)).sum() == 0
    before = open_run(whole).seeds()
    assert ((before.time_h < 5.0) & (before.time_h > 4.0)).any()  # some were under way at the branch


def test_a_branch_keeps_the_organs(tmp_path: Path, whole: Path) -> None:
    swapped = ["body.organs={bone={share_probability=0.6},lung={share_probability=0.4}}"]
    with pytest.raises(InputError, match="keeps the organs"):
        branch(whole, at_h=5.0, out=tmp_path / "never", overrides=swapped, report=False)


def test_a_branch_of_a_branch_does_not_invent_a_past(tmp_path: Path, whole: Path) -> None:
    changed = {"motility.mesenchymal_um2_per_h": 5.0, "checkpoint.every_ticks": 10}
    branch(whole, at_h=4.0, out=tmp_path / "one", overrides=changed, report=False)
    with pytest.raises(InputError, match="itself a branch"):
        branch(tmp_path / "one", at_h=4.5, out=tmp_path / "two", report=False)


def test_a_run_stopped_while_it_closed_its_files_still_ends(tmp_path: Path, whole: Path, monkeypatch) -> None:
    from seedsoil.sim.recording import Recording

    close, calls = Recording.close, []

    def interrupted(self: Recording, at_end: dict | None) -> None:
        if not calls:
            calls.append(at_end)
            raise KeyboardInterrupt
        close(self, at_end)

    monkeypatch.setattr(Recording, "close", interrupted)
    with pytest.raises(Interrupted):
        run(scenario(), out=tmp_path / "run", report=False)
    assert open_run(tmp_path / "run").attributes["state"] == "interrupted"
    resume(tmp_path / "run", report=False)
    assert digest(tmp_path / "run") == digest(whole)
    same_record(tmp_path / "run", whole)


def test_force_removes_the_run_and_nothing_else(tmp_path: Path) -> None:
    run(scenario(until_h=0.5), out=tmp_path / "run", report=False)
    (tmp_path / "run" / "mine.tmp").mkdir()
    (tmp_path / "run" / "mine.tmp" / "data").write_text("precious")
    run(scenario(until_h=0.5, rng_key=5), out=tmp_path / "run", report=False, force=True)
    assert (tmp_path / "run" / "mine.tmp" / "data").read_text() == "precious"


def test_organs_without_room_for_their_vessels_are_refused_before_the_run(tmp_path: Path) -> None:
    small = {"organ_shape": [1, 4, 4], "organs": {"lung": {"share_probability": 1.0, "vessels": 50}}}
    with pytest.raises(InputError, match=r"body\.organs\.lung\.vessels"):
        run(scenario(body=small), out=tmp_path / "never", report=False)
    assert not (tmp_path / "never").exists()


def test_cells_cannot_hop_onto_solid_vessels(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="solid = false"):
        scenario(intravasation={"law": "arrival"}, vessels={"blood": 3, "solid": True})


@pytest.mark.parametrize(
    ("at_h", "complaint"), [(float("nan"), "finite"), (float("inf"), "finite"), (0.0, "the start")]
)
def test_a_branch_at_no_time_of_the_run_is_refused(tmp_path: Path, whole: Path, at_h: float, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        branch(whole, at_h=at_h, out=tmp_path / "never", report=False)
    assert not (tmp_path / "never").exists()


def test_a_branch_onto_its_own_run_is_refused(whole: Path) -> None:
    with pytest.raises(InputError, match="to branch from"):
        branch(whole, at_h=4.0, out=whole, force=True, report=False)
