"""CUDA C++ as a table.

Names from the CUDA C++ Programming Guide (built-in vector types and variables, synchronization, warp functions,
atomic functions) and the CUDA Math API. Functions of f32 have the suffix f; the IR's `fast_*` are the `__` intrinsics.
"""

from __future__ import annotations

from typing import Final

from ...ir.mathlib import C_NAMES
from ...ir.nodes import Grid, Scope
from ...ir.types import I32, U32, Space
from ..clike.dialect import AtomicForm, Dialect, LaneForm
from .matrices import WMMA

FULL_MASK: Final = "0xffffffffu"

_PREDICATES = ("isnan", "isinf", "isfinite", "signbit")
_FLOATS = [fn for fn in C_NAMES if fn not in _PREDICATES]
MATH: Final = {
    **{fn: fn for fn in C_NAMES},
    "min": "min",
    "max": "max",
}
_FAST = {
    "fast_exp": "__expf",
    "fast_exp2": "exp2f",  # CUDA has no faster one; the accurate function is within any bound of the fast one
    "fast_exp10": "__exp10f",
    "fast_log": "__logf",
    "fast_log2": "__log2f",
    "fast_log10": "__log10f",
    "fast_sin": "__sinf",
    "fast_cos": "__cosf",
    "fast_tan": "__tanf",
    "fast_pow": "__powf",
    "fast_divide": "__fdividef",
}
_BITS = {"popcount": "__popc", "clz": "__clz", "ffs": "__ffs"}
# CUDA Math API, half precision arithmetic and functions: each rounded to nearest even
_HALF = {
    "fma": "__hfma", "fabs": "__habs", "fmin": "__hmin", "fmax": "__hmax", "sqrt": "hsqrt", "floor": "hfloor",
    "ceil": "hceil", "trunc": "htrunc", "rint": "hrint", "isnan": "__hisnan",
}  # fmt: skip
TYPED_MATH: Final = {
    **{(fn, "f32"): fn + "f" for fn in _FLOATS},
    **{(fn, "f32"): name for fn, name in _FAST.items()},
    **{(fn, f"{kind}32"): name for fn, name in _BITS.items() for kind in "iu"},
    **{(fn, f"{kind}64"): name + "ll" for fn, name in _BITS.items() for kind in "iu"},
    **{(fn, t): name for fn, name in _HALF.items() for t in ("f16", "bf16")},
    ("brev", "u32"): "__brev",
    ("brev", "u64"): "__brevll",
    ("mulhi", "i32"): "__mulhi",
    ("mulhi", "u32"): "__umulhi",
    ("mulhi", "i64"): "__mul64hi",
    ("mulhi", "u64"): "__umul64hi",
    ("abs", "i32"): "abs",
    ("abs", "i64"): "llabs",
}

BITCASTS: Final = {
    ("f32", "i32"): "__float_as_int({value})",
    ("f32", "u32"): "__float_as_uint({value})",
    ("i32", "f32"): "__int_as_float({value})",
    ("u32", "f32"): "__uint_as_float({value})",
    **{
        (t, i): f"__{name}_as_{short}({{value}})"
        for t, name in (("f16", "half"), ("bf16", "bfloat16"))
        for i, short in (("u16", "ushort"), ("i16", "short"))
    },
    **{
        (i, t): f"__{short}_as_{name}({{value}})"
        for t, name in (("f16", "half"), ("bf16", "bfloat16"))
        for i, short in (("u16", "ushort"), ("i16", "short"))
    },
    ("f64", "i64"): "__double_as_longlong({value})",
    ("f64", "u64"): "(unsigned long long)__double_as_longlong({value})",
    ("i64", "f64"): "__longlong_as_double({value})",
    ("u64", "f64"): "__longlong_as_double((long long)({value}))",
}

_32 = frozenset({"i32", "u32"})
_ANY = {"add": "Add", "exch": "Exch", "min": "Min", "max": "Max", "and": "And", "or": "Or", "xor": "Xor"}
_MINMAX = {"min": "Min", "max": "Max"}
_CAS_HELPER = "dialects/cuda/helpers/atomic_float.cuh.j2"


def atomics(block: str = "{block}") -> tuple[AtomicForm, ...]:
    """The atomics of CUDA and HIP; `block` is the suffix of those that only the group sees, if there are such names.

    64-bit ones take unsigned long long alone, but for min and max (CUDA C++ Programming Guide, atomic functions); sums
    of a negated operand stand for differences, which gives the same bits.
    """
    fn = "atomic{op}" + block
    wide = "(unsigned long long*){p_}"
    f32, f64, i64, u64 = (frozenset({t}) for t in ("f32", "f64", "i64", "u64"))
    return (
        AtomicForm(_32, _ANY | {"sub": "Sub"}, text=fn + "({p}, {v})"),
        AtomicForm(_32 | u64, {"cas": "CAS"}, text=fn + "({p}, {e}, {v})"),
        AtomicForm(u64, _ANY, text=fn + "({p}, {v})"),
        AtomicForm(u64, {"sub": "Add"}, text=fn + "({p}, -{v_})"),
        AtomicForm(i64, _MINMAX, text=fn + "({p}, {v})"),
        AtomicForm(i64, _ANY, text=f"{fn}({wide}, (unsigned long long){{v_}})", gives="u64"),
        AtomicForm(i64, {"sub": "Add"}, text=f"{fn}({wide}, -(unsigned long long){{v_}})", gives="u64"),
        AtomicForm(
            i64,
            {"cas": "CAS"},
            text=f"{fn}({wide}, (unsigned long long){{e_}}, (unsigned long long){{v_}})",
            gives="u64",
        ),
        AtomicForm(f32, {"add": "Add", "exch": "Exch"}, text=fn + "({p}, {v})"),
        AtomicForm(f64, {"add": "Add"}, text=fn + "({p}, {v})"),
        AtomicForm(f32 | f64, {"sub": "Add"}, text=fn + "({p}, -{v_})"),
        AtomicForm(f32, {"min": "fminf({0}, {1})", "max": "fmaxf({0}, {1})"}, helper=_CAS_HELPER),
        AtomicForm(f64, {"min": "fmin({0}, {1})", "max": "fmax({0}, {1})", "exch": "{1}"}, helper=_CAS_HELPER),
    )


_CPP = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const
    constexpr const_cast continue decltype default delete do double dynamic_cast else enum explicit export extern
    false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
    or_eq private protected public register reinterpret_cast return short signed sizeof static static_assert
    static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned using
    virtual void volatile wchar_t while xor xor_eq
"""
_NAMES = """
    threadIdx blockIdx blockDim gridDim warpSize dim3 size_t ptrdiff_t int8_t int16_t int32_t int64_t uint8_t uint16_t
    uint32_t uint64_t half nv_bfloat16 __half __nv_bfloat16 INFINITY NAN HUGE_VAL HUGE_VALF MAXFLOAT NULL FLT_MAX
    FLT_MIN FLT_EPSILON DBL_MAX DBL_MIN DBL_EPSILON INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN ULONG_MAX LLONG_MAX
    LLONG_MIN ULLONG_MAX CHAR_BIT CHAR_MAX CHAR_MIN SCHAR_MAX SCHAR_MIN UCHAR_MAX SHRT_MAX SHRT_MIN USHRT_MAX M_E
    M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 assert linux unix
"""
_BASES = "char uchar short ushort int uint long ulong longlong ulonglong float double half"
KEYWORDS: Final = (
    frozenset(_CPP.split())
    | frozenset(_NAMES.split())
    | frozenset(f"{prefix}{t}{lanes}" for prefix in ("", "make_") for t in _BASES.split() for lanes in (1, 2, 3, 4))
)
_FUNCTIONS = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh cospi cyl_bessel_i0 cyl_bessel_i1 erf erfc
    erfcinv erfcx erfinv exp exp10 exp2 expm1 fabs fdim fdivide floor fma fmax fmin fmod frexp hypot ilogb isfinite
    isinf isnan j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround max min modf
    nan nearbyint nextafter
    norm norm3d norm4d normcdf normcdfinv pow powi rcbrt remainder remquo rhypot rint rnorm rnorm3d rnorm4d round rsqrt
    scalbln scalbn signbit sin sincos sincospi sinh sinpi sqrt tan tanh tanpi tgamma trunc y0 y1 yn abs labs llabs div
    malloc free memcpy memset printf clock clock64 saturate umin umax ullmin ullmax llmin llmax atomicAdd atomicSub
    atomicExch atomicMin atomicMax atomicInc atomicDec atomicCAS atomicAnd atomicOr atomicXor tex1Dfetch tex1D tex2D
    tex3D
"""
FUNCTIONS: Final = frozenset(name + suffix for name in _FUNCTIONS.split() for suffix in ("", "f"))

CUDA_DIALECT: Final = Dialect(
    name="cuda",
    title="CUDA C++",
    cpp=True,
    scalars={
        "bool": "bool",
        "i8": "signed char",
        "u8": "unsigned char",
        "i16": "short",
        "u16": "unsigned short",
        "i32": "int",
        "u32": "unsigned int",
        "i64": "long long",
        "u64": "unsigned long long",
        "f16": "__half",
        "bf16": "__nv_bfloat16",
        "f32": "float",
        "f64": "double",
    },
    classes=frozenset({"f16", "bf16"}),
    make_vectors={"bf16": "{type}({items})"},
    vector_names={
        "i8": "char",
        "u8": "uchar",
        "u16": "ushort",
        "u32": "uint",
        "i64": "longlong",
        "u64": "ulonglong",
        "f16": "half",
        "bf16": "__nv_bfloat16",
    },
    max_lanes=4,
    spaces={Space.PRIVATE: "", Space.SHARED: "__shared__", Space.GLOBAL: "", Space.CONSTANT: ""},
    pointer="{const}{volatile}{elem}* {restrict}{name}",
    restrict="__restrict__ ",
    grid={
        Grid.THREAD: "threadIdx.{xyz}",
        Grid.GROUP: "blockIdx.{xyz}",
        Grid.GROUP_SIZE: "blockDim.{xyz}",
        Grid.GRID_SIZE: "gridDim.{xyz}",
    },
    grid_type=U32,
    math=MATH,
    typed_math=TYPED_MATH,
    helper_math={},
    make_vector="make_{type}({items})",
    bitcast="",
    bitcasts=BITCASTS,
    bitcast_helper="dialects/cuda/helpers/bitcast.cuh.j2",
    convert_vector="",
    componentwise="dialects/cuda/helpers/componentwise.cuh.j2",
    splats=False,
    vec3="packed",
    packed_vec3="",
    suffixes={
        "f32": "f",
        "f64": "",
        "i8": "",
        "u8": "",
        "i16": "",
        "u16": "",
        "i32": "",
        "u32": "u",
        "i64": "LL",
        "u64": "ULL",
    },
    infinity={
        "f32": "INFINITY",
        "f64": "(double)INFINITY",
        "f16": "(__half)INFINITY",
        "bf16": "(__nv_bfloat16)INFINITY",
    },
    nan={"f32": "NAN", "f64": "(double)NAN", "f16": "(__half)NAN", "bf16": "(__nv_bfloat16)NAN"},
    aligned="__align__({n}) ",
    ordered_memory=("", ""),
    barriers={Scope.GROUP: "__syncthreads();", Scope.SUBGROUP: "__syncwarp({mask});"},
    fences={Scope.GROUP: "__threadfence_block();", Scope.DEVICE: "__threadfence();"},
    atomics=atomics(),
    lanes=LaneForm(
        shuffle="",
        vote="dialects/cuda/helpers/vote.cuh.j2",
        segments={
            "idx": "__shfl_sync({mask}, {value}, {lane}{width})",
            **{kind: f"__shfl_{kind}_sync({{mask}}, {{value}}, {{lane}}{{width}})" for kind in ("up", "down", "xor")},
        },
        any_lane=True,
        direct={
            "active": "__activemask()",
            **{kind: f"__{kind}_sync({{mask}}, {{value}})" for kind in ("any", "all", "ballot")},
        },
        # any and all give an int that is not zero
        vote_types={"any": I32, "all": I32, "ballot": U32},
        hardware_width=32,
    ),
    keywords=KEYWORDS,
    functions=FUNCTIONS,
    full_mask=FULL_MASK,
    table_prefix="__constant__",
    extern_shared=True,
    volatile_atomics=False,
    counts_are_int=True,
    function_prefix="__device__ ",
    matrix=WMMA,
    rounded={
        (op, t): name.format(word)
        for op, word in {"+": "add", "-": "sub", "*": "mul"}.items()
        for t, name in {"f32": "__f{}_rn", "f64": "__d{}_rn", "f16": "__h{}_rn", "bf16": "__h{}_rn"}.items()
    },
)
