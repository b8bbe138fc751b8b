"""Exact thinning: of seeds by the hundred million only those that live on get a row, the others are counted.

Seeds leave as a Poisson process and fare independently of each other. Then those of each size with each fate are
independent Poisson numbers themselves (Kingman 1993, Poisson Processes, the colouring theorem), of mean

    expected seeds x share of the size x probability of the fate.

So nothing is lost by drawing the dead as one number for each fate and place, and only the living one by one. What the
living do afterwards is not decided here. Draws depend on (key, source, interval, size, fate) alone.
"""

from dataclasses import dataclass

import numpy as np

from ...kernels.draws import Purpose
from .poisson import poisson, uniforms
from .seeds import Growing, refuse_too_many

FATES_MAX = 2**12


@dataclass(frozen=True)
class Fates:
    """What can become of a seed, and how likely it is for seeds of 1, 2, ... cells."""

    names: tuple[str, ...]
    probability: np.ndarray  # (sizes, fates) f8; each row sums to 1
    lives: np.ndarray  # (fates,) bool: the seed gets a row

    def __post_init__(self) -> None:
        count = len(self.names)
        if self.probability.ndim != 2 or self.probability.shape[1] != count or self.lives.shape != (count,):
            raise ValueError(f"{count} fates need a column of probabilities and a flag each")
        if count > FATES_MAX:
            raise ValueError(f"at most {FATES_MAX} fates can be told apart, got {count}")
        if (self.probability < 0).any() or not np.allclose(self.probability.sum(axis=1), 1.0, rtol=0, atol=1e-9):
            raise ValueError("the probabilities of a seed's fates are not negative and add up to 1")


@dataclass(frozen=True)
class Shed:
    """The seeds of one source in one interval."""

    counts: np.ndarray  # (sizes, fates) i8: of all seeds
    cells: np.ndarray  # (living,) i8: cells of each that lives on
    fate: np.ndarray  # (living,) i8: index into the fates

    @property
    def seeds(self) -> int:
        return int(self.counts.sum())


def shed(
    expected: float,
    share_of_size: np.ndarray,
    fates: Fates,
    key: tuple[int, int],
    interval: int,
    source: int = 0,
    *,
    table: Growing | None = None,
) -> Shed:
    """Draw the seeds of one interval. `share_of_size` (sizes,) as in `emission.Law`, with as many sizes as `fates`;
    `table` is where the living will be entered: more than it can hold are refused.

    The living come in the order of their size and fate.
    """
    means = expected * share_of_size[:, None] * fates.probability
    entity = np.arange(means.shape[0])[:, None] * FATES_MAX + np.arange(means.shape[1])[None, :]
    counts = poisson(uniforms(key, entity, interval, Purpose.SHED, source), means)
    living = np.where(fates.lives[None, :], counts, 0)
    if table is not None:
        refuse_too_many(int(living.sum()), table)
    size, fate = (np.repeat(index.reshape(-1), living.reshape(-1)) for index in np.indices(means.shape))
    return Shed(counts, size + 1, fate)
