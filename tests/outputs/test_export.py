"""What is exported reads back as what was recorded: by csv, by VTK's own reader, by a parser of trees."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLImageDataReader

from seedsoil.outputs import export as exports
from seedsoil.outputs.reader import open_run


def vti(path: Path) -> vtkXMLImageDataReader:
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader


def test_tables_come_back_from_csv(solid_run: Path, tmp_path: Path) -> None:
    files = exports.export(solid_run, "csv", tmp_path / "tables")
    assert [file.name for file in files] == ["series.csv", "seeds.csv", "colonies.csv", "clones.csv"]
    run = open_run(solid_run)
    with open(files[1], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seeds = run.seeds()
    assert len(rows) == seeds.sizes["seed"] > 100
    for name in ("time_h", "x_um"):
        column = seeds[name].values
        assert (np.array([row[name] for row in rows], column.dtype) == column).all()  # to the last bit
    meanings = seeds["fate"].attrs["flag_meanings"].split()
    assert [row["fate"] for row in rows] == [meanings[code] for code in seeds["fate"].values]
    names = [*run.layout.organs, ""]
    assert [row["organ"] for row in rows] == [names[index] for index in seeds["organ"].values]
    assert {row["arrest_h"] == "" for row in rows if row["fate"] == "died_in_transit"} == {True}
    assert [row["colony"] for row in rows] == ["" if k < 0 else str(k) for k in seeds["colony"].values]
    with open(files[0], encoding="utf-8", newline="") as file:
        series = list(csv.DictReader(file))
    assert [int(row["tumour_cells"]) for row in series] == run.series()["tumour_cells"].values.tolist()


@pytest.mark.parametrize("slab", [2**24, 24 * 26 * 3])
def test_vtk_reads_every_field_of_a_frame(
    solid_run: Path, tmp_path: Path, slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "SLAB_VOXELS", slab)
    [path] = exports.export(solid_run, "vti", tmp_path / "frame.vti", at_h=130.0)
    reader = vti(path)
    image = reader.GetOutput()
    assert image.GetDimensions() == (25, 27, 17) and image.GetSpacing() == (20, 20, 20)
    assert image.GetFieldData().GetArray("TimeValue").GetValue(0) == 120
    with open_run(solid_run).dataset() as dataset:
        for name in ("cell", "emt", "vessel", "matrix", "protease"):
            expected = dataset[name].isel(time=1).values
            found = vtk_to_numpy(image.GetCellData().GetArray(name))
            assert found.dtype == expected.dtype
            assert (found.reshape(expected.shape) == expected).all()
        assert image.GetCellData().GetScalars().GetName() == "cell"


def test_an_organ_is_exported_by_name(solid_run: Path, tmp_path: Path) -> None:
    [path] = exports.export(solid_run, "vti", tmp_path / "lung.vti", organ="lung")
    colony = vtk_to_numpy(vti(path).GetOutput().GetCellData().GetArray("colony"))
    with open_run(solid_run).organ("lung") as lung:
        assert (colony == lung["colony"].isel(time=-1).values.reshape(-1)).all() and colony.max() == 2
    with pytest.raises(ValueError, match="no frame of bone"):
        exports.export(solid_run, "vti", tmp_path / "x.vti", organ="bone")
    with pytest.raises(ValueError, match="no organ 'brain' in this run; it has lung, liver, bone"):
        exports.export(solid_run, "vti", tmp_path / "x.vti", organ="brain")


def test_a_damaged_image_would_be_noticed(solid_run: Path, tmp_path: Path) -> None:
    [path] = exports.export(solid_run, "vti", tmp_path / "frame.vti")
    whole = vtk_to_numpy(vti(path).GetOutput().GetCellData().GetArray("matrix")).copy()
    content = path.read_bytes()
    at = content.index(b"_", content.index(b'encoding="raw"')) + 1
    path.write_bytes(content[:at] + content[at + 4 :])  # four bytes of the first length are gone
    damaged = vti(path).GetOutput().GetCellData().GetArray("matrix")
    assert damaged is None or not np.array_equal(vtk_to_numpy(damaged), whole)


def clones(parent: list[int], born_h: list[float]) -> xr.Dataset:
    return xr.Dataset({"parent": ("clone", np.array(parent, np.int64)), "born_h": ("clone", np.array(born_h))})


def test_the_tree_of_clones(solid_run: Path, tmp_path: Path) -> None:
    [path] = exports.export(solid_run, "newick", tmp_path / "tree.nwk")
    assert path.read_text() == "((c3:76)c1:24,c2:60)c0:0;\n"
    assert exports.newick(clones([-1, -1, 0], [0, 5, 7.25])) == "((c2:7.25)c0:0,c1:5);"
    assert exports.newick(clones([2, 0, -1], [3, 4, 1])) == "((c1:1)c0:2)c2:1;"  # in any order


def test_a_deep_tree_is_no_trouble() -> None:
    depth = 20_000
    tree = exports.newick(clones([-1, *range(depth - 1)], list(np.arange(depth, dtype=float))))
    assert tree.count("(") == depth - 1 and tree.endswith("c0:0;")


@pytest.mark.parametrize(
    ("parent", "message"),
    [([1, 0], "its own ancestor"), ([-1, 2, 1], "its own ancestor"), ([5], "not in the table"), ([], "no clones")],
)
def test_what_is_no_tree_is_refused(parent: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exports.newick(clones(parent, [0.0] * len(parent)))


def test_an_unknown_format_is_refused(solid_run: Path) -> None:
    with pytest.raises(ValueError, match="there are csv, vti and newick"):
        exports.export(solid_run, "xlsx")  # pyright: ignore


@pytest.mark.parametrize("at_h", [float("nan"), float("-inf"), float("inf"), 1e9, -1.0])
def test_a_time_outside_the_run_has_no_frame(solid_run: Path, tmp_path: Path, at_h: float) -> None:
    with pytest.raises(ValueError, match="--at-h"):
        exports.export(solid_run, "vti", tmp_path / "frame.vti", at_h=at_h)
    assert not (tmp_path / "frame.vti").exists()


def test_the_first_and_the_last_time_as_told_have_frames(solid_run: Path, tmp_path: Path) -> None:
    times = open_run(solid_run).dataset().time.values
    for at_h in (times[0], times[-1], times[-1] * (1 + 4e-6)):  # as six digits may round it
        exports.export(solid_run, "vti", tmp_path / "frame.vti", at_h=float(at_h))


@pytest.mark.parametrize("to", ["csv", "newick"])
@pytest.mark.parametrize(("option", "value"), [("organ", "nose"), ("organ", "lung"), ("at_h", 3.0)])
def test_an_option_without_a_part_in_the_format_is_refused(
    solid_run: Path, tmp_path: Path, to: str, option: str, value: object
) -> None:
    with pytest.raises(ValueError, match=f"--{option.replace('_', '-')}: has no part in an export to {to}"):
        exports.export(solid_run, to, **{option: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no organ 'nose'"):
        exports.export(solid_run, "vti", tmp_path / "a.vti", organ="nose")
    assert list(tmp_path.iterdir()) == []
