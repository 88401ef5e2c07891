"""Uniformity, divergence, collectives, shared memory and buffers, on small programs."""

from __future__ import annotations

import pytest
from gpuport.ir.analysis.buffers import buffer_uses
from gpuport.ir.analysis.collectives import Collective, find_collectives
from gpuport.ir.analysis.divergence import divergent_collectives
from gpuport.ir.analysis.order import order_dependent
from gpuport.ir.analysis.uniformity import Level, find_uniformity
from gpuport.ir.analysis.usage import atomics_used, group_size_dependent, names_used, scalars_used, shared_use
from gpuport.ir.types import F64, U8, VOID, Scalar
from ir_build import (
    BARRIER,
    BOOL,
    F32,
    I32,
    Array,
    N,
    Pointer,
    Space,
    Vector,
    X,
    Y,
    at,
    bid,
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

PARAMS = (X, Y, N)
S = var("s", Array(I32, 8))


def level_of(*body: n.Stmt, block: tuple[int, int, int] | None = None, functions: tuple[n.Function, ...] = ()) -> Level:
    """The level of the value that the last statement declares."""
    p = program(*body, params=PARAMS, functions=functions)
    return find_uniformity(p, block).level(body[-1])


V = var("v")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ((let("v", size),), Level.GRID),
        ((let("v", bid()),), Level.GROUP),
        ((let("v", tid()),), Level.THREAD),
        ((let("v", el(x, 3)),), Level.GRID),
        ((let("v", el(x, bid())),), Level.GROUP),
        ((let("v", el(x, tid())),), Level.THREAD),
        ((put(el(y, 0), 1), let("v", el(y, 3))), Level.THREAD),
        ((let("p", n.Offset(x, size, x.type)), let("v", el(var("p", x.type), 1))), Level.GRID),
        ((shared("s", I32, 8), put(el(S, tid()), 1), BARRIER, let("v", el(S, 0))), Level.GROUP),
        ((shared("s", I32, 8), let("v", el(S, tid()))), Level.THREAD),
        ((let("w", c(0)), when(op(tid(), "<", 3), put(var("w"), 1)), let("v", var("w"))), Level.THREAD),
        ((let("w", c(0)), when(op(bid(), "<", 3), put(var("w"), 1)), let("v", var("w"))), Level.GROUP),
        ((let("w", tid()), put(var("w"), 1), let("v", var("w"))), Level.GRID),
        ((let("w", c(0)), count("i", tid(), put(var("w"), 1, "+")), let("v", var("w"))), Level.THREAD),
        ((let("w", c(0)), count("i", size, put(var("w"), 1, "+")), let("v", var("w"))), Level.GRID),
        ((let("w", c(0)), count("i", size, put(var("w"), tid(), "+")), let("v", var("w"))), Level.THREAD),
        (
            (
                let("w", c(0)),
                count("i", size, when(op(tid(), "==", 1), n.Break()), put(var("w"), 1, "+")),
                let("v", var("w")),
            ),
            Level.THREAD,
        ),
        ((let("v", n.Vote("any", op(tid(), "<", 3), BOOL)),), Level.THREAD),
        ((let("v", n.Vote("any", op(size, "<", 3), BOOL)),), Level.GRID),
        ((let("v", shuffle(size, 0)),), Level.THREAD),
        (
            (let("w", c(1)), let("q", n.AddressOf(var("w"), Pointer(I32, Space.PRIVATE))), let("v", var("w"))),
            Level.THREAD,
        ),
    ],
)
def test_levels(body: tuple[n.Stmt, ...], expected: Level) -> None:
    assert level_of(*body) is expected


def test_loops_need_a_second_look() -> None:
    # w gets the value that v had in the iteration before
    body = count("i", size, put(var("w"), V), put(V, tid()))
    assert level_of(let("v", c(0)), let("w", c(0)), body, let("u", var("w"))) is Level.THREAD


def test_block_of_one_thread_along_an_axis() -> None:
    assert level_of(let("v", tid(1)), block=(64, 1, 1)) is Level.GRID
    assert level_of(let("v", tid(1)), block=(64, 2, 1)) is Level.THREAD


def test_calls() -> None:
    f = device("f", {"a": I32}, when(op(var("a"), "<", 0), n.Return(c(0))), n.Return(var("a")), returns=I32)
    assert level_of(let("v", n.Call("f", (size,), I32)), functions=(f,)) is Level.GRID
    assert level_of(let("v", n.Call("f", (tid(),), I32)), functions=(f,)) is Level.THREAD


def test_deep_loops_stay_quick() -> None:
    body: tuple[n.Stmt, ...] = (put(V, op(V, "+", var("i11"))), put(var("w"), V))
    for k in reversed(range(12)):
        body = (count(f"i{k}", size, *body),)
    assert level_of(let("v", tid()), let("w", c(0)), *body, let("u", var("w"))) is Level.THREAD


def lines(
    *body: n.Stmt, functions: tuple[n.Function, ...] = (), kinds: frozenset[Collective] | None = None
) -> list[str]:
    p = program(shared("s", I32, 8), *body, params=PARAMS, functions=functions)
    found = divergent_collectives(p, kinds=kinds or frozenset((Collective.BARRIER,)))
    return [f"{d.loc.line if d.loc else 0} {d.why}" for d in found]


def barrier(line: int) -> n.Barrier:
    return n.Barrier(loc=at(line))


THREAD_0 = op(tid(), "==", 0)


def test_divergent_barriers() -> None:
    assert lines(barrier(1), when(op(size, "<", 3), barrier(2), loc=at(2))) == []
    assert lines(when(THREAD_0, barrier(3), loc=at(2))) == ["3 `i32(thread.x) == 0` (line 2)"]
    assert lines(when(THREAD_0, n.Return(), loc=at(2)), barrier(3)) == ["3 `i32(thread.x) == 0` (line 2)"]
    assert lines(when(op(bid(), "==", 0), n.Return()), barrier(3)) == []
    assert lines(count("i", tid(), barrier(4))) != []
    assert lines(count("i", size, when(THREAD_0, n.Continue()), barrier(4))) != []
    assert lines(count("i", size, barrier(4), when(THREAD_0, n.Break()))) != []
    assert lines(count("i", size, when(THREAD_0, n.Break())), barrier(4)) == []
    assert lines(count("i", size, when(THREAD_0, n.Return())), barrier(4)) != []


def test_divergent_calls_and_operands() -> None:
    f = device("f", {"a": I32}, put(var("a"), shuffle(var("a"), 1), "+"), n.Return(var("a")), returns=I32)
    every = frozenset(Collective)
    call = n.Call("f", (c(1),), I32)
    assert lines(when(THREAD_0, let("v", call, loc=at(5))), functions=(f,)) == []
    assert len(lines(when(THREAD_0, let("v", call, loc=at(5))), functions=(f,), kinds=every)) == 1
    lazy = let("v", n.Select(op(size, "<", 2), call, c(0), I32), loc=at(6))
    assert lines(lazy, functions=(f,), kinds=every) == ["6 it is not always evaluated"]


def test_collectives() -> None:
    f = device("f", {"a": I32}, n.Return(shuffle(var("a"), 1)), returns=I32)
    g = device("g", {}, BARRIER, put(el(y, 0), n.Call("f", (c(1),), I32)))
    found = find_collectives(program(n.Evaluate(n.Call("g", (), g.returns)), functions=(f, g), params=PARAMS))
    assert found.functions["f"] == {Collective.SUBGROUP}
    assert found.functions["k"] == frozenset(Collective)


def test_shared_memory_is_aligned() -> None:
    p = program(
        shared("a", U8, 3),
        shared("b", Vector(F32, 4), 2),
        shared("d", F64, 1),
        let("one", None, I32, space=Space.SHARED),
        shared("dyn", F32, 0),
    )
    use = shared_use(p)
    assert use.static == 16 + 32 + 8 + 4
    assert use.dynamic
    assert [v.name for v in use.variables] == ["a", "b", "d", "one", "dyn"]


def test_names_types_atomics() -> None:
    add = n.Atomic("add", n.AddressOf(el(y, 0), y.type), c(1), I32)
    p = program(n.Evaluate(add), let("d", n.Const(1.0, F64), loc=at(9)), params=PARAMS)
    assert {"k", "x", "y", "n", "d"} <= names_used(p.kernel)
    assert scalars_used(p)[F64] == at(9)
    assert [(a.op, space) for a, space in atomics_used(p)] == [("add", Space.GLOBAL)]
    assert not group_size_dependent(p)
    assert group_size_dependent(program(let("v", tid())))


def test_buffers() -> None:
    f = device("f", {"q": y.type}, put(el(var("q", y.type), 0), 1))
    add = n.Atomic("add", n.AddressOf(el(var("r", y.type), 1), y.type), c(1), I32)
    p = program(
        let("p", n.Offset(y, c(4), y.type)),
        n.Evaluate(n.Call("f", (var("p", y.type),), f.returns)),
        let("r", n.Select(op(size, "<", 1), var("z", y.type), var("p", y.type), y.type)),
        put(el(var("w", y.type), 2), el(x, el(var("i", y.type), 0)), "+"),
        n.Evaluate(add),
        params=(X, Y, n.Param("z", y.type), n.Param("w", y.type), n.Param("i", y.type), n.Param("u", y.type), N),
        functions=(f,),
    )
    uses = buffer_uses(p)
    assert {k: (u.read, u.written) for k, u in uses.items()} == {
        "x": (True, False),
        "y": (True, True),
        "z": (True, True),
        "w": (True, True),
        "i": (True, False),
        "u": (False, False),
    }
    assert uses["z"].atomics == {("add", I32)}
    assert uses["w"].atomics == set()


def test_a_store_is_no_read() -> None:
    uses = buffer_uses(program(put(el(y, 0), 1), params=PARAMS))
    assert (uses["y"].read, uses["y"].written) == (False, True)


def add(place: n.Expr, value: n.Expr) -> n.Evaluate:
    assert isinstance(place.type, Scalar)
    return n.Evaluate(n.Atomic("add", n.AddressOf(place, Pointer(place.type, Space.GLOBAL)), value, place.type))


SUMS = var("sums", Array(F32, 8))
P = var("p", Pointer(F32, Space.GLOBAL))
PF = Pointer(F32, Space.GLOBAL)
FROM, TO = var("from", PF), var("to", PF)
ADDER = device("adder", {"p": PF, "v": F32}, add(el(P, 0), var("v", F32)))


@pytest.mark.parametrize(
    ("body", "functions", "expected"),
    [
        ((add(el(TO, tid()), el(FROM, 0)),), (), {"to"}),
        ((put(el(TO, tid()), el(FROM, 0)),), (), set()),
        ((shared("s", I32, 8), add(el(S, 0), c(1)), put(el(TO, el(S, 0)), el(FROM, 0))), (), set()),  # integers: any order
        ((shared("sums", F32, 8), add(el(SUMS, 0), el(FROM, 0)), put(el(TO, 0), el(SUMS, 0))), (), {"to"}),
        ((shared("sums", F32, 8), put(el(TO, 0), el(FROM, 0)), add(el(SUMS, 0), el(FROM, 0))), (), set()),
        ((let("p", TO), add(el(P, 1), el(FROM, 0))), (), {"to"}),
        ((n.Evaluate(n.Call("adder", (TO, el(FROM, 0)), VOID)),), (ADDER,), {"to"}),
        (
            (shared("sums", F32, 8), add(el(SUMS, 0), el(FROM, 0)), when(op(el(SUMS, 0), ">", el(FROM, 0)), put(el(TO, 0), el(FROM, 1)))),
            (),
            {"to"},
        ),
        (
            (shared("sums", F32, 8), add(el(SUMS, 0), el(FROM, 0)), when(op(el(SUMS, 0), ">", el(FROM, 0)), n.Return()), put(el(TO, 0), el(FROM, 1))),
            (),
            {"to"},
        ),
    ],
    ids=["atomic", "store", "integers", "shared", "unused", "pointer", "call", "branch", "exit"],
)  # fmt: skip
def test_buffers_that_the_order_of_float_atomics_may_change(body, functions, expected):
    assert (
        order_dependent(program(*body, params=(n.Param("from", PF), n.Param("to", PF)), functions=functions))
        == expected
    )
