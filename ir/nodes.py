"""The IR: frozen dataclasses for expressions, statements, functions and programs.

Every expression carries its `type`; conversions, address spaces and SIMT operations are explicit.
An expression that denotes memory (Var, Element, Deref, Component or Field of one) is read where it stands as an operand
and written where it stands as an assignment's target, as in C. Operands are pure but for Atomic, Shuffle, Vote, Call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from .types import BOOL, U32, VOID, Array, Pointer, Scalar, Space, Struct, Type, Vector


@dataclass(frozen=True, slots=True)
class Loc:
    """A place in the source: file as the user named it, line and column from 1."""

    file: str
    line: int
    col: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Node:
    """Base of all nodes; `loc` does not take part in equality."""

    loc: Loc | None = field(default=None, compare=False, repr=False)


# --- expressions


@dataclass(frozen=True)
class Const(Node):
    """A literal. `name` is the define or template parameter that the author wrote in its place.

    `value` is a Python bool, int or float; a float constant of type f32 holds a value representable in f32.
    """

    value: bool | int | float
    type: Scalar
    name: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Var(Node):
    """A variable or parameter. Names are unique among those visible at once."""

    name: str
    type: Type


class Grid(Enum):
    """What a GridIndex reads; all are u32. THREAD: index in the group; GROUP: index of the group in the grid."""

    THREAD = "thread"
    GROUP = "group"
    GROUP_SIZE = "group_size"
    GRID_SIZE = "grid_size"
    LANE = "lane"
    SUBGROUP = "subgroup"
    SUBGROUP_SIZE = "subgroup_size"


@dataclass(frozen=True)
class GridIndex(Node):
    """threadIdx, blockIdx, blockDim, gridDim along `axis` (0, 1, 2), and the lane and subgroup numbers (axis 0).

    The linear thread index is x + X*(y + Y*z); lane and subgroup are its remainder and quotient by the width.
    """

    kind: Grid
    axis: int = 0
    type: Scalar = U32


@dataclass(frozen=True)
class Unary(Node):
    """`op` is one of - ! ~ ; the operand has the result's type (`!` takes and gives bool)."""

    op: str
    value: Expr
    type: Scalar | Vector


@dataclass(frozen=True)
class Binary(Node):
    """C's binary operators, both operands converted to one type; shifts keep the right operand's own type.

    Comparisons, && and || give bool. && and || evaluate the right operand only where the left one decides nothing.
    Integer arithmetic wraps. / and % truncate towards zero; division by zero is undefined. `rounded`: a float sum,
    difference or product that no compiler may make a part of a fused multiply-add (`__fmul_rn`, FP_CONTRACT OFF).
    """

    op: str
    left: Expr
    right: Expr
    type: Scalar | Vector
    rounded: bool = False


@dataclass(frozen=True)
class IsNull(Node):
    """Whether a pointer is null. Readers make it; `rewrites.nulls` decides it by the spec before anything else."""

    pointer: Expr
    type: Scalar = BOOL


@dataclass(frozen=True)
class Select(Node):
    """`cond ? then : other`; only the chosen side is evaluated, per thread."""

    cond: Expr
    then: Expr
    other: Expr
    type: Type


@dataclass(frozen=True)
class Convert(Node):
    """A value conversion between scalars (or vectors of equal lanes), C's rules; float to int truncates.

    `implicit` tells that C inserted it, so that a writer may leave it to the destination's compiler.
    """

    value: Expr
    type: Scalar | Vector
    implicit: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Bitcast(Node):
    """The same bits as another type of the same size (`__float_as_int`)."""

    value: Expr
    type: Scalar | Vector


@dataclass(frozen=True)
class Element(Node):
    """`base[index]`: memory. `base` is a pointer, or an array variable or element (nested arrays)."""

    base: Expr
    index: Expr
    type: Type


@dataclass(frozen=True)
class Deref(Node):
    """`*pointer`: memory."""

    pointer: Expr
    type: Type


@dataclass(frozen=True)
class Component(Node):
    """Component 0..3 (x y z w) of a vector value or of vector memory."""

    base: Expr
    index: int
    type: Scalar


@dataclass(frozen=True)
class Field(Node):
    """Member `name` of a struct or union, of a value or of memory."""

    base: Expr
    name: str
    type: Type


@dataclass(frozen=True)
class Aggregate(Node):
    """A struct from its members in order, of a union the first alone. Arrays in it are aggregates, too."""

    items: tuple[Expr, ...]
    type: Struct | Array


@dataclass(frozen=True)
class Offset(Node):
    """Pointer arithmetic, `pointer + delta` in elements; delta is a signed or unsigned integer."""

    pointer: Expr
    delta: Expr
    type: Pointer


@dataclass(frozen=True)
class AddressOf(Node):
    """`&memory`."""

    memory: Expr
    type: Pointer


@dataclass(frozen=True)
class Decay(Node):
    """An array used as a pointer to its first element."""

    array: Expr
    type: Pointer


@dataclass(frozen=True)
class PointerCast(Node):
    """`reinterpret_cast` between pointers of the same space (`float*` to `float4*`)."""

    pointer: Expr
    type: Pointer


@dataclass(frozen=True)
class MakeVector(Node):
    """A vector from its components, one expression a lane."""

    items: tuple[Expr, ...]
    type: Vector


@dataclass(frozen=True)
class MathCall(Node):
    """A function of the table `ir.mathlib.MATH` on operands of the result's type (see the table for exceptions)."""

    fn: str
    args: tuple[Expr, ...]
    type: Scalar | Vector


@dataclass(frozen=True)
class Call(Node):
    """A call of a device function of the same program."""

    function: str
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True)
class Shuffle(Node):
    """A value from another lane of the subgroup, CUDA's semantics.

    kind is idx, up, down or xor; `lane` is the source lane, delta or lane mask; `width` (a power of two) splits the
    subgroup into segments, 0 stands for the machine's whole subgroup. idx takes its lane modulo the width; for the
    others a source outside the segment gives the thread's own value. With `undefined=True` (OpenCL, Metal) a source
    outside is undefined. The source lane must take part. `mask` is CUDA's: None for all lanes of the warp, else a word
    with a bit for each lane that takes part; `rewrites.lane_masks` takes it out for languages that have none.
    """

    kind: str
    value: Expr
    lane: Expr
    type: Scalar | Vector
    width: int = 32
    undefined: bool = False
    mask: Expr | None = None


@dataclass(frozen=True)
class Vote(Node):
    """any, all (bool) or ballot (u32, u64 for 64 lanes) over the active lanes of segments of `width` (0: all).

    Kind active is CUDA's `__activemask`, a ballot of true among the lanes that happen to get there together. `mask` as
    for Shuffle: of the lanes of another mask nothing is counted.
    """

    kind: str
    value: Expr
    type: Scalar
    width: int = 32
    mask: Expr | None = None


class Scope(Enum):
    """Who takes part in a barrier, or who sees an atomic."""

    SUBGROUP = "subgroup"
    GROUP = "group"
    DEVICE = "device"


@dataclass(frozen=True)
class Atomic(Node):
    """An atomic read-modify-write, relaxed order; gives the old value.

    op is add, sub, min, max, and, or, xor, exch, cas. cas compares with `expected` and stores `value`.
    """

    op: str
    pointer: Expr
    value: Expr
    type: Scalar
    expected: Expr | None = None
    scope: Scope = Scope.DEVICE


Expr: TypeAlias = (
    Const
    | Var
    | GridIndex
    | Unary
    | Binary
    | IsNull
    | Select
    | Convert
    | Bitcast
    | Element
    | Deref
    | Component
    | Field
    | Aggregate
    | Offset
    | AddressOf
    | Decay
    | PointerCast
    | MakeVector
    | MathCall
    | Call
    | Shuffle
    | Vote
    | Atomic
)


# --- statements


@dataclass(frozen=True, kw_only=True)
class Statement(Node):
    """Base of statements; the author's comments before it and behind it on its line travel along."""

    comments: tuple[str, ...] = field(default=(), compare=False)
    trailing: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Declare(Statement):
    """A local variable. `space` is PRIVATE or SHARED; SHARED variables have no initialiser and live per group.

    A const array of constants may be CONSTANT: one for all threads, which languages declare outside functions.

    An Array of length 0 in SHARED is the dynamic shared memory of the launch.
    """

    name: str
    type: Type
    init: Expr | None = None
    space: Space = Space.PRIVATE
    const: bool = False
    volatile: bool = field(default=False, compare=False, kw_only=True)  # of a shared array
    items: tuple[Expr, ...] | None = None  # `T a[] = {...}`: an array's initialiser, padded with zeros


@dataclass(frozen=True)
class Assign(Statement):
    """`target = value`, or `target op= value` computed in the target's type (op as in Binary)."""

    target: Expr
    value: Expr
    op: str | None = None


@dataclass(frozen=True)
class Evaluate(Statement):
    """An expression for its effect: Call or Atomic."""

    value: Expr


@dataclass(frozen=True)
class If(Statement):
    """`cond` is bool."""

    cond: Expr
    then: tuple[Stmt, ...]
    other: tuple[Stmt, ...] = ()


@dataclass(frozen=True)
class For(Statement):
    """C's for. `unroll`: None no pragma, 0 `#pragma unroll`, n `#pragma unroll n`."""

    init: tuple[Stmt, ...]
    cond: Expr | None
    step: tuple[Stmt, ...]
    body: tuple[Stmt, ...]
    unroll: int | None = None


@dataclass(frozen=True)
class While(Statement):
    """`while (cond) body`; with `post` it is `do body while (cond)`."""

    cond: Expr
    body: tuple[Stmt, ...]
    post: bool = False


@dataclass(frozen=True)
class Break(Statement):
    """Leave the innermost loop."""


@dataclass(frozen=True)
class Continue(Statement):
    """Next iteration of the innermost loop (a For runs its step)."""


@dataclass(frozen=True)
class Return(Statement):
    """Leave the function; in the kernel the thread is done."""

    value: Expr | None = None


@dataclass(frozen=True)
class Barrier(Statement):
    """All threads of the scope arrive; orders memory of the spaces `orders` among them. `mask` as for Shuffle.

    OpenCL and Metal barriers name the spaces that they order. A writer may always print a barrier that orders more.
    `implied` marks those that the author left out (`rewrites.warp_sync`).
    """

    scope: Scope = Scope.GROUP
    mask: Expr | None = None
    orders: tuple[Space, ...] = field(default=(Space.SHARED, Space.GLOBAL), compare=False)
    implied: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Fence(Statement):
    """A memory fence without waiting (`__threadfence_block`, `__threadfence`)."""

    scope: Scope = Scope.DEVICE


@dataclass(frozen=True)
class MatrixStep(Statement):
    """A step of a matrix unit, which all lanes of the subgroup take together; `matrix` is a fragment (`types`).

    op and operands: fill (value), load (pointer, stride) and store (pointer, stride) with stride elements between rows,
    or columns where `layout` says column, multiply (a, b, c): matrix = a b + c. a, b and c are fragments.
    """

    op: str
    matrix: Expr
    operands: tuple[Expr, ...]
    layout: str = ""


@dataclass(frozen=True)
class Block(Statement):
    """`{ ... }` on its own: a scope for names."""

    body: tuple[Stmt, ...]


Stmt: TypeAlias = (
    Declare | Assign | Evaluate | If | For | While | Break | Continue | Return | Barrier | Fence | MatrixStep | Block
)


# --- functions and programs


@dataclass(frozen=True)
class Param(Node):
    """A parameter: a scalar, vector or struct by value, or a pointer. The kernel takes no structs."""

    name: str
    type: Type


@dataclass(frozen=True)
class Function(Node):
    """A device function or the kernel (which returns VOID)."""

    name: str
    params: tuple[Param, ...]
    body: tuple[Stmt, ...]
    returns: Type = VOID
    comments: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class NamedConstant:
    """A define or template parameter that the program mentions; printed as a definition at the top of a port."""

    name: str
    value: bool | int | float
    type: Scalar


@dataclass(frozen=True)
class Program:
    """A kernel and the device functions it uses, callees first.

    `constants` holds every name that a Const of the program carries. `launch_bound` is the author's
    `__launch_bounds__` first argument. `subgroup_width` is the width that the source assumes (32 in CUDA), None if it
    uses no subgroup operation. `header_comments` stood above the first declaration. `left_out` says what of the source
    was not read: host code.
    """

    kernel: Function
    functions: tuple[Function, ...] = ()
    constants: tuple[NamedConstant, ...] = ()
    language: str = "cuda"
    launch_bound: int | None = None
    subgroup_width: int | None = None
    header_comments: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def all_functions(self) -> tuple[Function, ...]:
        """Return the device functions and the kernel, callees first."""
        return (*self.functions, self.kernel)

    def function(self, name: str) -> Function:
        """Return the device function of that name; KeyError if the program has none."""
        for f in self.functions:
            if f.name == name:
                return f
        raise KeyError(name)


def boolean(value: bool) -> Const:
    """Return a bool constant."""
    return Const(value, BOOL)


def is_array(t: Type) -> bool:
    """Tell whether a type is an array."""
    return isinstance(t, Array)
