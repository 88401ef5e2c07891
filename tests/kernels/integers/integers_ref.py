"""C's integers, written out."""

from __future__ import annotations

from typing import Any

import numpy as np


def any_signs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers over the whole ranges, a third of them small."""
    a, b = rng.integers(-(2**31), 2**31, sizes["n"]), rng.integers(0, 2**32, sizes["n"])
    a[::3], b[::3] = a[::3] % 9 - 4, b[::3] % 5
    return {"a": a, "b": b}


def edge_words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words with any number of leading zeros; 0 and all ones first."""
    x = rng.integers(0, 2**32, sizes["n"]) >> rng.integers(0, 33, sizes["n"])
    x[:2] = [0, 2**32 - 1][: len(x)]
    return {"x": x}


def wide(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """64-bit words."""
    return {k: rng.integers(0, 2**64, sizes["n"], dtype=np.uint64) for k in "ab"}


def ten_bits(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Coordinates of ten bits."""
    return {"points": rng.integers(0, 1024, (sizes["n"], 3))}


def wrap(value: int, bits: int) -> int:
    """Two's complement of `bits` bits."""
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def mixed_signs(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a (i32), b (u32) -> out (n, 8)."""
    out = []
    for x, y in zip(inputs["a"].tolist(), inputs["b"].tolist(), strict=True):
        quotient = abs(x) // 7 * (1 if x >= 0 else -1)
        out.append([
            x % 2**32 < y, (x + y) % 2**32 >> 1, x >> 3, quotient * 3 + x - 7 * quotient, wrap(x, 8) + x % 256,
            wrap(x ^ 0x5AA5, 16), (y % 256 + 200) % 256, y // 3 - y % 10,
        ])  # fmt: skip
    return {"out": np.array(out, np.int64)}


def bit_tricks(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> out (n, 4), words (n, 4)."""
    out, words = [], []
    for v in inputs["x"].tolist():
        ones, length = bin(v).count("1"), v.bit_length()
        out.append([ones, 32 - length, (v & -v).bit_length(), 64 - length + 64 - ones])
        source = v.to_bytes(4, "little") + (0x11223344).to_bytes(4, "little")
        permuted = int.from_bytes(bytes(source[k] for k in (5, 0, 1, 7)), "little")
        s = v & 31
        funnel = (((~v & 0xFFFFFFFF) << 32 | v) << s >> 32) & 0xFFFFFFFF
        words.append([int(f"{v:032b}"[::-1], 2), permuted, funnel, (v << s | v >> (-v & 31)) & 0xFFFFFFFF])
    return {"out": np.array(out), "words": np.array(words)}


def wide_multiply(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (n,), m -> high words of a b, plus the top bit of the low one; (a mod m)(b mod m) / 2^32 modulo m."""
    m, pairs = inputs["m"], list(zip(inputs["a"].tolist(), inputs["b"].tolist(), strict=True))
    inverse = pow(2**32, -1, m)
    return {
        "high": np.array([((a * b >> 64) + (a * b % 2**64 >> 63)) % 2**64 for a, b in pairs], np.uint64),
        "reduced": np.array([a % m * (b % m) * inverse % m for a, b in pairs]),
    }


def morton(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """points (n, 3) -> codes (n,), back: the points again."""
    bits = inputs["points"][:, :, None] >> np.arange(10) & 1
    weights = 1 << (3 * np.arange(10) + np.arange(3)[:, None])
    return {"codes": (bits * weights).sum(axis=(1, 2)), "back": inputs["points"]}
