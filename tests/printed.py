"""What a page of documentation prints, and whether it is true: scenarios, commands, links, Python.

The checks are functions of a text, so that docs/test_docs.py can hold them against the pages and also show
each to fail on a planted error. They raise AssertionError, or InputError for a scenario.
"""

import ast
import importlib
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import typer

from seedsoil.sim.cli.app import app
from seedsoil.sim.explain import validate
from seedsoil.sim.scenario_file import load_scenario, shipped_scenarios

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SHELL = ("|", "||", "&&", ";", ">", "2>", "&")


class Block(NamedTuple):
    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    """Fenced blocks: their language and their text, the fence's indentation taken off."""
    found = _FENCE.findall(page)
    return [Block(kind, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)) for indent, kind, text in found]


def prose(page: str) -> str:
    return _FENCE.sub("", page)


# scenarios


def check_scenario(text: str, folder: Path) -> None:
    """A block with `until_h` is a whole scenario; any other is an excerpt, which is laid over quickstart."""
    given = tomllib.loads(text)
    file = folder / "block.toml"
    if "until_h" in given:
        file.write_text(text, "utf-8")
        load_scenario(file)
        return
    base = tomllib.loads(shipped_scenarios()["quickstart"])
    if "organs" in given.get("body", {}):
        base["body"]["organs"] = {}
    _, problems = validate(_laid_over(base, given))
    assert not problems, problems


def _laid_over(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for name, value in given.items():
        below = out.get(name)
        out[name] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return out


# commands


def commands(page: str) -> Iterator[list[str]]:
    """Every `seedsoil ...` that a page prints, in code spans and shell blocks, as words."""
    lines = [line for kind, text in blocks(page) if kind in ("sh", "bash") for line in _joined(text)]
    for line in [*lines, *_SPAN.findall(prose(page))]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        while "seedsoil" in words:
            words = words[words.index("seedsoil") + 1 :]
            end = next(
                (k for k, word in enumerate(words) if word in ("|", "||", "&&", ";", ">", "2>", "&")), len(words)
            )
            # "import seedsoil" and "pip install seedsoil" name the package
            if words[:end] and not line.lstrip().startswith(("import", "pip", "from", "python")):
                yield words[:end]


def _joined(text: str) -> list[str]:
    return text.replace("\\\n", " ").split("\n")


def check_command(words: list[str]) -> None:
    """The command exists and takes these options."""
    group = typer.main.get_command(app)
    context = click.Context(group, info_name="seedsoil")  # type: ignore[arg-type]
    if words[0].startswith("-"):
        known = {name for option in group.get_params(context) for name in option.opts}  # type: ignore[arg-type]
        assert words[0] in known, f"seedsoil has no option {words[0]}"
        return
    command = group.commands.get(words[0])  # type: ignore[attr-defined]
    assert command is not None, f"seedsoil has no command {words[0]!r}"
    flags = {name: option for option in command.params for name in option.opts if name.startswith("-")}
    takes_value = False
    for word in words[1:]:
        if takes_value:
            takes_value = False
            continue
        word = word.strip("[]")
        if word.startswith("-"):
            name = word.partition("=")[0]
            assert name in {*flags, "-h", "--help"}, f"seedsoil {words[0]} has no option {name}"
            takes_value = name in flags and not flags[name].is_flag and "=" not in word


# links


def anchors(page: str) -> set[str]:
    """The anchors that headings get where Markdown is shown: lower case, dashes, no punctuation."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_link(target: str, page: Path) -> None:
    assert not target.startswith("/"), f"{target}: a link from a root leads nowhere in a checkout"
    name, _, anchor = target.partition("#")
    there = (page.parent / name).resolve() if name else page
    assert there.is_relative_to(ROOT), f"{target}: leads out of the repository"
    assert there.exists(), f"{target}: there is no such file"
    if anchor:
        assert anchor in anchors(there.read_text("utf-8")), f"{target}: no such heading"


# Python


def check_python(text: str) -> None:
    """It compiles, what it imports from seedsoil is there, and a quotation is one.

    A block whose first line is "# sim/step.py" quotes that file: its lines stand there, in this order.
    """
    quoted = re.match(r"# ([\w/]+\.py)\n", text)
    if quoted:
        ast.parse(textwrap.dedent(text[quoted.end() :]))
        lines = iter((ROOT / quoted[1]).read_text("utf-8").split("\n"))
        for line in text[quoted.end() :].rstrip("\n").split("\n"):
            if line.strip() not in ("", "..."):
                assert any(line == other for other in lines), f"{quoted[1]} does not say {line!r} there"
        return
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seedsoil"):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name), f"{node.module} has no {name.name}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "seedsoil":
            assert hasattr(importlib.import_module("seedsoil"), node.attr), f"seedsoil has no {node.attr}"
