"""`switch` as a chain of ifs: each section's statements up to its break, those it falls through into included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import Binary, Block, Break, Const, Continue, Declare, If, Return, Stmt, Var, While
from ...ir.rewrites.pieces import negate
from ...ir.types import BOOL, Scalar
from .constants import fold, wrap
from .expr import lower_expr
from .loops import continues as _continues
from .stmt import lower_stmt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ir.nodes import Expr, Loc
    from .context import FunctionContext
    from .records import Node


@dataclass
class _Section:
    """Labels that stand together, and the statements up to the next label. A label is (first, last) of its values."""

    labels: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    default: bool = False
    nodes: list[Node] = field(default_factory=list["Node"])


def lower_switch(fc: FunctionContext, node: Node, loc: Loc | None) -> list[Stmt]:
    """Lower a switch. Raises GP1101 for a break that leaves it from where no if can, and for labels inside blocks."""
    if node.get("hasVar") or node.get("hasInit"):
        fc.visible.append(set())
        try:
            hoisted, declared = fc.aside(lambda: lower_stmt(fc, node["inner"][0]))
            plain = {**node, "hasVar": False, "hasInit": node.get("hasInit") and node.get("hasVar")}
            before, rest = fc.aside(lambda: lower_switch(fc, {**plain, "inner": node["inner"][1:]}, loc))
            return [Block((*hoisted, *declared, *before, *rest), loc=loc)]
        finally:
            fc.visible.pop()
    cond_node, body = node["inner"]
    cond = lower_expr(fc, cond_node)
    if not isinstance(cond.type, Scalar) or not cond.type.is_integer:
        raise refuse("GP1101", f"a switch over {cond.type}", loc)
    out: list[Stmt] = []
    sections = _sections(fc, body, cond.type, out)
    _check_declarations(fc, sections)
    whole = [_body(fc, sections, i) for i in range(len(sections))]
    try:
        bodies = [_without_breaks(b) for b in whole]
        once = False
    except Refusal:
        if any(_continues(b) for b in whole):
            raise
        bodies, once = whole, True  # the breaks stay, and leave a loop of one turn
    known = fold(cond)
    if known is not None:  # a template's parameter: only one section is there
        chosen = next((i for i, s in enumerate(sections) if any(a <= known <= b for a, b in s.labels)), None)
        if chosen is None:
            chosen = next((i for i, s in enumerate(sections) if s.default), None)
        kept = bodies[chosen] if chosen is not None else ()
        if once:
            return [*out, While(Const(False, BOOL), kept, True, loc=loc)]
        return [*out, Block(kept, loc=loc)] if any(isinstance(s, Declare) for s in kept) else [*out, *kept]
    if not isinstance(cond, Var) and sum(len(s.labels) for s in sections) > 1:
        name = fc.unique("selector")
        out.append(Declare(name, cond.type, cond, const=True, loc=loc))
        cond = Var(name, cond.type, loc=loc)
    chain: tuple[Stmt, ...] = next((b for s, b in zip(sections, bodies, strict=True) if s.default), ())
    for section, then in reversed(list(zip(sections, bodies, strict=True))):
        if section.default:
            continue  # its labels, too, are among what is left at the end
        test = _matches(cond, section.labels)
        if then:
            chain = (If(test, then, chain, loc=then[0].loc or loc),)
        elif chain:
            chain = (If(negate(test), chain, loc=loc),)
    if once:
        return [*out, While(Const(False, BOOL), chain, True, loc=loc)]
    plain = not chain or (len(chain) == 1 and isinstance(chain[0], If))
    return [*out, *(chain if plain else (Block(chain),))]


def _sections(fc: FunctionContext, body: Node, t: Scalar, out: list[Stmt]) -> list[_Section]:
    sections: list[_Section] = []
    for child in body.get("inner", ()) if body.get("kind") == "CompoundStmt" else (body,):
        if child.get("kind") not in ("CaseStmt", "DefaultStmt"):
            if sections:
                sections[-1].nodes.append(child)
            elif child.get("kind") == "DeclStmt" and not any("init" in d for d in child["inner"]):
                out.extend(lower_stmt(fc, child))
            else:
                raise refuse("GP1101", "a statement before the first case of a switch", fc.unit.loc(child))
            continue
        section = _Section()
        while child.get("kind") in ("CaseStmt", "DefaultStmt"):
            *labels, inner = child["inner"]
            if child["kind"] == "DefaultStmt":
                section.default = True
            else:
                values = [_label(fc, label, t) for label in labels]
                section.labels.append((values[0], values[-1]))
            child = inner
        section.nodes.append(child)
        sections.append(section)
    return sections


def _label(fc: FunctionContext, node: Node, t: Scalar) -> int:
    value = fold(lower_expr(fc, node))
    if value is None:
        raise refuse("GP1101", "a case whose value is not folded", fc.unit.loc(node))
    return int(wrap(value, t))


def _check_declarations(fc: FunctionContext, sections: Sequence[_Section]) -> None:
    """Refuse a variable that one section declares and another uses: as ifs, each has a scope of its own."""
    from .unit import referenced

    for i, section in enumerate(sections):
        declared = {
            d["id"]: d for n in section.nodes if n.get("kind") == "DeclStmt" for d in n.get("inner", ()) if "id" in d
        }
        for other in (*sections[:i], *sections[i + 1 :]):
            for n in other.nodes:
                for key in referenced(n) & declared.keys():
                    message = f"{declared[key].get('name')} is declared in one case of a switch and used in another"
                    raise refuse("GP1101", message, fc.unit.loc(declared[key]))


def _body(fc: FunctionContext, sections: Sequence[_Section], first: int) -> tuple[Stmt, ...]:
    """The statements from a section's label to the break that leaves the switch."""
    fc.visible.append(set())
    try:
        found: list[Stmt] = []
        for section in sections[first:]:
            for node in section.nodes:
                found.extend(lower_stmt(fc, node))
            if _leaves(found):
                break
        body = tuple(found)
        alone = body[0] if len(body) == 1 else None
        return alone.body if isinstance(alone, Block) and not alone.comments else body
    finally:
        fc.visible.pop()


def _leaves(body: Sequence[Stmt]) -> bool:
    """Tell whether nothing falls out of the end of the statements."""
    for s in body:
        match s:
            case Break() | Continue() | Return():
                return True
            case If(then=then, other=other) if other and _leaves(then) and _leaves(other):
                return True
            case Block(body=inner) if _leaves(inner):
                return True
            case _:
                continue
    return False


def _breaks(body: Sequence[Stmt]) -> Break | None:
    """The first break of the switch itself in the statements."""
    for s in body:
        match s:
            case Break():
                return s
            case If(then=then, other=other):
                if found := _breaks(then) or _breaks(other):
                    return found
            case Block(body=inner):
                if found := _breaks(inner):
                    return found
            case _:
                continue
    return None


def _without_breaks(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """The same without the switch's breaks: what they skip stands in the other branch of the if around them."""
    out: list[Stmt] = []
    for i, s in enumerate(body):
        match s:
            case Break():
                return tuple(out)
            case Continue() | Return():
                return (*out, s)
            case If() if _breaks((s,)):
                return (*out, *_split(s, body[i + 1 :]))
            case Block(body=inner) if found := _breaks(inner):
                if not _leaves(inner):
                    raise refuse("GP1101", "a break that leaves a switch from inside a block", found.loc)
                return (*out, Block(_without_breaks(inner), loc=s.loc))
            case _:
                out.append(s)
    return tuple(out)


def _split(s: If, rest: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    then_leaves, other_leaves = _leaves(s.then), bool(s.other) and _leaves(s.other)
    then, other = s.then, s.other
    if then_leaves and not other_leaves and not _breaks(other):
        other = (*((Block(other),) if other else ()), *rest)
    elif other_leaves and not then_leaves and not _breaks(then):
        then = (*((Block(then),) if then else ()), *rest)
    elif not (then_leaves and other_leaves):
        found = _breaks((s,))
        raise refuse("GP1101", "a break that leaves a switch on some ways only", found.loc if found else s.loc)
    then, other = _without_breaks(then), _without_breaks(other)
    if not then and not other:
        return ()
    if not then:
        return (If(negate(s.cond), other, (), loc=s.loc, comments=s.comments),)
    return (If(s.cond, then, other, loc=s.loc, comments=s.comments),)


def _matches(value: Expr, labels: Sequence[tuple[int, int]]) -> Expr:
    t = value.type
    assert isinstance(t, Scalar)
    found: Expr | None = None
    for first, last in labels:
        if first == last:
            test = Binary("==", value, Const(first, t), BOOL)
        else:
            low, high = Binary(">=", value, Const(first, t), BOOL), Binary("<=", value, Const(last, t), BOOL)
            test = Binary("&&", low, high, BOOL)
        found = test if found is None else Binary("||", found, test, BOOL)
    assert found is not None
    return found
