"""Colonies as numbers of cells: a body's worth of them over intervals of a day.

Sizes at the start are log-uniform from 1 to 10^6 cells, over the laws of 16 organs that differ by a few percent, so that
tables, rejection and normal numbers all have their share; a bottleneck lets the smallest die. Once with growth alone, and
once with Gompertz growth, an avascular limit and shedding.
"""

from typing import Any

import numpy as np

from ..body.colony_parameters import ColonyGrowth
from ..body.mean_field import GROWING, MeanField
from .figures import Figure, seconds
from .plan import Bench

NAME = "colonies"
LAWS, INTERVAL_H = 16, 24.0
CROWDED: dict[str, Any] = {"slowing_per_h": 2e-5, "avascular_cells": 1e6, "vessels_per_h": 1e-4, "shedding_per_h": 1e-6}
# of so many standard errors the total may differ from what is expected
ERRORS = 6.0


def measure(bench: Bench) -> list[Figure]:
    return [run(bench, "growth", ColonyGrowth()), run(bench, "growth, crowding, shedding", ColonyGrowth(**CROWDED))]


def run(bench: Bench, what: str, growth: ColonyGrowth) -> Figure:
    """All intervals of all colonies, as a run takes them; the first interval, which compiles, is apart."""
    rows, intervals = bench.plan.colonies, bench.plan.intervals
    samples, living = [], []
    wrong = False
    for _ in range(max(1, bench.plan.repeats // 3)):
        field, rates = founded(bench, growth, rows)
        field.advance(0)
        field.shed(0)
        start = field.table["cells"].copy()
        clock = iter(range(1, intervals + 1))

        def interval(field: MeanField = field, clock=clock) -> None:
            now = next(clock)
            field.advance(now)
            if field.growth.shedding_per_h:
                field.shed(now)

        samples.append(seconds(interval, bench.wait, intervals) * intervals)
        living.append(field.count(GROWING) / rows)
        if not growth.slowing_per_h:
            wrong = wrong or not as_expected(field, start, rates, intervals)
    note = f"{living[-1]:.0%} live at the end; sizes 1 to 1e6, {LAWS} laws{'; TOTALS ARE WRONG' if wrong else ''}"
    title = f"{rows:,} colonies, {intervals} intervals: {what}"
    return Figure(NAME, title, "s", tuple(samples), floor=20.0, goal=5.0, note=note, failed=wrong)


def founded(bench: Bench, growth: ColonyGrowth, rows: int) -> tuple[MeanField, np.ndarray]:
    """The colonies, and each one's births and deaths per hour (rows, 2)."""
    field = MeanField(growth, INTERVAL_H, bench.device, rng_key=1)
    laws = np.array([field.law(1.0 + 0.01 * n) for n in range(LAWS)])
    which = np.arange(rows) % LAWS
    sizes = np.exp(np.random.default_rng(1).uniform(0.0, np.log(1e6), rows)).astype(np.int64)
    field.found(np.arange(rows, dtype=np.uint64), sizes, law=laws[which])
    return field, np.stack([field.laws["birth"], field.laws["death"]], axis=1)[which]


def as_expected(field: MeanField, start: np.ndarray, rates: np.ndarray, intervals: int) -> bool:
    """Have the colonies beyond the bottleneck as many cells as e^(rt) says?"""
    wide = start > 200
    birth, death = rates[wide].T
    factor = np.exp((birth - death) * INTERVAL_H * intervals)
    mean = start[wide] * factor
    variance = start[wide] * (birth + death) / (birth - death) * factor * (factor - 1.0)
    return bool(abs(field.table["cells"][wide].sum() - mean.sum()) < ERRORS * variance.sum() ** 0.5)
