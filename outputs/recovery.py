"""Make a run file whose writer was killed whole again, as `h5clear -s --increment` and more.

A killed writer leaves the file marked as open, so no program opens it. Its metadata is consistent
(SWMR orders the writes) and the commit says what counts. Recovery first looks, without changing a
byte, whether everything the commit counts is there; then it clears the marks and raises the end of
file, one write of 48 bytes; then it cuts off what the commit does not count. It can be killed at
any point and run again.
"""

import errno
import fcntl
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import h5py
import numpy as np

from . import commit, superblock
from .create import LIBVER, ROWS_PER_CHUNK, set_end_attribute
from .errors import RunFileBusy, RunFileError, RunFileReadOnly
from .integrity import check_text, check_times
from .layout import Layout
from .schema import FORMAT_VERSION
from .settle import growing, is_settled, read_table, settle

# Space a killed writer may have handed out without it showing in the superblock; h5clear's default.
MARGIN = 1 << 20


@dataclass(frozen=True)
class Recovered:
    """What `recover` found: whether it had to do anything, and the frames that are whole."""

    changed: bool
    frames: int


def recover(path: str, assume_dead: bool = False) -> Recovered:
    """Repair `path` if its writer is dead; a file that is whole is left alone.

    A living writer holds a lock. On a file system without locks nobody can tell, and the file is
    taken for being written unless `assume_dead`.

    Raises:
        RunFileBusy: its writer is alive, or another process has it open.
        RunFileReadOnly: it needs repair and cannot be written.
        RunFileError: the file is missing, truncated or corrupt. In each case it is unchanged.
    """
    block = read_superblock(path)
    if not block.flags:
        layout, record = inspect(path, extent=False)
        with open_file(path) as file, errors_of(path):
            if is_settled(file, layout, record):
                return Recovered(False, record.frames)
    with _exclusive(path, assume_dead) as descriptor:
        block = superblock.parse(os.pread(descriptor, superblock.SIZE, 0), path)
        layout, record = inspect(path, dead=True)
        end = max(os.fstat(descriptor).st_size, block.end_of_file) + MARGIN
        _reserve(descriptor, path, end, layout, record)
        if block.flags:
            os.fsync(descriptor)
            os.pwrite(descriptor, replace(block, flags=0, end_of_file=end).pack(), 0)
            os.fsync(descriptor)
        with errors_of(path), h5py.File(path, "r+", libver=LIBVER, locking=False) as file:
            file.swmr_mode = True
            settle(file, layout, record.next())
            if _state(file) == "running":
                set_end_attribute(file, "state", "interrupted")
        os.fsync(descriptor)
    return Recovered(True, record.frames)


def is_being_written(path: str) -> bool:
    """Whether a living process has this file open for writing."""
    try:
        if not read_superblock(path).flags:
            return False
        with _exclusive(path, assume_dead=True):
            return False
    except RunFileBusy:
        return True
    except RunFileError:
        return False


def read_superblock(path: str) -> superblock.Superblock:
    """The superblock of `path`, after checking that the file is as long as it says.

    Raises:
        RunFileError: no such file, not a run file, or truncated.
    """
    try:
        with open(path, "rb") as file:
            block = superblock.parse(file.read(superblock.SIZE), path)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise RunFileError(f"{path}: {error.strerror}") from None
    if block.end_of_file > size and not block.flags:
        raise RunFileError(f"{path}: truncated ({size} of {block.end_of_file} bytes)")
    return block


def open_file(path: str, dead: bool = False) -> h5py.File:
    """Open for reading, whether closed, being written, or left by a killed writer.

    `dead` says that nobody writes the file: then it is read without waiting for a writer to
    complete what looks incomplete, and without a lock (the caller may hold it).

    Raises:
        RunFileError: libhdf5 cannot.
    """
    block = read_superblock(path)
    with errors_of(path):
        if block.flags and dead:
            return h5py.File(superblock.Mended(path, block), "r", libver=LIBVER)
        locking = False if dead else None
        return h5py.File(path, "r", libver=LIBVER, swmr=bool(block.flags), locking=locking)


def inspect(path: str, dead: bool = False, extent: bool = True) -> tuple[Layout, commit.Commit]:
    """Read a run file's layout and newest commit; by default also check that all it counts is
    there (`growing`).

    Raises:
        RunFileError: it is not a run file, or something it counts is missing.
    """
    with open_file(path, dead) as file, errors_of(path):
        if "journal" not in file or "layout" not in file["journal"].attrs:
            raise RunFileError(f"{path}: an HDF5 file, but not a seedsoil run file")
        if file.attrs["format_version"] != FORMAT_VERSION:
            raise RunFileError(
                f"{path}: run file format {file.attrs['format_version']}, this version reads {FORMAT_VERSION}"
            )
        check_text(file, path)
        layout = Layout.from_json(file["journal"].attrs["layout"])
        record = commit.newest(file[commit.PATH][...])
        if record is None or len(record.grid_frames) != len(layout.grids()) - 1:
            raise RunFileError(f"{path}: corrupt (no valid record of what was written)")
        if extent:
            _check_extent(file, path, layout, record)
    return layout, record


def _check_extent(file: h5py.File, path: str, layout: Layout, record: commit.Commit) -> None:
    """Every object that settling touches can be read, the tables match their checksums, and every
    chunk of every committed frame lies inside the file."""
    file.visititems(lambda _, thing: [*thing.attrs] and None)  # reads every header
    check_times(file, path, layout, record)
    int(file["VTKHDF/Steps"].attrs["NSteps"])
    size = os.path.getsize(path)
    public = replace(record, slot=commit.PUBLIC, rows=(0,) * len(record.rows))
    for dataset, length in growing(file, layout, record) + growing(file, layout, public):
        found = 0

        def look(chunk: Any, length: int = length) -> None:
            nonlocal found
            if chunk.chunk_offset[0] < length:
                if chunk.byte_offset + chunk.size > size:
                    raise RunFileError(f"{path}: truncated ({size} bytes)")
                found += 1

        dataset.id.chunk_iter(look)
        shape, chunk = dataset.shape, dataset.chunks
        expected = math.prod(-(-n // c) for n, c in zip((length, *shape[1:]), chunk, strict=True))
        if found < expected:
            missing = f"{dataset.name} lacks {expected - found} blocks"
            raise RunFileError(f"{path}: corrupt ({missing})")
    for table, rows, crc in zip(layout.tables, record.rows, record.crcs, strict=True):
        if rows and commit.table_crc(read_table(file, layout, table, record)) != crc:
            raise RunFileError(f"{path}: corrupt (the table of {table} does not match its checksum)")


def _reserve(descriptor: int, path: str, end: int, layout: Layout, record: commit.Commit) -> None:
    """Make the file longer by the room that the repair may take; libhdf5 cuts off what it did not take.

    On a full disk libhdf5 can crash whoever calls it, so it is not called on one.

    Raises:
        RunFileReadOnly: there is none; the file is as it was.
    """
    size = os.fstat(descriptor).st_size
    rows = dict(zip(layout.tables, record.rows, strict=True))
    tables = sum(
        np.dtype(kind).itemsize * (rows[table] + ROWS_PER_CHUNK)
        for table, columns in layout.tables.items()
        for kind in ("i8", *(spec.dtype for spec in columns.values()))
    )
    try:
        os.posix_fallocate(descriptor, 0, end + MARGIN + tables)
    except OSError as error:
        os.ftruncate(descriptor, size)
        raise RunFileReadOnly(f"{path}: cannot be repaired where it lies: {os.strerror(error.errno or 0)}") from None


def _state(file: h5py.File) -> str:
    value = file.attrs["state"]
    return value.decode() if isinstance(value, bytes) else str(value)


@contextmanager
def _exclusive(path: str, assume_dead: bool) -> Iterator[int]:
    """The file open for writing, with nobody else writing it."""
    reason = ""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        with errors_of(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES) or not assume_dead:
                raise RunFileBusy(f"{path}: another process is using it") from None
        if reason:
            raise RunFileReadOnly(f"{path}: cannot be repaired where it lies: {reason}")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def errors_of(path: str) -> Iterator[None]:
    """libhdf5's and h5py's complaints about a damaged file, as one line."""
    try:
        yield
    except RunFileError:
        raise
    except Exception as error:  # a flipped bit raises anything
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RunFileError(f"{path}: cannot be read ({reason})") from error
