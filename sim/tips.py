"""The tips of growing vessels: how one moves in a step, and where it joins another vessel.

Tips move one after the other, in the order of their birth, over windows of the lattice that are read for all of them
at once; what an earlier tip has changed a later one sees.
"""

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.tissue import Cell, Tissue, Vessel
from .sprouting import GrowthRates
from .vasculature import Vasculature, read, write

_WALL = -1  # beyond the lattice
_INSIDE = 1e-6  # a position is kept this far from the faces of its voxel, in voxels


def advance(tissue: Tissue, law: GrowthRates, grown: Vasculature, stamp: Stamp, solid_vessels: bool) -> None:
    """Move the tips of a kind for one step. Reads vessel, cell, ligand. Writes vessel, tips and links."""
    rows = np.flatnonzero(grown.tips["kind"] == law.kind)
    if len(rows) == 0:
        return
    here = _Here(tissue, law, grown, rows)
    ways = _ways(tissue, law, grown, rows, stamp)
    ended = np.zeros(grown.tips.rows, dtype=bool)
    for row, window, way, ligand in zip(rows.tolist(), here.windows, ways, here.ligand.tolist(), strict=True):
        if ended[row]:
            continue  # another has met it
        met = None
        if ligand > law.table.threshold_ng_per_ml:
            met = _move(here, window, grown, row, way, law, solid_vessels)
        if ligand <= law.table.threshold_ng_per_ml or met is not None:
            voxel = int(grown.tips["voxel"][row])
            ended[row] = True
            here.set(voxel, law.kind)
            if met is not None:
                grown.links.append(
                    {"kind": law.kind, "one": voxel, "other": met, "sprout": int(grown.tips["sprout"][row])}
                )
                if here.bits(met) & Vessel.TIP:  # two tips have met
                    ended |= (grown.tips["voxel"] == met) & (grown.tips["kind"] == law.kind)
                    here.set(met, law.kind)
    grown.tips.keep(~ended)
    here.store(tissue)


class _Here:
    """What is around the tips, on the host: bits of vessels by voxel, with the changes of this step, and cells."""

    def __init__(self, tissue: Tissue, law: GrowthRates, grown: Vasculature, rows: np.ndarray) -> None:
        self.shape, self.um = tissue.lattice.shape, tissue.voxel_um
        reach = 2 + int(np.ceil(law.table.reach_um / tissue.voxel_um))
        voxels = grown.tips["voxel"][rows]
        steps = [np.arange(-reach, reach + 1) if n > 1 else np.zeros(1, dtype=np.int64) for n in self.shape]
        at = np.stack(np.unravel_index(voxels, self.shape), axis=1)
        z, y, x = np.meshgrid(*steps, indexing="ij")
        there = at[:, None, :] + np.stack([z.reshape(-1), y.reshape(-1), x.reshape(-1)], axis=1)[None]
        inside = ((there >= 0) & (there < np.array(self.shape))).all(axis=2)
        flat = np.where(inside, (there[..., 0] * self.shape[1] + there[..., 1]) * self.shape[2] + there[..., 2], _WALL)
        known = np.unique(flat[inside])
        vessel, cell = (read(tissue, field, known) for field in (tissue.vessel, tissue.cell))
        self.ligand = read(tissue, tissue.solute(law.ligand), voxels)
        self._vessel = dict(zip(known.tolist(), vessel.tolist(), strict=True))
        self._cell = dict(zip(known[cell != Cell.EMPTY].tolist(), cell[cell != Cell.EMPTY].tolist(), strict=True))
        mine = grown.links["kind"] == law.kind
        self.sprout = dict(zip(grown.links["one"][mine].tolist(), grown.links["sprout"][mine].tolist(), strict=True))
        # of each tip's window only the vessels matter for steering
        bits = np.zeros(flat.shape, dtype=np.uint8)
        bits[inside] = vessel[np.searchsorted(known, flat[inside])]
        self.windows = [flat[n][bits[n] > 0] for n in range(len(rows))]
        self._changes: dict[int, int] = {}

    def bits(self, voxel: int) -> int:
        return self._vessel[voxel]

    def holds_cell(self, voxel: int) -> bool:
        return voxel in self._cell

    def set(self, voxel: int, bits: int) -> None:
        """New bits of a voxel; a rupture stays."""
        self._vessel[voxel] = self._changes[voxel] = int(bits) | (self._vessel[voxel] & Vessel.RUPTURED)

    def store(self, tissue: Tissue) -> None:
        voxels = np.array(sorted(self._changes), dtype=np.int64)
        write(tissue, tissue.vessel, voxels, np.array([self._changes[v] for v in voxels.tolist()], dtype=np.uint8))


def _ways(tissue: Tissue, law: GrowthRates, grown: Vasculature, rows: np.ndarray, stamp: Stamp) -> list[tuple]:
    """(way in um, unit gradient, unit direction) of each tip, for one step."""
    voxels = grown.tips["voxel"][rows]
    slope = gradient(tissue, tissue.solute(law.ligand), voxels)
    steep = np.sqrt((slope**2).sum(axis=1))
    uphill = np.divide(slope, steep[:, None], out=np.zeros_like(slope), where=steep[:, None] > 0)
    table = law.table
    way = law.step_um * np.minimum(steep / table.full_gradient_ng_per_ml_mm, 1.0)
    way = np.where(steep < table.least_gradient_ng_per_ml_mm, 0.0, way)
    chance = _unit(voxels, stamp, flat=tissue.lattice.shape[0] == 1)
    direction = uphill + table.wander * chance
    direction /= np.maximum(np.sqrt((direction**2).sum(axis=1, keepdims=True)), 1e-12)
    return list(zip(way.tolist(), uphill, direction, strict=True))


def gradient(tissue: Tissue, field: object, voxels: np.ndarray) -> np.ndarray:
    """(voxels, 3) gradient of a field by central differences, per mm; one-sided at walls."""
    shape, out = tissue.lattice.shape, np.zeros((len(voxels), 3))
    at = np.stack(np.unravel_index(voxels, shape), axis=1)
    for axis, n in enumerate(shape):
        low, high = at.copy(), at.copy()
        low[:, axis], high[:, axis] = np.maximum(at[:, axis] - 1, 0), np.minimum(at[:, axis] + 1, n - 1)
        apart = (high - low)[:, axis] * tissue.voxel_um / 1e3
        values = [
            read(tissue, field, np.asarray(np.ravel_multi_index(tuple(ends.T), shape))).astype(np.float64)
            for ends in (low, high)
        ]
        out[:, axis] = np.divide(values[1] - values[0], apart, out=np.zeros(len(voxels)), where=apart > 0)
    return out


def _unit(voxels: np.ndarray, stamp: Stamp, *, flat: bool) -> np.ndarray:
    """(voxels, 3) random directions: uniform on the sphere, or on the circle of a 2-D lattice."""
    around, up = (host_draw(voxels, stamp, Purpose.TIP, substep=n) / 2**32 for n in (0, 1))
    height = np.zeros(len(voxels)) if flat else 2.0 * up - 1.0
    ring = np.sqrt(1.0 - height**2)
    angle = 2.0 * np.pi * around
    return np.stack([height, ring * np.sin(angle), ring * np.cos(angle)], axis=1)


def _move(
    here: _Here, window: np.ndarray, grown: Vasculature, row: int, way: tuple, law: GrowthRates, solid: bool
) -> int | None:
    """Move one tip; returns the voxel of another vessel that it joins, if it meets one."""
    length_um, uphill, direction = way
    if length_um == 0.0:
        return None
    tips, links = grown.tips, grown.links
    place = np.array([tips[axis][row] for axis in "zyx"])
    sprout, voxel = int(tips["sprout"][row]), int(tips["voxel"][row])
    may_join = float(tips["path_um"][row]) >= law.table.spacing_um

    def is_other(there: int) -> bool:
        return bool(here.bits(there) & law.kind) and here.sprout.get(there) != sprout

    if may_join and len(window):
        aim = _ahead(here, window, place, uphill, law.table.reach_um, is_other)
        direction = direction if aim is None else aim
    goal = place + direction * (length_um / here.um)
    at = [int(n) for n in np.floor(place)]
    met = None
    for axis in sorted(range(3), key=lambda n: -abs(direction[n])):
        to = int(np.floor(goal[axis]))
        if to == at[axis] or met is not None:
            goal[axis] = min(max(goal[axis], at[axis] + _INSIDE), at[axis] + 1 - _INSIDE)
            continue
        there = _flat(here.shape, at, axis, to)
        if there == _WALL or here.bits(there) or (solid and here.holds_cell(there)):
            if there != _WALL and may_join and is_other(there):
                met = there
            goal[axis] = min(max(goal[axis], at[axis] + _INSIDE), at[axis] + 1 - _INSIDE)
            continue
        here.set(voxel, law.kind)
        here.set(there, law.kind | Vessel.TIP)
        links.append({"kind": law.kind, "one": there, "other": voxel, "sprout": sprout})
        here.sprout[there] = sprout
        at[axis], voxel = to, there
    tips["path_um"][row] += here.um * float(np.sqrt(((goal - place) ** 2).sum()))
    for axis, value in zip("zyx", goal.tolist(), strict=True):
        tips[axis][row] = value
    tips["voxel"][row] = voxel
    if met is None and may_join:
        for axis in range(3):
            for side in (-1, 1):
                there = _flat(here.shape, at, axis, at[axis] + side)
                if met is None and there != _WALL and is_other(there):
                    met = there
    return met


def _ahead(
    here: _Here, window: np.ndarray, place: np.ndarray, uphill: np.ndarray, reach_um: float, is_other
) -> np.ndarray | None:
    """Direction to the nearest other vessel within reach that is not behind the tip; None if there is none."""
    middles = np.stack(np.unravel_index(window, here.shape), axis=1) + 0.5
    apart = middles - place
    far = np.sqrt((apart**2).sum(axis=1))
    ahead = (far * here.um <= reach_um) & (apart @ uphill > -0.5 * far) & (far > 0)
    for n in np.lexsort((window, far)):
        if ahead[n] and is_other(int(window[n])):
            return apart[n] / far[n]
    return None


def _flat(shape: tuple[int, int, int], at: list[int], axis: int, to: int) -> int:
    if not 0 <= to < shape[axis]:
        return _WALL
    place = list(at)
    place[axis] = to
    return (place[0] * shape[1] + place[1]) * shape[2] + place[2]
