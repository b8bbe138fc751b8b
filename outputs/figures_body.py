"""The body map: where seeds died, arrested, lie asleep and grow. It reads the tables of a run and nothing else."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Polygon

from . import style
from .cascade import DIED, ENDS, IN_TRANSIT, RETURNED, ends_by_organ

# of ENDS: what it is called, its sign and colour. Shape and words say it without the colour too.
MARKS = {
    "died": ("died", "X", style.DIED),
    "arrested": ("arrested, undecided", "D", style.MESENCHYMAL),
    "asleep": ("asleep (dormant)", "s", style.EPITHELIAL),
    "growing": ("growing", "o", style.SETTLED),
}
STAR: Any = {"marker": "*", "mfc": style.LOST, "mec": style.PAPER, "mew": 0.8, "ls": ""}  # the primary
# where organs stand in a body seen from the front: x to the reader's right (the body's left), y up
PLACES = {
    "brain": (0.0, 9.35),
    "thyroid": (0.0, 8.2),
    "distant_nodes": (0.38, 7.85),
    "regional_nodes": (-0.98, 7.4),
    "lung": (-0.5, 7.1),
    "heart": (0.16, 6.85),
    "breast": (0.72, 6.95),
    "pleura": (-0.93, 6.6),
    "liver": (-0.45, 6.05),
    "stomach": (0.36, 6.1),
    "spleen": (0.86, 6.0),
    "pancreas": (0.08, 5.72),
    "adrenal": (-0.3, 5.5),
    "kidney": (0.58, 5.42),
    "skin": (-1.62, 5.3),
    "colon": (-0.75, 4.95),
    "small_intestine": (0.08, 4.98),
    "peritoneum": (0.74, 4.85),
    "ovary": (-0.42, 4.48),
    "uterus": (0.0, 4.4),
    "rectum": (0.3, 4.22),
    "fat": (0.82, 4.3),
    "bladder": (-0.12, 4.08),
    "prostate": (0.05, 3.82),
    "muscle": (-0.6, 2.7),
    "bone": (0.6, 2.4),
    "other": (-0.5, 1.0),
}
LABELS_X = 2.4  # where the columns of labels begin, left and right of the body
LABEL = 4.3  # how wide a label is, the longest bar with it


def words(name: str) -> str:
    return name.replace("_", " ")


def body_map(
    seeds: xr.Dataset, colonies: xr.Dataset, organs: list[str], primary: str | None, series: xr.Dataset | None = None
) -> Figure:
    """The body with what became of seeds in each organ, and the numbers beside it.

    organs: the run's, in the order of its indices; primary: the organ that the primary stands in, if it does.
    series: where the dead have no rows but were counted (`seeds_held.<organ>`, `seeds_died_in_transit`).
    """
    counts = _last(series)
    table = ends_by_organ(seeds, colonies, len(organs))
    for row, name in zip(table, organs, strict=True):
        row[0] = max(row[0], counts.get(f"seeds_held.{name}", 0) - row[1:].sum())
    total = dict(zip(organs, table.sum(axis=1).tolist(), strict=True))
    named = [name for name in organs if total[name] or name == primary]
    unplaced = [name for name in named if name not in PLACES]
    place = {**PLACES, **{name: (1.15, 1.9 - 0.5 * k) for k, name in enumerate(unplaced)}}
    longest = float(np.log10(1 + max([1, *total.values()])))
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 7.6)
        axes = figure.subplots()
        _outline(axes)
        for side, column in _columns(named, place).items():
            for name, y in column:
                row, here = table[organs.index(name)], name == primary
                inner = side * LABELS_X
                (x_organ, y_organ), outer = place[name], side * (LABELS_X + LABEL)
                axes.plot([x_organ, inner - side * 0.45, outer], [y_organ, y, y], color="#b3bcc5", lw=0.7, zorder=2)
                _mark(axes, place[name], row, here, longest)
                _entry(axes, name, row, (min(inner, outer), y), here, longest)
        axes.text(0.0, -0.45, _elsewhere(seeds, counts), ha="center", va="top", fontsize=9, color=style.MUTED)
        axes.text(0.0, -0.78, "Bars are logarithmic.", ha="center", va="top", fontsize=9, color=style.MUTED)
        axes.legend(handles=_legend(primary), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, handletextpad=0.2)
        axes.set(xlim=(-6.8, 6.8), ylim=(-1.15, 10.15), aspect="equal")
        axes.set_axis_off()
    return figure


def _outline(axes: Axes) -> None:
    """A body from the front, of few strokes."""
    skin: Any = {"facecolor": style.TISSUE, "edgecolor": "#d3ccbd", "linewidth": 1.0, "zorder": 0}
    axes.add_patch(Ellipse((0, 9.25), 1.25, 1.6, **skin))
    half = [
        (0.3, 8.6), (0.33, 8.15), (1.05, 7.95), (1.5, 7.6), (1.75, 6.6), (1.9, 5.4), (2.0, 4.2), (1.72, 4.1),
        (1.5, 5.3), (1.3, 6.4), (1.18, 6.7), (1.1, 5.8), (1.02, 5.2), (1.12, 4.4), (1.15, 3.6), (1.0, 2.0),
        (0.85, 0.3), (0.95, 0.05), (0.45, 0.05), (0.42, 0.4), (0.35, 2.0), (0.08, 3.5),
    ]  # fmt: skip
    axes.add_patch(Polygon([*half, *((-x, y) for x, y in reversed(half))], closed=True, joinstyle="round", **skin))


def _columns(named: list[str], place: dict[str, tuple[float, float]]) -> dict[int, list[tuple[str, float]]]:
    """Side (-1 left, 1 right) -> names with the heights of their labels: as many on either side, in order of height."""
    across = sorted(named, key=lambda name: (place[name][0], place[name][1]))
    half = (len(across) + 1) // 2
    out = {}
    for side, names in ((-1, across[:half]), (1, across[half:])):
        order = sorted(names, key=lambda name: -place[name][1])
        apart = min(1.15, 10.2 / max(len(order), 1))
        heights = np.array([place[name][1] for name in order])
        for _ in range(200):  # push labels apart until none covers another
            for k in range(len(order) - 1):
                short = apart - (heights[k] - heights[k + 1])
                if short > 1e-6:
                    heights[k] += short / 2
                    heights[k + 1] -= short / 2
            heights = np.clip(heights, 0.0, 9.75)
        out[side] = list(zip(order, heights.tolist(), strict=True))
    return out


def _mark(axes: Axes, at: tuple[float, float], row: np.ndarray, primary: bool, longest: float) -> None:
    """The furthest that seeds came in the organ, larger the more there were."""
    if primary:
        axes.plot(*at, **STAR, ms=15, zorder=6)
        at = (at[0] + 0.3, at[1])
    if row.sum():
        furthest = ENDS[int(np.flatnonzero(row)[-1])]
        _, sign, colour = MARKS[furthest]
        size = 5 + 9 * float(np.log10(1 + row.sum())) / longest
        axes.plot(*at, sign, ms=size, mfc=colour, mec=style.PAPER, mew=0.8, alpha=0.95, zorder=5)


def _entry(axes: Axes, name: str, row: np.ndarray, at: tuple[float, float], primary: bool, longest: float) -> None:
    """The organ's name, a bar for each of its ends, and their numbers."""
    x, y = at
    axes.text(x, y + 0.05, words(name), va="bottom", fontsize=10, fontweight="bold")
    if primary:
        axes.plot(x + 1.72, y + 0.17, **STAR, ms=9, zorder=3)
    found = [(*MARKS[end][1:], count) for end, count in zip(ENDS, row.tolist(), strict=True) if count]
    below, across = y - 0.06, x + 1.95
    for sign, colour, count in found:
        axes.barh(below - 0.035, LABEL * np.log10(1 + count) / longest, left=x, height=0.06, color=colour, zorder=3)
        below -= 0.075
        text = style.count_text(count)
        axes.plot(across, y + 0.17, sign, ms=6, mew=0, color=colour, zorder=3)  # an edge would fill the cross
        axes.text(across + 0.13, y + 0.165, text, va="center", fontsize=8.5)
        across += 0.36 + 0.115 * len(text)


def _last(series: xr.Dataset | None) -> dict[str, int]:
    """Where each count of seeds stood at the end."""
    if series is None or not series.sizes["tick_time"]:
        return {}
    return {str(name): int(series[name].values[-1]) for name in series if str(name).startswith("seeds_")}


def _elsewhere(seeds: xr.Dataset, counts: dict[str, int]) -> str:
    fate, organ = np.asarray(seeds["fate"].values), np.asarray(seeds["organ"].values)
    parts = [
        (counts.get("seeds_died_in_transit", int(((fate == DIED) & (organ < 0)).sum())), "died on their way"),
        (counts.get("seeds_in_transit", int((fate == IN_TRANSIT).sum())), "still travel"),
        (counts.get("seeds_returned", int((fate == RETURNED).sum())), "came back to the primary"),
    ]
    return "In no organ:  " + ",  ".join(f"{style.count_text(n)} {what}" for n, what in parts)


def _legend(primary: str | None) -> list[Line2D]:
    line: Any = {"color": "none", "mec": style.PAPER, "mew": 0.5}
    out = [Line2D([], [], marker=sign, mfc=colour, ms=8, label=name, **line) for name, sign, colour in MARKS.values()]
    if primary:
        out.append(Line2D([], [], **STAR, ms=13, label="the primary"))
    return out
