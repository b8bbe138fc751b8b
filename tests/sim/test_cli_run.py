"""`seedsoil run`, with the simulation stood in for: what it passes on, how it ends, how it is stopped."""

import os
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from seedsoil.sim.cli.app import main
from seedsoil.sim.cli.summary import summary
from seedsoil.sim.errors import IdentityBroken, Interrupted
from seedsoil.sim.progress import Status
from seedsoil.sim.scenario import Scenario


def status(tick: int, state: str = "running") -> Status:
    return Status(
        tick=tick,
        ticks=100,
        time_h=tick / 10,
        until_h=10.0,
        tumour_cells=1234,
        seeds=1,
        colonies=2,
        ticks_per_s=5.0,
        state=state,
    )


class FakeRun:
    """What `open_run` returns, as far as the summary reads it."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        self.file = folder / "run.vtkhdf"
        self.layout = types.SimpleNamespace(organs={"lung": (), "bone": ()})
        self.attributes = {"organ_names": ["lung", "bone"]}
        self._rows = 0 if empty else 6
        self._empty = empty

    def series(self) -> xr.Dataset:
        rows = [] if self._empty else [400, 5000]
        return xr.Dataset(
            {"tumour_cells": ("tick_time", rows), "mesenchymal_cells": ("tick_time", rows)},
            coords={"tick_time": np.arange(len(rows))},
        )

    def seeds(self) -> xr.Dataset:
        fates = "in_transit died_in_transit arrested died_after_arrest dormant colony"
        fate, organ = ([0, 1, 1, 5, 5, 5], [-1, -1, -1, 0, 1, 1]) if not self._empty else ([], [])
        return xr.Dataset(
            {"fate": ("seed", np.array(fate, "u1"), {"flag_meanings": fates}), "organ": ("seed", np.array(organ, "i2"))}
        )

    def colonies(self) -> xr.Dataset:
        organ, cells, state = ([0, 1, 1], [7, 1, 0], [2, 2, 3]) if not self._empty else ([], [], [])
        return xr.Dataset(
            {
                "organ": ("colony", np.array(organ, "i2")),
                "cells": ("colony", np.array(cells, "i8")),
                "state": ("colony", np.array(state, "u1"), {"flag_meanings": "waiting dormant growing extinct"}),
            },
            coords={"colony": np.arange(len(organ))},
        )


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    def put(run: Callable[..., Any]) -> None:
        monkeypatch.setitem(sys.modules, "seedsoil.sim.run", types.SimpleNamespace(run=run))
        monkeypatch.setattr("seedsoil.sim.run", sys.modules["seedsoil.sim.run"], raising=False)

    return put


def test_run_passes_on_what_it_was_asked(
    stand_in: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}

    def run(scenario: Scenario, **options: Any) -> FakeRun:
        asked.update(options, scenario=scenario)
        for tick in range(31):
            options["progress"](status(tick))
        return FakeRun(tmp_path)

    stand_in(run)
    wanted = ["-o", str(tmp_path), "--rng-key", "9", "--until-h", "3", "--threads", "2", "--device", "cpu", "--force"]
    assert main(["run", "quickstart", *wanted, "--set", "motility.law=linear"]) == 0
    assert (asked["scenario"].rng_key, asked["scenario"].until_h, asked["scenario"].motility.law) == (9, 3.0, "linear")
    assert (asked["out"], asked["device"], asked["threads"], asked["force"]) == (tmp_path, "cpu", 2, True)
    told = capsys.readouterr()
    assert told.err.count("\n") == 2  # a line at the start and one at the end
    assert told.out.splitlines()[0].startswith("Done: 30 ticks, ")
    assert told.out.splitlines()[1:] == [
        "  primary   5,000 tumour cells, 5,000 of them mesenchymal",
        "  seeds     6 in all: 1 still in transit, 2 died in transit, 3 founded or joined colonies (lung 1, bone 2)",
        "  colonies  lung 1 (7 cells), bone 1 (1 cell); 1 extinct",
        f"  run       {tmp_path}",
        f"  report    {tmp_path / 'report.html'}",
    ]


def test_a_quiet_run_says_nothing(
    stand_in: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(scenario: Scenario, **options: Any) -> FakeRun:
        options["progress"](status(1))
        return FakeRun(tmp_path)

    stand_in(run)
    assert main(["run", "quickstart", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (IdentityBroken("tick 3: cells\nlost \x1b[31m"), 70, "tick 3: cells\nlost \\x1b[31m\n"),
        (Interrupted("stopped"), 75, "stopped\n"),
        (MemoryError(), 1, "seedsoil: not enough memory\n"),
        (
            KeyError("what"),
            1,
            "seedsoil: unexpected KeyError: 'what'\nSEEDSOIL_DEBUG=1 shows where; please report it.\n",
        ),
    ],
)
def test_an_error_is_its_message_and_its_code(
    stand_in: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
    says: str,
) -> None:
    def run(scenario: Scenario, **options: Any) -> None:
        raise error

    stand_in(run)
    monkeypatch.delenv("SEEDSOIL_DEBUG", raising=False)
    assert main(["run", "quickstart"]) == code
    assert capsys.readouterr() == ("", says)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_an_answer_to_stop_and_a_second_one_kills(
    stand_in: Callable[..., None], capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    done = []

    def run(scenario: Scenario, **options: Any) -> None:
        assert not options["stop"]()
        for tick in range(10):
            if tick == 3:
                os.kill(os.getpid(), number)
                assert signal.getsignal(number) is signal.SIG_DFL
            done.append(tick)
            options["progress"](status(tick))
            if options["stop"]():
                raise Interrupted(f"stopped at tick {tick}")

    stand_in(run)
    assert main(["run", "quickstart"]) == 75
    assert done == [0, 1, 2, 3]  # the tick was finished
    assert "stopped at tick 3\n" in capsys.readouterr().err
    assert signal.getsignal(number) == before


def test_resume_and_branch_pass_on_what_they_were_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Any, dict[str, Any]]] = []

    def compute(folder: Path, **options: Any) -> FakeRun:
        asked.append((folder, options))
        for tick in (40, 41, 50):
            options["progress"](status(tick))
        return FakeRun(tmp_path)

    monkeypatch.setattr("seedsoil.sim.resume.resume", compute)
    monkeypatch.setattr("seedsoil.sim.resume.branch", compute)
    assert main(["resume", "there", "--until-h", "3", "--threads", "2", "-q"]) == 0
    assert (
        main(["branch", "there", "--at-h", "1.5", "-o", "here", "--set", "until_h=9", "--set", "a=b", "--force"]) == 0
    )
    assert capsys.readouterr().out.startswith("Done: 10 ticks, ")
    for _, options in asked:
        assert callable(options.pop("stop")) and callable(options.pop("progress"))
    assert callable(asked[1][1].pop("warn"))
    common = {"device": "auto", "threads": None}
    assert asked == [
        (Path("there"), {**common, "until_h": 3.0, "threads": 2}),
        (Path("there"), {**common, "at_h": 1.5, "out": Path("here"), "overrides": ["until_h=9", "a=b"], "force": True}),
    ]


def test_the_summary_of_a_run_in_which_nothing_happened(tmp_path: Path) -> None:
    lines = summary(FakeRun(tmp_path, empty=True), 1, 3723.0).splitlines()
    assert lines[0] == "Done: 1 ticks, 1 h 02 min with start and report."
    assert [line.split(maxsplit=1)[1] for line in lines[1:4]] == ["not recorded", "none entered a vessel", "none"]
