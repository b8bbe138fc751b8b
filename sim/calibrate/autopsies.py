"""Counts of autopsies with a metastasis at a site, by primary: one row a primary, one column a site.

A patient counts once at each site that has one, so rows are not multinomial: 432 patients with breast cancer had 2,235
sites. What cannot be counted is masked, not zero: the organ that the primary stands in, and the ovary of men. Where both
sexes are counted together half of the patients are taken to be women (assumed), for the ovary only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..body.anatomy import Anatomy
from ..plain_text import printable
from ..problems import did_you_mean
from .csv_table import Row, Source, one_of, refused, rows

SHIPPED = "autopsies_disibio2008.csv"  # diSibio and French 2008, Arch Pathol Lab Med 132:931, figure 1
PRIMARIES_MIN = 3  # one is left out, and what is left is fitted with one left out
BLOOD_BORNE = tuple("liver lung bone brain adrenal kidney spleen skin pancreas thyroid heart".split())
FLOW_KNOWN = tuple("liver lung brain adrenal kidney pancreas heart".split())  # Font-Clos 2020 gives their blood flow
OF_WOMEN = frozenset({"breast", "uterus", "cervix", "ovary", "vagina", "vulva"})  # breast: nearly all
OF_MEN = frozenset({"prostate", "testis", "penis"})
WOMEN_FRACTION = 0.5  # assumed
_PATIENTS = ("n_autopsies", "autopsies", "n_patients", "patients")
_NOTES = frozenset({"source", "provenance", "total_mets_all_sites", "mets_per_primary"})
_OTHER_NAMES = {
    "limph_nodes_reg": "regional_nodes",
    "limph_nodes_dist": "distant_nodes",
    "lymph_nodes_reg": "regional_nodes",
    "lymph_nodes_dist": "distant_nodes",
    "ovaries": "ovary",
}
_OTHER_PRIMARIES = {"esophagus": "oesophagus", "skin": "melanoma", "endometrium": "uterus", "corpus_uteri": "uterus"}


@dataclass(frozen=True)
class Autopsies:
    """Arrays over (primaries, sites)."""

    primaries: tuple[str, ...]
    sites: tuple[str, ...]
    patients: np.ndarray  # (primaries,) f8
    counts: np.ndarray  # f8, 0 where not at risk
    at_risk: np.ndarray  # f8 share of the patients that can have one there; 0 = masked

    @property
    def counted(self) -> np.ndarray:
        """bool: not masked"""
        return self.at_risk > 0

    def of(self, chosen: Sequence[int]) -> "Autopsies":
        """Some of the primaries."""
        k = list(chosen)
        names = tuple(self.primaries[i] for i in k)
        return Autopsies(names, self.sites, self.patients[k], self.counts[k], self.at_risk[k])

    def without(self, primary: str) -> "Autopsies":
        """All but one, if it is there."""
        return self.of([i for i, name in enumerate(self.primaries) if name != primary])

    def at(self, columns: np.ndarray) -> "Autopsies":
        """Some of the sites."""
        names = tuple(self.sites[i] for i in columns)
        return Autopsies(self.primaries, names, self.patients, self.counts[:, columns], self.at_risk[:, columns])

    def where_counted(self) -> "Autopsies":
        """Those of the sites that are counted in one primary at least: of others a fit knows nothing."""
        return self.at(np.flatnonzero(self.counted.any(axis=0)))

    def columns(self, sites: Sequence[str]) -> np.ndarray:
        """Indices of those of the sites that the table has."""
        return np.array([i for i, site in enumerate(self.sites) if site in sites], dtype=int)


def at_risk(anatomy: Anatomy, primary: str, sites: Sequence[str]) -> np.ndarray:
    """(sites,) share of a primary's patients that can have a metastasis there."""
    women = 1.0 if primary in OF_WOMEN else 0.0 if primary in OF_MEN else WOMEN_FRACTION
    own = anatomy.primaries[primary].organ
    return np.array([0.0 if site == own else women if site == "ovary" else 1.0 for site in sites])


def known_primary(anatomy: Anatomy, name: str) -> str:
    """The primary of the body that goes by this name, whatever its capitals. Raises InputError."""
    plain = "_".join(name.strip().lower().split())
    plain = plain if plain in anatomy.primaries else _OTHER_PRIMARIES.get(plain, plain)
    if plain in anatomy.primaries:
        return plain
    close = did_you_mean(plain, anatomy.primaries)
    hint = f" - did you mean {close!r}?" if close else ""
    raise refused(
        f"{printable(name)}: the body has no primary of that name{hint}",
        f"Primaries of '{printable(anatomy.title)}': {', '.join(anatomy.primaries)}.",
        "Another body is given by --body: a TOML file with its drainage under [primaries.<name>].",
    )


def read(anatomy: Anatomy, source: Source = None) -> Autopsies:
    """A table from a CSV file, or the shipped one. Raises InputError.

    Columns: `primary`, `n_autopsies`, and a site each (`liver` or `n_liver`); an empty cell is masked.
    """
    name, columns, found = rows(source, SHIPPED)
    label, patients = one_of(name, columns, ("primary",)), one_of(name, columns, _PATIENTS)
    sites = {c: _site(anatomy, name, c) for c in columns if c not in (label, patients) and c not in _NOTES}
    if len(set(sites.values())) < max(2, len(sites)):
        raise refused(f"{printable(name)}:1  needs at least two sites, each once")
    primaries = [_primary(anatomy, row, label) for row in found]
    for row, primary in zip(found, primaries, strict=True):
        if primaries.count(primary) > 1:
            raise row.refuse(label, "a primary has one row")
    if len(primaries) < PRIMARIES_MIN:
        raise refused(f"{printable(name)}: {len(primaries)} primaries; at least {PRIMARIES_MIN} are needed")
    counted = [[_count(row, column, patients) for column in sites] for row in found]
    risk = np.array([at_risk(anatomy, primary, list(sites.values())) for primary in primaries])
    given = np.array([[value is not None for value in line] for line in counted])
    counts = np.array([[value or 0.0 for value in line] for line in counted])
    risk = np.where(given, risk, 0.0)
    for column, shares in zip(sites, risk.T, strict=True):
        if not shares.any():
            raise refused(f"{printable(name)}:1  {column}: no primary is counted there; take the column away")
    out = Autopsies(
        tuple(primaries),
        tuple(sites.values()),
        np.array([float(row.count(patients)) for row in found]),
        np.where(risk > 0, counts, 0.0),
        risk,
    )
    for row, total in zip(found, out.counts.sum(axis=1), strict=True):
        if total == 0:
            raise row.refuse(label, "needs a metastasis at one site at least")
    return out


def _site(anatomy: Anatomy, name: str, column: str) -> str:
    plain = column.removeprefix("n_")
    plain = _OTHER_NAMES.get(plain, plain)
    if plain not in anatomy.organs:
        close = did_you_mean(plain, anatomy.organs)
        hint = f" - did you mean {close!r}?" if close else ""
        raise refused(
            f"{printable(name)}:1  {column}: no organ of the body is called {plain!r}{hint}",
            f"Organs: {', '.join(anatomy.organs)}. Columns for notes: {', '.join(sorted(_NOTES))}.",
        )
    return plain


def _primary(anatomy: Anatomy, row: Row, label: str) -> str:
    try:
        return known_primary(anatomy, row.cells[label])
    except Exception as error:
        raise type(error)(f"{printable(row.name)}:{row.line}  {error}") from None


def _count(row: Row, column: str, patients: str) -> float | None:
    if not row.cells[column]:
        return None
    count = row.count(column)
    if count > row.count(patients):
        raise row.refuse(column, f"at most the {row.count(patients)} patients of {patients}")
    return float(count)
