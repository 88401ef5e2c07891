"""Operators on precision and on special values."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from typing import Any, Final

from ....ir import nodes as n
from ....ir.analysis.exactness import keeps_signs
from ....ir.mathlib import MATH
from ....ir.types import BOOL, F32, Scalar
from ....ir.walk import walk
from .place import (
    Place,
    binary,
    is_float,
    is_integer,
    masked,
    operator,
    plus,
)

_LARGE: Final = 3e38
_TF32, _BF16 = 0xFFFFE000, 0xFFFF0000
_LARGEST: Final = (2 - 2.0**-23) * 2.0**127
_LEAST: Final = 2.0**-126
_FAST: Final = frozenset(name.removeprefix("fast_") for name, f in MATH.items() if f.fast and f.arity == 1)


# --- numerics


@operator("numerics", "input in tf32")
def _load_tf32(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Element | n.Deref) and p.node.type == F32 and p.loaded:
        yield masked(p.node, _TF32)


@operator("numerics", "input in bf16")
def _load_bf16(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Element | n.Deref) and p.node.type == F32 and p.loaded:
        yield masked(p.node, _BF16)


@operator("numerics", "output in tf32")
def _store_tf32(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        yield dataclasses.replace(s, value=masked(s.value, _TF32))


@operator("numerics", "output off by 1e-4")
def _store_scaled(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        factor = 1.0 + 13 * 2.0**-17
        yield dataclasses.replace(s, value=binary("*", s.value, n.Const(factor, F32)))


def _float_store(p: Place) -> n.Assign | None:
    s = p.node
    plain = isinstance(s, n.Assign) and s.op is None and isinstance(s.target, n.Element | n.Deref)
    return s if plain and s.target.type == F32 and not isinstance(s.value, n.Const) else None


@operator("numerics", "accumulator in tf32")
def _narrow_sum(p: Place) -> Iterator[Any]:
    s = p.node
    if not isinstance(s, n.Assign) or not isinstance(s.target, n.Var) or s.target.type != F32:
        return
    if s.op is not None:
        yield dataclasses.replace(s, op=None, value=masked(binary(s.op, s.target, s.value), _TF32))
    elif s.target in walk(s.value):
        yield dataclasses.replace(s, value=masked(s.value, _TF32))


@operator("numerics", "exponent not shifted")
def _unshifted(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "-" and isinstance(p.parent, n.MathCall) and "exp" in p.parent.fn:
        yield e.left


@operator("numerics", "factor dropped")
def _no_factor(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("*", "/") and is_float(p.node):
        yield p.node.left


@operator("numerics", "epsilon dropped")
def _no_epsilon(p: Place) -> Iterator[Any]:
    e = p.node
    if not isinstance(e, n.Binary) or e.op != "+" or not is_float(e):
        return
    small = isinstance(e.right, n.Const) and 0 < abs(e.right.value) < 1e-2
    given = isinstance(e.right, n.Var) and e.right.name in p.scalars(e.right.type)
    if small or given:
        yield e.left


@operator("numerics", "epsilon outside the root")
def _misplaced_epsilon(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.MathCall) and e.fn in ("sqrt", "rsqrt"):
        [x] = e.args
        if isinstance(x, n.Binary) and x.op == "+":
            yield binary("+", dataclasses.replace(e, args=(x.left,)), x.right)


@operator("numerics", "count off by one")
def _count(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Convert) and is_float(e) and is_integer(e.value):
        yield dataclasses.replace(e, value=plus(e.value, -1))


@operator("numerics", "fast function")
def _fast(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.MathCall) and p.node.fn in _FAST and p.node.type == F32:
        yield dataclasses.replace(p.node, fn=f"fast_{p.node.fn}")


@operator("numerics", "product of fma rounded")
def _twice_rounded(p: Place) -> Iterator[Any]:
    # only where the rounding is what is asked for: fma(a, b, -(a * b))
    e = p.node
    if isinstance(e, n.MathCall) and e.fn == "fma" and _opposite(e.args[2]):
        product = dataclasses.replace(binary("*", e.args[0], e.args[1]), rounded=True)
        yield binary("+", product, e.args[2])


def _opposite(e: n.Expr) -> bool:
    return isinstance(e, n.Unary) and not isinstance(e.value, n.Const)


@operator("numerics", "subnormals flushed")
def _flushed(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        v: Any = s.value
        small = n.Binary("<", n.MathCall("fabs", (v,), F32), n.Const(_LEAST, F32), BOOL)
        yield dataclasses.replace(s, value=n.Select(small, n.Const(0.0, F32), v, F32))


@operator("numerics", "constant off by 2^-10")
def _constant(p: Place) -> Iterator[Any]:
    c = p.node
    if isinstance(c, n.Const) and c.type == F32 and 0 < abs(c.value) < _LARGE:
        scaled = float(c.value) * (1 + 2.0**-10)
        yield n.Const(_f32(scaled), F32)


def _f32(value: float) -> float:

    return float(struct.unpack("f", struct.pack("f", value))[0])


# --- special values


@operator("special", "ternary for fmax")
def _ternary(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.MathCall) and e.fn in ("fmax", "fmin") and isinstance(e.type, Scalar):
        a, b = e.args
        for first, second in ((a, b), (b, a)):
            cond = n.Binary(">" if e.fn == "fmax" else "<", first, second, BOOL)
            yield n.Select(cond, first, second, e.type)


@operator("special", "zero for the least number")
def _identity(p: Place) -> Iterator[Any]:
    c = p.node
    if isinstance(c, n.Const) and is_float(c) and abs(c.value) >= _LARGE:
        yield n.Const(0.0, c.type)


@operator("special", "NaN not asked for")
def _no_nan(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.MathCall) and p.node.fn in ("isnan", "isinf"):
        yield n.boolean(False)


@operator("special", "NaN taken out")
def _nan_dropped(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        v: Any = s.value
        yield dataclasses.replace(s, value=n.Select(n.MathCall("isnan", (v,), BOOL), n.Const(0.0, F32), v, F32))


@operator("special", "infinity cut off")
def _clamped(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        v: Any = s.value
        for op, sign in ((">", 1.0), ("<", -1.0)):
            largest = n.Const(sign * _LARGEST, F32)
            yield dataclasses.replace(s, value=n.Select(n.Binary(op, v, largest, BOOL), largest, v, F32))


@operator("special", "sign of zero lost")
def _unsigned_zero(p: Place) -> Iterator[Any]:
    s = _float_store(p)
    if s is not None and keeps_signs(p.program):
        yield dataclasses.replace(s, value=binary("+", s.value, n.Const(0.0, F32)))


@operator("special", "sign kept")
def _no_fabs(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.MathCall) and p.node.fn in ("fabs", "abs"):
        yield p.node.args[0]
