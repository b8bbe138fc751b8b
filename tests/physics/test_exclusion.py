"""Exclusion: how crowding slows cells, against the theory of the symmetric exclusion process.

A cell tries each face with w = p/6. Of those that want one empty voxel one wins, so a wish is granted with

    c = E[1/(1 + B)],  B the number of rivals;  (1 - (1 - x)^6)/(6x) with x = w rho for independent neighbours

which is the crowding factor: 0.9815 at density 0.9 and p = 0.05. Three things follow, at densities 0.1, 0.5, 0.9:

exchange    hops per cell and substep = p (1 - rho) c, the motility of a cell over its next hop
collective  a cosine mode of the density decays as that of plain exclusion (where it obeys the plain diffusion
            equation, D = w dx^2, at any density) but for the contest. Its rate comes from the mean-field
            equation of the rule, integrated here: d rho_i = sum_j [F_ji - F_ij], F_ij = w rho_i (1 - rho_j) c_ij.
            A gradient also feeds c itself, so D/D0 is c + (7/2) w rho (1 - rho) to first order, not c alone:
            1.0005, 0.997 and 0.984.
tracer      D = (1 - rho) c f, f the correlation factor of Nakazato and Kitahara (1980, Prog. Theor. Phys. 64, 2261):
            (1 + k)/(1 - k (3 rho - 2)/(2 - rho)), k = -0.2098 the mean cosine between successive
            hops of a cell at density 1 on the cubic lattice

Fixed keys. Every bar is at least 3 standard errors wide (false alarms below 3e-3 a case, when the keys were chosen).
"""

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.draws import Stamp, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.tissue import Cell, Count, Tissue, bare
from seedsoil.sim.device import start

pytestmark = pytest.mark.physics

P = 0.05
W = P / 6
STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
RATES = MotilityRates(1, LINEAR, W, W, 0.0, threshold(1.0001 * P))
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)
S, DS = (NODES + 1) / 2, WEIGHTS / 2  # exact for the polynomials below


def granted(*rival_probabilities: np.ndarray) -> np.ndarray:
    """E[1/(1 + B)] for independent rivals: the integral over s of prod(1 - q + q s)."""
    product = 1.0
    for q in rival_probabilities:
        product = product * (1 - np.asarray(q)[..., None] * (1 - S))
    return (product * DS).sum(axis=-1)


def crowding_factor(density: float) -> float:
    x = W * density
    return (1 - (1 - x) ** 6) / (6 * x)


def advance(tissue: Tissue, key: int, substeps: int, first: int = 0) -> None:
    for tick in range(first, first + substeps):
        motility.propose(tissue, RATES, 0, Stamp.of(key, 0, tick), solid_vessels=False)
        contest.settle(tissue, STAYS, 0, Stamp.of(key, 0, tick))


def tissue_of(shape: tuple[int, int, int]) -> Tissue:
    return bare(start("cpu").lattice(shape), lattice_id=0, voxel_um=10.0)


def test_the_crowding_factor_is_the_mean_share_of_a_contest():
    for density in (0.1, 0.5, 0.9):
        assert np.isclose(granted(*[np.array(W * density)] * 5), crowding_factor(density), rtol=1e-12)
    assert abs(crowding_factor(0.9) - 0.981) < 1e-3


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_exchange(density):
    shape = (64, 64, 64)
    tissue = tissue_of(shape)
    rng = np.random.default_rng(7)
    inside = np.pad(np.ones(shape, dtype=int), 1)
    beside = sum(np.roll(inside, s, a) for a in range(3) for s in (-1, 1))[1:-1, 1:-1, 1:-1]
    # a voxel with k neighbours is filled with probability (1 - rho)(1 - (1 - w rho)^k)
    expected = 0.0
    substeps, rounds = 10, 48
    for number in range(rounds):
        tissue.cell[...] = rng.random(shape) < density
        tissue.wake()
        expected += substeps * ((tissue.cell == Cell.EMPTY).mean() * (1 - (1 - W * density) ** beside)).sum()
        advance(tissue, 100 + number, substeps)
    moved = tissue.census()[Count.MOVED]
    assert moved > 500_000
    error = 1 / np.sqrt(moved)
    assert 3 * error < 0.005
    assert abs(moved / expected - 1) < 0.005
    if density == 0.9:  # planted: without the crowding factor
        assert abs(moved / (expected / crowding_factor(density)) - 1) > 0.01


def decayed(profile: np.ndarray, substeps: int, *, crowded: bool) -> np.ndarray:
    """The mean-field equation of the rule for a density that varies along x only; closed walls are periodic here."""
    rho = profile.copy()
    for _ in range(substeps):
        left, right = np.roll(rho, 1), np.roll(rho, -1)
        # into each voxel from the left and from the right; its other rivals: four beside it and one beyond
        from_left = W * left * (1 - rho)
        from_right = W * right * (1 - rho)
        if crowded:
            beside = [W * rho] * 4
            from_left = from_left * granted(*beside, W * right)
            from_right = from_right * granted(*beside, W * left)
        rho = rho + from_left + from_right - np.roll(from_left, -1) - np.roll(from_right, 1)
    return rho


@pytest.mark.parametrize(("density", "amplitude", "rounds"), [(0.1, 0.1, 12), (0.5, 0.45, 2), (0.9, 0.1, 12)])
def test_collective_diffusion(density, amplitude, rounds):
    shape, wavelength, substeps = (128, 128, 128), 8, 160
    mode = np.cos(2 * np.pi * (np.arange(shape[2]) + 0.5) / wavelength)  # its slope is zero at the walls
    profile = density + amplitude * mode
    tissue = tissue_of(shape)
    rng = np.random.default_rng(17)

    def amplitude_of(rho: np.ndarray) -> float:
        return float(rho @ mode / (mode @ mode))

    start_sum = end_sum = 0.0
    for number in range(rounds):
        tissue.cell[...] = rng.random(shape) < profile
        tissue.wake()
        start_sum += amplitude_of(tissue.cell.mean(axis=(0, 1)))
        advance(tissue, 200 + number, substeps)
        end_sum += amplitude_of(tissue.cell.mean(axis=(0, 1)))

    def rate(end: float) -> float:
        return -np.log(end)

    measured = rate(end_sum / start_sum)
    plain = rate(amplitude_of(decayed(profile, substeps, crowded=False)) / amplitude)
    theory = rate(amplitude_of(decayed(profile, substeps, crowded=True)) / amplitude)
    assert np.isclose(plain, -substeps * np.log(1 - 2 * W * (1 - np.cos(2 * np.pi / wavelength))))
    ratio = np.exp(-plain)
    noise = np.sqrt(2 * density * (1 - density) * (1 - ratio**2) / (rounds * tissue.lattice.voxels))
    error = noise / (amplitude * ratio * plain)
    assert 3 * error < 0.01
    assert abs(measured / theory - 1) < 0.01
    assert abs(theory / plain - crowding_factor(density)) < 0.01  # so this is D within 1 % of the crowding factor too
    if density == 0.9:  # planted: theory without the contest
        assert abs(measured / plain - 1) > 0.01


@pytest.mark.parametrize(("density", "substeps"), [(0.5, 2000), (0.9, 6000)])
def test_tracer_diffusion(density, substeps):
    shape = (64, 64, 64)
    tissue = tissue_of(shape)
    tumour = np.random.default_rng(3).random(shape) < density
    tissue.cell[tumour] = Cell.TUMOUR
    tissue.clone[tumour] = 1 + np.arange(tumour.sum())
    begin = np.argwhere(tumour)
    inner = ((begin >= 12) & (begin < 52)).all(axis=1)

    def squares() -> float:
        at = np.empty_like(begin)
        at[tissue.clone[tissue.cell == Cell.TUMOUR].astype(int) - 1] = np.argwhere(tissue.cell == Cell.TUMOUR)
        return float(((at - begin)[inner] ** 2).sum(axis=1).mean())

    # the slope from a quarter on: at first a cell has not yet met its own vacancy again
    quarter = substeps // 4
    advance(tissue, 300, quarter)
    early = squares()
    advance(tissue, 300, substeps - quarter, first=quarter)
    late = squares()
    measured = (late - early) / (6 * W * (substeps - quarter))
    cosine = -0.2098
    correlation = (1 + cosine) / (1 - cosine * (3 * density - 2) / (2 - density))
    theory = (1 - density) * crowding_factor(density) * correlation
    error = late / (late - early) * np.sqrt(2 / (3 * inner.sum()))
    assert np.sqrt(late / 3) < 4  # so nobody has come near a wall 12 voxels away
    assert 3 * error < 0.025
    assert abs(measured / theory - 1) < 0.025
    assert abs(measured / (theory / correlation) - 1) > 0.1  # planted: without the correlation of hops
