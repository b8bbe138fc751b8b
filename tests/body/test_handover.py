"""Colonies on lattices of their own: as many cells as before, the same mean growth until crowded, and back."""

import numpy as np
import pytest
from colonies_on_lattices import CELLS, GROWTH, compared, lattices, tick

from seedsoil.kernels.birth_death import establishment
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.tissue import Cell
from seedsoil.sim.body.handover import OnLattice, ticks_of
from seedsoil.sim.body.mean_field import EXTINCT, GROWING, ON_LATTICE
from seedsoil.sim.device import Device
from seedsoil.sim.errors import IdentityBroken, InputError
from seedsoil.sim.ledger import Others


def test_mean_growth_is_the_same_with_and_without_a_lattice(device: Device) -> None:
    difference, error = compared(device, 12, 3)
    assert abs(difference) < 3 * error
    # the detector sees a lattice whose cells need room beside them: crowded from the start
    difference, error = compared(device, 12, 3, push_voxels=1)
    assert abs(difference) > 3 * error


def test_cells_are_equal_at_both_hand_overs(device: Device) -> None:
    growth = GROWTH.model_copy(update={"lattice_fill_fraction": 0.04, "adapted_birth_factor": 1.5, "lattices": 2})
    field, handover = lattices(device, growth, 4, np.array([44, 50, 46, 70]), adapted=20)
    assert handover.take(0) == [1, 2]  # the oldest that are large enough, as many as there are lattices
    assert list(field.table["cells"]) == [44, 50, 46, 70] and list(field.table["adapted"]) == [20] * 4
    assert list(field.table["state"]) == [GROWING, ON_LATTICE, ON_LATTICE, GROWING]
    assert list(field.states()) == [GROWING] * 4 and field.count(GROWING) == 4
    held = {colony.row: colony for colony in handover.colonies}
    back: list[int] = []
    for interval in range(12):
        before = field.table["cells"].copy()
        field.advance(interval)
        on = field.table["state"] == ON_LATTICE
        assert (field.table["cells"][on] == before[on]).all()  # the mean field leaves them alone
        back += handover.advance(interval)
        for row in back:
            if held[row].cells:
                assert field.table["state"][row] == GROWING
        for colony in handover.colonies:
            assert field.table["cells"][colony.row] == (colony.tissue.cell == Cell.TUMOUR).sum()
    assert sorted(back) == [1, 2] and handover.colonies == []
    field.advance(12)
    assert (field.table["state"][[1, 2]] == GROWING).all()


def test_a_lost_cell_is_noticed(device: Device) -> None:
    _, handover = lattices(device, GROWTH, 1)
    handover.take(0)

    def careless(colony: OnLattice, stamp: Stamp) -> tuple[int, Others]:
        cells, others = tick(colony, stamp)
        return cells - (stamp.tick == handover.ticks - 1), others

    handover._tick = careless
    with pytest.raises(IdentityBroken, match=r"colony 0 has \d+ cells, its lattice"):
        handover.advance(0)


def test_hand_over_comes_where_extinction_is_unlikely() -> None:
    rates = GROWTH.rates()
    assert GROWTH.handover_cells(rates) == 45  # three bottlenecks
    for near in (0.8, 0.85, 0.9, 0.95, 0.99):
        close = rates._replace(death=near * rates.birth)
        needed = GROWTH.handover_cells(close)
        assert needed is not None
        assert 1 - establishment(close, needed) < GROWTH.handover_risk
        assert needed == 45 or 1 - establishment(close, needed - 1) > GROWTH.handover_risk
    assert GROWTH.handover_cells(rates._replace(death=0.9 * rates.birth)) == 79  # ln(1e-3)/ln(0.9) alone is 66
    assert GROWTH.handover_cells(rates._replace(death=rates.birth)) is None
    assert GROWTH.handover_cells(rates._replace(death=0.0)) == 45


def test_a_colony_that_dies_out_on_its_lattice_is_extinct(device: Device) -> None:
    field, handover = lattices(device, GROWTH, 1)
    handover.take(0)
    colony = handover.colonies[0]
    colony.tissue.cell[...] = 0
    colony.cells = 0
    assert handover.advance(0) == [0]
    assert field.table["state"][0] == EXTINCT and field.table["cells"][0] == 0


def test_adapted_cells_grow_by_their_own_law(device: Device) -> None:
    growth = GROWTH.model_copy(update={"adapted_birth_factor": 2.0})
    mixed, handover = lattices(device, growth, 8, adapted=CELLS // 2)
    handover.take(0)
    for interval in range(2):
        handover.advance(interval)
    plain = (mixed.table["cells"] - mixed.table["adapted"]).mean() / (CELLS / 2)
    fit = mixed.table["adapted"].mean() / (CELLS / 2)
    assert plain == pytest.approx(np.exp(0.018 * 24), abs=3 * 0.25 / 8**0.5)
    assert fit == pytest.approx(np.exp(0.048 * 24), abs=3 * 0.6 / 8**0.5)


def test_a_lattice_restored_goes_on_with_the_same_bits(device: Device) -> None:
    whole, first = lattices(device, GROWTH, 2)
    first.take(0)
    first.advance(0)
    half = {row: {name: a.copy() for name, a in tissue.members().items()} for row, tissue in first.members()}
    cells = whole.table["cells"].copy()
    first.advance(1)
    again, second = lattices(device, GROWTH, 2)
    again.table["cells"][:], again.table["state"][:] = cells, ON_LATTICE
    second.restore(half)
    second.advance(1)
    assert (again.table["cells"] == whole.table["cells"]).all()
    for one, other in zip(first.colonies, second.colonies, strict=True):
        assert all((a == other.tissue.members()[name]).all() for name, a in one.tissue.members().items())


def test_intervals_have_whole_ticks() -> None:
    assert ticks_of(24.0, 0.1) == 240
    with pytest.raises(InputError, match="whole ticks"):
        ticks_of(24.0, 0.7)
