"""Pictures of organs: the colonies in them, through time and at the end."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from . import style
from .cascade import colony_labels
from .figures_tissue import draw_cells, draw_portrait, tissue_legend
from .planes import Window, frame_indices, read, seen_along_z, slabs, thinned, volume, window

ORGAN_VOXELS = 96**3  # drawn of an organ's lattice
COUNTED_FRAMES = 60  # of an organ, for the size of its colonies in time
ORGANS_DRAWN = 5
COLONIES_NAMED = 4  # in an organ's picture


def colony_sizes(organ: xr.Dataset, labels_max: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (h) and cells of each colony of an organ, (times, labels_max + 1), counted on its frames.

    Label 0 holds the cells of no colony. At most `COUNTED_FRAMES` frames are read, one at a time.
    """
    frames = frame_indices(organ["time"].values, COUNTED_FRAMES)
    counts = np.zeros((len(frames), labels_max + 1), np.int64)
    for row, frame in enumerate(frames):
        for start, mask in slabs(organ, frame):
            labels = read(organ, "colony", frame, z=slice(start, start + mask.shape[0]))[mask]
            counts[row] += np.bincount(labels, minlength=labels_max + 1)[: labels_max + 1]
    return organ["time"].values[frames], counts


def burden(
    series: xr.Dataset, colonies: xr.Dataset, organs: dict[str, xr.Dataset], names: list[str], until_h: float
) -> Figure:
    """Cells by organ through time; each colony through time; colonies by organ."""
    unit, label = style.time_axis(until_h)
    colour = {name: style.SEQUENCE[k % len(style.SEQUENCE)] for k, name in enumerate(names)}
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 3.1)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1.1, 0.9))
        keep = thinned(series.sizes["tick_time"], 1200)
        time = np.asarray(series["tick_time"].values, float)[keep] / unit
        drawn = False
        for name in names:
            cells = series[f"organ_cells.{name}"].values[keep] if f"organ_cells.{name}" in series else np.zeros(0)
            if cells.any():
                left.plot(time, np.where(cells > 0, cells, np.nan), color=colour[name], label=name)
                drawn = True
        if drawn:
            style.log_scale(left)
            left.set(xlim=(0, 1.015 * until_h / unit), xlabel=label, ylabel="tumour cells")
            left.legend(loc="upper left", borderaxespad=0.2)
        else:
            style.note(left, "The run recorded no counts by organ.")
        left.set_title("Burden by organ")
        _each_colony(middle, colonies, organs, names, colour, unit)
        middle.set_title("Each colony")
        if middle.axison:
            middle.set(xlim=(0, 1.015 * until_h / unit), xlabel=label, ylabel="tumour cells")
        _colonies_by_organ(right, colonies, names, colour)
    return figure


def _each_colony(
    axes: Axes,
    colonies: xr.Dataset,
    organs: dict[str, xr.Dataset],
    names: list[str],
    colour: dict[str, str],
    unit: float,
) -> None:
    labels, of_organ = colony_labels(colonies), np.asarray(colonies["organ"].values, int)
    drawn = False
    for name, dataset in organs.items():
        mine = labels[of_organ == names.index(name)]
        if "colony" not in dataset or not len(mine) or not dataset.sizes["time"]:
            continue
        time, cells = colony_sizes(dataset, int(mine.max()))
        for own in mine:
            line = cells[:, own].astype(float)
            axes.plot(
                time / unit, np.where(line > 0, line, np.nan), "-o", ms=2.2, lw=1.1, alpha=0.85, color=colour[name]
            )
            drawn = True
    if drawn:
        style.log_scale(axes)
    else:
        style.note(axes, "The run did not record which cell belongs\nto which colony (field 'colony').")


def _colonies_by_organ(axes: Axes, colonies: xr.Dataset, names: list[str], colour: dict[str, str]) -> None:
    organ, cells = np.asarray(colonies["organ"].values, int), np.asarray(colonies["cells"].values, float)
    axes.set_title("Size at the end")
    places = [k for k in range(len(names)) if (organ == k).any()]
    for row, k in enumerate(places):
        size = np.sort(cells[organ == k])
        spread = (np.arange(len(size)) % 5 - 2) * 0.09 if len(size) > 1 else np.zeros(1)
        alive = size > 0
        axes.plot(
            row + spread[alive], size[alive], "o", ms=6, mfc=colour[names[k]], mec=style.PAPER, mew=0.7, alpha=0.9
        )
        axes.plot(row + spread[~alive], size[~alive], "x", ms=5, color=style.DIED)
    style.log_scale(axes, from_zero=True)
    axes.set_ylim(-0.4, max(2.0, cells.max(initial=1)) * 3)
    axes.set_xticks(range(len(places)), [f"{names[k]}\n{(organ == k).sum()}" for k in places])
    axes.tick_params(axis="x", length=0, labelcolor=style.INK)
    axes.set(xlim=(-0.6, max(len(places), 1) - 0.4), ylabel="cells (× extinct)")


def organ_pictures(organs: dict[str, xr.Dataset], colonies: xr.Dataset, names: list[str], voxel_um: float) -> Figure:
    """The last frame of each organ reached, at most `ORGANS_DRAWN`: in 3-D if it is, and as seen along z."""
    drawn = dict(list(organs.items())[:ORGANS_DRAWN])
    solid = any(dataset.sizes["z"] > 1 for dataset in drawn.values())
    # few organs: the two pictures of each side by side
    beside = solid and len(drawn) <= 2
    columns, rows = (4, 1) if beside else (max(len(drawn), 3), 2 if solid else 1)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, rows * (style.COLUMN_IN / columns) * 0.93 + 0.75)
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.96))  # pyright: ignore
        grid = figure.subplots(rows, columns, squeeze=False)
        for spare in grid[:, len(drawn) * (2 if beside else 1) :].flat:
            spare.set_axis_off()
        handles = {}
        for k, (name, dataset) in enumerate(drawn.items()):
            last = dataset.sizes["time"] - 1
            shown = window(dataset, last, voxel_um)
            above, below = grid[0, 2 * k : 2 * k + 2] if beside else (grid[0, k], grid[-1, k])
            if solid:
                whole, stride = volume(dataset, last, shown, ("cell", "emt", "vessel"), ORGAN_VOXELS)
                draw_portrait(above, whole, voxel_um * stride, 520)
                style.scale_bar(above)
            held = seen_along_z(dataset, last, shown)
            draw_cells(below, held["cell"], held.get("emt"), held.get("vessel"), shown)
            _name_colonies(below, dataset, last, shown, colonies, names.index(name), 0.9 * style.COLUMN_IN / columns)
            style.scale_bar(below)
            above.set_title(f"{name}, {style.time_text(float(dataset['time'].values[last]))}", loc="center")
            for handle in tissue_legend(held["cell"], held.get("emt"), held.get("vessel")):
                handles.setdefault(handle.get_label(), handle)
        figure.legend(
            handles=list(handles.values()), loc="outside lower center", ncols=min(len(handles), 6), handlelength=1.1
        )
    return figure


def _apart(places: np.ndarray, named: Sequence[tuple[Any, Any]]) -> list[tuple[float, float]]:
    """Where to write each number, in points from its place (in points, too), so that none covers another."""
    taken: list[tuple[float, float, float]] = []
    offsets = []
    for (row, _), (x, y) in zip(named, places, strict=True):
        width, height = 6.0 * len(str(row)) + 2, 11.0
        around = [(7.0, 7.0), (7.0, -14.0), (-7.0 - width, 7.0), (-7.0 - width, -14.0), (7.0, 20.0), (7.0, -27.0)]
        free = [
            (dx, dy)
            for dx, dy in around
            if all(abs(y + dy - v) >= height or x + dx >= u + w or u >= x + dx + width for u, v, w in taken)
        ]
        dx, dy = free[0] if free else around[0]
        taken.append((x + dx, y + dy, width))
        offsets.append((dx, dy))
    return offsets


def _name_colonies(
    axes: Axes, dataset: xr.Dataset, frame: int, shown: Window, colonies: xr.Dataset, organ: int, wide_in: float
) -> None:
    """Write the numbers of the largest colonies beside them, in a picture about `wide_in` inches wide."""
    mine = np.flatnonzero(np.asarray(colonies["organ"].values, int) == organ)
    if "colony" not in dataset or not len(mine):
        return
    labels = colony_labels(colonies)[mine]
    count = int(labels.max()) + 1
    cells, places = np.zeros(count), np.zeros((2, count))
    for start, mask in slabs(dataset, frame):
        label = read(dataset, "colony", frame, z=slice(start, start + mask.shape[0]))[mask].astype(np.int64)
        known = label < count
        cells += np.bincount(label[known], minlength=count)
        for axis, at in enumerate(np.nonzero(mask)[1:]):
            places[axis] += np.bincount(label[known], weights=at[known] + 0.5, minlength=count)
    named = [pair for pair in sorted(zip(mine, labels, strict=True), key=lambda p: -cells[p[1]]) if cells[pair[1]]]
    named = named[:COLONIES_NAMED]
    at_um = np.array([places[::-1, label] / cells[label] * shown.voxel_um for _, label in named]).reshape(-1, 2)
    left, right, bottom, top = shown.extent_um
    points = np.array([right - left, top - bottom]) / (72 * wide_in)  # um a point: a guess, before there is a layout
    for (row, _), (x, y), offset in zip(named, at_um, _apart(at_um / points, named), strict=True):
        axes.annotate(
            str(row),
            (x, y),
            xytext=offset,
            textcoords="offset points",
            fontsize=8.5,
            fontweight="bold",
            zorder=7,
            annotation_clip=True,
            path_effects=[withStroke(linewidth=2.5, foreground=style.PAPER, alpha=0.9)],
        )
