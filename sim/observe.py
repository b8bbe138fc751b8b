"""What a run records of itself: a row of scalars, a frame of fields, the tables."""

from typing import Any

import numpy as np

from ..kernels.phenotype import HYBRID_EMT
from ..kernels.tissue import DEBRIS, GONE, Cell, Tissue, Vessel
from . import duct
from .body import organs
from .body.books import ARRESTED
from .body.seeds import DEAD, Fate
from .clones import TRAITS
from .simulation import Simulation


def row(run: Simulation) -> dict[str, float]:
    """One row of `/series`: stocks now, and flows since the row before (which it takes)."""
    run.recount()
    tissue, seeds, flows = run.primary, run.seeds, run.flows
    living, shannon, simpson = run.clones.diversity()
    at = tumour_at(tissue)
    emt = tissue.emt.reshape(-1)[at]
    out: dict[str, float] = {
        "tick_time": run.time_h,
        "tumour_cells": run.cells,
        "mesenchymal_cells": run.mesenchymal,
        "epithelial_cells": run.cells - run.mesenchymal,
        **{name: flows[name] for name in ("born", "died", "moved", "departed", "arrived")},
        "emt_mean": mean_emt(emt),
        "hybrid_cells": hybrids(emt),
        **{f"died_{cause.name.lower()}": flows[f"died.{cause.name.lower()}"] for cause in (*GONE, *DEBRIS)},
        "necrotic_voxels": run.others.necrotic,
        "immune_cells": run.others.immune,
        **{name: flows[name] for name in ("immune_entered", "immune_exhausted")},
        "seeds_released": seeds.released,
        "seeds_in_transit": seeds.count(Fate.IN_TRANSIT),
        "seeds_dead": _of_fates(run, *DEAD),
        "seeds_arrested": seeds.count(*ARRESTED),
        "colonies_growing": run.colonies.count(organs.GROWING),
        "colonies_extinct": run.colonies.count(organs.EXTINCT),
        "clones_living": living,
        "clone_shannon": shannon,
        "clone_simpson": simpson,
        **vessels(tissue),
        "protease_total": float(tissue.protease.sum(dtype=np.float64)),
        "protease_max": float(tissue.protease.max()),
        "matrix_min": float(tissue.matrix.min()),
        "matrix_lost": float(run.matrix_at_start - tissue.matrix.sum(dtype=np.float64)),
        "invasion_rms_um": spread_um(tissue, at),
    }
    for role in run.scenario.solutes.roles:
        if role != "protease":
            field = tissue.solutes[role]
            out[f"{role}_min"], out[f"{role}_max"] = float(field.min()), float(field.max())
            out[f"{role}_mean"] = float(field.sum(dtype=np.float64)) / field.size
    if run.scenario.matrix.texture.kind == "duct":
        out["cells_outside_duct"] = duct.cells_outside(tissue, run.scenario.matrix.texture)
    held = run.cells_by_organ()
    for organ in run.organs:
        out[f"organ_cells.{organ.name}"] = held[organ.index]
    out |= run.circulation.observed(seeds) | run.observed()
    flows.clear()
    return out


def vessels(tissue: Tissue) -> dict[str, float]:
    """How many voxels are vessels, what share of them is perfused, tips, ruptures."""
    xp, vessel = tissue.xp, tissue.vessel.reshape(-1)
    held = _host(xp.bincount(vessel[xp.flatnonzero(vessel != 0)], minlength=256))  # they are few
    bits = np.arange(256)
    count = {bit: int(held[bits & bit > 0].sum()) for bit in (Vessel.PERFUSED, Vessel.TIP, Vessel.RUPTURED)}
    everything = int(held[1:].sum())
    return {
        "vessel_voxels": everything,
        "vessel_perfused": count[Vessel.PERFUSED] / everything if everything else float("nan"),
        "vessel_tips": count[Vessel.TIP],
        "vessel_ruptured": count[Vessel.RUPTURED],
    }


def tumour_at(tissue: Tissue) -> Any:
    """Flat indices of the tumour cells, ascending."""
    return tissue.xp.flatnonzero(tissue.cell.reshape(-1) == np.uint8(Cell.TUMOUR))


def spread_um(tissue: Tissue, at: Any = None) -> float:
    """Root mean square distance of the tumour cells from the middle of the lattice, in um (0 without cells).

    `at`: what `tumour_at` says, if that is known. Planes are counted, in integers, and not cells: it is exact.
    """
    xp, (nz, ny, nx) = tissue.xp, tissue.lattice.shape
    at = tumour_at(tissue) if at is None else at
    if at.size == 0:
        return 0.0
    held = (tissue.cell == np.uint8(Cell.TUMOUR)).sum(axis=0, dtype=np.min_scalar_type(nz))
    planes = xp.diff(xp.searchsorted(at, xp.arange(nz + 1) * (ny * nx)))
    total = 0.0
    for cells, n in zip((planes, held.sum(axis=1), held.sum(axis=0)), (nz, ny, nx), strict=True):
        twice = 2 * np.arange(n) - (n - 1)  # the distance from the middle, in halves of a voxel
        total += int((_host(cells).astype(np.int64) * twice**2).sum()) / 4 / at.size
    return tissue.voxel_um * total**0.5


def mean_emt(emt: Any) -> float:
    """Mean of the tumour cells' emt, 0 to 255 (NaN without cells)."""
    return float(emt.sum(dtype=np.int64)) / emt.size if emt.size else float("nan")


def hybrids(emt: Any) -> int:
    """How many of the tumour cells' emt are in the middle half of the spectrum."""
    low, high = HYBRID_EMT
    return int(((emt >= low) & (emt <= high)).sum())


def fields(tissue: Tissue, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named fields as host arrays (nz, ny, nx)."""
    return {name: tissue.host(name) for name in names}


def tables(run: Simulation) -> dict[str, dict[str, np.ndarray]]:
    """The seed, colony and clone tables in the units of the file (um, h, names by index)."""
    run.recount()
    tick_h, um = run.scenario.lattice.tick_h, run.scenario.lattice.voxel_um
    seeds, colonies = run.seeds.table, run.colonies.table
    shapes = [run.primary.lattice.shape] + [tuple(run.scenario.body.organ_shape)] * len(run.organs)
    more_of_seeds, more_of_colonies = run.circulation.columns(seeds.rows)
    z, y, x = _places(seeds["voxel"], seeds["lattice_id"], shapes, um)
    seed_table = {
        "time_h": seeds["tick"] * tick_h,
        "z_um": z,
        "y_um": y,
        "x_um": x,
        "cells": seeds["cells"],
        "mesenchymal_cells": seeds["mesenchymal"],
        "clone": seeds["clone"],
        "emt": seeds["emt"],
        "route": seeds["route"],
        "fate": seeds["fate"],
        "source": seeds["lattice_id"],
        "fragment": seeds["fragment"],
        "cells_without_room": seeds["cells_without_room"],
        "organ": seeds["organ"],
        "arrest_h": np.where(seeds["arrest_tick"] >= 0, seeds["arrest_tick"] * tick_h, np.nan),
        "colony": seeds["colony"],
        **more_of_seeds,
    }
    z, y, x = _places(colonies["voxel"], colonies["organ"] + 1, shapes, um)
    colony_table = {
        "organ": colonies["organ"],
        "founded_h": colonies["founded_tick"] * tick_h,
        "founder_seed": colonies["founder_seed"],
        "clone": colonies["clone"],
        "founder_cells": colonies["founder_cells"],
        "cells": colonies["cells"],
        "state": colonies["state"],
        "z_um": z,
        "y_um": y,
        "x_um": x,
        "diameter_mm": _diameter_mm(colonies["cells"], um, _flat(run)),
        "label": colonies["label"],
        **more_of_colonies,
    }
    return {"seeds": seed_table, "colonies": colony_table, "clones": clone_table(run)}


def clone_table(run: Simulation) -> dict[str, np.ndarray]:
    """The clones: parent, when and where each arose, its cells now, its traits."""
    clones = run.clones.table
    travelling = np.zeros(run.clones.rows, dtype=np.int64)
    if run.clones.rows > 1:
        for row in np.flatnonzero(run.seeds.table["fate"] == Fate.IN_TRANSIT):
            np.add.at(travelling, run.seeds.members_of(int(row))[1], 1)
    return {
        "parent": clones["parent"],
        "born_h": clones["born_tick"] * run.scenario.lattice.tick_h,
        "source": clones["lattice_id"],
        "cells": clones["cells"],
        "cells_in_transit": travelling,
        **{name: clones[name] for name in TRAITS},
    }


def _places(voxel: np.ndarray, lattice_id: np.ndarray, shapes: list, um: float) -> tuple[np.ndarray, ...]:
    """Voxel centres in um, each in its own lattice; NaN for what stands in none."""
    out = np.full((3, len(voxel)), np.nan)
    for number, shape in enumerate(shapes):
        mine = np.flatnonzero((lattice_id == number) & (voxel >= 0))
        if len(mine):
            out[:, mine] = (np.array(np.unravel_index(voxel[mine], shape)) + 0.5) * um
    return out[0], out[1], out[2]


def _diameter_mm(cells: np.ndarray, um: float, flat: bool) -> np.ndarray:
    """Diameter of the disc or ball of as many voxels, mm."""
    volume = cells.astype(float) * um ** (2 if flat else 3)
    return (2 * np.sqrt(volume / np.pi) if flat else np.cbrt(6 * volume / np.pi)) / 1000.0


def _host(values: Any) -> np.ndarray:
    return values if isinstance(values, np.ndarray) else values.get()


def _flat(run: Simulation) -> bool:
    """Are colonies discs? In a body that is a graph they are balls, whatever their organ's lattice would be."""
    return run.scenario.body.organ_shape[0] == 1 and not run.scenario.body.graph


def _of_fates(run: Simulation, *fates: Fate) -> int:
    """Seeds of these fates, those that were only counted among them."""
    return run.seeds.count(*fates) + run.circulation.counted(*fates)


def summary(run: Simulation) -> dict[str, Any]:
    """What the command line and `status.json` tell of a run."""
    run.recount()
    held = run.cells_by_organ()
    by_organ = {organ.name: {"cells": held[organ.index], "colonies": 0} for organ in run.organs}
    for index, state in zip(run.colonies.table["organ"], run.colonies.table["state"], strict=True):
        by_organ[run.organs[index].name]["colonies"] += int(state == organs.GROWING)
    return {
        "tumour_cells": run.cells,
        "mesenchymal_cells": run.mesenchymal,
        "seeds_released": run.seeds.released,
        "seeds_from_break_up": run.seeds.fragments,
        "seeds_in_transit": run.seeds.count(Fate.IN_TRANSIT),
        "seeds_died_in_transit": _of_fates(run, Fate.DIED_IN_TRANSIT),
        "seeds_died_after_arrest": _of_fates(run, Fate.DIED_AFTER_ARREST, Fate.NO_ROOM),
        "colonies_growing": run.colonies.count(organs.GROWING),
        "colonies_extinct": run.colonies.count(organs.EXTINCT),
        "organs": by_organ,
    }
