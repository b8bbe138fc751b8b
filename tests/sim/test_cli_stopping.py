"""The second signal ends the process, even while a library computes; the first ends a first tick."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seedsoil.sim.cli import stopping

# C code that lets no Python run, like a kernel being compiled, for longer than any test may take
BUSY = """
import collections, itertools
from seedsoil.sim.cli.stopping import stop_asked
with stop_asked() as stop:
    print("busy", flush=True)
    collections.deque(itertools.repeat(0), maxlen=0)
"""


@pytest.mark.parametrize("number", stopping.STOP_SIGNALS)
def test_the_second_of_a_kind_does_not_wait_for_python(number: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout and child.stdout.readline() == "busy\n"
        child.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.2)
        child.send_signal(number)
        assert child.wait(30) == -number
    finally:
        child.kill()
        child.communicate()


ASKED = """
import os, signal
from seedsoil.sim.cli.stopping import STOP_SIGNALS, stop_asked
before = [signal.getsignal(number) for number in STOP_SIGNALS]
for number in STOP_SIGNALS:
    with stop_asked() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert all(signal.getsignal(each) == signal.SIG_DFL for each in STOP_SIGNALS)
    assert [signal.getsignal(each) for each in STOP_SIGNALS] == before
    with stop_asked() as stop:
        try:
            with stop.at_once():
                os.kill(os.getpid(), number)
                raise SystemExit("still going")
        except KeyboardInterrupt:
            pass
        assert stop()
        try:
            with stop.at_once():
                raise SystemExit("begun all the same")
        except KeyboardInterrupt:
            pass
with stop_asked() as stop:
    os.kill(os.getpid(), STOP_SIGNALS[0])
    os.kill(os.getpid(), STOP_SIGNALS[1])
"""


def test_the_first_asks_the_second_ends(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", ASKED], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (-signal.SIGTERM, "")
