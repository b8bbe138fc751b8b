"""What a command prints to: a terminal that goes away, a closed descriptor, a full disk behind `> log`.

Printing never ends a command: a stream that fails falls silent and remembers why. A run goes on, since all that
it is for is in its folder. A command that only prints has failed then, and says so on the other stream.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def forgiving_streams() -> Iterator[None]:
    """Within it, stdout and stderr are streams of that kind."""
    _open_standard_descriptors()
    before, original = (sys.stdout, sys.stderr), sys.__stdout__
    sys.stdout, sys.stderr = (_forgiving(stream) for stream in before)
    if before[0] is original:
        sys.__stdout__ = sys.stdout  # else Taichi takes this for a notebook
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        (sys.stdout, sys.stderr), sys.__stdout__ = before, original


def failure() -> str:
    """Why not all that was printed to stdout is there; empty if it is, and if its reader did not want more."""
    sys.stdout.flush()
    error = getattr(_raw(sys.stdout), "failure", None)
    return "" if error is None or isinstance(error, BrokenPipeError) else error.strerror or str(error)


def forget_failure() -> None:
    """What was printed to stdout so far was not what the command is for."""
    sys.stdout.flush()
    if isinstance(raw := _raw(sys.stdout), _Forgiving):
        raw.failure = None


class _Forgiving(io.FileIO):
    """A descriptor that swallows what it cannot write."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes


def _forgiving(stream: Any) -> Any:
    """The same descriptor again; a stream without one (a notebook's, a test's) as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        stream.flush()
        raw = _Forgiving(stream.fileno(), "wb", closefd=False)
    except (OSError, ValueError):
        return stream
    # backslashreplace: a title in a terminal that knows only ASCII
    return io.TextIOWrapper(
        io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=stream.line_buffering
    )


def _raw(stream: Any) -> Any:
    return getattr(getattr(stream, "buffer", None), "raw", None)


def _open_standard_descriptors() -> None:
    """Point closed ones (`>&-`) at the null device; else the next file that is opened would take their place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
