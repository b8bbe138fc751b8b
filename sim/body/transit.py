"""Where seeds end, one by one: the same moves as the chain, drawn for each seed and passage.

Every passage of a place takes one Philox block: does it arrest, die or pass; how long it stays (exponential, the law of
a well-mixed place) and whether it dies meanwhile; where it goes next. The block is a pure function of the seed's name
and the number of the passage. The name is the 128-bit block that belongs to where and when the seed left and which
fragment it is, so the way of one seed depends on no other seed, nor on how many travel with it; passages are drawn
under a key of their own (drawn from the run's key), so they share no number with anything else.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...kernels.draws import Purpose, host_philox
from ..errors import BeyondLimits
from .chain import Chain

PASSAGES_MAX = 100_000  # 50 days of going round: far beyond any half-life that was measured
MEAN_MAX = PASSAGES_MAX / 30  # so many in the mean: one seed in 10^13 comes further than that

# most seeds stop within so many places; who goes on goes round hundreds of times
FIRST_PASSAGES = 4
WORDS_AT_ONCE = 8192


class Ends(NamedTuple):
    """What became of seeds on their way. One row for each."""

    place: np.ndarray  # i8, where it ended: row of `anatomy.places`
    died: np.ndarray  # bool: died there; else it arrested there
    hours: np.ndarray  # f8, on the way
    passages: np.ndarray  # i8, places it came into, the last one with them


def names_of(
    voxel: np.ndarray, tick: np.ndarray, fragment: np.ndarray, lattice_id: np.ndarray, key: tuple[int, int]
) -> np.ndarray:
    """(n, 4) u4: the names of seeds, from where and when they left and which fragments they are."""
    counter = np.empty((len(voxel), 4), dtype=np.uint32)
    counter[:, 0] = voxel
    counter[:, 1] = tick
    counter[:, 2] = (int(Purpose.TRAVEL) << 16) | np.asarray(fragment).astype(np.uint32)
    counter[:, 3] = lattice_id
    return host_philox(counter, key)


def travel(
    chains: Sequence[Chain], kind: np.ndarray, start: np.ndarray, names: np.ndarray, key: tuple[int, int]
) -> Ends:
    """Send seeds on their way until each has arrested or died.

    chains: one for each kind of seed, of one body; kind (n,) which of them is a seed's; start (n, places) f8 or
    (places,) the distribution of its first place (`anatomy.source_of`); names (n, 4) u4; key the run's.
    """
    body = chains[0].anatomy
    enters, stays = (np.array([getattr(chain, name) for chain in chains]) for name in ("enters", "stays"))
    hazard = np.array([chain.hazard_per_h for chain in chains])
    onward = _steps(body.leads)
    count = len(names)
    key = _key_of_passages(key)
    place = _first(start, _uniform(names[:, 0]))
    ends = Ends(np.zeros(count, np.int64), np.zeros(count, bool), np.zeros(count), np.zeros(count, np.int64))
    moving, passage = np.arange(count), 0
    ahead = np.empty((0, count, 4), dtype=np.uint32)  # the words of passages to come
    while len(moving):
        passage += 1
        if passage > PASSAGES_MAX:
            raise BeyondLimits(
                f"body.transit: a seed has come into {PASSAGES_MAX} places and is still on its way; lower the probabilities "
                "to pass of body.arrest, or raise a hazard of body.transit"
            )
        if not len(ahead):
            ahead = _words(names[moving], passage, key)
        words, ahead = ahead[0], ahead[1:]
        kinds, at = kind[moving], place[moving]
        fate, wait, choice = (_uniform(words[:, n]) for n in range(3))
        arrests = fate < stays[kinds, at]
        dies = fate >= stays[kinds, at] + enters[kinds, at]
        # the place is left or life ends, whichever comes first: one exponential for both, and a draw of which it was
        stay_h = body.residence_h[at]
        both = 1.0 / stay_h + hazard[kinds]
        hours = np.where(arrests | dies, 0.0, -np.log(wait) / both)
        dies |= ~arrests & (_uniform(words[:, 3]) * both < hazard[kinds])
        done = arrests | dies
        ends.hours[moving] += hours
        ends.place[moving[done]] = at[done]
        ends.died[moving[done]] = dies[done]
        ends.passages[moving[done]] = passage
        place[moving[~done]] = _next(onward, at[~done], choice[~done])
        if done.any():
            moving, ahead = moving[~done], ahead[:, ~done]
    return ends


def _key_of_passages(key: tuple[int, int]) -> tuple[int, int]:
    word = host_philox(np.array([[0, 0, int(Purpose.TRAVEL_KEY) << 16, 0]], dtype=np.uint32), key)[0]
    return int(word[0]), int(word[1])


def _words(names: np.ndarray, passage: int, key: tuple[int, int]) -> np.ndarray:
    """(passages, n, 4) u4 of this passage and, of seeds that go round, those after it: few seeds take many at once."""
    count = 1 if passage <= FIRST_PASSAGES else min(max(WORDS_AT_ONCE // len(names), 1), 64)
    counter = np.repeat(names[None], count, axis=0)
    counter[:, :, 3] ^= np.arange(passage, passage + count, dtype=np.uint32)[:, None]
    return host_philox(counter, key)


def _uniform(word: np.ndarray) -> np.ndarray:
    """In (0, 1), never either: the middle of one of 2^32 equal parts."""
    return (word.astype(np.float64) + 0.5) * 2.0**-32


def _first(start: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Column of `start`, (n, places) or (places,), that u falls into; one of share 0 never."""
    shares = np.cumsum(np.atleast_2d(start), axis=1)
    return (u[:, None] * shares[:, -1:] >= shares).sum(axis=1)


def _steps(leads: np.ndarray) -> np.ndarray:
    """The cumulative shares of each row from the row's number up to the next, on end: ascending throughout."""
    total = np.cumsum(leads, axis=1)
    total = np.divide(total, total[:, -1:], out=np.ones_like(total), where=total[:, -1:] > 0.0)
    return (np.arange(len(leads))[:, None] + total).ravel()


def _next(steps: np.ndarray, at: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The place after `at` that u falls into; one of share 0 never."""
    return np.searchsorted(steps, at + u, side="right") - at * round(np.sqrt(len(steps)))
