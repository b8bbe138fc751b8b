"""The tissue at time zero: the implant and the vessels, placed by draws of the key.

Sites are chosen by rank: every candidate voxel has a draw, and the lowest win. So the choice is a pure
function of the key and the lattice, whatever the device.
"""

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
    chosen = implant_voxels(scenario.implant, lattice, stamp, blocked=vessel.reshape(-1) > 0 if scenario.vessels.solid else None)
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
    names = list(scenario.body.organs)
    lattice_id = 1 + names.index(name)
    lattice = device.lattice(scenario.body.organ_shape)
    stamp = Stamp.of(scenario.rng_key, lattice_id)
    um = scenario.lattice.voxel_um
    sites = Vessels(
        kind="points",
        blood=scenario.body.organs[name].vessels,
        ruptured=0,
        site_voxels=scenario.vessels.site_voxels,
        free_core_um=0.0,
        margin_um=scenario.vessels.margin_um,
    )
    tissue = bare(lattice, lattice_id=lattice_id, voxel_um=um, xp=device.xp, matrix=scenario.matrix.initial_fraction)
    tissue.vessel[...] = device.array(vessel_map(sites, lattice, um, stamp))
    return tissue


def implant_voxels(implant: Implant, lattice: Lattice, stamp: Stamp, blocked: np.ndarray | None = None) -> np.ndarray:
    """Flat indices of the implant's cells, ascending: the voxels nearest to the centre, or any."""
    if implant.kind == "scattered":
        rank = host_draw(np.arange(lattice.voxels), stamp, Purpose.IMPLANT_SITE).astype(np.float64)
    else:
        # ties between voxels at one distance are broken by the draw, so the ball has no corner of its own
        rank = _centre_distance2(lattice).reshape(-1) * 2.0**33
        near = np.flatnonzero(rank <= np.partition(rank, implant.cells - 1)[implant.cells - 1])
        rank[near] += host_draw(near, stamp, Purpose.IMPLANT_SITE)
    if blocked is not None:
        rank = np.where(blocked, np.inf, rank)
        if np.count_nonzero(~blocked) < implant.cells:
            raise InputError(f"implant.cells: {implant.cells} cells do not fit beside the vessels; use fewer of either")
    return np.sort(_lowest(rank, implant.cells))


def vessel_map(vessels: Vessels, lattice: Lattice, voxel_um: float, stamp: Stamp) -> np.ndarray:
    """Vessel bits (nz, ny, nx) u1. Raises InputError if there is no room for as many vessels."""
    out = np.zeros(lattice.shape, dtype=np.uint8)
    wanted = vessels.blood + vessels.lymph
    if vessels.kind == "none" or wanted == 0:
        return out
    along = None if vessels.kind == "points" else "zyx".index(vessels.axis)
    origins = _sites(vessels, lattice, voxel_um, along)
    if len(origins) < wanted:
        raise InputError(
            f"vessels: room for {len(origins)} vessels outside vessels.free_core_um and vessels.margin_um, "
            f"but {wanted} are asked for; use fewer vessels or smaller margins"
        )
    chosen = origins[_lowest(host_draw(origins, stamp, Purpose.VESSEL_SITE), wanted)]
    blood_sites = []
    for number, origin in enumerate(chosen):
        kind = Vessel.BLOOD if number < vessels.blood else Vessel.LYMPH
        for corner in _stations(int(origin), lattice, vessels.site_voxels, along):
            z, y, x = corner
            out[_block(z, lattice.nz, vessels), _block(y, lattice.ny, vessels), _block(x, lattice.nx, vessels)] |= np.uint8(kind | Vessel.PERFUSED)
            if kind == Vessel.BLOOD:
                blood_sites.append(corner)
    flat = np.array([np.ravel_multi_index(corner, lattice.shape) for corner in blood_sites], dtype=np.int64)
    if vessels.ruptured > len(flat):
        raise InputError(f"vessels.ruptured: {vessels.ruptured} ruptured sites, but there are {len(flat)} blood sites")
    for at in _lowest(host_draw(flat, stamp, Purpose.VESSEL_RUPTURE), vessels.ruptured):
        z, y, x = blood_sites[at]
        out[_block(z, lattice.nz, vessels), _block(y, lattice.ny, vessels), _block(x, lattice.nx, vessels)] |= np.uint8(Vessel.RUPTURED)
    return out


def _sites(vessels: Vessels, lattice: Lattice, voxel_um: float, along: int | None) -> np.ndarray:
    """Flat indices of the corners at which a vessel may be put: on the grid of sites, clear of core and walls."""
    edge, size = vessels.site_voxels, lattice.shape
    margin = int(np.ceil(vessels.margin_um / voxel_um))
    axes = []
    for axis, n in enumerate(size):
        if axis == along or n == 1:
            axes.append(np.arange(0, 1))
        else:
            at = np.arange(0, n - edge + 1, edge)
            axes.append(at[(at >= margin) & (at + edge <= n - margin)])
    z, y, x = np.meshgrid(*axes, indexing="ij")
    distance2 = np.zeros(z.shape)
    for axis, (at, n) in enumerate(zip((z, y, x), size, strict=True)):
        if axis != along and n > 1:
            distance2 += (at + (edge - 1) / 2 - (n - 1) / 2) ** 2
    clear = distance2 * voxel_um**2 >= vessels.free_core_um**2
    return np.ravel_multi_index((z[clear], y[clear], x[clear]), size)


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


def _centre_distance2(lattice: Lattice) -> np.ndarray:
    """Squared distance to the middle of the lattice in quarter voxels^2, whole numbers."""
    squares = [(2 * np.arange(n, dtype=np.float64) - (n - 1)) ** 2 for n in lattice.shape]
    return squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]


def _lowest(rank: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` lowest ranks, lowest first; equal ranks in order of position."""
    return np.argsort(rank, kind="stable")[:count]
