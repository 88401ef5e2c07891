"""Generators of random numbers, in Python's own integers."""

from __future__ import annotations

from typing import Any

import numpy as np

M32, M64 = 2**32 - 1, 2**64 - 1


def seeds(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """States of xorshift, which must not be 0."""
    return {"seeds": rng.integers(1, 2**32, sizes["walkers"])}


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Four words of Philox4x32-10."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & M32, p0 >> 32 ^ c[3] ^ k[1], p0 & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c


def philox_uint(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """n, seed -> out (n, 4): words of counter i."""
    key = [inputs["seed"] & M32, inputs["seed"] >> 32]
    return {"out": np.array([philox([i, 0, 0, 0], key) for i in range(inputs["n"])])}


def wang_hash(seed: int) -> int:
    """Thomas Wang's integer hash."""
    seed = seed ^ 61 ^ seed >> 16
    seed = seed * 9 & M32
    seed ^= seed >> 4
    seed = seed * 0x27D4EB2D & M32
    return seed ^ seed >> 15


def box_muller(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """pairs, seed -> out (pairs, 2) of normal numbers."""
    first = [wang_hash((inputs["seed"] + i) & M32) for i in range(inputs["pairs"])]
    u1, u2 = (np.array([(h >> 8) + 1 for h in bits]) * 2.0**-24 for bits in (first, map(wang_hash, first)))
    radius, angle = np.sqrt(-2 * np.log(u1)), 2 * np.pi * u2
    return {"out": np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)}


def xorshift_walk(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """seeds (walkers,), steps -> states, position (walkers,)."""
    state, position = inputs["seeds"].copy(), np.zeros(inputs["walkers"], np.int64)
    for _ in range(inputs["steps"]):
        state ^= state << 13 & M32
        state ^= state >> 17
        state ^= state << 5 & M32
        position += np.where(state & 1, 1, -1)
    return {"states": state, "position": position}


def lcg_uniform(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """threads, per_thread, seed -> out (per_thread, threads): successive numbers in [0, 1)."""
    state, out = inputs["seed"], []
    for _ in range(inputs["threads"] * inputs["per_thread"]):
        state = (state * 6364136223846793005 + 1442695040888963407) & M64
        out.append((state >> 40) / 2**24)
    return {"out": np.array(out).reshape(inputs["per_thread"], inputs["threads"])}


def pi_estimate(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """samples, seed -> hits (1,): points of the unit square inside the quarter circle."""
    hits = 0
    for i in range(inputs["samples"]):
        state = ((inputs["seed"] ^ i) * 747796405 + 2891336453) & M32
        word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & M32
        r = word >> 22 ^ word
        x, y = r & 0xFFFF, r >> 16
        hits += x * x + y * y < 2**32
    return {"hits": np.array([hits])}
