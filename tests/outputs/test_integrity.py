"""One flipped bit, in each kind of content of a closed file: noticed."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from written_runs import frames

from seedsoil.outputs import integrity
from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.recorder import Recorder

FRAMES = 4
STORED = (
    "cell",
    "matrix",
    "fields/oxygen/oxygen",
    "organs/lung/clone",
    "organs/lung/fields/oxygen/oxygen",
    "time",
    "z",
    "fields/oxygen/time",
    "fields/oxygen/x",
    "organs/lung/time",
    "organs/lung/y",
    "series/tick_time",
    "series/born",
    "seeds/seed",
    "seeds/fate",
    "colonies/cells",
    "clones/born_h",
)
TEXTS = {  # of attributes: the file's own, the layout, a field's, a column's, a scale's, a fixed one; a name; numbers
    "scenario": 'title = "µ"'.encode(),
    "layout": b'"voxel_um": 20.0',
    "long_name of matrix": b"extracellular matrix density",
    "long_name of seeds/fate": b"what became of it",
    "long_name of z": b"z of voxel centres",
    "flag_meanings": b"in_transit died_in_transit",
    "digest": b"ab" * 32,
    "NSteps": b"NSteps",
    "Spacing": np.full(3, 20.0).tobytes(),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.vtkhdf"
    recorder = Recorder(path, frames.LAYOUT, frames.ATTRIBUTES)
    for k in range(FRAMES):
        recorder.frame(*frames.frame(k))
    recorder.close({"digest": "ab" * 32})
    return path


def flipped(whole: Path, folder: Path, place: int) -> Path:
    content = bytearray(whole.read_bytes())
    content[place] ^= 4
    target = folder / "run.vtkhdf"
    target.write_bytes(content)
    return target


def place_of(whole: Path, dataset: str) -> int:
    """Offset in the file of a byte that the dataset's values take: in its first block, amid a compressed one."""
    with h5py.File(whole) as file:
        found = file[dataset]
        if found.chunks is None:
            return found.id.get_offset() + 8
        block = found.id.get_chunk_info(0)
        return block.byte_offset + (block.size // 2 if found.compression else found.dtype.itemsize)


@pytest.mark.parametrize("dataset", STORED)
def test_in_stored_values(whole: Path, tmp_path: Path, dataset: str) -> None:
    damaged = flipped(whole, tmp_path, place_of(whole, dataset))
    with pytest.raises(RunFileError) as error:
        open_run(damaged).verify()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", TEXTS)
def test_in_attributes(whole: Path, tmp_path: Path, text: str) -> None:
    content = whole.read_bytes()
    places = [k for k in range(len(content)) if content.startswith(TEXTS[text], k)]
    assert places
    for place in places:  # equal texts of several datasets
        with pytest.raises(RunFileError):
            open_run(flipped(whole, tmp_path, place + len(TEXTS[text]) // 2)).verify()


def test_in_a_record_of_the_commit_costs_nothing(whole: Path, tmp_path: Path) -> None:
    with h5py.File(whole) as file:
        start, records = file["journal/commit"].id.get_offset(), file["journal/commit"].shape
    for record in range(2):
        damaged = flipped(whole, tmp_path, start + (record * records[1] + 1) * 8)
        frames.assert_holds(open_run(damaged), FRAMES)  # the other record says the same


def test_without_the_checksums_series_and_text_would_be_believed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedsoil.outputs.reader.check_times", lambda *_: None)
    monkeypatch.setattr(integrity.commit, "rows_crc", lambda *_: 0)
    run = open_run(flipped(whole, tmp_path, place_of(whole, "series/born")))
    assert run.series().born[1] != 1
