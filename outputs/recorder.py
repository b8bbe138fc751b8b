"""Record a run: frames are handed over in shared memory and written by a process of their own.

    with Recorder("run.vtkhdf", layout, attributes) as recorder:
        recorder.frame(0.0, {"cell": cell, "matrix": matrix})
        recorder.close({"digest": digest})

If the writer dies it is started once more, the file recovered, and every frame not yet acknowledged
sent again; the second time the run ends with an OutputError. Not thread-safe: one thread records.
"""

import os
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Any, Literal

import numpy as np

from .delivery import Delivery
from .errors import OutputError
from .layout import Layout
from .prepare import prepare


class Recorder:
    """The simulation's end of a run file.

    Attributes:
        path: the file, absolute.
        layout: what it records.
        sent: frames handed over, those kept from before (`mode="append"`) among them.
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
                When appending, those that differ from the file's replace them.
            mode: "append" goes on with an existing file of the same layout (after a kill, too).
            replace: "create" may overwrite an existing file, unless a living run writes it.
            keep_until_h: "append" cuts off frames and series rows later than this (h).

        Raises:
            OutputError: the file exists, cannot be made, is in use, or has another layout.
        """
        self.path = os.path.abspath(os.fspath(path))
        self.layout = layout
        self._closed = False
        opening = {
            "path": self.path,
            "layout": layout.to_json(),
            "attributes": {k: _attribute(k, v) for k, v in attributes.items()},
            "mode": mode,
            "replace": replace,
            "keep": None,
            "keep_until_h": keep_until_h,
        }
        self._delivery = Delivery(self.path, opening)
        self.sent = self._delivery.acknowledged
        self._begun: set[str | None] = {*self._delivery.organs_begun, *([None] if self.sent else [])}
        last = self._delivery.last_h
        self._last_h = float("-inf") if last is None else last

    @property
    def acknowledged(self) -> int:
        """Frames in the file that survive a kill of everything."""
        return self._delivery.acknowledged

    @property
    def begun(self) -> frozenset[str | None]:
        """Lattices with a frame, those handed over among them: None for the primary, and names of organs."""
        return frozenset(self._begun)

    @property
    def writer_pid(self) -> int | None:
        """Process id of the writer, None once the recorder is closed."""
        return self._delivery.writer_pid

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
            time_h: simulated time, h; later than the last frame's.
            fields: every field of the layout, (nz, ny, nx); those of its `own_times` where they are due,
                and in the first frame.
            organs: the same for the organs that have a lattice by now.
            tables: seeds, colonies, clones: columns of equal length, all rows. A table left out
                stays as it was; a column left out is filled with its missing value.
            series: rows since the last frame, 1-D of equal length, with "tick_time" (h). One left
                out is filled with its missing value.

        Raises:
            ValueError: an array does not fit the layout; nothing was recorded.
            OutputError: the disk is full, or the writer died twice.
        """
        if self._closed:
            raise ValueError("the recorder is closed")
        if not time_h > self._last_h:
            raise ValueError(f"a frame at {time_h} h after one at {self._last_h} h")
        begun = self._begun | {None, *(organs or {})}
        first = begun - self._begun
        arrays = prepare(self.layout, fields, organs or {}, tables or {}, series or {}, first)
        self._delivery.frame({"time_h": float(time_h)}, arrays)
        self._begun = begun
        self._last_h = float(time_h)
        self.sent += 1

    def wait(self) -> int:
        """Wait until every frame handed over is acknowledged; returns how many the file holds."""
        self._delivery.wait()
        return self.acknowledged

    def close(self, attributes_at_end: dict[str, Any] | None = None) -> None:
        """Wait for the last frame, note how the run ended, close the file on disk. Once.

        Args:
            attributes_at_end: digest and the like; None says that the run was interrupted.

        Raises:
            OutputError: as `frame`.
        """
        if self._closed:
            return
        self._closed = True
        at_end = attributes_at_end
        self._delivery.close(None if at_end is None else {k: _plain(v) for k, v in at_end.items()})

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


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _attribute(name: str, value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return list(value)
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"attribute {name!r}: str, int, float or list of str, not {value!r}")
    return value
