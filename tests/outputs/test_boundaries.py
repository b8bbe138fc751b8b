"""What outputs may touch: a laptop without a simulator reads runs, and nothing is ever unpickled."""

import re
import subprocess
import sys
from pathlib import Path

import seedsoil.outputs.reader

FOLDER = Path(seedsoil.outputs.reader.__file__).parent


def test_reading_loads_neither_taichi_nor_the_simulator() -> None:
    code = (
        "import sys, seedsoil.outputs.reader\n"
        "loaded = [m for m in sys.modules if m.split('.')[0] in ('taichi', 'cupy', 'vtkmodules', 'pyvista')\n"
        "          or m.startswith(('seedsoil.sim', 'seedsoil.kernels'))]\n"
        "sys.exit(' '.join(loaded) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_no_pickle() -> None:
    sources = sorted(FOLDER.glob("*.py"))
    assert len(sources) > 10
    for source in sources:
        assert not re.search(r"pickle|marshal|shelve|joblib|allow_pickle", source.read_text()), source
