"""Turnover of the matrix: equal to its twin, exact for any tick, at rest where it should be, off when off."""

from collections.abc import Callable

import numpy as np
import pytest
from twins import turnover_twin
from twins.tissues import DEEP, FLAT, changed, put, random_tissue, snapshot, ulps

from seedsoil.kernels import matrix, stroma
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.matrix import Matrix, MatrixRates
from seedsoil.kernels.stroma import Stroma, StromaRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait, bare
from seedsoil.kernels.turnover import turn_over
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
REACH = MatrixRates(contact=2e-4, soluble=0.1, reach=1)
# every flag on, so that they are compiled once
ALL = REACH._replace(inhibited=True, inhibition_constant=0.4)
CAF = StromaRates(deposition=0.05, ceiling=0.6, gain=8.0, half=0.5, hill=2)


def crowded(lattice: Lattice, seed: int = 1) -> Tissue:
    """Cells of every code, three clones, an inhibitor and a growth factor, matrix on both sides of any ceiling."""
    tissue = random_tissue(lattice, seed=seed)
    draw = np.random.default_rng(seed)
    tissue.cell[...] = np.where(draw.random(lattice.shape) < 0.1, Cell.STROMA, tissue.cell)
    tissue.clone %= 3
    tissue.traits = np.ones((3, len(Trait)), np.float32)
    tissue.traits[:, Trait.PROTEASE] = 0.0, 1.0, 2.5
    for role in ("inhibitor", "growth_factor"):
        tissue.solutes[role] = draw.random(lattice.shape, dtype=np.float32)
        tissue.solutes[role][draw.random(lattice.shape) < 0.2] = 0.0
    return tissue


@SHAPES
@pytest.mark.parametrize(
    "rates",
    [(ALL, CAF), (REACH, StromaRates()), (ALL._replace(bound=True), StromaRates())],
    ids=["all", "reach", "bound"],
)
def test_the_kernel_equals_its_twin(
    device: Device, shape: tuple[int, int, int], rates: tuple[MatrixRates, StromaRates]
) -> None:
    tissue = crowded(device.lattice(shape))
    for _ in range(3):
        expected = turnover_twin.turn_over(tissue, *rates)
        turn_over(tissue, *rates)
        assert ulps(tissue.matrix, expected) <= 4


@pytest.mark.parametrize("name", ["contact", "soluble", "inhibition_constant", "deposition", "ceiling", "gain", "half"])
def test_the_twin_catches_a_parameter_that_is_a_thousandth_off(device: Device, name: str) -> None:
    tissue = crowded(device.lattice(FLAT))
    expected = turnover_twin.turn_over(tissue, ALL, CAF)
    rates, built = (
        table._replace(**{name: getattr(table, name) * 1.001}) if name in table._fields else table
        for table in (ALL, CAF)
    )
    turn_over(tissue, rates, built)
    assert ulps(tissue.matrix, expected) > 100


@SHAPES
def test_the_loop_form_does_not_matter(device: Device, shape: tuple[int, int, int]) -> None:
    one, other = crowded(device.lattice(shape)), crowded(Lattice.of(shape, form="voxels"))
    for tissue in (one, other):
        turn_over(tissue, ALL, CAF)
    assert one.matrix.tobytes() == other.matrix.tobytes()


@SHAPES
def test_a_cell_reaches_its_faces_and_nothing_else(device: Device, shape: tuple[int, int, int]) -> None:
    """At full rate each: own voxel and faces of a cell in the middle, and of one in a corner."""
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    middle = tuple(n // 2 for n in shape)
    for at in (middle, (0, 0, 0)):
        put(tissue, at)
    turn_over(tissue, REACH)
    gone = np.argwhere(tissue.matrix < 1)
    d = 2 if shape[0] == 1 else 3
    assert len(gone) == (1 + 2 * d) + (1 + d)
    distances = np.minimum(np.abs(gone - middle).sum(axis=1), gone.sum(axis=1))
    assert distances.max() == 1
    np.testing.assert_allclose(tissue.matrix[tuple(gone.T)], np.exp(-255 * REACH.contact), rtol=1e-6)


def alone(device: Device, m: float = 1.0) -> Tissue:
    """Every second cell of a chequered lattice is a tumour cell, the others are fibroblasts."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0, matrix=m)
    z, y, x = np.indices(FLAT)
    tissue.cell[...] = np.where((z + y + x) % 2, Cell.STROMA, Cell.TUMOUR)
    tissue.emt[...] = np.where(tissue.cell == Cell.TUMOUR, 255, 0)
    return tissue


def law(m: float, a: float, r: float, ceiling: float, t: float) -> float:
    """The solution, in f64."""
    if m > ceiling:
        down = np.log(m / ceiling) / a
        if t <= down:
            return m * np.exp(-a * t)
        m, t = ceiling, t - down
    rest = r * ceiling / (a + r)
    return rest + (m - rest) * np.exp(-(a + r) * t)


@pytest.mark.parametrize("start", [0.0, 0.2, 0.55, 0.9, 1.0])
@pytest.mark.parametrize("ticks", [1, 7, 100])
def test_the_course_is_the_solution_for_any_tick(device: Device, start: float, ticks: int) -> None:
    """Inside the chequerboard a tumour voxel has one cell of its own (reach 0) and four fibroblasts beside it."""
    tissue = alone(device, start)
    table = Matrix(contact_per_h=0.3, soluble_per_h=0.0)
    built = Stroma(deposition_per_h=0.1, ceiling_fraction=0.6)
    for hours in (0.5, 2.0, 20.0):
        tissue.matrix[...] = start
        for _ in range(ticks):
            turn_over(tissue, matrix.rates(table, hours / ticks), stroma.rates(built, hours / ticks))
        np.testing.assert_allclose(tissue.matrix[0, 32, 32], law(start, 0.3, 0.4, 0.6, hours), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(tissue.matrix[0, 32, 33], max(law(start, 1e-12, 0.1, 0.6, hours), start), rtol=1e-5)


def test_it_rests_where_loss_and_building_balance(device: Device) -> None:
    """m* = r m_max/(a + r), from above and from below, with the inhibitor and the growth factor at work."""
    table = Matrix(contact_per_h=0.3, soluble_per_h=0.2, inhibition_constant=0.5)
    built = Stroma(deposition_per_h=0.02, ceiling_fraction=0.8, activation_gain=5.0, activation_half=2.0)
    a = (0.3 + 0.2 * 0.5) / (1 + 1.0 / 0.5)
    r = 4 * 0.02 * (1 + 4 * 3.0**2 / (2.0**2 + 3.0**2))
    for start in (0.0, 1.0):
        tissue = alone(device, start)
        tissue.protease[...] = 0.5
        for role, value in (("inhibitor", 1.0), ("growth_factor", 3.0)):
            tissue.solutes[role] = np.full(FLAT, value, np.float32)
        for _ in range(60):
            turn_over(tissue, matrix.rates(table, 2.0, inhibited=True), stroma.rates(built, 2.0))
        np.testing.assert_allclose(tissue.matrix[0, 32, 32], r * 0.8 / (a + r), rtol=1e-5)
        # splitting the two, first one and then the other, would rest elsewhere
        split = 0.8 * -np.expm1(-2 * r) / -np.expm1(-2 * (a + r))
        assert abs(split - r * 0.8 / (a + r)) > 0.01


@pytest.mark.parametrize("tick_h", [1e-3, 1.0, 1e3])
def test_any_tick_keeps_the_matrix_a_fraction(device: Device, tick_h: float) -> None:
    tissue = crowded(device.lattice(FLAT))
    built = Stroma(deposition_per_h=10.0, ceiling_fraction=0.7, activation_gain=50.0, activation_half=0.1)
    for _ in range(5):
        turn_over(
            tissue, matrix.rates(Matrix(contact_reach_voxels=1), tick_h, inhibited=True), stroma.rates(built, tick_h)
        )
        assert np.all((tissue.matrix >= 0.0) & (tissue.matrix <= 1.0))


def test_what_a_clone_does_not_make_does_nothing(device: Device) -> None:
    tissue = crowded(device.lattice(FLAT))
    tissue.clone[...] = 0
    before = tissue.matrix.copy()
    turn_over(tissue, MatrixRates(1e-3, 0.0, reach=1))
    assert tissue.matrix.tobytes() == before.tobytes()
    tissue.clone[...] = 2
    turn_over(tissue, MatrixRates(1e-3, 0.0, reach=1))
    assert tissue.matrix.tobytes() != before.tobytes()


NEUTRAL: dict[str, Callable[[Tissue], tuple[MatrixRates, StromaRates]]] = {
    "one clone": lambda t: (MatrixRates(1e-3, 0.1), StromaRates()),
    "neutral clones": lambda t: (t.traits.fill(1.0), (MatrixRates(1e-3, 0.1), StromaRates()))[1],
    "no inhibitor about": lambda t: (
        t.solutes["inhibitor"].fill(0.0),
        (MatrixRates(1e-3, 0.1, inhibited=True), StromaRates()),
    )[1],
    "stroma that builds nothing": lambda t: (MatrixRates(1e-3, 0.1), StromaRates(0.0, 0.5, 9.0, 1.0, 2)),
}


@SHAPES
@pytest.mark.parametrize("name", NEUTRAL)
def test_what_is_off_leaves_the_bits_of_the_plain_pass(device: Device, shape: tuple[int, int, int], name: str) -> None:
    """Each addition at rest, against `matrix.degrade` alone."""
    tissue, plain = crowded(device.lattice(shape)), crowded(device.lattice(shape))
    if name not in ("neutral clones",):
        tissue.traits = np.ones((1, len(Trait)), np.float32)
    rates = NEUTRAL[name](tissue)
    for _ in range(3):
        turn_over(tissue, *rates)
        matrix.degrade(plain, MatrixRates(1e-3, 0.1))
    assert tissue.matrix.tobytes() == plain.matrix.tobytes()


@SHAPES
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device.lattice(shape))
    before = snapshot(tissue)
    turn_over(tissue, MatrixRates(0.0, 0.0, reach=1, inhibited=True), StromaRates(0.0, 0.9, 7.0))
    assert changed(before, tissue) == set()
    turn_over(tissue, ALL, CAF)
    assert changed(before, tissue) == {"matrix"}


def test_a_ceiling_of_zero_builds_nothing(device: Device) -> None:
    tissue = crowded(device.lattice(FLAT))
    before = snapshot(tissue)
    turn_over(tissue, MatrixRates(0.0, 0.0), stroma.rates(Stroma(deposition_per_h=1.0, ceiling_fraction=0.0), 1.0))
    assert changed(before, tissue) == set()
