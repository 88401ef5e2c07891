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
    """Return the program without IsNull and null pointers: the kernel's pointer parameters in `null` are null.

    Its other parameters are not; what a device function's parameter is follows from all its calls. Code behind a test
    that is never true is removed. A variable that is null by a condition of the source (`p = c ? q : nullptr`) keeps
    that in a flag. Raises Refusal GP1102 for a pointer that is not always, or never, null.
    """
    functions = (*program.functions, program.kernel)
    if not any(isinstance(x, n.IsNull) or is_null_pointer(x) for f in functions for x in walk(f)):
        return program
    before = None
    while before != program:  # a test that is decided may decide what another pointer is
        before, known = program, _parameters(program, null)

        def resolve(f: n.Function, known: dict[str, dict[str, Known]] = known) -> n.Function:
            facts = _with_locals(f, known[f.name])
            decided = rewrite_exprs(f, lambda e: _decided(e, facts))
            return dataclasses.replace(f, body=rewrite_stmts(decided.body, _pruned))

        program = map_functions(program, resolve)
    known = _parameters(program, null)
    return map_functions(program, lambda f: _flagged(f, _with_locals(f, known[f.name])))


def is_null_pointer(e: n.Node) -> bool:
    """Tell whether an expression is `nullptr`."""
    return isinstance(e, n.PointerCast) and isinstance(e.pointer, n.Const)


def _decided(e: n.Expr, facts: Mapping[str, Known]) -> n.Expr:
    match e:
        case n.IsNull(pointer=pointer) if (found := _is_null(pointer, facts)) is not None:
            return n.Const(found, BOOL, loc=e.loc)
        case n.Binary(op="==" | "!=", left=left, right=right) if isinstance(left.type, Pointer):
            sides = {_is_null(left, facts), _is_null(right, facts)}
            return n.Const(e.op == "!=", BOOL, loc=e.loc) if sides == {True, False} else e
        case _:
            return _folded(e)


def _flagged(f: n.Function, facts: Mapping[str, Known]) -> n.Function:
    """Replace `p = c ? q : nullptr` by a flag, which the tests of p read, and a pointer that is never null."""
    used = {x.name for x in walk(f) if isinstance(x, n.Var)}
    names = {x.name for x in walk(f) if isinstance(x, n.Var | n.Declare | n.Param)}
    changed = {x.target.name for x in walk(f) if isinstance(x, n.Assign) and isinstance(x.target, n.Var)}
    changed |= {x.memory.name for x in walk(f) if isinstance(x, n.AddressOf) and isinstance(x.memory, n.Var)}
    flags: dict[str, n.Var] = {}

    def declare(s: n.Stmt) -> Sequence[n.Stmt]:
        if not isinstance(s, n.Declare) or not isinstance(s.type, Pointer) or s.init is None:
            return (s,)
        effects = any(isinstance(x, _EFFECTS) for x in walk(s.init))
        if s.name not in used and not effects and _is_null(s.init, facts):  # all that asked for it was removed
            return ()
        chosen = s.init
        if not isinstance(chosen, n.Select) or s.name in changed:
            return (s,)
        absent = is_null_pointer(chosen.then)
        given = chosen.other if absent else chosen.then
        start = _start(given, s.type)
        if not (absent or is_null_pointer(chosen.other)) or _is_null(given, facts) is not False or start is None:
            return (s,)
        name = next(c for c in (f"{s.name}_given", *(f"{s.name}_given_{i}" for i in range(2, 99))) if c not in names)
        names.add(name)
        flag = flags[s.name] = n.Var(name, BOOL, loc=s.loc)
        cond = n.Unary("!", chosen.cond, BOOL, loc=s.loc) if absent else chosen.cond
        init = given if given == start else n.Select(flag, given, start, chosen.type, loc=chosen.loc)
        held = dataclasses.replace(s, init=init, comments=())
        return (n.Declare(name, BOOL, cond, comments=s.comments, loc=s.loc), held)

    def test(e: n.Expr) -> n.Expr:
        pointer = e.pointer if isinstance(e, n.IsNull) else None
        if isinstance(pointer, n.Var) and pointer.name in flags:
            return n.Unary("!", flags[pointer.name], BOOL, loc=e.loc)
        if isinstance(e, n.Unary) and isinstance(e.value, n.Unary) and e.op == e.value.op == "!":
            return e.value.value
        if pointer is not None:
            raise refuse("GP1102", "a test against null of a pointer that may be either", e.loc)
        if is_null_pointer(e):
            raise refuse("GP1102", "a null pointer in this place", e.loc)
        return e

    body = rewrite_stmts(f.body, declare)
    return rewrite_exprs(dataclasses.replace(f, body=body), test)


def _start(pointer: n.Expr, t: Pointer) -> n.Expr | None:
    """What a pointer is an offset from, which is an address in any case; None where that is not plain."""
    match pointer:
        case n.Offset(pointer=inner) | n.PointerCast(pointer=inner) | n.AddressOf(memory=n.Element(base=inner)):
            return _start(inner, t)
        case n.Var(type=Pointer() as own):
            return pointer if own.elem == t.elem else n.PointerCast(pointer, t, loc=pointer.loc)
        case n.Decay(array=n.Var()):
            return pointer if pointer.type.elem == t.elem else n.PointerCast(pointer, t, loc=pointer.loc)
        case _:
            return None


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
        case n.PointerCast(pointer=n.Const()):
            return True
        case n.PointerCast(pointer=inner) | n.Offset(pointer=inner):
            return _is_null(inner, facts)
        case n.Select(then=then, other=other):
            both = {_is_null(then, facts), _is_null(other, facts)}
            return both.pop() if len(both) == 1 else None
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
