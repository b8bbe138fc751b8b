"""Walls of vessels: they rupture and heal, they collapse and open."""

import math

import numpy as np
import pytest
from twins import walls_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot

from seedsoil.kernels import collapse, rupture
from seedsoil.kernels.collapse import Collapse, CollapseRates
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.rupture import Rupture, RuptureRates
from seedsoil.kernels.tissue import Cell, Count, Tissue, Vessel, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
STAMP = Stamp.of(4, 1, 9)
OPEN = int(Vessel.BLOOD | Vessel.PERFUSED)
SHUT = int(Vessel.BLOOD | Vessel.COLLAPSED)
BITS = [OPEN, OPEN | 32, OPEN | 8, SHUT, SHUT | 32, SHUT | 8, 1, 17, int(Vessel.LYMPH | Vessel.PERFUSED), SHUT + 1]


def crowded(device: Device, shape: tuple[int, int, int]) -> Tissue:
    tissue = random_tissue(device.lattice(shape), density=0.75)
    draw = np.random.default_rng(3)
    tissue.vessel[...] = np.where(draw.random(shape) < 0.3, draw.choice(BITS, shape), 0)
    return tissue


@SHAPES
def test_ruptures_equal_the_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device, shape)
    rates, before = RuptureRates(0.4, 0.1, 0.3), snapshot(tissue)
    rupture.tear(tissue, rates, STAMP)
    expected = walls_twin.torn(before["cell"], before["vessel"], tissue.protease, rates, STAMP)
    np.testing.assert_array_equal(tissue.vessel, expected)
    new = (expected & Vessel.RUPTURED > 0) & (before["vessel"] & Vessel.RUPTURED == 0)
    assert tissue.counters[Count.TORN] - before["counters"][Count.TORN] == new.sum() > 20
    assert changed(before, tissue) == {"vessel", "counters"}
    for planted in (rates._replace(protease=0.5), rates._replace(contact=0.13), rates._replace(healing=0.4)):
        wrong = walls_twin.torn(before["cell"], before["vessel"], tissue.protease, planted, STAMP)
        assert not np.array_equal(wrong, expected)


@SHAPES
def test_collapses_equal_the_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device, shape)
    rates, before = CollapseRates(0.4, 0.3, 0.75), snapshot(tissue)
    collapse.press(tissue, rates, STAMP)
    expected = walls_twin.pressed(before["cell"], before["vessel"], rates, STAMP)
    np.testing.assert_array_equal(tissue.vessel, expected)
    shut, was = expected & Vessel.COLLAPSED > 0, before["vessel"] & Vessel.COLLAPSED > 0
    assert tissue.counters[Count.SHUT] - before["counters"][Count.SHUT] == (shut & ~was).sum() > 10
    assert tissue.counters[Count.OPENED] - before["counters"][Count.OPENED] == (was & ~shut).sum() > 10
    assert changed(before, tissue) == {"vessel", "counters"}
    for planted in (rates._replace(collapse=0.6), rates._replace(reopening=0.4), rates._replace(least=0.5)):
        assert not np.array_equal(walls_twin.pressed(before["cell"], before["vessel"], planted, STAMP), expected)


@pytest.mark.parametrize(("protease", "cells"), [(0.0, 0), (2.0, 0), (0.0, 3), (1.0, 2)])
def test_walls_rupture_at_their_hazard(device: Device, protease: float, cells: int) -> None:
    """0.02 per unit of protease and 0.01 per cell, 256 walls x 100 ticks of 0.5 h; 4 standard errors."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.protease[...] = protease
    for dy, dx in [(0, 1), (1, 0), (0, -1)][:cells]:
        tissue.cell[0, 1 + dy :: 4, 1 + dx :: 4] = Cell.TUMOUR
    rates = rupture.rates(Rupture(protease_per_h=0.02, contact_per_h=0.01), 0.5)
    for tick in range(100):
        tissue.vessel[0, 1::4, 1::4] = OPEN
        rupture.tear(tissue, rates, Stamp.of(5, 0, tick))
    n, p = 256 * 100, -math.expm1(-0.5 * (0.02 * protease + 0.01 * cells))
    assert abs(tissue.counters[Count.TORN] - n * p) <= 4 * math.sqrt(n * p * (1 - p))
    if p:
        assert abs(tissue.counters[Count.TORN] - n * 1.3 * p) > 4 * math.sqrt(n * p * (1 - p))


def test_a_rupture_that_heals_lasts_its_time(device: Device) -> None:
    """At hazard 1/h ruptures last 1 h: the mean of 1,024, 4 standard errors; ticks of 0.02 h."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.vessel[0, ::2, ::2] = OPEN | int(Vessel.RUPTURED)
    rates, hours = rupture.rates(Rupture(healing_per_h=1.0), 0.02), 0.0
    for tick in range(600):
        hours += 0.02 * int((tissue.vessel & Vessel.RUPTURED > 0).sum()) / 1024
        rupture.tear(tissue, rates, Stamp.of(5, 0, tick))
    assert abs(hours - 1.0 - 0.01) < 4 / math.sqrt(1024)


def test_pressure_shuts_a_vessel_and_relief_opens_it(device: Device) -> None:
    tissue = bare(device.lattice(DEEP), lattice_id=0, voxel_um=20.0)
    tissue.vessel[5, 5, :] = OPEN | int(Vessel.GIVEN)
    rates = collapse.rates(Collapse(collapse_per_h=1e3, reopening_per_h=1e3), 1.0)
    tissue.cell[4:7, 4:7, :10] = Cell.TUMOUR
    tissue.cell[5, 5, :] = Cell.EMPTY
    collapse.press(tissue, rates, STAMP)
    assert (tissue.vessel[5, 5, :10] == int(Vessel.BLOOD | Vessel.GIVEN | Vessel.COLLAPSED)).all()
    assert (tissue.vessel[5, 5, 10:] == OPEN | int(Vessel.GIVEN)).all()
    tissue.cell[...] = Cell.EMPTY
    collapse.press(tissue, rates, STAMP)
    assert (tissue.vessel[5, 5, :] == OPEN | int(Vessel.GIVEN)).all()


@SHAPES
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = crowded(device, shape)
    before = snapshot(tissue)
    rupture.tear(tissue, rupture.rates(Rupture(), 24.0), STAMP)
    collapse.press(tissue, collapse.rates(Collapse(), 24.0), STAMP)
    assert changed(before, tissue) == set()
