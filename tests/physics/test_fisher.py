"""The speed of a front of cells that hop far more often than they divide (Fisher 1937; Kolmogorov et al. 1937).

Ahead of such a front cells stand alone, and their number times exp(l x) grows at the rate

    s(l) = r (2 (d - 1) + 2 cosh l)/(2 d) + (2 D/dx^2)(cosh l - 1)                       (x in voxels, d axes)

in the mean: a daughter stands in one of the 2 d neighbours of her mother. The front goes at v = min s(l)/l = s(l*)/l*,
less (3/2 l*)/t as it forms (Bramson 1983), if fluctuations are left out. Cells are whole, though: where less than one is
expected there is none, which slows the front (Brunet & Derrida 1997, Phys Rev E 56:2597). So three things are shown apart:
s(l*) of single clones; that a front without chance has the speed; and what the front of cells loses against it,
which a sequential program of the same rule (twins/front_twin.py) loses as well.
"""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from twins import front_twin

from seedsoil.kernels import census, contest, motility, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics

CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
HOPS = 100.0  # per division
A_TICK = 0.6  # hops per tick, so 0.006 divisions
FILLED, ROWS, WIDTH = 30, 112, 2048
BEGIN, END = 40, 80  # division times


def growth(lam: float, axes: int, *, hops: float = HOPS, divisions: float = 1.0) -> float:
    """s(l) per division time; D = hops/(2 axes) voxels^2."""
    rise = 2 * (math.cosh(lam) - 1)
    return divisions * (1 + rise / (2 * axes)) + hops / (2 * axes) * rise


def speed(axes: int, **rates: float) -> tuple[float, float]:
    """(v in voxels per division time, l*)."""
    found = minimize_scalar(lambda lam: growth(lam, axes, **rates) / lam, bounds=(0.01, 3.0), method="bounded")
    return float(found.fun), float(found.x)


def less_bramson(v: float, lam: float) -> float:
    """The mean speed from BEGIN to END."""
    return v - 1.5 / lam * math.log(END / BEGIN) / (END - BEGIN)


def live(tissue: Tissue, key: int, tick: int, divisions: float = A_TICK / HOPS, hops: float = A_TICK) -> None:
    """One tick: divisions and hops."""
    stamp, faces = Stamp.of(key, 0, tick), tissue.lattice.faces
    rates = proliferation.rates(Proliferation(epithelial_per_h=divisions, mesenchymal_per_h=divisions), 1.0)
    moves = MotilityRates(1, LINEAR, hops / faces, hops / faces, 0.0, ALWAYS)
    tissue.intent[...] = 0
    proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
    motility.propose(tissue, moves, 0, stamp, solid_vessels=False)
    proliferation.propose(tissue, stamp, solid_vessels=False)
    contest.settle(tissue, CLOSED, 0, stamp)
    if tick % 16 == 0:
        tissue.counters[...] = 0
        census.count(tissue)


@pytest.mark.parametrize(("shape", "lattices"), [((1, 512, 128), 48), ((32, 32, 128), 72)], ids=["2-D", "3-D"])
def test_clones_spread_as_the_front_needs_it(device: Device, shape: tuple[int, int, int], lattices: int) -> None:
    """Sum of cosh(l* dx) over the cells of clones that start in one plane, after 1.2 division times: s(l*) within 3 %.

    Hops of others leave the mean where it is, whoever is in whose way (cells are alike, and every hop has its reverse).
    """
    axes, ticks = 2 if shape[0] == 1 else 3, 200
    v, lam = speed(axes)
    weight = np.cosh(lam * (np.arange(shape[2]) - 64))
    sums, clones = [], 0
    for key in range(lattices):
        tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
        tissue.cell[2 % shape[0] :: 4, 2::4, 64] = Cell.TUMOUR
        clones = int(tissue.cell.sum())
        for tick in range(ticks):
            live(tissue, key, tick)
        sums.append(float((tissue.cell * weight).sum()) / clones)
    time = ticks * A_TICK / HOPS
    found = math.log(np.mean(sums)) / time
    error = np.std(sums) / math.sqrt(lattices) / np.mean(sums) / time
    print(f"{axes}-D: s(l*) = {found:.4f} +- {error:.4f} of {growth(lam, axes):.4f}; v = {v:.3f}")
    assert 3 * error < 0.03 * growth(lam, axes)
    assert found == pytest.approx(growth(lam, axes), rel=0.03)
    # planted: a tenth more divisions, a tenth fewer hops
    assert found != pytest.approx(growth(lam, axes, divisions=1.1), rel=0.03)
    assert found != pytest.approx(growth(lam, axes, hops=0.9 * HOPS), rel=0.03)


def test_a_front_without_chance_has_the_speed() -> None:
    """dc/dt = D lap c + r mean(c)(1 - c), the mean over the neighbours: within 0.3 % from 40 to 80 division times."""
    v, lam = speed(2)
    dt, cells = 0.0025, 1100
    c = np.zeros(cells)
    c[:30] = 1.0
    front = []
    for step in range(round(END / dt) + 1):
        if step % round(1 / dt) == 0:
            front.append(c.sum())
        padded = np.concatenate([c[:1], c, c[-1:]])
        beside = padded[:-2] + padded[2:]
        c = c + dt * (HOPS / 4 * (beside - 2 * c) + (2 * c + beside) / 4 * (1 - c))
    found = (front[END] - front[BEGIN]) / (END - BEGIN)
    expected = less_bramson(v, lam)
    print(f"without chance: {found:.4f}, expected {expected:.4f} (v = {v:.4f})")
    assert found == pytest.approx(expected, rel=0.003)
    # planted: without Bramson's term, or with a tenth more divisions
    assert found != pytest.approx(v, rel=0.003)
    assert found != pytest.approx(less_bramson(*speed(2, divisions=1.1)), rel=0.003)


def fitted(front: np.ndarray) -> float:
    """Voxels per division time from BEGIN to END, of positions at whole division times."""
    return float(np.polyfit(np.arange(BEGIN, END + 1), front[BEGIN : END + 1], 1)[0])


def front_of_cells(
    device: Device, key: int, axes: int = 2, hops: float = HOPS, *, divisions: float = 1.0, width: int = WIDTH
) -> np.ndarray:
    """Cells per column after 0, 1, 2 ... division times, in a lattice that moves along. With more hops it is as long in
    widths of the front, sqrt(D/r), and as many voxels in all."""
    scale = round(math.sqrt(hops / HOPS))
    rows, filled, beside = ROWS * scale, FILLED * scale, width // scale
    nz, nx = (1, beside) if axes == 2 else (round(math.sqrt(beside)),) * 2
    tissue = bare(device.lattice((nz, rows, nx)), lattice_id=0, voxel_um=20.0)
    tissue.cell[:, :filled] = Cell.TUMOUR
    passed, times, found = 0, [], []
    for tick in range(round((END + 1) * hops / A_TICK)):
        if tick % 16 == 0:
            held = float(tissue.cell.sum(dtype=np.int64)) / (nz * nx)
            times.append(tick * A_TICK / hops)
            found.append(passed + held)
            if back := int(held) - filled:
                for array in (tissue.cell, tissue.due):
                    array[:, : rows - back] = array[:, back:].copy()
                    array[:, rows - back :] = 0
                passed += back
                tissue.wake()
        live(tissue, key, tick, divisions * A_TICK / hops)
    assert not tissue.cell[:, -8:].any()
    return np.interp(np.arange(END + 1), times, found)


def sequential(hops: float, width: int, seed: int) -> float:
    """The sequential program's speed; a lattice as long in widths of the front, sqrt(D/r), as the engine's."""
    scale = round(math.sqrt(hops / HOPS))
    return fitted(front_twin.front(hops, END, rows=ROWS * scale, width=width, filled=FILLED * scale, seed=seed))


def test_the_front_of_cells_is_as_fast_as_the_sequential_one(device: Device) -> None:
    """2,048 voxels wide: within 2 % of the sequential program, below the formula by 2 to 5 %. With 400 hops per division,
    four times as many cells in a patch as wide as the front, it is within 3 %: what is missing is fluctuation.
    """
    expected = less_bramson(*speed(2))
    found = fitted(front_of_cells(device, 1))
    twin = [sequential(HOPS, WIDTH, seed) for seed in (1, 2)]
    more, expected_of_more = sequential(4 * HOPS, WIDTH // 2, 1), less_bramson(*speed(2, hops=4 * HOPS))
    print(f"front: engine {found:.3f}, sequential {twin}, formula {expected:.3f}; ratio {found / expected:.4f}")
    print(f"engine/sequential {found / np.mean(twin):.4f}; 400 hops: {more:.3f} of {expected_of_more:.3f}")
    assert found == pytest.approx(np.mean(twin), rel=0.02)
    assert 0.95 < found / expected < 0.98
    assert more == pytest.approx(expected_of_more, rel=0.03)
    assert more / expected_of_more > max(found, *twin) / expected
    # planted, by the formula: a tenth more divisions make a front 5 % faster
    faster = less_bramson(*speed(2, divisions=1.1)) / expected
    assert faster == pytest.approx(1.05, abs=0.005)
    assert faster * found != pytest.approx(np.mean(twin), rel=0.02)
    assert not 0.95 < faster * found / expected < 0.98
    assert faster * more != pytest.approx(expected_of_more, rel=0.03)


def test_a_front_that_divides_too_often_is_seen(device: Device) -> None:
    """Planted in the engine: a fifth more divisions, 512 voxels wide, is above all that is allowed in 2-D."""
    found = fitted(front_of_cells(device, 101, divisions=1.2, width=WIDTH // 4)) / less_bramson(*speed(2))
    print(f"with a fifth more divisions: {found:.4f} of the formula without them")
    assert found > 1.03


@pytest.mark.parametrize(
    ("axes", "hops", "least", "most"), [(2, 4 * HOPS, 0.97, 1.03), (3, HOPS, 0.94, 0.99)], ids=["2-D, 400", "3-D, 100"]
)
def test_what_fluctuation_takes_falls_with_more_hops(
    device: Device, axes: int, hops: float, least: float, most: float
) -> None:
    """In 2-D at 400 hops per division the engine's front is within the 3 % aimed at, key 101 (and 102: both 0.978). In 3-D
    at 100 it is not (0.974 and 0.957, 48 x 48 columns) and is held where it is."""
    expected = less_bramson(*speed(axes, hops=hops))
    found = fitted(front_of_cells(device, 101, axes, hops)) / expected
    print(f"{axes}-D, {hops:g} hops per division: engine {found:.4f} of {expected:.3f}")
    assert least < found < most
    # planted, by the formula: a fifth more divisions, or a fifth fewer hops (a tenth is 5 % in speed, less than is allowed)
    assert not least < found * less_bramson(*speed(axes, hops=hops, divisions=1.2)) / expected < most
    assert not least < found * less_bramson(*speed(axes, hops=0.8 * hops)) / expected < most
