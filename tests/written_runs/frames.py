"""Runs that tests write: every frame's content is a pure function of its number."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from seedsoil.outputs.layout import Layout
from seedsoil.outputs.reader import Run, open_run

SHAPE = (6, 17, 23)
ORGAN_SHAPE = (4, 5, 6)
LAYOUT = Layout(
    SHAPE,
    20.0,
    ["cell", "clone", "matrix", "oxygen"],
    organs={"liver": ORGAN_SHAPE, "lung": ORGAN_SHAPE},
    own_times=["oxygen"],
)
ATTRIBUTES = {
    "scenario": 'title = "µ"\n',
    "resolved": '[{"name": "lattice.voxel_um", "value": 20, "status": "given"}]',
    "rng_key": 7,
}
TICKS_PER_FRAME = 5
DAMAGED_FRAMES = 4  # in the files that are damaged on purpose


def time_h(frame: int) -> float:
    return 6.0 * frame + 0.5


def tick_time_h(tick: np.ndarray) -> np.ndarray:
    """The last of a frame's ticks ends when the frame is taken."""
    return (tick + 1) * 1.2 - 5.5


OXYGEN_FRAMES = 3  # the oxygen is in every third frame
LUNG_FROM = 2  # frame at which the lung's lattice appears; the liver's never does


def fields(frame: int, shape: tuple[int, ...] = SHAPE) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(frame)
    return {
        "cell": draw.integers(0, 6, shape).astype("u1"),
        "clone": draw.integers(0, 2**32, shape).astype("u4"),
        "matrix": draw.random(shape, dtype="f4"),
    }


def oxygen(frame: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(2000 + frame).random(shape, dtype="f4")


def oxygen_frames(frames: int, first: int = 0) -> list[int]:
    """Those of a lattice's frames that hold the oxygen."""
    return [k for k in range(first, frames) if k % OXYGEN_FRAMES == 0 or k == first]


def organs(frame: int) -> dict[str, dict[str, np.ndarray]]:
    return {"lung": fields(1000 + frame, ORGAN_SHAPE)} if frame >= LUNG_FROM else {}


def tables(frame: int) -> dict[str, dict[str, np.ndarray]]:
    """Rows grow and every row changes each frame, so that a mixture of two frames shows."""
    rows = np.arange(3 * frame)
    return {
        "seeds": {"time_h": rows + frame / 7, "cells": rows + frame, "fate": (rows + frame) % 8},
        "colonies": {"cells": np.arange(frame) * 10 + frame},
        "clones": {"parent": np.arange(frame + 1) - 1, "born_h": np.arange(frame + 1) / 3 + frame},
    }


def series(frame: int) -> dict[str, np.ndarray]:
    ticks = np.arange(frame * TICKS_PER_FRAME, (frame + 1) * TICKS_PER_FRAME)
    return {"tick_time": tick_time_h(ticks), "born": ticks**2, "matrix_lost": ticks / 11}


def frame(number: int) -> tuple[float, dict, dict, dict, dict]:
    """The arguments of `Recorder.frame`."""
    held, there = fields(number), organs(number)
    if number in oxygen_frames(number + 1):
        held["oxygen"] = oxygen(number)
    for lung in there.values():
        if number in oxygen_frames(number + 1, LUNG_FROM):
            lung["oxygen"] = oxygen(number, ORGAN_SHAPE)
    return time_h(number), held, there, tables(number), series(number)


def assert_holds(run: Run, frames: int) -> None:
    """The run shows exactly the first `frames` frames and what was published with the last."""
    assert run.frames == frames
    with run.dataset() as dataset:
        assert dataset.time.values.tolist() == [time_h(k) for k in range(frames)]
        assert {*map(str, dataset.data_vars)} == {"cell", "clone", "matrix"}
        shown = {name: dataset[name].values for name in dataset.data_vars}
        for k in range(frames):
            for name, values in fields(k).items():
                np.testing.assert_array_equal(shown[name][k], values)
    with run.organ("lung") as lung:
        assert lung.time.values.tolist() == [time_h(k) for k in range(LUNG_FROM, frames)]
        cells = lung["cell"].values
        for i, k in enumerate(range(LUNG_FROM, frames)):
            np.testing.assert_array_equal(cells[i], organs(k)["lung"]["cell"])
    for place, first, shape in ((None, 0, SHAPE), ("lung", LUNG_FROM, ORGAN_SHAPE)):
        held = run.field("oxygen", place)
        assert held.time.values.tolist() == [time_h(k) for k in oxygen_frames(frames, first)]
        values = held.values
        for i, k in enumerate(oxygen_frames(frames, first)):
            np.testing.assert_array_equal(values[i], oxygen(k, shape))
    series = run.series()
    count = frames * TICKS_PER_FRAME
    np.testing.assert_array_equal(series.tick_time, tick_time_h(np.arange(count)))
    np.testing.assert_array_equal(series.born, np.arange(count) ** 2)
    for table, columns in (tables(frames - 1) if frames else {}).items():
        rows = getattr(run, table)()
        for name, values in columns.items():
            np.testing.assert_array_equal(rows[name], values)


def program(name: str, *words: object) -> str:
    """Run `python -m written_runs.<name>`; returns what it printed."""
    tests = str(Path(__file__).parent.parent)
    command = [sys.executable, "-P", "-m", f"written_runs.{name}", *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": tests})
    return done.stdout


def assert_kills_lose_nothing(folder: Path, count: int, seed: int) -> None:
    """Kill `count` writers at random instants: no acknowledged frame lost, none torn."""
    program("killed_writers", folder, count, seed)
    shown = []
    for i in range(count):
        acknowledged = int((folder / str(i) / "acknowledged").read_text())
        run = open_run(folder / str(i))
        # a kill between the last flush and the acknowledgement leaves one frame more
        assert acknowledged <= run.frames <= acknowledged + 1
        assert_holds(run, run.frames)
        run.verify()
        shown.append(run.frames)
    assert len(set(shown)) > 1, "every writer was killed at the same frame: nothing was tested"


def assert_damage_is_noticed(file: Path, how: str, count: int, seed: int, limit: int) -> None:
    """Damage copies of `file`: each opens with right values or is refused in one line."""
    seen = json.loads(program("damage", file, how, count, seed, limit))
    assert sum(seen.values()) == count
    assert set(seen) <= {"good", "older", "refused"}, seen
    assert seen.get("refused"), f"no damage was noticed: {seen}"
