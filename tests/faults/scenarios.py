"""Five scenarios in small: three that are shipped, cut down, and two with what those lack."""

from collections.abc import Callable
from typing import Any

from seedsoil.sim.resolved import resolved_toml
from seedsoil.sim.scenario_file import load_scenario

TICKS = 60

SECONDARY = """\
title = "3-D, organs that shed in turn"
until_h = 6.0
rng_key = 3
[lattice]
shape = [10, 28, 28]
voxel_um = 20.0
tick_h = 0.1
[implant]
kind = "scattered"
cells = 700
[proliferation]
law = "hazard"
[vessels]
kind = "points"
blood = 40
ruptured = 10
lymph = 10
free_core_um = 0.0
[intravasation]
active_per_h = 0.2
passive_per_h = 0.4
companion_probability = 0.6
[body]
transit_h = 0.7
single_survival_probability = 0.4
cluster_survival_probability = 0.8
secondary_seeding = true
organ_shape = [8, 16, 16]
[body.organs.lung]
share_probability = 0.5
vessels = 20
[body.organs.bone]
share_probability = 0.5
vessels = 20
[output]
every_h = 0.8
series_every_h = 0.3
fields = ["cell", "emt", "colony", "vessel", "matrix", "protease"]
"""

CLOCK = """\
title = "2-D, all cells divide by the clock and enter vessels by arriving there"
until_h = 6.0
rng_key = 5
[lattice]
shape = [1, 60, 60]
voxel_um = 10.0
tick_h = 0.1
[implant]
kind = "scattered"
cells = 500
[motility]
law = "linear"
[proliferation]
law = "clock"
epithelial_per_h = 0.4
mesenchymal_per_h = 0.3
[vessels]
kind = "points"
blood = 40
ruptured = 12
site_voxels = 2
free_core_um = 0.0
solid = false
[intravasation]
law = "arrival"
companion_probability = 1.0
[body]
transit_h = 0.5
single_survival_probability = 0.3
cluster_survival_probability = 0.7
organ_shape = [1, 40, 40]
[body.organs.liver]
share_probability = 1.0
vessels = 15
[output]
every_h = 0.7
series_every_h = 0.2
fields = ["cell", "emt", "colony", "vessel", "matrix", "protease"]
"""

_BUSY_BODY: dict[str, Any] = {
    "body.single_survival_probability": 0.4,
    "body.cluster_survival_probability": 0.8,
    "checkpoint.every_ticks": 0,
}
_FRANSSEN: dict[str, Any] = {
    **_BUSY_BODY,
    "until_h": TICKS / 90,
    "lattice.shape": [1, 80, 80],
    "implant.kind": "scattered",
    "implant.cells": 900,
    "vessels.blood": 50,
    "vessels.ruptured": 20,
    "vessels.free_core_um": 0.0,
    "body.transit_h": 0.1,
    "body.organ_shape": [1, 48, 48],
    "output.every_h": 0.1,
    "output.series_every_h": 0.03,
}


def _shipped(name: str, changes: dict[str, Any]) -> Callable[[], str]:
    return lambda: resolved_toml(load_scenario(name, changes))


SCENARIOS: dict[str, Callable[[], str]] = {
    "franssen2019": _shipped("franssen2019", _FRANSSEN),
    "metaspread-default": _shipped("metaspread-default", {**_FRANSSEN, "body.organ_shape": [1, 32, 32]}),
    "quickstart": _shipped(
        "quickstart",
        {
            **_BUSY_BODY,
            "until_h": 6.0,
            "lattice.shape": [12, 28, 28],
            "implant.kind": "scattered",
            "implant.cells": 900,
            "vessels.blood": 8,
            "vessels.free_core_um": 0.0,
            "vessels.margin_um": 0.0,
            "intravasation.active_per_h": 0.1,
            "body.transit_h": 0.6,
            "body.organ_shape": [8, 16, 16],
            "output.every_h": 1.0,
            "output.series_every_h": 0.3,
        },
    ),
    "secondary seeding": lambda: SECONDARY,
    "clock and arrival": lambda: CLOCK,
}
