"""TOML values as text: the few kinds that a scenario has, written, and numbers read."""

import re
import struct
from typing import Any

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def toml_value(value: Any) -> str:
    """A value as TOML writes it; floats with every digit that tells them apart."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_character(c) for c in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"a scenario holds no {type(value).__name__}")


def number_of(text: str) -> float:
    """The number that a text writes; one too small for a float is the smallest float there is, never 0.

    A process that flushes subnormal numbers to zero reads them as 0; whether they are refused must not depend on that.
    Raises ValueError.
    """
    number = float(text)
    if number == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        return struct.unpack(">d", (1).to_bytes(8))[0]
    return number


def _character(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c.isprintable():
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
