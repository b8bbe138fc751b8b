"""Where in a TOML text each key stands: `tomllib` gives the values and no lines.

A scanner over text that `tomllib` has already accepted, so it only has to tell tokens apart: it
follows table headers, dotted keys, inline tables, arrays and all four kinds of strings, and never
judges. Keys and array elements are paths, e.g. `("body", "organs", "bone")` or `("lattice", "shape", 0)`.
"""

import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
# one or two quotes may stand right before the three that end a multi-line string
_BASIC_LINES = re.compile(r'"""[^\\"]*(?:(?:\\.|"(?!""))[^\\"]*)*""""{0,2}', re.DOTALL)
_LITERAL_LINES = re.compile(r"'''.*?''''{0,2}", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, on which every key, table and array element of a valid TOML text first stands.

    The root is line 1. A table that only a longer header or a dotted key implies is where that stands.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_at(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of `path`, else of the nearest table around it; None if only the root is left."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def dotted(path: Path) -> str:
    """`lattice.shape[0]` from ("lattice", "shape", 0)."""
    out = ""
    for key in path:
        out += f"[{key}]" if isinstance(key, int) else f".{key}" if out else str(key)
    return out


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}  # of arrays of tables: how many there are

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._skip()
            if self.at >= len(self.text):
                self.lines[()] = 1
                return self.lines
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`; a name of an array of tables on the way means its last element."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        names = self._key()
        self.at += 2 if array else 1
        path: Path = ()
        for name in names[:-1]:
            path = self._within((*path, name))
        path = (*path, names[-1])
        self._note(path)
        if array:
            count = self.elements[path] = self.elements.get(path, 0) + 1
            path = (*path, count - 1)
            self._note(path)
        return path

    def _within(self, path: Path) -> Path:
        self._note(path)
        return (*path, self.elements[path] - 1) if path in self.elements else path

    def _pair(self, table: Path) -> None:
        """`a.b = value`"""
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path)
        self.at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[str]:
        """The names of a dotted key; stands on what follows it and its blanks."""
        names = []
        while True:
            self._blank()
            if self.text[self.at] in "\"'":
                quoted = self._match(_BASIC if self.text[self.at] == '"' else _LITERAL)
                names.append(str(tomllib.loads(f"key = {quoted}")["key"]))
            else:
                names.append(self._match(_BARE_KEY))
            self._blank()
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def _value(self, path: Path) -> None:
        self._blank()
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif self.text.startswith('"""', self.at):
            self._match(_BASIC_LINES)
        elif self.text.startswith("'''", self.at):
            self._match(_LITERAL_LINES)
        elif opening == '"':
            self._match(_BASIC)
        elif opening == "'":
            self._match(_LITERAL)
        else:
            self._match(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip()
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._note((*path, index))
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip()
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, self.line)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"line {self.line}: not TOML that tomllib accepts")
        self.at = found.end()
        self.line += found[0].count("\n")
        return found[0]

    def _blank(self) -> None:
        self._match(_BLANK)

    def _skip(self) -> None:
        """Blanks, line ends and comments."""
        while self.at < len(self.text):
            here = self.text[self.at]
            if here == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif here in " \t\n":
                self.line += here == "\n"
                self.at += 1
            else:
                return
