"""Colonies as numbers of cells against the closed forms of the birth-death process, and whom their draws depend on."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from seedsoil.kernels.birth_death import SMALL, Rates, establishment, lineage, transitions
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.mean_field import DORMANT, EXTINCT, GROWING, WAITING, MeanField, entity_of
from seedsoil.sim.device import Device

FREE = ColonyGrowth(birth_per_h=0.03, death_per_h=0.012, bottleneck_cells=1)
TIGHT = ColonyGrowth(birth_per_h=0.03, death_per_h=0.015, bottleneck_cells=15, bottleneck_ratio=1.65)


@pytest.fixture
def field(device: Device) -> Callable[..., MeanField]:
    """Colonies of so many cells each, of one law, advanced by some intervals of 24 h."""

    def grown(growth: ColonyGrowth, rows: int, cells: int | np.ndarray, intervals: int, **more) -> MeanField:
        options = {name: more.pop(name) for name in tuple(more) if name.startswith("dormant") or name == "rng_key"}
        mean_field = MeanField(growth, 24.0, device, **options)
        own, fit = mean_field.law(), mean_field.law(adapted=True)
        mean_field.found(np.arange(rows, dtype=np.uint64), cells, law=own, adapted_law=fit, **more)
        for interval in range(intervals):
            mean_field.advance(interval)
        return mean_field

    return grown


def within(share: float, expected: float, rows: int, errors: float = 4.0) -> bool:
    return abs(share - expected) <= errors * (expected * (1 - expected) / rows) ** 0.5


def geometric(sizes: np.ndarray, spread: float) -> float:
    """The p value of chi square that sizes >= 1 are geometric with this parameter."""
    edges = np.unique(stats.geom.ppf(np.linspace(0, 1, 31)[1:-1], 1 - spread))
    expected = np.diff(np.concatenate([[0.0], stats.geom.cdf(edges, 1 - spread), [1.0]])) * len(sizes)
    counted = np.bincount(np.searchsorted(edges, sizes), minlength=len(expected))
    return float(stats.chi2.sf(((counted - expected) ** 2 / expected).sum(), len(expected) - 1))


def test_extinction_and_sizes_are_kendalls(field: Callable[..., MeanField]) -> None:
    rows = 60_000
    cells = field(FREE, rows, 1, 5).table["cells"]
    dead, spread = lineage(FREE.birth_per_h, FREE.death_per_h, 120.0)
    assert within((cells == 0).mean(), dead, rows)
    assert geometric(cells[cells > 0], spread) > 1e-4
    # the detectors see deaths that are 3 % more frequent
    off = field(FREE.model_copy(update={"death_per_h": 0.01236}), rows, 1, 5).table["cells"]
    assert not within((off == 0).mean(), dead, rows)
    assert geometric(off[off > 0], spread) < 1e-4


def sizes_of(n: int, growth: ColonyGrowth, time: float) -> np.ndarray:
    """The law of what n cells become without a bottleneck: survivors, and as many geometric numbers. (4096,) f8."""
    dead, spread = lineage(growth.birth_per_h, growth.death_per_h, time)
    k = np.arange(4096)
    alive = stats.binom.pmf(np.arange(n + 1), n, 1 - dead)
    return sum(p * np.where(k >= j, stats.nbinom.pmf(k - j, j, 1 - spread), 0.0) for j, p in enumerate(alive) if j)


def follows(cells: np.ndarray, pmf: np.ndarray) -> float:
    """The p value of chi square, over bins that expect 50 or more."""
    counted = np.bincount(cells, minlength=len(pmf))[: len(pmf)]
    bins = np.floor(np.cumsum(pmf) * len(cells) / 50).astype(int)
    expected, found = (np.bincount(bins, weights=w) for w in (pmf * len(cells), counted))
    keep = expected > 25
    return float(stats.chi2.sf(((found - expected)[keep] ** 2 / expected[keep]).sum(), keep.sum() - 1))


def test_the_table_and_the_linear_kernel_agree(field: Callable[..., MeanField]) -> None:
    below, above = (field(FREE, 40_000, n, 1).table["cells"] for n in (SMALL, SMALL + 1))
    laws = [sizes_of(n, FREE, 24.0) for n in (SMALL, SMALL + 1)]
    assert follows(below, laws[0]) > 1e-4 and follows(above, laws[1]) > 1e-4
    # one cell more is seen
    assert follows(below, laws[1]) < 1e-4 and follows(above, laws[0]) < 1e-4


@pytest.mark.parametrize("n", [1, 20])
def test_a_first_interval_cut_short_has_the_law_of_its_hours(device: Device, n: int) -> None:
    """Of 24 h the 7 since it was founded: sizes by the generator over 7 h, bottleneck included; then all of the next."""
    rows = 20_000
    growth = TIGHT.model_copy(update={"birth_per_h": 0.3, "death_per_h": 0.15})
    field = MeanField(growth, 24.0, device)
    field.found(np.arange(rows, dtype=np.uint64), n, law=field.law())
    field.advance(0, np.full(rows, 7.0))
    short, other = (transitions(growth.rates(), hours)[n] for hours in (7.0, 8.0))
    assert follows(field.table["cells"], short) > 1e-4
    assert follows(field.table["cells"], other) < 1e-4
    # and of a colony that is a large one already
    big = MeanField(FREE, 24.0, device)
    big.found(np.arange(rows, dtype=np.uint64), SMALL + 1, law=big.law())
    big.advance(0, np.full(rows, 7.0))
    assert follows(big.table["cells"], sizes_of(SMALL + 1, FREE, 7.0)) > 1e-4
    assert follows(big.table["cells"], sizes_of(SMALL + 1, FREE, 8.0)) < 1e-4


def test_extinction_in_the_end_is_deaths_over_births(field: Callable[..., MeanField]) -> None:
    rows = 40_000
    mean_field = field(FREE, rows, 2, 20)
    assert within(mean_field.count(EXTINCT) / rows, (0.012 / 0.03) ** 2, rows)
    assert mean_field.count(EXTINCT) + mean_field.count(GROWING) == rows
    assert not within(mean_field.count(EXTINCT) / rows, 0.42**2, rows)


def test_clusters_get_through_the_bottleneck_as_the_ratio_formula_says(field: Callable[..., MeanField]) -> None:
    rates = TIGHT.rates()
    single, *clusters = establishment(rates, np.array([1, 5, 7]))
    assert single == pytest.approx(2.5e-4, rel=0.03)
    # the advantage of clusters comes out of the bottleneck: Aceto et al. 2014 found 23 to 50 times
    assert [round(p / single) for p in clusters] == [17, 50]
    for cells, rows in ((5, 100_000), (7, 60_000), (15, 20_000)):
        grown = field(TIGHT, rows, cells, 30)
        # none is undecided after 30 days
        assert (grown.table["cells"][grown.table["state"] == GROWING] > SMALL).all()
        expected = float(establishment(rates, cells))
        assert within(grown.count(GROWING) / rows, expected, rows)
        assert not within(
            grown.count(GROWING) / rows,
            float(establishment(rates._replace(small_death=1.8 * rates.birth), cells)),
            rows,
        )
    # without a bottleneck seven cells are worth no more than seven
    assert 1 < np.divide(*establishment(Rates(0.03, 0.015), np.array([7, 1]))) < 7


def test_what_one_colony_does_changes_no_other(device: Device) -> None:
    growth = TIGHT.model_copy(update={"adaptation_probability": 0.05, "shedding_per_h": 1e-3, "avascular_cells": 1e4})

    def run(cells: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean_field = MeanField(growth, 24.0, device, rng_key=5, dormant_wake_per_h=0.01)
        law, fit = mean_field.law(), mean_field.law(1.2, adapted=True)
        entities = entity_of(1, 2, np.arange(len(cells)), 0, 5)
        states = np.where(np.arange(len(cells)) % 3 == 0, DORMANT, GROWING)
        mean_field.found(entities[order], cells[order], law=law, adapted_law=fit, state=states[order])
        shed = np.zeros(len(order), dtype=np.int64)
        for interval in range(25):
            mean_field.advance(interval)
            shed += mean_field.shed(interval)[0]
        back = np.argsort(order)
        return mean_field.table["cells"][back], shed[back]

    cells = 10 + np.arange(600) % 90
    whole = run(cells, np.arange(600))
    assert whole[1].sum() > 100 and (whole[0] > 1000).sum() > 50
    others = np.arange(600) != 7
    changed = run(np.where(others, cells, 5000), np.arange(600))
    assert all((a[others] == b[others]).all() and a[7] != b[7] for a, b in zip(whole, changed, strict=True))
    shuffled = run(cells, np.random.default_rng(1).permutation(600))
    assert all((a == b).all() for a, b in zip(whole, shuffled, strict=True))


@pytest.mark.parametrize("hours", [24.0, 96.0])
def test_adapted_cells_rescue_colonies_that_die_out(device: Device, hours: float) -> None:
    """Extinction of both types from the roots of their generating functions; adaptation at each birth."""
    u, rows = 0.02, 20_000
    growth = ColonyGrowth(
        birth_per_h=0.02, death_per_h=0.03, bottleneck_cells=1, adaptation_probability=u, adapted_death_factor=1 / 3
    )
    q1 = 0.01 / 0.02
    roots = np.roots([0.02 * (1 - u), 0.02 * u * q1 - 0.05, 0.03])
    q0 = float(roots[(roots > 0) & (roots <= 1)].real.min())

    def grown(law: ColonyGrowth, rows: int) -> MeanField:
        mean_field = MeanField(law, hours, device)
        own, fit = mean_field.law(), mean_field.law(adapted=True)
        mean_field.found(np.arange(rows, dtype=np.uint64), 10, law=own, adapted_law=fit)
        for interval in range(int(1440 / hours)):
            mean_field.advance(interval)
        return mean_field

    last = grown(growth, rows)
    rescued = last.table["state"] == GROWING
    assert (last.table["adapted"][rescued] == last.table["cells"][rescued]).all()
    assert within(rescued.mean(), 1 - q0**10, rows)
    assert grown(growth.model_copy(update={"adaptation_probability": 0.0}), 2000).count(GROWING) == 0
    less = 1 - (1 - (1 - q0) * 0.9) ** 10  # the detector sees a tenth of the adaptations missing
    assert not within(rescued.mean(), less, rows)


def test_adaptation_that_changes_nothing_changes_no_number_of_cells(field: Callable[..., MeanField]) -> None:
    """An adapted law equal to the own one: few cells against the table without adaptation, many cell for cell."""
    rows, u = 40_000, 0.3
    grown = field(TIGHT.model_copy(update={"adaptation_probability": u}), rows, 1, 1).table["cells"]
    law = transitions(TIGHT.rates(), 24.0)[1]
    assert within((grown == 0).mean(), float(law[0]), rows)
    mean, square = (float((law * np.arange(len(law)) ** power).sum()) for power in (1, 2))
    assert abs(grown.mean() - mean) < 4 * ((square - mean**2) / rows) ** 0.5
    assert not within((grown == 0).mean(), float(law[0]) - 0.02, rows)
    doomed = ColonyGrowth(
        birth_per_h=0.5, death_per_h=5.0, bottleneck_cells=1, bottleneck_ratio=10.0, adaptation_probability=0.5
    )
    assert (field(doomed, 500, np.where(np.arange(500) % 2, 10, 200), 1).table["state"] == EXTINCT).all()
    for probability, cells in ((0.05, 2000), (1.0, 200), (1.0, 10**9)):
        with_ = field(FREE.model_copy(update={"adaptation_probability": probability}), 500, cells, 1)
        assert (with_.table["cells"] == field(FREE, 500, cells, 1).table["cells"]).all()
        plain = 1 - with_.table["adapted"].sum() / with_.table["cells"].sum()
        # unadapted cells multiply with b (1 - u) - d
        assert plain == pytest.approx(np.exp(-probability * FREE.birth_per_h * 24), abs=0.2 * probability)


def test_soil_and_adaptation_leave_small_colonies_the_worse(field: Callable[..., MeanField]) -> None:
    """What multiplies births multiplies no deaths; what multiplies deaths does so in small colonies too; never inverted."""
    base = TIGHT.rates()
    assert base.small_death == pytest.approx(1.65 * 0.03)
    for births, deaths in ((0.0, 1.0), (0.2, 1.0), (1.0, 0.0), (3.0, 1.0), (0.7, 4.0), (10.0, 0.01)):
        law = TIGHT.rates(births, deaths)
        assert law.small_death == pytest.approx(deaths * base.small_death)
        assert law.small_death >= law.death
    fit = TIGHT.model_copy(update={"adapted_birth_factor": 3.0, "adapted_death_factor": 0.5})
    assert fit.rates(adapted=True).small_death == pytest.approx(0.5 * base.small_death)
    chances = [float(establishment(TIGHT.rates(factor), 5)) for factor in (0.6, 1.0, 3.0)]
    assert chances == sorted(chances) and chances[0] < 1e-3 * chances[2]
    # a barren soil: cells die, the more so in small colonies
    mean_field = MeanField(TIGHT, 24.0, field(TIGHT, 1, 1, 0)._device)
    rows, cells = 8000, np.repeat([1, 14], 4000)
    mean_field.found(np.arange(rows, dtype=np.uint64), cells, law=mean_field.law(0.0))
    mean_field.advance(0)
    left = np.exp(-1.65 * 0.03 * 24)
    for first in (1, 14):
        alive = mean_field.table["cells"][cells == first].sum()
        assert abs(alive / first / 4000 - left) < 4 * (left * (1 - left) / 4000 / first) ** 0.5
    # better soil helps as its formula says
    for factor, rows in ((0.8, 30_000), (1.5, 10_000)):
        mean_field = MeanField(TIGHT, 24.0, field(TIGHT, 1, 1, 0)._device)
        mean_field.found(np.arange(rows, dtype=np.uint64), 10, law=mean_field.law(factor))
        for interval in range(40):
            mean_field.advance(interval)
        expected = float(establishment(TIGHT.rates(factor), 10))
        assert within(mean_field.count(GROWING) / rows, expected, rows)
        wrong = TIGHT.rates(factor)
        wrong = wrong._replace(small_death=1.65 * wrong.birth)
        assert not within(mean_field.count(GROWING) / rows, float(establishment(wrong, 10)), rows)


def test_rates_of_zero_leave_everything_as_it_is(field: Callable[..., MeanField]) -> None:
    still = ColonyGrowth(birth_per_h=0.0, death_per_h=0.0, bottleneck_ratio=1.65)
    cells = np.array([1, 14, 15, 63, 64, 65, 10**6, 10**12, 10**15])
    grown = field(still, 9, cells, 3, state=np.array([GROWING] * 9))
    assert (grown.table["cells"] == cells).all()
    for state in (DORMANT, WAITING):
        assert (field(FREE, 9, cells, 3, state=state).table["cells"] == cells).all()
