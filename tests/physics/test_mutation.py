"""Mutation in growing cultures: Luria and Delbrueck's numbers of mutants, and the 1/f tail of neutral sites.

A culture starts from 60 cells far apart, all neutral, and grows uncrowded to about N = 1,200. A mutation that arises
when the culture has N' cells has a geometric number of descendants at the end, so over exponential growth
(Lea & Coulson 1949, J Genet 49:264; Zheng 1999, Math Biosci 162:1, for a start from more than one cell)

    sites carried by at least n cells     m phi^(n - 1)/n                       m = u (N - N0), phi = 1 - N0/N
    cultures with n mutants    p_0 = exp(-m), p_n = (m/n) sum_j phi^(j - 1)(1 - j phi/(j + 1)) p_(n - j)

The second is for mutations of one kind. A kind is drawn among all mutations here: a share of them, chosen by their
numbers, "confers resistance", which thins a Poisson process and leaves its law.
"""

import math
from itertools import pairwise

import numpy as np
import pytest

from seedsoil.kernels import contest, motility, mutation, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.mutation import Mutation
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.tissue import Cell, bare
from seedsoil.outputs.lineage import with_descendants
from seedsoil.sim.clones import Clones
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics

SHAPE, CULTURES, TICKS, SITES, RESISTANT = (24, 32, 40), 250, 60, 0.05, 0.02
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
FOUNDERS = (slice(3, None, 8), slice(3, None, 8), slice(4, None, 8))


class Cultures:
    """What was counted: cells, and cells that carry each mutation, of every culture."""

    def __init__(self, device: Device) -> None:
        rates = proliferation.rates(Proliferation(epithelial_per_h=0.05, mesenchymal_per_h=0.05), 1.0)
        hops = MotilityRates(2, LINEAR, 0.016, 0.016, 0.0, ALWAYS)
        self.cells, self.carriers, self.parents, self.own = [], [], [], []
        for key in range(CULTURES):
            tissue = bare(device.lattice(SHAPE), lattice_id=0, voxel_um=20.0)
            clones = Clones(Mutation(probability=SITES), device)
            tissue.cell[FOUNDERS] = Cell.TUMOUR
            self.founders = int(tissue.cell.sum())
            for tick in range(TICKS):
                stamp = Stamp.of(key, 0, tick)
                proliferation.ripen(tissue, rates, stamp, solid_vessels=False)
                for substep in range(2):
                    motility.propose(tissue, hops, substep, stamp, solid_vessels=False)
                    if substep == 0:
                        proliferation.propose(tissue, stamp, solid_vessels=False)
                    contest.settle(tissue, CLOSED, substep, stamp, mutation=mutation.rates(Mutation(probability=SITES)))
                clones.found(tissue, stamp)
            own = np.bincount(tissue.clone[tissue.cell == Cell.TUMOUR], minlength=clones.rows)
            parent = clones.table["parent"].copy()
            self.cells.append(int(own.sum()))
            self.own.append(own)
            self.parents.append(parent)
            self.carriers.append(with_descendants(parent, own)[1:])

    def mutants(self, resistant: float) -> np.ndarray:
        """Cells of each culture that descend from a mutation of one kind."""
        found = []
        for number, (parent, own) in enumerate(zip(self.parents, self.own, strict=True)):
            kind = np.random.default_rng(number).random(len(parent)) < resistant
            kind[0] = False
            for row in range(1, len(parent)):  # parents come before their children
                kind[row] |= kind[parent[row]]
            found.append(int(own[kind].sum()))
        return np.array(found)


@pytest.fixture(scope="module")
def cultures(device: Device) -> Cultures:
    return Cultures(device)


def luria_delbrueck(m: float, phi: float, most: int) -> np.ndarray:
    """p_0 ... p_most."""
    p = [math.exp(-m)]
    for n in range(1, most + 1):
        p.append(m / n * sum(phi ** (j - 1) * (1 - j * phi / (j + 1)) * p[n - j] for j in range(1, n + 1)))
    return np.array(p)


def chi2(found: np.ndarray, p: np.ndarray, edges: list[int]) -> float:
    """Over the bins [edges[k], edges[k + 1]) and the rest; `p` (n,) are the probabilities of 0, 1, 2, ..."""
    expected = np.array([p[a:b].sum() for a, b in pairwise(edges)])
    expected = np.append(expected, 1 - expected.sum()) * len(found)
    seen = np.histogram(found, bins=[*edges, 10**9])[0]
    assert expected.min() > 4
    return float(((seen - expected) ** 2 / expected).sum())


def test_numbers_of_mutants_are_luria_and_delbruecks(cultures: Cultures) -> None:
    """Chi-squared over 6 bins, 5 degrees of freedom: beyond 25.7 once in 10,000. Poisson numbers are refused."""
    found, edges, most = cultures.mutants(RESISTANT), [0, 1, 2, 3, 6, 15], 40
    start = cultures.founders
    m = [SITES * RESISTANT * (n - start) for n in cultures.cells]
    laws = [luria_delbrueck(one, 1 - start / n, most) for one, n in zip(m, cultures.cells, strict=True)]
    assert chi2(found, np.mean(laws, axis=0), edges) < 25.7
    mean = float(np.mean(m))
    poisson = np.exp(-mean) * np.cumprod([1.0, *(mean / n for n in range(1, most))])
    seen = np.histogram(found, bins=[0, 1, 2, 3, 10**9])[0]
    expected = np.append(poisson[:3], 1 - poisson[:3].sum()) * len(found)
    assert float(((seen - expected) ** 2 / expected).sum()) > 25.7
    planted = luria_delbrueck(1.5 * mean, 1 - start / np.mean(cultures.cells), most)  # half as many again
    assert chi2(found, planted, edges) > 25.7


def test_neutral_sites_have_a_one_over_f_tail(cultures: Cultures) -> None:
    """Sites carried by at least n cells: m phi^(n-1)/n at n = 1 ... 32 within 4 s.e.; n^-1.3 is refused."""
    carriers = np.concatenate(cultures.carriers)
    start, cells = cultures.founders, np.array(cultures.cells)
    carried = carriers[carriers > 0]
    assert len(carried) == len(carriers)  # nobody dies: every mutation is still there
    steeper = []
    for n in (1, 2, 4, 8, 16, 32):
        expected = float((SITES * (cells - start) * (1 - start / cells) ** (n - 1) / n).sum())
        seen = int((carriers >= n).sum())
        # sites of one branch are carried together, so their numbers spread more than Poisson's
        error = 1.5 * math.sqrt(expected)
        assert abs(seen - expected) < 4 * error, n
        steeper.append(abs(seen - expected * n**-0.3) > 4 * error)
    assert all(steeper[1:5])  # at 32 there are too few to tell


def test_the_mark_of_a_mutant_is_as_frequent_as_asked(cultures: Cultures) -> None:
    """Mutations per division, 4 s.e.; a tenth more is seen."""
    divisions = sum(cultures.cells) - CULTURES * cultures.founders
    found = sum(len(carriers) for carriers in cultures.carriers)
    error = math.sqrt(divisions * SITES * (1 - SITES))
    assert abs(found - SITES * divisions) < 4 * error
    assert abs(found - 1.1 * SITES * divisions) > 4 * error
