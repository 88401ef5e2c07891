"""Shared memory that is looked at as wider elements than it was declared with."""

from __future__ import annotations

from .. import nodes as n
from ..types import Pointer, Space, Type, alignment_of
from ..walk import walk


def shared_alignment(program: n.Program) -> int:
    """Return the alignment, in bytes, that casts of pointers ask of shared memory; 0 where none asks for more."""
    wanted = 0
    for f in (*program.functions, program.kernel):
        for x in walk(f):
            if isinstance(x, n.PointerCast) and x.type.space is Space.SHARED:
                to, own = alignment_of(x.type.elem), _pointee_alignment(x.pointer)
                wanted = max(wanted, to if to > own else 0)
    return wanted


def _pointee_alignment(pointer: n.Expr) -> int:
    t: Type = pointer.type
    return alignment_of(t.elem) if isinstance(t, Pointer) else alignment_of(t)
