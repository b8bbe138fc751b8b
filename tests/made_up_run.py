"""A made-up run with everything in it, written as a run folder by the real recorder.

A ball of cells grows between vessels, eats the matrix and sheds seeds; some arrive in two organs.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from seedsoil.outputs.layout import Layout
from seedsoil.outputs.recorder import Recorder
from seedsoil.outputs.schema import Spec

RESOLVED = [
    {"name": "title", "value": "t", "unit": "-", "source": "the scenario's choice", "status": "given"},
    {"name": "until_h", "value": 240.0, "unit": "h", "source": "the scenario's choice", "status": "given"},
    {"name": "rng_key", "value": 7, "unit": "1", "source": "the scenario's choice", "status": "default"},
    {"name": "lattice.voxel_um", "value": 20.0, "unit": "um", "source": "one cell a voxel", "status": "default"},
    {"name": "motility.hop_per_h", "value": 0.036, "unit": "1/h", "source": "Franssen 2019", "status": "default"},
    {"name": "intravasation.active_per_h", "value": 0.02, "unit": "1/h", "source": "assumed", "status": "default"},
    {"name": "body.organs.lung.share_probability", "value": 0.6, "unit": "1", "source": "assumed", "status": "given"},
]


def tissue(
    shape: tuple[int, int, int], radius: float, key: int, at: tuple[float, ...] | None = None
) -> dict[str, np.ndarray]:
    """Fields of a lattice with a tumour of `radius` voxels, ragged and shedding, around `at`."""
    draws = np.random.Generator(np.random.Philox(key))
    z, y, x = np.indices(shape)
    centre = at or tuple((n - 1) / 2 for n in shape)
    away = np.sqrt((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
    turn = np.arctan2(y - centre[1], x - centre[2])
    front = radius * (1 + 0.16 * np.sin(5 * turn) + 0.1 * np.sin(3 * turn + z / 6))
    dense = away < front
    stray = (away < 1.7 * front) & (draws.random(shape) < 0.06 * np.exp(-(away - front) / max(radius, 1) * 2.5))
    protease_reach = 0.35 * radius + 1
    fixed = np.random.Generator(np.random.Philox(99))
    vessel = np.zeros(shape, np.uint8)
    for k in range(8):
        j, i = (int(v) for v in fixed.integers(3, np.array(shape[1:]) - 3))
        vessel[:, j, i] = 1 if k < 6 else 2
        if k == 0:
            vessel[shape[0] // 2, j, i] |= 8
    cell = ((dense & (draws.random(shape) < 0.9)) | stray).astype(np.uint8)
    cell[vessel > 0] = 0
    mesenchymal = draws.random(shape) < np.clip(0.1 + 0.8 * (away - 0.55 * front) / max(radius, 1), 0.04, 0.95)
    emt = np.where((cell == 1) & mesenchymal, 255, 0).astype(np.uint8)
    protease = np.exp(-((np.maximum(away - 0.8 * front, 0) / protease_reach) ** 2)) * 0.8 * (radius > 0)
    matrix = 1 - 0.9 / (1 + np.exp((away - 1.05 * front) / 1.5)) * (radius > 0)
    return {
        "cell": cell,
        "emt": emt,
        "vessel": vessel,
        "matrix": matrix.astype(np.float32),
        "protease": protease.astype(np.float32),
        "clone": (cell * (1 + (turn > 0))).astype(np.uint32),
        "colony": np.zeros(shape, np.uint16),
    }


def organ_tissue(shape: tuple[int, int, int], sizes: list[float]) -> dict[str, np.ndarray]:
    """An organ's lattice with a colony of each size, labelled 1, 2, ..."""
    fields = tissue(shape, 0.0, 3)
    fields["cell"][:] = 0
    for label, size in enumerate(sizes, start=1):
        if size <= 0:
            continue
        spot = (shape[0] / 2, shape[1] * (0.2 + 0.27 * label), shape[2] * (0.75 - 0.22 * label))
        one = tissue(shape, size, label, spot)
        mine = (one["cell"] == 1) & (fields["cell"] == 0)
        fields["cell"][mine], fields["colony"][mine] = 1, label
        fields["emt"][mine] = one["emt"][mine]
        fields["matrix"] = np.minimum(fields["matrix"], one["matrix"])
    return fields


def seeds_table(count: int, until_h: float, side_um: float, organs: int) -> dict[str, np.ndarray]:
    """Seeds that leave ever faster; nearly all die."""
    draws = np.random.Generator(np.random.Philox(5))
    time_h = np.sort(until_h * draws.random(count) ** 0.4)
    fate = np.where(draws.random(count) < 0.985, 1, 2).astype(np.uint8)
    fate[time_h > until_h - 2] = 0
    survivors = np.flatnonzero(fate == 2)
    if not organs:
        fate[survivors], survivors = 1, survivors[:0]
    fate[survivors] = draws.choice([3, 4, 5, 5, 5, 7], len(survivors))
    organ = np.where(fate >= 2, draws.choice([0, 0, 1], count), -1).astype(np.int16)
    cells = np.minimum(1 + draws.geometric(0.6, count) - 1, 12)
    return {
        "time_h": time_h,
        "z_um": draws.normal(side_um / 2, side_um / 14, count).astype(np.float32),
        "y_um": draws.normal(side_um / 2, side_um / 9, count).astype(np.float32),
        "x_um": draws.normal(side_um / 2, side_um / 9, count).astype(np.float32),
        "cells": cells.astype(np.int32),
        "clone": draws.integers(1, 3, count).astype(np.uint32),
        "emt": np.full(count, 255, np.uint8),
        "route": (draws.random(count) < 0.2).astype(np.uint8),
        "fate": fate,
        "organ": organ,
        "arrest_h": np.where(fate >= 2, time_h + 2, np.nan),
        "colony": np.where(fate == 5, np.cumsum(fate == 5) - 1, -1).astype(np.int64),
    }


def colonies_of(seeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    founders = np.flatnonzero(seeds["fate"] == 5)
    count, organ = len(founders), seeds["organ"][founders]
    cells = (np.arange(count) % 7 * 90 + (np.arange(count) % 3 > 0) * 14).astype(np.int64)
    return {
        "organ": organ,
        "label": np.array([(organ[: k + 1] == organ[k]).sum() for k in range(count)], np.int32),
        "founded_h": seeds["arrest_h"][founders],
        "founder_seed": founders.astype(np.int64),
        "clone": seeds["clone"][founders],
        "cells": cells,
        "state": np.where(cells > 0, 2, 3).astype(np.uint8),
        "diameter_mm": (0.02 * np.cbrt(np.maximum(cells, 0) * 6 / np.pi)).astype(np.float32),
    }


def series_of(
    until_h: float, organs: list[str], seeds: dict[str, np.ndarray], rows: int = 400
) -> dict[str, np.ndarray]:
    at = np.linspace(until_h / rows, until_h, rows)
    growth = 400 * np.exp(at / until_h * 2.6)
    share = 0.3 + 0.25 * at / until_h
    flow = {"born": growth * 3e-3, "died": growth * 4e-4, "moved": growth * 0.1, "departed": growth * 2e-4}
    left = np.searchsorted(seeds["time_h"], at)
    out: dict[str, Any] = {
        "tick_time": at,
        "tumour_cells": growth,
        "mesenchymal_cells": growth * share,
        "epithelial_cells": growth * (1 - share),
        **flow,
        "arrived": 0 * at,
        "seeds_released": left,
        "seeds_in_transit": 1 + left % 5,
        "seeds_dead": left * 0.98,
        "seeds_arrested": left * 0.02,
        "colonies_growing": at // 60,
        "colonies_extinct": at // 100,
        "protease_total": growth * 0.7,
        "protease_max": 0.2 + 0.5 * at / until_h,
        "matrix_min": 1 - 0.9 * at / until_h,
        "matrix_lost": growth * 1.1,
        "invasion_rms_um": 90 + 190 * at / until_h,
    }
    for k, name in enumerate(organs):
        out[f"organ_cells.{name}"] = np.where(at > 80 + 60 * k, 3 * np.exp((at - 80 - 60 * k) / 30), 0)
    real = ("tick", "protease", "matrix", "invasion")
    return {
        name: np.asarray(values, float) if name.startswith(real) else np.round(values).astype(np.int64)
        for name, values in out.items()
    }


def write(
    folder: Path,
    shape: tuple[int, int, int] = (48, 64, 64),
    frames: int = 6,
    until_h: float = 240.0,
    organs: tuple[str, ...] = ("lung", "liver", "bone"),
    seeds: int = 900,
    title: str = "A made-up run",
    finished: bool = True,
    fields: tuple[str, ...] = ("cell", "emt", "vessel", "matrix", "protease"),
    cells: bool = True,
) -> Path:
    """Write a run folder; the last organ never gets a seed. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    scenario = (
        f"title = 't'\nuntil_h = {until_h}  # long enough\n[body.organs.lung]\nshare_probability = 0.6 # assumed\n"
    )
    organ_shape = tuple(max(1, n // 2) for n in shape)
    layout = Layout(
        shape=shape,
        voxel_um=20.0,
        fields=fields,
        organs=dict.fromkeys(organs, organ_shape),
        organ_fields=(*fields, "colony"),
        extra_columns={"colonies": {"label": Spec("i4", "1", "number of the colony's cells in its organ")}},
    )
    attributes = {
        "title": title,
        "scenario": scenario,
        "resolved": json.dumps(RESOLVED),
        "rng_key": 7,
        "device": "cpu, 2 threads",
        "versions": json.dumps({"seedsoil": "0.1.0", "taichi": "1.7.4", "numpy": "2.4"}),
        "organ_names": list(organs),
    }
    recorder = Recorder(folder / "run.vtkhdf", layout, attributes)
    table = seeds_table(seeds, until_h, shape[2] * 20.0, len(organs))
    series = series_of(until_h, list(organs), table)
    done, times = 0, np.linspace(0, until_h, frames) if frames != 1 else np.array([until_h])
    for number, at in enumerate(times):
        part = at / until_h
        radius = (0.06 + 0.3 * part) * shape[2] * 0.75 if cells else 0.0
        held = {name: value for name, value in tissue(shape, radius, 100 + number).items() if name in fields}
        if not cells:
            held["cell"][:] = 0
        reached = {}
        for k, name in enumerate(organs[:-1]):
            age = part - 0.35 - 0.2 * k
            if age > 0 and seeds:
                size = 0.28 * organ_shape[2] * age
                grown = organ_tissue(organ_shape, [size, size / 2 if k == 0 else 0])
                reached[name] = {n: grown[n] for n in (*fields, "colony")}
        rows = int(np.searchsorted(series["tick_time"], at, side="right"))
        known = {name: column[table["time_h"] <= at] for name, column in table.items()}
        tables = {"seeds": known, "colonies": colonies_of(known), "clones": _clones()}
        recorder.frame(float(at), held, reached, tables, {n: v[done:rows] for n, v in series.items()})
        done = rows
    recorder.close({"digest": "ab" * 32, "wall_s": 123.4} if finished else None)
    return folder


def _clones() -> dict[str, np.ndarray]:
    return {"parent": np.array([-1, 0, 0, 1], np.int64), "born_h": np.array([0.0, 24.0, 60.0, 100.0])}
