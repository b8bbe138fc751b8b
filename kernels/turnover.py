"""Turnover of the matrix: all that degrades it, and the stroma that rebuilds it.

    dm/dt = -a m + r (m_max - m)+        a = (k_contact sum over cells in reach of p emt/255 + k_soluble c) / (1 + I/K_i)

p is the clone's protease trait, c the protease, I the inhibitor, r what the fibroblasts in reach build
(`kernels.stroma`), m_max their ceiling; where the inhibitor binds the protease for good (`kernels.binding`), what is
left of it works in full; (x)+ is x where it is positive, so matrix denser than the
ceiling is not taken down to it. With reach 1 a cell works on its own voxel and on those beyond its
faces, on each at the full rate; contributions add up. a and r are held over a tick, and the equation is
then solved exactly:

    m <= m_max    m' = m + (m* - m) (1 - exp(-(a + r) dt)),     m* = r m_max / (a + r)
    m >  m_max    m' = m exp(-a dt) until it meets the ceiling, from there as above

so m stays in [0, 1] for any tick and rests at m*.
Ignored: what `kernels.matrix` and `kernels.stroma` ignore.
"""

import taichi as ti

from . import matrix as plain
from .draws import happens
from .inhibition import free_share
from .lattice import has_neighbour, offset, row_origin
from .launch import array, kernel
from .matrix import MatrixRates, left_over
from .stroma import NO_STROMA, StromaRates, builds, response
from .tissue import Cell, Tissue, Trait
from .traits import trait_of


@ti.func
def turned_over(m: ti.f32, lost: ti.f32, built: ti.f32, ceiling: ti.f32):
    """Matrix a tick later; `lost` and `built` are the two rates times the tick."""
    degraded = m * left_over(lost)
    if lost > 0.0625:
        degraded = m * ti.exp(-lost)
    out = degraded
    if built > 0.0:
        start, share = m, ti.f32(1.0)
        if m > ceiling:
            # the share of the tick that is left once it has come down to the ceiling
            start, share = ceiling, ti.f32(0.0)
            if lost > 0.0:
                share = 1.0 - ti.log(m / ceiling) / lost
        if share > 0.0:
            rest = ceiling * (built / (lost + built))
            moved = start + (rest - start) * happens((lost + built) * share)
            # rounding must not carry it past where it tends to
            out = ti.min(ti.max(moved, ti.min(start, rest)), ti.max(start, rest))
    return out


@ti.func
def worked(
    by_clone: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    clone: ti.template(),
    traits: ti.template(),
    i: ti.i32,
):
    """MT1-MMP of the cell at i, in units of emt."""
    out = ti.f32(0.0)
    if cell[i] == ti.u8(Cell.TUMOUR):
        out = ti.cast(emt[i], ti.f32)
        if ti.static(by_clone):
            out *= trait_of(traits, clone[i], Trait.PROTEASE)
    return out


@ti.func
def deposited(
    activates: ti.template(),
    hill: ti.template(),
    cell: ti.template(),
    growth_factor: ti.template(),
    i: ti.i32,
    deposition: ti.f32,
    gain: ti.f32,
    half: ti.f32,
):
    """What the fibroblast at i builds in a tick, 0 if there is none."""
    out = ti.f32(0.0)
    if builds(cell[i]):
        out = deposition
        if ti.static(activates):
            out = deposition * (1.0 + (gain - 1.0) * response(growth_factor[i], half, hill))
    return out


@kernel
def turnover_pass(
    lattice: ti.template(),
    reach: ti.template(),
    inhibited: ti.template(),
    bound: ti.template(),
    by_clone: ti.template(),
    rebuilds: ti.template(),
    activates: ti.template(),
    hill: ti.template(),
    matrix: array(ti.f32),
    protease: array(ti.f32),
    inhibitor: array(ti.f32),
    growth_factor: array(ti.f32),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    traits: array(ti.f32),
    contact: ti.f32,
    soluble: ti.f32,
    constant: ti.f32,
    deposition: ti.f32,
    ceiling: ti.f32,
    gain: ti.f32,
    half: ti.f32,
):
    """matrix (voxels,) f4 fraction; protease, inhibitor, growth_factor f4 (the last two looked at if `inhibited`,
    `activates`); cell code u1; emt u1; clone u4 row of traits (clones x len(Trait),) f4, looked at if `by_clone`;
    contact, soluble, deposition per tick; ceiling fraction; constant, half in units of inhibitor and growth factor.

    Walls: no cell beyond them, so a voxel at a wall has fewer in reach.
    Conserves: nothing; m stays in [0, 1].
    Race-free because: a voxel reads and writes its own matrix; of its neighbours it reads what is not written.
    """
    for row in range(lattice.rows):
        z, y, x0 = row_origin(lattice, row)
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            x = x0 + lane
            touched = worked(by_clone, cell, emt, clone, traits, i)
            built = ti.f32(0.0)
            if ti.static(rebuilds):
                built = deposited(activates, hill, cell, growth_factor, i, deposition, gain, half)
            for face in ti.static(range(lattice.faces)):
                if ti.static(reach == 1 or rebuilds):
                    if has_neighbour(lattice, z, y, x, face):
                        beyond = i + ti.static(offset(lattice, face))
                        if ti.static(reach == 1):
                            touched += worked(by_clone, cell, emt, clone, traits, beyond)
                        if ti.static(rebuilds):
                            built += deposited(activates, hill, cell, growth_factor, beyond, deposition, gain, half)
            lost = soluble * protease[i] + contact * touched
            if ti.static(inhibited and bound):
                lost = soluble * protease[i] + contact * touched * free_share(inhibitor[i], constant)
            elif ti.static(inhibited):
                lost *= free_share(inhibitor[i], constant)
            matrix[i] = turned_over(matrix[i], lost, built, ceiling)


def turn_over(tissue: Tissue, rates: MatrixRates, stroma: StromaRates = NO_STROMA) -> None:
    """Degrade and rebuild the matrix for one tick.

    Reads cell, emt, protease; and inhibitor, growth_factor, clone and traits where they matter. Writes matrix.
    """
    degrades = rates.contact > 0.0 or rates.soluble > 0.0
    rebuilds = stroma.deposition > 0.0
    by_clone = tissue.traits.shape[0] > 1 and rates.contact > 0.0
    if not rebuilds and (not degrades or (rates.reach == 0 and not rates.inhibited and not by_clone)):
        plain.degrade(tissue, rates)
        return
    turnover_pass(
        tissue.lattice,
        rates.reach,
        rates.inhibited,
        rates.bound,
        by_clone,
        rebuilds,
        rebuilds and stroma.gain != 1.0,
        stroma.hill if rebuilds else 1,
        tissue.matrix,
        tissue.protease,
        tissue.solute("inhibitor"),
        tissue.solute("growth_factor"),
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.traits,
        rates.contact,
        rates.soluble,
        rates.inhibition_constant,
        stroma.deposition,
        stroma.ceiling,
        stroma.gain,
        stroma.half,
    )
