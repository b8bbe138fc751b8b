"""Colonies that last: which ones do, how long they stay small, and how large they are ever after.

    small     up to 64 cells a colony is its birth-death chain (`kernels.birth_death`). That it gets to 64 from c is h_c, the
              harmonic function of the chain; the hours that this takes are those of the chain in which every rate
              i -> j is multiplied by h_j/h_i (Doob's transform): a phase-type law
    large     from 64 on it grows by its mean: dn/dt = min(r, a ln(K/n)) n; times (1 - n/K_a) while it has no vessels
    vessels   come from K_a/2 on, at a rate

So a colony that is here is one of the mean field's (`mean_field`) that does not die out, less the chance in its growth beyond 64
cells, which is worth some days. Ignored: adaptation, lattices, and that one of 64 may still die out (refused where the
chance is more than 1e-3).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import expm

from ...kernels.birth_death import SMALL, Rates, establishment, generator
from ...kernels.colony_growth import SWITCH_FROM
from .colony_parameters import ColonyGrowth

_STEPS = 1024  # of the tabulated hours
_LATE_MAX = 1e-3
_NEAR = 0.9999  # of the avascular size, up to which growth without vessels is tabulated


@dataclass(frozen=True)
class Lasting:
    """The law of colonies that last, in one soil. `refuse` before use."""

    growth: ColonyGrowth
    rates: Rates

    def refuse(self) -> None:
        """Raises ValueError if this is not the law of the table."""
        if self.rates.birth <= self.rates.death or 1 - float(establishment(self.rates, SMALL)) > _LATE_MAX:
            raise ValueError(f"body.colonies: colonies of {SMALL} cells die out too often to be taken as lasting")
        if self.growth.adaptation_probability > 0:
            raise ValueError(
                "body.colonies.adaptation_probability: colonies that adapt cannot be taken as a mean; give 0"
            )
        if 0 < self.growth.avascular_cells <= SMALL / SWITCH_FROM:
            raise ValueError("body.colonies.avascular_cells: too few")

    @cached_property
    def lasts(self) -> np.ndarray:
        """(SMALL + 1,) f8: that a colony of so many cells gets to SMALL before it dies out."""
        inside = self._generator[1:SMALL, 1:SMALL]
        up = np.zeros(SMALL - 1)
        up[-1] = self._generator[SMALL - 1, SMALL]
        return np.concatenate([[0.0], np.linalg.solve(-inside, up), [1.0]])

    @cached_property
    def _generator(self) -> np.ndarray:
        return generator(self.rates, SMALL + 2, self.growth.slowing_per_h, self.growth.capacity_cells)

    @cached_property
    def _arrived(self) -> tuple[np.ndarray, np.ndarray]:
        """(times,) h and (times, SMALL - 1) f8: that a lasting colony of 1, 2, ... cells has SMALL by then."""
        h = self.lasts[1:SMALL]
        inside = self._generator[1:SMALL, 1:SMALL] * h[None, :] / h[:, None]
        mean = np.linalg.solve(-inside, np.ones(SMALL - 1))
        step_h = 12.0 * float(mean.max()) / _STEPS
        one = expm(inside * step_h)
        missing = np.empty((_STEPS + 1, SMALL - 1))
        missing[0] = 1.0
        for k in range(_STEPS):
            missing[k + 1] = one @ missing[k]
        return step_h * np.arange(_STEPS + 1), np.clip(1.0 - missing, 0.0, 1.0)

    def hours_small(self, cells: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Hours until lasting colonies of so many cells have SMALL, by their uniforms; all (colonies,)."""
        out = np.zeros(len(cells))
        time_h, arrived = self._arrived
        for start in np.unique(cells):
            mine = cells == start
            if start < SMALL:
                out[mine] = np.interp(uniform[mine], arrived[:, start - 1], time_h)
            else:
                out[mine] = -self.hours_to(float(start))
        return out

    @property
    def _rate(self) -> float:
        return self.rates.birth - self.rates.death

    @property
    def _slow_from(self) -> float:
        """Cells from which Gompertz growth is the slower, or growth ends."""
        growth = self.growth
        slow = growth.slows_from(self.rates) if growth.slowing_per_h > 0 else growth.capacity_cells
        return min(max(float(SMALL), slow), growth.capacity_cells)

    def cells_after(self, hours: np.ndarray) -> np.ndarray:
        """Cells so long after it had SMALL, with vessels; 0 before."""
        hours, growth, bend = np.asarray(hours, float), self.growth, self._slow_from
        bend_h = math.log(bend / SMALL) / self._rate
        out = SMALL * np.exp(self._rate * np.clip(hours, 0.0, bend_h))
        if growth.slowing_per_h > 0:
            later = np.exp(-growth.slowing_per_h * np.maximum(hours - bend_h, 0.0))
            out = np.where(hours > bend_h, growth.capacity_cells * (bend / growth.capacity_cells) ** later, out)
        return np.where(hours < 0, 0.0, out)

    def hours_to(self, cells: np.ndarray | float) -> np.ndarray:
        """Hours from SMALL to so many cells, with vessels; infinite from the capacity on."""
        cells, growth, bend = np.asarray(cells, float), self.growth, self._slow_from
        out = np.log(np.minimum(cells, bend) / SMALL) / self._rate
        if growth.slowing_per_h == 0:
            return np.where(cells > bend, np.inf, out)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(growth.capacity_cells / bend) / np.log(growth.capacity_cells / np.maximum(cells, bend))
            return np.where(cells >= growth.capacity_cells, np.inf, out + np.log(ratio) / growth.slowing_per_h)

    @cached_property
    def _avascular(self) -> tuple[np.ndarray, np.ndarray]:
        """Hours since SMALL, and cells without vessels, (points,)."""
        limit, growth = self.growth.avascular_cells, self.growth
        # even steps of the logit resolve both ends
        low, high = math.log(SMALL / (limit - SMALL)), math.log(_NEAR / (1.0 - _NEAR))
        logit = np.linspace(low, high, 4001)
        cells = limit / (1.0 + np.exp(-logit))
        pace = np.full(len(cells), self._rate)
        if growth.slowing_per_h > 0:
            pace = np.minimum(pace, growth.slowing_per_h * np.log(growth.capacity_cells / cells))
        each = 1.0 / pace  # hours a unit of the logit, since d logit/dt = pace
        return np.concatenate([[0.0], np.cumsum((each[1:] + each[:-1]) / 2 * np.diff(logit))]), cells

    @property
    def hours_to_switch(self) -> float:
        """Hours from SMALL to the size from which vessels may come; infinite without such a limit."""
        limit = self.growth.avascular_cells
        return float(np.interp(SWITCH_FROM * limit, self._avascular[1], self._avascular[0])) if limit > 0 else math.inf

    def cells_at(self, hours: np.ndarray, switch: np.ndarray) -> np.ndarray:
        """Cells at `hours` since SMALL of colonies that get vessels at `switch` hours since then; shapes broadcast.

        Without an avascular size nothing depends on `switch`.
        """
        if self.growth.avascular_cells == 0:
            return self.cells_after(hours)
        without = np.where(hours < 0, 0.0, np.interp(hours, *self._avascular))
        lead = self._lead(switch)
        return np.where(hours <= switch, without, self.cells_after(np.maximum(hours - switch, 0.0) + lead))

    def hours_until(self, cells: float, switch: np.ndarray) -> np.ndarray:
        """Hours since SMALL at which they have so many cells: `cells_at` the other way round."""
        if self.growth.avascular_cells == 0:
            return np.broadcast_to(self.hours_to(cells), np.shape(switch)).copy()
        times, sizes = self._avascular
        early = float(np.interp(cells, sizes, times)) if cells < sizes[-1] else math.inf
        late = switch + np.maximum(self.hours_to(cells) - self._lead(switch), 0.0)
        return np.where(early <= switch, early, late)

    def _lead(self, switch: np.ndarray) -> np.ndarray:
        """Hours since SMALL at which one with vessels is as large as those without at `switch`."""
        return self.hours_to(np.interp(np.where(np.isfinite(switch), switch, 0.0), *self._avascular))
