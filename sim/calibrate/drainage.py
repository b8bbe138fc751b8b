"""What drainage alone does: odds of liver against lung in primaries that drain to the portal vein and those to the cava.

Which primaries are portal and which caval is read from the body: all of their blood goes to the portal vein, or none of it
does and none goes to the left heart. Soils shared by all primaries cancel in the odds ratio. What is left of it follows
from the routes and from one number, the share of small cells, that they have to be given: with a share that was fitted
to the same counts the ratio is a fit, and says only that some share can bring it there (`small_cells.py` has others).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import root_scalar

from ..body.anatomy import LEFT_HEART, RIGHT_HEART, Anatomy
from .arrivals import Arrivals, arriving
from .autopsies import PRIMARIES_MIN, Autopsies
from .leave_one_out import FILTERS, OURS, Model, prediction
from .soils import Fitted

PORTAL = "portal_vein"
BAR = (1.7, 3.3)  # of the ratio of counts with equal soils: about the interval of the shipped table


class Ratio(NamedTuple):
    """An odds ratio of counts with its 95 % interval (Woolf 1955, Ann Hum Genet 19:251)."""

    value: float
    low: float
    high: float


def groups(anatomy: Anatomy, table: Autopsies) -> tuple[list[int], list[int]]:
    """Rows of the table whose blood goes to the portal vein alone, and to the right heart and the plexus alone."""
    portal, caval = [], []
    for row, name in enumerate(table.primaries):
        shares = anatomy.primaries[name].blood
        if shares.get(PORTAL, 0.0) == 1.0:
            portal.append(row)
        elif not shares.get(PORTAL, 0.0) and not shares.get(LEFT_HEART, 0.0) and shares.get(RIGHT_HEART, 0.0):
            caval.append(row)
    return portal, caval


def observed(anatomy: Anatomy, table: Autopsies) -> Ratio | None:
    """Liver against lung, portal against caval, of pooled counts; None if the table lacks what it takes."""
    portal, caval = groups(anatomy, table)
    if not (portal and caval and set(FILTERS) <= set(table.sites)):
        return None
    liver, lung = table.sites.index("liver"), table.sites.index("lung")
    cells = [float(table.counts[rows, site].sum()) for rows in (portal, caval) for site in (liver, lung)]
    return _ratio(*cells) if min(cells) > 0 else None


def with_equal_soils(anatomy: Anatomy, table: Autopsies, small: float) -> tuple[float, float]:
    """The same ratio if every soil were alike and every primary as aggressive: of counts, and of rates.

    A seed starts in the portal vein or in the right heart of the body, and is a small cell with probability `small`. Counts
    saturate, rates do not; how aggressive is set by the number of metastases in both organs together, in this table.
    """
    patients = [table.patients[rows].sum() for rows in groups(anatomy, table)]
    columns = [table.sites.index(name) for name in FILTERS]
    found = sum(table.counts[rows][:, columns].sum() for rows in groups(anatomy, table))
    reach = np.array([arriving(anatomy, {place: 1.0}, FILTERS, small) for place in (PORTAL, RIGHT_HEART)])

    def counts(log_rate: float) -> np.ndarray:
        return np.array(patients)[:, None] * -np.expm1(-np.exp(log_rate) * reach)

    rate = root_scalar(lambda log_rate: counts(log_rate).sum() - found, bracket=(-20.0, 20.0)).root
    return _odds_ratio(counts(rate)), _odds_ratio(reach)


def expected(anatomy: Anatomy, table: Autopsies, fitted: Fitted) -> float:
    """The same ratio of the counts that a fit expects of its own primaries, with its soils and without deviations."""
    portal, caval = groups(anatomy, table)
    liver, lung = table.sites.index("liver"), table.sites.index("lung")
    arrivals = Arrivals.of(anatomy, table.primaries, table.sites)
    linear = fitted.aggressiveness[:, None] + fitted.soils + arrivals.log(fitted.theta)[0]
    counts = table.patients[:, None] * -np.expm1(-np.exp(linear))
    odds = [counts[rows, liver].sum() / counts[rows, lung].sum() for rows in (portal, caval)]
    return float(odds[0] / odds[1])


def expected_without(anatomy: Anatomy, table: Autopsies, model: Model = OURS) -> tuple[float, float]:
    """The same ratio of predicted shares with soils: each primary left out, and each with all of its group.

    NaN where a fit would have less than two primaries left.
    """
    where = groups(anatomy, table)
    alone = [[predicted_counts(anatomy, table, row, [row], model) for row in rows] for rows in where]
    grouped = [[predicted_counts(anatomy, table, row, rows, model) for row in rows] for rows in where]
    left_out, group_out = (_odds_ratio(np.array([np.sum(x, axis=0) for x in each])) for each in (alone, grouped))
    return left_out, group_out


def predicted_counts(
    anatomy: Anatomy, table: Autopsies, row: int, out: Sequence[int], model: Model = OURS
) -> np.ndarray:
    """(2,) metastases in liver and lung of a primary, as many in all as counted, by a fit without the rows `out`."""
    rest = table.of([k for k in range(len(table.primaries)) if k not in out])
    if len(rest.primaries) < PRIMARIES_MIN - 1:
        return np.full(2, np.nan)
    arrivals = Arrivals.of(anatomy, rest.primaries, table.sites)
    shares, _ = prediction(rest, arrivals, Arrivals.of(anatomy, [table.primaries[row]], table.sites), model)
    return table.counts[row].sum() * shares[[table.sites.index(name) for name in FILTERS]]


def without_portal_edge(anatomy: Anatomy) -> Anatomy:
    """The body with its portal vein led to the right heart, past the liver."""
    data = anatomy.model_dump()
    data["vessels"][PORTAL]["to"] = {RIGHT_HEART: 1.0}
    return Anatomy.model_validate(data)


def ratio_between(table: Autopsies, first: str, second: str, site: str, other: str) -> Ratio | None:
    """Odds of two sites between two primaries of the table, e.g. lung:liver of rectum over colon."""
    if not ({first, second} <= set(table.primaries) and {site, other} <= set(table.sites)):
        return None
    rows = [table.primaries.index(name) for name in (first, second)]
    cells = [float(table.counts[row, table.sites.index(name)]) for row in rows for name in (site, other)]
    return _ratio(*cells) if min(cells) > 0 else None


def predicted_between(anatomy: Anatomy, table: Autopsies, first: str, second: str, site: str, other: str) -> float:
    """The same odds as predicted with `first` left out: for both, as for primaries never seen."""
    rest = table.without(first)
    arrivals = Arrivals.of(anatomy, rest.primaries, table.sites)
    odds = []
    for name in (first, second):
        shares, _ = prediction(rest, arrivals, Arrivals.of(anatomy, [name], table.sites))
        odds.append(shares[table.sites.index(site)] / shares[table.sites.index(other)])
    return float(odds[0] / odds[1])


def _odds_ratio(cells: np.ndarray) -> float:
    return float(cells[0, 0] / cells[0, 1] / (cells[1, 0] / cells[1, 1]))


def _ratio(a: float, b: float, c: float, d: float) -> Ratio:
    value = (a / b) / (c / d)
    spread = float(np.exp(1.96 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)))
    return Ratio(value, value / spread, value * spread)
