"""Clones: who mutates, what number and which traits she gets, and that the tree, its numbers and its bits hold."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from newick_parser import parse
from twins import clones_twin
from twins.tissues import DEEP, FLAT, changed, random_tissue, snapshot

from seedsoil.kernels import contest, motility, mutation, proliferation
from seedsoil.kernels.draws import ALWAYS, Purpose, Stamp, host_draw, threshold
from seedsoil.kernels.intravasation import CONTACT, IntravasationRates
from seedsoil.kernels.motility import LINEAR, MotilityRates
from seedsoil.kernels.mutation import MUTANT, Mutation, MutationRates, TraitLaw
from seedsoil.kernels.tissue import Cell, Count, Tissue, Trait
from seedsoil.outputs.export import export
from seedsoil.outputs.reader import open_run
from seedsoil.sim.clones import TRAITS, Clones, normal
from seedsoil.sim.device import Device
from seedsoil.sim.errors import BeyondLimits, IdentityBroken, InputError, Interrupted
from seedsoil.sim.estimate import estimate
from seedsoil.sim.ledger import Tally, check_cells
from seedsoil.sim.resume import branch, resume
from seedsoil.sim.run import run
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.simulation import Simulation

SHAPES = pytest.mark.parametrize("shape", [FLAT, DEEP], ids=["2-D", "3-D"])
CLOSED = IntravasationRates(CONTACT, 0.0, 0.0, 128)
HOPS = MotilityRates(2, LINEAR, 0.1, 0.1, 0.0, ALWAYS)
STEP = TraitLaw(step_sd=0.2, step_mean=0.05, least=0.8, most=1.25)
VARIED = Mutation(probability=0.3, driver_probability=0.7, division=STEP, visibility=TraitLaw(step_sd=0.5))


def divided(device: Device, shape: tuple[int, int, int], limit: int, substeps: int = 1) -> Tissue:
    """A tissue after the divisions of a tick, and the hops of its later substeps."""
    tissue = random_tissue(device.lattice(shape), density=0.4, vessels=0.0)
    tissue.clone[...] %= 3
    tissue.due[...] = tissue.cell == Cell.TUMOUR
    stamp = Stamp.of(9, 4, 12)
    for substep in range(substeps):
        motility.propose(tissue, HOPS, substep, stamp, solid_vessels=False)
        if substep == 0:
            proliferation.propose(tissue, stamp, solid_vessels=False)
        contest.settle(tissue, CLOSED, substep, stamp, mutation=MutationRates(limit))
    return tissue


@SHAPES
def test_whose_daughter_mutates_equals_the_draw_of_the_mother(device: Device, shape: tuple[int, int, int]) -> None:
    limit = threshold(0.3)
    before = random_tissue(device.lattice(shape), density=0.4, vessels=0.0)
    born = divided(device, shape, 0)
    tissue = divided(device, shape, limit)
    # a daughter stands where there was nobody, and she alone is told apart by it from a hop: her mother stays
    mothers = clones_twin.mothers(before, born, Stamp.of(9, 4, 12))
    draws = {at: int(host_draw(np.array(mother), Stamp.of(9, 4, 12), Purpose.MUTATE)) for at, mother in mothers.items()}
    expected = sorted(at for at, draw in draws.items() if draw < limit)
    assert np.flatnonzero(tissue.due == MUTANT).tolist() == expected
    assert tissue.census()[Count.MUTATED] == len(expected) > 20
    assert tissue.census()[Count.BORN] == len(mothers)
    planted = sorted(at for at, draw in draws.items() if draw < 0.9 * limit)
    assert planted != expected
    # nothing else depends on mutation
    tissue.due[tissue.due == MUTANT] = 0
    assert {
        name for name in ("cell", "emt", "clone", "due") if (getattr(tissue, name) != getattr(born, name)).any()
    } == set()


@SHAPES
def test_numbers_parents_and_traits_equal_the_twin(device: Device, shape: tuple[int, int, int]) -> None:
    clones, twin = Clones(VARIED, device), clones_twin.Tree(VARIED)
    tissue = divided(device, shape, threshold(0.3), substeps=2)
    tissue.clone[...] = 0
    for tick in range(3):  # founders, then clones of clones
        if tick:
            tissue.due.reshape(-1)[np.flatnonzero(tissue.cell == Cell.TUMOUR)[::8]] = MUTANT
        before = {name: getattr(tissue, name).copy() for name in ("due", "clone")}
        stamp = Stamp.of(9, 4, 12 + tick)
        founded = clones.found(tissue, stamp)
        expected = twin.found(before["due"], before["clone"], stamp)
        np.testing.assert_array_equal(tissue.clone, expected)
        assert founded == int((before["due"] == MUTANT).sum())
        assert not (tissue.due == MUTANT).any()
    assert clones.rows == len(twin.parent) > 300
    np.testing.assert_array_equal(clones.table["parent"], twin.parent)
    for number, name in enumerate(TRAITS):
        np.testing.assert_allclose(clones.table[name], np.array(twin.traits)[:, number], rtol=1e-6)
        np.testing.assert_array_equal(tissue.traits[: clones.rows, number], clones.table[name])
    assert (clones.table["parent"][1:] < np.arange(1, clones.rows)).all()
    division = clones.table["division"]
    assert division.min() == np.float32(0.8)
    assert division.max() == np.float32(1.25)
    assert (clones.table["motility"] == 1).all()
    passengers = clones.table["visibility"][1:] == clones.table["visibility"][clones.table["parent"][1:]]
    assert abs(passengers.mean() - 0.3) < 4 * math.sqrt(0.21 / clones.rows)
    wrong, right = clones_twin.Tree(VARIED, descending=True), clones_twin.Tree(VARIED)
    numbers = [tree.found(before["due"], np.zeros_like(tissue.clone), stamp) for tree in (wrong, right)]
    assert not np.array_equal(*numbers)


def test_steps_of_traits_are_normal_in_the_logarithm(device: Device) -> None:
    """Kolmogorov-Smirnov over 3000 children of one clone: beyond 1.95/sqrt(n) once in a thousand; the key is fixed."""
    from scipy.stats import kstest

    law = TraitLaw(step_sd=0.3, step_mean=-0.1, least=0.0, most=1000.0)
    clones = Clones(Mutation(probability=1.0, motility=law), device)
    tissue = random_tissue(device.lattice(FLAT), density=0.9)
    tissue.clone[...] = 0
    tissue.due[...] = np.where(tissue.cell == Cell.TUMOUR, MUTANT, 0)
    assert clones.found(tissue, Stamp.of(4)) > 3000
    steps = np.log(clones.table["motility"][1:].astype(float))
    bound = 1.95 / math.sqrt(len(steps))
    assert kstest((steps + 0.1) / 0.3, "norm").statistic < bound
    assert kstest(steps / 0.3, "norm").statistic > bound  # the mean is seen
    assert kstest((steps + 0.1) / 0.25, "norm").statistic > bound  # and the width
    assert normal(np.array([2**31], dtype=np.uint32))[0] == pytest.approx(0, abs=1e-9)


def test_all_tissues_see_one_array_of_traits_and_its_old_rows_stay(device: Device) -> None:
    clones = Clones(Mutation(probability=1.0, division=TraitLaw(step_sd=0.2)), device)
    one, other = (random_tissue(device.lattice(FLAT), seed=seed) for seed in (1, 2))
    for tick in range(4):
        for tissue in (one, other):
            tissue.clone[...] = np.where(tissue.cell == Cell.TUMOUR, 0, 0)
            tissue.due[...] = np.where(tissue.cell == Cell.TUMOUR, MUTANT, 0)
            old, rows = clones.traits, clones.rows
            clones.found(tissue, Stamp.of(1, 0, tick))
            assert len(clones.traits) >= clones.rows
            np.testing.assert_array_equal(clones.traits[:rows], old[:rows])
    for tissue in (one, other):
        clones.attach(tissue)
        assert tissue.traits is clones.traits


def scenario(**changes: object) -> Scenario:
    """2-D, with mutations in the primary and in organs, in clusters and in transit."""
    tables = {
        "title": "many clones",
        "until_h": 6.0,
        "rng_key": 11,
        "lattice": {"shape": [1, 64, 64], "voxel_um": 20.0, "tick_h": 0.1},
        "implant": {"kind": "scattered", "cells": 900, "clones": 4},
        "proliferation": {"epithelial_per_h": 0.2, "mesenchymal_per_h": 0.15},
        "mutation": {"probability": 0.2, "division": {"step_sd": 0.1}},
        "vessels": {"blood": 60, "ruptured": 20, "free_core_um": 0.0},
        "intravasation": {"active_per_h": 0.2, "passive_per_h": 0.5, "companion_probability": 0.7},
        "body": {
            "transit_h": 1.0,
            "single_survival_probability": 0.4,
            "cluster_survival_probability": 0.8,
            "organ_shape": [1, 64, 64],
            "organs": {"lung": {"share_probability": 0.6}, "bone": {"share_probability": 0.4}},
        },
        "output": {"every_h": 2.0, "series_every_h": 0.5, "fields": ["cell", "clone"]},
        **changes,
    }
    return Scenario.model_validate(tables)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clones") / "run"
    run(scenario(), out=folder, report=False)
    return folder


def digest(folder: Path) -> str:
    return json.loads((folder / "status.json").read_text())["digest"]


def test_the_run_file_has_the_tree(whole: Path) -> None:
    record = open_run(whole)
    table, series = record.clones(), record.series()
    parent = table.parent.values
    assert len(parent) > 200
    assert parent[0] == -1
    assert (parent[1:4] == 0).all()
    assert ((parent[1:] >= 0) & (parent[1:] < np.arange(1, len(parent)))).all()
    born = table.born_h.values
    assert (born[1:] >= born[parent[1:]]).all()
    assert set(table.source.values[1:4]) == {0}
    assert (table.source.values > 0).any()  # colonies mutate too
    seen = np.zeros(len(parent), dtype=np.int64)
    datasets = [record.dataset(), *(record.organ(name) for name in record.organs)]
    for dataset in datasets:
        last = dataset.isel(time=-1)
        seen += np.bincount(last.clone.values[last.cell.values == 1], minlength=len(parent))
    np.testing.assert_array_equal(seen, table.cells.values)
    assert int(series.clones_living[-1]) == int((seen > 0).sum())
    share = seen[seen > 0] / seen.sum()
    assert float(series.clone_shannon[-1]) == pytest.approx(-(share * np.log(share)).sum())
    assert float(series.clone_simpson[-1]) == pytest.approx(1 - (share**2).sum())
    first = record.dataset().isel(time=0)
    assert np.bincount(first.clone.values[first.cell.values == 1]).tolist() == [225] * 4
    assert not np.allclose(table.division.values, 1)
    assert (table.adhesion.values == 1).all()


def test_the_exported_tree_and_table_are_those_of_the_run(whole: Path, tmp_path: Path) -> None:
    table = open_run(whole).clones()
    [tree] = export(whole, "newick", tmp_path / "tree.nwk")
    nodes = parse(tree.read_text())
    assert len(nodes) == table.sizes["clone"] > 200
    for row, (parent, born_h, cells) in enumerate(
        zip(table.parent.values, table.born_h.values, table.cells.values, strict=True)
    ):
        node = nodes[f"c{row}"]
        assert node.parent == (f"c{parent}" if row else "")
        assert node.length == pytest.approx(born_h - (table.born_h.values[parent] if row else 0), abs=1e-9)
        assert (node.notes["state"] == "extant") == (cells + table.cells_in_transit.values[row] > 0)
    depth = [0.0] * len(nodes)
    for row in range(1, len(nodes)):  # from the root to each birth is the time of it
        depth[row] = depth[int(table.parent.values[row])] + nodes[f"c{row}"].length
    np.testing.assert_allclose(depth, table.born_h.values, atol=1e-9)
    planted = tree.read_text().replace("c5[", "c6[", 1)
    with pytest.raises(ValueError, match="stands twice"):
        parse(planted)
    files = {file.stem: file for file in export(whole, "csv", tmp_path / "tables")}
    with open(files["clones"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["parent"] for row in rows] == ["", *(str(parent) for parent in table.parent.values[1:])]
    assert [np.float32(row["division"]) for row in rows] == table.division.values.tolist()
    assert [int(row["cells"]) for row in rows] == table.cells.values.tolist()


@pytest.mark.parametrize("tick", [20, 41])
def test_stopped_and_resumed_it_has_the_same_bits(tmp_path: Path, whole: Path, tick: int) -> None:
    asked = iter(range(1, 10**9))
    with pytest.raises(Interrupted):
        run(scenario(), out=tmp_path / "run", report=False, stop=lambda: next(asked) >= tick)
    resume(tmp_path / "run", report=False)
    assert digest(tmp_path / "run") == digest(whole)
    assert open_run(tmp_path / "run").clones().drop_attrs().equals(open_run(whole).clones().drop_attrs())
    assert open_run(tmp_path / "run").series().drop_attrs().equals(open_run(whole).series().drop_attrs())


def test_a_branch_keeps_its_clones_and_may_stop_mutating(tmp_path: Path, whole: Path) -> None:
    branch(whole, at_h=3.0, out=tmp_path / "same", report=False)
    assert digest(tmp_path / "same") == digest(whole)
    branch(whole, at_h=3.0, out=tmp_path / "still", overrides={"mutation.probability": 0.0}, report=False)
    with pytest.raises(InputError, match=r"mutation\.division: clones of the past differ"):
        branch(whole, at_h=3.0, out=tmp_path / "never", overrides={"mutation.division.step_sd": 0.0}, report=False)
    still, all_of_them = open_run(tmp_path / "still").clones(), open_run(whole).clones()
    assert 4 < still.sizes["clone"] < all_of_them.sizes["clone"]
    assert (still.division.values == all_of_them.division.values[: still.sizes["clone"]]).all()


def test_probability_0_is_exactly_off(device: Device) -> None:
    """Whatever the traits' laws say: the bits are those of a scenario without the table."""

    def end(**tables: object) -> tuple[str, int]:
        simulation = Simulation(scenario(implant={"kind": "scattered", "cells": 900}, **tables), device)
        for _ in range(30):
            simulation.advance()
        return simulation.digest(), simulation.clones.rows

    laws = {trait: {"step_sd": 0.3, "step_mean": 0.1} for trait in TRAITS}
    off, without, on = end(mutation={"probability": 0.0, **laws}), end(mutation={}), end(mutation={"probability": 0.01})
    assert off == without
    assert on != without
    assert without[1] == 1


def test_the_memory_of_as_many_clones_as_allowed_is_asked_for() -> None:
    def needs(**given: object) -> int:
        return estimate(scenario(implant={"cells": 9}, mutation=given)).host_bytes

    assert needs(probability=0.1, clones_max=10**8) - needs(probability=0.1, clones_max=1) > 6e9
    assert needs(probability=0.0, clones_max=10**8) == needs(probability=0.0, clones_max=1)


def test_more_clones_than_allowed_end_the_run_with_the_key(tmp_path: Path) -> None:
    few = {"probability": 0.2, "clones_max": 20}
    with pytest.raises(BeyondLimits, match=r"mutation\.clones_max: the run needs more than its 20 clones") as caught:
        run(scenario(mutation=few), out=tmp_path / "run", report=False)
    assert caught.value.exit_code == 65


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        ({"implant": {"cells": 3, "clones": 4}}, r"implant\.clones: 4 clones among 3"),
        ({"mutation": {"clones_max": 3}}, r"mutation\.clones_max: 3 clones at most"),
        ({"mutation": {"driver_probability": 0.0, "emt": {"step_sd": 0.1}}}, r"mutation\.driver_probability: is 0"),
        ({"mutation": {"division": {"least": 1.5}}}, r"less than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(tables: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        scenario(**tables)


def test_a_clone_that_is_missing_or_unknown_stops_the_run(device: Device) -> None:
    simulation = Simulation(scenario(), device)
    simulation.advance()
    simulation.recount()
    at = tuple(np.argwhere(simulation.primary.cell == Cell.TUMOUR)[7])
    simulation.primary.clone[at] = 2**31
    with pytest.raises(IdentityBroken, match="belongs to clone 2147483648, but there are"):
        simulation.recount()
    true = Tally(100, 7, 0, 0, 0, 107, 60, 40, 0, mutated=3, founded=3)
    check_cells(true, 5, "lung")
    with pytest.raises(
        IdentityBroken, match="tick 5, lung: the ledger of clones is broken: 3 daughters mutated, but 2"
    ):
        check_cells(true._replace(founded=2), 5, "lung")


def test_divisions_that_do_not_count_their_mutants_stop_the_run(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks are looked for, whatever was counted: no count at all, and one too few, are told from what is marked."""
    given = Scenario.model_validate(
        {
            "until_h": 10, "lattice": {"shape": [1, 64, 64], "voxel_um": 20, "tick_h": 1.0},
            "implant": {"kind": "scattered", "cells": 400}, "vessels": {"kind": "none"},
            "proliferation": {"epithelial_per_h": 0.05, "mesenchymal_per_h": 0.05}, "mutation": {"probability": 1.0},
        }
    )  # fmt: skip
    right = Simulation(given, device)
    right.advance()
    assert right.clones.rows > 5
    census = Tissue.census
    for missed in (lambda count: 0, lambda count: count - 1):
        wrong = Simulation(given, device)
        monkeypatch.setattr(
            Tissue, "census", lambda t, m=missed: census(t) | {Count.MUTATED: m(census(t)[Count.MUTATED])}
        )
        with pytest.raises(IdentityBroken, match="the ledger of clones is broken"):
            wrong.advance()
        monkeypatch.undo()


def test_without_marks_nothing_is_written(device: Device) -> None:
    tissue = random_tissue(device.lattice(DEEP))
    before = snapshot(tissue)
    assert Clones(VARIED, device).found(tissue, Stamp.of(1)) == 0
    assert changed(before, tissue) == set()
    assert mutation.rates(Mutation()).limit == 0
    assert VARIED.varies(Trait.DIVISION)
    assert not VARIED.varies(Trait.EMT)
