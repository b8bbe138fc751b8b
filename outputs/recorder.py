"""Record a run: frames are handed over in shared memory and written by a process of their own.

    with Recorder("run.vtkhdf", layout, attributes) as recorder:
        recorder.frame(0.0, {"cell": cell, "matrix": matrix})
        recorder.close({"digest": digest})

If the writer dies it is started once more, the file recovered, and every frame not yet acknowledged
sent again; the second time the run ends with an OutputError. Not thread-safe: one thread records.
"""

import os
from collections import deque
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import numpy as np

from . import wire
from .channel import Channel, WriterDied, give, take
from .errors import OutputError
from .layout import Layout
from .prepare import prepare

RESTARTS = 1
_BIG = 1 << 30  # above this one frame waits in memory, not two


@dataclass
class _Pending:
    serial: int
    buffer: wire.Buffer


class Recorder:
    """The simulation's end of a run file.

    Attributes:
        path: the file.
        acknowledged: frames in the file that survive a kill of everything, those kept from
            before (`mode="append"`) among them.
        sent: frames handed over so far, likewise.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        layout: Layout,
        attributes: dict[str, Any],
        *,
        mode: Literal["create", "append"] = "create",
        replace: bool = False,
        keep_until_h: float = float("inf"),
    ) -> None:
        """Make the file, or open it to go on.

        Args:
            path: where; the folder must exist.
            layout: what is recorded.
            attributes: str, int, float or list of str: scenario, resolved, rng_key, versions, ...
            mode: "append" goes on with an existing file of the same layout (after a kill, too).
            replace: "create" may overwrite an existing file.
            keep_until_h: "append" cuts off frames and series rows later than this (h).

        Raises:
            OutputError: the file exists, cannot be made, or does not fit.
        """
        self.path = os.path.abspath(os.fspath(path))
        self.layout = layout
        self.acknowledged = 0
        self.sent = 0
        self._serial = 0
        self._last_h = float("-inf")
        self._restarts = 0
        self._pending: deque[_Pending] = deque()
        self._spare: list[wire.Buffer] = []
        self._keep: list[Any] | None = None  # counts the file held at the last acknowledgement
        self._opened: dict[str, Any] = {
            "path": self.path,
            "layout": layout.to_json(),
            "attributes": {k: _attribute(k, v) for k, v in attributes.items()},
            "mode": mode,
            "replace": replace,
            "keep": None,
            "keep_until_h": keep_until_h,
        }
        self._channel: Channel | None = take()
        try:
            self._insist(self._open)
        except BaseException:
            self._drop()
            raise
        self.sent = self.acknowledged

    def frame(
        self,
        time_h: float,
        fields: dict[str, np.ndarray],
        organs: dict[str, dict[str, np.ndarray]] | None = None,
        tables: dict[str, dict[str, np.ndarray]] | None = None,
        series: dict[str, np.ndarray] | None = None,
    ) -> None:
        """Hand a frame over; returns as soon as it is copied, unless the writer lags behind.

        Args:
            time_h: simulated time, h.
            fields: every field of the layout, (nz, ny, nx).
            organs: the same for the organs that have a lattice by now.
            tables: seeds, colonies, clones: columns of equal length, all rows. A table left out
                stays as it was; a column left out is filled with its missing value.
            series: rows since the last frame, 1-D of equal length, with "tick_time" (h).

        Raises:
            ValueError: an array does not fit the layout.
            OutputError: the disk is full, or the writer died twice.
        """
        if self._channel is None:
            raise ValueError("the recorder is closed")
        if not time_h > self._last_h:
            raise ValueError(f"a frame at {time_h} h after one at {self._last_h} h")
        header = {"time_h": float(time_h)}
        arrays = prepare(self.layout, fields, organs or {}, tables or {}, series or {})
        size = wire.size_of(header, arrays)
        self._insist(lambda: self._drain(1 if size < _BIG else 0))
        buffer = self._buffer(size)
        buffer.fill(header, arrays)
        self._serial += 1
        self._pending.append(_Pending(self._serial, buffer))
        self.sent += 1
        self._last_h = float(time_h)
        self._insist(lambda: self._send(self._pending[-1]), resent=True)

    def wait(self) -> int:
        """Wait until every frame handed over is acknowledged; returns how many the file holds."""
        self._insist(lambda: self._drain(0))
        return self.acknowledged

    def close(self, attributes_at_end: dict[str, Any] | None = None) -> None:
        """Wait for the last frame, note how the run ended, close the file on disk.

        Args:
            attributes_at_end: digest and the like; None says that the run was interrupted.

        Raises:
            OutputError: as `frame`.
        """
        if self._channel is None:
            return
        try:
            self._insist(lambda: self._drain(0))
            self._insist(lambda: self._finish(attributes_at_end))
            give(self._channel)
            self._channel = None
        finally:
            self._drop()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OutputError) if kind else nullcontext():  # the first error is the one to see
            self.close(None)

    # -- talking to the writer; each of these may raise WriterDied and is then tried once more

    def _open(self) -> None:
        self._request("open", self._opened)

    def _finish(self, at_end: dict[str, Any] | None) -> None:
        self._request("close", {"at_end": None if at_end is None else _jsonable(at_end)})

    def _request(self, op: str, header: dict[str, Any]) -> None:
        """Send one request with a header of any length and wait for its answer."""
        buffer = self._buffer(wire.size_of(header, {}))
        try:
            buffer.fill(header, {})
            self._serial += 1
            self._live.send({"op": op, "serial": self._serial}, buffer.fd)
            self._answer(wait=True)
        finally:
            buffer.close()

    def _send(self, frame: _Pending) -> None:
        self._live.send({"op": "frame", "serial": frame.serial}, frame.buffer.fd)

    def _drain(self, allowed: int) -> None:
        """Take in answers until at most `allowed` frames are unacknowledged."""
        while self._pending and self._answer(wait=len(self._pending) > allowed):
            pass

    def _answer(self, wait: bool) -> bool:
        answer = self._live.receive(wait)
        if answer is None:
            return False
        if "error" in answer:
            self._refuse(answer["kind"], answer["error"])
        self._keep = answer.get("keep", self._keep)
        if answer.get("last_h") is not None and not self._pending:
            self._last_h = answer["last_h"]
        self.acknowledged = self._keep[0] if self._keep else 0
        if self._pending and self._pending[0].serial == answer["ok"]:
            self._spare.append(self._pending.popleft().buffer)
        return True

    def _refuse(self, kind: str, reason: str) -> None:
        reason = reason.removeprefix(f"{self.path}: ")
        if kind != "failed":
            self._drop()
        if kind == "full":
            raise OutputError(
                f"{self.path}: could not be written ({reason}). Free space and resume: "
                f"{self.acknowledged} frames are safe."
            )
        if kind == "refused":
            raise OutputError(f"{self.path}: {reason}")
        raise WriterDied(reason)

    def _insist(self, act: Any, resent: bool = False) -> None:
        """Do it; if the writer dies, start it again and, unless that resends, do it again."""
        try:
            act()
        except WriterDied as death:
            while True:
                try:
                    self._restart(death)
                    if not resent:
                        act()
                    return
                except WriterDied as again:
                    death = again

    def _restart(self, death: WriterDied) -> None:
        if self._restarts >= RESTARTS:
            self._drop()
            raise OutputError(
                f"{self.path}: the process that writes it died twice ({death}); "
                f"{self.acknowledged} frames are safe."
            ) from death
        self._restarts += 1
        if self._channel is not None:
            self._channel.end()
        self._channel = Channel()
        if self._keep is not None:
            self._opened |= {"mode": "append", "keep": self._keep}
        self._open()
        for frame in self._pending:
            self._send(frame)

    @property
    def _live(self) -> Channel:
        if self._channel is None:
            raise OutputError(f"{self.path}: no writer")
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
                f"{self.path}: no memory for a frame of {size / 2**20:.0f} MiB ({error.strerror})"
            ) from None

    def _drop(self) -> None:
        """Let go of the writer and of all buffers."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.end()
        for buffer in [*self._spare, *(p.buffer for p in self._pending)]:
            buffer.close()
        self._spare.clear()
        self._pending.clear()


def _attribute(name: str, value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return list(value)
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"attribute {name!r}: str, int, float or list of str, not {value!r}")
    return value


def _jsonable(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v.tolist() if isinstance(v, (np.generic, np.ndarray)) else v for k, v in values.items()}
