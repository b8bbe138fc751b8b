"""Intravasation: which cells enter a vessel, by contact or on arrival."""

import math

import numpy as np
import pytest
from twins import intravasation_twin
from twins.tissues import DEEP, FLAT, changed, put, random_tissue, snapshot

from seedsoil.kernels import contest, intravasation, motility, proliferation
from seedsoil.kernels.draws import ALWAYS, Stamp
from seedsoil.kernels.intent import DIVIDE, MOVE
from seedsoil.kernels.intravasation import ARRIVAL, CONTACT, Intravasation, IntravasationRates, leaving_voxels
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.tissue import Cell, Count, Vessel, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
INTACT, TORN = int(Vessel.BLOOD | Vessel.PERFUSED), int(Vessel.BLOOD | Vessel.RUPTURED | Vessel.PERFUSED)


@SHAPES
@pytest.mark.parametrize("gain", [0.0, 3.0])
def test_who_is_marked_equals_the_twin(device: Device, shape: tuple[int, int, int], gain: float) -> None:
    tissue = random_tissue(device.lattice(shape), density=0.6, vessels=0.2)
    table = Intravasation(active_per_h=0.3, passive_per_h=0.8, protease_gain=gain)
    rates = intravasation.rates(table, 1.0)
    stamp = Stamp.of(4, 1, 9)
    tissue.counters[...] = 0
    intravasation.mark(tissue, rates, stamp)
    expected = intravasation_twin.marked(tissue.cell, tissue.emt, tissue.vessel, tissue.protease, rates, stamp)
    np.testing.assert_array_equal(tissue.leaving > 0, expected)
    assert tissue.counters[Count.LEAVING] == expected.sum() > 50
    np.testing.assert_array_equal(leaving_voxels(tissue), np.flatnonzero(expected))
    for planted in (
        rates._replace(active=rates.active * 1.1),
        rates._replace(passive=rates.passive * 1.1),
        rates._replace(minimum_emt=100),
        rates._replace(gain=gain + 0.2),
    ):
        wrong = intravasation_twin.marked(tissue.cell, tissue.emt, tissue.vessel, tissue.protease, planted, stamp)
        assert not np.array_equal(wrong, expected)


@pytest.mark.parametrize(
    ("emt", "walls", "here", "active_faces", "passive_faces"),
    [
        (255, [INTACT], 0, 1, 0),
        (255, [INTACT, INTACT], 0, 2, 0),
        (255, [INTACT, TORN], 0, 1, 1),
        (255, [], INTACT, 1, 0),
        (128, [int(Vessel.LYMPH | Vessel.PERFUSED)], 0, 1, 0),
        (127, [INTACT], 0, 0, 0),
        (127, [TORN, INTACT], 0, 0, 1),
        (0, [], TORN, 0, 1),
        (255, [int(Vessel.TIP), int(Vessel.PERFUSED)], 0, 0, 0),  # no lumen to enter
        (255, [int(Vessel.BLOOD), INTACT & ~int(Vessel.PERFUSED)], 0, 0, 0),  # leads nowhere
    ],
)
def test_the_hazard_is_per_exposed_wall_face(
    device: Device, emt: int, walls: list[int], here: int, active_faces: int, passive_faces: int
) -> None:
    """256 cells x 400 ticks in each case; 4 standard errors: a fresh key fails once in 16000 a case."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.cell[0, 1::4, 1::4], tissue.emt[0, 1::4, 1::4] = Cell.TUMOUR, emt
    tissue.vessel[0, 1::4, 1::4] = here
    for wall, (dy, dx) in zip(walls, [(0, 1), (1, 0)], strict=False):
        tissue.vessel[0, 1 + dy :: 4, 1 + dx :: 4] = wall
    rates = intravasation.rates(Intravasation(active_per_h=0.2, passive_per_h=0.7), 0.25)
    left, n = 0, 256 * 400
    for at in range(400):
        tissue.leaving[...] = 0
        intravasation.mark(tissue, rates, Stamp.of(6, 0, at))
        left += int(tissue.leaving.sum())
    p = -math.expm1(-0.25 * (0.2 * active_faces + 0.7 * passive_faces))
    if p == 0:
        assert left == 0
        return
    assert abs(left - n * p) < 4 * math.sqrt(n * p * (1 - p))
    one_more = -math.expm1(-0.25 * (0.2 * (active_faces + 1) + 0.7 * passive_faces))
    assert abs(left - n * one_more) > 4 * math.sqrt(n * p * (1 - p))


@SHAPES
@pytest.mark.parametrize("law", ["contact", "arrival"])
def test_no_vessel_no_seed(device: Device, shape: tuple[int, int, int], law: str) -> None:
    tissue = random_tissue(device.lattice(shape), vessels=0.0)
    rates = intravasation.rates(Intravasation(law=law, active_per_h=1000.0, passive_per_h=1000.0), 1.0)
    hops = MotilityRates(1, LINEAR, 0.15, 0.15, 0.0, ALWAYS)
    tissue.counters[...] = 0
    for at in range(10):
        motility.propose(tissue, hops, 0, Stamp.of(1, 0, at), solid_vessels=False)
        contest.settle(tissue, rates, 0, Stamp.of(1, 0, at))
        intravasation.mark(tissue, rates, Stamp.of(1, 0, at))
    assert tissue.counters[Count.MOVED] > 100
    assert tissue.counters[Count.LEAVING] == 0
    assert not tissue.leaving.any()
    tissue.vessel[...] = INTACT
    intravasation.mark(tissue, intravasation.rates(Intravasation(active_per_h=1000.0), 1.0), Stamp.of(1))
    assert tissue.leaving.any()  # with vessels it would have been seen


@SHAPES
@pytest.mark.parametrize(
    ("emt", "wall", "enters"),
    [
        (255, INTACT, True),
        (128, INTACT, True),
        (127, INTACT, False),
        (0, INTACT, False),
        (255, TORN, True),
        (0, TORN, True),
        (0, int(Vessel.LYMPH | Vessel.RUPTURED | Vessel.PERFUSED), True),
        (255, int(Vessel.LYMPH | Vessel.PERFUSED), True),
        (255, int(Vessel.BLOOD), False),
        (255, int(Vessel.BLOOD | Vessel.RUPTURED), False),
        (255, 0, False),
        (255, int(Vessel.RUPTURED), False),
        (255, int(Vessel.TIP), False),
    ],
)
def test_arrival_takes_mesenchymal_cells_and_through_a_torn_wall_all(
    device: Device, shape: tuple[int, int, int], emt: int, wall: int, enters: bool
) -> None:
    tissue = bare(device.lattice(shape), lattice_id=0, voxel_um=20.0)
    z, y, x = (n // 2 for n in shape)
    put(tissue, (z, y, x), emt=emt, clone=7)
    tissue.vessel[z, y, x + 1] = wall
    tissue.intent[z, y, x] = MOVE + 1
    rates = intravasation.rates(Intravasation(law="arrival"), 0.1)
    contest.settle(tissue, rates, 0, Stamp.of(1))
    assert tissue.cell[z, y, x + 1] == Cell.TUMOUR
    assert tissue.cell[z, y, x] == Cell.EMPTY
    assert tissue.census()[Count.LEAVING] == int(enters)
    assert leaving_voxels(tissue).tolist() == ([int(np.ravel_multi_index((z, y, x + 1), shape))] if enters else [])


def test_a_daughter_born_onto_a_vessel_does_not_leave(device: Device) -> None:
    """Arrival is of hops: MetaSpread's daughters are put down without a look at vessels."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    put(tissue, (0, 5, 5))
    tissue.vessel[0, 5, 6] = TORN
    tissue.intent[0, 5, 5] = DIVIDE + 1
    contest.settle(tissue, IntravasationRates(ARRIVAL, 0.0, 0.0, 128), 0, Stamp.of(1))
    assert tissue.cell[0, 5, 6] == Cell.TUMOUR
    assert not tissue.leaving.any()


def test_under_the_contact_law_arriving_is_not_leaving(device: Device) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    put(tissue, (0, 5, 5))
    tissue.vessel[0, 5, 6] = TORN
    tissue.intent[0, 5, 5] = MOVE + 1
    contest.settle(tissue, IntravasationRates(CONTACT, 0.0, 0.0, 128), 0, Stamp.of(1))
    assert tissue.cell[0, 5, 6] == Cell.TUMOUR
    assert not tissue.leaving.any()


def test_a_cell_that_is_leaving_neither_hops_nor_divides(device: Device) -> None:
    tissue = random_tissue(device.lattice(FLAT), density=0.2)
    tumour = tissue.cell == Cell.TUMOUR
    tissue.due[...] = tumour
    tissue.leaving[...] = tumour
    hops = MotilityRates(1, LINEAR, 0.25, 0.25, 0.0, ALWAYS)
    motility.propose(tissue, hops, 0, Stamp.of(1), solid_vessels=False)
    proliferation.propose(tissue, Stamp.of(1), solid_vessels=False)
    assert not tissue.intent.any()
    tissue.leaving[...] = 0
    motility.propose(tissue, hops, 0, Stamp.of(1), solid_vessels=False)
    assert tissue.intent.any()


@SHAPES
@pytest.mark.parametrize("law", ["contact", "arrival"])
def test_zero_rates_are_exactly_off(device: Device, shape: tuple[int, int, int], law: str) -> None:
    tissue = random_tissue(device.lattice(shape), vessels=0.3)
    before = snapshot(tissue)
    none = intravasation.rates(Intravasation(law=law, active_per_h=0.0, passive_per_h=0.0), 24.0)
    intravasation.mark(tissue, none, Stamp.of(1))
    assert changed(before, tissue) == set()
    for name in ("active_per_h", "passive_per_h"):
        alone = {"active_per_h": 0.0, "passive_per_h": 0.0, name: 1.0}
        tissue.leaving[...] = 0
        intravasation.mark(tissue, intravasation.rates(Intravasation(**alone), 24.0), Stamp.of(1))
        found = tissue.leaving > 0
        if name == "active_per_h":
            assert found.any() and np.all(tissue.emt[found] >= 128)
        else:
            assert np.any(tissue.emt[found] < 128)
