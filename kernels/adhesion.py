"""Adhesion: bonds between tumour cells, and between a cell and its matrix, as barriers that a hop has to climb.

Two tumour cells that share a face hold each other by a bond of energy

    J_ab = bond_energy sqrt(E_a E_b),   E = (1 - emt/255) x trait ADHESION           (E-cadherin falls with EMT)

in units of the energy that a cell's own agitation is worth (Beysens, Forgacs, Glazier 2000, PNAS 97:9467: the
"temperature" of a tissue), and a cell grips the matrix of its own voxel by matrix_energy x m. To leave, a cell
breaks all that it holds: its hops have the weight

    exp(-(sum of J over its bonds + matrix_energy m))        (Arrhenius; bonds that yield at random: Bell 1978, Science 200:618)

whatever it may bind to at its goal. On this lattice no neighbour of the old voxel is one of the new, so each hop
breaks each bond: a bonded pair parts at the rate (5/3) k exp(-J) in 3-D and (3/2) k exp(-J) in 2-D, k being the rate
of a free cell. Breaking costs and forming gains the same J, so the law is in detailed balance with exp(-energy).
The other usual forms are too: min(1, exp(-dE)) (Metropolis) and 1/(1 + exp(dE)) (Kawasaki) count the bonds at the
goal as well, but by them a cell slides from bond to bond along a tumour as fast as a free one, which says that a bond
forms before the old one has broken. A grip of the matrix is in balance with exp(matrix_energy m): cells gather
where they can hold on.

A cell that hops may pull others along: kernels.pulling.
Ignored: bonds to cells that are no tumour cells (heterotypic bonds are 0), maturing of bonds.
"""

from typing import NamedTuple

import taichi as ti

from .lattice import has_neighbour, offset
from .parameters import Parameters, quantity
from .tissue import Cell, Trait
from .traits import trait_of


class Adhesion(Parameters):
    """The `[adhesion]` table."""

    bond_energy: float = quantity(
        0.0,
        unit="kT",
        ge=0,
        le=50,
        source="none unless asked for; assumed",
        about="energy of the bond between two epithelial tumour cells, in units of a cell's own agitation; 0 = no bonds",
    )
    matrix_energy: float = quantity(
        0.0,
        unit="kT",
        ge=0,
        le=50,
        source="none unless asked for; assumed",
        about="energy of a cell's grip on intact matrix in its voxel; 0 = no grip",
    )
    traction_energy: float = quantity(
        0.0,
        unit="kT",
        ge=0,
        le=50,
        source="none unless asked for; assumed",
        about="work with which a cell that hops pulls those along that it was bonded to; 0 = it takes nobody along",
    )


class AdhesionRates(NamedTuple):
    bond: float = 0.0  # J of two cells with E = 1
    grip: float = 0.0  # per unit of matrix
    traction: float = 0.0  # kernels.pulling


def rates(parameters: Adhesion) -> AdhesionRates:
    return AdhesionRates(parameters.bond_energy, parameters.matrix_energy, parameters.traction_energy)


@ti.func
def stickiness(varied: ti.template(), emt: ti.template(), clone: ti.template(), traits: ti.template(), i: ti.i32):
    """sqrt(E) of the tumour cell at i. `varied`: do clones differ? Else `clone` and `traits` are not looked at."""
    expressed = 1.0 - ti.cast(emt[i], ti.f32) / 255.0
    if ti.static(varied):
        expressed *= trait_of(traits, clone[i], Trait.ADHESION)
    return ti.sqrt(expressed)


@ti.func
def bond(energy: ti.f32, one: ti.f32, other: ti.f32):
    """J of two tumour cells that share a face, from `bond_energy` and the `stickiness` of each."""
    return energy * (one * other)


@ti.func
def held(
    lattice: ti.template(),
    varied: ti.template(),
    cell: ti.template(),
    emt: ti.template(),
    clone: ti.template(),
    traits: ti.template(),
    i: ti.i32,
    z: ti.i32,
    y: ti.i32,
    x: ti.i32,
    energy: ti.f32,
):
    """Sum of J over the bonds of the tumour cell at i = (z, y, x): what it takes to come free."""
    others = ti.f32(0.0)
    for face in ti.static(range(lattice.faces)):
        if has_neighbour(lattice, z, y, x, face):
            j = i + ti.static(offset(lattice, face))
            if cell[j] == ti.u8(Cell.TUMOUR):
                others += stickiness(varied, emt, clone, traits, j)
    total = ti.f32(0.0)
    if others > 0.0:
        total = bond(energy, stickiness(varied, emt, clone, traits, i), others)
    return total
