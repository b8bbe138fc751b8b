"""A front of cells that hop and divide, one event at a time: the engine's rule in continuous time, without ticks.

Every cell tries to hop at rate `hops` to one of its four neighbours, and stays if that is taken; it divides at rate 1
into one of its free neighbours, if it has any. Events come one after the other, each by a cell drawn from all; nothing
is proposed, contested or put off, and the generator (xoroshiro128+) is its own. The lattice moves along with the front.
"""

import numpy as np
import taichi as ti


@ti.func
def _next(state: ti.template()):
    one, other = state[0], state[1]
    sum_ = one + other
    other ^= one
    state[0] = ((one << ti.u64(24)) | (one >> ti.u64(40))) ^ other ^ (other << ti.u64(16))
    state[1] = (other << ti.u64(37)) | (other >> ti.u64(27))
    return sum_


@ti.func
def _pick(state: ti.template(), below: ti.i32):
    """A whole number from 0 up to `below`."""
    return ti.cast(((_next(state) >> ti.u64(32)) * ti.cast(below, ti.u64)) >> ti.u64(32), ti.i32)


@ti.kernel
def _events(
    at: ti.types.ndarray(),
    who: ti.types.ndarray(),
    random: ti.types.ndarray(),
    cells: ti.i32,
    rows: ti.i32,
    width: ti.i32,
    hops: ti.f64,
    lasts: ti.f64,
) -> ti.i32:
    """Let `lasts` division times pass; at (voxels,) i4: voxel of each cell; who (voxels,) i4: cell of each voxel or -1."""
    count = cells
    ti.loop_config(serialize=True)
    for _ in range(1):
        state = ti.Vector([random[0], random[1]], ti.u64)
        time, least = 0.0, ti.cast(hops / (hops + 1.0) * 4294967296.0, ti.u64)
        while time < lasts:
            time += 1.0 / (count * (hops + 1.0))
            i = _pick(state, count)
            here = at[i]
            row, column = here // width, here % width
            if (_next(state) >> ti.u64(32)) < least:
                to, way = -1, _pick(state, 4)
                if way == 0 and row > 0:
                    to = here - width
                elif way == 1 and row < rows - 1:
                    to = here + width
                elif way == 2 and column > 0:
                    to = here - 1
                elif way == 3 and column < width - 1:
                    to = here + 1
                if to >= 0:
                    if who[to] < 0:
                        who[to], who[here], at[i] = i, -1, to
            else:
                free, ways = ti.Vector([0, 0, 0, 0]), 0
                if row > 0:
                    if who[here - width] < 0:
                        free[ways] = here - width
                        ways += 1
                if row < rows - 1:
                    if who[here + width] < 0:
                        free[ways] = here + width
                        ways += 1
                if column > 0:
                    if who[here - 1] < 0:
                        free[ways] = here - 1
                        ways += 1
                if column < width - 1:
                    if who[here + 1] < 0:
                        free[ways] = here + 1
                        ways += 1
                if ways > 0:
                    to = free[_pick(state, ways)]
                    at[count], who[to] = to, count
                    count += 1
        random[0], random[1] = state[0], state[1]
    return count


def front(hops: float, until: int, *, rows: int, width: int, filled: int, seed: int) -> np.ndarray:
    """Cells per column after 0, 1, 2 ... `until` division times, from `filled` rows; rows that fall back are counted full."""
    random = np.random.default_rng(seed).integers(1, 2**63, 2).astype(np.uint64)
    at, who = np.zeros(rows * width, np.int32), np.full(rows * width, -1, np.int32)
    cells, passed, found = filled * width, 0, [float(filled)]
    at[:cells] = who[:cells] = np.arange(cells)
    for _ in range(until):
        for _ in range(10):
            cells = int(_events(at, who, random, cells, rows, width, hops, 0.1))
            back = max(0, cells // width - filled)
            if back:
                kept = at[:cells][at[:cells] >= back * width] - back * width
                passed, cells = passed + back, len(kept)
                who[:] = -1
                at[:cells], who[kept] = kept, np.arange(cells)
        found.append(passed + cells / width)
    return np.array(found)
