"""Choosing by rank: every candidate has a draw, and the lowest win. So a choice is a pure function of key and lattice."""

from collections.abc import Iterable

import numpy as np

from ..kernels.draws import Purpose, Stamp, host_draw


def lowest_draws(candidates: Iterable[np.ndarray], count: int, stamp: Stamp, purpose: Purpose) -> np.ndarray:
    """Of candidates that come in parts, the `count` with the lowest draws, lowest first (ties: lower index)."""
    best = np.empty(0, dtype=np.int64)
    draws = np.empty(0, dtype=np.uint32)
    for part in candidates:
        best, draws = np.concatenate([best, part]), np.concatenate([draws, host_draw(part, stamp, purpose)])
        if len(best) > 4 * count + (1 << 16):
            keep = lowest(draws, count)
            best, draws = best[keep], draws[keep]
    return best[lowest(draws, count)]


def lowest(rank: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` lowest ranks, lowest first; equal ranks in order of position."""
    return np.argsort(rank, kind="stable")[:count]
