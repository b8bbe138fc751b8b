"""Which grown vessels carry blood: on a path between two inlets, and nothing else."""

import numpy as np
import pytest
from twins import perfusion_twin

from seedsoil.sim import perfusion
from seedsoil.sim.perfusion import INLET

CASES = {
    "a dead end": ([(INLET, 1), (1, 2), (2, 3)], set()),
    "from inlet to inlet": ([(INLET, 1), (1, 2), (2, INLET)], {1, 2}),
    "one voxel between two inlets": ([(INLET, 1), (1, INLET)], {1}),
    "a branch that ends": ([(INLET, 1), (1, 2), (2, INLET), (2, 3), (3, 4)], {1, 2}),
    "a loop on a stem": ([(INLET, 1), (1, 2), (2, 3), (3, 4), (4, 2)], set()),
    "a loop on a through vessel": ([(INLET, 1), (1, 2), (2, INLET), (1, 3), (3, 2)], {1, 2, 3}),
    "a loop on a voxel of a through vessel": ([(INLET, 1), (1, 2), (2, INLET), (1, 3), (3, 4), (4, 1)], {1, 2}),
    "cut off": ([(1, 2), (2, 3), (3, 1)], set()),
    "nothing": ([], set()),
}


def flows(links: list[tuple[int, int]]) -> set[int]:
    ones, others = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return perfusion.between_inlets(ones, others)


@pytest.mark.parametrize(("links", "expected"), CASES.values(), ids=CASES)
def test_blood_flows_between_inlets(links: list[tuple[int, int]], expected: set[int]) -> None:
    assert flows(links) == expected == perfusion_twin.between_inlets(links)


def test_random_networks_equal_the_twin() -> None:
    """300 networks; pruning dead ends alone, the usual short cut, fails on some."""
    draw = np.random.default_rng(5)
    wrong = 0
    for _ in range(300):
        nodes = int(draw.integers(2, 9))
        links = [tuple(draw.integers(-1, nodes, 2).tolist()) for _ in range(draw.integers(1, 12))]
        links = [(a, b) for a, b in links if a != b]
        expected = perfusion_twin.between_inlets(links)
        assert flows(links) == expected
        wrong += pruned(links) != expected
    assert wrong > 10


def pruned(links: list[tuple[int, int]]) -> set[int]:
    """The planted error: dead ends cut off again and again, and what is left if the inlets reach it."""
    while True:
        ends = [node for link in links for node in link]
        dead = {node for node in ends if node != INLET and ends.count(node) == 1}
        if not dead:
            return perfusion_twin.reached(links) - {INLET}
        links = [link for link in links if not dead & set(link)]


def test_lymph_is_drained_where_it_is_connected() -> None:
    links = np.array([(INLET, 1), (1, 2), (2, 3), (4, 5)], dtype=np.int64)
    assert (
        perfusion.connected(*links.T) == {1, 2, 3} == perfusion_twin.reached([tuple(link) for link in links]) - {INLET}
    )


def test_a_long_vessel_does_not_exhaust_the_stack() -> None:
    chain = np.arange(-1, 20_000)
    ones, others = np.append(chain[:-1], chain[-1]), np.append(chain[1:], INLET)
    assert perfusion.between_inlets(ones, others) == set(range(20_000))
