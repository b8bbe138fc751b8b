"""The shipped scenarios: they load, fit a small machine, and the presets hold the published numbers."""

import math

import pytest

from seedsoil.sim.estimate import estimate
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario, shipped_scenarios
from seedsoil.sim.warned import warnings_of

NAMES = sorted(shipped_scenarios())
# Franssen et al. 2019: time and length scale, cells a site
TAU_H, LENGTH_UM, CELLS_A_SITE = 4e4 / 3600, 2000.0, 4
PRESETS = ("franssen2019", "metaspread-default")


def test_they_are_there() -> None:
    assert {"immune", "quickstart", "spheroid", *PRESETS} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_loads_and_runs_on_a_laptop(name: str) -> None:
    scenario = load_scenario(name)
    needs = estimate(scenario)
    assert needs.host_bytes < 4 * 2**30
    assert needs.disk_bytes < 2**30
    assert warnings_of(scenario) == []
    assert scenario.ticks * scenario.lattice.tick_h == pytest.approx(scenario.until_h)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_is_what_to_expect_and_how_long_it_takes(name: str) -> None:
    text = shipped_scenarios()[name]
    head = text[: text.index("\ntitle")]
    assert text.startswith("#:schema seedsoil.schema.json\n# ")
    assert "\n# Expect: " in head and "\n# Wall time class: " in head
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_hold_the_published_numbers(name: str) -> None:
    scenario = load_scenario(name)
    lattice, um2_per_h = scenario.lattice, LENGTH_UM**2 / TAU_H
    assert lattice.tick_h == pytest.approx(1e-3 * TAU_H, rel=1e-15)
    assert lattice.shape == (1, 402, 402) and lattice.voxel_um * 2 == 10  # 201 sites of 10 um, 2 x 2 voxels each
    assert (scenario.implant.cells, scenario.implant.mesenchymal_fraction) == (97 * CELLS_A_SITE, 0.6)
    assert scenario.motility.law == "linear"
    assert scenario.motility.mesenchymal_um2_per_h == pytest.approx(1e-4 * um2_per_h)
    assert scenario.motility.epithelial_um2_per_h == pytest.approx(5e-5 * um2_per_h)
    assert scenario.motility.haptotaxis_um2_per_h == pytest.approx(5e-4 * um2_per_h)
    assert scenario.solutes.protease.diffusivity_um2_per_h == pytest.approx(1e-3 * um2_per_h)
    assert scenario.solutes.protease.decay_per_h == pytest.approx(0.1 / TAU_H)
    # per cell of a site of four; a voxel has one cell in a quarter of the area
    assert scenario.solutes.protease.secretion_per_h == pytest.approx(CELLS_A_SITE * 0.195 / TAU_H)
    assert scenario.matrix.contact_per_h == pytest.approx(CELLS_A_SITE * 1.0 / TAU_H)
    assert scenario.matrix.soluble_per_h == pytest.approx(1.0 / TAU_H)
    assert scenario.body.transit_h / lattice.tick_h == pytest.approx(180)
    assert scenario.body.breakup_probability == 0.5
    assert scenario.body.single_survival_probability == 5e-4
    assert scenario.body.cluster_survival_probability == 0.025
    assert (scenario.vessels.kind, scenario.vessels.blood, scenario.vessels.ruptured) == ("points", 10, 2)
    assert scenario.vessels.site_voxels == 2 and not scenario.vessels.solid
    assert math.pi * (scenario.vessels.free_core_um / 10) ** 2 == pytest.approx(200, rel=2e-3)
    assert (scenario.intravasation.law, scenario.intravasation.cluster_cells_max) == ("arrival", 5 * CELLS_A_SITE)
    assert scenario.intravasation.companion_probability == 1.0
    assert scenario.body.organ_shape == lattice.shape
    assert {organ.vessels for organ in scenario.body.organs.values()} == {10}
    assert not scenario.body.secondary_seeding


def doubling_ticks(scenario: Scenario) -> tuple[float, float]:
    rates = scenario.proliferation
    assert rates.law == "clock"
    return tuple(1 / rate / scenario.lattice.tick_h for rate in (rates.epithelial_per_h, rates.mesenchymal_per_h))  # type: ignore[return-value]


def test_the_presets_differ_in_who_divides_faster_and_where_seeds_go() -> None:
    franssen, metaspread = (load_scenario(name) for name in PRESETS)
    assert doubling_ticks(franssen) == pytest.approx((2000, 3000))
    assert doubling_ticks(metaspread) == pytest.approx((3000, 2000))
    shares = {name: organ.share_probability for name, organ in franssen.body.organs.items()}
    assert shares == {"bone": 0.5461, "lung": 0.2553, "liver": 0.1986}
    assert [organ.share_probability for organ in metaspread.body.organs.values()] == [0.75, 0.25]


def test_the_quickstart_is_three_dimensional_and_says_that_it_is_accelerated() -> None:
    scenario = load_scenario("quickstart")
    assert scenario.lattice.shape[0] > 1 and scenario.body.organ_shape[0] > 1
    assert set(scenario.body.organs) == {"liver", "lung", "bone"}
    assert "accelerated" in scenario.title
    assert "ACCELERATED so that the whole cascade happens in ten days" in (scenario.source.text or "")
