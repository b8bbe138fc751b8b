"""What a bed and a passage do to a seed: who sticks, who dies on the way, by the kind of the seed.

    dies on the way           with hazard h = c (shear + e nk) + a anoikis, through all of its time in vessels
    passes a capillary bed    with probability p (1 - adhesion of the organ), else arrests in it
    settles in a cavity       with probability (1 - p) times the factor of its organ's lining, else leaves with the lymph

Two classes of cells reconcile the data: large ones stick in the first bed (Proctor et al. 1976, Br J Cancer 34:651:
almost all), small ones go round for hours (half-life 1-2.4 h after mastectomy, Meng et al. 2004, Clin Cancer Res 10:8152).
A cluster passes like large cells unless the scenario says otherwise (Au et al. 2016, PNAS 113:4947, saw clusters go
through capillaries in file). Evasive cells are seen less by natural killers (e), cells cloaked by platelets feel less
shear and fewer killers (c), cells in clusters may feel less anoikis (a).
This is the one account of removal, by beds and by the hour: a half-life follows from it and is nowhere put in.
Ignored: deformation with time, seeds that get loose again, other routes of removal (marrow, spleen pulp).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...kernels.parameters import Parameters, quantity
from .anatomy import Anatomy
from .chain import Chain
from .soil import Soil

MENG_2004 = "Meng et al. 2004, Clin Cancer Res 10:8152"
SoilOf = Callable[[str], Soil]
PROCTOR_1976 = "Proctor et al. 1976, Br J Cancer 34:651"


class Transit(Parameters):
    """The `[body.transit]` table: what seeds are like and what kills them on their way."""

    small_fraction: float = quantity(
        0.05, unit="1", ge=0, le=1, source="assumed", about="share of single cells that pass capillaries"
    )
    evasive_fraction: float = quantity(
        0.0, unit="1", ge=0, le=1, source="assumed; 0 = none", about="share of seeds that evade natural killers"
    )
    cloaked_fraction: float = quantity(
        0.0, unit="1", ge=0, le=1, source="assumed; 0 = none", about="share of seeds that platelets cloak"
    )
    shear_per_h: float = quantity(
        0.1,
        unit="1/h",
        ge=0,
        le=1e4,
        source=f"assumed share of the {MENG_2004} removal",
        about="hazard of death by shear",
    )
    nk_per_h: float = quantity(
        0.1,
        unit="1/h",
        ge=0,
        le=1e4,
        source=f"assumed share of the {MENG_2004} removal",
        about="hazard of death by natural killers in the blood",
    )
    anoikis_per_h: float = quantity(
        0.09, unit="1/h", ge=0, le=1e4, source=f"assumed share of the {MENG_2004} removal", about="hazard of anoikis"
    )
    evasive_factor: float = quantity(
        0.1, unit="1", ge=0, le=1, source="assumed", about="by which evasion multiplies what natural killers do"
    )
    cloaked_factor: float = quantity(
        0.1,
        unit="1",
        ge=0,
        le=1,
        source="assumed",
        about="by which a cloak multiplies shear and what natural killers do",
    )
    cluster_anoikis_factor: float = quantity(
        1.0, unit="1", ge=0, le=1, source="assumed; 1 = no shelter", about="by which a cluster multiplies anoikis"
    )
    breakup_probability: float = quantity(
        0.5,
        unit="1",
        ge=0,
        le=1,
        source="Franssen et al. 2019, Bull Math Biol 81:1965",
        about="that a cell of a cluster comes off it as it enters the blood",
    )


class Arrest(Parameters):
    """The `[body.arrest]` table: who passes a capillary bed by size. Adhesion is the organ's (`[body.soil.*]`)."""

    large_pass_probability: float = quantity(
        0.05,
        unit="1",
        ge=0,
        le=1,
        source=f"{PROCTOR_1976}: > 95 % arrest in the first bed",
        about="of a large cell, a bed",
    )
    small_pass_probability: float = quantity(
        0.999,
        unit="1",
        ge=0,
        le=1,
        source=f"assumed, so that {MENG_2004}'s half-life comes out",
        about="of a small cell",
    )
    cluster_pass_probability: float = quantity(
        0.05, unit="1", ge=0, le=1, source="assumed: as a large cell", about="of a cluster, a bed"
    )
    node_pass_probability: float = quantity(
        0.5,
        unit="1",
        ge=0,
        le=1,
        source="assumed; Fisher & Fisher 1967, Cancer 20:1907, saw cells pass nodes",
        about="of any seed, the sinus of a group of nodes",
    )
    cavity_pass_probability: float = quantity(
        0.2,
        unit="1",
        ge=0,
        le=1,
        source="assumed",
        about="that a seed leaves a cavity with the lymph and does not settle",
    )
    self_seeding_probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 0 = none return",
        about="that a seed that arrests in the organ of the primary does so in the primary's own vessels",
    )


class Kind(NamedTuple):
    """What the way of a seed depends on."""

    cluster: bool = False
    small: bool = False  # a single cell that passes capillaries
    evasive: bool = False
    cloaked: bool = False

    @property
    def code(self) -> int:
        """0 to 15: the bits of the kind, as the run keeps them."""
        return self.cluster | self.small << 1 | self.evasive << 2 | self.cloaked << 3

    @classmethod
    def of(cls, code: int) -> "Kind":
        return cls(*(bool(code >> bit & 1) for bit in range(4)))


EVASIVE_BIT = 2  # of the code
KINDS = tuple(Kind.of(code) for code in range(16))


def hazard_per_h(transit: Transit, kind: Kind) -> float:
    """Of death on the way."""
    cloak = transit.cloaked_factor if kind.cloaked else 1.0
    evasion = transit.evasive_factor if kind.evasive else 1.0
    shelter = transit.cluster_anoikis_factor if kind.cluster else 1.0
    return cloak * (transit.shear_per_h + evasion * transit.nk_per_h) + shelter * transit.anoikis_per_h


def pass_probability(anatomy: Anatomy, arrest: Arrest, kind: Kind, soil_of: SoilOf) -> np.ndarray:
    """(places,) f8 that a seed passes each place where it could stop; `soil_of` gives the soil of an organ."""
    by_size = arrest.cluster_pass_probability if kind.cluster else arrest.large_pass_probability
    if kind.small and not kind.cluster:
        by_size = arrest.small_pass_probability
    out = np.ones(len(anatomy.places))
    for name, row in anatomy.index.items():
        if name in anatomy.beds:
            out[row] = by_size * (1.0 - soil_of(anatomy.beds[name].organ).adhesion_probability)
        elif name in anatomy.lymph:
            out[row] = arrest.node_pass_probability
        elif name in anatomy.cavities:
            holds = soil_of(anatomy.cavities[name].organ).lining_factor
            out[row] = arrest.cavity_pass_probability + (1.0 - holds) * (1.0 - arrest.cavity_pass_probability)
    return out


def chain(anatomy: Anatomy, transit: Transit, arrest: Arrest, kind: Kind, soil_of: SoilOf) -> Chain:
    """Where seeds of a kind end."""
    passes = pass_probability(anatomy, arrest, kind, soil_of)
    return Chain.of(anatomy, passes, 0.0, hazard_per_h(transit, kind))


def source_of_organ(anatomy: Anatomy, organ: str) -> np.ndarray:
    """(places,) f8 where what a colony of the organ sheds starts: behind its beds by their flow, and from its lymph.

    A nodal colony sheds into both alike, one on the lining of a cavity into the cavity and the blood (shares assumed).
    """
    beds = np.zeros(len(anatomy.places))
    for name, bed in anatomy.beds.items():
        if bed.organ == organ:
            row = anatomy.index[name]
            beds += max(anatomy.flow_fraction[row], 1e-12) * anatomy.leads[row]
    parts = [beds / beds.sum()] if beds.any() else []
    parts += [anatomy.leads[anatomy.index[name]] for name, node in anatomy.lymph.items() if node.organ == organ]
    parts += [
        np.eye(len(anatomy.places))[anatomy.index[name]]
        for name, cavity in anatomy.cavities.items()
        if cavity.organ == organ
    ]
    return np.mean(parts, axis=0)


def share_of(transit: Transit, kind: Kind) -> float:
    """Share of the kind among the single cells (or, if it is one, the clusters) that leave a source."""
    if kind.cluster and kind.small:
        return 0.0
    share = 1.0 if kind.cluster else transit.small_fraction if kind.small else 1.0 - transit.small_fraction
    for has, fraction in ((kind.evasive, transit.evasive_fraction), (kind.cloaked, transit.cloaked_fraction)):
        share *= fraction if has else 1.0 - fraction
    return share


def enriched(fraction: float, survival: float, survival_others: float) -> float:
    """f S_e / (f S_e + (1 - f) S_0): the share of a trait among survivors that was `fraction` before."""
    alive = fraction * survival + (1.0 - fraction) * survival_others
    return fraction * survival / alive if alive > 0.0 else float("nan")
