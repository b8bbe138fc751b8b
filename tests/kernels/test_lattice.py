"""The lattice: loop forms that cover every voxel once, and neighbours that are the NumPy neighbours."""

import numpy as np
import pytest
import taichi as ti

from seedsoil.kernels.lattice import (
    ROWS_PER_THREAD,
    VOXELS_MAX,
    Lattice,
    has_neighbour,
    offset,
    offset_of,
    row_origin,
)
from seedsoil.kernels.launch import array, kernel

FLAT, DEEP = (1, 64, 64), (12, 16, 20)
# face -> (axis in (z, y, x), direction)
AXES = [(2, -1), (2, 1), (1, -1), (1, 1), (0, -1), (0, 1)]
SHAPES = [FLAT, DEEP, (1, 402, 402), (64, 64, 64), (1, 1, 1), (3, 5, 7), (1, 1024, 1021), (300, 300, 6)]


@kernel
def look_around_pass(
    lattice: ti.template(), origin: array(ti.i32), visits: array(ti.i32), inside: array(ti.u8), there: array(ti.i32)
):
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            visits[i] += 1
            origin[3 * i] = z
            origin[3 * i + 1] = y
            origin[3 * i + 2] = x0 + lane
            for face in ti.static(range(6)):
                inside[6 * i + face] = ti.cast(has_neighbour(lattice, z, y, x0 + lane, face), ti.u8)
                there[6 * i + face] = offset_of(lattice, face)


@pytest.mark.parametrize("threads", [1, 2, 8, 64])
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_times_lanes_is_every_voxel(shape, threads):
    for form in ("rows", "voxels"):
        lattice = Lattice.of(shape, form=form, threads=threads)
        assert lattice.rows * lattice.lanes == lattice.voxels == np.prod(shape)
        assert lattice.nx % lattice.lanes == 0  # a row never runs round a corner
        assert lattice.shape == shape
        if form == "voxels":
            assert lattice.lanes == 1
        elif lattice.voxels >= ROWS_PER_THREAD * threads:
            assert lattice.rows >= ROWS_PER_THREAD * threads  # every thread has work
        else:
            assert lattice.lanes == 1  # as many rows as there can be


def test_rows_are_as_long_as_the_threads_allow():
    assert Lattice.of((64, 64, 64), threads=2).lanes == 64
    assert Lattice.of(FLAT, threads=1).lanes == 4
    assert Lattice.of(FLAT, threads=2).lanes == 2
    assert Lattice.of((256, 256, 256), threads=64).lanes == 256


def test_two_and_three_dimensions():
    assert (Lattice.of(FLAT).faces, Lattice.of(FLAT).dimensions) == (4, 2)
    assert (Lattice.of(DEEP).faces, Lattice.of(DEEP).dimensions) == (6, 3)


def test_equal_lattices_share_compiled_kernels():
    assert Lattice.of(DEEP) == Lattice.of(list(DEEP))
    assert hash(Lattice.of(DEEP)) == hash(Lattice.of(list(DEEP)))
    assert Lattice.of(DEEP) != Lattice.of(DEEP, form="voxels", threads=1) or Lattice.of(DEEP).lanes == 1


def test_what_cannot_be_a_lattice_is_refused():
    assert Lattice.of((1024, 1024, 1024)).voxels < VOXELS_MAX
    for shape in [(0, 4, 4), (4, 0, 4), (4, 4, -1), (1, 1, VOXELS_MAX + 1), (2048, 1024, 1024)]:
        with pytest.raises(ValueError, match="a lattice needs"):
            Lattice.of(shape)
    with pytest.raises(ValueError, match="loop form"):
        Lattice.of(DEEP, form="bricks")


@pytest.mark.parametrize("form", ["rows", "voxels"])
@pytest.mark.parametrize("shape", [FLAT, DEEP])
def test_neighbours_are_those_of_numpy(device, shape, form):
    lattice = Lattice.of(shape, form=form, threads=2)
    n = lattice.voxels
    origin, visits = np.zeros((n, 3), np.int32), np.zeros(n, np.int32)
    inside, there = np.zeros((n, 6), np.uint8), np.zeros((n, 6), np.int32)
    look_around_pass(lattice, origin, visits, inside, there)

    assert (visits == 1).all()
    np.testing.assert_array_equal(origin, np.stack(np.unravel_index(np.arange(n), shape), axis=-1))
    numbered = np.arange(n).reshape(shape)
    for face, (axis, direction) in enumerate(AXES):
        beyond = origin[:, axis] + direction
        np.testing.assert_array_equal(inside[:, face] == 1, (beyond >= 0) & (beyond < shape[axis]))
        at = origin[inside[:, face] == 1].copy()
        expected = numbered[tuple(at.T)]
        at[:, axis] += direction
        assert (numbered[tuple(at.T)] == expected + offset(lattice, face)).all()
        assert (there[:, face] == offset(lattice, face)).all()


def test_faces_come_in_opposite_pairs():
    for shape in (FLAT, DEEP):
        lattice = Lattice.of(shape)
        for face in range(lattice.faces):
            assert offset(lattice, face ^ 1) == -offset(lattice, face)
            assert AXES[face ^ 1] == (AXES[face][0], -AXES[face][1])
        assert len({offset(lattice, face) for face in range(lattice.faces)}) == lattice.faces
