"""The copy rate of the device: what other rates of a run are fractions of.

f32 arrays much larger than the caches; a copy counts as one read and one write an element, as STREAM
counts it. On a CPU NumPy copies, one slice a thread (its copy stores past the caches, so nothing is read
that is not counted); on CUDA CuPy copies from device to device.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .. import device as devices
from ..device import Device
from .figures import sampled


def copy_rates(device: Device, elements: int, repeats: int) -> tuple[float, ...]:
    """GB/s of `repeats` copies of an f4 array of `elements`."""
    xp = device.xp
    source, target = xp.ones(elements, dtype=np.float32), xp.zeros(elements, dtype=np.float32)

    def wait() -> None:
        devices.synchronize(device)

    if device.arch == "cuda":
        xp.copyto(target, source)
        times = sampled(lambda: xp.copyto(target, source), wait, repeats, calls=10)
    else:
        cuts = np.linspace(0, elements, device.threads + 1).astype(int).tolist()
        parts = [slice(first, end) for first, end in itertools.pairwise(cuts)]
        with ThreadPoolExecutor(device.threads) as pool:

            def copy() -> None:
                list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))

            copy()
            times = sampled(copy, wait, repeats)
    return tuple(2 * source.nbytes / each / 1e9 for each in times)
