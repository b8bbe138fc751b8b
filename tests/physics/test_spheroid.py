"""Hypoxia in a ball of cells: where necrosis stops, and that the scenario `spheroid` has a rim around a core.

The field itself, and the anoxic radius of 359.7 um, are tested in test_steady_fronts.py. Here R = 500 um, D = 2000 um2/s,
zero-order uptake of 10 mmHg/s, 40 mmHg at the surface; cells only die. Dead cells breathe no more. Killed in place, a ball
dies up to where its oxygen fell below the threshold while all breathed: 406 um at 5 mmHg, 392 um at 2.5 mmHg. In a ball
that grows to this size the core is smaller, since what died early breathes no more: at its edge pO2 is just the threshold
and does not fall any further in, 370 and 365 um. That holds if death is slow beside the growth of the ball by a cell (a
cell that died at once at a sharp threshold would take the still flat middle along); twins/core_twin.py has the history.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from twins import core_twin

from seedsoil.kernels import death
from seedsoil.kernels.death import Death
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.steady import Law, Levels, solve
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import Device
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.simulation import Simulation

pytestmark = pytest.mark.physics

D, Q, SURFACE, RADIUS = 2000.0 * 3600, 10.0 * 3600, 40.0, 500.0
VOXEL, CUBE = 10.0, 54
HOLDS = 1e9  # what holds a voxel at a value: 1/h
NEAR = 0.05  # the solver's tolerance and the ramp's width, mmHg


def root(short: Callable[[float], float], low: float, high: float) -> float:
    return float(np.asarray(brentq(short, low, high)))


def profile(r: float, core: float) -> float:
    """Oxygen above that at the edge of a core without uptake and flux, mmHg."""
    return Q / (6 * D) * (r**2 + 2 * core**3 / r - 3 * core**2)


def killed_in_place(threshold: float) -> float:
    """Where a ball that breathes throughout has this pO2, um from its centre."""
    anoxic = root(lambda core: profile(RADIUS, core) - SURFACE, 1, RADIUS)
    return root(lambda r: profile(r, anoxic) - threshold, anoxic, RADIUS)


def grown(threshold: float) -> float:
    """The core at whose edge the pO2 is just the threshold, um."""
    return root(lambda core: profile(RADIUS, core) + threshold - SURFACE, 1, RADIUS)


class Ball:
    """An octant of the ball between closed walls; what lies outside is held at the surface's pO2."""

    def __init__(self, device: Device, radius: float = RADIUS) -> None:
        self.lattice = device.lattice((CUBE, CUBE, CUBE))
        z, y, x = (np.indices(self.lattice.shape) + 0.5) * VOXEL
        self.r = np.sqrt(x**2 + y**2 + z**2)
        self.outside = np.ones(self.lattice.shape, bool)
        self.tissue: Tissue = bare(self.lattice, lattice_id=0, voxel_um=VOXEL, roles=("protease", "oxygen"))
        self.fill(radius)
        self.levels, self.cold = Levels.of(self.lattice), True

    def fill(self, radius: float) -> None:
        """Live cells in the voxels that are new within this radius."""
        self.tissue.cell[self.outside & (self.r <= radius)] = Cell.TUMOUR
        self.outside = self.r > radius
        self.tissue.busy[...] = 1

    def breathe(self) -> np.ndarray:
        """Oxygen at rest, with the cells that live now."""
        drain = (HOLDS * self.outside).astype(np.float32)
        taken = (Q * (self.tissue.cell == Cell.TUMOUR)).astype(np.float32)
        field, law = self.tissue.solutes["oxygen"], Law(D, VOXEL, 0.0, (None,) * 6)
        supply = drain * np.float32(SURFACE)
        assert solve(self.lattice, field, supply, drain, taken, self.levels, law, cold=self.cold).converged
        self.cold = False
        return field

    def live(self, table: Death, tick_h: float, ticks: int) -> None:
        rates = death.rates(table, tick_h)
        for tick in range(ticks):
            self.breathe()
            death.strike(self.tissue, rates, Stamp.of(3, 0, tick), solid_vessels=False)
        self.breathe()

    def grow(self, table: Death, tick_h: float, um_per_h: float) -> None:
        """From the size that it has to RADIUS."""
        rates, radius, tick = death.rates(table, tick_h), float(self.r[~self.outside].max()), 0
        while radius < RADIUS:
            self.breathe()
            death.strike(self.tissue, rates, Stamp.of(3, 0, tick), solid_vessels=False)
            radius, tick = min(RADIUS, radius + um_per_h * tick_h), tick + 1
            self.fill(radius)
        self.breathe()

    @property
    def core(self) -> float:
        """The radius of a ball as large as the dead part, um."""
        return self.of(self.tissue.cell == Cell.NECROTIC)

    @staticmethod
    def of(voxels: np.ndarray) -> float:
        return float(8 * voxels.sum() * VOXEL**3 * 3 / (4 * math.pi)) ** (1 / 3)


@pytest.mark.parametrize(("threshold", "expected"), [(5.0, 406.0), (2.5, 392.0)])
def test_a_ball_killed_in_place_dies_up_to_its_contour(device: Device, threshold: float, expected: float) -> None:
    """All below a sharp threshold die at once, and then nobody does."""
    exact = killed_in_place(threshold)
    assert exact == pytest.approx(expected, abs=0.6)
    ball = Ball(device)
    before = ball.breathe().copy()
    low = (before < threshold) & ~ball.outside
    table = Death(necrosis_per_h=10.0, necrosis_onset_mmhg=threshold, necrosis_full_mmhg=threshold - 0.01)
    ball.live(table, 2.0, 4)
    dead = ball.tissue.cell == Cell.NECROTIC
    print(f"killed at {threshold:g} mmHg: core {ball.core:.2f} um, contour {ball.of(low):.2f}, exact {exact:.2f}")
    assert not dead[before >= threshold + NEAR].any() and dead[before < threshold - NEAR].all()
    assert ball.core == pytest.approx(ball.of(low), abs=VOXEL / 4)
    assert ball.core == pytest.approx(exact, abs=VOXEL)
    # planted: twice the threshold, or a core that had never breathed, would be seen
    assert ball.core != pytest.approx(killed_in_place(2 * threshold), abs=VOXEL)
    assert ball.core != pytest.approx(grown(threshold), abs=VOXEL)


def test_slow_necrosis_leaves_nobody_below_its_onset(device: Device) -> None:
    """PhysiCell's ramp and rate: the rim's oxygen rises as the core dies, so the core ends between the two radii."""
    ball = Ball(device)
    ball.live(Death(necrosis_per_h=1 / 6), 2.0, 40)
    alive = ball.tissue.cell == Cell.TUMOUR
    lowest = float(ball.tissue.solutes["oxygen"][alive].min())
    print(
        f"slow: core {ball.core:.2f} um between {grown(5.0):.1f} and {killed_in_place(5.0):.1f}, lowest {lowest:.2f} mmHg"
    )
    assert grown(5.0) - VOXEL < ball.core < killed_in_place(5.0)
    assert lowest > 4.5
    # planted: had the dead gone on breathing, the core would have reached the contour
    assert ball.core < killed_in_place(5.0) - VOXEL / 4


@pytest.mark.parametrize(
    ("onset", "full", "expected"),
    [(5.0, 4.5, 370.0), (2.5, 2.0, 365.0), (5.0, 2.5, 369.0)],
    ids=["5", "2.5", "PhysiCell"],
)
def test_the_core_of_a_growing_ball(device: Device, onset: float, full: float, expected: float) -> None:
    """From 300 to 500 um at 0.5 um/h, cells dying at 1/6 per h: the core whose edge is at the threshold, within a voxel.

    The same history by radius alone gives 370.6, 364.3 and 368.8 um; with PhysiCell's ramp some cells live below onset.
    """
    start, speed, tick = 300.0, 0.5, 2.0
    twin = core_twin.grow(core_twin.Ball(Q / D, SURFACE, start, RADIUS), speed, tick, onset, full, 1 / 6)
    assert twin.radius_um == pytest.approx(expected, abs=1.0)
    assert twin.radius_um == pytest.approx(grown(onset), abs=1.2)
    ball = Ball(device, start)
    ball.grow(Death(necrosis_per_h=1 / 6, necrosis_onset_mmhg=onset, necrosis_full_mmhg=full), tick, speed)
    centre = float(ball.tissue.solutes["oxygen"][0, 0, 0])
    print(
        f"growing, {onset:g} to {full:g} mmHg: core {ball.core:.2f} um, by radius {twin.radius_um:.2f}, closed form "
        f"{grown(onset):.2f}; in its middle {centre:.2f} mmHg, by radius {twin.centre_mmhg:.2f}"
    )
    assert ball.core == pytest.approx(twin.radius_um, abs=VOXEL)
    assert centre == pytest.approx(twin.centre_mmhg, abs=1.0)
    # planted: a ball killed in place, and thresholds 2.5 mmHg higher, would be seen
    assert ball.core != pytest.approx(killed_in_place(onset), abs=VOXEL)
    shifted = core_twin.grow(core_twin.Ball(Q / D, SURFACE, start, RADIUS), speed, tick, onset + 2.5, full + 2.5, 1 / 6)
    assert centre != pytest.approx(shifted.centre_mmhg, abs=1.0)


def rim(device: Device, **changes: object) -> tuple[int, float, float]:
    """(necrotic voxels, rim, rim expected at this surface's oxygen) of the scenario, from a ball of 240 um, after 40 h.

    Expected: a ball with a core at the onset of necrosis, zero order, of the size and surface oxygen of this one.
    """
    scenario = load_scenario("spheroid", {"implant.cells": 7000, "until_h": 40.0, **changes})
    run = Simulation(scenario, device)
    for _ in range(scenario.ticks):
        run.advance()
    cell, oxygen = run.primary.cell, run.primary.solutes["oxygen"]
    dead, alive = cell == Cell.NECROTIC, cell == Cell.TUMOUR
    volume = 3 * scenario.lattice.voxel_um**3 / (4 * math.pi)
    whole, core = (volume * (dead | alive).sum()) ** (1 / 3), (volume * dead.sum()) ** (1 / 3)
    z, y, x = (np.indices(cell.shape) - (cell.shape[0] - 1) / 2) * scenario.lattice.voxel_um
    shell = np.abs(np.sqrt(x**2 + y**2 + z**2) - whole) < scenario.lattice.voxel_um / 2
    surface, onset = float(oxygen[shell].mean()), scenario.death.necrosis_onset_mmhg
    expected = whole
    if profile(whole, 1.0) + onset > surface:
        expected = whole - root(lambda r: profile(whole, r) + onset - surface, 1.0, whole)
    print(
        f"scenario {changes}: R {whole:.0f} um, {surface:.1f} mmHg there, rim {whole - core:.1f} um of {expected:.1f}"
    )
    return int(dead.sum()), whole - core, expected


def test_the_scenario_has_a_rim_around_a_core(device: Device) -> None:
    dead, found, expected = rim(device)
    assert dead > 300
    assert found == pytest.approx(expected, abs=20.0)
    # the controls: nobody dies of necrosis, or there is more oxygen
    unharmed, *_ = rim(device, **{"death.necrosis_per_h": 0.0})
    assert unharmed == 0
    more, thicker, _ = rim(device, **{"solutes.oxygen.wall_values": [80.0] * 6})
    assert more < dead and thicker > found + 10.0
