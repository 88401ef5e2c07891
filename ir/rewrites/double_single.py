"""double as the unevaluated sum of two floats, for destinations without double: about 44 bits in place of 53.

A value is a 2-vector (high, low), high the float nearest to the sum. The algorithms and their error bounds are those of
Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of double-word arithmetic", 2017;
for the root, Lefevre and others, "Accurate calculation of Euclidean norms using double-word arithmetic", 2023. With
u = 2^-24 they are 3 u^2 for sums, 4 u^2 for products, 15 u^2 for quotients and under 4 u^2 for roots: ROUNDOFF covers
each. The range is float's. Infinities and NaN are a high part with no low part.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, cast

from .. import nodes as n
from ..analysis.usage import names_used
from ..diagnostics import Diagnostic, Refusal
from ..types import BOOL, F32, F64, I32, I64, U32, U64, Array, Pointer, Scalar, Struct, Type, Vector, structs_in
from ..walk import rebuild
from .double_single_functions import BODIES, COMMENTS
from .doubles import bits_of_doubles, to_f32
from .retype import Retype

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIR: Final = Vector(F32, 2)
ROUNDOFF: Final = 2.0**-44
"""The most that one operation is off, relative to its result."""

_ARITHMETIC = {"+": "ds_add", "-": "ds_subtract", "*": "ds_multiply", "/": "ds_divide"}
# operator: the function, whether its operands are swapped, whether its result is negated
_COMPARISONS = {
    "<": ("ds_less", False, False),
    ">": ("ds_less", True, False),
    "<=": ("ds_less_equal", False, False),
    ">=": ("ds_less_equal", True, False),
    "==": ("ds_equal", False, False),
    "!=": ("ds_equal", False, True),
}
_FUNCTIONS = {
    "fabs": "ds_abs", "sqrt": "ds_sqrt", "floor": "ds_floor", "ceil": "ds_ceil", "trunc": "ds_trunc",
    "fmin": "ds_min", "fmax": "ds_max", "min": "ds_min", "max": "ds_max", "abs": "ds_abs",
}  # fmt: skip
_OF_HIGH = ("isnan", "isinf", "isfinite", "signbit")
_NEEDS = {"ds_subtract": ("ds_add",), "ds_ceil": ("ds_floor",), "ds_trunc": ("ds_floor",), "ds_from_long": ("ds_add",),
          "ds_from_ulong": ("ds_add",), "ds_to_int": ("ds_to_long",), "ds_to_uint": ("ds_to_long",)}  # fmt: skip


def doubles_to_pairs(program: n.Program) -> n.Program:
    """Return the program with pairs of floats in place of f64 everywhere, in buffers too.

    Every pointer must have its address space. Raises Refusal (GP2005) with each operation that has no such form:
    functions other than roots and roundings, atomics, vectors of doubles, and what depends on a double's bits.
    """
    pairs = _Pairs(program)
    functions = [pairs.function(f) for f in program.functions]
    kernel = pairs.function(program.kernel)
    problems = [*bits_of_doubles(program, "two floats"), *pairs.problems]
    if problems:
        raise Refusal(dict.fromkeys(problems))
    constants = tuple(c for c in program.constants if c.type != F64)
    return dataclasses.replace(program, functions=(*pairs.helpers(), *functions), kernel=kernel, constants=constants)


class _Pairs:
    def __init__(self, program: n.Program) -> None:
        self.types = Retype(lambda t: PAIR if t == F64 else t)
        self.problems: list[Diagnostic] = []
        self.needed: set[str] = set()
        self.taken = set[str]().union(*(names_used(f) for f in (*program.functions, program.kernel)))
        self.loc: n.Loc | None = None

    def helpers(self) -> list[n.Function]:
        """The functions that the program calls now, callees first."""
        names = {*self.needed, *(m for name in self.needed for m in _NEEDS.get(name, ()))}
        return [
            n.Function(self.name(name), params, body(self.name), returns, (COMMENTS[name],) if name in COMMENTS else ())
            for name, (params, returns, body) in BODIES.items()
            if name in names
        ]

    def name(self, helper: str) -> str:
        """A helper's name, which is not one of the author's."""
        while helper in self.taken:
            helper += "_"
        return helper

    def refuse(self, what: str) -> None:
        self.problems.append(Diagnostic("GP2005", f"{what}, which two floats do not give", self.loc))

    def function(self, f: n.Function) -> n.Function:
        """A function, its parameters and result pairs where they were doubles."""
        self.loc = f.loc
        for p in f.params:
            self._vectors(p.type)
        params = tuple(dataclasses.replace(p, type=self.types(p.type)) for p in f.params)
        body = tuple(cast("n.Stmt", self.visit(s)) for s in f.body)
        return dataclasses.replace(f, params=params, body=body, returns=self.types(f.returns))

    def visit(self, x: n.Node) -> n.Node:
        """A statement or an expression, what is below it first."""
        if isinstance(x, n.Statement):
            self.loc = x.loc or self.loc
        if isinstance(x, n.Assign) and x.op is not None and x.target.type == F64:
            whole = n.Binary(x.op, x.target, x.value, F64, loc=x.loc)
            return dataclasses.replace(
                x, target=cast("n.Expr", self.visit(x.target)), value=cast("n.Expr", self.visit(whole)), op=None
            )
        new = rebuild(x, self.visit)
        t = getattr(x, "type", None)
        if t is None:
            return new
        self._vectors(cast("Type", t))
        if isinstance(x, n.Statement):
            return dataclasses.replace(new, type=self.types(cast("Type", t)))  # pyright: ignore[reportCallIssue]
        return self.expression(cast("n.Expr", x), cast("n.Expr", new))

    def _vectors(self, t: Type) -> None:
        while isinstance(t, Pointer | Array):
            t = t.elem
        parts = [m.type for s in structs_in(t) for m in s.members] if isinstance(t, Struct) else [t]
        if any(isinstance(p, Vector) and p.elem == F64 for p in parts):
            self.refuse(f"a vector of doubles ({t})")

    def expression(self, e: n.Expr, new: n.Expr) -> n.Expr:
        """What takes an expression's place; the operands of `new` are rewritten already."""
        match e, new:
            case n.Const(value=value, type=t), _ if t == F64:
                high = to_f32(float(value))
                low = to_f32(float(value) - high) if abs(high) != float("inf") and high == high else 0.0
                return n.MakeVector((n.Const(high, F32), n.Const(low, F32)), PAIR, loc=e.loc)
            case n.Binary(), n.Binary(left=a, right=b) if e.left.type == F64:
                return self.binary(e, a, b)
            case n.Convert(), n.Convert(value=value) if F64 in (e.type, e.value.type):
                return self.convert(e, value)
            case n.MathCall(), n.MathCall(args=args) if e.args[0].type == F64:
                return self.math(e, args)
            case n.Atomic(type=t), _ if t == F64:
                self.refuse(f"an atomic {e.op} on a double")
                return new
            case _:
                t = self.types(e.type)
                return dataclasses.replace(new, type=t) if t != new.type else new  # pyright: ignore[reportCallIssue, reportArgumentType]

    def call(self, name: str, args: Sequence[n.Expr], result: Scalar | Vector = PAIR) -> n.Expr:
        """A call of one of the functions."""
        self.needed.add(name)
        return n.Call(self.name(name), tuple(args), result, loc=args[0].loc)

    def binary(self, e: n.Binary, a: n.Expr, b: n.Expr) -> n.Expr:
        if e.op in _ARITHMETIC:
            return self.call(_ARITHMETIC[e.op], (a, b))
        name, swapped, negated = _COMPARISONS[e.op]
        found = self.call(name, (b, a) if swapped else (a, b), BOOL)
        return n.Unary("!", found, BOOL, loc=e.loc) if negated else found

    def convert(self, e: n.Convert, value: n.Expr) -> n.Expr:
        source, to = cast("Scalar", e.value.type), cast("Scalar", e.type)
        if source == to:
            return value
        if to == F64:
            if source.bits <= 16 or source in (F32, BOOL):
                high = value if source == F32 else n.Convert(value, F32, loc=e.loc)
                return n.MakeVector((high, n.Const(0.0, F32)), PAIR, loc=e.loc)
            names = {I32: "ds_from_int", U32: "ds_from_uint", I64: "ds_from_long", U64: "ds_from_ulong"}
            return self.call(names[source], (value,))
        high = n.Component(value, 0, F32, loc=e.loc)
        if to == F32:
            return high
        if to == BOOL:
            return n.Binary("!=", high, n.Const(0.0, F32), BOOL, loc=e.loc)
        if to.is_float:
            return n.Convert(high, to, loc=e.loc)
        if to == U64:
            self.refuse("a conversion of a double to u64")
            return n.Const(0, U64)
        if to == I64:
            return self.call("ds_to_long", (value,), I64)
        whole = self.call("ds_to_uint" if to == U32 else "ds_to_int", (value,), U32 if to == U32 else I32)
        return whole if whole.type == to else n.Convert(whole, to, loc=e.loc)

    def math(self, e: n.MathCall, args: Sequence[n.Expr]) -> n.Expr:
        if e.fn in _FUNCTIONS:
            return self.call(_FUNCTIONS[e.fn], args)
        if e.fn in _OF_HIGH:
            return n.MathCall(e.fn, (n.Component(args[0], 0, F32),), e.type, loc=e.loc)
        one = n.MakeVector((n.Const(1.0, F32), n.Const(0.0, F32)), PAIR)
        match e.fn:
            case "fma":
                return self.call("ds_add", (self.call("ds_multiply", args[:2]), args[2]))
            case "recip":
                return self.call("ds_divide", (one, args[0]))
            case "rsqrt":
                return self.call("ds_divide", (one, self.call("ds_sqrt", args)))
            case _:
                self.refuse(f"{e.fn} of a double")
                return args[0]
