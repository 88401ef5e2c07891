"""The launch's shared memory as a variable: OpenCL C passes it as a kernel argument, the other languages declare it."""

from __future__ import annotations

import dataclasses

from .. import nodes as n
from ..types import Array, Pointer, Space
from ..walk import rewrite_exprs


def declared_shared(program: n.Program) -> n.Program:
    """Return the program with its only argument in shared memory as a declaration; with several it stays as it is."""
    kernel = program.kernel
    shared = [p for p in kernel.params if isinstance(p.type, Pointer) and p.type.space is Space.SHARED]
    if len(shared) != 1:
        return program
    [argument] = shared
    pointer = argument.type
    assert isinstance(pointer, Pointer)
    if isinstance(pointer.elem, Pointer):
        return program
    array = Array(pointer.elem, 0)

    def use(e: n.Expr) -> n.Expr:
        if not isinstance(e, n.Var) or e.name != argument.name or e.type != pointer:
            return e
        return n.Decay(n.Var(e.name, array, loc=e.loc), Pointer(pointer.elem, Space.SHARED), loc=e.loc)

    rest = tuple(p for p in kernel.params if p is not argument)
    body = rewrite_exprs(dataclasses.replace(kernel, params=rest), use).body
    declared = n.Declare(argument.name, array, None, Space.SHARED, loc=argument.loc)
    return dataclasses.replace(program, kernel=dataclasses.replace(kernel, params=rest, body=(declared, *body)))
