"""Franssen et al. 2019 (Bull Math Biol 81:1965): oracles of mass, of concentration, of space and of growth.

Their lattice has sites of 10 um that hold up to Q = 4 cells; here a site is 2 x 2 voxels of 5 um with at
most one cell each. What a cell does to its site is then Q times as much in its voxel, and sums over voxels
are divided by Q to compare. Two oracles of the protease are needed: with production left unscaled the sum
over voxels (not divided) is still the published total, while all concentrations are Q times too low.

The figures of one original run (MetaSpread, seed 1, step 300) stand beside those of ten keys, measured
here, as smallest, mean and largest:

                                   original    ten keys
    largest protease, voxels         0.0899    0.0953  0.1000  0.1037      site means 0.0947  0.0990  0.1029
    smallest matrix, voxels          0.3096    0.2957  0.2959  0.2962      site means 0.2957  0.2960  0.2965
    sum of (1 - matrix) / Q          53.8      48.4    48.8    49.7
    rms radius, mesenchymal          4.82      4.56    4.66    4.78        in sites
    rms radius, epithelial           4.32      4.20    4.30    4.50

The differences are those of the lattices: two of the rules below say so (twins/metaspread_twin.py).
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from twins import metaspread_twin

from seedsoil.kernels import matrix
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim import implant
from seedsoil.sim.device import Device
from seedsoil.sim.processes import Processes
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.step import step

Q = 4
STEP = 1e-3  # tau
THETA, LAMBDA, GAMMA = 0.195, 0.1, 1.0  # per tau: production, decay, matrix loss (both)
M_CELLS, STEPS = 233, 300
KEYS = range(1, 11)
SMALL = {"lattice.shape": [1, 64, 64], "vessels.kind": "none"}


def scenario(key: int = 1, **changes: object) -> Scenario:
    return load_scenario(
        "franssen2019", {"rng_key": key, **{name.replace("__", "."): v for name, v in changes.items()}}
    )


class Run:
    """A primary that steps, and what its cells have done."""

    def __init__(self, given: Scenario, device: Device) -> None:
        self.tissue = implant.primary(given, device)
        self._processes = Processes.of(given, self.tissue.lattice)
        self._key, self.tick = given.rng_key, 0
        self.cells, self.left = given.implant.cells, 0

    def advance(self, ticks: int) -> "Run":
        for _ in range(ticks):
            tally, seeds = step(self.tissue, self._processes, Stamp.of(self._key, 0, self.tick), self.cells, 0)
            self.cells, self.tick = tally.after, self.tick + 1
            self.left += sum(int((seed.emt >= 128).sum()) for seed in seeds)
        return self

    @property
    def mesenchymal(self) -> int:
        """Mesenchymal cells here, and those that have left."""
        return int((self.tissue.emt >= 128).sum()) + self.left


class Figures(NamedTuple):
    """What the original run is compared in; concentrations of voxels and of the means over sites."""

    protease: float
    site_protease: float
    matrix: float
    site_matrix: float
    matrix_lost: float
    radius_m: float
    radius_e: float


# of one original run, in the same order
ORIGINAL = Figures(0.0899, 0.0899, 0.3096, 0.3096, 53.8, 4.82, 4.32)


def figures(tissue: Tissue) -> Figures:
    def sites(name: str) -> np.ndarray:
        value = getattr(tissue, name)[0].astype(np.float64)
        return value.reshape(value.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))

    def radius(mine: np.ndarray) -> float:
        at = np.argwhere(mine & (tissue.cell[0] == Cell.TUMOUR)) - (np.array(mine.shape) - 1) / 2
        return float(np.sqrt((at**2).sum(axis=1).mean())) / 2

    return Figures(
        float(tissue.protease.max()),
        sites("protease").max(),
        float(tissue.matrix.min()),
        sites("matrix").min(),
        float((1.0 - tissue.matrix.astype(np.float64)).sum()) / Q,
        radius(tissue.emt[0] >= 128),
        radius(tissue.emt[0] < 128),
    )


def total(tissue: Tissue) -> float:
    return float(tissue.protease.sum(dtype=np.float64))


# 13.4287: secreted by a constant number of cells, decayed, and none lost at the walls
EXPECTED_TOTAL = THETA * M_CELLS / LAMBDA * (1 - (1 - LAMBDA * STEP) ** STEPS)


def test_the_protease_that_233_cells_have_made(device: Device) -> None:
    """The fast form: the total depends on neither lattice nor motion."""
    assert pytest.approx(13.4287, rel=1e-5) == EXPECTED_TOTAL
    tissue = Run(scenario(**SMALL), device).advance(STEPS).tissue
    assert total(tissue) / Q == pytest.approx(EXPECTED_TOTAL, rel=1e-3)
    assert total(tissue) / Q != pytest.approx(EXPECTED_TOTAL * 232 / 233, rel=1e-3)  # one cell less


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_matrix_under_k_cells_that_stay(device: Device, k: int) -> None:
    """(1 - k dt)^n there, its exact exponential here: 0.24 % more is left of k = 4 after 300 steps."""
    tissue = bare(device.lattice((1, 64, 64)), lattice_id=0, voxel_um=5.0)
    tissue.cell[...], tissue.emt[...] = Cell.TUMOUR, 255
    given = scenario(matrix__contact_per_h=k * GAMMA / (Q * GAMMA) * 0.36)
    for _ in range(STEPS):
        matrix.degrade(tissue, matrix.rates(given.matrix, given.lattice.tick_h))
    theirs = (1 - k * GAMMA * STEP) ** STEPS
    ours = math.exp(-k * GAMMA * STEP * STEPS)
    np.testing.assert_allclose(tissue.matrix, ours, rtol=3e-5)
    assert ours / theirs - 1 == pytest.approx(k**2 * STEP**2 * STEPS / 2, rel=0.01)
    if k == 4:
        assert ours / theirs - 1 == pytest.approx(0.0024, abs=5e-5)


def test_dilute_cells_double_exactly_at_their_time(device: Device) -> None:
    """All 60 at once at step 3000 (mesenchymal) and 2000 (epithelial), none before, none left over."""
    alone = {**SMALL, "implant.kind": "scattered", "implant.cells": 60}
    for fraction, doubling in ((1.0, 3000), (0.0, 2000)):
        run = Run(scenario(**{**alone, "implant.mesenchymal_fraction": fraction}), device).advance(doubling)
        assert run.cells == 60
        run.advance(1)
        assert run.cells >= 118  # two daughters may have wanted one voxel
        run.advance(20)
        assert run.cells == 120


@pytest.fixture(scope="module")
def runs(device: Device) -> list[Run]:
    return [Run(scenario(key), device).advance(STEPS) for key in KEYS]


@pytest.mark.physics
def test_the_mass_oracle(runs: list[Run]) -> None:
    for run in runs:
        assert total(run.tissue) / Q == pytest.approx(EXPECTED_TOTAL, rel=1e-3)


def brackets(values: list[float], original: float) -> bool:
    """Does the range over the keys, a tenth wider at either end, hold the original's one value?"""
    return 0.9 * min(values) <= original <= 1.1 * max(values)


@pytest.mark.physics
@pytest.mark.parametrize("name", Figures._fields)
def test_ten_keys_bracket_the_original_run(runs: list[Run], name: str) -> None:
    values = [getattr(figures(run.tissue), name) for run in runs]
    assert brackets(values, getattr(ORIGINAL, name)), f"{min(values):.4f} {np.mean(values):.4f} {max(values):.4f}"
    assert not brackets([value / 1.3 for value in values], getattr(ORIGINAL, name))  # a quarter less is refused


@pytest.mark.physics
def test_unscaled_production_passes_the_mass_oracle_alone(runs: list[Run], device: Device) -> None:
    """0.195 where 0.78 is due: the plain sum is the published total, the concentrations are not."""
    wrong = Run(scenario(solutes__protease__secretion_per_h=0.0702 / Q), device).advance(STEPS).tissue
    assert total(wrong) == pytest.approx(EXPECTED_TOTAL, rel=1e-3)
    assert not brackets([figures(wrong).protease], ORIGINAL.protease)
    assert not brackets([figures(wrong).site_protease], ORIGINAL.site_protease)
    assert brackets([figures(run.tissue).protease for run in runs], ORIGINAL.protease)


@pytest.mark.physics
def test_unscaled_contact_is_seen_in_the_matrix(device: Device) -> None:
    wrong = Run(scenario(matrix__contact_per_h=0.36 / Q), device).advance(STEPS).tissue
    assert not brackets([figures(wrong).matrix], ORIGINAL.matrix)
    assert not brackets([figures(wrong).matrix_lost], ORIGINAL.matrix_lost)


@pytest.fixture(scope="module")
def told() -> dict[str, np.ndarray]:
    """The plain model told on voxels (6 seeds), on sites, and on sites whose places block (12 and 8 seeds)."""
    return {
        "voxels": np.array([metaspread_twin.run(seed, edge=2) for seed in range(6)]),
        "sites": np.array([metaspread_twin.run(seed) for seed in range(12)]),
        "places": np.array([metaspread_twin.run(seed, share_blocks=True) for seed in range(8)]),
    }


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Distance of two means in standard errors."""
    error = math.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return abs(float(one.mean() - other.mean())) / error


@pytest.mark.physics
def test_the_engine_is_the_plain_model_on_voxels(runs: list[Run], told: dict[str, np.ndarray]) -> None:
    """All figures within 4 standard errors (0.24 % aside, where Euler steps the matrix); fails falsely once in 2000."""
    ours = np.array([figures(run.tissue) for run in runs])
    column = metaspread_twin.Outcome._fields.index
    for name in ("protease", "radius_m", "radius_e"):
        assert apart(ours[:, Figures._fields.index(name)], told["voxels"][:, column(name)]) < 4
    for name in ("matrix", "matrix_lost"):
        mine, theirs = ours[:, Figures._fields.index(name)].mean(), told["voxels"][:, column(name)].mean()
        assert mine == pytest.approx(theirs, rel=0.01)


@pytest.mark.physics
def test_what_is_left_to_the_original_is_the_lattice(runs: list[Run], told: dict[str, np.ndarray]) -> None:
    """Two rules of sites make the whole of what the engine differs by from the original run.

    A hop onto a site of three is blocked by nobody, onto four voxels of which three are taken in three
    tries of four: packed cells leave the implant sooner on sites (radius of the mesenchymal cells 4.82
    against 4.65). And a mesenchymal cell that stays degrades its whole site, not its own quarter four
    times as fast, which soon finds nothing left (sum of (1 - matrix) 54.2 against 48.7).
    """
    column = metaspread_twin.Outcome._fields.index
    radius, lost = column("radius_m"), column("matrix_lost")
    sites, places, voxels = told["sites"], told["places"], told["voxels"]
    for at, original in ((radius, ORIGINAL.radius_m), (lost, ORIGINAL.matrix_lost)):
        assert abs(original - sites[:, at].mean()) < 3 * sites[:, at].std(ddof=1)
    ours = np.array([figures(run.tissue) for run in runs])
    assert apart(sites[:, radius], ours[:, Figures._fields.index("radius_m")]) > 3
    assert apart(sites[:, radius], places[:, radius]) > 3
    assert apart(places[:, radius], voxels[:, radius]) < 4
    assert apart(places[:, lost], voxels[:, lost]) > 20


@pytest.mark.physics
def test_a_packed_start_nearly_doubles(device: Device) -> None:
    """Mesenchymal cells at step 3000 of five keys: 1.94-fold and more (the original: 143 to 282, 1.97-fold).

    Measured over ten keys, as smallest, mean and largest: 1.884, 1.925, 1.957 after the one tick at which
    all are due, and 1.936, 1.971, 1.991 after 50 more in which those that lost a contest or had no room
    try again. Single keys may so fall short of 1.94 by a cell or two; their mean may not.
    """
    at_once, retried = [], []
    for key in range(1, 6):
        run = Run(scenario(key), device).advance(3000)
        assert run.mesenchymal == M_CELLS
        at_once.append(run.advance(1).mesenchymal / M_CELLS)
        retried.append(run.advance(49).mesenchymal / M_CELLS)
    assert 1.85 < min(at_once) <= max(at_once) < 2.0
    assert np.mean(retried) >= 1.94
    assert min(retried) >= 1.93
    assert max(retried) <= 2.0
