"""Frames to compressed chunks: cut, round, shuffle and deflate in threads, store directly.

HDF5's own filter pipeline runs under its global lock, on one core. zlib releases the GIL, so the
writer makes each chunk's bytes itself, exactly as HDF5's shuffle and deflate filters would, and
hands them over with `write_direct_chunk`. Any HDF5 reader undoes them.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from .deflate import deflated

TARGET_VOXELS = 1 << 18
IN_FLIGHT = 32  # compressed chunks that may wait for the disk: bounds the writer's memory


def chunk_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """At most TARGET_VOXELS voxels: halve the longest edge until it fits."""
    edges = list(shape)
    while np.prod(edges, dtype=np.int64) > TARGET_VOXELS:
        longest = edges.index(max(edges))
        edges[longest] = -(-edges[longest] // 2)
    return tuple(edges)


def round_bits(values: np.ndarray, keep: int) -> np.ndarray:
    """f4 values rounded to `keep` mantissa bits, half to even; not finite stays as it is."""
    drop = 23 - keep
    if drop == 0:
        return values
    bits = values.view(np.uint32)
    rounded = bits >> np.uint32(drop)
    rounded &= np.uint32(1)
    rounded += np.uint32((1 << (drop - 1)) - 1)
    rounded += bits
    rounded &= np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)
    finite = np.isfinite(values)
    if not finite.all():
        rounded = np.where(finite, rounded, bits)
    return rounded.view(np.float32)


def encode(block: np.ndarray, chunk: tuple[int, ...], keep_bits: int | None) -> bytes:
    """A block of at most `chunk` voxels as the bytes of one HDF5 chunk: padded, shuffled, deflated."""
    if keep_bits is not None:
        block = round_bits(np.ascontiguousarray(block), keep_bits)
    if block.shape != chunk:
        padded = np.zeros(chunk, block.dtype)
        padded[tuple(slice(n) for n in block.shape)] = block
        block = padded
    raw = np.ascontiguousarray(block).reshape(-1)
    words = raw.view(f"u{raw.itemsize}")  # bits, so that NaN equals itself
    if words[0] == words[-1] and (words == words[0]).all():
        return _uniform(raw[:1].tobytes(), raw.size)
    return deflated(raw)


@lru_cache(64)
def _uniform(value: bytes, count: int) -> bytes:
    """A chunk of one value: most of a large lattice."""
    return deflated(np.frombuffer(value * count, f"V{len(value)}"))


def blocks(shape: tuple[int, ...], chunk: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """First voxel of every chunk, x fastest."""
    yield from product(*(range(0, n, c) for n, c in zip(shape, chunk, strict=True)))


def write_frame(dataset: Any, frame: int, values: np.ndarray, keep_bits: int | None, pool: Executor) -> None:
    """Store values (nz, ny, nx) as `dataset[frame]`; the dataset already reaches that far."""
    chunk = dataset.chunks[1:]
    waiting: deque[tuple[tuple[int, ...], Future[bytes]]] = deque()

    def store() -> None:
        origin, encoded = waiting.popleft()
        dataset.id.write_direct_chunk((frame, *origin), encoded.result())

    for origin in blocks(values.shape, chunk):
        block = values[tuple(slice(o, o + c) for o, c in zip(origin, chunk, strict=True))]
        waiting.append((origin, pool.submit(encode, block, chunk, keep_bits)))
        if len(waiting) >= IN_FLIGHT:
            store()
    while waiting:
        store()
