"""The protease in plain NumPy: mirrored edges stand in for walls, one f32 operation at a time."""

import numpy as np

from seedsoil.kernels.solute import SoluteRates


def diffuse(protease: np.ndarray, cell: np.ndarray, emt: np.ndarray, rates: SoluteRates) -> np.ndarray:
    """protease (nz, ny, nx) f4 after one tick; tumour cells (code 1) secrete in proportion to emt."""
    now = protease.astype(np.float32)
    exchange, decay, secretion = (np.float32(value) for value in (rates.exchange, rates.decay, rates.secretion))
    source = np.where(cell == 1, secretion * emt.astype(np.float32), np.float32(0))
    axes = (2, 1) if now.shape[0] == 1 else (2, 1, 0)
    for substep in range(rates.substeps):
        if substep == rates.substeps - 1 and rates.decay_at_last is not None:
            decay = np.float32(rates.decay_at_last)
        around = np.zeros_like(now)
        for axis in axes:
            first, last = now.take([0], axis), now.take([-1], axis)
            around = around + np.concatenate([first, now], axis).take(range(now.shape[axis]), axis)
            around = around + np.concatenate([now, last], axis).take(range(1, now.shape[axis] + 1), axis)
        inflow = exchange * (around - np.float32(2 * len(axes)) * now)
        now = ((now + inflow) - decay * now) + source
    return now
