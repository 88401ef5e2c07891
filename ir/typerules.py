"""Questions about types that several passes ask."""

from __future__ import annotations

from .types import VOID, Array, Pointer, Scalar, Struct, Type, Vector


def same_value_type(a: Type, b: Type) -> bool:
    """Tell whether a value of type `a` may stand where `b` is declared: pointers may gain const, lose restrict."""
    if isinstance(a, Pointer) and isinstance(b, Pointer):
        return a.space is b.space and same_value_type(a.elem, b.elem) and (b.const or not a.const)
    return a == b


def array_levels(t: Type) -> list[tuple[Array, bool]]:
    """Return the arrays that a type nests, outermost first, each with whether it is inside another."""
    out: list[tuple[Array, bool]] = []
    while isinstance(t, Array):
        out.append((t, bool(out)))
        t = t.elem
    return out


def leaf(t: Type) -> Scalar | Vector | Struct:
    """Return the element of a possibly nested array of values."""
    while isinstance(t, Array):
        t = t.elem
    assert not isinstance(t, Pointer)
    return t


def element(t: Type) -> Scalar | None:
    """Return the scalar of a value type; None for pointers, arrays and void."""
    return t.elem if isinstance(t, Vector) else t if isinstance(t, Scalar) and t != VOID else None


def valued(t: Type) -> bool:
    """Tell whether a type is a scalar or a vector."""
    return element(t) is not None


def numeric(t: Type) -> bool:
    """Tell whether a type is made of integers or floats."""
    elem = element(t)
    return elem is not None and (elem.is_integer or elem.is_float)


def integral(t: Type) -> bool:
    """Tell whether a type is made of integers."""
    elem = element(t)
    return elem is not None and elem.is_integer


def lanes(t: Type) -> int:
    """Return how many lanes a value has; 1 for what is no vector."""
    return t.lanes if isinstance(t, Vector) else 1


def value_size(t: Type) -> int:
    """Return the size of a value in bytes; 0 for what is no value."""
    return t.size if isinstance(t, Scalar | Vector) else 0
