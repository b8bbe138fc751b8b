"""The seed table: growth, release, break-up, and that no cell is lost on the way."""

import numpy as np
import pytest

from seedsoil.sim.body import seeds as seeds_module
from seedsoil.sim.body.seeds import NONE, Fate, Growing, Seeds, refuse_too_many
from seedsoil.sim.departures import LYMPH, Departure
from seedsoil.sim.errors import BeyondLimits


def departure(emt: list[int], clone: list[int] | None = None, *, voxel: int = 77, tick: int = 5) -> Departure:
    clones = np.arange(len(emt)) if clone is None else np.array(clone)
    return Departure(3, tick, voxel, LYMPH, np.array(emt, dtype=np.uint8), clones.astype(np.uint32))


def test_a_growing_table_keeps_what_it_holds() -> None:
    table = Growing({"a": np.int32, "b": np.float64})
    assert table.names == ("a", "b")
    assert [table.append({"a": n, "b": n / 2}) for n in range(1000)] == list(range(1000))
    assert table.append({"a": np.arange(50)}, count=50) == 1000
    assert table.rows == len(table["a"]) == 1050
    np.testing.assert_array_equal(table["a"], [*range(1000), *range(50)])
    np.testing.assert_array_equal(table["b"], [*(n / 2 for n in range(1000)), *[0.0] * 50])
    assert table["a"].dtype == np.int32


def test_a_column_is_a_view_of_the_rows_in_use() -> None:
    table = Growing({"a": np.int64})
    table.append({"a": [1, 2, 3]}, count=3)
    table["a"][1] = 9
    assert table["a"].tolist() == [1, 9, 3]
    table.append({"a": 4}, count=500)
    assert table["a"].tolist() == [1, 9, 3] + [4] * 500


def test_a_released_seed_is_in_transit_with_all_its_cells() -> None:
    seeds = Seeds()
    row = seeds.release(departure([200, 10, 130], [8, 9, 10]))
    held = {name: int(seeds.table[name][row]) for name in seeds.table.names}
    assert held == {
        "lattice_id": 3,
        "tick": 5,
        "voxel": 77,
        "fragment": 0,
        "cells": 3,
        "mesenchymal": 2,
        "clone": 8,
        "emt": 113,
        "route": LYMPH,
        "fate": Fate.IN_TRANSIT,
        "organ": NONE,
        "arrest_tick": NONE,
        "colony": NONE,
        "cells_without_room": 0,
        "first": 0,
    }
    emt, clone = seeds.members_of(row)
    assert (emt.tolist(), clone.tolist()) == ([200, 10, 130], [8, 9, 10])
    emt[...] = 0  # a copy
    assert seeds.members_of(row)[0].tolist() == [200, 10, 130]
    assert (seeds.released, seeds.fragments) == (1, 0)
    assert seeds.count(Fate.IN_TRANSIT) == 1


@pytest.mark.parametrize("off", [[1], [0], [0, 3], [1, 2, 3, 4], [0, 1, 2, 3, 4]])
def test_break_up_loses_no_cell_and_knows_who_came_off(off: list[int]) -> None:
    seeds = Seeds()
    before = seeds.release(departure([255, 0, 255, 0, 255], [20, 21, 22, 23, 24]))
    other = seeds.release(departure([1, 2, 3], [50, 51, 52], voxel=78))
    rows = seeds.split(before, np.array(off))
    # if all come off, the first is what is left of the seed
    singles = off[1:] if len(off) == 5 else off
    assert seeds.table["fragment"][rows].tolist() == [1 + member for member in singles]
    assert seeds.fragments == len(rows) == len(singles)
    assert [seeds.members_of(row)[1].tolist() for row in rows] == [[20 + member] for member in singles]
    kept = [20 + member for member in range(5) if member not in singles]
    assert seeds.members_of(before)[1].tolist() == kept
    assert seeds.table["cells"][before] == len(kept)
    assert seeds.table["mesenchymal"][before] == sum(clone % 2 == 0 for clone in kept)
    for name in ("lattice_id", "tick", "voxel", "route"):
        assert set(seeds.table[name][rows].tolist()) == {int(seeds.table[name][before])}
    assert seeds.table["cells"].sum() == 8
    clones = np.concatenate([seeds.members_of(row)[1] for row in range(seeds.table.rows)])
    assert sorted(clones.tolist()) == [20, 21, 22, 23, 24, 50, 51, 52]
    assert seeds.members_of(other)[1].tolist() == [50, 51, 52]


def test_many_seeds_keep_their_members_apart() -> None:
    draw = np.random.default_rng(1)
    seeds, given = Seeds(), []
    for number in range(500):
        clones = (1000 * number + np.arange(draw.integers(1, 21))).tolist()
        given.append(clones)
        seeds.release(departure([255] * len(clones), clones, voxel=number))
    for row in range(0, 500, 3):
        if len(given[row]) > 2:
            seeds.split(row, np.array([1]))
            del given[row][1]
    assert [seeds.members_of(row)[1].tolist() for row in range(500)] == given


def test_fates_are_counted() -> None:
    seeds = Seeds()
    for number, fate in enumerate(Fate):
        row = seeds.release(departure([1], voxel=number))
        seeds.table["fate"][row] = fate
    for fate in Fate:
        assert seeds.count(fate) == 1
    assert seeds.count(*Fate) == seeds.table.rows == len(Fate)
    assert seeds.count() == 0


def test_seeds_that_do_not_fit_are_refused_with_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few more seeds beside very many, and few more that make the table twice as long."""
    table = Growing({"n": np.uint8})
    table.append({}, count=200_000)
    assert table.grows_by(1) == 200_000 and table.grows_by(0) == 0
    room = 150_000 * seeds_module.LIVING_BYTES
    monkeypatch.setattr(seeds_module, "available_memory", lambda: room)
    with pytest.raises(
        BeyondLimits, match=r"1 seeds would live on from one interval beside 2e\+05, too many"
    ) as caught:
        refuse_too_many(1, table)
    assert caught.value.exit_code == 65
    room = 250_000 * seeds_module.LIVING_BYTES
    refuse_too_many(1, table)
    table.append({})
    assert len(table.whole("n")) == 400_000 and table.grows_by(199_999) == 0 and table.grows_by(200_000) == 400_000
    room = 150_000 * seeds_module.LIVING_BYTES
    refuse_too_many(140_000, table)  # in spare rows
    with pytest.raises(BeyondLimits):
        refuse_too_many(160_000, table)
    monkeypatch.setattr(seeds_module, "available_memory", lambda: None)
    monkeypatch.setattr(table, "rows", seeds_module.ROWS_MAX - 5)
    monkeypatch.setattr(table, "grows_by", lambda count: 0)
    refuse_too_many(5, table)
    with pytest.raises(BeyondLimits):
        refuse_too_many(6, table)
