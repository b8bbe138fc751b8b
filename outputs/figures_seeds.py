"""Pictures of seeds: how many leave and when, from where, and what becomes of them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import observables, style
from .cascade import (
    ARRESTED,
    COLONY,
    DIED,
    DIED_LATER,
    DORMANT,
    IN_TRANSIT,
    NO_ROOM,
    RETURNED,
    Step,
    fates_by_organ,
)
from .planes import Window, silhouette, thinned

FATE_STYLE = {
    COLONY: ("founded or joined a colony", style.SETTLED),
    DORMANT: ("lies dormant", style.IMMUNE),
    ARRESTED: ("arrested, undecided", style.MESENCHYMAL),
    NO_ROOM: ("found no room", "#b9a7c9"),
    DIED_LATER: ("died after arrest", style.DIED),
    RETURNED: ("returned to the primary", style.RELEASED),
}


def funnel(steps: Sequence[Step], logarithmic: bool = False) -> Figure:
    """The cascade as centred bars, as wide as their number (or its logarithm), with the number and share at each step."""
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 0.42 * len(steps) + 0.25)
        axes = figure.subplots()
        most = max([1, *(step.number for step in steps)])
        for k, step in enumerate(steps):
            part = np.log1p(step.number) / np.log1p(most) if logarithmic else step.number / most
            width = max(part, 0.003 if step.number else 0.0)  # a single seed among thousands is a line
            inside = width > 0.16
            shade = style.rgb(style.RELEASED) * (1 - k / (len(steps) - 1)) + style.rgb(style.SETTLED) * k / (
                len(steps) - 1
            )
            axes.barh(k, width, left=-width / 2, height=0.74, color=shade)
            axes.text(-0.56, k, step.name, ha="right", va="center", fontsize=10)
            axes.text(0 if inside else width / 2 + 0.02, k, style.count_text(step.number), va="center", fontsize=10.5,
                      ha="center" if inside else "left", fontweight="bold",
                      color=style.PAPER if inside else style.INK)  # fmt: skip
            about = step.about
            if k and steps[k - 1].number:
                share = step.number / steps[k - 1].number
                about = f"{share * 100:.3g} % of the step above; {about}" if share <= 1 else about
            axes.text(0.56, k, about, ha="left", va="center", fontsize=8.5, color=style.MUTED)
        axes.set_xlim(-1.1, 1.75)
        axes.set_ylim(len(steps) - 0.45, -0.55)
        axes.set_axis_off()
    return figure


def seeds_in_time(seeds: xr.Dataset, series: xr.Dataset, until_h: float) -> Figure:
    """Seeds released per day, those released so far, and how many cells a seed has."""
    unit, label = style.time_axis(until_h)
    time_h, cells = np.asarray(seeds["time_h"].values, float), np.asarray(seeds["cells"].values, int)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 2.7)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1.15, 1))
        rate = observables.events_per_day(time_h, until_h)
        clusters = observables.events_per_day(time_h[cells > 1], until_h)
        at = np.append(rate.day, until_h / 24) * 24 / unit
        left.stairs(rate.per_day, at, fill=True, color=style.RELEASED, alpha=0.45, label="single cells")
        left.stairs(clusters.per_day, at, fill=True, color="#8b3f70", label="clusters")
        left.set(title="Seeds after break-up, by day of leaving", ylabel="seeds per day", xlabel=label)
        left.legend(loc="upper left", borderaxespad=0.2)
        _stock(middle, series, unit)
        middle.set(title="Seeds so far", ylabel="seeds", xlabel=label)
        largest = int(cells.max(initial=1))
        number = np.bincount(cells, minlength=largest + 1)[1:]
        right.bar(np.arange(1, largest + 1), number, width=0.8, color=["#d99cbf"] + ["#8b3f70"] * (largest - 1))
        style.log_scale(right, from_zero=True)
        right.set_ylim(0, number.max() * 2)
        right.set_xlim(0.4, max(largest, 4) + 0.6)
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.set(title="Cells in a seed", xlabel="cells", ylabel="seeds")
        for axes in (left, middle):
            axes.set_xlim(0, until_h / unit)
            axes.set_ylim(bottom=0)
    return figure


def _stock(axes: Axes, series: xr.Dataset, unit: float) -> None:
    keep = thinned(series.sizes["tick_time"], 1200)
    time = np.asarray(series["tick_time"].values, float)[keep] / unit
    lines = [
        ("seeds_released", "left the primary", style.RELEASED),
        ("seeds_dead", "died", style.INK),
        ("seeds_arrested", "arrested", style.SETTLED),
        ("seeds_in_transit", "in transit now", style.MESENCHYMAL),
    ]
    drawn = [(name, text, colour) for name, text, colour in lines if name in series]
    if not drawn or not len(keep):
        return style.note(axes, "The run recorded no counts of seeds.")
    for name, text, colour in drawn:
        axes.plot(time, series[name].values[keep], color=colour, label=text)
    axes.legend(loc="upper left", borderaxespad=0.2)


def where_from_and_to(seeds: xr.Dataset, dataset: xr.Dataset, frame: int, shown: Window, organs: list[str]) -> Figure:
    """Where seeds left the primary, over its cells; and in which organ those that arrested ended."""
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, max(3.5, 1.2 + 0.42 * len(organs)))
        here, there = figure.subplots(1, 2, width_ratios=(1, 2.0))
        pale = np.where(silhouette(dataset, frame, shown), 0.82, 0.965)
        style.grid_off(here)
        here.imshow(
            pale, cmap="gray", vmin=0, vmax=1, origin="lower", extent=shown.extent_um, interpolation="antialiased"
        )
        known = np.isfinite(seeds["x_um"].values) & np.isfinite(seeds["y_um"].values)
        if "source" in seeds:
            known &= seeds["source"].values == 0  # the others left from an organ
        for lymph, colour, text in ((False, style.BLOOD, "through blood"), (True, style.LYMPH, "through lymph")):
            mine = known & ((seeds["route"].values == 1) == lymph)
            if mine.any():
                size = 7 + 3.5 * (seeds["cells"].values[mine] - 1)
                alpha = 0.75 if mine.sum() < 300 else 0.35
                keep = thinned(int(mine.sum()), 4000)
                x, y = (seeds[name].values[mine][keep] for name in ("x_um", "y_um"))
                here.scatter(x, y, s=size[keep], color=colour, alpha=alpha, lw=0, label=text)
        left, right, bottom, top = shown.extent_um
        here.set(xlim=(left, right), ylim=(bottom, top), title="Where they left")
        style.scale_bar(here)
        here.legend(loc="upper right", markerscale=1.4, handletextpad=0.1, borderpad=0.2, frameon=True, framealpha=0.85,
                    edgecolor="none")  # fmt: skip
        _ends(there, seeds, organs)
    return figure


def _ends(axes: Axes, seeds: xr.Dataset, organs: list[str]) -> None:
    table = fates_by_organ(seeds, len(organs))
    fate = np.asarray(seeds["fate"].values)
    lost, travelling = int((fate == DIED).sum()), int((fate == IN_TRANSIT).sum())
    axes.set_title(
        f"Where they went   ({style.count_text(lost)} died in transit, {style.count_text(travelling)} still travel)"
    )
    if not organs:
        went = bool((seeds["organ"].values >= 0).any())  # into a body without lattices: its map shows them
        words = "The map of the body shows where." if went else "The scenario has no organs: no seed can arrest."
        return style.note(axes, words)
    if not table.any():
        return style.note(axes, "No seed has arrested in an organ.")
    order = np.argsort(-table.sum(axis=1), kind="stable")
    start = np.zeros(len(organs))
    for code, (text, colour) in FATE_STYLE.items():
        number = table[order, code]
        if number.any():
            axes.barh(np.arange(len(organs)), number, left=start, height=0.66, color=colour, label=text)
            start += number
    for k, total in enumerate(start):
        axes.annotate(
            style.count_text(total), (total, k), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(np.arange(len(organs)), [organs[k] for k in order])
    axes.tick_params(axis="y", length=0, labelcolor=style.INK, labelsize=9.5)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(ylim=(len(organs) - 0.4, -0.6), xlim=(0, start.max() * 1.1), xlabel="seeds that arrested there")
    axes.legend(loc="lower right", borderaxespad=0.4)
