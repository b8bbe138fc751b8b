"""The solutes by role: which there are, in which units, and their defaults.

All follow one law (`kernels.law`), of which each has its own numbers. Only the protease is always there; every other
one is there when the scenario has its table, with the defaults below for what the table leaves out. A role that is
absent takes neither memory nor time, and what it would do to cells is off.

Diffusivities in tissue are those in water over the square of the tortuosity; of proteins that bind to matrix the
effective one can be a hundred times less. Most of the numbers below are therefore inputs to vary ("assumed").
"""

import math

from .law import Solute, law
from .parameters import FRANSSEN_2019, quantity

# In the order in which they advance in a tick: what others respond to comes first. The protease is always there.
ROLES = (
    "oxygen",
    "drug",
    "growth_factor",
    "mitogen",
    "cytokine",
    "chemokine",
    "vegf",
    "vegf_c",
    "inhibitor",
    "protease",
)


class Protease(Solute):
    """The `[solutes.protease]` table: a collagen-tethered matrix metalloproteinase (MMP-2), relative to a reference."""

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h",
        360.0,
        f"{FRANSSEN_2019}: 1e-9 cm2/s, tethered to collagen (free 72 kDa protein: 100-1000 times faster)",
    )
    decay_per_h: float = law("decay_per_h", 0.009, f"{FRANSSEN_2019}: 0.1 per 4e4 s")
    secretion_per_h: float = law(
        "secretion_per_h",
        0.0702,
        f"{FRANSSEN_2019}: 0.195 per 4e4 s and cell at 4 cells a site, so 0.78 per 4e4 s for a voxel of 5 um with one cell",
    )


class Inhibitor(Solute):
    """The `[solutes.inhibitor]` table: an inhibitor of metalloproteinases (TIMP-2), in the unit of the protease."""

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 90_000.0, "assumed: a free protein of 21 kDa, 2.5e-7 cm2/s"
    )
    decay_per_h: float = law("decay_per_h", 0.1, "assumed")
    binding_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=1e6,
        source="0: off, the two are in equilibrium (matrix.inhibition_constant)",
        about="rate at which one unit of inhibitor binds the protease for good, one to one and using itself up; the "
        "protease that is left then works in full",
    )


class Oxygen(Solute):
    """The `[solutes.oxygen]` table, as a partial pressure."""

    UNIT = "mmHg"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 6.0e6, "PhysiCell: 1e5 um2/min, Ghaffarizadeh et al. 2016, Bioinformatics 32:1256"
    )
    initial: float = law("initial", 40.0, "assumed: mean capillary pO2, as at vessels")
    uptake_per_h: float = law(
        "uptake_per_h",
        3.6e4,
        "assumed: 10 mmHg/s, of 5-30 in spheroids (Grimes et al. 2014, J R Soc Interface 11:20131124)",
    )
    stroma_uptake_per_h: float = law("stroma_uptake_per_h", 9e3, "assumed: a quarter of a tumour's")
    immune_uptake_per_h: float = law("immune_uptake_per_h", 9e3, "assumed: a quarter of a tumour's")
    epithelium_uptake_per_h: float = law("epithelium_uptake_per_h", 9e3, "assumed: a quarter of a tumour's")
    half_saturation: float = law("half_saturation", 1.0, "assumed")
    exchange_um2_per_h: float = law(
        "exchange_um2_per_h", 4.7e7, "assumed: pi Sh D at a Sherwood number of 2.5, as for a capillary"
    )
    blood: float = law("blood", 40.0, "assumed: mean capillary pO2")


class GrowthFactor(Solute):
    """The `[solutes.growth_factor]` table: an inducer of EMT and of fibroblasts (active TGF-beta)."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 93_600.0, "assumed: 2.6e-7 cm2/s, a dimer of 25 kDa; models range from 1e-8 to 1e-6"
    )
    decay_per_h: float = law(
        "decay_per_h",
        16.6,
        "active TGF-beta in plasma, half-life 2-3 min: Wakefield et al. 1990, J Clin Invest 86:1976",
    )


class Mitogen(Solute):
    """The `[solutes.mitogen]` table: a growth factor that makes cells divide (EGF, HGF)."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 187_000.0, "assumed: EGF in brain, 5.2e-7 cm2/s (Thorne et al. 2004, not read)"
    )
    decay_per_h: float = law("decay_per_h", 1.0, "assumed")


class Cytokine(Solute):
    """The `[solutes.cytokine]` table: an inflammatory signal."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law("diffusivity_um2_per_h", 180_000.0, "assumed: 5e-7 cm2/s, a protein of 20 kDa")
    decay_per_h: float = law("decay_per_h", 1.0, "assumed")


class Vegf(Solute):
    """The `[solutes.vegf]` table: VEGF-A, as its excess over what normal tissue has."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h",
        151_000.0,
        "Kihara et al. 2013, PLoS ONE 8:e82382: 4.24e-5 mm2/s (a lineage of codes copies a value 4000 times less)",
    )
    decay_per_h: float = law(
        "decay_per_h", 0.918, "half-life 45 min: Vempati et al. 2014, Cytokine Growth Factor Rev 25:1"
    )
    hypoxic_secretion_per_h: float = law(
        "hypoxic_secretion_per_h",
        0.0,
        "0: off (normal tissue secretes 0.102 molecules/cell/s, Stefanini et al. 2008, BMC Syst Biol 2:77: 3.4 ng/mL/h)",
    )


class VegfC(Solute):
    """The `[solutes.vegf_c]` table: VEGF-C, the lymphatic sibling."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law("diffusivity_um2_per_h", 151_000.0, "assumed: as VEGF-A")
    decay_per_h: float = law("decay_per_h", 0.918, "assumed: as VEGF-A")


class Chemokine(Solute):
    """The `[solutes.chemokine]` table: what cells are attracted by."""

    UNIT = "ng/mL"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 200_000.0, "assumed: 5.6e-7 cm2/s, a protein of 8-12 kDa in tissue"
    )
    decay_per_h: float = law("decay_per_h", 1.0, "assumed")


class Drug(Solute):
    """The `[solutes.drug]` table: a drug, relative to a reference level in blood, given as boluses or held constant."""

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 360_000.0, "assumed: 1e-6 cm2/s, a small molecule that binds in tissue"
    )
    decay_per_h: float = law("decay_per_h", 0.1, "assumed")
    exchange_um2_per_h: float = law(
        "exchange_um2_per_h", 3.4e3, "assumed: 3e-6 cm/s, a small molecule, over the wall of a capillary of 5 um radius"
    )
    boluses: int = quantity(0, unit="1", ge=0, le=100_000, source="0: none", about="how many boluses are given")
    bolus: float = quantity(
        1.0, unit="1", ge=0, le=1e9, source="the reference level", about="rise of the level in blood at each"
    )
    bolus_first_h: float = quantity(
        0.0, unit="h", ge=0, le=1e6, source="the scenario's choice", about="time of the first"
    )
    bolus_every_h: float = quantity(
        24.0, unit="h", gt=0, le=1e6, source="the scenario's choice", about="time between boluses"
    )
    half_life_h: float = quantity(
        2.0, unit="h", gt=0, le=1e6, source="assumed", about="half-life in blood of what a bolus brought"
    )

    def blood_over(self, begin_h: float, end_h: float) -> float:
        """Mean level in blood from `begin_h` to `end_h`: the constant one, and what each bolus left, exactly."""
        per_h = math.log(2) / self.half_life_h
        given = 0.0
        for n in range(self.boluses):
            at = self.bolus_first_h + n * self.bolus_every_h
            if at >= end_h:
                break
            since = max(begin_h, at)
            given += math.exp(-per_h * (since - at)) * -math.expm1(-per_h * (end_h - since))
        return self.blood + self.bolus * given / (per_h * (end_h - begin_h))
