"""Quasi-steady solves of oxygen (`kernels.steady`): from nothing, and warm after 5 % of the cells have hopped.

A ball of cells with Michaelis-Menten uptake in a cube with straight vessels along all three axes (one line for every
100 voxels of a face), walls closed. A figure counts whatever a solve takes, cycles and all; it is failed if a solve did
not converge.
"""

import numpy as np

from ...kernels.levels import Law, Levels
from ...kernels.steady import Solved, solve
from .figures import Figure, seconds
from .plan import Bench

NAME = "solutes"
# oxygen: um2/h, mmHg; 1/h at a vessel; mmHg/h in a cell
LAW = Law(diffusivity_um2_per_h=6.0e6, voxel_um=20.0, half_saturation=1.0)
EXCHANGE_PER_H, BLOOD, UPTAKE_PER_H = 1.0e5, 40.0, 3.6e4
HOPPED = 0.05


class Oxygen:
    """Cells, vessels and the fields of a solve in a cube."""

    def __init__(self, bench: Bench, edge: int) -> None:
        self.device, self.lattice = bench.device, bench.device.lattice((edge, edge, edge))
        self.scratch = Levels.of(self.lattice, bench.device.xp)
        self.rng = np.random.default_rng(11)
        shape = self.lattice.shape
        z, y, x = np.ogrid[:edge, :edge, :edge]
        middle = (edge - 1) / 2
        ball = (x - middle) ** 2 + (y - middle) ** 2 + (z - middle) ** 2 < (0.3 * edge) ** 2
        self.vessel = np.zeros(shape, dtype=bool)
        for axis in range(3):
            for a, b in self.rng.integers(0, edge, (max(1, edge * edge // 300), 2)):
                at = [a, b]
                at.insert(axis, slice(None))
                self.vessel[tuple(at)] = True
        self.cell = ball & (self.rng.random(shape) < 0.8) & ~self.vessel
        self.supply = self.device.array((EXCHANGE_PER_H * BLOOD * self.vessel).astype(np.float32))
        self.drain = self.device.array((EXCHANGE_PER_H * self.vessel).astype(np.float32))
        self.uptake = self.device.array((UPTAKE_PER_H * self.cell).astype(np.float32))
        self.field = bench.device.xp.zeros(shape, dtype=np.float32)

    def hop(self) -> None:
        """5 % of the cells go to a neighbouring voxel, if it is free."""
        cell, voxels = self.cell.reshape(-1), self.cell.size
        ny, nx = self.cell.shape[1:]
        there = np.flatnonzero(cell)
        chosen = self.rng.choice(there, round(HOPPED * there.size), replace=False)
        to = (chosen + self.rng.choice([1, -1, nx, -nx, nx * ny, -nx * ny], chosen.size)) % voxels
        free = ~cell[to] & ~self.vessel.reshape(-1)[to]
        cell[chosen[free]], cell[to[free]] = False, True
        # (two may have chosen one voxel: then there is a cell less, which is of no account here)
        self.uptake[...] = self.device.array((UPTAKE_PER_H * self.cell).astype(np.float32))

    def solve(self, *, cold: bool) -> Solved:
        given = (self.field, self.supply, self.drain, self.uptake)
        return solve(self.lattice, *given, self.scratch, LAW, cold=cold)


def measure(bench: Bench) -> list[Figure]:
    edge = bench.plan.edge // 2 if bench.device.arch == "cpu" else bench.plan.cuda_edge // 2
    oxygen = Oxygen(bench, edge)
    first = seconds(lambda: oxygen.solve(cold=True), bench.wait)
    found: dict[str, tuple[list[float], list[Solved]]] = {"cold": ([], []), "warm": ([], [])}
    for _ in range(bench.plan.repeats):
        for how, (times, ends) in found.items():
            if how == "warm":
                oxygen.hop()
            times.append(seconds(lambda how=how, ends=ends: ends.append(oxygen.solve(cold=how == "cold")), bench.wait))
    figures = [Figure(NAME, f"oxygen {edge}^3: first solve", "s", (first,), note="compiles, or loads the cache")]
    marks = {"cold": (160.0, 120.0), "warm": (70.0, 40.0)} if bench.device.arch == "cpu" else {}
    for how, (times, ends) in found.items():
        floor, goal = marks.get(how, (None, None))
        last = ends[-1]
        note = f"{last.cycles} cycles, last change {last.change:.1g} of the range, |r|/|b| {last.residual:.1g}; f32"
        per_voxel = tuple(1e9 * each / edge**3 for each in times)
        wrong = not all(end.converged for end in ends)
        figures.append(
            Figure(
                NAME, f"oxygen {edge}^3, {how}", "ns/voxel", per_voxel, "lower", floor, goal, note=note, failed=wrong
            )
        )
    scratch = (oxygen.scratch.bytes_per_voxel,)
    figures.append(Figure(NAME, f"oxygen {edge}^3: scratch", "B/voxel", scratch, note="shared by all solutes"))
    return figures
