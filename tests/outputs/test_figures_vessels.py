"""The figure of growing vessels: what a column shows, and when the report has it."""

import numpy as np
import xarray as xr

from seedsoil.outputs import figures_vessels as figures
from seedsoil.outputs.figures_vessels import STATES


def named(bits: int) -> str:
    return STATES[int(figures.states(np.array([bits], dtype=np.uint8))[0])][0]


def test_states_by_bits() -> None:
    assert [
        named(bits) for bits in (0, 1, 1 | 4, 1 | 4 | 32, 1 | 16, 1 | 64, 1 | 64 | 32, 2 | 4, 2 | 16, 1 | 4 | 8)
    ] == [
        "no vessel",
        "not perfused",
        "grown, perfused",
        "given, perfused",
        "tip",
        "collapsed",
        "collapsed",
        "lymph",
        "tip",
        "grown, perfused",
    ]


def frames() -> xr.Dataset:
    """Two frames of 3 x 4 x 5: a given vessel, then a sprout above it and a tip."""
    vessel, cell = np.zeros((2, 3, 4, 5), np.uint8), np.zeros((2, 3, 4, 5), np.uint8)
    vessel[:, 0, 1, :] = 1 | 4 | 32
    vessel[1, 1, 1, 2], vessel[1, 2, 1, 3] = 1, 1 | 16
    cell[:, 2, 3, 4] = 1
    axes = ("time", "z", "y", "x")
    return xr.Dataset({"vessel": (axes, vessel), "cell": (axes, cell)}, coords={"time": [0.0, 24.0]})


def test_a_column_shows_the_most_telling_of_what_it_holds() -> None:
    for depth in (figures.SLAB_VOXELS, 20):  # in one read, and plane by plane
        before, figures.SLAB_VOXELS = figures.SLAB_VOXELS, depth
        shown, tumour = figures.along_z(frames(), 1)
        figures.SLAB_VOXELS = before
        assert [STATES[n][0] for n in shown[1]] == ["given, perfused"] * 3 + ["tip", "given, perfused"]
        assert not shown[[0, 2, 3]].any()
        assert np.argwhere(tumour).tolist() == [[3, 4]]


def test_it_is_drawn_where_vessels_grew() -> None:
    series = xr.Dataset(
        {name: ("tick_time", [1.0, 2.0]) for name in ("vessel_voxels", "vessel_perfused", "vessel_tips")},
        coords={"tick_time": [0.0, 24.0]},
    )
    series["vessel_ruptured"] = ("tick_time", [0, 1])
    assert figures.grew(series)
    assert not figures.grew(series.assign(vessel_voxels=("tick_time", [5, 5])))
    assert not figures.grew(series.drop_vars("vessel_voxels"))
    figure = figures.network(frames(), series, [0, 1], 24.0, 20.0)
    titles = [axes.get_title("left") or axes.get_title() for axes in figure.get_axes()]
    assert "Vessels [voxels]" in titles and "Ruptured walls [voxels]" in titles
    assert len(figure.get_axes()) == 5
