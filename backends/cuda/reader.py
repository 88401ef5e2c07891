"""CUDA C++ as IR."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.mathlib import C_NAMES
from ...ir.nodes import Const, Expr, Grid, GridIndex, Scope
from ...ir.types import F32, F64, I32, I64, U32, U64, Space
from ..clang import handlers as c
from ..clang.addresses import address
from ..clang.context import Handler, Language
from ..clang.matrices import wmma
from ..clang.read import Source, read_entry
from ..clang.textures import fetch
from .barriers import init
from .half import half_calls
from .ptx import PTX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...ir.nodes import Program


def _math_calls() -> dict[str, Handler]:
    out: dict[str, Handler] = {}
    for fn in C_NAMES:
        out[fn] = out[fn + "f"] = c.math(fn)
    out["nearbyint"] = out["nearbyintf"] = c.math("rint")
    for name, fn in {
        "__expf": "fast_exp", "__exp10f": "fast_exp10", "__logf": "fast_log", "__log2f": "fast_log2",
        "__log10f": "fast_log10", "__sinf": "fast_sin", "__cosf": "fast_cos", "__tanf": "fast_tan",
        "__powf": "fast_pow", "__fdividef": "fast_divide", "fdividef": "fast_divide", "__fsqrt_rn": "sqrt",
        "__fmaf_rn": "fma", "__frcp_rn": "recip", "__popc": "popcount", "__popcll": "popcount", "__clz": "clz",
        "__clzll": "clz", "__ffs": "ffs", "__ffsll": "ffs", "__brev": "brev", "__brevll": "brev", "__mulhi": "mulhi",
        "__umulhi": "mulhi", "__mul64hi": "mulhi", "__umul64hi": "mulhi", "__dsqrt_rn": "sqrt", "__drcp_rn": "recip",
        "__fma_rn": "fma", "umin": "min", "umax": "max", "llmin": "min", "llmax": "max", "ullmin": "min",
        "ullmax": "max",
    }.items():  # fmt: skip
        out[name] = c.math(fn)
    out["min"], out["max"] = c.by_type("fmin", "min"), c.by_type("fmax", "max")
    out["abs"] = out["labs"] = out["llabs"] = c.by_type("fabs", "abs")
    for name, op in {"__fadd_rn": "+", "__fsub_rn": "-", "__fmul_rn": "*", "__fdiv_rn": "/", "__dadd_rn": "+",
                     "__dmul_rn": "*", "__dsub_rn": "-", "__ddiv_rn": "/"}.items():  # fmt: skip
        out[name] = c.operator(op, rounded=True)
    for name in ("erfcx", "erfinv", "erfcinv", "normcdfinv", "lgamma", "tgamma", "j0", "j1", "y0", "y1", "rcbrt",
                 "logb", "cyl_bessel_i0", "cyl_bessel_i1", "remainder", "nextafter"):  # fmt: skip
        out[name] = out[name + "f"] = c.refused("no other language has it, and gpuport none of known accuracy")
    for name in ("normcdf", "sinpi", "cospi"):
        out[name] = c.refused("gpuport has it for float only")
    for name in ("__fadd", "__fsub", "__fmul", "__fdiv", "__fmaf", "__fsqrt", "__frcp", "__int2float", "__uint2float",
                 "__double2float"):  # fmt: skip
        for mode in ("rd", "ru", "rz"):
            out[f"{name}_{mode}"] = c.refused("other languages round to nearest only")
    out["__frsqrt_rn"] = c.refused("a correctly rounded reciprocal square root")
    return out


def _simt_calls() -> dict[str, Handler]:
    out: dict[str, Handler] = {
        "__syncthreads": c.barrier(Scope.GROUP), "__syncwarp": c.subgroup_barrier,
        "__threadfence": c.fence(Scope.DEVICE), "__threadfence_block": c.fence(Scope.GROUP),
        "__shfl_sync": c.shuffle("idx"), "__shfl_up_sync": c.shuffle("up"), "__shfl_down_sync": c.shuffle("down"),
        "__shfl_xor_sync": c.shuffle("xor"), "__any_sync": c.vote("any"), "__all_sync": c.vote("all"),
        "__ballot_sync": c.vote("ballot"),
        "__activemask": c.active_lanes,
        "__float_as_int": c.bitcast(I32), "__float_as_uint": c.bitcast(U32), "__int_as_float": c.bitcast(F32),
        "__uint_as_float": c.bitcast(F32), "__double_as_longlong": c.bitcast(I64),
        "__longlong_as_double": c.bitcast(F64), "__float2int_rz": c.convert_to(I32),
        "__float2uint_rz": c.convert_to(U32), "__float2ll_rz": c.convert_to(I64), "__float2ull_rz": c.convert_to(U64),
        "__double2int_rz": c.convert_to(I32), "__double2uint_rz": c.convert_to(U32),
        "__double2ll_rz": c.convert_to(I64), "gp_lane_id": c.grid(Grid.LANE, convert=I32),
        "__fns": c.refused("rarely used"),
        "__threadfence_system": c.fence(Scope.DEVICE),
        "printf": c.refused("output from a kernel"), "clock": c.refused("a clock of one device"),
        "clock64": c.refused("a clock of one device"), "__trap": c.refused("a trap"),
        "__nanosleep": c.refused("waiting by time"),
    }  # fmt: skip
    for suffix, scope in (("", Scope.DEVICE), ("_block", Scope.GROUP), ("_system", Scope.DEVICE)):
        for name, op in {"Add": "add", "Sub": "sub", "Exch": "exch", "Min": "min", "Max": "max", "And": "and",
                         "Or": "or", "Xor": "xor"}.items():  # fmt: skip
            out[f"atomic{name}{suffix}"] = c.atomic(op, scope)
        out["atomicCAS" + suffix] = c.atomic("cas", scope)
    for name in ("__int2float_rn", "__uint2float_rn", "__ll2float_rn", "__ull2float_rn", "__double2float_rn"):
        out[name] = c.convert_to(F32)
    for name in ("__int2double_rn", "__uint2double_rn", "__ll2double_rn"):
        out[name] = c.convert_to(F64)
    for kind in ("add", "min", "max", "and", "or", "xor"):
        out[f"__reduce_{kind}_sync"] = c.by_mask
    out["tex1Dfetch"] = fetch
    for name in ("tex1D", "tex2D", "tex3D"):
        out[name] = c.refused("textures; pass the memory behind it as a pointer and index it")
    out["__builtin_expect"] = c.identity
    out["__builtin_assume"] = out["__builtin_unreachable"] = c.nothing
    out["gp_grid_sync"] = c.refused(
        "grid.sync(), a barrier of the whole grid: gpuport starts none cooperatively, and in Metal and OpenCL a group"
        " may start when another has ended; end the kernel here and start a second one"
    )
    out["__pipeline_commit"] = out["__pipeline_wait_prior"] = c.nothing
    out["__pipeline_memcpy_async"] = c.copied
    out["memcpy"] = c.memcpy
    out["__cvta_generic_to_shared"] = address
    out["__cvta_generic_to_global"] = c.identity
    out["cuda::init"] = c.OfNodes(init)
    out["cuda::make_pipeline"] = c.refused("a pipeline other than one in which all threads of the block do everything")
    out.update(wmma("nvcuda::wmma"))
    for name in ("__stcs", "__stcg", "__stwt", "__stwb"):
        out[name] = c.store_through
    for base in ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "longlong", "ulonglong", "float",
                 "double"):  # fmt: skip
        for lanes in (2, 3, 4):
            out[f"make_{base}{lanes}"] = c.make_vector
    for name in ("__ldg", "__ldcs", "__ldca", "__ldcg", "__ldlu", "__ldcv"):
        out[name] = c.load_through
    return out


def _grid_variable(kind: Grid) -> Callable[[int], Expr]:
    return lambda axis: GridIndex(kind, axis)


CUDA = Language(
    name="cuda",
    calls={**_math_calls(), **_simt_calls(), **half_calls()},
    variables={
        "threadIdx": _grid_variable(Grid.THREAD),
        "blockIdx": _grid_variable(Grid.GROUP),
        "blockDim": _grid_variable(Grid.GROUP_SIZE),
        "gridDim": _grid_variable(Grid.GRID_SIZE),
        "warpSize": lambda _axis: Const(32, I32),
    },
    default_space=Space.GENERIC,
    header="gpuport_cuda.h",
    assembly=PTX,
)


def include_dir() -> Path:
    """Return the folder of our CUDA declaration headers."""
    return Path(__file__).parent / "include"


def nvrtc_include_dir() -> Path:
    """Return the folder of the headers that NVRTC lacks: those of C and C++, and of CUDA's host side."""
    return include_dir() / "nvrtc"


def read_cuda(
    path: Path, entry: str, *, defines: Mapping[str, str] | None = None, include_dirs: Sequence[Path] = ()
) -> tuple[Program, dict[str, int]]:
    """Read a kernel from a CUDA source file.

    `entry` is a kernel's name or instantiation as in C++ (`softmax<float, 256>`). Returns the program and the values of
    the entry's integer template parameters by name. Raises Refusal: GP1001 with clang's messages, GP1002, GP1003, or
    every construct that is not supported, at its line.
    """
    flags = ["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "--cuda-gpu-arch=sm_90", "-std=c++17",
             "-Wno-unknown-cuda-version", "-include", str(include_dir() / "gpuport_cuda.h"),
             "-isystem", str(include_dir()), "-isystem", str(nvrtc_include_dir())]  # fmt: skip
    source = Source(path, entry, dict(defines or {}), tuple(include_dirs))
    return read_entry(CUDA, source, flags, ".cu", kernel_attribute="CUDAGlobalAttr")


def read_cuda_text(text: str, entry: str, name: str) -> Program:
    """Read a kernel from CUDA text; `name` is what diagnostics call the file."""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / name
        path.write_text(text, encoding="utf-8")
        return read_cuda(path, entry)[0]
