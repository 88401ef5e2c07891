"""The race detector against a model that compares every pair of accesses."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from emu_build import (
    Stub,
    X,
    assign,
    atomic,
    bid,
    declare,
    iff,
    ir,
    kinds,
    pointer,
    program,
    run,
    shared,
    sync,
    tid,
    var,
)
from gpuport.ir.types import I32, Space
from hypothesis import example, given, settings
from hypothesis import strategies as st

THREADS, WIDTH, CELLS = 8, 4, 3
MACHINE = Stub(execution__subgroup_width=WIDTH)
READ, WRITE, ATOMIC, IDLE = range(4)


def _cells(active: dict[int, int]) -> list[int]:
    return [active.get(i, -1) for i in range(THREADS * 2)]


# a step is a barrier, or one kind of access with a cell and a value for every thread; -1: the thread takes no part
FEW = st.dictionaries(st.integers(0, THREADS * 2 - 1), st.integers(0, CELLS - 1), max_size=2).map(_cells)
OWN = st.just([i % CELLS if i % THREADS < CELLS else -1 for i in range(THREADS * 2)])
MANY = st.lists(st.integers(-1, CELLS - 1), min_size=THREADS * 2, max_size=THREADS * 2)
STEP = st.one_of(
    st.sampled_from(["group", "subgroup"]),
    st.tuples(
        st.sampled_from([READ, WRITE, ATOMIC]),
        st.one_of(FEW, FEW, OWN, MANY),
        st.one_of(st.just([1] * THREADS * 2), st.lists(st.integers(0, 1), min_size=THREADS * 2, max_size=THREADS * 2)),
    ),
)


def races(steps: list[Any], groups: int, shared_memory: bool) -> bool:
    """Whether some pair of accesses of one cell is a race."""
    found: list[tuple[int, int, int, int, int]] = []
    for at, step in enumerate(steps):
        if not isinstance(step, str):
            kind, cells, values = step
            for i in range(THREADS * groups):
                if cells[i] >= 0:
                    found.append((at, i, cells[i] + (i // THREADS * CELLS if shared_memory else 0), kind, values[i]))
    for (s, i, c, k, v), (t, j, d, m, w) in combinations(found, 2):
        if i == j or c != d or (k == READ and m == READ) or (k == ATOMIC and m == ATOMIC):
            continue
        if s == t and k == WRITE and m == WRITE and v == w:
            continue
        between = steps[s:t]
        if i // THREADS == j // THREADS:
            if "group" in between:
                continue
            if i // WIDTH == j // WIDTH and "subgroup" in between:
                continue
        return True
    return False


def emulated(steps: list[Any], groups: int, shared_memory: bool) -> list[str]:
    table = pointer(I32, const=True)
    params: dict[str, Any] = {"io": pointer(I32), "o": pointer(I32), "n": I32}
    d, local = shared("s", I32, CELLS)
    memory = local if shared_memory else var("io", params["io"])
    me = bid() * THREADS + tid()
    body: list[Any] = [d, declare("a", I32, 0)]
    if shared_memory:
        body += [iff(tid() < CELLS, [assign(local[tid()], 0)]), sync()]
    args: dict[str, Any] = {"io": np.zeros(CELLS, np.int32), "o": np.zeros(groups * THREADS, np.int32), "n": 0}
    for k, step in enumerate(steps):
        if isinstance(step, str):
            body.append(sync(ir.Scope.GROUP if step == "group" else ir.Scope.SUBGROUP))
            continue
        kind, cells, values = step
        for name, data in ((f"c{k}", cells), (f"v{k}", values)):
            params[name] = table
            args[name] = np.array(data, np.int32)
        cell, value = var(f"c{k}", table)[me], var(f"v{k}", table)[me]
        target = memory[cell]
        space = Space.SHARED if shared_memory else Space.GLOBAL
        access = {
            READ: assign(var("a"), target, "+"),
            WRITE: assign(target, value),
            ATOMIC: assign(var("a"), atomic("add", X(ir.AddressOf(target.e, pointer(I32, space=space))), value), "+"),
        }[kind]
        body.append(iff(cell >= 0, [access]))
    body.append(assign(var("o", params["o"])[me], var("a")))
    return kinds(run(program(params, body), args, groups, THREADS, machine=MACHINE))


EVERY = [0] * (THREADS * 2)
OF_BOTH = _cells({0: 0, 9: 0})
ONE = [0 if i == THREADS - 1 else -1 for i in range(THREADS * 2)]


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=7), st.integers(1, 2), st.booleans())
@example([(WRITE, EVERY, EVERY), (WRITE, ONE, [1] * 16)], 1, True)  # the last of several equal writers writes again
@example([(WRITE, EVERY, EVERY), (READ, ONE, EVERY)], 1, True)
@example([(ATOMIC, OF_BOTH, [1] * 16), "group", (READ, _cells({8: 0}), EVERY)], 2, False)  # last by chance alone
@example([(WRITE, EVERY, EVERY), (ATOMIC, ONE, EVERY)], 1, False)
def test_the_detector_agrees_with_all_pairs(steps: list[Any], groups: int, shared_memory: bool) -> None:
    assert ("race" in emulated(steps, groups, shared_memory)) == races(steps, groups, shared_memory)
