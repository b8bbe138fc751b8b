"""No small piece of the file's metadata lies across two pages of memory: a kill can cut a write in two there.

(Linux copies what is written page by page, and looks between two of them whether the process was killed.)
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest
from written_runs import frames

from seedsoil.outputs.create import LIBVER, PAGE
from seedsoil.outputs.prepare import grouped, prepare
from seedsoil.outputs.runfile import RunFile
from seedsoil.outputs.superblock import lookup3

# HDF5 file format specification 3.0: object headers (IV.A.1.b), extensible arrays (VII.D)
INDEX_HEADER = 72


def pieces(raw: bytes) -> Iterator[tuple[str, int, int]]:
    """(kind, where, bytes) of object headers, and of the headers and first blocks of chunk indices."""
    elements = {}
    for found in re.finditer(b"OHDR\x02", raw):
        at, flags = found.start(), raw[found.start() + 5]
        body = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        yield "OHDR", at, body - at + width + int.from_bytes(raw[body : body + width], "little") + 4
    for found in re.finditer(b"EAHD\x00", raw):
        elements[found.start()] = raw[found.start() + 6]
        yield "EAHD", found.start(), INDEX_HEADER
    for found in re.finditer(b"EAIB\x00", raw):
        header = int.from_bytes(raw[found.start() + 6 : found.start() + 14], "little")
        if header in elements:  # 4 elements, 6 blocks and 25 blocks of blocks, as libhdf5 makes them
            yield "EAIB", found.start(), 14 + 4 * elements[header] + (6 + 25) * 8 + 4


def whole(raw: bytes) -> list[tuple[str, int, int]]:
    """Those that end in their checksum: what looks like one and is not is left out."""
    return [
        (kind, at, size)
        for kind, at, size in pieces(raw)
        if at + size <= len(raw) and lookup3(raw[at : at + size - 4]) == struct.unpack_from("<I", raw, at + size - 4)[0]
    ]


def across(found: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    return [(kind, at, size) for kind, at, size in found if size <= PAGE and at // PAGE != (at + size - 1) // PAGE]


@pytest.mark.parametrize("reopened", [False, True])
def test_what_changes_lies_within_a_page(tmp_path: Path, reopened: bool) -> None:
    path = tmp_path / "run.vtkhdf"
    file = RunFile.create(str(path), frames.LAYOUT, frames.ATTRIBUTES)
    for number in range(30):
        if reopened and number == 10:
            file.close()
            file = RunFile.append(str(path), frames.LAYOUT, frames.ATTRIBUTES)
        time_h, *content = frames.frame(number)
        file.publish(time_h, **grouped(prepare(frames.LAYOUT, *content)))
    found = whole(path.read_bytes())
    file.close()
    assert {kind for kind, _, _ in found} == {"OHDR", "EAHD", "EAIB"} and len(found) > 200
    assert across(found) == []


def test_in_a_file_without_pages_some_lie_across(tmp_path: Path) -> None:
    path = tmp_path / "plain.h5"
    with h5py.File(path, "w", libver=LIBVER) as file:
        for number in range(100):
            file.create_dataset(f"{number}", data=[1.0], maxshape=(None,), chunks=(100,))
    assert {kind for kind, _, _ in across(whole(path.read_bytes()))} >= {"OHDR", "EAIB"}
