"""How fast a checkpoint gets to the disk of the current folder: what a signal has to wait for."""

import tempfile
import time
from pathlib import Path

import numpy as np

from .. import checkpoint
from .figures import Figure
from .plan import Bench

NAME = "checkpoint"
# state of 8 GiB is to be safe within 20 s of a signal
LARGE_BYTES, LARGE_S = 8 * 2**30, 20.0


def measure(bench: Bench) -> list[Figure]:
    """Save a state of random bytes as a run saves its own: written, synced, read back, checked."""
    size = bench.plan.checkpoint_bytes
    block = np.random.default_rng(1).integers(0, 256, min(size, 1 << 24), np.uint8)
    arrays = {f"tissue/primary/{n}": np.resize(block, size // 8) for n in range(8)}
    samples = []
    with tempfile.TemporaryDirectory(prefix="seedsoil-bench-", dir=".") as scratch:
        for tick in range(bench.plan.saves):
            began = time.perf_counter()
            checkpoint.save(Path(scratch), arrays, {"tick": tick}, keep=1)
            samples.append(size / 1e9 / (time.perf_counter() - began))
    rate = sorted(samples)[len(samples) // 2]
    note = f"{size / 2**30:.3g} GiB into the current folder; at this rate 8 GiB take {LARGE_BYTES / 1e9 / rate:.0f} s"
    goal = LARGE_BYTES / 1e9 / LARGE_S
    return [Figure(NAME, "saved", "GB/s", tuple(samples), "higher", goal=goal, note=note)]
