"""Atomic expressions: checks, the update in lane order, and the old values back in their lanes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Pointer as PointerType
from . import formats
from .atomics import compare_and_swap, in_order
from .compiler import Compiler, Eval
from .lanes import DEAD, Array, Mask, each
from .places import pointer
from .regions import Per, Region, index_of

OPS = ("add", "sub", "min", "max", "and", "or", "xor", "exch", "cas")


def atomic(c: Compiler, e: ir.Atomic, *, used: bool = True) -> Eval:
    """An atomic expression; `used` tells whether anything reads the old value."""
    from .expressions import expression

    if e.op not in OPS or (e.op == "cas") != (e.expected is not None):
        raise c.fail(e, f"atomic {e.op}")
    s, scalar, domain = c.state, e.type, c.domain
    where, value = pointer(c, e.pointer), expression(c, e.value)
    expected = expression(c, e.expected) if e.expected is not None else None
    const = isinstance(e.pointer.type, PointerType) and e.pointer.type.const
    near = e.scope is not ir.Scope.DEVICE
    access = c.memory.access(scalar, c.at(e), align=scalar.size if c.casts else 1, const=const, told=c.told, near=near)

    def run() -> Any:
        p, v = where(), value()
        want = expected() if expected is not None else None
        mask, out = s.mask, None
        for region, lanes in c.memory.split(p):
            s.mask = lanes
            got = _update(region, p.offset, v, want)
            out = got if out is None or lanes is None else c.blend(lanes, got, out)
        s.mask = mask
        return domain.poison(scalar) if out is None else out

    def _update(region: Region, offset: Array, v: Any, want: Any) -> Any:
        s.count(f"atomics.{region.space}")
        s.count(f"bytes.{region.space}", 2 * scalar.size)
        mask = c.memory.check(region, offset, access, "updates")
        if mask is DEAD or not c.memory.may_write(region, offset, access, mask):
            return domain.poison(scalar)
        if region.per is Per.LAUNCH and s.tracks_fences:
            _order(c, mask)
        index = index_of(offset, scalar, 1)
        c.memory.note_update(region, index, offset, access, mask)
        chosen = s.full(mask)
        flat = _flat(region, scalar.size, index, chosen)
        if scalar.is_float and e.op != "cas":
            items = each(partial(_select, chosen=chosen), v)
            old = domain.update_float(e.op, region, scalar, flat, items, old=used)
        else:
            old = _integers(region, flat, v, want, chosen)
        if not used or old is None:
            return domain.poison(scalar)
        return each(partial(_spread, chosen=chosen), old)

    def _integers(region: Region, flat: Array, v: Any, want: Any, chosen: Array) -> Any:
        items = formats.to_bits(v, scalar) if scalar.is_float else v
        cells = region.view(scalar).reshape(-1)
        if e.op == "cas":
            if scalar.is_float:
                raise c.fail(e, "compare and swap of floats; use their bits")
            return compare_and_swap(cells, flat, _select(want, chosen), _select(items, chosen))
        return in_order(e.op, cells, flat, _select(items, chosen), old=used)

    return run


def _order(c: Compiler, mask: Mask) -> None:
    """Note a global atomic for the order between groups: it publishes what the group fenced before."""
    s = c.state
    s.now += 1
    numbers = s.group_numbers[s.full(mask).any(axis=1), 0]
    fenced = s.fenced[numbers]
    fresh = numbers[(fenced > 0) & (s.released[numbers] < fenced)]
    s.released[fresh] = s.now
    s.acquired[numbers] = s.now


def _flat(region: Region, size: int, index: Array, chosen: Array) -> Array:
    """Numbers of the elements of `size` bytes in the flattened data of a region, one for each active lane."""
    s = region.state
    if region.per is not Per.LAUNCH:
        index = index + (s.group_base if region.per is Per.GROUP else s.lane_base) * (region.stride // size)
    return np.broadcast_to(index, s.shape)[chosen]


def _select(value: Array, chosen: Array) -> Array:
    return np.broadcast_to(value, chosen.shape)[chosen]


def _spread(old: Array, chosen: Array) -> Array:
    out = np.zeros(chosen.shape, old.dtype)
    out[chosen] = old
    return out
