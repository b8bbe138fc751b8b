"""Hops in numbers: the rate of a phenotype, the drift up a gradient, and how far isolated walkers come.

Fast forms with fixed keys and false-alarm rates of 1e-4 a test; tests/physics has the sharp ones.
"""

import math

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intent import MOVE
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import BOLTZMANN, LINEAR, Motility, MotilityRates
from seedsoil.kernels.tissue import Cell, Tissue, bare

FLAT = (1, 64, 64)
STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
LAWS = {"linear": LINEAR, "boltzmann": BOLTZMANN}


def one_substep(law: str, epithelial: float, mesenchymal: float, taxis: float) -> MotilityRates:
    """Rates given outright, per face: far more hops than a run has, so that a small lattice shows them."""
    return MotilityRates(1, LAWS[law], epithelial, mesenchymal, taxis, ALWAYS)


def apart(tissue: Tissue, emt: int) -> int:
    """Cells three voxels apart, away from the walls: no two can want one voxel. Returns how many."""
    tissue.cell[...] = 0
    tissue.cell[:, 2:-2:3, 2:-2:3] = Cell.TUMOUR
    tissue.emt[...] = np.where(tissue.cell == Cell.TUMOUR, emt, 0)
    tissue.wake()
    return int((tissue.cell == Cell.TUMOUR).sum())


def hops_by_face(tissue: Tissue, rates: MotilityRates, emt: int, substeps: int) -> tuple[np.ndarray, int]:
    """How often isolated cells hopped through each face, and how many chances they had."""
    found, chances = np.zeros(7, np.int64), 0
    for tick in range(substeps):
        chances += apart(tissue, emt)
        motility.propose(tissue, rates, 0, Stamp.of(20190711, 0, tick), solid_vessels=False)
        found += np.bincount(tissue.intent.reshape(-1), minlength=7)[:7]
    return found[MOVE:], chances


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_isolated_cells_hop_at_the_rate_of_their_phenotype(strew, law):
    tissue = strew(FLAT, 0.0)
    tissue.matrix[...] = 0.4
    slow, fast = 0.03, 0.06
    for emt in (0, 85, 255):
        h = slow + (fast - slow) * emt / 255
        found, chances = hops_by_face(tissue, one_substep(law, slow, fast, 0.1), emt, 150)
        # each of the four faces and their sum: 4 s.e., 3e-4 false alarms for one phenotype
        assert (np.abs(found[:4] - h * chances) < 4 * np.sqrt(h * (1 - h) * chances)).all()
        total = 4 * h
        assert abs(found.sum() - total * chances) < 4 * np.sqrt(total * (1 - total) * chances)
        assert abs(found.sum() - total * 1.1 * chances) > 4 * np.sqrt(total * (1 - total) * chances)  # planted: 10 %


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_cells_drift_up_the_matrix(strew, law):
    """Displacement per substep in voxels: 4 q slope by either law, the second exactly."""
    tissue = strew(FLAT, 0.0)
    slope = 1 / 63
    tissue.matrix[...] = np.arange(64, dtype=np.float32) * np.float32(slope)
    h, q = 0.1, 0.8
    found, chances = hops_by_face(tissue, one_substep(law, h, h, q), 255, 250)
    drift = (found[1] - found[0]) / chances
    expected = 4 * q * slope
    error = math.sqrt((found[0] + found[1]) / chances**2)
    assert error < 0.03 * expected
    assert abs(drift - expected) < 4 * error  # 6e-5 false alarms
    assert abs(drift - expected / 2) > 4 * error  # planted: a factor of two in the haptotactic coefficient
    # and no drift across the gradient
    assert abs(found[3] - found[2]) < 4 * math.sqrt(found[2] + found[3])


def test_isolated_walkers_spread_as_they_should(device):
    """MSD of 1024 walkers after 100 ticks of 40 s on 5 um voxels: 4 D t."""
    lattice = device.lattice((1, 448, 448))
    tissue = bare(lattice, lattice_id=0, voxel_um=5.0)
    tissue.cell[0, 30:-20:12, 30:-20:12] = Cell.TUMOUR
    start = np.argwhere(tissue.cell)
    tissue.clone[tissue.cell == 1] = 1 + np.arange(len(start))
    tissue.emt[tissue.cell == 1] = np.where(np.arange(len(start)) % 2, 255, 0)
    rates = motility.rates(Motility(law="linear"), lattice, 5.0, 40 / 3600)
    for tick in range(100):
        for substep in range(rates.substeps):
            motility.propose(tissue, rates, substep, Stamp.of(11, 0, tick), solid_vessels=False)
            contest.settle(tissue, STAYS, substep, Stamp.of(11, 0, tick))
    at = np.argwhere(tissue.cell)
    moved = at - start[tissue.clone[tissue.cell == 1] - 1]
    square, fast = (moved**2).sum(axis=1), tissue.emt[tissue.cell == 1] == 255
    # (10 um)^2: M 0.016 n, E 0.008 n. In 2-D the square has s.d. = mean: 4 s.e., 6e-5 false alarms each
    for mask, expected in ((fast, 0.016 * 100), (~fast, 0.008 * 100)):
        limit = 4 * expected / math.sqrt(mask.sum())
        assert abs(square[mask].mean() / 4 - expected) < limit
        assert limit < 0.2 * expected  # so a factor between the phenotypes cannot pass
