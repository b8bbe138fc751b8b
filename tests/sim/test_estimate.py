"""What a run takes, counted by hand, and against what it takes."""

import tracemalloc

import numpy as np
import pytest
from sized_scenarios import TWO_ORGANS, scenario

from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.levels import own_bytes
from seedsoil.kernels.tissue import bare
from seedsoil.sim import estimate as estimates
from seedsoil.sim import implant
from seedsoil.sim.device import Device
from seedsoil.sim.estimate import estimate, field_types
from seedsoil.sim.processes import Processes


def test_counts_by_hand() -> None:
    output = {"every_h": 30, "fields": ["cell", "matrix"]}
    needs = estimate(scenario(output=output, body=TWO_ORGANS, motility={"law": "linear"}))
    assert (needs.voxels, needs.organ_voxels) == (2048, 2 * 256)
    assert needs.ticks == 200
    assert needs.frames == 1 + 4
    assert needs.frame_bytes == (1 + 4) * (2048 + 512)
    assert needs.bytes_per_voxel == sum(np.dtype(kind).itemsize for kind in field_types().values())
    assert needs.tissue_bytes == needs.bytes_per_voxel * (2048 + 512)
    assert needs.checkpoint_bytes == 20 * (2048 + 512)
    assert needs.device_bytes == 0
    assert needs.hop_substeps == 6  # 6 faces x 36 um2/h x 0.5 h / (20 um)^2 = 0.27 hops a tick, 0.05 a substep
    assert needs.solute_substeps == {"protease": 4} and needs.solvers == {
        "protease": "plain"
    }  # 0.5 h (6 x 360 um2/h / (20 um)^2 + 0.009/h) = 2.70, 0.9 a substep


def test_every_recordable_field_has_a_size() -> None:
    assert set(scenario().output.fields) <= set(field_types())
    assert field_types()["clone"] == "<u4"


def test_a_checkpoint_holds_what_is_counted() -> None:
    state = bare(Lattice.of((2, 3, 5)), lattice_id=0, voxel_um=20.0, roles=("protease", "oxygen")).members()
    plain = {"diffusivity_um2_per_h": 360, "exchange_um2_per_h": 0} | {
        f"{kind}uptake_per_h": 0 for kind in ("", "stroma_", "immune_", "epithelium_")
    }
    given = scenario(solutes={"oxygen": plain})
    assert estimate(given).checkpoint_bytes == sum(value.itemsize for value in state.values()) * 2048
    assert estimate(given).bytes_per_voxel == estimate(scenario()).bytes_per_voxel + 4


SHAPES = [(12, 16, 20), (1, 64, 64), (20, 20, 20), (10, 10, 10), (13, 13, 13), (1, 20, 20), (1, 21, 21), (3, 20, 20)]
SHAPES += [(5, 6, 7), (1, 1, 50), (2, 2, 2), (1, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_solvers_take_what_is_counted(device: Device, shape: tuple[int, int, int]) -> None:
    """Scratch of solves with uptake: drain, uptake and those coarser levels that the tissue has no room for, to the byte."""
    given = scenario(
        lattice={"shape": shape}, solutes={"oxygen": {}, "vegf": {}}, vessels={"kind": "none"}, implant={"cells": 1}
    )
    processes = Processes.of(given, device.lattice(shape))
    tissue, scratch = implant.primary(given, device), processes.scratch
    for one in processes.solutes.roles.values():
        if one.solver != "plain":
            scratch.arrays(tissue, one)
    assert scratch.levels is not None and scratch.supply is None
    # of each coarse level its arrays, but for those that lie in what is lent
    made = [array for level in scratch.levels.levels[1:] for array in (*level.problem, level.old)]
    own = sum(array.nbytes for array in made if not any(np.shares_memory(array, lent) for lent in scratch.levels.lent))
    assert own == scratch.levels.own_bytes
    held = scratch.drain.nbytes + scratch.uptake.nbytes + own
    assert estimates.scratch_bytes(processes.solutes, Lattice.of(shape)) == held
    assert estimate(given).solvers == {"oxygen": "quasi-steady", "vegf": "implicit", "protease": "plain"}


@pytest.mark.parametrize("edge", [50, 66, 100, 64])
def test_levels_fill_what_is_lent_to_them(edge: int) -> None:
    """Four of the five arrays of the finest coarse level go where an even edge leaves room for just these."""
    voxels = edge**3
    left = own_bytes(Lattice.of((edge, edge, edge)), (voxels, voxels)) / voxels
    assert left < 20 / 7 - 2 + 0.001
    assert own_bytes(Lattice.of((1, edge, edge)), (edge**2, edge**2)) / edge**2 < 20 / 3 - 2


def test_organs_of_another_form_are_counted_by_their_own(device: Device) -> None:
    """A flat organ of a tissue in 3-D has more of its voxels in coarser levels."""
    body = {**TWO_ORGANS, "organ_shape": [1, 30, 30]}
    both = [estimate(scenario(body=body, solutes=solutes)) for solutes in ({"oxygen": {}}, {})]
    flat = Lattice.of((1, 30, 30))
    solved = Processes.of(scenario(solutes={"oxygen": {}}), flat)
    assert both[0].tissue_bytes - both[1].tissue_bytes == (
        4 * (2048 + 2 * 900)
        + estimates.scratch_bytes(solved.solutes, flat)
        + estimates.scratch_bytes(solved.solutes, Lattice.of((8, 16, 16)))
    )


def test_a_whole_tissue_of_four_solutes_takes_what_is_counted(device: Device) -> None:
    """Every array of tissue and scratch, added up: 46.9 bytes a voxel; 4 more or fewer would be seen."""
    solutes = {"oxygen": {}, "growth_factor": {"stroma_secretion_per_h": 1.0}, "vegf": {}}
    given = scenario(lattice={"shape": [32, 32, 32]}, solutes=solutes, vessels={"blood": 2, "ruptured": 0})
    processes = Processes.of(given, device.lattice((32, 32, 32)))
    tissue, scratch = implant.primary(given, device), processes.scratch
    for one in processes.solutes.roles.values():
        if one.solver != "plain":
            scratch.arrays(tissue, one)
    assert scratch.levels is not None and len(processes.solutes.roles) == 4
    arrays = [*vars(tissue).values(), *tissue.solutes.values(), *vars(scratch).values()]
    held = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray)) / 32**3
    held += scratch.levels.bytes_per_voxel
    claimed = estimate(given).tissue_bytes / 32**3
    assert held == pytest.approx(claimed, rel=0.01)
    assert held - 4 != pytest.approx(claimed, rel=0.01)
    assert claimed == pytest.approx(46.9, abs=0.05)


def test_a_frame_a_tick_is_the_most() -> None:
    assert estimate(scenario(output={"every_h": 0.001})).frames == 201


def test_on_a_gpu_the_arrays_are_its_own() -> None:
    both = scenario(body=TWO_ORGANS)
    on_cpu, on_gpu = estimate(both, "cpu"), estimate(both, "cuda")
    assert on_gpu.device_bytes == on_gpu.tissue_bytes == on_cpu.tissue_bytes
    assert on_gpu.host_bytes <= on_cpu.host_bytes


@pytest.mark.parametrize("kind", ["points", "straight"])
@pytest.mark.parametrize("strewn", ["ball", "scattered"])
def test_placing_takes_what_is_claimed(kind: str, strewn: str) -> None:
    placed = scenario(
        lattice={"shape": [128, 128, 128]}, vessels={"kind": kind}, implant={"kind": strewn, "cells": 1000}
    )
    tracemalloc.start()
    try:
        implant.primary(placed, Device("cpu", 1, np))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= estimates.PLACING_BYTES + estimates.PLACING_BYTES_PER_VOXEL * placed.lattice.voxels


@pytest.mark.parametrize(
    "texture",
    [{"kind": "fibres"}, {"kind": "duct", "vessel_membrane_um": 40.0}],
    ids=lambda texture: texture["kind"],
)
def test_laying_the_matrix_takes_what_is_claimed(texture: dict) -> None:
    """In a lattice long enough that planes of scratch are few of all."""
    texture = {"membrane_um": 20.0, "lining_probability": 0.5, **texture}
    tables = {"initial_fraction": 0.5, "texture": texture}
    laid = scenario(lattice={"shape": [256, 64, 64]}, matrix=tables, stroma={"site_probability": 0.5})
    tracemalloc.start()
    try:
        implant.primary(laid, Device("cpu", 1, np))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= estimates.PLACING_BYTES / 4 + estimates.PLACING_BYTES_PER_VOXEL * laid.lattice.voxels
