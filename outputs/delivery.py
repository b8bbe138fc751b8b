"""Delivery of frames to the writer process: at most one restart, nothing lost, nothing twice.

Frames wait in their buffers until the writer has acknowledged them, that is, flushed them. When the
writer dies it is started again, told how much of the file was acknowledged (it cuts off the rest)
and sent every waiting frame once more. When it dies a second time, that is an OutputError.
"""

import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from . import wire
from .channel import Channel, WriterDied, give, take
from .errors import OutputError

RESTARTS = 1
_BIG = 1 << 30  # bytes of a frame above which one waits in memory, not two


class Delivery:
    """Requests to the writer of one file, in order.

    Attributes:
        acknowledged: frames in the file that are flushed.
        last_h: time (h) of the last of them, None if there is none.
        organs_begun: organs with a frame in the file.
    """

    def __init__(self, path: str, opening: dict[str, Any]) -> None:
        """Have the writer open the file; `opening` is the header of its `open` request.

        Raises:
            OutputError: the writer refused, or died twice.
        """
        self.acknowledged = 0
        self.last_h: float | None = None
        self.organs_begun: list[str] = []
        self._path = path
        self._opening = opening
        self._serial = 0
        self._restarts = 0
        self._was_there = os.path.lexists(path)
        self._waiting: deque[tuple[int, wire.Buffer]] = deque()
        self._spare: list[wire.Buffer] = []
        self._keep: list[Any] | None = None  # counts the file held at the last acknowledgement
        self._channel: Channel | None = take()
        try:
            # a restart opens the file itself
            self._insist(lambda: self._request("open", self._opening), again=False)
        except BaseException:
            self.abandon()
            raise

    @property
    def writer_pid(self) -> int | None:
        """Process id of the writer, None when there is none any more."""
        return None if self._channel is None else self._channel.process.pid

    def frame(self, header: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Copy a frame and hand it over; waits only if the writer is a frame behind already."""
        size = wire.size_of(header, arrays)
        self._insist(lambda: self._drain(1 if size < _BIG else 0))
        buffer = self._buffer(size)
        buffer.fill(header, arrays)
        self._serial += 1
        self._waiting.append((self._serial, buffer))
        # A restart sends everything that waits, this frame too.
        self._insist(lambda: self._send(*self._waiting[-1]), again=False)

    def wait(self) -> None:
        """Wait until everything is acknowledged."""
        self._insist(lambda: self._drain(0))

    def close(self, at_end: dict[str, Any] | None) -> None:
        """Wait, close the file and let the writer serve someone else; nothing after a failure."""
        if self._channel is None:
            return
        try:
            self.wait()
            self._insist(lambda: self._request("close", {"at_end": at_end}))
            give(self._live)
            self._channel = None
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the writer (it completes what it was sent) and of all buffers."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.end()
        for buffer in [*self._spare, *(b for _, b in self._waiting)]:
            buffer.close()
        self._spare.clear()
        self._waiting.clear()

    def _insist(self, act: Callable[[], None], again: bool = True) -> None:
        """Do it; if the writer dies, start another, and do it again unless the restart has."""
        try:
            act()
            return
        except WriterDied as error:
            death = error
        while True:
            try:
                self._restart(death)
                if again:
                    act()
                return
            except WriterDied as error:
                death = error

    def _restart(self, death: WriterDied) -> None:
        if self._restarts >= RESTARTS:
            safe = self.acknowledged
            self.abandon()
            raise OutputError(
                f"{self._path}: the process that writes it died twice ({death}); {safe} frames are safe."
            ) from death
        self._restarts += 1
        self._live.end()
        self._channel = Channel()
        if self._keep is not None:
            self._opening |= {"mode": "append", "keep": self._keep}
        elif not self._was_there:
            self._opening["replace"] = True  # what is there now, the writer that died has made
        self._request("open", self._opening)
        for serial, buffer in self._waiting:
            self._send(serial, buffer)

    def _request(self, op: str, header: dict[str, Any]) -> None:
        """A request without arrays, and its answer."""
        with wire.Buffer(wire.size_of(header, {})) as buffer:
            buffer.fill(header, {})
            self._serial += 1
            self._live.send({"op": op, "serial": self._serial}, buffer.fd)
            self._answer(wait=True)

    def _send(self, serial: int, buffer: wire.Buffer) -> None:
        self._live.send({"op": "frame", "serial": serial}, buffer.fd)

    def _drain(self, allowed: int) -> None:
        """Take in answers until at most `allowed` frames are unacknowledged."""
        while self._waiting and self._answer(wait=len(self._waiting) > allowed):
            pass

    def _answer(self, wait: bool) -> bool:
        answer = self._live.receive(wait)
        if answer is None:
            return False
        if "error" in answer:
            self._refused(answer["kind"], answer["error"])
        if "keep" in answer:
            self._keep, self.last_h = answer["keep"], answer["last_h"]
            self.acknowledged, self.organs_begun = answer["keep"][0], answer["organs_begun"]
        if self._waiting and self._waiting[0][0] == answer["ok"]:
            self._spare.append(self._waiting.popleft()[1])
        return True

    def _refused(self, kind: str, reason: str) -> NoReturn:
        if kind == "failed":
            raise WriterDied(reason)
        safe = self.acknowledged
        self.abandon()
        reason = reason.removeprefix(f"{self._path}: ")
        if kind == "full":
            raise OutputError(
                f"{self._path}: could not be written ({reason}). Free space, then resume: {safe} frames are safe."
            )
        raise OutputError(f"{self._path}: {reason}")

    @property
    def _live(self) -> Channel:
        if self._channel is None:
            raise OutputError(f"{self._path}: nobody writes it any more")
        return self._channel

    def _buffer(self, size: int) -> wire.Buffer:
        """A free buffer of at least that size, or a new one."""
        while self._spare:
            buffer = self._spare.pop()
            if buffer.size >= size:
                return buffer
            buffer.close()
        try:
            return wire.Buffer(size)
        except OSError as error:
            raise OutputError(
                f"{self._path}: no memory for a frame of {size / 2**20:.0f} MiB ({error.strerror})"
            ) from None
