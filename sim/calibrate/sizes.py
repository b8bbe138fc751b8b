"""P(metastasis at diagnosis) against the diameter of the primary, from the emission law.

A primary of N cells sheds successful seeds at μ N^α while it grows exponentially at g, so it has sown (μ/(α g)) N^α by the
time it has N, and N goes with the cube of the diameter d:

    P = plateau·(1 − exp(−k d^(3α)))

α is shared by all cancers, k is one scale for each: in it seeding rate and the delay until a metastasis is seen trade off.
A plateau below one is fitted for colon only: these are surgical patients, and whoever has many metastases is not operated
on, so the share of large tumours with a metastasis stops rising (selection; its cause is an interpretation).

Ignores: growth that slows down; that a bin of diameters is not one diameter; patients that differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ..plain_text import printable
from .csv_table import Source, one_of, refused, rows

SHIPPED = "metastasis_by_diameter_seer.csv"  # SEER 1988–2013 as in Szczurek et al. 2020, PLoS Comput Biol
WITH_PLATEAU = ("colon", "rectum")  # selected for surgery
DIAMETERS_CM = tuple(0.5 * k for k in range(1, 21))
SMALL_CM, LARGE_CM = 3.0, 5.0  # fitted up to, predicted beyond
_LABELS = {"breast ca (nst)": "breast", "colon adenoca": "colon", "rectum adenoca": "rectum"}
_DIAMETER = ("diameter_cm", "tumour_diameter_cm_bin")
_FRACTION = ("fraction", "fraction_distant_met_at_diagnosis", "p")


@dataclass(frozen=True)
class Sizes:
    """Rows of a table: cancer, diameter, patients, those of them with a metastasis."""

    cancers: tuple[str, ...]  # in order of appearance
    cancer: np.ndarray  # (rows,) index into `cancers`
    diameter_cm: np.ndarray
    patients: np.ndarray
    metastatic: np.ndarray

    def of(self, chosen: np.ndarray) -> "Sizes":
        return Sizes(
            self.cancers,
            self.cancer[chosen],
            self.diameter_cm[chosen],
            self.patients[chosen],
            self.metastatic[chosen],
        )


@dataclass(frozen=True)
class Law:
    """The fitted law. `numbers` is how many were fitted."""

    alpha: float
    scales: dict[str, float]  # cancer -> k, per cm^(3 alpha)
    plateaus: dict[str, float]  # 1 where none was fitted
    numbers: int

    def p(self, cancer: str, diameter_cm: np.ndarray) -> np.ndarray:
        seeded = -np.expm1(-self.scales[cancer] * np.asarray(diameter_cm, dtype=float) ** (3.0 * self.alpha))
        return self.plateaus[cancer] * seeded

    def anchored(self, cancer: str, diameter_cm: float, p: float) -> "Law":
        """The law of another cancer, by its one scale: what gives `p` at a diameter; α is kept, and no plateau."""
        scale = -np.log1p(-p) / diameter_cm ** (3.0 * self.alpha)
        return Law(self.alpha, {**self.scales, cancer: float(scale)}, {**self.plateaus, cancer: 1.0}, self.numbers)


def read(source: Source = None) -> Sizes:
    """A table from a CSV file, or the shipped one. Raises InputError.

    Columns: `cancer`, `diameter_cm`, `n_patients`, and `n_with_metastasis` or `fraction`.
    """
    name, columns, found = rows(source, SHIPPED)
    label, diameter, patients = (one_of(name, columns, w) for w in (("cancer",), _DIAMETER, ("n_patients",)))
    counted = "n_with_metastasis" in columns
    result = "n_with_metastasis" if counted else one_of(name, columns, ("n_with_metastasis", *_FRACTION))
    cancers: list[str] = []
    out = []
    for row in found:
        cancer = _LABELS.get(row.cells[label].lower(), row.cells[label].lower().replace(" ", "_"))
        if not cancer:
            raise row.refuse(label, "needs a name")
        if cancer not in cancers:
            cancers.append(cancer)
        n = row.count(patients)
        y = float(row.count(result)) if counted else row.number(result) * n
        if y > n * (1 + 1e-9):
            raise row.refuse(result, f"at most the {n} patients" if counted else "a fraction is at most 1")
        out.append((cancers.index(cancer), row.number(diameter, 1e-3), float(n), min(y, n)))
    index, d, n, y = (np.array(values) for values in zip(*out, strict=True))
    table = Sizes(tuple(cancers), index.astype(int), d, n, y)
    for k, cancer in enumerate(cancers):
        if not 0 < y[index == k].sum() < n[index == k].sum():
            raise refused(f"{printable(name)}: {printable(cancer)} needs patients with a metastasis and without")
    return table


def fit(table: Sizes) -> Law:
    """Maximum likelihood of α, a scale for each cancer and the plateaus of `WITH_PLATEAU`."""
    cancers = [c for k, c in enumerate(table.cancers) if np.any(table.cancer == k)]
    bounded = [cancer for cancer in cancers if cancer in WITH_PLATEAU]

    def law(x: np.ndarray) -> Law:
        scales = dict(zip(cancers, map(float, np.exp(x[1 : 1 + len(cancers)])), strict=True))
        plateaus = dict(zip(bounded, map(float, 1.0 / (1.0 + np.exp(-x[1 + len(cancers) :]))), strict=True))
        return Law(float(np.exp(x[0])), scales, {c: plateaus.get(c, 1.0) for c in cancers}, len(x))

    start = np.array([np.log(0.6), *[-4.0] * len(cancers), *[-1.0] * len(bounded)])
    best = start
    for _ in range(3):  # a simplex that is spread out anew leaves flat corners
        options = {"maxiter": 2000, "xatol": 1e-6, "fatol": 1e-6}
        best = minimize(lambda x: deviance(table, law(x)), best, method="Nelder-Mead", options=options).x
    return law(best)


def deviance(table: Sizes, law: Law) -> float:
    """Binomial deviance over the rows, against each row's own share."""
    return float(row_deviances(table, expected(table, law)).sum())


def expected(table: Sizes, law: Law) -> np.ndarray:
    """(rows,) probabilities."""
    out = np.zeros(len(table.cancer))
    for k, cancer in enumerate(table.cancers):
        chosen = table.cancer == k
        if np.any(chosen):
            out[chosen] = law.p(cancer, table.diameter_cm[chosen])
    return out


def line_through_origin(table: Sizes) -> np.ndarray:
    """(rows,) probabilities proportional to the diameter, one slope for each cancer: the trivial model."""
    out = np.zeros(len(table.cancer))
    for k in range(len(table.cancers)):
        chosen = table.cancer == k
        d = table.diameter_cm[chosen]
        mine = table.of(chosen)

        def loss(x: np.ndarray, mine: Sizes = mine, d: np.ndarray = d) -> float:
            return float(row_deviances(mine, np.minimum(np.exp(x[0]) * d, 1.0)).sum())

        out[chosen] = np.minimum(np.exp(minimize(loss, [-4.0], method="Nelder-Mead").x[0]) * d, 1.0)
    return out


def row_deviances(table: Sizes, p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-12, 1.0 - 1e-12)
    n, y = table.patients, table.metastatic
    return 2.0 * (_term(y, n * p) + _term(n - y, n * (1.0 - p)))


def _term(seen: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.where(seen > 0, seen * np.log(np.maximum(seen, 1e-300) / wanted), 0.0)


def grid(diameters: Sequence[float] = DIAMETERS_CM) -> np.ndarray:
    return np.array(diameters, dtype=float)
