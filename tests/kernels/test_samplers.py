"""Binomial, Poisson and negative binomial numbers: their distributions, the host twin, and what they depend on."""

import numpy as np
import pytest
import taichi as ti
from scipy import stats

from seedsoil.kernels import host_samplers
from seedsoil.kernels.draws import Purpose, philox
from seedsoil.kernels.host_samplers import Draws
from seedsoil.kernels.launch import array, kernel
from seedsoil.kernels.samplers import UNCOUNTABLE, binomial, negative_binomial, poisson
from seedsoil.sim.device import Device

N = 40_000
KEY = (7, 11)
# one false alarm in 1e5 per case, for all numbers are fixed by the key
P_LEAST = 1e-5


@kernel
def draw_pass(
    which: ti.template(),
    n: array(ti.i64),
    p: array(ti.f64),
    out: array(ti.i64),
    interval: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    for i in range(n.shape[0]):
        low, what, high = ti.cast(i, ti.u32), ti.u32(Purpose.COLONY_SPREAD << 16), ti.u32(3)
        four = philox(low, interval, what, high, k0, k1)
        more = philox(low, interval, what + ti.u32(256), high, k0, k1)
        if ti.static(which == 0):
            out[i] = binomial(n[i], p[i], four[0], four[1], low, interval, what, high, k0, k1)
        if ti.static(which == 1):
            out[i] = poisson(p[i], four[0], four[1], low, interval, what, high, k0, k1)
        if ti.static(which == 2):
            out[i] = negative_binomial(
                n[i], p[i], four[0], four[1], more[0], more[1], low, interval, what, high, k0, k1
            )


def draws(rows: int, interval: int = 5) -> Draws:
    return Draws(
        KEY, interval, Purpose.COLONY_SPREAD, np.arange(rows, dtype=np.uint64) + (np.uint64(3) << np.uint64(32))
    )


def sample(which: int, n: float, p: float, rows: int = N, interval: int = 5) -> np.ndarray:
    out = np.zeros(rows, dtype=np.int64)
    draw_pass(which, np.full(rows, n, dtype=np.int64), np.full(rows, float(p)), out, interval, *KEY)
    return out


def fits(found: np.ndarray, law) -> float:
    """The p value of chi square between numbers and a discrete law, over bins that expect 20 or more."""
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 41)[1:-1]))
    expected = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]])) * len(found)
    counted = np.bincount(np.searchsorted(edges, found), minlength=len(expected))
    keep = expected >= 20
    expected = np.append(expected[keep], expected[~keep].sum())
    counted = np.append(counted[keep], counted[~keep].sum())
    if expected[-1] < 20:
        expected, counted = expected[:-1] * len(found) / expected[:-1].sum(), counted[:-1]
    if len(expected) < 2:
        return 1.0
    return float(stats.chi2.sf(((counted - expected) ** 2 / expected).sum(), len(expected) - 1))


CASES = [
    *((0, n, p) for n, p in ((1, 0.3), (30, 0.02), (30, 0.9), (200, 0.4), (1000, 0.97), (10**6, 2e-6), (10**9, 0.25))),
    *((1, 0, mean) for mean in (0.01, 2.0, 9.99, 10.01, 60.0, 1e4, 1e10)),
    *((2, k, p) for k, p in ((1, 0.2), (1, 0.97), (40, 0.05), (70, 0.3), (5000, 0.6), (10**8, 0.02))),
]


def law(which: int, n: float, p: float):
    return (
        (stats.binom(n, p), stats.poisson(p), stats.nbinom(max(1, n), 1.0 - p))[which]
        if which != 1
        else stats.poisson(p)
    )


@pytest.mark.parametrize(("which", "n", "p"), CASES)
def test_numbers_follow_their_distribution_and_their_twin(device: Device, which: int, n: int, p: float) -> None:
    found = sample(which, n, p)
    assert fits(found, law(which, n, p)) > P_LEAST
    rows = np.full(N, n, dtype=np.int64)
    twins = (host_samplers.binomial, host_samplers.poisson, host_samplers.negative_binomial)
    arguments = (np.full(N, p),) if which == 1 else (rows, np.full(N, p))
    np.testing.assert_array_equal(found, twins[which](*arguments, draws(N)))


def test_the_detector_sees_a_distribution_that_is_slightly_off(device: Device) -> None:
    assert fits(sample(0, 200, 0.4), stats.binom(200, 0.41)) < P_LEAST
    assert fits(sample(1, 0, 60.0), stats.poisson(60.7)) < P_LEAST
    # the right mean with the wrong spread: a Poisson for a negative binomial
    assert fits(sample(2, 70, 0.3), stats.poisson(30.0)) < P_LEAST
    assert fits(np.rint(np.random.default_rng(1).normal(9.99, 9.99**0.5, N)).astype(int), stats.poisson(9.99)) < P_LEAST


def test_nothing_happens_with_probability_zero_and_all_with_one(device: Device) -> None:
    assert (sample(0, 10**12, 0.0) == 0).all() and (sample(0, 10**12, 1.0) == 10**12).all()
    assert (sample(1, 0, 0.0) == 0).all() and (sample(2, 50, 0.0) == 0).all() and (sample(2, 0, 0.5) == 0).all()


def test_extreme_sizes_stay_within_what_is_possible(device: Device) -> None:
    for n, p in ((10**15, 0.5), (10**15, 1e-14), (10**12, 1 - 1e-12)):
        found = sample(0, n, p, 2000)
        assert (found >= 0).all() and (found <= n).all()
        z = (found.mean() - n * p) / np.sqrt(n * p * (1 - p) / 2000)
        assert abs(z) < 5


def test_intervals_and_neighbours_are_not_correlated(device: Device) -> None:
    one, next_ = sample(1, 0, 60.0), sample(1, 0, 60.0, interval=6)
    assert abs(np.corrcoef(one, next_)[0, 1]) < 4 / N**0.5
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4 / N**0.5


def test_means_beyond_all_whole_numbers_have_no_number(device: Device) -> None:
    means = np.array([1e15, 2.0**53, 1e19, 1e30])
    out = np.zeros(4, dtype=np.int64)
    draw_pass(1, np.zeros(4, dtype=np.int64), means, out, 5, *KEY)
    assert (out[2:] == UNCOUNTABLE).all() and (abs(out[:2] - means[:2]) < 6 * means[:2] ** 0.5).all()
    assert (host_samplers.poisson(means, draws(4)) == out).all()
