"""Commands of seedsoil in processes of their own, watched, and killed, starved or signalled on request.

    python -m faults.commands

One process imports what is slow to import and forks for each command (Taichi is not started in it: a
fork after that hangs). A command tells of itself through a pipe, with plain writes that a kill cannot
take back: each frame once it is acknowledged, each tick, each writer process. What to do to it is a
plan: see `Commands`.
"""

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from seedsoil.outputs import channel, delivery, report
from seedsoil.sim import checkpoint, progress, resume, run  # noqa: F401  imported here, once
from seedsoil.sim.cli import app

PATIENCE_S = 300  # a command that takes longer hangs


class Ended(NamedTuple):
    """How a command ended, and what it told before."""

    code: int  # negative: the signal that ended it
    acknowledged: int  # frames
    tick: int  # the last
    writers: list[int]  # process ids
    blows: list[str]  # what was done to it
    began_s: float  # until its first frame was acknowledged
    lived_s: float  # from then on
    err: str


class Commands:
    """`commands("run", "busy.toml", "-o", folder, plan={...})`, one at a time.

    A plan may hold
        blows         [{"event": "start" | "frame" | "tick" | "writer" | "checkpoint" | "blow", "after_s": 0.1,
                      "whom": ["run", "writer"], "signal": 9}, ...]: one after the other, each so long after the next
                      such event (an acknowledged frame, a tick, the start of a writer, a slow checkpoint,
                      the blow before); with "at" only once the number of frames or the tick is that large
        hold          {"tick": 7, "s": 0.5}: the run waits there, so that a blow finds it at that tick
        ballast, room a file that is made at the first tick, so large that `room` bytes stay free beside it
        file_bytes    no file may become larger
        slow_checkpoint_tick   the checkpoint of that tick takes for ever once its bytes are written
        report        write report.html, which is left out otherwise
    """

    def __init__(self, scratch: Path) -> None:
        tests = str(Path(__file__).parent.parent)
        self._out, self._err = scratch / "out", scratch / "err"
        self._server = subprocess.Popen(
            [sys.executable, "-P", "-m", "faults.commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])},
        )

    def __call__(self, *arguments: object, plan: dict[str, Any] | None = None) -> Ended:
        assert self._server.stdin and self._server.stdout
        words = [str(word) for word in arguments]
        job = {"arguments": words, "plan": plan or {}, "out": str(self._out), "err": str(self._err)}
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        told = json.loads(self._server.stdout.readline())
        return Ended(**told, err=self._err.read_text(errors="replace"))

    def close(self) -> None:
        self._server.communicate()


class _Telling(progress.NoProgress):
    """Tells of every tick; at the first it may fill the disk."""

    def __init__(self, pipe: int, plan: dict[str, Any]) -> None:
        self._pipe, self._plan = pipe, plan

    def __call__(self, status: progress.Status) -> None:
        if "room" in self._plan:
            _fill(Path(self._plan["ballast"]), self._plan.pop("room"))
        os.write(self._pipe, b"t%d\n" % status.tick)
        hold = self._plan.get("hold", {})
        if hold.get("tick") == status.tick:
            time.sleep(hold["s"])


def _fill(ballast: Path, room: int) -> None:
    """Leave `room` bytes free on the ballast's file system."""
    with open(ballast, "wb") as file:
        while True:
            free = os.statvfs(ballast.parent)
            try:
                os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room))
                return
            except OSError:  # the writer took some of it meanwhile
                os.ftruncate(file.fileno(), 0)


def _instrument(pipe: int, plan: dict[str, Any]) -> None:
    """Have this process tell of itself. Nothing that it computes or writes is changed."""
    answer, start, verify = delivery.Delivery._answer, channel.Channel.__init__, checkpoint._verify

    def answered(self: delivery.Delivery, wait: bool) -> bool:
        before = self.acknowledged
        try:
            return answer(self, wait)
        finally:
            if self.acknowledged != before:
                os.write(pipe, b"a%d\n" % self.acknowledged)

    def started(self: channel.Channel) -> None:
        start(self)
        os.write(pipe, b"w%d\n" % self.process.pid)

    def verified(raw: Any, path: Path, *, drop: bool = False) -> int:
        if path.suffix == ".tmp" and plan.get("slow_checkpoint_tick") == int(path.name[11:23]):
            os.write(pipe, b"c1\n")
            time.sleep(PATIENCE_S)  # until a signal ends it
        return verify(raw, path, drop=drop)

    delivery.Delivery._answer = answered
    channel.Channel.__init__ = started
    checkpoint._verify = verified
    progress.progress_on = lambda *_, **__: _Telling(pipe, plan)
    if not plan.get("report"):
        report.write_report = lambda *_, **__: None
    if "file_bytes" in plan:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan["file_bytes"], resource.RLIM_INFINITY))


def _child(job: dict[str, Any], pipe: int) -> None:
    os.setsid()
    for number, name in ((1, job["out"]), (2, job["err"])):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    _instrument(pipe, job["plan"])
    code = app.main(job["arguments"])
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Watch:
    """Reads what a command tells, and does to it what the plan says."""

    def __init__(self, child: int, pipe: int, plan: dict[str, Any]) -> None:
        self.child, self.pipe = child, pipe
        self.acknowledged, self.tick, self.writers = 0, -1, []
        self.blows: list[str] = []  # what was done to it
        self._todo = list(plan.get("blows", ()))
        self._rest = b""
        self._started = time.monotonic()
        self.first_frame: float | None = None
        self._due: float | None = None
        self._arm("start")

    def _arm(self, event: str, value: int = 0) -> None:
        """The next blow falls `after_s` after its event."""
        if not self._todo or self._due is not None:
            return
        if self._todo[0]["event"] == event and value >= self._todo[0].get("at", 0):
            self._due = time.monotonic() + self._todo[0]["after_s"]

    def _hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            kind, value = line[:1], int(line[1:])
            if kind == b"a":
                self.acknowledged = value
                self.first_frame = self.first_frame or time.monotonic()
                self._arm("frame", value)
            elif kind == b"t":
                self.tick = value
                self._arm("tick", value)
            elif kind == b"w":
                self.writers.append(value)
                self._arm("writer")
            elif kind == b"c":
                self._arm("checkpoint")

    def _strike(self) -> None:
        blow = self._todo.pop(0)
        self._due = None
        for whom in blow["whom"]:
            if whom == "writer" and not self.writers:
                continue  # there is none yet
            target = self.writers[-1] if whom == "writer" else self.child
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, blow["signal"])
                self.blows.append(f"{whom} {blow['signal']}")
        self._arm("blow")

    def lengths(self) -> dict[str, float]:
        now = time.monotonic()
        return {"began_s": (self.first_frame or now) - self._started, "lived_s": now - (self.first_frame or now)}

    def follow(self) -> None:
        """Until the command's end of the pipe is closed, that is, until it is gone."""
        end = time.monotonic() + PATIENCE_S
        while True:
            now = time.monotonic()
            if now > end:
                self.blows.append("hang")
                os.kill(self.child, signal.SIGKILL)
                return
            if self._due is not None and now >= self._due:
                self._strike()
                continue
            if select.select([self.pipe], [], [], max(0.0, (self._due or end) - now))[0]:
                data = os.read(self.pipe, 65536)
                if not data:
                    return
                self._hear(data)


def serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            try:
                _child(job, theirs)
            finally:
                os._exit(99)
        os.close(theirs)
        watch = _Watch(child, ours, job["plan"])
        watch.follow()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(ours)
        told = {
            "code": code,
            "acknowledged": watch.acknowledged,
            "tick": watch.tick,
            "writers": watch.writers,
            "blows": watch.blows,
            **watch.lengths(),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    serve()
