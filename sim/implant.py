"""The tissue at time zero: the implant and the vessels, placed by draws of the key.

Sites are chosen by rank: every candidate voxel has a draw, and the lowest win. So the choice is a pure
function of the key and the lattice, whatever the device.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.lattice import Lattice
from ..kernels.tissue import Cell, Tissue, Vessel, bare
from .device import Device
from .errors import InputError
from .scenario import Implant, Scenario, Vessels


def primary(scenario: Scenario, device: Device) -> Tissue:
    """The primary's tissue: matrix, vessels, then the implant (never inside a solid vessel)."""
    lattice = device.lattice(scenario.lattice.shape)
    stamp = Stamp.of(scenario.rng_key)
    um = scenario.lattice.voxel_um
    vessel = vessel_map(scenario.vessels, lattice, um, stamp)
    chosen = implant_voxels(
        scenario.implant, lattice, stamp, blocked=vessel.reshape(-1) > 0 if scenario.vessels.solid else None
    )
    mesenchymal = round(scenario.implant.cells * scenario.implant.mesenchymal_fraction)
    order = _lowest(host_draw(chosen, stamp, Purpose.IMPLANT_PHENOTYPE), len(chosen))
    cell = np.zeros(lattice.voxels, dtype=np.uint8)
    emt = np.zeros(lattice.voxels, dtype=np.uint8)
    cell[chosen] = Cell.TUMOUR
    emt[chosen[order[:mesenchymal]]] = 255
    tissue = bare(lattice, lattice_id=0, voxel_um=um, xp=device.xp, matrix=scenario.matrix.initial_fraction)
    tissue.vessel[...] = device.array(vessel)
    tissue.cell[...] = device.array(cell.reshape(lattice.shape))
    tissue.emt[...] = device.array(emt.reshape(lattice.shape))
    return tissue


def organ(scenario: Scenario, device: Device, name: str) -> Tissue:
    """The empty tissue of an organ: matrix and the vessel sites at which seeds arrive."""
    lattice_id = 1 + list(scenario.body.organs).index(name)
    lattice = device.lattice(scenario.body.organ_shape)
    stamp = Stamp.of(scenario.rng_key, lattice_id)
    um = scenario.lattice.voxel_um
    sites = _organ_vessels(scenario, name)
    tissue = bare(lattice, lattice_id=lattice_id, voxel_um=um, xp=device.xp, matrix=scenario.matrix.initial_fraction)
    tissue.vessel[...] = device.array(vessel_map(sites, lattice, um, stamp))
    return tissue


def check_organs(scenario: Scenario) -> None:
    """Raises InputError if an organ's lattice has no room for its vessels: before the run, not when a seed arrives."""
    lattice = Lattice.of(scenario.body.organ_shape)
    for name, table in scenario.body.organs.items():
        sites = _organ_vessels(scenario, name)
        room = math.prod(len(axis) for axis in _corners(sites, lattice, scenario.lattice.voxel_um, None))
        if room < table.vessels:
            raise InputError(
                f"body.organs.{name}.vessels: {table.vessels} sites, but a lattice of {list(lattice.shape)} "
                f"(body.organ_shape) has room for {room} clear of its walls (vessels.margin_um)"
            )


def _organ_vessels(scenario: Scenario, name: str) -> Vessels:
    return Vessels(
        kind="points",
        blood=scenario.body.organs[name].vessels,
        ruptured=0,
        site_voxels=scenario.vessels.site_voxels,
        free_core_um=0.0,
        margin_um=scenario.vessels.margin_um,
    )


def implant_voxels(implant: Implant, lattice: Lattice, stamp: Stamp, blocked: np.ndarray | None = None) -> np.ndarray:
    """Flat indices of the implant's cells, ascending: the voxels nearest to the centre, or any.

    `blocked` (voxels,) bool: where no cell may be put. Raises InputError if there is no room.
    """
    if implant.kind == "scattered":
        chosen = _lowest_draws(
            (_free(part, blocked) for part in _parts(lattice)), implant.cells, stamp, Purpose.IMPLANT_SITE
        )
    else:
        chosen = _nearest(lattice, implant.cells, stamp, blocked)
    if len(chosen) < implant.cells:
        raise InputError(f"implant.cells: {implant.cells} cells do not fit beside the vessels; use fewer of either")
    return np.sort(chosen)


def _nearest(lattice: Lattice, cells: int, stamp: Stamp, blocked: np.ndarray | None) -> np.ndarray:
    """The free voxels nearest to the middle, looked for in a box that grows until it surely holds them."""
    reach = cells ** (1 / lattice.dimensions) / 2 + 2
    while True:
        ranges = [
            np.arange(max(0, int((n - 1) / 2 - reach)), min(n, int((n - 1) / 2 + reach) + 2)) for n in lattice.shape
        ]
        z, y, x = np.meshgrid(*ranges, indexing="ij")
        # squared distance in quarter voxels: whole numbers, so that equal ones are equal
        rank = sum((2 * at - (n - 1)) ** 2 for at, n in zip((z, y, x), lattice.shape, strict=True)).reshape(-1)
        flat = np.ravel_multi_index((z, y, x), lattice.shape).reshape(-1)
        if blocked is not None:
            rank, flat = rank[~blocked[flat]], flat[~blocked[flat]]
        whole = all(len(r) == n for r, n in zip(ranges, lattice.shape, strict=True))
        sure = rank <= (2 * int(reach)) ** 2  # the ball inside the box; beyond it the box's corners lead
        if whole or np.count_nonzero(sure) >= cells:
            # ties between voxels at one distance are broken by the draw, so the ball has no corner of its own
            order = np.lexsort((host_draw(flat, stamp, Purpose.IMPLANT_SITE), rank))
            return flat[order[:cells]]
        reach *= 1.5


def vessel_map(vessels: Vessels, lattice: Lattice, voxel_um: float, stamp: Stamp) -> np.ndarray:
    """Vessel bits (nz, ny, nx) u1. Raises InputError if there is no room for as many vessels."""
    out = np.zeros(lattice.shape, dtype=np.uint8)
    wanted = vessels.blood + vessels.lymph
    if vessels.kind == "none" or wanted == 0:
        return out
    along = None if vessels.kind == "points" else "zyx".index(vessels.axis)
    chosen = _lowest_draws(_sites(vessels, lattice, voxel_um, along), wanted, stamp, Purpose.VESSEL_SITE)
    if len(chosen) < wanted:
        raise InputError(
            f"vessels: room for {len(chosen)} vessels outside vessels.free_core_um and vessels.margin_um, "
            f"but {wanted} are asked for; use fewer vessels or smaller margins"
        )
    blood_sites = []
    for number, origin in enumerate(chosen):
        kind = Vessel.BLOOD if number < vessels.blood else Vessel.LYMPH
        for corner in _stations(int(origin), lattice, vessels.site_voxels, along):
            z, y, x = corner
            out[_block(z, lattice.nz, vessels), _block(y, lattice.ny, vessels), _block(x, lattice.nx, vessels)] |= (
                np.uint8(kind | Vessel.PERFUSED | Vessel.GIVEN)
            )
            if kind == Vessel.BLOOD:
                blood_sites.append(corner)
    flat = np.array([np.ravel_multi_index(corner, lattice.shape) for corner in blood_sites], dtype=np.int64)
    if vessels.ruptured > len(flat):
        raise InputError(f"vessels.ruptured: {vessels.ruptured} ruptured sites, but there are {len(flat)} blood sites")
    for at in _lowest(host_draw(flat, stamp, Purpose.VESSEL_RUPTURE), vessels.ruptured):
        z, y, x = blood_sites[at]
        out[_block(z, lattice.nz, vessels), _block(y, lattice.ny, vessels), _block(x, lattice.nx, vessels)] |= np.uint8(
            Vessel.RUPTURED
        )
    return out


def _corners(vessels: Vessels, lattice: Lattice, voxel_um: float, along: int | None) -> list[np.ndarray]:
    """Where along z, y and x a site may begin: on the grid of sites, clear of the walls."""
    edge, size = vessels.site_voxels, lattice.shape
    margin = int(np.ceil(vessels.margin_um / voxel_um))
    axes = []
    for axis, n in enumerate(size):
        if axis == along or n == 1:
            axes.append(np.arange(0, 1))
        else:
            at = np.arange(0, n - edge + 1, edge)
            axes.append(at[(at >= margin) & (at + edge <= n - margin)])
    return axes


def _sites(vessels: Vessels, lattice: Lattice, voxel_um: float, along: int | None) -> Iterator[np.ndarray]:
    """Flat indices of the corners at which a vessel may be put, plane by plane: on the grid of sites, clear of
    core and walls."""
    edge, size = vessels.site_voxels, lattice.shape
    axes = _corners(vessels, lattice, voxel_um, along)
    for plane in axes[0]:
        z, y, x = np.meshgrid(plane, axes[1], axes[2], indexing="ij")
        distance2 = np.zeros(z.shape)
        for axis, (at, n) in enumerate(zip((z, y, x), size, strict=True)):
            if axis != along and n > 1:
                distance2 += (at + (edge - 1) / 2 - (n - 1) / 2) ** 2
        clear = distance2 * voxel_um**2 >= vessels.free_core_um**2
        yield np.ravel_multi_index((z[clear], y[clear], x[clear]), size)


def _stations(origin: int, lattice: Lattice, edge: int, along: int | None) -> list[tuple[int, int, int]]:
    """The corners of a vessel's sites: one, or all along its axis."""
    corner = [int(at) for at in np.unravel_index(origin, lattice.shape)]
    if along is None:
        return [(corner[0], corner[1], corner[2])]
    out = []
    for at in range(0, lattice.shape[along], edge):
        corner[along] = at
        out.append((corner[0], corner[1], corner[2]))
    return out


def _block(at: int, n: int, vessels: Vessels) -> slice:
    return slice(at, min(n, at + vessels.site_voxels))


def _parts(lattice: Lattice) -> Iterator[np.ndarray]:
    """All voxels, a quarter of a million at a time: draws and ranks of a large lattice would not fit the memory at once."""
    for start in range(0, lattice.voxels, 1 << 18):
        yield np.arange(start, min(start + (1 << 18), lattice.voxels))


def _free(voxels: np.ndarray, blocked: np.ndarray | None) -> np.ndarray:
    return voxels if blocked is None else voxels[~blocked[voxels]]


def _lowest_draws(candidates: Iterable[np.ndarray], count: int, stamp: Stamp, purpose: Purpose) -> np.ndarray:
    """Of candidates that come in parts, the `count` with the lowest draws, lowest first (ties: lower index)."""
    best = np.empty(0, dtype=np.int64)
    draws = np.empty(0, dtype=np.uint32)
    for part in candidates:
        best, draws = np.concatenate([best, part]), np.concatenate([draws, host_draw(part, stamp, purpose)])
        if len(best) > 4 * count + (1 << 16):
            keep = _lowest(draws, count)
            best, draws = best[keep], draws[keep]
    return best[_lowest(draws, count)]


def _lowest(rank: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` lowest ranks, lowest first; equal ranks in order of position."""
    return np.argsort(rank, kind="stable")[:count]
