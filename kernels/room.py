"""Room: where a daughter may be put, and how far away it is if those in between are pushed.

An open voxel is no room where `confined` says that dense matrix confines growth and its matrix is above `stop`.
"""

import taichi as ti

from .lattice import coordinates, has_neighbour, offset, offset_of
from .tissue import Cell


@ti.func
def is_open(cell: ti.template(), vessel: ti.template(), solid_vessels: ti.template(), voxel: ti.i32):
    """Is nothing in this voxel that keeps a cell out?"""
    out = cell[voxel] == ti.u8(Cell.EMPTY)
    if ti.static(solid_vessels):
        out = out and vessel[voxel] == 0
    return out


@ti.func
def takes(
    cell: ti.template(),
    vessel: ti.template(),
    matrix: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    stop: ti.f32,
    voxel: ti.i32,
):
    """May a daughter be put into this voxel?"""
    out = is_open(cell, vessel, solid_vessels, voxel)
    if ti.static(confined):
        out = out and matrix[voxel] <= stop
    return out


@ti.func
def rooms(
    lattice: ti.template(),
    cell: ti.template(),
    vessel: ti.template(),
    matrix: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    stop: ti.f32,
    i: ti.i32,
):
    """How many of a voxel's neighbours a daughter could be put into."""
    z, y, x = coordinates(lattice, i)
    count = 0
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            if takes(cell, vessel, matrix, solid_vessels, confined, stop, i + ti.static(offset(lattice, face))):
                count += 1
    return count


@ti.func
def occupied_faces(lattice: ti.template(), cell: ti.template(), i: ti.i32):
    """How many of a voxel's neighbours hold a cell, of whatever kind. A wall is none."""
    z, y, x = coordinates(lattice, i)
    count = 0
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            if cell[i + ti.static(offset(lattice, face))] != ti.u8(Cell.EMPTY):
                count += 1
    return count


@ti.func
def gap(
    lattice: ti.template(),
    cell: ti.template(),
    vessel: ti.template(),
    matrix: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    stop: ti.f32,
    i: ti.i32,
    face: ti.i32,
    reach: ti.i32,
):
    """How many voxels away in the direction of a face the first open voxel is, if cells that can be pushed are all
    that stands between; 0 if there is none within reach. Stroma and normal epithelium stand fast."""
    z, y, x = coordinates(lattice, i)
    most = x
    if face == 1:
        most = lattice.nx - 1 - x
    elif face == 2:
        most = y
    elif face == 3:
        most = lattice.ny - 1 - y
    elif face == 4:
        most = z
    elif face == 5:
        most = lattice.nz - 1 - z
    step = offset_of(lattice, face)
    found, blocked = 0, False
    for n in range(1, ti.min(reach, most) + 1):
        if found == 0 and not blocked:
            there = i + n * step
            if takes(cell, vessel, matrix, solid_vessels, confined, stop, there):
                found = n
            else:
                stands = cell[there] == ti.u8(Cell.STROMA) or cell[there] == ti.u8(Cell.EPITHELIUM)
                blocked = stands or cell[there] == ti.u8(Cell.EMPTY)  # empty and yet no room: a vessel, dense matrix
                if ti.static(solid_vessels):
                    blocked = blocked or vessel[there] != 0
    return found


@ti.func
def has_room(
    lattice: ti.template(),
    cell: ti.template(),
    vessel: ti.template(),
    matrix: ti.template(),
    solid_vessels: ti.template(),
    confined: ti.template(),
    stop: ti.f32,
    reach: ti.template(),
    i: ti.i32,
):
    """Is there a voxel for a daughter, beside the cell or within the reach of a push?"""
    room = rooms(lattice, cell, vessel, matrix, solid_vessels, confined, stop, i) > 0
    if ti.static(reach > 1):
        for face in range(lattice.faces):
            if not room:
                room = gap(lattice, cell, vessel, matrix, solid_vessels, confined, stop, i, face, reach) > 0
    return room
