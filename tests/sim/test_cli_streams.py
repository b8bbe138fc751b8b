"""Whoever reads what a command prints may go away: a run goes on; a command that only prints says that it failed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_cli import ForkedCommandLine


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommandLine]:
    line = ForkedCommandLine(tmp_path_factory.mktemp("cli"))
    yield line
    line.close()


def test_what_cannot_be_printed_is_a_failure(cli: ForkedCommandLine, tmp_path: Path) -> None:
    for arguments in (["scenarios"], ["scenarios", "quickstart"], ["schema"], ["--version"], ["check", "quickstart"]):
        ended = cli(*arguments, folder=tmp_path, out="/dev/full")
        assert (ended.code, ended.err) == (74, "stdout: cannot be written: No space left on device\n"), arguments


def test_an_error_without_a_stream_keeps_its_exit_code(cli: ForkedCommandLine, tmp_path: Path) -> None:
    for err in ("/dev/full", ""):
        assert cli("check", "nowhere", folder=tmp_path, err=err).code == 2
        assert cli("nonsense", folder=tmp_path, err=err, out=err).code == 2


RUN = """
import sys
from seedsoil.sim.cli import app, running, summary
from seedsoil.sim.progress import Status

def compute(*_, progress, **__):
    for tick in range(2000):
        progress(Status(tick, 2000, 0.0, 1.0, 1, 0, 0, 1.0, "stopped"))  # so that each is printed

summary.summary = lambda *_: "Done\\n" * 5000 + "Done"
app.app = lambda **_: running._watched(False, lambda: False, compute)
sys.exit(app.main([]))
"""


# redirections, and whether what is printed to stdout can be read
STREAMS = {
    ">/dev/full": False,
    "2>/dev/full": True,
    ">/dev/full 2>&1": False,
    ">&-": False,
    "2>&-": True,
    ">&- 2>&- <&-": False,
}


@pytest.mark.parametrize("streams", STREAMS)
def test_a_run_goes_on_when_nobody_can_read_of_it(streams: str) -> None:
    shell = f'exec "$0" -c "$1" {streams}'
    ended = subprocess.run(["sh", "-c", shell, sys.executable, RUN], check=False, capture_output=True, text=True)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert ended.stdout == ("Done\n" * 5001 if STREAMS[streams] else "")


def test_closed_descriptors_are_not_given_to_files() -> None:
    """A file opened as descriptor 2 would get what libraries print."""
    code = "import os; from seedsoil.sim.cli.streams import forgiving_streams as f\nwith f(): os._exit(os.open('/', 0))"
    ended = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&- 2>&- <&-', sys.executable, code], check=False)
    assert ended.returncode > 2


def test_a_reader_that_wants_no_more_is_no_failure(tmp_path: Path) -> None:
    shell = '{ "$0" -m seedsoil scenarios quickstart; echo $? >code; } | head -c 10'
    subprocess.run(["sh", "-c", shell, sys.executable], check=True, cwd=tmp_path, capture_output=True)
    assert (tmp_path / "code").read_text() == "0\n"
