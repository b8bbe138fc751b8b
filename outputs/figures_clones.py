"""Pictures of clones: their shares through time, where they are, and the tree of their births."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .lineage import families, in_order, with_descendants
from .observables import TUMOUR
from .planes import Window, plane, read, slabs

FAMILIES = 9  # told apart by colour
FRAMES = 40  # read for the shares through time
BRANCHES = 60  # of the tree, those whose branches hold most cells
COLOURS = (*style.SEQUENCE, "#b15928")


def cells_through_time(dataset: xr.Dataset, frames: Sequence[int], clones: int) -> np.ndarray:
    """Tumour cells of each clone in each frame, (frames, clones) i8."""
    out = np.zeros((len(frames), clones), np.int64)
    for number, frame in enumerate(frames):
        for start, mask in slabs(dataset, frame):
            part = read(dataset, "clone", frame, z=slice(start, start + mask.shape[0]))
            out[number] += np.bincount(part[mask], minlength=clones)[:clones]
    return out


def clones(dataset: xr.Dataset, table: xr.Dataset, frames: list[int], shown: Window, until_h: float) -> Figure:
    """Three panels: shares of the families through time, the plane at the end by family, and the tree of births.

    `dataset` holds `cell` and `clone`. A family is a clone with all that descend from it and from no other that is
    shown; the largest are told apart by colour.
    """
    parent = np.asarray(table["parent"].values, np.int64)
    counts = cells_through_time(dataset, frames, len(parent))
    chosen, family = families(parent, with_descendants(parent, counts[-1]), FAMILIES)
    unit, label = style.time_axis(until_h)
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 7.2)
        grid = figure.subplots(2, 2, height_ratios=[1, 0.9])
        shares = _shares(counts, family, len(chosen))
        _muller(grid[0, 0], dataset["time"].values[frames] / unit, shares, chosen, table)
        _plane(grid[0, 1], plane(dataset, "cell", frames[-1], shown), plane(dataset, "clone", frames[-1], shown),
               family, shown)  # fmt: skip
        rest = grid[1, 0].get_gridspec()
        for axes in grid[1]:
            axes.remove()
        tree = figure.add_subplot(rest[1, :])
        _tree(tree, table, parent, counts[-1], family, unit, until_h)
        for axes in (grid[0, 0], tree):
            axes.set_xlabel(label)
        figure.legend(handles=grid[0, 0].get_legend_handles_labels()[0], loc="outside lower center", ncols=5,
                      handlelength=1.1, title="families by their founding clone")  # fmt: skip
    return figure


def _shares(counts: np.ndarray, family: np.ndarray, found: int) -> np.ndarray:
    """(families, frames) shares of all tumour cells."""
    out = np.zeros((found, len(counts)))
    for number in range(found):
        out[number] = counts[:, family == number].sum(axis=1)
    return out / np.maximum(out.sum(axis=0), 1)


def _muller(axes: Axes, time: np.ndarray, shares: np.ndarray, chosen: np.ndarray, table: xr.Dataset) -> None:
    """Families stacked, each descendant inside its parent: above it half of the parent goes on."""
    axes.set_title("Shares of the tumour's cells")
    bands, parent = _nested(shares, chosen, np.asarray(table["parent"].values, np.int64)), set()
    low = np.zeros(len(time))
    for number, part in bands:
        name = None if number in parent else f"c{chosen[number]}"
        parent.add(number)
        axes.fill_between(time, low, low + part, color=_colour(number), lw=0, label=name)
        low = low + part
    axes.set_ylim(0, 1)
    axes.set_xlim(float(time[0]), float(max(time[-1], time[0] + 1e-9)))


def _nested(shares: np.ndarray, chosen: np.ndarray, parent: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Bands from the bottom up; a family with descendants that are shown stands on both sides of them."""
    position = {int(row): number for number, row in enumerate(chosen)}

    def above(row: int) -> int:
        up = int(parent[row])
        while up >= 0 and up not in position:
            up = int(parent[up])
        return position.get(up, -1)

    children: dict[int, list[int]] = {}
    for number, row in enumerate(chosen):
        children.setdefault(above(int(row)), []).append(number)

    def bands(number: int) -> list[tuple[int, np.ndarray]]:
        inner = [band for child in children.get(number, []) for band in bands(child)]
        if not inner:
            return [(number, shares[number])]
        return [(number, shares[number] / 2), *inner, (number, shares[number] / 2)]

    return [band for root in children.get(-1, []) for band in bands(root)]


def _plane(axes: Axes, cell: np.ndarray, clone: np.ndarray, family: np.ndarray, shown: Window) -> None:
    axes.set_title("Where they are, in the plane")
    style.grid_off(axes)
    image = np.empty((*cell.shape, 3))
    image[:] = style.rgb(style.TISSUE)
    tumour = cell == TUMOUR
    palette = np.array([style.rgb(_colour(number)) for number in range(max(int(family.max()) + 1, 1))])
    which = family[np.minimum(clone[tumour], len(family) - 1)]
    # clones of one family differ a little in lightness, so that their borders can be seen
    light = 1.0 + 0.28 * (((clone[tumour].astype(np.uint64) * np.uint64(2654435761)) % np.uint64(1000)) / 1000.0 - 0.5)
    image[tumour] = np.clip(palette[which] * light[:, None], 0, 1)
    axes.imshow(image, origin="lower", extent=shown.extent_um, interpolation="nearest")
    style.scale_bar(axes)


def _tree(
    axes: Axes,
    table: xr.Dataset,
    parent: np.ndarray,
    cells: np.ndarray,
    family: np.ndarray,
    unit: float,
    until_h: float,
) -> None:
    """Every line is a clone, from its birth on; it hangs from its parent at that time. Thick = many cells."""
    held = with_descendants(parent, cells)
    drawn = set(np.flatnonzero(parent < 0).tolist())
    for row in np.lexsort((np.arange(len(parent)), -held))[:BRANCHES]:
        while row >= 0 and int(row) not in drawn and held[row] > 0:  # with all its ancestors
            drawn.add(int(row))
            row = parent[row]
    born = np.asarray(table["born_h"].values, float) / unit
    place = _places([row for row in in_order(parent).tolist() if row in drawn], parent)
    axes.set_title(f"Births of clones: the {len(drawn)} with most living cells among their descendants")
    most = max(int(cells.max()), 1)
    for row, y in place.items():
        colour = _colour(int(family[row]))
        axes.plot([born[row], until_h / unit], [y, y], color=colour, lw=0.5 + 4 * (cells[row] / most) ** 0.5,
                  alpha=1 if cells[row] else 0.35, solid_capstyle="butt")  # fmt: skip
        if parent[row] >= 0:
            axes.plot([born[row]] * 2, [place[int(parent[row])], y], color="#9aa5b1", lw=0.7, zorder=0)
    axes.set_xlim(0, max(until_h / unit, 1e-9))
    axes.set_yticks([])
    axes.grid(False)
    axes.spines["left"].set_visible(False)


def _places(rows: list[int], parent: np.ndarray) -> dict[int, int]:
    """A line for each row, children right above their parent, each branch together."""
    children: dict[int, list[int]] = {}
    for row in rows:
        children.setdefault(int(parent[row]), []).append(row)
    place: dict[int, int] = {}
    stack = list(reversed(children.get(-1, [])))
    while stack:
        row = stack.pop()
        place[row] = len(place)
        stack += sorted(children.get(row, []))
    return place


def _colour(number: int) -> Any:
    return COLOURS[number % len(COLOURS)]
