"""What tests of a body that is a graph share: single cells that left, and a run of the account without a lattice."""

import numpy as np

from seedsoil.sim.body import books
from seedsoil.sim.body.account import Account
from seedsoil.sim.body.parameters import Body
from seedsoil.sim.body.seeds import Seeds
from seedsoil.sim.departures import BLOOD, Departure
from seedsoil.sim.device import Device

TICK_H = 0.5


def body(**given: object) -> Body:
    return Body.model_validate({"graph": "human", "primary": "breast", **given})


def single_cells(count: int, *, skip: int = 0) -> Seeds:
    """Seeds of one cell that left the primary by blood in tick 0, told apart by their voxel."""
    seeds = Seeds()
    seeds.enter_single_cells(count, {"voxel": skip + np.arange(count), "clone": 0})
    seeds.released = seeds.released_cells = count
    return seeds


def clusters(sizes: list[int]) -> Seeds:
    seeds = Seeds()
    for voxel, cells in enumerate(sizes):
        seeds.release(Departure(0, 0, voxel, BLOOD, np.zeros(cells, np.uint8), np.zeros(cells, np.uint32)))
    return seeds


def travel(table: Body, seeds: Seeds, device: Device, ticks: int, key: int = 1, cells: int = 0) -> Account:
    """Advance so many ticks, the books balanced at each; the primary has `cells`. Seeds that come back stay outside."""
    account = Account(table, TICK_H, key, device)
    for tick in range(ticks):
        account.advance(seeds, tick, cells)
        books.balance(tick, seeds, account.colonies, **account.ledgers())
    return account
