"""A tick of franssen2019 beside the published pace of MetaSpread, the program with the same model.

MetaSpread takes 0.37 s a step with 388 cells and 1.2 s with 75 000 (three grids of 201 x 201 sites, median, on a
2-core x86 machine). That was measured elsewhere: the quotient compares two machines as well as two programs.

Ours has the preset's lattices of 402 x 402 voxels: the primary, and one for each organ that a seed has reached.
Two states of 75 000 cells: a disc as tumours grow, all of whose inner cells wait for room to divide, and cells
scattered over the whole lattice, all of which can move: the most work so many cells can make.
"""

from collections.abc import Callable

import numpy as np

from ...kernels.tissue import Cell
from .. import implant
from ..body.organs import around, arrival_sites
from ..scenario_file import load_scenario
from ..simulation import Simulation
from .figures import Figure, sampled, seconds
from .plan import Bench

NAME = "franssen2019"
CELLS = 75_000
# cells around each of an organ's vessel sites, in the tick with organs
ORGAN_CELLS = 100
PUBLISHED_S = {388: 0.37, CELLS: 1.2}
THEIRS = "MetaSpread's published {:g} s a step, measured elsewhere (2-core x86)"


def measure(bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    start = simulation(bench, 388)
    first = seconds(start.advance, bench.wait)
    figures.append(Figure(NAME, "first tick", "s", (first,), note="compiles, or loads the cache"))
    figures += _tick(bench, "388 cells, primary", start, 388)
    grown = simulation(bench, CELLS)
    wait_for_room(grown)
    figures += _tick(bench, "75 000 cells, primary", grown, CELLS, floor=400.0, goal=1000.0)
    populate(grown)
    organs = f"75 000 cells, primary and {len(grown.organs)} organs"
    figures += _tick(bench, organs, grown, CELLS, floor=400.0, goal=1000.0)
    strewn = simulation(bench, CELLS, kind="scattered")
    figures += _tick(bench, "75 000 cells scattered, primary", strewn, CELLS)
    return figures


def simulation(bench: Bench, cells: int, kind: str = "ball") -> Simulation:
    """The preset with another number of cells at its start. No seed survives, so no organ joins in by itself."""
    changes = {
        "implant.cells": cells,
        "implant.kind": kind,
        "body.single_survival_probability": 0.0,
        "body.cluster_survival_probability": 0.0,
    }
    return Simulation(load_scenario("franssen2019", changes), bench.device)


def wait_for_room(run: Simulation) -> None:
    """Every cell of the primary wants to divide; those with room do so within a few ticks."""
    tissue = run.primary
    tissue.due[...] = tissue.cell == np.uint8(Cell.TUMOUR)


def populate(run: Simulation) -> None:
    """Put cells around the vessel sites of every organ, as if colonies had grown there."""
    for organ in run.organs:
        organ.tissue = tissue = implant.organ(run.scenario, run.device, organ.name)
        block = run.scenario.vessels.site_voxels
        places = [around(tissue.lattice, int(site), block)[:ORGAN_CELLS] for site in arrival_sites(tissue)]
        chosen = np.unique(np.concatenate(places))
        free = chosen[tissue.host("vessel").reshape(-1)[chosen] == 0]
        where = run.device.array(free)
        tissue.cell.reshape(-1)[where] = np.uint8(Cell.TUMOUR)
        tissue.emt.reshape(-1)[where] = np.uint8(255)
        tissue.wake()
        organ.cells = len(free)


def _tick(
    bench: Bench, name: str, run: Simulation, cells: int, floor: float | None = None, goal: float | None = None
) -> list[Figure]:
    ticks, repeats = bench.plan.ticks, bench.plan.repeats
    _warm(run.advance, bench.wait, ticks)
    times = sampled(run.advance, bench.wait, repeats, calls=ticks)
    published = PUBLISHED_S[cells]
    total = run.cells + sum(organ.cells for organ in run.organs)
    faster = tuple(published / each for each in times)
    return [
        Figure(NAME, f"tick, {name}", "ms", tuple(1e3 * each for each in times), note=f"{total:,} cells at the end"),
        Figure(NAME, f"times MetaSpread, {name}", "x", faster, "higher", floor, goal, note=THEIRS.format(published)),
    ]


def _warm(call: Callable[[], object], wait: Callable[[], object], ticks: int) -> None:
    """Compile what is new, and let the start settle: those on the rim divide, chunks without cells fall idle."""
    sampled(call, wait, 1, calls=max(20, ticks // 5))
