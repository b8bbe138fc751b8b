"""`seedsoil run quickstart` as a user meets it: time to the first tick, the whole run, and what output costs.

Every sample is a process of its own, on this run's device and threads. The kernel cache is a folder of the
benchmark's: the first process finds it empty ("cold"), the later ones full ("warm"). Python's bytecode and the
system's file cache are warm in all of them.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .figures import Figure
from .plan import Bench

NAME = "quickstart"
# --until-h of a run that ends with its first tick
ONE_TICK_H = 0.1
PHASES = {
    "entered": "Python starts",
    "made": "imports, device, implant",
    "opened": "files, writer, first frame",
    "ticked": "first tick itself",
}


@dataclass
class Processes:
    """Starts children one after another in folders of their own below `scratch`."""

    device: str
    threads: int
    scratch: Path
    started: int = field(default=0)

    def run(self, mode: str, cache: str, until_h: float | None) -> dict[str, Any]:
        """What the child timed, with `began` and `wall` of the whole process (s). Raises RuntimeError if it fails."""
        self.started += 1
        place = self.scratch / f"{self.started}"
        place.mkdir()
        orders = {
            "mode": mode,
            "device": self.device,
            "threads": self.threads,
            "until_h": until_h,
            "out": str(place / "run"),
            "marks": str(place / "marks.json"),
        }
        (place / "orders.json").write_text(json.dumps(orders), "utf-8")
        line = [sys.executable, "-m", "seedsoil.sim.bench.child", str(place / "orders.json")]
        environment = {**os.environ, "SEEDSOIL_CACHE": str(self.scratch / cache)}
        began = time.monotonic()
        done = subprocess.run(line, cwd=place, env=environment, capture_output=True, text=True, check=False)
        wall = time.monotonic() - began
        if done.returncode:
            said = " ".join(done.stderr.split())[-500:]
            raise RuntimeError(f"a process of the quickstart benchmark ended with {done.returncode}: {said}")
        return {**json.loads(Path(orders["marks"]).read_text("utf-8")), "began": began, "wall": wall}


def measure(bench: Bench) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="seedsoil-bench-") as scratch:
        processes = Processes(bench.device.arch, bench.device.threads, Path(scratch))
        figures = first_ticks(bench, processes)
        bench.say("quickstart: whole runs")
        figures.append(whole_runs(bench, processes))
        bench.say("quickstart: with and without output")
        return [*figures, *output_share(bench, processes)]


def first_ticks(bench: Bench, processes: Processes) -> list[Figure]:
    """Process start to first tick, with the kernel cache empty and full."""
    count = bench.plan.first_ticks
    cold = [processes.run("command", f"cache-{n}", ONE_TICK_H) for n in range(max(1, count // 2))]
    warm = [processes.run("command", "cache-0", ONE_TICK_H) for _ in range(count)]
    return [
        Figure(NAME, "first tick, cold kernel cache", "s", _to_first_tick(cold), note=_phases(cold)),
        Figure(NAME, "first tick, warm kernel cache", "s", _to_first_tick(warm), "lower", 10.0, 3.0, _phases(warm)),
    ]


def whole_runs(bench: Bench, processes: Processes) -> Figure:
    """The whole command: start, ticks, files and report."""
    runs = [processes.run("command", "cache-0", bench.plan.until_h) for _ in range(bench.plan.runs)]
    length = "the whole scenario" if bench.plan.until_h is None else f"until {bench.plan.until_h:g} h"
    return Figure(NAME, "whole command", "s", tuple(run["wall"] for run in runs), note=f"{length}, report and all")


def output_share(bench: Bench, processes: Processes) -> list[Figure]:
    """The ticks alone, the ticks with all that a run writes, and how much of the latter is output."""
    bare: list[dict[str, Any]] = []
    full: list[dict[str, Any]] = []
    for _ in range(bench.plan.runs):
        bare.append(processes.run("memory", "cache-0", bench.plan.until_h))
        full.append(processes.run("recorded", "cache-0", bench.plan.until_h))
    ticks, cells = bare[0]["ticks"], bare[0]["cells"]
    digests = {run["digest"] for run in (*bare, *full)}
    pace = tuple(1e3 * run["spent"] / ticks for run in bare)
    share, work = (
        tuple(1.0 - a[what] / b[what] for a, b in zip(bare, full, strict=True)) for what in ("spent", "worked")
    )
    note = "frames every 6 h, series, one checkpoint, closing the file; of the ticks with it, start and report apart"
    if len(digests) > 1:
        note += "; THE RUNS DIFFER"
    return [
        Figure(NAME, "tick without output", "ms", pace, note=f"mean of {ticks:,} ticks, {cells:,} cells at the end"),
        Figure(NAME, "output share of run time", "1", share, goal=0.10, note=note, failed=len(digests) > 1),
        Figure(NAME, "output share of processor time", "1", work, note="the writer's process is in it"),
    ]


def _to_first_tick(runs: list[dict[str, Any]]) -> tuple[float, ...]:
    return tuple(run["ticked"] - run["began"] for run in runs)


def _phases(runs: list[dict[str, Any]]) -> str:
    """Where the time of the median process went."""
    run = sorted(runs, key=lambda run: run["ticked"] - run["began"])[len(runs) // 2]
    marks = [run["began"], *(run[mark] for mark in PHASES)]
    parts = [f"{name} {b - a:.2f}" for name, (a, b) in zip(PHASES.values(), itertools.pairwise(marks), strict=True)]
    return ", ".join(parts) + " s"
