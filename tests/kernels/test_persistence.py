"""Persistence: headings against a plain form, when a walk is resolved, and how far persistent walkers come."""

import math

import numpy as np
import pytest
from twins.tissues import DEEP, FLAT, random_tissue

from seedsoil.kernels import contest, motility, persistence
from seedsoil.kernels.draws import Purpose, Stamp, host_draw, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.motility import Motility
from seedsoil.kernels.persistence import Run
from seedsoil.kernels.tissue import Cell, Tissue, bare

STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)


@pytest.mark.parametrize("lattice", [Lattice.of(FLAT), Lattice.of(DEEP, form="voxels")], ids=["2-D", "3-D"])
def test_headings_are_those_of_the_plain_form(device, lattice):
    tissue = random_tissue(lattice)
    before, stamp, limit = tissue.heading.copy(), Stamp.of(7, 2, 11), threshold(0.3)
    voxels = np.arange(lattice.voxels).reshape(lattice.shape)
    fresh = 1 + host_draw(voxels, stamp, Purpose.HEADING).astype(np.uint64) * lattice.faces // 2**32
    turns = (before == 0) | (host_draw(voxels, stamp, Purpose.TURN) < limit)
    expected = np.where((tissue.cell == Cell.TUMOUR) & turns, fresh, before)
    persistence.turn(tissue, Run(0.0, 0.01, limit), stamp)
    np.testing.assert_array_equal(tissue.heading, expected)
    assert set(np.unique(tissue.heading[tissue.cell == Cell.TUMOUR])) == set(range(1, lattice.faces + 1))
    kept = (before > 0) & (tissue.heading == before) & (tissue.cell == Cell.TUMOUR)
    assert kept.sum() > 100
    persistence.turn(tissue, Run(0.0, 0.01, limit), stamp._replace(tick=12))
    assert (tissue.heading != expected).any()  # another tick turns others


def test_speed_zero_is_exactly_off(device):
    tissue = random_tissue(device.lattice(FLAT))
    before = tissue.heading.copy()
    persistence.turn(tissue, Run(), Stamp.of(1))
    np.testing.assert_array_equal(tissue.heading, before)
    assert persistence.run(0.0, 0.0, 1e4, 20.0, 0.1) == Run()


def test_runs_shorter_than_three_voxels_are_diffusion():
    flat, deep = Lattice.of(FLAT), Lattice.of(DEEP)
    for lattice in (flat, deep):
        plain = motility.rates(Motility(mesenchymal_um2_per_h=0.0, epithelial_um2_per_h=0.0), lattice, 20.0, 0.1)
        table = Motility(
            mesenchymal_um2_per_h=6.0,
            epithelial_um2_per_h=1.0,
            mesenchymal_speed_um_per_h=30.0,
            epithelial_speed_um_per_h=10.0,
            persistence_h=1.9,
        )
        short = motility.rates(table, lattice, 20.0, 0.1)
        assert short.run == plain.run == Run()
        per_tick, d = 0.1 / 400, lattice.dimensions
        assert math.isclose(short.mesenchymal * short.substeps, (6.0 + 900 * 1.9 / d) * per_tick)
        assert math.isclose(short.epithelial * short.substeps, (1.0 + 100 * 1.9 / d) * per_tick)
        long = motility.rates(table.model_copy(update={"persistence_h": 2.0}), lattice, 20.0, 0.1)
        assert math.isclose(long.run.mesenchymal * long.substeps, 30.0 * 0.1 / 20)
        assert math.isclose(long.mesenchymal * long.substeps, 6.0 * per_tick)
        assert long.run.turn == threshold(-math.expm1(-0.05))
    with pytest.raises(ValueError, match=r"motility\.persistence_h: .* shorten lattice\.tick_h"):
        motility.rates(table.model_copy(update={"persistence_h": 2.0}), flat, 20.0, 1.5)


def square(tissue: Tissue, rates: motility.MotilityRates, ticks: int, key: int) -> np.ndarray:
    """Squared displacements in voxels of the cells of a tissue, each of its own clone."""
    here = tissue.cell == Cell.TUMOUR
    begin = np.argwhere(here)
    tissue.clone[here] = np.arange(len(begin))
    for tick in range(ticks):
        stamp = Stamp.of(key, 0, tick)
        motility.turn(tissue, rates, stamp)
        for substep in range(rates.substeps):
            motility.propose(tissue, rates, substep, stamp, solid_vessels=False)
            contest.settle(tissue, STAYS, substep, stamp)
    here = tissue.cell == Cell.TUMOUR
    return ((np.argwhere(here) - begin[tissue.clone[here].astype(int)]) ** 2).sum(axis=1)


def expected_square(v: float, p: float, t: float) -> float:
    """2 v^2 P [t - P (1 - e^(-t/P))] + v t, in voxels."""
    return 2 * v**2 * p * (t - p * (1 - math.exp(-t / p))) + v * t


def test_persistent_walkers_come_as_far_as_they_should(device):
    """v 30 um/h and P 3 h: 4.5 voxels of 20 um a run. Fast form: 1.5 h, in a plane; tests/physics has the sharp one."""
    lattice = device.lattice(FLAT)
    table = Motility(
        mesenchymal_um2_per_h=0.0,
        epithelial_um2_per_h=0.0,
        haptotaxis_um2_per_h=0.0,
        mesenchymal_speed_um_per_h=30.0,
        persistence_h=3.0,
    )
    rates = motility.rates(table, lattice, 20.0, 0.1)
    found = []
    for key in range(60):
        tissue = bare(lattice, lattice_id=0, voxel_um=20.0)
        # 36 walkers 8 voxels apart and 10 from the walls: they run 2.25 voxels on average
        tissue.cell[0, 10:54:8, 10:54:8] = Cell.TUMOUR
        tissue.emt[tissue.cell == Cell.TUMOUR] = 255
        found.append(square(tissue, rates, 15, key))
    squares = np.concatenate(found)
    v, p, t = 1.5, 3.0, 1.5
    expected = expected_square(v, p, t)
    error = squares.std() / math.sqrt(len(squares))
    assert error < 0.03 * expected
    assert abs(squares.mean() - expected) < 4 * error  # 6e-5 false alarms
    assert abs(squares.mean() - (expected - v * t)) > 4 * error  # planted: without the lattice's term
    assert abs(squares.mean() - (2 * v**2 * p * t + v * t)) > 4 * error  # planted: diffusion from the start
