"""Bodies: what is derived from the graph, and what is refused by name."""

import csv
from importlib.resources import files

import numpy as np
import pytest

from seedsoil.sim.body.anatomy import Anatomy, load, read, shipped_bodies
from seedsoil.sim.errors import InputError

CANONICAL = (
    "regional_nodes distant_nodes liver lung bone brain adrenal peritoneum pleura kidney spleen skin ovary pancreas "
    "thyroid heart"
).split()
AUTOPSY = ("breast", "colon", "kidney", "lung", "prostate", "rectum", "stomach", "uterus")


@pytest.fixture(scope="module")
def human() -> Anatomy:
    return load("human")


def test_the_human_body_has_the_organs_and_primaries_that_are_asked_for(human: Anatomy) -> None:
    assert list(human.organs[:16]) == CANONICAL
    assert {*AUTOPSY, "melanoma", "pancreas", "ovary", "bladder"} <= set(human.primaries)


def test_portal_inflow_is_derived_from_what_drains_there(human: Anatomy) -> None:
    expected = sum(bed.flow_fraction * bed.to.get("portal_vein", 0.0) for bed in human.beds.values())
    portal, liver = (human.flow_fraction[human.index[name]] for name in ("portal_vein", "liver"))
    assert portal == pytest.approx(expected, abs=1e-15)
    assert liver == pytest.approx(expected + human.beds["liver"].flow_fraction, abs=1e-15)
    assert 0.17 < portal < 0.21  # ICRP 89: 0.19


@pytest.mark.parametrize("name", sorted(shipped_bodies()))
def test_what_leaves_the_left_heart_comes_back_to_it(name: str) -> None:
    body = load(name)
    back = body.flow_fraction[body.in_blood] @ body.leads[np.ix_(body.in_blood, body.in_blood)]
    assert back == pytest.approx(body.flow_fraction[body.in_blood], abs=1e-12)
    assert back[body.index["left_heart"]] == pytest.approx(1.0, abs=1e-12)


LIVER = "flow_fraction = 0.065\nblood_volume_fraction = 0.1\nto = { right_heart = 1.0 }"

LUNG = "flow_fraction = 0.0\nblood_volume_fraction = 0.105\nto = { left_heart = 1.0 }"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flow_fraction = 0.19\n", "flow_fraction = 0.29\n", "flow_fraction adds up to 1.1 over the beds"),
        ("to = { liver = 1.0 }", "to = { liver = 1.1 }", "vessels.portal_vein.to.liver"),
        ("to = { liver = 1.0 }", "to = { liver = 0.9 }", "adds up to 0.9; it must be 1"),
        ("to = { liver = 1.0 }", "to = { livr = 1.0 }", "no place is called 'livr' - did you mean 'liver'?"),
        ('organ = "breast"\nroutes', 'organ = "brest"\nroutes', "no organ is called 'brest' - did you mean 'breast'?"),
        ("routes = { blood = 0.7, lymph = 0.3 }", "routes = { blood = 0.9, lymph = 0.3 }", "adds up to 1.2"),
        ("flow_fraction = 0.0002\n", "flow_fraction = 0.0\n", "the organ ovary cannot be reached"),
        ("[beds.ovary]\n", "[beds.ovary]\ncolour = 1\n", "unknown key"),
        ("to = { right_heart = 1.0 }", "to = { bone = 1.0 }", "what leaves it never comes to the left_heart"),
        ("blood_volume_fraction = 0.02\n", "blood_volume_fraction = 0.05\n", "blood_volume_fraction adds up to 1.03"),
        (
            LIVER,
            LIVER.replace("right_heart = 1.0", "peritoneal_cavity = 1.0"),
            "beds.liver.to\n",
        ),
        (
            LIVER,
            LIVER.replace("right_heart = 1.0", "sinus_regional = 0.5, right_heart = 0.5"),
            "'sinus_regional' is none",
        ),
        (LIVER, LIVER.replace("right_heart = 1.0", "liver = 0.5, right_heart = 0.5"), "beds.liver.to\n"),
        (LIVER, LIVER.replace("right_heart = 1.0", "liver = 0.5, right_heart = 0.5"), "leads to itself"),
        (
            LIVER,
            LIVER.replace("right_heart = 1.0", "portal_vein = 0.5, right_heart = 0.5"),
            "blood would go round by portal_vein, liver without the heart",
        ),
        ("{ thoracic_duct = 0.9,", "{ sinus_distant = 0.5, thoracic_duct = 0.4,", "lymph.sinus_distant.to\n"),
        (LUNG, LUNG.replace("left_heart = 1.0", "left_heart = 0.5, right_heart = 0.5"), "times the cardiac output"),
        (LUNG, LUNG.replace("left_heart = 1.0", "left_heart = 1e-300, right_heart = 1.0"), "round without end"),
        ("output_mL_per_h = 390_000", "output_mL_per_h = 1e300", "less than or equal to 100000000 (got 1e+300)"),
        ("output_mL_per_h = 390_000", "output_mL_per_h = 1e-300", "greater than or equal to 1"),
        ("blood_volume_mL = 5300", "blood_volume_mL = 1e12", "blood_volume_mL"),
        ("blood_volume_mL = 5300", "blood_volume_mL = 5_300_000", "beds.ovary"),
        ("output_mL_per_h = 390_000", "output_mL_per_h = 390", "blood would stay for"),
        ("residence_h = 0.5\n", "residence_h = 1e30\n", "lymph.sinus_regional.residence_h"),
        ("[lymph.sinus_distant]", "[lymph.liver]", "lymph.liver\n"),
        ("[lymph.sinus_distant]", "[lymph.liver]", "two places have this name; [beds.liver] is the other"),
        ('organ = "ovary"\nflow', 'organ = "primary"\nflow', "'primary' is what the primary's own tissue is called"),
        ("[beds.ovary]", "[beds.default]", "beds.default\n"),
        ('portal = "portal_vein"', 'portal = "thoracic_duct"', "no blood place is called 'thoracic_duct'"),
        ("blood_volume_fraction = 0.02\n", "blood_volume_fraction = -0.1\n", "needs to be greater than 0"),
    ],
)
def test_an_unsound_body_is_refused_by_name(old: str, new: str, said: str) -> None:
    text = shipped_bodies()["human"]
    assert old in text
    text = text.replace(old, new, 1)
    if "ovary cannot" in said:
        text = text.replace("flow_fraction = 0.0027", "flow_fraction = 0.0029")  # balanced again
    if "never comes" in said:  # the only way out of the marrow leads back to it
        text = text.replace(
            'organ = "bone"\nflow_fraction = 0.05\nblood_volume_fraction = 0.07\nto = { right_heart',
            'organ = "bone"\nflow_fraction = 0.05\nblood_volume_fraction = 0.07\nto = { vertebral_plexus',
        )
    if "beds.ovary" in said:  # of all beds only the slowest leave the range
        text = text.replace("= 390_000", "= 10_000_000")
    with pytest.raises(InputError) as refused:
        read("bad.toml", text)
    assert said in str(refused.value) and "bad.toml:" in str(refused.value)


def test_an_unknown_body_is_refused_with_what_there_is() -> None:
    with pytest.raises(InputError, match="did you mean 'human'"):
        load("humn")


# organs of the table of published flows -> beds of the body
BEDS = {
    "skeletal muscle": ("muscle",),
    "skeleton": ("bone",),
    "kidneys": ("kidney",),
    "adrenals": ("adrenal",),
    "liver, arterial": ("liver",),
    "lung, bronchial": ("bronchial",),
    "small intestine": ("small_intestine",),
    "large intestine": ("colon", "rectum"),
    "large intestine without rectum": ("colon",),
    "stomach and oesophagus": ("stomach",),
    "urinary bladder": ("bladder",),
    "lymph nodes": ("nodes_regional", "nodes_distant"),
}
REST = ("all other tissues", "gonads", "thymus")  # organs too small for the tables share these


@pytest.mark.parametrize("name", ["human", "mouse"])
def test_flows_are_those_of_the_published_tables(name: str) -> None:
    table = (files("seedsoil.scenarios") / "data" / "blood_flow.csv").read_text("utf-8").splitlines()
    rows = [row for row in csv.DictReader(table) if row["body"] == name]
    total = sum(float(row["value"]) for row in rows if row["organ"] != "large intestine without rectum")
    body = load(name)
    named = set()
    for row in rows:
        if row["organ"] not in REST:
            beds = BEDS.get(row["organ"], (row["organ"],))
            named |= set(beds)
            flow = sum(body.beds[bed].flow_fraction for bed in beds)
            assert flow == pytest.approx(float(row["value"]) / total, rel=2e-3), row["organ"]
    rest = sum(float(row["value"]) for row in rows if row["organ"] in REST) / total
    left = sum(bed.flow_fraction for bed_name, bed in body.beds.items() if bed_name not in named)
    assert left == pytest.approx(rest, abs=1e-4)  # the mouse's have four digits
