"""A writer process and the socket to it. Idle writers are kept and serve the next run."""

import atexit
import os
import socket
import subprocess
import sys
import threading
from typing import Any

from . import wire


class WriterDied(Exception):
    """The writer process ended; the text says how, as far as it can be known."""


class Channel:
    """One writer process, started on construction."""

    def __init__(self) -> None:
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stderr = os.memfd_create("seedsoil-writer-stderr", os.MFD_CLOEXEC)
        try:
            self.process = subprocess.Popen(
                # -P: a numpy.py in the working folder must not be imported
                [sys.executable, "-P", "-m", "seedsoil.outputs.writer", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                process_group=0,
            )
        finally:
            theirs.close()

    def send(self, message: dict[str, Any], fd: int | None = None) -> None:
        """Raises WriterDied if the process is gone."""
        try:
            wire.send(self._sock, message, fd)
        except ConnectionError:
            self._gone()

    def receive(self, wait: bool) -> dict[str, Any] | None:
        """The next answer; None if there is none yet and `wait` is false. Raises WriterDied."""
        try:
            answer, _ = wire.receive(self._sock, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionError:
            answer = None
        if answer is None:
            self._gone()
        return answer

    def end(self) -> None:
        """Close our end; the process finishes what it was sent and goes."""
        self._sock.close()
        self.process.wait()
        os.close(self._stderr)

    def _gone(self) -> None:
        code = self.process.wait()
        size = os.fstat(self._stderr).st_size
        tail = os.pread(self._stderr, 2000, max(0, size - 2000)).decode(errors="replace").split("\n")
        said = [line.strip() for line in tail if line.strip()]
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise WriterDied(how + (f": {said[-1]}" if said else ""))


_idle: list[Channel] = []
_guard = threading.Lock()


def take() -> Channel:
    """A writer that is not serving anyone."""
    with _guard:
        while _idle:
            channel = _idle.pop()
            if channel.process.poll() is None:
                return channel
            channel.end()
    return Channel()


def give(channel: Channel) -> None:
    """Hand back a writer whose run is closed."""
    with _guard:
        _idle.append(channel)


@atexit.register
def end_idle() -> None:
    """End the writers nobody uses."""
    with _guard:
        while _idle:
            _idle.pop().end()
