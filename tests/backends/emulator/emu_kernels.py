"""Kernels as practitioners write them, built by hand: for tests and for the benchmark."""

from __future__ import annotations

from typing import Any

from emu_build import (
    X,
    assign,
    atomic,
    bid,
    const,
    declare,
    do,
    grid,
    iff,
    loc,
    loop,
    loop_while,
    math,
    pointer,
    program,
    select,
    shared,
    shfl,
    sync,
    tid,
    var,
)
from gpuport.ir import nodes as ir
from gpuport.ir.types import F32, I32, Space


def sgemm(tile: int = 16, *, barrier: bool = True) -> Any:
    da, a_s = shared("As", F32, tile, tile)
    db, b_s = shared("Bs", F32, tile, tile)
    p = pointer(F32, const=True)
    a, b, o = var("a", p), var("b", p), var("o", pointer(F32))
    m, n, k = var("M"), var("N"), var("K")
    tx, ty, row, col, t, kk, acc = var("tx"), var("ty"), var("row"), var("col"), var("t"), var("kk"), var("acc", F32)
    inner = [
        assign(a_s[ty][tx], select((row < m).land(t * tile + tx < k), a[row * k + t * tile + tx], const(0, F32))),
        assign(b_s[ty][tx], select((col < n).land(t * tile + ty < k), b[(t * tile + ty) * n + col], const(0, F32))),
        *([sync()] if barrier else []),
        loop("kk", 0, tile, [assign(acc, a_s[ty][kk] * b_s[kk][tx], "+")]),
        sync(),
    ]
    body = [
        da, db,
        declare("tx", I32, tid(0)), declare("ty", I32, tid(1)),
        declare("row", I32, bid(1) * tile + ty), declare("col", I32, bid(0) * tile + tx),
        declare("acc", F32, const(0, F32)),
        loop("t", 0, (k + (tile - 1)) / tile, inner),
        iff((row < m).land(col < n), [assign(o[row * n + col], acc)]),
    ]  # fmt: skip
    return program({"a": p, "b": p, "o": pointer(F32), "M": I32, "N": I32, "K": I32}, body)


def softmax(threads: int = 256) -> Any:
    """One row per group; warp shuffles and one shared array."""
    dr, red = shared("red", F32, 32)
    x, o, cols = var("x", pointer(F32, const=True)), var("o", pointer(F32)), var("cols")
    i, t, m, s, v, lane, warp = (
        var("i"),
        var("t"),
        var("m", F32),
        var("s", F32),
        var("v", F32),
        var("lane"),
        var("warp"),
    )
    at = x[bid() * cols + i]

    def reduce(what: X, combine: Any, start: float) -> list[Any]:
        d = var("d")
        down = loop_while(d > 0, [assign(what, combine(what, shfl("xor", what, d))), assign(d, 1, ">>")])
        return [
            ir.Block((declare("d", I32, 16), down), loc=loc()),
            iff(lane.eq(0), [assign(red[warp], what)]),
            sync(),
            assign(what, select(lane < threads // 32, red[lane], const(start, F32))),
            ir.Block((declare("d", I32, 16), down), loc=loc()),
            sync(),
        ]

    body = [
        dr,
        declare("t", I32, tid()), declare("lane", I32, t % 32), declare("warp", I32, t / 32),
        declare("m", F32, const(-3e38, F32)),
        loop("i", t, cols, [assign(m, math("fmax", m, at))], threads),
        *reduce(m, lambda a, b: math("fmax", a, b), -3e38),
        declare("s", F32, const(0, F32)),
        loop("i", t, cols, [assign(s, math("exp", at - m), "+")], threads),
        *reduce(s, lambda a, b: a + b, 0.0),
        loop("i", t, cols, [declare("v", F32, math("exp", at - m)), assign(o[bid() * cols + i], v / s)], threads),
    ]  # fmt: skip
    return program({"x": pointer(F32, const=True), "o": pointer(F32), "cols": I32}, body)


def histogram(threads: int = 256, bins: int = 256) -> Any:
    db, local = shared("local", I32, bins)
    x, io, n = var("x", pointer(I32, const=True)), var("io", pointer(I32)), var("n")
    i, t = var("i"), var("t")
    stride = grid(ir.Grid.GRID_SIZE) * threads
    here, there = X(ir.AddressOf(local[x[i] & (bins - 1)].e, pointer(I32, space=Space.SHARED))), io[i].addr()
    body = [
        db,
        declare("t", I32, tid()),
        loop("i", t, bins, [assign(local[i], 0)], threads),
        sync(),
        loop("i", bid() * threads + t, n, [do(atomic("add", here, 1))], stride),
        sync(),
        loop("i", t, bins, [do(atomic("add", there, local[i]))], threads),
    ]
    return program({"x": pointer(I32, const=True), "io": pointer(I32), "n": I32}, body)
