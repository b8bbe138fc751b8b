"""What a body could not come through is refused before: clones that go round for ever, resections that never come."""

from pathlib import Path

import pytest

from seedsoil.sim.body.anatomy import load
from seedsoil.sim.body.chain import Chain
from seedsoil.sim.body.emission import Emission, Law
from seedsoil.sim.cli.app import main
from seedsoil.sim.errors import InputError
from seedsoil.sim.scenario_file import load_scenario

# seeds that evade are neither held nor killed, but by a hair
CLONES = """\
until_h = 24
[lattice]
shape = [1, 32, 32]
[implant]
cells = 9
[vessels]
kind = "none"
[mutation]
probability = 0.1
[mutation.visibility]
step_sd = 0.3
[body]
graph = "human"
primary = "breast"
[body.arrest]
small_pass_probability = 1.0
[body.transit]
shear_per_h = 0.0
anoikis_per_h = 0.0
evasive_factor = 0.0
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "clones.toml").write_text(CLONES)
    return tmp_path / "clones.toml"


def test_clones_that_would_go_round_for_ever_are_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(path), "-o", str(path.parent / "out")]) == 2
    told = capsys.readouterr().err
    assert f"clones.toml:{CLONES[: CLONES.index('small_pass')].count(chr(10)) + 1}  body.arrest.small_pass" in told
    assert "of clones of low visibility (mutation.visibility)" in told and "would come into inf places" in told
    assert [one.name for one in path.parent.iterdir()] == ["clones.toml"]
    # it is those clones alone: seen by all, or held, or killed, they are no trouble
    load_scenario(path, {"mutation.probability": 0.0, "body.transit.evasive_factor": 0.1})
    load_scenario(path, {"mutation.visibility.step_sd": 0.0, "body.transit.evasive_factor": 0.1})
    load_scenario(path, {"mutation.visibility.least": 1.0})
    load_scenario(path, {"body.transit.anoikis_per_h": 0.1})
    with pytest.raises(ValueError, match="never held and never die"):  # as the run would have found
        Chain.of(load("human"), 1.0, 0.0, 0.0)


def test_clones_whose_colonies_outpace_the_interval_are_refused(path: Path) -> None:
    still = {"proliferation.epithelial_per_h": 0.0, "proliferation.mesenchymal_per_h": 0.0}
    fast = {**still, "body.interval_h": 240.0, "mutation.division.step_sd": 0.1, "body.transit.anoikis_per_h": 0.1}
    load_scenario(path, fast)
    with pytest.raises(InputError, match=r"mutation\.division\.most\n[\s\S]*colonies of a clone of 1000: an interval"):
        load_scenario(path, {**fast, "mutation.division.most": 1000.0})


def test_a_resection_that_gompertz_growth_never_comes_to_is_refused(tmp_path: Path) -> None:
    text = 'until_h = 240\nprimary = "emission"\n[emission]\ngrowth = "gompertz"\ncapacity_diameter_mm = 50\n'
    text += 'resection_diameter_mm = 50\n[body]\ngraph = "human"\nprimary = "breast"\n'
    (tmp_path / "full.toml").write_text(text)
    with pytest.raises(InputError, match=r"full\.toml:6  emission\.resection_diameter_mm\n[\s\S]*never comes to 50 mm"):
        load_scenario(tmp_path / "full.toml")
    load_scenario(tmp_path / "full.toml", {"emission.resection_diameter_mm": 49.0})


@pytest.mark.parametrize("diameter", [99.0, 100.0, 250.0])
def test_exponential_growth_comes_to_every_diameter(diameter: float) -> None:
    """No capacity holds it, not even the default of Gompertz growth, 100 mm."""
    table = Emission(start_diameter_mm=2.0, doubling_h=1000.0, resection_diameter_mm=diameter)
    course = Law.of(table).course
    assert float(course.before.cells(course.resection_h)) == pytest.approx(table.cells_of(diameter))


def test_an_organ_is_not_called_primary(tmp_path: Path) -> None:
    text = CLONES[: CLONES.index("[mutation]")] + "[body.organs.primary]\nshare_probability = 1\n"
    (tmp_path / "organ.toml").write_text(text)
    with pytest.raises(InputError, match=r"organ\.toml:8  body\.organs\n[\s\S]*called 'primary'; give another name"):
        load_scenario(tmp_path / "organ.toml")
