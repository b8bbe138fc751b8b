"""Growth of a primary that is a number: sizes, and the closed integrals of their powers against quadrature."""

import math

import pytest
from scipy.integrate import quad

from seedsoil.sim.body.primary_growth import Course, Growth, cells_of, diameter_mm

RATE = math.log(2) / 100.0
GROWTHS = [
    Growth("exponential", 1.0, RATE),
    Growth("exponential", 5e3, RATE, start_h=50.0),
    Growth("exponential", 7.0, 0.0),
    Growth("gompertz", 1.0, 10 * RATE, 1e9),
    Growth("gompertz", 2e4, RATE, 1e6),
]


@pytest.mark.parametrize("growth", GROWTHS)
@pytest.mark.parametrize("alpha", [0.0, 0.61, 1.0])
def test_integral_of_a_power_is_that_of_quadrature(growth: Growth, alpha: float) -> None:
    for start, end in ((50.0, 60.0), (100.0, 1500.0)):
        by_hand, error = quad(lambda t: float(growth.cells(t)) ** alpha, start, end, epsrel=1e-11, limit=200)
        assert growth.integral(alpha, start, end) == pytest.approx(by_hand, rel=1e-9, abs=2 * error)
        # a wrong exponent, by a twentieth, would be seen
        assert growth.start_cells == 1.0 or growth.integral(alpha + 0.05, start, end) != pytest.approx(
            by_hand, rel=1e-3
        )


@pytest.mark.parametrize("growth", GROWTHS[3:])
def test_gompertz_starts_at_its_rate_and_tends_to_its_capacity(growth: Growth) -> None:
    slope = (float(growth.cells(1e-4)) - growth.start_cells) / 1e-4
    assert slope == pytest.approx(growth.rate_per_h * growth.start_cells, rel=1e-4)
    assert float(growth.cells(1e7)) == pytest.approx(growth.capacity_cells)
    half = growth.reaches_h(growth.capacity_cells / 2)
    assert float(growth.cells(half)) == pytest.approx(growth.capacity_cells / 2)
    assert growth.reaches_h(growth.capacity_cells) == math.inf


def test_an_exponential_tumour_doubles_in_its_time() -> None:
    growth = GROWTHS[0]
    assert growth.cells([0.0, 100.0, 300.0]) == pytest.approx([1.0, 2.0, 8.0])
    assert growth.reaches_h(8.0) == pytest.approx(300.0)
    assert growth.reaches_h(0.5) == 0.0


@pytest.mark.parametrize("growth", [GROWTHS[1], GROWTHS[4]])
@pytest.mark.parametrize("left", [0.0, 1e-3])
def test_a_resection_leaves_its_fraction_and_integrals_add_up(growth: Growth, left: float) -> None:
    course = Course.of(growth, 400.0, left)
    before, after = course.cells([400.0 - 1e-9, 400.0])
    assert before == pytest.approx(float(growth.cells(400.0)))
    assert after == (pytest.approx(before * left) if left else 0.0)
    whole = course.integral(0.7, 0.0, 900.0)
    assert whole == pytest.approx(course.integral(0.7, 0.0, 400.0) + course.integral(0.7, 400.0, 900.0))
    by_hand = sum(quad(lambda t: float(course.cells(t)) ** 0.7, *ends, epsrel=1e-11, limit=200)[0]
                  for ends in ((0.0, 399.999999), (400.0, 900.0)) if left or ends[0] == 0.0)  # fmt: skip
    assert whole == pytest.approx(by_hand, rel=1e-6)
    # without cells nothing is shed, even by a law that does not ask for their number
    assert (course.integral(0.0, 400.0, 900.0) > 0) == (left > 0)


def test_the_rest_of_a_gompertz_tumour_grows_as_one_of_its_size() -> None:
    growth = GROWTHS[4]
    course = Course.of(growth, 400.0, 0.5)
    assert course.rest is not None
    then = growth.reaches_h(course.rest.start_cells)
    assert course.cells(400.0 + 77.0) == pytest.approx(float(growth.cells(then + 77.0)))


def test_cells_and_diameter_are_those_of_a_ball() -> None:
    assert cells_of(10.0, 1.25e5) == pytest.approx(6.545e7, rel=1e-3)
    assert diameter_mm(cells_of(3.7, 1e5), 1e5) == pytest.approx(3.7)


def test_what_cannot_grow_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Growth("gompertz", 10.0, RATE, 10.0)
    with pytest.raises(ValueError, match="starts"):
        Growth("exponential", 0.0, RATE)
    with pytest.raises(ValueError, match="fraction"):
        Course.of(GROWTHS[0], 1.0, 1.5)


@pytest.mark.parametrize("alpha", [0.0, 0.61, 1.0])
def test_a_full_tumour_sheds_as_one_of_its_capacity(alpha: float) -> None:
    """However long: exp(-b t) is zero long before the end."""
    growth = Growth("gompertz", 1.0, math.log(2) / 24.0, 1e9)
    assert math.exp(-growth.rate_per_h / math.log(1e9) * 1e6) == 0.0
    for start, end in ((4.7e5, 4.8e5), (1e6, 1e7), (3e4, 3.1e4)):
        assert growth.integral(alpha, start, end) == pytest.approx((end - start) * 1e9**alpha, rel=1e-8)
    whole = growth.integral(alpha, 0.0, 1e6)
    assert whole == pytest.approx(growth.integral(alpha, 0.0, 3e4) + growth.integral(alpha, 3e4, 1e6), rel=1e-12)


def test_a_full_tumour_that_is_left_stays() -> None:
    growth = Growth("gompertz", 1.0, math.log(2) / 24.0, 1e9)
    assert float(growth.cells(1e6)) == 1e9
    course = Course.of(growth, 1e6, 1.0)
    assert float(course.cells(2e6)) == 1e9
    assert course.integral(0.7, 1e6, 2e6) == pytest.approx(1e6 * 1e9**0.7)
    half = Course.of(growth, 1e6, 0.5)
    assert [float(half.cells(t)) for t in (1e6, 1e7)] == pytest.approx([5e8, 1e9])
