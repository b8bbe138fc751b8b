"""A file for libhdf5 that never fails in its hands, sums what passes, and keeps little of it in memory.

libhdf5 can bring the interpreter down when the disk is full. So its writes go on as if nothing had happened; the
first failure is kept in `failure`.

The sum of a file is the SHA-256 of the SHA-256 of each 4 MiB block. A block that is written in one go is summed while
it is in memory, by threads beside the writing; the others are read for it afterwards. What is large is handed to the
disk as it comes, and the system is told that its pages are not needed: else a state of 8 GiB would take 8 GiB more of
memory, and reading it back would read that memory and not the disk. Where the system does not listen, it does so still.
"""

import contextlib
import hashlib
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from .available import cores

BLOCK = 1 << 22
_THREADS = 8  # more gain nothing: then memory is the limit
_own = threading.local()
_LAG = 16  # blocks that the disk has time to take before their pages are dropped


class CarefulFile:
    """`raw`, opened unbuffered; use as a context: its threads end with it."""

    def __init__(self, raw: BinaryIO) -> None:
        self.failure: Exception | None = None
        self._raw = raw
        self._sums: dict[int, bytes] = {}
        self._pool = _started(min(_THREADS, cores()))

    def __enter__(self) -> "CarefulFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def sum(self, length: int) -> bytes:
        """SHA-256 over the blocks of the first `length` bytes, 32 bytes."""
        known = {block: each for block, each in self._sums.items() if (block + 1) * BLOCK <= length}
        return _joined(self._raw, length, self._pool, known, drop=True)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if self.failure is None:
            try:
                self._write(view)
            except Exception as error:  # nothing may pass through libhdf5
                self.failure = error
        return len(view)

    def _write(self, view: memoryview) -> None:
        start = self._raw.tell()
        end = start + len(view)
        for block in range(start // BLOCK, (end - 1) // BLOCK + 1):
            self._sums.pop(block, None)
        sums: dict[int, Future[bytes]] = {}
        at = start
        try:
            while at < end:
                block = at // BLOCK
                stop = min((block + 1) * BLOCK, end)
                piece = view[at - start : stop - start]
                whole = len(piece) == BLOCK
                if whole:
                    sums[block] = self._pool.submit(_digest, piece)
                write_all(self._raw, piece)
                if whole:
                    _give_to_disk(self._raw, block)
                at = stop
        finally:
            # the memory is libhdf5's: nobody may look at it after this call
            done = {block: each.result() for block, each in sums.items()}
        self._sums.update(done)

    def readinto(self, into: Any) -> int:
        count = self._raw.readinto(into)  # type: ignore[attr-defined]
        return count or 0

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def truncate(self, size: int | None = None) -> int:
        length = self._raw.tell() if size is None else size
        for block in [each for each in self._sums if (each + 1) * BLOCK > length]:
            del self._sums[block]
        if self.failure is None:
            try:
                return self._raw.truncate(length)
            except OSError as error:
                self.failure = error
        return length

    def flush(self) -> None:
        pass


def sum_of(raw: BinaryIO, length: int, *, drop: bool = False) -> bytes:
    """The same sum of a file as it can be read now; `drop` if nobody reads it next.

    Raises OSError, also if the file ends before `length`.
    """
    if length <= BLOCK:
        return _digest(b"".join(_read(raw, block, length, drop) for block in range(_blocks(length))))
    with ThreadPoolExecutor(min(_THREADS, cores())) as pool:
        return _joined(raw, length, pool, {}, drop=drop)


def _started(threads: int) -> ThreadPoolExecutor:
    """A pool all of whose threads run. One that starts a thread for a piece, and cannot, has queued the piece already."""
    pool, together = ThreadPoolExecutor(threads), threading.Barrier(threads)
    try:
        for _ in range(threads):
            pool.submit(together.wait)
    except RuntimeError:
        together.abort()
        pool.shutdown()
        raise
    return pool


def write_all(raw: BinaryIO, data: Any) -> None:
    view = memoryview(data).cast("B")
    while len(view):
        view = view[raw.write(view) :]


def drop_pages(raw: BinaryIO) -> None:
    """Have what comes next read the disk; what is not on the disk yet stays in memory."""
    _advise(raw, 0, 0)


def _joined(raw: BinaryIO, length: int, pool: ThreadPoolExecutor, known: dict[int, bytes], *, drop: bool) -> bytes:
    def block_sum(block: int) -> bytes:
        return known.get(block) or _read(raw, block, length, drop)

    return _digest(b"".join(pool.map(block_sum, range(_blocks(length)))))


def _blocks(length: int) -> int:
    return -(-length // BLOCK)


def _read(raw: BinaryIO, block: int, length: int, drop: bool) -> bytes:
    start, expected = block * BLOCK, min(BLOCK, length - block * BLOCK)
    data, have = _room(expected), 0
    while have < expected:  # a network's file system may give less than was asked for
        count = os.preadv(raw.fileno(), [data[have:]], start + have)
        if not count:
            raise OSError("the file ends before its length")
        have += count
    if drop and expected == BLOCK:
        _advise(raw, start, BLOCK)
    return _digest(data)


def _room(size: int) -> memoryview:
    """A thread's own, again and again: fresh memory for every block costs as much as its sum."""
    if len(getattr(_own, "room", b"")) < size:
        _own.room = bytearray(max(size, BLOCK))
    return memoryview(_own.room)[:size]


def _digest(data: Any) -> bytes:
    return hashlib.sha256(data).digest()


def _give_to_disk(raw: BinaryIO, block: int) -> None:
    """Start writing this block out, and drop the one that was begun `_LAG` blocks ago."""
    _advise(raw, block * BLOCK, BLOCK)
    if block >= _LAG:
        _advise(raw, (block - _LAG) * BLOCK, BLOCK)


def _advise(raw: BinaryIO, start: int, length: int) -> None:
    with contextlib.suppress(AttributeError, OSError):  # some systems and file systems have no such call
        os.posix_fadvise(raw.fileno(), start, length, os.POSIX_FADV_DONTNEED)
