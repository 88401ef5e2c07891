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

    elem: Scalar | Vector | Pointer
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

    elem: Scalar | Vector | Array
    length: int

    @property
    def size(self) -> int:
        """Size in memory, bytes."""
        return self.elem.size * self.length

    def __str__(self) -> str:
        return f"{self.elem}[{self.length or ''}]"


Type: TypeAlias = Scalar | Vector | Pointer | Array

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


def parse_dtype(text: str) -> Scalar | Vector:
    """Parse a spec dtype, `f32` or `f32x4`; raises ValueError with the accepted names."""
    name, _, lanes = text.partition("x")
    if name in SCALARS and (not lanes or lanes in ("2", "3", "4", "8", "16")):
        return Vector(SCALARS[name], int(lanes)) if lanes else SCALARS[name]
    raise ValueError(f"unknown dtype {text!r}; expected one of {' '.join(SCALARS)}, or a vector such as f32x4")
