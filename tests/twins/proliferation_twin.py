"""Proliferation voxel by voxel in plain Python: who becomes due, and which empty neighbour is chosen."""

from collections.abc import Iterator

import numpy as np

from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.intent import DIVIDE

# (face, dz, dy, dx) in the order of faces
FACES = [(0, 0, 0, -1), (1, 0, 0, 1), (2, 0, -1, 0), (3, 0, 1, 0), (4, -1, 0, 0), (5, 1, 0, 0)]


def open_faces(cell: np.ndarray, vessel: np.ndarray, at: tuple[int, ...], *, solid_vessels: bool) -> list[int]:
    """Faces beyond which a daughter may be put."""
    found = []
    for face, *step in FACES:
        there = tuple(a + s for a, s in zip(at, step, strict=True))
        if all(0 <= t < n for t, n in zip(there, cell.shape, strict=True)):
            if cell[there] == 0 and not (solid_vessels and vessel[there]):
                found.append(face)
    return found


def cells_of(cell: np.ndarray) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(flat index, (z, y, x)) of the tumour cells."""
    for at in zip(*np.nonzero(cell == 1), strict=True):
        yield int(np.ravel_multi_index(at, cell.shape)), tuple(int(a) for a in at)


def ripen(
    cell: np.ndarray,
    emt: np.ndarray,
    vessel: np.ndarray,
    due: np.ndarray,
    limits: tuple[int, ...],
    stamp: Stamp,
    *,
    needs_room: bool,
    solid_vessels: bool,
) -> np.ndarray:
    """`due` after the pass; limits are 32-bit thresholds by emt, 2^32 - 1 is certain."""
    out = due.copy()
    for voxel, at in cells_of(cell):
        if due[at]:
            continue
        limit = limits[int(emt[at])]
        happens = limit == 2**32 - 1 or int(host_draw(np.array(voxel), stamp, Purpose.DIVIDE)) < limit
        if happens and (not needs_room or open_faces(cell, vessel, at, solid_vessels=solid_vessels)):
            out[at] = 1
    return out


def propose(
    cell: np.ndarray,
    vessel: np.ndarray,
    due: np.ndarray,
    leaving: np.ndarray,
    intent: np.ndarray,
    stamp: Stamp,
    *,
    solid_vessels: bool,
) -> np.ndarray:
    """`intent` after the pass: due cells with room ask to divide, all other bytes stay."""
    out = intent.copy()
    for voxel, at in cells_of(cell):
        if due[at] and not leaving[at]:
            faces = open_faces(cell, vessel, at, solid_vessels=solid_vessels)
            if faces:
                chance = int(host_draw(np.array(voxel), stamp, Purpose.DIVIDE_DIRECTION)) / 2**32
                out[at] = DIVIDE + faces[int(chance * len(faces))]
    return out
