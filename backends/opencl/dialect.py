"""OpenCL C as a table. Version 1.2 is the floor: no generic address space, no float atomics, no subgroups.

Names from the OpenCL C specification: 6.1 (types), 6.9 and 6.12 (qualifiers, built-in functions). Precise functions are
spelled without `native_`; `fast_*` of the IR are the `native_` ones.
"""

from __future__ import annotations

from ...ir.nodes import Grid, Scope
from ...ir.types import U64, Space
from ..clike.dialect import AtomicForm, Dialect, LaneForm

_SAME = (
    "exp exp2 exp10 expm1 log log2 log10 log1p sqrt rsqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh erf erfc floor ceil trunc round rint fabs pow fmod fmin fmax fdim atan2 hypot copysign fma isnan isinf "
    "isfinite signbit ldexp min max abs popcount clz"
)
_FAST = "exp exp2 exp10 log log2 log10 sin cos tan divide"
MATH = {
    **{name: name for name in _SAME.split()},
    **{f"fast_{name}": f"native_{name}" for name in _FAST.split()},
    "mulhi": "mul_hi",
}
HELPER_MATH = {
    "ffs": "dialects/opencl/helpers/ffs.cl.j2",
    "brev": "dialects/opencl/helpers/brev.cl.j2",
    "fast_pow": "dialects/opencl/helpers/fast_pow.cl.j2",
}

BARRIERS = {Scope.GROUP: "barrier({memory});"}
FENCES = {Scope.GROUP: "mem_fence({memory});"}

_INT_OPS = {
    "add": "add",
    "sub": "sub",
    "min": "min",
    "max": "max",
    "and": "and",
    "or": "or",
    "xor": "xor",
    "exch": "xchg",
}
_FLOAT_OPS = {"add": "{0} + {1}", "sub": "{0} - {1}", "min": "fmin({0}, {1})", "max": "fmax({0}, {1})"}
INT32 = (
    AtomicForm(frozenset({"i32", "u32"}), _INT_OPS, text="atomic_{op}({p}, {v})"),
    AtomicForm(frozenset({"i32", "u32"}), {"cas": "cmpxchg"}, text="atomic_{op}({p}, {e}, {v})"),
)
FLOAT32 = (
    AtomicForm(frozenset({"f32"}), {"exch": "xchg"}, text="atomic_{op}({p}, {v})"),
    AtomicForm(frozenset({"f32"}), _FLOAT_OPS, helper="dialects/opencl/helpers/atomic_float.cl.j2"),
)
_BASE, _EXTENDED = "cl_khr_int64_base_atomics", "cl_khr_int64_extended_atomics"
INT64 = (
    AtomicForm(
        frozenset({"i64", "u64"}),
        {"add": "add", "sub": "sub", "exch": "xchg"},
        text="atom_{op}({p}, {v})",
        extensions=(_BASE,),
    ),
    AtomicForm(frozenset({"i64", "u64"}), {"cas": "cmpxchg"}, text="atom_{op}({p}, {e}, {v})", extensions=(_BASE,)),
    AtomicForm(
        frozenset({"i64", "u64"}),
        {"min": "min", "max": "max", "and": "and", "or": "or", "xor": "xor"},
        text="atom_{op}({p}, {v})",
        extensions=(_EXTENDED,),
    ),
    AtomicForm(
        frozenset({"f64"}), _FLOAT_OPS, helper="dialects/opencl/helpers/atomic_float.cl.j2", extensions=(_BASE,)
    ),
)

LOCAL_LANES = LaneForm(
    shuffle="dialects/opencl/helpers/shuffle_local.cl.j2",
    vote="dialects/opencl/helpers/vote_local.cl.j2",
    passes=("gp_lanes",),
    lane_scratch=True,
)
AMDGCN_LANES = LaneForm(
    shuffle="dialects/opencl/helpers/shuffle_amdgcn.cl.j2",
    vote="dialects/opencl/helpers/vote_amdgcn.cl.j2",
)
KHR_LANES = LaneForm(
    shuffle="dialects/opencl/helpers/shuffle_khr.cl.j2",
    vote="dialects/opencl/helpers/vote_khr.cl.j2",
    extensions=("cl_khr_subgroups", "cl_khr_subgroup_shuffle", "cl_khr_subgroup_ballot"),
)
AMDGCN_BARRIER = "mem_fence({memory});\n__builtin_amdgcn_wave_barrier();"
KHR_BARRIER = "sub_group_barrier({memory});"
DEVICE_FENCE_2 = "atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, memory_order_seq_cst, memory_scope_device);"

_ELEMENTS = "char uchar short ushort int uint long ulong half float double bool"
_KEYWORDS_TEXT = """
    auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    _Bool _Complex _Imaginary bool half quad complex imaginary uchar ushort uint ulong size_t ptrdiff_t intptr_t
    uintptr_t global local constant private generic kernel read_only write_only read_write uniform pipe __global
    __local __constant __private __generic __kernel __read_only __write_only __read_write __attribute__ image1d_t
    image2d_t image3d_t image1d_array_t image2d_array_t image1d_buffer_t sampler_t event_t queue_t true false NULL
    INFINITY NAN MAXFLOAT HUGE_VAL HUGE_VALF vec_step as_type asm typeof wchar_t CHAR_BIT CHAR_MAX CHAR_MIN INT_MAX
    INT_MIN LONG_MAX LONG_MIN SCHAR_MAX SCHAR_MIN SHRT_MAX SHRT_MIN UCHAR_MAX USHRT_MAX UINT_MAX ULONG_MAX FLT_DIG
    FLT_MANT_DIG FLT_MAX FLT_MIN FLT_EPSILON FLT_RADIX DBL_DIG DBL_MANT_DIG DBL_MAX DBL_MIN DBL_EPSILON M_E M_LOG2E
    M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 M_E_F M_LOG2E_F M_LOG10E_F
    M_LN2_F M_LN10_F M_PI_F M_PI_2_F M_PI_4_F M_1_PI_F M_2_PI_F M_SQRT2_F M_SQRT1_2_F barrier mem_fence
    read_mem_fence write_mem_fence get_local_id get_group_id get_local_size get_num_groups get_global_id
    get_global_size get_work_dim get_global_offset vload3 vstore3 printf
"""
KEYWORDS = frozenset(_KEYWORDS_TEXT.split()) | frozenset(
    f"{t}{lanes}" for t in _ELEMENTS.split() for lanes in (2, 3, 4, 8, 16)
)
_FUNCTIONS_TEXT = """
    acos acosh acospi asin asinh asinpi atan atan2 atanh atanpi atan2pi cbrt ceil copysign cos cosh cospi erfc erf
    exp exp2 exp10 expm1 fabs fdim floor fma fmax fmin fmod fract frexp hypot ilogb ldexp lgamma lgamma_r log log2
    log10 log1p logb mad maxmag minmag modf nan nextafter pow pown powr remainder remquo rint rootn round rsqrt sin
    sincos sinh sinpi sqrt tan tanh tanpi tgamma trunc half_cos half_divide half_exp half_exp2 half_exp10 half_log
    half_log2 half_log10 half_powr half_recip half_rsqrt half_sin half_sqrt half_tan native_cos native_divide
    native_exp native_exp2 native_exp10 native_log native_log2 native_log10 native_powr native_recip native_rsqrt
    native_sin native_sqrt native_tan abs abs_diff add_sat hadd rhadd clamp clz ctz mad_hi mad_sat max min mul_hi
    rotate sub_sat upsample popcount mad24 mul24 degrees mix radians step smoothstep sign cross dot distance length
    normalize fast_distance fast_length fast_normalize isequal isnotequal isgreater isgreaterequal isless
    islessequal islessgreater isfinite isinf isnan isnormal isordered isunordered signbit any all bitselect select
    vload2 vload4 vload8 vload16 vstore2 vstore4 vstore8 vstore16 vload_half vstore_half async_work_group_copy
    wait_group_events prefetch shuffle shuffle2 atomic_add atomic_sub atomic_xchg atomic_inc atomic_dec
    atomic_cmpxchg atomic_min atomic_max atomic_and atomic_or atomic_xor atom_add atom_sub atom_xchg atom_cmpxchg
    atom_min atom_max atom_and atom_or atom_xor
"""
FUNCTIONS = frozenset(_FUNCTIONS_TEXT.split())

OPENCL = Dialect(
    name="opencl",
    title="OpenCL C",
    cpp=False,
    scalars={
        "bool": "bool",
        "i8": "char",
        "u8": "uchar",
        "i16": "short",
        "u16": "ushort",
        "i32": "int",
        "u32": "uint",
        "i64": "long",
        "u64": "ulong",
        "f32": "float",
    },
    spaces={
        Space.PRIVATE: "__private",
        Space.SHARED: "__local",
        Space.GLOBAL: "__global",
        Space.CONSTANT: "__constant",
    },
    pointer="{space}{const}{volatile}{elem} *{restrict}{name}",
    restrict="restrict ",
    grid={
        Grid.THREAD: "get_local_id({axis})",
        Grid.GROUP: "get_group_id({axis})",
        Grid.GROUP_SIZE: "get_local_size({axis})",
        Grid.GRID_SIZE: "get_num_groups({axis})",
    },
    grid_type=U64,
    math=MATH,
    helper_math=HELPER_MATH,
    make_vector="({type})({items})",
    bitcast="as_{type}({value})",
    convert_vector="convert_{type}({value})",
    saturating="convert_{type}_sat({value})",
    vec3="components",
    packed_vec3="{elem}",
    suffixes={
        "f16": "h",
        "f32": "f",
        "f64": "",
        "i8": "",
        "u8": "",
        "i16": "",
        "u16": "",
        "i32": "",
        "u32": "u",
        "i64": "L",
        "u64": "UL",
    },
    infinity={"f32": "INFINITY", "f64": "(double)INFINITY", "f16": "(half)INFINITY"},
    nan={"f32": "NAN", "f64": "(double)NAN", "f16": "(half)NAN"},
    aligned="__attribute__((aligned({n}))) ",
    ordered_memory=("CLK_LOCAL_MEM_FENCE", "CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE"),
    barriers=BARRIERS,
    fences=FENCES,
    atomics=(*INT32, *FLOAT32),
    lanes=None,
    keywords=KEYWORDS,
    functions=FUNCTIONS,
    int_abs_unsigned=True,
    bool_memory="uchar",
    function_prefix="",
)
