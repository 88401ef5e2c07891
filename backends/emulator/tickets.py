"""Which conditions depend on what an atomic gave: a group may know by its ticket that it is the last one.

What such a condition guards comes behind the other groups' atomics on that cell, as when the last group resets the
counter that told it so. Without the condition it only happens to come last in the schedule at hand.
"""

from __future__ import annotations

from ...ir import nodes as ir
from ...ir.walk import walk


def tickets(program: ir.Program, function: ir.Function) -> frozenset[str]:
    """Return the variables of a function, shared ones too, that may hold something made of what an atomic gave."""
    names: set[str] = set()
    while True:
        before = len(names)
        for n in walk(function):
            if isinstance(n, ir.Declare) and n.init is not None and depends(program, n.init, names):
                names.add(n.name)
            elif isinstance(n, ir.Assign) and depends(program, n.value, names):
                names |= _roots(n.target)
        if len(names) == before:
            return frozenset(names)


def depends(program: ir.Program, e: ir.Expr, names: set[str] | frozenset[str]) -> bool:
    """Whether an expression depends on one of the variables, or on an atomic in it or in a function that it calls."""
    for n in walk(e):
        if isinstance(n, ir.Atomic) or (isinstance(n, ir.Var) and n.name in names):
            return True
        if isinstance(n, ir.Call) and any(isinstance(m, ir.Atomic) for m in walk(program.function(n.function))):
            return True
    return False


def _roots(target: ir.Expr) -> set[str]:
    while isinstance(target, (ir.Element, ir.Component, ir.Field)):
        target = target.base
    return {target.name} if isinstance(target, ir.Var) else set()
