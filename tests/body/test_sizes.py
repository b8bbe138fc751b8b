"""P(metastasis at diagnosis) against diameter."""

from pathlib import Path

import numpy as np
import pytest

from seedsoil.sim.calibrate import sizes
from seedsoil.sim.errors import InputError


@pytest.fixture(scope="module")
def table() -> sizes.Sizes:
    return sizes.read()


@pytest.fixture(scope="module")
def law(table: sizes.Sizes) -> sizes.Law:
    return sizes.fit(table)


def test_one_alpha_and_four_numbers_fit_forty_bins(table: sizes.Sizes, law: sizes.Law) -> None:
    assert len(table.cancer) == 40
    assert table.cancers == ("breast", "colon")
    assert law.numbers == 4
    assert sizes.deviance(table, law) <= 90
    assert law.plateaus["breast"] == 1.0
    line = sizes.row_deviances(table, sizes.line_through_origin(table)).sum()
    assert line == pytest.approx(633, abs=1)
    # planted: the diameters of colon in another order
    mixed = table.diameter_cm.copy()
    mixed[20:] = mixed[20:][::-1]
    other = sizes.Sizes(table.cancers, table.cancer, mixed, table.patients, table.metastatic)
    assert sizes.deviance(other, sizes.fit(other)) > 300


def test_large_tumours_are_predicted_from_small_ones(table: sizes.Sizes) -> None:
    ahead = sizes.fit(table.of(table.diameter_cm <= 3))
    beyond = table.of(table.diameter_cm > 5)
    wanted = sizes.expected(beyond, ahead) * beyond.patients
    for k in range(2):
        mine = beyond.cancer == k
        assert wanted[mine].sum() == pytest.approx(beyond.metastatic[mine].sum(), rel=0.2)


def test_known_numbers_come_back() -> None:
    d = np.tile(np.array(sizes.DIAMETERS_CM), 2)
    cancer = np.repeat([0, 1], 20)
    n = np.full(40, 1e5)
    true = sizes.Law(0.6, {"breast": 0.004, "rectum": 0.2}, {"breast": 1.0, "rectum": 0.3}, 4)
    table = sizes.Sizes(("breast", "rectum"), cancer, d, n, np.zeros(40))
    table = sizes.Sizes(table.cancers, cancer, d, n, n * sizes.expected(table, true))
    found = sizes.fit(table)
    assert found.alpha == pytest.approx(0.6, abs=1e-3)
    assert found.scales["rectum"] == pytest.approx(0.2, rel=1e-3)
    assert found.plateaus["rectum"] == pytest.approx(0.3, rel=1e-3)


def test_one_scale_serves_another_cancer(law: sizes.Law) -> None:
    other = law.anchored("lung", 3.0, 0.2)
    assert other.p("lung", np.array([3.0])) == pytest.approx([0.2])
    assert other.p("breast", np.array([3.0])) == pytest.approx(law.p("breast", np.array([3.0])))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cancer,diameter_cm,n_patients,fraction\nlung,1,10,1.2\n", "at most 1"),
        ("cancer,diameter_cm,n_patients,n_with_metastasis\nlung,1,10,11\n", "at most the 10 patients"),
        ("cancer,diameter_cm,n_patients,n_with_metastasis\nlung,0,10,1\n", "from 0.001 on"),
        ("cancer,diameter_cm,n_patients,n_with_metastasis\nlung,1,10,0\n", "with a metastasis and without"),
        ("cancer,diameter_cm,patients,n_with_metastasis\nlung,1,10,1\n", "no column 'n_patients'"),
    ],
)
def test_a_table_that_cannot_be_fitted_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    file = tmp_path / "sizes.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match=wanted):
        sizes.read(file)
