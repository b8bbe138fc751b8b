"""Text that somebody else wrote, made safe to show on a terminal or in a log.

Control characters, terminal escapes, bidirectional overrides and lone surrogates become their
escapes, so what is shown is one line and moves no cursor. Messages are written as they are, never
through rich markup, so brackets stay brackets.
"""

from typing import Any

_LINE_CHARACTERS = 120
_VALUE_CHARACTERS = 60


def printable(text: str, limit: int = _LINE_CHARACTERS) -> str:
    """One line of at most `limit` characters with everything unprintable escaped; tabs become blanks."""
    cut = text[: limit + 1].replace("\t", "    ")
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return safe if len(text) <= limit and len(safe) <= 2 * limit else safe[: limit - 3] + "..."


def shown(value: Any) -> str:
    """A value of a TOML file as a message cites it: `'fast'`, `-1.5`, `true`, `a table`."""
    if isinstance(value, str):
        return f"'{printable(value, _VALUE_CHARACTERS)}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number of more than 38 digits"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return printable("[" + ", ".join(shown(item) for item in value[:20]) + "]", _VALUE_CHARACTERS)
    return printable(str(value), _VALUE_CHARACTERS)
