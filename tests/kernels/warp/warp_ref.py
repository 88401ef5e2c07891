"""What a warp of 32 computes."""

from __future__ import annotations

from typing import Any

import numpy as np

LANE = np.arange(32)


def both_signs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Integers of both signs."""
    return {"x": rng.integers(-1000, 1000, sizes["n"])}


def runs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Warps all above the threshold, all below it, and mixed ones."""
    n = sizes["n"]
    kind = np.repeat(rng.integers(0, 3, n // 32 + 1), 32)[:n]
    return {"x": np.where(kind == 0, 1.0, np.where(kind == 1, 0.0, rng.random(n)))}


def distinct_keys(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """32 different keys per row, with values."""
    keys = np.stack([rng.permutation(200)[:32] - 100 for _ in range(sizes["warps"])])
    return {"keys": keys, "values": rng.integers(0, 2**31, keys.shape)}


def ties(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Few different numbers, so that the largest occurs often; a row of infinities with the wrong sign at the end."""
    x = rng.integers(-5, 5, (sizes["rows"], sizes["cols"])).astype(float)
    return {"x": x}


def large(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Integers far beyond 32 bits."""
    return {"x": rng.integers(-(2**57), 2**57, (sizes["warps"], 32))}


def few_keys(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Keys of seven values, some negative."""
    return {"keys": rng.integers(-3, 4, (sizes["warps"], 32))}


def any_bits(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words over the whole range."""
    return {"x": rng.integers(0, 2**32, (sizes["rows"], 32))}


def row_sums(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, 32) -> sums (rows,)."""
    return {"sums": inputs["x"].sum(axis=1)}


def warp_scan(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> y (n,): prefix sums that begin again every 32 elements."""
    x = inputs["x"]
    return {"y": np.concatenate([np.cumsum(x[s : s + 32]) for s in range(0, len(x), 32)])}


def warp_own_value(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, delta -> differences to the lane `delta` below (of 16) and above (of 32), 0 where there is none."""
    x, delta = inputs["x"].reshape(-1, 32), inputs["delta"]
    below = np.where(delta <= LANE % 16, LANE - delta, LANE)
    above = np.where(LANE + delta < 32, LANE + delta, LANE)
    return {"left": (x - x[:, below]).ravel(), "right": (x[:, above] - x).ravel()}


def warp_rotate(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, by -> y: each warp's values rotated."""
    return {"y": np.roll(inputs["x"].reshape(-1, 32), -inputs["by"], axis=1).ravel()}


def row_dots(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (rows, cols) -> dots (rows,)."""
    return {"dots": (inputs["a"] * inputs["b"]).sum(axis=1)}


def warp_compact(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> kept: the positive ones, then zeros; count."""
    kept = inputs["x"][inputs["x"] > 0]
    out = np.zeros(inputs["n"], np.int64)
    out[: len(kept)] = kept
    return {"kept": out, "count": np.array([len(kept)])}


def warp_votes(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,), threshold -> any, all, bits of every 32 elements."""
    above = inputs["x"] > inputs["threshold"]
    rows = [above[s : s + 32] for s in range(0, len(above), 32)]
    return {
        "any": np.array([r.any() for r in rows], np.int64),
        "all": np.array([r.all() for r in rows], np.int64),
        "bits": np.array([int((r.astype(np.int64) << np.arange(len(r))).sum()) for r in rows]),
    }


def warp_sort(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys, values (warps, 32) -> both in the order of the keys."""
    order = np.argsort(inputs["keys"], axis=1)
    return {k: np.take_along_axis(inputs[k], order, axis=1) for k in ("keys", "values")}


def warp_argmax(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> index of the first largest, and the largest."""
    return {"index": inputs["x"].argmax(axis=1), "peak": inputs["x"].max(axis=1)}


def warp_long(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (warps, 32) -> y: exclusive prefix sums; totals."""
    sums = np.cumsum(inputs["x"], axis=1)
    return {"y": sums - inputs["x"], "totals": sums[:, -1]}


def warp_partial_block(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 48) -> odd: odd numbers in the lane's warp; low: smallest of its 16 lanes."""
    x = inputs["x"]
    odd = np.concatenate([np.repeat((x[:, :32] & 1).sum(1), 32).reshape(-1, 32),
                          np.repeat((x[:, 32:] & 1).sum(1), 16).reshape(-1, 16)], axis=1)  # fmt: skip
    return {"odd": odd, "low": np.repeat(x.reshape(-1, 16).min(axis=1), 16).reshape(x.shape)}


def warp_match(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (warps, 32) -> same: lanes with this key; leader: the first of them."""
    equal = inputs["keys"][:, :, None] == inputs["keys"][:, None, :]
    return {"same": equal.sum(axis=2), "leader": equal.argmax(axis=2)}


def warp_reduce_intrinsics(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, 32) of u32 -> out (rows, 7)."""
    x = inputs["x"]
    signed = x.astype(np.uint32).view(np.int32) if x.dtype == np.uint32 else x.astype(np.uint32).astype(np.int32)
    columns = [
        x.sum(1) % 2**32, x.min(1), x.max(1), np.bitwise_and.reduce(x, 1), np.bitwise_or.reduce(x, 1),
        np.bitwise_xor.reduce(x, 1), signed.min(1).astype(np.int64) % 2**32,
    ]  # fmt: skip
    return {"out": np.stack(columns, axis=1)}


def block_sums(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> sums of every 128 elements."""
    x = inputs["x"]
    return {"sums": np.array([x[s : s + 128].sum() for s in range(0, len(x), 128)])}


def total(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> total (1,)."""
    return {"total": np.array([inputs["x"].sum()])}
