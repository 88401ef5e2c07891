"""Lane values and masks: arrays shaped (G or 1, T or 1[, vector lanes]), size 1 where all lanes agree along an axis.

A value is one array, or a tuple of arrays ("planes") where the domain carries more than one number per lane.
A mask is None where every lane of the chunk is active, `DEAD` where none is, else a bool array; masks are never
modified, so that two equal objects mean equal masks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Value: TypeAlias = "Array | tuple[Array, ...]"
Mask: TypeAlias = "Array | None"

DEAD: Array = np.zeros((1, 1), bool)
DEAD.flags.writeable = False


def each(fn: Callable[..., Array], *values: Any) -> Any:
    """Apply `fn` plane by plane."""
    if isinstance(values[0], tuple):
        return tuple(fn(*planes) for planes in zip(*values, strict=True))
    return fn(*values)


def first(value: Value) -> Array:
    """The first plane: the value itself in every domain."""
    return value[0] if isinstance(value, tuple) else value


def meet(mask: Mask, cond: Array) -> Array:
    """Lanes of `mask` where `cond` holds."""
    return cond if mask is None else mask & cond


def union(a: Mask, b: Mask) -> Mask:
    """Lanes in either mask."""
    if a is DEAD:
        return b
    if b is DEAD:
        return a
    return None if a is None or b is None else a | b


def minus(a: Mask, gone: Mask) -> Mask:
    """Lanes of `a` that are not in `gone`; DEAD where none is left."""
    if gone is DEAD:
        return a
    if gone is None:
        return DEAD
    left = ~gone if a is None else a & ~gone
    return left if left.any() else DEAD


def lanewise(cond: Array) -> Array:
    """Lanes in which any component of a vector condition holds; a scalar one as it is."""
    return np.logical_or.reduce(cond, axis=2) if cond.ndim == 3 else cond


def like(mask: Array, value: Array) -> Array:
    """The mask with as many axes as `value`."""
    return mask[..., None] if value.ndim > mask.ndim else mask


def where(mask: Array, a: Value, b: Value) -> Any:
    """`a` in the lanes of the mask, `b` elsewhere; plane by plane."""

    def pick(x: Array, y: Array) -> Array:
        return np.where(like(mask, x), x, y)

    return each(pick, a, b)


def component(value: Value, index: int) -> Any:
    """Component of a vector value."""

    def item(x: Array) -> Array:
        return x[..., index]

    return each(item, value)


def stack(values: list[Any]) -> Any:
    """A vector value from its components."""

    def join(*parts: Array) -> Array:
        shape = np.broadcast_shapes(*(p.shape for p in parts))
        return np.stack([np.broadcast_to(p, shape) for p in parts], axis=-1)

    return each(join, *values)


def with_component(value: Value, index: int, item: Value) -> Any:
    """The vector with one component replaced."""

    def put(v: Array, x: Array) -> Array:
        out = np.array(np.broadcast_to(v, (*np.broadcast_shapes(v.shape[:2], x.shape), v.shape[2])))
        out[..., index] = x
        return out

    return each(put, value, item)
