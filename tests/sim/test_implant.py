"""The tissue at time zero: how many cells, where, of which phenotype; where the vessels are."""

import numpy as np
import pytest

from seedsoil.kernels import draws
from seedsoil.kernels.draws import Purpose, Stamp
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Cell, Tissue, Vessel
from seedsoil.sim import implant
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError
from seedsoil.sim.scenario import Implant, LatticeTable, Scenario, Vessels

# no kernel runs here, so any shape is free
FLAT, DEEP = (1, 101, 101), (21, 24, 31)
SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
POINTS = Vessels(kind="points", blood=10, ruptured=2, site_voxels=2, free_core_um=80.0, margin_um=20.0, solid=False)


def scenario(shape: tuple[int, int, int], **tables: object) -> Scenario:
    given = {"vessels": Vessels(kind="none"), "implant": Implant(cells=388, mesenchymal_fraction=0.6), **tables}
    return Scenario.model_validate(
        {"until_h": 1.0, "lattice": LatticeTable(shape=shape, voxel_um=5.0), "rng_key": 1, **given}
    )


def distance2(shape: tuple[int, int, int]) -> np.ndarray:
    """Squared distance of each voxel to the middle, in voxels."""
    return sum((at - (n - 1) / 2) ** 2 for at, n in zip(np.indices(shape), shape, strict=True))


def corner_blocks(vessel: np.ndarray, site: int) -> np.ndarray:
    """Corners of the sites that hold a vessel: the sites lie on a grid."""
    at = np.argwhere(vessel)
    at[:, [n > 1 for n in vessel.shape]] //= site
    return np.unique(at, axis=0)


def is_nearest(tissue: Tissue) -> bool:
    """Is no free voxel nearer to the middle than an occupied one?"""
    far = distance2(tissue.lattice.shape)
    return bool(far[tissue.cell == Cell.TUMOUR].max() <= far[tissue.cell == Cell.EMPTY].min())


@SHAPES
def test_the_ball_is_packed_and_exact(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = implant.primary(scenario(shape), device)
    tumour = tissue.cell == Cell.TUMOUR
    assert tumour.sum() == 388
    assert (tissue.emt[tumour] == 255).sum() == 233  # 60 % of 388 is 232.8
    assert (tissue.emt[tumour] == 0).sum() == 155
    assert not tissue.emt[~tumour].any()
    assert is_nearest(tissue)
    assert np.all(tissue.matrix == 1.0)
    assert not any(
        getattr(tissue, name).any() for name in ("clone", "colony", "due", "heading", "vessel", "fibre", "protease")
    )
    tissue.cell.reshape(-1)[[0, np.flatnonzero(tumour)[0]]] = Cell.TUMOUR, Cell.EMPTY
    assert not is_nearest(tissue)


@SHAPES
def test_phenotypes_are_mixed_over_the_ball(device: Device, shape: tuple[int, int, int]) -> None:
    """Mean place of the mesenchymal cells within 4 standard errors of that of all; fixed key."""
    tissue = implant.primary(scenario(shape), device)
    everyone = np.argwhere(tissue.cell == Cell.TUMOUR)
    fast = np.argwhere(tissue.emt == 255)
    spread = everyone.std(axis=0) * np.sqrt(1 / 233 - 1 / 388)
    moved = np.abs(fast.mean(axis=0) - everyone.mean(axis=0))
    assert np.all(moved <= 4 * spread)
    ordered = everyone[:233]  # what filling in index order would do
    assert np.any(np.abs(ordered.mean(axis=0) - everyone.mean(axis=0)) > 4 * spread)


@SHAPES
def test_a_key_is_a_tissue(device: Device, shape: tuple[int, int, int]) -> None:
    vessels = POINTS.model_copy(update={"free_core_um": 40.0})

    def arrays(key: int) -> list[bytes]:
        tissue = implant.primary(scenario(shape, rng_key=key, vessels=vessels), device)
        return [getattr(tissue, name).tobytes() for name in ("cell", "emt", "vessel")]

    assert arrays(5) == arrays(5)
    assert all(a != b for a, b in zip(arrays(5), arrays(6), strict=True))
    assert all(a != b for a, b in zip(arrays(5), arrays(5 + 2**32), strict=True))  # all 64 bits count


@SHAPES
def test_the_loop_form_does_not_matter(shape: tuple[int, int, int]) -> None:
    rows, voxels = (Lattice.of(shape, form=form) for form in ("rows", "voxels"))
    for given in (Implant(), Implant(kind="scattered")):
        one, other = (implant.implant_voxels(given, lattice, Stamp.of(3)) for lattice in (rows, voxels))
        np.testing.assert_array_equal(one, other)


@SHAPES
def test_scattered_cells_are_anywhere(device: Device, shape: tuple[int, int, int]) -> None:
    """Mean distance to the middle against that of all voxels, 4 standard errors; the ball fails it."""
    far = np.sqrt(distance2(shape))
    for kind, spread_out in (("scattered", True), ("ball", False)):
        tissue = implant.primary(scenario(shape, implant=Implant(kind=kind, cells=300)), device)
        tumour = tissue.cell == Cell.TUMOUR
        assert tumour.sum() == 300
        assert (abs(far[tumour].mean() - far.mean()) < 4 * far.std() / np.sqrt(300)) == spread_out


@SHAPES
def test_vessels_keep_out_of_core_and_margins(device: Device, shape: tuple[int, int, int]) -> None:
    core = 80.0 if shape == FLAT else 40.0
    vessel = implant.primary(scenario(shape, vessels=POINTS.model_copy(update={"free_core_um": core})), device).vessel
    at = np.argwhere(vessel)
    for axis, n in enumerate(shape):
        if n > 1:
            assert at[:, axis].min() >= 4  # 20 um of 5
            assert at[:, axis].max() < n - 4
    # the site's middle is clear of the core; its nearest voxel may be half a site nearer
    assert np.sqrt(distance2(shape)[vessel > 0].min()) * 5.0 >= core - 5.0 * np.sqrt(3) / 2
    sites = corner_blocks(vessel, 2)
    assert len(sites) == 10
    assert len(at) == 10 * (4 if shape == FLAT else 8)
    ruptured = corner_blocks(vessel & Vessel.RUPTURED, 2)
    assert len(ruptured) == 2
    assert np.all(vessel[vessel > 0] & Vessel.BLOOD)
    assert np.all(vessel[vessel > 0] & Vessel.PERFUSED)


def test_without_a_core_the_vessels_come_nearer(device: Device) -> None:
    everywhere = POINTS.model_copy(update={"free_core_um": 0.0, "blood": 300})
    vessel = implant.primary(scenario(FLAT, vessels=everywhere), device).vessel
    assert np.sqrt(distance2(FLAT)[vessel > 0].min()) * 5.0 < 40.0


def test_blood_and_lymph_are_told_apart(device: Device) -> None:
    vessel = implant.primary(scenario(FLAT, vessels=POINTS.model_copy(update={"lymph": 7})), device).vessel
    assert (vessel & Vessel.BLOOD > 0).sum() == 4 * 10
    assert (vessel & Vessel.LYMPH > 0).sum() == 4 * 7
    assert not np.any((vessel & Vessel.RUPTURED > 0) & (vessel & Vessel.LYMPH > 0))


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_straight_vessels_run_from_wall_to_wall(device: Device, axis: str) -> None:
    given = Vessels(kind="straight", blood=3, ruptured=4, axis=axis, site_voxels=2, free_core_um=0.0, margin_um=10.0)
    vessel = implant.primary(scenario(DEEP, vessels=given, implant=Implant(cells=10)), device).vessel
    along = "zyx".index(axis)
    section = (vessel > 0).any(axis=along)
    np.testing.assert_array_equal((vessel > 0).all(axis=along), section)
    assert section.sum() == 3 * 4
    ruptured = vessel & Vessel.RUPTURED > 0
    assert ruptured.any(axis=along).sum() <= section.sum()
    assert len(np.unique(np.argwhere(ruptured) // 2, axis=0)) == 4


def test_solid_vessels_hold_no_cell_and_others_may(device: Device) -> None:
    crowded = Vessels(kind="points", blood=200, ruptured=0, free_core_um=0.0, solid=True)
    tissue = implant.primary(scenario(FLAT, vessels=crowded, implant=Implant(cells=3000)), device)
    assert (tissue.cell > 0).sum() == 3000
    assert not np.any((tissue.cell > 0) & (tissue.vessel > 0))
    passable = crowded.model_copy(update={"solid": False})
    tissue = implant.primary(scenario(FLAT, vessels=passable, implant=Implant(cells=3000)), device)
    assert np.any((tissue.cell > 0) & (tissue.vessel > 0))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"vessels": POINTS.model_copy(update={"blood": 2000})}, "room for .* but 2000 are asked for"),
        ({"vessels": POINTS.model_copy(update={"free_core_um": 1e4})}, "room for 0 vessels"),
        ({"vessels": POINTS.model_copy(update={"ruptured": 11})}, "11 ruptured sites"),
        (
            {
                "vessels": Vessels(blood=1000, ruptured=0, free_core_um=0.0, margin_um=0.0),
                "implant": Implant(cells=10000),
            },
            "do not fit beside the vessels",
        ),
    ],
)
def test_what_does_not_fit_is_refused(device: Device, tables: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        implant.primary(scenario(FLAT, **tables), device)


def test_an_organ_is_empty_but_for_its_vessel_sites(device: Device) -> None:
    organs = {"bone": {"share_probability": 0.4, "vessels": 10}, "lung": {"share_probability": 0.6, "vessels": 5}}
    given = scenario(FLAT, vessels=POINTS, body={"organs": organs, "organ_shape": (1, 60, 60)})
    bone, lung = (implant.organ(given, device, name) for name in organs)
    assert (bone.lattice_id, lung.lattice_id) == (1, 2)
    assert not bone.cell.any()
    for tissue, sites in ((bone, 10), (lung, 5)):
        assert len(corner_blocks(tissue.vessel, 2)) == sites
        assert not np.any(tissue.vessel & Vessel.RUPTURED)
    same_number = {name: {**table, "vessels": 10} for name, table in organs.items()}
    twin = implant.organ(
        scenario(FLAT, vessels=POINTS, body={"organs": same_number, "organ_shape": (1, 60, 60)}), device, "lung"
    )
    assert not np.array_equal(twin.vessel, bone.vessel)  # each organ has draws of its own


@SHAPES
def test_fibroblasts_take_their_share_of_the_free_voxels(device: Device, shape: tuple[int, int, int]) -> None:
    """0.2 of them within 4 standard errors; none in the implant or a vessel; the tumour is where it was."""
    vessels = Vessels(kind="points", blood=20, ruptured=0, free_core_um=0.0, solid=False)
    bare, strewn = (
        implant.primary(scenario(shape, vessels=vessels, stroma={"site_probability": p}), device) for p in (0.0, 0.2)
    )
    assert not (bare.cell == Cell.STROMA).any()
    free = (bare.cell == Cell.EMPTY) & (bare.vessel == 0)
    found = strewn.cell == Cell.STROMA
    assert not found[~free].any()
    n = free.sum()
    assert abs(found.sum() - 0.2 * n) < 4 * np.sqrt(0.2 * 0.8 * n)
    assert abs(found.sum() - 0.25 * n) > 4 * np.sqrt(0.2 * 0.8 * n)  # a twentieth more would have been seen
    np.testing.assert_array_equal(strewn.cell == Cell.TUMOUR, bare.cell == Cell.TUMOUR)
    assert not strewn.emt[found].any()
    everywhere = implant.primary(scenario(shape, vessels=vessels, stroma={"site_probability": 1.0}), device)
    np.testing.assert_array_equal(everywhere.cell == Cell.STROMA, free)


def test_draws_on_end_are_the_draws_of_their_voxels() -> None:
    stamp = Stamp.of(2**40 + 5, 3, 9)
    for first, count in ((0, 1), (8, 37), (2**31, 6)):
        one = draws.host_draws(first, count, stamp, Purpose.TEXTURE, 2)
        np.testing.assert_array_equal(one, draws.host_draw(first + np.arange(count), stamp, Purpose.TEXTURE, 2))
    with pytest.raises(ValueError, match="multiple of 4"):
        draws.host_draws(2, 4, stamp, Purpose.TEXTURE)
