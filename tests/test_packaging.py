"""What a wheel will hold and what it needs, checked without building one (.ci/run builds it)."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_SHIPPED = {"tests", "docs", "benchmarks", "build", "dist", "runs"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").splitlines()


def package_folders(root: Path) -> list[Path]:
    """The folders at the top of a checkout that belong to the package."""
    return [
        folder
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", "_"))
        if folder.name not in NOT_SHIPPED and folder.suffix != ".egg-info"
    ]


def packages_on_disk(root: Path) -> set[str]:
    """Dotted names of the folders that hold Python modules, as `packages` has to list them."""
    folders = {module.parent for top in package_folders(root) for module in top.rglob("*.py")}
    return {"seedsoil", *(".".join(["seedsoil", *folder.relative_to(root).parts]) for folder in folders)}


def data_left_out(root: Path, package_data: dict[str, list[str]]) -> set[str]:
    """Files in the package's folders that are neither modules nor matched by a pattern of package-data."""
    present = {path for top in package_folders(root) for path in top.rglob("*") if path.is_file()}
    shipped: set[Path] = set()
    for package, patterns in package_data.items():
        folder = root.joinpath(*package.split(".")[1:])
        shipped |= {path for pattern in patterns for path in folder.glob(pattern)}
    left = {path for path in present - shipped if path.suffix not in (".py", ".pyc", ".md")}
    return {path.relative_to(root).as_posix() for path in left}


def canonical(requirement: str) -> str:
    """The normalised name in "Name>=1.0" or "name==1.0"."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]).lower()


def test_every_folder_with_modules_is_a_listed_package() -> None:
    assert set(SETUPTOOLS["packages"]) == packages_on_disk(ROOT)
    for package in SETUPTOOLS["packages"]:
        assert ROOT.joinpath(*package.split(".")[1:], "__init__.py").is_file(), package


def test_every_data_file_is_shipped() -> None:
    assert data_left_out(ROOT, SETUPTOOLS["package-data"]) == set()


def test_a_forgotten_folder_or_data_file_would_be_noticed(tmp_path: Path) -> None:
    for name in ("sim/clinic/therapy.py", "tests/test_it.py", ".venv/lib/site.py", "build/lib/old.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "sim" / "template.html").touch()
    assert packages_on_disk(tmp_path) == {"seedsoil", "seedsoil.sim.clinic"}
    assert data_left_out(tmp_path, {"seedsoil.sim": ["*.toml"]}) == {"sim/template.html"}
    assert data_left_out(tmp_path, {"seedsoil.sim": ["*.html"]}) == set()


def test_constraints_are_names_and_versions_alone() -> None:
    pins = [line for line in CONSTRAINTS if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in pins)
    assert len({canonical(line) for line in pins}) == len(pins)


@pytest.mark.parametrize("extra", ["", "test"])
def test_what_the_tests_install_is_constrained(extra: str) -> None:
    project = PROJECT["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    assert {canonical(requirement) for requirement in wanted} <= {canonical(line) for line in CONSTRAINTS}


def test_the_version_is_the_root_s() -> None:
    assert f'__version__ = "{PROJECT["project"]["version"]}"' in (ROOT / "__init__.py").read_text("utf-8")
