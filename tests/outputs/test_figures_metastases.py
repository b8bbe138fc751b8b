"""Figures of metastases as numbers, on tables made by hand: what they count, and that nothing to show is said."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from seedsoil.outputs import figures_metastases, figures_seeds, report_metastases, style
from seedsoil.outputs.cascade import PRIMARY, counted_funnel, seeding_table

ORGANS = ["liver", "lung", "bone"]
EXTINCT, GROWING = 3, 2


def colonies_of(rows: list[tuple[int, int, int, int]]) -> xr.Dataset:
    """(organ, parent, cells, state)"""
    organ, parent, cells, state = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 4
    )
    diameter = np.cbrt(6 / np.pi * np.asarray(cells, float) * 8e-6)
    columns = {"organ": organ, "parent": parent, "cells": cells, "state": state, "diameter_mm": diameter}
    return xr.Dataset({name: ("colony", np.asarray(values)) for name, values in columns.items()})


def series_of(**last: float) -> xr.Dataset:
    names = {
        "tumour_cells": 1e6,
        "organ_cells.liver": 50,
        "seeds_in_transit": 0,
        "seeds_waiting": 1,
        "seeds_returned": 2,
    }
    names |= {f"ctc_{what}.{site}": 2.0 for what in ("mean", "single", "cluster") for site in ("portal", "arm")} | last
    return xr.Dataset(
        {name: ("tick_time", np.array([0.0, value])) for name, value in names.items()},
        coords={"tick_time": [0.0, 87660.0]},
    )


ROWS = [(0, -1, 9, GROWING), (1, 0, 10**7, GROWING), (1, -1, 0, EXTINCT), (2, 1, 200, GROWING), (1, 1, 5, GROWING)]


def words_in(figure: Figure) -> str:
    return " | ".join(text.get_text() for axes in figure.axes for text in [*axes.texts, axes.title, axes.yaxis.label])


def test_who_seeded_whom_counts_colonies_that_grow_by_source() -> None:
    table = seeding_table(colonies_of(ROWS), 3)
    assert table[PRIMARY].tolist() == [1, 0, 0]  # the extinct one is not counted
    assert table[0].tolist() == [0, 1, 0]
    assert table[1].tolist() == [0, 1, 1]
    assert table.sum() == 4
    figure = figures_metastases.seeding(colonies_of(ROWS), ORGANS)
    assert "liver  1" in words_in(figure)
    assert "(1 by itself)" in words_in(figure)


def test_the_counted_funnel_subtracts_what_died_at_each_step() -> None:
    series = series_of(seeds_released=1e8, seeds_died_in_transit=6e7, seeds_died_after_arrest=4e7 - 20)
    numbers = [step.number for step in counted_funnel(colonies_of(ROWS), series)]
    assert numbers == [10**8, 4 * 10**7, 17, 4, 2, 1]
    wide = figures_seeds.funnel(counted_funnel(colonies_of(ROWS), series), logarithmic=True)
    widths = [bar.get_width() for bar in wide.axes[0].patches]
    assert widths[0] == pytest.approx(1.0)
    assert widths[2] == pytest.approx(np.log(18) / np.log(1e8), rel=1e-6)
    scaled = figures_seeds.funnel(counted_funnel(colonies_of(ROWS), series))
    assert scaled.axes[0].patches[1].get_width() == pytest.approx(0.4)


def test_burden_and_blood_draw_every_site() -> None:
    figure = figures_metastases.burden_and_blood(series_of(), 87660.0)
    labels = [line.get_label() for line in figure.axes[1].lines]
    assert {"portal", "arm"} <= set(labels)
    assert "time [years]" in figure.axes[1].get_xlabel()
    assert figures_metastases.sites(series_of()) == ["portal", "arm"]


def test_sizes_are_those_of_colonies_that_grow() -> None:
    figure = figures_metastases.sizes(colonies_of(ROWS), ORGANS)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["lung 2", "liver 1", "bone 1"]
    assert figure.axes[1].lines[0].get_xdata().max() == 1e7  # type: ignore[union-attr]


def test_nothing_that_grows_is_said_in_words_without_an_empty_picture() -> None:
    gone = colonies_of([(0, -1, 0, EXTINCT), (1, -1, 0, EXTINCT), (1, -1, 3, 1)])
    gone["state"].attrs["flag_meanings"] = "waiting dormant growing extinct"
    run = SimpleNamespace(attributes={"organ_names": ORGANS})
    said = report_metastases.metastases(run, gone)  # type: ignore[arg-type]
    assert "none grows" in said and "1 dormant, 2 extinct" in said
    assert "<svg" not in said and "<img" not in said


def test_the_budget_is_in_powers_of_ten() -> None:
    series = series_of(seeds_released=1e8, seeds_died_in_transit=6e7, seeds_died_after_arrest=4e7 - 20)
    said = report_metastases._budget(series, colonies_of(ROWS))
    assert "arrested in an organ 10<sup>−0.4</sup>" in said
    assert "-0.0" not in report_metastases._power(0.999)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999_999, "999\u2009999"), (2_199_805, "2.2 × 10⁶"), (3e12, "3.0 × 10¹²")]
)
def test_numbers_beyond_a_million_are_powers_of_ten(number: float, text: str) -> None:
    assert style.large_text(number) == text


@pytest.mark.parametrize(
    ("count", "text"), [(7, "7"), (999, "999"), (1234, "1.2k"), (45_000, "45k"), (3_400_000, "3.4M")]
)
def test_large_counts_are_short(count: int, text: str) -> None:
    assert figures_metastases.short(count) == text
