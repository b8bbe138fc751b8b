"""Two commands at a time, and the uninterrupted run that all others are held against."""

from collections.abc import Iterator

import pytest
from faults.whole import Pair, Whole


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("commands"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> Whole:
    return Whole.made(tmp_path_factory.mktemp("whole"), pair)
