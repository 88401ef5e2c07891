"""Shuffles and votes against a thread-by-thread model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emu_build import (
    STUB,
    WAVE64,
    X,
    assign,
    clean,
    declare,
    iff,
    kinds,
    loc,
    pointer,
    program,
    run,
    shfl,
    tid,
    var,
    vec,
)
from gpuport.ir import nodes as ir
from gpuport.ir.types import BOOL, F32, I32, U32, U64


def model(kind: str, lane: int, by: int, w: int) -> int | None:
    """Source lane of CUDA's shuffle; None where the source is outside the segment."""
    first, last = lane - lane % w, lane - lane % w + w - 1
    if kind == "idx":
        return first + by % w if 0 <= by < w else None
    source = {"up": lane - by, "down": lane + by, "xor": lane ^ by}[kind]
    return source if first <= source <= last else None


@pytest.mark.parametrize("width", [2, 8, 32, 64, 0])
@pytest.mark.parametrize("kind", ["idx", "up", "down", "xor"])
@pytest.mark.parametrize("undefined", [False, True])
def test_shuffle_kinds(kind: str, width: int, undefined: bool) -> None:
    machine = WAVE64 if width in (64, 0) else STUB
    subgroup = machine.get("execution.subgroup_width")
    w = width or subgroup
    t = {"o": pointer(I32), "by": I32}
    v = shfl(kind, tid() + 100, var("by"), width, undefined)
    # in CUDA a distance of 32 is a finding of its own
    prog = program(t, [assign(var("o", t["o"])[tid()], v)], language="opencl")
    for by in (0, 1, 3, w - 1, w):
        got = clean(run(prog, {"o": np.zeros(128, np.int32), "by": by}, 1, 128, machine=machine)).buffers["o"]
        for i in range(128):
            lane = i % subgroup
            source = model(kind, lane, by, w)
            if source is not None:
                want = i - lane + source + 100
            elif undefined:
                want = 0x7FC0DEAD
            elif kind == "idx":
                want = i - lane + lane - lane % w + by % w + 100
            elif kind == "xor" and (lane ^ by) < lane:  # earlier segments may be read, PTX ISA on shfl
                want = i - lane + (lane ^ by) + 100
            else:
                want = i + 100
            assert got[i] == want, (i, by)


def test_width_of_a_wider_machine_is_found() -> None:
    t = {"o": pointer(I32)}
    prog = program(t, [assign(var("o", t["o"])[tid()], shfl("xor", tid(), 1, 64))])
    assert kinds(run(prog, {"o": np.zeros(64, np.int32)}, 1, 64)) == ["shuffle"]


def test_inactive_source() -> None:
    t = {"o": pointer(I32)}
    o = var("o", t["o"])

    def prog(limit: int) -> ir.Program:
        return program(t, [assign(o[tid()], 0), iff(tid() < limit, [assign(o[tid()], shfl("down", tid(), 1, 16))])])

    args = {"o": np.zeros(64, np.int32)}
    clean(run(prog(32), args, 1, 64))
    got = run(prog(17), args, 1, 64)
    assert set(kinds(got)) == {"shuffle"}
    assert "names a lane in its mask that does not take part (0xffffffff)" in got.findings[0].message
    assert "thread 16 of group 0 (lane 16) reads lane 17" in got.findings[1].message


def test_threads_that_do_not_exist() -> None:
    t = {"o": pointer(F32)}
    prog = program(t, [assign(var("o", t["o"])[tid()], shfl("down", tid().to(F32), 4))])
    got = run(prog, {"o": np.zeros(40, np.float32)}, 1, 40)
    assert kinds(got) == ["shuffle"]
    assert np.isnan(got.buffers["o"][36:40]).all()
    np.testing.assert_array_equal(got.buffers["o"][:28], np.arange(4, 32))


@pytest.mark.parametrize("machine", [STUB, WAVE64])
def test_butterfly_sum(machine: Any) -> None:
    w = machine.get("execution.subgroup_width")
    t = {"o": pointer(F32)}
    s = var("s", F32)
    steps = [assign(s, shfl("xor", s, d, 0), "+") for d in (1, 2, 4, 8, 16, 32) if d < w]
    prog = program(t, [declare("s", F32, tid().to(F32)), *steps, assign(var("o", t["o"])[tid()], s)])
    got = clean(run(prog, {"o": np.zeros(128, np.float32)}, 1, 128, machine=machine)).buffers["o"]
    want = np.arange(128, dtype=np.float32).reshape(-1, w).sum(axis=1).repeat(w)
    np.testing.assert_array_equal(got, want)


def test_vector_shuffle() -> None:
    t = {"o": pointer(F32)}
    pair = vec(tid().to(F32), (tid() * 2).to(F32))
    body = [declare("p", pair.t, shfl("xor", pair, 1)), assign(var("o", t["o"])[tid()], var("p", pair.t).comp(1))]
    got = clean(run(program(t, body), {"o": np.zeros(32, np.float32)}))
    np.testing.assert_array_equal(got.buffers["o"], 2 * (np.arange(32) ^ 1))


@pytest.mark.parametrize(("kind", "width"), [("any", 32), ("all", 32), ("ballot", 32), ("ballot", 8), ("any", 4)])
def test_votes(kind: str, width: int) -> None:
    result = U32 if kind == "ballot" else BOOL
    t = {"o": pointer(U32), "x": pointer(I32, const=True)}
    o, x = var("o", t["o"]), var("x", t["x"])
    v = X(ir.Vote(kind, (x[tid()].ne(0)).e, result, width, loc=loc()))
    body = [assign(o[tid()], 9), iff((tid() % 3).ne(1), [assign(o[tid()], v.to(U32))])]
    clear = {"o": np.zeros(32, np.uint32), "x": np.zeros(32, np.int32)}
    assert kinds(run(program(t, body), clear)) == ["shuffle"]  # the mask of CUDA names all lanes
    prog = program(t, body, language="opencl")
    data = np.random.default_rng(0).integers(0, 2, 50).astype(np.int32)
    data[32:36] = 1
    got = clean(run(prog, {"o": np.zeros(50, np.uint32), "x": data}, 1, 50)).buffers["o"]
    for i in range(50):
        if i % 3 == 1:
            assert got[i] == 9
            continue
        first = i - i % width
        members = [j for j in range(first, min(50, first + width)) if j % 3 != 1]
        want = {
            "any": any(data[j] for j in members),
            "all": all(data[j] for j in members),
            "ballot": sum(int(data[j]) << (j - first) for j in members),
        }[kind]
        assert got[i] == want, i


def test_ballot_of_64_lanes() -> None:
    t = {"o": pointer(U64)}
    v = X(ir.Vote("ballot", (tid() % 2).eq(1).e, U64, 0, loc=loc()))
    prog = program(t, [assign(var("o", t["o"])[tid()], v)])
    got = clean(run(prog, {"o": np.zeros(64, np.uint64)}, 1, 64, machine=WAVE64)).buffers["o"]
    assert (got == 0xAAAAAAAAAAAAAAAA).all()
