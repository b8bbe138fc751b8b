"""Immune effectors: they enter at walls, search, kill who they see, and are spent; each pass equals its twin."""

import math

import numpy as np
import pytest
from twins import immune_twin
from twins.tissues import DEEP, FLAT, changed, filled_tissue, put, random_tissue, snapshot

from seedsoil.kernels import contest, immune, immune_entry, immune_search
from seedsoil.kernels.draws import ALWAYS, SUBSTEPS_MAX, Stamp
from seedsoil.kernels.immune import Immune, ImmuneRates
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import CARRIED, Cell, Count, Tissue, Trait, Vessel, bare
from seedsoil.sim.device import Device

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
TABLE = Immune(
    entry_per_h=0.2,
    recruited_entry_per_h=0.6,
    signal_half=0.5,
    speed_um_per_h=400.0,
    persistence_h=0.3,
    attraction_per_signal=3.0,
    contact_speed_fraction=0.2,
    kill_per_h=0.6,
    visibility_fraction=0.8,
    exhaustion_probability=0.3,
    death_per_h=0.1,
)


def furnished(device: Device, shape: tuple[int, int, int]) -> Tissue:
    """Tumour cells of three clones of which one evades, a fifth of the cells effectors, vessels, a rough signal."""
    tissue = random_tissue(device.lattice(shape), density=0.5, vessels=0.15)
    draw = np.random.default_rng(5)
    tissue.cell[(tissue.cell != Cell.EMPTY) & (draw.random(shape) < 0.2)] = Cell.IMMUNE
    tumour = tissue.cell == Cell.TUMOUR
    tissue.clone[...] = np.where(tumour, draw.integers(0, 3, shape), 0)
    for name in ("emt", "colony", "due"):
        getattr(tissue, name)[~tumour] = 0
    tissue.heading[...] = np.where(tissue.cell == Cell.IMMUNE, draw.integers(0, tissue.lattice.faces + 1, shape), 0)
    tissue.solutes["chemokine"] = draw.random(shape, dtype=np.float32)
    tissue.traits = np.ones((3, len(Trait)), dtype=np.float32)
    tissue.traits[:, Trait.VISIBILITY] = (0.0, 1.0, 0.3)
    return tissue


def state_of(tissue: Tissue) -> dict:
    names = ("cell", "clone", "heading", "vessel")
    state = {name: getattr(tissue, name).copy() for name in names}
    return state | {"signal": tissue.solutes["chemokine"], "visibility": tissue.traits[:, Trait.VISIBILITY]}


def rates_of(tissue: Tissue, tick_h: float = 1.0, **table: object) -> ImmuneRates:
    return immune.rates(TABLE.model_copy(update=table), tissue.lattice, 20.0, tick_h)


def effectors(tissue: Tissue) -> int:
    return int((tissue.cell == Cell.IMMUNE).sum())


@SHAPES
def test_who_is_killed_and_who_is_spent_equals_the_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    rates, stamp, state = rates_of(tissue), Stamp.of(3, 1, 7), state_of(tissue)
    killed, spent, margin = immune_twin.judge(state, rates, stamp)
    assert killed.sum() > 20 and spent.sum() > 20 and margin.min() > 1e-7
    assert not killed[state["clone"] == 0].any()  # who is not seen is not killed
    before = snapshot(tissue)
    tissue.counters[...] = 0
    immune.fight(tissue, rates, stamp, effectors=effectors(tissue))
    np.testing.assert_array_equal(tissue.cell == Cell.EMPTY, (state["cell"] == Cell.EMPTY) | killed | spent)
    assert (tissue.census()[Count.KILLED], tissue.census()[Count.EXHAUSTED]) == (killed.sum(), spent.sum())
    for name in CARRIED:
        gone = killed | spent
        assert not getattr(tissue, name)[gone].any()
        np.testing.assert_array_equal(getattr(tissue, name)[~gone], before[name][~gone])
    for planted in ({"kill": rates.kill * 1.1}, {"exhaustion": 0.5}, {"death": 0.15}):
        other_killed, other_spent, _ = immune_twin.judge(state, rates._replace(**planted), stamp)
        assert (other_killed != killed).any() or (other_spent != spent).any(), planted
    blind = {**state, "visibility": np.ones(3)}
    assert (immune_twin.judge(blind, rates, stamp)[0] != killed).any()


@SHAPES
def test_who_enters_equals_the_twin(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    rates, stamp, state = rates_of(tissue), Stamp.of(3, 1, 7), state_of(tissue)
    entered, margin = immune_twin.enter(state, rates, stamp)
    assert entered.sum() > 20 and margin[margin < np.inf].min() > 1e-7
    before = snapshot(tissue)
    tissue.counters[...] = 0
    immune_entry.enter(tissue, rates, stamp)
    np.testing.assert_array_equal(tissue.cell, np.where(entered, Cell.IMMUNE, state["cell"]))
    assert tissue.census()[Count.ENTERED] == entered.sum()
    assert changed(before, tissue) <= {"cell", "busy", "counters"}
    for planted in ({"entry": rates.entry * 1.2}, {"recruited": 0.4}, {"half": 0.8}):
        assert (immune_twin.enter(state, rates._replace(**planted), stamp)[0] != entered).any(), planted


@pytest.mark.parametrize(("shape", "solid", "persists"), [(FLAT, False, True), (DEEP, True, True), (FLAT, True, False)])
def test_where_they_want_to_go_equals_the_twin(
    device: Device, shape: tuple[int, int, int], solid: bool, persists: bool
) -> None:
    tissue = furnished(device, shape)
    rates = rates_of(tissue, 0.1, **({} if persists else {"persistence_h": 0.05}))
    assert (rates.turn != ALWAYS) == persists
    rates = rates._replace(hop=2**31)
    stamp, state = Stamp.of(3, 1, 7), state_of(tissue)
    intent, heading, margin = immune_twin.search(state, rates, stamp, 40, solid_vessels=solid)
    sure = margin > 1e-5
    assert sure.mean() > 0.999
    tissue.intent[...] = 99
    immune_search.propose(tissue, rates, 40, stamp, solid_vessels=solid)
    np.testing.assert_array_equal(tissue.intent[sure], intent[sure])
    np.testing.assert_array_equal(tissue.heading[sure], heading[sure])
    assert set(np.unique(intent)) == set(range(tissue.lattice.faces + 1))
    plants = [{"hop": 2**30}, {"attraction": 0.0}, {"contact": 0.5}, {"visibility": 0.3}]
    for planted in [*plants, *([{"turn": rates.turn * 2}] if persists else [])]:
        other = immune_twin.search(state, rates._replace(**planted), stamp, 40, solid_vessels=solid)
        assert (other[0] != intent)[sure].any() or (other[1] != heading)[sure].any(), planted
    other = immune_twin.search(state, rates, stamp, 40, solid_vessels=not solid)
    assert (other[0] != intent)[sure].any()


def test_nobody_is_lost_on_the_search(device: Device) -> None:
    tissue = furnished(device, DEEP)
    rates, before = rates_of(tissue, 0.1), effectors(tissue)
    others = tissue.cell * (tissue.cell != Cell.IMMUNE)
    tissue.counters[...] = 0
    for substep in range(60):
        immune_search.propose(tissue, rates, substep, Stamp.of(4), solid_vessels=True)
        contest.settle(tissue, CLOSED, substep, Stamp.of(4))
    assert effectors(tissue) == before
    np.testing.assert_array_equal(tissue.cell * (tissue.cell != Cell.IMMUNE), others)
    assert tissue.census()[Count.MOVED] == 0  # that counts the hops of tumour cells
    assert (
        not (tissue.cell == Cell.IMMUNE)[tissue.vessel > 0].sum()
        > (furnished(device, DEEP).cell == Cell.IMMUNE)[tissue.vessel > 0].sum()
    )


def spread(device: Device, rates: ImmuneRates, substeps: int, keys: int) -> float:
    """Mean squared displacement, in voxels^2, of effectors that start 16 apart in the middle of a flat lattice."""
    total, walkers = 0.0, 0
    for key in range(keys):
        tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
        places = [(y, x) for y in (24, 40) for x in (24, 40)]
        for number, (y, x) in enumerate(places):
            tissue.cell[0, y, x], tissue.clone[0, y, x] = Cell.IMMUNE, 1 + number
        for substep in range(substeps):
            immune_search.propose(tissue, rates, substep, Stamp.of(key), solid_vessels=False)
            contest.settle(tissue, CLOSED, substep, Stamp.of(key))
        for _, y, x in zip(*np.nonzero(tissue.cell), strict=True):
            y0, x0 = places[int(tissue.clone[0, y, x]) - 1]
            total += (y - y0) ** 2 + (x - x0) ** 2
            walkers += 1
    return total / walkers


@pytest.mark.parametrize(("speed", "persistence", "substeps"), [(400.0, 0.3, 60), (200.0, 0.05, 100)])
def test_how_far_they_get(device: Device, speed: float, persistence: float, substeps: int) -> None:
    """A persistent and a plain walk of 800 walkers against what the law adds up to; 4 s.e. of a squared distance."""
    table = Immune(speed_um_per_h=speed, persistence_h=persistence)
    rates = immune.rates(table, device.lattice(FLAT), 20.0, 0.1)
    p, stay = rates.hop / 2**32, 1 - rates.turn / 2**32 if rates.turn != ALWAYS else 0.0
    lags = np.arange(1, substeps)
    expected = substeps * p + 2 * p * p * float(((substeps - lags) * stay**lags).sum())
    dt = 0.1 / rates.substeps
    t = substeps * dt
    if rates.turn == ALWAYS:
        assert expected == pytest.approx(4 * speed**2 * persistence / 2 * t / 400)  # 2 d D t, D = v^2 P / d
    else:
        # the formula for a continuous walk on a lattice: its last term is what the lattice adds
        way = 2 * speed**2 * persistence * (t - persistence * (1 - math.exp(-t / persistence))) + 20 * speed * t
        assert expected == pytest.approx(way / 400, rel=0.06)
    found = spread(device, rates, substeps, 200)
    assert abs(found / expected - 1) < 4 / math.sqrt(800)
    if rates.turn != ALWAYS:
        plain = substeps * p
        assert abs(found / plain - 1) > 8 / math.sqrt(800)  # planted: without persistence it would be this


def test_they_climb_a_signal_and_only_then(device: Device) -> None:
    drift = {}
    for attraction in (0.0, 2.0):
        tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
        tissue.cell[0, ::4, 20:40:4] = Cell.IMMUNE
        tissue.solutes["chemokine"] = np.tile(np.arange(64, dtype=np.float32) / 4, (1, 64, 1))
        start = np.nonzero(tissue.cell[0])[1].mean()
        table = Immune(speed_um_per_h=200.0, attraction_per_signal=attraction)
        rates = immune.rates(table, tissue.lattice, 20.0, 0.1)
        for substep in range(60):
            immune_search.propose(tissue, rates, substep, Stamp.of(2), solid_vessels=False)
            contest.settle(tissue, CLOSED, substep, Stamp.of(2))
        drift[attraction] = np.nonzero(tissue.cell[0])[1].mean() - start
    assert abs(drift[0.0]) < 1.0 < 2.0 < drift[2.0]


@pytest.mark.parametrize(("beside", "visible", "share"), [(1, 1.0, 1), (2, 1.0, 2), (2, 0.25, 0.5), (1, 0.0, 0)])
def test_kills_add_up_over_effectors_and_fall_with_evasion(
    device: Device, beside: int, visible: float, share: float
) -> None:
    """256 targets, each made good, for 12 ticks: 4 standard errors. Effectors are spent at `exhaustion` per kill."""
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.traits[0, Trait.VISIBILITY] = visible
    rates = rates_of(tissue, 0.5, visibility_fraction=1.0, death_per_h=0.0)
    tissue.counters[...] = 0
    for tick in range(12):
        tissue.cell[0, 1::4, 0::4] = Cell.IMMUNE
        if beside == 2:
            tissue.cell[0, 0::4, 1::4] = Cell.IMMUNE
        for y in range(1, 64, 4):
            for x in range(1, 64, 4):
                put(tissue, (0, y, x))
        immune.fight(tissue, rates, Stamp.of(8, 0, tick), effectors=256 * beside)
    p, n = -math.expm1(-0.3 * share), 256 * 12
    assert abs(tissue.census()[Count.KILLED] - n * p) <= 4 * math.sqrt(n * p * (1 - p))
    q, n = -math.expm1(-0.3 * 0.3 * visible), 256 * 12 * beside
    assert abs(tissue.census()[Count.EXHAUSTED] - n * q) <= 4 * math.sqrt(n * q * (1 - q))


@pytest.mark.parametrize(
    ("wall", "faces"),
    [
        (Vessel.BLOOD | Vessel.PERFUSED, 1),
        (Vessel.BLOOD, 0),  # nothing flows
        (Vessel.LYMPH | Vessel.PERFUSED, 0),  # lymph leads away
        (Vessel.BLOOD | Vessel.PERFUSED | Vessel.GIVEN, 1),
    ],
)
def test_they_enter_by_perfused_blood_vessels_alone(device: Device, wall: Vessel, faces: int) -> None:
    tissue = bare(device.lattice(FLAT), lattice_id=0, voxel_um=20.0)
    tissue.vessel[0, :, 10] = int(wall)
    tissue.cell[0, :, 11] = Cell.TUMOUR
    tissue.counters[...] = 0
    immune_entry.enter(tissue, rates_of(tissue, 1.0, entry_per_h=3.0, recruited_entry_per_h=0.0), Stamp.of(3))
    entered = tissue.cell == Cell.IMMUNE
    assert entered.sum() == entered[0, :, 9].sum() == tissue.census()[Count.ENTERED]
    p = -math.expm1(-3.0 * faces)
    assert abs(entered.sum() - 64 * p) <= 4 * math.sqrt(64 * p * (1 - p))


@SHAPES
def test_rate_zero_is_exactly_off(device: Device, shape: tuple[int, int, int]) -> None:
    tissue = furnished(device, shape)
    off = immune.rates(Immune(), tissue.lattice, 20.0, 24.0)
    assert off.substeps == 0
    before = snapshot(tissue)
    immune.fight(tissue, off, Stamp.of(1), effectors=effectors(tissue))
    immune_entry.enter(tissue, off, Stamp.of(1))
    immune.fight(tissue, rates_of(tissue), Stamp.of(1), effectors=0)
    assert changed(before, tissue) == set()


def test_a_full_lattice_takes_no_more(device: Device) -> None:
    tissue = filled_tissue(device.lattice(FLAT))
    tissue.vessel[...] = int(Vessel.BLOOD | Vessel.PERFUSED)
    immune_entry.enter(tissue, rates_of(tissue, recruited_entry_per_h=0.0), Stamp.of(1))
    assert np.all(tissue.cell == Cell.TUMOUR)


def test_a_search_too_fast_for_the_tick_is_refused() -> None:
    with pytest.raises(ValueError, match=r"immune\.speed_um_per_h: at lattice\.tick_h = 24 h"):
        immune.rates(Immune(speed_um_per_h=2000.0, persistence_h=1.0), Lattice.of(FLAT), 0.05, 24.0)
    assert immune.rates(Immune(speed_um_per_h=2000.0), Lattice.of(FLAT), 20.0, 1.0).substeps < SUBSTEPS_MAX // 2
