"""The package keeps the rules of layering.py, and each rule fails on a planted violation."""

import pytest
from layering import cycle, import_graph, sources, violations


def test_the_package_keeps_the_rules() -> None:
    files = sources()
    assert {"__init__.py", "kernels/draws.py", "outputs/__init__.py"} <= files.keys()
    complaints = [complaint for path, source in files.items() for complaint in violations(path, source)]
    assert not complaints, "\n" + "\n".join(complaints)


def test_no_module_imports_itself_by_a_detour() -> None:
    assert cycle(import_graph(sources())) == []


def test_a_planted_cycle_is_found() -> None:
    planted = {
        "sim/tissue.py": "from .implant import ball\n",
        "sim/implant.py": "from . import vessels\n",
        "sim/vessels.py": "from .tissue import Tissue\n",
    }
    assert cycle(import_graph(planted)) == ["sim.implant", "sim.vessels", "sim.tissue", "sim.implant"]
    planted["sim/vessels.py"] = "def later():\n    from .tissue import Tissue\n"
    assert cycle(import_graph(planted)) == []


PLANTED = [
    ("outputs/figures.py", "import taichi as ti", "taichi is imported in"),
    ("sim/step.py", "from taichi.lang import impl", "taichi is imported in"),
    ("__main__.py", "def main():\n    import taichi", "taichi is imported in"),
    ("sim/run.py", "from importlib import import_module\nimport_module('taichi')", "taichi is imported in"),
    ("sim/tissue.py", "import cupy", "cupy is imported in sim/device.py only"),
    ("kernels/launch.py", "def f():\n    import cupy", "cupy is imported in sim/device.py only"),
    ("sim/device.py", "import cupy", "lazily"),
    ("sim/device.py", "from cupy.cuda import Device", "lazily"),
    ("outputs/reader.py", "from ..sim.scenario import Scenario", "outputs may not import parts"),
    ("outputs/reader.py", "from ..sim import run", "outputs may not import run"),
    ("outputs/report.py", "def f():\n    from ..kernels import draws", "outputs may not import kernels"),
    ("outputs/report.py", "from .. import kernels", "outputs may not import kernels"),
    ("outputs/report.py", "from seedsoil.sim.run import run", "outputs may not import run"),
    ("kernels/motility.py", "from ..sim.tissue import Tissue", "kernels may not import parts"),
    ("kernels/motility.py", "from ..outputs import schema", "kernels may not import outputs"),
    ("sim/body/organs.py", "from ..step import step", "parts may not import step"),
    ("sim/body/organs.py", "from .. import run", "parts may not import run"),
    ("sim/clinic/therapy.py", "from ..cli import app", "parts may not import commands"),
    ("sim/clinic/therapy.py", "from ...__main__ import main", "parts may not import commands"),
    ("sim/tissue.py", "from .step import step", "parts may not import step"),
    ("sim/tissue.py", "from ..outputs.writer import write", "parts may not import outputs"),
    ("sim/step.py", "from .run import run", "step may not import run"),
    ("sim/step.py", "if TYPE_CHECKING:\n    from .batch import sweep", "step may not import batch"),
    ("sim/step.py", "from .simulation import Simulation", "step may not import simulation"),
    ("sim/simulation.py", "from .cli.show import table", "simulation may not import commands"),
    ("sim/simulation.py", "from ..outputs.recorder import Recorder", "simulation may not import outputs"),
    ("sim/run.py", "from .batch import sweep", "run may not import batch"),
    ("sim/drive.py", "from .cli import app", "run may not import commands"),
    ("sim/run.py", "from seedsoil.sim.step import step", "imports are relative"),
    ("kernels/draws.py", "import seedsoil", "imports are relative"),
    ("kernels/motility.py", "import taichi as ti\nx = ti.random()", "never ti.random"),
    ("kernels/motility.py", "import taichi\nx = taichi.randn()", "never ti.randn"),
    ("kernels/motility.py", "from taichi import random", "never ti.random"),
    ("kernels/motility.py", "from __future__ import annotations", "none is postponed"),
    ("sim/checkpoint.py", "import pickle", "no pickle"),
    ("outputs/reader.py", "def f():\n    from dill import loads", "no pickle"),
    ("outputs/reader.py", "np.load(path, allow_pickle=True)", "no pickle"),
    ("outputs/reader.py", "frame.to_pickle(path)", "no pickle"),
    ("kernels/long.py", "x = 1\n" * 301, "301 lines"),
    ("sim/body/utils.py", "", "names no part of the domain"),
    ("outputs/common/axes.py", "", "names no part of the domain"),
]


@pytest.mark.parametrize(("path", "source", "complaint"), PLANTED)
def test_a_planted_violation_is_found(path: str, source: str, complaint: str) -> None:
    assert any(complaint in found for found in violations(path, source))


def test_what_the_rules_allow_is_not_complained_about() -> None:
    allowed = [
        ("kernels/motility.py", "import taichi as ti\nfrom . import draws\nfrom .lattice import Lattice"),
        ("kernels/draws.py", "import numpy as np\nx = np.random.default_rng(1)"),
        ("sim/device.py", "import taichi as ti\ndef start():\n    import cupy"),
        (
            "sim/body/organs.py",
            "from ...kernels import draws\nfrom ..tissue import Tissue\nfrom . import arrest",
        ),
        ("sim/step.py", "from ..kernels.motility import move\nfrom .tissue import Tissue"),
        (
            "sim/run.py",
            "from .step import step\nfrom ..outputs.recorder import Recorder\nfrom .. import __version__",
        ),
        ("sim/batch.py", "from .run import run\nfrom ..outputs import reader"),
        ("sim/cli.py", "from .batch import sweep\nfrom ..outputs.report import write"),
        ("__main__.py", "from .sim.cli import app"),
        ("outputs/report.py", "from .. import __version__"),
        ("sim/cli/show.py", "from ..run import run\nfrom . import exits"),
        ("sim/observe.py", "from .simulation import Simulation"),
        ("outputs/reader.py", "import h5py\nfrom .schema import FIELDS\nnp.load(path, allow_pickle=False)"),
        ("outputs/long.py", "x = 1\n" * 300),
    ]
    for path, source in allowed:
        assert violations(path, source) == []
