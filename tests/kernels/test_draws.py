"""Draws: the published vectors, the same words on host and device, and no correlation anywhere.

Statistical tests use fixed keys. Each correlation is held below 4/sqrt(n): 6e-5 false alarms a pair, 1 % for
the roughly 170 pairs of this file together, when the keys were chosen; none since.
"""

import itertools

import numpy as np
import pytest
import taichi as ti

from seedsoil.kernels import draws
from seedsoil.kernels.draws import ALWAYS, Purpose, Stamp, host_draw, host_philox, threshold
from seedsoil.kernels.launch import array, kernel

# Random123, kat_vectors: philox4x32 with 10 rounds
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ALWAYS,) * 4, (ALWAYS,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
COMPILED = (Purpose.HOP, Purpose.TEXTURE, Purpose.ARRIVAL_SITE)  # each costs the compiler a second
N = 100_000


@kernel
def philox_pass(counter: array(ti.u32), out: array(ti.u32), k0: ti.u32, k1: ti.u32):
    for n in range(out.shape[0] // 4):
        c = 4 * n
        four = draws.philox(counter[c], counter[c + 1], counter[c + 2], counter[c + 3], k0, k1)
        for word in ti.static(range(4)):
            out[c + word] = four[word]


@kernel
def draw_pass(
    out: array(ti.u32), first: ti.i32, tick: ti.u32, substep: ti.u32, lattice_id: ti.u32, k0: ti.u32, k1: ti.u32
):
    for n in range(out.shape[0] // ti.static(len(COMPILED))):
        for column, purpose in ti.static(enumerate(COMPILED)):
            at = n * ti.static(len(COMPILED)) + column
            out[at] = draws.draw(first + n, tick, substep, purpose, lattice_id, k0, k1)


@kernel
def below_pass(out: array(ti.u8), words: array(ti.u32), limit: ti.u32):
    for n in range(out.shape[0]):
        out[n] = ti.cast(draws.below(words[n], limit), ti.u8)


def on_device(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    counter = np.array(counter, dtype=np.uint32)
    out = np.zeros_like(counter)
    philox_pass(counter, out, *key)
    return out


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_published_vectors(device, counter, key, words):
    expected = np.array([words], dtype=np.uint32)
    np.testing.assert_array_equal(on_device([counter], key), expected)
    np.testing.assert_array_equal(host_philox(np.array([counter], dtype=np.uint32), key), expected)


def test_a_flipped_bit_anywhere_changes_every_word(device):
    counter, key, words = KNOWN[2]
    for position, bit in itertools.product(range(6), (0, 17, 31)):
        both = [*counter, *key]
        both[position] ^= 1 << bit
        changed = on_device([both[:4]], (both[4], both[5]))
        assert (changed != np.array(words, dtype=np.uint32)).all()


@pytest.mark.parametrize(
    ("key", "lattice_id", "tick", "substep", "first"),
    [(0, 0, 0, 0, 0), (2**64 - 1, 7, 2**32 - 1, 2**16 - 1, 2**31 - 2**21 - 64), (0x123456789ABCDEF0, 1, 12, 3, 5)],
)
def test_device_and_host_draw_the_same(device, key, lattice_id, tick, substep, first):
    out = np.zeros((64, len(COMPILED)), dtype=np.uint32)
    stamp = Stamp.of(key, lattice_id, tick)
    draw_pass(out, first, tick, substep, lattice_id, stamp.key_low, stamp.key_high)
    of_purpose = {purpose: host_draw(np.arange(first, first + 64), stamp, purpose, substep) for purpose in Purpose}
    for column, purpose in enumerate(COMPILED):
        np.testing.assert_array_equal(out[:, column], of_purpose[purpose], err_msg=purpose.name)
    every = np.array(list(of_purpose.values()))
    assert len(np.unique(every)) > every.size - 3  # 2^-32 per pair: purposes and voxels do not share words


def test_purposes_are_unique_and_fit_their_counter_word():
    # IntEnum folds a repeated number into an alias, which __members__ still lists
    assert len(Purpose.__members__) == len(set(Purpose))
    assert all(0 < purpose < 2**16 for purpose in Purpose)


def test_stamp_splits_the_key_and_refuses_what_does_not_fit():
    assert Stamp.of(0x0123456789ABCDEF, 4, 9) == (0x89ABCDEF, 0x01234567, 4, 9)
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match="rng_key"):
            Stamp.of(wrong)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """|r| sqrt(n): 4 is the limit."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(len(a))


VOXELS = np.arange(N)
STAMP = Stamp.of(20190711, 0, 3)
BASE = host_draw(VOXELS, STAMP, Purpose.HOP)


def test_neighbours_are_uncorrelated():
    for lag in (1, 2, 3, 4, 5, 20, 64, 320, 4096):
        assert correlation(BASE[:-lag], BASE[lag:]) < 4, lag


def test_ticks_substeps_lattices_and_keys_are_uncorrelated():
    others = {
        "next tick": host_draw(VOXELS, STAMP._replace(tick=4), Purpose.HOP),
        "256 ticks on": host_draw(VOXELS, STAMP._replace(tick=259), Purpose.HOP),
        "next substep": host_draw(VOXELS, STAMP, Purpose.HOP, substep=1),
        "substep 8": host_draw(VOXELS, STAMP, Purpose.HOP, substep=8),
        "first organ": host_draw(VOXELS, STAMP._replace(lattice_id=1), Purpose.HOP),
        "next key": host_draw(VOXELS, STAMP._replace(key_low=STAMP.key_low + 1), Purpose.HOP),
        "high word of the key": host_draw(VOXELS, STAMP._replace(key_high=1), Purpose.HOP),
    }
    for (a, first), (b, second) in itertools.combinations([("base", BASE), *others.items()], 2):
        assert correlation(first, second) < 4, (a, b)
        # a shift by one or four voxels must not line the streams up again
        assert correlation(first[:-1], second[1:]) < 4, (a, b)
        assert correlation(first[:-4], second[4:]) < 4, (a, b)


def test_purposes_are_uncorrelated():
    words = {purpose: host_draw(VOXELS[:20_000], STAMP, purpose) for purpose in Purpose}
    # thousands of pairs: at 4 one of them would be above in every fifth set of purposes, at 5 in one of 500
    for a, b in itertools.combinations(Purpose, 2):
        assert correlation(words[a], words[b]) < 5, (a, b)


def test_the_correlation_detector_sees_planted_errors():
    # a lattice id that is left out of the counter: an organ repeats the primary
    assert correlation(BASE, host_draw(VOXELS, STAMP._replace(lattice_id=0), Purpose.HOP)) > 100
    # one word for the four voxels of a block: neighbours share it
    blockwise = BASE[VOXELS & ~3]
    assert correlation(blockwise[:-1], blockwise[1:]) > 100
    # a tenth of every tick's word carried to the next
    leaky = host_draw(VOXELS, STAMP._replace(tick=4), Purpose.HOP) * 0.9 + BASE * 0.1
    assert correlation(BASE, leaky) > 4


def test_words_are_uniform():
    # chi square over 256 bins of each byte: mean 255, s.d. 22.6; above 4 s.d. once in 1e4
    for shift in (0, 8, 16, 24):
        counts = np.bincount((BASE >> np.uint32(shift)) & np.uint32(255), minlength=256)
        assert abs(((counts - N / 256) ** 2 / (N / 256)).sum() - 255) < 4 * 22.6


def passed(words: np.ndarray, limit: int) -> np.ndarray:
    out = np.zeros(len(words), dtype=np.uint8)
    below_pass(out, words, limit)
    return out


def test_probability_zero_never_and_one_always(device):
    extremes = np.array([0, 1, 2**31, ALWAYS - 1, ALWAYS], dtype=np.uint32)
    assert threshold(0.0) == 0
    assert threshold(1.0) == ALWAYS
    assert not passed(extremes, threshold(0.0)).any()
    assert passed(extremes, threshold(1.0)).all()
    # the largest probability below one is not "always"
    assert threshold(np.nextafter(1.0, 0.0)) == ALWAYS - 1
    assert not passed(extremes, threshold(np.nextafter(1.0, 0.0)))[-1]
    for wrong in (-1e-9, 1 + 1e-9, float("nan")):
        with pytest.raises(ValueError, match="probability"):
            threshold(wrong)


@pytest.mark.parametrize("probability", [1e-3, 0.05, 0.5, 0.97])
def test_a_threshold_is_met_as_often_as_it_says(device, probability):
    # 4 s.e.: one false alarm in 16000
    limit = 4 * np.sqrt(probability * (1 - probability) / N)
    assert abs(passed(BASE, threshold(probability)).mean() - probability) < limit
    # planted: a probability 10 % higher is told apart where the sample allows it (0.05 and up)
    if 0.05 <= probability < 0.9:
        assert abs(passed(BASE, threshold(1.1 * probability)).mean() - probability) > limit
