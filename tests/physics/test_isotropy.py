"""Isotropy: on a packed random lattice the contest prefers no direction.

Closed walls and a symmetric rule keep a random packing random, so as many cells must go up an axis as
down it. One hop is +1 or -1 and the net of a lattice is nearly a martingale, so
z = (up - down)/sqrt(up + down) is standard normal or narrower (a cell that hopped tends to hop
back, which lowers the variance). Three axes below 4 sigma: 2e-4 false alarms, fixed key.

The negative control gives every contest to the same face. A bias of that kind needs two cells that want
one voxel from opposite sides, so it is a matter of how often cells try.

With everything else there is to a hop but gradients (bonds, grip, fibres, headings) each cell runs on in a direction of its own, so
hops of one tick resemble those of the last and there are more than chance would give of either sign: the standard
error is that of batches ten times as long as a heading is kept.
"""

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.adhesion import AdhesionRates
from seedsoil.kernels.draws import ALWAYS, Stamp, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import BOLTZMANN, LINEAR, MotilityRates
from seedsoil.kernels.persistence import Run
from seedsoil.kernels.tissue import Cell, Tissue, bare
from seedsoil.sim.device import start

pytestmark = pytest.mark.physics

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
SHAPE = (128, 128, 128)


def packed(density: float) -> Tissue:
    tissue = bare(start("cpu").lattice(SHAPE), lattice_id=0, voxel_um=10.0)
    tissue.cell[np.random.default_rng(1).random(SHAPE) < density] = Cell.TUMOUR
    return tissue


def net_hops(
    tissue: Tissue, try_probability: float, moves: int, fairness: int, key: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hops up and down each axis (x, y, z) until there were `moves` of them; a cell tries with this probability."""
    h = try_probability / 6
    rates = MotilityRates(1, LINEAR, h, h, 0.0, threshold(min(1.0, 1.0001 * try_probability)))
    faces = np.zeros(7, np.int64)
    tick = 0
    while faces.sum() < moves:
        stamp = Stamp.of(key, 0, tick)
        motility.propose(tissue, rates, 0, stamp, solid_vessels=False)
        contest.settle(tissue, STAYS, 0, stamp, fairness=fairness)
        # who wanted to go is granted it if it is gone: an occupied voxel is nobody's target
        went = tissue.intent[(tissue.intent > 0) & (tissue.cell == Cell.EMPTY)]
        faces += np.bincount(went, minlength=7)
        tick += 1
    assert faces[0] == 0
    return faces[2::2], faces[1::2]


def sigmas(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return (up - down) / np.sqrt(up + down)


@pytest.mark.parametrize(
    ("density", "try_probability", "moves"),
    [
        pytest.param(0.7, 1.0, 100_000_000, id="every cell tries every time"),
        pytest.param(0.9, 0.3, 20_000_000, id="packed"),
    ],
)
def test_no_axis_is_preferred_and_a_fixed_order_is_seen_to(density, try_probability, moves):
    up, down = net_hops(packed(density), try_probability, moves, contest.RANDOM, key=20190711)
    assert (np.abs(sigmas(up, down)) < 4).all()
    # no axis is preferred to another either: 1/3 each
    total = (up + down).sum()
    assert (np.abs((up + down) - total / 3) < 4 * np.sqrt(total * 2 / 9)).all()

    up, down = net_hops(packed(density), try_probability, moves // 10, contest.FIXED, key=20190711)
    assert (np.abs(sigmas(up, down)) > 7).all()


BATCH = 20  # ticks
EVERYTHING = MotilityRates(
    1,
    BOLTZMANN,
    0.04,
    0.06,
    0.0,
    ALWAYS,
    AdhesionRates(bond=0.6, grip=0.2),
    run=Run(0.1, 0.2, threshold(0.5)),  # kept for two ticks
    alignment=0.5,
)


def net_of_batches(moves: int, fairness: int, key: int) -> tuple[np.ndarray, np.ndarray]:
    """(hops up less hops down of each batch and axis, hops along each axis) with all factors, density 0.7."""
    tissue, random = packed(0.7), np.random.default_rng(2)
    tissue.emt[...] = random.integers(0, 256, SHAPE) * (tissue.cell != Cell.EMPTY)
    tissue.matrix[...] = random.random(SHAPE)
    tissue.fibre[...] = random.integers(0, 4, SHAPE)
    assert (
        EVERYTHING.factors.bonds and EVERYTHING.factors.grip and EVERYTHING.factors.guided and EVERYTHING.factors.runs
    )
    net, total, tick = [], np.zeros(3), 0
    while total.sum() < moves:
        faces = np.zeros(7, np.int64)
        for _ in range(BATCH):
            stamp = Stamp.of(key, 0, tick)
            motility.turn(tissue, EVERYTHING, stamp)
            motility.propose(tissue, EVERYTHING, 0, stamp, solid_vessels=False)
            contest.settle(tissue, STAYS, 0, stamp, fairness=fairness)
            went = tissue.intent[(tissue.intent > 0) & (tissue.cell == Cell.EMPTY)]
            faces += np.bincount(went, minlength=7)
            tick += 1
        net.append(faces[2::2] - faces[1::2])
        total += faces[2::2] + faces[1::2]
    return np.array(net), total


def test_nor_is_one_with_bonds_grip_fibres_and_headings():
    """Each axis below 4 s.e.; a fixed order beyond 7, in a tenth of the hops. No hop has a chance above 1: 6 x 0.06 x 1.5 + 0.2 x 2."""

    def sigmas_of_batches(net: np.ndarray) -> np.ndarray:
        assert len(net) >= 6
        return net.mean(axis=0) / (net.std(axis=0, ddof=1) / np.sqrt(len(net)))

    net, total = net_of_batches(100_000_000, contest.RANDOM, key=20190712)
    print("batches:", len(net), "sigmas:", sigmas_of_batches(net), "hops:", total)
    assert (np.abs(sigmas_of_batches(net)) < 4).all()
    planted, _ = net_of_batches(10_000_000, contest.FIXED, key=20190712)
    # in a tenth of the hops there are few batches: their s.e. is taken from those above, which are of the same length
    error = net.std(axis=0, ddof=1) / np.sqrt(len(planted))
    print("fixed order:", len(planted), planted.mean(axis=0) / error)
    assert (np.abs(planted.mean(axis=0) / error) > 7).all()
