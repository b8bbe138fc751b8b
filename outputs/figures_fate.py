"""Curves of what becomes of the primary's cells: what they die of, who kills them, what debris is left, how emt shifts."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from . import style
from .planes import thinned

POINTS = 1200  # drawn of a curve
BINS = 40
CAUSES = (
    ("died_apoptotic", "apoptosis", style.INK),
    ("died_anoikic", "anoikis", style.MESENCHYMAL),
    ("died_necrosed", "necrosis", style.NECROTIC),
    ("died_poisoned", "drug", style.LOST),
    ("died_killed", "immune cells", style.IMMUNE),
)


def panels(series: xr.Dataset) -> list[str]:
    """Those of "deaths", "effectors", "debris" and "emt" that have something to show."""
    out = []
    if any(_happened(series, name) for name, *_ in CAUSES):
        out.append("deaths")
    out += [
        name for name, held in (("effectors", "immune_cells"), ("debris", "necrotic_voxels")) if _happened(series, held)
    ]
    if "emt_mean" in series and "hybrid_cells" in series:
        mean = series["emt_mean"].values
        # without transitions nobody is between the ends
        if _happened(series, "hybrid_cells") and np.nanmax(mean) > np.nanmin(mean):
            out.append("emt")
    return out


def fates(series: xr.Dataset, until_h: float) -> Figure:
    """A panel for each of `panels`."""
    drawn = panels(series)
    unit, label = style.time_axis(until_h)
    keep = thinned(series.sizes["tick_time"], POINTS)
    time = np.asarray(series["tick_time"].values, float)[keep] / unit
    draw = {"deaths": _deaths, "effectors": _effectors, "debris": _debris, "emt": _emt}
    rows = -(-len(drawn) // 2)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 2.6 * rows + 0.2)
        grid: Any = figure.subplots(rows, 2, squeeze=False).reshape(-1)
        for spare in grid[len(drawn) :]:
            spare.set_axis_off()
        for axes, name in zip(grid, drawn, strict=False):
            if name == "deaths":
                _deaths(axes, series, unit)
            else:
                draw[name](
                    axes, time, {str(key): np.asarray(series[key].values, float)[keep] for key in series.data_vars}
                )
            axes.set(xlim=(0, max(until_h / unit, 1e-9)), xlabel=label)
            axes.legend(loc="upper left", borderaxespad=0.2, ncols=3)
    return figure


def _happened(series: xr.Dataset, name: str) -> bool:
    return name in series and bool((series[name].values > 0).any())


def _deaths(axes: Axes, series: xr.Dataset, unit: float) -> None:
    """Events per cell and day over equal stretches, births beside them."""
    axes.set_title("What cells die of, per cell and day")
    rows = series.sizes["tick_time"]
    starts = np.unique(np.linspace(0, rows, min(BINS, max(1, rows // 2)) + 1).astype(int))
    at_h = np.asarray(series["tick_time"].values, float)
    first = 2 * at_h[0] - at_h[1] if rows > 1 else 0.0
    edges_h = np.append(first, at_h)[starts]
    cell_h = np.add.reduceat(np.asarray(series["tumour_cells"].values, float), starts[:-1])
    cell_h *= np.diff(edges_h) / np.diff(starts)
    top = 0.0
    for name, text, colour in (("born", "born", style.EPITHELIAL), *CAUSES):
        if _happened(series, name):
            events = np.add.reduceat(np.asarray(series[name].values, float), starts[:-1])
            rate = 24 * np.divide(events, cell_h, out=np.zeros_like(events), where=cell_h > 0)
            axes.stairs(rate, edges_h / unit, color=colour, lw=1.5, baseline=None, label=text)
            top = max(top, float(rate.max()))
    axes.set_ylim(0, max(top * 1.3, 1e-12))
    axes.set_ylabel("per cell and day")


def _counted(axes: Axes, highest: float) -> None:
    axes.set_ylim(0, max(1.0, highest) * 1.25)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: style.count_text(number)))


def _effectors(axes: Axes, time: np.ndarray, held: dict[str, np.ndarray]) -> None:
    axes.set_title("Immune effectors and tumour cells")
    axes.set_ylabel("cells")
    _beside_tumour_cells(axes, time, held, "immune_cells", style.IMMUNE, "immune effectors")


def _debris(axes: Axes, time: np.ndarray, held: dict[str, np.ndarray]) -> None:
    axes.set_title("Necrotic debris and tumour cells")
    axes.set_ylabel("voxels")
    _beside_tumour_cells(axes, time, held, "necrotic_voxels", style.NECROTIC, "debris")


def _beside_tumour_cells(
    axes: Axes, time: np.ndarray, held: dict[str, np.ndarray], name: str, colour: str, label: str
) -> None:
    axes.plot(time, held["tumour_cells"], color=style.INK, label="tumour cells")
    axes.plot(time, held[name], color=colour, label=label)
    _counted(axes, float(max(held["tumour_cells"].max(), held[name].max())))


def _emt(axes: Axes, time: np.ndarray, held: dict[str, np.ndarray]) -> None:
    axes.set_title("From epithelial to mesenchymal")
    cells = np.where(held["tumour_cells"] > 0, held["tumour_cells"], np.nan)
    axes.plot(time, held["emt_mean"] / 255, color=style.INK, label="mean emt / 255")
    axes.plot(time, held["hybrid_cells"] / cells, color=style.LOST, label="share hybrid")
    axes.plot(time, held["mesenchymal_cells"] / cells, color=style.MESENCHYMAL, label="share mesenchymal")
    axes.set_ylim(0, 1.25)
