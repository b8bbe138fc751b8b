"""docs/reference/scenario.md says what the scenario model says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from seedsoil.kernels.parameters import Parameters, quantity
from seedsoil.sim.declared import parameters
from seedsoil.sim.scenario import Scenario

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_reference_make", REFERENCE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(make: ModuleType) -> None:
    written = (REFERENCE / "scenario.md").read_text("utf-8")
    assert written == make.text(), "python docs/reference/make.py brings the page up to date"


def test_every_parameter_has_its_row(make: ModuleType) -> None:
    page = make.text()
    declared = dict(parameters(Scenario))
    assert page.count("\n| `") == len(declared) > 40
    for path, one in declared.items():
        rows = [line for line in page.split("\n") if line.startswith(f"| `{path[-1]}` |") and one.about in line]
        assert any(one.source in row for row in rows)


def test_another_model_would_make_another_page(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Parameters):
        speed_um_per_h: float = quantity(3.0, unit="um/h", ge=0, source="assumed", about="how fast")

    before = make.text()
    monkeypatch.setattr(make, "Scenario", Other)
    assert make.text() != before
    assert "| `speed_um_per_h` | µm/h | `3.0` | at least 0 | how fast | assumed |" in make.text()
