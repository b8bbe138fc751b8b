"""Superblock and checksum, against published answers and against libhdf5."""

from pathlib import Path

import h5py
import pytest

from seedsoil.outputs import commit
from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.superblock import SIZE, Mended, lookup3, parse


@pytest.mark.parametrize(
    ("text", "initial", "answer"),
    [  # lookup3.c, driver5
        (b"", 0, 0xDEADBEEF),
        (b"", 0xDEADBEEF, 0xBD5B7DDE),
        (b"Four score and seven years ago", 0, 0x17770551),
        (b"Four score and seven years ago", 1, 0xCD628161),
    ],
)
def test_lookup3_gives_the_published_answers(text: bytes, initial: int, answer: int) -> None:
    assert lookup3(text, initial) == answer


@pytest.mark.parametrize("libver", ["v108", "v110"])
def test_packing_gives_the_bytes_of_libhdf5(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=(libver, libver)) as file:
        file["a"] = 1
    block = path.read_bytes()[:SIZE]
    assert parse(block, "a").pack() == block
    assert parse(block, "a").end_of_file == path.stat().st_size


def test_mended_clears_the_marks_for_libhdf5_and_changes_nothing(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.h5", tmp_path / "b.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["a"] = 42
        file.swmr_mode = True
        file.flush()
        copy.write_bytes(path.read_bytes())
    before = copy.read_bytes()
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(copy)
    with h5py.File(Mended(str(copy), parse(before, "b"))) as file:
        assert file["a"][()] == 42
    assert copy.read_bytes() == before


def test_a_wrong_checksum_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=("v110", "v110")):
        pass
    block = bytearray((tmp_path / "a.h5").read_bytes()[:SIZE])
    block[30] ^= 1
    with pytest.raises(RunFileError, match="checksum of the HDF5 superblock"):
        parse(bytes(block), "a.h5")


def test_a_torn_record_yields_the_one_before() -> None:
    old = commit.Commit.first(3).next(frames=3, grid_frames=(1, 0))
    new = old.next(frames=4, slot=commit.SPARE, rows=(5, 6, 7))
    records = commit.np.stack([old.record(), new.record()])
    assert commit.newest(records) == new
    for word in range(records.shape[1]):
        torn = records.copy()
        torn[1, word] ^= 1 << 20
        assert commit.newest(torn) == old
    assert commit.newest(commit.np.zeros_like(records)) is None
