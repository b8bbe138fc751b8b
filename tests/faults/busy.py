"""A scenario of a second or two in which much happens, and the comparison of two of its records."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from seedsoil.outputs import recovery
from seedsoil.outputs.reader import Run, open_run

TICKS = 40
FRAMES = 21
CHECKPOINT_TICKS = 3
SCENARIO = """\
title = "small and busy"
until_h = 4.0
rng_key = 11
[lattice]
shape = [1, 64, 64]
voxel_um = 20.0
tick_h = 0.1
[implant]
kind = "scattered"
cells = 900
[vessels]
blood = 60
ruptured = 20
free_core_um = 0.0
[intravasation]
active_per_h = 0.2
passive_per_h = 0.5
companion_probability = 0.7
[body]
transit_h = 1.0
single_survival_probability = 0.4
cluster_survival_probability = 0.8
secondary_seeding = true
organ_shape = [1, 64, 64]
[body.organs.lung]
share_probability = 0.6
[body.organs.bone]
share_probability = 0.4
[output]
every_h = 0.2
series_every_h = 0.1
fields = ["cell", "emt", "colony", "vessel", "matrix", "protease"]
[checkpoint]
every_ticks = 3
"""


def digest(folder: Path) -> str:
    """Of a finished run, from its status and from its file, which must agree."""
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "done"
    assert open_run(folder).attributes["digest"] == status["digest"]
    return status["digest"]


Recorded = dict[str, np.ndarray]


def recorded(run: Run) -> Recorded:
    """All that a run recorded, by path. Fields and times come straight from the file: `content` takes seconds."""
    found: Recorded = {}
    with recovery.open_file(str(run.file)) as file:
        for group, (_, fields) in run.layout.grids().items():
            for name in ("time", *fields):
                found[f"{group or 'primary'}/{name}"] = file[f"{group}/{name}"][: run._frames(group)]
    tables = {"series": run.series(), "seeds": run.seeds(), "colonies": run.colonies(), "clones": run.clones()}
    for name, table in tables.items():
        found |= {f"{name}/{column}": table[column].values for column in table.variables}
    return found


def deviation(found: Recorded, whole: Recorded, *, so_far: bool = False) -> str:
    """The first path under which a record differs from what it should hold, bit for bit; empty if none does.

    `so_far` as in `difference`.
    """
    if found.keys() != whole.keys():
        return ", ".join(sorted(found.keys() ^ whole.keys()))
    for path, expected in whole.items():
        if so_far:
            if path.startswith(("seeds/", "colonies/", "clones/")):
                continue
            expected = expected[: len(found[path])]
        values = found[path]
        if values.dtype != expected.dtype or values.shape != expected.shape or values.tobytes() != expected.tobytes():
            return path
    return ""


def content(run: Run) -> dict[str, xr.Dataset]:
    """All that a run recorded, as the reader shows it, in memory."""
    parts = {"primary": run.dataset(), **{name: run.organ(name) for name in run.layout.organs}}
    loaded = {}
    for name, part in parts.items():
        with part:
            loaded[name] = part.load()
    return loaded | {"series": run.series(), "seeds": run.seeds(), "colonies": run.colonies(), "clones": run.clones()}


def difference(run: Run, whole: dict[str, xr.Dataset], *, so_far: bool = False) -> str:
    """What of a run differs from what it should hold, value for value; empty if nothing.

    With `so_far` it may end earlier: its frames, rows of the series and times are the first of the whole.
    Tables are then left out, since rows of seeds and colonies change.
    """
    found = content(run)
    for name, expected in whole.items():
        if so_far and name in ("seeds", "colonies", "clones"):
            continue
        dimension = {"series": "tick_time"}.get(name, "time")
        if so_far:
            expected = expected.isel({dimension: slice(found[name].sizes[dimension])})
        for variable in expected.variables:
            if not _same(found[name][variable], expected[variable]):
                return f"{name}/{variable}"
    return ""


def _same(one: xr.DataArray, other: xr.DataArray) -> bool:
    a, b = one.values, other.values
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() and _labels(one) == _labels(other)


def _labels(array: xr.DataArray) -> dict[str, Any]:
    return {k: v.tolist() if isinstance(v, (np.ndarray, np.generic)) else v for k, v in array.attrs.items()}


def assert_holds(folder: Path, whole: Recorded, acknowledged: int) -> int:
    """A run that was stopped opens, with every acknowledged frame and nothing torn; returns its frames."""
    run = open_run(folder)
    assert run.frames >= acknowledged, f"{acknowledged - run.frames} acknowledged frames are lost"
    run.verify()
    torn = deviation(recorded(run), whole, so_far=True)
    assert not torn, f"{torn} is not what the uninterrupted run recorded"
    return run.frames


def assert_is(folder: Path, whole: Recorded, its_digest: str) -> None:
    """A run that went on is the uninterrupted one: digest, every value, no frame twice."""
    status = json.loads((folder / "status.json").read_text())
    run = open_run(folder)
    assert status["state"] == "done" and run.attributes["state"] == "finished"
    assert status["digest"] == run.attributes["digest"] == its_digest
    found = recorded(run)
    assert not (wrong := deviation(found, whole)), f"{wrong} is not what the uninterrupted run recorded"
    assert (np.diff(found["primary/time"]) > 0).all()
