"""The first 48 bytes of an HDF5 file: flags, end of file, checksum.

HDF5 file format specification, "Disk Format: Level 0A - Format Signature and Superblock", versions
2 and 3. The checksum is Bob Jenkins' lookup3 (`hashlittle`, May 2006), as in libhdf5's
H5_checksum_lookup3.
"""

import io
import os
import struct
from dataclasses import dataclass, replace
from typing import Any

from .errors import RunFileError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SIZE = 48
_LAYOUT = struct.Struct("<8sBBBBQQQQI")
_MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Superblock:
    """A superblock of version 2 or 3 with 8-byte addresses."""

    version: int
    flags: int  # bit 0 open for writing, bit 2 in single-writer-multiple-reader mode
    base: int
    extension: int
    end_of_file: int
    root: int

    def pack(self) -> bytes:
        head = _LAYOUT.pack(
            SIGNATURE,
            self.version,
            8,
            8,
            self.flags,
            self.base,
            self.extension,
            self.end_of_file,
            self.root,
            0,
        )[:-4]
        return head + struct.pack("<I", lookup3(head))


def parse(block: bytes, path: str) -> Superblock:
    """The superblock at the start of `block`.

    Raises:
        RunFileError: it is not one, or its checksum is wrong.
    """
    if len(block) < SIZE or not block.startswith(SIGNATURE):
        raise RunFileError(f"{path}: not a run file (no HDF5 signature)")
    _, version, offsets, lengths, flags, base, extension, end, root, checksum = _LAYOUT.unpack(block[:SIZE])
    if version not in (2, 3) or offsets != 8 or lengths != 8:
        raise RunFileError(f"{path}: not a run file (HDF5 superblock version {version})")
    if lookup3(block[: SIZE - 4]) != checksum:
        raise RunFileError(f"{path}: corrupt (the checksum of the HDF5 superblock is wrong)")
    return Superblock(version, flags, base, extension, end, root)


class Mended(io.FileIO):
    """A killed writer's file as it would read with its marks cleared; nothing is changed on disk."""

    def __init__(self, path: str, block: Superblock) -> None:
        super().__init__(path, "rb")
        size = os.fstat(self.fileno()).st_size
        self._head = replace(block, flags=0, end_of_file=size).pack()

    def readinto(self, buffer: Any) -> int | None:
        start = self.tell()
        count = super().readinto(buffer)
        if count and start < SIZE:
            head = self._head[start : start + count]
            memoryview(buffer).cast("B")[: len(head)] = head
        return count


def lookup3(data: bytes, initial: int = 0) -> int:
    """Jenkins' 32-bit hash of `data`."""
    a = b = c = (0xDEADBEEF + len(data) + initial) & _MASK
    position = 0
    while len(data) - position > 12:
        x, y, z = struct.unpack_from("<III", data, position)
        a, b, c = _mix((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)
        position += 12
    tail = data[position:]
    if not tail:
        return c
    x, y, z = struct.unpack("<III", tail.ljust(12, b"\0"))
    return _final((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)


def _rotate(x: int, k: int) -> int:
    return ((x << k) | (x >> (32 - k))) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for k1, k2, k3 in ((4, 6, 8), (16, 19, 4)):
        a = ((a - c) & _MASK) ^ _rotate(c, k1)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ _rotate(a, k2)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ _rotate(b, k3)
        b = (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    for k1, k2, k3 in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _rotate(b, k1)) & _MASK
        a = ((a ^ c) - _rotate(c, k2)) & _MASK
        b = ((b ^ a) - _rotate(a, k3)) & _MASK
    return ((c ^ b) - _rotate(b, 24)) & _MASK
