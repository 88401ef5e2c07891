"""Traversal and rewriting of IR trees, driven by the dataclass fields of the nodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from .nodes import Expr, Node, Program, Statement, Stmt

N = TypeVar("N", bound=Node)


@cache
def _child_fields(cls: type) -> tuple[str, ...]:
    skip = {"loc", "comments", "trailing", "type"}
    return tuple(f.name for f in dataclasses.fields(cls) if f.name not in skip)


def children(node: Node) -> Iterator[Node]:
    """Yield the direct child nodes, in source order."""
    for name in _child_fields(type(node)):
        value: Any = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in cast("tuple[Any, ...]", value):
                if isinstance(item, Node):
                    yield item


def walk(node: Node | Sequence[Node]) -> Iterator[Node]:
    """Yield a node (or each of several) and everything below it, parents first."""
    stack: list[Node] = [node] if isinstance(node, Node) else list(reversed(node))
    while stack:
        n = stack.pop()
        yield n
        stack.extend(reversed(list(children(n))))


def rebuild(node: N, fn: Callable[[Node], Any]) -> N:
    """Return the node with `fn` applied to each direct child; a statement child may become several (a list)."""
    changes: dict[str, Any] = {}
    for name in _child_fields(type(node)):
        value: Any = getattr(node, name)
        if isinstance(value, Node):
            new = fn(value)
            if new is not value:
                changes[name] = new
        elif isinstance(value, tuple) and any(isinstance(v, Node) for v in cast("tuple[Any, ...]", value)):
            items: list[Any] = []
            for item in cast("tuple[Any, ...]", value):
                got: Any = fn(item) if isinstance(item, Node) else item
                items.extend(cast("list[Any]", got) if isinstance(got, list) else [got])
            if len(items) != len(cast("tuple[Any, ...]", value)) or any(
                a is not b for a, b in zip(items, cast("tuple[Any, ...]", value), strict=True)
            ):
                changes[name] = tuple(items)
    return dataclasses.replace(node, **changes) if changes else node


def rewrite_exprs(node: N, fn: Callable[[Expr], Expr]) -> N:
    """Apply `fn` bottom-up to every expression below (and at) `node`."""

    def visit(n: Node) -> Node:
        new = rebuild(n, visit)
        return new if isinstance(new, Statement) or not _is_expr(new) else fn(cast("Expr", new))

    return cast("N", visit(node))


def rewrite_stmts(body: Sequence[Stmt], fn: Callable[[Stmt], Sequence[Stmt]]) -> tuple[Stmt, ...]:
    """Apply `fn` bottom-up to every statement; it returns the statements that take its place."""

    def visit(n: Node) -> Any:
        new = rebuild(n, visit)
        return list(fn(cast("Stmt", new))) if isinstance(new, Statement) else new

    out: list[Stmt] = []
    for s in body:
        out.extend(visit(s))
    return tuple(out)


def map_functions(program: Program, fn: Callable[[Any], Any]) -> Program:
    """Apply `fn` (Function to Function) to the device functions and the kernel."""
    return dataclasses.replace(program, functions=tuple(fn(f) for f in program.functions), kernel=fn(program.kernel))


def _is_expr(n: Node) -> bool:
    return hasattr(n, "type") and not isinstance(n, Statement) and type(n).__name__ != "Param"
