"""Predication of the idioms that real kernels use: what the text becomes, and what is refused where."""

from __future__ import annotations

import pytest
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.predicate import predicate
from gpuport.ir.types import BOOL, F32
from gpuport.ir.validate import validate
from ir_build import (
    BARRIER,
    I32,
    Array,
    N,
    Pointer,
    Space,
    X,
    Y,
    at,
    c,
    count,
    device,
    el,
    let,
    n,
    op,
    program,
    put,
    shared,
    shuffle,
    size,
    tid,
    var,
    when,
    x,
    y,
)
from ir_threads import run

INDEX, V, ACC = var("i"), var("v"), var("acc")
S = var("s", Array(I32, 64))
SUM = device(
    "warp_sum",
    {"v": I32},
    n.For((let("o", c(16)),), op(var("o"), ">", 0), (put(var("o"), 1, ">>"),), (put(V, shuffle(V, var("o")), "+"),)),
    n.Return(V),
    returns=I32,
)
KEEP = device(
    "keep_sum",
    {"q": y.type, "v": I32},
    put(V, n.Call("warp_sum", (V,), I32)),
    when(op(op(tid(), "%", 32), "==", 0), put(el(var("q", y.type), tid()), V)),
    n.Return(V),
    returns=I32,
)
ARGS = {"x": [(7 * k) % 12 for k in range(64)], "y": [-1] * 64, "n": 50}


def ported(*body: n.Stmt, functions: tuple[n.Function, ...] = (), subgroups: bool = False) -> str:
    """Rewrite, check that the values stay, and return the text."""
    p = program(shared("s", I32, 64), *body, params=(X, Y, N), functions=functions)
    validate(p)
    got = predicate(p, subgroups=subgroups)
    validate(got)
    strict = "barriers" if subgroups else "all"
    assert run(got, ARGS, 64, strict=strict)["y"] == run(p, ARGS, 64)["y"]
    return show_program(got)


def refused(*body: n.Stmt, functions: tuple[n.Function, ...] = (), subgroups: bool = False) -> list[str]:
    p = program(shared("s", I32, 64), *body, params=(X, Y, N), functions=functions)
    with pytest.raises(Refusal) as caught:
        predicate(p, subgroups=subgroups)
    return [str(d) for d in caught.value.diagnostics]


def test_first_warp_reduces() -> None:
    text = ported(
        let("v", el(x, tid())),
        when(
            op(tid(), "<", 32),
            put(V, n.Call("warp_sum", (V,), I32)),
            when(op(tid(), "==", 0), put(el(y, 0), V)),
            loc=at(5),
        ),
        functions=(SUM,),
    )
    assert text.endswith("""\
    i32 v = x[i32(thread.x)];
    const bool active = i32(thread.x) < 32;
    const i32 other = warp_sum(v);
    if (active) {
        v = other;
        if (i32(thread.x) == 0) {
            y[0] = v;
        }
    }
}
""")


def test_early_return_before_barriers() -> None:
    text = ported(
        let("i", tid(), const=True),
        n.If(op(INDEX, ">=", size), (n.Return(),), comments=("nothing to do",), trailing="the tail"),
        let("acc", c(0), comments=("the sum",)),
        count(
            "t",
            op(size, "%", 4),
            put(el(S, INDEX), op(el(x, INDEX), "+", var("t"))),
            BARRIER,
            put(ACC, el(S, op(op(INDEX, "+", 1), "%", size)), "+"),
            BARRIER,
        ),
        put(el(y, INDEX), ACC),
        subgroups=True,
    )
    assert text.endswith("""\
    const i32 i = i32(thread.x);
    // nothing to do
    const bool active = i < n;  // the tail
    // the sum
    i32 acc = 0;
    for (i32 t = 0; t < n % 4; t += 1) {
        if (active) {
            s[i] = x[i] + t;
        }
        barrier(group);
        if (active) {
            acc += s[(i + 1) % n];
        }
        barrier(group);
    }
    if (active) {
        y[i] = acc;
    }
}
""")


def test_values_that_masked_threads_must_not_load() -> None:
    # x[i] may lie behind the buffer's end for the threads that returned
    text = ported(
        let("i", op(tid(), "*", 2)),
        when(op(INDEX, ">=", 64), n.Return()),
        let("v", el(x, INDEX), const=True),
        let("w", shuffle(op(el(x, INDEX), "+", 1), 0, "xor")),
        put(el(y, INDEX), op(V, "+", var("w"))),
    )
    assert text.endswith("""\
    i32 i = i32(thread.x) * 2;
    const bool active = i < 64;
    i32 v = 0;
    if (active) {
        v = x[i];
    }
    i32 operand = 0;
    if (active) {
        operand = x[i] + 1;
    }
    i32 w = shuffle_xor(operand, 0);
    if (active) {
        y[i] = v + w;
    }
}
""")


def test_masked_variant_of_a_function_with_effects() -> None:
    text = ported(
        let("v", el(x, tid())),
        when(op(tid(), "<", 32), let("w", n.Call("keep_sum", (y, V), I32)), put(el(y, 1), var("w"))),
        functions=(SUM, KEEP),
    )
    assert "device i32 keep_sum_active(global i32* q, i32 v, bool active) {" in text
    assert "i32 w = keep_sum_active(y, v, active);" in text
    assert "device i32 keep_sum(" not in text


def test_two_branches() -> None:
    text = ported(
        let("v", el(x, tid())),
        when(
            op(tid(), "<", 32),
            put(V, shuffle(V, 1), "+"),
            other=(put(V, shuffle(V, 2), "+"), put(el(y, 3), c(9))),
        ),
        put(el(y, tid()), V),
    )
    assert "const bool active = i32(thread.x) < 32;\n    const bool active_2 = !active;" in text


def test_return_in_a_nested_loop() -> None:
    text = ported(
        count(
            "t",
            op(tid(), "%", 7),
            count("u", 3, when(op(el(x, tid()), "==", op(var("u"), "*", 4)), put(el(y, tid()), var("t")), n.Return())),
        ),
        put(el(S, tid()), 5),
        BARRIER,
        put(el(y, tid()), el(S, op(tid(), "%", 4))),
        subgroups=True,
    )
    assert "bool active = true;\n    for (i32 t" in text
    assert "active = false;\n                break;" in text
    assert "if (!active) {\n            break;" in text


def test_float_comparison_is_negated_whole() -> None:
    f = n.Convert(el(x, tid()), F32)
    text = ported(when(n.Binary(">", f, c(3.0, F32), BOOL), n.Return()), BARRIER, put(el(y, tid()), 1), subgroups=True)
    assert "const bool active = !(f32(x[i32(thread.x)]) > 3.0f);" in text


def test_all_vote_ignores_masked_threads() -> None:
    vote = n.Vote("all", op(el(x, tid()), "<", 100), BOOL)
    text = ported(when(op(tid(), "<", 32), when(vote, put(el(y, tid()), 1))))
    assert "const bool vote = all(!active || x[i32(thread.x)] < 100);" in text


def test_shuffles_stay_where_the_device_has_them() -> None:
    p = program(when(op(tid(), "<", 32), put(el(y, tid()), shuffle(tid(), 1))), params=(X, Y, N))
    assert predicate(p, subgroups=True) is p


def test_refused_loops() -> None:
    loop = count("t", tid(), BARRIER)
    loop = n.For(loop.init, loop.cond, loop.step, loop.body, loc=at(4))
    assert refused(loop, subgroups=True) == [
        "k.cu:4: error GP2003: the loop runs a different number of times in different threads (`t < i32(thread.x)`), "
        "and a barrier is in it"
    ]
    flag = el(var("q", Pointer(I32, Space.GLOBAL, volatile=True)), 0)
    waiting = n.While(op(flag, "==", 0), (put(V, shuffle(V, 1), "-"),), loc=at(6))
    cast = n.PointerCast(y, Pointer(I32, Space.GLOBAL, volatile=True))
    assert [d[:22] for d in refused(let("v", el(x, tid())), let("q", cast), waiting)] == ["k.cu:6: error GP2004: "]
    exchange = put(V, shuffle(V, 1), "-")
    own = el(S, op(tid(), "/", 32))
    put_first = when(op(tid(), "==", 40), put(el(S, 1), 1))
    for stands in (
        n.While(op(own, "==", 0), (exchange,), loc=at(6)),
        n.While(op(V, "==", 0), (put(INDEX, shuffle(V, 1), "-"), put(V, own)), loc=at(6)),
        n.While(n.boolean(True), (exchange, when(op(own, "==", 1), n.Break())), loc=at(6)),
    ):
        found = refused(let("v", tid()), let("i", c(0)), when(op(tid(), "<", 32), stands), put_first)
        assert [d[:22] for d in found] == ["k.cu:6: error GP2004: "]
    both = n.While(op(V, ">", 0), (put(V, shuffle(V, 1), "-"), when(op(size, ">", 3), BARRIER)), loc=at(6))
    assert [d[:22] for d in refused(let("v", el(x, tid())), both)] == ["k.cu:6: error GP2003: "]
    endless = n.While(n.boolean(True), (when(op(V, ">", 9), n.Break()), BARRIER, put(V, 1, "+")), loc=at(7))
    assert "GP2003: the loop ends at different times" in refused(let("v", tid()), endless, subgroups=True)[0]


def test_refused_operand() -> None:
    lazy = n.Select(op(size, "<", 2), shuffle(V, 1), c(0), I32, loc=at(3))
    assert refused(let("v", tid()), put(V, lazy)) == [
        "k.cu:3: error GP2004: a shuffle or vote in an operand of &&, || or ?: that not all threads evaluate; "
        "write it as an if"
    ]


def test_all_refusals_at_once() -> None:
    bad = device(
        "bad",
        {"v": I32},
        n.For((let("t", c(0)),), op(var("t"), "<", V), (put(var("t"), 1, "+"),), (BARRIER,), loc=at(2)),
    )
    found = refused(
        n.Evaluate(n.Call("bad", (tid(),), bad.returns)),
        n.For((let("t", c(0)),), op(var("t"), "<", tid()), (put(var("t"), 1, "+"),), (BARRIER,), loc=at(9)),
        functions=(bad,),
        subgroups=True,
    )
    assert sorted(d[:6] for d in found) == ["k.cu:2", "k.cu:9"]


def test_pointer_is_hoisted_plainly() -> None:
    row = n.Offset(x, op(tid(), "%", 8), Pointer(I32, Space.GLOBAL))
    text = ported(
        when(op(tid(), ">=", size), n.Return()),
        let("p", row),
        BARRIER,
        put(el(y, tid()), el(var("p", x.type), 2)),
        subgroups=True,
    )
    assert "    global i32* p = x + i32(thread.x) % 8;\n    barrier(group);" in text


def test_uniform_value_set_under_a_mask_stays_masked() -> None:
    text = ported(
        let("v", c(0)),
        when(op(tid(), "<", 32), put(V, 5), put(el(y, tid()), shuffle(tid(), 1))),
        put(el(y, tid()), V, "+"),
    )
    assert "    if (active) {\n        v = 5;\n    }" in text


def test_counter_declared_under_a_mask_counts_in_all_threads() -> None:
    text = ported(
        when(op(tid(), ">=", size), n.Return()),
        let("t", c(0)),
        n.While(op(var("t"), "<", 3), (put(el(S, tid()), var("t")), BARRIER, put(var("t"), 1, "+"))),
        put(el(y, tid()), var("t")),
        subgroups=True,
    )
    assert "        barrier(group);\n        t += 1;\n" in text
