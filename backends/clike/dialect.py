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

    `ops` maps the IR's operation to the spelling that fills {op}; {p_}, {v_} and {e_} are operands of a cast or a sign.
    `gives` names the type that the compiler gives the call where that is not the IR's, as wide as it. A helper's name
    is gp_atomic_OP_TYPE_SPACE, or gp_atomic_OP in languages with overloading. `blind` ones give no value: they
    stand only where nobody takes it.
    """

    types: frozenset[str]
    ops: Mapping[str, str]
    text: str = ""
    helper: str = ""
    spaces: frozenset[Space] = ANY_SPACE
    extensions: tuple[str, ...] = ()
    gives: str = ""
    blind: bool = False


@dataclass(frozen=True)
class LaneForm:
    """Shuffles and votes: a helper template, and the names that its calls pass on behind the operands.

    `direct` spells those kinds of shuffles and votes that need no helper where the width is that of the hardware, with
    {value} and {lane}; "undefined KIND" those where a lane outside may give anything.
    `segments` spells shuffles for every width, with {value}, {lane} and {width} (`, 16`; empty where it is the
    hardware's and `default_width` tells that it may be left out); those whose lane is not known to be inside still need
    the helper, unless the language defines them as the IR does (`any_lane`).
    `vote_types` are the types that the compiler gives the votes of `direct`, where these are not the IR's.
    `lane_scratch` tells that the helpers exchange through the shared array `gp_lanes`, with group barriers.
    """

    shuffle: str
    vote: str
    passes: tuple[str, ...] = ()
    direct: Mapping[str, str] = field(default_factory=dict[str, str])
    hardware_width: int = 0
    segments: Mapping[str, str] = field(default_factory=dict[str, str])
    any_lane: bool = False
    vote_types: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    lane_scratch: bool = False
    votes: frozenset[str] = frozenset({"any", "all", "ballot"})
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatrixForm:
    """Matrices that a subgroup holds together (`ir.types.Fragment`).

    type: with {use} {m} {n} {k} {elem} {layout}, the latter two from `elems` and `layouts` (keys: row, column, and
    empty for a fragment whose loads and stores tell). steps: by the IR's operation, with {matrix} {elem} {value}
    {pointer} {stride} {a} {b} {c} and {layout}, which `step_layouts` spells; `load c` and the like come before `load`.
    elements: what holds the elements of a lane. headers: lines that the file begins with where a matrix is used.
    """

    type: str
    steps: Mapping[str, str]
    elements: str
    uses: Mapping[str, str] = field(default_factory=dict[str, str])
    elems: Mapping[str, str] = field(default_factory=dict[str, str])
    layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    step_layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: tuple[str, ...] = ()


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
    vec3: "packed" where a 3-vector in memory has a type of its own ({elem} in `packed_vec3`; empty: the vector type
    itself), "components" where memory holds its scalars and is read with vload3.
    typed_math: spellings of functions for one scalar type, by (name, scalar); they come before `math`. A function of
    unsigned integers that a row for the signed type lacks is called with converted operands.
    bitcasts: spellings by (from, to), with {value}; they come before `bitcast`.
    bitcast_helper: template of a function for the pairs of types that have no spelling.
    componentwise: a helper template that does an operation component by component; empty where vectors have operators.
    splats: whether one item makes a vector of equal components.
    classes: scalar types that C's own conversions do not reach, so that every conversion is written.
    make_vectors: by element, what takes the place of `make_vector`.
    vector_alignment: the most bytes that a vector aligns to.
    full_mask: how the mask of all lanes is spelled that fills {mask} in votes, `segments` and barriers of a subgroup;
    empty where the language has no masks (then `rewrites.lane_masks` must have taken them out).
    table_prefix: what declares constant data outside functions, where that is not the name of its space.
    extern_shared: shared memory stays where the author declared it, and the launch's is declared `extern`.
    aligned: what comes before a declaration to align it to {n} bytes.
    saturating: a conversion of a float to an integer that clamps, where a cast out of range is undefined and the
    devices differ in what it gives.
    matrix: how matrices of a subgroup are spelled; None where there are none (then `rewrites.matrices` must have taken
    them out).
    rounded: functions for sums and products that no compiler fuses, by (operator, scalar); without them `unfused` is
    the pragma that keeps the whole text from it.
    volatile_atomics: whether atomics take pointers to volatile memory.
    counts_are_int: whether popcount and clz give int whatever their operand is.
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
    aligned: str
    ordered_memory: tuple[str, str]
    barriers: Mapping[Scope, str]
    fences: Mapping[Scope, str]
    atomics: tuple[AtomicForm, ...]
    lanes: LaneForm | None
    keywords: frozenset[str]
    functions: frozenset[str]
    attributes: Mapping[Grid, str] = field(default_factory=dict[Grid, str])
    typed_math: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    bitcasts: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    bitcast_helper: str = ""
    saturating: str = ""
    vector_names: Mapping[str, str] = field(default_factory=dict[str, str])
    max_lanes: int = 16
    componentwise: str = ""
    splats: bool = True
    extern_shared: bool = False
    full_mask: str = ""
    table_prefix: str = ""
    volatile_atomics: bool = True
    counts_are_int: bool = False
    int_abs_unsigned: bool = False
    bool_memory: str = "bool"
    vector_alignment: int = 32
    classes: frozenset[str] = frozenset({"bf16"})
    make_vectors: Mapping[str, str] = field(default_factory=dict[str, str])
    function_prefix: str = "inline "
    matrix: MatrixForm | None = None
    rounded: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    unfused: str = ""

    def vector(self, elem: Scalar, lanes: int) -> str:
        """The name of a vector type."""
        return f"{self.vector_names.get(elem.name) or self.scalars[elem.name]}{lanes}"

    @property
    def reserved(self) -> frozenset[str]:
        """Names that nothing of the author's may have."""
        return self.keywords | frozenset(self.attributes.values())
