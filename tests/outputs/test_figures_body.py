"""The body map and the circuit show what the tables hold."""

import itertools

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seedsoil.outputs import figures_body, figures_circuit, style
from seedsoil.outputs.cascade import ENDS, ends_by_organ
from seedsoil.sim.body.anatomy import load

ORGANS = ["liver", "lung", "bone", "gallbladder"]


def tables() -> tuple[xr.Dataset, xr.Dataset]:
    """fate: 0 in transit 1 died 2 arrested 3 died later 4 dormant 5 colony 6 returned 7 no room."""
    fate = [0, 1, 1, 2, 3, 4, 5, 5, 5, 5, 6, 7, 3]
    organ = [-1, -1, 1, 1, 1, 0, 0, 0, 2, 2, -1, 2, 3]
    colony = [-1] * 6 + [0, 1, 2, 3] + [-1] * 3
    seeds = xr.Dataset({"fate": ("seed", fate), "organ": ("seed", organ), "colony": ("seed", colony)})
    # waiting, dormant, growing, extinct
    return seeds, xr.Dataset({"state": ("colony", [0, 1, 2, 3])})


def words(figure: Figure) -> list[str]:
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    return [t.get_text() for t in axes.texts] + [t.get_text() for t in legend.get_texts()]


def test_seeds_are_counted_by_organ_and_how_they_ended() -> None:
    table = ends_by_organ(*tables(), len(ORGANS))
    assert dict(zip(ENDS, table.T.tolist(), strict=True)) == {
        "died": [0, 2, 2, 1],
        "arrested": [1, 1, 0, 0],
        "asleep": [2, 0, 0, 0],
        "growing": [0, 0, 1, 0],
    }


def test_every_organ_reached_stands_on_the_map_with_its_numbers() -> None:
    figure = figures_body.body_map(*tables(), ORGANS, "colon")
    found = words(figure)
    assert set(ORGANS) <= set(found)  # one that has no place of its own in the drawing too
    assert any("1 died on their way,  1 still travel,  1 came back" in line for line in found)
    (axes,) = figure.axes
    # a bar for each organ and end, as long as the logarithm says; the longest belongs to the largest total, 3
    bars = sorted(patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle))
    unit = figures_body.LABEL / np.log10(4)
    assert bars == pytest.approx([unit * np.log10(2)] * 4 + [unit * np.log10(3)] * 3, rel=1e-12)


def test_an_organ_that_no_seed_reached_is_not_named() -> None:
    seeds, colonies = tables()
    found = words(figures_body.body_map(seeds.isel(seed=[0, 1, 3]), colonies, ORGANS, None))
    assert "lung" in found and not {"liver", "bone"} & set(found)
    assert "the primary" not in found


def test_the_dead_that_were_only_counted_are_on_the_map_too() -> None:
    names = {"seeds_held.lung": 5000, "seeds_held.liver": 3, "seeds_died_in_transit": 70_000}
    series = xr.Dataset({name: ("tick_time", [0, count]) for name, count in names.items()}, {"tick_time": [0.0, 1.0]})
    found = words(figures_body.body_map(*tables(), ORGANS, None, series))
    assert style.count_text(4999) in found  # one of the 5000 waits, the rest died
    assert any(line.startswith(f"In no organ:  {style.count_text(70_000)} died") for line in found)


# what the colour-blind see of linear RGB: Machado, Oliveira & Fernandes 2009, IEEE TVCG 15:1291, severity 1
SEEN = {
    "all": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


@pytest.mark.parametrize("eyes", SEEN)
def test_ends_differ_in_sign_and_in_colour_for_all_eyes(eyes: str) -> None:
    marks = list(figures_body.MARKS.values())
    assert len({mark[1] for mark in marks}) == len(ENDS)
    seen = [np.asarray(SEEN[eyes]) @ style.rgb(mark[2]) ** 2.2 for mark in marks]
    apart = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert apart > 0.15
    # planted: red beside green would not do
    red, green = (np.asarray(SEEN["deutan"]) @ style.rgb(c) ** 2.2 for c in ("#c44e00", "#7f8000"))
    assert np.linalg.norm(red - green) < 0.15


@pytest.mark.parametrize(("body", "primary"), [("human", "rectum"), ("mouse", "intravenous"), ("human", None)])
def test_the_circuit_names_every_place_and_where_the_primary_drains(body: str, primary: str | None) -> None:
    anatomy = load(body)
    found = words(figures_circuit.circuit(anatomy.outline(primary)))
    for name in anatomy.places:
        assert any(figures_body.words(name) in text for text in found), name
    if primary == "rectum":
        assert {"50 % by blood", "45 % by blood", "5 % by blood", "100 % by lymph", "100 % by cavity"} <= set(found)
    assert any("drains here" in text for text in found) == (primary is not None)
    liver = 100 * anatomy.flow_fraction[anatomy.index["liver"]]
    assert f"liver  {liver:.3g} %" in found
