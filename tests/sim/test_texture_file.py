"""Matrix from a file: comes in to the bit, is told from another file, and is refused with key and reason."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

from seedsoil.sim import implant
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError, Interrupted
from seedsoil.sim.resolved import resolved_toml
from seedsoil.sim.resume import branch, resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario_file import load_scenario

SHAPE = (3, 16, 20)
VOLUME = np.random.default_rng(2).random(SHAPE, dtype=np.float32)


def write(folder: Path, name: str = "vol.npy", file: str | None = None) -> Path:
    """A scenario file beside the volume."""
    np.save(folder / "vol.npy", VOLUME)
    with h5py.File(folder / "vol.h5", "w") as h5:
        h5["deep/down"] = VOLUME.astype(np.float64)
        h5["matrix"] = (VOLUME > 0.5).astype(np.uint8)
    text = f"""\
until_h = 1
[lattice]
shape = {list(SHAPE)}
[implant]
cells = 9
[vessels]
kind = "none"
[matrix.texture]
kind = "file"
file = "{file or name}"
"""
    (folder / "s.toml").write_text(text)
    return folder / "s.toml"


@pytest.mark.parametrize("name", ["vol.npy", "vol.h5:deep/down", "vol.h5"])
def test_a_volume_comes_in_to_the_bit(device: Device, tmp_path: Path, name: str) -> None:
    tissue = implant.primary(load_scenario(write(tmp_path, name)), device)
    expected = (VOLUME > 0.5).astype(np.float32) if name == "vol.h5" else VOLUME
    assert tissue.matrix.tobytes() == expected.tobytes()


def test_the_path_is_relative_to_the_scenario_and_the_sum_is_noted(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario(write(tmp_path))
    monkeypatch.chdir("/")
    assert implant.primary(scenario, device).matrix.tobytes() == VOLUME.tobytes()
    texture = scenario.matrix.texture
    assert texture.file == str(tmp_path / "vol.npy") and len(texture.file_sha256) == 64
    # a run's own copy of the scenario leads to the same file from any folder, and knows it
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "resolved.toml").write_text(resolved_toml(scenario))
    again = load_scenario(tmp_path / "run" / "resolved.toml")
    assert again == scenario
    np.save(tmp_path / "vol.npy", VOLUME * np.float32(0.5))
    with pytest.raises(InputError, match="is not the file this scenario was read with"):
        implant.primary(again, device)
    with pytest.raises(InputError, match="is not the file this scenario was read with"):
        load_scenario(tmp_path / "run" / "resolved.toml")


def test_a_run_goes_on_with_its_file_and_with_no_other(tmp_path: Path) -> None:
    """Stopped and resumed it has the same bits, stroma and all; with another file it does not go on."""
    np.save(tmp_path / "flat.npy", np.random.default_rng(3).random((1, 64, 64), dtype=np.float32))
    text = write(tmp_path).read_text().replace(str(list(SHAPE)), "[1, 64, 64]").replace("vol.npy", "flat.npy")
    text += "[stroma]\nsite_probability = 0.1\ndeposition_per_h = 0.2\nceiling_fraction = 0.7\n"
    (tmp_path / "s.toml").write_text(text)
    whole = run(tmp_path / "s.toml", out=tmp_path / "whole", report=False)
    asked = iter(range(1, 100))
    with pytest.raises(Interrupted):
        run(tmp_path / "s.toml", out=tmp_path / "halves", report=False, stop=lambda: next(asked) >= 6)
    halves = resume(tmp_path / "halves", report=False)
    for name in ("cell", "matrix"):
        np.testing.assert_array_equal(whole.dataset()[name].values, halves.dataset()[name].values)
    lost = whole.series()["matrix_lost"].values
    np.testing.assert_array_equal(lost, halves.series()["matrix_lost"].values)
    assert lost[0] == 0.0 and lost[-1] < 0.0  # fibroblasts built more than the few cells took
    with pytest.raises(InputError, match=r"cannot change \[matrix\.texture\]"):
        branch(tmp_path / "whole", at_h=0.5, out=tmp_path / "b", overrides={"matrix.texture.vessel_membrane_um": 50.0})
    np.save(tmp_path / "flat.npy", np.zeros((1, 64, 64), dtype=np.float32))
    with pytest.raises(InputError, match="is not the file this scenario was read with"):
        resume(tmp_path / "whole", until_h=2.0, report=False)


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("a pickle was loaded",))


def pickled() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(pytest.fail.Exception):  # it would go off
        np.load(io.BytesIO(out.getvalue()), allow_pickle=True)
    return out.getvalue()


def spoilt(value: float) -> np.ndarray:
    out = VOLUME.copy()
    out[1, 2, 3] = value
    return out


BAD: dict[str, tuple[str, object, str]] = {
    "missing": ("gone.npy", None, "cannot be read (No such file"),
    "shape": ("bad.npy", VOLUME[:, :, 1:], "its shape is [3, 16, 19], lattice.shape is [3, 16, 20]"),
    "flat": ("bad.npy", VOLUME[0], "its shape is [16, 20]"),
    "nan": ("bad.npy", spoilt(np.nan), "needs fractions from 0 to 1, got nan at [1, 2, 3]"),
    "infinite": ("bad.npy", spoilt(np.inf), "got inf at [1, 2, 3]"),
    "negative": ("bad.npy", spoilt(-1e-3), "got -0.001 at [1, 2, 3]"),
    "above one": ("bad.npy", spoilt(1.5), "got 1.5 at [1, 2, 3]"),
    "text": ("bad.npy", np.full(SHAPE, "x"), "needs numbers, got <U1"),
    "complex": ("bad.npy", VOLUME.astype(complex), "needs numbers, got complex128"),
    "pickle": ("bad.npy", pickled(), "cannot be read (Array can't be memory-mapped: Python objects"),
    "cut short": ("bad.npy", b"\x93NUMPY\x01\x00", "cannot be read"),
    "no dataset": ("vol.h5:else", None, "has no dataset 'else'"),
    "a group": ("vol.h5:deep", None, "has no dataset 'deep'"),
    "not HDF5": ("bad.h5", b"nothing", "cannot be read"),
    "another kind of file": ("vol.tif", b"II*", "needs an .npy, .h5 or .hdf5 file"),
    "a folder": (".", None, "needs an .npy"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_used_is_refused(tmp_path: Path, name: str, content: object, message: str) -> None:
    path = write(tmp_path, name)
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        np.save(tmp_path / name, content)  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    told = str(caught.value)
    assert "s.toml:10  matrix.texture.file" in told and message in told
    assert told.endswith("Nothing was run.")
