"""`seedsoil calibrate`: its tables on stdout, its file, and what it refuses."""

import csv
import io
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from seedsoil.sim.cli.app import main

SHIPPED = (files("seedsoil.scenarios") / "data" / "autopsies_disibio2008.csv").read_text("utf-8")
LEFT_OUT = {"lung", "kidney", "uterus", "rectum"}


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def shares(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    assert main(["calibrate", *arguments]) == 0
    rows = printed(capsys)
    assert {row["primary"] for row in rows} == {arguments[1].lower()}
    return {row["site"]: float(row["share"]) for row in rows}


def test_a_primary_of_the_table_is_left_out_before_it_is_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without = tmp_path / "seven.csv"
    without.write_text("".join(line for line in SHIPPED.splitlines(keepends=True) if not line.startswith("kidney")))
    found = shares(capsys, "--predict", "Kidney")
    assert found == shares(capsys, "--predict", "kidney", "--data", str(without))
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)
    assert len(found) == 15
    assert "kidney" not in found


def test_a_table_with_a_primary_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "five.csv"  # all nine: tests/physics/test_organ_pattern.py
    lines = [line.split(",")[:8] for line in SHIPPED.splitlines() if line.split(",")[0] not in LEFT_OUT]
    lines.append(["bladder", "200", "90", "50", "40", "45", "40", "2"])
    more.write_text("\n".join(map(",".join, lines)))
    out = tmp_path / "soils.toml"
    assert main(["calibrate", "--data", str(more), "--write", str(out)]) == 0
    text = capsys.readouterr().out
    assert "5 primaries, 6 sites" in text
    assert "without bladder" in text
    assert "alpha 0.575" in text
    for part in ("LEAVE ONE PRIMARY OUT", "NOT IDENTIFIABLE", "DRAINAGE", "mean of proportions", "chance alone"):
        assert part in text
    soils = tomllib.loads(out.read_text("utf-8"))["body"]["soil"]
    assert len(soils) == 6
    assert all(0 < soil["receptive_probability"] <= 1 for soil in soils.values())


def test_a_site_that_nobody_else_was_counted_at_has_no_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "own.csv"
    head, rows = "primary,n_autopsies,liver,lung,bone\n", ["colon,123,,15,1\n", "breast,432,,24,2\n"]
    place.write_text(head + "".join([*rows, "bladder,200,7,40,3\n"]))
    assert main(["calibrate", "--predict", "bladder", "--data", str(place)]) == 0
    said = capsys.readouterr()
    found = {row["site"]: float(row["share"]) for row in csv.DictReader(io.StringIO(said.out))}
    assert set(found) == {"lung", "bone"} and sum(found.values()) == pytest.approx(1.0, abs=1e-5)
    assert "none of these is counted there: liver" in said.err
    place.write_text(head + "".join([*rows, "bladder,200,,40,3\n"]))
    for arguments in (["--predict", "pancreas"], []):
        assert main(["calibrate", *arguments, "--data", str(place)]) == 2
        said = capsys.readouterr()
        assert said.out == "" and "own.csv:1 liver: no primary is counted there" in " ".join(said.err.split())


def test_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--size", "breast"]) == 0
    rows = printed(capsys)
    assert [float(row["diameter_cm"]) for row in rows] == [0.5 * k for k in range(1, 21)]
    p = [float(row["p"]) for row in rows]
    assert p == sorted(p)
    assert main(["calibrate", "--size", "lung", "--anchor", "3=0.2"]) == 0
    lung = {float(row["diameter_cm"]): float(row["p"]) for row in printed(capsys)}
    assert lung[3.0] == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--predict", "pancreass"], ["pancreass: the body has no primary of that name", "did you mean 'pancreas'?"]),
        (["--body", "humann"], ["no body of that name", "did you mean 'human'?"]),
        (["--data", "nowhere.csv"], ["nowhere.csv: cannot be read: No such file"]),
        (["--size", "lung"], ["lung: no cancer of that name", "--anchor CM=P"]),
        (["--size", "lung", "--anchor", "3"], ["needs CM=P"]),
        (["--size", "lung", "--anchor", "3=1"], ["with P between 0 and 1"]),
        (["--anchor", "3=0.1"], ["needs --size CANCER"]),
        (["--size", "breast", "--predict", "lung"], ["one table at a time"]),
        (["--size", "breast", "--data", "x.csv"], ["--data", "no part in what --size prints"]),
        (["--size", "breast", "--body", "human"], ["--body", "no part in what --size prints"]),
        (["--size", "breast", "--write", "w.toml"], ["--write", "no part in what --size prints"]),
        (["--predict", "lung", "--sizes", "x.csv"], ["--sizes", "no part in what --predict prints"]),
        (["--predict", "lung", "--write", "w.toml"], ["--write", "no part in what --predict prints"]),
    ],
)
def test_what_cannot_be_done_is_refused(
    arguments: list[str], wanted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(part in " ".join(said.err.split()) for part in wanted), said.err


@pytest.mark.parametrize("name", ["x,y", 'the "other"', "plain"])
def test_any_name_of_a_cancer_makes_a_table_of_three_columns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--size", name, "--anchor", "3=0.12"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert {len(row) for row in rows} == {3}
    assert {row[0] for row in rows[1:]} == {name.replace(" ", "_")}
