"""What this machine has: Python, packages, threads, memory, CUDA, a Taichi that starts, a cache folder."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from .available import available_memory, cores, gpu_free_bytes, readable_bytes
from .plain_text import printable

_PACKAGES = (
    "taichi",
    "numpy",
    "scipy",
    "h5py",
    "xarray",
    "h5netcdf",
    "pydantic",
    "typer",
    "rich",
    "matplotlib",
    "distributed",
)
_OPTIONAL = {"vtk": "[viz]", "pyvista": "[viz]", "imageio": "[movie]", "SALib": "[sensitivity]"}
_CUPY = ("cupy-cuda13x", "cupy-cuda12x", "cupy")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: `broken` means that nothing can run before it is put right."""

    name: str
    text: str
    broken: bool = False
    advice: str = ""

    def __str__(self) -> str:
        mark = "BAD" if self.broken else "ok " if not self.advice else "-  "
        return f"{mark} {self.name:<10} {self.text}" + (f"\n{'':15}{self.advice}" if self.advice else "")


def examine() -> Iterator[Finding]:
    """Every finding, in the order a reader wants them. Starts Taichi on the CPU."""
    yield _python()
    yield from _packages()
    yield Finding("threads", f"{cores()} CPU cores for this process")
    memory = available_memory()
    yield Finding("memory", f"{readable_bytes(memory)} free" if memory is not None else "unknown")
    yield _cuda()
    yield _cache()
    yield _taichi()


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if fits else "seedsoil needs Python 3.11 to 3.13: Taichi has no other wheels."
    return Finding("python", f"{platform.python_version()} on {platform.platform()}", not fits, advice)


def _packages() -> Iterator[Finding]:
    versions = {name: _version(name) for name in ("seedsoil", *_PACKAGES)}
    missing = [name for name, version in versions.items() if version is None]
    text = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding(
        "packages", text, bool(missing), f"Missing: {', '.join(missing)}. Install seedsoil again." if missing else ""
    )
    extras = {name: _version(name) for name in _OPTIONAL}
    there = ", ".join(f"{name} {version}" for name, version in extras.items() if version)
    lacking = ", ".join(f"{name} {_OPTIONAL[name]}" for name, version in extras.items() if not version)
    yield Finding("extras", "; ".join(part for part in (there, f"not installed: {lacking}" if lacking else "") if part))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cuda() -> Finding:
    cupy = next((f"{name} {version}" for name in _CUPY if (version := _version(name))), None)
    free = gpu_free_bytes()
    if free is None:
        return Finding("cuda", "no NVIDIA GPU that the driver shows; the CPU is used")
    text = f"a GPU with {readable_bytes(free)} free"
    if cupy is None:
        return Finding("cuda", f"{text}, no CuPy", advice="Install seedsoil[cuda12] or seedsoil[cuda13] to use it.")
    return Finding("cuda", f"{text}, {cupy}")


def _cache() -> Finding:
    from .device import cache_folder

    folder = cache_folder()
    if folder is None:
        return Finding(
            "cache", "no writable cache folder", advice="Set SEEDSOIL_CACHE to one: kernels compile anew in every run."
        )
    return Finding("cache", printable(str(folder), 4096))


def _taichi() -> Finding:
    try:
        from .device import start

        device = start("cpu")
    except Exception as error:  # whatever it is, it is what the doctor was asked for
        advice = "Try a new environment: python3 -m venv, then install seedsoil in it."
        return Finding("taichi", printable(f"does not start: {type(error).__name__}: {error}", 500), True, advice)
    return Finding("taichi", f"starts on {device.arch} with {device.threads} threads")
