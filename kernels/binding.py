"""Binding of the protease by its inhibitor, one to one and for good.

    dP/dt = -k P I        dI/dt = -k P I

solved exactly over a tick. With k t phi = (1 - exp(-k |P - I| t))/|P - I| and L the lesser of the two, G the greater,
G L k t phi/(1 + L k t phi) of each are bound: P - I stays, and neither falls below 0.
Ignored: dissociation, the complex's own fate, TIMPs that differ in what they bind.
"""

import taichi as ti

from .draws import happens
from .launch import array, kernel
from .tissue import Tissue


@ti.func
def bound(protease: ti.f32, inhibitor: ti.f32, rate: ti.f32):
    """What of each is bound in a tick; `rate` is k times the tick."""
    most, least = ti.max(protease, inhibitor), ti.min(protease, inhibitor)
    hazard = rate * (most - least)
    per_unit = rate
    if hazard > 0.0:
        per_unit = happens(hazard) / (most - least)
    return ti.min(least, most * (least * per_unit) / (1.0 + least * per_unit))


@kernel
def bind_pass(protease: array(ti.f32), inhibitor: array(ti.f32), voxels: ti.i32, rate: ti.f32):
    """protease, inhibitor (voxels,) f4, in one unit; k times the tick, 1/unit.

    Walls: none (a voxel knows only itself).
    Conserves: protease - inhibitor in every voxel, to rounding.
    Race-free because: each voxel reads and writes itself.
    """
    for i in range(voxels):
        taken = bound(protease[i], inhibitor[i], rate)
        protease[i] -= taken
        inhibitor[i] -= taken


def bind(tissue: Tissue, rate: float) -> None:
    """Bind protease and inhibitor for one tick. Reads and writes both."""
    if rate > 0.0:
        bind_pass(tissue.protease, tissue.solutes["inhibitor"], tissue.lattice.voxels, rate)
