"""OpenCL C's common, integer, relational and geometric functions as IR (OpenCL C 3.0, section 6.15), lane by lane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Assign,
    Binary,
    Bitcast,
    Component,
    Const,
    Convert,
    Deref,
    Expr,
    MakeVector,
    MathCall,
    Select,
    Unary,
    Var,
)  # fmt: skip
from ...ir.types import BOOL, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Pointer, Scalar, Vector
from ..clang import handlers as c
from ..clang.constants import wrap
from ..clang.objects import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clang.context import CallSite, FunctionContext, Handler

    Build = Callable[[tuple[Expr, ...], Scalar, FunctionContext], Expr]

_UNSIGNED = {8: U8, 16: U16, 32: U32, 64: U64}
_SIGNED = {8: I8, 16: I16, 32: I32, 64: I64}


def lane_by_lane(build: Build) -> Handler:
    """A function that treats each lane alone, arguments evaluated once; scalars beside vectors go to every lane."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr:
        t = site.type
        if not isinstance(t, Scalar | Vector):
            raise refuse("GP1104", f"{site.name} giving {t}", site.loc)
        args = tuple(
            a if isinstance(a, Const | Var) else keep(fc, a, f"{site.name}_{'abc'[i % 3]}", site.loc)
            for i, a in enumerate(site.args)
        )
        if isinstance(t, Scalar):
            return build(args, t, fc)
        lanes = [
            build(tuple(Component(a, i, a.type.elem) if isinstance(a.type, Vector) else a for a in args), t.elem, fc)
            for i in range(t.lanes)
        ]
        return MakeVector(tuple(lanes), t, loc=site.loc)

    return handle


def _is_float(e: Expr) -> bool:
    return isinstance(e.type, Scalar) and e.type.is_float


def _as(e: Expr, t: Scalar) -> Expr:
    return e if e.type == t else Convert(e, t, True)


def _math(fn: str, *args: Expr) -> Expr:
    t = args[0].type
    assert isinstance(t, Scalar)
    return MathCall(fn, tuple(_as(a, t) for a in args), t)


def _op(op: str, a: Expr, b: Expr) -> Expr:
    t = a.type
    assert isinstance(t, Scalar)
    return Binary(op, a, _as(b, t), t)


def _compare(op: str, a: Expr, b: Expr) -> Expr:
    return Binary(op, a, b if not isinstance(a.type, Scalar) else _as(b, a.type), BOOL)


def _number(value: float, t: Scalar) -> Const:
    return Const(float(value) if t.is_float else int(value), t)


def clamp(a: tuple[Expr, ...], _t: Scalar, _fc: FunctionContext) -> Expr:
    """`min(max(x, low), high)`."""
    low, high = ("fmax", "fmin") if _is_float(a[0]) else ("max", "min")
    return _math(high, _math(low, a[0], a[1]), a[2])


def _mix(a: tuple[Expr, ...], _t: Scalar, _fc: FunctionContext) -> Expr:
    return _op("+", a[0], _op("*", _op("-", a[1], a[0]), a[2]))


def _step(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    return Select(_compare("<", a[1], a[0]), _number(0, t), _number(1, t), t)


def _smoothstep(a: tuple[Expr, ...], t: Scalar, fc: FunctionContext) -> Expr:
    low, high, x = (_as(e, t) for e in a)
    share = _op("/", _op("-", x, low), _op("-", high, low))
    kept = keep(fc, clamp((share, _number(0, t), _number(1, t)), t, fc), "share", None)
    return _op("*", _op("*", kept, kept), _op("-", _number(3, t), _op("*", _number(2, t), kept)))


def _sign(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    x, zero = a[0], _number(0, t)
    rest = Select(_compare("==", x, x), x, zero, t)  # a NaN gives 0
    negative = Select(_compare("<", x, zero), _number(-1, t), rest, t)
    return Select(_compare(">", x, zero), _number(1, t), negative, t)


def _scaled(by: float) -> Build:
    return lambda a, t, _fc: _op("*", a[0], Const(wrap(by, t), t))


def _word(e: Expr) -> tuple[Expr, Scalar]:
    t = e.type
    assert isinstance(t, Scalar)
    unsigned = _UNSIGNED[t.bits]
    return _as(e, unsigned), unsigned


def _rotate(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    value, u = _word(a[0])
    bits = _number(t.bits - 1, u)
    by = Binary("&", _as(a[1], u), bits, u)
    back = Binary("&", Unary("-", _as(a[1], u), u), bits, u)
    return _as(Binary("|", Binary("<<", value, by, u), Binary(">>", value, back, u), u), t)


def _hadd(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    return _op("+", _op("&", a[0], a[1]), Binary(">>", _op("^", a[0], a[1]), Const(1, I32), t))


def _rhadd(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    return _op("-", _op("|", a[0], a[1]), Binary(">>", _op("^", a[0], a[1]), Const(1, I32), t))


def _abs_diff(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    x, y = _as(a[0], t), _as(a[1], t)  # the result's type is the unsigned one
    return Select(_compare(">", a[0], a[1]), _op("-", x, y), _op("-", y, x), t)


def _saturated(op: str) -> Build:
    def build(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
        if t.bits == 64:
            raise refuse("GP1104", "a saturating sum of 64-bit integers", a[0].loc)
        low, high = (-(1 << t.bits - 1), (1 << t.bits - 1) - 1) if t.signed else (0, (1 << t.bits) - 1)
        exact = Binary(op, _as(a[0], I64), _as(a[1], I64), I64)
        return Convert(_math("min", _math("max", exact, Const(low, I64)), Const(high, I64)), t, True)

    return build


def _upsample(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    low, _ = _word(a[1])
    return _op("|", Binary("<<", _as(a[0], t), Const(t.bits // 2, I32), t), _as(low, t))


def _bitselect(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    u = _UNSIGNED[t.bits]
    x, y, m = (Bitcast(e, u) if t.is_float else _as(e, u) for e in a)
    found = Binary("|", Binary("&", x, Unary("~", m, u), u), Binary("&", y, m, u), u)
    return Bitcast(found, t) if t.is_float else _as(found, t)


def _select(fc: FunctionContext, site: CallSite) -> Expr:
    """`select(a, b, c)`: of scalars b where c is not 0, of vectors where c's highest bit is set."""
    vector = isinstance(site.type, Vector)

    def build(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
        mask = a[2].type
        assert isinstance(mask, Scalar)
        if mask == BOOL:  # a comparison, which is an int in C
            return Select(a[2], a[1], a[0], t)
        signed = _SIGNED[mask.bits]
        cond = _compare("<", _as(a[2], signed), Const(0, signed)) if vector else _compare("!=", a[2], Const(0, mask))
        return Select(cond, a[1], a[0], t)

    return lane_by_lane(build)(fc, site)  # pyright: ignore[reportReturnType]


def _ctz(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    lowest = _op("&", a[0], Unary("-", a[0], t))
    found = _as(MathCall("popcount", (_op("-", lowest, _number(1, t)),), I32), t)
    return Select(_compare("==", a[0], _number(0, t)), _number(t.bits, t), found, t)


def _relation(op: str) -> Build:
    return lambda a, t, _fc: _truth(_compare(op, a[0], a[1]), t)


def _truth(cond: Expr, t: Scalar) -> Expr:
    return Convert(cond, t, True)


def _ordered(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    return _truth(Binary("&&", _compare("==", a[0], a[0]), _compare("==", a[1], a[1]), BOOL), t)


def _parts(e: Expr) -> list[Expr]:
    t = e.type
    return [Component(e, i, t.elem) for i in range(t.lanes)] if isinstance(t, Vector) else [e]


def _dot_of(x: Expr, y: Expr) -> Expr:
    products = [_op("*", a, b) for a, b in zip(_parts(x), _parts(y), strict=True)]
    found = products[0]
    for p in products[1:]:
        found = _op("+", found, p)
    return found


def _kept(fc: FunctionContext, site: CallSite) -> list[Expr]:
    return [a if isinstance(a, Const | Var) else keep(fc, a, "vector", site.loc) for a in site.args]


def _dot(fc: FunctionContext, site: CallSite) -> Expr:
    return _dot_of(*_kept(fc, site))


def _length(fc: FunctionContext, site: CallSite) -> Expr:
    x = _kept(fc, site)[0]
    return _math("sqrt", _dot_of(x, x))


def _distance(fc: FunctionContext, site: CallSite) -> Expr:
    x, y = site.args
    t = x.type
    assert isinstance(t, Scalar | Vector)
    d = keep(fc, Binary("-", x, y, t), "between", site.loc)
    return _math("sqrt", _dot_of(d, d))


def _normalize(fc: FunctionContext, site: CallSite) -> Expr:
    x = _kept(fc, site)[0]
    square = keep(fc, _dot_of(x, x), "square", site.loc)
    scale = _math("rsqrt", square)
    zero = _number(0, F32 if square.type == F32 else F64)
    lanes = [Select(_compare(">", square, zero), _op("*", p, scale), p, p.type) for p in _parts(x)]
    return MakeVector(tuple(lanes), x.type, loc=site.loc) if isinstance(x.type, Vector) else lanes[0]


def _cross(fc: FunctionContext, site: CallSite) -> Expr:
    x, y = (_parts(e) for e in _kept(fc, site))
    assert isinstance(site.type, Vector)
    lanes = [_op("-", _op("*", x[i], y[j]), _op("*", x[j], y[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
    lanes += [_number(0, site.type.elem)] * (site.type.lanes - 3)
    return MakeVector(tuple(lanes), site.type, loc=site.loc)


def _tested(fn: str) -> Handler:
    """any and all: whether the highest bit of some or of every lane is set."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr:
        tests = [_compare("<", p, Const(0, p.type)) for p in _parts(_kept(fc, site)[0]) if isinstance(p.type, Scalar)]
        found = tests[0]
        for t in tests[1:]:
            found = Binary("||" if fn == "any" else "&&", found, t, BOOL)
        return Convert(found, I32, True, loc=site.loc)

    return handle


def _sincos(fc: FunctionContext, site: CallSite) -> Expr:
    x, pointer = site.args
    if not isinstance(x.type, Scalar) or not isinstance(pointer.type, Pointer):
        raise refuse("GP1104", f"{site.name} of {x.type}", site.loc)
    angle = x if isinstance(x, Const | Var) else keep(fc, x, "angle", site.loc)
    sine = keep(fc, _math("sin", angle), "sine", site.loc)
    fc.before.append(Assign(Deref(pointer, pointer.type.elem, loc=site.loc), _math("cos", angle), loc=site.loc))
    return sine


def _converted(fc: FunctionContext, site: CallSite) -> Expr:
    """`convert_int4(v)`: C's conversion of each lane."""
    return lane_by_lane(lambda a, t, _fc: Convert(a[0], t, False))(fc, site)  # pyright: ignore[reportReturnType]


def _saturating(rounding: str) -> Build:
    """`convert_uchar_sat(x)`: the nearest number that the type has; a NaN gives 0."""

    def build(a: tuple[Expr, ...], t: Scalar, fc: FunctionContext) -> Expr:
        x = a[0]
        s = x.type
        assert isinstance(s, Scalar)
        low, high = (-(1 << t.bits - 1), (1 << t.bits - 1) - 1) if t.signed else (0, (1 << t.bits) - 1)
        if not s.is_float:
            if s.bits == 64 and not s.signed:
                return Convert(_math("min", x, Const(min(high, (1 << 64) - 1), s)), t, False)
            wide = _as(x, I64)
            limited = _math("max", wide, Const(low, I64))
            return Convert(_math("min", limited, Const(high, I64)) if high < 1 << 63 else limited, t, False)
        whole = _math(rounding, x) if rounding else x
        if rounding:
            whole = keep(fc, whole, "whole", x.loc)
        inside = Select(_compare(">", whole, Const(float(low), s)), Convert(whole, t, False), Const(low, t), t)
        bounded = Select(_compare("<", whole, Const(float(high + 1), s)), inside, Const(high, t), t)
        return Select(_compare("==", x, x), bounded, Const(0, t), t)

    return build


def _rounded(fn: str) -> Build:
    return lambda a, t, _fc: Convert(_math(fn, a[0]) if _is_float(a[0]) else a[0], t, False)


def _bits(_fc: FunctionContext, site: CallSite) -> Expr:
    if not isinstance(site.type, Scalar | Vector) or site.args[0].type.size != site.type.size:  # pyright: ignore[reportAttributeAccessIssue]
        raise refuse("GP1104", f"{site.name} of {site.args[0].type}", site.loc)
    return Bitcast(site.args[0], site.type, loc=site.loc)


def common_calls() -> dict[str, Handler]:
    """Return the handlers by name."""
    each = lane_by_lane
    out: dict[str, Handler] = {
        "clamp": each(clamp), "mix": each(_mix), "step": each(_step), "smoothstep": each(_smoothstep),
        "sign": each(_sign), "degrees": each(_scaled(180 / math.pi)), "radians": each(_scaled(math.pi / 180)),
        "rotate": each(_rotate), "hadd": each(_hadd), "rhadd": each(_rhadd), "abs_diff": each(_abs_diff),
        "add_sat": each(_saturated("+")), "sub_sat": each(_saturated("-")), "upsample": each(_upsample),
        "bitselect": each(_bitselect), "select": _select, "ctz": each(_ctz),
        "mad": each(lambda a, _t, _fc: _op("+", _op("*", a[0], a[1]), a[2])),
        "mad24": each(lambda a, _t, _fc: _op("+", _op("*", a[0], a[1]), a[2])),
        "mul24": each(lambda a, _t, _fc: _op("*", a[0], a[1])),
        "mad_hi": each(lambda a, _t, _fc: _op("+", _math("mulhi", a[0], a[1]), a[2])),
        "isordered": each(_ordered), "dot": _dot, "length": _length, "fast_length": _length, "distance": _distance,
        "fast_distance": _distance, "normalize": _normalize, "fast_normalize": _normalize, "cross": _cross,
        "any": _tested("any"), "all": _tested("all"), "sincos": _sincos,
    }  # fmt: skip
    for name, op in {"isequal": "==", "isnotequal": "!=", "isgreater": ">", "isgreaterequal": ">=", "isless": "<",
                     "islessequal": "<="}.items():  # fmt: skip
        out[name] = each(_relation(op))
    for base in ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "float", "double"):
        for lanes in (2, 3, 4, 8, 16):
            out[f"as_{base}{lanes}"] = _bits
            for suffix in ("", "_rtz"):
                out[f"convert_{base}{lanes}{suffix}"] = _converted
    for lanes in (2, 3, 4, 8):
        out[f"convert_half{lanes}"] = _converted
    for base in ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong"):
        for lanes in ("", 2, 3, 4, 8, 16):
            for suffix, fn in {"": "", "_rtz": "", "_rte": "rint", "_rtp": "ceil", "_rtn": "floor"}.items():
                out[f"convert_{base}{lanes}_sat{suffix}"] = each(_saturating(fn))
                if fn:
                    out[f"convert_{base}{lanes}{suffix}"] = each(_rounded(fn))
    for name in ("lgamma", "tgamma", "remainder", "nextafter", "logb", "ilogb", "maxmag", "minmag"):
        out[name] = c.refused("no other language has it, and gpuport none of known accuracy")
    out["printf"] = c.refused("output from a kernel")
    out["get_work_dim"] = c.refused("how many dimensions the launch has, which only its host knows")
    return out
