"""Launching: what would be got wrong silently is refused, arrays are used in place, nothing stale is kept."""

import gc
import weakref

import numpy as np
import pytest
import taichi as ti

from seedsoil.kernels import launch
from seedsoil.kernels.lattice import VOXELS_MAX
from seedsoil.kernels.launch import LaunchError, array, kernel

N = 64


@kernel
def stamp_pass(
    scale: ti.template(), field: array(ti.f32), codes: array(ti.u8), shift: ti.f32, add: ti.i32, mask: ti.u32
):
    """Writes something of every scalar."""
    for i in range(field.shape[0]):
        field[i] = ti.cast(scale, ti.f32) * field[i] + shift + ti.cast(add, ti.f32)
        codes[i] = ti.cast(mask >> ti.u32(24), ti.u8)


@kernel
def every_dtype_pass(
    a: array(ti.u8),
    b: array(ti.u16),
    c: array(ti.u32),
    d: array(ti.i32),
    e: array(ti.u64),
    f: array(ti.f32),
    g: array(ti.f64),
):
    for i in range(a.shape[0]):
        a[i] += ti.u8(1)
        b[i] += ti.u16(2)
        c[i] += ti.u32(3)
        d[i] -= 4
        e[i] += ti.u64(5)
        f[i] += ti.f32(0.5)
        g[i] += ti.f64(0.25)


def fresh() -> tuple[np.ndarray, np.ndarray]:
    return np.ones(N, np.float32), np.zeros(N, np.uint8)


def read_only() -> np.ndarray:
    field = np.ones(N, np.float32)
    field.flags.writeable = False
    return field


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        pytest.param(lambda: np.ones(N), "needs dtype float32, got float64", id="dtype"),
        pytest.param(lambda: np.ones(N, ">f4"), "needs dtype float32, got >f4", id="byte order"),
        pytest.param(lambda: np.ones(N, np.int32), "needs dtype float32, got int32", id="integer"),
        pytest.param(lambda: np.ones(2 * N, np.float32)[::2], "C-contiguous", id="strided"),
        pytest.param(lambda: np.ones((8, 8), np.float32, order="F"), "C-contiguous", id="F-order"),
        pytest.param(lambda: np.ones((4, 4, 4), np.float32).transpose(2, 1, 0), "C-contiguous", id="transposed"),
        pytest.param(read_only, "read-only", id="read-only"),
        pytest.param(lambda: [1.0] * N, "needs an array, got list", id="list"),
        pytest.param(lambda: None, "needs an array, got NoneType", id="none"),
        pytest.param(lambda: 1.0, "needs an array, got float", id="scalar"),
    ],
)
def test_what_would_be_got_wrong_is_refused(device, field, reason):
    with pytest.raises(LaunchError, match=reason) as refused:
        stamp_pass(1, field(), np.zeros(N, np.uint8), 0.0, 0, 0)
    assert str(refused.value).startswith("stamp_pass(field): ")


def test_the_message_names_the_argument(device):
    with pytest.raises(LaunchError, match=r"^stamp_pass\(codes\): needs dtype uint8, got bool"):
        stamp_pass(1, np.ones(N, np.float32), np.zeros(N, bool), 0.0, 0, 0)


def test_too_many_elements_are_refused(device):
    huge = np.empty(VOXELS_MAX + 1, np.uint8)  # reserved, never touched
    with pytest.raises(LaunchError, match=rf"^stamp_pass\(codes\): at most {VOXELS_MAX} elements"):
        stamp_pass(1, np.ones(N, np.float32), huge, 0.0, 0, 0)


@pytest.mark.parametrize("count", [0, 5, 7])
def test_a_wrong_number_of_arguments_is_refused(device, count):
    with pytest.raises(LaunchError, match=f"stamp_pass takes 6 arguments, got {count}"):
        stamp_pass(*[1] * count)


def test_an_unsupported_annotation_is_refused(device):
    def odd_pass(a: array(ti.u8), b: ti.i16):
        a[0] = 0

    with pytest.raises(TypeError, match="parameter b"):
        kernel(odd_pass)


def test_arrays_are_written_in_place_whatever_their_shape(device):
    field, codes = np.arange(N, dtype=np.float32).reshape(4, 4, 4), np.zeros((2, 32), np.uint8)
    address = field.ctypes.data
    stamp_pass(2, field, codes, 0.5, -3, 0xAB000000)
    np.testing.assert_array_equal(field.reshape(-1), 2 * np.arange(N) - 2.5)
    assert (codes == 0xAB).all()
    assert field.ctypes.data == address == launch.address(field)
    assert field.shape == (4, 4, 4)


def test_a_view_of_whole_planes_is_written_and_nothing_beside_it(device):
    whole = np.zeros((6, 4, 4), np.float32)
    stamp_pass(1, whole[1:5], np.zeros(N, np.uint8), 7.0, 0, 0)
    assert (whole[1:5] == 7).all()
    assert not whole[0].any()
    assert not whole[5].any()


def test_every_dtype_arrives(device):
    arrays = [np.full(N, 9, dtype) for dtype in ("u1", "u2", "u4", "i4", "u8", "f4", "f8")]
    every_dtype_pass(*arrays)
    assert [a[0] for a in arrays] == [10, 11, 12, 5, 14, 9.5, 9.25]
    assert all((a == a[0]).all() for a in arrays)


def test_scalars_are_set_anew_at_every_launch(device):
    field, codes = fresh()
    for shift, add, mask in [(0.25, -1, 0), (1e-3, 2**31 - 1, 2**32 - 1), (-4.0, -(2**31), 0x01000000)]:
        field[...] = 1
        stamp_pass(1, field, codes, shift, add, mask)
        expected = np.float32(np.float32(1 + np.float32(shift)) + np.float32(add))
        assert (field == expected).all()
        assert (codes == mask >> 24).all()


def test_templates_are_compiled_apart(device):
    field, codes = fresh()
    for scale in (1, 2, 3, 2):
        field[...] = 1
        stamp_pass(scale, field, codes, 0.0, 0, 0)
        assert (field == scale).all()


def test_a_launch_is_prepared_once_and_dropped_with_its_arrays(device):
    field, codes = fresh()
    before = len(stamp_pass._bound)
    for _ in range(3):
        stamp_pass(1, field, codes, 0.0, 0, 0)
    assert len(stamp_pass._bound) == before + 1
    watched = weakref.ref(next(reversed(stamp_pass._bound.values())))
    del field
    gc.collect()
    assert len(stamp_pass._bound) == before
    assert watched() is None
    del codes  # the watch on the survivor must not fire into what is gone
    gc.collect()
    assert len(stamp_pass._bound) == before


def test_an_array_at_a_dead_ones_address_is_not_taken_for_it(device):
    reused, last = 0, set()
    for n in range(200):
        codes = np.zeros(N, np.uint8)
        field = np.full(N, n, np.float32)
        reused += id(field) in last
        stamp_pass(1, field, codes, 1.0, 0, (n % 256) << 24)
        assert (field == n + 1).all()
        assert (codes == n % 256).all()
        last = {id(field), id(codes)}
        del field, codes
    assert reused > 0  # or this test has not met its case


def test_swapped_arrays_are_two_launches(device):
    a, b, codes = np.zeros(N, np.float32), np.zeros(N, np.float32), np.zeros(N, np.uint8)
    for _ in range(3):
        stamp_pass(1, a, codes, 1.0, 0, 0)
        a, b = b, a
    assert {float(a[0]), float(b[0])} == {1.0, 2.0}
