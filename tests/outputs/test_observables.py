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


@pytest.mark.parametrize(
    ("dimensions", "radius"), [(2, 2), (2, 4), (2, 8), (2, 25), (2, 60), (3, 2), (3, 4), (3, 6), (3, 25)]
)
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_front_of_a_disc_or_ball_of_any_size_is_smooth_and_where_it_is(
    dimensions: int, radius: int, shift: float
) -> None:
    size = 2 * radius + 6
    middle = (size - 1) / 2 + shift
    mask = ball(size, radius, dimensions, (middle if dimensions == 3 else 0, middle, middle - shift / 2))
    front = ob.front_radii_um(mask, UM)
    assert -0.1 * UM < front.mean() - radius * UM < 0.55 * UM
    assert ob.front_roughness_um(mask, UM) < 0.4 * UM


def test_the_front_of_an_ellipse_and_of_a_box_is_their_own() -> None:
    """No sector of the near sides is left to inner cells."""
    _, y, x = np.indices((1, 61, 61)) - np.array([0, 30, 30]).reshape(3, 1, 1, 1)
    turn = (np.arange(720) + 0.5) / 720 * 2 * np.pi
    ellipse = 1 / np.hypot(np.cos(turn) / 28, np.sin(turn) / 14)
    front = ob.front_radii_um((x / 28) ** 2 + (y / 14) ** 2 < 1, 1.0)
    assert front.mean() == pytest.approx(ellipse.mean(), abs=0.7) and front.std() == pytest.approx(
        ellipse.std(), abs=0.5
    )
    square = 4.5 / np.maximum(abs(np.cos(turn)), abs(np.sin(turn)))
    front = ob.front_radii_um(np.ones((1, 9, 9), bool), 1.0)
    assert front.mean() == pytest.approx(square.mean(), abs=0.5) and front.std() == pytest.approx(
        square.std(), abs=0.25
    )


def test_the_front_of_one_cell_and_of_strays_is_theirs() -> None:
    one = np.zeros((3, 3, 3), bool)
    one[1, 1, 1] = True
    assert ob.front_radii_um(one, UM).tolist() == [UM / 2]
    few = np.zeros((1, 41, 41), bool)
    few[0, [0, 20, 20, 40], [20, 0, 40, 20]] = True  # far apart: each has a direction of its own, nothing is between
    assert ob.front_radii_um(few, UM).tolist() == [20.5 * UM] * len(ob.front_radii_um(few, UM))
    # distance counts from the middle of the tissue when that is given
    assert ob.front_radii_um(one, UM, np.array([1.5, 1.5, 4.5]) * UM) == pytest.approx([3.5 * UM])


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


def placed(shape: np.ndarray, size: int, at: int) -> np.ndarray:
    """`shape` in an empty lattice of `size`, its corner at `at` along each axis that it has."""
    mask = np.zeros(tuple(1 if n == 1 else size for n in shape.shape), bool)
    mask[tuple(slice(0 if n == 1 else at, (0 if n == 1 else at) + n) for n in shape.shape)] = shape
    return mask


def repeated(motif: list[list[int]], times: int) -> np.ndarray:
    """A fractal: each filled part of `motif` is the motif again, `times` deep; shape (1, n, n)."""
    out = np.ones((1, 1), int)
    for _ in range(times):
        out = np.kron(out, np.array(motif))
    return out[None].astype(bool)


GASKET = repeated([[1, 1], [1, 0]], 7)  # 128 voxels across, dimension log2(3)
CARPET = repeated([[1, 1, 1], [1, 0, 1], [1, 1, 1]], 5)  # 243, log(8) / log(3); no box fits its thirds
DUST = repeated([[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]], 4)  # 256, Cantor dust of dimension 1
LINE = np.ones((1, 1, 64), bool)


@pytest.mark.parametrize("shift", [0, 1, 3, 13])
@pytest.mark.parametrize(
    ("shape", "known", "tolerance"),
    [
        (np.ones((32, 32, 32), bool), 3, 1e-6),
        (np.ones((40, 40, 40), bool), 3, 1e-6),
        (np.ones((1, 64, 64), bool), 2, 1e-6),
        (LINE, 1, 1e-6),
        (GASKET, np.log2(3), 1e-6),
        (CARPET, np.log(8) / np.log(3), 0.08),
        (DUST, 1, 1e-6),
    ],
    ids=["cube 32", "cube 40", "square", "line", "Sierpinski gasket", "Sierpinski carpet", "Cantor dust"],
)
def test_box_counting_finds_known_dimensions_wherever_the_shape_stands(
    shape: np.ndarray, known: float, tolerance: float, shift: int
) -> None:
    roomy = placed(shape, 110 if shape.shape[0] > 1 else 401, shift)
    assert ob.fractal_dimension(roomy) == pytest.approx(known, abs=tolerance)
    assert ob.fractal_dimension(roomy) == ob.fractal_dimension(shape)  # the lattice around it changes nothing


@pytest.mark.parametrize("radius", [17, 30, 60, 100])
def test_a_solid_disc_reads_as_documented(radius: int) -> None:
    assert 1.8 < ob.fractal_dimension(ball(401, radius, 2)) < 1.95


@pytest.mark.parametrize("radius", [16, 22, 30, 40])
def test_a_solid_ball_reads_as_documented(radius: int) -> None:
    assert 2.65 < ob.fractal_dimension(ball(110, radius)) < 2.85


def test_a_tumour_too_small_to_count_boxes_in_has_no_dimension() -> None:
    assert np.isnan(ob.fractal_dimension(ball(401, 8, 2)))
    assert np.isnan(ob.fractal_dimension(ball(96, 8)))
    assert np.isnan(ob.fractal_dimension(np.ones((1, 31, 31), bool)))
    assert ob.fractal_dimension(np.ones((1, 32, 32), bool)) == pytest.approx(2)


def test_the_fewest_boxes_are_those_of_the_best_of_all_grids() -> None:
    """Against counting each grid by itself, for the edges 1, 2, 4 and 8."""
    mask = np.random.Generator(np.random.Philox(5)).random((1, 35, 33)) < 0.02
    mask[0, 0, 0] = mask[0, 34, 32] = True
    at = np.argwhere(mask[0])
    fewest = []
    for edge in (1, 2, 4, 8):
        places = ((dy, dx) for dy in range(edge) for dx in range(edge))
        fewest.append(min(len({tuple(box) for box in (at + place) // edge}) for place in places))
    slope = -np.polyfit(np.log([1, 2, 4, 8]), np.log(fewest), 1)[0]
    assert ob.fractal_dimension(mask) == pytest.approx(slope, abs=1e-12)


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


def test_cells_apart_are_counted_by_the_size_of_their_cluster() -> None:
    mask = np.zeros((1, 12, 12), bool)
    mask[0, 0, :9] = True  # the largest
    mask[0, 2, :1] = mask[0, 2, 3:4] = mask[0, 4, :2] = mask[0, 6, :5] = mask[0, 8, :8] = True
    assert ob.cells_apart(mask, [1, 2, 4, 8]).tolist() == [2, 2, 5, 8]
    assert ob.cells_apart(np.zeros((1, 3, 3), bool), [1, 2, 4, 8]).tolist() == [0, 0, 0, 0]


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
