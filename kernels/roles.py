"""The solutes by role: which there are, in which units, and their tables.

One law for all of them,

    dc/dt = D lap(c) - decay c + secretion emt/255        (kernels.solute),

of which each role has its own numbers. Only the protease is always there; every other one is there when the
scenario has its table, with the defaults below for what the table leaves out. A role that is absent takes neither
memory nor time, and what it would do to cells is off.

Diffusivities in tissue are those in water over the square of the tortuosity; of proteins that bind to matrix the
effective one can be a hundred times less. Most of the numbers below are therefore inputs to vary ("assumed").
"""

from typing import Any, ClassVar

from .parameters import FRANSSEN_2019, Parameters, quantity

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

_OFF = "0: off"
# what is declared once for all roles; "c" stands for the unit of the role's concentration
_LAW: dict[str, dict[str, Any]] = {
    "diffusivity_um2_per_h": {"unit": "um2/h", "ge": 0, "le": 1e8, "about": "diffusivity in the tissue"},
    "decay_per_h": {"unit": "1/h", "ge": 0, "le": 1e4, "about": "decay rate"},
    "initial": {"unit": "c", "ge": 0, "le": 1e9, "about": "concentration at the start, everywhere"},
    "secretion_per_h": {
        "unit": "c/h",
        "ge": 0,
        "le": 1e6,
        "about": "rise of concentration per hour in a voxel that holds a fully mesenchymal cell",
    },
}


def law(name: str, default: float, source: str) -> Any:
    """The parameter `name` of the common law with a role's own default and where that is from."""
    return quantity(default, source=source, **_LAW[name])


class Solute(Parameters):
    """A `[solutes.ROLE]` table. Roles give their unit and their own defaults."""

    UNIT: ClassVar[str] = "1"

    diffusivity_um2_per_h: float = law("diffusivity_um2_per_h", 0.0, _OFF)
    decay_per_h: float = law("decay_per_h", 0.0, _OFF)
    initial: float = law("initial", 0.0, "none at the start")
    secretion_per_h: float = law("secretion_per_h", 0.0, _OFF)

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        """Write the role's unit into what it inherited."""
        super().__pydantic_init_subclass__(**more)
        for field in cls.model_fields.values():
            extra = dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}
            unit = str(extra["unit"])
            if unit in ("c", "c/h"):
                field.json_schema_extra = {**extra, "unit": unit.replace("c", cls.UNIT, 1)}
        cls.model_rebuild(force=True)


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


class Oxygen(Solute):
    """The `[solutes.oxygen]` table, as a partial pressure."""

    UNIT = "mmHg"

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 6.0e6, "PhysiCell: 1e5 um2/min, Ghaffarizadeh et al. 2016, Bioinformatics 32:1256"
    )
    initial: float = law("initial", 40.0, "assumed: mean capillary pO2, as at vessels")


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
    """The `[solutes.drug]` table: a drug, relative to a reference level in blood."""

    diffusivity_um2_per_h: float = law(
        "diffusivity_um2_per_h", 360_000.0, "assumed: 1e-6 cm2/s, a small molecule that binds in tissue"
    )
    decay_per_h: float = law("decay_per_h", 0.1, "assumed")
