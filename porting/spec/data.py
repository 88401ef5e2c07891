"""Arguments for a run: random inputs, poisoned outputs, the same as the reference and as the kernel see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...backends.emulator.formats import MEMORY, to_bf16
from ...ir.types import BF16, Scalar
from .generators import InputKind, floats, integers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .kernel import Kernel
    from .model import Argument

POISONS: Final = (0x7FC0DEAD, 0xDEADBEEF)
"""Two fill patterns of `out` buffers: a quiet NaN as f32, and a large negative number. See `poisons`."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one run.

    `buffers`: in and inout arrays by name, in memory form (bf16 as u16, bool as u8), shaped as the spec says with a
    last axis for the lanes of vectors. `scalars`: numbers by name.
    """

    buffers: dict[str, np.ndarray]
    scalars: dict[str, int | float] = field(default_factory=dict)


def encode(values: np.ndarray, scalar: Scalar) -> np.ndarray:
    """Return numbers in memory form: floats rounded to the type, bf16 as its bits in u16, bool as 0 or 1 in u8."""
    if scalar is BF16:
        with np.errstate(over="ignore"):
            bits = to_bf16(np.asarray(values, np.float32)).view(np.uint32) >> np.uint32(16)
        return bits.astype(np.uint16)
    if scalar.kind == "bool":
        return np.asarray(values).astype(bool).astype(np.uint8)
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(MEMORY[scalar])


def decode(memory: np.ndarray, scalar: Scalar) -> np.ndarray:
    """Memory form to what a reference computes with: float64; int64 (u64: uint64) for integers; bool for bool."""
    if scalar is BF16:
        return (memory.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    if scalar.is_float:
        return memory.astype(np.float64)
    if scalar.kind == "bool":
        return memory.astype(bool)
    return memory.astype(np.uint64 if scalar.name == "u64" else np.int64)


def shaped(kernel: Kernel, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Shape of a buffer as arrays have it: the spec's, and a last axis for the lanes of a vector dtype."""
    lanes = kernel.args[name].lanes
    return (*kernel.shape(name, sizes), *((lanes,) if lanes > 1 else ()))


def free_floats(kernel: Kernel) -> bool:
    """Tell whether inputs may hold any number: there is no `inputs` function, and a float buffer is drawn."""
    drawn = [a for a in kernel.args.values() if is_drawn(a)]
    return kernel.model.reference.inputs is None and any(a.scalar.is_float for a in drawn)


def is_drawn(arg: Argument) -> bool:
    """Tell whether the contents of an argument are drawn: `in` buffers, and `inout` ones without `init`."""
    return (arg.role == "in" and arg.is_buffer) or (arg.role == "inout" and arg.init is None)


def draw(kernel: Kernel, sizes: Mapping[str, int], rng: np.random.Generator, kind: InputKind = "normal") -> Inputs:
    """Draw the inputs of a run.

    `kind`: see `generators.InputKind`.
    The spec's `inputs` function, where there is one, takes the place of both. Raises SpecError, ReferenceFailed.
    """
    from .reference import call_inputs

    buffers = call_inputs(kernel, sizes, rng)
    if buffers is None:
        drawn = [name for name, arg in kernel.args.items() if is_drawn(arg)]
        buffers = {name: _random(kernel, name, sizes, rng, kind) for name in drawn}
    for name, arg in kernel.args.items():
        if arg.role == "inout" and arg.init is not None and name not in buffers:
            buffers[name] = encode(np.full(shaped(kernel, name, sizes), arg.init), arg.scalar)
    scalars = {name: _scalar(kernel, name, sizes) for name, arg in kernel.args.items() if arg.value is not None}
    return Inputs(buffers, scalars)


def _random(
    kernel: Kernel, name: str, sizes: Mapping[str, int], rng: np.random.Generator, kind: InputKind
) -> np.ndarray:
    scalar, shape = kernel.args[name].scalar, shaped(kernel, name, sizes)
    if not scalar.is_float:
        return encode(integers(kind, scalar, shape, rng), scalar)
    longest = max((n for other in kernel.args for n in kernel.shape(other, sizes)), default=1)
    drawn = [n for n, a in kernel.args.items() if is_drawn(a) and a.scalar.is_float]
    first = drawn[0] == name and (len(drawn) > 1 or kind != "tiny")
    return encode(floats(kind, scalar, shape, rng, longest=longest, first=first), scalar)


def _scalar(kernel: Kernel, name: str, sizes: Mapping[str, int]) -> int | float:
    scalar, value = kernel.args[name].scalar, kernel.scalar(name, sizes)
    if scalar.is_float:
        return float(decode(encode(np.asarray([value]), scalar), scalar)[0])
    low, high = (-(2 ** (scalar.bits - 1)), 2 ** (scalar.bits - 1) - 1) if scalar.signed else (0, 2**scalar.bits - 1)
    if not low <= value <= high:
        from .kernel import SpecError

        raise SpecError(f"{kernel.origin}: args.{name}.value: expected a number that {scalar} holds, found {value}")
    return value


def arguments(kernel: Kernel, sizes: Mapping[str, int], inputs: Inputs, poison: int = POISONS[0]) -> dict[str, Any]:
    """Return what a runtime takes: flat arrays by name (`out` ones filled with the pattern `poison`), numbers, None."""
    out: dict[str, Any] = {}
    for name, arg in kernel.args.items():
        if arg.role == "null":
            out[name] = None
        elif arg.value is not None:
            out[name] = inputs.scalars[name]
        elif name in inputs.buffers:
            out[name] = np.ascontiguousarray(inputs.buffers[name]).reshape(-1)
        else:
            out[name] = poisoned(arg.scalar, int(np.prod(shaped(kernel, name, sizes), dtype=np.int64)), poison)
    return out


def poisons(rng: np.random.Generator) -> tuple[int, int]:
    """Draw two fill patterns of `out` buffers, which differ in every byte: a quiet NaN as f32, and a negative number.

    They are drawn because a candidate that knew them could tell that it is judged.
    """
    first = 0x7FC00000 | int(rng.integers(1, 1 << 22))
    low = int(rng.integers(1, 256)) << 16 | int(rng.integers(1, 256)) << 8 | int(rng.integers(1, 256))
    return first, (first ^ low ^ 0x80000000 ^ int(rng.integers(1, 64)) << 24) & 0xFFFFFFFF


def poisoned(scalar: Scalar, count: int, pattern: int) -> np.ndarray:
    """Return `count` elements filled with a 32-bit pattern: repeated in wider types, its low bits in narrower ones."""
    size = MEMORY[scalar].itemsize
    bits = (pattern << 32 | pattern) & (2 ** (8 * size) - 1)
    return np.full(count, bits, np.dtype(f"u{size}")).view(MEMORY[scalar])


def for_reference(kernel: Kernel, sizes: Mapping[str, int], inputs: Inputs) -> dict[str, Any]:
    """Return what a reference takes: in and inout arrays as `decode` gives them, scalars, and the sizes by name."""
    arrays = {name: decode(memory, kernel.args[name].scalar) for name, memory in inputs.buffers.items()}
    return {**sizes, **inputs.scalars, **arrays}


def outputs(kernel: Kernel) -> list[str]:
    """Return the names of the `out` and `inout` arguments, in order."""
    return [name for name, arg in kernel.args.items() if arg.role in ("out", "inout")]
