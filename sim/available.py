"""How much memory and disk this process may still take: the machine's, or its control group's if that is less."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes, or None where nothing says. `root` stands in for `/` in tests.

    The least of what /proc/meminfo calls available and what is left below the limit of each control
    group around this process (versions 1 and 2), where file cache that can be dropped counts as free.
    """
    found = [_meminfo(root / "proc/meminfo"), *_group_memory(root)]
    known = [value for value in found if value is not None]
    return max(0, min(known)) if known else None


def free_disk(path: Path) -> int | None:
    """Bytes a file below `path` may take; `path` need not exist yet. None where nothing says."""
    folder = path.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def readable_bytes(count: float) -> str:
    """`1.5 GiB`"""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"


def _meminfo(file: Path) -> int | None:
    for line in _lines(file):
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split():
            return int(rest.split()[0]) * 1024
    return None


def _group_memory(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            mount, limit, used, cache = (
                "memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        elif number == "0" and not controllers:
            mount, limit, used, cache = "", "memory.max", "memory.current", "inactive_file"
        else:
            continue
        base = root / "sys/fs/cgroup" / mount
        group = base / path.strip("/")
        # in a container the path may lead out of what is mounted: then only the mount itself counts
        for folder in (group, *group.parents):
            if folder == base or base in folder.parents:
                left = _left(folder / limit, folder / used, folder / "memory.stat", cache)
                if left is not None:
                    yield left


def _left(limit: Path, used: Path, stat: Path, cache: str) -> int | None:
    most, now = _number(limit), _number(used)
    if most is None or now is None or most >= 2**60:  # version 1 writes "no limit" as a huge number
        return None
    droppable = 0
    for line in _lines(stat):
        name, _, value = line.partition(" ")
        if name == cache and value.isdigit():
            droppable = int(value)
    return most - max(0, now - droppable)


def _number(file: Path) -> int | None:
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdigit() else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return []


def cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_free_bytes() -> int | None:
    """Free memory of the GPU that CUDA would use, as the driver's `nvidia-smi` tells it; None if it does not."""
    tool = shutil.which("nvidia-smi")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if tool is None or visible in ("", "-1"):
        return None
    which = ["-i", visible.split(",")[0]] if visible else []
    try:
        found = subprocess.run(
            [tool, *which, "--query-gpu=memory.free", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    first = found.stdout.split("\n")[0].strip()
    return int(first) * 2**20 if first.isdigit() else None


def cuda_is_likely() -> bool:
    """Whether `--device auto` would take CUDA: CuPy is installed and the driver sees a GPU."""
    return importlib.util.find_spec("cupy") is not None and gpu_free_bytes() is not None
