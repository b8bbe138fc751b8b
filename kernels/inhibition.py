"""Inhibition: what share of the proteases is not bound by their inhibitor.

    free = 1 / (1 + I/K_i)        (one binding site, inhibitor in excess: Cheng and Prusoff 1973 without competition)

It is the same for MT1-MMP on cells and for the diffusing protease: a TIMP-like inhibitor binds both.
Ignored: that binding uses up the inhibitor, that TIMP-1 spares MT1-MMP, activation of pro-MMP-2 by TIMP-2.
"""

import taichi as ti


@ti.func
def free_share(inhibitor: ti.f32, constant: ti.f32):
    """The share of protease that works beside this concentration of inhibitor, in (0, 1]."""
    return 1.0 / (1.0 + inhibitor / constant)
