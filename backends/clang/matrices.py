"""Matrices of a subgroup: CUDA's `wmma`, AMD's `rocwmma`, which has the same names, and Metal's `simdgroup_matrix`."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from ...ir.diagnostics import refuse
from ...ir.nodes import Aggregate, Assign, Const, Declare, Expr, MatrixStep, Stmt, Var
from ...ir.rewrites.matrices import can_be_held
from ...ir.types import U32, Array, Fragment, Scalar, Struct
from ...ir.walk import rewrite_stmts
from .calls import coerce
from .handlers import constant_int
from .types import parse_type

if TYPE_CHECKING:
    from ...ir.nodes import Function, Loc
    from .context import CallSite, FunctionContext, Handler
    from .records import Node, Record

FRAGMENT_NAMES: Final = {"a": "MatrixA", "b": "MatrixB", "c": "Accumulator", "any": "Matrix"}
_USES: Final = {"matrix_a": "a", "matrix_b": "b", "accumulator": "c"}
SHAPES: Final = ((16, 16, 16), (32, 8, 16), (8, 32, 16))
_LAYOUTS: Final = {"row_major": "row", "col_major": "column"}
LAYOUTS: Final = ("row", "column")
"""By the values of the enumeration `layout_t` of our headers."""


def fragment_of(record: Record, loc: Loc | None) -> Fragment | None:
    """Return the fragment that a record of our headers stands for; None for any other record."""
    found = re.match(r"(?:\w+::)*(?:wmma|rocwmma|metal)::(fragment|simdgroup_matrix)<", record.name)
    if found is None:
        return None
    given: list[Node] = [c for c in record.node.get("inner", ()) if c.get("kind") == "TemplateArgument"]
    if found[1] == "simdgroup_matrix":
        rows, columns = int(given[2]["value"]), int(given[1]["value"])
        elem, made = given[0], ("any", rows, columns, columns, "")
    else:
        use, layout = (str(given[i]["type"]["qualType"]).rsplit("::", 1)[-1] for i in (0, 5))
        m, n, k = (int(given[i]["value"]) for i in (1, 2, 3))
        elem, made = given[4], (_USES.get(use, ""), m, n, k, _LAYOUTS.get(layout, ""))
    t = parse_type(elem["type"], loc).type
    use, m, n, k, layout = made
    if not use or not isinstance(t, Scalar):
        raise refuse("GP1103", f"{record.name}: a fragment of this use or element", loc)
    fragment = Fragment(use, m, n, k, t, layout)
    if not can_be_held(fragment) or (use != "any" and (m, n, k) not in SHAPES):
        raise refuse("GP1103", f"{record.name}: no shape that is read; read are {_shapes()} and 8x8 in Metal", loc)
    return fragment


def _shapes() -> str:
    return ", ".join("x".join(map(str, s)) for s in SHAPES)


def _fragment(site: CallSite, e: Expr) -> Fragment:
    t = e.type
    if not isinstance(t, Struct) or t.fragment is None:
        raise refuse("GP1104", f"{site.name} of a {t}", site.loc)
    return t.fragment


def _layout(site: CallSite, fragment: Fragment, index: int) -> str:
    if len(site.args) > index:
        return LAYOUTS[constant_int(site, index)]
    if not fragment.layout:
        raise refuse("GP1104", f"{site.name} without a layout", site.loc)
    return fragment.layout


def _fill(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    fragment = _fragment(site, site.args[0])
    return MatrixStep("fill", site.args[0], (coerce(site.args[1], fragment.elem),), loc=site.loc)


def _load(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    matrix, pointer, stride = site.args[:3]
    return MatrixStep("load", matrix, (pointer, stride), _layout(site, _fragment(site, matrix), 3), loc=site.loc)


def _store(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    pointer, matrix, stride = site.args[:3]
    return MatrixStep("store", matrix, (pointer, stride), _layout(site, _fragment(site, matrix), 3), loc=site.loc)


def _multiply(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    d, a, b, c = site.args[:4]
    return MatrixStep("multiply", d, (a, b, c), loc=site.loc)


def wmma(namespace: str) -> dict[str, Handler]:
    """Return the functions of `wmma` by their names in a namespace."""
    named = {"fill_fragment": _fill, "load_matrix_sync": _load, "store_matrix_sync": _store, "mma_sync": _multiply}
    return {f"{namespace}::{name}": handler for name, handler in named.items()}


def _simdgroup_layout(site: CallSite) -> str:
    """The layout by the last argument, `transpose`; the origin before it must be zero."""
    return LAYOUTS[constant_int(site, 4)] if len(site.args) > 4 else "row"


def _simdgroup_stride(site: CallSite) -> Expr:
    return site.args[2] if len(site.args) > 2 else Const(8, U32, loc=site.loc)


def _simdgroup_load(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    operands = (site.args[1], _simdgroup_stride(site))
    return MatrixStep("load", site.args[0], operands, _simdgroup_layout(site), loc=site.loc)


def _simdgroup_store(fc: FunctionContext, site: CallSite) -> Stmt:
    fc.uses_subgroup = True
    operands = (site.args[1], _simdgroup_stride(site))
    return MatrixStep("store", site.args[0], operands, _simdgroup_layout(site), loc=site.loc)


def _filled(fc: FunctionContext, site: CallSite) -> Expr:
    """A matrix of one value: an aggregate, which `with_fills` makes a step."""
    fc.uses_subgroup = True
    if not isinstance(site.type, Struct) or site.type.fragment is None:
        raise refuse("GP1104", f"{site.name} giving {site.type}", site.loc)
    [member] = site.type.members
    assert isinstance(member.type, Array)
    value = coerce(site.args[0], site.type.fragment.elem)
    return Aggregate((Aggregate((value,) * member.type.length, member.type),), site.type, loc=site.loc)


def with_fills(function: Function) -> Function:
    """Return the function with a step in place of each matrix of one value that is declared or assigned."""

    def statement(s: Stmt) -> list[Stmt]:
        match s:
            case Assign(target=target, value=Aggregate() as made, op=None):
                return [_fill_of(target, made, s)]
            case Declare(type=Struct() as t, init=Aggregate() as made) if t.fragment is not None:
                declared = dataclasses.replace(s, init=None, const=False)
                return [declared, _fill_of(Var(s.name, t, loc=s.loc), made, Declare("", t, loc=s.loc))]
            case _:
                return [s]

    return dataclasses.replace(function, body=rewrite_stmts(function.body, statement))


def _fill_of(target: Expr, made: Aggregate, s: Assign | Declare) -> Stmt:
    [items] = made.items if isinstance(made.type, Struct) and made.type.fragment is not None else [None]
    if not isinstance(items, Aggregate):
        return s
    return MatrixStep("fill", target, items.items[:1], loc=s.loc, comments=s.comments, trailing=s.trailing)


def simdgroup() -> dict[str, Handler]:
    """Return Metal's functions of `simdgroup_matrix`, as our header declares them."""
    return {
        "metal::make_filled_simdgroup_matrix": _filled,
        "metal::simdgroup_load": _simdgroup_load,
        "metal::simdgroup_store": _simdgroup_store,
        "metal::simdgroup_multiply_accumulate": _multiply,
    }
