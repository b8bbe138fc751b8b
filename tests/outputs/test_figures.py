"""Figures show what the arrays hold: pixels, labels, legends, the right part of the lattice."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from seedsoil.outputs import (
    figures_clusters,
    figures_fate,
    figures_organs,
    figures_seeds,
    figures_series,
    figures_solutes,
    figures_tissue,
    planes,
    schema,
    style,
)
from seedsoil.outputs.cascade import Step, colony_labels, fates_by_organ, funnel
from seedsoil.outputs.portrait import CUT_CELLS, View, opened, portrait
from seedsoil.outputs.reader import open_run

UM = 20.0


def lattice(cell: np.ndarray, **more: np.ndarray) -> xr.Dataset:
    """A dataset of one frame of each array."""
    fields = {"cell": cell, **more}
    return xr.Dataset({k: (("time", "z", "y", "x"), v[None]) for k, v in fields.items()}, {"time": [0.0]})


def texts(figure: Figure) -> list[str]:
    """Every text that a figure shows."""
    found = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        # titles stand to the left or in the middle
        found += [axes.get_title(loc=loc) for loc in ("left", "center")] + [axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in axes.texts]
        if legend := axes.get_legend():
            found += [text.get_text() for text in legend.get_texts()]
    return [text for text in found if text]


def test_colours_say_who_is_where() -> None:
    cell = np.array([[0, 1, 1, 2, 0, 1]], np.uint8)
    emt = np.array([[0, 0, 255, 0, 0, 0]], np.uint8)
    vessel = np.array([[0, 0, 0, 0, 1, 1]], np.uint8)
    image = figures_tissue.cell_colours(cell, emt, vessel)[0]
    names = (style.TISSUE, style.EPITHELIAL, style.MESENCHYMAL, style.NECROTIC, style.BLOOD, style.EPITHELIAL)
    assert image == pytest.approx(np.array([style.rgb(name) for name in names]))


def test_cells_apart_stack_up_by_the_size_of_their_group() -> None:
    figure = figures_clusters.apart(np.array([0.0, 6.0]), np.array([[0, 0, 0, 0], [3, 2, 0, 5]]), 6.0)
    left, right = figure.axes
    tops = [bar.get_y() + bar.get_height() for bar in left.patches]  # pyright: ignore[reportAttributeAccessIssue]
    assert max(tops) == 10 and len(left.patches) == 8
    assert max(bar.get_y() + bar.get_height() for bar in right.patches) == pytest.approx(1)  # pyright: ignore
    assert {"alone", "in 8 or more"} <= set(texts(figure))


def test_solutes_have_a_panel_each_where_the_run_recorded_them() -> None:
    time = np.arange(5.0)
    named = {
        f"oxygen_{which}": ("tick_time", level + time) for which, level in (("min", 1.0), ("mean", 2.0), ("max", 9.0))
    }
    series = xr.Dataset({**named, "vegf_max": ("tick_time", time)}, {"tick_time": time})
    assert figures_solutes.recorded(series) == ["oxygen"]
    figure = figures_solutes.through_time(series, 4.0)
    assert "oxygen [mmHg]" in texts(figure) and "lowest to highest" in texts(figure)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), 2.0 + time)


def test_fates_have_a_panel_each_where_something_happened() -> None:
    time = np.arange(1.0, 101.0)
    named = {
        "tumour_cells": 1000 + 0 * time,
        "mesenchymal_cells": 5 * time,
        "born": 10 + 0 * time,
        "died_killed": 5 + 0 * time,
        "died_necrosed": 0 * time,
        "immune_cells": time,
        "necrotic_voxels": 0 * time,
        "hybrid_cells": 0 * time,
        "emt_mean": time,
    }
    series = xr.Dataset({name: ("tick_time", values) for name, values in named.items()}, {"tick_time": time})
    assert figures_fate.panels(series) == ["deaths", "effectors"]
    figure = figures_fate.fates(series, 100.0)
    shown = texts(figure)
    assert "immune cells" in shown and "necrosis" not in shown
    rates = [patch.get_data().values for patch in figure.axes[0].patches]
    assert rates[0] == pytest.approx(10 / 1000 * 24) and rates[1] == pytest.approx(5 / 1000 * 24)  # an hour a row
    series["hybrid_cells"] += 1
    series["necrotic_voxels"] += 3
    assert figures_fate.panels(series) == ["deaths", "effectors", "debris", "emt"]
    assert {"debris", "share hybrid", "mean emt / 255"} <= set(texts(figures_fate.fates(series, 100.0)))
    quiet = series.drop_vars(["immune_cells", "died_killed", "hybrid_cells", "necrotic_voxels"])
    assert figures_fate.panels(quiet) == []  # as of a run without them


def test_every_solute_has_a_title_and_a_map() -> None:
    for name in schema.SOLUTES:
        assert name in figures_tissue.FIELD_TITLES and name in style.FIELD_MAPS
        unit = schema.FIELDS[name].units
        assert figures_tissue.FIELD_TITLES[name].endswith(", relative" if unit == "1" else f"[{unit}]")


def test_the_legend_names_what_is_there_and_no_more() -> None:
    cell = np.array([[[0, 1, 2]]], np.uint8)
    handles = figures_tissue.tissue_legend(cell, np.array([[[0, 120, 0]]], np.uint8), np.array([[[9, 0, 0]]], np.uint8))
    assert [handle.get_label() for handle in handles] == [
        "epithelial cell", "in between", "mesenchymal cell", "necrotic", "blood vessel", "ruptured vessel"
    ]  # fmt: skip
    assert [handle.get_label() for handle in figures_tissue.tissue_legend(cell, None, None)] == [
        "tumour cell",
        "necrotic",
    ]


def test_the_window_holds_the_whole_tumour_and_leaves_empty_tissue_out() -> None:
    cell = np.zeros((40, 200, 100), np.uint8)
    cell[10:14, 150:170, 2:9] = 1
    shown = planes.window(lattice(cell), 0, UM)
    assert not shown.whole
    assert cell[shown.z, shown.y, shown.x].sum() == cell.sum()
    assert shown.plane in range(10, 14)
    assert (shown.y.stop - shown.y.start) == (shown.x.stop - shown.x.start) == 28
    everywhere = planes.window(lattice(np.ones((4, 20, 20), np.uint8)), 0, UM)
    assert everywhere.whole and everywhere.extent_um == (0, 400, 0, 400)


def test_reading_slab_by_slab_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.Generator(np.random.Philox(1))
    cell = (draws.random((9, 11, 13)) < 0.05).astype(np.uint8)
    emt = draws.integers(0, 256, cell.shape).astype(np.uint8)
    dataset = lattice(cell, emt=emt, vessel=np.roll(cell, 1, 0))
    shown = planes.window(dataset, 0, UM)

    def seen() -> tuple:
        held, stride = planes.volume(dataset, 0, shown, ("cell", "emt", "vessel"), 300)
        return (
            planes.bounds(dataset, 0),
            planes.silhouette(dataset, 0, shown),
            planes.seen_along_z(dataset, 0, shown),
            held,
            stride,
        )

    whole = seen()
    monkeypatch.setattr(planes, "SLAB_VOXELS", 2 * 11 * 13)
    thin = seen()
    assert thin[0][0] == whole[0][0] == [(a.min(), a.max() + 1) for a in np.nonzero(cell)]
    assert thin[0][1] == pytest.approx(np.argwhere(cell).mean(axis=0))
    assert (thin[1] == cell.any(axis=0)).all()
    for name in ("cell", "emt", "vessel"):
        assert (thin[2][name] == whole[2][name]).all()
    y, x = np.argwhere(cell.sum(axis=0) > 1)[0]
    assert thin[2]["emt"][y, x] == emt[np.flatnonzero(cell[:, y, x]).max(), y, x]
    assert thin[4] == whole[4] > 1
    assert (thin[3]["emt"] == emt[:: thin[4], :: thin[4], :: thin[4]]).all()
    assert thin[3]["emt"].size <= 300
    # thinned vessels keep every bit
    bits = np.pad(np.roll(cell, 1, 0), [(0, -n % thin[4]) for n in cell.shape])
    nz, ny, nx = (n // thin[4] for n in bits.shape)
    blocks = bits.reshape(nz, thin[4], ny, thin[4], nx, thin[4]).max(axis=(1, 3, 5))
    assert (thin[3]["vessel"] == blocks).all() and (whole[3]["vessel"] == blocks).all()


def test_few_frames_of_a_long_run_are_shown_evenly_with_both_ends() -> None:
    assert planes.frame_indices(np.arange(1001.0), 5) == [0, 250, 500, 750, 1000]
    assert planes.frame_indices(np.array([0.0, 1, 2, 3, 4, 100]), 3) == [0, 4, 5]
    assert planes.frame_indices(np.array([3.0]), 5) == [0]
    assert [planes.columns(n) for n in (1, 5, 6, 7, 41)] == [5, 5, 6, 4, 5]


def test_a_ball_in_front_hides_the_one_behind() -> None:
    cell = np.zeros((3, 31, 3), np.uint8)
    emt = np.zeros_like(cell)
    cell[1, 1, 1] = cell[1, 29, 1] = 1
    emt[1, 1, 1] = 255
    from_low_y = View(azimuth=-90, elevation=0)
    picture = portrait(cell, emt, None, pixels=200, view=from_low_y)
    middle = picture.image[picture.image.shape[0] // 2, picture.image.shape[1] // 2]
    assert middle[3] == 1 and middle[0] > middle[2]  # opaque, and orange rather than blue
    other = portrait(cell, emt, None, pixels=200, view=View(azimuth=90, elevation=0))
    middle = other.image[other.image.shape[0] // 2, other.image.shape[1] // 2]
    assert middle[2] > middle[0]
    assert len(picture.edges) == 12 and sum(front for _, front in picture.edges) == 3


def test_the_eighth_that_faces_the_reader_is_taken_out_of_large_tumours() -> None:
    tumour = np.ones((20, 20, 20), bool)
    assert tumour.sum() > CUT_CELLS
    cut = opened(tumour, np.array([0.5, -0.8, 0.4]))  # the reader stands at high x, low y, high z
    assert cut.sum() == pytest.approx(tumour.sum() * 7 / 8)
    assert not cut[-1, 0, -1] and cut[0, 0, -1] and cut[-1, -1, -1] and cut[-1, 0, 0]
    small = tumour[:, :10, :10]
    assert (opened(small, np.array([0.5, -0.8, 0.4])) == small).all()


def test_the_tissue_figure_has_its_rows_times_scale_bars_and_colour_bars(solid_run: Path) -> None:
    with open_run(solid_run).dataset() as dataset:
        shown = planes.window(dataset, 2, UM)
        shown_texts = texts(figures_tissue.tissue_through_time(dataset, [1, 2], shown))
    assert [t for t in shown_texts if t.startswith("day")] == ["day 5", "day 10"]
    assert sum(t.endswith("µm") for t in shown_texts) == 4 * 2  # a scale bar in each picture
    assert {"matrix density", "protease, relative", "x [mm]", "y [mm]", "epithelial cell"} <= set(shown_texts)


def test_organ_pictures_name_organs_and_colonies(solid_run: Path) -> None:
    run = open_run(solid_run)
    names = list(run.layout.organs)
    held = {name: run.organ(name) for name in run.organs}
    colonies = run.colonies()
    found = texts(figures_organs.organ_pictures(held, colonies, names, UM))
    assert {"lung, day 10", "liver, day 10"} <= set(found)
    lung = colony_labels(colonies)[colonies["organ"].values == names.index("lung")]
    times, cells = figures_organs.colony_sizes(held["lung"], int(lung.max()))
    last = held["lung"].isel(time=-1)
    assert times[-1] == 240
    for label in (1, 2):
        assert cells[-1, label] == int(((last["colony"] == label) & (last["cell"] == 1)).sum()) > 0
    row = str(np.flatnonzero((colonies["organ"].values == names.index("lung")) & (colony_labels(colonies) == 1))[0])
    assert row in found
    for dataset in held.values():
        dataset.close()


def tables(fate: list[int], organ: list[int], state: list[int], released: int) -> tuple[xr.Dataset, ...]:
    seeds = xr.Dataset({"fate": ("seed", fate), "organ": ("seed", organ)})
    colonies = xr.Dataset({"state": ("colony", state)})
    return seeds, colonies, xr.Dataset({"seeds_released": ("tick_time", [0, released])})


def test_the_funnel_counts_each_step() -> None:
    fates, organs = [0, 1, 1, 1, 2, 3, 4, 5, 5, 6, 7], [-1, -1, -1, -1, 0, 0, 1, 1, 1, -1, 0]
    steps = funnel(*tables(fates, organs, [2, 3], 8))
    assert [step.number for step in steps] == [8, 11, 7, 6, 3, 2, 1]
    assert "1 of them still travel" in steps[1].about
    figure = texts(figures_seeds.funnel(steps))
    for number in ("8", "11", "7", "6", "3", "2", "1"):
        assert number in figure
    assert any(text.startswith("63.6 % of the step above") for text in figure)


def test_the_funnel_is_as_wide_as_its_numbers() -> None:
    figure = figures_seeds.funnel([Step(str(number), number, "") for number in (1000, 500, 20, 1, 0)])
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert widths == pytest.approx([1.0, 0.5, 0.02, 0.003, 0.0])


def test_numbers_of_colonies_do_not_cover_one_another() -> None:
    places = np.array([(50.0, 50.0), (51.0, 52.0), (49.0, 50.0), (200.0, 50.0)])
    named = [(12, 1), (16, 2), (7, 3), (3, 4)]
    boxes = [
        (x + dx, y + dy, 6.0 * len(str(row)))
        for (row, _), (x, y), (dx, dy) in zip(named, places, figures_organs._apart(places, named), strict=True)
    ]
    for k, (x, y, w) in enumerate(boxes):
        for u, v, other in boxes[:k]:
            assert abs(y - v) >= 11 or x >= u + other or u >= x + w
    assert figures_organs._apart(places[3:], named[3:]) == [(7.0, 7.0)]


def test_a_small_tumour_is_seen_from_nearer(solid_run: Path) -> None:
    with open_run(solid_run).dataset() as dataset:
        shown = planes.window(dataset, 2, UM)
        assert planes.closer(dataset, 2, shown) == shown
        one = dataset.copy(deep=True)
        one["cell"] = one["cell"].copy(data=np.zeros_like(one["cell"].values))
        one["cell"].values[0, 8, 13, 12] = 1
        whole = planes.Window(slice(0, 16), slice(0, 260), slice(0, 240), 8, UM, True)
        near = planes.closer(one, 0, whole)
        assert near.x.stop - near.x.start < 240 and near.x.start <= 12 < near.x.stop and not near.whole
        assert planes.closer(one, 1, shown) == shown  # no cell


def test_fates_by_organ_leaves_out_seeds_without_an_organ() -> None:
    seeds, *_ = tables([5, 5, 1, 7], [1, 1, -1, 0], [], 4)
    table = fates_by_organ(seeds, 3)
    assert table.sum() == 3 and table[1, 5] == 2 and table[0, 7] == 1


def test_a_cascade_in_which_nothing_happened_can_be_drawn() -> None:
    found = texts(figures_seeds.funnel([Step(name, 0, "none") for name in "abcd"]))
    assert found.count("0") == 4


def test_rates_are_events_per_cell_and_day() -> None:
    rows = 480
    series = xr.Dataset(
        {
            "tumour_cells": ("tick_time", np.full(rows, 200)),
            "born": ("tick_time", np.full(rows, 2)),
            "died": ("tick_time", np.full(rows, 1)),
        },
        {"tick_time": np.arange(1, rows + 1) * 0.5},
    )
    figure = figures_series.curves(series, 240.0, [], UM, solid=True)
    steps = {patch.get_label(): patch.get_data() for patch in figure.axes[1].patches}
    assert steps["divide"].values == pytest.approx(2 / 200 * 48)
    assert steps["die"].values == pytest.approx(1 / 200 * 48)
    assert "enter a vessel" not in steps
    assert "The run recorded no distances." in texts(figure)


def test_lengths_and_times_as_people_say_them() -> None:
    assert [style.time_text(h) for h in (0, 6, 24, 60, 150)] == ["0 h", "6 h", "day 1", "day 2.5", "day 6.25"]
    assert [style.length_text(um) for um in (200, 1500)] == ["200 µm", "1.5 mm"]
    assert [style.nice_length_um(span) for span in (1920, 1280, 4000, 90)] == [500, 200, 1000, 20]
    assert style.count_text(12345) == "12\u2009345" and style.count_text(float("nan")) == "–"


def test_no_pyplot_no_taichi_is_loaded_by_what_draws() -> None:
    code = (
        "import sys; from seedsoil.outputs import export, figures_seeds, movie, report, style; "
        "style.png(figures_seeds.funnel([report.cascade.Step('a', 3, 'b'), report.cascade.Step('c', 1, 'd')])); "
        "print([m for m in ('matplotlib.pyplot', 'taichi', 'seedsoil.sim', 'seedsoil.kernels') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
