"""Chunks made here are what HDF5's own filters would have made."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from seedsoil.outputs import chunks, deflate


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 9), (3, 70, 1300)])
def test_hdf5_reads_back_every_value(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(0)
    frames = draw.integers(0, 200, (2, *shape)).astype(dtype)
    frames[1] = 3  # uniform
    chunk = chunks.chunk_shape(shape)
    with h5py.File(tmp_path / "a.h5", "w") as file, ThreadPoolExecutor(2) as pool:
        dataset = file.create_dataset(
            "a",
            (2, *shape),
            dtype,
            chunks=(1, *chunk),
            compression=1,
            shuffle=np.dtype(dtype).itemsize > 1,
        )
        for k, frame in enumerate(frames):
            chunks.write_frame(dataset, k, frame, None, pool)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["a"][...], frames)


def test_zeros_of_both_signs_are_not_one_value(tmp_path: Path) -> None:
    values = np.zeros((1, 2, 8), "f4")
    values[0, 0, 3] = -0.0
    raw = np.frombuffer(zlib.decompress(chunks.encode(values, values.shape, None)), "u1")
    back = raw.reshape(4, -1).T.copy().view("f4")
    assert np.signbit(back).sum() == 1


@pytest.mark.parametrize("shape", [(64, 96, 96), (1, 2000, 2000), (1024, 1024, 1024), (1, 1, 10**7)])
def test_chunks_are_bounded_and_nearly_without_padding(shape: tuple[int, ...]) -> None:
    chunk = chunks.chunk_shape(shape)
    assert np.prod(chunk) <= chunks.TARGET_VOXELS
    padded = [-(-n // c) * c for n, c in zip(shape, chunk, strict=True)]
    assert np.prod(padded) <= 1.05 * np.prod(shape)


@pytest.mark.parametrize("keep", [1, 10, 12, 22])
def test_rounding_keeps_the_promised_bits(keep: int) -> None:
    draw = np.random.default_rng(1)
    values = (draw.standard_normal(10_000) * 10.0 ** draw.integers(-30, 30, 10_000)).astype("f4")
    rounded = chunks.round_bits(values, keep)
    error = np.abs(rounded.astype("f8") - values) / np.abs(values)
    assert error.max() <= 2.0 ** -(keep + 1)
    assert error.max() > 2.0 ** -(keep + 3)  # it does round
    assert not (rounded.view("u4") & ((1 << (23 - keep)) - 1)).any()
    np.testing.assert_array_equal(chunks.round_bits(rounded, keep), rounded)


def test_rounding_leaves_what_is_not_finite_and_breaks_ties_to_even() -> None:
    special = np.array([np.inf, -np.inf, 0.0], "f4")
    np.testing.assert_array_equal(chunks.round_bits(special, 10), special)
    assert np.isnan(chunks.round_bits(np.array([np.nan], "f4"), 10)).all()
    ties = np.array([1 + 2**-11, 1 + 3 * 2**-11], "f4")
    np.testing.assert_array_equal(chunks.round_bits(ties, 10), [1.0, 1 + 4 * 2**-11])


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "f8"])
@pytest.mark.parametrize("count", [1, 2, 5, 70_000, 147_457])
def test_planes_of_every_kind_come_back(dtype: str, count: int) -> None:
    draw = np.random.default_rng(2)
    size = np.dtype(dtype).itemsize
    noise = draw.integers(0, 256, count * size, dtype=np.uint8)
    for raw in (noise, noise & 0xF8, noise & 0x15, noise // 200, np.arange(count * size).astype("u1") // 64):
        octets = np.frombuffer(zlib.decompress(deflate.deflated(raw.view(dtype))), np.uint8)
        np.testing.assert_array_equal(octets.reshape(size, -1).T.reshape(-1), raw)


@pytest.mark.parametrize("rest", range(4))
@pytest.mark.parametrize("bits", [0x00, 0x15, 0xF8])
def test_codes_of_one_width_are_a_block_that_another_may_follow(bits: int, rest: int) -> None:
    plane = np.random.default_rng(3).integers(0, 256, 1000 + rest, dtype=np.uint8) & np.uint8(bits)
    block = deflate._of_one_width(plane, bits)
    assert zlib.decompress(block + block + b"\x03\x00", -15) == 2 * plane.tobytes()
    assert len(block) <= 0.75 * plane.size + 60


def test_noise_is_not_coded_and_structure_is() -> None:
    draw = np.random.default_rng(4)
    noise = draw.integers(0, 256, 100_000, dtype=np.uint8)
    assert deflate._entropy(noise) > 7.75 and len(deflate.deflated(noise)) < noise.size + 100
    assert len(deflate.deflated(noise & 0xF8)) < 0.76 * noise.size
    runs = np.repeat(noise[:1000], 100)
    assert deflate._entropy(runs) == 0.0 and len(deflate.deflated(runs)) < 0.1 * noise.size
    skewed = np.minimum(noise, draw.integers(0, 256, noise.size, dtype=np.uint8)) // 2
    assert len(deflate.deflated(skewed)) < 0.9 * noise.size
