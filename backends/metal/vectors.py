"""Metal's vectors: their constructors, casts between them, tests of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Binary, Convert, Expr, MakeVector
from ...ir.types import BOOL, Scalar, Vector
from ..clang import handlers as c
from ..clang.operators import as_bool, numeric
from ..clang.vectors import lanes_of

if TYPE_CHECKING:
    from ..clang.context import CallSite, FunctionContext, Handler


def make_vector(fc: FunctionContext, site: CallSite) -> Expr:
    """`float4(v.xy, 0, 1)`: scalars and vectors give their lanes in order; one scalar goes to every lane."""
    if isinstance(site.type, Vector) and any(isinstance(a.type, Vector) for a in site.args):
        lanes = [lane for a in site.args for lane in (lanes_of(fc, a, site.loc) if isinstance(a.type, Vector) else [a])]
        t = site.type.elem
        brought = tuple(e if e.type == t or not isinstance(e.type, Scalar) else Convert(e, t, False) for e in lanes)
        return MakeVector(brought, site.type, loc=site.loc)
    if isinstance(site.type, Vector) and len(site.args) == 1:
        return MakeVector((c.coerce(site.args[0], site.type.elem),) * site.type.lanes, site.type, loc=site.loc)
    return c.make_vector(fc, site)  # pyright: ignore[reportReturnType]


def cast(_fc: FunctionContext, site: CallSite) -> Expr:
    """A cast that names a vector type: each lane is converted, a scalar goes to every lane."""
    value, t = site.args[0], site.type
    if isinstance(value.type, Scalar) and isinstance(t, Vector):
        return MakeVector((numeric(value, t.elem, False, site.loc),) * t.lanes, t, loc=site.loc)
    vectors = isinstance(value.type, Vector) and isinstance(t, Vector) and value.type.lanes == t.lanes
    if vectors or (isinstance(value.type, Scalar) and isinstance(t, Scalar)):
        assert isinstance(t, Scalar | Vector)
        return numeric(value, t, False, site.loc)
    raise refuse("GP1102", f"the cast from {value.type} to {t}", site.loc)


def tested(op: str) -> Handler:
    """any and all of a comparison of vectors."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr:
        if not isinstance(site.args[0].type, Vector):
            return as_bool(site.args[0])
        tests = [as_bool(lane) for lane in lanes_of(fc, site.args[0], site.loc)]
        return functools.reduce(lambda a, b: Binary(op, a, b, BOOL, loc=site.loc), tests)

    return handle
