"""Memory in the text: elements, fields, components and addresses, 3-vectors as three scalars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import refuse
from ...ir.types import I32, Array, Pointer, Scalar, Space, Struct, Vector
from .declare import is_vec3
from .text import POSTFIX, PRECEDENCE, PRIMARY, UNARY, Text, enclose

if TYPE_CHECKING:
    from .expressions import Expressions

_XYZW = "xyzw"


def _lane(e: n.Component) -> str:
    """A component's name: beyond four lanes, which OpenCL C alone has, by its number in hexadecimal."""
    wide = isinstance(e.base.type, Vector) and e.base.type.lanes > len(_XYZW)
    return f"s{e.index:x}" if wide else _XYZW[e.index]


class Memory:
    """Prints those expressions of a program that denote memory; operands are the expression printer's."""

    def __init__(self, expressions: Expressions) -> None:
        self._print = expressions
        self._dialect = expressions.dialect

    def place(self, e: n.Expr) -> Text:
        """Print an expression that denotes memory (or a component of a value), to be read."""
        match e:
            case n.Element():
                if is_vec3(e.type) and self._dialect.vec3 == "components":
                    return Text(f"vload3({self._print.index(e.index).text}, {self.base(e.base)})", POSTFIX, e.type)
                return Text(f"{self.base(e.base)}[{self._print.index(e.index).text}]", POSTFIX, e.type)
            case n.Deref():
                if is_vec3(e.type) and self._dialect.vec3 == "components":
                    return Text(f"vload3(0, {self._print.value(e.pointer).text})", POSTFIX, e.type)
                return Text(f"*{enclose(self._print.value(e.pointer), UNARY)}", UNARY, e.type)
            case n.Component():
                if self._scattered(e.base):
                    return Text(f"{self._lane_of_vec3(e)}", POSTFIX, e.type)
                return Text(f"{enclose(self._print.value(e.base), POSTFIX)}.{_lane(e)}", POSTFIX, e.type)
            case n.Field() if isinstance(e.base.type, Struct) and e.base.type.fragment and self._dialect.matrix:
                matrix = enclose(self._print.value(e.base), POSTFIX)
                return Text(f"{matrix}.{self._dialect.matrix.elements}", POSTFIX, e.type)
            case n.Field():
                if isinstance(e.base, n.Deref):
                    return Text(f"{enclose(self._print.value(e.base.pointer), POSTFIX)}->{e.name}", POSTFIX, e.type)
                return Text(f"{enclose(self._print.value(e.base), POSTFIX)}.{e.name}", POSTFIX, e.type)
            case _:
                return self._print.value(e)

    def base(self, e: n.Expr) -> str:
        """The text before `[`: a pointer, an array, or a row of one."""
        return enclose(self._print.value(e), POSTFIX)

    def store_vec3(self, target: n.Expr, value: str) -> str | None:
        """The statement that stores a 3-vector where memory holds its components, or None where it does not."""
        if not (is_vec3(target.type) and self._scattered(target)):
            return None
        match target:
            case n.Element():
                return f"vstore3({value}, {self._print.index(target.index).text}, {self.base(target.base)})"
            case n.Deref():
                return f"vstore3({value}, 0, {self._print.value(target.pointer).text})"
            case _:
                return None

    def _scattered(self, e: n.Expr) -> bool:
        return is_vec3(e.type) and self._dialect.vec3 == "components" and isinstance(e, n.Element | n.Deref)

    def _lane_of_vec3(self, e: n.Component) -> str:
        if isinstance(e.base, n.Deref):
            return f"{enclose(self._print.value(e.base.pointer), POSTFIX)}[{e.index}]"
        if not isinstance(e.base, n.Element):
            raise TypeError("a component of a 3-vector that is not in memory")
        index = enclose(self._print.index(e.base.index), PRECEDENCE["*"] + 1)
        at = f"3 * {index}" + (f" + {e.index}" if e.index else "")
        return f"{self.base(e.base.base)}[{at}]"

    def offset(self, e: n.Offset) -> Text:
        """A pointer and what is added to it, or subtracted where the distance is a negated one."""
        base = enclose(self._print.value(e.pointer), PRECEDENCE["+"])
        delta, op = e.delta, "+"
        if isinstance(delta, n.Unary) and delta.op == "-" and isinstance(delta.type, Scalar) and delta.type.signed:
            delta, op = delta.value, "-"
        elif isinstance(delta, n.Const) and delta.value < 0 and delta.name is None and delta.type.signed:
            delta, op = n.Const(-delta.value, delta.type), "-"
        index = self._print.index(delta)
        if is_vec3(e.type.elem) and self._dialect.vec3 == "components":
            index = Text(f"3 * {enclose(index, PRECEDENCE['*'] + 1)}", PRECEDENCE["*"], I32)
        return Text(f"{base} {op} {enclose(index, PRECEDENCE['+'] + 1)}", PRECEDENCE["+"], e.type)

    def address(self, e: n.AddressOf) -> Text:
        """The address of memory, in the form that the language has for it."""
        match e.memory:
            case n.Deref():
                return self._print.value(e.memory.pointer)
            case n.Var() if e.memory.name in self._print.references:
                return Text(e.memory.name, PRIMARY, e.type)
            case n.Component() if self._scattered(e.memory.base):
                return Text(f"&{self._lane_of_vec3(e.memory)}", UNARY, e.type)
            case n.Component():
                # no language here lets a vector's component have an address; its vector's has one
                vector = n.AddressOf(e.memory.base, Pointer(_type(e.memory.base), e.type.space, e.type.const))
                start = f"({self._print.types.name(e.type)}){enclose(self._print.value(vector), UNARY)}"
                return Text(f"{start} + {e.memory.index}", PRECEDENCE["+"], e.type)
            case n.Element() if self._scattered(e.memory):
                return self.offset(n.Offset(_as_pointer(e.memory.base), e.memory.index, e.type))
            case n.Var() if is_vec3(e.memory.type) and self._dialect.vec3 == "components":
                raise refuse("GP2010", f"the address of the 3-vector {e.memory.name}", e.loc or self._print.loc)
            case _:
                return Text(f"&{enclose(self._print.value(e.memory), UNARY)}", UNARY, e.type)


def _type(e: n.Expr) -> Scalar | Vector:
    if not isinstance(e.type, Scalar | Vector):
        raise TypeError(f"a component of {e.type}")
    return e.type


def _as_pointer(e: n.Expr) -> n.Expr:
    if isinstance(e.type, Array):
        elem = e.type.elem
        if isinstance(elem, Array):
            raise TypeError("an address in an array of arrays")
        return n.Decay(e, Pointer(elem, Space.PRIVATE))
    return e
