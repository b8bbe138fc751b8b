"""Sprouting angiogenesis and lymphangiogenesis: tips, branches, anastomoses, regression.

    sprout   from perfused vessels with ligand > threshold, at sprouting_per_mm_h, and from stalks not yet perfused, at
             branching_per_mm_h; the tip takes the free neighbour with most ligand, at least `spacing_um` from all tips and
             farther than that from vessels beside and before it
    climb    a tip moves at v = speed min(g, full)/full up the gradient g of its ligand, 0 below the least gradient
             (Shamloo 2008), in the direction of unit(gradient) + wander unit(random)
    join     a tip that touches a vessel of its kind and of another sprout is linked to it and ends; one ahead of it within
             `reach_um` it steers for, as filopodia do
    regress  what is not perfused is lost at regression_um_per_h: dead ends without a tip, collapsed voxels, and any voxel
             of a loop that leads nowhere
    perfuse  `sim.vasculature`

Thresholds after Song and Finley 2022 and the speed of rh_mocafe (0.35 um/min at 42 ng/mL/mm, 0.5 mm/day), the kind of model
after Anderson and Chaplain 1998 (Bull Math Biol 60:857). A tip keeps a position within its voxel, so that it is never
faster than its speed. It enters voxels without a vessel and, where vessels are solid, without a cell: nobody is pushed; it
waits. Tips whose ligand falls below the threshold end.
Ignored: diameters, remodelling by flow, pericytes, stalk cells that divide.
"""

import numpy as np
from scipy import sparse

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.tissue import Cell, Tissue, Vessel
from . import tips
from .sprouting import GrowthRates
from .vasculature import Vasculature, beside, read, write


def grow(
    tissue: Tissue,
    laws: tuple[GrowthRates, ...],
    grown: Vasculature,
    stamp: Stamp,
    *,
    solid_vessels: bool,
    changed: bool,
) -> None:
    """A step of the growth of vessels, where one is due; `changed`: vessels have collapsed or opened in this tick.

    Reads vessel, cell and the ligands. Writes vessel and the tables of `grown`.
    """
    for law in laws:
        due = law.grows and stamp.tick % law.every == 0
        if due:
            _sprout(tissue, law, grown, stamp, solid_vessels)
            tips.advance(tissue, law, grown, stamp, solid_vessels)
            _regress(tissue, law, grown, stamp)
        if due or changed:
            grown.perfuse(tissue, law.kind)


def _sprout(tissue: Tissue, law: GrowthRates, grown: Vasculature, stamp: Stamp, solid_vessels: bool) -> None:
    """New tips beside vessels that feel the ligand: candidates in the order of their draws, each far from all tips."""
    ligand = tissue.solute(law.ligand)
    found = [np.empty(0, dtype=np.int64)]
    flows = np.uint8(law.kind | Vessel.PERFUSED)
    above = np.float32(law.table.threshold_ng_per_ml)
    if law.sprout > 0.0:
        at = tissue.xp.flatnonzero(((tissue.vessel & flows) == flows) & (ligand > above))
        found.append(_chosen(at if isinstance(at, np.ndarray) else at.get(), law.sprout, stamp, Purpose.SPROUT))
    if law.branch > 0.0:
        stalk = grown.grown(law.kind)
        bits = read(tissue, tissue.vessel, stalk)
        stalk = stalk[(bits & (Vessel.PERFUSED | Vessel.TIP | Vessel.COLLAPSED)) == 0]
        stalk = stalk[read(tissue, ligand, stalk) > above]
        found.append(_chosen(stalk, law.branch, stamp, Purpose.BRANCH))
    chosen = np.concatenate(found)
    order = np.lexsort((chosen, host_draw(chosen, stamp, Purpose.SPROUT)))
    for parent in chosen[order].tolist():
        near, inside = beside(tissue, np.array([parent]))
        near = near[inside]
        free = read(tissue, tissue.vessel, near) == 0
        if solid_vessels:
            free &= read(tissue, tissue.cell, near) == Cell.EMPTY
        near = near[free]
        if len(near) == 0:
            continue
        voxel = int(near[np.argmax(read(tissue, ligand, near))])
        place = np.array(np.unravel_index(voxel, tissue.lattice.shape)) + 0.5
        mine = grown.tips["kind"] == law.kind
        others = np.stack([grown.tips[axis][mine] for axis in "zyx"], axis=1)
        if (((others - place) ** 2).sum(axis=1) * tissue.voxel_um**2 < law.table.spacing_um**2).any():
            continue
        if _crowded(tissue, voxel, parent, law.table.spacing_um):
            continue
        write(tissue, tissue.vessel, np.array([voxel]), np.array([law.kind | Vessel.TIP], dtype=np.uint8))
        z, y, x = place.tolist()
        grown.tips.append({"kind": law.kind, "voxel": voxel, "sprout": voxel, "z": z, "y": y, "x": x})
        grown.links.append({"kind": law.kind, "one": voxel, "other": parent, "sprout": voxel})


def _crowded(tissue: Tissue, voxel: int, parent: int, spacing_um: float) -> bool:
    """Is there a vessel within the spacing of a new tip, beside or before it? What lies behind is the parent."""
    shape, reach = tissue.lattice.shape, int(spacing_um / tissue.voxel_um)
    at, root = (np.array(np.unravel_index(place, shape)) for place in (voxel, parent))
    low = np.maximum(at - reach, 0)
    box = tuple(slice(a, b + reach + 1) for a, b in zip(low, at, strict=True))
    vessel = tissue.vessel[box]
    apart = np.argwhere(vessel if isinstance(vessel, np.ndarray) else vessel.get()) + low - at
    near = (apart**2).sum(axis=1) * tissue.voxel_um**2 <= spacing_um**2
    return bool((near & (apart @ (at - root) >= 0)).any())


def _chosen(candidates: np.ndarray, probability: float, stamp: Stamp, purpose: Purpose) -> np.ndarray:
    return candidates[host_draw(candidates, stamp, purpose) / 2**32 < probability]


def _regress(tissue: Tissue, law: GrowthRates, grown: Vasculature, stamp: Stamp) -> None:
    """Lose dead ends, collapsed voxels and loops that lead nowhere, where they are not perfused, and the links to them."""
    if law.regress == 0.0 or grown.links.rows == 0:
        return
    mine = grown.links["kind"] == law.kind
    nodes = grown.grown(law.kind)
    bits = read(tissue, tissue.vessel, nodes)
    idle = (bits & Vessel.PERFUSED) == 0
    ends = np.stack([grown.links["one"][mine], grown.links["other"][mine]])
    at = np.searchsorted(nodes, ends).clip(max=max(0, len(nodes) - 1))
    real = (nodes[at] == ends) & (ends[0] != ends[1])
    links = np.bincount(at[real], minlength=len(nodes))
    dead_end = (links <= 1) & ((bits & Vessel.TIP) == 0)
    # what hangs together without perfusion: it waits for its tips and loses its ends; without either it is a loop
    inner = real.all(axis=0) & idle[at].all(axis=0)
    graph = sparse.coo_array((np.ones(int(inner.sum())), at[:, inner]), shape=(len(nodes),) * 2)
    piece = sparse.csgraph.connected_components(graph, directed=False)[1]
    waits = np.zeros(len(nodes), dtype=bool)
    waits[piece[dead_end | ((bits & Vessel.TIP) > 0)]] = True
    lost = idle & ((bits & Vessel.TIP) == 0) & (dead_end | ((bits & Vessel.COLLAPSED) > 0) | ~waits[piece])
    gone = _chosen(nodes[lost], law.regress, stamp, Purpose.REGRESS)
    write(tissue, tissue.vessel, gone, np.zeros(len(gone), dtype=np.uint8))
    grown.forget(law.kind, gone)
