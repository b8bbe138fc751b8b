"""The folder of a run: what stands in it besides the run file, and that it is never overwritten unasked.

scenario.toml   the input, to the letter          resolved.toml   every value used, with its source; the run's id
run.vtkhdf      fields, series, tables            report.html     for people
status.json     where the run stands              log.txt         what happened, with times
branch.json     of a branch: the run it left, and when
"""

import json
import os
import re
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..outputs.reader import RUN_FILE, STATUS_FILE
from ..outputs.recovery import is_being_written
from .errors import InputError, OutputFailed
from .plain_text import printable
from .resolved import resolved_toml
from .scenario import Scenario

BRANCH_FILE = "branch.json"
_STATUS_EVERY_S = 1.0
_ID = re.compile(r"# run ([0-9a-f]{32})\n")  # first line of resolved.toml
# files that a run may have left; --force removes these and nothing else
_OWN = ("scenario.toml", "resolved.toml", RUN_FILE, STATUS_FILE, BRANCH_FILE, "log.txt", "report.html")
_OWN_PATTERNS = ("checkpoint-*.h5", "checkpoint-*.h5.tmp", *(f"{name}.tmp" for name in _OWN), f"{RUN_FILE}.partial")


class RunFolder:
    """Makes the folder, and keeps its small files true while the run goes on.

    `run_id` tells this run from all others, those of the same scenario and key among them: it stands in
    resolved.toml, in the run file and in every checkpoint, so that files of two runs are never mixed.
    """

    def __init__(
        self, path: Path, scenario: Scenario, *, force: bool = False, branch: dict[str, Any] | None = None
    ) -> None:
        """`branch`: where a branch comes from.

        Raises InputError if the folder holds a run and `force` is not given, or one that is being written;
        OutputFailed if it cannot be made.
        """
        self._at(path)
        held = self.refuse_held(path, force=force)
        try:
            for found in held:
                found.unlink()
            self.run_id = uuid.uuid4().hex
            made = not path.exists()
            path.mkdir(parents=True, exist_ok=True)
            try:
                if branch is not None:
                    write_whole(path / BRANCH_FILE, json.dumps(branch, indent=1) + "\n")
                write_whole(path / "scenario.toml", scenario.source.text or resolved_toml(scenario))
                self._write_resolved(scenario)  # last: with it, the folder is that of a run
            except BaseException:  # the folder of no run: the next may have it unasked
                self._take_away(made)
                raise
        except OSError as error:
            raise OutputFailed(f"{path}: cannot be written: {error.strerror or error}") from None

    def _take_away(self, folder_too: bool) -> None:
        """Remove what the start of a run wrote; none of it was there before, or it was to be replaced."""
        with suppress(OSError):
            for name in (BRANCH_FILE, "scenario.toml", "resolved.toml"):
                (self.path / name).unlink(missing_ok=True)
            if folder_too:
                self.path.rmdir()

    @staticmethod
    def refuse_held(path: Path, *, force: bool) -> list[Path]:
        """The files of a run that the folder holds, to be removed. Raises InputError if they are to stay."""
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file; give another folder with -o")
        held = [found for name in (*_OWN, *_OWN_PATTERNS) for found in path.glob(name)] if path.is_dir() else []
        for found in held:
            if found.is_dir():
                raise InputError(f"{found}: is a folder where a run's file would go; choose another folder with -o")
        if held and not force:
            raise InputError(f"{path}: holds a run already; choose another folder with -o, or replace it with --force")
        if held and is_being_written(str(path / RUN_FILE)):
            raise InputError(
                f"{path}: another process is writing this run; stop it first, or choose another folder with -o"
            )
        return held

    @classmethod
    def existing(cls, path: Path, scenario: Scenario) -> "RunFolder":
        """The folder of a run that goes on; resolved.toml is brought up to date, scenario.toml stays."""
        folder = cls.__new__(cls)
        folder._at(path)
        try:
            folder.run_id = id_of(path)
            folder._write_resolved(scenario)
        except OSError as error:
            raise OutputFailed(f"{path}: cannot be written: {error.strerror or error}") from None
        return folder

    def _at(self, path: Path) -> None:
        self.path = path
        self.run_file = path / RUN_FILE
        self._last_status_s = 0.0

    def _write_resolved(self, scenario: Scenario) -> None:
        head = f"# run {self.run_id}\n" if self.run_id else ""
        write_whole(self.path / "resolved.toml", head + resolved_toml(scenario))

    def log(self, line: str) -> None:
        """Add a line, with the time, to log.txt."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with open(self.path / "log.txt", "a", encoding="utf-8") as file:
                file.write(f"{stamp}  {line}\n")
        except OSError as error:
            raise OutputFailed(f"{self.path / 'log.txt'}: cannot be written: {error.strerror or error}") from None

    def status(self, values: dict[str, Any], *, now: bool = False) -> None:
        """Write status.json, at most once a second unless `now`."""
        clock = time.monotonic()
        if not now and clock - self._last_status_s < _STATUS_EVERY_S:
            return
        self._last_status_s = clock
        try:
            write_whole(self.path / STATUS_FILE, json.dumps(values, indent=1) + "\n")
        except OSError as error:
            raise OutputFailed(f"{self.path / STATUS_FILE}: cannot be written: {error.strerror or error}") from None


def id_of(folder: Path) -> str:
    """The id of the run in a folder; empty for one that was written before runs had any. Raises OSError."""
    with open(folder / "resolved.toml", encoding="utf-8", errors="replace") as file:
        found = _ID.match(file.readline())
    return found[1] if found else ""


def place_of(folder: str | os.PathLike[str]) -> Path:
    """A folder as somebody named it.

    Raises InputError for the empty name, which would be the current folder, and for one that no folder can have.
    """
    if not os.fspath(folder):
        raise InputError("the name of the run's folder is empty; say . for the current folder")
    if "\0" in os.fspath(folder):
        raise InputError(f"{printable(os.fspath(folder))}: no folder has a NUL in its name; give another name")
    return Path(folder)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of either."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
