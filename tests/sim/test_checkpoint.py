"""Checkpoints are whole or refused, two are kept, and a full disk costs nothing but the new one."""

import errno
import random
from pathlib import Path

import numpy as np
import pytest

from seedsoil.sim import careful_file, checkpoint
from seedsoil.sim.errors import InputError, OutputFailed

ARRAYS = {
    "tissue/primary/cell": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "tissue/primary/matrix": np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    "seeds/voxel": np.array([3, 5, 8], dtype=np.int64),
    "colonies/cells": np.array([], dtype=np.int32),
}


def numbers(tick: int) -> dict:
    return {"tick": tick, "flows": {"born": 3}, "title": "naïve \N{GREEK SMALL LETTER ALPHA}"}


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, ARRAYS, numbers(7))
    arrays, found = checkpoint.load(path)
    assert found == numbers(7)
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for tick in (5, 900, 70):
        checkpoint.save(tmp_path, ARRAYS, numbers(tick))
    assert [path.name for path in checkpoint.found(tmp_path)] == [
        "checkpoint-000000000900.h5",
        "checkpoint-000000000070.h5",
    ]
    assert not list(tmp_path.glob("*.tmp"))


def test_every_truncation_and_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, ARRAYS, numbers(1))
    whole = path.read_bytes()
    chance = random.Random(1)
    damaged = [whole[: chance.randrange(len(whole))] for _ in range(150)]
    for _ in range(350):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(flipped))
    damaged += [b"", b"\0" * len(whole), whole + b"x", whole[:-48]]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(checkpoint.CheckpointDamaged, match=path.name):
            checkpoint.load(path)
    path.write_bytes(whole)
    assert checkpoint.load(path)[1] == numbers(1)  # the control: it was the damage that was refused


def test_a_damaged_newest_one_is_passed_over(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, ARRAYS, numbers(1))
    newer = checkpoint.save(tmp_path, ARRAYS, numbers(2))
    newer.write_bytes(newer.read_bytes()[:-1])
    path, _, found, complaints = checkpoint.newest(tmp_path)
    assert (path.name, found["tick"]) == ("checkpoint-000000000001.h5", 1)
    assert len(complaints) == 1 and newer.name in complaints[0]


def test_without_a_whole_one_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no whole checkpoint"):
        checkpoint.newest(tmp_path)


@pytest.mark.parametrize("room", [0, 100, 700, 2500])
def test_a_full_disk_leaves_the_older_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    older = checkpoint.save(tmp_path, ARRAYS, numbers(1))
    before = older.read_bytes()
    assert len(before) > room
    written = 0
    write = careful_file.write_all

    def until_full(raw: object, data: object) -> None:
        nonlocal written
        written += memoryview(data).nbytes  # type: ignore[arg-type]
        if written > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(raw, data)  # type: ignore[arg-type]

    monkeypatch.setattr(careful_file, "write_all", until_full)
    with pytest.raises(OutputFailed, match="No space left") as failed:
        checkpoint.save(tmp_path, ARRAYS, numbers(2))
    assert failed.value.exit_code == 74
    assert [path.name for path in tmp_path.iterdir()] == [older.name]
    assert older.read_bytes() == before


def test_a_later_format_is_refused_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    path = checkpoint.save(tmp_path, ARRAYS, numbers(1))
    monkeypatch.setattr(checkpoint, "FORMAT", 1)
    with pytest.raises(checkpoint.CheckpointDamaged, match="format 99"):
        checkpoint.load(path)
