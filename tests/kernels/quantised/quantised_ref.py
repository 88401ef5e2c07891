"""Quantised arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np


def packed(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words of four random bytes of both signs."""
    shape = (sizes["rows"], sizes["words"])
    return {k: rng.integers(-(2**31), 2**31, shape) for k in "ab"}


def int8_rows(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """int8 over the whole range, -128 too."""
    return {
        "w": rng.integers(-128, 128, (sizes["rows"], sizes["cols"])),
        "x": rng.integers(-128, 128, sizes["cols"]),
        "scale": rng.random(sizes["rows"]) + 0.5,
    }


def q4_blocks(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Blocks of a float scale and 16 random bytes."""
    shape = (sizes["rows"], sizes["blocks"])
    scales = rng.standard_normal(shape).astype("<f4")[..., None].view(np.uint8)
    return {
        "vw": np.concatenate([scales, rng.integers(0, 256, (*shape, 16), dtype=np.uint8)], axis=2),
        "x": rng.standard_normal(32 * sizes["blocks"]),
    }


def q8_blocks(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Blocks of a half scale, every third one unusual, and 32 random signed bytes."""
    given = rng.standard_normal(sizes["blocks"]).astype("<f2")
    given[1::3] = np.resize([-0.0, np.nan, np.inf, 2.0**-24, 65504.0, -np.inf, 0.0], given[1::3].shape)
    scales = given[:, None].view(np.uint8)
    return {"x": np.concatenate([scales, rng.integers(0, 256, (sizes["blocks"], 32), dtype=np.uint8)], axis=1)}


def rows_with_ties(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Multiples of 1/32 and numbers next to them, largest 127/16: many quotients are ties or nearly so, all exact."""
    shape = (sizes["rows"], sizes["cols"])
    x = rng.integers(-253, 254, shape) / 32.0 + rng.integers(-1, 2, shape) / 2.0**18
    x[:, 0] = 127 / 16.0
    return {"x": x}


def normal_bf16(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Bits of normal bfloat16 numbers, infinities and NaN; no subnormals, which some devices flush."""
    bits = rng.integers(0x0100, 0x7F00, sizes["n"]) | rng.integers(0, 2, sizes["n"]) << 15
    bits[::17] = 0x7F80
    bits[5::31] = 0xFFC1
    return {"x": bits}


def dot_dp4a(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (rows, words) of four signed bytes each -> dots (rows,)."""
    a, b = (inputs[k].astype("<i4").view(np.int8).astype(np.int64) for k in "ab")
    return {"dots": (a * b).sum(axis=1)}


def matvec_int8(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """w (rows, cols), x (cols,), scale (rows,), x_scale -> y (rows,)."""
    return {"y": inputs["scale"] * inputs["x_scale"] * (inputs["w"] @ inputs["x"])}


def dequant_q4(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """qs (blocks, 16), d (blocks,) -> y (blocks, 32)."""
    nibbles = np.concatenate([inputs["qs"] & 15, inputs["qs"] >> 4], axis=1)
    return {"y": (nibbles - 8) * inputs["d"][:, None]}


def matvec_q4_blocks(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """vw (rows, blocks, 20) bytes, x (blocks * 32,) -> y (rows,)."""
    raw = inputs["vw"].astype(np.uint8)
    d = np.ascontiguousarray(raw[..., :4]).view("<f4").astype(np.float64)
    qs = raw[..., 4:].astype(np.int64)
    w = (np.concatenate([qs & 15, qs >> 4], axis=2) - 8) * d
    return {"y": w.reshape(len(w), -1) @ inputs["x"]}


def dequant_q8_half(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 34) bytes -> y (blocks, 32)."""
    raw = inputs["x"].astype(np.uint8)
    d = np.ascontiguousarray(raw[:, :2]).view("<f2").astype(np.float64)
    return {"y": d * raw[:, 2:].view(np.int8)}


def quantise_rows(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> q (rows, cols), scales (rows,)."""
    amax = np.abs(inputs["x"]).max(axis=1)
    q = np.clip(np.rint(inputs["x"] * (127 / amax)[:, None]), -127, 127)
    return {"q": q.astype(np.int64), "scales": amax / 127}


def bf16_bits(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,), factor -> y (n,): products in float, rounded to bfloat16, to nearest even."""
    f = (inputs["x"].astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        u = (f * np.float32(inputs["factor"])).view(np.uint32).astype(np.int64)
    rounded = (u + 0x7FFF + (u >> 16 & 1)) >> 16
    return {"y": np.where((u & 0x7FFFFFFF) > 0x7F800000, 0x7FC0, rounded)}
