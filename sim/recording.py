"""Recording a run: which rows and frames are due, and handing them to the writer."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..outputs.layout import Layout
from ..outputs.recorder import Recorder
from ..outputs.schema import (
    BODY_COLUMNS,
    BODY_SERIES,
    DUCT_SERIES,
    EMISSION_SERIES,
    FIELDS,
    ORGAN_CELLS,
    SEEDS_HELD,
    SERIES,
    SITE_SERIES,
    SOLUTE_SERIES,
    Spec,
)
from . import observe, provenance
from .clones import TRAIT_MEANINGS
from .device import Device
from .recorded import MANTISSA_BITS
from .resolved import resolved_rows, resolved_toml
from .scenario import Scenario
from .simulation import Simulation

# what the tables hold beyond the columns every run file has
_EXTRA = {
    "seeds": {
        "mesenchymal_cells": Spec("i4", "1", "cells of the seed with emt >= 128"),
        "source": Spec("i4", "1", "lattice it left: 0 the primary, else 1 + index into organ_names"),
        "fragment": Spec("i4", "1", "0 for a seed as it left, n for the cell that broke off as its n-th"),
        "cells_without_room": Spec("i4", "1", "cells that found no room on arrival and were lost"),
    },
    "colonies": {
        "founder_cells": Spec("i4", "1", "cells that found room on arrival"),
        "z_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: z"),
        "y_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: y"),
        "x_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: x"),
        "label": Spec("i4", "1", "value of the organ's field `colony` in this colony's cells"),
    },
    "clones": {
        "source": Spec(
            "i4", "1", "lattice it arose in: 0 the primary, else 1 + index into organ_names; -1 the implant"
        ),
        "cells": Spec("i8", "1", "its tumour cells on all lattices, without its descendants'"),
        "cells_in_transit": Spec("i8", "1", "its cells in seeds that are in transit"),
        **{
            name: Spec("f4", "1", f"trait: by what its cells multiply {what}; 1 is neutral")
            for name, what in TRAIT_MEANINGS.items()
        },
    },
}


class Recording:
    """A run's file while the run goes on.

    Frames fall on multiples of output.every_h, and on the end. A field of output.fields_every_h is in every
    n-th of them, in the first of each lattice, and in the last.
    """

    def __init__(self, path: Path, scenario: Scenario, device: Device, run_id: str = "", **recorder: Any) -> None:
        """`recorder`: passed on (mode, replace, keep_until_h). `run_id`: of the folder."""
        tick_h = scenario.lattice.tick_h
        output = scenario.output
        self._every_frames = {name: output.every_frames(name) for name in output.fields}
        self._frame_ticks = max(1, round(output.every_h / tick_h))
        self._row_ticks = max(1, round(output.series_every_h / tick_h))
        self._rows: list[dict[str, float]] = []
        shape = scenario.body.organ_shape
        fields = {name: _rounded(name, output.keep_bits) for name in output.fields}
        layout = Layout(
            shape=scenario.lattice.shape,
            voxel_um=scenario.lattice.voxel_um,
            fields=fields,
            organs={str(name): shape for name in scenario.body.organs},
            organ_fields={**fields, "colony": "colony"} if scenario.body.organs else None,
            series=_series(scenario),
            extra_columns=_columns(scenario),
            own_times=[name for name, every in self._every_frames.items() if every > 1],
        )
        self._layout = layout
        self.frames = 0  # handed over, those kept from before among them
        self.recorder = Recorder(path, layout, attributes(scenario, device) | {"run_id": run_id}, **recorder)
        self.frames = self.recorder.acknowledged

    def observe(self, run: Simulation, *, last: bool = False) -> bool:
        """Record what is due at this tick; returns whether a frame was handed over."""
        if last or run.tick % self._row_ticks == 0:
            self._rows.append(observe.row(run))
        if not last and run.tick % self._frame_ticks:
            return False
        series = {name: np.array([row[name] for row in self._rows]) for name in self._rows[0]} if self._rows else {}
        number = None if last else run.tick // self._frame_ticks
        self.recorder.frame(
            run.time_h,
            observe.fields(run.primary, self._due(None, number)),
            organs={
                organ.name: observe.fields(organ.tissue, self._due(organ.name, number))
                for organ in run.organs
                if organ.tissue is not None
            },
            tables=observe.tables(run),
            series=series,
        )
        self._rows.clear()
        self.frames += 1
        return True

    def _due(self, organ: str | None, number: int | None) -> tuple[str, ...]:
        """Fields in frame `number` (None: the last) of a lattice."""
        fields = self._layout.fields if organ is None else self._layout.organ_fields
        if number is None or organ not in self.recorder.begun:
            return tuple(fields)
        return tuple(name for name in fields if number % self._every_frames.get(name, 1) == 0)

    def settled(self) -> list[dict[str, float]]:
        """Wait until every frame is safe in the file; returns the rows that wait for the next one."""
        self.recorder.wait()
        return [dict(row) for row in self._rows]

    def take_up(self, rows: list[dict[str, float]]) -> None:
        """Go on with the rows that waited when the state was saved."""
        self._rows = [dict(row) for row in rows]

    def close(self, at_end: dict[str, Any] | None) -> None:
        """Close the file; `at_end` is None for a run that was interrupted."""
        self.recorder.close(at_end)


def _series(scenario: Scenario) -> dict[str, Spec | str]:
    """The columns of `observe.row`."""
    organs = {f"organ_cells.{name}": ORGAN_CELLS for name in scenario.body.organ_names}
    solutes = {name: spec for name, spec in SOLUTE_SERIES.items() if name.rpartition("_")[0] in scenario.solutes.roles}
    duct = DUCT_SERIES if scenario.matrix.texture.kind == "duct" else {}
    body = BODY_SERIES if scenario.body.graph else {}
    return {**SERIES, **duct, **organs, **solutes, **body, **_of_emission(scenario)}


def _of_emission(scenario: Scenario) -> dict[str, Spec | str]:
    """What a primary that is a number has besides: its size, blood samples by site, seeds by fate and organ."""
    if scenario.emission is None:
        return {}
    out: dict[str, Spec | str] = dict(EMISSION_SERIES)
    for site in scenario.body.anatomy.sites:
        out |= {f"{name}.{site}": spec for name, spec in SITE_SERIES.items()}
    return out | {f"seeds_held.{name}": SEEDS_HELD for name in scenario.body.organ_names}


def _columns(scenario: Scenario) -> dict[str, dict[str, Spec]]:
    """The columns of the tables that not every run file has."""
    body = BODY_COLUMNS if scenario.body.graph else {}
    return {table: {**columns, **body.get(table, {})} for table, columns in _EXTRA.items()}


def _rounded(name: str, keep_bits: int) -> Spec:
    spec = FIELDS[name]
    return replace(spec, keep_bits=keep_bits) if spec.dtype == "f4" and keep_bits < MANTISSA_BITS else spec


def attributes(scenario: Scenario, device: Device) -> dict[str, Any]:
    """What the file says of its origin."""
    return {
        "title": scenario.title,
        "scenario": scenario.source.text or resolved_toml(scenario),
        "resolved": json.dumps(resolved_rows(scenario)),
        "rng_key": str(scenario.rng_key),
        "versions": json.dumps(provenance.versions()),
        "device": provenance.machine(device),
        "commit": provenance.commit(),
        "organ_names": list(scenario.body.organ_names),
        **_graph(scenario),
    }


def _graph(scenario: Scenario) -> dict[str, str]:
    """The graph of the body, for those who draw it."""
    body = scenario.body
    return {"body": json.dumps(body.anatomy.outline(body.primary))} if body.graph else {}
