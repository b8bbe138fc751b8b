"""Growth of a primary that is a number, not a lattice: N(t), and the integral of its power that sheds.

    exponential   N = N0 exp(g t)
    Gompertz      N = K (N0/K)^exp(-b t),   b = g / ln(K/N0): it starts at the same rate g and slows down

g = ln 2 / doubling time, at the start. The integral of N^alpha from t0 to t1, which is what sheds, is closed:

    exponential   N0^alpha (exp(alpha g t1) - exp(alpha g t0)) / (alpha g)
    Gompertz      K^alpha (E1(x1) - E1(x0)) / b,   x = alpha ln(K/N0) exp(-b t),   E1 the exponential integral

A resection leaves a fraction of the cells, which grow on by the same law from their new number. Ignored: chance in the
growth itself (a tumour of a million cells has none to speak of; one of a single cell may die out before it is one), and
that the growth of a tumour depends on its vessels. Gompertz growth of tumours: Laird 1964, Br J Cancer 18:490.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import exp1

Kind = Literal["exponential", "gompertz"]


@dataclass(frozen=True)
class Growth:
    """How many cells the primary has at each time. `rate_per_h` is that of `start_cells`, at `start_h`."""

    kind: Kind
    start_cells: float
    rate_per_h: float
    capacity_cells: float = math.inf  # of Gompertz growth
    start_h: float = 0.0

    def __post_init__(self) -> None:
        if not (self.start_cells > 0 and self.rate_per_h >= 0):
            raise ValueError("a primary starts with cells and a rate that is not negative")
        if self.kind == "gompertz" and not self.start_cells < self.capacity_cells < math.inf:
            raise ValueError("Gompertz growth needs a finite capacity above its start")

    @property
    def _slowing_per_h(self) -> float:
        return self.rate_per_h / math.log(self.capacity_cells / self.start_cells)

    def cells(self, time_h: np.ndarray | float) -> np.ndarray:
        """Cells at `time_h` (any shape), f8, not rounded."""
        since = np.asarray(time_h, float) - self.start_h
        if self.kind == "exponential":
            return self.start_cells * np.exp(self.rate_per_h * since)
        below = math.log(self.capacity_cells / self.start_cells)
        return self.capacity_cells * np.exp(-below * np.exp(-self._slowing_per_h * since))

    def reaches_h(self, cells: float) -> float:
        """When it has grown to `cells`: its start if it is larger already, infinity if never."""
        if cells <= self.start_cells:
            return self.start_h
        if self.rate_per_h == 0 or cells >= self.capacity_cells:
            return math.inf
        if self.kind == "exponential":
            return self.start_h + math.log(cells / self.start_cells) / self.rate_per_h
        log = math.log
        ratio = log(self.capacity_cells / cells) / log(self.capacity_cells / self.start_cells)
        return self.start_h - log(ratio) / self._slowing_per_h

    def integral(self, alpha: float, from_h: float, to_h: float) -> float:
        """Integral of N^alpha dt, in cells^alpha h."""
        if to_h <= from_h:
            return 0.0
        if alpha == 0 or self.rate_per_h == 0:
            return float(self.start_cells**alpha * (to_h - from_h))
        if self.kind == "exponential":
            power = alpha * self.rate_per_h
            at_start = self.start_cells**alpha * math.exp(power * (from_h - self.start_h))
            return at_start * math.expm1(power * (to_h - from_h)) / power
        below = math.log(alpha * math.log(self.capacity_cells / self.start_cells))
        e0, e1 = (_exp1_of_exp(below - self._slowing_per_h * (t - self.start_h)) for t in (from_h, to_h))
        return self.capacity_cells**alpha * (e1 - e0) / self._slowing_per_h


def _exp1_of_exp(y: float) -> float:
    """E1(exp y); near 0 by its series, which goes on where exp y is none."""
    return -np.euler_gamma - y if y < -40.0 else float(exp1(math.exp(y)))


@dataclass(frozen=True)
class Course:
    """A primary that grows until it is resected at `resection_h`; the `rest`, if any, grows on."""

    before: Growth
    resection_h: float = math.inf
    rest: Growth | None = None

    @classmethod
    def of(cls, growth: Growth, resection_h: float = math.inf, residual_fraction: float = 0.0) -> "Course":
        """`residual_fraction` of the cells stay behind; the rest of a Gompertz tumour grows as one of its size does."""
        if not 0 <= residual_fraction <= 1:
            raise ValueError(f"a fraction lies in [0, 1], got {residual_fraction}")
        if math.isinf(resection_h) or residual_fraction == 0:
            return cls(growth, resection_h)
        with np.errstate(over="ignore"):  # a resection may be planned for long after the end
            left = float(growth.cells(resection_h)) * residual_fraction
        rate = growth.rate_per_h
        if growth.kind == "gompertz":
            log = math.log
            if left >= growth.capacity_cells:  # all of a tumour that is full: it stays as it is
                return cls(growth, resection_h, Growth("exponential", left, 0.0, start_h=resection_h))
            rate *= log(growth.capacity_cells / left) / log(growth.capacity_cells / growth.start_cells)
        return cls(growth, resection_h, replace(growth, start_cells=left, rate_per_h=rate, start_h=resection_h))

    def cells(self, time_h: np.ndarray | float) -> np.ndarray:
        """Cells at `time_h` (any shape); at the time of the resection it has happened."""
        time_h = np.asarray(time_h, float)
        rest = 0.0 if self.rest is None else self.rest.cells(np.maximum(time_h, self.resection_h))
        return np.where(time_h < self.resection_h, self.before.cells(np.minimum(time_h, self.resection_h)), rest)

    def integral(self, alpha: float, from_h: float, to_h: float) -> float:
        """Integral of N^alpha dt, in cells^alpha h. Nothing sheds where nothing is left, whatever alpha."""
        out = self.before.integral(alpha, from_h, min(to_h, self.resection_h))
        if self.rest is not None:
            out += self.rest.integral(alpha, max(from_h, self.resection_h), to_h)
        return out


def cells_of(diameter_mm: float, cells_per_mm3: float) -> float:
    """Cells of a ball of this diameter."""
    return math.pi / 6 * diameter_mm**3 * cells_per_mm3


def diameter_mm(cells: np.ndarray | float, cells_per_mm3: float) -> np.ndarray:
    """Diameter of the ball of as many cells, mm."""
    return np.cbrt(6 / math.pi * np.asarray(cells, float) / cells_per_mm3)
