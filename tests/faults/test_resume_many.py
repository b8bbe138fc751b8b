"""N = k + (N - k), bit for bit: five scenarios, fifty k each, going on with another number of threads."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from faults.scenarios import SCENARIOS, TICKS

from seedsoil.outputs.reader import open_run

pytestmark = pytest.mark.faults
CUTS = 50


def halves(*words: object) -> str:
    """`python -m faults.halves ...`; what it printed."""
    tests = str(Path(__file__).parent.parent)
    path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-P", "-m", "faults.halves", *map(str, words)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=1800, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cut(name: str, folder: Path, threads: int, count: int) -> set[int]:
    """Run a scenario, keeping what a kill would leave after `count` random ticks; returns those."""
    scenario = folder / f"{name}.toml"
    scenario.write_text(SCENARIOS[name]())
    ticks = set(random.Random(name).sample(range(1, TICKS), count))
    halves("save", scenario, folder, threads, *ticks)
    return ticks


@pytest.mark.parametrize("name", SCENARIOS)
def test_in_two_halves_it_is_the_same_run(tmp_path: Path, name: str) -> None:
    threads = 1 + list(SCENARIOS).index(name) % 2
    ticks = cut(name, tmp_path, threads, CUTS)
    run = open_run(tmp_path / "whole")
    assert run.seeds().sizes["seed"] > 10 and run.colonies().sizes["colony"] > 3, "too little happens in it"
    differences = json.loads(halves("resume", tmp_path, 3 - threads))
    assert differences == {str(tick): "" for tick in ticks}


@pytest.mark.parametrize("array", ["emt", "protease", "colony", "seeds/fate", "members/emt"])
def test_an_array_that_is_not_restored_is_noticed(tmp_path: Path, array: str) -> None:
    ticks = cut("secondary seeding", tmp_path, 2, 3)
    differences = json.loads(halves("resume", tmp_path, 2, "forget", array))
    assert differences.keys() == {str(tick) for tick in ticks}
    assert any(differences.values())
