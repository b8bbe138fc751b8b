"""The report's section on the primary in numbers: curves through time, and the shape of the tumour."""

import numpy as np
import xarray as xr

from . import figures_clusters, figures_fate, figures_series, figures_solutes, figures_vessels, page, style
from .page import text
from .planes import Window
from .reader import Run


def in_numbers(run: Run, dataset: xr.Dataset, series: xr.Dataset, frames: list[int], shown: Window) -> str:
    rows, stride = figures_series.shape_through_time(dataset, frames, shown)
    out = ""
    if series.sizes["tick_time"] or rows:
        until = max(
            float(dataset["time"].values[-1]), float(series["tick_time"].values[-1]) if series.sizes["tick_time"] else 0
        )
        out += page.chart(
            figures_series.curves(series, until, rows, run.layout.voxel_um, dataset.sizes["z"] > 1),
            "Cells, rates, reach and matrix through time",
        )
        if series.sizes["tick_time"] and figures_fate.panels(series):
            out += page.chart(figures_fate.fates(series, until), "What becomes of the cells, through time")
        if figures_solutes.recorded(series):
            out += page.chart(
                figures_solutes.through_time(series, until),
                "Solutes through time",
                "Mean over the lattice, and between its lowest and highest value.",
            )
        if figures_vessels.grew(series) and "vessel" in dataset:
            out += "<h3>Vessels</h3>" + page.picture(
                figures_vessels.network(dataset, series, frames, until, run.layout.voxel_um),
                "Growing vessels, and their numbers through time",
                "Seen along z; the pale shape behind them is the tumour."
                if dataset.sizes["z"] > 1
                else "The pale shape behind them is the tumour.",
            )
    else:
        out += page.absent("The run recorded no series.")
    out += figures_clusters.html(run, dataset, frames, shown)
    if not rows:
        return out + page.absent("No tumour cell is left in any of the frames shown, so there is no shape to measure.")
    head = [(title, "k" if name == "time" else "n") for name, title, _ in figures_series.SHAPE_COLUMNS]
    table = page.table(head, [_shape_row(row) for row in rows], [hint for *_, hint in figures_series.SHAPE_COLUMNS])
    words = "; ".join(f"<b>{text(title)}</b>: {text(hint)}" for name, title, hint in figures_series.SHAPE_COLUMNS[2:8])
    thinned = ""
    if stride > 1:
        thinned = (
            f" Measured on one voxel in {stride} along each axis, as the tissue shown has more than "
            f"{figures_series.SHAPE_VOXELS / 1e6:g} million voxels. Invasiveness index, fractal dimension and clusters "
            "depend on which voxels touch, so a part of them does not give these: a dash stands in their place."
        )
    return f"{out}<h3>Shape of the tumour</h3>{table}<p class='notes'>{words}.{thinned}</p>"


def _shape_row(row: dict[str, float]) -> list[str]:
    def shown(name: str, form: str) -> str:
        return format(row[name], form) if np.isfinite(row[name]) else "–"

    return [
        style.time_text(row["time"]),
        style.count_text(row["cells"]),
        *(shown(name, ".0f") for name in ("depth", "front")),
        shown("roughness", ".1f"),
        *(shown(name, ".2f") for name in ("index", "fractal")),
        style.count_text(row["clusters"]),
        shown("largest", ".0%").replace("%", " %"),
    ]
