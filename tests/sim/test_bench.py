"""The benchmarks on tiny sizes: figures are finite, wrong results are noticed, what cannot be measured says why.

Nothing here looks at how long anything took.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedsoil.sim import device as devices
from seedsoil.sim.bench import child, colonies, cuda, diffusion, franssen, machine, passes, quickstart, reference, suite
from seedsoil.sim.bench.figures import Figure, quotients
from seedsoil.sim.bench.plan import Bench, Plan
from seedsoil.sim.bench.reference import NoReference, Reference
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.cli.app import main
from seedsoil.sim.device import Device
from seedsoil.sim.errors import InputError

TINY = replace(
    Plan.brief(),
    repeats=2,
    copy_elements=4096,
    edge=16,
    cuda_edge=24,
    cuda_large_edge=32,
    bridge_shape=(8, 16, 32),
    ticks=2,
    checkpoint_bytes=1 << 20,
    colonies=400,
    intervals=3,
)


@pytest.fixture
def bench(device: Device) -> Bench:
    return Bench(device, TINY, lambda _: None)


@pytest.fixture
def c() -> Reference:
    try:
        return Reference.built()
    except NoReference as reason:
        pytest.skip(str(reason))


def test_all_that_needs_no_process_gives_finite_figures(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [name for name in suite.BENCHMARKS if name != "quickstart"]
    said: list[str] = []
    result = suite.measure(TINY, only=names, say=said.append)
    assert said == names
    assert [figure.name for figure in result.figures if figure.failed] == []
    told = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert told["quick"] is True and told["machine"]["threads"] == device.threads
    assert {figure["benchmark"] for figure in told["figures"]} == set(names)
    for figure in told["figures"]:
        assert (figure["median"] is None) == bool(figure["not_measured"])
        if figure["median"] is not None:
            assert all(math.isfinite(sample) and sample > 0 for sample in figure["samples"])
            assert figure["min"] <= figure["median"] <= figure["max"]
        assert figure["verdict"] == ""  # tiny sizes are not judged
    names_of = {figure["name"]: figure for figure in told["figures"]}
    assert names_of["passes 16^3, 5 % fill"]["floor"] == 2.2e8
    assert "CPU" in names_of["memory 32^3"]["not_measured"]
    assert "8 GiB take" in names_of["saved"]["note"] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["plain", "tuned"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 13), (3, 40, 2), (4, 9, 100), (2, 3, 20_000)])
def test_the_c_reference_is_the_same_equation(c: Reference, form: str, shape: tuple[int, int, int]) -> None:
    now = np.random.default_rng(1).random(shape, dtype=np.float32)
    after = np.full(shape, np.nan, dtype=np.float32)
    c.diffuse(form, now, after, 0.1, 0.01, 2)
    padded = np.pad(now.astype(np.float64), 1, mode="edge")
    inside = slice(1, -1)
    around = sum(
        padded[tuple(slice(1 + step, n + 1 + step) if a == axis else inside for a, n in enumerate(shape))]
        for axis in range(3)
        for step in (-1, 1)
    )
    np.testing.assert_allclose(after, now + 0.1 * (around - 6.0 * now) - 0.01 * now, atol=1e-6)


def test_a_reference_that_differs_is_a_failure(bench: Bench, c: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reference, "diffuse", lambda self, form, now, after, *rest: np.copyto(after, now + 0.01))
    wrong = [figure.name for figure in diffusion.measure(bench) if figure.failed]
    assert wrong == ["C (plain)", "C (tuned)"]


def test_without_a_compiler_the_comparison_is_not_measured(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference.shutil, "which", lambda _: None)
    monkeypatch.setattr(reference, "_library", reference._library.__wrapped__)
    figures = {figure.name: figure for figure in diffusion.measure(bench)}
    assert figures["substep 16^3"].samples
    assert figures["speed against C (tuned)"].not_measured == "no C compiler"
    monkeypatch.setattr(reference, "SOURCE", Path("nowhere.c"))
    with pytest.raises(NoReference, match="not in the wheel"):
        Reference.built()


def test_lost_cells_are_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(tissue: object, *_: object) -> None:
        tissue.cell.reshape(-1)[np.flatnonzero(tissue.cell)[:1]] = 0  # type: ignore[attr-defined]

    monkeypatch.setattr(passes.contest, "settle", lose)
    figures = passes.dense(bench, "passes", 16, floor=None, goal=None)
    assert [figure.failed for figure in figures] == [False, True, False]


def test_the_tumour_is_the_same_in_a_larger_lattice(device: Device) -> None:
    small, large = (passes.tumour(device, (size, size, size), 16) for size in (16, 32))
    for name in ("cell", "emt"):
        inner = getattr(large, name)[8:24, 8:24, 8:24]
        np.testing.assert_array_equal(inner, getattr(small, name))
        assert inner.sum() == getattr(large, name).sum() > 0
    assert abs(int((small.cell == 1).sum()) / 16**3 - passes.FILL) < 0.02


def test_five_percent_are_five_percent(device: Device) -> None:
    tissue = passes.scattered(device, (16, 64, 64))
    assert (tissue.cell == 1).mean() == pytest.approx(passes.FILL, abs=0.004)  # 5 sigma
    assert not tissue.emt[tissue.cell == 0].any()


def test_a_tumour_too_large_for_the_memory_is_not_measured(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "available_memory", lambda: 1000)
    (figure,) = passes.empty_space(bench, 16)
    assert "1000 B are free" in figure.not_measured


def test_organs_are_populated_and_keep_their_ledger(bench: Bench) -> None:
    run = franssen.simulation(bench, 388)
    franssen.wait_for_room(run)
    franssen.populate(run)
    assert [len(run.tissues()), min(organ.cells for organ in run.organs) > 500] == [4, True]
    run.advance()  # raises IdentityBroken if the counts are not those of the lattices
    assert run.cells > 388


def test_the_bridge_is_checked_by_its_results(bench: Bench) -> None:
    unwritten, launch, late = cuda.bridge(bench)
    assert (unwritten.samples, late.samples) == ((0.0,), (0.0,)) and len(launch.samples) == TINY.repeats
    source, target = np.zeros(8, dtype=np.float32), np.zeros(8, dtype=np.float32)
    # a kernel that never runs is right in the first round alone, where half of nothing is nothing
    assert cuda.in_order(bench.device, lambda: None, source, target) == 8 * (cuda.ROUNDS - 1)


def test_output_changes_nothing_but_the_time(device: Device, tmp_path: Path) -> None:
    orders = {"device": "cpu", "threads": device.threads, "until_h": 0.3, "out": str(tmp_path / "run")}
    bare, full = (child.ticks({**orders, "mode": mode}) for mode in ("memory", "recorded"))
    assert bare["digest"] == full["digest"] and bare["ticks"] == 3
    assert (tmp_path / "run" / "run.vtkhdf").is_file()


@pytest.mark.physics  # it compiles what quickstart takes
def test_a_process_of_its_own_marks_its_way_to_the_first_tick(tmp_path: Path) -> None:
    cache = devices.cache_folder()
    processes = quickstart.Processes("cpu", 2, tmp_path)
    marks = processes.run("command", str(cache.parent) if cache else "cache", quickstart.ONE_TICK_H)
    way = [marks[name] for name in ("began", *quickstart.PHASES)]
    assert way == sorted(way) and len(set(way)) == len(way)
    with pytest.raises(RuntimeError, match=r"ended with 2: .*until"):
        processes.run("command", "cache", -1.0)


def test_runs_that_differ_are_a_failure(bench: Bench) -> None:
    class Unlike:
        def run(self, mode: str, cache: str, until_h: float | None) -> dict[str, object]:
            spent = 9.0 if mode == "memory" else 10.0
            return {"spent": spent, "worked": 2 * spent - 8.0, "ticks": 3, "cells": 1, "digest": mode}

    _, share, work = quickstart.output_share(bench, Unlike())  # type: ignore[arg-type]
    assert share.samples == pytest.approx((0.1,)) and share.failed
    assert work.samples == pytest.approx((1 - 10 / 12,))


def test_verdicts() -> None:
    def verdict(value: float, **marks: float | str) -> str:
        return Figure("b", "f", "1", (value, value / 2, value * 3), **marks).verdict  # type: ignore[arg-type]

    assert [verdict(x, better="higher", floor=2.0, goal=3.0) for x in (1.9, 2.0, 3.0)] == ["missed", "floor", "goal"]
    assert [verdict(x, floor=2.0, goal=1.0) for x in (2.1, 2.0, 1.0)] == ["missed", "floor", "goal"]
    assert [verdict(1.0), verdict(0.2, goal=0.1), Figure("b", "f", "1", floor=1.0).verdict] == ["", "missed", ""]
    assert quotients((6.0, 8.0), (2.0, 4.0)) == (3.0, 2.0)


def test_a_benchmark_that_breaks_off_leaves_the_others(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Bench) -> list[Figure]:
        raise MemoryError("no \x1b[31mmore")

    monkeypatch.setitem(suite.BENCHMARKS, "diffusion", breaks)
    result = suite.measure(TINY, only=["memory", "diffusion"])
    assert result.failed and result.figures[0].samples
    assert result.figures[-1].not_measured == "broke off: MemoryError: no \\x1b[31mmore"


def test_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.chosen(["cuda", "memory"]) == ["memory", "cuda"]
    with pytest.raises(InputError, match="did you mean 'passes'"):
        suite.chosen(["pases"])
    assert main(["bench", "--only", "nothing like it"]) == 2
    assert "there are memory, diffusion" in capsys.readouterr().err


def test_the_command_prints_a_table_and_writes_json(
    device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "brief", classmethod(lambda cls: TINY))
    path = tmp_path / "results" / "here.json"
    assert main(["bench", "--quick", "--only", "memory", "--only", "cuda", "--json", str(path)]) == 0
    out = capsys.readouterr().out
    assert "copy rate" in out and "not measured" in out and "too small to judge" in out
    assert json.loads(path.read_text())["figures"][0]["unit"] == "GB/s"
    assert main(["bench", "--quick", "--only", "memory", "--json", str(tmp_path)]) == 74


def test_a_result_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert main(["bench", "--json", str(tmp_path / "file" / "here.json")]) == 74


def test_caches_of_the_processor_are_named(tmp_path: Path) -> None:
    for index, text in (("index0", ("1", "Data", "32K")), ("index3", ("3", "Unified", "32768K"))):
        (tmp_path / index).mkdir()
        for name, value in zip(("level", "type", "size"), text, strict=True):
            (tmp_path / index / name).write_text(value + "\n")
    (tmp_path / "index4").mkdir()
    assert machine.caches(tmp_path) == {"L1 data": "32K", "L3 unified": "32768K"}
    assert machine.caches(tmp_path / "none") == {}


def test_colonies_whose_cells_are_lost_are_noticed(bench: Bench) -> None:
    field, rates = colonies.founded(bench, ColonyGrowth(), 400)
    start = field.table["cells"].copy()
    for interval in range(3):
        field.advance(interval)
    assert colonies.as_expected(field, start, rates, 3)
    field.table["cells"][:] -= field.table["cells"] // 50
    assert not colonies.as_expected(field, start, rates, 3)
