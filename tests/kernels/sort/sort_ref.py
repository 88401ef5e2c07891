"""Sorting steps."""

from __future__ import annotations

from typing import Any

import numpy as np


def any_ints(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Integers over the whole range of i32."""
    return {"data": rng.integers(-(2**31), 2**31, sizes["n"])}


def any_keys(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Keys over the whole range of u32."""
    return {"keys": rng.integers(0, 2**32, sizes["n"])}


def split_keys(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """A block of random keys per row."""
    return {"in": rng.integers(0, 2**32, (sizes["blocks"], 128))}


def signed_rows(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Rows of i16 of both signs; the first is sorted already."""
    rows = rng.integers(-(2**15), 2**15, (sizes["rows"], sizes["cols"]))
    rows[0].sort()
    return {"rows": rows}


def two_sorted(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Two sorted arrays with many equal numbers, some of them subnormal, and infinities."""

    def keys(n: int) -> np.ndarray:
        ordinary, subnormal = rng.integers(-40, 40, n) / 4.0, rng.integers(-40, 40, n) * 2.0**-140
        kind = rng.integers(0, 40, n)
        return np.sort(np.select([kind < 8, kind == 8, kind == 9], [subnormal, -np.inf, np.inf], ordinary))

    return {"a": keys(sizes["na"]), "b": keys(sizes["nb"])}


def rows_ascending(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in (rows, cols) -> out, each row sorted."""
    return {"out": np.sort(inputs["in"], axis=1)}


def bitonic_step(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """data (n,) -> data after the exchange of each i with i ^ j."""
    data, k, j = inputs["data"], inputs["k"], inputs["j"]
    i = np.arange(inputs["n"])
    i = i[((i ^ j) > i) & ((i ^ j) < inputs["n"])]
    a, b = data[i], data[i ^ j]
    up = (i & k) == 0
    out = data.copy()
    out[i] = np.where(up, np.minimum(a, b), np.maximum(a, b))
    out[i ^ j] = np.where(up, np.maximum(a, b), np.minimum(a, b))
    return {"data": out}


def radix_count(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (n,), shift -> counts (16, blocks of 128 keys)."""
    digits = inputs["keys"] >> inputs["shift"] & 15
    tiles = [np.bincount(digits[s : s + 128], minlength=16) for s in range(0, len(digits), 128)]
    return {"counts": np.stack(tiles, axis=1)}


def radix_split(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in (blocks, 128), bit -> out: each row's keys with the bit clear, then those with it set, in order."""
    rows = [row[np.argsort(row >> inputs["bit"] & 1, kind="stable")] for row in inputs["in"]]
    return {"out": np.stack(rows)}


def odd_even_until_sorted(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """rows -> rows sorted, and how many double rounds each took, with the last that swaps nothing."""
    rows, rounds = inputs["rows"].copy(), []
    for row in rows:
        count, swapped = 0, True
        while swapped:
            swapped, count = False, count + 1
            for parity in (0, 1):
                for a in range(parity, len(row) - 1, 2):
                    if row[a] > row[a + 1]:
                        row[a], row[a + 1] = row[a + 1], row[a]
                        swapped = True
        rounds.append(count)
    return {"rows": rows, "rounds": np.asarray(rounds)}


def merge_ranks(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a (na,), b (nb,), both sorted -> merged (na + nb,)."""
    return {"merged": np.sort(np.concatenate([inputs["a"], inputs["b"]]), kind="stable")}
