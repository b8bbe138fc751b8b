"""How fast this machine moves memory: the copy rate, and the STREAM triad of our C reference (CPU)."""

import numpy as np

from .figures import Figure, sampled
from .plan import Bench
from .reference import NoReference, Reference

NAME = "memory"


def measure(bench: Bench) -> list[Figure]:
    size = f"f32, {bench.plan.copy_elements * 4 / 2**20:.0f} MiB an array"
    on_cuda = bench.device.arch == "cuda"
    how = "CuPy, device to device" if on_cuda else f"NumPy, {bench.device.threads} threads"
    figures = [Figure(NAME, "copy rate", "GB/s", bench.copies, "higher", note=f"{how}; {size}")]
    try:
        if on_cuda:
            raise NoReference("the C reference is for CPUs")
        reference = Reference.built()
    except NoReference as reason:
        return [*figures, Figure(NAME, "C triad", "GB/s", better="higher", not_measured=str(reason))]
    rates = triad_rates(reference, bench.device.threads, bench.plan.copy_elements, bench.plan.repeats)
    note = f"a = b + s c, 12 B an element, ordinary stores; {size}; {reference.compiler}"
    return [*figures, Figure(NAME, "C triad", "GB/s", rates, "higher", note=note)]


def triad_rates(reference: Reference, threads: int, elements: int, repeats: int) -> tuple[float, ...]:
    """GB/s of `repeats` triads over f4 arrays of `elements` on the CPU."""
    a, b, c = (np.full(elements, value, dtype=np.float32) for value in (0.0, 1.0, 2.0))

    def triad() -> None:
        reference.triad(a, b, c, 3.0, threads)

    triad()
    if not (a == 7.0).all():
        raise RuntimeError("the C triad computed something else than b + 3 c")
    return tuple(3 * a.nbytes / each / 1e9 for each in sampled(triad, lambda: None, repeats))
