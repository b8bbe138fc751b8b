"""A body from a file of one's own: beside the scenario, noted by its SHA-256, refused if it is another one."""

import hashlib
from pathlib import Path

import pytest

from seedsoil.sim import resume as resuming
from seedsoil.sim.body import parameters
from seedsoil.sim.body.anatomy import shipped_bodies
from seedsoil.sim.body.parameters import Body
from seedsoil.sim.errors import InputError
from seedsoil.sim.resolved import resolved_toml
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.scenario_file import load_scenario, shipped_scenarios, with_overrides


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A scenario in the body beside it."""
    before, rest = shipped_scenarios()["quickstart"].split("[body]")
    (tmp_path / "mine.toml").write_text(shipped_bodies()["mouse"])
    text = before + '[body]\ngraph = "mine.toml"\nprimary = "melanoma"\n[output]' + rest.split("[output]")[1]
    (tmp_path / "scenario.toml").write_text(text)
    return tmp_path / "scenario.toml"


def test_a_body_is_found_beside_its_scenario_and_noted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    body = load_scenario(str(path)).body
    file = path.parent / "mine.toml"
    assert body.graph == str(file)
    assert body.graph_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert body.anatomy.title == "Mouse"
    assert with_overrides(load_scenario(str(path)), {"until_h": 5}).body == body


def test_another_file_is_refused(path: Path) -> None:
    scenario = load_scenario(str(path))
    (path.parent / "mine.toml").write_text(shipped_bodies()["mouse"] + "# changed\n")
    given = {"graph": scenario.body.graph, "graph_sha256": scenario.body.graph_sha256, "primary": "melanoma"}
    with pytest.raises(ValueError, match="is not the file this scenario was read with"):
        Body.model_validate(given)


def test_a_shipped_body_is_a_name_and_no_file(path: Path) -> None:
    path.write_text(path.read_text().replace("mine.toml", "mouse"))
    body = load_scenario(str(path)).body
    assert (body.graph, body.graph_sha256) == ("mouse", "")


def test_a_sum_belongs_to_a_file(path: Path) -> None:
    with pytest.raises(InputError, match=r"body\.graph_sha256[\s\S]*is of a body's TOML file"):
        load_scenario(str(path), {"body.graph": "mouse", "body.graph_sha256": "abc"})


def test_a_body_that_is_not_there_is_refused_by_its_path(path: Path) -> None:
    (path.parent / "mine.toml").unlink()
    with pytest.raises(InputError, match=r"mine\.toml: cannot be read"):
        load_scenario(str(path))


def test_a_checkpoint_of_another_body_is_refused_as_a_scenario_is(path: Path) -> None:
    scenario = load_scenario(str(path))
    numbers = {"scenario": scenario.model_dump(), "source": {"name": str(path), "text": ""}}
    assert resuming._scenario_of(numbers) == scenario
    mine = path.parent / "mine.toml"
    mouse = shipped_bodies()["mouse"]
    for text in (mouse + "# changed\n", mouse.replace("flow_fraction = 0.", "flow_fraction = 0.9", 1)):
        mine.write_text(text)
        parameters._kept.cache_clear()  # as in another process
        with pytest.raises(InputError, match=r"body\.graph"):
            resuming._scenario_of(numbers)


def test_a_branch_does_not_rewrite_its_primary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is refused for is in the scenarios alone, so the past need not be computed."""
    given = {"primary": "emission", "until_h": 480.0, "body": {"graph": "human", "primary": "breast"}}
    (tmp_path / "resolved.toml").write_text(resolved_toml(Scenario.model_validate(given)))
    monkeypatch.setattr(resuming, "_past", lambda *_: pytest.fail("the past was computed"))
    with pytest.raises(InputError, match=r"emission\.start_diameter_mm: a branch shares the past"):
        changed = {"emission.start_diameter_mm": 20.0}
        resuming.branch(tmp_path, at_h=216.0, out=tmp_path / "never", overrides=changed)
    assert not (tmp_path / "never").exists()
