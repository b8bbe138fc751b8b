"""The sum that is worked out while a file is written is the sum of what can be read afterwards."""

import errno
import hashlib
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from seedsoil.sim import careful_file, checkpoint
from seedsoil.sim.careful_file import CarefulFile, sum_of
from seedsoil.sim.errors import OutputFailed


@pytest.fixture
def block(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(careful_file, "BLOCK", 64)
    monkeypatch.setattr(careful_file, "_LAG", 2)
    return 64


def plain_sum(content: bytes, block: int) -> bytes:
    parts = [content[at : at + block] for at in range(0, len(content), block)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def test_any_order_of_writes_and_cuts(tmp_path: Path, block: int) -> None:
    chance, in_passing = random.Random(3), 0
    for trial in range(30):
        with open(tmp_path / f"{trial}", "w+b", buffering=0) as raw, CarefulFile(raw) as careful:
            for _ in range(40):
                length = raw.seek(0, 2)
                if length and chance.random() < 0.1:
                    careful.truncate(chance.randrange(length))
                else:
                    unit = chance.choice((1, block))
                    careful.seek(chance.randrange(length + 1) // unit * unit)
                    careful.write(chance.randbytes(chance.choice((1, 63, 64, 200, 640))))
            length = raw.seek(0, 2)
            content = Path(raw.name).read_bytes()
            assert careful.sum(length) == plain_sum(content, block) == sum_of(raw, length)
            part = chance.randrange(length)
            assert careful.sum(part) == plain_sum(content[:part], block) == sum_of(raw, part, drop=True)
            in_passing += len(careful._sums)
    assert in_passing > 100  # else the sums would all have been read


def test_what_the_disk_changed_is_found(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bit that is lost between memory and disk fails the save: the sum is of what was meant."""
    arrays = {"tissue/primary/matrix": np.arange(4096, dtype=np.float32)}
    checkpoint.save(tmp_path, arrays, {"tick": 1})
    write = careful_file.write_all

    def with_a_bit_lost(raw: object, data: object) -> None:
        content = bytearray(data)  # type: ignore[arg-type]
        if len(content) == block:
            content[5] ^= 1
        write(raw, content)  # type: ignore[arg-type]

    monkeypatch.setattr(careful_file, "write_all", with_a_bit_lost)
    with pytest.raises(OutputFailed, match="have changed"):
        checkpoint.save(tmp_path, arrays, {"tick": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-000000000001.h5"]


def test_after_a_failure_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(raw: object, data: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with open(tmp_path / "a", "w+b", buffering=0) as raw, CarefulFile(raw) as careful:
        careful.write(b"first")
        monkeypatch.setattr(careful_file, "write_all", full)
        assert careful.write(b"second") == 6
        monkeypatch.undo()
        assert careful.write(b"third") == 5
        assert isinstance(careful.failure, OSError) and careful.failure.errno == errno.ENOSPC
        assert Path(raw.name).read_bytes() == b"first"


def test_a_file_system_that_gives_less_than_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(200)) * 50)
    give = os.preadv

    def a_little(descriptor: int, rooms: list, offset: int) -> int:
        return give(descriptor, [memoryview(rooms[0])[:777]], offset)

    monkeypatch.setattr(os, "preadv", a_little)
    with open(path, "rb") as raw:
        assert sum_of(raw, 10_000) == plain_sum(path.read_bytes(), careful_file.BLOCK)
        with pytest.raises(OSError, match="ends before"):
            sum_of(raw, 10_001)


@pytest.mark.parametrize("after", [0, 1])
def test_without_another_thread_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    begin, begun = threading.Thread.start, []

    def start(self: threading.Thread) -> None:
        if len(begun) >= after:
            raise RuntimeError("can't start new thread")
        begun.append(self)
        begin(self)

    monkeypatch.setattr(careful_file, "cores", lambda: 2)
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(OutputFailed, match="can't start new thread"):
        checkpoint.save(tmp_path, {"a": np.arange(9)}, {"tick": 1})
    assert list(tmp_path.iterdir()) == []


def test_threads_are_there_before_the_first_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that starts a thread for a piece, and cannot, has queued the piece: it would be read after its end."""
    monkeypatch.setattr(careful_file, "cores", lambda: 3)
    with open(tmp_path / "a", "w+b", buffering=0) as raw, CarefulFile(raw) as careful:
        assert len(careful._pool._threads) == 3


def test_the_disk_is_named_though_libhdf5_fails_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(raw: object, data: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill(target: CarefulFile, *_: object) -> None:
        target.write(b"something")
        raise OSError("Unable to synchronously open object (bad object header version number)")

    monkeypatch.setattr(careful_file, "write_all", full)
    monkeypatch.setattr(checkpoint, "_fill", fill)
    with pytest.raises(OutputFailed, match="No space left"):
        checkpoint.save(tmp_path, {"a": np.arange(9)}, {"tick": 1})


def test_what_is_read_next_stays_in_memory(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that was just summed is parsed from the pages that were summed; one that was saved is not read on."""
    dropped: list[str] = []
    monkeypatch.setattr(careful_file, "_advise", lambda raw, *_: dropped.append(Path(raw.name).suffix))
    path = checkpoint.save(tmp_path, {"a": np.arange(900)}, {"tick": 1})
    assert dropped and set(dropped) == {".tmp"}
    dropped.clear()
    checkpoint.load(path)
    assert dropped == []
