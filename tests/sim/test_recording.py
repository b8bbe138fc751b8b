"""What is recorded and how often is the scenario's choice; what is computed does not depend on it."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import bare
from seedsoil.outputs.reader import Run
from seedsoil.sim import checkpoint, observe
from seedsoil.sim.errors import InputError, Interrupted
from seedsoil.sim.estimate import CHECKPOINTS, estimate
from seedsoil.sim.recorded import FIELDS, FieldsEvery
from seedsoil.sim.resume import branch, resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario, with_overrides

OUTPUT = {
    "every_h": 1.0,
    "fields": ["cell", "emt", "vessel", "matrix", "protease"],
    "fields_every_h": {"protease": 3.0, "vessel": 10.0, "matrix": 1.0},
    "keep_bits": 12,
}

QUICKSTART_MB = {23: 142.0, 12: 75.2}  # run files of 41 frames, measured


def scenario(**output: object) -> Scenario:
    """2-D; the first colony in the lung comes between two frames of its slow fields. 7 h are 8 frames."""
    tables = {
        "until_h": 7.0,
        "rng_key": 11,
        "lattice": {"shape": [1, 48, 48], "voxel_um": 20.0, "tick_h": 0.1},
        "implant": {"kind": "scattered", "cells": 500},
        "vessels": {"blood": 40, "ruptured": 10, "free_core_um": 0.0},
        "intravasation": {"active_per_h": 0.2, "passive_per_h": 0.5},
        "body": {
            "transit_h": 0.5,
            "single_survival_probability": 0.6,
            "organ_shape": [1, 32, 32],
            "organs": {"lung": {"share_probability": 1.0}},
        },
        "output": {**OUTPUT, **output},
    }
    return Scenario.model_validate(tables)


def stop_at(tick: int):
    asked = iter(range(1, 10**9))
    return lambda: next(asked) >= tick


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("recorded") / "run"
    return run(scenario(), out=folder, report=False)


def same(one: Run, other: Run) -> None:
    for place in (None, "lung"):
        for name in ("cell", "emt", "vessel", "matrix", "protease"):
            assert one.field(name, place).equals(other.field(name, place)), (place, name)


def test_fields_are_recorded_when_the_scenario_says(recorded: Run) -> None:
    assert recorded.layout.own_times == ("protease", "vessel")  # every_h itself is no time of its own
    assert recorded.dataset().time.values.round(9).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert recorded.field("protease").time.values.round(9).tolist() == [0, 3, 6, 7]
    assert recorded.field("vessel").time.values.round(9).tolist() == [0, 7]
    first = int(recorded.organ("lung").time.values.round(9)[0])
    assert first in (1, 2)  # neither of the two is due then
    assert recorded.field("protease", "lung").time.values.round(9).tolist() == [first, 3, 6, 7]
    assert recorded.field("vessel", "lung").time.values.round(9).tolist() == [first, 7]
    assert {*map(str, recorded.organ("lung").data_vars)} == {"cell", "emt", "matrix", "colony"}
    recorded.verify()


@pytest.mark.parametrize("tick", [15, 37])
def test_a_resumed_run_records_the_same(tmp_path: Path, recorded: Run, tick: int) -> None:
    with pytest.raises(Interrupted):
        run(scenario(), out=tmp_path / "run", report=False, stop=stop_at(tick))
    same(resume(tmp_path / "run", report=False), recorded)


def test_a_branch_starts_with_every_field_and_may_choose_anew(tmp_path: Path, recorded: Run) -> None:
    other = branch(recorded.file.parent, at_h=4.0, out=tmp_path / "b", overrides={"output.keep_bits": 23}, report=False)
    assert other.field("protease").time.values.round(9).tolist() == [4, 6, 7]
    assert (other.field("protease")[-1] != recorded.field("protease")[-1]).any()
    assert (other.dataset().cell[-1] == recorded.dataset().cell[-1]).all()


def test_rounding_is_in_the_file_and_nowhere_else(tmp_path: Path, recorded: Run) -> None:
    exact = run(scenario(keep_bits=23), out=tmp_path / "run", report=False)
    digests = {json.loads((r.file.parent / "status.json").read_text())["digest"] for r in (exact, recorded)}
    assert len(digests) == 1
    for name in ("matrix", "protease"):
        given, rounded = exact.field(name).values, recorded.field(name).values
        assert (given != rounded).any()
        np.testing.assert_allclose(rounded, given, rtol=2**-13)
        assert not (rounded.view("u4") & ((1 << 11) - 1)).any()
        assert recorded.field(name).attrs["_QuantizeBitRoundNumberOfSignificantBits"] == 12
        assert "_QuantizeBitRoundNumberOfSignificantBits" not in exact.field(name).attrs
    assert exact.series().equals(recorded.series())
    (states, _), (others, _) = (checkpoint.load(checkpoint.found(r.file.parent)[0]) for r in (exact, recorded))
    assert states.keys() == others.keys()
    assert all(states[name].tobytes() == others[name].tobytes() for name in states)


def test_every_field_but_those_of_each_frame_has_a_schedule() -> None:
    assert {*FieldsEvery.model_fields} == {*FIELDS} - {"cell", "colony"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output.fields_every_h.protease": 2.5}, "needs a whole multiple of output.every_h = 1 h (got 2.5)"),
        ({"output.fields_every_h.protease": 0.5}, "needs a whole multiple of output.every_h = 1 h (got 0.5)"),
        ({"output.fields_every_h.clone": 2}, "output.fields does not hold 'clone'"),
        ({"output.fields_every_h.cell": 2}, "unknown key"),
        ({"output.fields_every_h.matrix": -1}, "at least 0"),
        ({"output.keep_bits": 0}, "1 to 23"),
        ({"output.keep_bits": 24}, "1 to 23"),
    ],
)
def test_what_makes_no_schedule_is_refused_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        with_overrides(scenario(), changes)
    [key] = changes
    assert message in str(caught.value) and key in str(caught.value)


def test_the_estimate_of_disk_space_knows_schedule_and_rounding() -> None:
    def bytes_of(**output: object) -> int:
        return estimate(scenario(**output)).disk_bytes

    usual = bytes_of()
    assert bytes_of(fields_every_h={}) > usual
    assert bytes_of(keep_bits=23) > usual > bytes_of(keep_bits=8)
    assert estimate(scenario()).frames == 8


@pytest.mark.parametrize(("keep_bits", "file_mb"), [(23, QUICKSTART_MB[23]), (12, QUICKSTART_MB[12])])
def test_the_estimate_is_about_what_quickstart_came_to(keep_bits: int, file_mb: float) -> None:
    needs = estimate(load_scenario("quickstart", {"output.keep_bits": keep_bits}))
    guess = needs.disk_bytes - CHECKPOINTS * needs.checkpoint_bytes
    assert 0.75 < guess / (file_mb * 1e6) < 1.25


@pytest.mark.parametrize("shape", [(1, 9, 7), (6, 5, 8), (300, 2, 3)])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_spread_and_emt_are_what_cell_by_cell_means_say(shape: tuple[int, int, int], share: float) -> None:
    draw = np.random.default_rng(5)
    tissue = bare(Lattice.of(shape), lattice_id=0, voxel_um=20.0)
    tissue.cell[...] = draw.random(shape) < share
    tissue.emt[...] = draw.integers(0, 256, shape)
    at = observe.tumour_at(tissue)
    emt = tissue.emt[tissue.cell == 1].astype(float)
    places = np.argwhere(tissue.cell == 1)
    squares = sum(float(((places[:, k] - (n - 1) / 2) ** 2).mean()) for k, n in enumerate(shape)) if len(at) else 0.0
    assert observe.spread_um(tissue, at) == observe.spread_um(tissue) == 20.0 * squares**0.5
    held = tissue.emt.reshape(-1)[at]
    assert observe.hybrids(held) == ((emt >= 64) & (emt <= 191)).sum()
    assert observe.mean_emt(held) == emt.mean() if len(at) else np.isnan(observe.mean_emt(held))
