"""`cuda::barrier`: of the threads that it waits for, gpuport has to know that they are the whole block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Binary, Const, Convert, Grid, GridIndex
from ...ir.types import I32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ir.nodes import Expr, Loc
    from ..clang.context import FunctionContext
    from ..clang.records import Node


def init(fc: FunctionContext, args: Sequence[Node], loc: Loc | None) -> Expr:
    """`init(&bar, count)`: nothing is left of it where `count` is the number of threads in the block."""
    from ..clang.expr import lower_expr

    if not _is_block_size(fc, args[1]) and _axes(lower_expr(fc, args[1])) != [0, 1, 2]:
        raise refuse(
            "GP1104",
            "init: a barrier for other than all threads of the block, as block.size() and blockDim.x * blockDim.y"
            " * blockDim.z are",
            loc,
        )
    return Const(0, I32, loc=loc)


def _is_block_size(fc: FunctionContext, node: Node) -> bool:
    while node["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        node = node["inner"][0]
    if node["kind"] != "CXXMemberCallExpr":
        return False
    key = node["inner"][0].get("referencedMemberDecl", "")
    method, owner = fc.unit.records.methods.get(key, {}), fc.unit.records.owners.get(key)
    if owner is None or not fc.unit.in_header(method):
        return False
    return owner.name == "cooperative_groups::thread_block" and method.get("name") in ("size", "num_threads")


def _axes(e: Expr) -> list[int]:
    """The axes of the group size that a product has."""
    match e:
        case Convert(value=value):
            return _axes(value)
        case Binary(op="*", left=left, right=right):
            return sorted(_axes(left) + _axes(right))
        case GridIndex(kind=Grid.GROUP_SIZE, axis=axis):
            return [axis]
        case _:
            return [-1]
