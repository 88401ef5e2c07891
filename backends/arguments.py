"""Arguments as a device takes them: checked against the kernel's parameters, buffers between guard zones."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.types import BF16, Scalar, Vector, parse_dtype
from .base import RunResult
from .errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import KernelText, TextParam

    Array = np.ndarray[Any, np.dtype[Any]]

_KINDS = {"bool": "u", "int": "i", "uint": "u", "float": "f", "bfloat": "u"}
# NumPy kinds that a buffer may also have: bool for bytes, ml_dtypes.bfloat16 (kind V) for its bits
_ALSO = {"bool": "b", "bfloat": "Vf"}


def memory_dtype(dtype: str) -> np.dtype[Any]:
    """Return the NumPy type of one number of a spec dtype in memory: bool is a byte, bf16 its 16 bits."""
    t = _scalar(dtype)
    return np.dtype(f"{_KINDS[t.kind]}{t.size}")


def check_arguments(text: KernelText, args: Mapping[str, Any]) -> None:
    """Check that every buffer and scalar of a kernel has an argument of its type. Raises ArgumentError."""
    wanted = [p for p in text.params if p.kind in ("buffer", "scalar")]
    unknown = args.keys() - {p.name for p in wanted}
    if unknown:
        names = ", ".join(p.name for p in wanted)
        raise ArgumentError(f"argument {min(unknown)}: {text.entry} has no such parameter; it has {names}")
    for p in wanted:
        if p.name not in args:
            raise ArgumentError(
                f"argument {p.name}: missing; expected {'an array' if p.kind == 'buffer' else 'a value'} of {p.dtype}"
            )
        if p.kind == "buffer":
            _check_buffer(p, args[p.name])
        else:
            scalar_value(p, args[p.name])


def scalar_value(param: TextParam, value: Any) -> Any:
    """Return a scalar (or vector) argument in its own NumPy type; bool becomes a byte. Raises ArgumentError."""
    t = parse_dtype(param.dtype)
    scalar = t.elem if isinstance(t, Vector) else t
    dtype = memory_dtype(param.dtype)
    if scalar is BF16:
        raise ArgumentError(f"argument {param.name}: a bf16 by value is not supported")
    items = list(value) if isinstance(t, Vector) else [value]
    if isinstance(t, Vector) and len(items) != t.lanes:
        raise ArgumentError(f"argument {param.name}: expected {t.lanes} components, got {len(items)}")
    try:
        numbers = [float(v) if scalar.is_float else bool(v) if scalar.kind == "bool" else _whole(v) for v in items]
        with np.errstate(over="ignore"):
            ready = np.array(numbers).astype(dtype) if scalar.is_float else np.array(numbers, dtype)
        if scalar.is_float and np.any(np.isinf(ready) & np.isfinite(numbers)):
            raise OverflowError
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"argument {param.name}: expected a value of {param.dtype}, got {value!r}") from None
    return ready if isinstance(t, Vector) else ready[0]


def unchanged(text: KernelText, args: Mapping[str, Any]) -> RunResult:
    """Return the result of a launch that runs no thread: copies of the buffers."""
    given = {p.name: args[p.name] for p in text.params if p.kind == "buffer" and args[p.name] is not None}
    return RunResult({name: np.array(a).reshape(-1) for name, a in given.items()})


@dataclass(frozen=True, slots=True)
class Guarded:
    """A buffer between guard zones. `image` holds the bytes before the run; the data is `image[start : start + size]`.

    The guards are words 0x7ff8.... with random low bits that differ from buffer to buffer: NaN as f16, bf16, f32 and
    f64, so that what is read there shows, and never what a kernel copies from another buffer's guard.
    """

    name: str
    image: Array
    start: int
    size: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, name: str, array: Any, guard_bytes: int, alignment: int = 1) -> Guarded:
        """Lay out an array: a guard of at least `guard_bytes` in front, so that the data is aligned, and one behind it.

        An empty array has guards of at least `alignment` bytes, for there are no empty device buffers.
        """
        data = np.ascontiguousarray(array).reshape(-1)
        guard = guard_bytes if data.size else max(guard_bytes, alignment, 16)
        start = -(-guard // alignment) * alignment
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        words = rng.integers(0, 1 << 19, (start + guard) // 4 + 2, np.uint32) | np.uint32(0x7FF80000)
        pattern, end = words.view(np.uint8), start + data.nbytes
        image = np.empty(end + guard, np.uint8)
        image[:start] = pattern[:start]
        image[start:end] = data.view(np.uint8)
        # the words go on where the front guard ended, aligned as the elements behind the buffer would be
        image[end:] = pattern[-(-start // 4) * 4 :][:guard]
        return cls(name, image, start, data.nbytes, data.dtype)

    def contents(self, image: Array) -> Array:
        """Return the data of an image, as a flat array of the buffer's type."""
        return image[self.start : self.start + self.size].copy().view(self.dtype)

    def damage(self, image: Array) -> list[str]:
        """Name the guards that a run overwrote: `y: after, first damaged byte 4096 (element 1024), 4 bytes`."""
        found: list[str] = []
        step = self.dtype.itemsize
        end = self.start + self.size
        for side, zone in (("before", slice(0, self.start)), ("after", slice(end, None))):
            wrong = np.flatnonzero(image[zone] != self.image[zone])
            if wrong.size:
                first = int(wrong[0]) + (zone.start or 0) - self.start
                bytes_ = f"{wrong.size} byte{'s' if wrong.size > 1 else ''}"
                found.append(f"{self.name}: {side}, first damaged byte {first} (element {first // step}), {bytes_}")
        return found


def _scalar(dtype: str) -> Scalar:
    t = parse_dtype(dtype)
    return t.elem if isinstance(t, Vector) else t


def _check_buffer(param: TextParam, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, np.ndarray):
        raise ArgumentError(f"argument {param.name}: expected an array of {param.dtype}, got {type(value).__name__}")
    expected, kind = memory_dtype(param.dtype), _scalar(param.dtype).kind
    found = value.dtype
    if param.dtype.startswith("u16") and found.itemsize == 2:
        kind = "bfloat"  # bits of a half or bfloat16
    if found.itemsize != expected.itemsize or found.kind not in expected.kind + _ALSO.get(kind, ""):
        raise ArgumentError(f"argument {param.name}: expected an array of {param.dtype}, got one of {found}")
    t = parse_dtype(param.dtype)
    if isinstance(t, Vector) and value.size % t.lanes:
        raise ArgumentError(
            f"argument {param.name}: expected whole elements of {param.dtype}, got {value.size} numbers"
        )


def _whole(value: Any) -> int:
    if int(value) != value:
        raise ValueError(value)
    return int(value)
