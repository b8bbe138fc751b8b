"""The share of small cells by other evidence than the counts that a drainage odds ratio is judged by.

With equal soils that ratio is a function of this one number, f: nearly all large cells stop in the first bed, small ones
are filtered by none. So f fitted to liver and lung of the same primaries makes of the ratio a fit, not a prediction. Here f is
fitted without those primaries, and taken from experiments and samples of blood that know nothing of autopsies:

    first bed        1 − f p' >= 0.95, with the large cells all held: the most that f may be
    portal blood     c_elsewhere/c_portal = ((1 − f) L_e + f S_e)/((1 − f) L_p + f S_p), solved for f

c, L and S are concentrations of the chain (flux over flow) for a primary that sheds into the portal vein, of all seeds, of
large and of small ones. Ignores: that what is counted as a tumour cell in blood differs between studies.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..body.anatomy import Anatomy
from ..body.chain import PASS_PROBABILITY, Chain
from .arrivals import Arrivals, small_pass_probability
from .autopsies import PRIMARIES_MIN, Autopsies
from .csv_table import rows
from .leave_one_out import FILTERS, OURS, Model, sigma_inside
from .soils import ROUTE_SD, fit

SHIPPED = "portal_peripheral_ctc.csv"
FIRST_BED = 0.95  # held there at least, rat: Proctor 1976, Br J Cancer 34:651


class Share(NamedTuple):
    """A share of small cells, and where it is from."""

    source: str
    small: float  # NaN: no share gives what was measured
    sigma: float = np.nan  # of a fit
    left: float = np.nan  # of a fit: share of the prior's variance that the data leave


def fitted_to(
    source: str, anatomy: Anatomy, table: Autopsies, model: Model = OURS, sigma: float | None = None
) -> Share:
    """Fitted to liver and lung of these primaries; σ, unless given, is chosen among them if they are enough."""
    arrivals = Arrivals.of(anatomy, table.primaries, table.sites)
    if sigma is None:
        enough = len(table.primaries) >= PRIMARIES_MIN - 1
        sigma = sigma_inside(table, arrivals, model) if enough else model.sigmas[len(model.sigmas) // 2]
    columns = table.columns(FILTERS)
    found = fit(table.at(columns), arrivals.at(columns), sigma)
    variance = found.covariance[-int(found.free.sum()), -int(found.free.sum())] if found.free[0] else ROUTE_SD**2
    return Share(source, float(1.0 / (1.0 + np.exp(-found.theta[0]))), sigma, float(variance / ROUTE_SD**2))


def without(
    anatomy: Anatomy, table: Autopsies, groups: Sequence[Sequence[int]], model: Model = OURS, sigma: float | None = None
) -> Iterator[Share]:
    """Fitted without the one group, without the other, without both; nothing where none would be left."""
    first, second = ([table.primaries[row] for row in rows] for rows in groups)
    for out in (first, second, [*first, *second]):
        rest = [row for row, name in enumerate(table.primaries) if name not in out]
        if rest:
            yield fitted_to(f"without {', '.join(out)}", anatomy, table.of(rest), model, sigma)


def independent(anatomy: Anatomy) -> Iterator[Share]:
    """By the first bed, and by portal and other blood of patients, if the body has that primary and those sites."""
    most = (1.0 - FIRST_BED) / small_pass_probability(anatomy)
    yield Share(f"first bed holds {FIRST_BED:.0%} (Proctor 1976, rat), at most", most)
    for row in rows(None, SHIPPED)[2]:
        primary, site = row.cells["cancer"], row.cells["elsewhere"]
        if primary in anatomy.primaries and {"portal", site} <= set(anatomy.sites):
            ratio = row.number("elsewhere_mean") / row.number("portal_mean")
            name = f"{site.replace('_', ' ')}:portal blood {ratio:.2g} ({row.cells['study']})"
            yield Share(name, from_blood(anatomy, primary, site, ratio))


def from_blood(anatomy: Anatomy, primary: str, site: str, ratio: float) -> float:
    """The share at which blood of the site has `ratio` times the cells of portal blood; NaN if there is none."""
    chains = Chain.of(anatomy, PASS_PROBABILITY), Chain.of(anatomy, small_pass_probability(anatomy))
    sampled = [chain.sampled_per_mL(1.0, primary, "blood") for chain in chains]
    large, small = (at[site] - ratio * at["portal"] for at in sampled)
    return float(large / (large - small)) if large <= 0.0 <= small and large < small else float("nan")
