"""A whole tissue tick beside the pace of PhysiCell, measured elsewhere, for a spheroid of the same size.

PhysiCell (Ghaffarizadeh et al. 2018, PLoS Comput Biol 14:e1005991) took 4.5 s for a simulated minute of 18,300 cells in
75 x 75 x 75 voxels of 20 um with two substrates (median, a 2-core x86 machine, both cores used; not measured in this
run, nor published). So the quotient compares two machines too, and the programs are not of one kind: PhysiCell moves
cells off the lattice by forces every 6 s and steps its substrates every 0.6 s, here a cell is a voxel, oxygen is at rest
in every tick and a tick is six minutes, the step at which PhysiCell's cells take decisions. It says what a simulated
minute costs, not that the same was computed.

Ours is the scenario `spheroid` in that lattice, with vegf from starving cells as the second solute.
"""

from ...kernels.tissue import Cell
from ..scenario_file import load_scenario
from ..simulation import Simulation
from .figures import Figure, sampled, seconds
from .plan import Bench

NAME = "spheroid"
CELLS = 18_300
ELSEWHERE_S = 4.5
THEIRS = "PhysiCell's 4.5 s for a simulated minute, measured elsewhere (2-core x86)"
EDGE = 75
TICK_H = 0.1
DEEP_HYPOXIA_MMHG = 5.0


def measure(bench: Bench) -> list[Figure]:
    edge, cells = (EDGE, CELLS) if not bench.plan.quick else (EDGE // 3, CELLS // 27)
    run = simulation(bench, edge, cells)
    first = seconds(run.advance, bench.wait)
    ticks = max(2, bench.plan.ticks // 5)
    sampled(run.advance, bench.wait, 1, calls=ticks)  # oxygen comes to rest, those on the rim divide
    per_minute = tuple(
        each / (60 * TICK_H) for each in sampled(run.advance, bench.wait, bench.plan.repeats, calls=ticks)
    )
    oxygen = run.primary.host("oxygen")[run.primary.host("cell") == Cell.TUMOUR]
    hypoxic = float((oxygen < DEEP_HYPOXIA_MMHG).mean())
    what = f"{run.cells:,} cells at the end, {100 * hypoxic:.0f} % of them below {DEEP_HYPOXIA_MMHG:g} mmHg"
    lattice = f"{cells:,} cells, {edge}^3, oxygen and vegf"
    return [
        Figure(NAME, "first tick", "s", (first,), note="compiles, or loads the cache"),
        Figure(NAME, f"simulated minute, {lattice}", "s", per_minute, floor=0.02, goal=0.01, note=what),
        Figure(NAME, "times PhysiCell", "x", tuple(ELSEWHERE_S / each for each in per_minute), "higher", note=THEIRS),
    ]


def simulation(bench: Bench, edge: int, cells: int) -> Simulation:
    """The scenario `spheroid` in a cube of that edge, with ticks of six minutes, vegf, and nobody who dies: as many
    cells all along."""
    changes = {
        "lattice.shape": [edge, edge, edge],
        "lattice.tick_h": TICK_H,
        "implant.cells": cells,
        "solutes.oxygen.every_ticks": 1,
        "solutes.vegf.hypoxic_secretion_per_h": 1.0,
        "death.necrosis_per_h": 0.0,
    }
    return Simulation(load_scenario("spheroid", changes), bench.device)
