"""The benchmarks by name, one run over them, and its result as JSON."""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import device as devices
from ..errors import InputError, OutputFailed
from ..plain_text import printable
from ..problems import did_you_mean
from ..run_folder import write_whole
from . import colonies, cuda, diffusion, franssen, memory, passes, quickstart, saving, solutes, spheroid
from .figures import Figure
from .machine import described
from .plan import Bench, Plan

FORMAT = 1
BENCHMARKS: dict[str, Callable[[Bench], list[Figure]]] = {
    part.NAME: part.measure
    for part in (memory, diffusion, solutes, passes, colonies, franssen, spheroid, quickstart, saving, cuda)
}


@dataclass(frozen=True)
class Result:
    """What one run of the suite measured, and where."""

    quick: bool
    began: str
    wall_s: float
    machine: dict[str, Any]
    figures: tuple[Figure, ...]

    @property
    def failed(self) -> bool:
        return any(figure.failed for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "quick": self.quick,
            "began": self.began,
            "wall_s": round(self.wall_s, 1),
            "machine": self.machine,
            "figures": [figure.as_json(judged=not self.quick) for figure in self.figures],
        }

    def write(self, path: Path) -> None:
        """Write the JSON, whole or not at all. Raises OutputFailed."""
        try:
            write_whole(path, json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise OutputFailed(f"{printable(str(path))}: cannot be written: {error.strerror or error}") from None


def refuse_unwritable(path: Path) -> None:
    """Find out before the measuring whether the result can be written. Raises OutputFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"{printable(str(path))}: cannot be written: {error.strerror or error}") from None
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputFailed(f"{printable(str(path))}: cannot be written: it is a folder, or its folder is not writable")


def chosen(only: Sequence[str]) -> list[str]:
    """Names of benchmarks, in the suite's order; all without `only`. Raises InputError for a name that is none."""
    for name in only:
        if name not in BENCHMARKS:
            close = did_you_mean(name, list(BENCHMARKS))
            hint = f"did you mean {close!r}?" if close else f"there are {', '.join(BENCHMARKS)}"
            raise InputError(f"{printable(name)}: no benchmark of that name - {hint}")
    return [name for name in BENCHMARKS if not only or name in only]


def measure(
    plan: Plan,
    *,
    only: Sequence[str] = (),
    device: str = "auto",
    threads: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Result:
    """Run the benchmarks. One that breaks off is a failed figure with its reason, and the others go on."""
    names = chosen(only)
    bench = Bench(devices.start(device, threads), plan, say)
    machine = described(bench.device)
    began, clock = time.strftime("%Y-%m-%dT%H:%M:%S%z"), time.monotonic()
    figures: list[Figure] = []
    for name in names:
        say(name)
        try:
            figures += BENCHMARKS[name](bench)
        except Exception as error:  # whatever it is, the other benchmarks are worth having
            reason = f"broke off: {type(error).__name__}: {printable(str(error), 500)}"
            figures.append(Figure(name, "benchmark", "", not_measured=reason, failed=True))
        cuda.release(bench.device)
    return Result(plan.quick, began, time.monotonic() - clock, machine, tuple(figures))
