"""How often seeds of a primary arrest in an organ, by the routes that lead there; anatomy fixes all but four numbers.

    E = at_risk·[(1 − f) B + f b + e^v ((1 − f) V + f v') + e^l L + e^c C]

B, B, b, V, v', L and C are probabilities of the absorbing chain (`body/chain.py`) for what a primary sheds into its veins, into the
vertebral plexus, into lymph and into cavities, each times the share of that route. There are two classes of cells: large
ones mostly stop in the first bed (B, P), small ones go round for hours (b, p'). f = 1/(1 + e^−θ) is the share of small
ones; p, l and c are logarithms of how much a seed of that route counts, since those shares are assumed.

Ignores: that soil differs between the routes into an organ; that patients differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..body.anatomy import Anatomy
from ..body.chain import PASS_PROBABILITY, Chain, by_organ
from .autopsies import at_risk

ROUTES = ("small cells", "vertebral plexus", "lymph", "cavities")  # the four numbers, logarithms
PLEXUS = "vertebral_plexus"
HALF_LIFE_H = 1.6  # of tumour cells in blood: 1 to 2.4 h (Meng 2004, Clin Cancer Res 10:8152, from memory: assumed)
_FLOOR = 1e-12  # an organ that nothing reaches


@dataclass(frozen=True)
class Arrivals:
    """Arrest probabilities of some primaries at some sites, by route. Arrays over (primaries, sites)."""

    blood: np.ndarray  # (2, primaries, sites): large cells, small cells
    plexus: np.ndarray  # (2, primaries, sites)
    lymph: np.ndarray
    cavities: np.ndarray
    at_risk: np.ndarray

    @classmethod
    def of(cls, anatomy: Anatomy, primaries: Sequence[str], sites: Sequence[str]) -> "Arrivals":
        where = [anatomy.organs.index(site) for site in sites]
        large, small = Chain.of(anatomy, PASS_PROBABILITY), Chain.of(anatomy, small_pass_probability(anatomy))
        parts = np.array([_of_primary(anatomy, primary, large, small)[:, where] for primary in primaries])
        risk = np.array([at_risk(anatomy, primary, sites) for primary in primaries])
        blood_large, blood_small, plexus_large, plexus_small, lymph, cavities = np.moveaxis(parts, 1, 0)
        blood, plexus = np.stack([blood_large, blood_small]), np.stack([plexus_large, plexus_small])
        return cls(blood, plexus, lymph, cavities, risk)

    def rows(self, chosen: Sequence[int]) -> "Arrivals":
        """Some of the primaries."""
        k = list(chosen)
        return Arrivals(self.blood[:, k], self.plexus[:, k], self.lymph[k], self.cavities[k], self.at_risk[k])

    def at(self, columns: np.ndarray) -> "Arrivals":
        """Some of the sites."""
        k = columns
        return Arrivals(
            self.blood[..., k], self.plexus[..., k], self.lymph[:, k], self.cavities[:, k], self.at_risk[:, k]
        )

    def alike(self) -> "Arrivals":
        """No routes: every seed may arrest anywhere."""
        one, none = np.ones_like(self.lymph), np.zeros_like(self.lymph)
        return Arrivals(np.stack([one, one]), np.stack([none, none]), none, none, self.at_risk)

    def log(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln E (primaries, sites) at these four numbers, and its derivatives by them (4, primaries, sites)."""
        small = 1.0 / (1.0 + np.exp(-theta[0]))
        plexus, lymph, cavities = np.exp(theta[1:])
        blood = self.blood + plexus * self.plexus
        sums = (1 - small) * blood[0] + small * blood[1] + lymph * self.lymph + cavities * self.cavities
        slopes = np.stack(
            [
                small * (1 - small) * (blood[1] - blood[0]),
                plexus * ((1 - small) * self.plexus[0] + small * self.plexus[1]),
                lymph * self.lymph,
                cavities * self.cavities,
            ]
        )
        sums = np.maximum(sums, _FLOOR)
        return np.log(sums * np.where(self.at_risk > 0, self.at_risk, 1.0)), slopes / sums


def small_pass_probability(anatomy: Anatomy, half_life_h: float = HALF_LIFE_H) -> float:
    """Of a cell that is lost with this half-life, at two beds a circuit; a circuit takes blood volume over output."""
    circuit_h = anatomy.blood_volume_mL / anatomy.cardiac_output_mL_per_h
    return float(2.0 ** (-circuit_h / (2.0 * half_life_h)))


def arriving(anatomy: Anatomy, starts: Mapping[str, float], sites: Sequence[str], small: float) -> np.ndarray:
    """(sites,) arrest probabilities of seeds that start in these places, of which a share `small` are small cells."""
    source = np.zeros(len(anatomy.places))
    for place, share in starts.items():
        source[anatomy.index[place]] = share
    chains = Chain.of(anatomy, PASS_PROBABILITY), Chain.of(anatomy, small_pass_probability(anatomy))
    large, other = (_arrested(anatomy, chain, source) for chain in chains)
    return ((1.0 - small) * large + small * other)[[anatomy.organs.index(site) for site in sites]]


def _of_primary(anatomy: Anatomy, primary: str, large: Chain, small: Chain) -> np.ndarray:
    """(6, organs): blood and plexus with large and small cells, lymph, cavities."""
    shares = anatomy.primaries[primary].routes
    veins, plexus = anatomy.source_of(primary, "blood"), np.zeros(len(anatomy.places))
    if PLEXUS in anatomy.index:
        plexus[anatomy.index[PLEXUS]] = veins[anatomy.index[PLEXUS]]
    out = [
        shares.get("blood", 0.0) * _arrested(anatomy, chain, source)
        for source in (veins - plexus, plexus)
        for chain in (large, small)
    ]
    for route in ("lymph", "coelomic"):
        source = anatomy.source_of(primary, route) if shares.get(route, 0.0) > 0 else np.zeros_like(veins)
        out.append(shares.get(route, 0.0) * _arrested(anatomy, large, source))
    return np.array(out)


def _arrested(anatomy: Anatomy, chain: Chain, source: np.ndarray) -> np.ndarray:
    """(organs,) as `Chain.arrested`, from any distribution over the places."""
    return by_organ(anatomy, (source @ chain.visits_from) * chain.stays)
