"""Expressions of clang's AST as IR expressions."""

from __future__ import annotations

import dataclasses
from typing import Any

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    AddressOf,
    Assign,
    Binary,
    Component,
    Const,
    Convert,
    Declare,
    Deref,
    Element,
    Expr,
    If,
    IsNull,
    Loc,
    MakeVector,
    Offset,
    PointerCast,
    Select,
    Unary,
    Var,
)  # fmt: skip
from ...ir.rewrites.matrices import elements_held
from ...ir.types import BOOL, I32, I64, U64, Array, Pointer, Scalar, Struct, Type, Vector, alignment_of, flat_elem
from .addresses import is_address
from .calls import lower_call, lower_construct
from .constants import fold, wrap
from .context import FunctionContext
from .methods import this
from .objects import keep, member
from .operators import COMPARISONS, as_bool, combine, numeric, unfused, zero
from .pointers import address_of, decay, mismatched, pointer_cast, row_length, scaled
from .records import Node
from .references import reference, template_value
from .types import parse_type
from .vectors import choose_lanes, compare_lanes, lane_name, selected, swizzle, take_lanes

TRANSPARENT = {
    "ParenExpr", "ExprWithCleanups", "MaterializeTemporaryExpr", "ConstantExpr", "CXXBindTemporaryExpr",
    "CXXDefaultArgExpr",
}  # fmt: skip
CASTS = {
    "ImplicitCastExpr", "CStyleCastExpr", "CXXStaticCastExpr", "CXXFunctionalCastExpr", "CXXReinterpretCastExpr",
    "CXXConstCastExpr", "CXXAddrspaceCastExpr",
}  # fmt: skip
SAME_VALUE = {
    "UserDefinedConversion",
    "LValueToRValue",
    "NoOp",
    "FunctionToPointerDecay",
    "ConstructorConversion",
    "AddressSpaceConversion",
}
NUMERIC = {
    "IntegralCast", "FloatingCast", "IntegralToFloating", "FloatingToIntegral", "BooleanToSignedIntegral",
    "IntegralToBoolean", "FloatingToBoolean",
}  # fmt: skip


def lower_expr(fc: FunctionContext, node: Node) -> Expr:
    """Lower an expression; raises a refusal for what the IR cannot express."""
    kind = node["kind"]
    macro = fc.unit.user_macro(node) if kind not in CASTS else None
    expr = _lower(fc, node, kind)
    if macro and not isinstance(expr, Const):
        value = fold(expr)
        if value is not None and isinstance(expr.type, Scalar):
            return Const(value, expr.type, macro, loc=fc.unit.loc(node))
    if macro and isinstance(expr, Const) and expr.name is None:
        return dataclasses.replace(expr, name=macro)
    return expr


def condition(fc: FunctionContext, node: Node) -> Expr:
    """Lower an expression that is used as a truth value."""
    return as_bool(lower_expr(fc, node))


def _lower(fc: FunctionContext, node: Node, kind: str) -> Expr:
    inner: list[Node] = node.get("inner", [])
    loc = fc.unit.loc(node)
    if kind == "ConstantExpr" and "value" in node:
        known = _known_constant(node, loc)
        if known is not None and not isinstance(lowered := lower_expr(fc, inner[0]), Const):
            return known if fold(lowered) is None else lowered
    if kind in TRANSPARENT:
        if not inner:
            raise refuse("GP1102", "a default argument that clang does not show here", loc)
        return lower_expr(fc, inner[0])
    if kind in CASTS:
        return _cast(fc, node, loc)
    match kind:
        case "SubstNonTypeTemplateParmExpr":
            return template_value(fc, inner, loc)
        case "DeclRefExpr":
            return reference(fc, node, loc)
        case "IntegerLiteral":
            return Const(wrap(int(node["value"]), _scalar(node, loc)), _scalar(node, loc), loc=loc)
        case "FloatingLiteral":
            scalar = _scalar(node, loc)
            return Const(wrap(_float(node["value"]), scalar), scalar, loc=loc)
        case "UserDefinedLiteral":
            return _suffixed(fc, node, loc)
        case "CXXBoolLiteralExpr":
            return Const(bool(node["value"]), BOOL, loc=loc)
        case "CharacterLiteral":
            return Const(wrap(int(node["value"]), _scalar(node, loc)), _scalar(node, loc), loc=loc)
        case "UnaryOperator":
            return _unary(fc, node, loc)
        case "BinaryOperator":
            return _binary(fc, node, loc)
        case "CompoundAssignOperator":
            from .assignments import lower_assignment

            return _effect(fc, lower_assignment, node, loc)
        case "ConditionalOperator":
            return _select(fc, node, loc)
        case "BinaryConditionalOperator":
            return _select_or_self(fc, node, loc)
        case "ArraySubscriptExpr":
            return _subscript(fc, node, loc)
        case "MemberExpr" | "ExtVectorElementExpr":
            return _member(fc, node, loc)
        case "CXXThisExpr":
            return this(fc, loc)
        case "CXXMemberCallExpr" if _converts(fc, inner[0]):
            return lower_expr(fc, inner[0]["inner"][0])
        case "CallExpr" | "CXXOperatorCallExpr" | "CXXMemberCallExpr":
            return _call(fc, node, loc)
        case "CXXConstructExpr" | "InitListExpr" | "CompoundLiteralExpr" | "CXXTemporaryObjectExpr" | "ParenListExpr":
            return lower_construct(fc, node, loc)
        case "CXXScalarValueInitExpr" | "ImplicitValueInitExpr":
            return zero(parse_type(node["type"], loc).type, loc)
        case "UnaryExprOrTypeTraitExpr":
            return _sizeof(fc, node, loc)
        case _:
            raise refuse("GP1102", f"{_spoken(kind)} is not supported", loc)


def _known_constant(node: Node, loc: Loc | None) -> Const | None:
    """The integer that clang has worked out for a constant expression."""
    t = parse_type(node["type"], loc).type
    text = str(node["value"])
    if t == BOOL:
        return Const(text in ("true", "1"), BOOL, loc=loc)
    if isinstance(t, Scalar) and t.is_integer and text.lstrip("-").isdigit():
        return Const(int(text), t, loc=loc)
    return None


def _converts(fc: FunctionContext, member: Node) -> bool:
    """Tell whether a member call is a conversion operator, which gives the value itself (`ulong(simd_ballot(x))`)."""
    if member.get("kind") != "MemberExpr" or not str(member.get("name", "")).startswith("operator "):
        return False
    method = fc.unit.records.methods.get(member.get("referencedMemberDecl", ""), {})
    return not any(c.get("kind") == "CompoundStmt" for c in method.get("inner", ()))


def _spoken(kind: str) -> str:
    names = {
        "LambdaExpr": "a lambda",
        "StringLiteral": "a string",
        "CXXNewExpr": "'new'",
        "StmtExpr": "a statement expression",
        "CUDAKernelCallExpr": "a kernel launch inside a kernel (dynamic parallelism)",
    }
    return names.get(kind, f"an expression of kind {kind}")


def _float(text: str) -> float:
    return float(text.replace("+Inf", "inf").replace("-Inf", "-inf"))


def _scalar(node: Node, loc: Loc | None) -> Scalar:
    t = parse_type(node["type"], loc).type
    if not isinstance(t, Scalar):
        raise refuse("GP1103", f"type {t} where a scalar was expected", loc)
    return t


def _suffixed(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    """A literal of a type that C++ has no suffix for: `0.5h`."""
    scalar = _scalar(node, loc)
    for child in node.get("inner", ()):
        if child.get("kind") == "FloatingLiteral":
            return Const(wrap(_float(child["value"]), scalar), scalar, loc=loc)
    raise refuse("GP1102", f"the literal {fc.unit.token(node['range']['begin'])}", loc)


def _cast(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    kind: str = node.get("castKind", "")
    operand_node: Node = node["inner"][0]
    if kind == "ArrayToPointerDecay":
        if operand_node["kind"] == "StringLiteral":
            raise refuse("GP1102", "a string is not supported", loc)
        return decay(fc, lower_expr(fc, operand_node), loc)
    if kind == "ToVoid":
        return lower_expr(fc, operand_node)
    if kind == "NullToPointer" and isinstance(to := parse_type(node["type"], loc).type, Pointer):
        return PointerCast(Const(0, U64, loc=loc), to, loc=loc)
    implicit = node["kind"] == "ImplicitCastExpr"
    value = lower_expr(fc, operand_node)
    if kind in SAME_VALUE:
        return value if implicit else _unqualified(node, value, loc)
    if kind == "PointerToBoolean":
        return as_bool(value)
    if kind in ("BitCast", "ReinterpretMemberPointer"):
        to = parse_type(node["type"], loc).type
        if isinstance(to, Pointer) and isinstance(value.type, Pointer):
            if implicit and mismatched(value.type, to):
                raise refuse("GP1102", f"a pointer to {value.type.elem} as one to {to.elem}, without a cast", loc)
            return pointer_cast(fc, value, to, loc, packed="packed_" in node["type"]["qualType"])
        alike = isinstance(to, Vector) and isinstance(value.type, Vector) and to.lanes == value.type.lanes
        if alike and fc.unit.language.name == "metal" and not implicit:  # `(int4)v`, which converts there
            assert isinstance(to, Vector)
            return numeric(value, to, False, loc)
        raise refuse("GP1102", f"the cast from {value.type} to {to}", loc)
    if kind == "LValueBitCast":  # reinterpret_cast<float4&>(x)
        to = parse_type(node["type"], loc).type
        pointer = address_of(fc, value, loc)
        if isinstance(to, Scalar | Vector) and isinstance(pointer.type, Pointer):
            return Deref(pointer_cast(fc, pointer, Pointer(to, pointer.type.space), loc), to, loc=loc)
        raise refuse("GP1102", f"the cast to a reference of {to}", loc)
    if kind in NUMERIC:
        to = parse_type(node["type"], loc).type
        if isinstance(to, Scalar | Vector) and isinstance(value.type, Scalar | Vector):
            return numeric(value, to, implicit, loc)
        if is_address(value, to):
            return value
    if kind == "VectorSplat":
        to = parse_type(node["type"], loc).type
        if isinstance(to, Vector) and isinstance(value.type, Scalar):
            return MakeVector((value,) * to.lanes, to, loc=loc)
    raise refuse("GP1102", f"a cast of kind {kind}", loc)


def _unqualified(node: Node, value: Expr, loc: Loc | None) -> Expr:
    """An explicit cast that takes `const` or `volatile` from what a pointer points to, which C++ asks for."""
    given = value.type
    if not isinstance(given, Pointer) or not (given.const or given.volatile):
        return value
    to = parse_type(node["type"], loc).type
    if not isinstance(to, Pointer) or (to.const, to.volatile) == (given.const, given.volatile):
        return value
    return PointerCast(value, dataclasses.replace(given, const=to.const, volatile=to.volatile), loc=loc)


def _unary(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    op: str = node["opcode"]
    operand: Node = node["inner"][0]
    if op in ("++", "--"):
        from .assignments import lower_assignment

        return _effect(fc, lower_assignment, node, loc)
    if op == "!":
        return Unary("!", condition(fc, operand), BOOL, loc=loc)
    if op == "*":
        pointer = lower_expr(fc, operand)
        if isinstance(pointer.type, Pointer):
            if row_length(operand["type"]) > 1:
                return pointer
            if isinstance(pointer, AddressOf):
                return pointer.memory
            return Deref(pointer, pointer.type.elem, loc=loc)
        raise refuse("GP1102", f"dereferencing a value of type {pointer.type}", loc)
    if op == "&":
        return address_of(fc, lower_expr(fc, operand), loc)
    value = lower_expr(fc, operand)
    if value.type == BOOL:  # a comparison is an int in C
        value = Convert(value, I32, True, loc=loc)
    if op in ("+", "__extension__"):
        return value
    if op in ("-", "~") and isinstance(value.type, Scalar | Vector):
        return Unary(op, value, value.type, loc=loc)
    raise refuse("GP1102", f"the operator {op} on a value of type {value.type}", loc)


def _effect(fc: FunctionContext, lower: Any, node: Node, loc: Loc | None) -> Expr:
    """Hoist an assignment out of an expression and return its value."""
    from .assignments import pinned

    post = node.get("isPostfix", False)
    statement: Assign = lower(fc, node)
    if selected(statement.target) is not None:
        raise refuse("GP1102", "the value of an assignment to several components", loc)
    target = pinned(fc, statement.target, loc)
    statement = dataclasses.replace(statement, target=target)
    if post:
        if not isinstance(target.type, Scalar | Pointer):
            raise refuse("GP1102", f"{node['opcode']} on a value of type {target.type}", loc)
        base = target.name if isinstance(target, Var) else "value"
        old = fc.unique(f"{base}_old")
        fc.before.append(Declare(old, target.type, target, loc=loc))
        fc.before.append(statement)
        return Var(old, target.type, loc=loc)
    fc.before.append(statement)
    return target


def _binary(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    op: str = node["opcode"]
    left_node, right_node = node["inner"]
    if op == "=":
        from .assignments import lower_assignment

        return _effect(fc, lower_assignment, node, loc)
    if op == ",":
        return _comma(fc, left_node, right_node, loc)
    if op in ("&&", "||"):
        left = condition(fc, left_node)
        effects, right = fc.aside(lambda: condition(fc, right_node))
        if not effects:
            return Binary(op, left, right, BOOL, loc=loc)
        name = fc.unique("holds")
        found = Var(name, BOOL, loc=loc)
        test = found if op == "&&" else Unary("!", found, BOOL, loc=loc)
        fc.before.append(Declare(name, BOOL, left, loc=loc))
        fc.before.append(If(test, (*effects, Assign(found, right, loc=loc)), loc=loc))
        return found
    if op in ("==", "!=") and (_is_null(left_node) or _is_null(right_node)):
        pointer = lower_expr(fc, left_node if _is_null(right_node) else right_node)
        return IsNull(pointer, loc=loc) if op == "==" else Unary("!", IsNull(pointer, loc=loc), BOOL, loc=loc)
    left, right = lower_expr(fc, left_node), lower_expr(fc, right_node)
    lengths = [
        row_length(n["type"]) if isinstance(e.type, Pointer) else 1 for n, e in ((left_node, left), (right_node, right))
    ]
    if max(lengths) > 1 and op == "-" and isinstance(right.type, Pointer):
        return Binary("/", combine(op, left, right, loc), Const(lengths[0], I64), I64, loc=loc)
    if op in COMPARISONS and isinstance(left.type, Vector) and isinstance(right.type, Vector):
        return compare_lanes(fc, op, (left, right), parse_type(node["type"], loc).type, loc)
    if op in ("+", "-"):
        left, right = scaled(left, lengths[1], loc), scaled(right, lengths[0], loc)
    return combine(op, left, right, loc, rounded=unfused(node))


def _is_null(node: Node) -> bool:
    """Tell whether a node is a null pointer: nullptr, NULL or 0 where a pointer is compared with it."""
    while node["kind"] == "ParenExpr":
        node = node["inner"][0]
    return node["kind"] == "ImplicitCastExpr" and node.get("castKind") == "NullToPointer"


def _comma(fc: FunctionContext, left: Node, right: Node, loc: Loc | None) -> Expr:
    """`a, b`: what `a` does is hoisted before the statement, as all assignments inside expressions are."""
    from .stmt import lower_effect

    fc.before.extend(lower_effect(fc, left, loc))
    return lower_expr(fc, right)


def _select(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    cond_node, then_node, other_node = node["inner"]
    if "ext_vector" in str(cond_node["type"].get("desugaredQualType", "")):
        return choose_lanes(fc, [lower_expr(fc, n) for n in node["inner"]], loc)
    cond = condition(fc, cond_node)
    if str(node["type"].get("qualType", "")).endswith("*"):  # `IN_SHARED ? buffer : y`: one space
        known = fold(fc.with_known(cond))
        if known is not None:
            return lower_expr(fc, then_node if known else other_node)
    first, then = fc.aside(lambda: lower_expr(fc, then_node))
    second, other = fc.aside(lambda: lower_expr(fc, other_node))
    if then.type != other.type and isinstance(then.type, Scalar) and isinstance(other.type, Scalar):
        to = I32 if then.type == BOOL or other.type == BOOL else then.type  # C: comparisons are int
        then, other = numeric(then, to, True, loc), numeric(other, to, True, loc)
    if first or second:
        if not isinstance(then.type, Scalar | Vector | Struct) or then.type != other.type:
            raise refuse("GP1105", f"an effect under ?: that gives a value of type {then.type}", loc)
        chosen = Var(fc.unique("chosen"), then.type, loc=loc)
        fc.before.append(Declare(chosen.name, then.type, loc=loc))
        sides = [(*effects, Assign(chosen, v, loc=loc)) for effects, v in ((first, then), (second, other))]
        fc.before.append(If(cond, sides[0], sides[1], loc=loc))
        return chosen
    return Select(cond, then, other, then.type, loc=loc)


def _select_or_self(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    """GNU's `a ?: b`: `a` is evaluated once, for the test and for the value."""
    common, *_, other_node = node["inner"]
    value = lower_expr(fc, common)
    if fold(value) is None:
        value = keep(fc, value, "given", loc)
    to = parse_type(node["type"], loc).type
    effects, other = fc.aside(lambda: lower_expr(fc, other_node))
    if (
        effects
        or not isinstance(to, Scalar)
        or not isinstance(value.type, Scalar)
        or not isinstance(other.type, Scalar)
    ):
        raise refuse("GP1102", "a ?: of this form", loc)
    return Select(as_bool(value), numeric(value, to, True, loc), numeric(other, to, True, loc), to, loc=loc)


def _subscript(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    base_node, index_node = node["inner"]
    index = lower_expr(fc, index_node)
    if index.type == BOOL:
        index = Convert(index, I32, True, loc=loc)
    base = base_node
    while base["kind"] == "ParenExpr":
        base = base["inner"][0]
    if base["kind"] == "ImplicitCastExpr" and base.get("castKind") == "ArrayToPointerDecay":
        array = lower_expr(fc, base["inner"][0])
        if isinstance(array.type, Array):
            return Element(array, index, array.type.elem, loc=loc)
    pointer = lower_expr(fc, base_node)
    if isinstance(pointer.type, Vector) and isinstance(lane := fold(index), int) and 0 <= lane < pointer.type.lanes:
        return take_lanes(fc, pointer, (int(lane),), loc)
    length = row_length(base_node["type"])
    if isinstance(index.type, Pointer):  # 3[p]
        pointer, index, length = index, pointer, row_length(index_node["type"])
    if length > 1 and isinstance(pointer.type, Pointer):
        return Offset(pointer, scaled(index, length, loc), pointer.type, loc=loc)
    if isinstance(pointer.type, Pointer):
        return Element(pointer, index, pointer.type.elem, loc=loc)
    raise refuse("GP1102", f"a subscript on a value of type {pointer.type}", loc)


def _member(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    base_node: Node = node["inner"][0]
    name = lane_name(fc, node)
    axis = {"x": 0, "y": 1, "z": 2, "w": 3, "s0": 0, "s1": 1, "s2": 2, "s3": 3, "r": 0, "g": 1, "b": 2, "a": 3}.get(
        name
    )
    plain = base_node
    while plain["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        plain = plain["inner"][0]
    if plain["kind"] == "DeclRefExpr" and axis is not None:
        ref = plain["referencedDecl"]
        known = fc.variables.get(ref["id"])
        builtin = fc.unit.language.variables.get(ref.get("name", ""))
        if builtin is not None and (known is None or known.value is not None):
            return dataclasses.replace(builtin(axis), loc=loc)
    if name == "num_elements" and (count := elements_held(lower_expr(fc, base_node))):
        return Const(count, I32, loc=loc)
    found = member(fc, node, loc)
    if found is not None:
        return found
    base = lower_expr(fc, base_node)
    if node.get("isArrow") and isinstance(base.type, Pointer):
        base = Deref(base, base.type.elem, loc=loc)
    if isinstance(base, MakeVector) and axis is not None and axis < len(base.items):
        return base.items[axis]
    if isinstance(base.type, Vector) and axis is not None and axis < base.type.lanes:
        return Component(base, axis, base.type.elem, loc=loc)
    if isinstance(base.type, Vector) and (lanes := swizzle(name, base.type)):
        return take_lanes(fc, base, lanes, loc)
    raise refuse("GP1102", f"the member .{name} of a value of type {base.type}", loc)


def _sizeof(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    if node.get("name") not in ("sizeof", "alignof", "__alignof"):
        raise refuse("GP1102", f"{node.get('name')} is not supported", loc)
    info = node.get("argType") or node["inner"][0]["type"]
    printed = str(info.get("desugaredQualType") or info["qualType"])
    if printed.endswith("*") or "(*)" in printed:
        return Const(8, U64, loc=loc)
    t = parse_type(info, loc).type
    if isinstance(t, Pointer):
        return Const(8, U64, loc=loc)
    if node["name"] == "sizeof":
        return Const(padded_size(fc, t), U64, loc=loc)
    return Const(alignment_of(t) if not fc.unit.language.padded_vec3 else padded_alignment(t), U64, loc=loc)


def padded_size(fc: FunctionContext, t: Scalar | Vector | Array | Struct) -> int:
    """Return the size of a type in the source's language, where 3-vectors may take the place of 4."""
    leaf = flat_elem(t)
    if fc.unit.language.padded_vec3 and isinstance(leaf, Vector) and leaf.lanes == 3:
        return t.size // 3 * 4
    return t.size


def padded_alignment(t: Type) -> int:
    """Return the alignment of a type where vectors align to their size, 3-vectors to that of 4."""
    leaf = flat_elem(t)
    if isinstance(leaf, Vector):
        return leaf.elem.size * (4 if leaf.lanes == 3 else leaf.lanes)
    return alignment_of(t)


def _call(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    result = lower_call(fc, node, loc)
    if not hasattr(result, "type"):
        raise refuse("GP1102", "a call without a value, used as a value", loc)
    return result  # pyright: ignore[reportReturnType]
