"""Fields that not every frame holds: found by name, shown beside the others, complete from the first frame."""

from pathlib import Path

import numpy as np
import pytest
from written_runs import frames

from seedsoil.outputs import export, movie, report
from seedsoil.outputs.layout import Layout
from seedsoil.outputs.reader import Run, open_run
from seedsoil.outputs.recorder import Recorder

FRAMES = 6  # the oxygen is in frames 0 and 3, the lung's in 2 and 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    with Recorder(folder / "run.vtkhdf", frames.LAYOUT, frames.ATTRIBUTES) as recorder:
        for k in range(FRAMES):
            recorder.frame(*frames.frame(k))
    return open_run(folder)


def test_a_field_is_found_by_its_name_wherever_it_stands(run: Run) -> None:
    assert run.field("oxygen").sizes["time"] == 2
    np.testing.assert_array_equal(run.field("oxygen")[1], frames.oxygen(3))
    assert run.field("matrix").sizes["time"] == FRAMES
    np.testing.assert_array_equal(run.field("matrix")[4], frames.fields(4)["matrix"])
    assert run.field("oxygen", "lung").time.values.tolist() == [frames.time_h(2), frames.time_h(3)]
    assert run.field("oxygen", "liver").sizes["time"] == 0
    assert not run.field("oxygen").variable._in_memory
    assert run.field("oxygen", chunks={}).chunks is not None
    with pytest.raises(KeyError, match="no field 'lactate' in this run; it has cell, clone, matrix, oxygen"):
        run.field("lactate")
    with pytest.raises(KeyError, match="no organ 'brain'"):
        run.field("oxygen", "brain")


def test_filled_each_time_shows_the_latest_frame_and_says_of_when(run: Run) -> None:
    with run.dataset(filled=True) as dataset:
        assert not dataset.oxygen.variable._in_memory
        assert dataset.oxygen_time.values.tolist() == [frames.time_h(k) for k in (0, 0, 0, 3, 3, 3)]
        np.testing.assert_array_equal(dataset.oxygen[2], frames.oxygen(0))
        np.testing.assert_array_equal(dataset.oxygen[:, 1], [frames.oxygen(k)[1] for k in (0, 0, 0, 3, 3, 3)])
        assert dataset.attrs["rng_key"] == 7
    with run.organ("lung", filled=True) as lung:
        np.testing.assert_array_equal(lung.oxygen[-1], frames.oxygen(3, frames.ORGAN_SHAPE))
    with run.organ("liver", filled=True) as liver:
        assert "oxygen" not in liver


def test_what_a_cell_is_like_is_not_shown_beside_the_cells_of_another_time(tmp_path: Path) -> None:
    layout = Layout((1, 4, 4), 20, ["cell", "emt", "vessel"], own_times=["emt", "vessel"])
    voxels = np.zeros((1, 4, 4), "u1")
    with Recorder(tmp_path / "run.vtkhdf", layout, {}) as recorder:
        recorder.frame(0, {"cell": voxels, "emt": voxels, "vessel": voxels})
        recorder.frame(1, {"cell": voxels, "vessel": voxels})
        recorder.frame(2, {"cell": voxels})
    with open_run(tmp_path).dataset(filled=True) as dataset:
        assert {*map(str, dataset.data_vars)} == {"cell", "vessel"}
        assert dataset.vessel_time.values.tolist() == [0, 1, 1]


def test_the_first_frame_of_each_lattice_holds_every_field(tmp_path: Path) -> None:
    path = tmp_path / "run.vtkhdf"
    recorder = Recorder(path, frames.LAYOUT, {})
    with pytest.raises(ValueError, match=r"exactly cell, clone, matrix, oxygen \(check oxygen\)"):
        recorder.frame(0.5, frames.fields(0))
    assert recorder.begun == set()
    recorder.frame(*frames.frame(0))
    recorder.frame(*frames.frame(1))
    lung = {"lung": frames.organs(2)["lung"]}
    with pytest.raises(ValueError, match=r"organs/lung: .* \(check oxygen\)"):
        recorder.frame(frames.time_h(2), frames.fields(2), lung)
    with pytest.raises(ValueError, match=r"exactly cell, clone, matrix and those due of oxygen \(check drug\)"):
        recorder.frame(9, {**frames.fields(2), "drug": frames.oxygen(2)})
    recorder.frame(*frames.frame(2))
    recorder.close(None)
    again = Recorder(path, frames.LAYOUT, {}, mode="append", keep_until_h=frames.time_h(1))
    assert again.begun == {None}  # the lung's frame was cut off
    with pytest.raises(ValueError, match=r"organs/lung: .* \(check oxygen\)"):
        again.frame(frames.time_h(2), frames.fields(2), lung)
    for k in range(2, 5):
        again.frame(*frames.frame(k))
    again.close({})
    frames.assert_holds(open_run(path), 5)
    open_run(path).verify()


def test_pictures_and_exports_go_without(tmp_path: Path) -> None:
    seldom = ["emt", "vessel", "matrix", "protease"]
    layout = Layout((1, 24, 24), 20, ["cell", *seldom], own_times=seldom)
    cell = np.zeros((1, 24, 24), "u1")
    cell[0, 8:14, 8:14] = 1
    decimals = {"matrix": np.ones(cell.shape, "f4"), "protease": np.full(cell.shape, 0.5, "f4")}
    with Recorder(tmp_path / "run.vtkhdf", layout, {}) as recorder:
        recorder.frame(0, {"cell": cell, "emt": cell * 255, "vessel": cell * 0, **decimals})
        recorder.frame(24, {"cell": cell})
        recorder.frame(48, {"cell": cell, "matrix": decimals["matrix"]})
    page = report.report_html(open_run(tmp_path))
    assert "Recorded less often than cells, and shown as last recorded before: vessel, matrix, protease." in page
    assert "Recorded less often than cells, so not shown with them: emt." in page
    assert "Not recorded in this run" not in page
    with open_run(tmp_path).dataset(filled=True) as dataset:
        shown = movie.window(dataset, 2, 20.0)
        figure = movie.movie_frame(dataset, open_run(tmp_path).series(), 1, shown, {"matrix": 1.0}, "film")
    assert "matrix density, as of 0 h" in {axes.get_title() for axes in figure.axes}
    assert movie.write_movie(tmp_path, tmp_path / "film.gif").stat().st_size > 0
    for at_h, names in ((24, "cell"), (48, "cell matrix")):
        [path] = export.export(tmp_path, "vti", tmp_path / "a.vti", at_h=at_h)
        head = path.read_bytes().split(b"<AppendedData")[0].decode()
        assert [part.split('"')[0] for part in head.split("<CellData")[1].split('Name="')[1:]] == names.split()
