"""Runs without a lattice that cannot end or be held: estimated, refused, warned of; and stopped where the estimate was too low."""

from pathlib import Path

import pytest

from seedsoil.sim import limits
from seedsoil.sim.body import seeds
from seedsoil.sim.body_cost import expected
from seedsoil.sim.cli.app import main
from seedsoil.sim.device import Device
from seedsoil.sim.emitting import simulation_of
from seedsoil.sim.errors import BeyondLimits, InputError
from seedsoil.sim.estimate import estimate
from seedsoil.sim.limits import refuse_what_cannot_run
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.warned import warnings_of

TEXT = """\
until_h = 3360
primary = "emission"
[emission]
start_diameter_mm = 10
doubling_h = 2400
shedding_per_h = 2e-3
exponent = 0.61
cluster_fraction = 0.1
cluster_cells_max = 5
[body]
graph = "human"
primary = "breast"
interval_h = 168
[body.colonies]
birth_per_h = 4e-3
death_per_h = 1e-3
bottleneck_cells = 1
shedding_per_h = 3e-2
[body.soil.lung]
receptive_probability = 0.01
[body.soil.regional_nodes]
receptive_probability = 0.02
[body.soil.distant_nodes]
receptive_probability = 0.02
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "costly.toml").write_text(TEXT)
    return tmp_path / "costly.toml"


@pytest.mark.parametrize("secondary", [0.0, 3e-2])
def test_colonies_are_as_many_as_estimated(path: Path, device: Device, secondary: float) -> None:
    """Within a factor of two, and of none that an estimate of ten times or a tenth of the shedding would pass."""
    changes = {"body.colonies.shedding_per_h": secondary}
    found = []
    for key in (1, 2):
        scenario = load_scenario(path, {**changes, "rng_key": key})
        simulation = simulation_of(scenario, device)
        intervals = 0
        for _ in range(scenario.ticks):
            simulation.advance()
            intervals += simulation.colonies.table.rows
        found.append(simulation.colonies.table.rows)
        told = expected(scenario)
        assert 0.5 < found[-1] / told.colonies < 2.0
        assert 0.5 < intervals / told.colony_intervals < 2.0
    for factor in (0.1, 10.0):
        other = expected(load_scenario(path, {**changes, "emission.shedding_per_h": factor * 2e-3}))
        assert not 0.5 < found[0] / other.colonies < 2.0


def test_what_colonies_found_is_counted(path: Path) -> None:
    alone, both = (expected(load_scenario(path, {"body.colonies.shedding_per_h": rate})) for rate in (0.0, 3e-2))
    assert both.colonies > 1.2 * alone.colonies


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"body.interval_h": 1e-5}, "this run would not end: some"),
        ({"until_h": 1e4, "body.interval_h": 1e-6}, "ticks, at most 4294967295 can be told apart"),
        ({"emission.shedding_per_h": 3e4}, "this run would not end: some"),
        ({"body.colonies.shedding_per_h": 1e3, "until_h": 1e4}, "more than a thousand years"),
    ],
)
def test_a_run_that_would_not_end_is_refused(path: Path, changes: dict, said: str, capsys) -> None:
    sets = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    for command in (["run", str(path), "-o", str(path.parent / "out")], ["check", str(path)]):
        assert main([*command, "--device", "cpu", *sets]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"{path}: ") and said in told and "Lower until_h" in told and "Nothing was run." in told
        assert all(key in told for key in changes if key != "until_h")
    assert [one.name for one in path.parent.iterdir()] == ["costly.toml"]


def test_colonies_that_memory_does_not_hold_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = load_scenario(path, {"emission.shedding_per_h": 20.0})
    assert estimate(many).host_bytes > 4 * 2**30
    monkeypatch.setattr(limits, "available_memory", lambda: 4 * 2**30)
    with pytest.raises(
        InputError, match=r"of memory, 4 GiB are free\n  It comes to some [\s\S]*emission\.shedding_per_h"
    ):
        refuse_what_cannot_run(many)
    refuse_what_cannot_run(load_scenario(path))


def test_a_long_run_is_warned_of(path: Path) -> None:
    assert warnings_of(load_scenario(path)) == []
    (told,) = warnings_of(load_scenario(path, {"body.interval_h": 1e-3}))
    assert told.startswith("this is a long run: some ") and "3,360,000 ticks" in told and "hours" in told


def test_a_resection_after_the_end_or_at_the_start_is_warned_of(path: Path) -> None:
    (late,) = warnings_of(load_scenario(path, {"emission.resection_h": 5000.0}))
    assert late.startswith("emission.resection_h: ") and "after the run has ended" in late
    (early,) = warnings_of(load_scenario(path, {"emission.resection_diameter_mm": 9.0}))
    assert early.startswith("emission.resection_diameter_mm: ") and "at the start" in early


@pytest.mark.parametrize("source", ["the primary", "colonies"])
def test_more_than_was_estimated_is_a_clear_stop(
    path: Path, device: Device, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """What lives on is counted before it is drawn one by one, whoever shed it."""
    rates = {"body.colonies.shedding_per_h": 0.0 if source == "the primary" else 1.0}
    simulation = simulation_of(load_scenario(path, rates), device)
    if source == "colonies":
        for _ in range(8):
            simulation.advance()
        monkeypatch.setattr(simulation.tumour, "emit", lambda *_: 0)
    monkeypatch.setattr(seeds, "_LOOKED_AT_FROM", 20)
    monkeypatch.setattr(seeds, "available_memory", lambda: 20 * seeds.LIVING_BYTES)
    with pytest.raises(BeyondLimits, match=r"too many to be held; give a smaller emission\.shedding_per_h"):
        for _ in range(10):
            simulation.advance()
