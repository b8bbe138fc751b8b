"""Cells that have left the largest group, by the size of the group they are in now."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import observables, page, style
from .figures_series import SHAPE_VOXELS
from .observables import TUMOUR
from .planes import Window, volume
from .reader import Run

# (smallest size of a class, what it is called)
CLASSES = ((1, "alone"), (2, "in 2 or 3"), (4, "in 4 to 7"), (8, "in 8 or more"))
COLOURS = ("#d0d4d8", "#9ecae1", "#4292c6", "#084594")


def apart_through_time(dataset: xr.Dataset, frames: list[int], shown: Window) -> tuple[np.ndarray, np.ndarray] | None:
    """(time in h, cells apart by class (frames, classes)); None where the tissue is too large to be measured whole."""
    counts = []
    for frame in frames:
        held, stride = volume(dataset, frame, shown, ("cell",), SHAPE_VOXELS)
        if stride > 1:
            return None
        counts.append(observables.cells_apart(held["cell"] == TUMOUR, [least for least, _ in CLASSES]))
    return dataset["time"].values[frames], np.array(counts)


def apart(time_h: np.ndarray, counts: np.ndarray, until_h: float) -> Figure:
    """Left: how many cells are apart from the largest group. Right: the sizes of the groups they are in."""
    unit, label = style.time_axis(until_h)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 2.7)
        left, right = figure.subplots(1, 2)
        width = 0.7 * (np.diff(time_h).min() if len(time_h) > 1 else 1.0) / unit
        total = counts.sum(axis=1)
        bottom, share = np.zeros(len(time_h)), np.zeros(len(time_h))
        for n, (_, name) in enumerate(CLASSES):
            left.bar(time_h / unit, counts[:, n], width, bottom, color=COLOURS[n], label=name)
            part = np.divide(counts[:, n], total, out=np.zeros(len(total)), where=total > 0)
            right.bar(time_h / unit, part, width, share, color=COLOURS[n])
            bottom, share = bottom + counts[:, n], share + part
        left.set(title="Cells apart from the largest group", xlabel=label, ylabel="cells")
        left.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        left.legend(loc="upper left", borderaxespad=0.2)
        right.set(title="Share of them", xlabel=label, ylim=(0, 1))
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    return figure


def html(run: Run, dataset: xr.Dataset, frames: list[int], shown: Window) -> str:
    """The chart, where the run has bonds between cells and some cells are apart; else nothing."""
    bonds = [row["value"] for row in run.resolved if row["name"] == "adhesion.bond_energy"]
    found = apart_through_time(dataset, frames, shown) if bonds and bonds[0] else None
    if found is None or not found[1].any():
        return ""
    until = float(dataset["time"].values[-1])
    words = "Groups are of cells that share faces; the largest is the tumour's main mass."
    return page.chart(apart(*found, until), "Cells apart from the largest group, by the size of their group", words)
