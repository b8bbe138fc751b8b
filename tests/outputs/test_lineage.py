"""The tree of clones: branches add up, families cover it, pictures and words say what the table holds."""

import numpy as np
import pytest
import xarray as xr
from newick_parser import parse

from seedsoil.outputs import figures_clones, lineage, planes, report_clones
from seedsoil.outputs.observables import clone_diversity, mean_trait

PARENT = np.array([-1, 0, 0, 1, 1, 3])
CELLS = np.array([5, 0, 7, 2, 0, 4])


def table(parent: np.ndarray = PARENT, cells: np.ndarray = CELLS) -> xr.Dataset:
    born = np.arange(len(parent), dtype=float) * 1.5
    return xr.Dataset(
        {
            "parent": ("clone", parent),
            "born_h": ("clone", born),
            "cells": ("clone", cells),
            "division": ("clone", np.linspace(1, 2, len(parent)).astype(np.float32)),
            "emt": ("clone", np.ones(len(parent), np.float32)),
        }
    )


def test_a_branch_holds_its_own_cells_and_those_below() -> None:
    assert lineage.with_descendants(PARENT, CELLS).tolist() == [18, 6, 7, 6, 0, 4]
    shuffled = np.array([3, 5, 0, 2, 4, 1])  # rows in any order: number n became shuffled[n]
    parent, cells = np.empty(6, np.int64), np.empty(6, np.int64)
    parent[shuffled] = [shuffled[p] if p >= 0 else -1 for p in PARENT]
    cells[shuffled] = CELLS
    assert lineage.with_descendants(parent, cells)[shuffled].tolist() == [18, 6, 7, 6, 0, 4]


def test_every_clone_is_of_the_family_of_its_nearest_ancestor_shown() -> None:
    chosen, family = lineage.families(PARENT, lineage.with_descendants(PARENT, CELLS), 3)
    assert chosen.tolist() == [0, 2, 1]
    assert family.tolist() == [0, 2, 1, 2, 2, 2]
    assert lineage.families(PARENT, CELLS, 99)[1].tolist() == [0, 0, 1, 3, 0, 2]


def test_the_text_says_who_lives_and_reads_back() -> None:
    text = lineage.newick(table())
    assert text.startswith(
        "(((c5[&cells=4,state=extant]:3)c3[&cells=2,state=extant]:3,c4[&cells=0,state=extinct]:4.5)c1"
    )
    found = parse(text)
    assert [found[f"c{row}"].parent for row in range(6)] == ["", "c0", "c0", "c1", "c1", "c3"]
    assert [found[f"c{row}"].length for row in range(6)] == [0, 1.5, 3, 3, 4.5, 3]
    assert [found[f"c{row}"].notes["state"] for row in (0, 1, 4)] == ["extant", "carried", "extinct"]


def frames() -> xr.Dataset:
    """Three frames of a plane: clone 0 alone, then clones 0 to 2, then all of the table's cells."""
    cell, clone = np.zeros((3, 1, 6, 6), np.uint8), np.zeros((3, 1, 6, 6), np.uint32)
    for frame, held in enumerate(([5], [5, 3, 2], CELLS)):
        numbers = np.repeat(np.arange(len(held)), held)
        cell[frame].reshape(-1)[: len(numbers)] = 1
        clone[frame].reshape(-1)[: len(numbers)] = numbers
    dims = ("time", "z", "y", "x")
    return xr.Dataset({"cell": (dims, cell), "clone": (dims, clone)}, {"time": [0.0, 5.0, 10.0]})


def test_the_picture_has_the_shares_the_plane_and_the_tree() -> None:
    dataset = frames()
    counts = figures_clones.cells_through_time(dataset, [0, 1, 2], 6)
    assert counts.tolist() == [[5, 0, 0, 0, 0, 0], [5, 3, 2, 0, 0, 0], CELLS.tolist()]
    shown = planes.window(dataset, 2, 20.0)
    figure = figures_clones.clones(dataset, table(), [0, 1, 2], shown, 10.0)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"c{row}" for row in (0, 2, 1, 3, 5)]
    shares, picture, tree = figure.axes
    tops = np.array([band.get_paths()[0].vertices[:, 1].max() for band in shares.collections])
    assert tops.max() == pytest.approx(1)
    image = picture.images[0].get_array()
    assert len(np.unique(image.reshape(-1, 3)[:18], axis=0)) == 4  # clones with cells, each in its own shade
    assert len(tree.lines) == 6 + 5 - 2  # clone 4 has no cells left: neither it nor what ties it is drawn


def test_the_words_count_clones_and_traits() -> None:
    words = report_clones.words(table())
    assert "6 clones arose" in words
    assert "4 have cells" in words
    assert f"{clone_diversity(CELLS, 1.0):.3g} equally frequent" in words
    mean = mean_trait(table()["division"].values, CELLS)
    assert mean == pytest.approx(float((np.linspace(1, 2, 6) * CELLS).sum() / 18))
    assert f"division {mean:.3f}" in words
    assert "emt" not in words  # it never moved
    assert "was not recorded" in report_clones.section(frames().drop_vars("clone"), table(), None)
