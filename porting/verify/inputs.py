"""Input data of a kernel for one set of sizes: drawn from a seed that is fixed after the candidate is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..spec import SpecError
from .reference import call_user, load_function

if TYPE_CHECKING:
    from ...ir.types import Scalar
    from ..spec import Kernel

InputKind = Literal["spec", "normal", "exact"]

NUMPY_DTYPES: dict[str, Any] = {
    "bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16, "i32": np.int32,
    "u32": np.uint32, "i64": np.int64, "u64": np.uint64, "f16": np.float16, "f32": np.float32, "f64": np.float64,
}  # fmt: skip


def numpy_dtype(scalar: Scalar) -> np.dtype[Any]:
    """Return the NumPy dtype of a scalar; SpecError for bf16, which NumPy lacks."""
    if scalar.name not in NUMPY_DTYPES:
        raise SpecError(f"dtype {scalar.name} has no array type here")
    return np.dtype(NUMPY_DTYPES[scalar.name])


def input_kinds(kernel: Kernel) -> tuple[InputKind, ...]:
    """Return the kinds of inputs to try: the spec's own if it makes any, else normal and exact integers.

    With exact inputs every sum of up to 2^12 products of two is exact in float32 in any order, so that a port that
    merely is near, through a lower precision say, is told from one that is right.
    """
    return ("spec",) if kernel.model.reference.inputs is not None else ("normal", "exact")


def make_inputs(kernel: Kernel, sizes: Mapping[str, int], seed: int, kind: InputKind) -> dict[str, np.ndarray]:
    """Return the arrays of the in and inout buffers, shaped as the spec says, in their dtypes.

    Raises SpecError if the spec's own inputs function fails or gives something else.
    """
    rng = np.random.default_rng(seed)
    wanted = {n: a for n, a in kernel.args.items() if a.is_buffer and a.role in ("in", "inout")}
    given: dict[str, np.ndarray] = {}
    if kind == "spec":
        given = _from_spec(kernel, sizes, rng, set(wanted))
    out: dict[str, np.ndarray] = {}
    for name, arg in wanted.items():
        shape = kernel.shape(name, sizes) + ((arg.lanes,) if arg.lanes > 1 else ())
        dtype = numpy_dtype(arg.scalar)
        if name in given:
            out[name] = _fit(kernel, name, given[name], shape, dtype)
        elif arg.init is not None:
            out[name] = np.full(shape, arg.init, dtype)
        else:
            out[name] = draw(rng, shape, arg.scalar, kind)
    return out


def draw(rng: np.random.Generator, shape: tuple[int, ...], scalar: Scalar, kind: InputKind) -> np.ndarray:
    """Draw random data: standard normal floats, or integers of -15 to 15 for exact; integers from the small range."""
    dtype = numpy_dtype(scalar)
    if scalar.is_float:
        if kind == "exact":
            return rng.integers(-15, 16, shape).astype(dtype)
        return rng.standard_normal(shape).astype(dtype)
    if scalar.kind == "bool":
        return rng.integers(0, 2, shape).astype(dtype)
    low = -100 if scalar.signed else 0
    return rng.integers(low, 128, shape).astype(dtype)


def _from_spec(
    kernel: Kernel, sizes: Mapping[str, int], rng: np.random.Generator, wanted: set[str]
) -> dict[str, np.ndarray]:
    function = load_function(kernel, kernel.model.reference.inputs, "reference.inputs")
    found = call_user(kernel, "reference.inputs", function, rng, dict(sizes))
    if not isinstance(found, Mapping):
        raise SpecError(f"{kernel.origin}: reference.inputs: expected a dict of arrays, found {type(found).__name__}")
    unknown = sorted(set(map(str, found)) - wanted)
    if unknown:
        names = ", ".join(sorted(wanted)) or "none"
        raise SpecError(
            f"{kernel.origin}: reference.inputs: expected in and inout arguments ({names}), found {unknown[0]!r}"
        )
    return {str(k): np.asarray(v) for k, v in found.items()}


def _fit(kernel: Kernel, name: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    if array.shape != shape:
        raise SpecError(f"{kernel.origin}: reference.inputs: {name}: expected the shape {shape}, found {array.shape}")
    converted = array.astype(dtype)
    if dtype.kind in "iub" and not np.array_equal(converted, array):
        raise SpecError(f"{kernel.origin}: reference.inputs: {name}: expected values of {dtype}, found others")
    return converted
