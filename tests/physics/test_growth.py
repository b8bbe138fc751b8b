"""Growth laws: the Yule process where there is room, a front of constant speed where there is none."""

import math

import numpy as np
import pytest

from seedsoil.kernels import census, contest, motility, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.proliferation import Proliferation, ProliferationRates
from seedsoil.kernels.tissue import Cell, Count, Tissue, bare
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics

REST = MotilityRates(1, LINEAR, 0.0, 0.0, 0.0, 0)
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)


def grow(tissue: Tissue, rates: ProliferationRates, moves: MotilityRates, key: int, ticks: int) -> np.ndarray:
    """Number of tumour cells after each tick, until they reach a wall."""
    counts = []
    for tick in range(ticks):
        stamp = Stamp.of(key, 0, tick)
        tissue.counters[...] = 0
        proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
        for substep in range(moves.substeps):
            motility.propose(tissue, moves, substep, stamp, solid_vessels=False)
            if substep == 0:
                proliferation.propose(tissue, stamp, solid_vessels=False)
            contest.settle(tissue, CLOSED, substep, stamp)
        census.count(tissue)
        counts.append(int(tissue.counters[Count.TUMOUR]))
    return np.array(counts)


@pytest.fixture(scope="module")
def clone_sizes(device: Device) -> np.ndarray:
    """Sizes of 49152 uncrowded clones after 60 ticks of rate x tick = 0.02 (rt = 1.2)."""
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.02, mesenchymal_per_h=0.02), 1.0)
    hops = MotilityRates(2, LINEAR, 0.016, 0.016, 0.0, ALWAYS)
    sizes = []
    for key in range(96):
        tissue = bare(device.lattice((48, 48, 48)), lattice_id=0, voxel_um=20.0)
        tissue.cell[3::6, 3::6, 3::6] = Cell.TUMOUR
        tissue.clone[3::6, 3::6, 3::6] = np.arange(512).reshape(8, 8, 8)
        grow(tissue, rates, hops, key, 60)
        sizes.append(np.bincount(tissue.clone[tissue.cell == Cell.TUMOUR], minlength=512))
    return np.concatenate(sizes)


# a cell divides at most once a tick, so the clones branch in discrete time, with p = 1 - exp(-rate tick);
# continuous time has the mean e^(rt) and the variance m (m - 1): 3.320 and 7.70 there, 3.243 and 6.99 here
P = -math.expm1(-0.02)
MEAN = (1 + P) ** 60
VARIANCE = MEAN * (MEAN - 1) * (1 - P) / (1 + P)


def test_yule_mean_within_two_per_cent(clone_sizes: np.ndarray) -> None:
    """Equivalence: the 99.9 % interval of the mean lies inside +-2 % (two one-sided tests)."""
    error = 3.09 * math.sqrt(VARIANCE / len(clone_sizes))
    assert error < 0.02 * MEAN
    assert MEAN * 0.98 < clone_sizes.mean() - error
    assert clone_sizes.mean() + error < MEAN * 1.02
    faster = (1 + 1.03 * P) ** 60  # a rate that is 3 % too high is refused
    assert not faster * 0.98 < clone_sizes.mean() - error


def test_yule_variance(clone_sizes: np.ndarray) -> None:
    """4 standard errors; the fourth moment is that of a geometric distribution of this mean."""
    fourth = VARIANCE**2 * (9 + 1 / VARIANCE)
    error = math.sqrt((fourth - VARIANCE**2) / len(clone_sizes))
    assert abs(clone_sizes.var() - VARIANCE) < 4 * error
    assert abs(MEAN - VARIANCE) > 4 * error  # a Poisson spread is refused


def test_the_spread_of_synchronous_clones_would_be_seen(device: Device) -> None:
    """The clock law doubles all clones together: the variance is none."""
    tissue = bare(device.lattice((48, 48, 48)), lattice_id=0, voxel_um=20.0)
    tissue.cell[3::6, 3::6, 3::6] = Cell.TUMOUR
    given = Proliferation(law="clock", epithelial_per_h=0.1, mesenchymal_per_h=0.1)
    counts = grow(tissue, proliferation.rates(given, 1.0), REST, 1, 12)
    assert counts.tolist() == [512] * 10 + [1024] * 2


def exponent(radius: np.ndarray) -> float:
    """Exponent of the growth of the radius beyond a quarter of its end: free of the lag of the first cell.

    The first divisions of a point seed take their own time, which a fit through t = 0 takes for acceleration.
    """
    ticks = np.arange(len(radius))
    late = radius > 0.25 * radius[-1]
    passed, grown = ticks[late] - ticks[late][0], radius[late] - radius[late][0]
    fit = passed > 0.1 * passed[-1]
    return float(np.polyfit(np.log(passed[fit]), np.log(grown[fit]), 1)[0])


def test_an_eden_cluster_grows_at_constant_speed(device: Device) -> None:
    """Radius ~ t^1.00 +- 0.02 over four keys, to a radius of 235 voxels; t^0.9 is refused though its R^2 is high."""
    rates = proliferation.rates(Proliferation(epithelial_per_h=0.1, mesenchymal_per_h=0.1), 1.0)
    found, bent = [], []
    for key in range(1, 5):
        tissue = bare(device.lattice((1, 512, 512)), lattice_id=0, voxel_um=20.0)
        tissue.cell[0, 256, 256] = Cell.TUMOUR
        radius = np.sqrt(grow(tissue, rates, REST, key, 2100) / np.pi)
        assert not (tissue.cell[0, 0].any() or tissue.cell[0, :, 0].any())
        found.append(exponent(radius))
        slow = radius**0.9
        bent.append(exponent(slow))
        time = np.arange(len(slow))[slow > 0.25 * slow[-1]]
        assert np.corrcoef(time, slow[slow > 0.25 * slow[-1]])[0, 1] ** 2 > 0.999
    assert np.mean(found) == pytest.approx(1.0, abs=0.02)
    assert np.mean(bent) != pytest.approx(1.0, abs=0.02)
