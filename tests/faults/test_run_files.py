"""The slow forms of tests/outputs/test_recovery.py: many kills, many damages."""

import shutil
from pathlib import Path

import pytest
from written_runs import frames

from seedsoil.outputs.prepare import grouped, prepare
from seedsoil.outputs.runfile import RunFile

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(4))
def test_fifty_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    frames.assert_kills_lose_nothing(tmp_path, 50, seed)


@pytest.mark.parametrize("state", ["closed", "killed"])
@pytest.mark.parametrize("how", ["cut", "flip", "flip metadata"])
def test_two_hundred_damages_are_noticed(tmp_path: Path, state: str, how: str) -> None:
    path = tmp_path / "run.vtkhdf"
    file = RunFile.create(str(path), frames.LAYOUT, frames.ATTRIBUTES)
    for k in range(frames.DAMAGED_FRAMES):
        time_h, *content = frames.frame(k)
        file.publish(time_h, **grouped(prepare(frames.LAYOUT, *content)))
    source = path
    if state == "killed":
        source = tmp_path / "killed.vtkhdf"
        shutil.copy(path, source)
    file.close({"digest": "x"})
    limit = 80_000 if how == "flip metadata" else source.stat().st_size
    frames.assert_damage_is_noticed(source, how.split()[0], 200, 11, limit)
