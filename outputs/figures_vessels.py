"""Growing vessels: where they are and what flows through them, seen along z, and their numbers through time."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .observables import TUMOUR
from .planes import read, thinned

POINTS = 1200  # drawn of a curve
SLAB_VOXELS = 1 << 24  # read at once
BLOOD, LYMPH, PERFUSED, RUPTURED, TIP, GIVEN, COLLAPSED = 1, 2, 4, 8, 16, 32, 64
# what a column shows, the last that it holds: (name, colour)
STATES = (
    ("no vessel", style.PAPER),
    ("not perfused", "#e8a5a0"),
    ("collapsed", style.MUTED),
    ("lymph", style.LYMPH),
    ("given, perfused", style.BLOOD),
    ("grown, perfused", "#e8262d"),
    ("tip", style.INK),
)


def grew(series: xr.Dataset) -> bool:
    """Did the number of vessel voxels change?"""
    held = np.asarray(series["vessel_voxels"].values) if "vessel_voxels" in series else np.zeros(0)
    return len(held) > 1 and bool((held != held[0]).any())


def states(vessel: np.ndarray) -> np.ndarray:
    """Which of `STATES` each voxel is, u1, from its bits."""
    flows, given = (vessel & PERFUSED) > 0, (vessel & GIVEN) > 0
    found = [vessel == 0, (vessel & TIP) > 0, (vessel & COLLAPSED) > 0, (vessel & LYMPH) > 0, flows & given, flows]
    return np.select(found, [0, 6, 2, 3, 4, 5], 1).astype(np.uint8)


def along_z(dataset: xr.Dataset, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """(states, is there a tumour cell) of each column of the whole lattice, (ny, nx)."""
    nz, ny, nx = (dataset.sizes[axis] for axis in "zyx")
    shown, tumour = np.zeros((ny, nx), np.uint8), np.zeros((ny, nx), bool)
    depth = max(1, SLAB_VOXELS // (ny * nx))
    for start in range(0, nz, depth):
        z = slice(start, min(start + depth, nz))
        shown = np.maximum(shown, states(read(dataset, "vessel", frame, z)).max(axis=0))
        tumour |= (read(dataset, "cell", frame, z) == TUMOUR).any(axis=0)
    return shown, tumour


def network(dataset: xr.Dataset, series: xr.Dataset, frames: list[int], until_h: float, voxel_um: float) -> Figure:
    """Above: the vessels of some frames, the tumour's shadow behind them. Below: curves."""
    # three times tell the story; the first has nothing grown yet
    picked = sorted({frames[0], frames[len(frames) // 2], frames[-1]})
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 6.6)
        parts: Any = figure.subfigures(2, 1, height_ratios=(3.9, 2.5))
        top, below = parts
        grid: Any = top.subplots(1, len(picked), squeeze=False)[0]
        seen: set[int] = set()
        for axes, frame in zip(grid, picked, strict=True):
            seen |= _seen(axes, dataset, frame, voxel_um)
            axes.set_title(style.time_text(float(dataset["time"].values[frame])))
        style.scale_bar(grid[0])
        handles = [
            Line2D([], [], marker="s", ls="", color=STATES[n][1], label=STATES[n][0]) for n in sorted(seen - {0})
        ]
        top.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
        _curves(below.subplots(1, 3), series, until_h)
    return figure


def _seen(axes: Axes, dataset: xr.Dataset, frame: int, voxel_um: float) -> set[int]:
    shown, tumour = along_z(dataset, frame)
    image = np.ones((*shown.shape, 3))
    image[tumour] = style.rgb("#d6e4ee")
    for number, (_, colour) in enumerate(STATES):
        if number:
            image[shown == number] = style.rgb(colour)
    ny, nx = shown.shape
    axes.imshow(image, origin="lower", extent=(0, nx * voxel_um, 0, ny * voxel_um), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    style.grid_off(axes)
    return set(np.unique(shown).tolist())


def _curves(grid: Any, series: xr.Dataset, until_h: float) -> None:
    keep = thinned(series.sizes["tick_time"], POINTS)
    unit, label = style.time_axis(until_h)
    time = np.asarray(series["tick_time"].values, float)[keep] / unit
    held = {name: np.asarray(series[name].values, float)[keep] for name in series if str(name).startswith("vessel_")}
    grid[0].plot(time, held["vessel_voxels"], color=style.INK, label="all")
    grid[0].plot(time, held["vessel_voxels"] * held["vessel_perfused"], color="#e8262d", label="perfused")
    grid[0].set_title("Vessels [voxels]")
    grid[0].legend(loc="upper left")
    grid[1].plot(time, held["vessel_tips"], color=style.INK)
    grid[1].set_title("Tips")
    if "oxygen_mean" in series:
        grid[2].plot(time, np.asarray(series["oxygen_mean"].values, float)[keep], color=style.EPITHELIAL)
        grid[2].set_title("Oxygen, mean of the tissue [mmHg]")
    else:
        grid[2].plot(time, held["vessel_ruptured"], color=style.LOST)
        grid[2].set_title("Ruptured walls [voxels]")
    for axes in grid:
        axes.set(xlim=(0, max(until_h / unit, 1e-9)), xlabel=label)
        axes.set_ylim(bottom=0)
