"""Hashes and comparisons of bytes."""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy as np


def strings(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Strings of random lengths, some of them empty."""
    ends = np.sort(rng.integers(0, sizes["length"] + 1, sizes["count"] - 1))
    return {
        "text": rng.integers(0, 256, sizes["length"]),
        "offsets": np.concatenate([[0], ends, [sizes["length"]]]),
    }


def keys_32(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Keys over the whole range."""
    return {"keys": rng.integers(0, 2**32, sizes["n"], dtype=np.uint32)}


def keys_64(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Keys over the whole range."""
    return {"keys": rng.integers(0, 2**64, sizes["n"], dtype=np.uint64)}


def words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Strings that often agree at their beginning, the first but for its end; bytes above 127 are negative."""
    letters = np.array([ord(c) for c in "abABzZ[@"] + [0, -23])
    a = rng.choice(letters, (sizes["n"], sizes["width"]))
    b = np.where(rng.random(a.shape) < 0.3, rng.choice(letters, a.shape), a)
    a[0], b[0] = ord("a"), ord("a")
    b[0, -1] = ord("b")
    return {"a": a, "b": b}


def abc(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """A text of three letters; in every second one "abac" is at the end alone."""
    text = rng.choice([97, 98, 99], sizes["n"])
    if rng.random() < 0.5:
        text[text == 98] = 97
        text[-4:] = [97, 98, 97, 99][max(0, 4 - len(text)) :]
    return {"text": text}


def fnv1a_rows(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """text, offsets -> hashes (count,)."""
    out, ends = [], inputs["offsets"]
    for a, b in itertools.pairwise(ends):
        h = 0xCBF29CE484222325
        for byte in inputs["text"][a:b].tolist():
            h = (h ^ byte) * 0x100000001B3 % 2**64
        out.append(h)
    return {"hashes": np.array(out, np.uint64)}


def murmur(keys: np.ndarray, bits: int, steps: list[tuple[int, int]], last: int) -> np.ndarray:
    """Shifts and multiplications modulo 2^bits."""
    out = []
    for k in keys.tolist():
        for shift, factor in steps:
            k = (k ^ k >> shift) * factor % 2**bits
        out.append(k ^ k >> last)
    return np.array(out, np.uint64)


def murmur_32(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (n,) -> hashes (n,)."""
    return {"hashes": murmur(inputs["keys"], 32, [(16, 0x85EBCA6B), (13, 0xC2B2AE35)], 16)}


def murmur_64(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (n,) -> hashes (n,)."""
    return {"hashes": murmur(inputs["keys"], 64, [(33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)], 33)}


def compare_words(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (n, width) -> order (n,): of ASCII strings that end at a zero, without regard to case."""
    order = []
    for a, b in zip(inputs["a"].astype(np.uint8), inputs["b"].astype(np.uint8), strict=True):
        x, y = (s.tobytes().split(b"\0")[0].lower() for s in (a, b))
        order.append((x > y) - (x < y))
    return {"order": np.array(order)}


def crc32_blocks(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """data (blocks, size) -> crcs (blocks,)."""
    return {"crcs": np.array([zlib.crc32(row.astype(np.uint8).tobytes()) for row in inputs["data"]])}


def first_match(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """text (n,) -> first (1,): where "abac" begins first; the largest int where nowhere."""
    at = inputs["text"].astype(np.uint8).tobytes().find(b"abac")
    return {"first": np.array([at if at >= 0 else 2**31 - 1])}
