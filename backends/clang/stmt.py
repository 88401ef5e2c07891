"""Statements of clang's AST as IR statements."""

from __future__ import annotations

import dataclasses

from ...ir.analysis.usage import root_variable
from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import (
    Assign,
    Atomic,
    Binary,
    Block,
    Break,
    Call,
    Const,
    Continue,
    Declare,
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
from ...ir.types import BOOL, I32, VOID, Array, Pointer, Scalar, Space, Struct, Type, Vector, flat_elem
from ...ir.walk import children
from .assembly import lower_assembly
from .calls import coerce, lower_call, returned, returns_reference
from .constants import fold
from .context import FunctionContext, Node, Variable
from .expr import COMPARISONS, combine, condition, lower_expr, numeric, zero
from .objects import called, declare_object, initial, is_default
from .pointers import address_of, is_memory
from .tables import is_table, table_reference
from .types import ParsedType, parse_type, split_record

_WITHOUT_CODE = {
    "TypedefDecl", "TypeAliasDecl", "StaticAssertDecl", "UsingDecl", "EmptyDecl", "CXXRecordDecl", "RecordDecl",
}  # fmt: skip
UNSUPPORTED = {
    "CaseStmt": "a case label inside a block",
    "DefaultStmt": "a case label inside a block",
    "GotoStmt": "goto",
    "IndirectGotoStmt": "goto",
    "LabelStmt": "a label",
    "CXXTryStmt": "try",
    "CXXForRangeStmt": "a range-based for",
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
        lowered = _lower(fc, node)
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


def _lower(fc: FunctionContext, node: Node) -> list[Stmt]:
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
            return [s for child in inner for s in _declare_or_poison(fc, child)]
        case "IfStmt":
            return _if(fc, node, loc)
        case "GCCAsmStmt":
            return lower_assembly(fc, node, loc, fc.unit.language.assembly)
        case "SwitchStmt":
            from .switch import lower_switch

            return lower_switch(fc, node, loc)
        case "ForStmt":
            return [_for(fc, node, None, loc)]
        case "WhileStmt":
            if node.get("hasVar"):
                raise refuse("GP1101", "a declaration in a condition", loc)
            before, cond = _hoisted_condition(fc, inner[0])
            body = lower_body(fc, inner[1])
            return [_while(before, cond, body, loc)]
        case "DoStmt":
            body = lower_body(fc, inner[0])
            before, cond = _hoisted_condition(fc, inner[1])
            return [_do_while(before, cond, body, loc)]
        case "AttributedStmt":
            return _attributed(fc, inner, loc)
        case "BreakStmt":
            return [Break(loc=loc)]
        case "ContinueStmt":
            return [Continue(loc=loc)]
        case "ReturnStmt":
            return [_return(fc, inner, loc)]
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
        return [*lower_effect(fc, inner[0], loc), *lower_effect(fc, inner[1], loc)]
    if (kind == "BinaryOperator" and node["opcode"] == "=") or kind == "CompoundAssignOperator":
        return [lower_assignment(fc, node)]
    if kind == "UnaryOperator" and node["opcode"] in ("++", "--"):
        return [lower_assignment(fc, node)]
    if kind in ("CallExpr", "CXXOperatorCallExpr", "CXXMemberCallExpr"):
        if kind == "CXXOperatorCallExpr" and _is_trivial_assignment(fc, node):
            return [_assign(fc, node["inner"][1], node["inner"][2], loc)]
        result = lower_call(fc, node, loc)
        if isinstance(result, Statement):
            return [result]
        return _effects(called(result), loc)
    if kind == "ConditionalOperator":
        cond = condition(fc, inner[0])
        return [If(cond, tuple(_guarded(fc, inner[1], loc)), tuple(_guarded(fc, inner[2], loc)), loc=loc)]
    return _effects(lower_expr(fc, node), loc)  # a pure value as a statement does nothing


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


def _is_trivial_assignment(fc: FunctionContext, node: Node) -> bool:
    target: Node = node["inner"][0]
    while target["kind"] == "ImplicitCastExpr":
        target = target["inner"][0]
    ref = target.get("referencedDecl", {})
    method = fc.unit.records.methods.get(ref.get("id", ""))
    written = method is not None and not method.get("isImplicit") and not method.get("explicitlyDefaulted")
    return ref.get("name") == "operator=" and len(node["inner"]) == 3 and not written


def lower_assignment(fc: FunctionContext, node: Node) -> Assign:
    """Lower `=`, a compound assignment, `++` or `--` to an Assign."""
    loc = fc.unit.loc(node)
    inner: list[Node] = node["inner"]
    op: str = node["opcode"]
    if op == "=":
        return _assign(fc, inner[0], inner[1], loc)
    target = _target(fc, inner[0], loc)
    t = target.type
    if op in ("++", "--"):
        if isinstance(t, Pointer):
            return _step_pointer(target, Const(1 if op == "++" else -1, I32), loc)
        if not isinstance(t, Scalar) or t == BOOL:
            raise refuse("GP1102", f"{op} on {t}", loc)
        return Assign(target, Const(1.0 if t.is_float else 1, t), op[0], loc=loc)
    op = op[:-1]
    value = lower_expr(fc, inner[1])
    if isinstance(t, Pointer):
        if op not in ("+", "-") or not isinstance(value.type, Scalar):
            raise refuse("GP1102", f"{op}= on a pointer", loc)
        moved = combine(op, target, value, loc)
        return Assign(target, moved, loc=loc)
    compute = parse_type(node["computeLHSType"], loc).type if "computeLHSType" in node else t
    if not isinstance(t, Scalar | Vector) or not isinstance(compute, Scalar | Vector):
        raise refuse("GP1102", f"{op}= on {t}", loc)
    if op in COMPARISONS:
        raise refuse("GP1102", f"{op}=", loc)
    value = coerce(value, compute)
    if compute == t:
        if value.type != t and op not in ("<<", ">>"):
            raise refuse("GP1102", f"{op}= between {t} and {value.type}", loc)
        return Assign(target, value, op, loc=loc)
    # `int x; x += 0.5f` computes in float and converts back
    computed = combine(op, numeric(target, compute, True, loc), value, loc)
    return Assign(target, numeric(computed, t, True, loc), loc=loc)


def _step_pointer(target: Expr, delta: Const, loc: Loc | None) -> Assign:
    return Assign(target, combine("+", target, delta, loc), loc=loc)


def _target(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    target = lower_expr(fc, node)
    if not is_memory(target):
        raise refuse("GP1102", "an assignment to what is not memory", loc)
    if fc.frozen and root_variable(target) in fc.frozen:
        raise refuse("GP1102", "a change of an object that holds pointers and came by reference", loc)
    return target


def _assign(fc: FunctionContext, left: Node, right: Node, loc: Loc | None) -> Assign:
    value = lower_expr(fc, right)
    target = _target(fc, left, loc)
    return Assign(target, coerce(value, target.type), loc=loc)


def _declare_or_poison(fc: FunctionContext, node: Node) -> list[Stmt]:
    try:
        return _declare(fc, node)
    except Refusal:
        if "id" in node:  # its uses are not worth a diagnostic each
            fc.variables[node["id"]] = Variable(node.get("name", ""), VOID, Space.PRIVATE, poisoned=True)
        raise


def _declare(fc: FunctionContext, node: Node) -> list[Stmt]:
    kind = node.get("kind")
    loc = fc.unit.loc(node)
    if kind == "EnumDecl":
        fc.unit.enums.update({c["id"]: node for c in node.get("inner", ()) if "id" in c})
        return []
    if kind in _WITHOUT_CODE:
        return []
    if kind != "VarDecl":
        raise refuse("GP1107", f"a declaration of kind {kind}", loc)
    attrs = {c.get("kind") for c in node.get("inner", ())}
    record = split_record(node["type"])
    if record is not None:
        written = [c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")] if "init" in node else []
        return declare_object(fc, node, written[0] if written else None, record, loc)
    parsed = parse_type(node["type"], loc)
    shared = "CUDASharedAttr" in attrs or (parsed.space is Space.SHARED and not isinstance(parsed.type, Pointer))
    if shared:
        written = [c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")]
        if "init" in node and not is_default(fc, written[0]):
            raise refuse("GP1107", f"an initialiser of the shared variable {node['name']}", loc)
        name, volatile = fc.declare(node, parsed, Space.SHARED).name, "volatile" in node["type"]["qualType"]
        return [Declare(name, parsed.type, None, Space.SHARED, volatile=volatile, loc=loc)]
    if node.get("storageClass") == "static" and is_table(node) and table_reference(fc, node, loc) is not None:
        return []
    if node.get("storageClass") == "static" and "const" not in node["type"]["qualType"]:
        raise refuse("GP1107", f"the static variable {node['name']}", loc)
    if "CUDAConstantAttr" in attrs and not node.get("constexpr"):
        raise refuse("GP1107", f"the constant variable {node['name']} inside a function", loc)
    init = (
        next((c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")), None)
        if "init" in node
        else None
    )
    if parsed.reference:
        return [_declare_reference(fc, node, parsed, init, loc)]
    if isinstance(parsed.type, Array):
        items = _array_items(fc, parsed.type, init, loc) if init and not is_default(fc, init) else None
        return [Declare(fc.declare(node, parsed, Space.PRIVATE).name, parsed.type, items=items, loc=loc)]
    value = lower_expr(fc, init) if init and not is_default(fc, init) else None
    if value is not None:
        value = coerce(value, parsed.type)
        parsed.type = _pointer_space(parsed.type, value)
    if value is not None and value.type != parsed.type and not isinstance(parsed.type, Pointer):
        raise refuse("GP1102", f"a value of type {value.type} for {node['name']} of type {parsed.type}", loc)
    const = (
        parsed.const if not isinstance(parsed.type, Pointer) else node["type"]["qualType"].rstrip().endswith("const")
    )
    variable = fc.declare(node, parsed, Space.PRIVATE)
    return [Declare(variable.name, parsed.type, value, const=const and value is not None, loc=loc)]


def _pointer_space(t: Type, value: Expr) -> Type:
    """Give a local pointer the space of its initialiser; where that is generic, the pass `spaces` finds it."""
    if isinstance(t, Pointer) and t.space is Space.GENERIC and isinstance(value.type, Pointer):
        return dataclasses.replace(t, space=value.type.space)
    return t


def _declare_reference(fc: FunctionContext, node: Node, parsed: ParsedType, init: Node | None, loc: Loc | None) -> Stmt:
    if init is None or isinstance(parsed.type, Array | Pointer):
        raise refuse("GP1107", f"the reference {node['name']}", loc)
    pointer = address_of(fc, lower_expr(fc, init), loc)
    assert isinstance(pointer.type, Pointer)
    t = Pointer(parsed.type, pointer.type.space, const=parsed.const)
    variable = fc.declare(node, ParsedType(t, None, True, True), Space.PRIVATE)
    return Declare(variable.name, t, pointer, const=True, loc=loc)


def _array_items(fc: FunctionContext, t: Array, init: Node, loc: Loc | None) -> tuple[Expr, ...]:
    """Lower an array's initialiser to a flat list, rows filled up with zeros; a missing end is zero anyway."""
    leaf = flat_elem(t)
    if isinstance(leaf, Pointer) or (isinstance(t.elem, Array) and isinstance(leaf, Struct)):
        raise refuse("GP1107", "an array initialiser of this form", loc)
    items: list[Expr] = []
    if init["kind"] != "ImplicitValueInitExpr":
        if init["kind"] != "InitListExpr":
            raise refuse("GP1107", "an array initialiser of this form", loc)
        filler = init.get("array_filler")  # the first of these fills, the others are what is written
        for child in filler[1:] if filler else init.get("inner", ()):
            if isinstance(t.elem, Array):
                row = _array_items(fc, t.elem, child, loc)
                items += [*row, *[zero(leaf, loc)] * (t.elem.size // leaf.size - len(row))]
            elif child["kind"] == "ImplicitValueInitExpr":
                items.append(zero(leaf, loc))
            else:
                items.append(coerce(initial(fc, child, t.elem, loc), t.elem))
    return tuple(items) or (zero(leaf, loc),)


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
        return _lower(fc, chosen) if chosen and chosen.get("kind") != "NullStmt" else []
    taken = lower_body(fc, then)
    return [If(cond, taken, lower_body(fc, other) if other else (), loc=loc)]


def _declaring_if(fc: FunctionContext, node: Node, loc: Loc | None) -> tuple[Stmt, ...]:
    """`if (int v = f())` and `if (init; cond)`: a block with the declaration and the if."""
    fc.visible.append(set())
    try:
        inner: list[Node] = list(node["inner"])
        out: list[Stmt] = []
        for _ in range(bool(node.get("hasInit")) + bool(node.get("hasVar"))):
            out.extend(_lower(fc, inner.pop(0)))
        plain = {**node, "hasInit": False, "hasVar": False, "inner": inner}
        outer, fc.before = fc.before, []
        try:
            rest = _if(fc, plain, loc)
            return (*out, *fc.before, *rest)
        finally:
            fc.before = outer
    finally:
        fc.visible.pop()


def _loop_condition(fc: FunctionContext, node: Node) -> Expr:
    fc.lazy += 1  # evaluated before every iteration: nothing can be hoisted out of it
    try:
        return condition(fc, node)
    finally:
        fc.lazy -= 1


def _hoisted_condition(fc: FunctionContext, node: Node) -> tuple[list[Stmt], Expr]:
    outer, fc.before = fc.before, []
    try:
        cond = condition(fc, node)
        return fc.before, cond
    finally:
        fc.before = outer


def _while(before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    if not before:
        return While(cond, body, loc=loc)
    return While(Const(True, BOOL, loc=loc), (*before, _leave_unless(cond, loc), *body), loc=loc)


def _leave_unless(cond: Expr, loc: Loc | None) -> Stmt:
    negated = cond.value if isinstance(cond, Unary) and cond.op == "!" else Unary("!", cond, BOOL, loc=loc)
    return If(negated, (Break(loc=loc),), loc=loc)


def _do_while(before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    if not before:
        return While(cond, body, True, loc=loc)
    if _continues(body):
        raise refuse("GP1105", "an assignment inside the condition of a do-while that is continued", loc)
    return While(Const(True, BOOL, loc=loc), (*body, *before, _leave_unless(cond, loc)), loc=loc)


def _continues(body: tuple[Stmt, ...]) -> bool:
    """Tell whether a `continue` in the body belongs to the loop around it."""
    for s in body:
        match s:
            case Continue():
                return True
            case If(then=then, other=other):
                if _continues(then) or _continues(other):
                    return True
            case Block(body=inner):
                if _continues(inner):
                    return True
            case _:
                continue
    return False


def _for(fc: FunctionContext, node: Node, unroll: int | None, loc: Loc | None) -> Stmt:
    init_node, _, cond_node, step_node, body_node = node["inner"]
    fc.visible.append(set())
    try:
        init: list[Stmt] = []
        if init_node.get("kind"):
            init = _lower(fc, init_node)
        cond = _loop_condition(fc, cond_node) if cond_node.get("kind") else None
        step: list[Stmt] = []
        if step_node.get("kind"):
            outer, fc.before = fc.before, []
            step = lower_effect(fc, step_node, fc.unit.loc(step_node))
            if fc.before:
                raise refuse("GP1105", "an assignment inside the step of a loop", loc)
            fc.before = outer
        body = lower_body(fc, body_node)
    finally:
        fc.visible.pop()
    return For(tuple(init), cond, tuple(step), body, unroll, loc=loc)


def _attributed(fc: FunctionContext, inner: list[Node], loc: Loc | None) -> list[Stmt]:
    *attrs, stmt = inner
    unroll: int | None = None
    for attr in attrs:
        if attr.get("kind") == "LoopHintAttr":
            counts = [c for c in attr.get("inner", ()) if c.get("kind")]
            text = fc.unit.token(attr["range"]["begin"]) if "offset" in attr["range"]["begin"] else ""
            unroll = 0
            if counts:
                value = fold(lower_expr(fc, counts[0]))
                unroll = int(value) if isinstance(value, int) else 0
            elif text == "nounroll":
                unroll = 1
    if stmt.get("kind") == "ForStmt":
        return [_for(fc, stmt, unroll, loc)]
    return _lower(fc, stmt)


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
