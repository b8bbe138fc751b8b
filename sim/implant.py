"""The tissue at time zero: the implant and the vessels, placed by draws of the key.

Sites are chosen by rank (`sim.ranks`), whatever the device. Where vessels run: `sim.vessels`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..kernels.draws import ALWAYS, Purpose, Stamp, host_draw, host_draws, threshold
from ..kernels.lattice import Lattice
from ..kernels.stroma import Stroma
from ..kernels.tissue import Cell, Tissue, bare
from . import duct
from .device import Device
from .errors import InputError
from .ledger import Others
from .ranks import lowest, lowest_draws
from .scenario import Implant, Scenario
from .texture import lay
from .vessel_layouts import corners
from .vessels import Vessels, vessel_map


def primary(scenario: Scenario, device: Device) -> Tissue:
    """The primary's tissue: vessels, matrix, a duct's lining, the implant (never inside a solid vessel), stroma.

    Raises InputError if something does not fit, or a file cannot be used.
    """
    lattice = device.lattice(scenario.lattice.shape)
    stamp = Stamp.of(scenario.rng_key)
    um, texture = scenario.lattice.voxel_um, scenario.matrix.texture
    tissue = empty(scenario, device, lattice, 0)
    vessel = vessel_map(scenario.vessels, lattice, um, stamp)
    tissue.vessel[...] = device.array(vessel)
    with _on_host(tissue, device, "matrix", "fibre") as (matrix, fibre):
        lay(matrix, fibre, scenario.matrix, vessel, lattice, um, stamp)
    cell = np.zeros(lattice.voxels, dtype=np.uint8)
    emt = np.zeros(lattice.voxels, dtype=np.uint8)
    zone = duct.zones(texture, lattice, um) if texture.kind == "duct" else None
    if zone is not None:
        duct.line(cell, zone, texture, stamp)
    chosen = implant_voxels(scenario.implant, lattice, stamp, blocked=_blocked(scenario, vessel, cell, zone))
    mesenchymal = round(scenario.implant.cells * scenario.implant.mesenchymal_fraction)
    order = lowest(host_draw(chosen, stamp, Purpose.IMPLANT_PHENOTYPE), len(chosen))
    cell[chosen] = Cell.TUMOUR
    emt[chosen[order[:mesenchymal]]] = scenario.implant.mesenchymal_emt
    put_stroma(cell, vessel.reshape(-1), zone, scenario.stroma, stamp)
    tissue.cell[...] = device.array(cell.reshape(lattice.shape))
    tissue.emt[...] = device.array(emt.reshape(lattice.shape))
    return tissue


@contextmanager
def _on_host(tissue: Tissue, device: Device, *names: str) -> Iterator[list[np.ndarray]]:
    """Members of a tissue to write on the host: the arrays themselves on a CPU, else copies that are sent back."""
    arrays = [tissue.host(name) for name in names]
    yield arrays
    for name, array in zip(names, arrays, strict=True):
        target = getattr(tissue, name)
        if target is not array:
            target[...] = device.array(array)


def _blocked(scenario: Scenario, vessel: np.ndarray, cell: np.ndarray, zone: np.ndarray | None) -> np.ndarray | None:
    """(voxels,) bool: where the implant may put no cell; None if it may anywhere."""
    blocked = vessel.reshape(-1) > 0 if scenario.vessels.solid else None
    if zone is None:
        return blocked
    lined = cell != Cell.EMPTY
    if scenario.implant.kind == "duct":
        lined |= (zone > duct.Zone.LINING).reshape(-1)
    return lined if blocked is None else blocked | lined


def organ(scenario: Scenario, device: Device, name: str) -> Tissue:
    """The empty tissue of an organ: matrix and the vessel sites at which seeds arrive."""
    lattice_id = 1 + list(scenario.body.organs).index(name)
    lattice = device.lattice(scenario.body.organ_shape)
    stamp = Stamp.of(scenario.rng_key, lattice_id)
    um = scenario.lattice.voxel_um
    sites = _organ_vessels(scenario, name)
    tissue = empty(scenario, device, lattice, lattice_id)
    tissue.vessel[...] = device.array(vessel_map(sites, lattice, um, stamp))
    return tissue


def empty(scenario: Scenario, device: Device, lattice: Lattice, lattice_id: int) -> Tissue:
    """Tissue of this scenario's matrix and solutes, with nothing in it."""
    return bare(
        lattice,
        lattice_id=lattice_id,
        voxel_um=scenario.lattice.voxel_um,
        xp=device.xp,
        matrix=scenario.matrix.initial_fraction,
        roles={role: table.initial for role, table in scenario.solutes.present.items()},
    )


def check_organs(scenario: Scenario) -> None:
    """Raises InputError if an organ's lattice has no room for its vessels: before the run, not when a seed arrives."""
    lattice = Lattice.of(scenario.body.organ_shape)
    for name, table in scenario.body.organs.items():
        sites = _organ_vessels(scenario, name)
        room = math.prod(len(axis) for axis in corners(sites, lattice, scenario.lattice.voxel_um, None))
        if room < table.vessels:
            raise InputError(
                f"body.organs.{name}.vessels: {table.vessels} sites, but a lattice of {list(lattice.shape)} "
                f"(body.organ_shape) has room for {room} clear of its walls (vessels.margin_um)"
            )


def _organ_vessels(scenario: Scenario, name: str) -> Vessels:
    return sites(scenario, scenario.body.organs[name].vessels)


def sites(scenario: Scenario, blood: int) -> Vessels:
    """So many blood vessel sites anywhere in a lattice, clear of its walls as the scenario's."""
    return Vessels(
        kind="points",
        blood=blood,
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
        chosen = lowest_draws(
            (_free(part, blocked) for part in _parts(lattice)), implant.cells, stamp, Purpose.IMPLANT_SITE
        )
    else:
        chosen = nearest(lattice, implant.cells, stamp, blocked)
    if len(chosen) < implant.cells:
        raise InputError(f"implant.cells: {implant.cells} cells do not fit beside the vessels; use fewer of either")
    return np.sort(chosen)


def nearest(lattice: Lattice, cells: int, stamp: Stamp, blocked: np.ndarray | None) -> np.ndarray:
    """The free voxels nearest to the middle, looked for in a box that grows until it surely holds them."""
    reach = cells ** (1 / lattice.dimensions) / 2 + 2
    while True:
        ranges = [
            np.arange(max(0, int((n - 1) / 2 - reach)), min(n, int((n - 1) / 2 + reach) + 2)) for n in lattice.shape
        ]
        z, y, x = np.meshgrid(*ranges, indexing="ij")
        # squared distance in quarter voxels: whole numbers, so that equal ones are equal
        squares = [(2 * at - (n - 1)) ** 2 for at, n in zip((z, y, x), lattice.shape, strict=True)]
        rank = np.sum(squares, axis=0).reshape(-1)
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


def put_stroma(cell: np.ndarray, vessel: np.ndarray, zone: np.ndarray | None, stroma: Stroma, stamp: Stamp) -> None:
    """Put fibroblasts into free voxels of cell (voxels,) u1, in place: none into vessel (voxels,) bits u1, and none
    into a duct and its membrane (zone, any shape, of `duct.Zone`)."""
    chance = threshold(stroma.site_probability)
    for start in range(0, cell.size if chance else 0, 1 << 18):
        part = slice(start, min(start + (1 << 18), cell.size))
        wanted = host_draws(start, part.stop - start, stamp, Purpose.STROMA_SITE) < chance
        if chance == ALWAYS:
            wanted[:] = True
        wanted &= (cell[part] == Cell.EMPTY) & (vessel[part] == 0)
        if zone is not None:
            wanted &= zone.reshape(-1)[part] == duct.Zone.OUTSIDE
        cell[part][wanted] = Cell.STROMA


def others_of(tissue: Tissue) -> Others:
    """The other cells that a tissue holds besides tumour cells, counted."""
    kinds = (Cell.NECROTIC, Cell.IMMUNE, Cell.STROMA, Cell.EPITHELIUM)
    return Others(*(int((tissue.cell == np.uint8(kind)).sum()) for kind in kinds))


def _parts(lattice: Lattice) -> Iterator[np.ndarray]:
    """All voxels, a quarter of a million at a time: draws and ranks of a large lattice would not fit the memory at once."""
    for start in range(0, lattice.voxels, 1 << 18):
        yield np.arange(start, min(start + (1 << 18), lattice.voxels))


def _free(voxels: np.ndarray, blocked: np.ndarray | None) -> np.ndarray:
    return voxels if blocked is None else voxels[~blocked[voxels]]
