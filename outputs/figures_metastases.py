"""Pictures of metastases as numbers: tumour cells in the blood, sizes of colonies, and who seeded whom."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import FuncFormatter

from . import style
from .cascade import GROWING, PRIMARY, seeding_table
from .planes import thinned

POINTS = 600
ORGANS_NAMED = 8  # in a legend; the others are one
UNFAVOURABLE = 5  # tumour cells in 7.5 mL: Cristofanilli et al. 2004
NODES = 14  # of a seeding graph: the organs with the most colonies


def words(name: str) -> str:
    """An organ or a site as people write it."""
    return name.replace("_", " ")


def short(count: int) -> str:
    """1234 -> "1.2k"."""
    return str(count) if count < 1000 else f"{count / 1000:.2g}k" if count < 99_500 else f"{count / 1e6:.2g}M"


def sites(series: xr.Dataset) -> list[str]:
    """Where blood was sampled, in the order of the run."""
    return [str(name).partition(".")[2] for name in series.data_vars if str(name).startswith("ctc_mean.")]


def burden_and_blood(series: xr.Dataset, until_h: float) -> Figure:
    """Left: cells of the primary and of all metastases. Right: tumour cells in 7.5 mL of blood, by site."""
    unit, label = style.time_axis(until_h)
    time = np.asarray(series["tick_time"].values, float) / unit
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 3.6)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.45))
        _burden(left, series, time)
        _blood(right, series, time)
        for axes in (left, right):
            axes.set(xlim=(0, max(until_h / unit, 1e-9)), xlabel=label)
    return figure


def _burden(axes: Axes, series: xr.Dataset, time: np.ndarray) -> None:
    axes.set_title("Cells of the primary and of its metastases")
    keep = thinned(len(time), POINTS)
    organs = [series[name].values for name in series.data_vars if str(name).startswith("organ_cells.")]
    lines = [("primary", series["tumour_cells"].values, style.INK)]
    lines += [("all metastases", np.sum(organs, axis=0), style.LOST)] if organs else []
    for text, cells, colour in lines:
        axes.plot(time[keep], np.where(cells[keep] > 0, cells[keep], np.nan), color=colour, label=text)
    axes.set(yscale="log", ylabel="cells")
    axes.legend(loc="upper left", borderaxespad=0.2)


def _blood(axes: Axes, series: xr.Dataset, time: np.ndarray) -> None:
    axes.set_title("Tumour cells in 7.5 mL of blood, by where it is drawn")
    keep = thinned(len(time), POINTS)
    dots = thinned(len(time), 60)
    top = 10.0
    for site, colour in zip(sites(series), style.SEQUENCE, strict=False):
        mean = series[f"ctc_mean.{site}"].values
        found = series[f"ctc_single.{site}"].values + series[f"ctc_cluster.{site}"].values
        axes.plot(time[keep], mean[keep], color=colour, label=words(site))
        axes.plot(time[dots], found[dots], "o", ms=3, mew=0, color=colour, alpha=0.55)
        top = max(top, float(np.nanmax(mean, initial=0)), float(found.max(initial=0)))
    axes.set_yscale("symlog", linthresh=0.01)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1e4 else f"{value:.0e}"))
    axes.axhline(UNFAVOURABLE, color=style.MUTED, lw=0.8, ls=(0, (4, 3)), zorder=1)
    axes.text(0.995, UNFAVOURABLE * 1.06, "5: unfavourable", transform=axes.get_yaxis_transform(), ha="right",
              va="bottom", fontsize=8, color=style.MUTED)  # fmt: skip
    axes.set(ylim=(0, top * 4), ylabel="cells and clusters")
    axes.legend(loc="upper left", ncols=2, borderaxespad=0.2)


def sizes(colonies: xr.Dataset, organs: list[str]) -> Figure:
    """Left: growing colonies, at least one, by size and organ. Right: how many are at least as large."""
    growing = np.asarray(colonies["state"].values) == GROWING
    cells = np.asarray(colonies["cells"].values, float)[growing]
    organ = np.asarray(colonies["organ"].values, int)[growing]
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 3.5)
        left, right = figure.subplots(1, 2, width_ratios=(1.45, 1))
        decades = max(1, int(np.ceil(np.log10(cells.max() + 1))))
        edges = np.logspace(0, decades, 1 + 3 * decades)
        groups = _largest(organ, organs)
        held = [cells[np.isin(organ, members)] for _, members in groups]
        colours = [*style.SEQUENCE, style.DIED][: len(groups)]
        for one, colour, (text, _) in zip(held, colours, groups, strict=True):
            left.stairs(np.histogram(one, edges)[0], edges, color=colour, lw=1.5, label=text)
        left.set(
            xscale="log",
            yscale="log",
            ylim=(0.8, None),
            xlabel="cells in the colony",
            ylabel="growing colonies",
            title="Sizes of colonies, by organ",
        )
        left.legend(loc="upper right", borderaxespad=0.2)
        ordered = np.sort(cells)[::-1]
        right.step(ordered, np.arange(1, len(ordered) + 1), where="post", color=style.SETTLED)
        right.set(xscale="log", yscale="log", xlabel="cells", ylabel="colonies at least as large",
                  title="How many are at least as large")  # fmt: skip
        right.set_ylim(0.8, max(len(ordered) * 1.5, 2))
    return figure


def _largest(organ: np.ndarray, organs: list[str]) -> list[tuple[str, list[int]]]:
    """Organs with the most colonies, the others together: (what they are called, their indices)."""
    number = np.bincount(organ, minlength=len(organs))
    order = [int(k) for k in np.argsort(-number, kind="stable") if number[k]]
    named = [(f"{words(organs[k])} {style.count_text(number[k])}", [k]) for k in order[:ORGANS_NAMED]]
    rest = order[ORGANS_NAMED:]
    return named + ([(f"{len(rest)} other organs {style.count_text(number[rest].sum())}", rest)] if rest else [])


def seeding(colonies: xr.Dataset, organs: list[str]) -> Figure:
    """Who seeded the growing colonies, at least one: arrows from where a founder was shed to where its colony grows,
    and the same as a table."""
    table = seeding_table(colonies, len(organs))
    number = table.sum(axis=0)
    shown = [int(k) for k in np.argsort(-number, kind="stable")[:NODES] if number[k]]
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 5.0)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        _graph(left, table, shown, organs)
        _matrix(right, table, shown, organs)
    return figure


def _graph(axes: Axes, table: np.ndarray, shown: list[int], organs: list[str]) -> None:
    """The primary in the middle, organs around it; arrows by the logarithm of how many colonies they stand for."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(shown)) / len(shown)
    place = {k: (float(np.cos(a)), float(np.sin(a))) for k, a in zip(shown, angle, strict=True)}
    most = np.log1p(table.max())
    rows = [(PRIMARY, (0.0, 0.0)), *place.items()]
    for source, start in rows:
        for target in shown:
            count = int(table[source, target])  # PRIMARY is the last row
            if not count or source == target:
                continue
            weight = np.log1p(count) / most
            bend = 0.0 if source == PRIMARY else 0.22
            axes.add_patch(
                FancyArrowPatch(
                    start,
                    place[target],
                    arrowstyle="-|>",
                    mutation_scale=7 + 7 * weight,
                    shrinkA=13,
                    shrinkB=13,
                    connectionstyle=f"arc3,rad={bend}",
                    lw=0.5 + 3.2 * weight,
                    alpha=0.35 + 0.5 * weight,
                    color=style.INK if source == PRIMARY else style.LOST,
                    zorder=2 if source == PRIMARY else 1,
                )
            )
    axes.plot(0, 0, "o", ms=24, color=style.INK, zorder=3)
    axes.text(0, 0, "primary", color=style.PAPER, ha="center", va="center", fontsize=7, zorder=4)
    for k, (x, y) in place.items():
        own = int(table[k, k])
        axes.plot(x, y, "o", ms=13, color=style.SETTLED, zorder=3)
        text = f"{words(organs[k])}  {style.count_text(table[:, k].sum())}"
        text += f"\n({style.count_text(own)} by itself)" if own else ""
        side = "left" if x > 0.3 else "right" if x < -0.3 else "center"
        height = "center" if side != "center" else "bottom" if y > 0 else "top"
        axes.text(1.15 * x, 1.12 * y, text, ha=side, va=height, fontsize=8.5)
    axes.set(xlim=(-1.85, 1.85), ylim=(-1.4, 1.4), aspect="equal", title="Who seeded the colonies that grow")
    axes.set_axis_off()


def _matrix(axes: Axes, table: np.ndarray, shown: list[int], organs: list[str]) -> None:
    sources = [PRIMARY, *[k for k in shown if table[k].sum()]]
    counts = table[np.ix_(sources, shown)]
    axes.imshow(np.log1p(counts), cmap="YlGnBu", vmin=0, vmax=1.4 * np.log1p(table.max()))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                dark = np.log1p(count) > 0.8 * np.log1p(table.max())
                colour = style.PAPER if dark else style.INK
                axes.text(j, i, short(int(count)), color=colour, ha="center", va="center", fontsize=7.5)
    axes.grid(False)
    axes.set_xticks(range(len(shown)), [words(organs[k]) for k in shown], rotation=40, ha="right")
    axes.set_yticks(range(len(sources)), ["primary" if k == PRIMARY else words(organs[k]) for k in sources])
    axes.tick_params(length=0, labelcolor=style.INK)
    axes.set(xlabel="in which it grows", ylabel="by which it was seeded", title="Growing colonies by source and place")
