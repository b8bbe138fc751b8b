"""Random draws as pure functions of (key, lattice, tick, substep, purpose, voxel).

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), counter-based:

    c0 voxel >> 2    c1 tick    c2 purpose << 16 | substep    c3 lattice id    key = the 64-bit rng_key

A block gives four 32-bit words, one for each of four neighbouring voxels (word = voxel & 3), so a
row of cells costs a quarter of the blocks. Nothing is carried from one draw to the next: any number
of threads, any loop form and any order of evaluation see the same numbers.

Probabilities become 32-bit thresholds before they meet a draw: p = 1 is always true, p = 0 never.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import taichi as ti

ALWAYS = 0xFFFFFFFF
# the substep has 16 bits of its counter word; one more would repeat the draws of another purpose
SUBSTEPS_MAX = 2**16


class Purpose(IntEnum):
    """What a draw is for. The registry: two purposes never share a number, and none is reused."""

    HOP = 1
    PRIORITY = 2
    DIVIDE = 3
    DIVIDE_DIRECTION = 4
    INTRAVASATE = 5
    COMPANION = 6
    TURN = 12
    HEADING = 13
    BOND = 7  # the substep is the axis of the bond
    WALL = 8
    FOLLOW = 14
    FOLLOW_FACE = 15
    DIE = 16
    CLEAR = 17
    EMT_ROUND = 18
    IMMUNE_ENTER = 19
    IMMUNE_TURN = 20
    IMMUNE_HOP = 21
    KILL = 22
    SPEND = 23
    MUTATE = 24
    TRAIT = 25  # its substep is the trait
    DRIVER = 26
    PUSH_DIRECTION = 27
    PUSH_PRIORITY = 28
    # start of a run
    IMPLANT_SITE = 32
    IMPLANT_PHENOTYPE = 33
    VESSEL_SITE = 34
    VESSEL_RUPTURE = 35
    VESSEL_TREE = 36
    STROMA_SITE = 48
    TEXTURE = 49  # substep = which noise
    IMPLANT_CLONE = 50
    IMPLANT_TRAIT = 51  # its substep is the trait
    LINING = 52
    IMPLANT_DRIVER = 53
    # vessels that change: rows of voxels or of tips
    RUPTURE = 80
    COLLAPSE = 81
    SPROUT = 82
    BRANCH = 83
    TIP = 84  # the substep is the coordinate
    REGRESS = 85
    # a primary that is a number: counter words are (entity, interval, purpose << 16 | part, source)
    SHED = 136
    SHEDDING_OF_PATIENT = 137
    BLOOD_SAMPLE = 138
    SHED_WHEN = 139
    SHED_BY = 140
    # a cohort of patients: (patient, generation, purpose << 16 | part, colony); `sim/body/cohort.py`
    COHORT_PATIENT = 144
    COHORT_FOUNDED = 145
    COHORT_SECONDARY = 146
    COHORT_COLONY = 147
    # the body: counter words are (voxel of departure, tick of departure, purpose << 16 | fragment, lattice id)
    BREAK_UP = 64
    SURVIVE_TRANSIT = 65
    ORGAN = 66
    EXTRAVASATE = 67
    ARRIVAL_SITE = 68
    # the way of a seed through the body: its name is drawn as above, its passages under that name (sim/body/transit.py)
    TRAVEL = 96
    TRAVEL_KEY = 97
    # colonies as numbers of cells: (entity low, interval, purpose << 16 | stream and attempt, entity high), key of a patient
    COLONY_SIZE = 104
    COLONY_SURVIVE = 105
    COLONY_SPREAD = 106
    COLONY_EVENT = 107  # the substep is the event
    COLONY_ADAPT = 108
    COLONY_WAKE = 109
    COLONY_SHED = 110
    COLONY_SHED_ADAPTED = 111
    COLONY_ENTITY = 112
    COLONY_PATIENT = 113
    COLONY_VESSELS = 114
    COLONY_SURGERY = 116
    COLONY_PLACE = 115  # of adapted cells on the lattice of a colony: by voxel, as on any lattice
    # seeds in a body that is a graph: (entity low, interval, purpose << 16 | part, entity high)
    CELL_CLASS = 121
    EVASION = 122
    CLOAK = 123
    COME_OFF = 124  # the part is the cell
    NK_KILL = 125  # the part is the encounter
    GET_OUT = 127
    RECEPTION = 128
    LIE_DORMANT = 129
    RETURN = 130
    RETURN_SITE = 131
    LIVING = 132  # how many of what a colony sheds live on; the part tells apart adapted ones
    LIVING_FATE = 133
    DEAD_FATE = 134  # the entity is the organ it was shed in, the part the fate


def key_of(rng_key: int) -> tuple[int, int]:
    """The two 32-bit words of a run's key, low first."""
    return rng_key & 0xFFFFFFFF, rng_key >> 32


class Stamp(NamedTuple):
    """Which run, lattice and tick a draw belongs to."""

    key_low: int
    key_high: int
    lattice_id: int
    tick: int

    @classmethod
    def of(cls, rng_key: int, lattice_id: int = 0, tick: int = 0) -> "Stamp":
        if not 0 <= rng_key < 2**64:
            raise ValueError(f"rng_key is a whole number from 0 to 2**64 - 1, got {rng_key}")
        return cls(*key_of(rng_key), lattice_id, tick)


def threshold(probability: float) -> int:
    """The 32-bit threshold of a probability: `below(draw, threshold)` is true that often, to 2**-33."""
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"a probability lies in [0, 1], got {probability}")
    return ALWAYS if probability == 1.0 else min(round(probability * 2.0**32), ALWAYS - 1)


@ti.func
def below(draw: ti.u32, limit: ti.u32):
    return draw < limit or limit == ti.u32(ALWAYS)


@ti.func
def as_threshold(probability: ti.f32):
    """`threshold` for a probability known only in the kernel; above one counts as one."""
    out = ti.u32(ALWAYS)
    if probability < 1.0:
        out = ti.cast(probability * 4294967296.0, ti.u32)
    return out


@ti.func
def happens(hazard: ti.f32):
    """1 - exp(-hazard), to f32 accuracy also where the hazard is small and the difference would lose its digits."""
    out = hazard * (1.0 - hazard * (0.5 - hazard * (1.0 / 6.0 - hazard * (1.0 / 24.0))))
    if hazard > 0.0625:
        out = 1.0 - ti.exp(-hazard)
    return out


@ti.func
def _multiply(a: ti.u32, b: ti.u32):
    product = ti.cast(a, ti.u64) * ti.cast(b, ti.u64)
    return ti.cast(product >> ti.u64(32), ti.u32), ti.cast(product, ti.u32)


@ti.func
def philox(c0: ti.u32, c1: ti.u32, c2: ti.u32, c3: ti.u32, k0: ti.u32, k1: ti.u32):
    """One Philox4x32-10 block: four words from four counter words and two key words."""
    for _ in ti.static(range(10)):
        high0, low0 = _multiply(ti.u32(0xD2511F53), c0)
        high1, low1 = _multiply(ti.u32(0xCD9E8D57), c2)
        c0 = high1 ^ c1 ^ k0
        c1 = low1
        c2 = high0 ^ c3 ^ k1
        c3 = low0
        k0 += ti.u32(0x9E3779B9)
        k1 += ti.u32(0xBB67AE85)
    return ti.Vector([c0, c1, c2, c3])


@ti.func
def block(
    voxel: ti.i32, tick: ti.u32, substep: ti.u32, purpose: ti.template(), lattice_id: ti.u32, k0: ti.u32, k1: ti.u32
):
    """The Philox block that holds the draws of this voxel and its three companions."""
    what = ti.u32(purpose << 16) | substep
    return philox(ti.cast(voxel >> 2, ti.u32), tick, what, lattice_id, k0, k1)


@ti.func
def word(four, voxel: ti.i32):
    """This voxel's word of its block."""
    at = voxel & 3
    out = four[0]
    if at == 1:
        out = four[1]
    elif at == 2:
        out = four[2]
    elif at == 3:
        out = four[3]
    return out


@ti.func
def draw(
    voxel: ti.i32, tick: ti.u32, substep: ti.u32, purpose: ti.template(), lattice_id: ti.u32, k0: ti.u32, k1: ti.u32
):
    """This voxel's 32-bit draw."""
    return word(block(voxel, tick, substep, purpose, lattice_id, k0, k1), voxel)


def host_philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Philox4x32-10 in NumPy, the twin of `philox`.

    counter (..., 4) u32 -> (..., 4) u32.
    """
    words = [np.asarray(counter[..., n], dtype=np.uint64) for n in range(4)]
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        first = np.uint64(0xD2511F53) * words[0]
        second = np.uint64(0xCD9E8D57) * words[2]
        words = [(second >> shift) ^ words[1] ^ k0, second & low, (first >> shift) ^ words[3] ^ k1, first & low]
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return np.stack(words, axis=-1).astype(np.uint32)


def host_draw(voxel: np.ndarray, stamp: Stamp, purpose: Purpose, substep: int = 0) -> np.ndarray:
    """The draws of `voxel` (any shape) on the host: the same words a kernel sees. u32, same shape."""
    voxel = np.asarray(voxel, dtype=np.int64)
    counter = np.empty((*voxel.shape, 4), dtype=np.uint32)
    counter[..., 0] = voxel >> 2
    counter[..., 1] = stamp.tick
    counter[..., 2] = int(purpose) << 16 | substep
    counter[..., 3] = stamp.lattice_id
    four = host_philox(counter, (stamp.key_low, stamp.key_high))
    return np.take_along_axis(four, (voxel & 3)[..., None], axis=-1)[..., 0]


def host_draws(first: int, count: int, stamp: Stamp, purpose: Purpose, substep: int = 0) -> np.ndarray:
    """The draws of `count` voxels on end, from a multiple of 4 on: as `host_draw`, at a quarter of its cost. u32."""
    if first % 4:
        raise ValueError(f"a block of draws starts at a multiple of 4, got {first}")
    counter = np.empty((-(-count // 4), 4), dtype=np.uint32)
    counter[:, 0] = (first >> 2) + np.arange(len(counter), dtype=np.int64)
    counter[:, 1] = stamp.tick
    counter[:, 2] = int(purpose) << 16 | substep
    counter[:, 3] = stamp.lattice_id
    return host_philox(counter, (stamp.key_low, stamp.key_high)).reshape(-1)[:count]
