"""The table of the tumour's shape shows what was measured, and a dash with its reason where nothing was."""

import numpy as np
import pytest
import xarray as xr

from seedsoil.outputs import figures_series, planes, report_numbers

UM = 20.0


def two_balls() -> xr.Dataset:
    """Frames of 1 and of 2 solid balls of 20 voxels' radius, in 48 x 48 x 96 voxels."""
    z, y, x = np.indices((48, 48, 96))
    first = (z - 24) ** 2 + (y - 24) ** 2 + (x - 24) ** 2 < 20**2
    cell = np.stack([first, first | ((z - 24) ** 2 + (y - 24) ** 2 + (x - 71) ** 2 < 20**2)]).astype(np.uint8)
    return xr.Dataset({"cell": (("time", "z", "y", "x"), cell)}, {"time": [0.0, 24.0]})


def test_a_whole_tumour_is_measured_in_full() -> None:
    dataset = two_balls()
    rows, stride = figures_series.shape_through_time(dataset, [0, 1], planes.window(dataset, 1, UM))
    assert stride == 1
    assert [row["clusters"] for row in rows] == [1, 2] and [row["largest"] for row in rows] == [1, 0.5]
    assert rows[0]["index"] == pytest.approx(1, rel=0.02) and rows[1]["index"] == pytest.approx(2 ** (1 / 3), rel=0.02)
    assert 2.65 < rows[0]["fractal"] < 2.85
    assert rows[0]["front"] == pytest.approx(20 * UM, abs=0.55 * UM) and rows[0]["roughness"] < 0.3 * UM
    assert "–" not in report_numbers._shape_row(rows[1])


def test_a_thinned_tumour_has_no_index_clusters_or_fractal_dimension(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = two_balls()
    shown = planes.window(dataset, 1, UM)
    full, _ = figures_series.shape_through_time(dataset, [0], shown)
    monkeypatch.setattr(figures_series, "SHAPE_VOXELS", 30_000)
    [row], stride = figures_series.shape_through_time(dataset, [0], shown)
    assert stride == 2
    assert all(np.isnan(row[name]) for name in ("index", "fractal", "clusters", "largest"))
    assert report_numbers._shape_row(row)[-4:] == ["–"] * 4
    # what a part tells of the whole still stands, to the coarser voxel
    assert row["cells"] == pytest.approx(full[0]["cells"], rel=0.02)
    assert row["front"] == pytest.approx(full[0]["front"], abs=2 * UM)


def test_the_legend_says_when_there_is_a_dash_and_calls_no_number_solid() -> None:
    words = {name: hint for name, _, hint in figures_series.SHAPE_COLUMNS}
    assert "a dash if it is less than 32 voxels across" in words["fractal"]
    assert "is solid" not in words["fractal"]
