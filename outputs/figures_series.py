"""Curves through time of the primary: cells, their reach, what they do to the tissue; and their shape."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from . import observables, style
from .observables import TUMOUR
from .planes import Window, thinned, volume

POINTS = 1200  # drawn of a curve
RATE_BINS = 40
SHAPE_VOXELS = 200**3  # a larger window is thinned before its shape is measured
UNTHINNED = ("index", "fractal", "clusters", "largest")  # which voxels touch decides these: not measured on a part

SHAPE_COLUMNS = (
    ("time", "time", "when"),
    ("cells", "cells", "tumour cells on the lattice"),
    ("depth", "invasion depth [µm]", "95 % of the cells outside the first frame's tumour are nearer to it than this"),
    (
        "front",
        "front radius [µm]",
        "mean distance of the outermost cells' far sides from the centroid, over directions",
    ),
    (
        "roughness",
        "front roughness [µm]",
        "standard deviation of that radius; a smooth disc or ball has up to a third of a voxel",
    ),
    (
        "index",
        "invasiveness index",
        "in 3-D the surface over that of one ball of as many cells, in 2-D the square of the outline over that of one disc (so n for n equal discs); 1 is round",
    ),
    (
        "fractal",
        "fractal dimension",
        (
            "by counting boxes of up to a quarter of the tumour, a dash if it is less than "
            f"{observables.ACROSS_MIN} voxels across; a solid disc reads 1.8 to 1.95, a solid ball 2.65 to 2.85"
        ),
    ),
    ("clusters", "clusters", "groups of cells that share faces"),
    ("largest", "in the largest", "share of the cells that are in the largest group"),
)


def curves(series: xr.Dataset, until_h: float, frames: list[dict[str, float]], voxel_um: float, solid: bool) -> Figure:
    """Four panels: cells; rates per cell; reach; matrix lost and protease.

    `frames` are rows of `shape_through_time`, shown as dots where they say what the series does not.
    """
    keep = thinned(series.sizes["tick_time"], POINTS)
    held = {str(name): np.asarray(series[name].values, float)[keep] for name in series.data_vars}
    unit, label = style.time_axis(until_h)
    time = np.asarray(series["tick_time"].values, float)[keep] / unit
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 4.9)
        figure.get_layout_engine().set(wspace=0.05, hspace=0.06)  # pyright: ignore
        grid = figure.subplots(2, 2, sharex=True)
        _cells(grid[0, 0], time, held)
        _rates(grid[0, 1], series, unit)
        _reach(grid[1, 0], time, held, frames, unit)
        _damage(grid[1, 1], time, held, voxel_um, solid)
        for axes in grid.flat:
            axes.set_xlim(0, max(until_h / unit, 1e-9))
        for axes in grid[1]:
            axes.set_xlabel(label)
    return figure


def _cells(axes: Axes, time: np.ndarray, held: dict[str, np.ndarray]) -> None:
    axes.set_title("Tumour cells in the primary")
    lines = [
        ("tumour_cells", "all", style.INK, "-"),
        ("epithelial_cells", "epithelial", style.EPITHELIAL, "-"),
        ("mesenchymal_cells", "mesenchymal", style.MESENCHYMAL, "-"),
        ("cells_outside_duct", "outside the duct", style.INK, ":"),
    ]
    drawn = [held[name] for name, *_ in lines if name in held]
    if not drawn or not len(time):
        return style.note(axes, "The run recorded no counts of cells.")
    for name, text, colour, dash in lines:
        if name in held:
            axes.plot(time, held[name], dash, color=colour, label=text)
    total = drawn[0]
    if total[total > 0].size and total.max() > 30 * total[total > 0].min():
        style.log_scale(axes)
    else:
        axes.set_ylim(0, max(1.0, total.max()) * 1.08)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: style.count_text(number)))
    axes.set_ylabel("cells")
    axes.legend(ncols=3, loc="upper left", borderaxespad=0.2)


def _rates(axes: Axes, series: xr.Dataset, unit: float) -> None:
    axes.set_title("What they do, per cell and day")
    flows = [
        ("born", "divide", style.EPITHELIAL),
        ("died", "die", style.INK),
        ("departed", "enter a vessel", style.RELEASED),
    ]
    rows = series.sizes["tick_time"]
    if "tumour_cells" not in series or rows < 4:
        return style.note(axes, "The run is too short for rates.")
    # sums over equal stretches of rows: single ticks are far too noisy to see a rate in
    starts = np.unique(np.linspace(0, rows, min(RATE_BINS, rows // 2) + 1).astype(int))
    at_h = np.asarray(series["tick_time"].values, float)
    edges_h = np.append(2 * at_h[0] - at_h[1], at_h)[starts]
    cell_h = np.add.reduceat(np.asarray(series["tumour_cells"].values, float), starts[:-1])
    cell_h *= np.diff(edges_h) / np.diff(starts)
    tops: list[float] = []
    for name, text, colour in flows:
        if name in series and (series[name].values > 0).any():
            events = np.add.reduceat(np.asarray(series[name].values, float), starts[:-1])
            rate = 24 * np.divide(events, cell_h, out=np.zeros_like(events), where=cell_h > 0)
            axes.stairs(
                np.where(rate > 0, rate, np.nan), edges_h / unit, color=colour, lw=1.5, baseline=None, label=text
            )
            tops.append(float(rate.max()))
    if not tops:
        return style.note(axes, "No cell divided, died or left.")
    if min(tops) < max(tops) / 15:
        style.log_scale(axes)
        axes.set_ylim(top=max(tops) * 6)
    else:
        axes.set_ylim(0, max(tops) * 1.25)
    axes.set_ylabel("per cell and day")
    axes.legend(ncols=3, loc="upper left", borderaxespad=0.2)


def _reach(
    axes: Axes, time: np.ndarray, held: dict[str, np.ndarray], frames: list[dict[str, float]], unit: float
) -> None:
    axes.set_title("How far they reach")
    known = False
    if "invasion_rms_um" in held and np.isfinite(held["invasion_rms_um"]).any():
        axes.plot(time, held["invasion_rms_um"], color=style.INK, label="root mean square distance")
        known = True
    if frames:
        at = [row["time"] / unit for row in frames]
        axes.plot(at, [row["front"] for row in frames], "o-", ms=5, lw=1, color=style.EPITHELIAL, label="front radius")
        axes.plot(at, [row["depth"] for row in frames], "s-", ms=4.5, lw=1, color=style.LOST, label="invasion depth")
        known = True
    if not known:
        return style.note(axes, "The run recorded no distances.")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("distance [µm]")
    axes.legend(loc="upper left", borderaxespad=0.2)


def _damage(axes: Axes, time: np.ndarray, held: dict[str, np.ndarray], voxel_um: float, solid: bool) -> None:
    axes.set_title("What they do to the tissue")
    left = "matrix_lost" in held and np.isfinite(held["matrix_lost"]).any()
    right = "protease_max" in held and np.isfinite(held["protease_max"]).any()
    if not (left or right) or not len(time):
        return style.note(axes, "The run recorded neither matrix nor protease through time.")
    handles: list[Any] = []
    if left:
        voxel_mm = (voxel_um / 1000) ** (3 if solid else 2)
        handles += axes.plot(time, held["matrix_lost"] * voxel_mm, color="#ad8654", label="matrix lost (left)")
        axes.set_ylabel(f"matrix lost [mm{'³' if solid else '²'}]")
        axes.set_ylim(bottom=0)
    if right:
        other = axes.twinx()
        other.spines["right"].set(visible=True, color="#9aa5b1")
        other.grid(False)
        handles += other.plot(time, held["protease_max"], color="#88419d", label="highest protease (right)")
        other.set_ylabel("protease, relative")
        other.set_ylim(0, 1.3 * max(float(np.nanmax(held["protease_max"])), 1e-12))
    axes.legend(handles=handles, loc="upper left", borderaxespad=0.2)


def shape_through_time(dataset: xr.Dataset, frames: list[int], shown: Window) -> tuple[list[dict[str, float]], int]:
    """The measures of `SHAPE_COLUMNS` for each frame, and the stride at which they were taken.

    Invasion depth counts from the run's first frame. Frames without tumour cells are left out. Above a
    stride of 1 the measures in `UNTHINNED` are NaN: every n-th voxel of a tumour has other clusters,
    another surface and other boxes than the tumour.
    """
    time_h = dataset["time"].values
    rows: list[dict[str, float]] = []
    implant, stride = volume(dataset, 0, shown, ("cell",), SHAPE_VOXELS)
    before = implant["cell"] == TUMOUR
    for frame in frames:
        held, stride = volume(dataset, frame, shown, ("cell",), SHAPE_VOXELS)
        mask = held["cell"] == TUMOUR
        if not mask.any():
            continue
        size = shown.voxel_um * stride
        row = {
            "time": float(time_h[frame]),
            "cells": float(np.count_nonzero(mask)) * stride ** observables.dimensions(mask),
            "depth": observables.invasion_depth_um(mask, before, size),
            "front": float(observables.front_radii_um(mask, size).mean()),
            "roughness": observables.front_roughness_um(mask, size),
        }
        rows.append(row | (dict.fromkeys(UNTHINNED, float("nan")) if stride > 1 else _unthinned(mask)))
    return rows, stride


def _unthinned(mask: np.ndarray) -> dict[str, float]:
    clusters = observables.cluster_sizes(mask)
    return {
        "index": observables.invasiveness_index(mask),
        "fractal": observables.fractal_dimension(mask),
        "clusters": float(len(clusters)),
        "largest": float(clusters[0] / clusters.sum()),
    }
