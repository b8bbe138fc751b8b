"""Taxis: how a gradient biases hops, by either law of kernels.motility, and what a cell senses of a solute.

A receptor that is half occupied at the concentration K senses c/(c + K), so chemotaxis drifts at

    chi grad(c/(c + K)) = chi K/(K + c)^2 grad(c)        (Lapidus & Schiller 1976, Biophys J 16:779)

chi_0 per unit of occupancy: the pull of a gradient fades where receptors are saturated, and no gradient pulls
with more than chi_0. It adds to haptotaxis: both laws take one attraction, the sum of what draws the cell.
Ignored: noise of receptors, adaptation, degradation of the attractant by the cell itself (solutes have sinks of their own).
"""

import taichi as ti

LINEAR, BOLTZMANN = 0, 1


@ti.func
def hop_weight(law: ti.template(), hop: ti.f32, taxis: ti.f32, here: ti.f32, ahead: ti.f32, behind: ti.f32):
    """Probability of a hop to the voxel ahead; negative where the linear law must be clamped.

    `hop` = D dt/dx^2; here, ahead, behind: the attraction in the cell's voxel, beyond the face, and beyond the
    opposite one; `taxis` = chi dt/(4 dx^2) per unit of it.
    """
    weight = ti.f32(0.0)
    if ti.static(law == LINEAR):
        weight = hop + taxis * (ahead - behind)
    else:
        pull = 4.0 * taxis * (ahead - here)
        z = ti.abs(pull)
        weight = hop + 0.5 * pull  # B(z) = 1 + z/2 + z^2/12 - ...
        if z > 1e-3 * hop and hop > 0.0:
            back = ti.exp(-z / hop)
            weight = z / (1.0 - back)
            if pull < 0.0:
                weight *= back
        elif hop == 0.0:
            weight = 0.0  # what does not move is not pulled either
    return weight


@ti.func
def occupancy(concentration: ti.f32, half: ti.f32):
    """Share of receptors that are occupied, c/(c + K)."""
    return concentration / (concentration + half)


@ti.func
def attraction(
    attracted: ti.template(),
    matrix: ti.template(),
    solute: ti.template(),
    i: ti.i32,
    taxis: ti.f32,
    chemotaxis: ti.f32,
    half: ti.f32,
):
    """What draws a cell to voxel i: the matrix, and if it is `attracted` by a solute the weighted sum of both.

    The sum goes into `hop_weight` with 1 for `taxis`.
    """
    out = matrix[i]
    if ti.static(attracted):
        out = taxis * out + chemotaxis * occupancy(solute[i], half)
    return out
