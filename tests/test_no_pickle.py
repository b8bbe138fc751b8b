"""Nothing is pickled: no file that a run reads can carry code."""

import re

import pytest
from layering import sources

# modules that pickle, and calls of numpy, xarray and h5py that do or may
PICKLING = re.compile(
    r"\b(c?[pP]ickle|dill|joblib|shelve|marshal|multiprocessing|__reduce(_ex)?__|__getstate__|__setstate__)\b"
    r"|\bnp\.(save|savez\w*|memmap|load(?!\(.*allow_pickle=False))\(|allow_pickle\s*=\s*True|\.to_pickle|read_pickle|ProcessPoolExecutor"
)


def pickling(source: str) -> list[str]:
    """The lines that pickle."""
    return [line for line in source.splitlines() if PICKLING.search(line)]


def test_there_is_no_pickle_in_the_package() -> None:
    files = sources()
    assert {"sim/checkpoint.py", "outputs/wire.py", "sim/resume.py"} <= files.keys()
    assert {path: lines for path, source in files.items() if (lines := pickling(source))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from cPickle import loads",
        "data = np.load(path, allow_pickle = True)",
        "data = np.load(path)",
        "np.savez_compressed(file, **arrays)",
        "from multiprocessing import Queue",
        "frame.to_pickle(path)",
        "def __setstate__(self, state):",
        "import marshal, sys",
    ],
)
def test_a_planted_one_is_found(line: str) -> None:
    assert pickling(f"x = 1\n{line}\n") == [line]
