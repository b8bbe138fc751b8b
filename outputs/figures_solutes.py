"""Curves of the solutes through time: mean over the primary's lattice, between the lowest and the highest value."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from . import style
from .figures_tissue import FIELD_TITLES
from .planes import thinned
from .schema import SOLUTES

POINTS = 1200  # drawn of a curve
COLUMNS = 3


def recorded(series: xr.Dataset) -> list[str]:
    """The solutes of which the series hold the mean, the minimum and the maximum."""
    return [name for name in SOLUTES if all(f"{name}_{which}" in series for which in ("min", "mean", "max"))]


def through_time(series: xr.Dataset, until_h: float) -> Figure:
    """One panel for each of `recorded`."""
    names = recorded(series)
    keep = thinned(series.sizes["tick_time"], POINTS)
    unit, label = style.time_axis(until_h)
    time = np.asarray(series["tick_time"].values, float)[keep] / unit
    rows = -(-len(names) // COLUMNS)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 2.5 * rows + 0.45)
        grid: Any = figure.subplots(rows, COLUMNS, squeeze=False).reshape(-1)
        for spare in grid[len(names) :]:
            spare.set_axis_off()
        for axes, name in zip(grid, names, strict=False):
            low, mean, high = (
                np.asarray(series[f"{name}_{which}"].values, float)[keep] for which in ("min", "mean", "max")
            )
            axes.fill_between(time, low, high, color="#cfd8e0", lw=0, label="lowest to highest")
            axes.plot(time, mean, color=style.INK, label="mean")
            axes.set_title(FIELD_TITLES[name])
            axes.set(xlim=(0, max(until_h / unit, 1e-9)), xlabel=label)
            axes.set_ylim(0, max(float(np.nanmax(high, initial=0.0)) * 1.08, 1e-12))
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
