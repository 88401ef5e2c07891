"""Address spaces are inferred, functions cloned, and what cannot be told is refused at its line."""

from __future__ import annotations

import pytest
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.types import U64
from gpuport.ir.validate import validate
from ir_build import F32, I32, Array, Pointer, Space, at, c, device, el, let, n, program, put, shared, var

G = Pointer(F32, Space.GENERIC)
GG = Pointer(G, Space.GENERIC)
X = n.Param("x", G)
x = var("x", G)
ARRAY = Array(F32, 32)
s = n.Decay(var("s", ARRAY), G)
private = n.Decay(var("l", ARRAY), G)


def resolved(*body: n.Stmt, functions: tuple[n.Function, ...] = ()) -> str:
    p = resolve_spaces(program(*body, params=(X,), functions=functions))
    validate(p)
    text = show_program(p)
    assert "generic" not in text
    return text


def refused(*body: n.Stmt, functions: tuple[n.Function, ...] = ()) -> str:
    with pytest.raises(Refusal) as caught:
        resolve_spaces(program(*body, params=(X,), functions=functions))
    assert {d.number for d in caught.value.diagnostics} == {"GP1201"}
    return str(caught.value)


def test_variables_and_arithmetic() -> None:
    moved = n.Offset(x, c(4), G)
    wide = n.PointerCast(moved, Pointer(I32, Space.GENERIC))
    text = resolved(
        shared("s", F32, 32),
        let("p", n.Select(n.boolean(True), moved, x, G)),
        let("q", wide),
        let("t", n.AddressOf(el(var("s", ARRAY), 3), G)),
        put(el(var("t", G), 0), n.Deref(var("p", G), F32)),
    )
    assert "global f32* p = true ? x + 4 : x;" in text
    assert "global i32* q = (global i32*)(x + 4);" in text
    assert "shared f32* t = &s[3];" in text


def test_clones_for_each_combination() -> None:
    body = (let("r", var("p", G)), put(el(var("r", G), 0), el(var("q", G), 0)), n.Return(var("r", G)))
    copy = device("copy", {"p": G, "q": G}, *body, returns=G)
    unused = device("unused", {"p": G}, put(el(var("p", G), 0), c(0.0, F32)))

    def call(a: n.Expr, b: n.Expr) -> n.Call:
        return n.Call("copy", (a, b), G)

    text = resolved(
        shared("s", F32, 32),
        let("l", None, ARRAY),
        let("a", call(x, s)),
        let("b", call(s, s)),
        let("d", call(x, private)),
        let("e", call(s, x)),
        let("f", call(x, s)),
        functions=(copy, unused),
    )
    assert "device global f32* copy(global f32* p, shared f32* q) {" in text
    assert "device shared f32* copy_shared(shared f32* p, shared f32* q) {" in text
    assert "device global f32* copy_private(global f32* p, private f32* q) {" in text
    assert "device shared f32* copy_shared_global(shared f32* p, global f32* q) {" in text
    assert "global f32* f = copy(x, s);" in text
    assert "unused" not in text


def test_callee_tells_the_space_of_an_out_parameter() -> None:
    # f(float** out, float* from) { *out = from; }
    f = device("f", {"out": GG, "p": G}, put(n.Deref(var("out", GG), G), var("p", G)))
    text = resolved(
        shared("s", F32, 32),
        let("q", None, G),
        n.Evaluate(n.Call("f", (n.AddressOf(var("q", G), GG), s), f.returns)),
        functions=(f,),
    )
    assert "shared f32* q;" in text
    assert "device void f(private shared f32** out, shared f32* p)" in text


def test_null() -> None:
    null = n.PointerCast(n.Const(0, U64), G)
    assert "global f32* p = " in resolved(let("p", null))
    text = resolved(shared("s", F32, 32), let("p", null), put(var("p", G), s))
    assert "shared f32* p = (shared f32*)0uL;" in text


def test_two_spaces() -> None:
    text = refused(shared("s", F32, 32), let("p", x, loc=at(3)), put(var("p", G), s, loc=at(4)))
    assert text == (
        "k.cu:4: error GP1201: pointer p may point to global memory and to shared memory; use a pointer for each"
    )


def test_two_spaces_through_a_call() -> None:
    first = device(
        "first", {"p": G, "q": G}, n.Return(n.Select(n.boolean(True), var("p", G), var("q", G), G)), returns=G
    )
    call = n.Call("first", (x, s), G, loc=at(8))
    text = refused(shared("s", F32, 32), let("r", call, loc=at(8)), functions=(first,))
    assert "k.cu:8: error GP1201: argument q of first may point to global memory and to shared" in text


def test_never_set() -> None:
    assert "k.cu:5: error GP1201: pointer p never gets an address" in refused(let("p", None, G, loc=at(5)))


def test_deep_call_chain_is_quick() -> None:
    leaf = device("f0", {"p": G}, n.Return(var("p", G)), returns=G)
    chain = [leaf]
    for k in range(1, 25):
        inner = n.Call(f"f{k - 1}", (var("p", G),), G)
        chain.append(
            device(f"f{k}", {"p": G}, let("a", inner), n.Return(n.Call(f"f{k - 1}", (var("a", G),), G)), returns=G)
        )
    text = resolved(let("r", n.Call("f24", (x,), G)), functions=tuple(chain))
    assert text.count("device global f32* f") == 25
