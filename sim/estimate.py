"""What a run will take, worked out before it starts: memory, disk, ticks, substeps.

Memory is the arrays of the primary and of every organ (an organ's lattice is made when its first
seed arrives; all are counted), the frames on their way to the file, and what placing vessels and
implant takes at the start. Disk is the fields of all frames, compressed, and the checkpoints.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..kernels import transport
from ..kernels.lattice import Lattice
from ..kernels.levels import own_bytes
from ..kernels.tissue import STATE, Tissue, bare
from . import body_cost
from .body.seeds import LIVING_BYTES
from .clones import BYTES_PER_CLONE
from .scenario import Scenario

# of a voxel's claim, where cells push (kernels.pushing)
CLAIM_BYTES = 8
# the interpreter, Taichi, the writer's process
PROCESS_BYTES = 300 * 2**20
# on the host, while vessels and implant are placed (tests/sim/test_limits.py measures it)
PLACING_BYTES_PER_VOXEL = 32
PLACING_BYTES = 64 * 2**20
# of each field: one frame being written, one waiting
FRAME_COPIES = 2
# a checkpoint is not compressed, and the last one stays while the next is written
CHECKPOINTS = 2
# What a voxel comes to in the run file, in parts of its size: the means over the 41 frames of quickstart.
# Protease fills a tissue with numbers of which none is like the next, matrix is 1 wherever no cell has been
# (bytes, and for each mantissa bit: as measured at 8 to 23 with a search for repeats, times 9/8, because the writer makes
# none; of matrix half).
_PACKED = {"vessel": 0.005, "colony": 0.005, "clone": 0.005}
_PACKED_OTHERS = 0.03
_FLOAT_BYTES, _FLOAT_BYTES_PER_BIT, _MATRIX = 0.31, 0.120, 0.5
# an organ has frames from its first seed on: in quickstart a third of the primary's
_ORGAN_FRAMES = 1 / 3
# Of a body without a lattice: no fewer colonies than so many are counted on (60 MiB). The expected number is of a usual key
# and an order of magnitude (docs/verification.md): the most that a preset came to with any key tried was 130,000, where
# 39,400 were expected.
COLONIES_LEAST = 140_000
SERIES_COLUMNS = 60
# and how long it takes on a busy machine: a tick with its row of the series, and an interval of a colony (docs/performance.md)
TICK_S, COLONY_S = 0.03, 2e-7


@dataclass(frozen=True)
class Estimate:
    """What a run takes. Bytes; times in h."""

    voxels: int
    organ_voxels: int  # of all organs together
    ticks: int
    solvers: dict[str, str]  # by role
    solute_substeps: dict[str, int]  # a tick, by role; 0 where a tick is one solve
    hop_substeps: int  # a tick
    bytes_per_voxel: int
    tissue_bytes: int  # the arrays: in the GPU's memory on CUDA
    host_bytes: int  # most the host holds at once
    device_bytes: int  # most the GPU holds at once, 0 on a CPU
    frames: int
    frame_bytes: int  # uncompressed, of all lattices
    checkpoint_bytes: int  # of one
    disk_bytes: int  # what run file and checkpoints come to, about
    colonies: float = 0.0  # of a body without a lattice, for a usual key
    hours: float = 0.0  # that such a run takes, about; 0: not estimated


def estimate(scenario: Scenario, device: str = "cpu") -> Estimate:
    """Work out what `scenario` takes on "cpu" or "cuda"."""
    if scenario.emission is not None:
        return _of_body(scenario)
    lattice = Lattice.of(scenario.lattice.shape)
    # of a body that is a graph: the lattices that colonies may get
    organs = scenario.body.colonies.lattices if scenario.body.colonies else len(scenario.body.organs)
    one_organ = math.prod(scenario.body.organ_shape) if organs else 0
    roles = scenario.solutes.roles
    kinds = field_types(roles)
    per_voxel = sum(np.dtype(kind).itemsize for kind in kinds.values())
    per_voxel += CLAIM_BYTES if scenario.proliferation.push_voxels_max > 1 else 0
    everything = lattice.voxels + organs * one_organ
    um, h = scenario.lattice.voxel_um, scenario.lattice.tick_h
    solutes = transport.rates(scenario.solutes.present, lattice, um, h)
    # solvers' scratch, of the primary and one for all organs
    scratch = scratch_bytes(solutes, lattice)
    tissue = per_voxel * everything + scratch
    if organs:
        theirs = Lattice.of(scenario.body.organ_shape)
        tissue += scratch_bytes(transport.rates(scenario.solutes.present, theirs, um, h), theirs)
    frame = sum(np.dtype(kinds[name]).itemsize for name in scenario.output.fields)
    packed = sum(_frames(scenario, name) * _packed_bytes(scenario, name) for name in scenario.output.fields)
    written = packed * (lattice.voxels + _ORGAN_FRAMES * organs * one_organ)
    waiting = FRAME_COPIES * frame * everything
    saved = everything * sum(np.dtype(kinds[name]).itemsize for name in (*STATE, *roles))
    # the table, and what of it waits to be written; the traits stand on the device as well
    clones = BYTES_PER_CLONE * scenario.mutation.clones_max * (1 + FRAME_COPIES) if scenario.clones_differ else 0
    on_host = tissue if device == "cpu" else saved  # a checkpoint of what is on a GPU passes through the host
    placing = PLACING_BYTES + PLACING_BYTES_PER_VOXEL * max(lattice.voxels, one_organ)
    # an organ is placed while the others are there; the primary is placed before anything is
    later = PLACING_BYTES + PLACING_BYTES_PER_VOXEL * one_organ + on_host + waiting
    return Estimate(
        voxels=lattice.voxels,
        organ_voxels=organs * one_organ,
        ticks=scenario.ticks,
        solvers={role: one.solver for role, one in solutes.roles.items()},
        solute_substeps={role: one.substeps for role, one in solutes.roles.items()},
        hop_substeps=scenario.hops(lattice).substeps,
        bytes_per_voxel=round(per_voxel + scratch / lattice.voxels),
        tissue_bytes=tissue,
        host_bytes=PROCESS_BYTES + max(placing, later) + clones,
        device_bytes=tissue + clones if device == "cuda" else 0,
        frames=_frames(scenario, "cell"),
        frame_bytes=frame * everything,
        checkpoint_bytes=saved,
        disk_bytes=int(written) + _rows(scenario) * 8 * (20 + organs) + CHECKPOINTS * saved,
    )


def _of_body(scenario: Scenario) -> Estimate:
    """What a run without a lattice takes: seeds and colonies, in numbers that its own chance decides."""
    columns = SERIES_COLUMNS + 3 * len(scenario.body.organ_names)
    found = body_cost.expected(scenario)
    tables = int(LIVING_BYTES * max(COLONIES_LEAST, found.colonies))
    return Estimate(
        voxels=1,
        organ_voxels=0,
        ticks=scenario.ticks,
        solvers={},
        solute_substeps={},
        hop_substeps=0,
        bytes_per_voxel=0,
        tissue_bytes=0,
        host_bytes=PROCESS_BYTES + tables,
        device_bytes=0,
        frames=_frames(scenario, "cell"),
        frame_bytes=1,
        checkpoint_bytes=tables,
        disk_bytes=_rows(scenario) * 8 * columns + (1 + CHECKPOINTS) * tables,
        colonies=found.colonies,
        hours=(scenario.ticks * TICK_S + found.colony_intervals * COLONY_S) / 3600.0,
    )


def _frames(scenario: Scenario, field: str) -> int:
    """Frames that hold a field: the first, those due, the last."""
    every_h = scenario.output.every_h * scenario.output.every_frames(field)
    return min(scenario.ticks, math.ceil(scenario.until_h / every_h - 1e-9)) + 1


def _rows(scenario: Scenario) -> int:
    """Rows of the series: the first, those due, the last."""
    return min(scenario.ticks, math.ceil(scenario.until_h / scenario.output.series_every_h)) + 1


def _packed_bytes(scenario: Scenario, field: str) -> float:
    """Bytes in the run file of a voxel's value in one frame, compressed."""
    kind = np.dtype(field_types(scenario.solutes.roles)[field])
    if kind.kind == "f":
        part = _MATRIX if field == "matrix" else 1.0
        return part * (_FLOAT_BYTES + _FLOAT_BYTES_PER_BIT * scenario.output.keep_bits)
    return kind.itemsize * _PACKED.get(field, _PACKED_OTHERS)


@cache
def field_types(roles: tuple[str, ...] = ("protease",)) -> dict[str, str]:
    """Name -> dtype of every per-voxel array of a tissue with the solutes of these roles."""
    lattice = Lattice.of((2, 3, 5))
    tissue: Tissue = bare(lattice, lattice_id=0, voxel_um=20.0, roles=roles)
    return {
        name: value.dtype.str
        for name, value in (vars(tissue) | tissue.solutes).items()
        if isinstance(value, np.ndarray) and value.shape == lattice.shape
    }


def scratch_bytes(solutes: transport.SolutesRates, lattice: Lattice) -> int:
    """Of the arrays that solvers need beside the tissue (`kernels.transport.Scratch`)."""
    solved = [one for one in solutes.roles.values() if one.solver != "plain"]
    arrays = bool(solved) + any(one.sources.takes for one in solved) + any(one.solver == "explicit" for one in solved)
    levels = any(one.solver != "explicit" for one in solved)
    # two arrays of the tissue are lent to the levels, a byte a voxel each
    coarser = own_bytes(lattice, (lattice.voxels, lattice.voxels)) if levels else 0
    return 4 * arrays * lattice.voxels + coarser
