"""seedsoil: the invasion-metastasis cascade in 3-D, on CPU and GPU, reproducible to the bit.

The public names are loaded on first use, so that `import seedsoil.outputs.reader` on a laptop
never loads Taichi. They stand in one fixed table; anything else is an AttributeError.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# name -> module that defines it (absolute: pytest imports this file by itself)
_PUBLIC = {
    "run": "seedsoil.sim.run",
    "Run": "seedsoil.outputs.reader",
    "Scenario": "seedsoil.sim.scenario",
    "load_scenario": "seedsoil.sim.scenario_file",
    "evaluate": "seedsoil.sim.run",
    "open_run": "seedsoil.outputs.reader",
    "fit_shedding": "seedsoil.outputs.shedding",
}

__all__ = ["__version__", *_PUBLIC]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'seedsoil' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
