"""Short constructors for IR programs in tests: `X` wraps an expression and gives it Python's operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from gpuport.backends.base import Launch
from gpuport.backends.emulator import Emulation, emulate
from gpuport.ir import nodes as ir
from gpuport.ir.types import BOOL, F32, I32, VOID, Array, Pointer, Space, Vector, scalar_of


class Stub:
    """A machine model with just the facts that the emulator asks for."""

    name = "stub"

    def __init__(self, **facts: Any) -> None:
        self.facts = {"execution.subgroup_width": 32, "limits.threads_per_group": 1024, "shared.per_group": 49152}
        self.facts.update({k.replace("__", "."): v for k, v in facts.items()})

    def get(self, path: str, default: Any = None) -> Any:
        return self.facts.get(path, default)


STUB: Any = Stub()
WAVE64: Any = Stub(execution__subgroup_width=64)
_line = 0


def loc() -> ir.Loc:
    """A fresh line for each statement, so that findings can be told apart."""
    global _line
    _line += 1
    return ir.Loc("test.cu", _line)


class X:
    def __init__(self, e: ir.Expr) -> None:
        self.e = e

    @property
    def t(self) -> Any:
        return self.e.type

    def bin(self, op: str, other: Any, t: Any = None, *, swap: bool = False) -> X:
        other = other if isinstance(other, X) else const(other, self.t)
        a, b = (other.e, self.e) if swap else (self.e, other.e)
        return X(ir.Binary(op, a, b, t or self.t))

    def __add__(self, o: Any) -> X:
        if isinstance(self.t, Pointer):
            return X(ir.Offset(self.e, as_x(o, I32).e, self.t))
        return self.bin("+", o)

    def __radd__(self, o: Any) -> X:
        return self.bin("+", o, swap=True)

    def __sub__(self, o: Any) -> X:
        return self.bin("-", o)

    def __mul__(self, o: Any) -> X:
        return self.bin("*", o)

    def __rmul__(self, o: Any) -> X:
        return self.bin("*", o, swap=True)

    def __truediv__(self, o: Any) -> X:
        return self.bin("/", o)

    def __mod__(self, o: Any) -> X:
        return self.bin("%", o)

    def __and__(self, o: Any) -> X:
        return self.bin("&", o)

    def __xor__(self, o: Any) -> X:
        return self.bin("^", o)

    def __lshift__(self, o: Any) -> X:
        return X(ir.Binary("<<", self.e, as_x(o, I32).e, self.t))

    def __rshift__(self, o: Any) -> X:
        return X(ir.Binary(">>", self.e, as_x(o, I32).e, self.t))

    def __lt__(self, o: Any) -> X:
        return self.bin("<", o, BOOL)

    def __le__(self, o: Any) -> X:
        return self.bin("<=", o, BOOL)

    def __gt__(self, o: Any) -> X:
        return self.bin(">", o, BOOL)

    def __ge__(self, o: Any) -> X:
        return self.bin(">=", o, BOOL)

    def eq(self, o: Any) -> X:
        return self.bin("==", o, BOOL)

    def ne(self, o: Any) -> X:
        return self.bin("!=", o, BOOL)

    def land(self, o: X) -> X:
        return X(ir.Binary("&&", self.e, o.e, BOOL))

    def lor(self, o: X) -> X:
        return X(ir.Binary("||", self.e, o.e, BOOL))

    def __neg__(self) -> X:
        return X(ir.Unary("-", self.e, self.t))

    def __invert__(self) -> X:
        return X(ir.Unary("!" if self.t == BOOL else "~", self.e, self.t))

    def __getitem__(self, index: Any) -> X:
        elem = self.t.elem
        return X(ir.Element(self.e, as_x(index, I32).e, elem, loc=loc()))

    def comp(self, i: int) -> X:
        return X(ir.Component(self.e, i, self.t.elem))

    def to(self, t: Any) -> X:
        return X(ir.Convert(self.e, t))

    def bits(self, t: Any) -> X:
        return X(ir.Bitcast(self.e, t))

    def addr(self, space: Space = Space.GLOBAL) -> X:
        return X(ir.AddressOf(self.e, Pointer(self.t, space)))

    def cast(self, elem: Any) -> X:
        return X(ir.PointerCast(self.e, Pointer(elem, self.t.space)))

    def decay(self, space: Space = Space.SHARED) -> X:
        return X(ir.Decay(self.e, Pointer(self.t.elem, space)))


def as_x(v: Any, t: Any) -> X:
    return v if isinstance(v, X) else const(v, t)


def const(v: Any, t: Any = I32) -> X:
    return X(ir.Const(float(np.float32(v)) if t is F32 else v, t))


def var(name: str, t: Any = I32) -> X:
    return X(ir.Var(name, t))


def grid(kind: ir.Grid, axis: int = 0) -> X:
    return X(ir.Convert(ir.GridIndex(kind, axis), I32))


def tid(axis: int = 0) -> X:
    return grid(ir.Grid.THREAD, axis)


def bid(axis: int = 0) -> X:
    return grid(ir.Grid.GROUP, axis)


def math(fn: str, *args: X, t: Any = None) -> X:
    return X(ir.MathCall(fn, tuple(a.e for a in args), t or args[0].t))


def select(c: X, a: Any, b: Any) -> X:
    a = as_x(a, b.t if isinstance(b, X) else F32)
    return X(ir.Select(c.e, a.e, as_x(b, a.t).e, a.t))


def call(name: str, t: Any, *args: X) -> X:
    return X(ir.Call(name, tuple(a.e for a in args), t))


def shfl(kind: str, v: X, lane: Any, width: int = 32, undefined: bool = False) -> X:
    return X(ir.Shuffle(kind, v.e, as_x(lane, I32).e, v.t, width, undefined, loc=loc()))


def atomic(op: str, p: X, v: Any, expected: Any = None) -> X:
    t = p.t.elem
    e = None if expected is None else as_x(expected, t).e
    return X(ir.Atomic(op, p.e, as_x(v, t).e, t, e, loc=loc()))


def vec(*items: X) -> X:
    return X(ir.MakeVector(tuple(i.e for i in items), Vector(scalar_of(items[0].t), len(items))))


def declare(name: str, t: Any, init: Any = None, *, shared: bool = False) -> ir.Declare:
    e = None if init is None else as_x(init, t).e
    return ir.Declare(name, t, e, Space.SHARED if shared else Space.PRIVATE, loc=loc())


def shared(name: str, elem: Any, *dims: int) -> tuple[ir.Declare, X]:
    t: Any = elem
    for n in reversed(dims):
        t = Array(t, n)
    return declare(name, t, shared=True), var(name, t)


def assign(target: X, value: Any, op: str | None = None) -> ir.Assign:
    at = loc()
    e = target.e
    if isinstance(e, (ir.Element, ir.Deref)):
        import dataclasses

        e = dataclasses.replace(e, loc=at)
    return ir.Assign(e, as_x(value, target.t).e, op, loc=at)


def do(v: X) -> ir.Evaluate:
    return ir.Evaluate(v.e, loc=loc())


def iff(cond: X, then: list[Any], other: list[Any] | None = None) -> ir.If:
    return ir.If(cond.e, tuple(then), tuple(other or ()), loc=loc())


def loop(name: str, start: Any, end: Any, body: list[Any], step: Any = 1) -> ir.For:
    i = var(name)
    return ir.For(
        (declare(name, I32, as_x(start, I32)),), (i < as_x(end, I32)).e, (assign(i, step, "+"),), tuple(body), loc=loc()
    )


def loop_while(cond: X, body: list[Any], *, post: bool = False) -> ir.While:
    return ir.While(cond.e, tuple(body), post, loc=loc())


def sync(scope: ir.Scope = ir.Scope.GROUP) -> ir.Barrier:
    return ir.Barrier(scope, loc=loc())


def pointer(elem: Any, *, const: bool = False, space: Space = Space.GLOBAL) -> Pointer:
    return Pointer(elem, space, const=const)


def function(name: str, params: dict[str, Any], body: list[Any], returns: Any = VOID) -> ir.Function:
    return ir.Function(name, tuple(ir.Param(n, t) for n, t in params.items()), tuple(body), returns)


def program(params: dict[str, Any], body: list[Any], *functions: ir.Function, language: str = "cuda") -> ir.Program:
    return ir.Program(function("kernel", params, body), functions, language=language)


def run(
    prog: ir.Program, args: dict[str, Any], grid: Any = 1, block: Any = 32, *, machine: Any = STUB, roles: Any = None,
    shared_bytes: int = 0, **kw: Any,
) -> Emulation:  # fmt: skip
    """Run; pointer parameters named o* are outputs, io* are inout, others inputs, unless `roles` says otherwise."""

    def three(v: Any) -> Any:
        return (v, 1, 1) if isinstance(v, int) else (*v, 1, 1)[:3]

    found = {
        p.name: "inout" if p.name.startswith("io") else "out" if p.name.startswith("o") else "in"
        for p in prog.kernel.params
        if isinstance(p.type, Pointer)
    }
    return emulate(
        prog, machine, Launch(three(grid), three(block), shared_bytes), args, roles={**found, **(roles or {})}, **kw
    )


def clean(e: Emulation) -> Emulation:
    assert e.findings == [], e.findings
    return e


def kinds(e: Emulation) -> list[str]:
    return [f.kind for f in e.findings]
