"""CUDA's half and bfloat16 functions (CUDA Math API, cuda_fp16.h and cuda_bf16.h) as IR.

Both types round to nearest even after every operation, as CUDA's functions and operators do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Assign, Component, Unary
from ...ir.types import BF16, F16, F32, I16, I32, U16, U32, Scalar, Vector
from ..clang import handlers as c

if TYPE_CHECKING:
    from ...ir.nodes import Expr, Stmt
    from ..clang.context import CallSite, FunctionContext, Handler

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def half_calls() -> dict[str, Handler]:
    """Return the handlers of the functions that gpuport_half.h declares without a body."""
    out: dict[str, Handler] = {}
    for word, op in _OPERATORS.items():
        for name in (f"__h{word}", f"__h{word}2", f"__h2{word}", f"operator{op}"):
            out[name] = _operator(op)
        for pair in ("", "2"):
            out[f"__h{word}{pair}_rn"] = c.operator(op, rounded=True)
        out[f"operator{op}="] = _update(op)
    for word, op in _COMPARISONS.items():
        out[f"__h{word}"] = c.operator(op)
    for pair in ("", "2"):
        out[f"__hfma{pair}"] = c.math("fma")
        out[f"__hneg{pair}"] = _negate
        out[f"__habs{pair}"] = c.math("fabs")
        out[f"__hmin{pair}"], out[f"__hmax{pair}"] = c.math("fmin"), c.math("fmax")
    for fn in ("floor", "ceil", "trunc", "rint", "sqrt"):
        out[f"h{fn}"] = c.math(fn)
    out["__hisnan"] = c.math("isnan")
    out["__hisinf"] = c.refused("its sign tells the infinities apart")
    for name, t in {"half": F16, "bfloat16": BF16}.items():
        for source in ("float", "double"):
            for suffix in ("", "_rn"):
                out[f"__{source}2{name}{suffix}"] = c.convert_to(t)
            for suffix in ("_rz", "_rd", "_ru"):
                out[f"__{source}2{name}{suffix}"] = c.refused("a directed rounding")
        for source in ("int", "uint", "short", "ushort", "ll"):
            out[f"__{source}2{name}_rn"] = c.convert_to(t)
        for to, scalar in {"int": I32, "uint": U32, "short": I16, "ushort": U16}.items():
            out[f"__{name}2{to}_rz"] = c.convert_to(scalar)
        out[f"__{name}2float"] = c.convert_to(F32)
        out[f"__{name}_as_ushort"], out[f"__{name}_as_short"] = c.bitcast(U16), c.bitcast(I16)
        out[f"__ushort_as_{name}"] = out[f"__short_as_{name}"] = c.bitcast(t)
        out[f"__low2{name}"], out[f"__high2{name}"] = _component(0), _component(1)
    for pair in ("__half2", "__nv_bfloat162"):
        out[f"make_{pair}"] = out[f"__halves2{pair}"] = c.make_vector
    return out


def _operator(op: str) -> Handler:
    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        from ..clang.operators import combine

        if len(site.args) == 1:
            return _negate(_fc, site)
        return combine(op, site.args[0], site.args[1], site.loc)

    return handle


def _update(op: str) -> Handler:
    def handle(_fc: FunctionContext, site: CallSite) -> Stmt:
        return Assign(site.args[0], site.args[1], op, loc=site.loc)

    return handle


def _negate(_fc: FunctionContext, site: CallSite) -> Expr:
    value = site.args[0]
    if not isinstance(value.type, Scalar | Vector):
        raise refuse("GP1104", f"{site.name} on {value.type}", site.loc)
    return Unary("-", value, value.type, loc=site.loc)


def _component(index: int) -> Handler:
    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        t = site.args[0].type
        if not isinstance(t, Vector):
            raise refuse("GP1104", f"{site.name} on {t}", site.loc)
        return Component(site.args[0], index, t.elem, loc=site.loc)

    return handle
