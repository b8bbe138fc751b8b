"""What a run takes, counted by hand; what does not fit is refused and what is proposed instead fits."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from seedsoil.kernels import transport
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import bare
from seedsoil.sim import available, implant, limits
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError
from seedsoil.sim.limits import estimate, field_types, largest_lattice, refuse_what_cannot_run
from seedsoil.sim.processes import Processes
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.warned import warnings_of

GIB = 2**30


def scenario(**tables: object) -> Scenario:
    return Scenario.model_validate(
        {"until_h": 100, "lattice": {"shape": [8, 16, 16], "voxel_um": 20, "tick_h": 0.5}, **tables}
    )


TWO_ORGANS = {"organ_shape": [4, 8, 8], "organs": {n: {"share_probability": 0.5} for n in ("bone", "lung")}}


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


def test_solvers_take_what_is_counted(device: Device) -> None:
    """Scratch of an implicit solve with uptake: drain, uptake and those coarser levels that the tissue has no room for, in 2-D and 3-D."""
    for shape in ([12, 16, 20], [1, 64, 64]):
        given = scenario(
            lattice={"shape": shape}, solutes={"oxygen": {}, "vegf": {}}, vessels={"blood": 2, "ruptured": 0}
        )
        processes = Processes.of(given, device.lattice(tuple(shape)))
        tissue = implant.primary(given, device)
        transport.advance(tissue, processes.solutes, 0, processes.scratch)
        scratch, voxels = processes.scratch, math.prod(shape)
        assert scratch.levels is not None and scratch.supply is None
        held = scratch.drain.nbytes + scratch.uptake.nbytes + scratch.levels.bytes_per_voxel * voxels
        assert limits.scratch_bytes(processes.solutes, shape[0] == 1) * voxels == pytest.approx(held, rel=0.1)
        assert estimate(given).solvers == {"oxygen": "quasi-steady", "vegf": "implicit", "protease": "plain"}


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
    assert peak <= limits.PLACING_BYTES + limits.PLACING_BYTES_PER_VOXEL * placed.lattice.voxels


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
    assert peak <= limits.PLACING_BYTES / 4 + limits.PLACING_BYTES_PER_VOXEL * laid.lattice.voxels


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("arch", ["cpu", "cuda"])
def test_the_proposed_lattice_is_the_largest_that_fits(flat: bool, arch: str) -> None:
    asked = scenario(lattice={"shape": [1, 40_000, 40_000] if flat else [1000, 1000, 1000]}, body=TWO_ORGANS)
    room = {"host_bytes": 3 * GIB, "device_bytes": GIB, "disk_bytes": 2 * GIB}
    shape = largest_lattice(asked, arch, room)
    assert shape is not None

    def fits(edge: int) -> bool:
        table = {"shape": [1 if flat else edge, edge, edge]}
        needs = estimate(scenario(lattice=table, body=TWO_ORGANS), arch)
        return all(getattr(needs, key) <= most for key, most in room.items())

    assert shape[0] == (1 if flat else shape[1])
    assert fits(shape[1]) and not fits(shape[1] + 1)


def test_too_much_memory_is_refused_with_what_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 2 * GIB)
    large = scenario(lattice={"shape": [600, 600, 600]}, title="big \x1b[31m")
    with pytest.raises(InputError) as caught:
        refuse_what_cannot_run(large, tmp_path)
    message = str(caught.value)
    shape = largest_lattice(large, "cpu", {"host_bytes": 2 * GIB})
    assert shape is not None and f"lattice.shape = {list(shape)}" in message
    assert "2 GiB are free" in message and "big \\x1b[31m" in message
    assert message.endswith("Nothing was run.")
    fitting = scenario(lattice={"shape": list(shape)})
    assert refuse_what_cannot_run(fitting, tmp_path).voxels == shape[0] ** 3


def test_too_little_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = scenario(lattice={"shape": [64, 64, 64]}, output={"every_h": 0.5})
    monkeypatch.setattr(limits, "free_disk", lambda _: 10**6)
    with pytest.raises(InputError, match="of disk space, 977 KiB are free") as caught:
        refuse_what_cannot_run(asked, tmp_path)
    assert "A longer output.every_h" in str(caught.value)
    assert refuse_what_cannot_run(asked).frames == 201  # no folder, no disk to look at


def test_a_gpu_too_small_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 2**50)
    asked = scenario(lattice={"shape": [512, 512, 512]})
    with pytest.raises(InputError, match="of memory of the GPU, 1 GiB are free"):
        refuse_what_cannot_run(asked, device="cuda", gpu_free_bytes=GIB)
    assert refuse_what_cannot_run(asked, device="cuda").device_bytes > GIB


def test_organs_alone_can_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: GIB)
    with pytest.raises(InputError, match=r"smaller body\.organ_shape"):
        refuse_what_cannot_run(scenario(body={**TWO_ORGANS, "organ_shape": [500, 500, 500]}))


def test_more_ticks_or_substeps_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(InputError, match="10000000000 ticks"):
        refuse_what_cannot_run(scenario(until_h=1e4, lattice={"shape": [1, 32, 32], "tick_h": 1e-6}))
    with pytest.raises(InputError, match="protease substeps a tick"):
        refuse_what_cannot_run(scenario(solutes={"protease": {"diffusivity_um2_per_h": 1e8, "solver": "explicit"}}))


def test_warnings() -> None:
    given = {"matrix": {"contact_per_h": 0.1}, "solutes": {"protease": {"secretion_per_h": 0.1}}}
    assert warnings_of(scenario(**given)) == []
    slow = scenario(
        **given,
        lattice={"shape": [1, 32, 32], "tick_h": 12},
        proliferation={"epithelial_per_h": 0.001, "mesenchymal_per_h": 0.001},
        output={"every_h": 200},
        body={"transit_h": 1},
    )
    assert [text.split()[0] for text in warnings_of(slow)] == ["body.transit_h", "output.every_h"]


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal:  9000 kB\nMemFree: 10 kB\nMemAvailable:    4000 kB\n"}


def test_memory_of_a_machine(tmp_path: Path) -> None:
    assert available.available_memory(tree(tmp_path, MEMINFO)) == 4000 * 1024
    assert available.available_memory(tmp_path / "nothing") is None


def test_memory_below_the_limit_of_a_control_group(tmp_path: Path) -> None:
    two = {
        **MEMINFO,
        "proc/self/cgroup": "0::/job/step\n",
        "sys/fs/cgroup/job/step/memory.max": "max\n",
        "sys/fs/cgroup/job/step/memory.current": "5\n",
        "sys/fs/cgroup/job/memory.max": "2000000\n",
        "sys/fs/cgroup/job/memory.current": "1500000\n",
        "sys/fs/cgroup/job/memory.stat": "anon 7\ninactive_file 300000\n",
    }
    assert available.available_memory(tree(tmp_path / "v2", two)) == 2_000_000 - 1_200_000
    one = {
        **MEMINFO,
        "proc/self/cgroup": "5:cpu:/x\n4:memory:/gone/away\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "400000\n",
    }
    assert available.available_memory(tree(tmp_path / "v1", one)) == 600_000
    one["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    assert available.available_memory(tree(tmp_path / "v1", one)) == 4000 * 1024
    one["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "300000\n"
    assert available.available_memory(tree(tmp_path / "v1", one)) == 0


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = available.free_disk(tmp_path / "a" / "b")
    assert free is not None and free > 0
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("visible", "found"), [(None, 1234 * 2**20), ("1,0", 1234 * 2**20), ("", None), ("-1", None)])
def test_free_memory_of_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, found: int | None
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\necho "$@" > "$0.called"\necho 1234\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert available.gpu_free_bytes() == found
    if visible == "1,0":
        assert "-i 1 " in (tmp_path / "nvidia-smi.called").read_text()


def test_bytes_for_people() -> None:
    assert [available.readable_bytes(n) for n in (0, 1023, 1536, 5 * GIB, 2**45)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5 GiB",
        "32.0 TiB",
    ]


def test_a_default_for_another_voxel_and_a_rounded_clock_are_pointed_out() -> None:
    told = "\n".join(warnings_of(scenario()))
    assert "matrix.contact_per_h" in told and "secretion_per_h" in told
    exact = {
        "lattice": {"shape": [8, 16, 16], "voxel_um": 5.0, "tick_h": 0.5},
        "proliferation": {"law": "clock", "epithelial_per_h": 0.1, "mesenchymal_per_h": 0.05},
    }
    assert not warnings_of(scenario(**exact))
    off = {**exact, "proliferation": {"law": "clock", "epithelial_per_h": 1.5, "mesenchymal_per_h": 0.05}}
    assert "epithelial_per_h" in "\n".join(warnings_of(scenario(**off)))


def test_a_checkpoint_that_a_signal_would_wait_for_is_warned_of() -> None:
    def told(nz: int) -> list[str]:
        large = scenario(lattice={"shape": [nz, 1024, 1024], "voxel_um": 5.0})
        return [text for text in warnings_of(large) if "checkpoint" in text]

    assert told(100) == []
    (text,) = told(1000)
    assert "20 s" in text and "GiB" in text
