"""Keys of the body that cannot act: refused where they were meant to, told where they are off by name."""

from pathlib import Path

import pytest
from body.two_circuits import SMALL

from seedsoil.sim.cli.app import main
from seedsoil.sim.errors import InputError
from seedsoil.sim.resolved import resolved_toml
from seedsoil.sim.resume import branch
from seedsoil.sim.run import run
from seedsoil.sim.scenario_file import load_scenario
from seedsoil.sim.warned import warnings_of

LATTICE = """\
until_h = 24
[lattice]
shape = [1, 32, 32]
tick_h = 0.5
[implant]
cells = 9
[vessels]
kind = "none"
[matrix]
contact_per_h = 0.1
[solutes.protease]
secretion_per_h = 0.1
"""
SHARES = LATTICE + "[body.organs.lung]\nshare_probability = 1.0\n"
GRAPH = LATTICE + '[body]\ngraph = "human"\nprimary = "breast"\n'
MOUSE = LATTICE + '[body]\ngraph = "mouse"\nprimary = "intravenous"\n'
NUMBER = 'until_h = 240\nprimary = "emission"\n[body]\ngraph = "human"\nprimary = "breast"\n'

# what stands in the file, what is given and does nothing, what would make it act
REFUSED = [
    (LATTICE, "body.interval_h = 12.0", "body.graph"),
    (LATTICE, "body.organ_shape = [1, 32, 32]", "[body.organs.<name>]"),
    (LATTICE, "body.secondary_seeding = true", "[body.organs.<name>]"),
    (LATTICE, "body.single_survival_probability = 0.5", "[body.organs.<name>]"),
    (LATTICE, "body.extravasation_probability = 0.5", "[body.organs.<name>]"),
    (SHARES + "[intravasation]\nactive_per_h = 0.0\n", "body.secondary_seeding = true", "intravasation.active_per_h"),
    (GRAPH, "body.secondary_seeding = true", "body.colonies.shedding_per_h"),
    (GRAPH, "body.organ_shape = [1, 32, 32]", "body.colonies.lattices"),
    (NUMBER, "body.organ_shape = [1, 32, 32]", 'primary = "lattice"'),
    (NUMBER + "[body.colonies]\nlattices = 0\n", "body.organ_shape = [1, 32, 32]", 'primary = "lattice"'),
    (GRAPH, "body.colonies.handover_risk = 0.1", "body.colonies.lattices"),
    (GRAPH, "body.colonies.lattice_fill_fraction = 0.1", "body.colonies.lattices"),
    (GRAPH, "body.colonies.vessels_per_h = 0.1", "body.colonies.avascular_cells"),
    (GRAPH, "body.colonies.adapted_birth_factor = 2.0", "body.colonies.adaptation_probability"),
    (GRAPH, "body.colonies.adapted_death_factor = 0.5", "body.colonies.adaptation_probability"),
    (GRAPH, "body.colonies.shedding_exponent = 1.0", "body.colonies.shedding_per_h"),
    (GRAPH, "body.dormancy.waking_per_h = 0.1", "body.dormancy.probability"),
    (GRAPH, "body.dormancy.death_per_h = 0.1", "body.dormancy.probability"),
    (GRAPH, "body.niche.survival_gain = 0.5", "body.niche.organs"),
    (GRAPH, "body.niche.half_saturation = 5.0", "body.niche.organs"),
    (GRAPH, 'body.niche.organs = ["lung"]', "body.niche.receptive_gain"),
    (
        GRAPH + '[body.niche]\norgans = ["lung"]\nsurvival_gain = 0.5\n',
        "body.niche.receptive_gain = 0.5",
        "receptive_probability",
    ),
    (GRAPH + '[body.gauntlet]\nfall = "step"\n', "body.gauntlet.end_h = 30.0", 'body.gauntlet.fall = "linear"'),
    (GRAPH, "body.transit.evasive_factor = 0.5", "body.transit.evasive_fraction"),
    (GRAPH, "body.transit.cloaked_factor = 0.5", "body.transit.cloaked_fraction"),
    (MOUSE, "body.arrest.self_seeding_probability = 0.5", "body.primary"),
    (GRAPH, "body.soil.lung.lining_factor = 0.5", "body.graph"),
    (NUMBER, "body.transit.breakup_probability = 0.1", "emission.cluster_fraction"),
    (NUMBER, "body.transit.cluster_anoikis_factor = 0.5", "emission.cluster_fraction"),
    (NUMBER, "body.arrest.cluster_pass_probability = 0.5", "emission.cluster_fraction"),
    (NUMBER, "emission.capacity_diameter_mm = 50.0", 'emission.growth = "gompertz"'),
    (NUMBER, "emission.residual_fraction = 0.1", "emission.resection_h"),
    (NUMBER, "emission.exponent = 0.6", "emission.shedding_per_h"),
    (NUMBER, "emission.spread_shape = 0.3", "emission.shedding_per_h"),
    (NUMBER, "emission.cluster_fraction = 0.1", "emission.shedding_per_h"),
    (NUMBER, "emission.cluster_cells_max = 8", "emission.cluster_fraction"),
]


def write(tmp_path: Path, text: str, key: str = "") -> tuple[Path, int]:
    """The scenario with the line `table.name = value` in it, and the number of that line."""
    table, _, line = key.rpartition(" = ")[0].rpartition(".")
    value = key.rpartition(" = ")[2]
    head = f"[{table}]\n"
    if head not in text:
        text += head
    before, after = text.split(head)
    text = f"{before}{head}{line} = {value}\n{after}" if key else text
    path = tmp_path / "inert.toml"
    path.write_text(text)
    return path, (before + head).count("\n") + 1


@pytest.mark.parametrize(("text", "given", "acts"), REFUSED, ids=[one[1] for one in REFUSED])
def test_a_key_that_cannot_act_is_refused_by_file_and_line(text: str, given: str, acts: str, tmp_path: Path) -> None:
    path, line = write(tmp_path, text, given)
    with pytest.raises(InputError) as refused:
        load_scenario(path)
    told = str(refused.value)
    assert f"inert.toml:{line}  {given.split(' = ')[0]}\n" in told and "1 problem\n" in told
    assert "has no part" in told and acts in told and "or take it away" in told
    path.write_text(text)
    load_scenario(path)  # without it nothing is wrong


# what switches the key off by name
ON_PURPOSE = [
    (GRAPH, "body.colonies.shedding_exponent", 1.0, "body.colonies.shedding_per_h", 0.0),
    (GRAPH, "body.colonies.bottleneck_ratio", 2.0, "body.colonies.bottleneck_cells", 1),
    (GRAPH, "body.dormancy.waking_per_h", 0.1, "body.dormancy.probability", 0.0),
    (GRAPH, "body.organ_shape", [1, 32, 32], "body.colonies.lattices", 0),
    (GRAPH, "body.gauntlet.encounter_h", 1.0, "body.gauntlet.kill_probability", 0.0),
    (GRAPH, "body.gauntlet.kill_probability", 0.9, "body.gauntlet.extravasation_h", 0.0),
    (GRAPH, "body.transit.cluster_anoikis_factor", 0.5, "intravasation.companion_probability", 0.0),
    (SHARES, "body.breakup_probability", 0.1, "intravasation.cluster_cells_max", 1),
    (GRAPH, "body.arrest.small_pass_probability", 0.5, "body.transit.small_fraction", 0.0),
    (GRAPH, "body.soil.lung.growth_factor", 0.5, "body.colonies.birth_per_h", 0.0),
    (NUMBER, "emission.residual_fraction", 0.1, "emission.resection_h", 0.0),
    (NUMBER, "emission.exponent", 0.6, "emission.shedding_per_h", 0.0),
]


@pytest.mark.parametrize(("text", "key", "value", "switch", "off"), ON_PURPOSE, ids=[one[1] for one in ON_PURPOSE])
def test_what_is_off_by_name_is_told(text: str, key: str, value, switch: str, off, tmp_path: Path, capsys) -> None:
    path = tmp_path / "off.toml"
    path.write_text(text)
    scenario = load_scenario(path, {key: value, switch: off})
    told = [one for one in warnings_of(scenario) if one.startswith(f"{key}: has no part")]
    assert len(told) == 1
    assert [one for one in warnings_of(load_scenario(path, {switch: off})) if key in one] == []
    again = tmp_path / "resolved.toml"  # every value written out: the same scenario, and no refusal
    again.write_text(resolved_toml(scenario))
    assert load_scenario(again) == scenario
    assert main(["check", str(again), "--device", "cpu"]) == 0
    assert f"  warning   {key}: has no part" in capsys.readouterr().out


def test_a_niche_in_the_same_organ_twice_is_refused(tmp_path: Path) -> None:
    path, line = write(tmp_path, GRAPH + "[body.niche]\nsurvival_gain = 0.5\n", 'body.niche.organs = ["lung", "lung"]')
    with pytest.raises(InputError, match=rf"inert\.toml:{line}  body\.niche\.organs\n[\s\S]*names 'lung' twice"):
        load_scenario(path)


def test_the_command_line_ends_with_2_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = write(tmp_path, NUMBER, "emission.residual_fraction = 0.1")
    for command in (["run", str(path), "-o", str(tmp_path / "out")], ["check", str(path)]):
        assert main(command) == 2
        assert "emission.residual_fraction" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["inert.toml"]


def test_a_step_needs_no_end(tmp_path: Path) -> None:
    path, _ = write(tmp_path, GRAPH + '[body.gauntlet]\nfall = "step"\n', "body.gauntlet.full_h = 30.0")
    gauntlet = load_scenario(path).body.gauntlet
    assert gauntlet is not None and gauntlet.full_h > gauntlet.end_h
    with pytest.raises(InputError, match=r"is after body\.gauntlet\.end_h"):
        load_scenario(path, {"body.gauntlet.fall": "linear"})


def test_what_the_body_of_one_s_own_lacks(tmp_path: Path) -> None:
    """No cavities, and nodes that no blood flows through."""
    (tmp_path / "small.toml").write_text(SMALL)
    text = LATTICE + '[body]\ngraph = "small.toml"\nprimary = "gut"\n'
    for given in ("body.arrest.cavity_pass_probability = 0.5", "body.soil.nodes.adhesion_probability = 0.5"):
        path, _ = write(tmp_path, text, given)
        with pytest.raises(InputError, match="has no part in a") as refused:
            load_scenario(path)
        assert given.split(" = ")[0] in str(refused.value)
    path, _ = write(tmp_path, text, "body.arrest.node_pass_probability = 0.5")
    load_scenario(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose folder names every switch, as all do."""
    folder = tmp_path_factory.mktemp("inert")
    (folder / "n.toml").write_text(NUMBER)
    run(folder / "n.toml", out=folder / "run", report=False)
    return folder / "run"


@pytest.mark.parametrize(
    "overrides",
    [["body.dormancy.waking_per_h=0.1"], {"body": {"dormancy": {"waking_per_h": 0.1}}}],
    ids=["--set", "tables"],
)
def test_a_branch_that_sets_what_cannot_act_is_refused(whole: Path, tmp_path: Path, overrides) -> None:
    told: list[str] = []
    with pytest.raises(InputError) as refused:
        branch(whole, at_h=120.0, out=tmp_path / "b", overrides=overrides, report=False, warn=told.append)
    text = str(refused.value)
    assert "1 problem\n" in text and "body.dormancy.waking_per_h" in text and "give body.dormancy.probability" in text
    assert text.endswith("Nothing was run.") and not told and not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        ["body.dormancy.probability=0", "body.dormancy.waking_per_h=0.1"],
        ["body.dormancy={probability=0.0, waking_per_h=0.1}"],
    ],
)
def test_a_branch_that_sets_its_switch_too_is_told(whole: Path, tmp_path: Path, overrides: list[str]) -> None:
    told: list[str] = []
    branch(whole, at_h=120.0, out=tmp_path / "b", overrides=overrides, report=False, warn=told.append)
    assert len(told) == 1 and told[0].startswith("body.dormancy.waking_per_h: has no part")


def test_a_branch_may_switch_off_what_its_past_gave(tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text(NUMBER + "[body.dormancy]\nprobability = 0.5\nwaking_per_h = 0.1\n")
    run(tmp_path / "n.toml", out=tmp_path / "run", report=False)
    told: list[str] = []
    off = ["body.dormancy.probability=0"]
    branch(tmp_path / "run", at_h=120.0, out=tmp_path / "b", overrides=off, report=False, warn=told.append)
    assert [one.split(":")[0] for one in told] == ["body.dormancy.waking_per_h"]


def test_run_and_branch_say_what_check_warns_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "n.toml", str(tmp_path / "run")
    path.write_text(NUMBER + "[body.dormancy]\nprobability = 0.0\nwaking_per_h = 0.1\n")
    assert main(["check", str(path), "--device", "cpu"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  warning   ")]
    said = f"warning: {line.removeprefix('  warning   ')}\n"
    for command in (["run", str(path), "-o", out], ["branch", out, "--at-h", "120", "-o", f"{out}-2"]):
        assert main([*command, "--device", "cpu"]) == 0
        assert capsys.readouterr().err.count(said) == 1
        assert main([*command, "--device", "cpu", "--force", "--quiet"]) == 0
        assert "warning" not in capsys.readouterr().err
