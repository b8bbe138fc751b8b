"""Scores of primaries left out, beside what trivial models get on the same.

Nothing that is left out is used: σ, the one hyper-parameter, is chosen among `SIGMAS` by leaving one more primary out
within those that remain, by the same score over all sites.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..body.anatomy import Anatomy
from .arrivals import Arrivals
from .autopsies import BLOOD_BORNE, FLOW_KNOWN, Autopsies
from .shares import averaged, chance, nats, predicted
from .soils import Fitted, fit

FILTERS = ("liver", "lung")
SIGMAS = (0.15, 0.3, 0.5, 0.8, 1.2)


@dataclass(frozen=True)
class Model:
    """What is fitted and what is not; the comparisons of the table are its neighbours."""

    name: str
    with_routes: bool = True
    equal_soils: bool = False
    sigmas: tuple[float, ...] = SIGMAS


OURS = Model("routes and soils")
NEIGHBOURS = (
    Model("soils without routes", with_routes=False),
    Model("routes, equal soils", equal_soils=True, sigmas=(0.8, 1.2, 2.0, 3.0)),
)


@dataclass(frozen=True)
class Scores:
    """Nats per metastasis (primaries, site sets), of each primary left out."""

    name: str
    nats: np.ndarray
    sigmas: tuple[float, ...] = ()

    @property
    def macro(self) -> np.ndarray:
        return np.nanmean(self.nats, axis=0)


def site_sets(table: Autopsies) -> dict[str, np.ndarray]:
    """Name -> columns of the sets of sites that are scored, those of which the table has two at least."""
    every = np.arange(len(table.sites))
    sets = {f"all {len(every)} sites": every}
    for name, sites in (("blood-borne", BLOOD_BORNE), ("flow known", FLOW_KNOWN)):
        columns = table.columns(sites)
        if 2 <= len(columns) < len(every):
            sets[f"{len(columns)} {name}"] = columns
    return sets


def prediction(
    table: Autopsies, arrivals: Arrivals, target: Arrivals, model: Model = OURS
) -> tuple[np.ndarray, Fitted]:
    """(sites,) shares of a primary that is not in the table, and the fit they come from."""
    fitted = fitted_by(table, arrivals, model)
    return _predicted(fitted, target, model), fitted


def fitted_by(table: Autopsies, arrivals: Arrivals, model: Model = OURS) -> Fitted:
    """The fit with σ chosen inside the table."""
    return _fit(table, arrivals, sigma_inside(table, arrivals, model), model)


def sigma_inside(table: Autopsies, arrivals: Arrivals, model: Model = OURS) -> float:
    """σ with the least macro score over the primaries of this table, each left out in turn."""
    every = np.arange(len(table.sites))

    def score(sigma: float) -> float:
        found = []
        for i, rest in _folds(table):
            fitted = _fit(table.of(rest), arrivals.rows(rest), sigma, model)
            found.append(nats(table, i, _predicted(fitted, arrivals.rows([i]), model), every))
        return float(np.nanmean(found))

    return min(model.sigmas, key=score) if len(model.sigmas) > 1 else next(iter(model.sigmas))


def scores(table: Autopsies, anatomy: Anatomy, model: Model = OURS) -> Scores:
    """Each primary predicted by a fit that never saw it."""
    arrivals = Arrivals.of(anatomy, table.primaries, table.sites)
    sigmas: list[float] = []

    def shares(i: int, rest: list[int]) -> np.ndarray:
        found, fitted = prediction(table.of(rest), arrivals.rows(rest), arrivals.rows([i]), model)
        sigmas.append(fitted.sigma)
        return found

    return _scored(model.name, table, shares, sigmas)


def trivial(table: Autopsies) -> list[Scores]:
    """Counts pooled over the other primaries, and the mean of their proportions; no model at all.

    A site's pooled counts are over the metastases of those primaries that have it counted.
    """

    def pooled(_: int, rest: list[int]) -> np.ndarray:
        others = table.of(rest)
        totals = others.counts.sum(axis=1, keepdims=True) * others.counted
        return others.counts.sum(axis=0) / np.maximum(totals.sum(axis=0), 1.0)

    def mean(_: int, rest: list[int]) -> np.ndarray:
        others = table.of(rest)
        return averaged(others.counts / others.counts.sum(axis=1, keepdims=True), others.counted)

    return [_scored("pooled counts", table, pooled), _scored("mean of proportions", table, mean)]


def chance_level(table: Autopsies) -> Scores:
    columns = site_sets(table).values()
    found = [[chance(table, i, c) for c in columns] for i in range(len(table.primaries))]
    return Scores("chance alone", np.array(found))


def _scored(
    name: str, table: Autopsies, shares: Callable[[int, list[int]], np.ndarray], sigmas: list[float] | None = None
) -> Scores:
    columns = site_sets(table).values()
    found = []
    for i, rest in _folds(table):
        q = shares(i, rest)
        found.append([nats(table, i, q, c) for c in columns])
    return Scores(name, np.array(found), tuple(sigmas or ()))


def _folds(table: Autopsies) -> list[tuple[int, list[int]]]:
    every = range(len(table.primaries))
    return [(i, [j for j in every if j != i]) for i in every]


def _fit(table: Autopsies, arrivals: Arrivals, sigma: float, model: Model) -> Fitted:
    used = arrivals if model.with_routes else arrivals.alike()
    small = circulation(table, arrivals, sigma) if model.with_routes and not model.equal_soils else None
    return fit(table, used, sigma, equal_soils=model.equal_soils, with_routes=model.with_routes, circulation=small)


def circulation(table: Autopsies, arrivals: Arrivals, sigma: float) -> float | None:
    """Log odds of small cells from the two beds that filter, liver and lung; None for a table without both.

    Circulation comes before soils: other organs say little of it, and their deviations would bend it.
    """
    columns = table.columns(FILTERS)
    if len(columns) < len(FILTERS):
        return None
    return float(fit(table.at(columns), arrivals.at(columns), sigma).theta[0])


def _predicted(fitted: Fitted, target: Arrivals, model: Model) -> np.ndarray:
    used = target if model.with_routes else target.alike()
    # with equal soils the deviations would smuggle in the soils
    return predicted(fitted, used, with_deviations=not model.equal_soils)
