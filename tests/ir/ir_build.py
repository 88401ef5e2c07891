"""Short names to build IR by hand in tests."""

from __future__ import annotations

from gpuport.ir import nodes as n
from gpuport.ir.types import BOOL, F32, I32, VOID, Array, Pointer, Scalar, Space, Type, Vector

_COMPARE = ("==", "!=", "<", "<=", ">", ">=")

GLOBAL_F32 = Pointer(F32, Space.GLOBAL)
GLOBAL_I32 = Pointer(I32, Space.GLOBAL)


def at(line: int) -> n.Loc:
    return n.Loc("k.cu", line)


def var(name: str, t: Type = I32) -> n.Var:
    return n.Var(name, t)


def c(value: float, t: Scalar = I32) -> n.Const:
    return n.Const(value, t)


def tid(axis: int = 0) -> n.Expr:
    return n.Convert(n.GridIndex(n.Grid.THREAD, axis), I32)


def bid(axis: int = 0) -> n.Expr:
    return n.Convert(n.GridIndex(n.Grid.GROUP, axis), I32)


def op(left: n.Expr, operator: str, right: n.Expr | int) -> n.Binary:
    if isinstance(right, int):
        right = n.Const(right, left.type if isinstance(left.type, Scalar) else I32)
    logic = operator in (*_COMPARE, "&&", "||")
    t = BOOL if logic else left.type
    assert isinstance(t, Scalar | Vector)
    return n.Binary(operator, left, right, t)


def el(base: n.Expr, index: n.Expr | int) -> n.Element:
    t = base.type
    assert isinstance(t, Pointer | Array)
    return n.Element(base, c(index) if isinstance(index, int) else index, t.elem)


def let(name: str, init: n.Expr | None = None, t: Type | None = None, **kw: object) -> n.Declare:
    kind = t or (init.type if init is not None else I32)
    return n.Declare(name, kind, init, **kw)  # type: ignore[arg-type]


def shared(name: str, elem: Scalar | Vector | Array, length: int) -> n.Declare:
    return n.Declare(name, Array(elem, length), space=Space.SHARED)


def put(target: n.Expr, value: n.Expr | int, operator: str | None = None, **kw: object) -> n.Assign:
    if isinstance(value, int):
        assert isinstance(target.type, Scalar)
        value = n.Const(value, target.type)
    return n.Assign(target, value, operator, **kw)  # type: ignore[arg-type]


def count(name: str, limit: n.Expr | int, *body: n.Stmt, start: n.Expr | int = 0, step: int = 1) -> n.For:
    i = var(name)
    first = c(start) if isinstance(start, int) else start
    return n.For((let(name, first),), op(i, "<", limit), (put(i, step, "+"),), body)


def when(cond: n.Expr, *then: n.Stmt, other: tuple[n.Stmt, ...] = (), loc: n.Loc | None = None) -> n.If:
    return n.If(cond, then, other, loc=loc)


def shuffle(value: n.Expr, lane: n.Expr | int, kind: str = "xor", width: int = 32) -> n.Shuffle:
    assert isinstance(value.type, Scalar | Vector)
    return n.Shuffle(kind, value, c(lane) if isinstance(lane, int) else lane, value.type, width)


def kernel(*body: n.Stmt, params: tuple[n.Param, ...] = (), name: str = "k") -> n.Function:
    return n.Function(name, params, body)


def program(*body: n.Stmt, params: tuple[n.Param, ...] = (), functions: tuple[n.Function, ...] = ()) -> n.Program:
    return n.Program(kernel(*body, params=params), functions, subgroup_width=32)


def device(name: str, params: dict[str, Type], *body: n.Stmt, returns: Type = VOID) -> n.Function:
    return n.Function(name, tuple(n.Param(k, t) for k, t in params.items()), body, returns)


X, Y, N = n.Param("x", GLOBAL_I32), n.Param("y", GLOBAL_I32), n.Param("n", I32)
x, y, size = var("x", GLOBAL_I32), var("y", GLOBAL_I32), var("n")
BARRIER = n.Barrier()
