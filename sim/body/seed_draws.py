"""Draws of seeds in a body that is a graph: pure functions of (key, entity, interval, purpose, part).

An entity is a 64-bit number that follows from where and when a seed left (`mean_field.entity_of`), so what happens to one
seed depends on no other; its colony, if it founds one, has the same.
"""

import numpy as np

from ...kernels.draws import Purpose, host_philox
from .seeds import Seeds
from .transit import names_of


def entities(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) u8 of two words."""
    return low.astype(np.uint64) | (high.astype(np.uint64) << np.uint64(32))


def words_of(entity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper word, u4."""
    return (entity & np.uint64(0xFFFFFFFF)).astype(np.uint32), (entity >> np.uint64(32)).astype(np.uint32)


def words(
    entity: np.ndarray, purpose: Purpose, key: tuple[int, int], part: np.ndarray | int = 0, interval: int = 0
) -> np.ndarray:
    """One u4 for each of `entity`."""
    counter = np.empty((len(entity), 4), dtype=np.uint32)
    counter[:, 0], counter[:, 3] = words_of(entity)
    counter[:, 1] = interval
    counter[:, 2] = (int(purpose) << 16) | np.asarray(part, dtype=np.uint32)
    return host_philox(counter, key)[:, 0]


def happens(
    entity: np.ndarray,
    purpose: Purpose,
    probability: np.ndarray | float,
    key: tuple[int, int],
    part: np.ndarray | int = 0,
) -> np.ndarray:
    """(n,) bool, true with these probabilities; of 0 never, of 1 always."""
    return (words(entity, purpose, key, part).astype(np.float64) + 0.5) * 2.0**-32 < probability


def travel_names(entity: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """(n, 4) u4: under what names seeds go through the body (`transit.travel`)."""
    low, high = words_of(entity)
    return names_of(low, high, np.zeros(len(entity), dtype=np.uint32), np.full(len(entity), 0xFFFFFFFF), key)


def mean_trait(seeds: Seeds, rows: np.ndarray, of_clone: np.ndarray | None) -> np.ndarray:
    """(rows,) f8: the mean of a trait, given by clone, over the cells of each seed; 1 where clones do not differ."""
    if of_clone is None or not len(rows):
        return np.ones(len(rows))
    first, cells = seeds.table["first"][rows], seeds.table["cells"][rows].astype(np.int64)
    offset = np.cumsum(cells) - cells
    member = np.repeat(first - offset, cells) + np.arange(int(cells.sum()))
    return np.add.reduceat(of_clone[seeds.members["clone"][member]].astype(np.float64), offset) / cells
