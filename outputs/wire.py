"""How frames reach the writer: arrays in anonymous shared memory, its descriptor over a socket.

A message is a packet of JSON on a SOCK_SEQPACKET pair and, if it has a body, one memfd: an index,
then the arrays. Nothing is named, so nothing is left behind whoever is killed.
"""

import json
import mmap
import os
import socket
from collections.abc import Mapping
from typing import Any

import numpy as np

_ALIGN = 64
_PACKET = 65536


class Buffer:
    """A memfd of the sender's, kept for as long as the frame in it may have to be sent again."""

    def __init__(self, size: int) -> None:
        """Room for `size` bytes, really allocated: OSError here rather than SIGBUS later."""
        self.fd = os.memfd_create("seedsoil-frame", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(self.fd, 0, size)
            self.memory = mmap.mmap(self.fd, size)
        except BaseException:
            os.close(self.fd)
            raise
        self.size = size

    def close(self) -> None:
        self.memory.close()
        os.close(self.fd)

    def __enter__(self) -> "Buffer":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def fill(self, header: Any, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy header (JSON) and arrays in; `size_of` says how much room they need."""
        index, entries, start = _plan(header, arrays)
        self.memory[: len(index)] = index
        for (_, dtype, shape, offset), array in zip(entries, arrays.values(), strict=True):
            target = np.ndarray(shape, dtype, self.memory, start + offset)
            np.copyto(target, array)
            del target  # a view would keep the memory from being closed


def size_of(header: Any, arrays: Mapping[str, np.ndarray]) -> int:
    """Bytes a buffer needs for them."""
    _, entries, start = _plan(header, arrays)
    end = max((o + _bytes(d, s) for _, d, s, o in entries), default=0)
    return start + max(end, 1)


def unpack(fd: int) -> tuple[Any, dict[str, np.ndarray]]:
    """Header and arrays of a received body; the arrays are views that keep the memory mapped."""
    memory = mmap.mmap(fd, os.fstat(fd).st_size)
    length = int.from_bytes(memory[:8], "little")
    index = json.loads(memory[8 : 8 + length])
    start = _aligned(8 + length)
    arrays = {
        name: np.ndarray(tuple(shape), dtype, memory, start + offset) for name, dtype, shape, offset in index["arrays"]
    }
    return index["header"], arrays


def send(sock: socket.socket, message: dict[str, Any], fd: int | None = None) -> None:
    """One packet. Raises OSError if the other side is gone."""
    data = json.dumps(message).encode()
    socket.send_fds(sock, [data], [] if fd is None else [fd], socket.MSG_NOSIGNAL)


def receive(sock: socket.socket, flags: int = 0) -> tuple[dict[str, Any] | None, int | None]:
    """The next packet and its descriptor (the receiver closes it); None at end of file."""
    data, fds, _, _ = socket.recv_fds(sock, _PACKET, 1, flags | socket.MSG_CMSG_CLOEXEC)
    return (json.loads(data) if data else None), (fds[0] if fds else None)


def _plan(
    header: Any, arrays: Mapping[str, np.ndarray]
) -> tuple[bytes, list[tuple[str, str, tuple[int, ...], int]], int]:
    entries = []
    offset = 0
    for name, array in arrays.items():
        entries.append((name, array.dtype.str, array.shape, offset))
        offset = _aligned(offset + array.nbytes)
    text = json.dumps({"header": header, "arrays": entries}).encode()
    index = len(text).to_bytes(8, "little") + text
    return index, entries, _aligned(len(index))


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN
