"""Vessels that grow, tear and collapse within a run: the books are true, off is off, and a resumed run has the same bits."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from seedsoil.kernels.tissue import Vessel
from seedsoil.outputs.reader import open_run
from seedsoil.sim.device import Device
from seedsoil.sim.errors import IdentityBroken, Interrupted
from seedsoil.sim.resume import resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.simulation import Simulation
from seedsoil.sim.state import capture, restore

GROWTH = {"sprouting_per_mm_h": 3.0, "branching_per_mm_h": 1.0, "regression_um_per_h": 4.0}
TABLES = {
    "angiogenesis": GROWTH,
    "lymphangiogenesis": GROWTH,
    "rupture": {"protease_per_h": 0.05, "contact_per_h": 0.02, "healing_per_h": 0.2},
    "collapse": {"collapse_per_h": 0.3, "reopening_per_h": 0.2, "least_faces_fraction": 0.5},
}


def scenario(**changes: object) -> Scenario:
    """2-D: a tumour that secretes both ligands, between vessels of both kinds."""
    ligand = {"diffusivity_um2_per_h": 500.0, "decay_per_h": 0.05, "secretion_per_h": 20.0}
    given = {
        "until_h": 24.0,
        "rng_key": 4,
        "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
        "implant": {"kind": "scattered", "cells": 300},
        "solutes": {"vegf": ligand, "vegf_c": ligand},
        "vessels": {"kind": "straight", "blood": 3, "lymph": 2, "ruptured": 4, "free_core_um": 0.0},
        "body": {"organ_shape": [1, 64, 64]},
        "output": {"every_h": 12.0, "series_every_h": 3.0},
        **TABLES,
        **changes,
    }
    return Scenario.model_validate(given)


def after(device: Device, hours: float, **changes: object) -> Simulation:
    out = Simulation(scenario(**changes), device)
    for _ in range(round(hours / 0.1)):
        out.advance()
    return out


def unreached(vessel: np.ndarray, kind: Vessel) -> int:
    """Perfused voxels of a kind that no perfused path joins to a given one."""
    open_to = (vessel & kind > 0) & (vessel & Vessel.PERFUSED > 0)
    labels, _ = ndimage.label(open_to)
    return int((open_to & ~np.isin(labels, np.unique(labels[open_to & (vessel & Vessel.GIVEN > 0)]))).sum())


@pytest.fixture(scope="module")
def busy(device: Device) -> Simulation:
    return after(device, 24.0)


def test_all_of_it_happens(busy: Simulation) -> None:
    vessel = busy.primary.vessel
    for kind in (Vessel.BLOOD, Vessel.LYMPH):
        grown = (vessel & kind > 0) & (vessel & Vessel.GIVEN == 0)
        assert grown.sum() > 50
        assert (grown & (vessel & Vessel.PERFUSED > 0)).sum() > 5
        assert unreached(vessel, kind) == 0
    for bit in (Vessel.TIP, Vessel.RUPTURED, Vessel.COLLAPSED):
        assert (vessel & bit > 0).sum() > 2
    assert (vessel & Vessel.TIP > 0).sum() == busy.vessels.tips.rows
    assert not np.any((busy.primary.cell > 0) & (vessel > 0))  # vessels are solid


def test_a_broken_network_stops_the_run(device: Device) -> None:
    """Planted: a stretch that is cut off is said to be perfused."""
    sim = after(device, 12.0, collapse={}, angiogenesis={**GROWTH, "regression_um_per_h": 0.0})
    blind = sim.primary.vessel.reshape(-1)
    voxels = sim.vessels.grown(int(Vessel.BLOOD))
    links = sim.vessels.links
    sim.vessels.perfuse = lambda *_: None  # type: ignore[method-assign]
    far = voxels[np.isin(voxels, links["one"][links["other"] == links["one"]], invert=True)]
    blind[far] |= int(Vessel.PERFUSED)
    blind[blind & Vessel.GIVEN > 0] &= 0xFF ^ int(Vessel.PERFUSED)
    with pytest.raises(IdentityBroken, match=r"primary: .* voxels of grown vessels are perfused"):
        for _ in range(5):
            sim.advance()


@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_rates_is_the_run_without_it(device: Device, table: str) -> None:
    others = {name: {} for name in TABLES}
    alone = after(device, 6.0, **others)
    assert (
        after(device, 6.0, **{**others, table: {"threshold_ng_per_ml": 0.0} if "genesis" in table else {}}).digest()
        == alone.digest()
    )
    assert after(device, 6.0, **{**others, table: TABLES[table]}).digest() != alone.digest()
    assert (alone.primary.vessel & Vessel.GIVEN > 0).sum() == (alone.primary.vessel > 0).sum()


def test_captured_and_restored_it_goes_on_alike(device: Device, busy: Simulation) -> None:
    half = after(device, 11.3)
    arrays, numbers = capture(half)
    again = restore(half.scenario, device, {name: value.copy() for name, value in arrays.items()}, numbers)
    assert again.digest() == half.digest()
    assert again.vessels.tips.rows == half.vessels.tips.rows > 0
    again.vessels.tips["x"][0] += 0.25  # a tip's place within its voxel is part of the state
    assert again.digest() != half.digest()
    again.vessels.tips["x"][0] -= 0.25
    while again.tick < busy.tick:
        again.advance()
    assert again.digest() == busy.digest()


def test_stopped_and_resumed_it_has_the_same_bits(tmp_path: Path) -> None:
    asked = iter(range(1, 10**9))
    run(scenario(until_h=9.0), out=tmp_path / "whole", report=False)
    with pytest.raises(Interrupted):
        run(scenario(until_h=9.0), out=tmp_path / "run", report=False, stop=lambda: next(asked) >= 53)
    resume(tmp_path / "run", report=False)
    one, other = (json.loads((tmp_path / name / "status.json").read_text())["digest"] for name in ("whole", "run"))
    assert one == other
    series = open_run(tmp_path / "run").series()
    assert series.vessel_voxels[-1] > series.vessel_voxels[0]
    assert 0.0 < series.vessel_perfused[-1] < 1.0
    assert series.vessel_tips[-1] > 0 and series.vessel_ruptured[-1] > 0
