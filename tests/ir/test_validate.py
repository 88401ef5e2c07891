"""Each rule of the validator is broken once, and named in the message."""

from __future__ import annotations

import pytest
from gpuport.ir.types import BOOL, U32
from gpuport.ir.validate import InvalidProgram, validate
from ir_build import (
    BARRIER,
    F32,
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
    size,
    tid,
    var,
    when,
    x,
    y,
)

KEPT = Pointer(I32, Space.GLOBAL, const=True)
HELPER = device("f", {"v": I32}, n.Return(var("v")), returns=I32)


def test_valid() -> None:
    validate(program(count("i", size, put(el(y, var("i")), el(x, var("i")))), params=(X, Y, N), functions=(HELPER,)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ((put(var("a"), 1),), "a is not declared here"),
        ((let("a", c(1)), let("a", c(2))), "a is declared while another a is visible"),
        ((count("n", 3),), "n is declared while another n is visible"),
        ((let("a", c(1)), put(var("a", U32), c(1, U32))), "a is declared i32 but used as u32"),
        ((let("a", c(1), const=True), put(var("a"), 2)), "a is assigned but is const"),
        ((put(c(1), 2),), "1 is assigned but is no memory"),
        ((put(el(var("k", KEPT), 0), 2),), "k[0] is assigned but is const"),
        ((put(el(y, 0), c(1, U32)),), "is assigned a u32"),
        ((put(el(y, 0), n.Binary("+", c(1), c(1, U32), I32)),), "i32 + u32 -> i32"),
        ((put(el(y, 0), n.Binary("<", c(1), c(1), I32)),), "i32 < i32 -> i32"),
        ((when(c(1)),), "condition 1 has type i32"),
        ((n.Break(),), "break outside a loop"),
        ((when(op(size, "<", 2), n.Continue()),), "continue outside a loop"),
        ((n.Return(c(1)),), "returns i32, declared void"),
        ((n.Evaluate(c(1)),), "1 has no effect"),
        ((n.Evaluate(n.Call("f", (), I32)),), "1 arguments expected"),
        ((n.Evaluate(n.Call("f", (c(1, U32),), I32)),), "v is i32, the argument u32"),
        ((n.Evaluate(n.Call("g", (), I32)),), "g is called before it is defined"),
        ((let("s", c(1), space=Space.SHARED),), "shared variable s has an initialiser"),
        ((let("a", None, Array(I32, 0)),), "a[] has no length"),
        ((put(el(y, n.Convert(c(1), F32)), 1),), "index of type f32"),
        ((put(el(y, 0), n.Convert(y, I32)),), "conversion from global i32*"),
        ((put(el(y, 0), n.Bitcast(c(1), BOOL)),), "bits of i32"),
        ((put(el(y, 0), n.MathCall("exp", (c(1),), I32)),), "(i32) -> i32"),
        ((put(el(y, 0), n.Shuffle("xor", c(1), c(1), I32, 33)),), "width 33"),
        ((n.Evaluate(n.Atomic("add", var("k", KEPT), c(1), I32)),), "atomic on global const i32*"),
        ((n.Evaluate(n.Atomic("cas", y, c(1), I32)),), "wrong expected value"),
        ((let("p", n.PointerCast(y, Pointer(F32, Space.SHARED))),), "cast from global i32* to shared f32*"),
        ((shared("s", I32, 4), let("p", n.Decay(var("s", Array(I32, 4)), y.type))), "global pointer to shared memory"),
        ((put(el(y, 0), n.Const(1 << 40, I32)),), "i32 constant"),
        ((put(el(y, 0), n.Const(8, I32, name="B")),), "constant B = 8 is not in the program's list"),
        ((put(el(y, 0), n.Convert(n.GridIndex(n.Grid.THREAD, 3), I32)),), "thread along axis 3"),
    ],
)
def test_broken(body: tuple[n.Stmt, ...], message: str) -> None:
    params = (X, Y, N, n.Param("k", KEPT))
    with pytest.raises(InvalidProgram) as caught:
        validate(program(*body, params=params, functions=(HELPER,)))
    assert any(message in v for v in caught.value.violations), caught.value.violations


def test_recursion_and_order() -> None:
    loop = device("f", {"v": I32}, n.Return(n.Call("f", (var("v"),), I32)), returns=I32)
    with pytest.raises(InvalidProgram, match="calls itself"):
        validate(program(functions=(loop,)))


def test_all_violations_with_lines() -> None:
    body = (put(var("a"), 1, loc=at(7)), tid_assign := put(var("b"), tid(), loc=at(9)), BARRIER)
    assert tid_assign in body
    with pytest.raises(InvalidProgram) as caught:
        validate(program(*body))
    text = str(caught.value)
    assert "k.cu:7" in text
    assert "k.cu:9" in text
