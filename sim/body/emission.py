"""The emission law: how many seeds a tumour of N cells sheds, mu N^alpha per hour, singles and clusters.

The scale bridge: `seedsoil.fit_shedding` measures mu and alpha in runs on a lattice; here they drive a primary that is a
number. Seeds leave as an inhomogeneous Poisson process, so their number in an interval is Poisson of

    mu x (integral of N^alpha dt) x (factor of the patient),

the factor being gamma distributed with mean 1. Ignored: that a tumour of one size may shed more as its vessels change,
and that seeds may leave in bursts (the fit says how far counts of a lattice run are from Poisson).
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from ...kernels.draws import Purpose
from ...kernels.parameters import Parameters, quantity
from . import primary_growth
from .poisson import MEAN_MAX, gamma, uniforms
from .primary_growth import Course, Growth

SZCZUREK = "Szczurek et al. 2020, PLoS Comput Biol"
CELLS_MAX = 2.0**53  # above, doubles skip whole numbers
# what says how many cells the primary has before any resection
_SIZE = ("growth", "start_diameter_mm", "doubling_h", "capacity_diameter_mm", "cells_per_mm3")


class Emission(Parameters):
    """The `[emission]` table: a primary that is a number of cells and sheds seeds. Needs `primary = "emission"`."""

    growth: Literal["exponential", "gompertz"] = quantity(
        "exponential", unit="-", source="assumed", about="law by which the primary grows"
    )
    start_diameter_mm: float = quantity(
        0.0,
        unit="mm",
        ge=0,
        le=500,
        source="the scenario's choice",
        about="diameter at the start; 0 = of a single cell",
    )
    doubling_h: float = quantity(
        5088.0,
        unit="h",
        gt=0,
        le=1e6,
        source=f"{SZCZUREK}: 212 days for breast",
        about="time in which it doubles (Gompertz: at the start)",
    )
    capacity_diameter_mm: float = quantity(
        100.0, unit="mm", gt=0, le=1e3, source="assumed", about="diameter that Gompertz growth tends to"
    )
    cells_per_mm3: float = quantity(
        1.25e5,
        unit="1/mm3",
        ge=1e3,
        le=1e7,
        source="one cell in a voxel of 20 um; del Monte 2009 argues for 1e5 (assumed)",
        about="tumour cells in a volume of tumour",
    )
    shedding_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e9,
        source="off; seedsoil.fit_shedding measures it",
        about="seeds that a tumour of one cell would shed: mu of mu N^alpha",
    )
    exponent: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=2,
        source="assumed: every cell sheds alike (2/3: the surface does)",
        about="alpha of mu N^alpha",
    )
    spread_shape: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1e3,
        source="off: all patients shed alike",
        about="shape of the gamma distribution of patients' shedding about its mean, of primary and metastases; 0 = none",
    )
    cluster_fraction: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="off; Aceto et al. 2014 find a few per cent in mice (assumed)",
        about="share of seeds that are clusters",
    )
    cluster_cells_mean: float = quantity(
        3.0,
        unit="cells",
        ge=2,
        le=100,
        source="assumed",
        about="mean cells of a cluster: 2 and a geometric number more",
    )
    cluster_cells_max: int = quantity(16, unit="cells", ge=2, le=256, source="assumed", about="most cells of a cluster")
    resection_h: float = quantity(
        0.0, unit="h", ge=0, le=1e7, source="the scenario's choice", about="when the primary is resected; 0 = never"
    )
    resection_diameter_mm: float = quantity(
        0.0,
        unit="mm",
        ge=0,
        le=1e3,
        source="the scenario's choice",
        about="diameter at which it is resected, if that comes first; 0 = at none",
    )
    residual_fraction: float = quantity(
        0.0, unit="1", ge=0, le=1, source="the scenario's choice", about="share of its cells that a resection leaves"
    )

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if self.growth == "gompertz" and self.start_cells >= self.cells_of(self.capacity_diameter_mm):
            raise ValueError(
                f"emission.capacity_diameter_mm: needs to be above the start (got {self.capacity_diameter_mm:g})"
            )
        if self.growth == "gompertz" and self.resection_diameter_mm >= self.capacity_diameter_mm:
            raise ValueError(
                f"emission.resection_diameter_mm: Gompertz growth never comes to {self.resection_diameter_mm:g} mm; give a "
                f"diameter below emission.capacity_diameter_mm = {self.capacity_diameter_mm:g}, or a resection_h"
            )
        if self.cluster_fraction > 0 and self.cluster_cells_mean > self.cluster_cells_max:
            raise ValueError(
                f"emission.cluster_cells_mean: clusters of {self.cluster_cells_mean:g} cells in the mean, and of "
                f"emission.cluster_cells_max = {self.cluster_cells_max} at most"
            )
        return self

    def cells_of(self, diameter_mm: float) -> float:
        return primary_growth.cells_of(diameter_mm, self.cells_per_mm3)

    @property
    def start_cells(self) -> float:
        return self.cells_of(self.start_diameter_mm) if self.start_diameter_mm > 0 else 1.0

    def rewrites(self, before: Self, at_h: float) -> str:
        """The key by which the primary would have had another size before `at_h` than in `before`; empty if none."""
        for name in _SIZE:
            if getattr(self, name) != getattr(before, name):
                return name
        old, new = (Law.of(table).course.resection_h for table in (before, self))
        if old != new and min(old, new) < at_h:
            same = self.resection_h == before.resection_h
            return "resection_diameter_mm" if same else "resection_h"
        return "residual_fraction" if old < at_h and self.residual_fraction != before.residual_fraction else ""


@dataclass(frozen=True)
class Law:
    """The law at work for one patient."""

    course: Course
    per_h: float  # mu, with the patient's factor
    exponent: float
    share_of_size: np.ndarray  # (cells_max,) f8: share of the seeds with 1, 2, ... cells; sums to 1

    @classmethod
    def of(cls, table: Emission, key: tuple[int, int] = (0, 0)) -> "Law":
        """`key`: the two words of the patient's key, from which comes the patient's factor."""
        kind: primary_growth.Kind = table.growth
        capacity = table.cells_of(table.capacity_diameter_mm) if kind == "gompertz" else np.inf
        growth = Growth(kind, table.start_cells, np.log(2) / table.doubling_h, capacity)
        resections = [table.resection_h or np.inf]
        if table.resection_diameter_mm > 0:
            resections.append(growth.reaches_h(table.cells_of(table.resection_diameter_mm)))
        course = Course.of(growth, min(resections), table.residual_fraction)
        return cls(course, table.shedding_per_h * factor_of(table, key), table.exponent, sizes(table))

    def expected(self, from_h: float, to_h: float) -> float:
        """Seeds shed from one time to another, in the mean."""
        return self.per_h * self.course.integral(self.exponent, from_h, to_h)

    def refuse(self, ticks: int, tick_h: float) -> None:
        """Raises ValueError, naming the key, if in so many ticks the cells or the seeds become too many to be counted."""
        end_h, cut_h = ticks * tick_h, self.course.resection_h
        with np.errstate(over="ignore"):
            grown = {time_h: float(self.course.cells(time_h)) for time_h in (0.0, end_h)}
            if cut_h < end_h:
                grown |= {cut_h: float(self.course.before.cells(cut_h))}
        for time_h, cells in grown.items():
            if not cells <= CELLS_MAX:
                raise ValueError(
                    f"emission.doubling_h: the primary would have {cells:.3g} cells at {time_h:g} h, more than the "
                    f'{CELLS_MAX:.2g} that can be counted; give a longer doubling_h, growth = "gompertz", an earlier '
                    "resection, or a shorter until_h"
                )
        # growth never turns back but at the resection, so the most are shed in a last tick before it or at the end
        last = {ticks - 1}
        if cut_h < end_h:
            last |= {max(0, int(cut_h // tick_h) - 1), int(cut_h // tick_h)}
        for tick in sorted(last):
            if not (seeds := self.expected(tick * tick_h, (tick + 1) * tick_h)) <= MEAN_MAX:
                raise ValueError(
                    f"emission.shedding_per_h: {seeds:.3g} seeds would be shed from {tick * tick_h:g} to "
                    f"{(tick + 1) * tick_h:g} h, in one tick, more than the {MEAN_MAX:g} that can be counted; give a "
                    "smaller rate or emission.exponent, or a shorter body.interval_h"
                )


def factor_of(table: Emission, key: tuple[int, int]) -> float:
    """By what this patient's tumours shed more than the mean: the primary, and all its metastases."""
    if table.spread_shape == 0:
        return 1.0
    draw = uniforms(key, np.zeros(1), 0, Purpose.SHEDDING_OF_PATIENT)
    return float(gamma(draw, table.spread_shape)[0])


def sizes(table: Emission) -> np.ndarray:
    """Share of the seeds by number of cells, (cells_max,) f8: 1, 2, ...; a cluster has 2 and a geometric number more.

    What a geometric number has beyond `cluster_cells_max` falls on the others in proportion.
    """
    if table.cluster_fraction == 0:
        return np.ones(1)
    more = table.cluster_cells_mean - 2.0
    stay = more / (1.0 + more)
    clusters = stay ** np.arange(table.cluster_cells_max - 1)
    return np.concatenate([[1 - table.cluster_fraction], table.cluster_fraction * clusters / clusters.sum()])
