"""Who may import whom, read from the sources: docs and diagrams drift, imports do not.

The rules are functions of a path and its source text, so that test_layering.py can hold them against
the package and also show each to fail on a planted violation.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE_FOLDERS = ("kernels", "sim", "outputs", "scenarios")
LINES_MAX = 300
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "joblib", "marshal"}

# Imports point down. A folder stands for all that is in it. A module of `sim` that is not named here is
# one of the parts that the step uses (scenario, tissue, device, implant, body, clinic ...): it may import
# parts and kernels, no more.
KERNELS, OUTPUTS, PARTS = "kernels", "outputs", "parts"
STEP, SIMULATION, RUN, BATCH, COMMANDS = "step", "simulation", "run", "batch", "commands"
LAYER_OF = {
    "kernels": KERNELS,
    "outputs": OUTPUTS,
    "sim.step": STEP,
    "sim.simulation": SIMULATION,
    "sim.emitting": SIMULATION,
    "sim.observe": SIMULATION,
    "sim.state": SIMULATION,
    "sim.run_folder": RUN,
    "sim.recording": RUN,
    "sim.drive": RUN,
    "sim.run": RUN,
    "sim.resume": RUN,
    "sim.noted": RUN,
    "sim.doctor": RUN,
    "sim.bench": BATCH,
    "sim.calibrate": BATCH,
    "sim.batch": BATCH,
    "sim.cohort": BATCH,
    "sim.cli": COMMANDS,
    "__main__": COMMANDS,
}
MAY_IMPORT = {
    KERNELS: {KERNELS},
    OUTPUTS: {OUTPUTS},
    PARTS: {PARTS, KERNELS},
    STEP: {STEP, PARTS, KERNELS},
    SIMULATION: {SIMULATION, STEP, PARTS, KERNELS},
    RUN: {RUN, SIMULATION, STEP, PARTS, KERNELS, OUTPUTS},
    BATCH: {BATCH, RUN, SIMULATION, STEP, PARTS, KERNELS, OUTPUTS},
    COMMANDS: {COMMANDS, BATCH, RUN, SIMULATION, STEP, PARTS, KERNELS, OUTPUTS},
}


class Import(NamedTuple):
    """One imported name. `module` is absolute, or relative to the package root ("sim.body") if `inside`."""

    module: str
    line: int
    inside: bool
    relative: bool
    lazy: bool  # stands in a function


def module_of(path: str) -> str:
    """ "sim/body/arrest.py" -> "sim.body.arrest"; a package is named by its folder, the root by ""."""
    parts = list(Path(path).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str:
    """The layer of a module, or of a name in one; both are dotted names from the package root."""
    while module:
        if module in LAYER_OF:
            return LAYER_OF[module]
        module = module.rpartition(".")[0]
    return PARTS


def imports(path: str, source: str) -> Iterator[Import]:
    """Every import of a source file: statements and `import_module("...")`, wherever they stand."""
    tree = ast.parse(source, filename=path)
    package = Path(path).parent.parts  # of a module and of an __init__ alike
    in_functions = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }

    def found(name: str, node: ast.stmt | ast.expr, relative: bool = False) -> Import:
        inside = relative or name.split(".")[0] == "seedsoil"
        module = name if relative else name.removeprefix("seedsoil").removeprefix(".") if inside else name
        return Import(module, node.lineno, inside, relative, id(node) in in_functions)

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield found(alias.name, node)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package[: len(package) - (node.level - 1)]
                base = ".".join([*above, *([base] if base else [])])
            # `from ..kernels import motility` names a module or a name in one: both spellings are kept
            for alias in node.names:
                yield found(f"{base}.{alias.name}" if base else alias.name, node, node.level > 0)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield found(node.args[0].value, node)


def layer_violations(path: str, source: str) -> Iterator[str]:
    """Imports that point up or across, and absolute imports of the package by itself."""
    module = module_of(path)
    if module == "":
        return  # the root is lazy, a table of names: test_package.py
    layer = layer_of(module)
    for found in imports(path, source):
        if not found.inside:
            continue
        if not found.relative:
            yield f"{path}:{found.line}: inside the package imports are relative"
        if found.module == "__version__":
            continue
        target = layer_of(found.module)
        if target not in MAY_IMPORT[layer]:
            yield f"{path}:{found.line}: {layer} may not import {target} ({found.module}; see LAYER_OF)"


def outside_violations(path: str, source: str) -> Iterator[str]:
    """Taichi, CuPy and pickling, each where it has no place."""
    for found in imports(path, source):
        top = "" if found.inside else found.module.split(".")[0]
        where = f"{path}:{found.line}: "
        if top == "taichi" and not (path.startswith("kernels/") or path == "sim/device.py"):
            yield where + "taichi is imported in kernels/ and sim/device.py only"
        if top in ("cupy", "cupyx", "cupy_backends"):
            if path != "sim/device.py":
                yield where + "cupy is imported in sim/device.py only"
            elif not found.lazy:
                yield where + "cupy is imported lazily, in a function"
        if top in PICKLES:
            yield where + f"no pickle anywhere ({top})"


def source_violations(path: str, source: str) -> Iterator[str]:
    """What a source may not say, whatever it imports: stateful draws, postponed annotations, pickles."""
    tree = ast.parse(source, filename=path)
    in_kernels = path.startswith("kernels/")
    taichi_names = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] == "taichi"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if in_kernels and node.module == "__future__" and "annotations" in names:
                yield f"{path}:{node.lineno}: Taichi reads annotations, so none is postponed in kernels"
            if (node.module or "").split(".")[0] == "taichi" and any(name.startswith("rand") for name in names):
                yield f"{path}:{node.lineno}: draws are kernels/draws.py, never ti.random"
        elif isinstance(node, ast.Attribute) and node.attr in ("random", "randn"):
            if isinstance(node.value, ast.Name) and node.value.id in taichi_names:
                yield f"{path}:{node.lineno}: draws are kernels/draws.py, never ti.{node.attr}"
        elif isinstance(node, ast.Attribute) and node.attr in ("to_pickle", "read_pickle"):
            yield f"{path}:{node.lineno}: no pickle anywhere ({node.attr})"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield f"{path}:{node.value.lineno}: no pickle anywhere (allow_pickle)"


def size_violations(path: str, source: str) -> Iterator[str]:
    """Files too long to read at a sitting, and names that say nothing."""
    lines = len(source.splitlines())
    if lines > LINES_MAX and path.startswith(("kernels/", "sim/", "outputs/")):
        yield f"{path}: {lines} lines, at most {LINES_MAX}"
    for part in Path(path).with_suffix("").parts:
        if part in VAGUE_NAMES:
            yield f"{path}: '{part}' names no part of the domain"


RULES = (layer_violations, outside_violations, source_violations, size_violations)


def violations(path: str, source: str) -> list[str]:
    """All that one file does against the rules; `path` is relative to the repository, with slashes."""
    return [complaint for rule in RULES for complaint in rule(path, source)]


def sources() -> dict[str, str]:
    """path -> text of every module of the package."""
    paths = list(ROOT.glob("*.py")) + [path for folder in PACKAGE_FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(paths)}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph as the names along it, or nothing."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph[name]):
            if found := walk(target, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


def import_graph(files: dict[str, str]) -> dict[str, set[str]]:
    """module -> modules it imports when it is itself imported (not those in functions)."""
    modules = {module_of(path) for path in files}
    graph: dict[str, set[str]] = {}
    for path, source in files.items():
        targets = set()
        for found in imports(path, source):
            if found.inside and not found.lazy:
                name = found.module if found.module in modules else found.module.rpartition(".")[0]
                targets.add(name)
        graph[module_of(path)] = (targets & modules) - {"", module_of(path)}
    return graph
