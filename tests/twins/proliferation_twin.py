"""Proliferation voxel by voxel in plain Python: who becomes due, and which empty neighbour is chosen."""

from collections.abc import Iterator

import numpy as np

from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.intent import DIVIDE

F = np.float32

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


def factor(state: dict[str, np.ndarray], at: tuple[int, ...], rates) -> np.float32:
    """What the rate of the cell at `at` is multiplied by. `state` has cell, clone, oxygen, mitogen and, by clone,
    division; in single precision, in the order of the rule."""
    out, responds = F(1), rates.responds
    if responds.oxygen:
        stop, full = F(rates.stop), F(rates.full)
        out *= min(F(1), max(F(0), (state["oxygen"][at] - stop) / (full - stop)))
    if responds.mitogen:
        ratio = min(F(state["mitogen"][at]) / F(rates.half), F(1e8))
        power = ratio
        for _ in range(responds.mitogen - 1):
            power = power * ratio
        out *= F(rates.basal) + (F(1) - F(rates.basal)) * (power / (F(1) + power))
    if responds.contact:
        around = [tuple(a + s for a, s in zip(at, step, strict=True)) for _, *step in FACES]
        inside = [there for there in around if all(0 <= t < n for t, n in zip(there, state["cell"].shape, strict=True))]
        occupied = sum(state["cell"][there] != 0 for there in inside)
        out *= max(F(0), F(1) - F(rates.fall) * F(max(0, occupied - rates.free)))
    if responds.traits:
        clone = int(state["clone"][at])
        out *= F(state["division"][clone]) if clone < len(state["division"]) else F(1)
    return out


def ripen_responding(
    state: dict[str, np.ndarray], rates, stamp: Stamp, *, solid_vessels: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(`due` after the pass, distance of each draw from its limit as a probability, in f8)."""
    out, margin = state["due"].copy(), np.full(state["due"].shape, np.inf)
    draws = host_draw(np.arange(out.size), stamp, Purpose.DIVIDE)
    for voxel, at in cells_of(state["cell"]):
        if state["due"][at]:
            continue
        hazard = F(rates.hazards[int(state["emt"][at])]) * factor(state, at, rates)
        draw = int(draws[voxel]) / 2**32
        margin[at] = abs(draw + np.expm1(-float(hazard)))
        if draw < -np.expm1(-float(hazard)) and reachable(state, at, rates.reach, solid_vessels=solid_vessels):
            out[at] = 1
    return out, margin


def line(state: dict[str, np.ndarray], at: tuple[int, ...], face: int, reach: int, *, solid_vessels: bool) -> list:
    """The voxels from beside `at` to the first open one in the direction of a face; empty if there is none in reach."""
    step, there, found = FACES[face][1:], at, []
    for _ in range(reach):
        there = tuple(a + s for a, s in zip(there, step, strict=True))
        if not all(0 <= t < n for t, n in zip(there, state["cell"].shape, strict=True)):
            return []
        found.append(there)
        walled = solid_vessels and state["vessel"][there]
        if state["cell"][there] == 0:
            return [] if walled else found
        if walled or state["cell"][there] in (4, 5):
            return []
    return []


def reachable(state: dict[str, np.ndarray], at: tuple[int, ...], reach: int, *, solid_vessels: bool) -> bool:
    return any(line(state, at, face, reach, solid_vessels=solid_vessels) for face in range(6))


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
