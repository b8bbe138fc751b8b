"""A measured figure: its samples, the floor and goal beside it, and how samples are taken."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One line of the result. Without samples it was not measured, and `not_measured` says why."""

    benchmark: str
    name: str
    unit: str
    samples: tuple[float, ...] = ()
    better: Literal["higher", "lower"] = "lower"
    floor: float | None = None  # worse than this is too slow
    goal: float | None = None  # what was set out for
    note: str = ""
    not_measured: str = ""
    failed: bool = False  # what was measured is wrong, or the benchmark broke off

    @property
    def median(self) -> float | None:
        return statistics.median(self.samples) if self.samples else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """(least, greatest) sample."""
        return (min(self.samples), max(self.samples)) if self.samples else None

    @property
    def verdict(self) -> str:
        """ "goal", "floor" (reached, short of the goal), "missed", or "" where nothing was set or measured."""
        middle = self.median
        if middle is None or (self.floor is None and self.goal is None):
            return ""
        if self.goal is not None and self._reaches(middle, self.goal):
            return "goal"
        return "floor" if self.floor is not None and self._reaches(middle, self.floor) else "missed"

    def _reaches(self, value: float, mark: float) -> bool:
        return value >= mark if self.better == "higher" else value <= mark

    def as_json(self, *, judged: bool = True) -> dict[str, Any]:
        """`judged` = False leaves the verdict out: floors and goals hold for the full sizes."""
        low, high = self.spread or (None, None)
        return {
            "benchmark": self.benchmark,
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": low,
            "max": high,
            "samples": list(self.samples),
            "better": self.better,
            "floor": self.floor,
            "goal": self.goal,
            "verdict": self.verdict if judged else "",
            "note": self.note,
            "not_measured": self.not_measured,
            "failed": self.failed,
        }


def seconds(call: Callable[[], object], wait: Callable[[], object], calls: int = 1) -> float:
    """Wall time per call of `calls` calls on end; `wait` returns once the device has done all it was given."""
    wait()
    began = time.perf_counter()
    for _ in range(calls):
        call()
    wait()
    return (time.perf_counter() - began) / calls


def sampled(call: Callable[[], object], wait: Callable[[], object], repeats: int, calls: int = 1) -> tuple[float, ...]:
    """`repeats` samples of `seconds`, in s per call. The caller has made the first call, which compiles."""
    return tuple(seconds(call, wait, calls) for _ in range(repeats))


def quotients(above: tuple[float, ...], below: tuple[float, ...]) -> tuple[float, ...]:
    """Sample by sample: both were taken in turns, so a slow moment of the machine hits both."""
    return tuple(a / b for a, b in zip(above, below, strict=True))
