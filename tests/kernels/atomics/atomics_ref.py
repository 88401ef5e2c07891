"""What atomics leave behind, in whatever order they come."""

from __future__ import annotations

from typing import Any

import numpy as np


def grouped(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers over the whole range in groups 0 to 6; group 7 stays empty."""
    return {"x": rng.integers(-(2**31), 2**31, sizes["n"]), "group": rng.integers(0, 7, sizes["n"])}


def large_words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words over the whole range."""
    return {"x": rng.integers(0, 2**32, sizes["n"])}


def small_words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers below 256, but for 255."""
    return {"x": rng.integers(0, 255, sizes["n"])}


def repeated_keys(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Keys of which at most 0.7 of the table's capacity are different."""
    kinds = rng.integers(0, 2**32 - 1, max(1, 7 * sizes["capacity"] // 10))
    return {"keys": rng.choice(kinds, sizes["n"])}


def atomic_extremes(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, group (n,) -> low, high, ulow, uhigh (8,); they start at 1000, ulow at the largest number."""
    out = {k: np.full(8, 2**32 - 1 if k == "ulow" else 1000) for k in ("low", "high", "ulow", "uhigh")}
    x, g = inputs["x"], inputs["group"]
    for name, values, take in (("low", x, np.minimum), ("high", x, np.maximum), ("ulow", x % 2**32, np.minimum),
                               ("uhigh", x % 2**32, np.maximum)):  # fmt: skip
        take.at(out[name], g, values)
    return out


def atomic_max_float(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> peak (cols,), at least -1000."""
    return {"peak": np.maximum(inputs["x"].max(axis=0), -1000.0)}


def atomic_max_ordered(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> best (1,): the largest, its bits in an order that is that of the numbers."""
    bits = int(inputs["x"].max().astype(np.float32).view(np.uint32))
    return {"best": np.array([~bits & 0xFFFFFFFF if bits >> 31 else bits | 0x80000000])}


def atomic_sum_u64(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> sums (4,), by x modulo 4."""
    x = inputs["x"]
    return {"sums": np.array([x[x % 4 == k].sum() for k in range(4)])}


def atomic_ring(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """n, slots -> cursor (1,), uses (slots,)."""
    n, slots = inputs["n"], inputs["slots"]
    return {"cursor": np.array([n % slots]), "uses": np.bincount(np.arange(n) % slots, minlength=slots)}


def atomic_bitmap(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> seen, parity (8,) as bits, distinct (1,)."""
    counts = np.bincount(inputs["x"], minlength=256)
    weights = 1 << np.arange(32)
    bits = {k: (v.reshape(8, 32) * weights).sum(axis=1) for k, v in (("seen", counts > 0), ("parity", counts % 2))}
    return {**bits, "distinct": np.array([(counts > 0).sum()])}


def atomic_tickets(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """n -> counter, tickets (n,) in any order, last."""
    n = inputs["n"]
    return {"counter": np.array([n]), "tickets": np.arange(n), "last": np.array([42 if n else 0])}


def hash_insert(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (n,) -> table (capacity,) in any order; empty slots hold the largest number."""
    kinds = np.unique(inputs["keys"])
    table = np.full(inputs["capacity"], 2**32 - 1)
    table[: len(kinds)] = kinds
    return {"table": table}


def shared_float_sum(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, label (n,) -> sums (10,), by label modulo 10."""
    return {"sums": np.bincount(inputs["label"] % 10, inputs["x"], minlength=10)}


def last_block(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> parts of 64, done, sum."""
    x = inputs["x"]
    parts = np.array([x[s : s + 64].sum() for s in range(0, len(x), 64)])
    return {"parts": parts, "done": np.array([len(parts)]), "sum": np.array([x.sum()])}


def kinds(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """kind (n,), 0 to 5."""
    return {"kind": rng.integers(0, 6, sizes["n"])}


def device_counters(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """kind (n,) -> queue: the prices of those below 4, then zeros; how many; none left out."""
    sold = np.array([0.55, 1.0, 2.4, 0.0], np.float32)[inputs["kind"][inputs["kind"] < 4]]
    queue = np.pad(sold, (0, len(inputs["kind"]) - len(sold)))
    return {"queue": queue, "queue_length": np.array([len(sold)]), "left_out": np.array([0])}
