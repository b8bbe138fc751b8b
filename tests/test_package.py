"""The root of the package: lazy, and true to its table of public names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import seedsoil

ROOT = Path(seedsoil.__file__).resolve().parent
HEAVY = ("taichi", "xarray", "dask", "distributed", "h5py", "matplotlib", "vtk", "pyvista", "cupy")


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy modules a fresh interpreter holds after `statement`."""
    code = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def defined_in(source: str) -> set[str]:
    """The names that a module has at its top level."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def test_importing_the_root_loads_nothing_heavy() -> None:
    assert loaded_by("import seedsoil; dir(seedsoil); seedsoil.__version__") == set()


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded_by("import h5py") == {"h5py"}


def test_a_laptop_reads_without_taichi() -> None:
    assert "taichi" not in loaded_by("import seedsoil.outputs.reader")


def test_the_command_line_starts_light() -> None:
    assert loaded_by("import seedsoil.__main__") == set()


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tumour'"):
        _ = seedsoil.tumour
    assert not hasattr(seedsoil, "_ipython_display_")


@pytest.mark.parametrize("name", sorted(set(seedsoil.__all__) - {"__version__"}))
def test_a_public_name_is_where_the_table_says(name: str) -> None:
    module = seedsoil._PUBLIC[name]
    path = ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    assert path.is_file(), f"{module} does not exist"
    names = defined_in(path.read_text("utf-8"))
    assert name in names, f"{module} defines no {name}"


def test_the_listing_is_the_table() -> None:
    assert set(dir(seedsoil)) == set(seedsoil.__all__) == {"__version__", *seedsoil._PUBLIC}
