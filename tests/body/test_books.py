"""The books of the body: every identity holds while colonies shed and seeds come back, and each is seen to break."""

import numpy as np
import pytest
from seeds_in_bodies import TICK_H, body, single_cells

from seedsoil.sim.body import books
from seedsoil.sim.body.account import Account
from seedsoil.sim.body.journeys import LIVES_ON, PRIMARY
from seedsoil.sim.body.mean_field import GROWING
from seedsoil.sim.body.seeds import NONE, Fate, Seeds
from seedsoil.sim.device import Device
from seedsoil.sim.errors import IdentityBroken

SHEDDING = {
    "interval_h": 12.0,
    "arrest": {"self_seeding_probability": 0.6},
    "transit": {"small_fraction": 0.0, "evasive_fraction": 0.2},
    "gauntlet": {"fall": "step"},
    "dormancy": {"probability": 0.2, "waking_per_h": 0.01},
    "colonies": {
        "birth_per_h": 0.04,
        "death_per_h": 0.01,
        "bottleneck_cells": 1,
        "shedding_per_h": 0.05,
        "shedding_exponent": 1.0,
        "adaptation_probability": 0.05,
        "adapted_birth_factor": 1.5,
    },
}


@pytest.fixture(scope="module")
def shed(device: Device) -> tuple[Seeds, Account]:
    """200 cells and 180 h of a body whose colonies shed, balanced at every tick. Who comes back is at home."""
    seeds, account = single_cells(200), Account(body(**SHEDDING), TICK_H, 3, device)
    for tick in range(360):
        for back in account.advance(seeds, tick):
            assert back.organ == PRIMARY
            seeds.table["fate"][back.row] = Fate.RETURNED
            seeds.returned_cells += int(seeds.table["cells"][back.row])
        books.balance(tick, seeds, account.colonies, **account.ledgers())
    return seeds, account


def test_the_books_balance_while_colonies_shed(shed) -> None:
    seeds, account = shed
    counted = account.metastases.counted
    assert seeds.released > 5000 and counted["seeds"].sum() > 2000
    assert seeds.released == seeds.table.rows + counted["seeds"].sum()
    assert seeds.count(Fate.RETURNED) > 0
    parents = account.colonies.table["parent"]
    assert (parents >= 0).sum() > 30 and (parents == NONE).sum() > 10
    # metastases of metastases, which carry what was acquired
    grand = parents[np.maximum(parents, 0)]
    assert ((parents >= 0) & (grand >= 0)).any()
    adapted = account.journeys.table["adapted"][account.colonies.table["founder_seed"]]
    assert adapted.any() and not adapted[parents == NONE].any()


@pytest.mark.parametrize("evasive", [0, 1])
def test_what_a_colony_sheds_fares_as_the_steps_say(device: Device, evasive: int) -> None:
    """Of the seeds of one colony in the lung: how many live, where, and what the others died of, at 4 standard errors."""
    account, seeds = Account(body(**SHEDDING), TICK_H, 5, device), Seeds()
    lung = account.steps.anatomy.organs.index("lung")
    account.colonies.table.append({"organ": lung, "evasive": evasive, "state": GROWING, "cells": 10**6})
    law = account.metastases.field.law()
    account.metastases.field.found(np.array([77], dtype=np.uint64), 10**6, law=law)
    account.metastases.field.table["adapted"][0] = 10**5
    account.metastases.shed(1, seeds, account.journeys, account.colonies, 24, 0.0)
    total, exact = seeds.released, account.metastases.fates_of(lung, bool(evasive), 0.0)
    assert total > 500_000
    counted, share = account.metastases.counted, exact.probability[0]

    def within(count: int, p: float) -> bool:
        return abs(count - total * p) <= 4 * (total * p * (1 - p)) ** 0.5 + 1e-9

    assert within(seeds.table.rows, float(share[exact.lives].sum()))
    assert not within(round(1.05 * seeds.table.rows), float(share[exact.lives].sum()))
    for row in np.flatnonzero(~exact.lives):
        mine = (counted["fate"] == exact.fate[row]) & (counted["organ"] == exact.organ[row])
        assert within(int(counted["seeds"][mine].sum()), float(share[row]))
    for organ in range(len(account.steps.anatomy.organs)):
        lives = exact.lives & (exact.organ == organ)
        assert within(int((seeds.table["organ"] == organ).sum()), float(share[lives].sum()))
    assert seeds.table.rows + counted["seeds"].sum() == total
    adapted = account.journeys.table["adapted"]
    assert abs(adapted.mean() - 0.1) < 4 * (0.09 / len(adapted)) ** 0.5
    settles = account.journeys.table["decided"] == LIVES_ON  # who comes back is no colony to inherit
    assert np.all(account.journeys.table["kind"][settles] >> 2 & 1 >= evasive)


def test_secondary_seeding_off_is_off(device: Device) -> None:
    given = {**SHEDDING, "colonies": {**SHEDDING["colonies"], "shedding_per_h": 0.0}}
    seeds, account = single_cells(100), Account(body(**given), TICK_H, 3, device)
    for tick in range(200):
        account.advance(seeds, tick)
    assert seeds.table.rows == seeds.released == 100
    assert not account.metastases.counted["seeds"].any()


def test_the_switch_of_secondary_seeding_says_what_colonies_do() -> None:
    quiet = {**SHEDDING, "colonies": {**SHEDDING["colonies"], "shedding_per_h": 0.0}}
    assert body(**SHEDDING).secondary_seeding and not body(**quiet).secondary_seeding
    for given in (SHEDDING, quiet):
        whole = body(**given)
        assert type(whole).model_validate(whole.model_dump()) == whole  # all written out, it is the same body
        assert "secondary_seeding" not in whole.model_dump(exclude_unset=True)
    assert body(**quiet, secondary_seeding=True).secondary_seeding
    with pytest.raises(ValueError, match=r"body\.secondary_seeding: false, and body\.colonies\.shedding_per_h"):
        body(**SHEDDING, secondary_seeding=False)


def test_a_seed_is_shed_into_the_same_life_whoever_else_sheds(shed, device: Device) -> None:
    """Without the colonies of half of the seeds, the other half's founders, and what those found, stay as they were."""
    _, account = shed
    half, alone = single_cells(100), Account(body(**SHEDDING), TICK_H, 3, device)
    for tick in range(360):
        for back in alone.advance(half, tick):
            half.table["fate"][back.row] = Fate.RETURNED
    for name in ("entity_low", "kind", "killed"):
        assert np.array_equal(alone.journeys.table[name][:100], account.journeys.table[name][:100])
    known = set(account.journeys.table["entity_low"].tolist())
    mine = set(alone.journeys.table["entity_low"].tolist())
    assert len(mine) > 200 and mine <= known
    first = {
        int(e): c
        for e, c in zip(
            account.metastases.field.table["entity_low"], account.metastases.field.table["cells"], strict=True
        )
    }
    assert all(
        first[int(e)] == c
        for e, c in zip(alone.metastases.field.table["entity_low"], alone.metastases.field.table["cells"], strict=True)
    )


def broken(seeds: Seeds, account: Account, **changed: object) -> None:
    books.balance(9, seeds, account.colonies, **{**account.ledgers(), **changed})


@pytest.mark.parametrize("name", ["released", "fragments", "released_cells", "returned_cells"])
def test_a_miscounted_total_is_seen(shed, name: str) -> None:
    seeds, account = shed
    setattr(seeds, name, getattr(seeds, name) + 1)
    with pytest.raises(IdentityBroken, match="tick 9, body"):
        broken(seeds, account)
    setattr(seeds, name, getattr(seeds, name) - 1)
    broken(seeds, account)


@pytest.mark.parametrize(
    ("column", "fate"),
    [("seeds", Fate.DIED_IN_TRANSIT), ("cells", Fate.DIED_IN_TRANSIT), ("seeds", Fate.DIED_AFTER_ARREST)],
)
def test_a_miscounted_dead_seed_is_seen(shed, column: str, fate: Fate) -> None:
    seeds, account = shed
    table = account.metastases.counted
    row = int(np.flatnonzero(table["fate"] == fate)[0])
    table[column][row] += 1
    with pytest.raises(IdentityBroken):
        broken(seeds, account)
    table[column][row] -= 1
    broken(seeds, account)


def test_a_seed_or_a_colony_without_the_other_is_seen(shed) -> None:
    seeds, account = shed
    ledgers = account.ledgers()
    settled = int(np.flatnonzero(seeds.table["fate"] == Fate.COLONY)[0])
    seeds.table["fate"][settled] = Fate.DIED_AFTER_ARREST  # its colony goes on
    with pytest.raises(IdentityBroken):
        broken(seeds, account)
    seeds.table["fate"][settled] = Fate.COLONY
    with pytest.raises(IdentityBroken):  # one colony too many
        broken(seeds, account, states=np.append(ledgers["states"], GROWING))
    with pytest.raises(IdentityBroken):  # one too few
        broken(seeds, account, states=ledgers["states"][:-1])
    killed = ledgers["killed"].copy()
    killed[settled] += 1
    with pytest.raises(IdentityBroken):  # a cell killed that founded a colony
        broken(seeds, account, killed=killed)
    account.colonies.table["founder_cells"][0] += 1
    with pytest.raises(IdentityBroken):  # a founder copied
        broken(seeds, account)
    account.colonies.table["founder_cells"][0] -= 1
    broken(seeds, account)


def test_a_branch_gives_all_colonies_the_new_laws(shed, device: Device) -> None:
    """Tables of the past under other tables: colonies grow on by the new rates, waiting seeds come at their time."""
    seeds, account = shed
    given = {
        **SHEDDING,
        "colonies": {**SHEDDING["colonies"], "birth_per_h": 0.02},
        "soil": {"lung": {"growth_factor": 2.0}},
    }
    for table, lung_birth in ((SHEDDING, 0.04), (given, 0.04), ({**given, "soil": {}}, 0.02)):
        other = Account(body(**table), TICK_H, 3, device)
        for old, new in zip(
            [account.colonies.table, *account.tables().values()],
            [other.colonies.table, *other.tables().values()],
            strict=True,
        ):
            new.rows = 0
            new.append({name: old[name].copy() for name in old.names}, count=old.rows)
        other.take_up(account.numbers())
        other.readmit(seeds, 360)
        lung = other.steps.anatomy.organs.index("lung")
        row = int(np.flatnonzero(other.colonies.table["organ"] == lung)[0])
        assert other.metastases.field.rates_of(row).birth == pytest.approx(lung_birth)
        assert other.metastases.field.rates_of(row, adapted=True).birth == pytest.approx(1.5 * lung_birth)
        if table is SHEDDING:  # nothing changed, so no number of a law has
            for name in ("law", "adapted_law"):
                assert np.array_equal(other.metastases.field.table[name], account.metastases.field.table[name])
            assert other.journeys._due.keys() == account.journeys._due.keys()
