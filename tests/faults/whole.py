"""The uninterrupted run, and running commands two at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from faults import busy
from faults.commands import Commands

from seedsoil.outputs.reader import open_run

Job = TypeVar("Job")
Result = TypeVar("Result")


class Pair:
    """Two servers of commands, for a machine of two cores."""

    def __init__(self, scratch: Path) -> None:
        self._servers: SimpleQueue[Commands] = SimpleQueue()
        self._all = []
        for number in range(2):
            place = scratch / str(number)
            place.mkdir(parents=True)
            self._all.append(Commands(place))
            self._servers.put(self._all[-1])

    def each(self, work: Callable[[Commands, Job], Result], jobs: Iterable[Job]) -> list[Result]:
        """`work(commands, job)` for every job, two at a time; the first error is raised."""

        def one(job: Job) -> Result:
            commands = self._servers.get()
            try:
                return work(commands, job)
            finally:
                self._servers.put(commands)

        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(one, job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise

    def close(self) -> None:
        for commands in self._all:
            commands.close()


@dataclass(frozen=True)
class Whole:
    """What an uninterrupted run of the busy scenario recorded, and how long it took here."""

    scenario: Path
    folder: Path
    content: busy.Recorded
    digest: str
    began_s: float
    lived_s: float

    @classmethod
    def made(cls, folder: Path, pair: Pair) -> "Whole":
        scenario = folder / "busy.toml"
        scenario.write_text(busy.SCENARIO)
        place = folder / "run"

        def run(commands: Commands, threads: int) -> tuple[float, float]:
            out = place if threads == 1 else folder / "other"
            # twice: the first compiles the kernels, or reads them from a cold disk
            for _ in range(2):
                ended = commands("run", scenario, "-o", out, "--force", "--quiet", "--threads", threads)
                assert (ended.code, ended.err) == (0, ""), ended
                assert ended.acknowledged == busy.FRAMES
            return ended.began_s, ended.lived_s

        began_s, lived_s = (max(times) for times in zip(*pair.each(run, [1, 2]), strict=True))
        assert busy.digest(folder / "other") == busy.digest(place)
        return cls(scenario, place, busy.recorded(open_run(place)), busy.digest(place), began_s, lived_s)
