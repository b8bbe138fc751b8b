"""The solver gives the same bits and the same report for 1, 2 and 4 threads and in both loop forms."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.steady import Law, Levels, solve
from seedsoil.sim.device import start

SHAPE = (48, 48, 37)  # 2304 rows: work for four threads


def ends(lattice: Lattice) -> list:
    """Digest and report of a cold solve with vessels and uptake, a warm one, a linear one, and one by Newton's method."""
    draw = np.random.default_rng(4)
    vessel, cell = draw.random(SHAPE) < 0.01, draw.random(SHAPE) < 0.3
    supply, drain = (4e5 * vessel).astype(np.float32), (1e4 * vessel).astype(np.float32)
    field, scratch = np.zeros(SHAPE, np.float32), Levels.of(lattice)
    law = Law(6e6, 20.0, 1.0, (None, 40.0, None, None, 0.0, None))
    found = []
    moved = 3.6e4 * np.roll(cell, 1, 2)
    by_cycles = {"cycles_max": 3, "steps_max": 0}
    by_steps = {"cycles_max": 1, "steps_max": 3, "tolerance": 1e-7}
    for uptake, given in [
        (3.6e4 * cell, {**by_cycles, "cold": True}),
        (moved, by_cycles),
        (np.zeros(1), by_cycles),
        (moved, by_steps),
    ]:
        done = solve(lattice, field, supply, drain, uptake.astype(np.float32), scratch, law, **given)
        assert (done.steps > 1) == (given is by_steps)
        found.append([hashlib.sha256(field.tobytes()).hexdigest(), *done])
    return found


@pytest.mark.parametrize("most", [2, pytest.param(4, marks=pytest.mark.physics)])
def test_threads_and_loop_forms_give_the_same_bits(most: int) -> None:
    found = {}
    for threads in (1, most):
        done = subprocess.run(
            [sys.executable, __file__, str(threads)], capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        found[threads] = json.loads(done.stdout.splitlines()[-1])
    first = found[1]["rows"]
    assert len({each[0] for each in first}) == 4
    for threads, forms in found.items():
        assert forms["rows"] == first, threads
        assert forms["voxels"] == first, threads


if __name__ == "__main__":
    started = start("cpu", int(sys.argv[1]))
    print(json.dumps({form: ends(Lattice.of(SHAPE, form=form)) for form in ("rows", "voxels")}))
