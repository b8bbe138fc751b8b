"""Where a run comes from: the versions, the machine and the commit that its files record."""

import platform
from importlib import metadata
from pathlib import Path

from .device import Device

_PACKAGES = ("seedsoil", "taichi", "numpy", "h5py", "cupy-cuda12x", "cupy-cuda13x")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run's bits depend on, where installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine(device: Device) -> str:
    """One line: the processor or GPU, and the threads."""
    if device.arch == "cuda":
        properties = device.xp.cuda.runtime.getDeviceProperties(0)
        return f"cuda: {properties['name'].decode()}"
    return f"cpu: {_processor()}, {device.threads} threads"


def commit() -> str:
    """The commit of the checkout this package runs from; empty for an installed wheel."""
    git = Path(__file__).resolve().parents[1] / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        ref = head.removeprefix("ref: ")
        loose = git / ref
        if loose.exists():
            return loose.read_text().strip()
        for line in (git / "packed-refs").read_text().splitlines():
            if line.endswith(" " + ref):
                return line.split()[0]
    except OSError:
        pass
    return ""


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
