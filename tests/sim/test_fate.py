"""Cells that die in a run: the books balance tick by tick, in organs too, and a run that stops goes on to the same bits."""

import numpy as np
from twins.tissues import random_tissue

from seedsoil.kernels import death
from seedsoil.kernels.death import Death
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.tissue import CARRIED, DEBRIS, GONE, Cell
from seedsoil.sim import observe
from seedsoil.sim.body import organs
from seedsoil.sim.device import Device
from seedsoil.sim.ledger import Others, check_cells
from seedsoil.sim.processes import Processes
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.simulation import Simulation
from seedsoil.sim.state import capture, restore
from seedsoil.sim.step import step

FLAT = (1, 64, 64)


def scenario(**tables: object) -> Scenario:
    """2-D and deadly: seeds, two organs, cells that die in all of them."""
    return Scenario.model_validate(
        {
            "until_h": 10.0,
            "rng_key": 5,
            "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
            "implant": {"kind": "scattered", "cells": 900},
            "vessels": {"blood": 60, "ruptured": 20, "free_core_um": 0.0},
            "intravasation": {"active_per_h": 0.2, "passive_per_h": 0.5, "companion_probability": 0.7},
            "emt": {"rate_per_h": 0.2, "stiffness_weight": 1.0, "organ_background_drive": -1.0},
            "death": {"apoptosis_per_h": 0.05, "anoikis_per_h": 0.5, "anoikis_matrix_fraction": 1.0},
            "body": {
                "transit_h": 1.0,
                "single_survival_probability": 0.8,
                "cluster_survival_probability": 0.8,
                "organ_shape": [1, 64, 64],
                "organs": {"lung": {"share_probability": 0.6}, "bone": {"share_probability": 0.4}},
            },
            **tables,
        }
    )


def test_deaths_are_booked_by_cause_and_colonies_die_out(device: Device) -> None:
    run = Simulation(scenario(), device)
    dead = {"died_apoptotic": 0, "died_anoikic": 0}
    total = 0
    for tick in range(80):
        run.advance()  # the ledger would stop it
        if tick % 8 == 7:
            row = observe.row(run)
            total += row["died"]
            for name in dead:
                dead[name] += row[name]
    assert min(dead.values()) > 5
    assert total == sum(dead.values())
    run.recount()
    assert run.colonies.count(organs.EXTINCT) > 3 and run.colonies.count(organs.GROWING) > 3
    held = sum(int((tissue.cell == Cell.TUMOUR).sum()) for _, tissue in run.tissues()[1:])
    assert held == run.colonies.table["cells"].sum()
    for _, tissue in run.tissues():
        empty = tissue.cell == Cell.EMPTY
        assert not any(getattr(tissue, name)[empty].any() for name in CARRIED)


def test_effectors_come_in_kill_and_are_spent(device: Device) -> None:
    """The ledger would stop the run; here the same sums from the series, and the same bits after a stop."""
    table = {"entry_per_h": 0.5, "speed_um_per_h": 200.0, "kill_per_h": 1.0, "exhaustion_probability": 0.5}
    fought = scenario(death={}, immune=table | {"death_per_h": 0.02})
    run, total = Simulation(fought, device), {"died_killed": 0, "immune_entered": 0, "immune_exhausted": 0, "died": 0}
    for tick in range(40):
        run.advance()
        row = observe.row(run)
        total = {name: total[name] + int(row[name]) for name in total}
        assert row["immune_cells"] == (run.primary.cell == Cell.IMMUNE).sum()
        if tick == 16:
            arrays, numbers = capture(run)
            half = restore(fought, device, {name: array.copy() for name, array in arrays.items()}, numbers)
    assert total["immune_entered"] - total["immune_exhausted"] == row["immune_cells"] > 10
    assert total["died"] == total["died_killed"] > 20 and total["immune_exhausted"] > 10
    assert any((tissue.cell == Cell.IMMUNE).any() for _, tissue in run.tissues()[1:])  # in organs too
    for _ in range(23):
        half.advance()
    assert half.digest() == run.digest()
    blind = Simulation(scenario(death={}, immune=table | {"visibility_fraction": 0.0}), device)
    for _ in range(10):
        blind.advance()
    assert blind.others.immune > 10 and observe.row(blind)["died"] == 0


def test_emt_is_recorded_and_organs_may_be_permissive(device: Device) -> None:
    run = Simulation(scenario(death={}), device)
    for _ in range(60):
        run.advance()
    row, emt = observe.row(run), run.primary.emt[run.primary.cell == Cell.TUMOUR].astype(int)
    assert row["emt_mean"] == emt.mean()
    assert row["hybrid_cells"] == ((emt >= 64) & (emt <= 191)).sum() > 20
    assert row["mesenchymal_cells"] + row["epithelial_cells"] == row["tumour_cells"] == len(emt)
    there = np.concatenate([tissue.emt[tissue.cell == Cell.TUMOUR] for _, tissue in run.tissues()[1:]])
    assert there.mean() < emt.mean() - 20  # back to epithelial, where the drive is negative


def test_a_deadly_run_that_is_stopped_goes_on_to_the_same_bits(device: Device) -> None:
    whole, first = Simulation(scenario(), device), Simulation(scenario(), device)
    for _ in range(60):
        whole.advance()
    for _ in range(23):
        first.advance()
    arrays, numbers = capture(first)
    second = restore(scenario(), device, {name: array.copy() for name, array in arrays.items()}, numbers)
    for _ in range(37):
        second.advance()
    assert second.digest() == whole.digest()
    other = Simulation(scenario(death={"apoptosis_per_h": 0.09}), device)
    for _ in range(60):
        other.advance()
    assert other.digest() != whole.digest()


def test_debris_is_booked_as_it_comes_and_goes(device: Device) -> None:
    """Necrosis under a field that is forced: who dies of it is debris, and debris is cleared."""
    tissue = random_tissue(device.lattice(FLAT), density=0.4)
    tissue.due[...] = 0
    tissue.solutes["oxygen"] = np.tile(np.linspace(0, 10, 64, dtype=np.float32), (1, 64, 1))
    table = Death(necrosis_per_h=0.5, clearance_per_h=0.1)
    at_work = Processes.of(scenario(death={}), tissue.lattice)
    at_work = type(at_work)(**{**vars(at_work), "death": death.rates(table, 0.1)})
    kinds = (Cell.NECROTIC, Cell.IMMUNE, Cell.STROMA, Cell.EPITHELIUM)
    cells = int((tissue.cell == Cell.TUMOUR).sum())
    before = Others(*(int((tissue.cell == kind).sum()) for kind in kinds))
    well_fed = int((tissue.cell[:, :, 32:] == Cell.NECROTIC).sum())
    necrosed = cleared = 0
    for tick in range(40):
        tally, _ = step(tissue, at_work, Stamp.of(1, 0, tick), cells, 0, before)
        check_cells(tally, tick, "primary")
        assert tally.died == sum(count for _, count in tally.causes)
        assert [name for name, _ in tally.causes] == [cause.name.lower() for cause in (*GONE, *DEBRIS)]
        cells, before = tally.after, tally.others
        necrosed += tally.others_gained.necrotic
        cleared += tally.others_lost.necrotic
    assert necrosed > 100 and cleared > 50
    above = int((tissue.cell[:, :, 32:] == Cell.NECROTIC).sum())  # over 5 mmHg nobody starves
    assert above <= well_fed
