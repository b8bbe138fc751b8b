"""Isolated walkers on flat matrix: Franssen 2019 in its own units, and what haptotaxis does in the long run.

Franssen et al. (2019): sites of 10 um, steps of 40 s, D_M = 1e-4 and D_E = 5e-5 (0.2 cm)^2 per 4e4 s, so the
mean squared displacement after n steps is 0.016 n (mesenchymal) and 0.008 n (epithelial) sites^2. Here a site is
2 x 2 voxels of 5 um, the lattice 402 x 402, and a step takes two substeps.
"""

import math

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import Motility
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import start

pytestmark = pytest.mark.physics

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
SHAPE, VOXEL_UM, TICK_H, STEPS = (1, 402, 402), 5.0, 40 / 3600, 150
SPACING, MARGIN = 20, 40  # voxels; in 150 steps an M walker strays 2.2 voxels r.m.s. along an axis


def hop(tissue: Tissue, rates: motility.MotilityRates, key: int, tick: int) -> None:
    for substep in range(rates.substeps):
        motility.propose(tissue, rates, substep, Stamp.of(key, 0, tick), solid_vessels=False)
        contest.settle(tissue, STAYS, substep, Stamp.of(key, 0, tick))


def displacements(table: Motility, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (walkers, 2) in 10 um sites after 150 steps, and who is mesenchymal."""
    lattice = start("cpu").lattice(SHAPE)
    rates = motility.rates(table, lattice, VOXEL_UM, TICK_H)
    tissue = bare(lattice, lattice_id=0, voxel_um=VOXEL_UM)
    moved, fast = [], []
    for key in range(rounds):
        for name in ("cell", "emt", "clone"):
            getattr(tissue, name)[...] = 0
        # a grid, shifted from round to round: walkers so far apart never meet, nor a wall
        shift = MARGIN + 3 * key % SPACING
        tissue.cell[0, shift:-MARGIN:SPACING, shift:-MARGIN:SPACING] = Cell.TUMOUR
        begin = np.argwhere(tissue.cell)
        here = tissue.cell == Cell.TUMOUR
        tissue.clone[here] = 1 + np.arange(len(begin))
        tissue.emt[here] = np.where(np.arange(len(begin)) % 2, 255, 0)
        tissue.wake()
        for tick in range(STEPS):
            hop(tissue, rates, key, tick)
        here = tissue.cell == Cell.TUMOUR
        moved.append((np.argwhere(here) - begin[tissue.clone[here].astype(int) - 1])[:, 1:] * VOXEL_UM / 10.0)
        fast.append(tissue.emt[here] == 255)
    return np.concatenate(moved), np.concatenate(fast)


def test_mean_squared_displacement_of_isolated_walkers():
    moved, fast = displacements(Motility(law="linear"), rounds=100)
    square = (moved**2).sum(axis=1)
    for mask, per_step in ((fast, 0.016), (~fast, 0.008)):
        walkers, expected = int(mask.sum()), per_step * STEPS
        assert walkers >= 10_000
        # a square in 2-D has s.d. = mean, so 3 % is 3.5 s.e. of 14 000 walkers: 5e-4 false alarms, fixed keys
        measured = square[mask].mean()
        assert 3 * expected / math.sqrt(walkers) < 0.03 * expected
        assert abs(measured - expected) < 0.03 * expected
        # nobody drifts, and both axes spread alike
        error = math.sqrt(expected / 2 / walkers)
        assert (np.abs(moved[mask].mean(axis=0)) < 4 * error).all()
        axes = (moved[mask] ** 2).mean(axis=0)
        assert abs(axes[0] - axes[1]) < 4 * expected / math.sqrt(walkers)
        # the tails too: 3 for a Gaussian, and 1/(hops along the axis) more for a walk of few hops
        kurtosis = (moved[mask] ** 4).mean() / (moved[mask] ** 2).mean() ** 2
        hops = expected * (10 / VOXEL_UM) ** 2
        assert abs(kurtosis - (3 + 2 / hops)) < 4 * math.sqrt(24 / (2 * walkers)) + 0.05


def test_a_wrong_tick_and_swapped_phenotypes_are_told_apart():
    """Planted errors: 6 % in the motility, twice the bar, and M taken for E."""
    wrong = Motility(law="linear", mesenchymal_um2_per_h=36.0 * 1.06, epithelial_um2_per_h=18.0)
    moved, fast = displacements(wrong, rounds=100)
    square = (moved**2).sum(axis=1)
    assert abs(square[fast].mean() - 0.016 * STEPS) > 0.03 * 0.016 * STEPS
    assert abs(square[fast].mean() - 0.008 * STEPS) > 0.9 * 0.008 * STEPS


def test_walkers_gather_up_the_matrix_as_detailed_balance_says():
    """Boltzmann law, matrix in waves: at rest rho/(1 - rho) ~ exp((chi/D) m), crowding and closed walls included."""
    lattice = start("cpu").lattice(SHAPE)
    tissue = bare(lattice, lattice_id=0, voxel_um=10.0)
    period = 6
    wave = (1 + np.cos(2 * np.pi * np.arange(period) / period)) / 2
    tissue.matrix[...] = np.tile(wave, SHAPE[2] // period)
    rates = motility.rates(
        Motility(mesenchymal_um2_per_h=20.0, epithelial_um2_per_h=20.0, haptotaxis_um2_per_h=40.0), lattice, 10.0, 0.25
    )
    tissue.cell[0] = np.random.default_rng(5).random(SHAPE[1:]) < 0.05
    cells = int(tissue.cell.sum())
    # D per substep 0.0125 voxels^2: a wave settles within (6/2 pi)^2/0.0125 = 73 substeps
    counts, samples = np.zeros(period), 5
    for tick in range(samples * 300):
        motility.propose(tissue, rates, 0, Stamp.of(1, 0, tick), solid_vessels=False)
        contest.settle(tissue, STAYS, 0, Stamp.of(1, 0, tick))
        if tick % 300 == 299:
            counts += tissue.cell[0].sum(axis=0).reshape(-1, period).sum(axis=0)

    def at_rest(chi_over_d: float) -> np.ndarray:
        """Expected cells per phase of the wave: the fugacity that gives as many cells in all."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            odds = middle * np.exp(chi_over_d * wave)
            low, high = (middle, high) if (odds / (1 + odds)).mean() < cells / lattice.voxels else (low, middle)
        return samples * lattice.voxels / period * odds / (1 + odds)

    # 4 s.e. in each of six phases: 4e-4 false alarms, fixed key
    assert (np.abs(counts - at_rest(2.0)) < 4 * np.sqrt(at_rest(2.0))).all()
    assert (np.abs(counts - at_rest(2.2)) > 4 * np.sqrt(at_rest(2.2))).any()  # planted: chi 10 % too high
    assert (np.abs(counts - at_rest(0.0)) > 4 * np.sqrt(at_rest(0.0))).any()  # planted: nobody has moved
