"""Given vessels from a file: a volume of vessel bits, read as numbers alone and checked before anything runs."""

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..kernels.tissue import Vessel
from .errors import InputError
from .plain_text import printable
from .texture_file import parts

KEY = "vessels.file"
# what a file may say of a voxel; that it is given and perfused goes without saying
_BITS = Vessel.BLOOD | Vessel.LYMPH | Vessel.RUPTURED


def sum_of(path: Path) -> str:
    """The SHA-256 of a file. Raises InputError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{KEY}: {printable(str(path))}: cannot be read ({_reason(error)})") from None


def read(name: str, sha256: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Vessel bits (nz, ny, nx) u1 of `name`: an .npy file, or 'file.h5:dataset', of this sum ("" = any).

    Raises InputError with key and reason.
    """
    if sha256 and (found := sum_of(Path(parts(name)[0]))) != sha256:
        raise InputError(
            f"{KEY}: {printable(name)}: is not the file this scenario was read with: its SHA-256 is {found}, "
            f"vessels.file_sha256 is {sha256}"
        )
    volume = _load(name, shape)
    if volume.dtype != np.uint8:
        raise InputError(f"{KEY}: {printable(name)}: needs unsigned bytes (u1), got {volume.dtype}")
    kinds = volume & np.uint8(Vessel.BLOOD | Vessel.LYMPH)
    wrong = (volume & ~np.uint8(_BITS)) | ((volume != 0) & ((kinds == 0) | (kinds == 3)))
    if wrong.any():
        at = tuple(int(n) for n in np.argwhere(wrong)[0])
        raise InputError(
            f"{KEY}: {printable(name)}: the code {volume[at]} at {list(at)}; there are 0 none, 1 blood, 2 lymph, 9 and 10 the same ruptured"
        )
    return np.where(volume > 0, volume | np.uint8(Vessel.PERFUSED | Vessel.GIVEN), np.uint8(0))


def _load(name: str, shape: tuple[int, int, int]) -> np.ndarray:
    path, dataset = parts(name)
    try:
        if Path(path).suffix == ".npy":
            # mapped: the shape is checked before anything is read
            return np.array(_fits(name, np.load(path, mmap_mode="r", allow_pickle=False), shape))
        if Path(path).suffix in (".h5", ".hdf5"):
            with h5py.File(path) as file:
                if not isinstance(found := file.get(dataset or "vessel"), h5py.Dataset):
                    raise InputError(
                        f"{KEY}: {printable(path)}: has no dataset {dataset or 'vessel'!r}; name it as file.h5:dataset"
                    )
                return _fits(name, found, shape)[...]
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{KEY}: {printable(name)}: cannot be read ({_reason(error)})") from None
    raise InputError(f"{KEY}: {printable(name)}: needs an .npy, .h5 or .hdf5 file")


def _fits(name: str, volume: Any, shape: tuple[int, int, int]) -> Any:
    if tuple(volume.shape) != tuple(shape):
        raise InputError(f"{KEY}: {printable(name)}: its shape is {list(volume.shape)}, lattice.shape is {list(shape)}")
    return volume


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.splitlines()[0][:200] if text else type(error).__name__
