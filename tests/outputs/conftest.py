"""Run folders that several tests look at; none of them changes one."""

from pathlib import Path

import pytest
from made_up_run import write


@pytest.fixture(scope="session")
def solid_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished 3-D run with seeds, colonies and organs; its title wants to be HTML."""
    folder = tmp_path_factory.mktemp("solid")
    return write(folder / "run", (16, 26, 24), 3, title="<script>alert('$1')</script> & more")


@pytest.fixture(scope="session")
def flat_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unfinished 2-D run."""
    return write(tmp_path_factory.mktemp("flat") / "run", (1, 40, 60), 3, finished=False)
