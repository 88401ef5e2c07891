"""Expressions compiled to closures that give lane values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ir import nodes as ir
from ...ir.mathlib import MATH
from ...ir.types import U32, Scalar, Struct, Vector, scalar_of
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.walk import walk
from . import formats
from .arithmetic import integer_binary, integer_math, integer_unary
from .collectives import FULL_MASK, check_mask, shuffle, vote
from .compiler import Compiler, Eval, Slot
from .lanes import component, meet, stack
from .machine_domain import COMPARE
from .matrix_unit import UnitSum
from .places import access, address, decayed, in_memory, is_const, moved, pointer, size_of
from .regions import Region
from .structs import aggregate, field, load_whole, whole_access
from .updates import atomic

_TRAPS = frozenset({"/", "%", "<<", ">>"})


def expression(c: Compiler, e: ir.Expr) -> Eval:
    """Compile an expression; the closure evaluates it in the active lanes."""
    try:
        build = _BUILD[type(e)]
    except KeyError:
        raise c.fail(e, f"the emulator does not know {type(e).__name__}") from None
    return build(c, e)


def lanes_of(t: Any) -> int:
    """Components of a value of a type."""
    return t.lanes if isinstance(t, Vector) else 1


def needs_mask(c: Compiler, e: ir.Expr) -> bool:
    """Whether evaluating an expression in lanes that C would not evaluate it in could show."""
    for n in walk(e):
        if isinstance(n, (ir.Element, ir.Deref, ir.Call, ir.Atomic, ir.Shuffle, ir.Vote)):
            return True
        if isinstance(n, ir.Binary) and n.op in _TRAPS and not scalar_of(n.left.type).is_float:
            return True
        if isinstance(n, ir.Var):
            target = c.names.get(n.name)
            if isinstance(target, Region) or (isinstance(target, Slot) and target.maybe):
                return True
    return False


def _const(c: Compiler, e: ir.Const) -> Eval:
    value: Any
    if e.type.is_float:
        value = c.domain.constant(float(e.value), e.type)
    else:
        value = np.full((1, 1), e.value, formats.LANE[e.type])
    return lambda: value


def _var(c: Compiler, e: ir.Var) -> Eval:
    target = c.names.get(e.name)
    if target is None:
        raise c.fail(e, f"{e.name} is not declared")
    if isinstance(target, Region):
        return _load(c, e)
    loc = c.at(e)

    def read() -> Any:
        if target.valid is not None:
            c.check_valid(target, loc)
        return target.value

    return read


def _load(c: Compiler, e: ir.Expr) -> Eval:
    if isinstance(e.type, (Struct, ArrayType)):
        whole, place = whole_access(c, e.type, e, const=is_const(e)), address(c, e)
        return lambda: load_whole(c, place(), whole)
    where_, what, memory = address(c, e), access(c, e), c.memory
    return lambda: memory.load(where_(), what)


def _grid(c: Compiler, e: ir.GridIndex) -> Eval:
    s, kind, axis = c.state, e.kind, e.axis

    def fixed(value: Any) -> Eval:
        ready = np.asarray(value).astype(np.uint32)
        ready = ready.reshape(1, 1) if ready.ndim == 0 else ready
        return lambda: ready

    if kind is ir.Grid.THREAD:
        return fixed(s.thread_index[axis])
    if kind is ir.Grid.GROUP:
        return lambda: s.group_index[axis]
    if kind is ir.Grid.LANE:
        return fixed(s.lane)
    if kind is ir.Grid.SUBGROUP:
        return fixed(s.subgroup)
    sizes = {
        ir.Grid.GROUP_SIZE: s.launch.block[axis],
        ir.Grid.GRID_SIZE: s.launch.grid[axis],
        ir.Grid.SUBGROUP_SIZE: s.width,
    }
    return fixed(sizes[kind])


def _unary(c: Compiler, e: ir.Unary) -> Eval:
    value, scalar = expression(c, e.value), scalar_of(e.type)
    if scalar.is_float and e.op == "-":
        domain = c.domain
        return lambda: domain.negate(value(), scalar)
    return integer_unary(c, e, value)


def binary(c: Compiler, e: ir.Binary, left: Eval, right: Eval) -> Eval:
    """A binary operation on operands that are compiled already; also used for `op=`."""
    t = e.left.type
    if isinstance(t, PointerType):
        return _pointers(c, e, left, right)
    scalar, domain, s, op = scalar_of(t), c.domain, c.state, e.op
    if not scalar.is_float:
        made = integer_binary(c, e, scalar, left, right)
        compared = op in COMPARE and c.memory.traffic is not None
        return _counted(c, f"compares.{scalar}", made) if compared else made
    if op in COMPARE:
        if c.memory.traffic is not None:
            return _counted(c, f"compares.{scalar}", lambda: domain.compare(op, left(), right(), scalar))
        return lambda: domain.compare(op, left(), right(), scalar)
    if op not in ("+", "-", "*", "/"):
        raise c.fail(e, f"operator {op} on {scalar}")
    fused = _fused(c, e, left, right, scalar) if domain.contract else None
    if fused is not None:
        return fused
    n, key = lanes_of(e.type), f"ops.{scalar}"

    def run() -> Any:
        s.count(key, n)
        return domain.binary(op, left(), right(), scalar)

    return run


def _fused(c: Compiler, e: ir.Binary, left: Eval, right: Eval, scalar: Scalar) -> Eval | None:
    """A sum or difference of which one operand is a product, rounded once; None for anything else."""
    if e.op not in ("+", "-"):
        return None
    behind = isinstance(e.right, ir.Binary) and e.right.op == "*"
    product = e.right if behind else e.left
    if not isinstance(product, ir.Binary) or product.op != "*" or product.rounded or e.rounded:
        return None
    a, b, other = expression(c, product.left), expression(c, product.right), left if behind else right
    s, domain, key, n = c.state, c.domain, f"math.{scalar}.fma", lanes_of(e.type)
    minus_product, minus_other = e.op == "-" and behind, e.op == "-" and not behind

    def run() -> Any:
        s.count(key, n)
        x, y, z = a(), b(), other()
        x = domain.negate(x, scalar) if minus_product else x
        z = domain.negate(z, scalar) if minus_other else z
        return domain.math("fma", [x, y, z], scalar)

    return run


def _counted(c: Compiler, key: str, value: Eval) -> Eval:
    """The same, counted."""
    s = c.state

    def run() -> Any:
        s.count(key)
        return value()

    return run


def _binary(c: Compiler, e: ir.Binary) -> Eval:
    left, right = expression(c, e.left), expression(c, e.right)
    if e.op in ("&&", "||"):
        return _lazy(c, e, left, right)
    return binary(c, e, left, right)


def _lazy(c: Compiler, e: ir.Binary, left: Eval, right: Eval) -> Eval:
    s, both, masked = c.state, e.op == "&&", needs_mask(c, e.right)

    def run() -> Any:
        a = left()
        if a.size == 1:
            return right() if bool(a[0, 0]) is both else a
        if not masked:
            return a & right() if both else a | right()
        mask = s.mask
        rest = meet(mask, a if both else ~a)
        if not rest.any():
            return a
        s.mask = rest
        b = right()
        s.mask = mask
        return a & b if both else a | b

    return run


def _pointers(c: Compiler, e: ir.Binary, left: Eval, right: Eval) -> Eval:
    op, elem = e.op, e.left.type
    assert isinstance(elem, PointerType)
    size = size_of(c, e, elem.elem)
    fail = c.fail(e, "comparing or subtracting pointers into different buffers")

    def run() -> Any:
        a, b = left(), right()
        if a.region is not b.region:
            if op in ("==", "!=") and isinstance(a.region, Region) and isinstance(b.region, Region):
                return np.full((1, 1), op == "!=")
            raise fail
        if op == "-":
            return ((a.offset - b.offset) // size).astype(formats.LANE[scalar_of(e.type)])
        return COMPARE[op](a.offset, b.offset)

    return run


def _select(c: Compiler, e: ir.Select) -> Eval:
    s, cond, then, other = c.state, expression(c, e.cond), expression(c, e.then), expression(c, e.other)
    masked = needs_mask(c, e.then) or needs_mask(c, e.other)

    def run() -> Any:
        chosen = cond()
        if chosen.size == 1:
            return then() if chosen.flat[0] else other()
        if not masked:
            return c.blend(chosen, then(), other())
        mask = s.mask
        yes, no = meet(mask, chosen), meet(mask, ~chosen)
        if not no.any():
            return then()
        if not yes.any():
            return other()
        s.mask = yes
        a = then()
        s.mask = no
        b = other()
        s.mask = mask
        return c.blend(chosen, a, b)

    return run


def _convert(c: Compiler, e: ir.Convert) -> Eval:
    src, dst = scalar_of(e.value.type), scalar_of(e.type)
    if src == dst:
        return expression(c, e.value)
    made = _converted(c, e, src, dst)
    floats = src.is_float or dst.is_float
    return _counted(c, f"conversions.{src}.{dst}", made) if floats and c.memory.traffic is not None else made


def _converted(c: Compiler, e: ir.Convert, src: Scalar, dst: Scalar) -> Eval:
    value, domain = expression(c, e.value), c.domain
    if src.is_float:
        if dst.is_float:
            return lambda: domain.cast(value(), src, dst)
        return lambda: domain.to_int(value(), src, dst)
    if dst.is_float:
        return lambda: domain.from_int(value(), dst)
    if dst.kind == "bool":
        return lambda: value() != 0
    dtype = formats.LANE[dst]
    return lambda: value().astype(dtype)


def _bitcast(c: Compiler, e: ir.Bitcast) -> Eval:
    value, src, dst = expression(c, e.value), scalar_of(e.value.type), scalar_of(e.type)
    if lanes_of(e.value.type) * src.size != lanes_of(e.type) * dst.size:
        raise c.fail(e, f"a bitcast from {e.value.type} to {e.type}, which have different sizes")
    domain, one = c.domain, not isinstance(e.type, Vector)
    was_one = not isinstance(e.value.type, Vector)
    if was_one and one and dst.is_float and in_memory(c, e.value):
        # floats kept as bits in memory stay floats, whatever the domain's are
        where_, what, memory = address(c, e.value), access(c, e.value, dst), c.memory
        return lambda: memory.load(where_(), what)
    target = formats.UNSIGNED[dst.size]
    written = (ir.Const, ir.Unary, ir.Binary, ir.Convert, ir.Bitcast)
    literal = all(isinstance(n, written) for n in walk(e))

    def run() -> Any:
        v = value()
        bits = domain.to_bits(v, src) if src.is_float else formats.to_bits(v, src)
        if src.size != dst.size:
            bits = np.ascontiguousarray(bits[..., None] if was_one else bits).view(target)
            bits = bits[..., 0] if one else bits
        return domain.from_bits(bits, dst, literal=literal) if dst.is_float else formats.from_bits(bits, dst)

    return run


def _component(c: Compiler, e: ir.Component) -> Eval:
    if in_memory(c, e):
        return _load(c, e)
    index = e.index
    slot = c.names.get(e.base.name) if isinstance(e.base, ir.Var) else None
    if isinstance(slot, Slot):
        loc = c.at(e)

        def read() -> Any:
            if slot.valid is not None:
                c.check_valid(slot, loc, index)
            return component(slot.value, index)

        return read
    value = expression(c, e.base)
    return lambda: component(value(), index)


def _field(c: Compiler, e: ir.Field) -> Eval:
    return _load(c, e) if in_memory(c, e) else field(c, e)


def _offset(c: Compiler, e: ir.Offset) -> Eval:
    return moved(pointer(c, e.pointer), expression(c, e.delta), size_of(c, e, e.type.elem))


def _vector(c: Compiler, e: ir.MakeVector) -> Eval:
    items = [expression(c, i) for i in e.items]
    return lambda: stack([i() for i in items])


def _math(c: Compiler, e: ir.MathCall) -> Eval:
    if e.fn not in MATH:
        raise c.fail(e, f"math function {e.fn} is not in the table")
    args = [expression(c, a) for a in e.args]
    scalar, s, domain, fn = scalar_of(e.args[0].type), c.state, c.domain, e.fn
    if not scalar.is_float:
        return integer_math(c, e, scalar, args)
    fn = {"min": "fmin", "max": "fmax", "abs": "fabs"}.get(fn, fn)
    key, n = f"math.{scalar}.{fn}", lanes_of(e.type)

    def run() -> Any:
        s.count(key, n)
        return domain.math(fn, [a() for a in args], scalar)

    return run


def _unit_sum(c: Compiler, e: UnitSum) -> Eval:
    value, reach, unit, domain = expression(c, e.value), expression(c, e.reach), c.domain.unit, c.domain
    if unit is None:
        return value
    share = unit.share(e.terms, e.elem)
    return lambda: domain.unit_sum(value(), reach(), share)


def _shuffle(c: Compiler, e: ir.Shuffle) -> Eval:
    s, domain, loc = c.state, c.domain, c.at(e)
    value, lane = expression(c, e.value), expression(c, e.lane)
    scalar, n = scalar_of(e.type), lanes_of(e.type)
    mask, masked = expression(c, e.mask) if e.mask is not None else None, e.mask is not None
    warp = s.language == "cuda" and s.width == 32

    def run() -> Any:
        if mask is not None:
            check_mask(s, mask(), loc)
        elif warp and s.mask is not None:
            check_mask(s, FULL_MASK, loc)
        return shuffle(s, domain, e.kind, value(), lane(), scalar, n, e.width, e.undefined, loc, masked=masked)

    return run


def _vote(c: Compiler, e: ir.Vote) -> Eval:
    s, loc, value, was = c.state, c.at(e), expression(c, e.value), scalar_of(e.value.type)
    if was.is_float:
        raise c.fail(e, "a vote on a float value")
    kind = "ballot" if e.kind == "active" else e.kind
    if e.mask is None:
        warp = s.language == "cuda" and s.width == 32 and e.kind != "active"

        def all_lanes() -> Any:
            holds = value() != 0
            if warp and s.mask is not None:
                check_mask(s, FULL_MASK, loc)
            return vote(s, kind, holds, e.type, e.width, loc)

        return all_lanes
    mask = expression(c, e.mask)

    def run() -> Any:
        lanes, holds = mask(), value() != 0
        check_mask(s, lanes, loc)
        found = vote(s, "ballot", ~holds if kind == "all" else holds, U32, e.width, loc) & lanes
        return found if kind == "ballot" else (found == 0) if kind == "all" else (found != 0)

    return run


def _call(c: Compiler, e: ir.Call) -> Eval:
    return c.call(e)


def _address_of(c: Compiler, e: ir.AddressOf) -> Eval:
    return address(c, e.memory, 1)


def _pointer_cast(c: Compiler, e: ir.PointerCast) -> Eval:
    if isinstance(e.pointer, ir.Const):
        raise c.fail(e, "a null pointer")
    return pointer(c, e.pointer)


_BUILD: dict[type, Callable[[Compiler, Any], Eval]] = {
    ir.Const: _const,
    ir.Var: _var,
    ir.GridIndex: _grid,
    ir.Unary: _unary,
    ir.Binary: _binary,
    ir.Select: _select,
    ir.Convert: _convert,
    ir.Bitcast: _bitcast,
    ir.Element: _load,
    ir.Deref: _load,
    ir.Component: _component,
    ir.Field: _field,
    ir.Aggregate: aggregate,
    ir.Offset: _offset,
    ir.AddressOf: _address_of,
    ir.Decay: decayed,
    ir.PointerCast: _pointer_cast,
    ir.MakeVector: _vector,
    ir.MathCall: _math,
    ir.Call: _call,
    ir.Shuffle: _shuffle,
    ir.Vote: _vote,
    ir.Atomic: atomic,
    UnitSum: _unit_sum,
}
