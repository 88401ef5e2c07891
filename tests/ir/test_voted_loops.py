"""Loops around shuffles and votes of which threads take different numbers of rounds: the group votes on each."""

from __future__ import annotations

import dataclasses

import pytest
from gpuport.ir import nodes
from gpuport.ir.analysis.divergence import divergent_collectives
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.predicate import predicate
from gpuport.ir.types import BOOL
from gpuport.ir.validate import validate
from ir_build import I32, N, X, Y, c, count, device, el, let, n, op, program, put, shuffle, size, tid, var, when, x, y
from ir_threads import run

V, LEFT, ROW = var("v"), var("todo"), var("row")
WARP = op(tid(), "/", 32)
ARGS = {"x": [(7 * k) % 12 for k in range(96)], "y": [0] * 96, "n": 7}
ANY = n.Vote("any", op(LEFT, ">", 0), BOOL)
ROUNDS = let("todo", op(op(WARP, "*", 2), "+", op(tid(), "%", 3)))


def summed(offset: int = 16) -> n.For:
    step = put(V, shuffle(V, var("o")), "+")
    return n.For((let("o", c(offset)),), op(var("o"), ">", 0), (put(var("o"), 1, ">>"),), (step,))


def ported(*body: n.Stmt, functions: tuple[n.Function, ...] = ()) -> str:
    """Rewrite, check that all threads come to all collectives and that the values stay, and return the kernel."""
    p = program(*body, params=(X, Y, N), functions=functions)
    validate(p)
    got = predicate(p, subgroups=False)
    validate(got)
    assert divergent_collectives(got) == []
    expected = run(p, ARGS, 96)["y"]
    assert any(expected)
    assert run(got, ARGS, 96, strict="all")["y"] == expected
    return show_program(got)


def test_rows_of_warps() -> None:
    row = n.For(
        (let("row", WARP),),
        op(ROW, "<", size),
        (put(ROW, 3, "+"),),
        (
            let("v", op(el(x, tid()), "*", ROW)),
            summed(),
            when(op(op(tid(), "%", 32), "==", 0), put(el(y, ROW), V)),
        ),
    )
    text = ported(row)
    assert text.endswith("""\
    i32 row = i32(thread.x) / 32;
    bool active = row < n;
    while (group_any(active)) {
        i32 v = 0;
        if (active) {
            v = x[i32(thread.x)] * row;
        }
        for (i32 o = 16; o > 0; o >>= 1) {
            const i32 other = shuffle_xor(v, o);
            if (active) {
                v += other;
            }
        }
        if (active) {
            if (i32(thread.x) % 32 == 0) {
                y[row] = v;
            }
        }
        if (active) {
            row += 3;
        }
        active = active && row < n;
    }
}
""")


def test_while_any_of_a_warp() -> None:
    body = (put(LEFT, 1, "-"), put(el(y, tid()), op(LEFT, "*", LEFT), "+"))
    text = ported(ROUNDS, n.While(ANY, body))
    assert "bool active = any(todo > 0);\n    while (group_any(active)) {" in text
    assert "const bool vote = any(active && todo > 0);\n        active = active && vote;" in text
    text = ported(ROUNDS, when(op(WARP, "!=", 1), n.While(ANY, body)), put(el(y, tid()), LEFT, "+"))
    assert "const bool vote = any(active && todo > 0);\n    bool active_2 = active && vote;" in text


@pytest.mark.parametrize("post", [False, True])
def test_exits(post: bool) -> None:
    body = (
        put(LEFT, 1, "-"),
        when(op(op(LEFT, "+", WARP), "==", 2), put(el(y, tid()), 50, "+"), n.Continue()),
        let("w", shuffle(LEFT, 1)),
        when(op(var("w"), "==", WARP), n.Break()),
        put(el(y, tid()), op(var("w"), "+", 3), "+"),
        when(n.Vote("all", op(LEFT, "<", -1), BOOL), put(el(y, tid()), 7, "+"), n.Return()),
    )
    start = let("todo", op(op(WARP, "*", 2), "+", 3))
    loop = n.While(op(LEFT, ">", -3), body, post=post)
    text = ported(start, loop, put(el(y, tid()), shuffle(LEFT, 2), "+"))
    assert "while (group_any(" in text
    assert "continue;" not in text


def test_endless_loop_with_a_break() -> None:
    body = (put(LEFT, 1, "-"), put(V, shuffle(LEFT, 1), "+"), when(op(V, ">", 40), n.Break()), put(V, 4, "+"))
    start = (let("todo", op(WARP, "*", 5)), let("v", c(0)))
    ported(*start, n.While(n.boolean(True), (*body, when(op(V, "<", -30), n.Break()))), put(el(y, tid()), V))


def test_nested_loops() -> None:
    inner = count("j", op(ROW, "%", 3), put(V, shuffle(op(V, "+", var("j")), 1), "+"), start=WARP)
    fixed = count("k", 2, put(V, shuffle(V, 2), "+"))
    text = ported(
        let("v", tid()),
        count("row", op(size, "-", op(WARP, "*", 2)), inner, fixed, when(op(V, ">", 10**6), n.Break()), start=WARP),
        put(el(y, tid()), V),
    )
    assert text.count("while (group_any(") == 2
    assert "for (i32 k = 0; k < 2; k += 1) {" in text


def test_a_steady_loop_keeps_its_header() -> None:
    p = program(count("k", size, put(el(y, tid()), shuffle(tid(), 1))), params=(X, Y, N))
    assert predicate(p, subgroups=False) is p


def test_names_declared_again_stay_apart() -> None:
    loop = count("row", op(WARP, "+", 2), let("w", shuffle(ROW, 1)), put(el(y, tid()), op(ROW, "+", var("w")), "+"))
    text = ported(loop, loop, let("row", c(5)), put(el(y, tid()), ROW, "+"))
    assert text.count("    {\n        i32 row = 0;\n        bool active") == 2


LONG = device(
    "long_sum",
    {"v": I32},
    n.While(n.boolean(True), (put(V, op(shuffle(V, 1), "%", 5), "+"), when(op(V, ">", 9), n.Break()), put(V, 1, "+"))),
    n.Return(V),
    returns=I32,
)


def test_in_functions() -> None:
    call = put(el(y, tid()), n.Call("long_sum", (op(WARP, "*", 3),), I32), "+")
    text = ported(call, functions=(LONG,))
    assert "while (group_any(active)) {" in text
    # zeros of the threads that are not meant would come to no end
    text = ported(when(op(WARP, "<", 2), call), functions=(LONG,))
    assert "long_sum_active(" in text


def test_the_vote_takes_a_free_name() -> None:
    text = ported(let("group_any", tid()), ROUNDS, n.While(ANY, (put(LEFT, 1, "-"), put(el(y, tid()), LEFT, "+"))))
    assert "while (group_any_2(active))" in text


def test_loops_do_not_vote_where_told() -> None:
    loop = dataclasses.replace(n.While(ANY, (put(LEFT, 1, "-"),)), loc=nodes.Loc("k.cu", 5))
    with pytest.raises(Refusal, match=r"k\.cu:5: error GP2004"):
        predicate(program(ROUNDS, loop, params=(X, Y, N)), subgroups=False, votes=False)
