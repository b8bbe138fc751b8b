"""What a run file contains: one table of facts for writer, reader, reports and documentation.

Fields have dimensions (time, z, y, x), tables (seed), (colony) or (clone), series (tick_time).
Lengths are in µm and times in hours. A run may record fewer fields, and more of anything, than
stand here: `Layout` takes a specification wherever it takes a name.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

FORMAT_VERSION = "1.1"
VTKHDF_VERSION = (2, 2)
# Attributes of the dimension scales of a lattice.
GRID_LABELS = {"time": {"units": "h", "long_name": "simulated time"}}
GRID_LABELS |= {axis: {"units": "um", "long_name": f"{axis} of voxel centres"} for axis in "zyx"}
NO_INDEX = -1  # in signed index columns: none; in float columns the same is NaN


@dataclass(frozen=True)
class Spec:
    """A field, a table column or a series: dtype, unit and what its numbers mean."""

    dtype: str
    units: str
    long_name: str
    flag_values: tuple[int, ...] = ()
    flag_masks: tuple[int, ...] = ()
    flag_meanings: tuple[str, ...] = ()
    # f4 fields only: mantissa bits kept (None keeps all 23). 12 compress to about half of 23.
    keep_bits: int | None = None

    def __post_init__(self) -> None:
        if np.dtype(self.dtype).kind not in "iuf":
            raise ValueError(f"a run file holds integers and floats, not {self.dtype!r}")
        if self.keep_bits is not None and not (self.dtype == "f4" and 1 <= self.keep_bits <= 23):
            raise ValueError("keep_bits is for f4 fields, 1 to 23 bits")
        flags = self.flag_values or self.flag_masks
        if len(flags) != len(self.flag_meanings):
            raise ValueError(f"{self.long_name}: as many flag_meanings as flag values, please")

    @property
    def missing(self) -> int | float:
        """What stands where nothing was recorded: NaN, -1, or 0 for unsigned integers."""
        kind = np.dtype(self.dtype).kind
        return {"f": float("nan"), "i": NO_INDEX, "u": 0}[kind]

    def attributes(self) -> dict[str, Any]:
        """CF attributes, as they stand on the dataset."""
        out: dict[str, Any] = {"long_name": self.long_name, "units": self.units}
        for name in ("flag_values", "flag_masks"):
            if getattr(self, name):
                out[name] = np.array(getattr(self, name), self.dtype)
        if self.flag_meanings:
            out["flag_meanings"] = " ".join(self.flag_meanings)
        if self.keep_bits is not None:  # the netCDF-4 name for the same operation
            out["_QuantizeBitRoundNumberOfSignificantBits"] = np.int32(self.keep_bits)
        return out

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Spec":
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        return cls(**values)


FieldSpec = ColumnSpec = SeriesSpec = Spec

CELL_MEANINGS = ("empty", "tumour", "necrotic", "immune", "stroma", "epithelium")
ROUTES = ("blood", "lymph", "coelomic")
FATES = (
    "in_transit",
    "died_in_transit",
    "arrested",
    "died_after_arrest",
    "dormant",
    "colony",
    "returned_to_primary",
    "no_room",
)
COLONY_STATES = ("waiting", "dormant", "growing", "extinct")


def _coded(dtype: str, long_name: str, meanings: tuple[str, ...]) -> Spec:
    return Spec(dtype, "1", long_name, tuple(range(len(meanings))), (), meanings)


FIELDS: dict[str, Spec] = {
    "cell": _coded("u1", "what occupies the voxel", CELL_MEANINGS),
    "emt": Spec("u1", "1", "epithelial (0) to mesenchymal (255); M from 128"),
    "clone": Spec("u4", "1", "clone of the cell, a row of /clones"),
    "colony": Spec("u2", "1", "number of the cell's colony within its organ (/colonies label), 0 on the primary"),
    "vessel": Spec(
        "u1",
        "1",
        "vessel bits",
        (),
        (1, 2, 4, 8, 16, 32, 64),
        ("blood", "lymph", "perfused", "ruptured", "tip", "given", "collapsed"),
    ),
    "due": Spec("u1", "1", "pending act of the cell, internal to a tick"),
    "matrix": Spec("f4", "1", "extracellular matrix density, 0 to 1"),
    "fibre": _coded("u1", "axis along which fibres of the matrix run", ("none", "z", "y", "x")),
    "protease": Spec("f4", "1", "protease (MMP) concentration, relative"),
    "oxygen": Spec("f4", "mmHg", "oxygen partial pressure"),
    "growth_factor": Spec("f4", "ng/mL", "concentration of the inducing growth factor (TGF-beta)"),
    "mitogen": Spec("f4", "ng/mL", "concentration of the mitogen (EGF, HGF)"),
    "cytokine": Spec("f4", "ng/mL", "cytokine concentration"),
    "chemokine": Spec("f4", "ng/mL", "chemokine concentration"),
    "vegf": Spec("f4", "ng/mL", "VEGF-A concentration above normal"),
    "vegf_c": Spec("f4", "ng/mL", "VEGF-C concentration above normal"),
    "inhibitor": Spec("f4", "1", "protease inhibitor (TIMP) concentration, in the unit of the protease"),
    "drug": Spec("f4", "1", "drug concentration, relative"),
}

# What a voxel's cell is like: means nothing beside the cells of another time.
OF_CELLS = ("emt", "clone", "colony", "due")

SERIES: dict[str, Spec] = {
    "tumour_cells": Spec("i8", "1", "tumour cells on the primary lattice"),
    "mesenchymal_cells": Spec("i8", "1", "tumour cells with emt >= 128"),
    "epithelial_cells": Spec("i8", "1", "tumour cells with emt < 128"),
    "emt_mean": Spec("f8", "1", "mean emt of the tumour cells, 0 to 255"),
    "hybrid_cells": Spec("i8", "1", "tumour cells with emt 64 to 191"),
    "born": Spec("i8", "1", "cells born in the primary since the row before"),
    "died": Spec("i8", "1", "cells that died in the primary since the row before"),
    "died_apoptotic": Spec("i8", "1", "of those that died: by apoptosis"),
    "died_anoikic": Spec("i8", "1", "of those that died: by anoikis, without hold"),
    "died_necrosed": Spec("i8", "1", "of those that died: by necrosis; they leave debris"),
    "died_poisoned": Spec("i8", "1", "of those that died: by a drug"),
    "died_killed": Spec("i8", "1", "of those that died: by immune effectors"),
    "necrotic_voxels": Spec("i8", "1", "voxels of necrotic debris in the primary"),
    "immune_cells": Spec("i8", "1", "immune effectors in the primary"),
    "immune_entered": Spec("i8", "1", "immune effectors that entered the primary since the row before"),
    "immune_exhausted": Spec("i8", "1", "immune effectors spent or dead in the primary since the row before"),
    "moved": Spec("i8", "1", "hops in the primary since the row before"),
    "departed": Spec("i8", "1", "cells of the primary that entered vessels since the row before"),
    "arrived": Spec("i8", "1", "cells that came back to the primary since the row before"),
    "seeds_released": Spec("i8", "1", "seeds released so far"),
    "seeds_in_transit": Spec("i8", "1", "seeds in transit"),
    "seeds_dead": Spec("i8", "1", "seeds dead so far"),
    "seeds_arrested": Spec("i8", "1", "seeds arrested so far"),
    "colonies_growing": Spec("i8", "1", "growing colonies"),
    "colonies_extinct": Spec("i8", "1", "colonies extinct so far"),
    "clones_living": Spec("i8", "1", "clones with living cells on the lattices"),
    "clone_shannon": Spec("f8", "1", "Shannon entropy of the clones' shares of the cells on the lattices, nats"),
    "clone_simpson": Spec("f8", "1", "Simpson index 1 - sum of squared shares: that two cells differ in clone"),
    "vessel_voxels": Spec("i8", "1", "voxels of vessels, given and grown, of blood and lymph"),
    "vessel_perfused": Spec("f8", "1", "share of the vessel voxels that is perfused; NaN without vessels"),
    "vessel_tips": Spec("i8", "1", "tips of growing vessels"),
    "vessel_ruptured": Spec("i8", "1", "voxels of vessels whose wall is ruptured"),
    "protease_total": Spec("f8", "1", "sum of the protease field"),
    "protease_max": Spec("f8", "1", "maximum of the protease field"),
    "matrix_min": Spec("f8", "1", "minimum of the matrix field"),
    "matrix_lost": Spec("f8", "1", "intact fraction lost since the start, summed over voxels"),
    "invasion_rms_um": Spec("f8", "um", "root mean square distance of tumour cells from the middle of the lattice"),
}
# of a scenario with a duct
DUCT_SERIES: dict[str, Spec] = {
    "cells_outside_duct": Spec("i8", "1", "tumour cells beyond the basement membrane of the duct"),
}
# of a scenario whose body is a graph
BODY_SERIES: dict[str, Spec] = {
    "seeds_waiting": Spec("i8", "1", "of the seeds arrested: those still in a vessel"),
    "seeds_returned": Spec("i8", "1", "seeds back in the primary so far"),
    "colonies_dormant": Spec("i8", "1", "dormant colonies, most of them single cells"),
    "niche_factor": Spec("f8", "1", "factor from the primary that prepares organs, relative"),
    "niche_prepared": Spec("f8", "1", "how far the organs of the niche are prepared, 0 to 1"),
}
BODY_COLUMNS: dict[str, dict[str, Spec]] = {
    "seeds": {
        "kind": Spec("u1", "1", "what it is like", (), (1, 2, 4, 8), ("cluster", "small", "evasive", "cloaked")),
        "killed": Spec("i4", "1", "cells that natural killers took while it was arrested"),
        "adapted": Spec("i4", "1", "cells adapted to life in an organ"),
        "parent": Spec("i8", "1", "row of /colonies that shed it, -1 the primary"),
    },
    "colonies": {
        "evasive": Spec("u1", "1", "1 if it evades natural killers, as what it sheds does"),
        "parent": Spec("i8", "1", "row of /colonies that shed its founder, -1 the primary"),
        "adapted_cells": Spec("i8", "1", "of its cells: those adapted to life in an organ"),
        "vascular": Spec("u1", "1", "1 once it has vessels of its own"),
    },
}
# of a primary that is a number of cells and sheds by a law
EMISSION_SERIES: dict[str, Spec] = {
    "primary_diameter_mm": Spec("f8", "mm", "diameter of the ball of the primary's cells"),
    "ctc_from_metastases": Spec("f8", "1", "of the cells that a sample at the last site holds: shed by colonies"),
    "seeds_died_in_transit": Spec("i8", "1", "seeds that died on their way so far, counted ones included"),
    "seeds_died_after_arrest": Spec("i8", "1", "seeds that died where they arrested so far, counted ones included"),
}
# series <name>.<site of sampling>
SITE_SERIES: dict[str, Spec] = {
    "ctc_mean": Spec("f8", "1", "tumour cells and clusters in 7.5 mL of blood drawn here, in the mean"),
    "ctc_single": Spec("i8", "1", "single tumour cells found in a sample of 7.5 mL drawn here"),
    "ctc_cluster": Spec("i8", "1", "clusters found in that sample"),
}
SEEDS_HELD = Spec("i8", "1", "seeds that this organ has held so far")  # series seeds_held.<organ>
ORGAN_CELLS = Spec("i8", "1", "tumour cells in the organ")  # series organ_cells.<organ>
SOLUTES = ("oxygen", "drug", "growth_factor", "mitogen", "cytokine", "chemokine", "vegf", "vegf_c", "inhibitor")
# series <solute>_min, <solute>_mean, <solute>_max of the solutes that a run has
SOLUTE_SERIES: dict[str, Spec] = {
    f"{solute}_{which}": Spec("f8", FIELDS[solute].units, f"{word} of the {solute} field")
    for solute in SOLUTES
    for which, word in (("min", "minimum"), ("mean", "mean"), ("max", "maximum"))
}

TABLES: dict[str, dict[str, Spec]] = {
    "seeds": {
        "time_h": Spec("f8", "h", "when it left its lattice"),
        "z_um": Spec("f4", "um", "where it left: z"),
        "y_um": Spec("f4", "um", "where it left: y"),
        "x_um": Spec("f4", "um", "where it left: x"),
        "cells": Spec("i4", "1", "cells in the seed"),
        "clone": Spec("u4", "1", "clone of its first cell"),
        "emt": Spec("u1", "1", "mean emt of its cells, rounded"),
        "route": _coded("u1", "way out", ROUTES),
        "fate": _coded("u1", "what became of it", FATES),
        "organ": Spec("i2", "1", "index into organ_names, -1 none"),
        "arrest_h": Spec("f8", "h", "when it arrested, NaN if it did not"),
        "colony": Spec("i8", "1", "row of /colonies it founded or joined, -1 none"),
    },
    "colonies": {
        "organ": Spec("i2", "1", "index into organ_names"),
        "founded_h": Spec("f8", "h", "when it was founded"),
        "founder_seed": Spec("i8", "1", "row of /seeds that founded it"),
        "clone": Spec("u4", "1", "clone of the founder"),
        "cells": Spec("i8", "1", "cells in the colony"),
        "state": _coded("u1", "state", COLONY_STATES),
        "diameter_mm": Spec("f4", "mm", "diameter of a ball (2-D: a disc) of that many cells"),
    },
    "clones": {
        "parent": Spec("i8", "1", "parent clone, -1 for the founder"),
        "born_h": Spec("f8", "h", "when it arose"),
    },
}
# The dimension of a table is the row number; its coordinate variable has that name.
TABLE_DIMENSIONS = {"seeds": "seed", "colonies": "colony", "clones": "clone"}

# Attributes with room reserved at creation: no attribute can be added while the file is readable
# by others. Everything given at the end stands in `at_end` too, as JSON.
END_ATTRIBUTES = {"digest": 64, "state": 16, "at_end": 16384}
STATES = ("running", "interrupted", "finished")
