"""Number formats: NumPy types of lanes and of memory, rounding, conversions, integer division and shifts.

bf16 lanes are float32 arrays that hold bf16 values; its memory is uint16.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ...ir.types import BF16, F16, F32, F64, SCALARS, Scalar
from .lanes import Array

_KINDS: Final = {"int": "i", "uint": "u", "float": "f"}
LANE: Final[dict[Scalar, np.dtype]] = {
    s: np.dtype(bool)
    if s.kind == "bool"
    else np.dtype(np.float32)
    if s is BF16
    else np.dtype(f"{_KINDS[s.kind]}{s.size}")
    for s in SCALARS.values()
}
MEMORY: Final[dict[Scalar, np.dtype]] = {
    s: np.dtype(np.uint8) if s.kind == "bool" else np.dtype(np.uint16) if s is BF16 else LANE[s]
    for s in SCALARS.values()
}
UNSIGNED: Final = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}
SHIFT: Final = {1: 0, 2: 1, 4: 2, 8: 3}

# Unit roundoff, and half the smallest subnormal: the most that one rounding adds near zero (IEEE 754-2019, §3.3)
ROUNDOFF: Final[dict[Scalar, float]] = {F64: 2.0**-53, F32: 2.0**-24, F16: 2.0**-11, BF16: 2.0**-8}
UNDERFLOW: Final[dict[Scalar, float]] = {F64: 2.0**-1074, F32: 2.0**-150, F16: 2.0**-25, BF16: 2.0**-134}
PRECISION: Final[dict[Scalar, int]] = {F64: 53, F32: 24, F16: 11, BF16: 8}
LARGEST: Final[dict[Scalar, float]] = {
    F64: float(np.finfo(np.float64).max),
    F32: float(np.finfo(np.float32).max),
    F16: 65504.0,
    BF16: 2.0**127 * (2 - 2.0**-7),
}
SMALLEST_NORMAL: Final[dict[Scalar, float]] = {F64: 2.0**-1022, F32: 2.0**-126, F16: 2.0**-14, BF16: 2.0**-126}

POISON: Final = 0x7FC0DEAD  # a NaN as f32; a large odd number as an integer


def poison(scalar: Scalar) -> Array:
    """One value that shows an undefined result: a NaN, or the bits of POISON cut to the type; shape (1, 1)."""
    if scalar.is_float:
        if scalar is F32:
            return np.full((1, 1), POISON, np.uint32).view(np.float32)
        return np.full((1, 1), np.nan, LANE[scalar])
    if scalar.kind == "bool":
        return np.ones((1, 1), bool)
    bits = np.full((1, 1), (POISON << 32 | POISON) & (2**scalar.bits - 1), np.uint64)
    return bits.astype(UNSIGNED[scalar.size]).view(LANE[scalar])


def other_poison(scalar: Scalar) -> Array:
    """A second undefined value, of which no bit is that of the first in integers, and which is no NaN in floats."""
    if scalar.is_float:
        return np.full((1, 1), 2.0**14 + 2.0**7, LANE[scalar])
    first = poison(scalar)
    return ~first


def to_bf16(x: Array) -> Array:
    """Round float32 values to the nearest bf16, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), x, rounded.view(np.float32))


def odd_f32(x: Array) -> Array:
    """Round float64 to float32 towards odd: a second rounding to fewer bits is then correct (Boldo, Melquiond 2008)."""
    near = x.astype(np.float32)
    back = near.astype(np.float64)
    bits = near.view(np.int32)
    bits = np.where(np.abs(back) > np.abs(x), bits - 1, bits)
    odd = (bits | (back != x)).astype(np.int32).view(np.float32)
    return np.where(np.isfinite(x), odd, near)


def round_to(x: Array, scalar: Scalar) -> Array:
    """Round float64 values to lanes of a floating type, once, to nearest, ties to even."""
    if scalar is BF16:
        return to_bf16(odd_f32(x))
    return x.astype(LANE[scalar], copy=False)


def cast_float(x: Array, src: Scalar, dst: Scalar) -> Array:
    """Convert lanes between floating types with one rounding."""
    if dst is not BF16:
        return x.astype(LANE[dst], copy=False)
    if src is BF16:
        return x
    return to_bf16(odd_f32(x) if src is F64 else x.astype(np.float32, copy=False))


def from_memory(stored: Array, scalar: Scalar) -> Array:
    """Lanes from what memory holds."""
    if scalar is BF16:
        return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return stored != 0 if scalar.kind == "bool" else stored


def to_memory(lanes: Array, scalar: Scalar) -> Array:
    """What memory holds for lanes."""
    if scalar is BF16:
        return (np.ascontiguousarray(lanes).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    return lanes.astype(np.uint8) if scalar.kind == "bool" else lanes


def to_bits(lanes: Array, scalar: Scalar) -> Array:
    """The bit patterns of lanes, as unsigned integers of the scalar's size."""
    stored = np.ascontiguousarray(to_memory(lanes, scalar))
    return stored.view(UNSIGNED[scalar.size])


def from_bits(bits: Array, scalar: Scalar) -> Array:
    """Lanes of a type from bit patterns."""
    return from_memory(np.ascontiguousarray(bits).view(MEMORY[scalar]), scalar)


def from_int(x: Array, dst: Scalar) -> Array:
    """Integers or bools to a floating type, one rounding."""
    if dst is not BF16:
        return x.astype(LANE[dst])
    wide = x.astype(np.float64)
    if x.dtype.itemsize == 8:  # f64 holds 53 bits: make the first rounding sticky
        back = np.clip(wide, -(2.0**63), 2.0**63 - 1024) if x.dtype.kind == "i" else np.clip(wide, 0, 2.0**64 - 2048)
        wide = np.where(back.astype(x.dtype) == x, wide, (wide.view(np.int64) | 1).view(np.float64))
    return round_to(wide, BF16)


def to_int(x: Array, dst: Scalar) -> Array:
    """Floats to integers, truncating; out of range saturates and NaN gives 0, as CUDA's conversions do."""
    dtype = LANE[dst]
    if dst.kind == "bool":
        return x != 0
    t = np.trunc(x.astype(np.float64, copy=False))
    info = np.iinfo(dtype)
    low, end = float(info.min), 2.0 ** (dst.bits - (1 if dst.signed else 0))
    if t.size and t.min() >= low and t.max() < end:  # false for NaN
        return t.astype(dtype)
    inside = (t >= low) & (t < end)
    out = np.where(inside, t, 0.0).astype(dtype)
    out = np.where(t >= end, dtype.type(info.max), out)
    return np.where(t < low, dtype.type(info.min), out)


def divide(a: Array, b: Array) -> Array:
    """Integer quotient truncated towards zero; `b` must not be 0. The most negative value over -1 wraps."""
    if a.dtype.kind == "u" or (a.min() >= 0 and b.min() > 0):
        return a // b
    q = a // np.where(b == -1, b.dtype.type(1), b)
    q = np.where(b == -1, np.negative(a), q)
    # floor division rounds down; step up where the signs differ and something is left
    exact = (q * b) == a
    return np.where(~exact & ((a < 0) != (b < 0)) & (b != -1), q + q.dtype.type(1), q)


def remainder(a: Array, b: Array) -> Array:
    """Integer remainder with the dividend's sign; `b` must not be 0."""
    if a.dtype.kind == "u":
        return a % b
    return np.fmod(a, np.where(b == -1, b.dtype.type(1), b))


def shift(op: str, a: Array, amount: Array) -> Array:
    """`<<` or `>>` of integer lanes; amounts from the width on give 0, or the sign for a signed `>>`."""
    bits = a.dtype.itemsize * 8
    large = (amount < 0) | (amount >= bits)
    n = np.where(large, 0, amount).astype(a.dtype)
    if op == "<<":
        return np.where(large, a.dtype.type(0), a << n)
    return np.where(
        large, np.where(a < 0, a.dtype.type(-1), a.dtype.type(0)) if a.dtype.kind == "i" else a.dtype.type(0), a >> n
    )


def bit_length(x: Array) -> Array:
    """Number of bits up to the highest one, of unsigned lanes; int32."""
    if x.dtype.itemsize < 8:
        return np.frexp(x.astype(np.float64))[1].astype(np.int32)
    high = (x >> np.uint64(32)).astype(np.float64)
    low = (x & np.uint64(0xFFFFFFFF)).astype(np.float64)
    return np.where(high > 0, 32 + np.frexp(high)[1], np.frexp(low)[1]).astype(np.int32)


def popcount(x: Array) -> Array:
    """Number of ones of unsigned lanes; int32. The usual halving sums, on 64 bits."""
    v = x.astype(np.uint64)
    v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
    v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return ((v * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int32)


def reverse_bits(x: Array) -> Array:
    """Unsigned lanes with their bits in reverse order."""
    out = np.zeros_like(x)
    one = x.dtype.type(1)
    for i in range(x.dtype.itemsize * 8):
        out = (out << one) | ((x >> x.dtype.type(i)) & one)
    return out


def multiply_high(a: Array, b: Array) -> Array:
    """The upper half of the full product of integer lanes."""
    bits = a.dtype.itemsize * 8
    if bits < 64:
        wide = np.int64 if a.dtype.kind == "i" else np.uint64
        return ((a.astype(wide) * b.astype(wide)) >> wide(bits)).astype(a.dtype)
    ua, ub = a.view(np.uint64), b.view(np.uint64)
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    al, ah, bl, bh = ua & low, ua >> half, ub & low, ub >> half
    mid = ah * bl + ((al * bl) >> half)
    mid2 = al * bh + (mid & low)
    high = ah * bh + (mid >> half) + (mid2 >> half)
    if a.dtype.kind == "u":
        return high
    high = high - np.where(a < 0, ub, np.uint64(0)) - np.where(b < 0, ua, np.uint64(0))
    return high.view(np.int64)
