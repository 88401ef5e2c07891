"""Control flow against plain Python run thread by thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emu_build import (
    assign,
    atomic,
    bid,
    call,
    clean,
    const,
    declare,
    function,
    grid,
    iff,
    loop,
    loop_while,
    pointer,
    program,
    run,
    select,
    tid,
    var,
)
from gpuport.backends.emulator import EmulatorError, StepLimit
from gpuport.ir import nodes as ir
from gpuport.ir.types import BOOL, I32
from hypothesis import given, settings
from hypothesis import strategies as st

T = {"o": pointer(I32)}
o = var("o", T["o"])
a, i = var("a"), var("i")


def execute(body: list[Any], *functions: ir.Function, n: int = 40, **kw: Any) -> list[int]:
    prog = program(T, [declare("a", I32, 0), *body, assign(o[tid()], a)], *functions)
    return clean(run(prog, {"o": np.full(n, -1, np.int32)}, 1, n, **kw)).buffers["o"].tolist()


def test_break_and_continue() -> None:
    body = [
        loop("i", 0, tid(), [
            iff((i % 3).eq(1), [ir.Continue()]),
            iff(i > 10, [ir.Break()]),
            assign(a, i, "+"),
        ]),
    ]  # fmt: skip

    def model(t: int) -> int:
        return sum(k for k in range(min(t, 12)) if k % 3 != 1 and k <= 10)

    assert execute(body) == [model(t) for t in range(40)]


def test_break_leaves_the_inner_loop_only() -> None:
    body = [loop("j", 0, 4, [loop("i", 0, 9, [iff(i > tid() % 5, [ir.Break()]), assign(a, 1, "+")])])]
    assert execute(body) == [4 * min(9, t % 5 + 1) for t in range(40)]


def test_do_while_runs_once() -> None:
    body = [
        declare("n", I32, tid()),
        loop_while(var("n") > 0, [assign(a, 1, "+"), assign(var("n"), 7, "-")], post=True),
    ]
    assert execute(body) == [max(1, -(-t // 7)) for t in range(40)]


def test_continue_in_while_tests_the_condition() -> None:
    n = var("n")
    body = [
        declare("n", I32, tid()),
        loop_while(n > 0, [assign(n, 1, "-"), iff((n % 2).eq(0), [ir.Continue()]), assign(a, 1, "+")]),
    ]
    assert execute(body) == [t // 2 for t in range(40)]


def test_early_return_in_the_kernel() -> None:
    prog = program(T, [
        assign(o[tid()], 1),
        loop("i", 0, 10, [iff(i.eq(tid()), [ir.Return()]), assign(o[tid()], i + 2)]),
        assign(o[tid()], 99),
    ])  # fmt: skip
    got = clean(run(prog, {"o": np.zeros(16, np.int32)}, 1, 16)).buffers["o"]
    assert got.tolist() == [t + 1 for t in range(10)] + [99] * 6


def test_functions_return_per_lane() -> None:
    n, k = var("n"), var("k")
    f = function("first_divisor", {"n": I32}, [
        iff(n < 2, [ir.Return(const(0).e)]),
        loop("k", 2, n, [iff((n % k).eq(0), [ir.Return(k.e)])]),
        ir.Return(n.e),
    ], I32)  # fmt: skip
    twice = function("twice", {"n": I32}, [ir.Return((call("first_divisor", I32, n) * 2).e)], I32)

    def model(t: int) -> int:
        return 0 if t < 2 else next((d for d in range(2, t) if t % d == 0), t)

    body = [iff(tid().ne(7), [assign(a, call("twice", I32, call("first_divisor", I32, tid()) + tid()))])]
    got = execute(body, f, twice)
    assert got == [2 * model(model(t) + t) if t != 7 else 0 for t in range(40)]


def test_parameters_are_copies() -> None:
    f = function("burn", {"n": I32}, [loop_while(var("n") > 0, [assign(var("n"), 1, "-")]), ir.Return(var("n").e)], I32)
    body = [declare("n", I32, tid()), assign(a, call("burn", I32, var("n")) + var("n"))]
    assert execute(body, f) == list(range(40))


def test_lazy_operators_skip_side_effects() -> None:
    hit = atomic("add", var("io", pointer(I32)) + 0, 1)
    t = {"io": pointer(I32)}
    args = {"io": np.zeros(1, np.int32)}
    cond = (tid() < 5).land(hit >= 0)
    assert clean(run(program(t, [iff(cond, [])]), args)).buffers["io"][0] == 5
    assert clean(run(program(t, [iff((tid() < 5).lor(hit >= 0), [])]), args)).buffers["io"][0] == 27
    pick = declare("v", I32, select(tid() < 9, hit, const(0)))
    assert clean(run(program(t, [pick]), args)).buffers["io"][0] == 9


def test_scopes_and_shadowing() -> None:
    body = [
        iff(tid() > 3, [declare("v", I32, 5), assign(var("v"), tid(), "+"), assign(a, var("v"))]),
        iff(tid() <= 3, [declare("v", I32, 1), assign(a, var("v"))]),
    ]
    assert execute(body) == [1] * 4 + [t + 5 for t in range(4, 40)]


def test_variable_of_an_outer_scope_in_a_divergent_loop() -> None:
    body = [
        declare("last", I32, -1),
        loop("i", 0, tid() % 4, [assign(var("last"), i * 10)]),
        assign(a, var("last")),
    ]
    assert execute(body) == [(t % 4 - 1) * 10 if t % 4 else -1 for t in range(40)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_programs(data: st.DataObject) -> None:
    """Random nests of loops, ifs, breaks, continues: the same as running each thread on its own in Python."""
    counter = [0]

    def statements(depth: int, in_loop: bool) -> list[Any]:
        made: list[Any] = []
        for _ in range(data.draw(st.integers(1, 3))):
            choices = ["add", "mul"]
            if depth < 3:
                choices += ["if", "for", "while"]
            if in_loop:
                choices += ["break", "continue"]
            kind = data.draw(st.sampled_from(choices))
            if kind in ("add", "mul"):
                made.append((kind, data.draw(st.integers(1, 9))))
            elif kind == "if":
                m, r = data.draw(st.integers(2, 5)), data.draw(st.integers(0, 3))
                made.append((kind, m, r, statements(depth + 1, in_loop), statements(depth + 1, in_loop)))
            elif kind in ("for", "while"):
                counter[0] += 1
                made.append((kind, counter[0], data.draw(st.integers(1, 4)), statements(depth + 1, True)))
            else:
                made.append((kind,))
        return made

    def build(tree: list[Any]) -> list[Any]:
        made: list[Any] = []
        for s in tree:
            if s[0] == "add":
                made.append(assign(a, tid() + s[1], "+"))
            elif s[0] == "mul":
                made.append(assign(a, a * 3 + s[1]))
            elif s[0] == "if":
                made.append(iff(((a + tid()) % s[1]).eq(s[2]), build(s[3]), build(s[4])))
            elif s[0] == "for":
                made.append(loop(f"k{s[1]}", tid() % 2, s[2], build(s[3])))
            elif s[0] == "while":
                k = var(f"k{s[1]}")
                made.append(
                    ir.Block((declare(f"k{s[1]}", I32, s[2]), loop_while(k > 0, [assign(k, 1, "-"), *build(s[3])])))
                )
            else:
                made.append(ir.Break() if s[0] == "break" else ir.Continue())
        return made

    class Leave(Exception):
        pass

    class Again(Exception):
        pass

    def wrap(v: int) -> int:
        return (v + 2**31) % 2**32 - 2**31

    def rem(v: int, m: int) -> int:
        return v % m if v >= 0 else -(-v % m)

    def interpret(tree: list[Any], t: int, v: int) -> int:
        nonlocal_value = [v]

        def go(stmts: list[Any]) -> None:
            for s in stmts:
                if s[0] == "add":
                    nonlocal_value[0] = wrap(nonlocal_value[0] + t + s[1])
                elif s[0] == "mul":
                    nonlocal_value[0] = wrap(wrap(nonlocal_value[0] * 3) + s[1])
                elif s[0] == "if":
                    go(s[3] if rem(wrap(nonlocal_value[0] + t), s[1]) == s[2] else s[4])
                elif s[0] in ("for", "while"):
                    for _ in range(t % 2 if s[0] == "for" else 0, s[2]):
                        try:
                            go(s[3])
                        except Again:
                            continue
                        except Leave:
                            break
                elif s[0] == "break":
                    raise Leave
                else:
                    raise Again

        go(tree)
        return nonlocal_value[0]

    tree = statements(0, False)
    assert execute(build(tree), n=12) == [interpret(tree, t, 0) for t in range(12)]


def test_endless_loop_names_its_line() -> None:
    forever = loop_while(const(True, BOOL), [assign(a, 1, "+")])
    assert forever.loc is not None
    with pytest.raises(StepLimit, match=f"test.cu:{forever.loc.line}: still running after 1000"):
        execute([forever], max_steps=1000)


def test_recursion_is_refused() -> None:
    f = function("f", {"n": I32}, [ir.Return(call("f", I32, var("n")).e)], I32)
    with pytest.raises(EmulatorError, match="calls itself"):
        execute([assign(a, call("f", I32, const(1)))], f)


def test_group_order_and_chunks() -> None:
    """Every group runs once in any order, also when there are more than fit one chunk."""
    t = {"o": pointer(I32)}
    prog = program(t, [assign(var("o", t["o"])[bid() * 32 + tid()], bid(1) * 1000 + bid())])
    n = 5000
    want = np.repeat(np.arange(n), 32)
    for order in (None, np.random.default_rng(0).permutation(n)):
        got = clean(run(prog, {"o": np.zeros(n * 32, np.int32)}, n, 32, group_order=order))
        np.testing.assert_array_equal(got.buffers["o"], want)
    with pytest.raises(EmulatorError, match="permutation"):
        run(prog, {"o": np.zeros(64, np.int32)}, 2, 32, group_order=[0, 0])


def test_three_dimensional_indices() -> None:
    t = {"o": pointer(I32)}
    k = ir.Grid
    body = [
        declare("t", I32, tid(0) + grid(k.GROUP_SIZE, 0) * (tid(1) + grid(k.GROUP_SIZE, 1) * tid(2))),
        declare("g", I32, bid(0) + grid(k.GRID_SIZE, 0) * (bid(1) + grid(k.GRID_SIZE, 1) * bid(2))),
        assign(var("o", t["o"])[var("g") * 48 + var("t")], grid(k.SUBGROUP) * 1000 + grid(k.LANE)),
    ]
    got = clean(run(program(t, body), {"o": np.zeros(30 * 48, np.int32)}, (2, 3, 5), (4, 6, 2))).buffers["o"]
    np.testing.assert_array_equal(got.reshape(30, 48), np.tile([j // 32 * 1000 + j % 32 for j in range(48)], (30, 1)))
