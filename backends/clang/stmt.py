"""Statements of clang's AST as IR statements."""

from __future__ import annotations

import dataclasses

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import (
    Atomic,
    Binary,
    Block,
    Break,
    Call,
    Continue,
    Evaluate,
    Expr,
    For,
    If,
    Loc,
    Return,
    Select,
    Statement,
    Stmt,
    Unary,
    While,
)  # fmt: skip
from ...ir.types import BOOL, VOID
from ...ir.walk import children, walk
from .assembly import lower_assembly
from .assignments import assign, is_trivial_assignment, lower_assignment, spread
from .calls import coerce, lower_call, returned, returns_reference
from .constants import fold
from .context import FunctionContext
from .declarations import declare_or_poison
from .expr import condition, lower_expr
from .loops import attributed, declared_condition, do_loop, for_loop, hoisted_condition, range_loop, while_loop
from .objects import called
from .pointers import address_of
from .records import Node

UNSUPPORTED = {
    "CaseStmt": "a case label inside a block",
    "DefaultStmt": "a case label inside a block",
    "GotoStmt": "goto",
    "IndirectGotoStmt": "goto",
    "LabelStmt": "a label",
    "CXXTryStmt": "try",
}


def lower_body(fc: FunctionContext, node: Node) -> tuple[Stmt, ...]:
    """Lower a statement that forms a body of its own, as a scope."""
    fc.visible.append(set())
    try:
        if node.get("kind") == "CompoundStmt":
            return lower_list(fc, node)
        return tuple(lower_stmt(fc, node))
    finally:
        fc.visible.pop()


def lower_list(fc: FunctionContext, compound: Node) -> tuple[Stmt, ...]:
    """Lower the statements of a compound statement; refused ones are noted and skipped."""
    out: list[Stmt] = []
    for child in compound.get("inner", ()):
        out.extend(lower_stmt(fc, child))
    left = fc.comments_until_end(compound)
    if left and out:
        last = out[-1]
        out[-1] = dataclasses.replace(last, trailing=" ".join(filter(None, [last.trailing, *left])))
    return tuple(out)


def lower_stmt(fc: FunctionContext, node: Node) -> list[Stmt]:
    """Lower one statement, with what its expressions hoist and its comments."""
    comments = fc.comments_before(node)
    outer, fc.before = fc.before, []
    try:
        lowered = lower_bare(fc, node)
        stmts = [*fc.before, *lowered]
    except Refusal as refusal:
        fc.refused(refusal)
        stmts = []
    finally:
        fc.before = outer
    trailing = fc.comment_behind(node)
    if stmts and comments:
        stmts[0] = dataclasses.replace(stmts[0], comments=(*comments, *stmts[0].comments))
    if stmts and trailing:
        if isinstance(stmts[-1], If | For | While | Block):
            stmts[0] = dataclasses.replace(stmts[0], comments=(*stmts[0].comments, trailing))
        else:
            stmts[-1] = dataclasses.replace(stmts[-1], trailing=trailing)
    return stmts


def lower_bare(fc: FunctionContext, node: Node) -> list[Stmt]:
    """Lower one statement without its comments; what its expressions hoist is left in `fc.before`."""
    kind = node.get("kind")
    loc = fc.unit.loc(node)
    inner: list[Node] = node.get("inner", [])
    match kind:
        case "CompoundStmt":
            fc.visible.append(set())
            body = lower_list(fc, node)
            fc.visible.pop()
            return [Block(body, loc=loc)] if body else []
        case "NullStmt":
            return []
        case "DeclStmt":
            out: list[Stmt] = []
            for child in inner:  # what a declarator hoists stands behind those before it
                before, declared = fc.aside(lambda child=child: declare_or_poison(fc, child))
                out += [*before, *declared]
            return out
        case "IfStmt":
            return _if(fc, node, loc)
        case "GCCAsmStmt":
            return lower_assembly(fc, node, loc, fc.unit.language.assembly)
        case "SwitchStmt":
            from .switch import lower_switch

            return lower_switch(fc, node, loc)
        case "ForStmt":
            return [for_loop(fc, node, None, loc)]
        case "CXXForRangeStmt":
            return [range_loop(fc, node, loc)]
        case "WhileStmt":
            if node.get("hasVar"):
                fc.visible.append(set())
                before, cond = declared_condition(fc, inner[0], inner[1])
                body = lower_body(fc, inner[2])
                fc.visible.pop()
                return [while_loop(before, cond, body, loc)]
            before, cond = hoisted_condition(fc, inner[0])
            body = lower_body(fc, inner[1])
            return [while_loop(before, cond, body, loc)]
        case "DoStmt":
            body = lower_body(fc, inner[0])
            before, cond = hoisted_condition(fc, inner[1])
            return [do_loop(fc, before, cond, body, loc)]
        case "AttributedStmt":
            return attributed(fc, inner, loc)
        case "BreakStmt":
            return [Break(loc=loc)]
        case "ContinueStmt":
            return [Continue(loc=loc)]
        case "ReturnStmt":
            return [_return(fc, inner, loc)]
        case "LabelStmt" if inner:  # what it marks may have more to say
            fc.refused(refuse("GP1101", "a label is not supported", loc))
            return lower_stmt(fc, inner[0])
        case str() if kind in UNSUPPORTED:
            raise refuse("GP1101", f"{UNSUPPORTED[kind]} is not supported", loc)
        case _:
            return lower_effect(fc, node, loc)


def lower_effect(fc: FunctionContext, node: Node, loc: Loc | None) -> list[Stmt]:
    """Lower an expression that stands for what it does; one without an effect gives nothing."""
    kind = node.get("kind", "")
    inner: list[Node] = node.get("inner", [])
    if kind in ("ParenExpr", "ExprWithCleanups", "ConstantExpr"):
        return lower_effect(fc, inner[0], loc)
    if kind in ("CStyleCastExpr", "ImplicitCastExpr") and node.get("castKind") == "ToVoid":
        return _effects(lower_expr(fc, inner[0]), loc)  # (void)x: nothing is done with it
    if kind == "BinaryOperator" and node["opcode"] == ",":
        hoisted, first = fc.aside(lambda: lower_effect(fc, inner[0], loc))
        between, second = fc.aside(lambda: lower_effect(fc, inner[1], loc))
        if between:
            fc.before.extend([*hoisted, *first, *between])
            return second
        fc.before.extend(hoisted)
        return [*first, *second]
    if kind == "BinaryOperator" and node["opcode"] in ("&&", "||"):
        cond = condition(fc, inner[0])
        then = tuple(_guarded(fc, inner[1], loc))
        if not then:
            return _effects(cond, loc)
        return [If(cond if node["opcode"] == "&&" else Unary("!", cond, BOOL, loc=loc), then, loc=loc)]
    if (kind == "BinaryOperator" and node["opcode"] == "=") or kind == "CompoundAssignOperator":
        return spread(fc, lower_assignment(fc, node))
    if kind == "UnaryOperator" and node["opcode"] in ("++", "--"):
        return [lower_assignment(fc, node)]
    if kind in ("CallExpr", "CXXOperatorCallExpr", "CXXMemberCallExpr"):
        if kind == "CXXOperatorCallExpr" and is_trivial_assignment(fc, node):
            return [assign(fc, node["inner"][1], node["inner"][2], loc)]
        result = lower_call(fc, node, loc)
        if isinstance(result, Statement):
            return [result]
        return [] if _is_empty(fc, result) else _effects(called(result), loc)
    if kind == "ConditionalOperator":
        cond = condition(fc, inner[0])
        return [If(cond, tuple(_guarded(fc, inner[1], loc)), tuple(_guarded(fc, inner[2], loc)), loc=loc)]
    return _effects(lower_expr(fc, node), loc)  # a pure value as a statement does nothing


def _is_empty(fc: FunctionContext, value: Expr) -> bool:
    """Tell whether a call is of a function of our headers of which nothing is left."""
    if not isinstance(value, Call) or any(isinstance(x, Call | Atomic) for a in value.args for x in walk(a)):
        return False
    keys = (key.split(" ")[0] for key, f in fc.unit.functions.items() if f.name == value.function and not f.body)
    decls = (fc.unit.records.methods.get(k) or fc.unit.decls.get(k, {}) for k in keys)
    return any(fc.unit.in_header(d) for d in decls)


def _effects(value: Expr, loc: Loc | None) -> list[Stmt]:
    """The calls and atomics of an expression whose value is thrown away."""
    if isinstance(value, Call | Atomic):
        return [Evaluate(value, loc=loc)]
    found = [s for part in children(value) for s in _effects(part, loc)]  # pyright: ignore[reportArgumentType]
    lazy = isinstance(value, Select) or (isinstance(value, Binary) and value.op in ("&&", "||"))
    if found and lazy:
        raise refuse("GP1105", "an effect under && || ?: in an expression whose value is not used", loc)
    return found


def _guarded(fc: FunctionContext, node: Node, loc: Loc | None) -> list[Stmt]:
    outer, fc.before = fc.before, []
    stmts = lower_effect(fc, node, loc)
    stmts = [*fc.before, *stmts]
    fc.before = outer
    return stmts


def _if(fc: FunctionContext, node: Node, loc: Loc | None) -> list[Stmt]:
    inner: list[Node] = node["inner"]
    if node.get("hasVar") or node.get("hasInit"):
        return [Block(_declaring_if(fc, node, loc), loc=loc)]
    cond = condition(fc, inner[0])
    then, other = inner[1], inner[2] if node.get("hasElse") else None
    if node.get("isConstexpr"):
        value = fold(cond)
        if value is None:
            raise refuse("GP1101", "if constexpr with a condition that is not folded", loc)
        chosen = then if value else other
        return lower_bare(fc, chosen) if chosen and chosen.get("kind") != "NullStmt" else []
    taken = lower_body(fc, then)
    return [If(cond, taken, lower_body(fc, other) if other else (), loc=loc)]


def _declaring_if(fc: FunctionContext, node: Node, loc: Loc | None) -> tuple[Stmt, ...]:
    """`if (int v = f())` and `if (init; cond)`: a block with the declaration and the if."""
    fc.visible.append(set())
    try:
        inner: list[Node] = list(node["inner"])
        out: list[Stmt] = []
        for _ in range(bool(node.get("hasInit")) + bool(node.get("hasVar"))):
            out.extend(lower_bare(fc, inner.pop(0)))
        plain = {**node, "hasInit": False, "hasVar": False, "inner": inner}
        outer, fc.before = fc.before, []
        try:
            rest = _if(fc, plain, loc)
            return (*out, *fc.before, *rest)
        finally:
            fc.before = outer
    finally:
        fc.visible.pop()


def _return(fc: FunctionContext, inner: list[Node], loc: Loc | None) -> Stmt:
    if not inner:
        return Return(fc.made, loc=loc)
    value = lower_expr(fc, inner[0])
    returns = returned(fc.node, loc)
    if returns_reference(fc.node, loc):
        return Return(address_of(fc, value, loc), loc=loc)
    if returns == VOID:
        return Return(loc=loc)
    return Return(coerce(value, returns), loc=loc)
