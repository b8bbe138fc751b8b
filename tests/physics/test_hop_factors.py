"""What there is to a hop besides random motility and haptotaxis, on cells that move: sharp forms of tests/kernels.

Walkers start far apart on ground without matrix, or with fibres, or on a ramp of a solute. Fixed keys; a bar of 4 s.e. is 6e-5
false alarms, and each bar is narrower than the planted error that is told apart.
"""

import math

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.adhesion import Adhesion
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import Motility, MotilityRates
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import start

pytestmark = pytest.mark.physics

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
FLAT, DEEP = (1, 256, 256), (64, 64, 64)
STILL = {"mesenchymal_um2_per_h": 0.0, "epithelial_um2_per_h": 0.0, "haptotaxis_um2_per_h": 0.0}


def walkers(tissue: Tissue, at: tuple) -> Tissue:
    """Walkers at these voxels, each its own clone and all mesenchymal."""
    tissue.cell[at] = Cell.TUMOUR
    here = tissue.cell == Cell.TUMOUR
    tissue.emt[here] = 255
    tissue.clone[here] = np.arange(int(here.sum()))
    return tissue


def ground(shape: tuple[int, int, int], spacing: int, margin: int, shift: int = 0) -> Tissue:
    """Walkers on a grid."""
    tissue = bare(start("cpu").lattice(shape), lattice_id=0, voxel_um=20.0, matrix=0.0, roles=("vegf",))
    at = tuple(slice(None) if n == 1 else slice(margin + shift, n - margin, spacing) for n in shape)
    return walkers(tissue, at)


def apart(key: int) -> Tissue:
    """Eight walkers in a box, no two of which share a plane across an axis, and so no line: on a grid those of a line meet
    head-on and stand in each other's way, which costs a few percent after 6 h."""
    tissue = bare(start("cpu").lattice(DEEP), lattice_id=0, voxel_um=20.0, matrix=0.0)
    rng = np.random.default_rng(key)
    return walkers(tissue, tuple(18 + 4 * rng.permutation(8) for _ in range(3)))


def walked(tissue: Tissue, rates: MotilityRates, ticks: list[int], key: int) -> list[np.ndarray]:
    """Displacements (walkers, 3) in voxels after each of `ticks`."""
    begin = np.argwhere(tissue.cell == Cell.TUMOUR)
    out = []
    for tick in range(ticks[-1]):
        stamp = Stamp.of(key, 0, tick)
        motility.turn(tissue, rates, stamp)
        for substep in range(rates.substeps):
            motility.propose(tissue, rates, substep, stamp, solid_vessels=False)
            contest.settle(tissue, STAYS, substep, stamp)
        if tick + 1 in ticks:
            here = tissue.cell == Cell.TUMOUR
            out.append(np.argwhere(here) - begin[tissue.clone[here].astype(int)])
    return out


def expected_square(v: float, p: float, t: float) -> float:
    """2 v^2 P [t - P (1 - e^(-t/P))] + v t, in voxels."""
    return 2 * v**2 * p * (t - p * (1 - math.exp(-t / p))) + v * t


@pytest.mark.parametrize(
    ("shape", "keys", "error_at_6_h"),
    [(FLAT, range(60), 0.04), (DEEP, range(3000, 3450), 0.015)],
    ids=["2-D", "3-D"],
)
def test_persistent_walks(shape: tuple[int, int, int], keys: range, error_at_6_h: float) -> None:
    """v 30 um/h, P 3 h on 20 um: 1.5 voxels an hour, 4.5 a run. In 3-D walkers begin apart."""
    table = Motility(**STILL, mesenchymal_speed_um_per_h=30.0, persistence_h=3.0)
    rates = motility.rates(table, Lattice.of(shape), 20.0, 0.1)
    v, p, ticks = 1.5, 3.0, [5, 15, 30, 60]
    begun = (ground(FLAT, 20, 32, key % 5) if shape == FLAT else apart(key) for key in keys)
    found = [walked(tissue, rates, ticks, key) for tissue, key in zip(begun, keys, strict=True)]
    for n, tick in enumerate(ticks):
        moved = np.concatenate([one[n] for one in found])
        square = (moved**2).sum(axis=1)
        expected, error = expected_square(v, p, tick / 10), square.std() / math.sqrt(len(square))
        print(shape, tick / 10, square.mean() / expected, error / expected)
        assert error < (error_at_6_h if tick == ticks[-1] else 0.04) * expected
        assert abs(square.mean() - expected) < 4 * error
        # planted: without the lattice's term
        assert abs(square.mean() - (expected - v * tick / 10)) > 4 * error
        assert (np.abs(moved.mean(axis=0)) < 4 * moved.std(axis=0) / math.sqrt(len(moved)) + 1e-9).all()


def test_unresolved_runs_spread_as_the_diffusion_they_are_mapped_to():
    """v P of two voxels: 2 v^2 P t, which is what the walk tends to but for the lattice's term."""
    table = Motility(**STILL, mesenchymal_speed_um_per_h=20.0, persistence_h=2.0)
    rates = motility.rates(table, Lattice.of(FLAT), 20.0, 0.1)
    moved = np.concatenate([walked(ground(FLAT, 24, 32), rates, [60], key)[0] for key in range(40)])
    square, expected = (moved**2).sum(axis=1), 2 * 1.0**2 * 2.0 * 6.0
    error = square.std() / math.sqrt(len(square))
    assert abs(square.mean() - expected) < 4 * error
    assert abs(square.mean() - expected * 3 / 2) > 4 * error  # planted: the rule of three dimensions in two


@pytest.mark.parametrize("law", ["linear", "boltzmann"])
def test_chemotactic_drift(law):
    """Walkers drift at chi grad(c/(c + K)) on average along their way."""
    chi, half, slope = 4000.0, 2.0, 2.0 / 256
    table = Motility(
        law=law,
        mesenchymal_um2_per_h=60.0,
        haptotaxis_um2_per_h=0.0,
        chemotaxis_role="vegf",
        chemotaxis_um2_per_h=chi,
        chemotaxis_half=half,
    )
    rates = motility.rates(table, Lattice.of(FLAT), 20.0, 0.1)
    moved, expected = [], []
    for key in range(30):
        tissue = ground(FLAT, 12, 24)
        tissue.solutes["vegf"][...] = slope * np.arange(256, dtype=np.float32)
        x = np.nonzero(tissue.cell)[2]
        moved.append(walked(tissue, rates, [100], key)[0])
        # per voxel, in voxels an hour; a walker drifts about a third of a voxel
        expected.append(chi / 400 * slope * half / (half + slope * x) ** 2)
    moved, drift = np.concatenate(moved), np.concatenate(expected).mean() * 10.0
    error = moved[:, 2].std() / math.sqrt(len(moved))
    print(law, moved[:, 2].mean() / drift, error / drift)
    assert error < 0.1 * drift
    assert abs(moved[:, 2].mean() - drift) < 4 * error
    assert abs(moved[:, 1].mean()) < 4 * error
    assert abs(moved[:, 2].mean() - 2 * drift) > 4 * error  # planted: a factor of two


def test_fibres_make_diffusion_a_tensor_of_the_same_trace():
    """S 0.5 in 2-D: D_along 1.5 D, D_across 0.5 D."""
    table = Motility(mesenchymal_um2_per_h=60.0, haptotaxis_um2_per_h=0.0, guidance_fraction=0.5)
    rates = motility.rates(table, Lattice.of(FLAT), 20.0, 0.1)
    moved = []
    for key in range(40):
        tissue = ground(FLAT, 12, 24)
        tissue.matrix[...], tissue.fibre[...] = 1.0, 3
        moved.append(walked(tissue, rates, [60], key)[0])
    square = np.concatenate(moved)[:, 1:] ** 2
    plain = 2 * 60.0 * 6.0 / 400
    error = square.std(axis=0) / math.sqrt(len(square))
    print("across, along:", square.mean(axis=0) / plain, error / plain)
    assert (np.abs(square.mean(axis=0) - plain * np.array([0.5, 1.5])) < 4 * error).all()
    assert (np.abs(square.mean(axis=0) - plain * np.array([0.6, 1.6])) > 4 * error).all()  # planted: another S


@pytest.mark.parametrize(("shape", "factor"), [(FLAT, 3 / 2), (DEEP, 5 / 3)], ids=["2-D", "3-D"])
def test_bonded_pairs_part_as_an_exponential(shape, factor):
    """How many pairs are as they began after t: exp(-(5/3) k e^-J t) in 3-D, k the hops of a free cell."""
    lattice = start("cpu").lattice(shape)
    table = Motility(mesenchymal_um2_per_h=60.0, epithelial_um2_per_h=60.0, haptotaxis_um2_per_h=0.0)
    j, tick_h, ticks = 1.5, 0.05, 60
    rates = motility.rates(table, lattice, 20.0, tick_h, adhering=Adhesion(bond_energy=j))
    k = lattice.faces * 60.0 / 400
    kept = pairs = 0
    for key in range(6 if shape[0] == 1 else 8):
        tissue = bare(lattice, lattice_id=0, voxel_um=20.0, matrix=0.0)
        at = [slice(None) if n == 1 else slice(3, n - 4, 8) for n in shape]
        for shift in (0, 1):
            tissue.cell[at[0], at[1], slice(3 + shift, shape[2] - 4 + shift, 8)] = Cell.TUMOUR
        begin = tissue.cell.copy()
        whole = begin > 0
        for tick in range(ticks):
            for substep in range(rates.substeps):
                motility.propose(tissue, rates, substep, Stamp.of(key, 0, tick), solid_vessels=False)
                contest.settle(tissue, STAYS, substep, Stamp.of(key, 0, tick))
            whole &= tissue.cell > 0  # a voxel that was left once stays marked, whoever comes back
        both = whole[:, :, 3::8] & whole[:, :, 4::8]
        kept += int(both.sum())
        pairs += int(begin.sum()) // 2
    expected = math.exp(-factor * k * math.exp(-j) * ticks * tick_h)
    error = math.sqrt(expected * (1 - expected) / pairs)
    print(shape, "parted at", -math.log(kept / pairs) / (k * math.exp(-j) * ticks * tick_h), "k e^-J")
    assert abs(kept / pairs - expected) < 4 * error
    assert abs(kept / pairs - expected**1.1) > 4 * error  # planted: a tenth in the rate
