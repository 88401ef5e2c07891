"""What the kernels with unusual control flow compute."""

from __future__ import annotations

from typing import Any

import numpy as np


def programs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Operations, some of them unknown, and small values, some of them zero."""
    shape = (sizes["n"], sizes["length"])
    return {"ops": rng.choice([0, 1, 2, 4, 5], shape), "values": rng.integers(-9, 10, shape)}


def escape(cx: np.ndarray, cy: np.ndarray, limit: int, radius: float) -> np.ndarray:
    """Iterations of z^2 + c until |z|^2 exceeds `radius`."""
    x, y, out = np.zeros_like(cx), np.zeros_like(cx), np.zeros(cx.shape, np.int64)
    live = np.ones(cx.shape, bool)
    for _ in range(limit):
        live &= x * x + y * y <= radius
        out += live
        x, y = np.where(live, x * x - y * y + cx, x), np.where(live, 2 * x * y + cy, y)
    return out


def clear_points(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Points whose number of iterations does not hang on the last bits."""
    cx, cy = (rng.uniform(-2, 2, 60 * sizes["n"] + 60).astype(np.float32).astype(float) for _ in range(2))
    counts = [escape(cx, cy, 20, r) for r in (3.98, 4.0, 4.02)]
    clear = np.flatnonzero((counts[0] == counts[1]) & (counts[1] == counts[2]))[: sizes["n"]]
    return {"cx": cx[clear], "cy": cy[clear]}


def reversed_blocks(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> y: every 64 elements, and what is left, backwards."""
    x = inputs["x"]
    return {"y": np.concatenate([x[s : s + 64][::-1] for s in range(0, len(x), 64)])}


def loop_break_barrier(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 32), limit -> y: halved until the largest magnitude is in the limit; steps."""
    x, steps = inputs["x"], []
    for row in x:
        k, peak = 0, np.abs(row).max()
        while peak > inputs["limit"] and k < 10:
            k, peak = k + 1, peak / 2
        steps.append(k)
    return {"y": x * 0.5 ** np.array(steps)[:, None], "steps": np.array(steps)}


def collatz(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """start (n,), limit -> steps (n,)."""
    out = []
    for v in inputs["start"].tolist():
        k = 0
        while v > 1 and k < inputs["limit"]:
            v, k = (3 * v + 1 if v % 2 else v // 2), k + 1
        out.append(k)
    return {"steps": np.array(out)}


def opcode_switch(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """ops, values (n, length) -> out (n,)."""
    do = {0: lambda a, b: a + b, 1: lambda a, b: a - b, 4: lambda a, b: a * b, 5: lambda a, _b: -a}
    out = []
    for ops, values in zip(inputs["ops"].tolist(), inputs["values"].tolist(), strict=True):
        acc = 1
        for op, v in zip(ops, values, strict=True):
            if v:
                acc = do[op](acc, v) if op in do else 1000 + op
        out.append(acc)
    return {"out": np.array(out)}


def mandelbrot(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """cx, cy (n,), max_iterations -> out (n,)."""
    return {"out": escape(inputs["cx"], inputs["cy"], inputs["max_iterations"], 4.0)}
