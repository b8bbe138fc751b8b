"""The bytes in which cells say what they want and learn what came of it.

`intent`, written by the cell that acts (0 = stays):
    1 + face  move through that face         7 + face  divide through it
`outcome`, written by the voxel that is acted on (0 = nothing came):
    1 + face  a cell moved in through it     7 + face  a daughter was born through it
    LEAVING   added while the cell here is about to leave through a vessel wall; it hops no more
"""

import taichi as ti

MOVE = 1
DIVIDE = 7
LEAVING = 0x80


@ti.func
def arrival_of(code: ti.u8):
    """The outcome that the target must show if this intent was granted: the same act, seen from there."""
    act = ti.cast(code, ti.i32) - 1
    base = 0
    if act >= 6:
        base = 6
        act -= 6
    return ti.cast(base + (act ^ 1) + 1, ti.u8)
