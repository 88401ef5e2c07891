"""Races and barriers: every defect with a clean twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emu_build import (
    WAVE64,
    X,
    assign,
    atomic,
    bid,
    clean,
    const,
    declare,
    do,
    iff,
    kinds,
    loc,
    loop,
    pointer,
    program,
    run,
    select,
    shared,
    sync,
    tid,
    var,
)
from gpuport.ir import nodes as ir
from gpuport.ir.types import F32, I32, Space

OUT = {"o": pointer(F32)}
SUB = ir.Scope.SUBGROUP


def out(n: int) -> dict[str, Any]:
    return {"o": np.zeros(n, np.float32)}


def exchange(middle: list[Any], read: X, threads: int = 64) -> ir.Program:
    d, s = shared("s", F32, threads)
    return program(OUT, [d, assign(s[tid()], tid().to(F32)), *middle, assign(var("o", OUT["o"])[tid()], s[read])])


def test_neighbour_needs_a_barrier() -> None:
    other = tid() ^ 33
    got = run(exchange([], other), out(64), 1, 64)
    assert kinds(got) == ["race"]
    assert "s[33]" in got.findings[0].message
    assert "thread 0 of group 0" in got.findings[0].message
    assert "thread 33 of group 0" in got.findings[0].message
    clean(run(exchange([sync()], other), out(64), 1, 64))
    clean(run(exchange([], tid()), out(64), 1, 64))


def test_subgroup_barrier_orders_its_subgroup_only() -> None:
    clean(run(exchange([sync(SUB)], tid() ^ 1), out(64), 1, 64))
    assert kinds(run(exchange([sync(SUB)], tid() ^ 32), out(64), 1, 64)) == ["race"]
    # on a machine with 64 lanes the same barrier covers both
    clean(run(exchange([sync(SUB)], tid() ^ 32), out(64), 1, 64, machine=WAVE64))


def test_subgroup_reads_before_another_subgroups_write() -> None:
    d, s = shared("s", F32, 64)
    o = var("o", OUT["o"])

    def prog(last: list[Any]) -> ir.Program:
        body = [d, assign(s[tid()], 0), sync(), assign(o[tid()], s[tid() ^ 1]), sync(SUB), *last]
        return program(OUT, body)

    clean(run(prog([assign(s[tid()], 1)]), out(64), 1, 64))
    assert kinds(run(prog([assign(s[tid() ^ 32], 1)]), out(64), 1, 64)) == ["race"]


def test_write_after_read_needs_a_barrier() -> None:
    d, s = shared("s", F32, 64)
    o = var("o", OUT["o"])

    def prog(middle: list[Any]) -> ir.Program:
        turn = [assign(o[tid()], s[(tid() + 1) % 64]), *middle, assign(s[tid()], 1)]
        return program(OUT, [d, assign(s[tid()], 0), sync(), *turn])

    assert kinds(run(prog([]), out(64), 1, 64)) == ["race"]
    clean(run(prog([sync()]), out(64), 1, 64))


def test_many_reads_before_a_write() -> None:
    d, s = shared("s", F32, 64)
    o, a = var("o", OUT["o"]), var("a", F32)

    def prog(middle: list[Any]) -> ir.Program:
        reads = loop("k", 0, 600, [assign(a, s[(tid() + var("k")) % 64], "+")])
        start = [d, declare("a", F32, 0), assign(s[tid()], 1), sync(), reads]
        return program(OUT, [*start, *middle, iff(tid().eq(9), [assign(s[9], 2)]), assign(o[tid()], a)])

    assert kinds(run(prog([]), out(64), 1, 64)) == ["race"]
    clean(run(prog([sync()]), out(64), 1, 64))


def test_loop_carried_race() -> None:
    """The barrier at the end of the body is missing: an iteration's write meets the last one's reads."""
    d, s = shared("s", F32, 64)
    o, a = var("o", OUT["o"]), var("a", F32)

    def prog(end: list[Any]) -> ir.Program:
        body = [assign(s[tid()], var("k").to(F32)), sync(), assign(a, s[(tid() + 5) % 64], "+"), *end]
        return program(OUT, [d, declare("a", F32, 0), loop("k", 0, 3, body), assign(o[tid()], a)])

    assert kinds(run(prog([]), out(64), 1, 64)) == ["race"]
    got = clean(run(prog([sync()]), out(64), 1, 64))
    assert (got.buffers["o"] == 3).all()


def test_same_statement_same_value_is_benign() -> None:
    d, s = shared("s", F32, 1)

    def prog(value: X) -> ir.Program:
        return program(OUT, [d, assign(s[0], value), sync(), assign(var("o", OUT["o"])[tid()], s[0])])

    clean(run(prog(const(7, F32)), out(64), 1, 64))
    assert kinds(run(prog(tid().to(F32)), out(64), 1, 64)) == ["race"]


def test_two_statements_same_value_race() -> None:
    d, s = shared("s", F32, 1)
    body = [d, iff(tid().eq(0), [assign(s[0], 7)]), iff(tid().eq(1), [assign(s[0], 7)])]
    assert kinds(run(program(OUT, body), out(64), 1, 64)) == ["race"]
    body = [d, iff(tid().eq(0), [assign(s[0], 7)]), sync(), iff(tid().eq(1), [assign(s[0], 7)])]
    clean(run(program(OUT, body), out(64), 1, 64))


def test_races_that_depend_on_the_group() -> None:
    """Only group 3 races: tracking once for all groups must split."""
    d, s = shared("s", F32, 64)
    far = select(bid().eq(3), (tid() + 1) % 64, tid())
    body = [d, assign(s[tid()], 1), assign(var("o", OUT["o"])[bid() * 64 + tid()], s[far])]
    got = run(program(OUT, body), out(320), 5, 64)
    assert kinds(got) == ["race"]
    assert "group 3" in got.findings[0].message
    body = [d, assign(s[tid()], 1), sync(), *body[2:]]
    clean(run(program(OUT, body), out(320), 5, 64))


def test_barrier_in_some_groups_only() -> None:
    d, s = shared("s", F32, 64)
    tail = assign(var("o", OUT["o"])[bid() * 64 + tid()], s[(tid() + 1) % 64])
    body = [d, assign(s[tid()], 1), iff(bid() < 2, [sync()]), tail]
    got = run(program(OUT, body), out(256), 4, 64)
    assert kinds(got) == ["race"]
    assert "group 2" in got.findings[0].message


def test_atomics_do_not_race_with_each_other_but_with_plain_access() -> None:
    t = {"o": pointer(I32)}
    d, s = shared("s", I32, 1)
    here = s[0].addr(Space.SHARED)
    start = [d, iff(tid().eq(0), [assign(s[0], 0)]), sync(), do(atomic("add", here, 1))]
    end = assign(var("o", t["o"])[tid()], s[0])
    args = {"o": np.zeros(64, np.int32)}
    got = clean(run(program(t, [*start, sync(), end]), args, 1, 64))
    assert (got.buffers["o"] == 64).all()
    assert kinds(run(program(t, [*start, end]), args, 1, 64)) == ["race"]
    assert "race" in kinds(run(program(t, [*start[:2], *start[3:], sync(), end]), args, 1, 64))


@pytest.mark.parametrize("groups", [2, 1500])  # within one chunk, and across chunks
def test_groups_race_in_global_memory(groups: int) -> None:
    t = {"io": pointer(F32)}
    io, me = var("io", t["io"]), bid() * 64 + tid()
    args = {"io": np.zeros(groups * 64 + 1, np.float32)}
    clean(run(program(t, [assign(io[me], 1)]), args, groups, 64))
    shift = [declare("v", F32, io[me + 1]), sync(), assign(io[me], var("v", F32))]
    got = run(program(t, shift), args, groups, 64)
    assert set(kinds(got)) == {"race"}
    assert "nothing orders different groups" in got.findings[0].message
    # within one group the barrier orders it
    clean(run(program(t, shift), args, 1, 64))


def test_write_by_all_groups() -> None:
    t = {"o": pointer(F32)}
    o = var("o", t["o"])
    clean(run(program(t, [assign(o[0], 3)]), out(1), 3, 32))
    assert kinds(run(program(t, [assign(o[0], bid().to(F32))]), out(1), 3, 32)) == ["race"]


def test_equal_writes_of_groups_in_different_chunks() -> None:
    """The first and the last group write one value, which is benign; the last one's read meets the first's write."""
    o, n = var("o", OUT["o"]), 3000
    edge = (bid() % (n - 1)).eq(0).land(tid().eq(0))
    write = iff(edge, [assign(o[0], 3)])
    clean(run(program(OUT, [write]), out(2), n, 64))
    read = iff(bid().eq(n - 1).land(tid().eq(0)), [assign(o[1], o[0])])
    assert kinds(run(program(OUT, [write, read]), out(2), n, 64)) == ["race"]


def test_last_group_pattern_with_fence_is_clean() -> None:
    t = {"io": pointer(F32), "count": pointer(I32), "o": pointer(F32)}
    io, count, o = (var(n, p) for n, p in t.items())
    d, last = shared("last", I32, 1)
    ticket = [assign(last[0], atomic("add", count + 0, 1))]
    total = loop("g", 0, 4, [assign(o[0], io[var("g")], "+")])

    def prog(fence: list[Any]) -> ir.Program:
        body = [
            d,
            iff(tid().eq(0), [assign(io[bid()], bid().to(F32)), *fence, *ticket]),
            sync(),
            iff(last[0].eq(3).land(tid().eq(0)), [assign(o[0], 0), total]),
        ]
        return program(t, body)

    args = {"io": np.zeros(4, np.float32), "count": np.zeros(1, np.int32), "o": np.zeros(1, np.float32)}
    roles = {"count": "inout"}
    got = clean(run(prog([ir.Fence(ir.Scope.DEVICE, loc=loc())]), args, 4, 32, roles=roles))
    assert got.buffers["o"][0] == 6
    assert kinds(run(prog([]), args, 4, 32, roles=roles)) == ["race"]


def test_divergent_barrier() -> None:
    got = run(program(OUT, [iff(tid() < 10, [sync()]), assign(var("o", OUT["o"])[tid()], 1)]), out(64), 1, 64)
    assert kinds(got) == ["divergence"]
    assert "thread 10 of group 0" in got.findings[0].message
    assert "10 of the 64" in got.findings[0].message
    clean(
        run(
            program(OUT, [iff(bid() < 1, [sync()]), assign(var("o", OUT["o"])[bid() * 64 + tid()], 1)]), out(128), 2, 64
        )
    )


def test_barrier_in_a_loop_of_different_lengths() -> None:
    body = [loop("k", 0, tid() / 32 + 1, [sync()]), assign(var("o", OUT["o"])[tid()], 1)]
    assert kinds(run(program(OUT, body), out(64), 1, 64)) == ["divergence"]
    body = [loop("k", 0, tid() / 32 + 1, [sync(SUB)]), assign(var("o", OUT["o"])[tid()], 1)]
    clean(run(program(OUT, body), out(64), 1, 64))


def test_divergent_subgroup_barrier() -> None:
    body = [iff(tid() < 40, [sync(SUB)]), assign(var("o", OUT["o"])[tid()], 1)]
    got = run(program(OUT, body), out(64), 1, 64)
    assert kinds(got) == ["divergence"]
    assert "subgroup" in got.findings[0].message
    body = [iff(tid() < 32, [sync(SUB)]), assign(var("o", OUT["o"])[tid()], 1)]
    clean(run(program(OUT, body), out(64), 1, 64))


@pytest.mark.parametrize("language", ["cuda", "opencl", "metal"])
def test_exited_threads_at_a_barrier(language: str) -> None:
    body = [iff(tid() >= 40, [ir.Return()]), assign(var("o", OUT["o"])[tid()], 1), sync()]
    got = run(program(OUT, body, language=language), out(40), 1, 64)
    if language == "cuda":
        clean(got)
    else:
        assert kinds(got) == ["divergence"]
        assert "thread 40" in got.findings[0].message
