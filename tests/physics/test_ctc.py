"""Circulating tumour cells of breast cancer patients, before metastasis and after, of one set of parameters.

Set down before it was run. The preset `breast` with patients that differ (`spread_shape` = 0.3, as where patients without
metastasis were compared first, `tests/body/test_presets.py`); 6,000 of them, operated on at the diameters at diagnosis of
SEER's breast cancers (shipped table, even within its bins of half a centimetre), followed for 40 years.

    without metastasis   15 to 25 mm, before surgery, no metastasis of 5 mm: 10 to 30 % have one CTC or more in 7.5 mL, at
                         most 5 % five or more
    metastatic           a metastasis of 10 mm (measurable, RECIST 1.1) by 15 years after surgery; one sample at a moment
                         drawn evenly between that and metastases of a litre in all: 60 to 80 % have one or more, 40 to
                         60 % five or more (Cristofanilli et al. 2004, NEJM 351:781: 49 %)
    reported             the same at the moment when the first metastasis has 10 mm
    planted              the shedding of the rat, 3.2e6 cells a day and gram
"""

from dataclasses import dataclass

import numpy as np
import pytest
from breast_cohort import SPREAD, YEAR_H, diameters
from scipy.stats import poisson

from seedsoil.sim.body.cohort import Cohort, Metastases, burden, ends_h
from seedsoil.sim.scenario_file import load_scenario

pytestmark = pytest.mark.physics
PATIENTS = 6_000
LITRE_MM3 = 1e6


@dataclass
class Followed:
    cohort: Cohort
    found: Metastases
    diameter_mm: np.ndarray
    surgery_h: np.ndarray
    factor: np.ndarray
    rng: np.random.Generator
    end_h: float
    lethal_cells: float


def followed(patients: int = PATIENTS, years: float = 40.0, key: int = 1, **changes: float) -> Followed:
    scenario = load_scenario("breast", {"emission.spread_shape": SPREAD, **changes})
    assert scenario.emission is not None
    rng = np.random.default_rng(key)
    diameter = diameters(patients, rng)
    cohort = Cohort(scenario.emission, scenario.body, key)
    surgery = cohort.resected_h(diameter)
    end_h = float(surgery.max()) + years * YEAR_H
    lethal = LITRE_MM3 * scenario.emission.cells_per_mm3
    found = cohort.follow(surgery, end_h, lethal)
    return Followed(cohort, found, diameter, surgery, cohort.factors(patients), rng, end_h, lethal)


def shares(mean: np.ndarray) -> tuple[float, float]:
    """Of the patients with these means, those with one and with five or more in a tube."""
    return float(poisson.sf(0, mean).mean()), float(poisson.sf(4, mean).mean())


def before(these: Followed) -> np.ndarray:
    """Means in a tube of patients without metastasis."""
    table = these.cohort.table
    first = these.found.first_h(table.cells_of(5.0), len(these.factor))
    chosen = (these.diameter_mm >= 15) & (these.diameter_mm <= 25) & (first > these.surgery_h)
    primary = these.factor * table.shedding_per_h * table.cells_of(1.0) ** table.exponent
    primary *= these.diameter_mm ** (3 * table.exponent)
    return sampled(these, these.surgery_h, primary)[chosen]


def sampled(these: Followed, time_h: np.ndarray, primary_per_h: np.ndarray) -> np.ndarray:
    return these.cohort.in_tube(primary_per_h, these.cohort.shed_per_h(these.found, time_h, these.factor))


def metastatic(these: Followed) -> tuple[np.ndarray, np.ndarray]:
    """Patients (indices), and when each has a metastasis of 10 mm, not before surgery."""
    first = these.found.first_h(these.cohort.table.cells_of(10.0), len(these.factor))
    chosen = np.flatnonzero(first < these.surgery_h + 15 * YEAR_H)
    return chosen, np.maximum(first, these.surgery_h)


def after(these: Followed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means in a tube of metastatic patients: at a moment drawn evenly, and at the first; years between first and end."""
    patients, first = metastatic(these)
    total = burden(these.found, len(first), these.end_h)
    end = np.maximum(ends_h(total, these.lethal_cells, these.end_h), first)[patients]
    when = first.copy()
    when[patients] += these.rng.random(len(patients)) * (end - first[patients])
    none = np.zeros(len(first))
    years = (end - first[patients]) / YEAR_H
    return sampled(these, when, none)[patients], sampled(these, first, none)[patients], years


def met(without: tuple[float, float], with_: tuple[float, float]) -> tuple[bool, bool]:
    """The two halves of the row."""
    return 0.10 <= without[0] <= 0.30 and without[1] <= 0.05, 0.60 <= with_[0] <= 0.80 and 0.40 <= with_[1] <= 0.60


def test_ctc_before_and_after_metastasis() -> None:
    these = followed()
    none, (moment, start, years) = before(these), after(these)
    print(f"without metastasis: {shares(none)} of {len(none)} have one or more, five or more")
    print(
        f"metastatic: {shares(moment)} of {len(moment)}; at first {shares(start)}; years {np.percentile(years, [10, 50, 90])}"
    )
    print(f"mean factor of the metastatic: {these.factor[metastatic(these)[0]].mean():.2f}")
    assert met(shares(none), shares(moment)) == (True, True)
    table = these.cohort.table
    rat = 3.2e6 / 24 * 4.2 / (table.shedding_per_h * table.cells_of(20.0) ** table.exponent)  # 20 mm are 4.2 mL
    assert met(shares(rat * none), shares(rat * moment)) == (False, False)
    assert not met(shares(none), shares(start))[1]  # when the first is measurable they are hardly more than before
