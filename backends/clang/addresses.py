"""Addresses of shared memory as integers (`__cvta_generic_to_shared`), as inline assembly takes them.

Such an address is a pointer to bytes here, whatever integer type the author gives it: it can be moved, kept in a
variable and passed on. What does anything else with it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...ir import nodes as n
from ...ir.diagnostics import refuse
from ...ir.nodes import PointerCast, Return
from ...ir.types import U8, VOID, Pointer, Scalar, Type
from ...ir.walk import children, walk
from .pointers import pointer_cast
from .types import parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...ir.nodes import Expr, Loc, Program, Stmt
    from .context import CallSite, FunctionContext, Unit
    from .records import Node

_MOVES = ("BinaryOperator", "CompoundAssignOperator", "UnaryOperator", "ArraySubscriptExpr")


def address(fc: FunctionContext, site: CallSite) -> Expr:
    """`__cvta_generic_to_shared(p)`."""
    pointer = site.args[0]
    if isinstance(pointer, PointerCast):
        pointer = pointer.pointer
    if not isinstance(pointer.type, Pointer):
        raise refuse("GP1104", f"{site.name} of a value of type {pointer.type}", site.loc)
    fc.unit.addresses = True
    return PointerCast(pointer, Pointer(U8, pointer.type.space), loc=site.loc)


def is_address(value: Expr, t: Type) -> bool:
    """Tell whether a value for a place of an integer type is an address."""
    return isinstance(value.type, Pointer) and isinstance(t, Scalar) and t.is_integer and t.bits >= 32


def carried(fc: FunctionContext, decl: Node, param: Node, value: Expr, loc: Loc | None) -> tuple[Expr, Pointer | None]:
    """Return an argument, and the type of the parameter where that is not the one that is written.

    That is so for an address in an integer, and for a pointer given as `void*` that the callee only passes on or casts.
    """
    if not isinstance(value.type, Pointer):
        return value, None
    with fc.unit.records.within(decl):
        parsed = parse_type(param["type"], loc)
    space = fc.unit.language.default_space
    if not parsed.reference and is_address(value, parsed.type):
        return value, Pointer(value.type.elem, space, value.type.const)
    written = parsed.type
    if not isinstance(written, Pointer) or written.elem != VOID or parsed.reference:
        return value, None
    cast = isinstance(value, PointerCast) and value.type.elem in (VOID, U8)
    given = value.pointer if isinstance(value, PointerCast) and cast else value
    assert isinstance(given.type, Pointer)
    if given.type.elem in (VOID, U8) or _is_moved(decl):
        return (value if cast else pointer_cast(fc, value, Pointer(U8, space, written.const), loc)), None
    return given, Pointer(given.type.elem, space, written.const)


def _is_moved(decl: Node) -> bool:
    """Tell whether a function does arithmetic on a pointer to void, in bytes."""
    stack = [decl]
    while stack:
        node = stack.pop()
        if node.get("kind") in _MOVES and any(
            str(n.get("type", {}).get("qualType", "")).replace(" ", "") in ("void*", "constvoid*")
            for n in (node, *node.get("inner", ()))
        ):
            return True
        stack.extend(node.get("inner", ()))
    return False


def returned_address(fc: FunctionContext, body: tuple[Stmt, ...], returns: Type) -> Type:
    """Return the type of a function's result: that of an address, where it returns one as an integer."""
    values = [x.value for x in walk(body) if isinstance(x, Return) and x.value is not None]
    for v in values:
        if is_address(v, returns) and isinstance(v.type, Pointer):
            return Pointer(v.type.elem, fc.unit.language.default_space)
    return returns


def check_addresses(program: Program, unit: Unit) -> None:
    """Refuse a program that takes an address for a number (GP1101)."""
    if not unit.addresses:
        return
    params = {f.name: f.params for f in program.functions}
    for f in program.all_functions:
        for x in walk(f.body):
            wrong = (a for a, t in _places(x, params, f.returns) if not _fits(a, t))
            if (found := next(wrong, None)) is not None:
                loc = found.loc or x.loc or f.loc
                raise refuse("GP1101", "an address of shared memory is used as a number", loc)


def _fits(value: Expr, t: Type | None) -> bool:
    return isinstance(value.type, Pointer) == isinstance(t, Pointer)


def _places(x: n.Node, params: Mapping[str, tuple[n.Param, ...]], returns: Type) -> Iterator[tuple[Expr, Type | None]]:
    """The values that a node puts to use, with the type that each should have; None for a number."""
    match x:
        case n.Assign(target=target, value=value):
            yield value, target.type
        case n.Declare(type=t, init=init) if init is not None:
            yield init, t
        case n.Return(value=value) if value is not None:
            yield value, returns
        case n.Call(function=function, args=args):
            yield from zip(args, (p.type for p in params[function]), strict=True)
        case n.Select(then=then, other=other, type=t):
            yield from ((then, t), (other, t))
        case n.Element(index=index):
            yield index, None
        case n.Offset(delta=delta):
            yield delta, None
        case n.Atomic(value=value):
            yield value, None
        case n.Convert() | n.Unary() | n.Bitcast() | n.MathCall() | n.MakeVector() | n.Aggregate() | n.Shuffle():
            for child in children(x):
                yield cast("Expr", child), None
        case _:
            return
