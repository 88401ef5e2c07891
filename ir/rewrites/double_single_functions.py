"""The functions of double-single arithmetic, in the IR; see `double_single` for what they are and how good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .. import nodes as n
from ..types import BOOL, F32, I32, I64, U32, U64, Scalar, Type, Vector, scalar_of

_PAIR: Final = Vector(F32, 2)
_Name = Callable[[str], str]
_Body = tuple[n.Stmt, ...]

ZERO = n.Const(0.0, F32)


def _v(name: str, t: Scalar | Vector = F32) -> n.Var:
    return n.Var(name, t)


A, B = _v("a", _PAIR), _v("b", _PAIR)
AH, AL = n.Component(A, 0, F32), n.Component(A, 1, F32)
BH, BL = n.Component(B, 0, F32), n.Component(B, 1, F32)


def _op(op: str, x: n.Expr, y: n.Expr) -> n.Expr:
    alone = op in ("+", "-", "*") and scalar_of(x.type).is_float  # what is lost in rounding is worked out
    return n.Binary(op, x, y, x.type, alone)  # pyright: ignore[reportArgumentType]


def _is(op: str, x: n.Expr, y: n.Expr) -> n.Expr:
    return n.Binary(op, x, y, BOOL)


def _and(x: n.Expr, y: n.Expr) -> n.Expr:
    return n.Binary("&&", x, y, BOOL)


def _or(x: n.Expr, y: n.Expr) -> n.Expr:
    return n.Binary("||", x, y, BOOL)


def _not(x: n.Expr) -> n.Expr:
    return n.Unary("!", x, BOOL)


def _fn(name: str, *args: n.Expr) -> n.Expr:
    return n.MathCall(name, args, BOOL if name.startswith("is") else F32)


def _pair(high: n.Expr, low: n.Expr) -> n.Expr:
    return n.MakeVector((high, low), _PAIR)


def _let(name: str, value: n.Expr) -> n.Declare:
    return n.Declare(name, value.type, value, const=True)


def _sum(s: str, e: str, x: n.Expr, y: n.Expr) -> _Body:
    """Knuth's two-sum: s + e is x + y."""
    back = _v(f"{s}_b")
    rest = _op("+", _op("-", x, _op("-", _v(s), back)), _op("-", y, back))
    return (_let(s, _op("+", x, y)), _let(back.name, _op("-", _v(s), x)), _let(e, rest))


def _joined(high: n.Expr, low: n.Expr, s: str = "r") -> _Body:
    """Dekker's fast two-sum of a larger and a smaller number, returned."""
    made = () if isinstance(low, n.Var) else (_let("low", low),)
    low = _v("low") if made else low
    return (*made, _let(s, _op("+", high, low)), n.Return(_pair(_v(s), _op("-", low, _op("-", _v(s), high)))))


def _guard(high: n.Expr) -> n.Stmt:
    """Infinities and NaN have no low part."""
    return n.If(_not(_fn("isfinite", high)), (n.Return(_pair(high, ZERO)),))


def _add(_: _Name) -> _Body:
    th, tl, c, vh, vl = (_v(x) for x in ("th", "tl", "c", "vh", "vl"))
    first = _sum("sh", "sl", AH, BH)
    return (
        first[0],
        _guard(_v("sh")),
        *first[1:],
        *_sum("th", "tl", AL, BL),
        _let("c", _op("+", _v("sl"), th)),
        _let("vh", _op("+", _v("sh"), c)),
        _let("vl", _op("-", c, _op("-", vh, _v("sh")))),
        *_joined(vh, _op("+", tl, vl)),
    )


def _subtract(name: _Name) -> _Body:
    return (n.Return(n.Call(name("ds_add"), (A, n.Unary("-", B, _PAIR)), _PAIR)),)


def _multiply(_: _Name) -> _Body:
    p = _v("p")
    low = _fn("fma", AL, BH, _fn("fma", AH, BL, _op("*", AL, BL)))
    return (
        _let("p", _op("*", AH, BH)),
        n.If(_or(_not(_fn("isfinite", p)), _is("==", p, ZERO)), (n.Return(_pair(p, ZERO)),)),
        _let("low", _op("+", _fn("fma", AH, BH, n.Unary("-", p, F32)), low)),
        *_joined(p, _v("low")),
    )


def _divide(_: _Name) -> _Body:
    q, ch, cl, th, r = (_v(x) for x in ("q", "ch", "cl", "th", "rest"))
    return (
        _let("q", _op("/", AH, BH)),
        n.If(_or(_or(_not(_fn("isfinite", q)), _is("==", q, ZERO)), _fn("isinf", BH)), (n.Return(_pair(q, ZERO)),)),
        _let("ch", _op("*", BH, q)),
        _let("cl", _op("*", BL, q)),
        _let("th", _op("+", ch, cl)),
        _let("tl", _op("+", _op("-", cl, _op("-", th, ch)), _fn("fma", BH, q, n.Unary("-", ch, F32)))),
        _let("rest", _op("+", _op("-", AH, th), _op("-", AL, _v("tl")))),
        *_joined(q, _op("/", r, BH)),
    )


def _sqrt(_: _Name) -> _Body:
    s = _v("s")
    rest = _op("+", _fn("fma", n.Unary("-", s, F32), s, AH), AL)
    return (
        _let("s", _fn("sqrt", AH)),
        n.If(_or(_not(_fn("isfinite", s)), _is("==", s, ZERO)), (n.Return(_pair(s, ZERO)),)),
        *_joined(s, _op("/", rest, _op("*", n.Const(2.0, F32), s))),
    )


def _less(_: _Name) -> _Body:
    return (n.Return(_or(_is("<", AH, BH), _and(_is("==", AH, BH), _is("<", AL, BL)))),)


def _less_equal(_: _Name) -> _Body:
    return (n.Return(_or(_is("<", AH, BH), _and(_is("==", AH, BH), _is("<=", AL, BL)))),)


def _equal(_: _Name) -> _Body:
    return (n.Return(_and(_is("==", AH, BH), _is("==", AL, BL))),)


def _abs(_: _Name) -> _Body:
    return (n.Return(n.Select(n.MathCall("signbit", (AH,), BOOL), n.Unary("-", A, _PAIR), A, _PAIR)),)


def _extreme(op: str) -> Callable[[_Name], _Body]:
    def body(_: _Name) -> _Body:
        first = _or(_is(op, AH, BH), _and(_is("==", AH, BH), _is(op, AL, BL)))
        return (n.Return(n.Select(_or(_fn("isnan", BH), first), A, B, _PAIR)),)

    return body


def _floor(_: _Name) -> _Body:
    high = _v("high")
    return (
        _let("high", _fn("floor", AH)),
        n.If(_is("!=", high, AH), (n.Return(_pair(high, ZERO)),)),
        _guard(high),
        *_joined(high, _fn("floor", AL)),
    )


def _ceil(name: _Name) -> _Body:
    down = n.Call(name("ds_floor"), (n.Unary("-", A, _PAIR),), _PAIR)
    return (n.Return(n.Unary("-", down, _PAIR)),)


def _trunc(name: _Name) -> _Body:
    def whole(x: n.Expr) -> n.Expr:
        return n.Call(name("ds_floor"), (x,), _PAIR)

    up = n.Unary("-", whole(n.Unary("-", A, _PAIR)), _PAIR)
    return (n.Return(n.Select(_is("<", AH, ZERO), up, whole(A), _PAIR)),)


def _from_int(t: Scalar) -> Callable[[_Name], _Body]:
    def body(_: _Name) -> _Body:
        high = _v("high")
        rest = _op("-", n.Convert(_v("x", t), I64), n.Convert(high, I64))
        return (_let("high", n.Convert(_v("x", t), F32)), n.Return(_pair(high, n.Convert(rest, F32))))

    return body


def _from_wide(t: Scalar) -> Callable[[_Name], _Body]:
    def body(name: _Name) -> _Body:
        x, part = _v("x", t), I32 if t.signed else U32
        scale = n.Const(2.0**32, F32)
        halves = (
            ("upper", n.Convert(_op(">>", x, n.Const(32, I32)), part), part),
            ("lower", n.Convert(x, U32), U32),
        )
        made: list[n.Stmt] = []
        for half, value, own in halves:
            made.append(_let(half, value))
            made.append(_let(f"{half}_high", n.Convert(_v(half, own), F32)))
            rest = _op("-", n.Convert(_v(half, own), I64), n.Convert(_v(f"{half}_high"), I64))
            made.append(_let(f"{half}_low", n.Convert(rest, F32)))
        high = _pair(_op("*", _v("upper_high"), scale), _op("*", _v("upper_low"), scale))
        low = _pair(_v("lower_high"), _v("lower_low"))
        return (*made, n.Return(n.Call(name("ds_add"), (high, low), _PAIR)))

    return body


def _to_long(_: _Name) -> _Body:
    most = n.Const(2**63 - 1, I64)
    least = n.Const(-(2**63), I64)
    low = n.Select(_is("<", AH, ZERO), _fn("ceil", AL), _fn("floor", AL), F32)
    rest = n.Select(_is("==", _v("high"), AH), n.Convert(low, I64), n.Const(0, I64), I64)
    return (
        n.If(_fn("isnan", AH), (n.Return(n.Const(0, I64)),)),
        n.If(
            _is(">=", AH, n.Const(2.0**63, F32)),
            (
                n.Return(
                    n.Select(
                        _and(_is("==", AH, n.Const(2.0**63, F32)), _is("<", AL, ZERO)),
                        _op("+", _op("+", most, n.Convert(_fn("floor", AL), I64)), n.Const(1, I64)),
                        most,
                        I64,
                    )
                ),
            ),
        ),
        n.If(
            _or(
                _is("<", AH, n.Const(-(2.0**63), F32)),
                _and(_is("==", AH, n.Const(-(2.0**63), F32)), _is("<=", AL, ZERO)),
            ),
            (n.Return(least),),
        ),
        _let("high", _fn("trunc", AH)),
        n.Return(_op("+", n.Convert(_v("high"), I64), rest)),
    )


def _to_small(t: Scalar) -> Callable[[_Name], _Body]:
    low, high = (-(2**31), 2**31 - 1) if t.signed else (0, 2**32 - 1)

    def body(name: _Name) -> _Body:
        x = _v("x", I64)
        inside = n.MathCall("max", (n.MathCall("min", (x, n.Const(high, I64)), I64), n.Const(low, I64)), I64)
        return (_let("x", n.Call(name("ds_to_long"), (A,), I64)), n.Return(n.Convert(inside, t)))

    return body


_ONE = (n.Param("a", _PAIR),)
_TWO = (n.Param("a", _PAIR), n.Param("b", _PAIR))


def _of(t: Scalar) -> tuple[n.Param, ...]:
    return (n.Param("x", t),)


BODIES: Final[dict[str, tuple[tuple[n.Param, ...], Type, Callable[[_Name], _Body]]]] = {
    "ds_add": (_TWO, _PAIR, _add),
    "ds_subtract": (_TWO, _PAIR, _subtract),
    "ds_multiply": (_TWO, _PAIR, _multiply),
    "ds_divide": (_TWO, _PAIR, _divide),
    "ds_sqrt": (_ONE, _PAIR, _sqrt),
    "ds_less": (_TWO, BOOL, _less),
    "ds_less_equal": (_TWO, BOOL, _less_equal),
    "ds_equal": (_TWO, BOOL, _equal),
    "ds_abs": (_ONE, _PAIR, _abs),
    "ds_min": (_TWO, _PAIR, _extreme("<")),
    "ds_max": (_TWO, _PAIR, _extreme(">")),
    "ds_floor": (_ONE, _PAIR, _floor),
    "ds_ceil": (_ONE, _PAIR, _ceil),
    "ds_trunc": (_ONE, _PAIR, _trunc),
    "ds_from_int": (_of(I32), _PAIR, _from_int(I32)),
    "ds_from_uint": (_of(U32), _PAIR, _from_int(U32)),
    "ds_from_long": (_of(I64), _PAIR, _from_wide(I64)),
    "ds_from_ulong": (_of(U64), _PAIR, _from_wide(U64)),
    "ds_to_long": (_ONE, I64, _to_long),
    "ds_to_int": (_ONE, I32, _to_small(I32)),
    "ds_to_uint": (_ONE, U32, _to_small(U32)),
}
"""By name: parameters, result, and what gives the body, told how the functions are called in this program."""

COMMENTS: Final = {
    "ds_add": "The sum of two doubles as pairs of floats, high and low part; off by 3 * 2^-48 at most.",
    "ds_multiply": "The product of two doubles as pairs of floats; off by 4 * 2^-48 at most.",
    "ds_divide": "The quotient of two doubles as pairs of floats; off by 15 * 2^-48 at most.",
    "ds_sqrt": "The root of a double as a pair of floats; off by 4 * 2^-48 at most.",
}
