"""OpenCL C as IR."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.mathlib import C_NAMES
from ...ir.nodes import (
    Assign,
    Atomic,
    Binary,
    Bitcast,
    Block,
    Const,
    Convert,
    Element,
    Expr,
    Fence,
    Grid,
    GridIndex,
    MakeVector,
    MathCall,
    Scope,
    Shuffle,
)  # fmt: skip
from ...ir.types import F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Pointer, Scalar, Space, Vector
from ..clang import handlers as c
from ..clang.context import CallSite, FunctionContext, Handler, Language
from ..clang.read import Source, read_entry
from .builtins import common_calls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...ir.nodes import Program, Stmt

_SCALARS = {"char": I8, "uchar": U8, "short": I16, "ushort": U16, "int": I32, "uint": U32, "long": I64, "ulong": U64,
            "float": F32, "double": F64}  # fmt: skip

SCOPE_DEVICE = 2  # memory_scope_device of our header
# CLK_LOCAL_MEM_FENCE and CLK_GLOBAL_MEM_FENCE of our header
FENCE_FLAGS = {1: Space.SHARED, 2: Space.GLOBAL}


def global_index(axis: int, to: Scalar) -> Expr:
    """Return the thread's index in the whole grid along an axis."""
    group, size, thread = (
        Convert(GridIndex(k, axis), to, True) if to != U32 else GridIndex(k, axis)
        for k in (Grid.GROUP, Grid.GROUP_SIZE, Grid.THREAD)
    )
    return Binary("+", Binary("*", group, size, to), thread, to)


def _global_id(_fc: FunctionContext, site: CallSite) -> Expr:
    return global_index(c.constant_int(site, 0), U64)


def _global_size(_fc: FunctionContext, site: CallSite) -> Expr:
    axis = c.constant_int(site, 0)
    sizes = [Convert(GridIndex(k, axis), U64, True) for k in (Grid.GRID_SIZE, Grid.GROUP_SIZE)]
    return Binary("*", sizes[0], sizes[1], U64, loc=site.loc)


def _absolute(_fc: FunctionContext, site: CallSite) -> Expr:
    value = site.args[0]
    if not isinstance(value.type, Scalar) or not isinstance(site.type, Scalar):
        raise refuse("GP1104", f"abs of {value.type}", site.loc)
    found = MathCall("abs", (value,), value.type, loc=site.loc)
    return found if value.type == site.type else Convert(found, site.type, True, loc=site.loc)


def _lanes_at(pointer: Expr, index: Expr, lanes: int, site: CallSite) -> list[Element]:
    assert isinstance(pointer.type, Pointer)
    elem = pointer.type.elem
    t = index.type
    if not isinstance(t, Scalar):
        raise refuse("GP1102", f"the index of {site.name}", site.loc)
    start = Binary("*", index, Const(lanes, t), t, loc=site.loc)
    return [
        Element(pointer, Binary("+", start, Const(i, t), t, loc=site.loc), elem, loc=site.loc) for i in range(lanes)
    ]


def _vload(lanes: int) -> Handler:
    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        if not isinstance(site.type, Vector):
            raise refuse("GP1104", site.name, site.loc)
        return MakeVector(tuple(_lanes_at(site.args[1], site.args[0], lanes, site)), site.type, loc=site.loc)

    return handle


def _vstore(lanes: int) -> Handler:
    def handle(fc: FunctionContext, site: CallSite) -> Stmt:
        from ...ir.nodes import Component, Declare, Var

        value = site.args[0]
        assert isinstance(value.type, Vector)
        name = fc.unique("stored")
        places = _lanes_at(site.args[2], site.args[1], lanes, site)
        held = Var(name, value.type, loc=site.loc)
        stores = [Assign(p, Component(held, i, value.type.elem), loc=site.loc) for i, p in enumerate(places)]
        return Block((Declare(name, value.type, value, loc=site.loc), *stores), loc=site.loc)

    return handle


def _work_item_fence(_fc: FunctionContext, site: CallSite) -> Stmt:
    scope = c.constant_int(site, 2)
    if scope > SCOPE_DEVICE:
        raise refuse("GP1104", f"{site.name} beyond the device", site.loc)
    return Fence(Scope.DEVICE if scope == SCOPE_DEVICE else Scope.GROUP, loc=site.loc)


def _atomic_load(_fc: FunctionContext, site: CallSite) -> Expr:
    pointer = site.args[0]
    t = pointer.type.elem if isinstance(pointer.type, Pointer) else None
    if not isinstance(t, Scalar) or t.is_float:
        raise refuse("GP1104", f"{site.name} of {pointer.type}", site.loc)
    return Atomic("or", pointer, Const(0, t), t, loc=site.loc)  # an atomic read that changes nothing


def _bpermute(fc: FunctionContext, site: CallSite) -> Expr:
    fc.uses_subgroup = True
    lane = Binary(">>", site.args[0], Const(2, I32), I32, loc=site.loc)
    return Shuffle("idx", site.args[1], lane, I32, 0, True, loc=site.loc)


def _calls() -> dict[str, Handler]:
    out: dict[str, Handler] = {
        "get_local_id": c.grid(Grid.THREAD, convert=U64), "get_group_id": c.grid(Grid.GROUP, convert=U64),
        "get_local_size": c.grid(Grid.GROUP_SIZE, convert=U64), "get_num_groups": c.grid(Grid.GRID_SIZE, convert=U64),
        "get_global_id": _global_id, "get_global_size": _global_size,
        "get_enqueued_local_size": c.grid(Grid.GROUP_SIZE, convert=U64),
        "get_global_offset": lambda _fc, site: Const(0, U64, loc=site.loc),
        "get_sub_group_local_id": c.grid(Grid.LANE), "get_sub_group_id": c.grid(Grid.SUBGROUP),
        "get_sub_group_size": c.grid(Grid.SUBGROUP_SIZE),
        "barrier": c.barrier(Scope.GROUP, FENCE_FLAGS), "work_group_barrier": c.barrier(Scope.GROUP, FENCE_FLAGS),
        "sub_group_barrier": c.barrier(Scope.SUBGROUP, FENCE_FLAGS),
        "__builtin_amdgcn_wave_barrier": c.barrier(Scope.SUBGROUP),
        "mem_fence": c.fence(Scope.GROUP), "read_mem_fence": c.fence(Scope.GROUP),
        "write_mem_fence": c.fence(Scope.GROUP), "prefetch": c.nothing, "atomic_work_item_fence": _work_item_fence,
        "__builtin_amdgcn_ds_bpermute": _bpermute,
        "__builtin_amdgcn_ballot_w32": c.vote("ballot", masked=False, width=0),
        "__builtin_amdgcn_ballot_w64": c.vote("ballot", masked=False, width=0),
        "sub_group_any": c.vote("any", masked=False, width=0), "sub_group_all": c.vote("all", masked=False, width=0),
        "abs": _absolute, "min": c.by_type("fmin", "min"), "max": c.by_type("fmax", "max"), "mul_hi": c.math("mulhi"),
        "popcount": c.math("popcount"), "clz": c.math("clz"), "native_powr": c.math("fast_pow"),
        "native_divide": c.math("fast_divide"), "native_sqrt": c.math("sqrt"), "native_rsqrt": c.math("rsqrt"),
        "native_recip": c.math("recip"),
    }  # fmt: skip
    for kind, name in {"idx": "", "xor": "_xor", "up": "_up", "down": "_down"}.items():
        out[f"sub_group_shuffle{name}"] = c.shuffle(kind, masked=False, undefined=True, width=0)
    for fn in C_NAMES:
        out[fn] = c.math(fn)
    for fn in ("exp", "exp2", "exp10", "log", "log2", "log10", "sin", "cos", "tan"):
        out[f"native_{fn}"] = c.math(f"fast_{fn}")
    for name, t in _SCALARS.items():
        out[f"as_{name}"] = c.bitcast(t)
        for suffix in ("", "_rtz"):
            out[f"convert_{name}{suffix}"] = c.convert_to(t)
    out["convert_half"] = c.convert_to(F16)
    out["as_uint2"] = lambda _fc, site: Bitcast(site.args[0], Vector(U32, 2), loc=site.loc)
    for op, name in {"add": "add", "sub": "sub", "exch": "xchg", "min": "min", "max": "max", "and": "and", "or": "or",
                     "xor": "xor", "cas": "cmpxchg"}.items():  # fmt: skip
        out[f"atomic_{name}"] = out[f"atom_{name}"] = c.atomic(op)
    for prefix in ("atomic", "atom"):
        out[f"{prefix}_inc"] = c.atomic("add", implied=1)
        out[f"{prefix}_dec"] = c.atomic("sub", implied=1)
    for op, name in {"add": "fetch_add", "sub": "fetch_sub", "min": "fetch_min", "max": "fetch_max", "and": "fetch_and",
                     "or": "fetch_or", "xor": "fetch_xor", "exch": "exchange"}.items():  # fmt: skip
        out[f"atomic_{name}"] = out[f"atomic_{name}_explicit"] = c.atomic(op)
    out["atomic_store"] = out["atomic_store_explicit"] = c.atomic("exch")
    out["atomic_init"] = c.store_through  # which is not atomic
    out["atomic_load"] = out["atomic_load_explicit"] = _atomic_load
    out |= common_calls()
    for lanes in (2, 3, 4, 8, 16):
        out[f"vload{lanes}"], out[f"vstore{lanes}"] = _vload(lanes), _vstore(lanes)
    return out


OPENCL = Language(
    name="opencl",
    calls=_calls(),
    variables={},
    default_space=Space.PRIVATE,
    header="gpuport_opencl.h",
    padded_vec3=True,
)


def read_opencl(
    path: Path, entry: str, *, defines: Mapping[str, str] | None = None, include_dirs: Sequence[Path] = ()
) -> tuple[Program, dict[str, int]]:
    """Read a kernel from an OpenCL C source file; gives and raises what `read_cuda` does."""
    header = Path(__file__).parent / "include" / "gpuport_opencl.h"
    flags = ["-x", "cl", "-cl-std=CL3.0", "-cl-no-stdinc", "-target", "spir64-unknown-unknown", "-include", str(header),
             "-Xclang", "-cl-ext=+all", "-Wno-error=incompatible-pointer-types"]  # fmt: skip
    source = Source(path, entry, dict(defines or {}), tuple(include_dirs))
    return read_entry(OPENCL, source, flags, ".cl", kernel_attribute="DeviceKernelAttr")


def read_opencl_text(text: str, entry: str, name: str) -> Program:
    """Read a kernel from OpenCL C text; `name` is what diagnostics call the file."""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / name
        path.write_text(text, encoding="utf-8")
        return read_opencl(path, entry)[0]
