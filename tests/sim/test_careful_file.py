"""The sum that is worked out while a file is written is the sum of what can be read afterwards."""

import errno
import hashlib
import random
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
        assert careful.failure is not None and careful.failure.errno == errno.ENOSPC
        assert Path(raw.name).read_bytes() == b"first"
