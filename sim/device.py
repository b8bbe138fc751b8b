"""Starting Taichi once per process, and choosing where the arrays live.

Everything here was met in practice: `ti.init` is global and drops compiled kernels, so it runs once;
inherited `TI_*` variables would override the arguments (kernels/__init__.py drops them); a banner goes
to stdout during start; `arch=cuda` without a device silently becomes a CPU; a killed process leaves a
lock in the offline cache that disables it for good; an offline cache that is off needs a folder all the same, or the
process ends in a segmentation fault.
"""

import contextlib
import functools
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..kernels import somewhere_to_cache
from ..kernels.lattice import Lattice
from .errors import InputError


@dataclass(frozen=True)
class Device:
    """Where this process computes."""

    arch: str  # "cpu" or "cuda"
    threads: int
    xp: Any  # numpy or cupy

    def lattice(self, shape: tuple[int, int, int]) -> Lattice:
        """The lattice of a shape in the loop form that suits this device."""
        return Lattice.of(shape, form="voxels" if self.arch == "cuda" else "rows", threads=self.threads)

    def array(self, host: np.ndarray) -> Any:
        """A host array as an array of this device (the same array on a CPU)."""
        return np.ascontiguousarray(host) if self.arch == "cpu" else self.xp.asarray(host)


def _read_sources_once() -> None:
    """Taichi looks up and tokenizes the source of a function wherever it is called in a kernel.

    That was a quarter of the time that a tissue's kernels take until their first launch, read from the cache.
    """
    from taichi.lang import kernel_impl

    for name in ("getsourcefile", "getsourcelines"):
        setattr(kernel_impl, name, functools.cache(getattr(kernel_impl, name)))


# far above any machine; Taichi would try to start as many as it is told
_THREADS_MAX = 4096
_started: Device | None = None


def start(arch: str = "auto", threads: int | None = None) -> Device:
    """Start Taichi on "cpu", "cuda" or "auto" (CUDA if a device and CuPy are there).

    Once per process: a later call with other wishes raises InputError, as does a device that is not there.
    """
    global _started
    if arch not in ("auto", "cpu", "cuda"):
        raise InputError(f"device: needs auto, cpu or cuda (got {arch!r})")
    if threads is not None and threads < 1:
        raise InputError(f"threads: needs a whole number of at least 1 (got {threads})")
    if threads is not None and threads > _THREADS_MAX:
        raise InputError(f"threads: at most {_THREADS_MAX} (got {threads})")
    if _started is not None:
        if arch not in ("auto", _started.arch) or threads not in (None, _started.threads):
            raise InputError(
                f"this process already computes on {_started.arch} with {_started.threads} threads; "
                "start another process for another device or number of threads"
            )
        return _started
    cupy = None if arch == "cpu" else _cupy()
    if arch == "cuda" and cupy is None:
        raise InputError(
            "device: cuda was asked for, but CuPy finds no CUDA device; install seedsoil[cuda12] or "
            "seedsoil[cuda13] on a machine with an NVIDIA GPU, or use --device cpu"
        )
    wanted = "cuda" if cupy is not None else "cpu"
    count = threads or _cores()
    import taichi as ti

    _read_sources_once()
    cache = cache_folder()
    _remove_dead_lock(cache)
    with _quiet_stdout(), somewhere_to_cache():
        ti.init(
            arch=ti.cuda if wanted == "cuda" else ti.cpu,
            cpu_max_num_threads=count,
            fast_math=False,
            default_fp=ti.f32,
            default_ip=ti.i32,
            offline_cache=cache is not None,
            # looked at when the process ends even if the cache is off; nothing is written or removed there then
            offline_cache_file_path=str(cache or os.sep),
            offline_cache_cleaning_policy="lru" if cache is not None else "never",
            log_level=ti.ERROR,
        )
    got = "cuda" if ti.cfg.arch == ti.cuda else "cpu"
    if got != wanted:
        raise InputError(f"device: asked Taichi for {wanted}, it started on {got}; use --device {got}")
    _started = Device(wanted, count, cupy if wanted == "cuda" else np)
    return _started


def cache_folder() -> Path | None:
    """Where compiled kernels are kept: $SEEDSOIL_CACHE, else seedsoil/ in the user's cache. None if not writable."""
    named = os.environ.get("SEEDSOIL_CACHE")
    try:
        base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seedsoil"
        folder = base / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: nobody knows a home folder
        return None
    return folder if os.access(folder, os.W_OK) else None


def free_bytes(device: Device) -> int | None:
    """Free memory of the GPU; None on a CPU."""
    return int(device.xp.cuda.Device().mem_info[0]) if device.arch == "cuda" else None


def synchronize(device: Device) -> None:
    """Wait until the device has done all that was launched."""
    if device.arch == "cuda":
        device.xp.cuda.Device().synchronize()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cupy() -> Any:
    """CuPy if it is installed and sees a device, else None."""
    try:
        import cupy
    except ImportError:
        return None
    try:
        return cupy if cupy.cuda.runtime.getDeviceCount() > 0 else None
    except cupy.cuda.runtime.CUDARuntimeError:
        return None


def _remove_dead_lock(cache: Path | None) -> None:
    """Drop the cache's lock when no live process can hold it: it is older than a minute."""
    if cache is None:
        return
    import time

    for lock in cache.rglob("ticache.lock"):
        with contextlib.suppress(OSError):
            # Taichi holds it for milliseconds while it reads or writes the index
            if time.time() - lock.stat().st_mtime > 60.0:
                lock.unlink()


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Keep what Taichi prints while it starts off stdout, which may be piped into another program."""
    sys.stdout.flush()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            saved = os.dup(1)
        except OSError:
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 1)
            yield
        finally:
            os.dup2(saved, 1)
            os.close(null)
            os.close(saved)
