"""check_wheel.py SOURCES: the installed seedsoil is whole, and imports with the core dependencies alone.

Run with `python -I`, from outside the checkout, by an environment that holds the wheel and nothing
else. SOURCES is a clean export of the repository; what it holds in the package's folders has to be
in the wheel, file by file, so a forgotten package or data file is caught here.
"""

import importlib
import pkgutil
import sys
import tomllib
from pathlib import Path


def main(sources: Path) -> list[str]:
    """The complaints; none if the wheel is good."""
    import seedsoil

    installed = Path(seedsoil.__file__).parent
    if sources in installed.parents or installed == sources:
        return [f"seedsoil was imported from {installed}, not from the wheel"]

    project = tomllib.loads((sources / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["setuptools"]["packages"]
    folders = {package.split(".")[1] for package in packages if "." in package}
    wanted = set(sources.glob("*.py"))
    wanted |= {path for folder in folders for path in (sources / folder).rglob("*") if path.is_file()}
    names = {str(path.relative_to(sources)) for path in wanted if path.suffix != ".md"}
    complaints = [f"not in the wheel: {name}" for name in sorted(names) if not (installed / name).is_file()]
    files = [path for path in installed.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    shipped = {str(path.relative_to(installed)) for path in files}
    complaints += [f"in the wheel alone: {name}" for name in sorted(shipped - names)]
    if not (installed / "scenarios" / "quickstart.toml").is_file():
        complaints.append("not in the wheel: scenarios/quickstart.toml")

    found = pkgutil.walk_packages(seedsoil.__path__, "seedsoil.", complaints.append)
    modules = ["seedsoil", *(module.name for module in found)]
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:  # SystemExit too: an import must not end the process
            complaints.append(f"does not import: {module} ({type(error).__name__}: {error})")
    print(f"{len(modules)} modules and {len(names)} files of the wheel looked at", flush=True)
    return complaints


if __name__ == "__main__":
    wrong = main(Path(sys.argv[1]).resolve())
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)
