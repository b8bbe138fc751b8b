"""Runs that tests write: every frame's content is a pure function of its number."""

import numpy as np
from seedsoil.outputs.layout import Layout

SHAPE = (6, 17, 23)
ORGAN_SHAPE = (4, 5, 6)
LAYOUT = Layout(
    SHAPE, 20.0, ["cell", "clone", "matrix"], organs={"liver": ORGAN_SHAPE, "lung": ORGAN_SHAPE}
)
ATTRIBUTES = {
    "scenario": 'title = "µ"\n',
    "resolved": '[{"name": "lattice.voxel_um", "value": 20, "status": "given"}]',
    "rng_key": 7,
}
TICKS_PER_FRAME = 5


def time_h(frame: int) -> float:
    return 6.0 * frame + 0.5


def fields(frame: int, shape: tuple[int, ...] = SHAPE) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(frame)
    return {
        "cell": draw.integers(0, 6, shape).astype("u1"),
        "clone": draw.integers(0, 2**32, shape).astype("u4"),
        "matrix": draw.random(shape, dtype="f4"),
    }


def organs(frame: int) -> dict[str, dict[str, np.ndarray]]:
    """The lung's lattice appears at frame 2, the liver's never."""
    return {"lung": fields(1000 + frame, ORGAN_SHAPE)} if frame >= 2 else {}


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
    return {"tick_time": ticks * 1.2, "born": ticks**2, "matrix_lost": ticks / 11}


def frame(number: int) -> tuple[float, dict, dict, dict, dict]:
    """The arguments of `Recorder.frame`."""
    return time_h(number), fields(number), organs(number), tables(number), series(number)


def assert_holds(run, frames: int) -> None:
    """The run shows exactly the first `frames` frames and what was published with the last."""
    assert run.frames == frames
    with run.dataset() as dataset:
        assert dataset.time.values.tolist() == [time_h(k) for k in range(frames)]
        for k in range(frames):
            for name, values in fields(k).items():
                np.testing.assert_array_equal(dataset[name][k].values, values)
    with run.organ("lung") as lung:
        assert lung.time.values.tolist() == [time_h(k) for k in range(2, frames)]
        for i, k in enumerate(range(2, frames)):
            np.testing.assert_array_equal(lung["cell"][i].values, organs(k)["lung"]["cell"])
    shown = run.series()
    count = frames * TICKS_PER_FRAME
    np.testing.assert_array_equal(shown.tick_time, np.arange(count) * 1.2)
    np.testing.assert_array_equal(shown.born, np.arange(count) ** 2)
    for table, columns in (tables(frames - 1) if frames else {}).items():
        rows = getattr(run, table)()
        for name, values in columns.items():
            np.testing.assert_array_equal(rows[name], values)
