"""Reading a scenario: a TOML file or the name of a shipped one, with overrides, into a `Scenario`.

Nothing but `InputError` leaves this file, and its message names every problem at once with file,
line and what was expected. Names of people's files and what stands in them are shown escaped.
"""

import copy
import os
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .overrides import Overrides, apply, deeper_than, parse
from .plain_text import printable
from .problems import NOTHING_WAS_RUN, Origin, Problem, did_you_mean, quoted, refusal, report
from .toml_lines import lines_of
from .toml_text import number_of

if TYPE_CHECKING:  # the model comes with Taichi: a file that is not there is refused without it
    from .scenario import Scenario, Source

BYTES_MAX = 1_000_000
# tables within tables: a scenario has 4. Beyond some hundreds the readers of TOML and of the model run out of stack,
# and a key of n names costs tomllib n^2 steps, so that one of 10^5 names never ends
DEPTH_MAX = 50
_NAME = r"""(?:(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"{_NAME}(?:\.[ \t]*{_NAME}){{{DEPTH_MAX}}}")
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_SAID = {"Cannot overwrite a value": "this key has been given before"}


def load_scenario(
    path_or_name: str | os.PathLike[str], overrides: Overrides = (), *, labels: Mapping[str, str] | None = None
) -> "Scenario":
    """Read and check a scenario. `scenario.source` keeps its text.

    `path_or_name`: a path, or a name that `shipped_scenarios` lists. `overrides`: a dict with dotted
    or nested keys, or strings "key=value". `labels` says how the caller wrote an override (key ->
    text), where that was not `--set`. Raises InputError.
    """
    name, text = _read(path_or_name)
    return _build(name, text, overrides, labels or {})


def with_overrides(scenario: "Scenario", overrides: Overrides) -> "Scenario":
    """A copy of `scenario` with some values set anew, checked like a file. Raises InputError."""
    return _changed(scenario, overrides)[1]


def branched(scenario: "Scenario", overrides: Overrides) -> "Scenario":
    """As `with_overrides`, of a scenario that names every value: one that is set anew and cannot act is refused."""
    from .inert import set_in_vain

    origin, changed = _changed(scenario, overrides)
    anew: dict[str, Any] = {}
    apply(anew, parse(overrides)[0])
    if found := set_in_vain(changed, anew):
        raise InputError(report(origin, [Problem(tuple(one.key.split(".")), one.told) for one in found]))
    return changed


def shipped_scenarios() -> dict[str, str]:
    """Name -> text of every scenario that comes with the package."""
    folder = files("seedsoil.scenarios")
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {entry.name.removesuffix(".toml"): entry.read_text("utf-8") for entry in sorted(found, key=lambda e: e.name)}


def _changed(scenario: "Scenario", overrides: Overrides) -> tuple[Origin, "Scenario"]:
    data = copy.deepcopy(scenario.model_dump(exclude_unset=True))
    origin, changed = _merged(Origin(scenario.source.name or scenario.title, "", {}, {}), data, overrides, {})
    return origin, _checked(origin, changed, scenario.source)


def _build(name: str, text: str, overrides: Overrides, labels: Mapping[str, str]) -> "Scenario":
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(refusal(f"{printable(name)}:{line}: a key of more than {DEPTH_MAX} names"))
    try:
        data = tomllib.loads(text, parse_float=number_of)
        if deeper_than(data, DEPTH_MAX):
            raise RecursionError
        lines = lines_of(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(_not_toml(name, text, str(error))) from None
    except RecursionError:
        raise InputError(refusal(f"{printable(name)}: nested too deeply to be a scenario")) from None
    except ValueError:  # Python converts no more digits than this
        found = re.search(r"[0-9_]{4000,}", text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        raise InputError(refusal(f"{printable(name)}:{line}: a number of thousands of digits")) from None
    if not data and not overrides:
        raise InputError(
            refusal(f"{printable(name)}: is empty", "`seedsoil new FILE` writes a scenario to start from.")
        )
    from .scenario import Source

    origin, merged = _merged(Origin(name, text, lines, {}), data, overrides, labels)
    return _checked(origin, merged, Source(name, text))


def _merged(
    origin: Origin, data: dict[str, Any], overrides: Overrides, labels: Mapping[str, str]
) -> tuple[Origin, dict[str, Any]]:
    found, complaints = parse(overrides)
    if complaints:
        raise InputError("\n".join([*complaints, "", f"  {NOTHING_WAS_RUN}"]))
    cited = {path: labels.get(".".join(map(str, path)), label) for path, _, label in found}
    origin = Origin(origin.name, origin.text, origin.lines, cited)
    if problems := apply(data, found):
        raise InputError(report(origin, problems))
    return origin, data


def _checked(origin: Origin, data: dict[str, Any], source: "Source") -> "Scenario":
    from .explain import validate

    folder = File(origin.name).parent
    body = data.get("body")
    if isinstance(body, dict) and isinstance(graph := body.get("graph"), str) and graph.endswith(".toml"):
        # checked together with what names its organs, so it is found before it is
        data = {**data, "body": {**body, "graph": str((folder / graph).absolute())}}
    scenario, problems = validate(data)
    if scenario is None:
        raise InputError(report(origin, problems))
    scenario = pinned(scenario, folder, origin)
    scenario.keep_source(source)
    return scenario


def pinned(scenario: "Scenario", folder: File, origin: Origin | None = None) -> "Scenario":
    """The scenario with the files it names noted by absolute path and SHA-256. Raises InputError if one cannot be used."""
    from . import texture_file, vessels

    try:
        texture = texture_file.pinned(scenario.matrix.texture, folder, scenario.lattice.shape)
        given = vessels.pinned(scenario.vessels, folder, scenario.lattice.shape)
    except InputError as error:
        key, _, what = str(error).partition(": ")
        origin = origin or Origin(scenario.title, "", {}, {})
        raise InputError(report(origin, [Problem(tuple(key.split(".")), what)])) from None
    body = scenario.body.pinned()
    if texture is scenario.matrix.texture and given is scenario.vessels and body is scenario.body:
        return scenario
    matrix = scenario.matrix.model_copy(update={"texture": texture})
    return scenario.model_copy(update={"matrix": matrix, "vessels": given, "body": body})


def _read(path_or_name: str | os.PathLike[str]) -> tuple[str, str]:
    """(name to cite, text). A bare name means a shipped scenario, unless only a file is called that."""
    name = os.fspath(path_or_name)
    is_name = isinstance(path_or_name, str) and not name.endswith(".toml") and not set("/\\") & set(name)
    if is_name:
        shipped = shipped_scenarios()
        if name in shipped:
            return f"{name}.toml", shipped[name]
    try:
        with open(name, "rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except IsADirectoryError:
        raise InputError(refusal(f"{printable(name)}: is a folder, not a scenario file")) from None
    except FileNotFoundError:
        raise InputError(refusal(*_not_found(name, is_name))) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(refusal(f"{printable(name)}: cannot be read: {printable(reason)}")) from None
    if len(raw) > BYTES_MAX:
        raise InputError(refusal(f"{printable(name)}: larger than {BYTES_MAX // 1_000_000} MB, so not a scenario file"))
    try:
        return name, raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(refusal(*_not_text(name, raw, error))) from None


def _not_found(name: str, is_name: bool) -> list[str]:
    folder = File(name).parent
    try:
        beside = [str(folder / file.name) if folder != File(".") else file.name for file in folder.glob("*.toml")]
    except OSError:
        beside = []
    shipped = list(shipped_scenarios())
    close = did_you_mean(File(name).stem if is_name else name, [*shipped, *beside])
    what = "no such file, and no shipped scenario of that name" if is_name else "no such file"
    hint = f" - did you mean {printable(close)!r}?" if close else ""
    advice = "" if close else f"Shipped scenarios: {', '.join(shipped)}."
    return [f"{printable(name)}: {what}{hint}", *([advice] if advice else [])]


def _not_text(name: str, raw: bytes, error: UnicodeDecodeError) -> list[str]:
    if b"\0" in raw:
        return [f"{printable(name)}: is not a text file"]
    line = raw.count(b"\n", 0, error.start) + 1
    byte = raw[error.start]
    return [f"{printable(name)}:{line}: is not UTF-8 text (byte 0x{byte:02x})", "Save it with the encoding UTF-8."]


def _not_toml(name: str, text: str, complaint: str) -> str:
    """`tomllib`'s complaint with the line it is about."""
    text = text.replace("\r\n", "\n").rstrip("\n")
    found = _PLACE.fullmatch(complaint)
    what = found[1] if found else complaint
    line, column = text.count("\n") + 1, len(text) - text.rfind("\n")  # "at end of document"
    if found and found[2]:
        line, column = int(found[2]), int(found[3])
    if twice := re.fullmatch(r"Cannot declare \((.*)\) twice", what):
        names = re.findall(r"'([^']*)'", twice[1])
        what = f"the table [{'.'.join(names)}] has been given before"
    return "\n".join(
        [
            f"{printable(name)}: not TOML",
            "",
            f"  {printable(name)}:{line}, column {column}",
            *quoted(text, line, column),
            f"      {printable(_SAID.get(what, what), 300)}",
            "",
            f"  {NOTHING_WAS_RUN}",
        ]
    )
