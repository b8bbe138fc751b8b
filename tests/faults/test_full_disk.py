"""A full disk: exit 74 and one line, the last checkpoint whole, and once there is room the run goes on."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import busy
from faults.commands import Commands, Ended
from faults.whole import Pair, Whole

from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.reader import open_run
from seedsoil.sim import checkpoint

pytestmark = pytest.mark.faults
POSITIONS = 20
DISK_BYTES = 64 << 20


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own in memory."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    try:
        made = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command to make a small disk with")
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def needed_bytes(folder: Path) -> tuple[int, int]:
    """What a run's folder grows to, and what it holds after the first frame or so."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    checkpoints = [size for name, size in sizes.items() if name.startswith("checkpoint")]
    # while the third checkpoint is written there are three
    return sum(sizes.values()) + max(checkpoints), sizes["run.vtkhdf"] // 3


def assert_failed_and_goes_on(
    commands: Commands, whole: Whole, folder: Path, plan: dict, make_room: Path | None, seen: list[Ended]
) -> None:
    ended = commands("run", whole.scenario, "-o", folder, "--quiet", "--threads", 1, plan=plan)
    assert ended.code == 74, ended
    assert ended.err.count("\n") == 1 and ended.err.endswith("\n"), ended
    kept = checkpoint.found(folder)
    for path in kept:
        checkpoint.load(path)
    if (folder / "run.vtkhdf").exists():  # with the disk still full: readable, or refused in a line
        try:
            open_run(folder).verify()
        except RunFileError as error:
            assert "\n" not in str(error)
    if make_room:
        make_room.unlink()
    if (folder / "run.vtkhdf").exists():
        busy.assert_holds(folder, whole.content, ended.acknowledged)
    again = commands("resume", folder, "--quiet", "--threads", 2)
    assert (again.code, again.err) == (0, ""), (ended, again)
    busy.assert_is(folder, whole.content, whole.digest)
    seen.append(ended)


def test_the_disk_is_full_at_twenty_positions(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    most, least = needed_bytes(whole.folder)
    rooms = [round((number + 0.5) / POSITIONS * 0.95 * (most - least)) for number in range(POSITIONS)]
    seen: list[Ended] = []

    def fill(commands: Commands, room: int) -> None:
        with small_disk(tmp_path / str(room)) as disk:
            plan = {"ballast": str(disk / "ballast"), "room": room}
            assert_failed_and_goes_on(commands, whole, disk / "run", plan, disk / "ballast", seen)

    pair.each(fill, rooms)
    print(f"\ndisk full: ticks {sorted(one.tick for one in seen)}; {sorted({reason(one) for one in seen})}")
    assert len(seen) == POSITIONS
    # frames and checkpoints, which take the room, come every two and three ticks
    assert len({one.tick for one in seen}) > POSITIONS // 3, "the disk was full at too few positions"


def reason(ended: Ended) -> str:
    """The message without the path and numbers."""
    return " ".join(word for word in ended.err.split() if "/" not in word and not any(c.isdigit() for c in word))


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    largest = (whole.folder / "run.vtkhdf").stat().st_size
    seen: list[Ended] = []

    def limit(commands: Commands, share: float) -> None:
        folder = tmp_path / str(share)
        assert_failed_and_goes_on(commands, whole, folder, {"file_bytes": round(share * largest)}, None, seen)

    pair.each(limit, [0.3, 0.5, 0.7, 0.9])
    assert len(seen) == 4


def test_a_report_without_room_leaves_the_run_whole(tmp_path: Path, pair: Pair, whole: Whole) -> None:
    most, _ = needed_bytes(whole.folder)

    def fill(commands: Commands, _: int) -> None:
        with small_disk(tmp_path / "disk") as disk:
            run = ("run", whole.scenario, "-o", disk / "run", "--quiet", "--threads", 1)
            whole_run = commands(*run, plan={"report": True})
            assert whole_run.code == 0, whole_run
            report = (disk / "run" / "report.html").stat().st_size
            used = sum(path.stat().st_size for path in (disk / "run").iterdir()) - report
            plan = {"ballast": str(disk / "ballast"), "report": True}
            for room in range(used - most // 3 + report // 2, used + report, report // 2):
                ended = commands(*run, "--force", plan={**plan, "room": room})
                (disk / "ballast").unlink()
                if "report" in ended.err:
                    break
            assert ended.code == 74 and ended.err.count("\n") == 1, ended
            busy.assert_is(disk / "run", whole.content, whole.digest)

    pair.each(fill, [0])
