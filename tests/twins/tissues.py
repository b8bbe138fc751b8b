"""Random tissues to try processes on, and which of their arrays a process has changed."""

import numpy as np

from seedsoil.kernels import tissue as tissue_module
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare

FLAT, DEEP = (1, 64, 64), (12, 16, 20)
STATE = (*tissue_module.STATE, "protease")
SCRATCH = ("spare", "intent", "leaving", "busy", "counters")


def random_tissue(lattice: Lattice, *, seed: int = 1, density: float = 0.3, vessels: float = 0.02) -> Tissue:
    """Cells of every code, tumour cells of every emt, vessels intact and ruptured, rough fields."""
    draw = np.random.default_rng(seed)
    shape = lattice.shape
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
    code = np.where(draw.random(shape) < 0.9, Cell.TUMOUR, draw.integers(2, 6, shape))
    tissue.cell[...] = np.where(draw.random(shape) < density, code, Cell.EMPTY)
    tumour = tissue.cell == Cell.TUMOUR
    tissue.emt[...] = np.where(tumour, draw.integers(0, 256, shape), 0)
    tissue.clone[...] = np.where(tumour, draw.integers(0, 2**32, shape, dtype=np.uint32), 0)
    tissue.colony[...] = np.where(tumour, draw.integers(0, 9, shape), 0)
    tissue.due[...] = np.where(tumour, draw.random(shape) < 0.2, 0)
    kinds = [Vessel.BLOOD, Vessel.BLOOD | Vessel.PERFUSED, Vessel.LYMPH | Vessel.PERFUSED]
    kinds.append(Vessel.BLOOD | Vessel.RUPTURED | Vessel.PERFUSED)
    tissue.heading[...] = np.where(tumour, draw.integers(0, lattice.faces + 1, shape), 0)
    tissue.vessel[...] = np.where(draw.random(shape) < vessels, draw.choice([int(k) for k in kinds], shape), 0)
    tissue.matrix[...] = draw.random(shape, dtype=np.float32)
    tissue.protease[...] = draw.random(shape, dtype=np.float32)
    return tissue


def filled_tissue(lattice: Lattice, emt: int = 255) -> Tissue:
    """A tumour cell in every voxel, each its own clone."""
    tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
    tissue.cell[...] = Cell.TUMOUR
    tissue.emt[...] = emt
    tissue.clone[...] = np.arange(lattice.voxels, dtype=np.uint32).reshape(lattice.shape)
    return tissue


def put(tissue: Tissue, at: tuple[int, int, int], *, emt: int = 255, clone: int = 0, colony: int = 0) -> None:
    """Put one tumour cell at (z, y, x)."""
    tissue.cell[at], tissue.emt[at] = Cell.TUMOUR, emt
    tissue.clone[at], tissue.colony[at], tissue.due[at] = clone, colony, 0


def snapshot(tissue: Tissue) -> dict[str, np.ndarray]:
    """Copies of all arrays."""
    return {name: getattr(tissue, name).copy() for name in (*STATE, *SCRATCH)}


def changed(before: dict[str, np.ndarray], tissue: Tissue) -> set[str]:
    """Names of the arrays that differ from the snapshot in a single bit."""
    return {name for name, value in before.items() if value.tobytes() != getattr(tissue, name).tobytes()}


def ulps(one: np.ndarray, other: np.ndarray) -> int:
    """How many representable f32 numbers lie between two arrays of one sign, at most."""
    assert one.dtype == other.dtype == np.float32
    return int(np.abs(one.view(np.int32).astype(np.int64) - other.view(np.int32).astype(np.int64)).max())
