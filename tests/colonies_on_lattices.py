"""Colonies on lattices of their own, in a tissue where nothing but division and death happens."""

from typing import Any

import numpy as np

from seedsoil.kernels.draws import Stamp
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.handover import Handover, OnLattice
from seedsoil.sim.body.mean_field import MeanField
from seedsoil.sim.device import Device
from seedsoil.sim.ledger import Others, check_cells
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.step import step

SHAPE = (12, 16, 20)
GROWTH = ColonyGrowth(birth_per_h=0.03, death_per_h=0.012, lattices=64, lattice_fill_fraction=0.9)
CELLS = 60


def scenario(**tables: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "until_h": 1.0,
            "lattice": {"shape": list(SHAPE), "voxel_um": 20.0, "tick_h": 1.0},
            "implant": {"cells": 10},
            "vessels": {"solid": False, "site_voxels": 2},
            "body": {"organ_shape": list(SHAPE), "organs": {"lung": {"share_probability": 1.0}}},
            "motility": {"epithelial_um2_per_h": 0.0, "mesenchymal_um2_per_h": 0.0},
            "intravasation": {"active_per_h": 0.0, "passive_per_h": 0.0},
            "proliferation": {"push_voxels_max": 8},
            **tables,
        }
    )


def tick(colony: OnLattice, stamp: Stamp) -> tuple[int, Others]:
    tally, seeds = step(colony.tissue, colony.processes, stamp, colony.cells, 0, colony.others)
    check_cells(tally, stamp.tick, f"colony {colony.row}")
    assert not seeds
    return tally.after, tally.others


def lattices(
    device: Device, growth: ColonyGrowth, rows: int, cells: Any = CELLS, adapted: int = 0, tables: Any = None
) -> tuple[MeanField, Handover]:
    field = MeanField(growth, 12.0, device, rng_key=1)
    entities = np.arange(rows, dtype=np.uint64)
    field.found(entities, cells, law=field.law(), adapted_law=field.law(adapted=True), adapted=adapted)
    return field, Handover(scenario(**(tables or {})), device, field, tick)


def compared(device: Device, rows: int, intervals: int, push_voxels: int = 8) -> tuple[float, float]:
    """(mean cells of colonies on lattices less that of colonies without, its standard error), after intervals of 12 h."""
    field, handover = lattices(device, GROWTH, rows, tables={"proliferation": {"push_voxels_max": push_voxels}})
    handover._outgrown = lambda colony: False  # one in a hundred sends a cell to a wall: it stays all the same
    while handover.take(0):
        for interval in range(intervals):
            assert handover.advance(interval) == []
        handover.colonies.clear()  # their places go to the next
    off = MeanField(GROWTH, 12.0, device, rng_key=2)
    off.found(np.arange(20_000, dtype=np.uint64), CELLS, law=off.law())
    for interval in range(intervals):
        off.advance(interval)
    without = off.table["cells"]
    return float(field.table["cells"].mean() - without.mean()), float(without.std() / rows**0.5)
