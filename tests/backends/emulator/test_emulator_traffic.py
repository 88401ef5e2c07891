"""Transactions and bank conflicts, against counts that follow from the access patterns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from emu_build import Stub, assign, clean, declare, iff, loop, pointer, program, run, shared, sync, tid, var
from gpuport.ir.types import F32, I32, Vector

GPU: Any = Stub(cache__line=128, cache__sector=32, shared__banks=32, shared__bank_width=4)
KEYS = ("transactions.global", "ideal_transactions.global", "cycles.shared", "ideal_cycles.shared")


def counts(body: list[Any], params: dict[str, Any], args: dict[str, Any], grid: int = 1, block: int = 32) -> list[int]:
    got = clean(run(program(params, body), args, grid, block, machine=GPU, traffic=True))
    return [got.counts.get(k, 0) for k in KEYS]


@pytest.mark.parametrize("stride", range(1, 34))
def test_strides_in_shared_memory(stride: int) -> None:
    d, s = shared("s", I32, 32 * 33 + 1)
    body = [d, assign(s[tid() * stride], 1)]
    assert counts(body, {"o": pointer(I32)}, {"o": np.zeros(1, np.int32)})[2:] == [math.gcd(stride, 32), 1]


def test_a_word_for_all_lanes_takes_one_cycle() -> None:
    d, s = shared("s", I32, 4)
    body = [d, iff(tid().eq(0), [assign(s[1], 1)]), sync(), declare("v", I32, s[1])]
    assert counts(body, {"o": pointer(I32)}, {"o": np.zeros(1, np.int32)})[2:] == [2, 2]


def test_vectors_in_shared_memory() -> None:
    d, s = shared("s", Vector(F32, 4), 33)
    body = [d, assign(s[tid()], s[tid()])]
    got = run(program({"o": pointer(I32)}, body), {"o": np.zeros(1, np.int32)}, machine=GPU, traffic=True)
    assert [got.counts[k] for k in KEYS[2:]] == [8, 8]  # 128 words over 32 banks, read and written


@pytest.mark.parametrize(("stride", "shift", "sectors"), [(1, 0, 4), (1, 1, 5), (2, 0, 8), (8, 0, 32), (100, 3, 32)])
def test_sectors_of_global_memory(stride: int, shift: int, sectors: int) -> None:
    x = pointer(F32, const=True)
    body = [declare("v", F32, var("x", x)[tid() * stride + shift])]
    assert counts(body, {"x": x}, {"x": np.zeros(32 * 100 + 3, np.float32)})[:2] == [sectors, 4]
    # two subgroups a group, three groups that all read the same
    got = counts(body, {"x": x}, {"x": np.zeros(64 * 100 + 3, np.float32)}, grid=3, block=64)
    assert got[:2] == [3 * 2 * sectors, 3 * 2 * 4]


def test_lanes_that_take_no_part_move_nothing() -> None:
    x = pointer(F32, const=True)
    body = [iff(tid() < 9, [declare("v", F32, var("x", x)[tid()])])]
    assert counts(body, {"x": x}, {"x": np.zeros(40, np.float32)})[:2] == [2, 2]
    assert counts(body, {"x": x}, {"x": np.zeros(40, np.float32)}, block=40)[:2] == [2, 2]


def test_machines_without_banks_count_none() -> None:
    d, s = shared("s", I32, 64)
    got = run(program({"o": pointer(I32)}, [d, assign(s[tid()], 1)]), {"o": np.zeros(1, np.int32)}, traffic=True)
    assert not set(KEYS) & set(got.counts)


N = 32


def transposed(kind: str) -> dict[str, int]:
    """Counts of a transpose of N x N floats by one group of N x N threads."""
    x, o = pointer(F32, const=True), pointer(F32)
    row, col, here = tid(1), tid(0), var("x", x)[tid(1) * N + tid(0)]
    body = [assign(var("o", o)[col * N + row], here)]
    if kind != "naive":
        pitch = N + (kind == "padded")
        d, s = shared("s", F32, N * pitch)
        body = [d, assign(s[row * pitch + col], here), sync(), assign(var("o", o)[row * N + col], s[col * pitch + row])]
    args = {"x": np.arange(N * N, dtype=np.float32), "o": np.zeros(N * N, np.float32)}
    got = clean(run(program({"x": x, "o": o}, body), args, 1, (N, N), machine=GPU, traffic=True))
    np.testing.assert_array_equal(got.buffers["o"].reshape(N, N), args["x"].reshape(N, N).T)
    return got.counts


@pytest.mark.parametrize(
    ("kind", "sectors_written", "cycles_read"), [("naive", 32, 0), ("tiled", 4, 32), ("padded", 4, 1)]
)
def test_transposes(kind: str, sectors_written: int, cycles_read: int) -> None:
    c = transposed(kind)
    assert c["requests.global"] == 2 * N  # a subgroup is a row
    assert c["transactions.global"] == N * (4 + sectors_written)
    assert c["ideal_transactions.global"] == N * (4 + 4)
    assert c.get("requests.shared", 0) == (2 * N if cycles_read else 0)
    assert c.get("cycles.shared", 0) == (N * (1 + cycles_read) if cycles_read else 0)
    assert (c["memory.read"], c["memory.written"]) == (N * N * 4, N * N * 4)
    assert c["bytes.global"] == 2 * N * N * 4
    assert c.get("divergent_branches", 0) == 0


def test_what_is_read_again_comes_from_memory_once() -> None:
    x, o = pointer(F32, const=True), pointer(F32)
    source, out = var("x", x), var("o", o)
    body = [
        declare("v", F32, source[tid()] + source[tid() + 1]),  # 65 floats, in lines of 8
        assign(out[tid()], var("v")),
        assign(out[tid()], out[tid()] * 2.0),  # read behind its own write: still in a cache
    ]
    args = {"x": np.zeros(65, np.float32), "o": np.zeros(64, np.float32)}
    c = clean(run(program({"x": x, "o": o}, body), args, 1, 64, machine=GPU, traffic=True)).counts
    assert (c["memory.read"], c["memory.written"]) == (65 * 4, 64 * 4)
    assert c["bytes.global"] == (2 + 3) * 64 * 4
    assert (c["ops.f32"], c["ops.i32"]) == (2 * 64, 64)


def test_subgroups_that_a_branch_splits() -> None:
    o = pointer(I32)
    params, args = {"o": o}, {"o": np.zeros(64, np.int32)}
    store = assign(var("o", o)[tid()], 1)
    for limit, splits in ((9, 1), (32, 0), (40, 1), (64, 0)):
        c = run(program(params, [iff(tid() < limit, [store])]), args, 3, 64, machine=GPU, traffic=True).counts
        assert c.get("divergent_branches", 0) == 3 * splits, limit
    # lanes leave a loop behind 0, 1, 2 or 3 rounds; where the last ones leave, none stays
    body = [loop("i", 0, tid() & 3, [store])]
    c = run(program(params, body), args, 1, 64, machine=GPU, traffic=True).counts
    assert c["divergent_branches"] == 2 * 3
