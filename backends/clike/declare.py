"""Types and declarators of a dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.types import BOOL, Array, Fragment, Pointer, Scalar, Space, Struct, Type, Vector

if TYPE_CHECKING:
    from ...ir.nodes import Loc
    from .dialect import Dialect


class Types:
    """Spells types and declarations; refuses (GP2005) those the dialect does not have."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.loc: Loc | None = None

    def name(self, t: Type) -> str:
        """The name of a scalar, vector or pointer type."""
        if isinstance(t, Pointer):
            return self._pointer(t, "").rstrip()
        if isinstance(t, Array):
            raise refuse("GP2010", f"{self.dialect.title} has no values of array type {t}", self.loc)
        if isinstance(t, Struct):
            return t.name if t.fragment is None else self.fragment(t.fragment)
        scalar = t.elem if isinstance(t, Vector) else t
        if scalar.name != "void" and scalar.name not in self.dialect.scalars:
            raise refuse("GP2005", f"{self.dialect.title} on this device has no type {scalar.name}", self.loc)
        if isinstance(t, Vector) and t.lanes > self.dialect.max_lanes:
            raise refuse("GP2005", f"{self.dialect.title} has no vectors of {t.lanes} lanes", self.loc)
        return (
            self.dialect.vector(t.elem, t.lanes) if isinstance(t, Vector) else self.dialect.scalars.get(t.name, "void")
        )

    def fragment(self, f: Fragment) -> str:
        """The name of the type of a matrix that a subgroup holds."""
        form = self.dialect.matrix
        if form is None:
            raise refuse("GP2010", f"{self.dialect.title} on this device has no matrices of a subgroup", self.loc)
        elem = form.elems.get(f.elem.name) or self.name(f.elem)
        use, layout = form.uses.get(f.use, f.use), form.layouts.get(f.layout, "")
        return form.type.format(use=use, m=f.m, n=f.n, k=f.k, elem=elem, layout=layout)

    def in_memory(self, t: Type) -> str:
        """The name of the type that memory behind a pointer or in an array holds for an element of type `t`."""
        if isinstance(t, Vector) and t.lanes == 3 and (self.dialect.vec3 == "components" or self.dialect.packed_vec3):
            elem = self.name(t.elem)
            return elem if self.dialect.vec3 == "components" else self.dialect.packed_vec3.format(elem=elem)
        return self.dialect.bool_memory if t == BOOL else self.name(t)

    def declaration(self, t: Type, name: str, *, space: Space = Space.PRIVATE, const: bool = False) -> str:
        """A declarator: `__local float tile[32][33]`, `const float x`, `__global const float *restrict x`."""
        if isinstance(t, Pointer):
            inner = ("const " if const else "") + name
            if space is Space.SHARED:
                raise refuse("GP2010", f"{name}: a pointer in shared memory cannot be written", self.loc)
            return self._pointer(t, inner)
        prefix = self.dialect.spaces[space] + " " if space is not Space.PRIVATE else ""
        prefix += "const " if const else ""
        if not isinstance(t, Array):
            return f"{prefix}{self.name(t)} {name}"
        dims: list[int] = []
        elem: Type = t
        while isinstance(elem, Array):
            dims.append(elem.length)
            elem = elem.elem
        if isinstance(elem, Vector) and elem.lanes == 3 and self.dialect.vec3 == "components":
            dims[-1] *= 3
        return f"{prefix}{self.in_memory(elem)} {name}" + "".join(f"[{d}]" for d in dims)

    def _pointer(self, t: Pointer, name: str) -> str:
        if t.space is Space.GENERIC:
            raise refuse("GP1201", f"the address space of {name or 'a pointer'} is not resolved", self.loc)
        elem = self.name(t.elem) if isinstance(t.elem, Pointer) else self.in_memory(t.elem)
        # a constant space is const by itself, where the language has one
        const = t.const if t.space is not Space.CONSTANT else not self.dialect.spaces[t.space]
        return self.dialect.pointer.format(
            const="const " if const else "",
            volatile="volatile " if t.volatile else "",
            space=self.dialect.spaces[t.space] + " ",
            elem=elem,
            restrict=self.dialect.restrict if t.restrict and name else "",
            name=name,
        )


def is_vec3(t: Type) -> bool:
    """Tell whether `t` is a vector of three lanes."""
    return isinstance(t, Vector) and t.lanes == 3


def suffix(t: Type) -> str:
    """A type's part in the name of a helper: f32, f32x4."""
    if not isinstance(t, Scalar | Vector):
        raise TypeError(f"no helper for {t}")
    return str(t)
