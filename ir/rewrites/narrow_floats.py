"""half and bfloat16 on destinations without them: 16-bit integers in memory, f32 rounded after each operation else.

For +, -, *, / and sqrt of f16 and bf16 this gives the correctly rounded result: f32 has more than twice their bits and
two (Figueroa, "When is double rounding innocuous?", 1995). A value that is not in memory is an f32 that its type can
hold; memory holds its bits as u16.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from .. import nodes as n
from ..diagnostics import Diagnostic, Refusal
from ..types import BOOL, F16, F32, I32, U16, U32, Array, Pointer, Scalar, Space, Struct, Type, Vector
from ..walk import rebuild, walk
from .retype import Retype

if TYPE_CHECKING:
    from collections.abc import Collection

# these give a value that the operands' type holds, whatever they are computed in
_EXACT = frozenset(("fabs", "floor", "ceil", "trunc", "round", "rint", "fmin", "fmax", "copysign", "fmod"))


def soften(program: n.Program, narrow: Collection[Scalar]) -> n.Program:
    """Return the program without the scalar types `narrow` (F16, BF16).

    Every pointer must have its address space. Raises Refusal (GP2005) with each operation that has no such form: fma,
    functions that round, atomics, and conversions from types that f32 does not hold.
    """
    if not any(_uses(getattr(x, key, None), narrow) for f in (*program.functions, program.kernel)
               for x in walk(f) for key in ("type", "returns")):  # fmt: skip
        return program
    softener = _Softener(program, frozenset(narrow))
    functions = [softener.function(f) for f in program.functions]
    kernel = softener.function(program.kernel)
    if softener.problems:
        raise Refusal(dict.fromkeys(softener.problems))
    helpers = [softener.helpers[name] for name in sorted(softener.helpers)]
    return dataclasses.replace(program, functions=(*helpers, *functions), kernel=kernel)


def _uses(t: object, narrow: Collection[Scalar]) -> bool:
    while isinstance(t, Pointer | Array):
        t = t.elem
    if isinstance(t, Struct):
        return any(_uses(m.type, narrow) for m in t.members)
    return (t.elem if isinstance(t, Vector) else t) in narrow


class _Softener:
    """One program. `stored` maps types of memory, `held` those of values."""

    def __init__(self, program: n.Program, narrow: frozenset[Scalar]) -> None:
        self.narrow = narrow
        self.stored = Retype(lambda t: self._leaf(t, U16))
        self.problems: list[Diagnostic] = []
        self.helpers: dict[str, n.Function] = {}
        self.taken = {f.name for f in program.functions} | {program.kernel.name}
        self.taken |= {p.name for f in program.functions for p in f.params}
        self.in_memory: set[str] = set()
        self.loc: n.Loc | None = None

    def _leaf(self, t: Type, scalar: Scalar) -> Type:
        if t in self.narrow:
            return scalar
        return Vector(scalar, t.lanes) if isinstance(t, Vector) and t.elem in self.narrow else t

    def held(self, t: Type) -> Type:
        """The type of a value: f32 for a narrow float, what memory has for all that is more than a vector."""
        return self._leaf(t, F32) if isinstance(t, Scalar | Vector) else self.stored(t)

    def soft(self, t: Type) -> Scalar | None:
        """The narrow type of a scalar or vector."""
        elem = t.elem if isinstance(t, Vector) else t
        return elem if isinstance(elem, Scalar) and elem in self.narrow else None

    def refuse(self, e: n.Node, what: str) -> None:
        self.problems.append(Diagnostic("GP2005", f"{what}, which the destination has to do in f32", e.loc or self.loc))

    # functions and statements

    def function(self, f: n.Function) -> n.Function:
        """A function whose parameters are values as their types are held."""
        self.loc = f.loc
        self.in_memory = {_root(x.memory) for x in walk(f) if isinstance(x, n.AddressOf)} - {""}
        params: list[n.Param] = []
        for p in f.params:
            if p.name in self.in_memory and self.soft(p.type):
                self.refuse(p, f"the address of the parameter {p.name} of type {p.type}")
            params.append(dataclasses.replace(p, type=self.held(p.type)))
        body = tuple(self.statement(s) for s in f.body)
        return dataclasses.replace(f, params=tuple(params), body=body, returns=self.held(f.returns))

    def statement(self, s: n.Stmt) -> n.Stmt:
        self.loc = s.loc or self.loc
        match s:
            case n.Declare():
                return self.declare(s)
            case n.Assign():
                return self.assign(s)
            case _:
                return rebuild(
                    s,
                    lambda c: (
                        self.statement(cast("n.Stmt", c))
                        if isinstance(c, n.Statement)
                        else self.value(cast("n.Expr", c))
                    ),
                )

    def declare(self, s: n.Declare) -> n.Declare:
        shared = s.space is Space.SHARED
        memory = shared or s.name in self.in_memory or not isinstance(s.type, Scalar | Vector)
        if shared:
            self.in_memory.add(s.name)
        t = self.stored(s.type) if memory else self.held(s.type)
        init = self.value(s.init) if s.init is not None else None
        if init is not None and memory and (narrow := self.soft(s.type)):
            init = self.pack(init, narrow)
        items = tuple(self.item(i) for i in s.items) if s.items is not None else None
        return dataclasses.replace(s, type=t, init=init, items=items)

    def item(self, e: n.Expr) -> n.Expr:
        """What an array or struct begins with: bits."""
        value, narrow = self.value(e), self.soft(e.type)
        return self.pack(value, narrow) if narrow else value

    def assign(self, s: n.Assign) -> n.Assign:
        narrow = self.soft(s.target.type)
        if narrow is None:
            return dataclasses.replace(s, target=self.memory(s.target), value=self.value(s.value))
        value = s.value if s.op is None else n.Binary(s.op, s.target, s.value, s.target.type, loc=s.loc)  # pyright: ignore[reportArgumentType]
        if self.is_memory(s.target):
            new: n.Expr | None = None
            if isinstance(value, n.Binary) and isinstance(value.type, Scalar):  # one rounding, on the way to memory
                new = self.plain(value)
            packed = self.pack(new if new is not None else self.value(value), narrow)
            return dataclasses.replace(s, target=self.memory(s.target), value=packed, op=None)
        return dataclasses.replace(s, target=self.target(s.target), value=self.value(value), op=None)

    def target(self, e: n.Expr) -> n.Expr:
        """A variable that is held as a value, or a component of one."""
        if isinstance(e, n.Component):
            return n.Component(self.target(e.base), e.index, F32, loc=e.loc)
        assert isinstance(e, n.Var)
        return dataclasses.replace(e, type=self.held(e.type))

    # memory

    def is_memory(self, e: n.Expr) -> bool:
        """Tell whether an expression of a narrow type denotes memory, which holds bits."""
        match e:
            case n.Element() | n.Deref() | n.Field():
                return True
            case n.Component(base=base):
                return self.is_memory(base)
            case n.Var(name=name):
                return name in self.in_memory
            case _:
                return False

    def memory(self, e: n.Expr) -> n.Expr:
        """Memory as it is stored."""
        match e:
            case n.Element(base=base):
                inner = self.memory(base) if not isinstance(base.type, Pointer) else self.value(base)
                return n.Element(inner, self.value(e.index), self.stored(e.type), loc=e.loc)
            case n.Deref():
                return n.Deref(self.value(e.pointer), self.stored(e.type), loc=e.loc)
            case n.Field():
                base = self.memory(e.base) if self._denotes(e.base) else self.value(e.base)
                return n.Field(base, e.name, self.stored(e.type), loc=e.loc)
            case n.Component():
                return n.Component(self.memory(e.base), e.index, cast("Scalar", self.stored(e.type)), loc=e.loc)
            case n.Var():
                own = self.stored(e.type) if e.name in self.in_memory else self.held(e.type)
                return dataclasses.replace(e, type=own)
            case _:
                return self.value(e)

    @staticmethod
    def _denotes(e: n.Expr) -> bool:
        return isinstance(e, n.Var | n.Element | n.Deref | n.Field)

    # values

    def value(self, e: n.Expr) -> n.Expr:
        """A value as its type is held."""
        narrow = self.soft(e.type)
        if narrow is not None:
            return self.unpack(self.memory(e), narrow) if self.is_memory(e) else self.narrow_value(e, narrow)
        match e:
            case n.Element() | n.Deref() | n.Field() | n.Var():
                return self.memory(e)
            case n.AddressOf():
                return n.AddressOf(self.memory(e.memory), cast("Pointer", self.stored(e.type)), loc=e.loc)
            case n.Decay():
                return n.Decay(self.memory(e.array), cast("Pointer", self.stored(e.type)), loc=e.loc)
            case n.Aggregate():
                t = cast("Struct", self.stored(e.type))
                return n.Aggregate(tuple(self.item(i) for i in e.items), t, loc=e.loc)
            case n.Bitcast() if (source := self.soft(e.value.type)) is not None:
                if isinstance(e.value.type, Scalar):
                    bits = self.pack(self.value(e.value), source)
                    return bits if e.type == U16 else n.Bitcast(bits, e.type, loc=e.loc)
                self.refuse(e, f"the bits of a {e.value.type}")
            case n.Convert() if self.soft(e.value.type) is not None:
                inner = self.value(e.value)
                return inner if inner.type == e.type else n.Convert(inner, e.type, e.implicit, loc=e.loc)
            case n.Atomic() if _uses(e.pointer.type, self.narrow):
                self.refuse(e, f"an atomic on {e.type}")
            case _:
                pass
        new = rebuild(e, lambda c: self.value(cast("n.Expr", c)))
        t = self.stored(e.type)
        return dataclasses.replace(new, type=t) if t != new.type else new  # pyright: ignore[reportCallIssue, reportArgumentType]

    def narrow_value(self, e: n.Expr, narrow: Scalar) -> n.Expr:
        """A value of a narrow type that is not in memory, as f32."""
        t = cast("Scalar | Vector", self.held(e.type))
        match e:
            case n.Const():
                return n.Const(float(e.value), F32, e.name, loc=e.loc)
            case n.Binary():
                return self.rounded(self.plain(e), narrow)
            case n.Unary() | n.Select() | n.MakeVector() | n.Component() | n.Shuffle() | n.Call():
                new = rebuild(e, lambda c: self.value(cast("n.Expr", c)))
                return dataclasses.replace(new, type=t)  # pyright: ignore[reportCallIssue, reportArgumentType]
            case n.Var():
                return dataclasses.replace(e, type=t)
            case n.MathCall(fn=fn, args=args) if fn in _EXACT or fn == "sqrt":
                new = n.MathCall(fn, tuple(self.value(a) for a in args), t, loc=e.loc)
                return new if fn in _EXACT else self.rounded(new, narrow)
            case n.MathCall(fn="fma", args=args) if narrow == F16 and isinstance(e.type, Scalar):
                return self.rounded(self.helper("fma_to_odd", [self.value(a) for a in args], F32), narrow)
            case n.MathCall(fn="fma", args=args) if narrow == F16 and isinstance(e.type, Vector):
                values = [self.value(a) for a in args]
                lanes = [
                    self.rounded(self.helper("fma_to_odd", [n.Component(v, i, F32) for v in values], F32), narrow)
                    for i in range(e.type.lanes)
                ]
                return n.MakeVector(tuple(lanes), cast("Vector", t), loc=e.loc)
            case n.Convert(value=value):
                return self.converted(e, value, narrow, t)
            case n.Bitcast(value=value) if isinstance(e.type, Scalar):
                bits = self.value(value)
                return self.unpack(bits if bits.type == U16 else n.Bitcast(bits, U16, loc=e.loc), narrow)
            case _:
                what = f"{e.fn} of {e.type}" if isinstance(e, n.MathCall) else f"{type(e).__name__} of {e.type}"
                self.refuse(e, what)
                return n.Const(0.0, F32, loc=e.loc)

    def converted(self, e: n.Convert, value: n.Expr, narrow: Scalar, t: Scalar | Vector) -> n.Expr:
        inner = self.value(value)
        source = inner.type.elem if isinstance(inner.type, Vector) else inner.type
        assert isinstance(source, Scalar)
        # an integer of more than 24 bits would be rounded twice; to f16 it is infinite either way
        wide = source.is_integer and source.bits > (64 if narrow == F16 else 16)
        if source.name == "f64" or wide:
            self.refuse(e, f"a conversion from {source} to {narrow}")
        if self.soft(value.type) == narrow:
            return inner
        return self.rounded(inner if inner.type == t else n.Convert(inner, t, e.implicit, loc=e.loc), narrow)

    def plain(self, e: n.Binary) -> n.Expr:
        """An operation in f32, not yet rounded."""
        t = cast("Scalar | Vector", self.held(e.type))
        return n.Binary(e.op, self.value(e.left), self.value(e.right), t, e.rounded, loc=e.loc)

    # packing

    def rounded(self, e: n.Expr, narrow: Scalar) -> n.Expr:
        """An f32 value (or vector) rounded to a narrow type."""
        return self.unpack(self.pack(e, narrow), narrow)

    def pack(self, e: n.Expr, narrow: Scalar) -> n.Expr:
        """The bits of f32 values, rounded to a narrow type."""
        if isinstance(e, n.Call) and e.function == self._name(f"float_from_{narrow}"):
            return e.args[0]  # bits that were only unpacked
        if isinstance(e.type, Vector):
            return self._lanes(e, narrow, U16)
        return self.helper(f"{narrow}_from_float", [e], U16)

    def unpack(self, e: n.Expr, narrow: Scalar) -> n.Expr:
        """Bits as f32 values."""
        if isinstance(e.type, Vector):
            return self._lanes(e, narrow, F32)
        return self.helper(f"float_from_{narrow}", [e], F32)

    def _lanes(self, e: n.Expr, narrow: Scalar, to: Scalar) -> n.Expr:
        assert isinstance(e.type, Vector)
        lanes = e.type.lanes
        name = f"{narrow}_from_float" if to == U16 else f"float_from_{narrow}"
        whole = Vector(to, lanes)
        if isinstance(e, n.MakeVector):
            return n.MakeVector(tuple(self.helper(name, [i], to) for i in e.items), whole, loc=e.loc)
        scalar = e.type.elem

        def body(x: n.Expr) -> n.Expr:
            return n.MakeVector(tuple(self.helper(name, [n.Component(x, i, scalar)], to) for i in range(lanes)), whole)

        def vector_body(params: list[Any]) -> tuple[n.Stmt, ...]:
            return (n.Return(body(params[0])),)

        return self._call(f"{name}{lanes}", [e], whole, vector_body)

    def helper(self, name: str, args: list[n.Expr], result: Scalar) -> n.Expr:
        """A call of one of the functions below."""
        return self._call(name, args, result, _BODIES[name])

    def _name(self, name: str) -> str:
        return name + "_" if name in self.taken else name

    def _call(self, name: str, args: list[n.Expr], result: Scalar | Vector, body: object) -> n.Expr:
        own = self._name(name)
        if own not in self.helpers:
            names = ("x", "y", "z")
            params = tuple(n.Param(p, a.type) for p, a in zip(names, args, strict=False))
            made = body([n.Var(p.name, p.type) for p in params])  # pyright: ignore[reportCallIssue]
            comment = _COMMENTS.get(name)
            self.helpers[own] = n.Function(own, params, made, result, (comment,) if comment else ())
        return n.Call(own, tuple(args), result, loc=args[0].loc)


def _root(memory: n.Expr) -> str:
    while isinstance(memory, n.Component | n.Field):
        memory = memory.base
    return memory.name if isinstance(memory, n.Var) and isinstance(memory.type, Scalar | Vector) else ""


# --- the functions, in the IR


def _u(value: int) -> n.Const:
    return n.Const(value, U32)


def _op(op: str, a: n.Expr, b: n.Expr) -> n.Binary:
    return n.Binary(op, a, b, a.type)  # pyright: ignore[reportArgumentType]


def _is(op: str, a: n.Expr, b: n.Expr) -> n.Binary:
    return n.Binary(op, a, b, BOOL)


def _from_bf16(params: list[n.Var]) -> tuple[n.Stmt, ...]:
    wide = _op("<<", n.Convert(params[0], U32), n.Const(16, I32))
    return (n.Return(n.Bitcast(wide, F32)),)


def _to_bf16(params: list[n.Var]) -> tuple[n.Stmt, ...]:
    u = n.Var("bits", U32)
    half = _op(">>", u, n.Const(16, I32))
    nan = _op("|", half, _u(0x40))
    even = _op("&", half, _u(1))
    rounded = _op(">>", _op("+", _op("+", u, _u(0x7FFF)), even), n.Const(16, I32))
    is_nan = _is(">", _op("&", u, _u(0x7FFFFFFF)), _u(0x7F800000))
    return (
        n.Declare("bits", U32, n.Bitcast(params[0], U32), const=True),
        n.Return(n.Convert(n.Select(is_nan, nan, rounded, U32), U16)),
    )


def _from_f16(params: list[n.Var]) -> tuple[n.Stmt, ...]:
    h, mag = n.Convert(params[0], U32), n.Var("magnitude", U32)
    sign = _op("<<", _op("&", h, _u(0x8000)), n.Const(16, I32))
    normal = _op("+", _op("<<", mag, n.Const(13, I32)), _u(112 << 23))
    special = _op("|", _op("<<", mag, n.Const(13, I32)), _u(0x7F800000))
    small = n.Bitcast(n.Binary("*", n.Convert(mag, F32), n.Const(2.0**-24, F32), F32), U32)
    bits = n.Select(_is(">=", mag, _u(0x7C00)), special, n.Select(_is(">=", mag, _u(0x400)), normal, small, U32), U32)
    return (
        n.Declare("magnitude", U32, _op("&", h, _u(0x7FFF)), const=True),
        n.Return(n.Bitcast(_op("|", sign, bits), F32)),
    )


def _to_f16(params: list[n.Var]) -> tuple[n.Stmt, ...]:
    u, mag = n.Var("bits", U32), n.Var("magnitude", U32)
    sign = _op("&", _op(">>", u, n.Const(16, I32)), _u(0x8000))
    based = _op("-", mag, _u(112 << 23))
    even = _op("&", _op(">>", mag, n.Const(13, I32)), _u(1))
    normal = _op(">>", _op("+", _op("+", based, _u(0xFFF)), even), n.Const(13, I32))
    # beside 1/2 the last bit of an f32 is worth 2^-24, the smallest f16: the sum rounds there
    sum_ = n.Binary("+", n.Bitcast(mag, F32), n.Const(0.5, F32), F32)
    small = _op("-", n.Bitcast(sum_, U32), _u(0x3F000000))
    large = n.Select(_is(">", mag, _u(0x7F800000)), _u(0x7E00), _u(0x7C00), U32)
    bits = n.Select(
        _is(">=", mag, _u(0x47800000)), large, n.Select(_is(">=", mag, _u(0x38800000)), normal, small, U32), U32
    )
    return (
        n.Declare("bits", U32, n.Bitcast(params[0], U32), const=True),
        n.Declare("magnitude", U32, _op("&", u, _u(0x7FFFFFFF)), const=True),
        n.Return(n.Convert(_op("|", sign, bits), U16)),
    )


def _fma_to_odd(params: list[n.Var]) -> tuple[n.Stmt, ...]:
    """x * y + z of f16 values, rounded to odd: the product is exact, and Knuth's two-sum finds what the sum loses.

    A second rounding to f16 is then correct (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
    """
    x, y, z = params
    p, s, back, lost = (n.Var(v, F32) for v in ("product", "sum", "back", "lost"))
    bits, f = n.Var("bits", U32), _op
    zero = n.Const(0.0, F32)
    inexact = n.Binary("||", _is(">", lost, zero), _is("<", lost, zero), BOOL)  # false for NaN
    is_even = _is("==", _op("&", bits, _u(1)), _u(0))
    away = n.Binary("==", _is(">", lost, zero), _is(">", s, zero), BOOL)
    step = n.If(
        n.Binary("&&", inexact, is_even, BOOL),
        (n.Assign(bits, n.Select(away, _op("+", bits, _u(1)), _op("-", bits, _u(1)), U32)),),
    )
    return (
        n.Declare("product", F32, f("*", x, y), const=True),
        n.Declare("sum", F32, f("+", p, z), const=True),
        n.Declare("back", F32, f("-", s, p), const=True),
        n.Declare("lost", F32, f("+", f("-", p, f("-", s, back)), f("-", z, back)), const=True),
        n.Declare("bits", U32, n.Bitcast(s, U32)),
        step,
        n.Return(n.Bitcast(bits, F32)),
    )


_BODIES = {
    "float_from_bf16": _from_bf16,
    "bf16_from_float": _to_bf16,
    "float_from_f16": _from_f16,
    "f16_from_float": _to_f16,
    "fma_to_odd": _fma_to_odd,
}
_COMMENTS = {
    "float_from_bf16": "The value of a bfloat16's bits.",
    "bf16_from_float": "The bits of a float as bfloat16: to nearest, ties to even.",
    "float_from_f16": "The value of a half's bits.",
    "f16_from_float": "The bits of a float as half: to nearest, ties to even.",
    "fma_to_odd": "x * y + z of half values, rounded to odd, so that rounding it to half is right.",
}
