"""Transactions and bank conflicts, against counts that follow from the access patterns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from emu_build import Stub, assign, clean, declare, iff, pointer, program, run, shared, sync, tid, var
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
