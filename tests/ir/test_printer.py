"""The printer: one golden program, and precedence by evaluating what it prints."""

from __future__ import annotations

from gpuport.ir.printer import show_expr, show_program
from gpuport.ir.types import F64, U32, U64, Pointer
from gpuport.ir.validate import validate
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_build import *
from ir_build import (
    BARRIER,
    F32,
    I32,
    Array,
    N,
    Space,
    Vector,
    X,
    Y,
    c,
    count,
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


def test_program() -> None:
    p = program(
        shared("s", Array(I32, 33), 32),
        let("i", tid(), const=True, comments=("my thread",)),
        when(op(var("i"), ">=", size), n.Return(), other=(when(op(var("i"), "==", 1), BARRIER),)),
        count("k", 4, put(el(y, var("i")), shuffle(el(x, var("k")), 1, "down", 16), "+", trailing="sum")),
        n.While(op(var("i"), "<", 3), (n.Break(),), post=True),
        n.Evaluate(n.Atomic("add", n.AddressOf(el(y, 0), y.type), c(1), I32)),
        params=(X, Y, N),
    )
    validate(p)
    assert (
        show_program(p)
        == """\
kernel void k(global i32* x, global i32* y, i32 n) {
    shared i32 s[32][33];
    // my thread
    const i32 i = i32(thread.x);
    if (i >= n) {
        return;
    } else if (i == 1) {
        barrier(group);
    }
    for (i32 k = 0; k < 4; k += 1) {
        y[i] += shuffle_down(x[k], 1, width=16);  // sum
    }
    do {
        break;
    } while (i < 3);
    atomic_add(&y[0], 1);
}
"""
    )


def test_expressions() -> None:
    v = var("v", Vector(F32, 4))
    pointer = Pointer(v.type, Space.GLOBAL)
    cast = n.PointerCast(n.Offset(var("p", Pointer(F32, Space.GLOBAL)), c(4), Pointer(F32, Space.GLOBAL)), pointer)
    assert show_expr(n.Component(n.Deref(cast, v.type), 2, F32)) == "(*(global f32x4*)(p + 4)).z"
    assert show_expr(n.Select(op(c(1), "<", 2), c(-3), c(4), I32)) == "1 < 2 ? -3 : 4"
    assert show_expr(n.Unary("-", c(-3), I32)) == "-(-3)"
    assert [show_expr(c(k, t)) for k, t in ((1, U32), (2, U64), (0.5, F32), (0.5, F64))] == ["1u", "2uL", "0.5f", "0.5"]


_PYTHON = {"/": "//"}


def _trees() -> st.SearchStrategy[n.Expr]:
    def extend(children: st.SearchStrategy[n.Expr]) -> st.SearchStrategy[n.Expr]:
        operators = st.sampled_from(["+", "-", "*", "&", "|", "^", "<<"])
        return st.builds(lambda o, a, b: n.Binary(o, a, b, I32), operators, children, children) | st.builds(
            lambda o, a: n.Unary(o, a, I32), st.sampled_from(["-", "~"]), children
        )

    return st.recursive(st.integers(-3, 5).map(lambda k: n.Const(k, I32)), extend, max_leaves=8)


def _value(e: n.Expr) -> int:
    match e:
        case n.Const(value=value):
            return int(value)
        case n.Unary(op=o, value=value):
            return -_value(value) if o == "-" else ~_value(value)
        case n.Binary(op="<<", left=left, right=right):
            return _value(left) << (_value(right) % 8)
        case n.Binary(op=o, left=left, right=right):
            return eval(f"({_value(left)}) {o} ({_value(right)})")
        case _:
            raise TypeError(e)


class _Shift(int):
    """An int whose shift takes its amount modulo 8, as `_value` does; closed under the operators."""

    def __lshift__(self, other: int) -> _Shift:
        return _Shift(int(self) << (int(other) % 8))


for _name in ("add", "sub", "mul", "and", "or", "xor"):
    setattr(_Shift, f"__{_name}__", lambda a, b, f=getattr(int, f"__{_name}__"): _Shift(f(int(a), int(b))))  # noqa: B008
for _name in ("neg", "invert"):
    setattr(_Shift, f"__{_name}__", lambda a, f=getattr(int, f"__{_name}__"): _Shift(f(int(a))))  # noqa: B008


@settings(max_examples=200, deadline=None)
@given(_trees())
def test_precedence(e: n.Expr) -> None:
    import re

    text = re.sub(r"\d+", r"S(\g<0>)", show_expr(e))
    # C and Python rank these operators alike, so Python can judge the parentheses
    assert int(eval(text, {"S": _Shift})) == _value(e)
