"""Types of the IR: scalars, vectors, pointers into an address space, arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Space(Enum):
    """Where memory lives. GENERIC is what CUDA readers produce; `rewrites.spaces` resolves it."""

    PRIVATE = "private"
    SHARED = "shared"
    GLOBAL = "global"
    CONSTANT = "constant"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type. `kind` is one of bool, int, uint, float, bfloat, void; `bits` its storage width."""

    name: str
    kind: str
    bits: int

    @property
    def size(self) -> int:
        """Size in memory, bytes."""
        return self.bits // 8

    @property
    def is_float(self) -> bool:
        """True for every floating type."""
        return self.kind in ("float", "bfloat")

    @property
    def is_integer(self) -> bool:
        """True for signed and unsigned integers, not for bool."""
        return self.kind in ("int", "uint")

    @property
    def signed(self) -> bool:
        """True for signed integers."""
        return self.kind == "int"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Vector:
    """A short vector (`float4`): `lanes` elements of one scalar type. Size as in CUDA: no padding."""

    elem: Scalar
    lanes: int

    @property
    def size(self) -> int:
        """Size in memory, bytes."""
        return self.elem.size * self.lanes

    @property
    def alignment(self) -> int:
        """Alignment in CUDA, bytes: 2 and 4 lanes align to their size, 3 lanes to one element."""
        return self.elem.size if self.lanes == 3 else self.size

    def __str__(self) -> str:
        return f"{self.elem.name}x{self.lanes}"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer to `elem` in `space`. `const` forbids stores through it."""

    elem: Scalar | Vector | Pointer | Struct
    space: Space
    const: bool = False
    restrict: bool = False
    volatile: bool = False

    def __str__(self) -> str:
        const = "const " if self.const else ""
        return f"{self.space.value} {const}{self.elem}*"


@dataclass(frozen=True, slots=True)
class Array:
    """An array of known length; length 0 means dynamic shared memory, sized at launch."""

    elem: Scalar | Vector | Struct | Array
    length: int

    @property
    def size(self) -> int:
        """Size in memory, bytes."""
        return self.elem.size * self.length

    def __str__(self) -> str:
        return f"{self.elem}[{self.length or ''}]"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct or union: its name, type and place, bytes from the start."""

    name: str
    type: Scalar | Vector | Array | Struct
    offset: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a matrix is that the lanes of a subgroup hold together, each some elements of it in a member `x`.

    `use` is a (M x K), b (K x N), c (M x N, the accumulator), or any where the unit tells them not apart. `layout` is
    that of the memory it comes from: row or column, empty where each load and store tells.
    """

    use: str
    m: int
    n: int
    k: int
    elem: Scalar
    layout: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return {"a": (self.m, self.k), "b": (self.k, self.n)}.get(self.use, (self.m, self.n))


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct with the layout that its source language gives it, or a `union`, whose members all begin at byte 0.

    With a `fragment` it is a matrix of a subgroup: the only member, `x`, holds the elements of one lane.
    """

    name: str
    members: tuple[Member, ...]
    size: int
    alignment: int
    union: bool = False
    fragment: Fragment | None = None

    def member(self, name: str) -> Member | None:
        """Return the member of that name, None if there is none."""
        return next((m for m in self.members if m.name == name), None)

    def __str__(self) -> str:
        return self.name


Type: TypeAlias = Scalar | Vector | Pointer | Array | Struct

VOID = Scalar("void", "void", 0)
BOOL = Scalar("bool", "bool", 8)
I8, I16, I32, I64 = (Scalar(f"i{b}", "int", b) for b in (8, 16, 32, 64))
U8, U16, U32, U64 = (Scalar(f"u{b}", "uint", b) for b in (8, 16, 32, 64))
F16, F32, F64 = (Scalar(f"f{b}", "float", b) for b in (16, 32, 64))
BF16 = Scalar("bf16", "bfloat", 16)

SCALARS: dict[str, Scalar] = {s.name: s for s in (BOOL, I8, U8, I16, U16, I32, U32, I64, U64, F16, BF16, F32, F64)}


def flat_elem(t: Type) -> Type:
    """Return the element of a possibly nested array: `f32[8][9]` gives `f32`."""
    while isinstance(t, Array):
        t = t.elem
    return t


def scalar_of(t: Type) -> Scalar:
    """Return the scalar a value is made of; raises TypeError for pointers."""
    elem = flat_elem(t)
    if isinstance(elem, Vector):
        return elem.elem
    if isinstance(elem, Scalar):
        return elem
    raise TypeError(f"{t} has no scalar type")


def alignment_of(t: Type) -> int:
    """Return the alignment that C gives a type, bytes."""
    elem = flat_elem(t)
    if isinstance(elem, Vector | Struct):
        return elem.alignment
    return elem.size if isinstance(elem, Scalar) else 8


def leaves(t: Type, offset: int = 0) -> tuple[tuple[int, Scalar | Vector], ...]:
    """Return the scalars and vectors that a value is made of, with their offsets in bytes, in memory order.

    A union is as many unsigned integers as cover its bytes. Raises TypeError for pointers.
    """
    match t:
        case Scalar() | Vector():
            return ((offset, t),)
        case Array():
            step = t.elem.size
            return tuple(leaf for i in range(t.length) for leaf in leaves(t.elem, offset + i * step))
        case Struct(union=True):
            word = {1: U8, 2: U16, 4: U32}.get(t.alignment, U64)
            return tuple((offset + i, word) for i in range(0, t.size, word.size))
        case Struct():
            return tuple(leaf for m in t.members for leaf in leaves(m.type, offset + m.offset))
        case _:
            raise TypeError(f"{t} is not kept in memory")


def structs_in(t: Type) -> tuple[Struct, ...]:
    """Return the structs that a type is made of, members before what has them."""
    while isinstance(t, Array | Pointer):
        t = t.elem
    if not isinstance(t, Struct):
        return ()
    inner = [s for m in t.members for s in structs_in(m.type)]
    return tuple(dict.fromkeys([*inner, t]))


def scalars_in(t: Struct) -> frozenset[Scalar]:
    """Return the scalar types of a struct's members, those of unions in it too."""
    found: set[Scalar] = set()
    for m in t.members:
        elem = flat_elem(m.type)
        found |= scalars_in(elem) if isinstance(elem, Struct) else {scalar_of(elem)}
    return frozenset(found)


def buffer_scalar(t: Struct) -> Scalar:
    """Return what a host array holds for a buffer of structs: their only scalar type, if there is no padding, or u8."""
    found = leaves(t)
    scalars = {scalar_of(leaf) for _, leaf in found}
    whole = sum(leaf.size for _, leaf in found) == t.size and not t.union
    return scalars.pop() if len(scalars) == 1 and whole and BOOL not in scalars else U8


def parse_dtype(text: str) -> Scalar | Vector:
    """Parse a spec dtype, `f32` or `f32x4`; raises ValueError with the accepted names."""
    name, _, lanes = text.partition("x")
    if name in SCALARS and (not lanes or lanes in ("2", "3", "4", "8", "16")):
        return Vector(SCALARS[name], int(lanes)) if lanes else SCALARS[name]
    raise ValueError(f"unknown dtype {text!r}; expected one of {' '.join(SCALARS)}, or a vector such as f32x4")
