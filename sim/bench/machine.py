"""The machine of a measurement, described so that a figure can be read years later."""

import os
import platform
from pathlib import Path
from typing import Any

from .. import provenance
from ..device import Device, free_bytes


def described(device: Device) -> dict[str, Any]:
    """Processor or GPU, threads, memory (bytes), caches, system, versions, and how busy the machine is."""
    found: dict[str, Any] = {
        "device": provenance.machine(device),
        "arch": device.arch,
        "threads": device.threads,
        "logical_cpus": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "caches": caches(),
        "system": platform.platform(),
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "load_average": list(os.getloadavg()),
    }
    if device.arch == "cuda":
        runtime = device.xp.cuda.runtime
        found["gpu"] = {
            "memory_bytes": int(device.xp.cuda.Device().mem_info[1]),
            "free_bytes": free_bytes(device),
            "driver_version": runtime.driverGetVersion(),
            "runtime_version": runtime.runtimeGetVersion(),
        }
    return found


def caches(root: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> dict[str, str]:
    """Level and kind -> size of the first processor's caches; empty where the system does not tell."""
    found = {}
    for index in sorted(root.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        found[f"L{level} {kind.lower()}"] = size
    return found
