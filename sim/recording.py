"""Recording a run: which rows and frames are due, and handing them to the writer."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..outputs.layout import Layout
from ..outputs.recorder import Recorder
from ..outputs.schema import Spec
from . import observe, provenance
from .device import Device
from .resolved import resolved_rows, resolved_toml
from .scenario import Scenario
from .simulation import Simulation

# what the tables hold beyond the columns every run file has
_EXTRA = {
    "seeds": {
        "mesenchymal_cells": Spec("i4", "1", "cells of the seed with emt >= 128"),
        "source": Spec("i4", "1", "lattice it left: 0 the primary, else 1 + index into organ_names"),
        "fragment": Spec("i4", "1", "0 for a seed as it left, n for the cell that broke off as its n-th"),
    },
    "colonies": {
        "founder_cells": Spec("i4", "1", "cells that found room on arrival"),
        "z_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: z"),
        "y_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: y"),
        "x_um": Spec("f4", "um", "vessel site of arrival, in the organ's lattice: x"),
        "label": Spec("i4", "1", "value of the organ's field `colony` in this colony's cells"),
    },
}


class Recording:
    """A run's file while the run goes on. Frames fall on multiples of output.every_h, and on the end."""

    def __init__(self, path: Path, scenario: Scenario, device: Device, **recorder: Any) -> None:
        """`recorder`: passed on (mode, replace, keep_until_h)."""
        tick_h = scenario.lattice.tick_h
        self._fields = scenario.output.fields
        self._frame_ticks = max(1, round(scenario.output.every_h / tick_h))
        self._row_ticks = max(1, round(scenario.output.series_every_h / tick_h))
        self._rows: list[dict[str, float]] = []
        shape = tuple(scenario.body.organ_shape)
        layout = Layout(
            shape=scenario.lattice.shape,
            voxel_um=scenario.lattice.voxel_um,
            fields=self._fields,
            organs={name: shape for name in scenario.body.organs},
            organ_fields=tuple(dict.fromkeys((*self._fields, "colony"))) if scenario.body.organs else None,
            extra_columns=_EXTRA,
        )
        self._organ_fields = tuple(layout.organ_fields)  # type: ignore[arg-type]
        self.frames = 0  # handed over, those kept from before among them
        self.recorder = Recorder(path, layout, attributes(scenario, device), **recorder)
        self.frames = self.recorder.acknowledged

    def observe(self, run: Simulation, *, last: bool = False) -> bool:
        """Record what is due at this tick; returns whether a frame was handed over."""
        if last or run.tick % self._row_ticks == 0:
            self._rows.append(observe.row(run))
        if not last and run.tick % self._frame_ticks:
            return False
        series = {name: np.array([row[name] for row in self._rows]) for name in self._rows[0]} if self._rows else {}
        self.recorder.frame(
            run.time_h,
            observe.fields(run.primary, self._fields),
            organs={
                organ.name: observe.fields(organ.tissue, self._organ_fields)
                for organ in run.organs
                if organ.tissue is not None
            },
            tables=observe.tables(run),
            series=series,
        )
        self._rows.clear()
        self.frames += 1
        return True

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
        "organ_names": list(scenario.body.organs),
    }
