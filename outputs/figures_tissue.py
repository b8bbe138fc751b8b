"""Pictures of tissue: cells, vessels, matrix and solutes, in a plane and in three dimensions."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import ndimage

from . import style
from .observables import TUMOUR
from .planes import Window, closer, plane, read, vessels_along_z, volume
from .portrait import portrait

PORTRAIT_VOXELS = 160**3
PORTRAIT_ASPECT = 0.86
OUTLINE = 0.35  # share of voxels that hold a cell, inside the tumour's outline
CODES = {
    0: style.TISSUE,
    2: style.NECROTIC,
    3: style.IMMUNE,
    4: style.STROMA,
    5: style.EPITHELIUM,
}
CODE_NAMES = {2: "necrotic", 3: "immune", 4: "stroma", 5: "epithelium"}
# the fields that are drawn, in this order
FIELD_TITLES = {
    "matrix": "matrix density",
    "protease": "protease, relative",
    "inhibitor": "protease inhibitor, relative",
    "oxygen": "oxygen [mmHg]",
    "drug": "drug, relative",
    "growth_factor": "growth factor [ng/mL]",
    "mitogen": "mitogen [ng/mL]",
    "cytokine": "cytokine [ng/mL]",
    "chemokine": "chemokine [ng/mL]",
    "vegf": "VEGF-A [ng/mL]",
    "vegf_c": "VEGF-C [ng/mL]",
}


def cell_colours(cell: np.ndarray, emt: np.ndarray | None, vessel: np.ndarray | None) -> np.ndarray:
    """An RGB image, (ny, nx, 3), of a plane of cells; vessels show where there is no cell."""
    image = np.empty((*cell.shape, 3))
    image[:] = style.rgb(style.TISSUE)
    for code, colour in CODES.items():
        image[cell == code] = style.rgb(colour)
    if vessel is not None:
        free = cell == 0
        image[free & ((vessel & 2) != 0)] = style.rgb(style.LYMPH)
        image[free & ((vessel & 1) != 0)] = style.rgb(style.BLOOD)
    tumour = cell == TUMOUR
    share = (np.zeros(cell.shape) if emt is None else emt / 255.0)[tumour][:, None]
    image[tumour] = style.rgb(style.EPITHELIAL) * (1 - share) + style.rgb(style.MESENCHYMAL) * share
    return image


def tissue_legend(
    cell: np.ndarray, emt: np.ndarray | None, vessel: np.ndarray | None, passing: np.ndarray | None = None
) -> list[Any]:
    """Legend handles for what these arrays hold (and always for the tumour's cells).

    `passing` as in `draw_cells`.
    """
    if emt is None:
        handles: list[Any] = [Patch(color=style.EPITHELIAL, label="tumour cell")]
    else:
        handles = [
            Patch(color=style.EPITHELIAL, label="epithelial cell"),
            Patch(color=style.MESENCHYMAL, label="mesenchymal cell"),
        ]
        values = emt[cell == TUMOUR]
        if ((values > 25) & (values < 230)).any():
            middle = (style.rgb(style.EPITHELIAL) + style.rgb(style.MESENCHYMAL)) / 2
            handles.insert(1, Patch(color=tuple(middle), label="in between"))
    held = np.unique(cell)
    handles += [Patch(color=CODES[c], label=name) for c, name in CODE_NAMES.items() if c in held]
    if vessel is not None:
        bits = int(np.bitwise_or.reduce(vessel, axis=None))
        for bit, colour, name in ((1, style.BLOOD, "blood vessel"), (2, style.LYMPH, "lymph vessel")):
            if bits & bit:
                handles.append(Line2D([], [], ls="", marker="o", ms=6, mfc=colour, mec="white", label=name))
        if bits & 8:
            handles.append(
                Line2D([], [], ls="", marker="o", ms=6, mfc="white", mec=style.BLOOD, mew=1.6, label="ruptured vessel")
            )
    beyond = 0 if passing is None else int(np.bitwise_or.reduce(passing, axis=None)) & 3
    if beyond:
        colour = pale(style.BLOOD if beyond & 1 else style.LYMPH)
        handles.append(Patch(color=tuple(colour), label="vessel above or below"))
    return handles


def draw_vessel_sites(axes: Axes, vessel: np.ndarray | None, shown: Window, size: float = 5.0) -> None:
    """Mark vessels that would be too small to see in a plane (ny, nx); ruptured ones are hollow."""
    if vessel is None:
        return
    close = max(vessel.shape) < 60  # the voxels themselves can be seen
    labels, found = ndimage.label((vessel & 3) != 0, structure=np.ones((3, 3)))  # pyright: ignore[reportGeneralTypeIssues]
    left, _, bottom, _ = shown.extent_um
    for number, box in enumerate(ndimage.find_objects(labels)[: min(found, 400)], start=1):
        height, width = (side.stop - side.start for side in box)
        if max(height, width) > 0.05 * max(vessel.shape):
            continue
        bits = int(np.bitwise_or.reduce(vessel[box][labels[box] == number]))
        if close and not bits & 8:
            continue
        y, x = ((side.start + side.stop) / 2 * shown.voxel_um for side in box)
        colour = style.BLOOD if bits & 1 else style.LYMPH
        axes.plot(left + x, bottom + y, "o", ms=size, mfc="white" if bits & 8 else colour,
                  mec=colour if bits & 8 else "white", mew=1.4 if bits & 8 else 0.6, zorder=5)  # fmt: skip


def draw_cells(
    axes: Axes,
    cell: np.ndarray,
    emt: np.ndarray | None,
    vessel: np.ndarray | None,
    shown: Window,
    passing: np.ndarray | None = None,
) -> None:
    """One plane of cells, (ny, nx), axes in µm. `passing`: vessel bits of other planes, pale where all is empty."""
    style.grid_off(axes)
    image = cell_colours(cell, emt, vessel)
    if passing is not None:
        empty = (cell == 0) if vessel is None else (cell == 0) & ((vessel & 3) == 0)
        for bit, colour in ((2, style.LYMPH), (1, style.BLOOD)):
            image[empty & ((passing & bit) != 0)] = pale(colour)
    axes.imshow(image, origin="lower", extent=shown.extent_um, interpolation=_smoothing(cell))
    draw_vessel_sites(axes, vessel, shown)


def pale(colour: str) -> np.ndarray:
    """The colour of a vessel that runs above or below the plane."""
    return 0.68 * style.rgb(style.TISSUE) + 0.32 * style.rgb(colour)


def draw_field(axes: Axes, values: np.ndarray, cell: np.ndarray, shown: Window, name: str, norm: Normalize) -> Any:
    """One plane of a field with the tumour's outline. Returns the image, for a colour bar."""
    style.grid_off(axes)
    image = axes.imshow(
        values, origin="lower", extent=shown.extent_um, cmap=style.FIELD_MAPS.get(name, "viridis"), norm=norm,
        interpolation=_smoothing(values),
    )  # fmt: skip
    # wide enough that single cells do not each get a ring
    tumour = np.asarray(ndimage.gaussian_filter((cell == TUMOUR).astype(float), max(0.8, max(cell.shape) / 90)))
    if tumour.max() > OUTLINE and min(tumour.shape) > 1:
        axes.contour(tumour, [OUTLINE], origin="lower", extent=shown.extent_um, colors=[style.PAPER], linewidths=1.5)
        axes.contour(tumour, [OUTLINE], origin="lower", extent=shown.extent_um, colors=[style.INK], linewidths=0.6)
    return image


def draw_portrait(axes: Axes, fields: dict[str, np.ndarray], um_per_voxel: float, pixels: int = 560) -> None:
    """The tumour in three dimensions in its box, lengths in µm."""
    picture = portrait(fields["cell"], fields.get("emt"), fields.get("vessel"), pixels)
    left, right, bottom, top = (value * um_per_voxel for value in picture.extent)
    for (a, b), front in picture.edges:
        axes.plot(*zip(a * um_per_voxel, b * um_per_voxel, strict=True), color="#b4bec8", lw=0.6,
                  alpha=0.9, clip_on=False, zorder=4 if front else 1)  # fmt: skip
    axes.imshow(picture.image, extent=(left, right, bottom, top), zorder=2, interpolation="antialiased")
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.margins(0.01)


def _smoothing(values: np.ndarray) -> str:
    return "nearest" if max(values.shape) <= 400 else "antialiased"


def tissue_through_time(dataset: xr.Dataset, frames: list[int], shown: Window) -> Figure:
    """Rows: the tumour in 3-D (if it is), cells in the plane, then matrix and solutes; columns: times."""
    time_h = dataset["time"].values
    fields = [name for name in FIELD_TITLES if name in dataset]
    solid = dataset.sizes["z"] > 1
    rows = (["portrait"] if solid else []) + ["cells", *fields]
    aspect = (shown.y.stop - shown.y.start) / (shown.x.stop - shown.x.start)
    columns = max(len(frames), 3)
    wide = (style.COLUMN_IN - 1.3) / columns
    with style.styled():
        tall = [PORTRAIT_ASPECT if kind == "portrait" else min(max(aspect, 0.3), 2.0) for kind in rows]
        figure = style.new_figure(style.COLUMN_IN, sum(tall) * wide + 0.09 * len(rows) + 0.75)
        figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)  # pyright: ignore
        grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=tall)
        for spare in grid[:, len(frames) :].flat:
            spare.set_axis_off()
        passing: list[Any] = [vessels_along_z(dataset, f, shown) if solid else None for f in frames]
        cells = [plane(dataset, "cell", frame, shown) for frame in frames]
        emts = [plane(dataset, "emt", f, shown) if "emt" in dataset else None for f in frames]
        vessels = [plane(dataset, "vessel", f, shown) if "vessel" in dataset else None for f in frames]
        for row, kind in enumerate(rows):
            line = grid[row, : len(frames)]
            if kind == "portrait":
                for axes, frame in zip(line, frames, strict=True):
                    near = closer(dataset, frame, shown)
                    held, stride = volume(dataset, frame, near, ("cell", "emt", "vessel"), PORTRAIT_VOXELS)
                    draw_portrait(axes, held, shown.voxel_um * stride, 440)
                    style.scale_bar(axes)
            elif kind == "cells":
                for axes, cell, emt, vessel, other in zip(line, cells, emts, vessels, passing, strict=True):
                    draw_cells(axes, cell, emt, vessel, shown, other)
                    style.scale_bar(axes)
            else:
                values = [plane(dataset, kind, frame, shown) for frame in frames]
                top = max(float(np.nanmax(v)) for v in values)
                norm = Normalize(0, 1 if kind == "matrix" else max(top, 1e-12))
                for axes, value, cell in zip(line, values, cells, strict=True):
                    image = draw_field(axes, value, cell, shown, kind, norm)
                    style.scale_bar(axes)
                bar = figure.colorbar(image, ax=list(line), pad=0.01, aspect=22, shrink=0.94)
                bar.set_label(FIELD_TITLES.get(kind, kind), fontsize=8.5)
                bar.outline.set_visible(False)  # pyright: ignore
            if kind != "portrait":
                _outer_axes(line, shown, bottom=row == len(rows) - 1)
        for axes, frame in zip(grid[0], frames, strict=False):
            axes.set_title(style.time_text(float(time_h[frame])), loc="center")
        stacked = (_stacked(group) for group in (emts, vessels, passing))
        handles = tissue_legend(np.stack(cells), *stacked)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 8), handlelength=1.1)
    return figure


def _stacked(planes: list[Any]) -> np.ndarray | None:
    return None if planes[0] is None else np.stack(planes)


def _outer_axes(line: Any, shown: Window, bottom: bool) -> None:
    """Millimetres along the left and the lower edge of a block of pictures."""
    for k, axes in enumerate(line):
        for axis, wanted, name in ((axes.yaxis, k == 0, "y"), (axes.xaxis, bottom, "x")):
            if wanted:
                axis.set_major_locator(MaxNLocator(3))
                axis.set_major_formatter(FuncFormatter(lambda um, _: f"{um / 1000:g}"))
                axis.set_label_text(f"{name} [mm]", fontsize=8.5)


def largest_view(dataset: xr.Dataset, frame: int, shown: Window) -> Figure:
    """The tumour at one time, large: in three dimensions, or the plane of a 2-D tissue."""
    with style.styled():
        figure = style.new_figure(5.6, 5.3)
        axes = figure.subplots()
        names = ("cell", "emt", "vessel")
        if dataset.sizes["z"] > 1:
            held, stride = volume(dataset, frame, shown, names, PORTRAIT_VOXELS)
            draw_portrait(axes, held, shown.voxel_um * stride, 1000)
        else:
            held = {n: read(dataset, n, frame, 0, shown.y, shown.x) for n in names if n in dataset}
            draw_cells(axes, held["cell"], held.get("emt"), held.get("vessel"), shown)
        style.scale_bar(axes)
        handles = tissue_legend(held["cell"], held.get("emt"), held.get("vessel"))
        figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)), handlelength=1.1)
    return figure
