"""The absorbing chain against what can be worked out by hand, and each identity against an error that breaks it."""

from dataclasses import replace

import numpy as np
import pytest
from body.two_circuits import SMALL

from seedsoil.sim.body.anatomy import Anatomy, load, read
from seedsoil.sim.body.chain import Chain, hazard_for
from seedsoil.sim.body.transit import names_of, travel


@pytest.fixture(scope="module")
def human() -> Anatomy:
    return load("human")


@pytest.fixture(scope="module")
def small() -> Anatomy:
    return read("small.toml", SMALL)


def at(anatomy: Anatomy, values: np.ndarray, organ: str) -> float:
    return float(values[anatomy.organs.index(organ)])


def without_portal(anatomy: Anatomy) -> Anatomy:
    """The planted error: what should go to the portal vein goes to the right heart."""
    beds = {
        name: {"to": {("right_heart" if place == "portal_vein" else place): share for place, share in bed.to.items()}}
        for name, bed in anatomy.beds.items()
        if "portal_vein" in bed.to and "right_heart" not in bed.to
    }
    primaries = {
        name: {"blood": {"right_heart": 1.0}} for name, p in anatomy.primaries.items() if "portal_vein" in p.blood
    }
    return anatomy.changed(beds=beds, primaries=primaries)


@pytest.mark.parametrize("body", ["human", "mouse"])
def test_every_seed_arrests_or_dies(body: str) -> None:
    anatomy = load(body)
    for hazard in (0.0, 2.0):
        chain = Chain.of(anatomy, {"default": 0.3, "lung": 0.6}, 0.1, hazard)
        assert chain.stays + chain.dies + chain.goes_on == pytest.approx(1.0, abs=1e-14)
        for primary in anatomy.primaries:
            assert chain.arrested(primary).sum() + chain.died(primary).sum() == pytest.approx(1.0, abs=1e-12)


DRAINAGE = {
    "breast": {"lung": 1.0},
    "kidney": {"lung": 1.0},
    "colon": {"liver": 1.0},
    "stomach": {"liver": 1.0},
    "rectum": {"liver": 0.5, "lung": 0.45, "bone": 0.05},
    "prostate": {"lung": 0.8, "bone": 0.2},
    # a lung tumour drains by the pulmonary veins: its first beds are those of the arteries, by flow
    "lung": {"brain": 0.12, "kidney": 0.19, "liver": 0.065, "lung": 0.025, "bone": 0.05, "muscle": 0.17},
}


@pytest.mark.parametrize("primary", DRAINAGE)
def test_first_beds_are_the_shares_of_drainage(human: Anatomy, primary: str) -> None:
    first = Chain.of(human).first_bed(primary, "blood")
    assert first.sum() == pytest.approx(1.0, abs=1e-12)
    for organ, share in DRAINAGE[primary].items():
        assert at(human, first, organ) == pytest.approx(share, abs=1e-12)


def test_a_portal_edge_left_out_is_seen_in_the_first_bed(human: Anatomy) -> None:
    wrong = without_portal(human)
    assert at(wrong, Chain.of(wrong).first_bed("colon", "blood"), "liver") == 0.0


def test_first_stops_of_lymph_and_cavities(human: Anatomy) -> None:
    chain = Chain.of(human)
    assert at(human, chain.first_bed("breast", "lymph"), "regional_nodes") == pytest.approx(1.0, abs=1e-12)
    assert at(human, chain.first_bed("ovary", "coelomic"), "peritoneum") == pytest.approx(1.0, abs=1e-12)
    # over all routes, in their shares
    assert at(human, chain.first_bed("ovary"), "peritoneum") == pytest.approx(0.7, abs=1e-12)


def test_lymph_goes_by_the_nodes_and_the_thoracic_duct_to_the_lung(human: Anatomy) -> None:
    p, d = 0.3, 0.1
    visits = Chain.of(human, p).visits("breast", "lymph")
    index, rest = human.index, p * (1 - d)
    assert visits[index["sinus_regional"]] == pytest.approx(1.0, abs=1e-12)
    assert visits[index["sinus_distant"]] == pytest.approx(rest, abs=1e-12)
    assert visits[index["thoracic_duct"]] == pytest.approx(rest**2, abs=1e-12)
    # into the blood by the vessels of the first node, of the second, or by the duct
    into_blood = p * d + rest * p * d + rest**2
    by_vein = Chain.of(human, p).visits("breast", "blood")[index["lung"]]
    assert visits[index["lung"]] == pytest.approx(into_blood * by_vein, rel=1e-12)


def test_shares_of_two_circuits_by_hand(small: Anatomy) -> None:
    lung, gut, liver, limb = 0.3, 0.5, 0.2, 0.6
    chain = Chain.of(small, {"lung": lung, "gut": gut, "liver": liver, "limb": limb, "nodes": 0.0})
    # once round from the right heart: by the limb, by the liver's artery, or by gut, portal vein and liver
    again = lung * (0.7 * limb + 0.05 * liver + 0.25 * gut * liver)
    right = liver / (1 - again)  # visits to the right heart of a seed that starts in the portal vein
    expected = {
        "lung": right * (1 - lung),
        "gut": right * lung * 0.25 * (1 - gut),
        "limb": right * lung * 0.7 * (1 - limb),
        "liver": (1 + right * lung * (0.05 + 0.25 * gut)) * (1 - liver),
        "nodes": 0.0,
    }
    assert dict(zip(small.organs, chain.arrested("gut", "blood"), strict=True)) == pytest.approx(expected, abs=1e-12)


def test_hazard_and_death_by_hand(small: Anatomy) -> None:
    death, hazard = 0.1, 3.0
    chain = Chain.of(small, 0.4, death, hazard)
    tau = 100 * 0.1 / 250  # portal vein: 10 mL at 250 mL/h
    survives = 1 / (1 + hazard * tau)
    visits = chain.visits("gut", "blood")
    first = chain.first_bed("gut", "blood")
    assert at(small, first, "liver") == 1.0
    assert chain.died("gut", "blood")[small.index["portal_vein"]] == pytest.approx(
        visits[small.index["portal_vein"]] * (1 - survives), abs=1e-12
    )
    assert chain.stays[small.index["liver"]] == pytest.approx((1 - death) * 0.6, abs=1e-15)
    tau_liver = 100 * 0.1 / 300
    assert chain.goes_on[small.index["liver"]] == pytest.approx((1 - death) * 0.4 / (1 + hazard * tau_liver), abs=1e-15)


def contents(anatomy: Anatomy, per_mL: np.ndarray) -> float:
    volume = [p.blood_volume_fraction for p in (*anatomy.vessels.values(), *anatomy.beds.values())]
    return float((per_mL[: len(volume)] * volume).sum() * anatomy.blood_volume_mL)


@pytest.mark.parametrize("hazard", [0.0, 0.4])
@pytest.mark.parametrize("primary", ["breast", "colon", "lung", "rectum"])
def test_contents_of_the_blood_are_shedding_times_residence(human: Anatomy, primary: str, hazard: float) -> None:
    """C·V = S·T_res, C the mean over the blood of flux over flow; and both are what is found of seeds sent one by one."""
    chain = Chain.of(human, 0.6, 0.02, hazard)
    held = contents(human, chain.concentration_per_mL(1e5, primary, "blood"))
    assert held == pytest.approx(1e5 * chain.in_blood_h(primary, "blood"), rel=1e-12)
    # at steady shedding as many are there as are shed in the time that one is on its way
    many, key = 40_000, (5, 8)
    names = names_of(np.arange(many), np.zeros(many), np.zeros(many), np.zeros(many), key)
    hours = travel([chain], np.zeros(many, np.int64), human.source_of(primary, "blood"), names, key).hours

    def is_found(contents_of_blood: float) -> bool:
        return abs(contents_of_blood - 1e5 * hours.mean()) <= 4e5 * hours.std() / np.sqrt(many)

    assert is_found(held)
    # planted: a half-life of a minute besides arrest; visits of another chain; the whole output as flow in the veins
    twice = Chain.of(human, 0.6, 0.02, hazard + 60 * np.log(2))
    other = replace(chain, visits_from=Chain.of(human, 0.65, 0.02, hazard).visits_from)
    for wrong in (twice, other):
        assert not is_found(contents(human, wrong.concentration_per_mL(1e5, primary, "blood")))
    assert not is_found(contents(human, chain.concentration_per_mL(1e5, primary, "blood") * human.flow_fraction))


def test_dilution_at_each_site_by_hand(small: Anatomy) -> None:
    """Flux over flow where blood is drawn: seeds of the gut, in the portal vein at 250 of 1000 mL/h."""
    lung, gut, liver, limb, shed = 0.3, 0.5, 0.2, 0.6, 1e4
    chain = Chain.of(small, {"lung": lung, "gut": gut, "liver": liver, "limb": limb})
    again = lung * (0.7 * limb + 0.05 * liver + 0.25 * gut * liver)
    right = liver / (1 - again)
    expected = {
        "portal": shed * (1 + right * lung * 0.25 * gut) / 250,
        "central": shed * right / 1000,
        "arterial": shed * right * lung / 1000,
        "venous": shed * right * lung * 0.7 * limb / 700,
    }
    found = chain.sampled_per_mL(shed, "gut", "blood")
    assert found == pytest.approx(expected, rel=1e-12)
    # planted: the same flux over the whole output everywhere
    assert shed * (1 + right * lung * 0.25 * gut) / 1000 != pytest.approx(found["portal"], rel=0.1)


def test_a_ratio_of_portal_to_arterial_blood_is_a_product_of_passes(human: Anatomy) -> None:
    """0.0068 with a fifth of the output in the portal vein: p_liver·p_lung = 0.034 (Catenacci 2015, pancreas)."""
    portal = float(human.flow_fraction[human.index["portal_vein"]])
    p = float(np.sqrt(0.0068 / portal))
    found = Chain.of(human, p).sampled_per_mL(1.0, "pancreas", "blood")
    assert found["peripheral_arterial"] / found["portal"] == pytest.approx(0.0068, rel=0.05)
    assert p**2 == pytest.approx(0.034, rel=0.1)
    # an arm's vein lies behind one bed more
    assert found["peripheral_venous"] / found["peripheral_arterial"] == pytest.approx(p, rel=1e-12)


def test_ninety_two_percent_a_circuit_is_a_half_life_of_seconds(human: Anatomy) -> None:
    seconds = 3600 * Chain.of(human, {"default": 0.08, "lung": 1.0}).half_life_h()
    circuit = 3600 * human.blood_volume_mL / human.cardiac_output_mL_per_h
    assert seconds == pytest.approx(circuit * np.log(2) / np.log(1 / 0.08), rel=0.35)
    assert 12 < seconds < 20  # 16 s in the sources


@pytest.mark.parametrize("half_life_h", [1.0, 2.4])
def test_small_seeds_that_go_round_can_be_given_a_half_life(human: Anatomy, half_life_h: float) -> None:
    """Meng et al. 2004: 1 to 2.4 h. Arrest and hazard together make it, so nothing is counted twice."""
    hazard = hazard_for(human, half_life_h, 0.999)
    assert Chain.of(human, 0.999, 0.0, hazard).half_life_h() == pytest.approx(half_life_h, rel=1e-9)
    assert hazard < np.log(2) / half_life_h  # arrest takes its part
    with pytest.raises(ValueError, match="arrest alone removes half"):
        hazard_for(human, half_life_h, 0.9)


def test_two_classes_reconcile_arrest_in_the_first_bed_with_hours_in_the_blood(human: Anatomy) -> None:
    large = Chain.of(human, 0.04)
    small = Chain.of(human, 0.999, 0.0, hazard_for(human, 1.7, 0.999))
    assert at(human, large.arrested("breast", "blood"), "lung") > 0.95
    assert small.in_blood_h("breast", "blood") > 100 * large.in_blood_h("breast", "blood")


def test_seeds_that_nothing_holds_are_refused(human: Anatomy) -> None:
    with pytest.raises(ValueError, match="round for ever"):
        Chain.of(human, 1.0)
    Chain.of(human, 1.0, 0.0, 0.1)  # they die


def test_probabilities_out_of_range_and_unknown_names_are_refused(human: Anatomy) -> None:
    with pytest.raises(ValueError, match="a probability lies"):
        Chain.of(human, 1.2)
    with pytest.raises(ValueError, match="called 'livr'"):
        Chain.of(human, {"livr": 0.2})
    with pytest.raises(ValueError, match="a hazard is at least 0"):
        Chain.of(human, 0.2, 0.0, -1.0)


def test_portal_primaries_put_more_into_the_liver_with_equal_soils(human: Anatomy) -> None:
    """The odds liver:lung of portal against caval primaries; without the portal edges they are equal."""

    def odds(anatomy: Anatomy, primary: str) -> float:
        shares = Chain.of(anatomy, 0.3).arrested(primary, "blood")
        return at(anatomy, shares, "liver") / at(anatomy, shares, "lung")

    assert odds(human, "colon") / odds(human, "kidney") > 2
    wrong = without_portal(human)
    assert odds(wrong, "colon") / odds(wrong, "kidney") == pytest.approx(1.0, abs=1e-12)
