"""The start and the end of a process where something is missing: a home, a folder for the cache, patience."""

import os
import subprocess
import sys
from pathlib import Path

# imports and starts Taichi, and tells what a child of this process would inherit
STARTED = """
import os
from seedsoil.sim.device import start
start("cpu", 1)
print({name: os.environ.get(name) for name in ("HOME", "XDG_CACHE_HOME")})
"""


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    return subprocess.run(
        [sys.executable, "-c", STARTED], check=False, capture_output=True, text=True, env=kept | environment
    )


def test_without_a_home_it_starts_and_makes_none_up_for_children(tmp_path: Path) -> None:
    ended = started(SEEDSOIL_CACHE=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "{'HOME': None, 'XDG_CACHE_HOME': None}\n"


def test_without_a_folder_for_the_cache_it_ends_well(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    ended = started(SEEDSOIL_CACHE=str(file), HOME=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert os.listdir(tmp_path) == ["file"]


# as if Ctrl-C came while the command line is being imported
INTERRUPTED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

# a shell that starts something in the background has it ignore this signal
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
from seedsoil.__main__ import main
sys.exit(main())
"""


def test_an_interrupt_before_there_is_a_command_line_is_no_traceback() -> None:
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
