"""Tests of pointers against null, decided by what the caller is known to pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .. import nodes as n
from ..diagnostics import refuse
from ..types import BOOL, Pointer
from ..walk import map_functions, rewrite_exprs, rewrite_stmts, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

Known = bool | None
"""Whether a pointer is null; None where it may be either."""


_EFFECTS = (n.Atomic, n.Call, n.Shuffle, n.Vote)


def resolve_nulls(program: n.Program, null: Collection[str]) -> n.Program:
    """Return the program without IsNull: the kernel's pointer parameters in `null` are null, the others are not.

    What a device function's parameter is follows from all its calls. Code behind a test that is never true is removed.
    Raises Refusal GP1102 for a pointer that is not always, or never, null.
    """
    functions = (*program.functions, program.kernel)
    if not any(isinstance(x, n.IsNull) for f in functions for x in walk(f)):
        return program
    known = _parameters(program, null)

    def resolve(f: n.Function) -> n.Function:
        facts = _with_locals(f, known[f.name])

        def decide(e: n.Expr) -> n.Expr:
            if not isinstance(e, n.IsNull):
                return _folded(e)
            found = _is_null(e.pointer, facts)
            if found is None:
                raise refuse("GP1102", "a test against null of a pointer that may be either", e.loc)
            return n.Const(found, BOOL, loc=e.loc)

        return dataclasses.replace(f, body=rewrite_stmts(rewrite_exprs(f, decide).body, _pruned))

    return map_functions(program, resolve)


def _parameters(program: n.Program, null: Collection[str]) -> dict[str, dict[str, Known]]:
    """What is known of each function's pointer parameters, by their names."""
    functions = {f.name: f for f in (*program.functions, program.kernel)}
    kernel = program.kernel
    known: dict[str, dict[str, Known]] = {name: {} for name in functions}
    known[kernel.name] = {p.name: p.name in null for p in kernel.params if isinstance(p.type, Pointer)}
    before = None
    while before != known:  # callees may come in any order; facts only go from unset over a value to None
        before = {name: dict(facts) for name, facts in known.items()}
        for f in functions.values():
            if any(isinstance(p.type, Pointer) and p.name not in known[f.name] for p in f.params):
                continue  # no call of it is known yet
            facts = _with_locals(f, known[f.name])
            for x in walk(f):
                if not isinstance(x, n.Call) or x.function not in functions:
                    continue
                for p, a in zip(functions[x.function].params, x.args, strict=True):
                    if isinstance(p.type, Pointer):
                        value, own = _is_null(a, facts), known[x.function]
                        own[p.name] = value if own.get(p.name, value) == value else None
    return known


def _with_locals(f: n.Function, parameters: Mapping[str, Known]) -> dict[str, Known]:
    """The facts of a function's parameters, and of pointer variables that keep what they are declared with."""
    facts = dict(parameters)
    for x in walk(f):
        if isinstance(x, n.Declare) and isinstance(x.type, Pointer):
            facts[x.name] = None if x.init is None else _is_null(x.init, facts)
    for x in walk(f):
        target = x.target if isinstance(x, n.Assign) and x.op is None else None
        if isinstance(target, n.Var) and isinstance(target.type, Pointer):
            assert isinstance(x, n.Assign)
            if _is_null(x.value, facts) != facts.get(target.name):
                facts[target.name] = None
    return facts


def _is_null(e: n.Expr, facts: Mapping[str, Known]) -> Known:
    match e:
        case n.Var(name=name):
            return facts.get(name)
        case n.PointerCast(pointer=inner) | n.Offset(pointer=inner):
            return _is_null(inner, facts)
        case n.AddressOf() | n.Decay():
            return False
        case _:
            return None


def _folded(e: n.Expr) -> n.Expr:
    """Negations, conjunctions, disjunctions and choices of constants, as far as these decide them."""
    match e:
        case n.Unary(op="!", value=n.Const(value=value)):
            return n.Const(not value, BOOL, loc=e.loc)
        case n.Binary(op="&&" | "||", left=n.Const(value=value)):
            return e.right if bool(value) == (e.op == "&&") else e.left
        case n.Binary(op="&&" | "||", right=n.Const(value=value)) if bool(value) == (e.op == "&&"):
            return e.left
        case n.Binary(op="&&" | "||", left=left, right=n.Const()) if not any(
            isinstance(x, _EFFECTS) for x in walk(left)
        ):
            return e.right
        case n.Select(cond=n.Const(value=value)):
            return e.then if value else e.other
        case _:
            return e


def _pruned(s: n.Stmt) -> Sequence[n.Stmt]:
    if not isinstance(s, n.If) or not isinstance(s.cond, n.Const):
        return (s,)
    kept = s.then if s.cond.value else s.other
    if any(isinstance(x, n.Declare) for x in kept):
        return (n.Block(kept, loc=s.loc),)
    return kept
