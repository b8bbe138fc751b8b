"""Launching a kernel over plain arrays, zero-copy and without Taichi's argument handling.

Taichi's own front end spends about 250 µs on the arguments of a launch (measured with 12 of them),
which is as long as a whole pass over a 2-D lattice. The arrays of a tissue do not move, so the
launch context that holds their addresses is filled once, kept, and only its scalars are set anew:
under 10 µs a launch. Contexts are dropped when one of their arrays dies.

On CUDA the context takes the raw device address of each CuPy array (the driver says where it
lives, so nothing is copied) and is filled afresh at each launch, because launching replaces its
argument buffer.

What Taichi would accept silently and get wrong is refused here, once, when the arrays are bound:
a wrong dtype, a read-only or non-contiguous array, too many elements, a host array on CUDA.
"""

import contextlib
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import taichi as ti
from taichi.lang import impl
from taichi.lang.ast.ast_transformer_utils import ASTTransformerContext

from .lattice import VOXELS_MAX

_NUMPY_OF = {
    ti.u8: np.dtype(np.uint8),
    ti.u16: np.dtype(np.uint16),
    ti.u32: np.dtype(np.uint32),
    ti.i32: np.dtype(np.int32),
    ti.i64: np.dtype(np.int64),
    ti.u64: np.dtype(np.uint64),
    ti.f32: np.dtype(np.float32),
    ti.f64: np.dtype(np.float64),
}


def array(dtype: Any) -> Any:
    """The annotation of an array argument: flat, C-contiguous, of this Taichi dtype."""
    return ti.types.ndarray(dtype=dtype, ndim=1)


class LaunchError(TypeError):
    """An array that a kernel cannot take; the message names the kernel, the argument and the reason."""


class Kernel:
    """A Taichi kernel whose launches over the same arrays are prepared once.

    Arguments are positional: templates (hashable; equal ones share compiled code), arrays (any
    shape, C-contiguous; the kernel sees them flat) and scalars.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self._kernel = ti.kernel(function)
        self._slots = [_slot(p) for p in inspect.signature(function).parameters.values()]
        self._names = list(inspect.signature(function).parameters)
        self._bound: dict[tuple, _Bound] = {}

    def __call__(self, *args: Any) -> None:
        if len(args) != len(self._slots):
            raise LaunchError(f"{self.name} takes {len(self._slots)} arguments, got {len(args)}")
        key = tuple(
            id(a) if kind == "array" else a
            for (kind, _), a in zip(self._slots, args, strict=True)
            if kind in ("array", "template")
        )
        bound = self._bound.get(key)
        program = impl.get_runtime().prog
        if bound is None or bound.program is not program:
            bound = self._bound[key] = self._bind(key, args, program)
        bound.launch(args)

    def _bind(self, key: tuple, args: tuple, program: Any) -> "_Bound":
        on_cuda = program.config().arch == ti.cuda
        stand_ins, arrays = [], []
        for position, ((kind, dtype), value) in enumerate(zip(self._slots, args, strict=True)):
            if kind == "array":
                assert dtype is not None
                self._check(position, dtype, value, on_cuda)
                arrays.append((position, value))
                stand_ins.append(np.zeros(1, dtype=dtype))
            elif kind == "template":
                stand_ins.append(value)
            else:
                stand_ins.append(0.0 if kind == "float" else 0)
        primal = self._kernel._primal
        with _short_positions():
            taichi_kernel = primal.compiled_kernels[primal.ensure_compiled(*stand_ins)]
        compiled = program.compile_kernel(program.config(), program.get_device_caps(), taichi_kernel)
        bound = _Bound(program, taichi_kernel, compiled, self._slots, reusable=not on_cuda)
        for _, value in arrays:
            bound.watch.append(weakref.ref(value, lambda _, key=key: self._bound.pop(key, None)))
        return bound

    def _check(self, position: int, dtype: np.dtype, value: Any, on_cuda: bool) -> None:
        where = f"{self.name}({self._names[position]})"
        if not hasattr(value, "dtype") or not hasattr(value, "flags"):
            raise LaunchError(f"{where}: needs an array, got {type(value).__name__}")
        if value.dtype != dtype:
            raise LaunchError(f"{where}: needs dtype {dtype}, got {value.dtype}")
        if not value.flags.c_contiguous:
            raise LaunchError(f"{where}: needs a C-contiguous array; use numpy.ascontiguousarray")
        if isinstance(value, np.ndarray) and not value.flags.writeable:
            raise LaunchError(f"{where}: the array is read-only; pass a writable copy")
        if value.size > VOXELS_MAX:
            raise LaunchError(f"{where}: at most {VOXELS_MAX} elements, got {value.size}")
        if on_cuda and isinstance(value, np.ndarray):
            raise LaunchError(f"{where}: a host array would be copied at every launch; pass a CuPy array")


def kernel(function: Callable[..., None]) -> Kernel:
    """Decorator for the passes of `kernels/`: `ti.kernel`, launched as this module describes."""
    return Kernel(function)


class _Bound:
    """One kernel with one set of arrays."""

    def __init__(self, program: Any, taichi_kernel: Any, compiled: Any, slots: list, *, reusable: bool) -> None:
        self.program = program
        self.watch: list[weakref.ref] = []
        self._taichi_kernel = taichi_kernel
        self._compiled = compiled
        self._reusable = reusable
        self._arrays: list[tuple[int, int]] = []
        self._scalars: list[tuple[int, int, str]] = []
        index = 0
        for position, (kind, _) in enumerate(slots):
            if kind == "template":
                continue
            if kind == "array":
                self._arrays.append((position, index))
            else:
                self._scalars.append((position, index, kind))
            index += 1
        self._context: Any = None

    def launch(self, args: tuple) -> None:
        context = self._context
        if context is None:
            context = self._taichi_kernel.make_launch_context()
            for position, index in self._arrays:
                value = args[position]
                context.set_arg_external_array_with_shape((index,), address(value), value.nbytes, (value.size,), 0)
            if self._reusable:
                self._context = context
        for position, index, kind in self._scalars:
            value = args[position]
            if kind == "float":
                context.set_arg_float((index,), float(value))
            elif kind == "uint":
                context.set_arg_uint((index,), int(value))
            else:
                context.set_arg_int((index,), int(value))
        self.program.launch_kernel(self._compiled, context)


@contextlib.contextmanager
def _short_positions() -> Iterator[None]:
    """Have Taichi note file and line of each statement, without quoting the source.

    It quotes and wraps the source for every node of every inlined function, in case of an error: a third
    of the time to the first tick. File and line are enough to find it.
    """
    quoting = ASTTransformerContext.get_pos_info

    def short(context: Any, node: Any) -> str:
        return f'File "{context.file}", line {node.lineno + context.lineno_offset}, in {context.func.func.__name__}\n'

    ASTTransformerContext.get_pos_info = short  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        ASTTransformerContext.get_pos_info = quoting


def address(value: Any) -> int:
    """Where an array's memory starts: host address of a NumPy array, device address of a CuPy one."""
    return int(value.ctypes.data) if isinstance(value, np.ndarray) else int(value.data.ptr)


def _slot(parameter: inspect.Parameter) -> tuple[str, np.dtype | None]:
    annotation = parameter.annotation
    if annotation is ti.template or isinstance(annotation, ti.template):
        return "template", None
    if isinstance(annotation, ti.types.ndarray):
        return "array", _NUMPY_OF[annotation.dtype]
    if annotation in (ti.f32, ti.f64):
        return "float", None
    if annotation in (ti.u8, ti.u16, ti.u32, ti.u64):
        return "uint", None
    if annotation is ti.i32:
        return "int", None
    raise TypeError(f"parameter {parameter.name}: annotate it as template, array, float or integer")
