"""The shares of sites among the metastases of a primary that was not fitted, and how far shares are from counts.

**The score.** Nats per metastasis of one primary are the Kullback–Leibler divergence Σ o ln(o/q) of the shares q that were
predicted from the shares o that were observed, both over the sites where it can be counted, renormalised to those looked
at. *Macro* is the plain mean over the primaries that were left out in turn, so one with 2,235 metastases counts as much as
one with 190.
"""

import numpy as np

from .arrivals import Arrivals
from .autopsies import Autopsies
from .soils import Fitted


def predicted(fitted: Fitted, arrivals: Arrivals, *, with_deviations: bool = True) -> np.ndarray:
    """(sites,) shares for the one primary of `arrivals`, 0 where it is not at risk.

    Neither how aggressive the new primary is nor how it deviates is known: the shares are averaged over those of the
    fitted primaries (a smearing estimate: Duan 1983, JASA 78:605). Where one of them was masked the others speak.
    """
    log_arrivals = arrivals.log(fitted.theta)[0][0]
    risk = arrivals.at_risk[0] > 0
    deviations = fitted.deviations if with_deviations else np.zeros_like(fitted.deviations)
    linear = fitted.aggressiveness[:, None] + fitted.soils + deviations + log_arrivals
    rates = np.where(risk, -np.expm1(-np.exp(np.minimum(linear, 3.5))), 0.0)
    return averaged(rates / rates.sum(axis=1, keepdims=True), fitted.table.counted)


def averaged(shares: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """(sites,) mean of rows of shares over those counted at each site (all, where none is), adding up to one."""
    weight = np.where(counted.any(axis=0), counted, True)
    out = (shares * weight).sum(axis=0) / weight.sum(axis=0)
    return out / out.sum()


def nats(table: Autopsies, primary: int, shares: np.ndarray, columns: np.ndarray) -> float:
    """Nats per metastasis of one primary's counts over some sites; nan where it had none there."""
    counted = table.counted[primary, columns]
    seen = np.where(counted, table.counts[primary, columns], 0.0)
    q = np.where(counted, shares[columns], 0.0)
    if seen.sum() == 0 or q.sum() == 0:
        return float("nan")
    o, q = seen / seen.sum(), q / q.sum()
    there = o > 0
    return float((o[there] * np.log(o[there] / np.maximum(q[there], 1e-300))).sum())


def chance(table: Autopsies, primary: int, columns: np.ndarray) -> float:
    """Nats that counts as few as these would score against their own truth: (sites − 1)/(2 metastases)."""
    counted = table.counted[primary, columns]
    total = table.counts[primary, columns][counted].sum()
    return float((counted.sum() - 1) / (2.0 * total)) if total else float("nan")
