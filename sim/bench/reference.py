"""Our own C/OpenMP reference (benchmarks/reference/diffusion7.c), compiled when it is needed.

It is not in the wheel: a user needs no C compiler, and the comparison is for whoever has the sources.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[2] / "benchmarks" / "reference" / "diffusion7.c"
FLAGS = ("-O3", "-march=native", "-fopenmp", "-std=c11", "-shared", "-fPIC")


class NoReference(Exception):
    """The reference cannot be had here; the message says why."""


class Reference:
    """The compiled functions. Arrays are C-contiguous f4; `threads` OpenMP threads compute."""

    def __init__(self, library: ctypes.CDLL, compiler: str) -> None:
        self.compiler = compiler
        self._library = library
        array, number, count = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS"), ctypes.c_float, ctypes.c_int
        for form in (library.diffuse7_plain, library.diffuse7_tuned):
            form.argtypes = [count, count, count, array, array, number, number, count]
            form.restype = None
        library.triad.argtypes = [ctypes.c_longlong, array, array, array, number, count]
        library.triad.restype = None

    @classmethod
    def built(cls) -> "Reference":
        """Compiled once per process. Raises NoReference."""
        return cls(*_library())

    def diffuse(
        self, form: str, now: np.ndarray, after: np.ndarray, exchange: float, decay: float, threads: int
    ) -> None:
        """One explicit 7-point step, walls of zero flux; `form` is "plain" or "tuned". now, after (nz, ny, nx)."""
        getattr(self._library, f"diffuse7_{form}")(*now.shape, now, after, exchange, decay, threads)

    def triad(self, a: np.ndarray, b: np.ndarray, c: np.ndarray, scale: float, threads: int) -> None:
        """a = b + scale * c"""
        self._library.triad(a.size, a, b, c, scale, threads)


@cache
def _library() -> tuple[ctypes.CDLL, str]:
    if not SOURCE.is_file():
        raise NoReference("the C reference is in the source repository, not in the wheel")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NoReference("no C compiler")
    # idle OpenMP threads would otherwise spin, and slow what is measured next
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory(prefix="seedsoil-bench-") as folder:
        target = Path(folder) / "diffusion7.so"
        command = [compiler, *FLAGS, str(SOURCE), "-o", str(target)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                raise NoReference(f"{compiler} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
            library = ctypes.CDLL(str(target))
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoReference(f"the C reference does not load: {error}") from None
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return library, f"{version} {' '.join(FLAGS[:3])}"
