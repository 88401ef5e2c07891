"""Bounds, initialisation, alignment, const; vectors, pointers, private and dynamic shared memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emu_build import (
    Stub,
    X,
    assign,
    bid,
    call,
    clean,
    const,
    declare,
    do,
    function,
    iff,
    kinds,
    loc,
    loop,
    loop_while,
    pointer,
    program,
    run,
    select,
    shared,
    sync,
    tid,
    var,
    vec,
)
from gpuport.ir import nodes as ir
from gpuport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I32,
    I64,
    U8,
    U16,
    U32,
    VOID,
    Array,
    Pointer,
    Scalar,
    Space,
    Vector,
)

OUT = {"o": pointer(F32)}
o = var("o", OUT["o"])


def out(n: int = 32) -> dict[str, Any]:
    return {"o": np.full(n, -1, np.float32)}


def test_read_out_of_bounds() -> None:
    t = {**OUT, "x": pointer(F32, const=True)}
    prog = program(t, [assign(o[tid()], var("x", t["x"])[tid() + 1])])
    got = run(prog, {**out(), "x": np.ones(32, np.float32)})
    assert kinds(got) == ["out-of-bounds"]
    assert "thread 31 of group 0 reads global x[32], which has 32 elements" in got.findings[0].message
    assert got.findings[0].loc is not None
    clean(run(prog, {**out(), "x": np.ones(33, np.float32)}))


def test_write_out_of_bounds_is_dropped() -> None:
    got = run(program(OUT, [assign(o[tid() - 1], 1)]), out())
    assert kinds(got) == ["out-of-bounds"]
    assert "o[-1]" in got.findings[0].message
    assert (got.buffers["o"] == [1] * 31 + [-1]).all()
    got = run(program(OUT, [assign(o[tid() * 100000000], 1)]), out())  # index wraps in 32 bits, as on the device
    assert "out-of-bounds" in kinds(got)


def test_masked_lanes_are_not_accesses() -> None:
    t = {**OUT, "x": pointer(F32, const=True), "n": I32}
    x, n = var("x", t["x"]), var("n")
    args = {**out(7), "x": np.ones(7, np.float32), "n": 7}
    clean(run(program(t, [iff(tid() < n, [assign(o[tid()], x[tid()])])]), args))
    clean(
        run(
            program(t, [assign(o[tid() % 7], select((tid() < n).land(x[tid()] > 0), x[tid()] * 0 + 1, const(1, F32)))]),
            args,
        )
    )
    body = [declare("i", I32, tid()), loop_while((var("i") < n).land(x[var("i")] > 0), [assign(var("i"), n)])]
    clean(run(program(t, body), args))


def test_shared_and_private_bounds() -> None:
    d, s = shared("s", F32, 32)
    got = run(program(OUT, [d, assign(s[tid() + 1], 0)]), out())
    assert kinds(got) == ["out-of-bounds"]
    assert "shared s[32]" in got.findings[0].message
    p, a = declare("a", Array(F32, 4)), var("a", Array(F32, 4))
    got = run(program(OUT, [p, loop("k", 0, 5, [assign(a[var("k")], 0)])]), out())
    assert kinds(got) == ["out-of-bounds"]
    assert "private a[4]" in got.findings[0].message


def test_uninitialised_memory() -> None:
    d, s = shared("s", F32, 64)
    got = run(program(OUT, [d, assign(s[tid()], 1), sync(), assign(o[tid()], s[tid() + 1])]), out())
    assert kinds(got) == ["uninitialised"]
    assert "thread 31 of group 0 reads shared s[32]" in got.findings[0].message
    assert np.isnan(got.buffers["o"][31])
    a = var("a", Array(F32, 4))
    body = [declare("a", a.t), iff(tid().ne(5), [assign(a[1], 1)]), assign(o[tid()], a[1])]
    got = run(program(OUT, body), out())
    assert kinds(got) == ["uninitialised"]
    assert "thread 5" in got.findings[0].message
    clean(run(program(OUT, [*body[:1], assign(a[1], 1), body[2]]), out()))


def test_out_buffers_start_uninitialised() -> None:
    body = [assign(o[tid()], 1, "+")]
    assert kinds(run(program(OUT, body), out())) == ["uninitialised"]
    got = clean(run(program(OUT, body), out(), roles={"o": "inout"}))
    assert (got.buffers["o"] == 0).all()
    clean(run(program(OUT, [assign(o[tid()], 1), *body]), out()))


def test_shared_memory_is_fresh_in_every_group() -> None:
    d, s = shared("s", F32, 32)
    body = [d, iff(bid().eq(0), [assign(s[tid()], 1)]), assign(o[bid() * 32 + tid()], s[tid()])]
    got = run(program(OUT, body), out(64), 2)
    assert kinds(got) == ["uninitialised"]
    assert "group 1" in got.findings[0].message


def test_uninitialised_variables() -> None:
    v = var("v", F32)
    got = run(program(OUT, [declare("v", F32), iff(tid() < 3, [assign(v, 1)]), assign(o[tid()], v)]), out())
    assert kinds(got) == ["uninitialised"]
    assert "thread 3 of group 0 reads v" in got.findings[0].message
    both = [declare("v", F32), iff(tid() < 3, [assign(v, 1)], [assign(v, 2)]), assign(o[tid()], v)]
    clean(run(program(OUT, both), out()))
    lazy = [declare("v", F32), iff(tid() < 3, [assign(v, 1)]), assign(o[tid()], select(tid() < 3, v, const(0, F32)))]
    clean(run(program(OUT, lazy), out()))
    q = var("q", Vector(F32, 2))
    part = [declare("q", q.t), assign(q.comp(0), 1), assign(o[tid()], q.comp(0))]
    clean(run(program(OUT, part), out()))
    assert kinds(run(program(OUT, [*part, assign(o[tid()], q.comp(1))]), out())) == ["uninitialised"]


def test_writes_to_inputs() -> None:
    t = {"x": pointer(F32)}
    x = np.ones(32, np.float32)
    got = run(program(t, [assign(var("x", t["x"])[tid()], 2)]), {"x": x})
    assert kinds(got) == ["read-only"]
    assert "is an input" in got.findings[0].message
    assert (got.buffers["x"] == 1).all()
    t = {"o": pointer(F32, const=True)}
    assert "is const" in run(program(t, [assign(var("o", t["o"])[tid()], 2)]), out()).findings[0].message


def test_vector_loads_and_alignment() -> None:
    f4 = Vector(F32, 4)
    t = {**OUT, "x": pointer(F32, const=True), "skip": I32}
    p = X(ir.PointerCast((var("x", t["x"]) + var("skip")).e, Pointer(f4, Space.GLOBAL, const=True)))
    v = var("v", f4)
    body = [declare("v", f4, p[tid()]), *(assign(o[tid() * 4 + i], v.comp(3 - i)) for i in range(4))]
    x = np.arange(136, dtype=np.float32)
    for skip in (0, 4):
        got = clean(run(program(t, body), {**out(128), "x": x, "skip": skip}))
        want = x[skip : skip + 128].reshape(-1, 4)[:, ::-1].ravel()
        np.testing.assert_array_equal(got.buffers["o"], want)
    got = run(program(t, body), {**out(128), "x": x, "skip": 3})
    assert kinds(got) == ["misaligned"]
    assert "alignment of 16" in got.findings[0].message


def test_vector_store_and_three_lanes() -> None:
    f3 = Vector(F32, 3)
    t = {"o": pointer(f3)}
    v = vec(*((tid() * 3 + i).to(F32) for i in range(3)))
    got = clean(run(program(t, [assign(var("o", t["o"])[tid()], v)]), out(96)))
    np.testing.assert_array_equal(got.buffers["o"], np.arange(96))


def test_component_of_memory() -> None:
    f2 = Vector(F32, 2)
    t = {"o": pointer(f2)}
    p = var("o", t["o"])
    got = run(program(t, [assign(p[tid()].comp(1), tid().to(F32))]), out(64))
    np.testing.assert_array_equal(got.buffers["o"].reshape(-1, 2), [[-1, i] for i in range(32)])
    assert kinds(run(program(t, [assign(p[tid()].comp(1), p[tid()].comp(0))]), out(64))) == ["uninitialised"]


def test_component_assignment_of_a_variable() -> None:
    f4 = Vector(F32, 4)
    v = var("v", f4)
    body = [
        declare("v", f4, vec(*[const(i, F32) for i in range(4)])),
        iff(tid() > 4, [assign(v.comp(2), tid().to(F32), "+")]),
        *(assign(o[tid() * 4 + i], v.comp(i)) for i in range(4)),
    ]
    got = clean(run(program(OUT, body), out(128))).buffers["o"].reshape(-1, 4)
    np.testing.assert_array_equal(got, [[0, 1, 2 + (i if i > 4 else 0), 3] for i in range(32)])


def test_pointer_walk_and_difference() -> None:
    t = {**OUT, "x": pointer(F32, const=True)}
    p, x = var("p", t["x"]), var("x", t["x"])
    away = X(ir.Binary("-", p.e, x.e, I64))
    body = [
        declare("p", t["x"], x + tid()),
        loop("k", 0, tid() % 3, [assign(p, p + 32)]),
        assign(o[tid()], X(ir.Deref(p.e, F32)) + away.to(F32)),
    ]
    got = clean(run(program(t, body), {**out(), "x": np.zeros(96, np.float32)}))
    np.testing.assert_array_equal(got.buffers["o"], [i + 32 * (i % 3) for i in range(32)])


def test_pointers_into_two_buffers() -> None:
    t = {**OUT, "a": pointer(F32, const=True), "b": pointer(F32, const=True)}
    a, b = var("a", t["a"]), var("b", t["b"])
    p = var("p", t["a"])
    body = [declare("p", t["a"], select((tid() % 2).eq(0), a, b)), assign(o[tid()], p[tid()])]
    args = {**out(), "a": np.arange(32, dtype=np.float32), "b": np.arange(100, 131, dtype=np.float32)}
    got = run(program(t, body), args)
    assert kinds(got) == ["out-of-bounds"]
    assert "b[31]" in got.findings[0].message
    np.testing.assert_array_equal(got.buffers["o"][:31], [i if i % 2 == 0 else 100 + i for i in range(31)])


def test_address_of_a_variable() -> None:
    p = pointer(F32, space=Space.PRIVATE)
    add = assign(X(ir.Deref(var("p", p).e, F32)), var("by", F32), "+")
    f = function("bump", {"p": p, "by": F32}, [add])
    v = var("v", F32)
    body = [
        declare("v", F32, const(1, F32)),
        iff(tid() > 3, [do(call("bump", VOID, v.addr(Space.PRIVATE), tid().to(F32)))]),
        assign(o[tid()], v),
    ]
    got = clean(run(program(OUT, body, f), out()))
    np.testing.assert_array_equal(got.buffers["o"], [1 + (i if i > 3 else 0) for i in range(32)])


def test_private_arrays_per_thread_index() -> None:
    a = var("a", Array(Array(I32, 3), 2))
    body = [
        declare("a", a.t),
        loop("i", 0, 2, [loop("j", 0, 3, [assign(a[var("i")][var("j")], var("i") * 3 + var("j") + tid())])]),
        assign(o[tid()], a[tid() % 2][tid() % 3].to(F32)),
    ]
    got = clean(run(program(OUT, body), out()))
    np.testing.assert_array_equal(got.buffers["o"], [i % 2 * 3 + i % 3 + i for i in range(32)])


def test_array_initialiser() -> None:
    a = var("a", Array(F32, 4))
    d = ir.Declare("a", a.t, items=(const(5, F32).e, tid().to(F32).e), loc=loc())
    got = clean(run(program(OUT, [d, assign(o[tid()], a[0] + a[1] + a[3])]), out()))
    np.testing.assert_array_equal(got.buffers["o"], 5 + np.arange(32))


def test_dynamic_shared_memory() -> None:
    d, s = declare("s", Array(F32, 0), shared=True), var("s", Array(F32, 0))
    prog = program(OUT, [d, assign(s[tid()], tid().to(F32)), sync(), assign(o[tid()], s[(tid() + 1) % 32])])
    got = clean(run(prog, out(), shared_bytes=128))
    np.testing.assert_array_equal(got.buffers["o"], (np.arange(32) + 1) % 32)
    assert "out-of-bounds" in kinds(run(prog, out(), shared_bytes=124))


def test_local_argument() -> None:
    t = {**OUT, "s": pointer(F32, space=Space.SHARED)}
    s = var("s", t["s"])
    prog = program(t, [assign(s[tid()], tid().to(F32)), sync(), assign(o[tid()], s[tid() ^ 1])], language="opencl")
    got = clean(run(prog, out(), shared_bytes=128))
    np.testing.assert_array_equal(got.buffers["o"], np.arange(32) ^ 1)


def test_byte_access_of_shared_memory() -> None:
    """Two threads write the two halves of a word: no race, and both halves make the word valid."""
    d, s = shared("s", U32, 16)
    halves = s.decay().cast(U16)
    t = {"o": pointer(U32)}
    body = [
        d,
        assign(halves[tid()], tid().to(U16)),
        sync(),
        iff(tid() < 16, [assign(var("o", t["o"])[tid()], s[tid()])]),
    ]
    got = clean(run(program(t, body), {"o": np.zeros(16, np.uint32)}))
    np.testing.assert_array_equal(got.buffers["o"], np.arange(32, dtype=np.uint16).view(np.uint32))
    body = [d, assign(halves[tid()], tid().to(U16)), iff(tid() < 16, [assign(var("o", t["o"])[tid()], s[tid()])])]
    assert "race" in kinds(run(program(t, body), {"o": np.zeros(16, np.uint32)}))


def test_null_pointer() -> None:
    t = {**OUT, "x": pointer(F32, const=True)}
    got = run(program(t, [assign(o[tid()], var("x", t["x"])[0])]), {**out(), "x": None})
    assert kinds(got) == ["out-of-bounds"]
    assert "null pointer" in got.findings[0].message


@pytest.mark.parametrize("t", [I8, U8, U16, I32, I64, F16, F32, F64, BOOL])
def test_element_types(t: Scalar) -> None:
    params = {"o": pointer(t), "x": pointer(t, const=True)}
    kind = {"int": "i", "uint": "u", "float": "f"}
    dtype = np.dtype(bool) if t == BOOL else np.dtype(f"{kind[t.kind]}{t.size}")
    x = np.arange(32).astype(dtype)
    got = clean(run(program(params, [assign(var("o", params["o"])[tid()], var("x", params["x"])[tid()])]),
                    {"x": x, "o": np.zeros_like(x)}))  # fmt: skip
    np.testing.assert_array_equal(got.buffers["o"], x)
    assert got.buffers["o"].dtype == dtype


def test_bf16_buffers_are_bit_patterns() -> None:
    t = {"o": pointer(BF16), "x": pointer(BF16, const=True)}
    x = (np.array([1.5, -2.25, 3.0, np.inf], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    v = var("x", t["x"])[tid()]
    got = clean(run(program(t, [assign(var("o", t["o"])[tid()], v + v)]), {"x": x, "o": np.zeros_like(x)}, 1, 4))
    want = (np.array([3, -4.5, 6, np.inf], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(got.buffers["o"], want)


def test_limits() -> None:
    got = run(program(OUT, [assign(o[tid()], 1)]), out(2048), 1, 2048)
    assert kinds(got) == ["limit"]
    assert (got.buffers["o"] == -1).all()
    d, s = shared("s", F32, 16384)
    got = run(program(OUT, [d, assign(s[tid()], 1)]), out())
    assert kinds(got) == ["limit"]
    assert "65536 bytes" in got.findings[0].message
    clean(run(program(OUT, [d, assign(s[tid()], 1)]), out(), machine=Stub(shared__per_group_optin=1 << 17)))


def test_grid_and_block_limits() -> None:
    small = Stub(limits__grid_dim=(10, 4, 4), limits__group_dim=(64, 64, 2))
    prog = program(OUT, [assign(o[tid()], 1)])
    clean(run(prog, out(), (10, 1), (16, 1, 2), machine=small))
    got = run(prog, out(), (11, 5), (1, 1, 4), machine=small)
    assert [f.message.split(";")[0] for f in got.findings] == [
        "4 threads along z", "11 groups along x", "5 groups along y",
    ]  # fmt: skip


def test_empty_grid_and_pointer_equality() -> None:
    prog = program(OUT, [assign(o[tid()], 1)])
    got = clean(run(prog, out(), (0, 1)))
    assert (got.buffers["o"] == -1).all()
    t = {**OUT, "x": pointer(F32, const=True), "y": pointer(F32, const=True)}
    x, y = var("x", t["x"]), var("y", t["y"])
    body = [assign(o[tid()], select(x.eq(y), const(1, F32), const(2, F32)))]
    one = np.ones(1, np.float32)
    assert clean(run(program(t, body), {**out(), "x": one, "y": None})).buffers["o"][0] == 2
    body = [assign(o[tid()], select((x + 0).eq(x), const(1, F32), const(2, F32)))]
    assert clean(run(program(t, body), {**out(), "x": one, "y": None})).buffers["o"][0] == 1


def test_a_declaration_in_a_loop_starts_afresh() -> None:
    a = var("a", Array(F32, 2))
    body = [declare("a", a.t), iff(var("k").eq(0), [assign(a[0], 1)]), assign(o[tid()], a[0])]
    got = run(program(OUT, [loop("k", 0, 2, body)]), out())
    assert kinds(got) == ["uninitialised"]
    clean(run(program(OUT, [loop("k", 0, 1, body)]), out()))
    inside = [iff(tid() < 7, [loop("k", 0, 2, body)])]
    assert kinds(run(program(OUT, inside), out())) == ["uninitialised"]


def test_findings_are_capped_per_kind() -> None:
    body = [assign(o[tid() + 1000 + k], 1) for k in range(50)]
    got = run(program(OUT, body), out())
    assert len(got.findings) == 21
    assert got.findings[-1].message.startswith("30 more")


def test_bad_arguments() -> None:
    prog = program({**OUT, "n": I32}, [assign(o[tid()], 1)])
    for args, text in [
        ({**out()}, "argument n: missing"),
        ({"n": 1}, "argument o: missing"),
        ({**out(), "n": 1, "m": 2}, "argument m: the kernel has no such parameter"),
        ({"o": np.zeros(32), "n": 1}, "argument o: expected elements of f32"),
        ({**out(), "n": "many"}, "argument n: expected a value of type i32"),
    ]:
        with pytest.raises(Exception, match=text) as e:
            run(prog, args)
        assert type(e.value).__name__ == "ArgumentError"
