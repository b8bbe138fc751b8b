"""Reading scenarios: what loads, what is refused, and with which words."""

from pathlib import Path

import pytest
import taichi as ti
from hypothesis import given
from hypothesis import strategies as st

from seedsoil.kernels.roles import ROLES
from seedsoil.sim.errors import InputError
from seedsoil.sim.problems import NOTHING_WAS_RUN
from seedsoil.sim.resolved import resolved_rows, resolved_toml
from seedsoil.sim.scenario import Implant, LatticeTable, Scenario
from seedsoil.sim.scenario_file import load_scenario, shipped_scenarios, with_overrides
from seedsoil.sim.solutes import Solutes
from seedsoil.sim.starter import schema, starter_text

SMALL = """\
title = "small"
until_h = 10
[lattice]
shape = [1, 10, 12]
voxel_um = 20
[implant]
cells = 3
[body.organs.bone]
share_probability = 1
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def refused(path: str | Path, overrides: object = ()) -> str:
    with pytest.raises(InputError) as caught:
        load_scenario(path, overrides)  # type: ignore[arg-type]
    assert str(caught.value).endswith(NOTHING_WAS_RUN)
    return str(caught.value)


def test_a_file_loads_with_its_text_kept(small: Path) -> None:
    scenario = load_scenario(small)
    assert scenario.lattice.shape == (1, 10, 12)
    assert scenario.until_h == 10.0
    assert list(scenario.body.organs) == ["bone"]
    assert (scenario.source.name, scenario.source.text) == (str(small), SMALL)


def test_a_byte_order_mark_and_windows_line_ends_load(tmp_path: Path) -> None:
    path = tmp_path / "dos.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load_scenario(path).implant.cells == 3


def test_the_source_is_no_part_of_a_scenario(small: Path) -> None:
    built = Scenario(until_h=10.0, lattice=LatticeTable(shape=(1, 10, 12)), implant=Implant(cells=3))
    assert built.source.text is None
    assert with_overrides(load_scenario(small), {"body": {"organs": {}}, "title": "untitled"}) == built


def test_overrides_as_strings_and_as_dicts_agree(small: Path) -> None:
    told = load_scenario(
        small,
        ["lattice.tick_h=0.5", "motility.law=linear", 'title="a=b"', "body.organs.bone.vessels=4", "until_h = .5"],
    )
    given_ = load_scenario(
        small,
        {
            "lattice": {"tick_h": 0.5},
            "motility.law": "linear",
            "title": "a=b",
            "body.organs": {"bone.vessels": 4},
            "until_h": 0.5,
        },
    )
    assert told == given_
    assert (told.lattice.tick_h, told.motility.law, told.title, told.until_h) == (0.5, "linear", "a=b", 0.5)
    assert told.body.organs["bone"].vessels == 4
    assert told.lattice.voxel_um == 20.0


def test_the_last_override_of_a_key_wins(small: Path) -> None:
    assert load_scenario(small, ["rng_key=3", "rng_key=4"]).rng_key == 4
    assert load_scenario(small, {"lattice.shape": (2, 10, 12)}).lattice.shape == (2, 10, 12)


def test_overriding_a_loaded_scenario_leaves_it_alone(small: Path) -> None:
    before = load_scenario(small)
    after = with_overrides(before, {"until_h": 20})
    assert (before.until_h, after.until_h) == (10.0, 20.0)
    assert after.source.text == SMALL
    status = {row["name"]: row["status"] for row in resolved_rows(after)}
    assert (status["until_h"], status["rng_key"]) == ("given", "default")
    with pytest.raises(InputError, match="until_h"):
        with_overrides(before, {"until_h": -1})


def test_an_override_that_breaks_a_rule_between_tables_is_told(small: Path) -> None:
    message = refused(small, ["lattice.shape=[1, 1, 2]"])
    assert "small.toml:7  implant.cells" in message
    assert "3 cells do not fit" in message
    assert "This is with --set lattice.shape=[1, 1, 2]." in message


def test_every_problem_is_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace("voxel_um", "voxel_size") + '[solutes.protease]\ndecay_per_h = "fast"\n')
    message = refused(path)
    assert message.replace(str(path), "bad.toml") == (
        "bad.toml: 2 problems\n\n"
        "  bad.toml:5  lattice.voxel_size\n"
        "       5 | voxel_size = 20\n"
        "      unknown key - did you mean 'voxel_um'?\n\n"
        "  bad.toml:11  solutes.protease.decay_per_h\n"
        '      11 | decay_per_h = "fast"\n'
        "      needs a number (got 'fast')\n\n"
        "  Nothing was run."
    )


def test_a_misspelt_required_key_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace("until_h", "until"))
    message = refused(path)
    assert "1 problem\n" in message
    assert "did you mean 'until_h'?" in message


def test_a_thousand_problems_are_counted_and_fifty_shown(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("".join(f"wrong_{n} = {n}\n" for n in range(1000)) + SMALL)
    message = refused(path)
    assert ": 1000 problems\n" in message
    assert message.count("unknown key") == 50
    assert "... and 950 more" in message


def test_nothing_is_said_through_markup_or_escapes(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        SMALL + '[motility]\nlaw = "[red]x\u001b[31m\u202ey"\n'.replace("\u001b", "\\u001b"), encoding="utf-8"
    )
    message = refused(path)
    assert "[red]x\\x1b[31m\\u202ey" in message
    assert all(c == "\n" or c.isprintable() for c in message)


def test_shipped_scenarios_are_found_by_name_and_by_typo() -> None:
    assert load_scenario("quickstart").source.text == shipped_scenarios()["quickstart"]
    assert "did you mean 'quickstart'?" in refused("quikstart")
    assert "quickstart" in refused("zzz")


def test_a_file_without_a_suffix_is_found_where_no_scenario_has_its_name(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    small.rename("mine")
    assert load_scenario("mine").title == "small"
    assert load_scenario(Path("mine")).title == "small"


def test_the_resolved_scenario_loads_back_the_same(tmp_path: Path) -> None:
    for name, text in {**shipped_scenarios(), "starter": starter_text()}.items():
        first = tmp_path / f"{name}.toml"
        first.write_text(text)
        third = "emission.exponent" if 'primary = "emission"' in text else "motility.haptotaxis_um2_per_h"
        scenario = load_scenario(first, {"title": 'odd "title" \\ \n\t\x07 é', third: 1 / 3})
        again = tmp_path / "again.toml"
        again.write_text(resolved_toml(scenario), encoding="utf-8")
        assert load_scenario(again) == scenario


def test_resolved_rows_say_what_was_given_and_where_values_are_from(small: Path) -> None:
    rows = {row["name"]: row for row in resolved_rows(load_scenario(small, {"intravasation.active_per_h": 0.5}))}
    assert rows["lattice.shape"]["value"] == [1, 10, 12]
    assert rows["lattice.tick_h"]["status"] == "default"
    assert rows["lattice.voxel_um"] == {
        "name": "lattice.voxel_um",
        "value": 20.0,
        "unit": "um",
        "source": "one tumour cell a voxel (cell diameter 10-20 um)",
        "range": "5 to 50",
        "about": "voxel edge",
        "status": "given",
    }
    # a value that is not the default does not borrow the default's source
    assert rows["intravasation.active_per_h"]["source"] == "the scenario's choice (default 0.02: assumed)"
    assert rows["body.organs.bone.share_probability"]["value"] == 1.0
    assert all(row["unit"] and row["source"] and row["about"] for row in rows.values())


def test_the_starter_names_every_parameter_and_loads_with_all_of_them(tmp_path: Path) -> None:
    text = starter_text()
    path = tmp_path / "starter.toml"
    path.write_text(text)
    scenario = load_scenario(path)
    lines = text.split("\n")
    path.write_text("\n".join(line.removeprefix("# ") if " = " in line else line for line in lines))
    assert load_scenario(path) == scenario
    path.write_text("\n".join(line.removeprefix("#! ").removeprefix("# " if " = " in line else "") for line in lines))
    everything = load_scenario(path)
    assert everything.solutes == Solutes.model_validate({role: {} for role in ROLES})
    assert {row["status"] for row in resolved_rows(everything)} == {"given"}


def test_an_optional_table_is_there_when_it_is_given_be_it_empty(small: Path) -> None:
    assert load_scenario(small).solutes.roles == ("protease",)
    small.write_text(small.read_text() + "[solutes.oxygen]\n")
    scenario = load_scenario(small, {"solutes.vegf.decay_per_h": 2.0})
    assert scenario.solutes.roles == ("oxygen", "vegf", "protease")
    rows = {row["name"]: row for row in resolved_rows(scenario)}
    assert rows["solutes.oxygen.initial"]["unit"] == "mmHg" and rows["solutes.vegf.initial"]["unit"] == "ng/mL"
    assert rows["solutes.vegf.decay_per_h"]["status"] == "given"
    assert not any(name.startswith("solutes.drug") for name in rows)


def test_the_schema_lets_an_optional_table_be_a_table_only() -> None:
    solutes = schema()["$defs"]["Solutes"]["properties"]
    assert solutes["oxygen"] == {"$ref": "#/$defs/Oxygen"}
    assert "null" not in str(schema())


def test_the_schema_has_units_and_sources() -> None:
    lattice = schema()["$defs"]["LatticeTable"]
    assert lattice["properties"]["voxel_um"]["unit"] == "um"
    assert lattice["properties"]["voxel_um"]["source"]
    assert lattice["required"] == ["shape"]
    assert lattice["additionalProperties"] is False


MUTATIONS = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "=",
        "[",
        "]",
        '"',
        "'",
        "x",
        "-1",
        "nan",
        "1e999",
        "{",
        "}",
        "#",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "0x" + "f" * 5000,
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(SMALL)), st.integers(0, 12), MUTATIONS), min_size=1, max_size=4))
def test_whatever_stands_in_a_file_it_loads_or_is_refused(edits: list[tuple[int, int, str]]) -> None:
    text = SMALL
    for at, cut, put in edits:
        text = text[:at] + put + text[at + cut :]
    path = Path(_SCRATCH) / "fuzz.toml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        load_scenario(path)
    except InputError as error:
        message = str(error)
        assert message.endswith(NOTHING_WAS_RUN)
        assert all(c == "\n" or c.isprintable() for c in message)


@given(st.text(max_size=40))
def test_whatever_is_set_it_loads_or_is_refused(text: str) -> None:
    path = Path(_SCRATCH) / "set.toml"
    path.write_text(SMALL)
    try:
        load_scenario(path, [text, f"title={text}", f"until_h={text}"])
    except InputError as error:
        assert str(error).endswith(NOTHING_WAS_RUN)


_SCRATCH = ""


@pytest.fixture(scope="module", autouse=True)
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _SCRATCH
    _SCRATCH = str(tmp_path_factory.mktemp("fuzz"))


def test_a_subnormal_is_refused_where_processors_flush_it_to_zero(small: Path) -> None:
    """Such a process reads 5e-324 as 0; a scenario that it took would be refused by others."""
    ti.init(arch=ti.cpu, log_level=ti.ERROR)
    assert float("5e-324") == 0.0, "this process flushes nothing, so it shows nothing"
    for text in ("5e-324", "-5e-324", "0.1e-310", ".5e-400"):
        assert "motility.haptotaxis_um2_per_h" in refused(small, [f"motility.haptotaxis_um2_per_h={text}"])
    small.write_text(SMALL + "[motility]\nhaptotaxis_um2_per_h = 5e-324\n")
    assert "small.toml:11  motility.haptotaxis_um2_per_h" in refused(small)
    for text in ("0", "0.0", "-0.0", "0e-400", ".0", "1e-30", "1e-9"):
        assert load_scenario(small, [f"motility.haptotaxis_um2_per_h={text}"]).motility is not None


def test_a_scenario_made_in_python_takes_no_absurd_number() -> None:
    for core_um in (1e31, 5e-324, 9e-31):
        with pytest.raises(ValueError, match="whose size is from 1e-30"):
            Scenario.model_validate(
                {"until_h": 1.0, "lattice": {"shape": [1, 9, 9]}, "vessels": {"free_core_um": core_um}}
            )
