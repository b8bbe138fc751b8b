"""The fit: over-dispersed binomial counts with a complementary log-log link, one soil per organ, routes, deviations.

    P(metastasis at s | primary p) = 1 − exp(−exp(a_p + s_s + ln E_ps(θ) + d_ps))

a is how aggressive a primary is, s the soil of a site shared by all primaries, E what arrives there (`arrivals.py`), d what
is particular to this seed in this soil. d ~ N(0, σ²) is the ridge, and the over-dispersion of the counts at once; what of
it a primary shows dies with it. s ~ N(0, 3²) and θ ~ N(0, 2²) are weak (both assumed). σ is chosen outside.

Fitted by penalised quasi-likelihood (Breslow and Clayton 1993, JASA 88:9): working responses of the link, weighted with
1/(1/w + σ²), least squares in a, s and θ together, repeated until nothing moves.
"""

from dataclasses import dataclass

import numpy as np

from .arrivals import ROUTES, Arrivals
from .autopsies import Autopsies

SOIL_SD = 3.0  # assumed, weak: a soil may be e^6 times another
ROUTE_SD = 2.0  # assumed, weak
ITERATIONS_MAX = 300
_STEP_MAX = 1.0  # of any number, a step
_AGGRESSIVENESS_SD = 10.0
_SETTLED = 1e-5


@dataclass(frozen=True)
class Fitted:
    """A fit to some primaries. `names` are the rows of `covariance`: a of each primary, s of each site, free θ."""

    table: Autopsies
    aggressiveness: np.ndarray  # (primaries,)
    soils: np.ndarray  # (sites,)
    deviations: np.ndarray  # (primaries, sites), 0 where masked
    theta: np.ndarray  # (4,)
    free: np.ndarray  # (4,) bool
    covariance: np.ndarray
    sigma: float
    settled: bool

    @property
    def names(self) -> list[str]:
        routes = [name for name, is_free in zip(ROUTES, self.free, strict=True) if is_free]
        soils = self.table.sites if len(self.covariance) > len(self.table.primaries) + len(routes) else ()
        return [*(f"a {name}" for name in self.table.primaries), *(f"soil {name}" for name in soils), *routes]


def fit(
    table: Autopsies,
    arrivals: Arrivals,
    sigma: float,
    *,
    equal_soils: bool = False,
    with_routes: bool = True,
    circulation: float | None = None,
) -> Fitted:
    """Fit one table. Without routes θ stays 0 (give `arrivals.alike()`); with equal soils s stays 0.

    `circulation` freezes the first θ, the log odds of small cells.
    """
    rows, columns = table.counts.shape
    counted = table.counted
    start = np.array([circulation or 0.0, 0.0, 0.0, 0.0])
    free = np.array([with_routes and bool(np.any(slope[counted])) for slope in arrivals.log(start)[1]])
    free[0] &= circulation is None
    sites = 0 if equal_soils else columns
    prior = np.concatenate(
        [
            np.full(rows, _AGGRESSIVENESS_SD**-2),
            np.full(sites, SOIL_SD**-2),
            np.full(free.sum(), ROUTE_SD**-2),
        ]
    )
    theta = start
    a, s, d = _start(table, arrivals.log(theta)[0], equal_soils)
    damping, before = 1.0, np.inf
    fixed = _design(rows, columns, sites)
    settled, inverse = False, np.zeros((0, 0))
    for _ in range(ITERATIONS_MAX):
        log_arrivals, slopes = arrivals.log(theta)
        linear = a[:, None] + s + d + log_arrivals
        score, weight = _working(table, linear)
        total = counted / (1.0 / np.maximum(weight, 1e-12) + sigma**2)
        residual = np.where(counted, score / np.maximum(weight, 1e-12) + d, 0.0)  # of the fit without d
        design = np.concatenate([fixed, slopes[free].reshape(-1, rows * columns)])
        now = np.concatenate([a, s[:sites], theta[free]])
        matrix = (design * total.ravel()) @ design.T + np.diag(prior)
        step = np.linalg.solve(matrix, design @ (total * residual).ravel() - prior * now)
        step *= min(1.0, _STEP_MAX / max(np.abs(step).max(), 1e-300))
        left = residual - (step @ design).reshape(rows, columns)
        wanted = sigma**2 * total * left
        step_d = np.clip(wanted - d, -_STEP_MAX, _STEP_MAX)
        largest = max(np.abs(step).max(), np.abs(step_d).max())
        damping = max(0.1, damping * (0.7 if largest > before else 1.0))
        before = largest
        step, step_d = damping * step, damping * step_d
        a = a + step[:rows]
        s = s + step[rows : rows + sites] if sites else s
        theta = theta.copy()
        theta[free] += step[rows + sites :]
        d = d + step_d
        if largest < _SETTLED:
            settled, inverse = True, np.linalg.inv(matrix)
            break
    else:
        inverse = np.linalg.inv(matrix)
    return Fitted(table, a, s, d, theta, free, inverse, sigma, settled)


def _working(table: Autopsies, linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of the log-likelihood by the linear predictor, and its expected curvature (both 0 where masked)."""
    hazard = np.exp(np.clip(linear, -30.0, 3.5))
    odds = hazard / np.expm1(hazard)  # hazard·(1 − p)/p
    patients = table.patients[:, None]
    score = table.counts * odds - (patients - table.counts) * hazard
    return np.where(table.counted, score, 0.0), np.where(table.counted, patients * hazard * odds, 0.0)


def _design(rows: int, columns: int, sites: int) -> np.ndarray:
    """(numbers, primaries·sites): what each a and each s adds to the linear predictor."""
    a = np.repeat(np.eye(rows)[:, :, None], columns, axis=2)
    s = np.repeat(np.eye(columns)[:sites, None, :], rows, axis=1)
    return np.concatenate([a, s]).reshape(rows + sites, rows * columns)


def _start(table: Autopsies, log_arrivals: np.ndarray, equal_soils: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    patients = table.patients[:, None]
    logs = np.log(-np.log1p(-(table.counts + 0.5) / (patients + 1.0))) - log_arrivals
    weight = table.counted.astype(float)
    s = np.zeros(table.counts.shape[1])
    a = np.zeros(len(table.primaries))
    for _ in range(5):
        a = ((logs - s) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
        if not equal_soils:
            s = ((logs - a[:, None]) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1.0)
    return a, s, np.zeros_like(logs)
