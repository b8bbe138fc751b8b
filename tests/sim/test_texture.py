"""The matrix at the start: moments and correlation as asked for, strands, a duct without a leak, membranes of vessels."""

import numpy as np
import pytest
from scipy import ndimage

from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Cell, Tissue
from seedsoil.sim import duct, implant, noise
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError
from seedsoil.sim.scenario import Scenario

# no kernel runs here, so any shape is free
FLAT, DEEP = (1, 400, 360), (40, 64, 56)
SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])


def primary(device: Device, shape: tuple[int, int, int], key: int = 1, mean: float = 0.5, **texture: object) -> Tissue:
    tables = {
        "until_h": 1.0,
        "rng_key": key,
        "lattice": {"shape": shape, "voxel_um": 10.0},
        "implant": {"cells": 9},
        "vessels": {"kind": "none"},
        "matrix": {"initial_fraction": mean, "texture": {k: v for k, v in texture.items() if k != "tables"}},
    }
    return implant.primary(Scenario.model_validate(tables | texture.get("tables", {})), device)  # type: ignore[operator]


def correlation(field: np.ndarray, lag: int, axis: int) -> float:
    """Of a field with itself, `lag` voxels on along an axis."""
    ahead = np.take(field, range(lag, field.shape[axis]), axis).astype(float) - field.mean()
    behind = np.take(field, range(field.shape[axis] - lag), axis).astype(float) - field.mean()
    return float((ahead * behind).mean() / field.var())


def of_noise(length: float, lag: int) -> float:
    """What the correlation of m should be: that of uniform ranks of Gaussians whose correlation is exp(-(r/l)^2)."""
    return 6 / np.pi * np.arcsin(np.exp(-((lag / length) ** 2)) / 2)


@SHAPES
def test_noise_has_the_mean_deviation_and_correlation_asked_for(device: Device, shape: tuple[int, int, int]) -> None:
    """Over six keys. A field holds voxels/(volume of a correlated blob) independent values or so, (2 pi)^(d/2) (l/2)^d."""
    d, length = (2 if shape[0] == 1 else 3), 4.0
    fields = [
        primary(device, shape, key, 0.4, kind="noise", contrast_fraction=0.2, correlation_um=40.0) for key in range(6)
    ]
    found = np.stack([field.matrix for field in fields]).astype(np.float64)
    independent = found.size / ((2 * np.pi) ** (d / 2) * (length / 2) ** d * 2 ** (d / 2))
    assert abs(found.mean() - 0.4) < 4 * 0.2 / np.sqrt(independent)
    assert abs(found.std() - 0.2) < 4 * 0.2 / np.sqrt(2 * independent)
    assert abs(np.mean((found - 0.4) ** 3)) < 0.2**3 * 0.15  # symmetric: nothing was clipped
    assert found.min() >= 0.0536 - 1e-4 and found.max() <= 0.7464 + 1e-4  # 0.4 -+ sqrt(3) 0.2
    for axis in range(3 - d, 3):
        for lag in (1, 2, 4, 6):
            measured = np.mean([correlation(field.matrix, lag, axis) for field in fields])
            assert abs(measured - of_noise(length, lag)) < 6 / np.sqrt(independent)
            # a length a quarter off would be seen
            if lag == 4:
                assert abs(measured - of_noise(1.25 * length, lag)) > 6 / np.sqrt(independent)


def test_noise_is_as_strong_at_the_walls_and_not_periodic() -> None:
    at = {"wall": [], "middle": [], "across": []}
    for key in range(200):
        m = np.zeros((24, 24), np.float32)
        noise.add_noise(m[None], (6.0, 6.0, 6.0), Stamp.of(key), 0)
        at["wall"].append(m[0, 0])
        at["middle"].append(m[12, 12])
        at["across"].append(m[0, 23])
    error = 4 / np.sqrt(2 * 200)
    assert abs(np.std(at["wall"]) - 1.0) < error and abs(np.std(at["middle"]) - 1.0) < error
    assert abs(np.corrcoef(at["wall"], at["across"])[0, 1]) < 4 / np.sqrt(200)


@pytest.mark.parametrize("shape", [(1, 90, 70), (16, 30, 24)], ids=["2-D", "3-D"])
@pytest.mark.parametrize("kind", ["noise", "fibres"])
def test_a_key_is_a_texture(device: Device, shape: tuple[int, int, int], kind: str) -> None:
    one, same, other = (primary(device, shape, key, kind=kind).matrix.tobytes() for key in (3, 3, 4))
    assert one == same != other
    loops = Device("cpu", 7, np)  # another number of threads, other lanes
    assert primary(loops, shape, 3, kind=kind).matrix.tobytes() == one


def test_white_noise_is_white(device: Device) -> None:
    field = primary(device, FLAT, kind="noise", contrast_fraction=0.28, correlation_um=1.0).matrix
    for axis in (1, 2):
        assert abs(correlation(field, 1, axis)) < 4 / np.sqrt(field.size)
    assert abs(field.std() - 0.28) < 4 * 0.28 / np.sqrt(2 * field.size)


def test_the_weights_are_those_of_unit_variance() -> None:
    assert (noise.weights(10.0, 50) ** 2).sum() == pytest.approx(1.0)
    assert len(noise.weights(0.4, 50)) == len(noise.weights(10.0, 1)) == 1


@SHAPES
def test_strands_run_along_their_axis(device: Device, shape: tuple[int, int, int]) -> None:
    """Along x they are coherent over five times as far as across; the share is as asked and holds the densest."""
    lengths = {"correlation_um": 20.0, "coherence_um": 100.0}
    tissue = primary(device, shape, kind="fibres", fibre_axis="x", fibre_share_fraction=0.3, **lengths)
    assert set(np.unique(tissue.fibre)) == {0, 3}
    along, across = (correlation(tissue.matrix, 4, axis) for axis in (2, 1))
    assert abs(along - of_noise(10.0, 4)) < 0.1 and abs(across - of_noise(2.0, 4)) < 0.1
    assert along > 0.7 > 0.2 > across
    guided = tissue.fibre > 0
    assert tissue.matrix[guided].min() >= tissue.matrix[~guided].max()
    assert abs(guided.mean() - 0.3) < 0.05


@SHAPES
def test_strands_of_all_axes_share_the_voxels(device: Device, shape: tuple[int, int, int]) -> None:
    tissues = [
        primary(device, shape, key, kind="fibres", correlation_um=20.0, coherence_um=60.0, fibre_share_fraction=0.5)
        for key in range(4)
    ]
    fibre = np.stack([tissue.fibre for tissue in tissues])
    axes = (2, 3) if shape[0] == 1 else (1, 2, 3)
    assert set(np.unique(fibre)) == {0, *axes}
    for code in axes:
        assert abs((fibre == code).mean() - 0.5 / len(axes)) < 0.05
        # where they run along an axis, the next voxel along it does so more often than the next one across
        where = tissues[0].fibre == code
        beside = [np.roll(where, 3, axis)[where].mean() for axis in range(3)]
        others = [beside[a - 1] for a in axes if a != code]
        assert beside[code - 1] > max(others) + 0.1
    found = np.stack([tissue.matrix for tissue in tissues])
    assert abs(found.mean() - 0.5) < 0.02 and abs(found.std() - 0.15) < 0.01


DUCT = {"kind": "duct", "duct_axis": "z", "duct_radius_um": 150.0, "membrane_um": 20.0, "lumen_fraction": 0.1}


def area_um2(mask: np.ndarray, along: int) -> float:
    return float(mask.sum()) / mask.shape[along] * 10.0**2


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_duct_is_a_tube_with_a_shell(device: Device, axis: str) -> None:
    """Areas of the cross-section within the error of a lattice: the perimeter times a voxel over sqrt(12) or so."""
    tissue = primary(device, (50, 54, 46), mean=0.6, **{**DUCT, "duct_axis": axis, "membrane_fraction": 0.95})
    m, along = tissue.matrix, "zyx".index(axis)
    lumen, shell, outside = m == np.float32(0.1), m == np.float32(0.95), m == np.float32(0.6)
    assert (lumen | shell | outside).all()
    for mask in (lumen, shell, outside):
        np.testing.assert_array_equal(mask.all(axis=along), mask.any(axis=along))  # the same all along
    assert abs(area_um2(lumen, along) - np.pi * 150**2) < 0.02 * np.pi * 150**2
    assert abs(area_um2(shell, along) - np.pi * (170**2 - 150**2)) < 0.05 * np.pi * (170**2 - 150**2)
    # a radius of one voxel more or a membrane of half a voxel more would be seen
    assert abs(area_um2(lumen, along) - np.pi * 160**2) > 0.02 * np.pi * 160**2
    assert abs(area_um2(shell, along) - np.pi * (175**2 - 150**2)) > 0.05 * np.pi * (175**2 - 150**2)


def reached(open_: np.ndarray, start: tuple[int, ...]) -> np.ndarray:
    """What can be reached from `start` through faces."""
    label, _ = ndimage.label(open_)
    return label == label[start]


@pytest.mark.parametrize("radius", [35.0, 77.0, 100.0, 151.3, 180.0])
@pytest.mark.parametrize("shape", [(1, 50, 51), (30, 50, 50)], ids=["2-D", "3-D"])
def test_no_way_leads_past_a_membrane_of_one_voxel(device: Device, radius: float, shape: tuple[int, int, int]) -> None:
    m = primary(device, shape, mean=0.6, **{**DUCT, "duct_radius_um": radius, "membrane_um": 10.0}).matrix
    middle = tuple(n // 2 for n in shape)
    inside = reached(m < 0.99, middle)
    assert not inside[:, 0, :].any()
    np.testing.assert_array_equal(inside, m == np.float32(0.1))
    m[:, middle[1], : middle[2]][m[:, middle[1], : middle[2]] == 1.0] = 0.5  # a breach would have been found
    assert reached(m < 0.99, middle)[:, 0, :].any()


def test_the_lining_is_the_outermost_layer_of_the_lumen(device: Device) -> None:
    lined = primary(device, (6, 50, 50), mean=0.6, **DUCT, lining_probability=1.0)
    ring = lined.cell == Cell.EPITHELIUM
    touching = ndimage.binary_dilation(lined.matrix == 1.0) & (lined.matrix == np.float32(0.1))
    assert ring.sum() > 0 and np.all(ring[touching])
    assert np.all(lined.matrix[ring] == np.float32(0.1))
    assert implant.others_of(lined).epithelium == ring.sum()
    half = primary(device, (6, 50, 50), mean=0.6, **DUCT, lining_probability=0.5).cell == Cell.EPITHELIUM
    assert abs(half.sum() / ring.sum() - 0.5) < 4 * 0.5 / np.sqrt(ring.sum())
    assert not half[~ring].any()


def test_an_implant_fills_the_duct_and_nothing_else(device: Device) -> None:
    tables = {"implant": {"kind": "duct", "cells": 4000}, "stroma": {"site_probability": 0.3}}
    tissue = primary(device, (6, 50, 50), mean=0.6, **DUCT, lining_probability=0.2, tables=tables)
    tumour, lumen = tissue.cell == Cell.TUMOUR, tissue.matrix == np.float32(0.1)
    assert tumour.sum() == 4000 and not tumour[~lumen].any()
    assert np.all(tissue.matrix[tissue.cell == Cell.STROMA] == np.float32(0.6))
    assert (tissue.cell == Cell.STROMA).any() and (tissue.cell == Cell.EPITHELIUM).any()
    with pytest.raises(InputError, match=r"implant\.cells: 4300 cells do not fit"):
        primary(
            device, (6, 50, 50), **DUCT, lining_probability=0.2, tables={"implant": {"kind": "duct", "cells": 4300}}
        )


def test_who_is_outside_is_counted(device: Device) -> None:
    tables = {"implant": {"kind": "scattered", "cells": 5000}}
    tissue = primary(device, (6, 50, 50), mean=0.6, **DUCT, tables=tables)
    texture = Scenario.model_validate({"until_h": 1, "lattice": {"shape": (6, 50, 50)}, "matrix": {"texture": DUCT}})
    outside = (tissue.cell == Cell.TUMOUR) & (tissue.matrix == np.float32(0.6))
    assert duct.cells_outside(tissue, texture.matrix.texture) == outside.sum() > 1000


def test_vessels_get_a_membrane_of_their_own(device: Device) -> None:
    vessels = {
        "vessels": {"kind": "straight", "axis": "x", "blood": 4, "ruptured": 0, "free_core_um": 0, "margin_um": 40}
    }
    tissue = primary(device, (30, 50, 50), mean=0.4, vessel_membrane_um=20.0, membrane_fraction=0.8, tables=vessels)
    vessel, dense = tissue.vessel > 0, tissue.matrix == np.float32(0.8)
    cross = ndimage.generate_binary_structure(3, 1)
    np.testing.assert_array_equal(dense, ndimage.binary_dilation(vessel, cross, iterations=2) & ~vessel)
    assert np.all(tissue.matrix[~dense] == np.float32(0.4))


def test_zones_are_counted_alike_in_either_loop_form() -> None:
    table = Scenario.model_validate(
        {"until_h": 1.0, "lattice": {"shape": (9, 60, 60)}, "matrix": {"texture": DUCT}}
    ).matrix
    rows, voxels = (duct.zones(table.texture, Lattice.of((9, 60, 60), form=form), 10.0) for form in ("rows", "voxels"))
    np.testing.assert_array_equal(rows, voxels)
    out = np.zeros((1, 9, 9), np.float32)
    noise.add_noise(out, (3.0, 3.0, 3.0), Stamp.of(1), 0)
    assert out.std() > 0
