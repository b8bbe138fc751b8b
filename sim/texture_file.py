"""Matrix from a file: a volume of fractions, read as numbers alone and checked before anything runs.

When a scenario is read, the file's path becomes absolute and its SHA-256 is noted, both in the scenario itself. So
they are in `resolved.toml` and in every checkpoint, and a run that goes on notices another file.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..kernels.texture import Texture
from .errors import InputError
from .plain_text import printable

KEY = "matrix.texture.file"


def pinned(texture: Texture, folder: Path, shape: tuple[int, int, int]) -> Texture:
    """The texture with its file's path made absolute (relative to `folder`) and its SHA-256 noted, the volume checked.

    Raises InputError, which begins with the key, if the file cannot be used.
    """
    if texture.kind != "file":
        return texture
    path, dataset = parts(texture.file)
    place = (folder / path).absolute()
    name = f"{place}:{dataset}" if dataset else str(place)
    for _ in _planes(name, shape):
        pass
    return texture.model_copy(update={"file": name, "file_sha256": _checked_sum(texture, place)})


def read_into(matrix: np.ndarray, texture: Texture) -> None:
    """Fill matrix (nz, ny, nx) f4 from the texture's file. Raises InputError if it is not what it was or should be."""
    _checked_sum(texture, Path(parts(texture.file)[0]))
    for plane, values in enumerate(_planes(texture.file, matrix.shape)):
        matrix[plane] = values


def _checked_sum(texture: Texture, path: Path) -> str:
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{KEY}: {printable(str(path))}: cannot be read ({_reason(error)})") from None
    if texture.file_sha256 and found != texture.file_sha256:
        raise InputError(
            f"{KEY}: {printable(str(path))}: is not the file this scenario was read with: its SHA-256 is {found}, "
            f"matrix.texture.file_sha256 is {texture.file_sha256}"
        )
    return found


def _planes(name: str, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The planes (ny, nx) of a volume, each checked."""
    try:
        with _opened(name) as volume:
            if tuple(volume.shape) != tuple(shape):
                raise InputError(
                    f"{KEY}: {printable(name)}: its shape is {list(volume.shape)}, lattice.shape is {list(shape)}"
                )
            if volume.dtype.kind not in "fiu":
                raise InputError(f"{KEY}: {printable(name)}: needs numbers, got {volume.dtype}")
            for plane in range(shape[0]):
                values = np.asarray(volume[plane])
                wrong = ~((values >= 0) & (values <= 1))  # of a NaN, too
                if wrong.any():
                    y, x = (int(n) for n in np.argwhere(wrong)[0])
                    raise InputError(
                        f"{KEY}: {printable(name)}: needs fractions from 0 to 1, got {values[y, x]:g} at {[plane, y, x]}"
                    )
                yield values
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{KEY}: {printable(name)}: cannot be read ({_reason(error)})") from None


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    path, dataset = parts(name)
    if path.endswith(".npy"):
        yield np.load(path, mmap_mode="r", allow_pickle=False)
    elif path.endswith((".h5", ".hdf5", ".hdf", ".vtkhdf")):
        with h5py.File(path, "r") as file:
            found = file.get(dataset or "matrix")
            if not isinstance(found, h5py.Dataset):
                raise InputError(
                    f"{KEY}: {printable(path)}: has no dataset {dataset or 'matrix'!r}; name it as file.h5:dataset"
                )
            yield found
    else:
        raise InputError(f"{KEY}: {printable(name)}: needs an .npy, .h5 or .hdf5 file")


def parts(name: str) -> tuple[str, str]:
    """(path, dataset) of 'file.h5:dataset'; a path may hold a colon if its name ends as those of files do."""
    if name.endswith((".npy", ".h5", ".hdf5", ".hdf", ".vtkhdf")):
        return name, ""
    path, _, dataset = name.rpartition(":")
    return (path, dataset) if path else (name, "")


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(text.splitlines()[0][:200]) if text else type(error).__name__
