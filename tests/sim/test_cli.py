"""The commands that answer at once: what they print, end with and leave."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seedsoil.sim import doctor
from seedsoil.sim.cli.app import main
from seedsoil.sim.cli.standing import standing
from seedsoil.sim.scenario_file import load_scenario, shipped_scenarios


def test_help_imports_nothing_heavy() -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "seedsoil", "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in ended.stderr.splitlines() if "|" in line}
    assert "typer" in imported
    heavy = {"taichi", "numpy", "pydantic", "xarray", "h5py", "scipy", "matplotlib", "dask", "distributed", "cupy"}
    assert not imported & heavy
    for command in ("run", "resume", "branch", "check", "status", "report", "scenarios", "new", "schema", "doctor"):
        assert f"\n  {command} " in ended.stdout


def test_scenarios_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == sorted(shipped_scenarios())
    assert main(["scenarios", "quickstart"]) == 0
    assert capsys.readouterr().out == shipped_scenarios()["quickstart"]


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)["required"]) == {"until_h", "lattice"}


def test_new_writes_a_scenario_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    assert main(["new", str(path)]) == 0
    assert load_scenario(path).lattice.shape == (1, 128, 128)
    path.write_text("precious")
    assert main(["new", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_text() == "precious"
    assert main(["new", str(path), "--force"]) == 0
    assert load_scenario(path).title == "My first scenario"
    assert main(["new", str(tmp_path / "nowhere" / "mine.toml")]) == 74


def test_check_tells_what_a_run_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "quickstart", "--set", "title=a [red]b", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "a [red]b" in out and "ticks of 0.1 h" in out and "GPU       not used" in out
    assert out.endswith("It can run.\n")


STATUS = {
    "state": "running",
    "tick": 960,
    "ticks": 2400,
    "time_h": 96.0,
    "until_h": 240.0,
    "ticks_per_s": 120.25,
    "eta_s": 65.0,
    "tumour_cells": 12345,
    "mesenchymal_cells": 700,
    "seeds_released": 9,
    "seeds_in_transit": 2,
    "seeds_died_in_transit": 0,
    "colonies_growing": 3,
    "colonies_extinct": 0,
    "organs": {"lung": {"cells": 40, "colonies": 3}, "bone": {"cells": 0, "colonies": 0}},
}


def test_status_shows_where_a_run_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = standing(Path("runs/mine"), STATUS, alive=True)
    assert told.splitlines() == [
        "runs/mine: running",
        "  time      96.0 of 240 h (40 %), tick 960 of 2,400",
        "  speed     120 ticks/s, 1 min 05 s left",
        "  primary   12,345 tumour cells, 700 of them mesenchymal",
        "  seeds     9 released, 2 in transit",
        "  colonies  3 growing: lung 3 (40 cells)",
    ]
    (tmp_path / "status.json").write_text(json.dumps(STATUS))  # and no process that writes it
    assert main(["status", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("killed: nobody writes it any more") and "speed" not in lines[2]
    assert lines[-1] == f"  go on     seedsoil resume {tmp_path}"


def test_status_believes_no_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = {"state": "done\x1b[0m", "tick": 12, "organs": {"lung": 1}, "eta_s": "soon", "tumour_cells": None}
    (tmp_path / "status.json").write_text(json.dumps(odd))
    assert main(["status", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: done\\x1b[0m\n  time      tick 12\n"
    for text in ("{", "[1]"):
        (tmp_path / "status.json").write_text(text)
        assert main(["status", str(tmp_path)]) == 2
    assert main(["status", str(tmp_path / "none")]) == 2
    assert "no run is in this folder" in capsys.readouterr().err


def test_check_warns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "quickstart", "--set", "output.every_h=1e4"]) == 0
    assert "warning   output.every_h is longer than the run" in capsys.readouterr().out


def test_doctor_ends_with_what_it_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "ok  taichi     starts on cpu" in capsys.readouterr().out

    def broken(*_: object) -> None:
        raise RuntimeError("no such chip \x1b[31m")

    monkeypatch.setattr("seedsoil.sim.device.start", broken)
    monkeypatch.setattr(doctor, "_PACKAGES", ("no-such-package",))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "BAD taichi     does not start: RuntimeError: no such chip \\x1b[31m" in out
    assert "Missing: no-such-package" in out


def test_a_closed_pipe_is_no_error() -> None:
    line = f"{sys.executable} -m seedsoil schema | head -1"
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("{\n", "")
