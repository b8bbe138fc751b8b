"""The tree of clones: who descends from whom, how many cells a branch holds, and the tree as Newick text."""

import numpy as np
import xarray as xr


def parents(clones: xr.Dataset) -> np.ndarray:
    """The column `parent`, checked to be a forest: i8, -1 for founders.

    Raises:
        ValueError: there are no clones, or a clone is its own ancestor or has a parent that is no row.
    """
    parent = np.asarray(clones["parent"].values, np.int64)
    if not len(parent):
        raise ValueError("the run recorded no clones")
    if (parent >= len(parent)).any():
        raise ValueError("a clone has a parent that is not in the table")
    in_order(parent)
    return parent


def in_order(parent: np.ndarray) -> np.ndarray:
    """Rows such that every parent comes before its children."""
    depth, above = np.zeros(len(parent), np.int64), parent.copy()
    while (alive := above >= 0).any():
        depth[alive] += 1
        if depth.max() >= len(parent):
            raise ValueError("the clones form no tree: one is its own ancestor")
        above[alive] = parent[above[alive]]
    return np.argsort(depth, kind="stable")


def with_descendants(parent: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Cells of each clone and all clones that descend from it: the cells that carry its mutation."""
    held = np.array(cells, np.int64)
    if (parent < np.arange(len(parent))).all():  # as a run numbers them
        order = range(len(parent) - 1, -1, -1)
    else:
        order = in_order(parent)[::-1]
    for row in order:
        if parent[row] >= 0:
            held[parent[row]] += held[row]
    return held


def families(parent: np.ndarray, held: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The `most` clones whose branches are largest by `held` (those that hold anything, and all founders), and for every clone the
    position in that list of its nearest ancestor there (itself included)."""
    order = in_order(parent)
    rank = np.lexsort((np.arange(len(parent)), -held))
    founders = np.flatnonzero(parent < 0)
    chosen = np.concatenate(
        [founders, [row for row in rank if parent[row] >= 0 and held[row] > 0][: max(0, most - len(founders))]]
    )
    position = np.full(len(parent), -1)
    position[chosen.astype(np.int64)] = np.arange(len(chosen))
    family = position.copy()
    for row in order:
        if family[row] < 0 and parent[row] >= 0:
            family[row] = family[parent[row]]
    return chosen.astype(np.int64), family


def newick(clones: xr.Dataset) -> str:
    """The tree of clones in Newick format, branch lengths in hours from the birth of the parent.

    Node `c5` is row 5 of the table. If the table says how many cells a clone has, each name is followed by a comment
    in the form of BEAST and FigTree, `[&cells=12,state=extant]`; state is extant, extinct, or carried, for a clone
    without cells that has living descendants. Several founders hang from one unnamed root.

    Raises:
        ValueError: there are no clones, or a clone is its own ancestor or has a parent that is no row.
    """
    parent = parents(clones)
    born_h = np.asarray(clones["born_h"].values, float)
    comments = _comments(parent, clones)
    children: list[list[int]] = [[] for _ in range(len(parent))]
    for row in np.flatnonzero(parent >= 0):
        children[parent[row]].append(int(row))
    roots = [int(row) for row in np.flatnonzero(parent < 0)]
    # a stack rather than recursion: trees may be deep. A row is visited before and after its children
    parts: list[str] = []
    stack = [(row, False) for row in reversed(roots)]
    while stack:
        row, after = stack.pop()
        if not after:
            if parts and parts[-1] != "(":
                parts.append(",")
            stack.append((row, True))
            if children[row]:
                parts.append("(")
                stack += [(child, False) for child in reversed(children[row])]
            continue
        length = born_h[row] - (born_h[parent[row]] if parent[row] >= 0 else 0.0)
        parts.append(f"{')' if children[row] else ''}c{row}{comments[row]}:{length:.12g}")
    tree = "".join(parts)
    return f"{tree};" if len(roots) == 1 else f"({tree});"


def _comments(parent: np.ndarray, clones: xr.Dataset) -> list[str]:
    if "cells" not in clones:
        return [""] * len(parent)
    cells = np.asarray(clones["cells"].values, np.int64)
    if "cells_in_transit" in clones:
        cells = cells + np.asarray(clones["cells_in_transit"].values, np.int64)
    below = with_descendants(parent, cells)
    states = np.where(cells > 0, "extant", np.where(below > 0, "carried", "extinct"))
    return [f"[&cells={n},state={state}]" for n, state in zip(cells.tolist(), states.tolist(), strict=True)]
