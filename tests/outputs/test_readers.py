"""One file, four libraries: VTK, xarray over h5netcdf and netCDF4, and h5py see the same values."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from written_runs import frames

from seedsoil.outputs.reader import open_run
from seedsoil.outputs.recorder import Recorder

FRAMES = 5


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.vtkhdf"
    recorder = Recorder(path, frames.LAYOUT, frames.ATTRIBUTES)
    for k in range(FRAMES):
        recorder.frame(*frames.frame(k))
    recorder.close({"digest": "ab" * 32, "ticks": np.int64(15)})
    return path


def test_our_reader(path: Path) -> None:
    run = open_run(path.parent)
    frames.assert_holds(run, FRAMES)
    run.verify()
    assert run.organs == ["lung"]
    assert run.organ("liver").sizes["time"] == 0
    assert run.attributes["digest"] == "ab" * 32
    assert run.attributes["state"] == "finished"
    assert run.attributes["ticks"] == 15
    assert run.attributes["rng_key"] == 7
    assert run.attributes["scenario"] == frames.ATTRIBUTES["scenario"]
    assert run.attributes["organ_names"] == ["liver", "lung"]
    assert run.resolved[0]["name"] == "lattice.voxel_um"
    assert run.status is None
    (path.parent / "status.json").write_text('{"state": "finished"}')
    assert run.status == {"state": "finished"}
    with pytest.raises(KeyError, match="no organ 'brain'"):
        run.organ("brain")


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray(path: Path, engine: str) -> None:
    with xr.open_dataset(path, engine=engine) as dataset:
        assert dataset.time.values.tolist() == [frames.time_h(k) for k in range(FRAMES)]
        assert dataset.cell.dims == ("time", "z", "y", "x")
        assert dataset.time.units == "h"
        assert dataset.z.units == "um"
        np.testing.assert_allclose(dataset.z, (np.arange(frames.SHAPE[0]) + 0.5) * 20)
        assert dataset.cell.flag_meanings.split()[1] == "tumour"
        assert dataset.cell.flag_values.tolist() == list(range(6))
        for k in range(FRAMES):
            for name, values in frames.fields(k).items():
                assert dataset[name].dtype == values.dtype
                np.testing.assert_array_equal(dataset[name][k], values)
    with xr.open_dataset(path, engine=engine, group="organs/lung") as lung:
        assert lung.time.values.tolist() == [frames.time_h(k) for k in range(2, FRAMES)]
        np.testing.assert_array_equal(lung.clone[0], frames.organs(2)["lung"]["clone"])
    with xr.open_dataset(path, engine=engine, group="series") as series:
        assert series.sizes == {"tick_time": FRAMES * frames.TICKS_PER_FRAME}
    with xr.open_dataset(path, engine=engine, group="seeds") as seeds:
        assert seeds.sizes == {"seed": 3 * (FRAMES - 1)}
        np.testing.assert_array_equal(seeds.cells, frames.tables(FRAMES - 1)["seeds"]["cells"])
    for place, first, shape in (("", 0, frames.SHAPE), ("organs/lung/", frames.LUNG_FROM, frames.ORGAN_SHAPE)):
        with xr.open_dataset(path, engine=engine, group=f"{place}fields/oxygen") as own:
            held = frames.oxygen_frames(FRAMES, first)
            assert own.time.values.tolist() == [frames.time_h(k) for k in held]
            assert own.oxygen.dims == ("time", "z", "y", "x") and own.oxygen.units == "mmHg"
            np.testing.assert_array_equal(own.oxygen, np.stack([frames.oxygen(k, shape) for k in held]))


def test_h5py(path: Path) -> None:
    with h5py.File(path) as file:
        assert file["VTKHDF/CellData/cell"] == file["cell"]  # a hard link, not a copy
        assert file["VTKHDF/Steps/Values"] == file["time"]
        assert file["cell"].compression == "gzip"
        for k in range(FRAMES):
            np.testing.assert_array_equal(file["matrix"][k], frames.fields(k)["matrix"])
        np.testing.assert_array_equal(file["fields/oxygen/oxygen"][1], frames.oxygen(3))
        assert file["fields/oxygen/time"][1] == frames.time_h(3)


def test_vtk(path: Path) -> None:
    pytest.importorskip("vtkmodules")
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    info = reader.GetOutputInformation(0)
    steps = [info.Get(Pipeline.TIME_STEPS(), k) for k in range(info.Length(Pipeline.TIME_STEPS()))]
    assert steps == [frames.time_h(k) for k in range(FRAMES)]
    for k in range(FRAMES):
        reader.SetStep(k)
        reader.Update()
        image = reader.GetOutputDataObject(0)
        assert image.GetDimensions() == tuple(n + 1 for n in reversed(frames.SHAPE))
        assert image.GetSpacing() == (20.0, 20.0, 20.0)
        cells = image.GetCellData()
        assert cells.GetNumberOfArrays() == len(frames.fields(k))
        for name, values in frames.fields(k).items():
            shown = vtk_to_numpy(cells.GetArray(name)).reshape(frames.SHAPE)
            assert shown.dtype == values.dtype
            np.testing.assert_array_equal(shown, values)


def test_lazy_until_asked(path: Path) -> None:
    with open_run(path).dataset() as dataset:
        assert not dataset.cell.variable._in_memory
    with open_run(path).dataset(chunks={}) as dataset:
        assert dataset.cell.chunks is not None


def test_a_run_of_one_frame_is_for_everyone_but_vtk(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.vtkhdf", frames.LAYOUT, {}) as recorder:
        recorder.frame(*frames.frame(0))
    frames.assert_holds(open_run(tmp_path), 1)
    with xr.open_dataset(tmp_path / "run.vtkhdf", engine="netcdf4") as dataset:
        assert dataset.sizes["time"] == 1
    with h5py.File(tmp_path / "run.vtkhdf") as file:
        assert file["VTKHDF/Steps"].attrs["NSteps"] == 0


def test_a_run_without_frames_opens(tmp_path: Path) -> None:
    Recorder(tmp_path / "run.vtkhdf", frames.LAYOUT, {}).close(None)
    frames.assert_holds(open_run(tmp_path), 0)
    assert open_run(tmp_path).seeds().sizes == {"seed": 0}
