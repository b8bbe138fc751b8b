"""What a benchmark is given: the device, how large and how often to measure, and the copy rate of this run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from .. import device as devices
from ..device import Device
from .copying import copy_rates


@dataclass(frozen=True)
class Plan:
    """Sizes and repetitions. The goals hold for `full()`; `quick()` shows in a minute that all of it works."""

    quick: bool
    repeats: int  # samples per figure
    copy_elements: int  # f4, of each array that is copied
    edge: int  # of the cubic lattice on a CPU
    cuda_edge: int
    cuda_large_edge: int
    bridge_shape: tuple[int, int, int]  # f4 array of which the launch is timed
    ticks: int  # per sample of a tick
    first_ticks: int  # runs from process start to first tick, per cache state
    runs: int  # whole runs
    until_h: float | None  # end of a whole run; None: the scenario's
    checkpoint_bytes: int
    saves: int  # checkpoints
    colonies: int = 1_000_000
    intervals: int = 100  # of all colonies

    @classmethod
    def full(cls) -> "Plan":
        return cls(
            quick=False,
            repeats=9,
            copy_elements=1 << 26,
            edge=256,
            cuda_edge=512,
            cuda_large_edge=1024,
            bridge_shape=(1024, 512, 512),  # 1 GiB
            ticks=100,
            first_ticks=5,
            runs=3,
            until_h=None,
            checkpoint_bytes=1 << 30,
            saves=3,
        )

    @classmethod
    def brief(cls) -> "Plan":
        return cls(
            quick=True,
            repeats=3,
            copy_elements=1 << 22,
            edge=64,
            cuda_edge=128,
            cuda_large_edge=256,
            bridge_shape=(64, 256, 256),
            ticks=10,
            first_ticks=1,
            runs=1,
            until_h=6.0,
            checkpoint_bytes=1 << 24,
            saves=1,
            colonies=20_000,
            intervals=10,
        )


@dataclass
class Bench:
    """One run of the suite."""

    device: Device
    plan: Plan
    say: Callable[[str], None]

    def wait(self) -> None:
        """Until the device has done all that was launched."""
        devices.synchronize(self.device)

    @cached_property
    def copies(self) -> tuple[float, ...]:
        """Copy rate of the device in GB/s, sampled once a run: what other rates are fractions of."""
        return copy_rates(self.device, self.plan.copy_elements, self.plan.repeats)

    @property
    def copy_gb_per_s(self) -> float:
        return median(self.copies)

    def of_copy_rate(self, times: tuple[float, ...], bytes_moved: int) -> tuple[float, ...]:
        """Fractions of the copy rate at which `bytes_moved` went in `times` (s)."""
        return tuple(bytes_moved / each / 1e9 / self.copy_gb_per_s for each in times)
