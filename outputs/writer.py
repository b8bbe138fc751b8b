"""The writer process: `python -m seedsoil.outputs.writer SOCKET`.

A full disk can crash libhdf5, and with it whoever called it; so the file is written here and not in
the simulation. The process has its own process group, ignores the signals meant for the
simulation, finishes what it was sent and ends when the other end of its socket is closed. It
serves one run after the other.

Requests: open, frame, close. Each is answered by {"ok": serial, ...} once it is on disk, or by
{"error": text, "kind": ...}; after an error the process ends at once, without letting libhdf5
touch the file again.
"""

import signal

for _ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):  # before the slow imports
    signal.signal(_ignored, signal.SIG_IGN)

import errno  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

from . import wire  # noqa: E402
from .commit import Commit  # noqa: E402
from .errors import RunFileError  # noqa: E402
from .layout import Layout  # noqa: E402
from .prepare import grouped  # noqa: E402
from .runfile import RunFile  # noqa: E402

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def main(descriptor: int) -> int:
    sock = socket.socket(fileno=descriptor)
    run: RunFile | None = None
    while True:
        try:
            message, fd = wire.receive(sock)
        except ConnectionError:
            message, fd = None, None
        if message is None:
            break
        try:
            run, extra = _serve(run, message, fd)
            answer = {"ok": message["serial"], **extra}
        except Exception as error:
            _reply(sock, {"error": _reason(error), "kind": _kind(error)})
            os._exit(1)
        _reply(sock, answer)
    if run is not None:
        run.close()
    return 0


def _serve(run: RunFile | None, message: dict[str, Any], fd: int | None) -> tuple[RunFile | None, dict[str, Any]]:
    header, arrays = wire.unpack(fd) if fd is not None else ({}, {})
    if fd is not None:
        os.close(fd)
    if message["op"] == "open":
        run = _open(header)
        return run, _counts(run)
    if run is None:
        raise RuntimeError(f"{message['op']} without an open file")
    if message["op"] == "close":
        run.close(header["at_end"])
        return None, {}
    run.publish(header["time_h"], **grouped(arrays))
    return run, _counts(run)


def _open(header: dict[str, Any]) -> RunFile:
    path, layout = header["path"], Layout.from_json(header["layout"])
    if header["mode"] == "create":
        return RunFile.create(path, layout, header["attributes"], overwrite=header["replace"])
    keep = header["keep"]
    return RunFile.append(
        path,
        layout,
        header["attributes"],
        keep=None if keep is None else Commit(0, keep[0], keep[1], 0, (), (), tuple(keep[2])),
        keep_until_h=header["keep_until_h"],
    )


def _counts(run: RunFile) -> dict[str, Any]:
    done = run.commit
    return {
        "keep": [done.frames, done.series_rows, done.grid_frames],
        "last_h": run.last_h,
        "organs_begun": run.organs_begun,
    }


def _reply(sock: socket.socket, answer: dict[str, Any]) -> None:
    try:
        wire.send(sock, answer)
    except OSError:
        pass  # the simulation is gone; what it sent is still written


def _kind(error: Exception) -> str:
    """full: the disk is; refused: trying again would not help; failed: it may."""
    if _number(error) in _FULL:
        return "full"
    refused = (
        BlockingIOError,
        FileExistsError,
        FileNotFoundError,
        PermissionError,
        NotADirectoryError,
        RunFileError,
    )
    return "refused" if isinstance(error, (*refused, ValueError)) else "failed"


def _number(error: Exception) -> int | None:
    """The errno, which libhdf5 hides in its text."""
    number = getattr(error, "errno", None)
    if number is None and (found := re.search(r"errno = (\d+)", str(error))):
        number = int(found[1])
    return number


def _reason(error: Exception) -> str:
    if isinstance(error, FileExistsError):
        return "it exists already"
    if isinstance(error, BlockingIOError):
        return "another program has it open"
    if number := _number(error):
        return os.strerror(number)
    return str(error).strip().split("\n")[0] or type(error).__name__


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
