"""Contact guidance: cells hop along fibres rather than across them.

Where fibres have an axis, the cell's weights are multiplied by

    along the axis   1 + (d - 1) S        across it   1 - S,        S = alignment x matrix there, d dimensions

so that D is a tensor of the same trace: total hops are those of an isotropic tissue, and D_along/D_across is
(1 + (d - 1) S)/(1 - S) (S is the order parameter of a nematic; Hillen 2006, J Math Biol 53:585, has the limit of oriented
movement). A hop has the mean of the factors of the two voxels that it joins, so there and back
weigh alike and fibres gather nobody. Fibres that are degraded guide no more.
An axis across a 2-D tissue guides nobody in its plane. Ignored: directions between the axes, and that cells align fibres.
"""

import taichi as ti


@ti.func
def along(lattice: ti.template(), fibre: ti.u8, matrix: ti.f32, face: ti.template(), alignment: ti.f32):
    """Factor of hops through `face` by the fibres of one voxel: `fibre` is 1 + axis (0 z, 1 y, 2 x) or 0."""
    factor = ti.f32(1.0)
    least = ti.static(2 if lattice.nz == 1 else 1)
    if fibre >= ti.u8(least):
        s = alignment * matrix
        if fibre == ti.static(3 - face // 2):
            factor = 1.0 + ti.static(lattice.dimensions - 1) * s
        else:
            factor = 1.0 - s
    return factor


def steepest(alignment: float, dimensions: int) -> tuple[float, float]:
    """(largest factor of all hops of a cell together, largest of a single one)."""
    one = 1 + (dimensions - 1) * alignment
    return (1 + one) / 2, one
