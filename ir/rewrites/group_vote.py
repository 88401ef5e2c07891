"""A vote of the whole group, built as `__syncthreads_or` is read: a counter in shared memory between barriers."""

from __future__ import annotations

from .. import nodes as n
from ..types import BOOL, I32, U32, Pointer, Space


def group_any(name: str) -> n.Function:
    """Return a device function: whether any thread of the group gives true. All threads of the group must call it.

    The last barrier keeps the next vote from clearing the counter before all have read it.
    """
    count, barrier = n.Var("count", I32), n.Barrier(orders=(Space.SHARED,))
    value, result = n.Var("value", BOOL), n.Var("result", BOOL)
    index = [n.Binary("==", n.GridIndex(n.Grid.THREAD, axis), n.Const(0, U32), BOOL) for axis in range(3)]
    first = n.Binary("&&", n.Binary("&&", index[0], index[1], BOOL), index[2], BOOL)
    add = n.Atomic("add", n.AddressOf(count, Pointer(I32, Space.SHARED)), n.Const(1, I32), I32, scope=n.Scope.GROUP)
    body = (
        n.Declare(count.name, I32, space=Space.SHARED),
        n.If(first, (n.Assign(count, n.Const(0, I32)),)),
        barrier,
        n.If(value, (n.Evaluate(add),)),
        barrier,
        n.Declare(result.name, BOOL, n.Binary(">", count, n.Const(0, I32), BOOL), const=True),
        barrier,
        n.Return(result),
    )
    comment = "whether any thread of the group gives true; all threads of the group call it"
    return n.Function(name, (n.Param(value.name, BOOL),), body, BOOL, comments=(comment,))
