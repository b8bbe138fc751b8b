"""The emission law, exact thinning, and blood samples, against the distributions that they claim.

Frequencies are held at 4 standard errors, which a fresh key would pass all but once in 16,000 times; keys are fixed.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from seedsoil.kernels.draws import Purpose
from seedsoil.sim.body import blood_sample, emission, poisson
from seedsoil.sim.body.emission import Emission, Law
from seedsoil.sim.body.thinning import Fates, shed

DAY = 24.0
KEY = (3, 5)
TABLE = {"start_diameter_mm": 1.0, "doubling_h": 100 * DAY, "shedding_per_h": 1e-3, "exponent": 0.7}


def table(**given: object) -> Emission:
    return Emission.model_validate({**TABLE, **given})


@pytest.mark.parametrize("mean", [1e-9, 0.3, 7.0, 80.0, 2e4, 1e5, 3e8, 9e11])
def test_poisson_numbers_are_the_quantiles_of_their_uniform(mean: float) -> None:
    u = np.concatenate([poisson.uniforms(KEY, np.arange(3000), 0, Purpose.SHED), [1e-16, 1 - 2.0**-53]])
    k = poisson.poisson(u, mean)
    if mean <= poisson.EXACT_MEAN:
        reaches_but_just(k, u, mean)
    error = math.sqrt(mean / 3000)
    assert abs(k[:3000].mean() - mean) < 4 * error
    if mean > 5:  # a mean that is off by a tenth of a standard deviation of single numbers would be seen
        off = poisson.poisson(u[:3000], mean + 0.1 * math.sqrt(mean))
        assert abs(off.mean() - mean) > 4 * error


def reaches_but_just(k: np.ndarray, u: np.ndarray, mean: float) -> None:
    low, high = u <= 0.5, u > 0.5  # near 1 the distribution function has no digits left, its complement has
    assert (stats.poisson.cdf(k[low], mean) >= u[low]).all()
    assert (stats.poisson.sf(k[high], mean) <= 1 - u[high]).all()
    low, high = low & (k > 0), high & (k > 0)
    assert (stats.poisson.cdf(k[low] - 1, mean) < u[low]).all()
    assert (stats.poisson.sf(k[high] - 1, mean) > 1 - u[high]).all()


def test_the_expansion_meets_the_distribution_where_it_takes_over() -> None:
    u = poisson.uniforms(KEY, np.arange(2000), 0, Purpose.SHED)
    exact, expanded = (poisson.poisson(u, poisson.EXACT_MEAN * f) for f in (1.0, 1 + 1e-12))
    assert np.abs(exact - expanded).max() <= 1
    assert (exact != expanded).mean() < 0.02


def test_means_that_doubles_would_blur_are_refused() -> None:
    for mean in (-1.0, np.nan, np.inf, 2e12):
        with pytest.raises(ValueError, match="Poisson mean"):
            poisson.poisson(np.array([0.5]), np.array([mean]))


def test_uniforms_differ_by_all_that_they_depend_on() -> None:
    def one(**changed: object) -> float:
        given = {"key": KEY, "entity": np.array([1]), "interval": 2, "purpose": Purpose.SHED, "source": 3, "part": 4}
        return float(poisson.uniforms(**{**given, **changed})[0])  # type: ignore[arg-type]

    changes = [{"key": (3, 6)}, {"entity": np.array([2])}, {"interval": 3}, {"purpose": Purpose.BLOOD_SAMPLE}]
    changes += [{"source": 4}, {"part": 5}, {}]
    assert len({one(**change) for change in changes}) == len(changes)
    many = poisson.uniforms(KEY, np.arange(20_000), 0, Purpose.SHED)
    assert stats.kstest(many, "uniform").pvalue > 1e-4


def test_the_law_sheds_by_the_power_of_its_cells() -> None:
    law = Law.of(table())
    cells = table().start_cells
    assert law.expected(0.0, 1e-3) / 1e-3 == pytest.approx(1e-3 * cells**0.7, rel=1e-5)
    later = law.expected(100 * DAY, 100 * DAY + 1e-3) / 1e-3
    assert later == pytest.approx(1e-3 * (2 * cells) ** 0.7, rel=1e-5)
    assert law.expected(0, 5) + law.expected(5, 30) == pytest.approx(law.expected(0, 30))


def test_a_resection_by_diameter_ends_shedding_there() -> None:
    by_size = Law.of(table(resection_diameter_mm=2.0))  # eight times the cells: three doublings
    assert by_size.course.resection_h == pytest.approx(300 * DAY)
    assert by_size.expected(300 * DAY, 1e5) == 0
    assert Law.of(table(resection_diameter_mm=2.0, resection_h=240.0)).course.resection_h == 240.0


def test_patients_shed_about_the_mean_with_the_spread_that_is_asked_for() -> None:
    spread = table(spread_shape=0.5)
    factors = np.array([Law.of(spread, (key, 0)).per_h for key in range(2000)]) / 1e-3
    assert abs(factors.mean() - 1) < 4 * math.sqrt(2 / 2000)
    assert stats.kstest(factors, stats.gamma(0.5, scale=2).cdf).pvalue > 1e-4
    assert stats.kstest(factors, stats.gamma(0.7, scale=1 / 0.7).cdf).pvalue < 1e-4
    assert Law.of(table()).per_h == 1e-3


def test_sizes_of_seeds_have_their_share_and_mean() -> None:
    share = emission.sizes(table(cluster_fraction=0.1, cluster_cells_mean=3.0, cluster_cells_max=200))
    assert share.sum() == pytest.approx(1)
    assert share[0] == pytest.approx(0.9)
    assert (share[1:] * np.arange(2, 201)).sum() / 0.1 == pytest.approx(3.0)
    assert emission.sizes(table()).tolist() == [1.0]
    pairs = emission.sizes(table(cluster_fraction=0.25, cluster_cells_mean=2.0, cluster_cells_max=8))
    assert pairs[:3] == pytest.approx([0.75, 0.25, 0.0])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"growth": "gompertz", "capacity_diameter_mm": 0.5}, "emission.capacity_diameter_mm"),
        ({"cluster_fraction": 0.1, "cluster_cells_mean": 9.0, "cluster_cells_max": 8}, "emission.cluster_cells_mean"),
        ({"residual_fraction": 1.2}, "residual_fraction"),
        ({"shedding_per_h": -1.0}, "shedding_per_h"),
    ],
)
def test_tables_that_cannot_be_are_refused(given: dict, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        table(**given)


FATES = Fates(("died", "lung", "liver"), np.array([[0.9, 0.07, 0.03], [0.5, 0.3, 0.2]]), np.array([False, True, True]))
SHARE = np.array([0.8, 0.2])


def test_thinned_seeds_are_those_of_drawing_each_by_itself() -> None:
    expected, runs = 30.0, 1500
    found = np.array([shed(expected, SHARE, FATES, (key, 0), 7).counts for key in range(runs)])
    means = expected * SHARE[:, None] * FATES.probability
    assert (np.abs(found.mean(axis=0) - means) < 4 * np.sqrt(means / runs)).all()
    # Poisson and independent, cell by cell and in all: variances are the means, covariances nothing
    spread = np.cov(found.reshape(runs, -1).T)
    assert np.abs(np.diag(spread) - means.reshape(-1)).max() < 4 * (means.max() * math.sqrt(2.2 / runs))
    correlation = np.corrcoef(found.reshape(runs, -1).T)[~np.eye(6, dtype=bool)]
    assert np.abs(correlation).max() < 4.5 / math.sqrt(runs)
    # drawing one by one: a Poisson number of seeds, each with a size, then a fate
    rng = np.random.default_rng(1)
    living = []
    for _ in range(runs // 3):
        size = rng.choice(2, rng.poisson(expected), p=SHARE)
        living.append(int((rng.random(len(size)) > FATES.probability[size, 0]).sum()))
    assert stats.ks_2samp(living, found[:, :, 1:].sum(axis=(1, 2))).pvalue > 1e-3
    # planted: a multinomial of a fixed number of seeds is not Poisson, and is seen
    fixed = rng.multinomial(30, means.reshape(-1) / expected, size=runs)
    assert np.abs(np.corrcoef(fixed.T)[~np.eye(6, dtype=bool)]).max() > 4.5 / math.sqrt(runs)


def test_rows_are_the_living_among_the_counted() -> None:
    out = shed(1e9, SHARE, FATES_RARE, KEY, 0)
    assert out.seeds == pytest.approx(1e9, rel=1e-3)
    assert len(out.cells) == len(out.fate) == out.counts[:, 1:].sum() < 3000
    for size in (1, 2):
        for fate in (1, 2):
            assert ((out.cells == size) & (out.fate == fate)).sum() == out.counts[size - 1, fate]


FATES_RARE = Fates(FATES.names, np.array([[1 - 1e-6, 7e-7, 3e-7], [1 - 3e-6, 2e-6, 1e-6]]), FATES.lives)


def test_one_source_changes_no_draws_of_another() -> None:
    alone = shed(50.0, SHARE, FATES, KEY, 3, source=1)
    shed(9e9, SHARE, FATES_RARE, KEY, 3, source=2)
    again = shed(50.0, SHARE, FATES, KEY, 3, source=1)
    assert (alone.counts == again.counts).all()
    other = shed(50.0, SHARE, FATES, KEY, 3, source=2)
    assert (alone.counts != other.counts).any()


def test_no_metastasis_as_often_as_the_integral_says() -> None:
    """P(none) = exp(-integral of mu N^alpha p dt), over patients; a wrong alpha or a fixed N would be seen."""
    law = Law.of(table(shedding_per_h=1.0))
    ends = np.linspace(0, 400 * DAY, 4)
    p = 1.0 / law.expected(0, ends[-1])  # one metastasis a patient in the mean
    fates = Fates(("died", "grows"), np.array([[1 - p, p]]), np.array([False, True]))
    patients = 600
    none = 0
    for key in range(patients):
        pairs = pairwise(ends)
        none += all(not len(shed(law.expected(*pair), law.share_of_size, fates, (key, 1), tick).cells)
                    for tick, pair in enumerate(pairs))  # fmt: skip
    error = math.sqrt(patients * math.exp(-1) * (1 - math.exp(-1)))
    assert abs(none - patients * math.exp(-1)) < 4 * error
    for wrong in (Law.of(table(shedding_per_h=1.0, exponent=0.65)), Law.of(table(shedding_per_h=1.0, doubling_h=4e3))):
        assert abs(none - patients * math.exp(-p * wrong.expected(0, ends[-1]))) > 4 * error


def test_blood_samples_are_poisson_about_flux_over_flow() -> None:
    mean = blood_sample.expected(flux_per_h=3e3, flow_ml_per_h=3e5 / 8)  # 0.08 a mL
    assert mean == pytest.approx(0.6)
    found = np.array([blood_sample.counts(np.array([[mean, 0.1 * mean]]), (key, 0), 5)[0] for key in range(1500)])
    for column, expected in zip(found.T, (mean, 0.1 * mean), strict=True):
        assert abs(column.mean() - expected) < 4 * math.sqrt(expected / 1500)
        assert abs((column == 0).mean() - math.exp(-expected)) < 4 * 0.5 / math.sqrt(1500)
    assert abs(np.corrcoef(found.T)[0, 1]) < 4.5 / math.sqrt(1500)


def test_over_patients_counts_are_negative_binomial() -> None:
    shape, mean = 0.4, 2.0
    spread = table(spread_shape=shape)
    factors = np.array([Law.of(spread, (key, 9)).per_h for key in range(1500)]) / 1e-3
    found = np.array([blood_sample.counts(np.array([mean * f]), (key, 9), 0)[0] for key, f in enumerate(factors)])
    for least in (1, 5):
        p = float(blood_sample.probability_of_at_least(least, mean, shape))
        assert abs((found >= least).mean() - p) < 4 * math.sqrt(p * (1 - p) / 1500)
    plain = 1 - math.exp(-mean)  # planted: without the spread of patients
    assert abs((found >= 1).mean() - plain) > 4 * math.sqrt(plain * (1 - plain) / 1500)


@pytest.mark.parametrize(
    ("given", "ticks", "tick_h", "key"),
    [
        ({"shedding_per_h": 1e9}, 20, DAY, "emission.shedding_per_h"),
        ({"doubling_h": DAY, "shedding_per_h": 0.0}, 100, DAY, "emission.doubling_h"),
        ({"doubling_h": 0.1, "shedding_per_h": 0.0}, 10, 1000.0, "emission.doubling_h"),
        ({"doubling_h": 0.1, "resection_h": 500.0}, 10, 1000.0, "emission.doubling_h"),  # within the first tick
        ({"doubling_h": DAY, "resection_h": 20.5 * DAY, "shedding_per_h": 1e5}, 40, DAY, "emission.shedding_per_h"),
        ({"doubling_h": DAY, "resection_h": DAY, "residual_fraction": 0.5}, 100, DAY, "emission.doubling_h"),
    ],
)
def test_numbers_beyond_counting_are_refused_before_the_run(given: dict, ticks: int, tick_h: float, key: str) -> None:
    with pytest.raises(ValueError, match=rf"^{key}: "):
        Law.of(table(**given), KEY).refuse(ticks, tick_h)


@pytest.mark.parametrize(
    "given",
    [
        {"doubling_h": DAY, "shedding_per_h": 1e-3, "resection_h": 20 * DAY},
        {"doubling_h": 50 * DAY, "resection_h": 1e7, "residual_fraction": 0.5},  # never comes to it
        {"doubling_h": DAY, "growth": "gompertz", "shedding_per_h": 0.1},
    ],
)
def test_what_can_be_counted_is_not_refused(given: dict) -> None:
    law = Law.of(table(**given), KEY)
    law.refuse(100, DAY)
    assert max(law.expected(k * DAY, (k + 1) * DAY) for k in range(100)) <= poisson.MEAN_MAX
    assert law.course.cells(np.arange(101) * DAY).max() <= emission.CELLS_MAX


@pytest.mark.parametrize(
    ("changed", "at_h", "named"),
    [
        ({"start_diameter_mm": 20.0}, 216.0, "start_diameter_mm"),
        ({"growth": "gompertz"}, 216.0, "growth"),
        ({"doubling_h": 299.0}, 216.0, "doubling_h"),
        ({"resection_h": 24.0}, 216.0, "resection_h"),
        ({"resection_h": 0.0}, 361.0, "resection_h"),  # it had been taken out
        ({"resection_diameter_mm": 2.1}, 216.0, "resection_diameter_mm"),
        ({"residual_fraction": 0.2}, 361.0, "residual_fraction"),
        ({"residual_fraction": 0.2}, 216.0, ""),  # what is still to come may change
        ({"resection_h": 216.0}, 216.0, ""),
        ({"resection_h": 0.0}, 216.0, ""),
        ({"resection_diameter_mm": 50.0}, 216.0, ""),
        ({"shedding_per_h": 1.0, "exponent": 0.5}, 361.0, ""),
    ],
)
def test_a_primary_of_the_past_is_told_from_one_of_the_future(changed: dict, at_h: float, named: str) -> None:
    before = {"start_diameter_mm": 2.0, "doubling_h": 300.0, "resection_h": 360.0, "residual_fraction": 0.1}
    new, old = (Emission.model_validate(given) for given in ({**before, **changed}, before))
    assert new.rewrites(old, at_h) == named
