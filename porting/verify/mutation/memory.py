"""Operators on synchronisation and memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ....ir import nodes as n
from ....ir.types import BOOL, U32, Array, Scalar, Space
from ....ir.walk import walk
from .place import (
    Place,
    operator,
    space_of,
)

# --- synchronisation


@operator("sync", "barrier dropped")
def _no_barrier(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier):
        yield []


@operator("sync", "barrier before the store")
def _early(p: Place) -> Iterator[Any]:
    for name in ("body", "then", "other"):
        body: Any = getattr(p.node, name, None)
        if not isinstance(body, tuple):
            continue
        for i in range(1, len(body)):
            if isinstance(body[i], n.Barrier) and not isinstance(body[i - 1], n.Barrier | n.Declare):
                moved = (*body[: i - 1], body[i], body[i - 1], *body[i + 1 :])
                yield dataclasses.replace(p.node, **{name: moved})


@operator("sync", "barrier of the subgroup only")
def _weaker(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier) and p.node.scope is n.Scope.GROUP:
        yield dataclasses.replace(p.node, scope=n.Scope.SUBGROUP)


@operator("sync", "barrier in divergent flow")
def _divergent(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier) and p.node.scope is n.Scope.GROUP:
        first = n.Binary("!=", n.GridIndex(n.Grid.THREAD), n.Const(0, U32), BOOL)
        yield n.If(first, (p.node,))


@operator("sync", "fence dropped")
def _no_fence(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Fence):
        yield []


# --- memory


@operator("sync", "fence of the group only")
def _near_fence(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Fence) and p.node.scope is n.Scope.DEVICE:
        yield dataclasses.replace(p.node, scope=n.Scope.GROUP)


@operator("sync", "atomic of the group only")
def _near_atomic(p: Place) -> Iterator[Any]:
    a = p.node
    if isinstance(a, n.Atomic) and a.scope is n.Scope.DEVICE and space_of(a.pointer) is Space.GLOBAL:
        yield dataclasses.replace(a, scope=n.Scope.GROUP)


@operator("sync", "barrier that orders no shared memory")
def _unordered(p: Place) -> Iterator[Any]:
    b = p.node
    if isinstance(b, n.Barrier) and Space.SHARED in b.orders:
        yield dataclasses.replace(b, orders=(Space.GLOBAL,))


@operator("memory", "private for shared")
def _unshared(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Declare) and p.node.space is Space.SHARED:
        yield dataclasses.replace(p.node, space=Space.PRIVATE)


@operator("memory", "initial value dropped")
def _uninitialised(p: Place) -> Iterator[Any]:
    d = p.node
    if isinstance(d, n.Declare) and d.init is not None and isinstance(d.type, Scalar) and not d.const:
        yield dataclasses.replace(d, init=None)


@operator("memory", "store dropped")
def _no_store(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and isinstance(p.node.target, n.Element | n.Deref | n.Component | n.Field):
        yield []


@operator("memory", "plain for atomic")
def _plain(p: Place) -> Iterator[Any]:
    ops = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
    s = p.node
    atomic = (
        s.value if isinstance(s, n.Evaluate | n.Assign | n.Return) else s.init if isinstance(s, n.Declare) else None
    )
    if not isinstance(atomic, n.Atomic):
        return
    memory = n.Deref(atomic.pointer, atomic.type)
    if atomic.op in ops:
        update = n.Assign(memory, atomic.value, ops[atomic.op])
    elif atomic.op in ("min", "max"):
        fn = f"f{atomic.op}" if atomic.type.is_float else atomic.op
        update = n.Assign(memory, n.MathCall(fn, (memory, atomic.value), atomic.type))
    elif atomic.op == "exch":
        update = n.Assign(memory, atomic.value)
    else:
        return
    match s:
        case n.Evaluate():
            yield [update]
        case n.Declare():
            yield [dataclasses.replace(s, init=memory), update]
        case n.Assign():
            yield [dataclasses.replace(s, value=memory), update]
        case _:
            old = n.Declare("gp_old", atomic.type, memory)
            yield [old, update, dataclasses.replace(s, value=n.Var("gp_old", atomic.type))]


@operator("memory", "statements swapped")
def _swapped(p: Place) -> Iterator[Any]:
    for name in ("body", "then", "other"):
        body: Any = getattr(p.node, name, None)
        if not isinstance(body, tuple):
            continue
        for i in range(1, len(body)):
            if _dependent(body[i - 1], body[i]):
                moved = (*body[: i - 1], body[i], body[i - 1], *body[i + 1 :])
                yield dataclasses.replace(p.node, **{name: moved})


def _dependent(a: Any, b: Any) -> bool:
    """Whether one statement writes what the other reads, or both the same; a declaration is not moved."""
    if not all(isinstance(s, n.Assign | n.For | n.If) for s in (a, b)):
        return False

    def targets(s: Any) -> list[n.Expr]:
        return [x.target for x in walk(s) if isinstance(x, n.Assign)]

    def roots(e: n.Node) -> set[str]:
        return {x.name for x in [next((x for x in walk(e) if isinstance(x, n.Var)), None)] if x is not None}

    def written(s: Any) -> set[str]:
        return {name for t in targets(s) for name in roots(t)}

    def read(s: Any) -> set[str]:
        plain = [x.target for x in walk(s) if isinstance(x, n.Assign) and x.op is None]
        skipped = {id(next(v for v in walk(t) if isinstance(v, n.Var))) for t in plain if roots(t)}
        return {x.name for x in walk(s) if isinstance(x, n.Var) and id(x) not in skipped}

    same = any(t == u for t in targets(a) for u in targets(b))
    return same or bool(written(a) & read(b) or written(b) & read(a))


def shared_arrays(f: n.Function) -> list[n.Declare]:
    """Return the declarations of shared arrays that can be one shorter."""
    found = [x for x in walk(f) if isinstance(x, n.Declare) and x.space is Space.SHARED]
    return [d for d in found if isinstance(d.type, Array) and d.type.length > 1]
