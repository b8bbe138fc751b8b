"""A body that is a graph in a run: seeds of a lattice travel, colonies grow, shed, get lattices; resumed bit for bit."""

from pathlib import Path

import numpy as np
import pytest

from seedsoil.outputs.schema import BODY_COLUMNS, BODY_SERIES
from seedsoil.sim import observe, state
from seedsoil.sim.body.seeds import Fate
from seedsoil.sim.cli.app import main
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError
from seedsoil.sim.run import run as run_scenario
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

SCENARIO = """
title = "a body"
until_h = 40
rng_key = 7
[lattice]
shape = [1, 64, 64]
voxel_um = 20
tick_h = 0.5
[implant]
cells = 500
[vessels]
kind = "points"
blood = 40
ruptured = 30
free_core_um = 20
[intravasation]
active_per_h = 2.0
passive_per_h = 5.0
companion_probability = 0.5
[body]
graph = "human"
primary = "breast"
interval_h = 12
organ_shape = [1, 64, 64]
[body.transit]
small_fraction = 0.2
[body.arrest]
self_seeding_probability = 1.0
[body.soil.breast]
adhesion_probability = 1.0
[body.gauntlet]
fall = "step"
extravasation_h = 6.0
[body.dormancy]
probability = 0.2
waking_per_h = 0.01
[body.colonies]
lattices = 2
bottleneck_cells = 1
birth_per_h = 0.15
death_per_h = 0.01
shedding_per_h = 0.3
shedding_exponent = 1.0
[body.niche]
organs = ["lung"]
half_saturation = 1e4
survival_gain = 0.5
[output]
every_h = 20
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("body") / "a-body.toml"
    path.write_text(SCENARIO)
    return path


def test_a_body_resumes_to_the_same_bits(file: Path, device: Device) -> None:
    scenario = load_scenario(file)
    whole, halves = Simulation(scenario, device), {}
    while whole.tick < scenario.ticks:
        if whole.tick in (30, 70):  # within an interval, with lattices
            arrays, numbers = state.capture(whole)
            halves[whole.tick] = ({name: np.array(array) for name, array in arrays.items()}, numbers)
        whole.advance()
    assert whole.seeds.released > 50 and whole.colonies.table.rows > 10
    assert whole.circulation.lattices() and any(name.startswith("lattice/") for name in halves[70][0])
    assert whole.seeds.returned_cells > 0 and whole.seeds.count(Fate.RETURNED) > 0
    assert (whole.colonies.table["parent"] >= 0).any()
    for arrays, numbers in halves.values():
        again = state.restore(scenario, device, arrays, numbers)
        while again.tick < scenario.ticks:
            again.advance()
        assert again.digest() == whole.digest()
        assert again.circulation.numbers() == whole.circulation.numbers()
    # a planted error: a seed that waits half a day longer comes to another state
    arrays, numbers = halves[30]
    arrays["body/journeys/due_tick"] = arrays["body/journeys/due_tick"] + 1
    other = state.restore(scenario, device, arrays, numbers)
    while other.tick < scenario.ticks:
        other.advance()
    assert other.digest() != whole.digest()
    row = observe.row(whole)
    assert set(BODY_SERIES) <= set(row)
    assert row["seeds_released"] + whole.seeds.fragments == sum(
        row[name] for name in ("seeds_in_transit", "seeds_dead", "seeds_arrested", "seeds_returned")
    )
    assert row["seeds_arrested"] == sum(
        row[name] for name in ("seeds_waiting", "colonies_dormant", "colonies_growing", "colonies_extinct")
    )


def test_the_file_has_the_body(file: Path, tmp_path: Path) -> None:
    found = run_scenario(file, out=tmp_path / "run", until_h=20.0, report=False)
    seeds, colonies = found.seeds(), found.colonies()
    assert set(BODY_COLUMNS["seeds"]) <= set(seeds) and set(BODY_COLUMNS["colonies"]) <= set(colonies)
    assert len(found.attributes["organ_names"]) == 27
    assert set(np.unique(seeds["fate"].values)) <= set(range(8))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("body.primary", "brest", "no primary 'brest' - did you mean 'breast'"),
        ("body.graph", "humman", "did you mean 'human'"),
        ("body.soil.bones.growth_factor", 1.0, "no organ 'bones' - did you mean 'bone'"),
        ("body.transit.small_fraction", 1.5, "0 to 1"),
        ("body.gauntlet.encounter_h", 0.001, "more than 1000 encounters up to full_h"),
        ("body.transit_h", 5.0, "belongs to a body without body.graph"),
        ("body.niche.organs", ["lungs"], "no organ 'lungs'"),
        ("body.interval_h", 12.3, "needs whole ticks"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_by_name(file: Path, key: str, value: object, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_scenario(file, {key: value})
    assert said in str(caught.value)
    assert "Nothing was run" in str(caught.value)


def test_check_tells_the_budget(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "breast primary, 27 organs" in told and "found a lasting colony" in told and "It can run." in told


def test_the_tables_of_a_graph_need_one() -> None:
    with pytest.raises(InputError, match=r"body\.gauntlet\n.*\n +needs a body that is a graph"):
        load_scenario("quickstart", {"body.gauntlet.encounter_h": 3.0})
