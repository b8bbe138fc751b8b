"""Checkpoints: `checkpoint-<tick>.h5`, whole or not there.

Written under a temporary name, synced, read back and checked, then renamed; the last two are kept.
Behind the HDF5 stand 48 bytes: a mark, the length before them, and a sum over all that: the SHA-256, cut to
24 bytes, of the SHA-256 of each 4 MiB (`careful_file`). A checkpoint is opened with HDF5 only once that sum is right,
so a damaged one is refused rather than parsed.
"""

import contextlib
import json
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from .careful_file import CarefulFile, drop_pages, sum_of, write_all
from .errors import InputError, OutputFailed

FORMAT = 1
_MARK = b"seedsoil.cp\x00\x02\x00\x00\x00"  # 16 bytes
_TRAILER = struct.Struct("<16sQ24s")


class CheckpointDamaged(InputError):
    """A checkpoint that is truncated, altered or of another format."""


def save(folder: Path, arrays: dict[str, np.ndarray], numbers: dict[str, Any], *, keep: int = 2) -> Path:
    """Write a checkpoint of tick `numbers["tick"]` and drop all but the newest `keep`.

    Raises OutputFailed with the older checkpoints untouched if it cannot be written whole.
    """
    final = folder / f"checkpoint-{numbers['tick']:012d}.h5"
    temporary = final.with_name(final.name + ".tmp")
    for left in folder.glob("checkpoint-*.h5.tmp"):  # by a save that was killed
        with contextlib.suppress(OSError):
            left.unlink()
    try:
        with open(temporary, "w+b", buffering=0) as raw:
            length, trailer = _write(raw, arrays, numbers)
            raw.seek(length)
            write_all(raw, trailer)
            os.fsync(raw.fileno())
            drop_pages(raw)
            _verify(raw, temporary, drop=True)
        os.replace(temporary, final)
        _sync_folder(folder)
    except Exception as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if not isinstance(error, (OSError, RuntimeError, MemoryError, CheckpointDamaged)):
            raise  # a defect of the program, not of the machine
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputFailed(f"{final}: the checkpoint could not be written: {reason}") from None
    for old in found(folder)[keep:]:
        with contextlib.suppress(OSError):
            old.unlink()
    return final


def _write(raw: BinaryIO, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> tuple[int, bytes]:
    """Write the HDF5; returns its length and the trailer that belongs behind it."""
    with CarefulFile(raw) as careful:
        try:
            _fill(careful, arrays, numbers)
        except (OSError, RuntimeError, KeyError, ValueError):
            # what libhdf5 makes of a write that was swallowed; the failure itself says more
            if careful.failure is None:
                raise
        if careful.failure is not None:
            raise careful.failure
        length = raw.seek(0, os.SEEK_END)
        return length, _TRAILER.pack(_MARK, length, careful.sum(length)[:24])


def _fill(target: CarefulFile, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    with h5py.File(target, "w", libver=("v110", "v110")) as file:
        file.attrs["seedsoil_checkpoint"] = FORMAT
        file["numbers"] = np.frombuffer(json.dumps(numbers).encode(), dtype=np.uint8)
        for path, array in arrays.items():
            file.create_dataset(path, data=array)


def found(folder: Path) -> list[Path]:
    """The checkpoints in a run's folder, newest first; unchecked."""
    return sorted(folder.glob("checkpoint-" + "[0-9]" * 12 + ".h5"), reverse=True)


def tick_of(path: Path) -> int:
    """The tick in a checkpoint's name."""
    return int(path.stem.split("-")[1])


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, numbers) of a checkpoint. Raises CheckpointDamaged if it is not exactly what was written."""
    try:
        with open(path, "rb") as raw:
            _verify(raw, path)
        with h5py.File(path, "r") as file:
            if int(file.attrs["seedsoil_checkpoint"]) != FORMAT:
                raise CheckpointDamaged(
                    f"{path}: checkpoint format {file.attrs['seedsoil_checkpoint']}, this version reads {FORMAT}"
                )
            numbers = json.loads(bytes(file["numbers"][...]))
            arrays: dict[str, np.ndarray] = {}
            file.visititems(
                lambda name, item: arrays.__setitem__(name, item[...]) if isinstance(item, h5py.Dataset) else None
            )
            del arrays["numbers"]
    except OSError as error:
        raise CheckpointDamaged(f"{path}: cannot be read: {error.strerror or error}") from None
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointDamaged(f"{path}: is not a checkpoint of seedsoil: {error}") from None
    return arrays, numbers


def newest(folder: Path) -> tuple[Path, dict[str, np.ndarray], dict[str, Any], list[str]]:
    """The newest checkpoint that is whole: (path, arrays, numbers, complaints about newer ones).

    Raises InputError if there is none.
    """
    complaints = []
    for path in found(folder):
        try:
            arrays, numbers = load(path)
        except CheckpointDamaged as error:
            complaints.append(str(error))
            continue
        return path, arrays, numbers, complaints
    raise InputError("\n".join([*complaints, f"{folder}: holds no whole checkpoint to go on from"]))


def _verify(raw: BinaryIO, path: Path, *, drop: bool = False) -> int:
    """Check the trailer's sum, `drop` if nobody reads on; returns the length of what stands before it."""
    size = raw.seek(0, os.SEEK_END)
    if size < _TRAILER.size:
        raise CheckpointDamaged(f"{path}: is too short to be a checkpoint ({size} bytes)")
    raw.seek(size - _TRAILER.size)
    mark, length, digest = _TRAILER.unpack(raw.read(_TRAILER.size))
    if mark != _MARK or length != size - _TRAILER.size:
        raise CheckpointDamaged(f"{path}: is cut short or not a checkpoint")
    if sum_of(raw, length, drop=drop)[: len(digest)] != digest:
        raise CheckpointDamaged(f"{path}: its contents have changed since it was written (checksum)")
    return length


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
