"""Whatever is wrong with the input: exit code 2, one message with file and line, nothing run or written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_cli import ForkedCommandLine

from seedsoil.sim.cli.app import main
from seedsoil.sim.errors import InputError
from seedsoil.sim.run_folder import place_of

GOOD = b"""\
until_h = 1
[lattice]
shape = [1, 16, 16]
[implant]
cells = 9
[vessels]
kind = "none"
"""

# a long tick is refused for the divisions in it first
UNDIVIDED = b"[proliferation]\nepithelial_per_h = 0\nmesenchymal_per_h = 0\n"


def edited(old: str, new: str) -> bytes:
    assert old.encode() in GOOD
    return GOOD.replace(old.encode(), new.encode())


# 64 organs of 50 GB each: more than any machine that runs tests has
MANY_ORGANS = b"".join(b"[body.organs.o%d]\nshare_probability = 0.015625\n" % n for n in range(64))
MANY_ORGANS += b"[body]\norgan_shape = [1, 46000, 46000]\n"

# name -> what stands in bad.toml, the arguments after it, what the message must hold
CASES: dict[str, tuple[bytes, list[str], list[str]]] = {
    "unknown key": (GOOD + b"blod = 3\n", [], ["bad.toml:8  vessels.blod", "8 | blod = 3", "did you mean 'blood'?"]),
    "unknown table": (
        GOOD + b"[vessel]\nblood = 3\n",
        [],
        ["bad.toml:8  vessel", "unknown table - did you mean 'vessels'?"],
    ),
    "key of another table": (GOOD + b"tick_h = 1\n", [], ["bad.toml:8", "it belongs in [lattice]"]),
    "unknown solute": (GOOD + b"[solutes.oxigen]\n", [], ["bad.toml:8  solutes.oxigen", "did you mean 'oxygen'?"]),
    "solute as value": (GOOD + b"[solutes]\noxygen = 3\n", [], ["bad.toml:9  solutes.oxygen", "needs a table (got 3)"]),
    "field of an absent solute": (
        GOOD + b'[output]\nfields = ["cell", "oxygen"]\n',
        [],
        ["bad.toml:9  output.fields", "there is no oxygen to record; add a table [solutes.oxygen]"],
    ),
    "too many substeps": (
        GOOD + b'[solutes.vegf]\nsolver = "explicit"\ndiffusivity_um2_per_h = 1e8\n',
        ["--set", "lattice.voxel_um=5.0"],
        ["vegf substeps a tick", "solutes.vegf.diffusivity_um2_per_h"],
    ),
    "hypoxia without oxygen": (
        GOOD + b"[solutes.vegf]\nhypoxic_secretion_per_h = 34\n",
        [],
        ["bad.toml:9  solutes.vegf.hypoxic_secretion_per_h", "needs the solute 'oxygen'"],
    ),
    "activation without growth factor": (
        GOOD + b"[solutes.mitogen]\nactivated_stroma_secretion_per_h = 1\n",
        [],
        ["bad.toml:9", "needs the solute 'growth_factor'"],
    ),
    "wall that is not there": (
        GOOD + b'[solutes.oxygen]\nfixed_walls = ["z_low"]\nwall_values = [40]\n',
        [],
        ["bad.toml:9  solutes.oxygen.fixed_walls", "a 2-D lattice has no walls along z"],
    ),
    "unknown wall": (
        GOOD + b'[solutes.oxygen]\nfixed_walls = ["left"]\nwall_values = [40]\n',
        [],
        ["bad.toml:9  solutes.oxygen.fixed_walls", "unknown wall 'left'; there are x_low"],
    ),
    "wall without a value": (
        GOOD + b'[solutes.oxygen]\nfixed_walls = ["x_low", "x_high"]\nwall_values = [40]\n',
        [],
        ["bad.toml:10  solutes.oxygen.wall_values", "a value for each of fixed_walls, 2 (got 1)"],
    ),
    "wall below zero": (
        GOOD + b'[solutes.oxygen]\nfixed_walls = ["x_low"]\nwall_values = [-1]\n',
        [],
        ["bad.toml:10  solutes.oxygen.wall_values", "no concentration is below 0 (got -1)"],
    ),
    "wall value in words": (
        GOOD + b'[solutes.oxygen]\nwall_values = ["much"]\n',
        [],
        ["bad.toml:9", "needs a number (got 'much')"],
    ),
    "hypoxia upside down": (
        GOOD + b"[solutes.oxygen]\nhypoxia_full_mmhg = 20\n",
        [],
        ["bad.toml:9  solutes.oxygen.hypoxia_full_mmhg", "must lie below hypoxia_from_mmhg = 15"],
    ),
    "explicit uptake of zero order": (
        GOOD + b'[solutes.oxygen]\nsolver = "explicit"\nhalf_saturation = 0\n',
        [],
        ["bad.toml:10  solutes.oxygen.half_saturation", "cannot be stepped explicitly"],
    ),
    "no state of rest": (
        GOOD + b'[solutes.vegf]\nsolver = "quasi-steady"\ndecay_per_h = 0\n',
        [],
        ["bad.toml:10  solutes.vegf.decay_per_h", "has no state of rest"],
    ),
    "at rest without diffusion": (
        GOOD + b'[solutes.vegf]\nsolver = "quasi-steady"\ndiffusivity_um2_per_h = 0\n',
        [],
        ["bad.toml:10  solutes.vegf.diffusivity_um2_per_h", "has to diffuse"],
    ),
    "stepped now and then": (
        GOOD + b"[solutes.vegf]\nevery_ticks = 3\n",
        [],
        ["bad.toml:9  solutes.vegf.every_ticks", "only a quasi-steady solute", "implicit"],
    ),
    "binding at rest": (
        GOOD + b'[solutes.inhibitor]\nbinding_per_h = 3\n[solutes.protease]\nsolver = "quasi-steady"\n',
        [],
        ["bad.toml:11  solutes.protease.solver", "bound for good"],
    ),
    "vessel wider than its voxel": (
        GOOD + b"[solutes.oxygen]\nvessel_radius_um = 50\nexchange_um2_per_h = 1e11\n",
        [],
        ["bad.toml:9  solutes.oxygen.vessel_radius_um", "wider than"],
    ),
    "wrong type": (
        edited("cells = 9", 'cells = "nine"'),
        [],
        ["bad.toml:5  implant.cells", "needs a whole number (got 'nine')"],
    ),
    "fraction of a cell": (edited("cells = 9", "cells = 9.5"), [], ["bad.toml:5", "needs a whole number (got 9.5)"]),
    "table as value": (edited("cells = 9", "cells = {a = 1}"), [], ["bad.toml:5", "(got a table)"]),
    "value as table": (b"matrix = 3\n" + GOOD, [], ["bad.toml:1  matrix", "needs a table (got 3)"]),
    "negative rate": (
        GOOD + b"[motility]\nmesenchymal_um2_per_h = -1\n",
        [],
        ["bad.toml:9", "from 0 to 1000000, in um2/h (got -1)"],
    ),
    "nan": (edited("until_h = 1", "until_h = nan"), [], ["bad.toml:1  until_h", "needs a finite number (got nan)"]),
    "infinite": (
        edited("until_h = 1", "until_h = inf"),
        [],
        ["bad.toml:1  until_h", "needs a finite number (got inf)"],
    ),
    "choice": (edited('"none"', '"non"'), [], ["bad.toml:7  vessels.kind", "did you mean 'none'?"]),
    "field": (
        GOOD + b'[output]\nfields = ["cell", "oxigen"]\n',
        [],
        ["bad.toml:9  output.fields", "unknown field 'oxigen'"],
    ),
    "activation by nothing": (
        GOOD + b"[stroma]\nactivation_gain = 3\n",
        [],
        ["bad.toml:9  stroma.activation_gain", "needs the solute 'growth_factor'", "set it to 1"],
    ),
    "noise beyond its range": (
        GOOD + b'[matrix]\ninitial_fraction = 0.9\n[matrix.texture]\nkind = "noise"\ncontrast_fraction = 0.2\n',
        [],
        ["bad.toml:12  matrix.texture.contrast_fraction", "would leave 0 to 1", "at most 0.05774"],
    ),
    "membrane that leaks": (
        GOOD + b'[matrix.texture]\nkind = "duct"\nduct_radius_um = 50\nmembrane_um = 15\n',
        [],
        ["bad.toml:11  matrix.texture.membrane_um", "thinner than a voxel of 20 um"],
    ),
    "duct wider than the lattice": (
        GOOD + b'[matrix.texture]\nkind = "duct"\nduct_radius_um = 200\n',
        [],
        ["bad.toml:10  matrix.texture.duct_radius_um", "440 um wide, the lattice 320 um"],
    ),
    "duct implant without a duct": (
        edited("cells = 9", 'cells = 9\nkind = "duct"'),
        [],
        ["bad.toml:6  implant.kind", "needs matrix.texture.kind = 'duct'"],
    ),
    "texture of no file": (
        GOOD + b'[matrix.texture]\nkind = "file"\nfile = "gone.npy"\n',
        [],
        ["bad.toml:10  matrix.texture.file", "gone.npy: cannot be read (No such file"],
    ),
    "reach of two voxels": (
        GOOD + b"[matrix]\ncontact_reach_voxels = 2\n",
        [],
        ["bad.toml:9  matrix.contact_reach_voxels", "from 0 to 1, in voxels (got 2)"],
    ),
    "organ shares": (
        GOOD + b"[body.organs.bone]\nshare_probability = 0.5\n",
        [],
        ["bad.toml:8  body.organs", "adds up to 0.5"],
    ),
    "organ name": (
        GOOD + b'[body.organs."a/b"]\nshare_probability = 1\n',
        [],
        ["bad.toml:8  body.organs.a/b", "a name is"],
    ),
    "clusters without bonds": (
        GOOD + b'[intravasation]\ncluster_law = "bonds"\n',
        [],
        ["bad.toml:9  intravasation.cluster_law", "give adhesion.bond_energy"],
    ),
    "vessels from nowhere": (edited('"none"', '"volume"'), [], ["bad.toml:6  vessels.file", "missing"]),
    "vessels from no file": (
        edited('kind = "none"', 'kind = "volume"\nfile = "nowhere.npy"'),
        [],
        ["bad.toml:8  vessels.file", "nowhere.npy: cannot be read (No such file"],
    ),
    "sprouts without VEGF": (
        GOOD + b"[angiogenesis]\nsprouting_per_mm_h = 0.1\n",
        [],
        ["bad.toml:9  angiogenesis.sprouting_per_mm_h", "needs the solute 'vegf'", "[solutes.vegf]"],
    ),
    "lymph sprouts without VEGF-C": (
        GOOD + b"[lymphangiogenesis]\nbranching_per_mm_h = 0.1\n",
        [],
        ["bad.toml:9  lymphangiogenesis.branching_per_mm_h", "needs the solute 'vegf_c'"],
    ),
    "tips over the cap": (
        GOOD + b"[angiogenesis]\nspeed_um_per_h = 30\n",
        [],
        ["bad.toml:9", "from 0 to 21, in um/h (got 30)"],
    ),
    "tips that jump voxels": (
        GOOD + b"[angiogenesis]\nsprouting_per_mm_h = 0.1\nevery_h = 1\n[solutes.vegf]\n",
        [],
        ["bad.toml:10  angiogenesis.every_h", "21 um in a step of 1 h, more than a voxel of 20 um"],
    ),
    "gradients in the wrong order": (
        GOOD + b"[angiogenesis]\nleast_gradient_ng_per_ml_mm = 50\n",
        [],
        ["bad.toml:9  angiogenesis.least_gradient_ng_per_ml_mm", "exceeds"],
    ),
    "ruptures in a long tick": (
        edited("shape = [1, 16, 16]", "shape = [1, 16, 16]\ntick_h = 1") + b"[rupture]\ncontact_per_h = 1\n",
        [],
        ["bad.toml:10  rupture.contact_per_h", "probability 0.63 in a tick of 1 h"],
    ),
    "unstable": (
        edited("shape = [1, 16, 16]", "shape = [1, 16, 16]\ntick_h = 24")
        + b"[motility]\nmesenchymal_um2_per_h = 1e6\n"
        + UNDIVIDED,
        [],
        ["bad.toml:4  lattice.tick_h", "substeps a tick", "shorten the tick"],
    ),
    "effectors that follow a signal that is not there": (
        GOOD + b"[immune]\nrecruited_entry_per_h = 0.1\n",
        [],
        ["bad.toml:9  immune.recruited_entry_per_h", "needs the solute 'chemokine'"],
    ),
    "effectors too deadly for the tick": (
        edited("shape = [1, 16, 16]", "shape = [1, 16, 16]\ntick_h = 6") + b"[immune]\nkill_per_h = 0.5\n" + UNDIVIDED,
        [],
        ["bad.toml:10  immune.kill_per_h", "with probability 0.95 in a tick of 6 h"],
    ),
    "a drive without its solute": (
        GOOD + b"[emt]\nrate_per_h = 0.02\ngrowth_factor_weight = 1.0\n",
        [],
        ["bad.toml:10  emt.growth_factor_weight", "needs the solute 'growth_factor'"],
    ),
    "transitions too fast for the tick": (
        GOOD + b"[emt]\nrate_per_h = 9.0\n",
        [],
        ["bad.toml:9  emt.rate_per_h", "overshoot", "shorten the tick"],
    ),
    "chemotaxis without its solute": (
        GOOD + b'[motility]\nchemotaxis_um2_per_h = 5\nchemotaxis_role = "chemokine"\n',
        [],
        ["bad.toml:9  motility.chemotaxis_um2_per_h", "needs the solute 'chemokine'", "[solutes.chemokine]"],
    ),
    "guidance without fibres": (
        GOOD + b"[motility]\nguidance_fraction = 0.5\n",
        [],
        ["bad.toml:9  motility.guidance_fraction", "needs fibres to follow", "matrix.texture.kind = 'fibres'"],
    ),
    "chemotaxis up nothing": (
        GOOD + b"[motility]\nchemotaxis_um2_per_h = 5\n",
        [],
        ["motility.chemotaxis_role", "name the solute"],
    ),
    "a speed without persistence": (
        GOOD + b"[motility]\nmesenchymal_speed_um_per_h = 5\n",
        [],
        ["motility.persistence_h", "that the heading is kept"],
    ),
    "a heading shorter than the tick": (
        edited("shape = [1, 16, 16]", "shape = [1, 16, 16]\ntick_h = 6")
        + b"[motility]\nmesenchymal_speed_um_per_h = 20\npersistence_h = 10\n"
        + UNDIVIDED,
        [],
        ["bad.toml:11  motility.persistence_h", "10 h is too short", "shorten lattice.tick_h"],
    ),
    "matrix that widens pores": (
        GOOD + b"[pores]\nintact_um2 = 200\n",
        [],
        ["pores.intact_um2", "must not exceed pores.open_um2"],
    ),
    "necrosis without oxygen": (
        GOOD + b"[death]\nnecrosis_per_h = 0.1\n",
        [],
        ["bad.toml:9  death.necrosis_per_h", "needs the solute 'oxygen'", "[solutes.oxygen]"],
    ),
    "a drug kill without a drug": (
        GOOD + b"[death]\ndrug_per_h = 0.1\n",
        [],
        ["bad.toml:9  death.drug_per_h", "needs the solute 'drug'"],
    ),
    "thresholds reversed": (
        GOOD + b"[death]\nnecrosis_onset_mmhg = 1\n",
        [],
        ["death.necrosis_full_mmhg", "must lie below death.necrosis_onset_mmhg"],
    ),
    "a hazard too large for the tick": (
        edited("shape = [1, 16, 16]", "shape = [1, 16, 16]\ntick_h = 6")
        + b"[death]\napoptosis_per_h = 0.2\n"
        + UNDIVIDED,
        [],
        ["bad.toml:10  death.apoptosis_per_h", "with probability 0.70 in a tick of 6 h", "shorten lattice.tick_h"],
    ),
    "two numbers for a shape": (
        edited("[1, 16, 16]", "[16, 16]"),
        [],
        ["bad.toml:3  lattice.shape", "a list of 3 whole numbers"],
    ),
    "lattice over 32 bits": (
        edited("[1, 16, 16]", "[4000, 4000, 4000]"),
        [],
        ["bad.toml:3  lattice.shape", "64000000000 voxels"],
    ),
    "lattice over memory": (
        edited("[1, 16, 16]", "[1, 46000, 46000]") + MANY_ORGANS,
        [],
        ["does not fit", "smaller body.organ_shape"],
    ),
    "number over 64 bits": (
        edited("cells = 9", "cells = 0x1" + "0" * 16),
        [],
        ["bad.toml:5  implant.cells", "fits 64 bits"],
    ),
    "too large for the machine's numbers": (
        GOOD + b"free_core_um = 1e308\n",
        [],
        ["bad.toml:8  vessels.free_core_um", "from 1e-30 to 1e+30 (got 1e+308)"],
    ),
    "frames at no distance": (GOOD, ["--set", "output.every_h=1e-320"], ["every_h=1e-320  output.every_h", "1e-30"]),
    "rows at no distance": (
        GOOD + b"[output]\nseries_every_h = 1e-320\n",
        [],
        ["bad.toml:9  output.series_every_h", "from 1e-30"],
    ),
    "subnormal": (
        GOOD + b"[motility]\nhaptotaxis_um2_per_h = 5e-324\n",
        [],
        ["bad.toml:9  motility.haptotaxis_um2_per_h", "needs 0, or a number whose size is from 1e-30"],
    ),
    "below subnormal": (
        GOOD + b"[motility]\nhaptotaxis_um2_per_h = 1_0.0e-400\n",
        [],
        ["bad.toml:9  motility.haptotaxis_um2_per_h", "needs 0, or a number whose size is from 1e-30"],
    ),
    "absurd in a list": (
        GOOD + b'[solutes.oxygen]\nfixed_walls = ["x_low"]\nwall_values = [1e99]\n',
        [],
        ["bad.toml:10  solutes.oxygen.wall_values", "(got 1e+99)"],
    ),
    "emission from no size": (
        GOOD,
        [
            "--set",
            "primary=emission",
            "--set",
            "emission.start_diameter_mm=1e-110",
            "--set",
            "emission.spread_shape=5e-324",
        ],
        ["start_diameter_mm=1e-110  emission.start_diameter_mm", "spread_shape=5e-324  emission.spread_shape"],
    ),
    "endless number": (
        edited("cells = 9", "cells = " + "9" * 5000),
        [],
        ["bad.toml:5: a number of thousands of digits"],
    ),
    "missing key": (edited("shape = [1, 16, 16]", ""), [], ["bad.toml:2  lattice.shape", "2 | [lattice]", "missing"]),
    "missing table": (b"until_h = 1\n", [], ["bad.toml  lattice", "missing table [lattice]; it needs shape"]),
    "not TOML": (
        edited("cells = 9", "cells = nine"),
        [],
        ["bad.toml: not TOML", "bad.toml:5, column 9", "5 | cells = nine", "^"],
    ),
    "cut off": (GOOD + b"blood =", [], ["bad.toml:8, column 8", "8 | blood ="]),
    "duplicate key": (edited("cells = 9", "cells = 9\ncells = 8"), [], ["bad.toml:6", "6 | cells = 8", "given before"]),
    "duplicate table": (GOOD + b"[implant]\n", [], ["bad.toml:8", "the table [implant] has been given before"]),
    "nested too deeply": (b"a = " + b"[" * 20_000, [], ["nested too deeply"]),
    "table of thousands of names": (
        GOOD + b"[" + b"a." * 3000 + b"b]\n",
        [],
        ["bad.toml:8: a key of more than 50 names"],
    ),
    "key of a hundred thousand names": (GOOD + b"'a b'.c." * 50_000 + b"d = 1\n", [], ["bad.toml:8: a key of more"]),
    "tables in tables": (GOOD + b"x = " + b"{a = " * 90 + b"1" + b"}" * 90, [], ["nested too deeply"]),
    "set thousands of names": (GOOD, ["--set", "a." * 9000 + "b=1"], ["--set 'a.a.", "needs key=value"]),
    "binary": (bytes(range(256)) * 9, [], ["bad.toml: is not a text file"]),
    "not UTF-8": (GOOD + b'title = "caf\xe9"\n', [], ["bad.toml:8: is not UTF-8 text (byte 0xe9)"]),
    "empty": (b"", [], ["bad.toml: is empty", "seedsoil new"]),
    "huge": (b"#" * 1_000_001, [], ["bad.toml: larger than 1 MB"]),
    "terminal escapes": (GOOD + b'"\\u001b[31m" = 1\n', [], ["bad.toml:8", "\\x1b[31m"]),
    "set unknown": (
        GOOD,
        ["--set", "lattice.voxel=3"],
        ["--set lattice.voxel=3  lattice.voxel", "did you mean 'voxel_um'?"],
    ),
    "set bad value": (GOOD, ["--set", "until_h=soon"], ["--set until_h=soon  until_h", "needs a number (got 'soon')"]),
    "set without value": (GOOD, ["--set", "until_h"], ["--set 'until_h': needs key=value"]),
    "set inside a number": (GOOD, ["--set", "until_h.x=1"], ["--set until_h.x=1", "no table"]),
    "option out of range": (GOOD, ["--rng-key", "-1"], ["--rng-key -1  rng_key", "(got -1)"]),
    "option not finite": (GOOD, ["--until-h", "nan"], ["--until-h nan  until_h", "finite"]),
}
MISSING: dict[str, tuple[str, list[str]]] = {
    "missing file": ("bax.toml", ["bax.toml: no such file", "did you mean 'bad.toml'?"]),
    "missing scenario": (
        "quikstart",
        ["quikstart: no such file, and no shipped scenario", "did you mean 'quickstart'?"],
    ),
    "folder": ("folder.toml", ["folder.toml: is a folder"]),
    "odd name": ("\x1b[31m\udcff.toml", ["\\x1b[31m\\udcff.toml: no such file"]),
}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommandLine]:
    line = ForkedCommandLine(tmp_path_factory.mktemp("cli"))
    yield line
    line.close()


def holds_one_message(err: str, parts: list[str]) -> None:
    assert "Traceback" not in err
    assert err.endswith("Nothing was run.\n") and err.count("Nothing was run.") == 1
    assert all(c == "\n" or c.isprintable() for c in err)
    for part in parts:
        assert part in err


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("content", "arguments", "parts"), CASES.values(), ids=CASES.keys())
def test_bad_scenarios(
    cli: ForkedCommandLine,
    tmp_path: Path,
    command: str,
    content: bytes,
    arguments: list[str],
    parts: list[str],
) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    ended = cli(command, "bad.toml", *arguments, folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    holds_one_message(ended.err, parts)
    assert os.listdir(tmp_path) == ["bad.toml"]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("name", "parts"), MISSING.values(), ids=MISSING.keys())
def test_scenarios_that_are_not_there(
    cli: ForkedCommandLine, tmp_path: Path, command: str, name: str, parts: list[str]
) -> None:
    (tmp_path / "bad.toml").write_bytes(GOOD)
    (tmp_path / "folder.toml").mkdir()
    ended = cli(command, name, folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    holds_one_message(ended.err, parts)
    assert sorted(os.listdir(tmp_path)) == ["bad.toml", "folder.toml"]


def test_the_good_one_is_good(cli: ForkedCommandLine, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_bytes(GOOD)
    ended = cli("check", "good.toml", "--until-h", "2", "--rng-key", "7", folder=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "20 ticks" in ended.out
    assert ended.out.endswith("It can run.\n")
    assert os.listdir(tmp_path) == ["good.toml"]


def test_no_room_for_vessels_is_found_by_check(cli: ForkedCommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(edited('kind = "none"', 'kind = "points"\nfree_core_um = 5000'))
    ended = cli("check", "bad.toml", folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "vessels" in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run"],
        ["run", "quickstart", "--device", "tpu"],
        ["run", "quickstart", "--threads", "many"],
        ["scenarios", "qick"],
    ],
    ids=" ".join,
)
def test_bad_usage(cli: ForkedCommandLine, tmp_path: Path, arguments: list[str]) -> None:
    ended = cli(*arguments, folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err and "Traceback" not in ended.err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "run quickstart -o",
        "branch nowhere --at-h 3 -o",
        "resume",
        "status",
        "report",
        "movie",
        "export nowhere --to csv -o",
        "check quickstart -o",
        "new",
        "doctor",
    ],
)
def test_an_empty_name_is_not_the_current_folder(cli: ForkedCommandLine, tmp_path: Path, arguments: str) -> None:
    ended = cli(*arguments.split(), "", folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "empty name" in ended.err and ended.err.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "arguments", ["run quickstart -o", "check quickstart -o", "branch nowhere --at-h 3 -o", "status", "resume"]
)
def test_a_name_with_nul_is_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str) -> None:
    assert main([*arguments.split(), "a\0b"]) == 2  # no shell can hand one over, but a caller in Python can
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1) and "a\\x00b: no file or folder has a NUL" in said.err
    with pytest.raises(InputError, match="a NUL in its name"):
        place_of(str(tmp_path / "a\0b"))


def test_the_installed_command_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(CASES["unknown key"][0])
    ended = subprocess.run(
        [sys.executable, "-m", "seedsoil", "run", "bad.toml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    holds_one_message(ended.stderr, CASES["unknown key"][2])


def test_debug_shows_where(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "seedsoil", "check", "nowhere.toml"],
        cwd=tmp_path,
        env={**os.environ, "SEEDSOIL_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "Traceback" in ended.stderr and ended.stderr.endswith("Nothing was run.\n")
