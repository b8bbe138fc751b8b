"""The command line in processes of its own, without paying for Taichi's import in each: one process
imports it, and every command runs in a fork of that one (which has not started Taichi)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_SERVER = """
import json, os, sys
import seedsoil.sim.explain, seedsoil.sim.limits
from seedsoil.sim.cli.app import main

for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(job["folder"])
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(job[name] or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            if not job[name]:
                os.close(number)
        code = main(job["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class ForkedCommandLine:
    """`cli("check", "bad.toml", folder=...)`"""

    def __init__(self, scratch: Path) -> None:
        self._out, self._err = scratch / "out", scratch / "err"
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=scratch
        )

    def __call__(self, *arguments: str, folder: Path, out: str | None = None, err: str | None = None) -> Ended:
        """`out`, `err`: where the streams go instead, "" for nowhere: they are closed."""
        assert self._server.stdin and self._server.stdout
        for path in (self._out, self._err):
            path.write_bytes(b"")
        streams = {"out": str(self._out) if out is None else out, "err": str(self._err) if err is None else err}
        job = {"arguments": arguments, "folder": str(folder), **streams}
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Ended(code, *(path.read_text("utf-8", errors="replace") for path in (self._out, self._err)))

    def close(self) -> None:
        self._server.communicate()
