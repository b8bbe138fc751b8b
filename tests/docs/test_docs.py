"""What the README and docs/ print is true: scenarios validate, commands exist, links resolve, quotations match."""

import re
import shlex
from pathlib import Path

import pytest
from printed import LINK, PAGES, ROOT, blocks, check_command, check_link, check_python, check_scenario, commands, prose

from seedsoil.outputs import schema
from seedsoil.sim.errors import InputError
from seedsoil.sim.recorded import FIELDS
from seedsoil.sim.recording import _EXTRA


@pytest.fixture(params=PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_scenarios_validate(page: Path, tmp_path: Path) -> None:
    for kind, text in blocks(page.read_text("utf-8")):
        if kind == "toml":
            check_scenario(text, tmp_path)


def test_commands_exist(page: Path) -> None:
    for words in commands(page.read_text("utf-8")):
        check_command(words)


def test_links_resolve(page: Path) -> None:
    for target in LINK.findall(prose(page.read_text("utf-8"))):
        assert not re.match(r"\w+:", target), f"{target}: pages name sources by author, year and journal"
        check_link(target, page)


def test_python_compiles_and_finds_its_imports(page: Path) -> None:
    for kind, text in blocks(page.read_text("utf-8")):
        if kind == "python":
            check_python(text)


def test_every_fence_names_its_language(page: Path) -> None:
    for kind, text in blocks(page.read_text("utf-8")):
        assert kind in ("sh", "bash", "toml", "python", "text", "cmake", "json"), text[:60]


def test_the_file_format_names_all_that_a_run_file_holds() -> None:
    page = (ROOT / "docs/file-format.md").read_text("utf-8")
    assert f"Format version {schema.FORMAT_VERSION}." in page
    named = set(re.findall(r"`([a-z_]+)`", page))
    tables = {name for columns in [*schema.TABLES.values(), *_EXTRA.values()] for name in columns}
    assert tables | set(schema.SERIES) | set(FIELDS) <= named
    assert set(schema.END_ATTRIBUTES) <= named
    for k, fate in enumerate(schema.FATES):
        assert f"{k} {fate}" in page


def test_the_pages_print_enough_to_mean_something() -> None:
    whole = "".join(path.read_text("utf-8") for path in PAGES)
    kinds = [kind for kind, _ in blocks(whole)]
    assert kinds.count("toml") >= 2
    assert kinds.count("python") >= 4
    assert {words[0] for words in commands(whole)} >= {"run", "resume", "branch", "check", "new", "status", "doctor"}
    assert len(LINK.findall(whole)) > 20
    assert (ROOT / "docs/images/quickstart.png").stat().st_size < 400_000


# planted errors


@pytest.mark.parametrize(
    "text",
    ["[motility]\nspeed = 3\n", "[lattice]\nvoxel_um = 500\n", 'title = "no lattice"\nuntil_h = 3\n',
     "[body.organs.lung]\nshare_probability = 0.5\n"],
)  # fmt: skip
def test_a_wrong_scenario_would_be_seen(text: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, InputError)):
        check_scenario(text, tmp_path)


@pytest.mark.parametrize(
    "line",
    ["seedsoil fly quickstart", "seedsoil run quickstart --speed 3", "seedsoil --fast", "srun seedsoil resum DIR"],
)
def test_a_wrong_command_would_be_seen(line: str) -> None:
    for printed in (f"say `{line}`", f"```sh\n{line}\n```\n"):
        found = list(commands(printed))
        assert found
        with pytest.raises(AssertionError):
            check_command(found[0])


def test_a_value_is_not_taken_for_an_option() -> None:
    check_command(shlex.split("run quickstart --set motility.law=linear -o -odd --force"))


@pytest.mark.parametrize("target", ["nowhere.md", "README.md#no-such-heading", "../secret.md", "/etc/hosts"])
def test_a_dead_link_would_be_seen(target: str) -> None:
    with pytest.raises(AssertionError):
        check_link(target, ROOT / "CHANGELOG.md")


@pytest.mark.parametrize(
    "text",
    ["import seedsoil\nseedsoil.fly()\n", "from seedsoil.outputs.reader import open_runs\n",
     "# sim/step.py\n    turnover.turn_over(tissue, processes.matrix, processes.stroma)\n    solute.advance(tissue, processes.solutes)\n"],
)  # fmt: skip
def test_wrong_python_would_be_seen(text: str) -> None:
    with pytest.raises((AssertionError, SyntaxError)):
        check_python(text)
