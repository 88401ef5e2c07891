"""The Metal Shading Language as a table, in the form that MLX's `mx.fast.metal_kernel` takes.

Names from Apple's Metal Shading Language Specification: sections 2 (types), 4 (address spaces), 6.5 (math functions),
6.7 (simdgroup matrices), 6.9 (synchronization), 6.15 (atomics). Functions with a fast and a precise variant are spelled
`metal::precise::`, because which one the plain name means is a compiler option; the IR's `fast_*` are `metal::fast::`.
"""

from __future__ import annotations

from ...ir.nodes import Grid, Scope
from ...ir.types import U32, Space
from ..clike.dialect import AtomicForm, Dialect, LaneForm, MatrixForm

_PRECISE = (
    "exp exp2 exp10 log log2 log10 sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh pow fmod "
    "fmin fmax atan2"
)
_FAST = "exp exp2 exp10 log log2 log10 sin cos tan pow"
_EXACT = (
    "floor ceil trunc round rint fabs fdim copysign fma isnan isinf isfinite signbit ldexp min max abs mulhi popcount "
    "clz"
)
MATH = {
    **{name: f"metal::precise::{name}" for name in _PRECISE.split()},
    **{name: name for name in _EXACT.split()},
    **{f"fast_{name}": f"metal::fast::{name}" for name in _FAST.split()},
    "brev": "reverse_bits",
}
HELPER_MATH = {
    name: f"dialects/metal/helpers/{name}.metal.j2"
    for name in ("ffs", "erf", "erfc", "expm1", "log1p", "cbrt", "hypot")
}

_FETCH = {op: f"atomic_fetch_{op}_explicit" for op in ("add", "sub", "min", "max", "and", "or", "xor")}
_INT_OPS = {**_FETCH, "exch": "atomic_exchange_explicit"}
_FLOAT_OPS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "min": "metal::precise::fmin({0}, {1})",
    "max": "metal::precise::fmax({0}, {1})",
    "exch": "{1}",
}
_INTS = frozenset({"i32", "u32"})
_FLOATS = frozenset({"f32"})
INTEGER_ATOMICS = (
    AtomicForm(_INTS, _INT_OPS, helper="dialects/metal/helpers/atomic.metal.j2"),
    AtomicForm(_INTS, {"cas": ""}, helper="dialects/metal/helpers/atomic_cas.metal.j2"),
)
NATIVE_FLOAT_ADD = AtomicForm(
    _FLOATS,
    {"add": "atomic_fetch_add_explicit"},
    helper="dialects/metal/helpers/atomic.metal.j2",
    spaces=frozenset({Space.GLOBAL}),
)
# Apple8 on: no value comes back (MSL, atomic modify functions of 64 bits)
WIDE_ATOMICS = AtomicForm(
    frozenset({"u64"}),
    {"min": "min", "max": "max"},
    text="atomic_{op}_explicit((device atomic_ulong*){p_}, {v}, memory_order_relaxed)",
    spaces=frozenset({Space.GLOBAL}),
    blind=True,
)
FLOAT_ATOMICS = AtomicForm(_FLOATS, _FLOAT_OPS, helper="dialects/metal/helpers/atomic_float.metal.j2")

ATTRIBUTES = {
    Grid.THREAD: "thread_position_in_threadgroup",
    Grid.GROUP: "threadgroup_position_in_grid",
    Grid.GROUP_SIZE: "threads_per_threadgroup",
    Grid.GRID_SIZE: "threadgroups_per_grid",
    Grid.LANE: "thread_index_in_simdgroup",
    Grid.SUBGROUP: "simdgroup_index_in_threadgroup",
}
_MLX_ATTRIBUTES_TEXT = """
    dispatch_quadgroups_per_threadgroup dispatch_simdgroups_per_threadgroup dispatch_threads_per_threadgroup
    grid_origin grid_size quadgroup_index_in_threadgroup quadgroups_per_threadgroup simdgroup_index_in_threadgroup
    simdgroups_per_threadgroup thread_execution_width thread_index_in_quadgroup thread_index_in_simdgroup
    thread_index_in_threadgroup thread_position_in_grid thread_position_in_threadgroup threadgroup_position_in_grid
    threadgroups_per_grid threads_per_grid threads_per_simdgroup threads_per_threadgroup
"""
MLX_ATTRIBUTES = frozenset(_MLX_ATTRIBUTES_TEXT.split())

_CPP = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const
    constexpr const_cast continue decltype default delete do double dynamic_cast else enum explicit export extern
    false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
    or_eq private protected public register reinterpret_cast return short signed sizeof static static_assert
    static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned using
    virtual void volatile wchar_t while xor xor_eq
"""
_METAL = """
    kernel vertex fragment visible device constant thread threadgroup threadgroup_imageblock ray_data object_data
    half bfloat uchar ushort uint ulong size_t ptrdiff_t int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t
    uint64_t atomic atomic_int atomic_uint atomic_bool atomic_float atomic_ulong array texture1d texture2d texture3d
    sampler metal mem_flags memory_order_relaxed as_type INFINITY NAN MAXFLOAT HUGE_VALF FLT_MAX FLT_MIN FLT_EPSILON
    FLT_DIG FLT_MANT_DIG FLT_RADIX HALF_MAX HALF_MIN HALF_EPSILON INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN
    ULONG_MAX CHAR_BIT CHAR_MAX CHAR_MIN SHRT_MAX SHRT_MIN SCHAR_MAX SCHAR_MIN UCHAR_MAX USHRT_MAX M_E_F M_LOG2E_F
    M_LOG10E_F M_LN2_F M_LN10_F M_PI_F M_PI_2_F M_PI_4_F M_1_PI_F M_2_PI_F M_2_SQRTPI_F M_SQRT2_F M_SQRT1_2_F
    METAL_FUNC instantiate_kernel SHARED_BYTES float16_t bfloat16_t complex64_t Limits simd_shuffle simd_shuffle_xor
    simd_shuffle_up simd_shuffle_down simd_any simd_all simd_ballot threadgroup_barrier simdgroup_barrier
"""
_ELEMENTS = "char uchar short ushort int uint long ulong half bfloat float bool"
KEYWORDS = (
    frozenset(_CPP.split())
    | frozenset(_METAL.split())
    | MLX_ATTRIBUTES
    | frozenset(f"{p}{t}{lanes}" for p in ("", "packed_") for t in _ELEMENTS.split() for lanes in (2, 3, 4))
)
_FUNCTIONS_TEXT = """
    acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh cospi divide exp exp10 exp2 fabs abs fdim floor
    fma fmax fmax3 fmed3 fmin fmin3 fmod fract frexp ilogb ldexp log log10 log2 max max3 median3 min min3 modf
    nextafter pow powr rint round rsqrt sin sincos sinh sinpi sqrt tan tanh tanpi trunc clamp mix saturate sign
    smoothstep step cross distance distance_squared dot length length_squared normalize reflect refract faceforward
    isfinite isinf isnan isnormal isordered isunordered select signbit absdiff abs_diff addsat clz ctz extract_bits
    hadd insert_bits mad24 madhi madsat mul24 mulhi popcount reverse_bits rhadd rotate subsat all any dfdx dfdy
    fwidth determinant transpose precise fast simd_sum simd_product simd_min simd_max simd_and simd_or simd_xor
    simd_broadcast simd_prefix_inclusive_sum ceildiv elem_to_loc elem_to_loc_1 elem_to_loc_2 elem_to_loc_3 log1p
    hypot expm1f erf erfinv cast_to schedule_row_tile instantiate_default_limit atomic_thread_fence
"""
FUNCTIONS = frozenset(_FUNCTIONS_TEXT.split())

SIMDGROUP = MatrixForm(
    type="simdgroup_{elem}8x8",
    elems={"f16": "half", "f32": "float", "bf16": "bfloat"},
    step_layouts={"row": "", "column": ", ulong2(0, 0), true"},  # the origin, and that rows are columns
    steps={
        "fill": "{matrix} = make_filled_simdgroup_matrix<{elem}, 8, 8>({value});",
        "load": "simdgroup_load({matrix}, {pointer}, {stride}{layout});",
        "store": "simdgroup_store({matrix}, {pointer}, {stride}{layout});",
        "multiply": "simdgroup_multiply_accumulate({matrix}, {a}, {b}, {c});",
    },
    elements="thread_elements()",
)

METAL = Dialect(
    name="metal",
    title="Metal",
    cpp=True,
    max_lanes=4,
    volatile_atomics=False,
    scalars={
        "bool": "bool",
        "i8": "int8_t",  # as MLX declares arrays: a type of its own beside char
        "u8": "uchar",
        "i16": "short",
        "u16": "ushort",
        "i32": "int",
        "u32": "uint",
        "i64": "long",
        "u64": "ulong",
        "f16": "half",
        "f32": "float",
        "bf16": "bfloat",
    },
    spaces={
        Space.PRIVATE: "thread",
        Space.SHARED: "threadgroup",
        Space.GLOBAL: "device",
        Space.CONSTANT: "constant",
    },
    pointer="{const}{volatile}{space}{elem}* {restrict}{name}",
    restrict="",
    grid={kind: name + (".{xyz}" if "simdgroup" not in name else "") for kind, name in ATTRIBUTES.items()},
    grid_type=U32,
    attributes=ATTRIBUTES,
    math=MATH,
    helper_math=HELPER_MATH,
    make_vector="{type}({items})",
    bitcast="as_type<{type}>({value})",
    convert_vector="{type}({value})",
    vector_names={"i8": "char"},
    vec3="packed",
    packed_vec3="packed_{elem}3",
    suffixes={
        "f16": "h",
        "f32": "f",
        "bf16": "bf",
        "i8": "",
        "u8": "",
        "i16": "",
        "u16": "",
        "i32": "",
        "u32": "u",
        "i64": "L",
        "u64": "UL",
    },
    infinity={"f32": "INFINITY", "f16": "(half)INFINITY", "bf16": "(bfloat)INFINITY"},
    nan={"f32": "NAN", "f16": "(half)NAN", "bf16": "(bfloat)NAN"},
    aligned="alignas({n}) ",
    ordered_memory=("mem_flags::mem_threadgroup", "mem_flags::mem_device | mem_flags::mem_threadgroup"),
    barriers={Scope.GROUP: "threadgroup_barrier({memory});", Scope.SUBGROUP: "simdgroup_barrier({memory});"},
    fences={},
    atomics=(*INTEGER_ATOMICS, NATIVE_FLOAT_ADD, FLOAT_ATOMICS),
    lanes=LaneForm(
        shuffle="dialects/metal/helpers/shuffle.metal.j2",
        vote="dialects/metal/helpers/vote.metal.j2",
        passes=("thread_index_in_simdgroup",),
        direct={
            "any": "simd_any({value})",
            "all": "simd_all({value})",
            "xor": "simd_shuffle_xor({value}, {lane})",
            "idx": "simd_shuffle({value}, {lane})",
            **{f"undefined {kind}": f"simd_shuffle_{kind}({{value}}, {{lane}})" for kind in ("xor", "up", "down")},
            "undefined idx": "simd_shuffle({value}, {lane})",
        },
        hardware_width=32,
    ),
    keywords=KEYWORDS,
    functions=FUNCTIONS,
    matrix=SIMDGROUP,
    unfused="#pragma STDC FP_CONTRACT OFF",
)
