"""Checkpoints: `checkpoint-<tick>.h5`, whole or not there.

Written under a temporary name, synced, read back and checked, then renamed; the last two are kept.
Behind the HDF5 stand 48 bytes: a mark, the length before them, and a sum over all that: the SHA-256, cut to
24 bytes, of the SHA-256 of each 4 MiB, which threads work out side by side. A checkpoint is opened with HDF5 only once that sum is right, so a damaged one is refused rather than parsed.

libhdf5 can bring the interpreter down when the disk is full. So it writes through a file object that
remembers the first failure and goes on as if nothing had happened; the failure is raised afterwards.
"""

import contextlib
import hashlib
import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from .available import cores
from .errors import InputError, OutputFailed

FORMAT = 1
_MARK = b"seedsoil.cp\x00\x02\x00\x00\x00"  # 16 bytes
_TRAILER = struct.Struct("<16sQ24s")
_BLOCK = 1 << 22
_THREADS = 8  # more gain nothing: then memory is the limit


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
            careful = _Careful(raw)
            try:
                _fill(careful, arrays, numbers)
            except (RuntimeError, KeyError, ValueError):
                # what libhdf5 makes of a write that was swallowed; the failure itself says more
                if careful.failure is None:
                    raise
            if careful.failure is not None:
                raise careful.failure
            length = raw.seek(0, os.SEEK_END)
            with ThreadPoolExecutor(1) as beside:  # the disk is at work while the sum is worked out
                on_disk = beside.submit(os.fsync, raw.fileno())
                trailer = _TRAILER.pack(_MARK, length, _sum(raw, length))
            on_disk.result()
            _write_all(raw, trailer)
            os.fsync(raw.fileno())
            _verify(raw, temporary)
        os.replace(temporary, final)
        _sync_folder(folder)
    except (OSError, CheckpointDamaged) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputFailed(f"{final}: the checkpoint could not be written: {reason}") from None
    for old in found(folder)[keep:]:
        with contextlib.suppress(OSError):
            old.unlink()
    return final


def _fill(target: "_Careful", arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
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


def _verify(raw: BinaryIO, path: Path) -> int:
    """Check the trailer's sum; returns the length of what stands before it."""
    size = raw.seek(0, os.SEEK_END)
    if size < _TRAILER.size:
        raise CheckpointDamaged(f"{path}: is too short to be a checkpoint ({size} bytes)")
    raw.seek(size - _TRAILER.size)
    mark, length, digest = _TRAILER.unpack(raw.read(_TRAILER.size))
    if mark != _MARK or length != size - _TRAILER.size:
        raise CheckpointDamaged(f"{path}: is cut short or not a checkpoint")
    if _sum(raw, length) != digest:
        raise CheckpointDamaged(f"{path}: its contents have changed since it was written (checksum)")
    return length


def _sum(raw: BinaryIO, length: int) -> bytes:
    descriptor = raw.fileno()

    def block(start: int) -> bytes:
        data = os.pread(descriptor, min(_BLOCK, length - start), start)
        if len(data) != min(_BLOCK, length - start):
            raise CheckpointDamaged("the file ends before its length")
        return hashlib.sha256(data).digest()

    starts = range(0, length, _BLOCK)
    if len(starts) < 2:
        return hashlib.sha256(b"".join(map(block, starts))).digest()[:24]
    with ThreadPoolExecutor(min(_THREADS, cores())) as pool:
        return hashlib.sha256(b"".join(pool.map(block, starts))).digest()[:24]


def _write_all(raw: BinaryIO, data: Any) -> None:
    view = memoryview(data).cast("B")
    while len(view):
        view = view[raw.write(view) :]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Careful:
    """A file for libhdf5 whose writes never fail: the first failure is kept in `failure`."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        if self.failure is None:
            try:
                _write_all(self._raw, data)
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes

    def readinto(self, into: Any) -> int:
        count = self._raw.readinto(into)
        return count or 0

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def truncate(self, size: int | None = None) -> int:
        if self.failure is None:
            try:
                return self._raw.truncate(size)
            except OSError as error:
                self.failure = error
        return size or 0

    def flush(self) -> None:
        pass
