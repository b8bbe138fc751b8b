"""The line map against `tomllib`: it finds every key and value where it stands, and nothing else."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedsoil.sim.toml_lines import Path, dotted, line_at, lines_of

FIRST_ID = 7_000_001


def leaves(data: Any, path: Path = ()) -> dict[Path, Any]:
    """Every value that is no table and no list, by its path."""
    if isinstance(data, dict):
        return {p: v for key, value in data.items() for p, v in leaves(value, (*path, key)).items()}
    if isinstance(data, list):
        return {p: v for index, value in enumerate(data) for p, v in leaves(value, (*path, index)).items()}
    return {path: data}


def paths(data: Any, path: Path = ()) -> set[Path]:
    """Every table, key and element."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return {path} | {p for key, value in inner for p in paths(value, (*path, key))}


CASES = {
    "plain": 'a = 1\n\n[t]\nb = 2 # c = 3\n"q r" = 3\n',
    "dotted": "a.b.c = 1\na.b.d = 2\n[x.y]\nz . w = 3\n",
    "quoted": '"a.b" = 1\n\'c "d\' = 2\n["t.u".\'v]w\']\nx = 3\n"\\u0061\\"z" = 4\n',
    "inline": 'p = { x = 1, y = { z = 2 }, "w.v" = [1, 2] }\nq = 3\n',
    "array": "a = [\n  1, # one ] ,\n  [2,\n   3],\n  { b = 4 },\n]\nc = 5\n",
    "strings": 'a = \'it # no\'\nb = "\\"] # ="\nc = 1\n',
    "multi-line": 'a = """\n[no]\nb = 1\n\\""" ""\n"""\nc = \'\'\'\n[no] \\\n\'\'\'\nd = 2\n',
    "quotes at the end": 'a = """x"""""\nb = \'\'\'y\'\'\'\'\'\nc = """"""\nd = 4\n',
    "tables of tables": "[[f]]\nn = 1\n[f.g]\nm = 2\n[[f.h]]\nk = 3\n[[f]]\nn = 4\n[[f.h]]\nk = 5\n[[f.h]]\nk = 6\n",
    "implied": "[a.b.c]\nd = 1\n[a]\ne = 2\n",
    "dates": "a = 1979-05-27 07:32:00\nb = 1979-05-27\nc = 07:32:00\nd = [1979-05-27, inf, -nan, 0xf]\n",
    "windows": 'a = 1\r\n[t]\r\nb = """\r\nx\r\n"""\r\nc = 2\r\n',
    "no end": "a = 1\n[t]",
    "empty": "",
    "only a comment": "# [a]",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_finds_the_keys_that_tomllib_finds(text: str) -> None:
    lines = lines_of(text)
    assert set(lines) == paths(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_lines_of_each_kind() -> None:
    assert lines_of(CASES["array"]) == {
        (): 1,
        ("a",): 1,
        ("a", 0): 2,
        ("a", 1): 3,
        ("a", 1, 0): 3,
        ("a", 1, 1): 4,
        ("a", 2): 5,
        ("a", 2, "b"): 5,
        ("c",): 7,
    }
    assert lines_of(CASES["multi-line"])[("d",)] == 9
    assert lines_of(CASES["tables of tables"])[("f", 1, "h", 1, "k")] == 12
    assert lines_of(CASES["windows"])[("t", "c")] == 6
    implied = lines_of(CASES["implied"])
    assert (implied[("a",)], implied[("a", "b")], implied[("a", "e")]) == (1, 1, 4)


def test_the_nearest_line_stands_in_for_a_key_that_is_not_there() -> None:
    lines = lines_of("x = 1\n\n[a.b]\nc = 1\n")
    assert line_at(lines, ("a", "b", "missing", 3)) == 3
    assert line_at(lines, ("nothing",)) is None


def test_dotted() -> None:
    assert dotted(("lattice", "shape", 0)) == "lattice.shape[0]"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid TOML of every shape; each number in it is another one, so that its place is known."""
    number = iter(range(FIRST_ID, FIRST_ID + 10_000))
    name = iter(range(10_000))
    noise = st.sampled_from(["", "  ", " # [x] = \"'", "\t"])
    text = st.sampled_from(
        ['"a # b"', "'c \\ ['", '"""\n[t]\nx = "" y\n"""', "'''\n}'' ]\n'''", '"\\u005d\\""', '""', "''''''"]
    )

    def key() -> str:
        fresh = f"k{next(name)}"
        return draw(st.sampled_from([fresh, f'"{fresh}"', f"'{fresh} .]'", f"{fresh}.inner", f'{fresh} . "d\\t"']))

    def value(depth: int) -> str:
        kind = draw(st.sampled_from(["number", "text", "array", "inline"] if depth else ["number", "text"]))
        if kind == "number":
            return str(next(number))
        if kind == "text":
            return draw(text)
        inner = [value(depth - 1) for _ in range(draw(st.integers(0, 3)))]
        if kind == "inline":
            return "{" + ", ".join(f"{key()} = {one}" for one in inner) + "}"
        gap = draw(st.sampled_from(["", "\n", " # ],\n\n"]))
        return "[" + gap + f",{gap}".join(inner) + ("," if inner and draw(st.booleans()) else "") + gap + "]"

    out = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["pair", "pair", "table", "tables", "again", "blank"]))
        if kind == "pair":
            out.append(f"{draw(noise.filter(lambda n: '#' not in n))}{key()} = {value(2)}{draw(noise)}")
        elif kind == "table":
            out.append(f"[{key()}]{draw(noise)}")
        elif kind == "tables":
            known = f"many{next(name)}"
            out.append(
                f"[[{known}]]\nx = {next(number)}\n[[ {known} ]]\n[{known}.sub]\ny = {next(number)}\n[[{known}.more]]"
            )
        elif kind == "again":
            known = f"far{next(name)}"
            out.append(f"[{known}.a.b]\nv = {next(number)}\n[{known}.a]\nw = {next(number)}")
        else:
            out.append(draw(noise))
    return draw(st.sampled_from(["\n", "\r\n"])).join("\n".join(out).split("\n"))


@given(documents())
def test_every_number_is_on_the_line_where_it_stands(text: str) -> None:
    data = tomllib.loads(text)
    lines = lines_of(text)
    assert set(lines) == paths(data)
    for path, value in leaves(data).items():
        if isinstance(value, int):
            where = text.index(str(value))
            assert lines[path] == text.count("\n", 0, where) + 1
