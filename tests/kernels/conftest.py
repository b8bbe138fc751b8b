"""What the kernel tests share: tissues strewn with cells of every kind."""

from collections.abc import Callable

import numpy as np
import pytest

from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Cell, Tissue, Vessel, bare
from seedsoil.sim.device import Device

# each new shape compiles every kernel again: the tests keep to these two
FLAT, DEEP = (1, 64, 64), (12, 16, 20)


@pytest.fixture
def strew(device: Device) -> Callable[..., Tissue]:
    """Builds a tissue whose voxels are filled at random: cells of every phenotype, a few that are no tumour."""

    def build(
        shape: tuple[int, int, int],
        density: float,
        *,
        seed: int = 0,
        vessels: float = 0.0,
        others: float = 0.0,
        lattice: Lattice | None = None,
    ) -> Tissue:
        lattice = lattice or device.lattice(shape)
        rng = np.random.default_rng(seed)
        tissue = bare(lattice, lattice_id=3, voxel_um=10.0)
        tumour = rng.random(lattice.shape) < density
        tissue.cell[tumour] = Cell.TUMOUR
        tissue.cell[tumour & (rng.random(lattice.shape) < others)] = Cell.STROMA
        n = int(tumour.sum())
        tissue.emt[tumour] = rng.integers(0, 256, n)
        tissue.clone[tumour] = 1 + rng.permutation(n)  # every cell can be told from every other
        tissue.colony[tumour] = rng.integers(0, 2**16, n)
        tissue.heading[tumour] = rng.integers(0, lattice.faces + 1, n)
        tissue.vessel[rng.random(lattice.shape) < vessels] = Vessel.BLOOD | Vessel.PERFUSED
        tissue.vessel[rng.random(lattice.shape) < vessels / 2] = Vessel.BLOOD | Vessel.PERFUSED | Vessel.RUPTURED
        tissue.matrix[...] = rng.random(lattice.shape, dtype=np.float32)
        return tissue

    return build
