"""Each measure against shapes whose answer is known."""

import numpy as np
import pytest

from seedsoil.outputs import observables as ob

UM = 20.0


def ball(size: int, radius: float, dimensions: int = 3, centre: tuple[float, ...] | None = None) -> np.ndarray:
    """A ball (disc) in voxels, in a cube (square) of `size`."""
    shape = (size,) * 3 if dimensions == 3 else (1, size, size)
    at = centre or tuple((n - 1) / 2 for n in shape)
    return sum((axis - c) ** 2 for axis, c in zip(np.indices(shape), at, strict=True)) < radius**2


def test_the_rms_radius_of_a_ball_and_of_a_disc() -> None:
    assert ob.invasion_radius_um(ball(51, 20), UM) == pytest.approx(np.sqrt(3 / 5) * 20 * UM, rel=0.01)
    assert ob.invasion_radius_um(ball(101, 40, 2), UM) == pytest.approx(np.sqrt(1 / 2) * 40 * UM, rel=0.01)


def test_radii_are_taken_from_the_given_centre() -> None:
    mask = np.zeros((1, 3, 9), bool)
    mask[0, 1, 8] = True
    assert ob.radii_um(mask, UM, np.array([10.0, 30.0, 10.0])) == pytest.approx([8 * UM])
    assert ob.invasion_radius_um(mask, UM) == 0


@pytest.mark.parametrize("dimensions", [2, 3])
def test_depth_is_how_far_the_front_went_beyond_the_implant(dimensions: int) -> None:
    implant, later = ball(51, 10, dimensions), ball(51, 18, dimensions)
    assert ob.invasion_depth_um(later, implant, UM, quantile=1.0) == pytest.approx(8 * UM, abs=UM)
    assert ob.invasion_depth_um(later, implant, UM) < ob.invasion_depth_um(later, implant, UM, quantile=1.0)
    assert ob.invasion_depth_um(implant, implant, UM) == 0
    # cells that died inside do not make the tumour less deep
    assert ob.invasion_depth_um(later & ~implant, implant, UM) == ob.invasion_depth_um(later, implant, UM)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_round_front_is_smooth_to_a_voxel(dimensions: int) -> None:
    mask = ball(61, 25, dimensions)
    assert ob.front_roughness_um(mask, UM) < 0.5 * UM
    assert ob.front_radii_um(mask, UM).mean() == pytest.approx(25 * UM, abs=UM)


def test_the_roughness_of_a_wavy_front_is_its_amplitude_over_root_two() -> None:
    _, y, x = np.indices((1, 301, 301)) - np.array([0, 150, 150]).reshape(3, 1, 1, 1)
    mask = np.hypot(y, x) < 100 + 15 * np.cos(6 * np.arctan2(y, x))
    assert ob.front_roughness_um(mask, UM) == pytest.approx(15 / np.sqrt(2) * UM, rel=0.05)


def test_the_invasiveness_index_of_one_and_of_several_balls() -> None:
    assert ob.invasiveness_index(ball(101, 40.5, 2)) == pytest.approx(1, rel=0.02)
    assert ob.invasiveness_index(ball(51, 22)) == pytest.approx(1, rel=0.02)
    discs = sum(ball(101, 20.5, 2, (0, y, x)) for y in (25, 75) for x in (25, 75)).astype(bool)
    assert ob.invasiveness_index(discs) == pytest.approx(4, rel=0.03)
    balls = ball(81, 17, centre=(20, 20, 20)) | ball(81, 17, centre=(60, 60, 60))
    assert ob.invasiveness_index(balls) == pytest.approx(2 ** (1 / 3), rel=0.02)


def test_walls_count_as_surface() -> None:
    full = np.ones((4, 5, 6), bool)
    assert ob.surface_um(full, 1.0) == pytest.approx(2 * (4 * 5 + 5 * 6 + 4 * 6) * 2 / 3)
    assert ob.surface_um(full[:1], 1.0) == pytest.approx(2 * (5 + 6) * np.pi / 4)


def test_box_counting_finds_the_dimension_of_shapes_that_have_one() -> None:
    y, x = np.indices((256, 256))
    sierpinski = ((x & y) == 0)[None]
    assert ob.fractal_dimension(sierpinski) == pytest.approx(np.log2(3), abs=1e-6)
    assert ob.fractal_dimension(np.ones((1, 64, 64), bool)) == pytest.approx(2)
    assert ob.fractal_dimension(np.ones((32, 32, 32), bool)) == pytest.approx(3)
    line = np.zeros((1, 64, 64), bool)
    line[0, 5] = True
    assert ob.fractal_dimension(line) == pytest.approx(1)
    assert np.isnan(ob.fractal_dimension(np.ones((1, 4, 4), bool)))


def test_core_and_rim_of_a_ball() -> None:
    mask = ball(61, 25)
    core, rim = ob.core_and_rim(mask, UM, 5 * UM)
    assert not (core & rim).any() and ((core | rim) == mask).all()
    assert core.sum() / mask.sum() == pytest.approx((20 / 25) ** 3, rel=0.06)
    whole = ob.core_and_rim(np.ones((1, 4, 4), bool), UM, 5 * UM)
    assert whole.core.all() and not whole.rim.any()


def test_clusters_share_faces_not_edges() -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 0, :3] = mask[1, 0, 2] = True  # four, around a corner and into the next plane
    mask[0, 1, 3] = True  # touches only along an edge
    assert ob.cluster_sizes(mask).tolist() == [4, 1]
    assert ob.cluster_sizes(np.zeros((1, 3, 3), bool)).tolist() == []


def test_hill_numbers_of_equal_and_unequal_clones() -> None:
    for order in (0, 1, 2, 0.5):
        assert ob.clone_diversity(np.full(5, 12), order) == pytest.approx(5)
    unequal = np.array([75, 25, 0])
    assert ob.clone_diversity(unequal, 0) == 2
    assert ob.clone_diversity(unequal, 1) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))
    assert ob.clone_diversity(unequal, 2) == pytest.approx(1 / (0.75**2 + 0.25**2))
    clone = np.array([[[3, 3, 7, 9]]], np.uint32)
    assert ob.clone_cells(clone, np.array([[[True, True, True, False]]])).tolist() == [2, 1]


def test_events_per_day_and_the_day_that_was_cut_short() -> None:
    day, per_day = ob.events_per_day(np.array([0.0, 1.0, 23.9, 24.0, 50.0, 60.0]), until_h=60.0)
    assert day.tolist() == [0, 1, 2]
    assert per_day == pytest.approx([3, 1, 2 / 0.5])
    assert ob.events_per_day(np.array([48.0]), 48.0).per_day == pytest.approx([0, 1])


def test_first_colony_and_burden() -> None:
    assert ob.time_to_first_colony_h(np.array([90.0, np.nan, 40.0])) == 40
    assert np.isnan(ob.time_to_first_colony_h(np.array([])))
    burden = ob.burden_by_organ(np.array([0, 2, 0, -1]), np.array([5, 7, 6, 99]), 4)
    assert burden.tolist() == [11, 0, 7, 0]


def test_an_empty_tumour_has_no_shape() -> None:
    nothing = np.zeros((1, 16, 16), bool)
    measures = (
        ob.invasion_radius_um(nothing, UM),
        ob.invasion_depth_um(nothing, nothing, UM),
        ob.front_roughness_um(nothing, UM),
        ob.invasiveness_index(nothing),
        ob.fractal_dimension(nothing),
        ob.clone_diversity(np.array([])),
    )
    assert np.isnan(measures).all()
