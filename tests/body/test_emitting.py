"""A run without a lattice: its books, its bits, its statistics, and what it refuses."""

import math
from pathlib import Path

import numpy as np
import pytest

from seedsoil.outputs.reader import open_run
from seedsoil.sim import resume as resuming
from seedsoil.sim.body.seeds import DEAD, Fate
from seedsoil.sim.device import Device
from seedsoil.sim.emitting import Emitting, simulation_of
from seedsoil.sim.errors import IdentityBroken, InputError
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario

WEEK = 168.0
TEXT = """
title = "a patient"
primary = "emission"
until_h = 5040.0
rng_key = 5

[emission]
start_diameter_mm = 10.0
doubling_h = 2400.0
shedding_per_h = 2e-3
exponent = 0.61
cluster_fraction = 0.1
cluster_cells_mean = 3.0
cluster_cells_max = 5

[body]
graph = "human"
primary = "breast"
interval_h = 168.0

[body.colonies]
birth_per_h = 0.004
death_per_h = 0.001
bottleneck_cells = 1
shedding_per_h = 1e-3

[body.soil.lung]
receptive_probability = 0.01

[body.soil.regional_nodes]
receptive_probability = 0.02

[body.soil.distant_nodes]
receptive_probability = 0.02

[output]
every_h = 1680.0
series_every_h = 168.0
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("emitting") / "patient.toml"
    place.write_text(TEXT)
    return str(place)


def scenario_of(file: str, **changes: object) -> Scenario:
    return load_scenario(file, {name.replace("__", "."): value for name, value in changes.items()})


def advanced(scenario: Scenario, device: Device, ticks: int) -> Emitting:
    simulation = simulation_of(scenario, device)
    assert isinstance(simulation, Emitting)
    for _ in range(ticks):
        simulation.advance()
    return simulation


def test_a_patient_has_the_folder_of_any_run_and_resumes_to_the_same_bits(file: str, tmp_path, device: Device) -> None:
    asked = iter([False] * 12 + [True])
    with pytest.raises(Exception, match="interrupted"):
        run(file, out=tmp_path / "stopped", stop=lambda: next(asked), report=False)
    stopped = resuming.resume(tmp_path / "stopped", report=False)
    whole = run(file, out=tmp_path / "whole")
    assert stopped.attributes["digest"] == whole.attributes["digest"]
    one, other = whole.series(), stopped.series()
    assert set(one) == set(other)
    assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)
    again = open_run(tmp_path / "whole")
    seeds, colonies = again.seeds(), again.colonies()
    assert seeds.sizes["seed"] > 100
    assert colonies.sizes["colony"] > 50
    assert (colonies["parent"].values >= 0).any()  # metastases of metastases
    assert one["seeds_released"].values[-1] > 1e5
    assert (tmp_path / "whole" / "report.html").stat().st_size > 1e5
    for name in ("scenario.toml", "resolved.toml", "status.json", "log.txt"):
        assert (tmp_path / "whole" / name).is_file()
    resolved = load_scenario(tmp_path / "whole" / "resolved.toml")
    assert resolved == scenario_of(file)


def test_every_seed_is_in_the_books_and_a_lost_one_is_seen(file: str, device: Device) -> None:
    simulation = advanced(scenario_of(file), device, 6)
    held = simulation.circulation
    dead = held.counted(*DEAD) + simulation.seeds.count(*DEAD)
    alive = simulation.seeds.count(Fate.ARRESTED, Fate.DORMANT, Fate.COLONY, Fate.RETURNED)
    assert dead + alive == simulation.seeds.released
    assert held.counted(Fate.DIED_IN_TRANSIT) > 1000 and held.counted(Fate.DIED_AFTER_ARREST) > 1000
    held.metastases.counted["seeds"][np.flatnonzero(held.metastases.counted["seeds"])[0]] -= 1
    with pytest.raises(IdentityBroken, match="seed ledger"):
        simulation.advance()


def test_the_books_count_cells_too(file: str, device: Device) -> None:
    simulation = advanced(scenario_of(file), device, 2)
    counted = simulation.circulation.metastases.counted
    counted["cells"][np.flatnonzero(counted["cells"])[0]] += 1
    with pytest.raises(IdentityBroken, match="books of seeds"):
        simulation.advance()


def test_seeds_and_cells_follow_the_law(file: str, device: Device) -> None:
    simulation = advanced(scenario_of(file, body__colonies__shedding_per_h=0.0), device, 10)
    law = simulation.tumour.law
    expected = law.expected(0, 10 * WEEK)
    assert abs(simulation.seeds.released - expected) < 4 * math.sqrt(expected)
    other = law.per_h * law.course.integral(0.60, 0, 10 * WEEK)  # planted: another exponent
    assert abs(simulation.seeds.released - other) > 4 * math.sqrt(other)
    assert simulation.cells == round(float(law.course.cells(10 * WEEK)))
    per_seed = (law.share_of_size * np.arange(1, 6)).sum()
    assert simulation.seeds.released_cells / simulation.seeds.released == pytest.approx(per_seed, rel=0.02)


def test_rows_are_as_many_as_seeds_that_live_on(file: str, device: Device) -> None:
    """Against the outcomes multiplied out; and clusters have their share of them, larger than among all seeds."""
    simulation = advanced(scenario_of(file, body__colonies__shedding_per_h=0.0), device, 10)
    found, fates = simulation.tumour._outcomes(0.0)
    law = simulation.tumour.law
    of_size = law.expected(0, 10 * WEEK) * law.share_of_size * fates.probability[:, found.lives].sum(axis=1)
    cells = simulation.seeds.table["cells"]
    for size, mean in enumerate(of_size, start=1):
        assert abs((cells == size).sum() - mean) < 4 * math.sqrt(mean) + 1e-9
    assert of_size[0] / of_size.sum() < law.share_of_size[0] - 0.05
    organ = simulation.seeds.table["organ"]
    lung = simulation.circulation.steps.anatomy.organs.index("lung")
    share = fates.probability[:, found.lives & (found.organ == lung)].sum(axis=1)
    mean = float((law.expected(0, 10 * WEEK) * law.share_of_size * share).sum())
    assert abs((organ == lung).sum() - mean) < 4 * math.sqrt(mean)


def test_no_shedding_is_exactly_nothing(file: str, device: Device) -> None:
    simulation = advanced(scenario_of(file, emission__shedding_per_h=0.0), device, 5)
    assert simulation.seeds.released == simulation.seeds.table.rows == simulation.colonies.table.rows == 0
    assert simulation.cells > simulation._table.start_cells  # and it grows


def test_a_resected_primary_is_gone_and_colonies_go_on(file: str, device: Device) -> None:
    simulation = advanced(scenario_of(file, emission__resection_h=4 * WEEK), device, 4)
    assert simulation.cells == 0
    shed = simulation.seeds.released
    before = simulation.circulation.cells_by_organ().sum()
    simulation.advance()
    row = simulation.observed()
    assert row["primary_diameter_mm"] == 0
    assert row["ctc_from_metastases"] == pytest.approx(1.0)
    for _ in range(4):
        simulation.advance()
    assert simulation.circulation.cells_by_organ().sum() > before
    lost = simulation.seeds.released - shed  # by colonies alone, far less than the primary's
    assert lost < 0.5 * shed


def test_blood_is_flux_over_flow_at_every_site(file: str, device: Device) -> None:
    """C V = S T_res, by the chain of each kind; portal blood has least of a breast tumour's."""
    simulation = advanced(scenario_of(file, body__colonies__shedding_per_h=0.0), device, 3)
    row = simulation.observed()
    steps, law = simulation.circulation.steps, simulation.tumour.law
    per_h = simulation.tumour.shedding_per_h(3)
    from seedsoil.sim.body.passage import KINDS, share_of

    for site in steps.anatomy.sites:
        by_hand = 0.0
        for kind in KINDS:
            of_size = law.share_of_size[0] if not kind.cluster else 1 - law.share_of_size[0]
            share = share_of(steps.transit, kind) * of_size
            by_hand += 7.5 * steps.chain(kind).sampled_per_mL(share * per_h, "breast")[site] if share else 0.0
        assert row[f"ctc_mean.{site}"] == pytest.approx(by_hand, rel=1e-9)
    assert row["ctc_mean.portal"] < row["ctc_mean.central_venous"]
    assert row["ctc_from_metastases"] == 0


@pytest.mark.parametrize(
    ("without", "changed", "named"),
    [
        ("", {"lattice.shape": [2, 2, 2]}, "lattice.shape"),
        ("", {"implant.cells": 7}, "implant"),
        ("", {"motility.epithelial_um2_per_h": 3.0}, "motility"),
        ("", {"body.primary": "elbow"}, "body.primary"),
        ("", {"body.colonies.lattices": 2}, "body.colonies.lattices"),
        ("", {"emission.cluster_fraction": 1.5}, "emission.cluster_fraction"),
        ("", {"emission.shedding_per_h": 1e8}, "emission.shedding_per_h"),
        ("", {"emission.doubling_h": 24.0}, "emission.doubling_h"),
        ("", {"body.colonies.birth_per_h": 10.0, "body.interval_h": 24.0}, "body.colonies"),
        ("", {"primary": "lattice"}, "lattice"),
        (
            "",
            {"primary": "lattice", "lattice.shape": [1, 32, 32], "implant.cells": 3, "vessels.kind": "none"},
            "emission",
        ),
        ('primary = "breast"\n', {}, "body.primary"),
    ],
)
def test_what_is_no_run_without_a_lattice_is_refused_by_name(without: str, changed: dict, named: str, tmp_path) -> None:
    place = tmp_path / "bad.toml"
    place.write_text(TEXT.replace(without, ""))
    with pytest.raises(InputError, match=named.replace(".", r"\.")):
        load_scenario(place, changed)


def test_a_branch_that_would_rewrite_the_primary_s_past_is_refused(file: str, tmp_path: Path) -> None:
    run(scenario_of(file, until_h=10 * WEEK), out=tmp_path / "run", report=False)
    for change in ("emission.start_diameter_mm=20", "emission.doubling_h=1200", "emission.resection_h=168"):
        with pytest.raises(InputError, match=change.split("=")[0]):
            resuming.branch(tmp_path / "run", at_h=5 * WEEK, out=tmp_path / "other", overrides=[change], report=False)
        assert not (tmp_path / "other").exists()
    resuming.branch(
        tmp_path / "run",
        at_h=5 * WEEK,
        out=tmp_path / "cut",
        overrides=[f"emission.resection_h={8 * WEEK}"],
        report=False,
    )
    cells = open_run(tmp_path / "cut").series().tumour_cells
    assert cells.sel(tick_time=5 * WEEK) == open_run(tmp_path / "run").series().tumour_cells.sel(tick_time=5 * WEEK)
    assert cells[-1] < cells.max()
