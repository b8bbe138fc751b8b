"""Pulling: a cell that hops takes along whom it was bonded to.

Adhesion (kernels.adhesion) says how seldom a bonded cell hops; by itself it breaks all bonds of one that does. A cell
also pulls. Each tumour cell that was bonded by J to one that has just hopped follows it into the voxel it left, with

    p = (1 - exp(-g)) min(1, exp(g - J_rest)) x what the pores of that voxel let pass,        g = f (1 - exp(-J))

f is `traction_energy`, the work of a pull, g what of it the bond transmits, and J_rest what the follower's other bonds
hold against it. Who follows pulls in turn, up to seven times in a substep, so a chain of
cells moves as one, and the mass behind it lets go of a cell or the chain tears. Of several followers one gets the voxel
(kernels.contest). Nothing names a leader: whoever finds a way pulls others into it.
The law is assumed. It is a model of force along bonds (Friedl & Gilmour 2009, Nat Rev Mol Cell Biol 10:445, describe
such collectives), and active: it does not keep detailed balance. Ignored: pulling at cells that are no tumour cells, and pushing.
"""

import taichi as ti

from . import adhesion, contest
from .adhesion import bond, stickiness
from .draws import Purpose, Stamp, as_threshold, below, draw
from .hops import Factors
from .intent import MOVE
from .intravasation import IntravasationRates
from .lattice import coordinates, has_neighbour, is_idle, offset, offset_of
from .launch import array, kernel
from .motility import MotilityRates
from .mutation import NO_MUTATION
from .pores import limit_of, passage
from .tissue import Cell, Tissue, Trait
from .traits import trait_of

# a cell that will follow through a face, until its neighbours have looked at what was left
FOLLOW = 64
ROUNDS = 7
# the draws of round r are those of substep r x ROUND + substep
ROUND = 2**16 // (ROUNDS + 1)


@ti.func
def left_behind(lattice: ti.template(), cell: ti.template(), intent: ti.template(), voxel: ti.i32):
    """Where the tumour cell is that has just left this voxel; -1 if none has."""
    at = -1
    if cell[voxel] == ti.u8(Cell.EMPTY):
        want = ti.cast(intent[voxel], ti.i32)
        if want >= MOVE and want < MOVE + 6:
            to = voxel + offset_of(lattice, want - MOVE)
            if cell[to] == ti.u8(Cell.TUMOUR):
                at = to
    return at


@ti.func
def pulled(traction: ti.f32, held: ti.f32, rest: ti.f32):
    """Probability that a cell comes along: what its bond to the one ahead transmits, against its other bonds."""
    sent = traction * (1.0 - ti.exp(-held))
    return (1.0 - ti.exp(-sent)) * ti.exp(ti.min(sent - rest, 0.0))


@kernel
def follow_pass(
    lattice: ti.template(),
    factors: ti.template(),
    cell: array(ti.u8),
    emt: array(ti.u8),
    clone: array(ti.u32),
    matrix: array(ti.f32),
    traits: array(ti.f32),
    leaving: array(ti.u8),
    intent: array(ti.u8),
    busy: array(ti.u8),
    bond_energy: ti.f32,
    traction: ti.f32,
    open_area: ti.f32,
    intact_area: ti.f32,
    nucleus: ti.f32,
    epithelial_limit: ti.f32,
    mesenchymal_limit: ti.f32,
    amoeboid_limit: ti.f32,
    substep: ti.u32,
    tick: ti.u32,
    lattice_id: ti.u32,
    k0: ti.u32,
    k1: ti.u32,
):
    """cell code u1; emt u1; clone u4; matrix f4 fraction; traits (clones, len(Trait)) f4; leaving 0/1 u1; intent u1;
    busy (chunks,) 0/1 u1; energies in kT; areas in um2.

    Walls: closed.
    Conserves: everything; only intents are written.
    Race-free because: intents of empty voxels are read and those of voxels with tumour cells are written, each by itself.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            if cell[i] == ti.u8(Cell.TUMOUR):
                want = ti.u8(0)
                z, y, x = coordinates(lattice, i)
                ways = 0
                for face in ti.static(range(lattice.faces)):
                    if has_neighbour(lattice, z, y, x, face):
                        ahead = left_behind(lattice, cell, intent, i + ti.static(offset(lattice, face)))
                        if ahead >= 0 and ahead != i:  # (the one that left does not follow itself)
                            ways |= 1 << face
                if ways != 0 and leaving[i] == 0:
                    count = 0
                    for face in range(lattice.faces):
                        count += (ways >> face) & 1
                    nth = 0
                    if count > 1:
                        turn = draw(i, tick, substep, Purpose.FOLLOW_FACE, lattice_id, k0, k1)
                        nth = ti.cast((ti.cast(turn, ti.u64) * ti.cast(count, ti.u64)) >> ti.u64(32), ti.i32)
                    through = 0
                    for face in range(lattice.faces):
                        if (ways >> face) & 1 == 1:
                            if nth == 0:
                                through = face
                            nth -= 1
                    to = i + offset_of(lattice, through)
                    leader = to + offset_of(lattice, ti.cast(intent[to], ti.i32) - MOVE)
                    mine = stickiness(factors.varied, emt, clone, traits, i)
                    held = bond(bond_energy, mine, stickiness(factors.varied, emt, clone, traits, leader))
                    rest = adhesion.held(lattice, factors.varied, cell, emt, clone, traits, i, z, y, x, bond_energy)
                    chance = pulled(traction, held, rest)
                    if ti.static(factors.pores):
                        protease = ti.f32(1.0)
                        if ti.static(factors.varied):
                            protease = trait_of(traits, clone[i], Trait.PROTEASE)
                        limit = limit_of(emt[i], protease, epithelial_limit, mesenchymal_limit, amoeboid_limit)
                        chance *= passage(matrix[to], open_area, intact_area, nucleus, limit)
                    if below(draw(i, tick, substep, Purpose.FOLLOW, lattice_id, k0, k1), as_threshold(chance)):
                        want = ti.cast(FOLLOW + through, ti.u8)
                intent[i] = want


@kernel
def state_pass(lattice: ti.template(), intent: array(ti.u8), busy: array(ti.u8)):
    """intent u1; busy (chunks,) 0/1 u1. Those who follow state it as a move; all other intents are dropped.

    Walls: none.
    Conserves: everything; only intents are written.
    Race-free because: each voxel reads and writes itself.
    """
    for chunk in range(lattice.chunks):
        if is_idle(lattice, busy, chunk):
            continue
        first = chunk * lattice.chunk
        for i in range(first, ti.min(first + lattice.chunk, lattice.voxels)):
            want = intent[i]
            intent[i] = ti.select(want >= ti.u8(FOLLOW), want - ti.u8(FOLLOW - MOVE), ti.u8(0))


def propose(tissue: Tissue, rates: MotilityRates, substep: int, stamp: Stamp) -> None:
    """Cells bonded to one that has just hopped state that they follow. `substep` numbers the draws.

    Reads cell, emt, clone, matrix, traits, leaving, intent, busy. Writes intent.
    """
    # that clones differ and that there are pores is all that this kernel depends on
    factors = Factors(varied=rates.factors.varied, pores=rates.factors.pores)
    follow_pass(
        tissue.lattice,
        factors,
        tissue.cell,
        tissue.emt,
        tissue.clone,
        tissue.matrix,
        tissue.traits,
        tissue.leaving,
        tissue.intent,
        tissue.busy,
        rates.adhesion.bond,
        rates.adhesion.traction,
        *rates.pores,
        substep,
        stamp.tick,
        stamp.lattice_id,
        stamp.key_low,
        stamp.key_high,
    )
    state_pass(tissue.lattice, tissue.intent, tissue.busy)


def follow(tissue: Tissue, rates: MotilityRates, intravasation: IntravasationRates, substep: int, stamp: Stamp) -> None:
    """Cells that have hopped in this substep take along whom they were bonded to, and those take others along.

    Reads and writes what `propose` and `contest.settle` do.
    """
    if rates.adhesion.bond == 0.0 or rates.adhesion.traction == 0.0:
        return
    for number in range(1, ROUNDS + 1):
        propose(tissue, rates, number * ROUND + substep, stamp)
        contest.settle(tissue, intravasation, number * ROUND + substep, stamp, mutation=NO_MUTATION)
