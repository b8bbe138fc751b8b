"""Given vessels: regular arrays, trees that reach everywhere, volumes from a file."""

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import ndimage

from seedsoil import load_scenario
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Vessel
from seedsoil.sim.errors import InputError
from seedsoil.sim.vessels import Vessels, vessel_map

FLAT, DEEP = (1, 90, 70), (40, 30, 50)
SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
SUPPLIED = int(Vessel.BLOOD | Vessel.PERFUSED | Vessel.GIVEN)


def bits(shape: tuple[int, int, int], key: int = 1, **table: object) -> np.ndarray:
    given = {"ruptured": 0, "free_core_um": 0.0, **table}
    return vessel_map(Vessels.model_validate(given), Lattice.of(shape), 20.0, Stamp.of(key))


def pieces(vessel: np.ndarray) -> int:
    """Connected components by faces."""
    return ndimage.label(vessel > 0)[1]


def farthest_um(vessel: np.ndarray) -> float:
    """The greatest distance of a voxel from a vessel."""
    return 20.0 * float(ndimage.distance_transform_edt(vessel == 0).max())


@pytest.mark.parametrize("axis", ["z", "y", "x"])
@pytest.mark.parametrize("site", [1, 2])
def test_a_krogh_array_is_regular(axis: str, site: int) -> None:
    vessel = bits(DEEP, kind="krogh", axis=axis, spacing_um=100.0, site_voxels=site)
    along = "zyx".index(axis)
    section = (vessel > 0).any(axis=along)
    np.testing.assert_array_equal((vessel > 0).all(axis=along), section)
    sides = [n // 5 for n in section.shape]  # 100 um are five voxels
    assert section.sum() == sides[0] * sides[1] * site**2
    # the same five by five voxels again and again: each capillary has a prism of its own, walls included
    np.testing.assert_array_equal(section, np.tile(section[:5, :5], sides))
    assert ndimage.label(section)[1] == sides[0] * sides[1]
    assert np.all(vessel[vessel > 0] == SUPPLIED)


def test_an_array_in_a_plane_and_one_with_lymph() -> None:
    lines = bits(FLAT, kind="krogh", axis="x", spacing_um=200.0)
    assert np.flatnonzero(lines[0].any(axis=1)).tolist() == [4, 14, 24, 34, 44, 54, 64, 74, 84]
    dots = bits(FLAT, kind="krogh", axis="z", spacing_um=200.0, lymph=13)
    assert (dots > 0).sum() == 9 * 7
    assert (dots & Vessel.LYMPH > 0).sum() == 13
    other = bits(FLAT, key=2, kind="krogh", axis="z", spacing_um=200.0, lymph=13)
    assert not np.array_equal(dots, other)  # which of them is drawn


@SHAPES
def test_a_core_is_left_free(shape: tuple[int, int, int]) -> None:
    middle = [(np.arange(n) - (n - 1) / 2) * 20.0 for n in shape]
    far = np.sqrt(sum(at**2 for at in np.meshgrid(*middle, indexing="ij")))
    for kind in ("krogh", "tree"):
        free = bits(shape, kind=kind, axis="z", spacing_um=100.0, free_core_um=150.0, blood=2)
        assert far[free > 0].min() >= 150.0
        assert far[bits(shape, kind=kind, axis="z", spacing_um=100.0, blood=2) > 0].min() < 150.0


@SHAPES
@pytest.mark.parametrize("trees", [1, 3])
@pytest.mark.parametrize("spacing", [100.0, 200.0])
def test_a_tree_reaches_everywhere_from_its_inlet(shape: tuple[int, int, int], trees: int, spacing: float) -> None:
    vessel = bits(shape, kind="tree", blood=trees, spacing_um=spacing)
    dimensions = sum(n > 1 for n in shape)
    # half the diagonal of the largest part, and half a voxel an axis for its middle
    bound = np.sqrt(dimensions) * (spacing / 2 + 20.0 / 2)
    assert farthest_um(vessel) <= bound
    assert farthest_um(bits(shape, kind="tree", blood=trees, spacing_um=2.5 * spacing)) > bound  # the bound bites
    assert pieces(vessel) <= trees
    cut = vessel.copy()
    cut[:, :, shape[2] // 4 : shape[2] // 4 + 2] = 0
    assert pieces(cut) > trees  # and a cut would have been seen
    inlets = (vessel[:, :, 0] > 0).sum()
    assert inlets >= trees if trees == 1 else inlets >= 1


def test_branches_lie_closer_the_farther_they_are_from_the_trunk() -> None:
    """Within a spacing of the inlet's wall there are fewer branches than in the middle."""
    vessel = bits((1, 128, 256), kind="tree", blood=1, spacing_um=160.0) > 0
    assert vessel[0, :, :4].sum() < 0.5 * vessel[0, :, 126:130].sum()


def test_widths_fall_by_murrays_law() -> None:
    """8 voxels at the trunk, then 6, 5, 4, ...: 8 * 2^(-g/3); constant widths would fill many times more."""
    shape = (1, 256, 256)
    vessel = bits(shape, kind="tree", blood=1, spacing_um=320.0, site_voxels=8) > 0
    thin = bits(shape, kind="tree", blood=1, spacing_um=320.0) > 0
    assert vessel[0, :, 2].sum() == 8
    # the second generation leaves the middle along y, the longest edge, six voxels wide
    runs = {len(run) for run in "".join("x" if v else " " for v in vessel[0, 110]).split()}
    assert 6 in runs and 8 not in runs
    assert vessel.sum() < 4 * thin.sum()


def test_blood_and_lymph_trees_do_not_meet() -> None:
    vessel = bits(DEEP, kind="tree", blood=2, lymph=2, spacing_um=100.0, ruptured=5)
    kinds = vessel & (Vessel.BLOOD | Vessel.LYMPH)
    assert set(np.unique(kinds)) == {0, 1, 2}
    assert min((kinds == 1).sum(), (kinds == 2).sum()) > 100
    assert (vessel & Vessel.RUPTURED > 0).sum() == 5
    assert not np.any((vessel & Vessel.RUPTURED > 0) & (kinds == 2))


@SHAPES
@pytest.mark.parametrize("kind", ["krogh", "tree"])
def test_a_key_is_a_layout_and_the_loop_form_is_not(shape: tuple[int, int, int], kind: str) -> None:
    table = Vessels(kind=kind, ruptured=3, lymph=2, blood=2, free_core_um=0.0)
    one, other = (vessel_map(table, Lattice.of(shape, form=form), 20.0, Stamp.of(3)) for form in ("rows", "voxels"))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, vessel_map(table, Lattice.of(shape), 20.0, Stamp.of(4)))


def test_a_volume_is_taken_as_it_is(tmp_path: Path) -> None:
    wanted = np.zeros(FLAT, dtype=np.uint8)
    wanted[0, 3, :], wanted[0, 9, :], wanted[0, 3, 7] = 1, 2, 9
    np.save(tmp_path / "v.npy", wanted)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["a/b"] = file["vessel"] = wanted
    found = [bits(FLAT, kind="volume", file=str(tmp_path / name)) for name in ("v.npy", "v.h5", "v.h5:a/b")]
    for vessel in found:
        np.testing.assert_array_equal(vessel, np.where(wanted > 0, wanted | 4 | 32, 0))


def test_a_scenario_notes_its_volume_and_refuses_another(tmp_path: Path) -> None:
    """Read beside the scenario's file, by sum; what a run holds is the absolute path."""
    wanted = np.zeros((1, 16, 16), dtype=np.uint8)
    wanted[0, 3, :] = 1
    np.save(tmp_path / "v.npy", wanted)
    text = "until_h = 1\n[lattice]\nshape = [1, 16, 16]\n[implant]\ncells = 9\n[vessels]\n"
    (tmp_path / "s.toml").write_text(text + 'kind = "volume"\nfile = "v.npy"\n')
    scenario = load_scenario(tmp_path / "s.toml")
    assert scenario.vessels.file == str(tmp_path / "v.npy")
    assert scenario.vessels.file_sha256 == hashlib.sha256((tmp_path / "v.npy").read_bytes()).hexdigest()
    lattice = Lattice.of((1, 16, 16))
    np.testing.assert_array_equal(vessel_map(scenario.vessels, lattice, 20.0, Stamp.of(1)) > 0, wanted > 0)
    np.save(tmp_path / "v.npy", wanted[:, ::-1])
    with pytest.raises(InputError, match=r"vessels\.file: .* is not the file this scenario was read with"):
        vessel_map(scenario.vessels, lattice, 20.0, Stamp.of(1))
    (tmp_path / "v.npy").unlink()
    with pytest.raises(InputError, match=r"s\.toml:8  vessels\.file"):
        load_scenario(tmp_path / "s.toml")


REFUSED: dict[str, tuple[np.ndarray, str]] = {
    "shape": (np.zeros((1, 3, 4), dtype=np.uint8), r"its shape is \[1, 3, 4\], lattice.shape is \[1, 90, 70\]"),
    "not finite": (np.full(FLAT, np.nan), "unsigned bytes .u1., got float64"),
    "no kind": (np.full(FLAT, 8, dtype=np.uint8), r"the code 8 at \[0, 0, 0\]"),
    "both kinds": (np.full(FLAT, 3, dtype=np.uint8), "the code 3"),
    "other bits": (np.full(FLAT, 33, dtype=np.uint8), "the code 33"),
    "objects": (np.array([[None]]), "cannot be read"),
}


@pytest.mark.parametrize(("volume", "message"), REFUSED.values(), ids=REFUSED)
def test_an_unfit_volume_is_refused(tmp_path: Path, volume: np.ndarray, message: str) -> None:
    np.save(tmp_path / "v.npy", volume, allow_pickle=True)
    with pytest.raises(InputError, match=rf"vessels\.file: .*{message}"):
        bits(FLAT, kind="volume", file=str(tmp_path / "v.npy"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.npy", "No such file"),
        ("nowhere.h5", "cannot be read"),
        ("cut.npy", "cannot be read"),
        ("cut.h5", "cannot be read"),
        ("v.csv", "needs an .npy, .h5 or .hdf5 file"),
        ("good.h5:blood", "has no dataset 'blood'"),
    ],
)
def test_an_unfit_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "v.csv").write_bytes(b"1,2")
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file["vessel"] = np.zeros(FLAT, dtype=np.uint8)
    with pytest.raises(InputError, match=rf"vessels\.file: .*{message}"):
        bits(FLAT, kind="volume", file=str(tmp_path / name))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "krogh", "spacing_um": 30.0}, "vessels.spacing_um: 30 um leave no tissue"),
        ({"kind": "krogh", "spacing_um": 4000.0}, "vessels.spacing_um: .* room for 0 capillaries"),
        ({"kind": "krogh", "axis": "z", "spacing_um": 400.0, "lymph": 16}, "vessels.lymph asks for 16"),
        ({"kind": "krogh", "spacing_um": 200.0, "ruptured": 10**6}, "vessels.ruptured"),
        ({"kind": "tree", "blood": 7000}, "vessels.blood: 7000 trees do not fit"),
    ],
)
def test_what_cannot_be_laid_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        bits(FLAT, **table)


@pytest.mark.parametrize("table", [{"kind": "volume"}, {"kind": "tree", "file": "v.npy"}])
def test_a_file_goes_with_the_kind_volume(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"vessels\.file: "):
        Vessels.model_validate(table)
