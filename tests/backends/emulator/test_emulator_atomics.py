"""Atomics against a loop over lanes, including the old values under contention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emu_build import (
    STUB,
    Stub,
    assign,
    atomic,
    bid,
    clean,
    declare,
    do,
    iff,
    kinds,
    loop_while,
    pointer,
    program,
    run,
    tid,
    var,
)
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.cuda.reader import read_cuda_text
from gpuport.backends.emulator import EmulatorBackend, emulate
from gpuport.backends.emulator.bounds_domain import BoundsDomain
from gpuport.hwmodels import load_machine
from gpuport.ir import nodes as ir
from gpuport.ir.types import F32, I32, U32, U64
from hypothesis import given, settings
from hypothesis import strategies as st


def step(op: str, a: Any, b: Any, expect: Any) -> Any:
    """What an atomic leaves in a cell that held `a`."""
    if op == "cas":
        return b if a == expect else a
    if op in ("min", "max"):
        return min(a, b) if op == "min" else max(a, b)
    if op == "exch":
        return b
    return {"add": np.add, "sub": np.subtract, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[op](
        a, b
    )


@pytest.mark.filterwarnings("ignore:overflow")
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_sequence_of_lanes(data: st.DataObject) -> None:
    t = data.draw(st.sampled_from([I32, U32, U64, F32]))
    ops = ["add", "sub", "min", "max", "exch"] + ([] if t == F32 else ["and", "or", "xor", "cas"])
    op, n = data.draw(st.sampled_from(ops)), data.draw(st.sampled_from([1, 5, 64, 200]))
    cells, used = data.draw(st.sampled_from([1, 3, 50])), data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    kind = {I32: np.int32, U32: np.uint32, U64: np.uint64, F32: np.float32}[t]
    top = 100 if op != "cas" else 3
    start, value, expect = (rng.integers(0, top, k).astype(kind) for k in (cells, n, n))
    if t == F32:
        start, value = rng.normal(size=cells).astype(kind), rng.normal(size=n).astype(kind)
    where = rng.integers(0, cells, n).astype(np.int32)
    p = {"io": pointer(t), "o": pointer(t), "v": pointer(t), "w": pointer(I32), "e": pointer(t)}
    io, o, v, w, e = (var(name, q) for name, q in p.items())
    extra = {"expected": e[tid()]} if op == "cas" else {}
    made = atomic(op, io + w[tid()], v[tid()], **extra)
    prog = program(p, [assign(o[tid()], made) if used else do(made)])
    got = clean(run(prog, {"io": start, "o": np.zeros(n, kind), "v": value, "w": where, "e": expect}, 1, n))
    now, old = start.copy(), np.zeros(n, kind)
    for i in range(n):
        c, a, b = where[i], now[where[i]], value[i]
        old[i] = a
        now[c] = step(op, a, b, expect[i])
    np.testing.assert_array_equal(got.buffers["io"], now)
    if used:
        np.testing.assert_array_equal(got.buffers["o"], old)


def test_tickets_are_unique_over_chunks() -> None:
    t = {"io": pointer(I32), "o": pointer(I32)}
    me = bid() * 64 + tid()
    prog = program(t, [assign(var("o", t["o"])[me], atomic("add", var("io", t["io"]) + 0, 1))])
    n = 64 * 2000
    got = clean(run(prog, {"io": np.zeros(1, np.int32), "o": np.zeros(n, np.int32)}, 2000, 64)).buffers
    assert got["io"][0] == n
    np.testing.assert_array_equal(np.sort(got["o"]), np.arange(n))


@pytest.mark.parametrize("scale", [1.0, 2.0**-120])
def test_float_sums_where_subnormals_are_flushed(scale: float) -> None:
    flush = Stub(numerics__subnormals_f32="flushed")
    t = {"io": pointer(F32), "x": pointer(F32, const=True)}
    prog = program(t, [do(atomic("add", var("io", t["io"]) + 0, var("x", t["x"])[tid()]))])
    x = (np.array([3.0, -2.9999998, 5.0, 2.0**-8, 7.5]) * scale).astype(np.float32)
    got = clean(run(prog, {"io": np.zeros(1, np.float32), "x": x}, 1, 5, machine=flush)).buffers["io"][0]
    total = np.float32(0)
    for v in x:
        total = np.float32(total + (v if abs(v) >= 2.0**-126 else np.float32(0)))
        total = total if abs(total) >= 2.0**-126 else np.float32(0)
    assert got == total
    kept = clean(run(prog, {"io": np.zeros(1, np.float32), "x": x}, 1, 5)).buffers["io"][0]
    assert (kept == got) == (scale == 1.0)


def test_masked_lanes_do_not_update() -> None:
    t = {"io": pointer(I32)}
    body = [iff((tid() % 4).eq(0), [do(atomic("add", var("io", t["io"]) + 0, tid()))])]
    assert clean(run(program(t, body), {"io": np.zeros(1, np.int32)})).buffers["io"][0] == sum(range(0, 32, 4))


def test_lock_free_float_maximum() -> None:
    """A compare-and-swap loop, as practitioners write it, with full contention."""
    t = {"io": pointer(U32), "x": pointer(F32, const=True)}
    io, x, old, seen = var("io", t["io"]), var("x", t["x"]), var("old", U32), var("seen", U32)
    body = [
        declare("old", U32, atomic("or", io + 0, 0)),
        declare("seen", U32, old + 1),
        loop_while(seen.ne(old).land(old.bits(F32) < x[tid()]), [
            assign(seen, old),
            assign(old, atomic("cas", io + 0, x[tid()].bits(U32), expected=seen)),
            iff(old.eq(seen), [ir.Break()]),
            assign(seen, old + 1),
        ]),
    ]  # fmt: skip
    data = np.random.default_rng(0).uniform(0, 9, 128).astype(np.float32)
    got = clean(run(program(t, body), {"io": np.zeros(1, np.uint32), "x": data}, 1, 128))
    assert got.buffers["io"].view(np.float32)[0] == data.max()


@pytest.mark.parametrize("offset", [-1, 4])
def test_out_of_bounds_and_input(offset: int) -> None:
    t = {"io": pointer(I32)}
    prog = program(t, [do(atomic("add", var("io", t["io"]) + offset, 1))])
    got = run(prog, {"io": np.zeros(4, np.int32)})
    assert kinds(got) == ["out-of-bounds"]
    assert not got.buffers["io"].any()
    prog = program(t, [do(atomic("add", var("io", t["io"]) + 0, 1))])
    assert kinds(run(prog, {"io": np.zeros(4, np.int32)}, roles={"io": "in"})) == ["read-only"]
    assert kinds(run(prog, {"io": np.zeros(4, np.int32)}, roles={"io": "out"})) == ["uninitialised"]


def test_backend_reads_the_text() -> None:
    t = {"o": pointer(F32), "n": I32}
    prog = program(t, [iff(tid() < var("n"), [assign(var("o", t["o"])[tid()], 2)])])
    seen: list[Any] = []

    def read(text: KernelText, machine: Any) -> ir.Program:
        seen.append((text.source, machine))
        return prog

    backend = EmulatorBackend(read)
    assert backend.availability().available
    params = (TextParam("o", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"))
    kernel = backend.compile(KernelText("cuda", "kernel", "the text", params), STUB)
    assert seen == [("the text", STUB)]
    out = np.zeros(3, np.float32)
    result = kernel.run(Launch((1, 1, 1), (32, 1, 1)), {"o": out, "n": 3}, repeats=2)
    assert result.buffers["o"].tolist() == [2, 2, 2]
    assert result.findings == []
    assert len(result.seconds) == 2
    assert not out.any()
    assert kinds_of(kernel.run(Launch((1, 1, 1), (32, 1, 1)), {"o": out, "n": 4})) == ["out-of-bounds"]


def kinds_of(result: Any) -> list[str]:
    return [f.kind for f in result.findings]


FLUSHES = """
__global__ void k(float* g, float* h, float v) {
    __shared__ float s;
    if (threadIdx.x == 0) s = 0.0f;
    __syncthreads();
    atomicAdd(g, v);
    atomicAdd(&s, v);
    __syncthreads();
    if (threadIdx.x == 0) *h = s;
}
"""


def test_atomic_adds_flush_where_the_machine_does() -> None:
    """On NVIDIA atomics on global memory flush subnormal numbers and those on shared memory do not, as an H100 showed."""
    kernel, tiny = read_cuda_text(FLUSHES, "k", "k.cu"), np.float32(2.0**-130)
    for machine, expected in (("h100", 0.0), ("cpu", 4 * tiny)):
        for domain in (None, BoundsDomain()):
            args = {"g": np.zeros(1, "f4"), "h": np.zeros(1, "f4"), "v": tiny}
            roles: Any = {"g": "inout", "h": "out"}
            launch = Launch((1, 1, 1), (4, 1, 1))
            got = emulate(kernel, load_machine(machine), launch, args, roles=roles, domain=domain)
            assert got.buffers["h"][0] == 4 * tiny
            if domain is None:
                assert got.buffers["g"][0] == expected
            else:
                assert got.bounds is not None
                assert got.bounds["g"][0] >= abs(4 * tiny - expected)
