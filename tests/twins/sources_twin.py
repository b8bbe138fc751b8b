"""What cells and vessels give and take, explicit reaction and binding, in plain NumPy."""

import numpy as np

from seedsoil.kernels.sources import SourceRates

f4 = np.float32


def fill(tissue, rates: SourceRates, blood: float, decay: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(supply, drain, uptake) f4 of `kernels.sources.fill`."""
    cell, emt = tissue.cell, tissue.emt.astype(f4)
    tumour = f4(rates.epithelial) + f4(rates.by_emt) * emt
    if rates.hypoxic > 0:
        lack = (f4(rates.hypoxia_from) - tissue.solutes["oxygen"]) / f4(rates.hypoxia_width)
        tumour = tumour + f4(rates.hypoxic) * np.clip(lack, f4(0), f4(1))
    if rates.by_clone and tissue.traits.shape[0] > 1:
        known = tissue.clone < tissue.traits.shape[0]
        tumour = tumour * np.where(known, tissue.traits[np.where(known, tissue.clone, 0), 3], f4(1))
    stroma = np.full(cell.shape, f4(rates.stroma))
    if rates.activated > 0:
        power = (tissue.solutes["growth_factor"] / f4(rates.half)) ** rates.hill
        stroma = stroma + f4(rates.activated) * (power / (f4(1) + power))
    secreted = np.select(
        [cell == 1, cell == 4, cell == 3, cell == 5], [tumour, stroma, f4(rates.immune), f4(rates.epithelium)], f4(0)
    )
    perfused = (tissue.vessel & 5) == 5
    exchange = np.where(perfused, f4(rates.exchange), f4(0))
    exchange = exchange + np.where(cell == 0, f4(rates.bed) * tissue.matrix, f4(0))
    uptake = np.select([cell == 1, cell == 4, cell == 3, cell == 5], [f4(q) for q in rates.uptakes], f4(0))
    return (secreted + exchange * f4(blood)).astype(f4), (f4(decay) + exchange).astype(f4), uptake.astype(f4)


def react(now, supply, drain, uptake, exchange: float, dt: float, half: float, walls) -> np.ndarray:
    """One explicit substep, f4."""
    around = np.zeros_like(now)
    axes = (2, 1) if now.shape[0] == 1 else (2, 1, 0)
    for axis in axes:
        for side in (0, 1):
            value = walls[2 * (2 - axis) + side]
            at = [slice(None)] * 3
            at[axis] = slice(0, 1) if side == 0 else slice(-1, None)
            edge = now[tuple(at)]
            ghost = edge if value is None else edge + f4(2) * (f4(value) - edge)
            n = now.shape[axis]
            shifted = np.concatenate([ghost, now] if side == 0 else [now, ghost], axis)
            around = around + shifted.take(range(n) if side == 0 else range(1, n + 1), axis)
    moved = f4(exchange) * (around - f4(2 * len(axes)) * now)
    gained = supply - drain * now
    if uptake is not None:
        gained = gained - uptake * (now / (f4(half) + now))
    return ((now + moved) + f4(dt) * gained).astype(f4)


def bind(protease: np.ndarray, inhibitor: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Protease and inhibitor after a tick, in double precision."""
    p, i = protease.astype(float), inhibitor.astype(float)
    most, least = np.maximum(p, i), np.minimum(p, i)
    apart = np.maximum(most - least, 1e-300)
    per_unit = np.where(most > least, -np.expm1(-rate * apart) / apart, rate)
    taken = most * least * per_unit / (1 + least * per_unit)
    return p - taken, i - taken
