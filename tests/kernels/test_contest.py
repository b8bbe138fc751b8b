"""The contest: nobody lost, nobody copied, nothing else touched, and the same voxels as the plain twin."""

import dataclasses

import numpy as np
import pytest
from twins import contest_twin

from seedsoil.kernels import census, contest
from seedsoil.kernels.draws import Purpose, Stamp, host_draw
from seedsoil.kernels.intent import DIVIDE, MOVE
from seedsoil.kernels.intravasation import ARRIVAL, CONTACT, IntravasationRates
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.tissue import Cell, Count, Tissue, Vessel

# the last chunk of RAGGED is shorter than the others, and so is its last tile
FLAT, DEEP, RAGGED = (1, 64, 64), (12, 16, 20), (11, 17, 20)
MEMBERS = (
    "cell",
    "emt",
    "clone",
    "colony",
    "due",
    "heading",
    "vessel",
    "matrix",
    "protease",
    "spare",
    "intent",
    "leaving",
)
WRITTEN = {"cell", "emt", "clone", "colony", "due", "heading", "leaving"}
STAYS = IntravasationRates(CONTACT, 0.0, 0.0, 128)
CATCHES = IntravasationRates(ARRIVAL, 0.0, 0.0, 128)


def state_of(tissue: Tissue) -> dict[str, np.ndarray]:
    return {name: getattr(tissue, name).copy() for name in MEMBERS}


def wish(tissue: Tissue, seed: int, *, move: float, divide: float) -> None:
    """Intents as the proposers may state them: tumour cells only, into empty voxels only, never through a wall."""
    rng = np.random.default_rng(seed)
    shape, faces = tissue.lattice.shape, tissue.lattice.faces
    tissue.intent[...] = 0
    tissue.due[...] = (tissue.cell == Cell.TUMOUR) & (rng.random(shape) < 0.5)
    for at in zip(*np.nonzero(tissue.cell == Cell.TUMOUR), strict=True):
        face, act = int(rng.integers(faces)), rng.random()
        target = tuple(np.add(at, contest_twin.STEPS[face]))
        if any(not 0 <= a < n for a, n in zip(target, shape, strict=True)) or tissue.cell[target] != Cell.EMPTY:
            continue
        if act < divide:
            tissue.due[at] = 1
            tissue.intent[at] = DIVIDE + face
        elif act < divide + move:
            tissue.intent[at] = MOVE + face


def bids_of(tissue: Tissue, stamp: Stamp, substep: int) -> np.ndarray:
    voxels = np.arange(tissue.lattice.voxels).reshape(tissue.lattice.shape)
    return host_draw(voxels, stamp, Purpose.PRIORITY, substep)


def who(state: dict[str, np.ndarray]) -> list[tuple[int, ...]]:
    """Every cell as what it is, sorted: where it stands does not matter."""
    at = state["cell"] != Cell.EMPTY
    return sorted(zip(*(state[name][at].tolist() for name in ("cell", "clone", "emt", "colony")), strict=True))


def differs(tissue: Tissue, expected: dict[str, np.ndarray]) -> list[str]:
    return [name for name in MEMBERS if not np.array_equal(getattr(tissue, name), expected[name])]


CASES = [(shape, density) for shape in (FLAT, DEEP) for density in (0.02, 0.3, 0.7, 0.97)]
LATTICES = [Lattice.of(FLAT), Lattice.of(DEEP, form="voxels"), Lattice(*RAGGED, lanes=20)]


@pytest.mark.parametrize("density", [0.02, 0.3, 0.7, 0.97])
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_kernel_equals_the_twin(strew, lattice, density):
    tissue = strew(lattice.shape, density, seed=int(100 * density), vessels=0.1, others=0.05, lattice=lattice)
    for n, rates in enumerate((STAYS, CATCHES, CATCHES)):
        wish(tissue, seed=n, move=0.6, divide=0.3)
        stamp = Stamp.of(2**63 + 11, lattice_id=2, tick=5 + n)
        before = state_of(tissue)
        twin = contest_twin.settle(
            before, bids_of(tissue, stamp, n), catches=rates.law == ARRIVAL, minimum_emt=rates.minimum_emt
        )
        tissue.counters[...] = 0
        contest.settle(tissue, rates, n, stamp)
        assert differs(tissue, twin.state) == []
        counts = tissue.census()
        assert (counts[Count.BORN], counts[Count.MOVED], counts[Count.LEAVING]) == twin[1:]
        assert twin.moved > 0
        # cells that were marked as leaving go before the next substep
        gone = tissue.leaving != 0
        for name in ("cell", "emt", "clone", "colony", "due", "heading", "leaving"):
            getattr(tissue, name)[gone] = 0


def test_the_twin_sees_a_wrong_winner_a_wrong_draw_and_a_corrupt_field(strew):
    def contested() -> tuple[Tissue, dict[str, np.ndarray], Stamp]:
        tissue = strew(DEEP, 0.7, seed=5)
        wish(tissue, seed=5, move=1.0, divide=0.0)
        stamp = Stamp.of(1, 0, 0)
        return tissue, contest_twin.settle(state_of(tissue), bids_of(tissue, stamp, 0)).state, stamp

    tissue, expected, stamp = contested()
    contest.settle(tissue, STAYS, 0, stamp)
    assert differs(tissue, expected) == []
    tissue.emt[tissue.cell == Cell.TUMOUR] ^= np.arange((tissue.cell == Cell.TUMOUR).sum()) == 17
    assert differs(tissue, expected) == ["emt"]

    planted = [
        {"substep": 0, "fairness": contest.FIXED},  # the first face wins instead of a draw
        {"substep": 1, "fairness": contest.RANDOM},  # the draw of another substep
    ]
    for wrong in planted:
        tissue, expected, stamp = contested()
        contest.settle(tissue, STAYS, wrong["substep"], stamp, fairness=wrong["fairness"])
        assert "clone" in differs(tissue, expected)


@pytest.mark.parametrize(("shape", "density"), CASES)
def test_moves_keep_every_cell(strew, shape, density):
    tissue = strew(shape, density, seed=3, others=0.1)
    before = who(state_of(tissue))
    moved = 0
    for n in range(12):
        wish(tissue, seed=n, move=1.0, divide=0.0)
        due = int(tissue.due.sum())
        tissue.counters[...] = 0
        contest.settle(tissue, STAYS, 0, Stamp.of(7, 0, n))
        counts = tissue.census()
        moved += counts[Count.MOVED]
        assert counts[Count.BORN] == 0
        assert who(state_of(tissue)) == before
        assert int(tissue.due.sum()) == due  # a cell takes its turn to divide along
        empty = tissue.cell == Cell.EMPTY
        for name in ("emt", "clone", "colony", "due", "heading"):
            assert not getattr(tissue, name)[empty].any(), name
    assert moved > 0


@pytest.mark.parametrize(("shape", "density"), CASES)
def test_births_are_the_rise_in_the_census(strew, shape, density):
    tissue = strew(shape, density, seed=4)
    for n in range(8):
        wish(tissue, seed=50 + n, move=0.5, divide=0.5)
        before, cells = who(state_of(tissue)), int((tissue.cell != Cell.EMPTY).sum())
        tissue.counters[...] = 0
        contest.settle(tissue, STAYS, 0, Stamp.of(8, 0, n))
        born = tissue.census()[Count.BORN]
        assert int((tissue.cell != Cell.EMPTY).sum()) == cells + born
        after = who(state_of(tissue))
        # daughters are copies: nobody new, nobody missing
        assert set(after) == set(before)
        assert len(after) == len(before) + born


def test_who_sees_a_copied_a_lost_and_a_changed_cell(strew):
    state = state_of(strew(DEEP, 0.3))
    cells = who(state)
    at = tuple(np.argwhere(state["cell"] == Cell.TUMOUR)[3])
    free = tuple(np.argwhere(state["cell"] == Cell.EMPTY)[3])
    for name, voxel, value in [("cell", at, 0), ("cell", free, 1), ("clone", at, 0), ("emt", at, state["emt"][at] ^ 1)]:
        kept = state[name][voxel]
        state[name][voxel] = value
        assert who(state) != cells
        state[name][voxel] = kept
    assert who(state) == cells


def test_a_daughter_and_its_mother_both_start_undue_and_the_loser_stays_due(strew):
    tissue = strew(DEEP, 0.0)
    left, target, right = (5, 5, 4), (5, 5, 5), (5, 5, 6)
    for at, clone, intent in [(left, 10, DIVIDE + 1), (right, 20, DIVIDE + 0)]:
        tissue.cell[at], tissue.clone[at], tissue.due[at], tissue.intent[at] = Cell.TUMOUR, clone, 1, intent
        tissue.colony[at], tissue.emt[at] = clone + 1, clone + 2
    contest.settle(tissue, STAYS, 0, Stamp.of(0))
    bids = bids_of(tissue, Stamp.of(0), 0)
    mother, loser = (left, right) if bids[left] > bids[right] else (right, left)
    assert tissue.clone[target] == tissue.clone[mother]
    assert tissue.colony[target] == tissue.clone[mother] + 1
    assert tissue.emt[target] == tissue.clone[mother] + 2
    assert (tissue.due[target], tissue.due[mother], tissue.due[loser]) == (0, 0, 1)


@pytest.mark.parametrize("density", [0.0, 1.0])
@pytest.mark.parametrize("shape", [FLAT, DEEP])
def test_empty_and_full_lattices_are_safe(strew, shape, density):
    tissue = strew(shape, density)
    before = state_of(tissue)
    contest.settle(tissue, CATCHES, 0, Stamp.of(1))
    assert differs(tissue, before) == []
    assert not tissue.counters.any()


def test_only_what_is_declared_changes(strew):
    tissue = strew(DEEP, 0.5, vessels=0.2, others=0.1)
    wish(tissue, seed=1, move=0.5, divide=0.5)
    tissue.protease[...] = tissue.matrix / 3
    before = state_of(tissue)
    contest.settle(tissue, CATCHES, 0, Stamp.of(1))
    changed = set(differs(tissue, before))
    assert changed == WRITTEN
    still = np.flatnonzero((before["cell"] != Cell.EMPTY) & (before["cell"] != Cell.TUMOUR))
    assert (tissue.cell.reshape(-1)[still] == before["cell"].reshape(-1)[still]).all()
    unseen = {field.name for field in dataclasses.fields(Tissue)} - set(MEMBERS)
    kept = {
        "fibre",
        "traits",
        "solutes",
        "nothing",
        "claims",
    }  # not handed to the contest; protease, of the solutes, was compared
    assert unseen == {"lattice", "lattice_id", "voxel_um", "xp", "busy", "counters"} | kept


def test_cells_on_a_vessel_leave_as_the_wall_allows(strew):
    """A mesenchymal cell through any wall, an epithelial one through a rupture, neither beside a vessel."""
    tissue = strew(DEEP, 0.0)
    blood, lymph = Vessel.BLOOD | Vessel.PERFUSED, Vessel.LYMPH | Vessel.PERFUSED
    ruptured, tip = Vessel.RUPTURED, Vessel.TIP
    cases = [
        (0, 128, blood, True),
        (2, 127, blood, False),
        (4, 0, blood | ruptured, True),
        (6, 255, Vessel.NONE, False),
        (8, 255, lymph, True),
        (10, 255, tip, False),
    ]
    for y, emt, wall, _ in cases:
        tissue.cell[5, y, 3], tissue.emt[5, y, 3], tissue.intent[5, y, 3] = Cell.TUMOUR, emt, MOVE + 1
        tissue.vessel[5, y, 4] = wall
    contest.settle(tissue, CATCHES, 0, Stamp.of(1))
    for y, _, _, leaves in cases:
        assert bool(tissue.leaving[5, y, 4]) is leaves
    assert tissue.census()[Count.LEAVING] == 3
    # and they stay marked, and stay, through the next substep
    tissue.intent[...] = 0
    before = state_of(tissue)
    contest.settle(tissue, CATCHES, 1, Stamp.of(1))
    assert differs(tissue, before) == []


def test_another_key_lattice_tick_or_substep_has_other_winners(strew):
    def winners(substep: int, stamp: Stamp) -> np.ndarray:
        tissue = strew(DEEP, 0.7, seed=9)
        wish(tissue, seed=9, move=1.0, divide=0.0)
        contest.settle(tissue, STAYS, substep, stamp)
        return tissue.clone

    base = winners(0, Stamp.of(1, 0, 0))
    np.testing.assert_array_equal(winners(0, Stamp.of(1, 0, 0)), base)
    assert (winners(1, Stamp.of(1, 0, 0)) != base).any()
    for stamp in (Stamp.of(2, 0, 0), Stamp.of(1, 1, 0), Stamp.of(1, 0, 1)):
        assert (winners(0, stamp) != base).any()


def test_a_cell_wakes_the_chunk_it_comes_into(strew):
    tissue = strew(RAGGED, 0.0, lattice=Lattice(*RAGGED, lanes=20))
    assert tissue.lattice.chunks == len(tissue.busy) == -(-11 * 17 * 20 // tissue.lattice.chunk)

    def chunk_of(*voxel: int) -> int:
        return int(np.ravel_multi_index(voxel, RAGGED)) // tissue.lattice.chunk

    before, after = (5, 5, 5), (6, 5, 5)
    assert chunk_of(*before) != chunk_of(*after)
    tissue.cell[before], tissue.intent[before] = Cell.TUMOUR, MOVE + 5
    census.count(tissue)
    assert np.flatnonzero(tissue.busy).tolist() == [chunk_of(*before)]
    contest.settle(tissue, STAYS, 0, Stamp.of(1))
    assert tissue.cell[after] == Cell.TUMOUR
    assert np.flatnonzero(tissue.busy).tolist() == [chunk_of(*before), chunk_of(*after)]
    census.count(tissue)
    assert np.flatnonzero(tissue.busy).tolist() == [chunk_of(*after)]
    assert not tissue.intent.any()  # a chunk that falls idle keeps no wish that could be settled later
    # planted: a cell put into an idle chunk behind the tissue's back is passed over; wake() is the cure
    hidden, beyond = (10, 16, 18), (10, 16, 19)
    tissue.cell[hidden], tissue.intent[hidden] = Cell.TUMOUR, MOVE + 1
    contest.settle(tissue, STAYS, 0, Stamp.of(1))
    assert tissue.cell[hidden] == Cell.TUMOUR
    tissue.wake()
    contest.settle(tissue, STAYS, 0, Stamp.of(1))
    assert tissue.cell[beyond] == Cell.TUMOUR
