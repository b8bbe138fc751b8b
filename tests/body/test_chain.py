"""The absorbing chain against what can be worked out by hand."""

import numpy as np
import pytest

from seedsoil.sim.body.anatomy import Anatomy, load
from seedsoil.sim.body.chain import Chain


@pytest.fixture(scope="module")
def human() -> Anatomy:
    return load("human")


def at(anatomy: Anatomy, values: np.ndarray, organ: str) -> float:
    return float(values[anatomy.organs.index(organ)])


def test_every_seed_arrests_or_dies(human: Anatomy) -> None:
    chain = Chain.of(human, {"default": 0.3, "lung": 0.6}, 0.1)
    for primary in human.primaries:
        assert chain.arrested(primary).sum() + chain.died(primary).sum() == pytest.approx(1.0, abs=1e-12)


def test_first_beds_are_the_shares_of_drainage(human: Anatomy) -> None:
    chain = Chain.of(human)
    expected = {
        "breast": {"lung": 1.0},
        "colon": {"liver": 1.0},
        "rectum": {"liver": 0.5, "lung": 0.45, "bone": 0.05},
        "prostate": {"lung": 0.8, "bone": 0.2},
        "lung": {"brain": 0.12, "kidney": 0.19, "liver": 0.065, "lung": 0.025},
    }
    for primary, shares in expected.items():
        first = chain.first_bed(primary, "blood")
        assert first.sum() == pytest.approx(1.0, abs=1e-12)
        for organ, share in shares.items():
            assert at(human, first, organ) == pytest.approx(share, abs=1e-12)


def test_a_portal_seed_passes_the_liver_and_then_the_lung(human: Anatomy) -> None:
    passes = 0.2
    chain = Chain.of(human, passes)
    lung = at(human, chain.arrested("colon", "blood"), "lung") / at(human, chain.arrested("breast", "blood"), "lung")
    # whoever passes the liver comes to the right heart, as a seed of the breast does
    assert lung == pytest.approx(passes, abs=1e-12)
