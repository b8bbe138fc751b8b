"""What a run tells of itself: lines in a log, one bar on a terminal, or nothing."""

import io

import pytest

from seedsoil.sim.progress import BarProgress, LineProgress, NoProgress, Status, duration, progress_on


def status(tick: int, state: str = "running") -> Status:
    return Status(
        tick=tick,
        ticks=100,
        time_h=tick / 10,
        until_h=10.0,
        tumour_cells=1234,
        seeds=1,
        colonies=2,
        ticks_per_s=5.0,
        state=state,
    )


def test_lines_come_at_the_start_now_and_then_and_at_the_end() -> None:
    stream, now = io.StringIO(), [0.0]
    with LineProgress(stream, every_s=10, clock=lambda: now[0]) as progress:
        for tick in range(25):
            now[0] = tick
            progress(status(tick))
    lines = stream.getvalue().splitlines()
    assert [line.split(" of ")[0] for line in lines] == ["0.0", "1.0", "2.0", "2.4"]
    assert lines[1] == "1.0 of 10 h (10 %), 5 ticks/s, 18 s left, 1,234 cells, 1 seed, 2 colonies"


def test_the_end_is_told_once() -> None:
    stream = io.StringIO()
    with LineProgress(stream, clock=lambda: 0.0) as progress:
        progress(status(0))
        progress(status(100, "done"))
    assert len(stream.getvalue().splitlines()) == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_shows_hours_speed_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream, now = Terminal(), [0.0]
    with BarProgress(stream, clock=lambda: now[0]) as progress:
        for tick in range(101):
            now[0] = tick / 1000  # a tenth of a second in all: drawn at the start, and at the end
            progress(status(tick, "done" if tick == 100 else "running"))
    shown = stream.getvalue()
    assert "10.0/10 h" in shown and "5 ticks/s" in shown and "1,234 cells, 1 seed, 2 colonies" in shown
    assert "5.0/10 h" not in shown


def test_progress_suits_the_stream() -> None:
    assert type(progress_on(io.StringIO())) is LineProgress
    assert type(progress_on(Terminal())) is BarProgress
    assert type(progress_on(Terminal(), quiet=True)) is NoProgress


def test_time_left() -> None:
    assert status(50).eta_s == 10.0
    assert [duration(s) for s in (0.4, 59, 61, 3600, 9000.5, float("inf"))] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 00 min",
        "2 h 30 min",
        "?",
    ]
