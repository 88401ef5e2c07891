"""A C-like language as a table: how types, indices, functions and operations of the IR are spelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...ir.nodes import Grid, Scope
from ...ir.types import Scalar, Space

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_SPACE = frozenset({Space.GLOBAL, Space.SHARED})


@dataclass(frozen=True)
class AtomicForm:
    """Atomics on some types in some spaces: `text` with {op} {p} {v} {e}, or a helper template that defines one.

    `ops` maps the IR's operation to the spelling that fills {op}. A helper's name is gp_atomic_OP_TYPE_SPACE, or
    gp_atomic_OP in languages with overloading.
    """

    types: frozenset[str]
    ops: Mapping[str, str]
    text: str = ""
    helper: str = ""
    spaces: frozenset[Space] = ANY_SPACE
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class LaneForm:
    """Shuffles and votes: a helper template, and the names that its calls pass on behind the operands.

    `direct` spells those kinds of shuffles and votes that need no helper where the width is that of the hardware, with
    {value} and {lane}; "undefined KIND" those where a lane outside may give anything.
    `lane_scratch` tells that the helpers exchange through the shared array `gp_lanes`, with group barriers.
    """

    shuffle: str
    vote: str
    passes: tuple[str, ...] = ()
    direct: Mapping[str, str] = field(default_factory=dict[str, str])
    hardware_width: int = 0
    lane_scratch: bool = False
    votes: frozenset[str] = frozenset({"any", "all", "ballot"})
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """One language, data only.

    Spellings are format strings. A name that a table lacks is refused: `math` and `helper_math` (functions that a
    helper template defines) with GP2006, `scalars` with GP2005, `atomics` with GP2008, `barriers` and `fences` with
    GP2010.

    pointer: fields {const} {volatile} {space} {elem} {restrict} {name}; the three qualifiers end in a space if present.
    grid: fields {axis} (0..2) and {xyz}; `grid_type` is the type that the destination's compiler gives them, and
    `attributes` the ones that are parameters of the kernel, to be handed to device functions.
    ordered_memory: what {memory} in a barrier or fence stands for: shared memory alone, shared and global memory.
    vec3: "packed" where a 3-vector in memory has a type of its own ({elem} in `packed_vec3`), "components" where memory
    holds its scalars and is read with vload3.
    """

    name: str
    title: str
    cpp: bool
    scalars: Mapping[str, str]
    spaces: Mapping[Space, str]
    pointer: str
    restrict: str
    grid: Mapping[Grid, str]
    grid_type: Scalar
    math: Mapping[str, str]
    helper_math: Mapping[str, str]
    make_vector: str
    bitcast: str
    convert_vector: str
    vec3: Literal["packed", "components"]
    packed_vec3: str
    suffixes: Mapping[str, str]
    infinity: Mapping[str, str]
    nan: Mapping[str, str]
    ordered_memory: tuple[str, str]
    barriers: Mapping[Scope, str]
    fences: Mapping[Scope, str]
    atomics: tuple[AtomicForm, ...]
    lanes: LaneForm | None
    keywords: frozenset[str]
    functions: frozenset[str]
    attributes: Mapping[Grid, str] = field(default_factory=dict[Grid, str])
    int_abs_unsigned: bool = False
    bool_memory: str = "bool"
    function_prefix: str = "inline "

    def vector(self, elem: Scalar, lanes: int) -> str:
        """The name of a vector type."""
        return f"{self.scalars[elem.name]}{lanes}"

    @property
    def reserved(self) -> frozenset[str]:
        """Names that nothing of the author's may have."""
        return self.keywords | frozenset(self.attributes.values())
