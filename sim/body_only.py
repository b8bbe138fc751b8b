"""What a scenario without a lattice is: `primary = "emission"`, an `[emission]` table, and a body that is a graph.

The run file still needs a lattice: it gets one of one voxel, in which one cell stands for the whole primary. A tick is an
interval of the body (`body.interval_h`), or a whole part of one that is longer than 1000 h.
"""

import math
from typing import Any

from ..kernels.draws import key_of
from ..kernels.parameters import Parameters
from .body.emission import Law

EMISSION = "emission"
TICK_MAX_H = 1000.0
FRAME_TICKS = 52
INTERVAL_H = 24.0  # default of body.interval_h
STAND_IN: dict[str, dict[str, Any]] = {
    "lattice": {"shape": [1, 1, 1]},
    "implant": {"cells": 1, "mesenchymal_fraction": 0.0},
    "vessels": {"kind": "none"},
    "output": {"fields": ["cell"]},
}
# the tables that mean something without a lattice, besides those of the stand-in
_OF_BODY = ("emission", "body", "output", "checkpoint")


def whole(given: Any) -> Any:
    """The raw tables of a scenario, with what stands for a lattice in one that has none."""
    if not isinstance(given, dict) or given.get("primary") != EMISSION:
        return given
    out = {"emission": {}, **given}
    for name, values in STAND_IN.items():
        held = out.get(name)
        if held is None or (isinstance(held, dict) and name != "lattice"):
            out[name] = {**values, **(held or {})}
    step_h = tick_h(given.get("body"))
    if isinstance(out["output"], dict):  # a frame holds the tables only: once in some fifty ticks, a row in each
        out["output"] = {"every_h": FRAME_TICKS * step_h, "series_every_h": step_h, **out["output"]}
    if "lattice" not in given:
        out["lattice"] = {**STAND_IN["lattice"], "tick_h": step_h}
    return out


def tick_h(body: Any) -> float:
    """The interval, or a whole part of a long one; whatever is out of its range is refused elsewhere."""
    interval_h = body.get("interval_h", INTERVAL_H) if isinstance(body, dict) else INTERVAL_H
    if not isinstance(interval_h, int | float) or not 1e-6 <= interval_h < math.inf:
        return TICK_MAX_H
    return float(interval_h) / math.ceil(interval_h / TICK_MAX_H)


def check(scenario: Any) -> bool:
    """Is this `scenario.Scenario` without a lattice? Raises ValueError, naming the key, if its tables do not fit."""
    if scenario.primary != EMISSION:
        if scenario.emission is not None:
            raise ValueError(
                'emission: a primary on a lattice sheds by itself; give primary = "emission" (before the first table) '
                "for one that is a number"
            )
        if scenario.body.colonies is not None and scenario.body.colonies.surgery_vessels_probability > 0:
            raise ValueError(
                "body.colonies.surgery_vessels_probability: a primary on a lattice is not taken out; give 0, or primary = "
                '"emission"'
            )
        return False
    if not scenario.body.graph:
        raise ValueError('body.graph: primary = "emission" needs a body that is a graph, e.g. graph = "human"')
    if not scenario.body.primary:
        raise ValueError(
            'body.primary: primary = "emission" sheds from a primary of the graph, e.g. primary = "breast"'
        )
    if scenario.body.colonies.lattices > 0:
        raise ValueError(
            'body.colonies.lattices: primary = "emission" has no tissue for colonies to grow in; give 0, or take it away'
        )
    if scenario.lattice.shape != (1, 1, 1):
        raise ValueError('lattice.shape: primary = "emission" has no lattice; take [lattice] away')
    if abs(scenario.lattice.tick_h - tick_h({"interval_h": scenario.body.interval_h})) > 1e-9:
        raise ValueError(
            'lattice.tick_h: with primary = "emission" the tick follows from body.interval_h; take [lattice] away'
        )
    for name, table in scenario:
        if not isinstance(table, Parameters) or name in (*_OF_BODY, "lattice"):
            continue
        usual = type(table).model_validate(STAND_IN.get(name, {}))
        if table != usual:
            raise ValueError(f'{name}: has no part in a run with primary = "emission"; take [{name}] away')
    key = key_of(scenario.rng_key)
    Law.of(scenario.emission, key).refuse(scenario.ticks, scenario.lattice.tick_h)
    return True
