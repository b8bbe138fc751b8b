"""Turnover of the matrix in plain NumPy, in f32 and in the order of the kernel's sums."""

import numpy as np

from seedsoil.kernels.matrix import MatrixRates
from seedsoil.kernels.stroma import StromaRates
from seedsoil.kernels.tissue import Cell, Tissue, Trait

F = np.float32


def gathered(field: np.ndarray) -> np.ndarray:
    """Each voxel's own value and those beyond its faces, summed in the order of the faces; 0 beyond the walls."""
    out = field.copy()
    for axis in (2, 1, 0) if field.shape[0] > 1 else (2, 1):
        for ahead in (False, True):
            shifted = np.zeros_like(field)
            to, of = [slice(None)] * 3, [slice(None)] * 3
            to[axis], of[axis] = (slice(None, -1), slice(1, None)) if ahead else (slice(1, None), slice(None, -1))
            shifted[tuple(to)] = field[tuple(of)]
            out += shifted
    return out


def rates_of(tissue: Tissue, rates: MatrixRates, stroma: StromaRates) -> tuple[np.ndarray, np.ndarray]:
    """(lost, built): both rates times the tick, per voxel."""
    emt = np.where(tissue.cell == Cell.TUMOUR, tissue.emt, 0).astype(F)
    if len(tissue.traits) > 1:
        emt *= tissue.traits[np.minimum(tissue.clone, len(tissue.traits) - 1), Trait.PROTEASE]
    touched = gathered(emt) if rates.reach else emt
    lost = F(rates.soluble) * tissue.protease + F(rates.contact) * touched
    if rates.inhibited:
        free = F(1) / (F(1) + tissue.solutes["inhibitor"] / F(rates.inhibition_constant))
        lost = F(rates.soluble) * tissue.protease + F(rates.contact) * touched * free if rates.bound else lost * free
    each = np.full(emt.shape, stroma.deposition, F)
    if stroma.gain != 1.0:
        ratio = tissue.solutes["growth_factor"] / F(stroma.half)
        power = ratio.copy()
        for _ in range(stroma.hill - 1):
            power *= ratio
        with np.errstate(divide="ignore"):
            response = np.where(ratio < 1, power / (1 + power), F(1) / (F(1) + F(1) / power))
        each *= F(1) + (F(stroma.gain) - F(1)) * response
    return lost, gathered(np.where(tissue.cell == Cell.STROMA, each, F(0)))


def happens(hazard: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # of a share that is not used
        return -np.expm1(-hazard)


def turn_over(tissue: Tissue, rates: MatrixRates, stroma: StromaRates) -> np.ndarray:
    """matrix (nz, ny, nx) f4 after one tick."""
    lost, built = rates_of(tissue, rates, stroma)
    m, ceiling = tissue.matrix, F(stroma.ceiling)
    above = m > ceiling
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(above, F(1) - np.log(m / ceiling) / lost, F(1))
        rest = ceiling * (built / (lost + built))
    start = np.where(above, ceiling, m)
    moved = start + (rest - start) * happens((lost + built) * share)
    moved = np.clip(moved, np.minimum(start, rest), np.maximum(start, rest))
    return np.where((built > 0) & (share > 0), moved, m * np.exp(-lost)).astype(F)
