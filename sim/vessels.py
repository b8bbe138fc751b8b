"""Given vessels: the `[vessels]` table, and the bits of blood and lymph at time zero.

Every voxel of a given vessel is supplied from outside the lattice, so it is perfused from the start and an inlet to
what grows out of it (`sim.angiogenesis`). Layouts: `sim.vessel_layouts`; from a file: `sim.vessel_volume`.
"""

import re
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from ..kernels.draws import Purpose, Stamp, host_draw
from ..kernels.lattice import Lattice
from ..kernels.parameters import FRANSSEN_2019, Parameters, quantity
from ..kernels.tissue import Vessel
from . import vessel_layouts, vessel_volume
from .errors import InputError
from .ranks import lowest
from .texture_file import parts
from .vessel_layouts import Site


class Vessels(Parameters):
    """The `[vessels]` table: where blood and lymph run through the primary."""

    kind: Literal["points", "straight", "krogh", "tree", "volume", "none"] = quantity(
        "points",
        unit="-",
        source="the scenario's choice",
        about="single sites; straight vessels along an axis; a regular array of capillaries along it; trees that branch "
        "until they reach everywhere; from vessels.file",
    )
    blood: int = quantity(
        10,
        unit="vessels",
        ge=0,
        source=FRANSSEN_2019,
        about="blood vessels; trees: inlets; krogh: all that are not lymph",
    )
    lymph: int = quantity(0, unit="vessels", ge=0, source="assumed", about="lymph vessels; trees: outlets")
    ruptured: int = quantity(
        2, unit="sites", ge=0, source=FRANSSEN_2019, about="ruptured sites among the blood vessels"
    )
    axis: Literal["z", "y", "x"] = quantity(
        "x", unit="-", source="the scenario's choice", about="direction of straight vessels, of an array, of trunks"
    )
    spacing_um: float = quantity(
        200.0,
        unit="um",
        gt=0,
        source="assumed, within the 50-300 um between normal capillaries of Serini et al. 2003, EMBO J 22:1771",
        about="krogh: from axis to axis; tree: branches until no part it serves is wider than this",
    )
    site_voxels: int = quantity(
        1,
        unit="voxels",
        ge=1,
        le=8,
        source="numerical",
        about="edge of a vessel's cross-section or site; tree: of a trunk",
    )
    free_core_um: float = quantity(
        80.0, unit="um", ge=0, source=f"{FRANSSEN_2019}: 200 sites", about="no vessel nearer to the centre than this"
    )
    margin_um: float = quantity(
        20.0,
        unit="um",
        ge=0,
        source="MetaSpread, the published code of Franssen et al. 2019: two sites",
        about="points, straight: no vessel nearer to a wall than this",
    )
    solid: bool = quantity(
        True,
        unit="-",
        source="endothelium excludes tumour cells; Franssen 2019 lets them pass",
        about="do vessels exclude cells",
    )
    file: str = quantity(
        "",
        unit="-",
        source="the scenario's choice",
        about="volume: an .npy file, or 'file.h5:dataset', of u1 bits (1 blood, 2 lymph, + 8 ruptured) and of lattice.shape, beside the scenario's file",
    )

    file_sha256: str = quantity(
        "", unit="-", source="noted when the scenario is read", about="SHA-256 of that file, which it must have"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "volume" and not self.file:
            raise ValueError("vessels.file: missing; vessels.kind = 'volume' reads it")
        if not re.fullmatch("([0-9a-f]{64})?", self.file_sha256):
            raise ValueError("vessels.file_sha256: needs 64 hexadecimal digits")
        if self.kind != "volume" and self.file:
            raise ValueError(f"vessels.file: is read by vessels.kind = 'volume' only (kind is {self.kind!r})")
        return self


def pinned(vessels: Vessels, folder: Path, shape: tuple[int, int, int]) -> Vessels:
    """The table with its file's path made absolute (relative to `folder`) and its SHA-256 noted, the volume checked.

    Raises InputError, which begins with the key, if the file cannot be used.
    """
    if vessels.kind != "volume":
        return vessels
    path, dataset = parts(vessels.file)
    place = (folder / path).absolute()
    name = f"{place}:{dataset}" if dataset else str(place)
    vessel_volume.read(name, vessels.file_sha256, shape)
    return vessels.model_copy(update={"file": name, "file_sha256": vessel_volume.sum_of(place)})


def vessel_map(vessels: Vessels, lattice: Lattice, voxel_um: float, stamp: Stamp) -> np.ndarray:
    """Vessel bits (nz, ny, nx) u1. Raises InputError if there is no room for as many vessels, or the file is unfit."""
    if vessels.kind == "volume":
        return vessel_volume.read(vessels.file, vessels.file_sha256, lattice.shape)
    out = np.zeros(lattice.shape, dtype=np.uint8)
    if vessels.kind == "none" or (vessels.kind != "krogh" and vessels.blood + vessels.lymph == 0):
        return out
    blood, lymph = vessel_layouts.lay(vessels, lattice, voxel_um, stamp)
    for kind, sites in ((Vessel.BLOOD, blood), (Vessel.LYMPH, lymph)):
        for site in sites:
            out[_block(site, lattice)] |= np.uint8(kind | Vessel.PERFUSED | Vessel.GIVEN)
    if vessels.ruptured > len(blood):
        raise InputError(f"vessels.ruptured: {vessels.ruptured} ruptured sites, but there are {len(blood)} blood sites")
    flat = np.array([np.ravel_multi_index(corner, lattice.shape) for corner, _ in blood], dtype=np.int64)
    for at in lowest(host_draw(flat, stamp, Purpose.VESSEL_RUPTURE), vessels.ruptured):
        out[_block(blood[at], lattice)] |= np.uint8(Vessel.RUPTURED)
    return out


def _block(site: Site, lattice: Lattice) -> tuple[slice, ...]:
    corner, edge = site
    return tuple(slice(at, min(n, at + edge)) for at, n in zip(corner, lattice.shape, strict=True))
