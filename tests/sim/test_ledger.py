"""The ledger stops a run that lost or copied a cell or a seed, and says when, where and by how much."""

import pytest

from seedsoil.sim.errors import IdentityBroken
from seedsoil.sim.ledger import Others, Tally, check_arrested, check_cells, check_on_board, check_seeds

TRUE = Tally(before=100, born=7, died=3, departed=5, arrived=2, after=101, mesenchymal=60, moved=40, clamped=0)
SEEDS = {"released": 10, "fragments": 4, "in_transit": 3, "dead": 8, "arrested": 2, "returned": 1}


def test_books_that_balance_pass() -> None:
    check_cells(TRUE, 12, "primary")
    check_seeds(12, **SEEDS)
    check_arrested(12, arrested=5, growing=3, extinct=2)


@pytest.mark.parametrize("name", ["before", "born", "died", "departed", "arrived", "after"])
@pytest.mark.parametrize("by", [-1, 1])
def test_one_miscounted_cell_stops_the_run(name: str, by: int) -> None:
    wrong = TRUE._replace(**{name: getattr(TRUE, name) + by})
    expected = wrong.before + wrong.born - wrong.died - wrong.departed + wrong.arrived
    with pytest.raises(IdentityBroken) as caught:
        check_cells(wrong, 4711, "liver")
    message = str(caught.value)
    assert "tick 4711" in message
    assert "liver" in message
    assert f"broken by {wrong.after - expected:+d}" in message
    for number in (wrong.before, wrong.born, wrong.died, wrong.departed, wrong.arrived, expected, wrong.after):
        assert str(number) in message
    assert caught.value.exit_code == 70


@pytest.mark.parametrize("kind", Others._fields)
@pytest.mark.parametrize("book", ["others_before", "others_gained", "others_lost", "others"])
def test_one_miscounted_voxel_of_another_kind_stops_the_run(kind: str, book: str) -> None:
    true = TRUE._replace(
        others_before=Others(9, 9, 9, 9),
        others_gained=Others(3, 4, 0, 0),
        others_lost=Others(2, 1, 0, 5),
        others=Others(10, 12, 9, 4),
    )
    check_cells(true, 3, "lung")
    wrong = getattr(true, book)._replace(**{kind: getattr(getattr(true, book), kind) + 1})
    with pytest.raises(IdentityBroken, match=rf"tick 3, lung: the ledger of {kind} voxels is broken by [+-]1"):
        check_cells(true._replace(**{book: wrong}), 3, "lung")


@pytest.mark.parametrize("name", ["mesenchymal", "moved", "clamped"])
def test_what_is_no_part_of_the_identity_does_not_stop_it(name: str) -> None:
    check_cells(TRUE._replace(**{name: 999}), 1, "primary")


@pytest.mark.parametrize("name", ["departed", "on_board", "settled", "founders", "without_room"])
def test_a_cell_lost_on_its_way_stops_the_run(name: str) -> None:
    right = {"departed": 30, "on_board": 30, "settled": 9, "founders": 7, "without_room": 2}
    check_on_board(3, **right)
    with pytest.raises(IdentityBroken, match="tick 3, body"):
        check_on_board(3, **{**right, name: right[name] + 1})


@pytest.mark.parametrize("name", list(SEEDS))
def test_one_miscounted_seed_stops_the_run(name: str) -> None:
    wrong = {**SEEDS, name: SEEDS[name] + 1}
    with pytest.raises(IdentityBroken, match="tick 88, body") as caught:
        check_seeds(88, **wrong)
    for number in wrong.values():
        assert str(number) in str(caught.value)


@pytest.mark.parametrize("name", ["arrested", "growing", "extinct"])
def test_one_miscounted_colony_stops_the_run(name: str) -> None:
    books = {"arrested": 5, "growing": 3, "extinct": 2}
    with pytest.raises(IdentityBroken, match="tick 9, body") as caught:
        check_arrested(9, **{**books, name: books[name] + 1})
    assert str(books[name] + 1) in str(caught.value)


def test_two_errors_of_one_size_and_opposite_sign_do_pass() -> None:
    """What the identity cannot see, said plainly: the census shares nothing with the passes for this reason."""
    check_cells(TRUE._replace(born=8, died=4), 1, "primary")
