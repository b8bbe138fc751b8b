"""A cohort of patients whose primary is a number: their lasting metastases, without all that dies.

Seeds leave as a Poisson process and fare independently, so those that found a colony that lasts are a Poisson process of
their own (Kingman 1993), of rate

    f mu N^alpha x sum over sizes, fates: share of the size x P(fate) x h_c         f the patient's factor, h: `lasting`

and so are those that a colony sheds in turn. Only they are drawn, a few a patient, and a hundred thousand patients take
seconds. It is the law of a run with `primary = "emission"` (`sim/emitting.py`), but for: growth beyond 64 cells, which is its
mean; what dies out, which is not there to shed; intervals, which are none here.
A draw depends on (key, patient or colony, purpose) alone. A colony's number in its patient is that in which it was drawn.
Ignored, and refused: a niche. Every organ grows colonies by one law (`growth_factor`), else it is refused.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...kernels.draws import Purpose
from .bloodstream import Bloodstream
from .emission import Emission, Law, sizes
from .lasting import Lasting
from .outcomes import Outcomes, Steps
from .parameters import Body
from .passage import source_of_organ
from .poisson import gamma, poisson, uniforms
from .seeds import Fate

GRID_H = 730.5  # a month
_GROWTH = 0.5  # at most so many e-folds of a colony in a step of the integral of its shedding: 1 % off at alpha = 0.7
_CHUNK = 20_000  # colonies whose courses are laid out at once
_POINTS = 4096  # of the course of the primary


@dataclass(frozen=True)
class Metastases:
    """Lasting colonies of all patients. Arrays (colonies,)."""

    law: Lasting
    patient: np.ndarray  # i8
    organ: np.ndarray  # i2
    founded_h: np.ndarray  # since the start of the patient's primary
    small_h: np.ndarray  # when it had SMALL cells
    switch_h: np.ndarray  # when it got vessels: infinite if never, or if it needs none
    generation: np.ndarray  # 0: of the primary

    def __len__(self) -> int:
        return len(self.patient)

    def of(self, chosen: np.ndarray) -> "Metastases":
        """Those that an index or a mask (colonies,) chooses."""
        return Metastases(self.law, *(getattr(self, name)[chosen] for name in _COLUMNS))

    def cells(self, time_h: np.ndarray) -> np.ndarray:
        """Cells at `time_h` (colonies,) or (colonies, times); 0 before it has SMALL."""
        wide = (slice(None),) + (None,) * (np.ndim(time_h) - 1)
        small, switch = self.small_h[wide], self.switch_h[wide]
        return self.law.cells_at(time_h - small, switch - small)

    def reaches_h(self, cells: float) -> np.ndarray:
        """When each has so many cells (more than SMALL)."""
        return self.small_h + self.law.hours_until(cells, self.switch_h - self.small_h)

    def first_h(self, cells: float, patients: int) -> np.ndarray:
        """(patients,) when the first of each has so many; infinite where none has."""
        out = np.full(patients, np.inf)
        np.minimum.at(out, self.patient, self.reaches_h(cells))
        return out


@dataclass(frozen=True)
class _Source:
    """What lasts of the seeds of one source: the share of all, and which organ and how many cells those have."""

    share: float
    limits: np.ndarray  # (kinds,) f8, cumulative, ends at 1
    organ: np.ndarray
    cells: np.ndarray


class Cohort:
    """Patients with one scenario, who differ in chance and in `emission.spread_shape`, and in when they are operated on."""

    def __init__(self, table: Emission, body: Body, key: int) -> None:
        """Raises ValueError, with the key, if the scenario has what is ignored here."""
        assert body.colonies and body.dormancy and body.niche and body.gauntlet
        if body.niche.organs:
            raise ValueError("body.niche.organs: a cohort has no niche; take them away")
        factors = {body.soil_of(organ).growth_factor for organ in body.anatomy.organs}
        if len(factors) > 1:
            raise ValueError("body.soil: colonies of a cohort grow by one law; give one growth_factor")
        self.table, self.body, self.steps = table, body, Steps(body)
        self.law = Lasting(body.colonies, body.colonies.rates(factors.pop()))
        self.law.refuse()
        self._key = (key & 0xFFFFFFFF, key >> 32)
        self._primary = Law.of(table.model_copy(update={"spread_shape": 0.0, "resection_h": 0.0,
                                                        "resection_diameter_mm": 0.0}))  # fmt: skip
        dormancy = body.dormancy
        rate = dormancy.waking_per_h + dormancy.death_per_h
        self._wakes = dormancy.probability * (dormancy.waking_per_h / rate if rate > 0 else 0.0)
        self._waking = rate

    def factors(self, patients: int) -> np.ndarray:
        """(patients,) by what each sheds more, or less, than the mean: the primary, and all its metastases."""
        shape = self.table.spread_shape
        draw = uniforms(self._key, np.arange(patients), 0, Purpose.COHORT_PATIENT)
        return gamma(draw, shape) if shape > 0 else np.ones(patients)

    def resected_h(self, diameter_mm: np.ndarray) -> np.ndarray:
        """When primaries of these diameters are what they are."""
        course = self._primary.course.before
        return np.array([course.reaches_h(self.table.cells_of(float(one))) for one in diameter_mm])

    def follow(self, resected_h: np.ndarray, end_h: float, lethal_cells: float = np.inf) -> Metastases:
        """The metastases of patients whose primaries are taken out, whole, at these times, (patients,), until `end_h`.

        A patient whose metastases come to `lethal_cells` is followed until then, to the month.
        """
        factor, end = self.factors(len(resected_h)), np.full(len(resected_h), float(end_h))
        found = [self._of_primary(factor, resected_h, end_h)]
        total = np.zeros((len(factor), int(end_h // GRID_H) + 1))
        while len(found[-1]) and self.body.colonies.shedding_per_h > 0:  # type: ignore[union-attr]
            if np.isfinite(lethal_cells):
                total += burden(found[-1], len(factor), end_h)
                end = np.minimum(end, ends_h(total, lethal_cells, end_h))
            found.append(self._of_colonies(found[-1], factor, resected_h, end))
        return Metastases(self.law, *(np.concatenate([getattr(one, name) for one in found]) for name in _COLUMNS))

    def shed_per_h(self, found: Metastases, time_h: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """(patients, organs) f8: single cells that metastases shed an hour, in the mean, at each patient's time."""
        growth = self.body.colonies
        assert growth
        out = np.zeros((len(time_h), len(self.steps.anatomy.organs)))
        rate = growth.shedding_per_h * found.cells(time_h[found.patient]) ** growth.shedding_exponent
        np.add.at(out, (found.patient, found.organ), factor[found.patient] * rate)
        return out

    def in_tube(self, primary_per_h: np.ndarray, organs_per_h: np.ndarray) -> np.ndarray:
        """(patients,) f8: seeds in a tube from a vein of the arm, in the mean, of what primaries and metastases shed."""
        blood = Bloodstream(self.steps)
        clusters, organs = 1.0 - float(sizes(self.table)[0]), organs_per_h.shape[1]
        of_primary = blood.in_tube(1.0, clusters, np.zeros(organs))[-1].sum()
        of_organ = np.array([blood.in_tube(0.0, 0.0, one)[-1].sum() for one in np.eye(organs)])
        return primary_per_h * of_primary + organs_per_h @ of_organ

    def _of_primary(self, factor: np.ndarray, resected_h: np.ndarray, end_h: float) -> Metastases:
        start = self.steps.anatomy.source_of(self.body.primary)
        share = sizes(self.table)
        source = self._source(self.steps.outcomes(start, len(share)), share)
        last = min(float(resected_h.max()), end_h)
        time_h = np.linspace(0.0, last, _POINTS)
        shed = np.concatenate([[0.0], np.cumsum([self._primary.expected(*pair) for pair in pairwise(time_h.tolist())])])
        own = np.interp(resected_h, time_h, shed)
        patients = np.arange(len(factor))
        draw = uniforms(self._key, patients, 0, Purpose.COHORT_FOUNDED)
        patient, number = _each(poisson(draw, factor * own * source.share))
        when = uniforms(self._key, patient, 1, Purpose.COHORT_FOUNDED, source=number) * own[patient]
        names = (patient, number)
        return self._grown(
            source, names, patient, np.interp(when, shed, time_h), resected_h, np.zeros(len(patient), int)
        )

    def _of_colonies(
        self, found: Metastases, factor: np.ndarray, resected_h: np.ndarray, end_h: np.ndarray
    ) -> Metastases:
        growth, anatomy = self.body.colonies, self.steps.anatomy
        assert growth
        parts = []
        generation = int(found.generation[0]) + 1
        number = _ranks(found.patient)
        step_h = min(GRID_H, _GROWTH / (self.law.rates.birth - self.law.rates.death))
        for organ in np.unique(found.organ):
            start = source_of_organ(anatomy, anatomy.organs[organ])
            source = self._source(self.steps.outcomes(start), np.ones(1))
            mine = np.flatnonzero(found.organ == organ)
            for rows in np.array_split(mine, 1 + len(mine) // _CHUNK):
                time_h = np.arange(0.0, end_h.max() + step_h, step_h)
                part = found.of(rows)
                rate = part.cells(np.broadcast_to(time_h, (len(rows), len(time_h)))) ** growth.shedding_exponent
                shed = np.zeros(rate.shape)
                np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2 * step_h, axis=1, out=shed[:, 1:])
                last = np.minimum(len(time_h) - 1, np.ceil(end_h[part.patient] / step_h).astype(int))
                shed = np.minimum(shed, shed[np.arange(len(rows)), last][:, None])  # nothing after the end
                mean = factor[part.patient] * growth.shedding_per_h * source.share * shed[:, -1]
                draw = uniforms(self._key, part.patient, generation, Purpose.COHORT_SECONDARY, source=number[rows])
                parent, child = _each(poisson(draw, mean))
                patient = part.patient[parent]
                # a child is known by its patient, its parent's number and its own: 12 bits, ever so many more than there are
                name = (number[rows][parent] << 12 | child).astype(np.int64)
                want = uniforms(self._key, patient, generation, Purpose.COHORT_SECONDARY, source=name, part=1)
                when = np.array(
                    [np.interp(u * shed[p, -1], shed[p], time_h) for u, p in zip(want, parent, strict=True)]
                ).reshape(len(parent))
                parts.append(
                    self._grown(source, (patient, name), patient, when, resected_h, np.full(len(patient), generation))
                )
        out = Metastases(self.law, *(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))
        return out.of(out.founded_h < end_h[out.patient])

    def _source(self, found: Outcomes, share: np.ndarray) -> _Source:
        """`share` (sizes,): of the seeds by their cells."""
        colony = np.flatnonzero(found.fate == Fate.COLONY)
        cells = found.cells[colony].astype(int)
        lasts = self.law.lasts[np.minimum(cells, len(self.law.lasts) - 1)]
        assert self.body.dormancy
        awake = 1.0 - self.body.dormancy.probability + self._wakes
        weight = share @ found.probability[:, colony] * lasts * awake
        total = float(weight.sum())
        limits = np.cumsum(weight) / total if total > 0 else np.ones(len(weight))
        return _Source(total, limits, found.organ[colony], cells)

    def _grown(
        self, source: _Source, names: tuple[np.ndarray, np.ndarray], patient: np.ndarray, shed_h: np.ndarray,
        resected_h: np.ndarray, generation: np.ndarray,
    ) -> Metastases:  # fmt: skip
        """Colonies of seeds that were shed at these times; `names` tell them apart within a generation."""
        growth, dormancy, gauntlet = self.body.colonies, self.body.dormancy, self.body.gauntlet
        assert growth and dormancy and gauntlet
        level = int(generation[0]) if len(generation) else 0
        u = [uniforms(self._key, names[0], level, Purpose.COHORT_COLONY, source=names[1], part=k) for k in range(6)]
        kind = np.minimum(np.searchsorted(source.limits, u[0], side="right"), len(source.limits) - 1)
        founded = shed_h + gauntlet.extravasation_h
        awake = 1.0 - dormancy.probability + self._wakes
        slept = np.where(u[1] * awake < self._wakes, -np.log(u[2]) / self._waking if self._waking > 0 else 0.0, 0.0)
        small = founded + slept + self.law.hours_small(source.cells[kind], u[3])
        switch = np.full(len(patient), np.inf)
        if growth.avascular_cells > 0:
            ready = small + self.law.hours_to_switch
            if growth.vessels_per_h > 0:
                switch = ready - np.log(u[4]) / growth.vessels_per_h
            at = resected_h[patient]
            woken = (ready <= at) & (at < switch) & (u[5] < growth.surgery_vessels_probability)
            switch = np.where(woken, at, switch)
        return Metastases(self.law, patient, source.organ[kind], founded, small, switch, generation)


def burden(found: Metastases, patients: int, end_h: float) -> np.ndarray:
    """(patients, months until `end_h`) f8: cells of the metastases."""
    months = int(end_h // GRID_H) + 1
    return np.stack([
        np.bincount(found.patient, found.cells(np.full(len(found), k * GRID_H)), patients) for k in range(months)
    ], axis=1)  # fmt: skip


def ends_h(total: np.ndarray, lethal_cells: float, end_h: float) -> np.ndarray:
    """(patients,) the first month in which they have so many; `end_h` where they never do."""
    return np.where(total[:, -1] >= lethal_cells, GRID_H * np.argmax(total >= lethal_cells, axis=1), end_h)


_COLUMNS = ("patient", "organ", "founded_h", "small_h", "switch_h", "generation")


def _each(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every one of these numbers: whose it is, and which of theirs."""
    whose = np.repeat(np.arange(len(count)), count)
    return whose, np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)


def _ranks(patient: np.ndarray) -> np.ndarray:
    """How many colonies of the same patient stand before each."""
    order = np.argsort(patient, kind="stable")
    ordered = patient[order]
    first = np.searchsorted(ordered, ordered, side="left")
    out = np.empty(len(patient), np.int64)
    out[order] = np.arange(len(patient)) - first
    return out
