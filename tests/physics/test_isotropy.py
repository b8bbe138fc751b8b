"""Isotropy: on a packed random lattice the contest prefers no direction.

Closed walls and a symmetric rule keep a random packing random, so as many cells must go up an axis as
down it. One hop is +1 or -1 and the net of a lattice is nearly a martingale, so
z = (up - down)/sqrt(up + down) is standard normal or narrower (a cell that hopped tends to hop
back, which lowers the variance). Three axes below 4 sigma: 2e-4 false alarms, fixed key.

The negative control gives every contest to the same face. A bias of that kind needs two cells that want
one voxel from opposite sides, so it is a matter of how often cells try.
"""

import numpy as np
import pytest

from seedsoil.kernels import contest, motility
from seedsoil.kernels.draws import Stamp, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
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
