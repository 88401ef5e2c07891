"""Metal, in the body-only form of `mx.fast.metal_kernel`, as IR.

The function around the body is the one that MLX generates (mlx/backend/common/metal_kernel.cpp): inputs are
`const device T*`, scalars `const constant T&`, outputs `device T*`, and an attribute is a parameter when its name
occurs in the body.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.mathlib import C_NAMES
from ...ir.nodes import (
    Assign,
    Atomic,
    Binary,
    Const,
    Declare,
    Expr,
    Fence,
    Grid,
    GridIndex,
    Scope,
    Unary,
    Var,
)
from ...ir.types import BOOL, F32, U32, Array, Pointer, Scalar, Space, Vector, parse_dtype
from ...ir.walk import map_functions, rewrite_exprs, rewrite_stmts
from ..clang import handlers as c
from ..clang.context import CallSite, FunctionContext, Handler, Language
from ..clang.matrices import simdgroup, with_fills
from ..clang.read import Source, read_entry
from ..clang.tool import parse
from ..opencl.reader import global_index
from .copies import with_copies

if TYPE_CHECKING:
    from ...ir.nodes import Function, Program, Stmt
    from ..base import KernelText

MSL_TYPES = {"bool": "bool", "i8": "int8_t", "u8": "uint8_t", "i16": "int16_t", "u16": "uint16_t", "i32": "int",
             "u32": "uint", "i64": "int64_t", "u64": "uint64_t", "f16": "float16_t", "bf16": "bfloat16_t",
             "f32": "float"}  # fmt: skip

# the attributes that MLX adds when their name occurs in the source, with the type that it gives them
ATTRIBUTES: dict[str, str] = {
    "thread_position_in_grid": "uint3", "thread_position_in_threadgroup": "uint3",
    "threadgroup_position_in_grid": "uint3", "threadgroups_per_grid": "uint3", "threads_per_threadgroup": "uint3",
    "threads_per_grid": "uint3", "thread_index_in_threadgroup": "uint", "thread_index_in_simdgroup": "uint",
    "simdgroup_index_in_threadgroup": "uint", "threads_per_simdgroup": "uint",
}  # fmt: skip

# stands for the launch's shared memory while the text is read: an array of just this size is the dynamic one
DYNAMIC_BYTES = 1 << 30


def _linear_index(_axis: int) -> Expr:
    x, y, z = (GridIndex(Grid.THREAD, a) for a in range(3))
    sx, sy = GridIndex(Grid.GROUP_SIZE, 0), GridIndex(Grid.GROUP_SIZE, 1)
    plane = Binary("+", y, Binary("*", sy, z, U32), U32)
    return Binary("+", x, Binary("*", sx, plane, U32), U32)


def _total(axis: int) -> Expr:
    return Binary("*", GridIndex(Grid.GRID_SIZE, axis), GridIndex(Grid.GROUP_SIZE, axis), U32)


def _as_type(_fc: FunctionContext, site: CallSite) -> Expr:
    if not isinstance(site.type, Scalar | Vector):
        raise refuse("GP1104", f"as_type to {site.type}", site.loc)
    return c.bitcast(site.type)(_fc, site)  # pyright: ignore[reportReturnType]


def _compare_exchange(fc: FunctionContext, site: CallSite) -> Expr:
    """Lower the weak compare-exchange: it never fails spuriously here, which it may on the device."""
    pointer, expected_at, desired = site.args[:3]
    if not isinstance(pointer.type, Pointer) or not isinstance(pointer.type.elem, Scalar):
        raise refuse("GP1104", f"{site.name} on {pointer.type}", site.loc)
    t = pointer.type.elem
    from ...ir.nodes import AddressOf, Deref

    expected: Expr = expected_at.memory if isinstance(expected_at, AddressOf) else Deref(expected_at, t, loc=site.loc)
    wanted, old = fc.unique("wanted"), fc.unique("old")
    fc.before.append(Declare(wanted, t, expected, loc=site.loc))
    swap = Atomic("cas", pointer, desired, t, Var(wanted, t), loc=site.loc)
    fc.before.append(Declare(old, t, swap, loc=site.loc))
    fc.before.append(Assign(expected, Var(old, t), loc=site.loc))
    bits = {F32: U32}.get(t, t)
    sides = [Var(n, t) if bits == t else _bits(Var(n, t), bits) for n in (old, wanted)]
    return Binary("==", sides[0], sides[1], BOOL, loc=site.loc)


def _bits(value: Expr, to: Scalar) -> Expr:
    from ...ir.nodes import Bitcast

    return Bitcast(value, to)


def _atomic_load(_fc: FunctionContext, site: CallSite) -> Expr:
    pointer = site.args[0]
    assert isinstance(pointer.type, Pointer)
    t = pointer.type.elem
    assert isinstance(t, Scalar)
    if t.is_float:
        raise refuse("GP1104", f"{site.name} of a float", site.loc)
    return Atomic("or", pointer, Const(0, t), t, loc=site.loc)  # an atomic read that changes nothing


# mem_device and mem_threadgroup of our header
FENCE_FLAGS = {1: Space.GLOBAL, 2: Space.SHARED}


def _fence(_fc: FunctionContext, site: CallSite) -> Stmt:
    return Fence(Scope.DEVICE, loc=site.loc)


def _ctz(fc: FunctionContext, site: CallSite) -> Expr | Stmt:
    """Trailing zeros: how many bits the lowest set bit has below it; the width for 0."""
    x = site.args[0]
    if not isinstance(x, Var) or not isinstance(x.type, Scalar):
        raise refuse("GP1104", "ctz of what is not a scalar variable", site.loc)
    lowest = Binary("&", x, Unary("-", x, x.type), x.type)
    below = Binary("-", lowest, Const(1, x.type), x.type)
    return c.math("popcount")(fc, dataclasses.replace(site, args=(below,)))


def _store(_fc: FunctionContext, site: CallSite) -> Expr | Stmt:
    """A copy of a struct into another address space."""
    return Assign(site.args[0], site.args[1], loc=site.loc)


def _calls() -> dict[str, Handler]:
    out: dict[str, Handler] = {
        "operator|": c.operator("|"), "simd_ballot": c.vote("ballot", masked=False, width=0),
        "threadgroup_barrier": c.barrier(Scope.GROUP, FENCE_FLAGS),
        "simdgroup_barrier": c.barrier(Scope.SUBGROUP, FENCE_FLAGS),
        "atomic_thread_fence": _fence, "as_type": _as_type, "simd_any": c.vote("any", masked=False, width=0),
        "simd_all": c.vote("all", masked=False, width=0), "min": c.by_type("fmin", "min"),
        "max": c.by_type("fmax", "max"), "abs": c.by_type("fabs", "abs"), "mulhi": c.math("mulhi"),
        "popcount": c.math("popcount"), "clz": c.math("clz"), "reverse_bits": c.math("brev"), "ctz": _ctz,
        "atomic_compare_exchange_weak_explicit": _compare_exchange, "atomic_load_explicit": _atomic_load,
        "atomic_exchange_explicit": c.atomic("exch"), "atomic_store_explicit": c.atomic("exch"),
        "divide": c.operator("/"), "gp_load": c.identity, "gp_store": _store,
    }  # fmt: skip
    for op in ("add", "sub", "min", "max", "and", "or", "xor"):
        out[f"atomic_fetch_{op}_explicit"] = c.atomic(op)
    for kind, name in {"idx": "", "xor": "_xor", "up": "_up", "down": "_down"}.items():
        out[f"simd_shuffle{name}"] = c.shuffle(kind, masked=False, undefined=True, width=0)
    for fn in C_NAMES:
        out[fn] = out[f"precise::{fn}"] = c.math(fn)
    for fn in ("exp", "exp2", "exp10", "log", "log2", "log10", "sin", "cos", "tan", "pow", "divide"):
        out[f"fast::{fn}"] = c.math(f"fast_{fn}")
    out["precise::powr"] = out["precise::pow"]
    out = {f"metal::{name}": handler for name, handler in out.items()}
    for base in ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "float", "half", "bfloat"):
        for lanes in (2, 3, 4):
            out[f"metal::gp_make_{base}{lanes}"] = _make_vector
    out.update(simdgroup())
    return out


def _make_vector(fc: FunctionContext, site: CallSite) -> Expr:
    from ...ir.nodes import MakeVector
    from ...ir.types import Vector

    if isinstance(site.type, Vector) and len(site.args) == 1:
        return MakeVector((c.coerce(site.args[0], site.type.elem),) * site.type.lanes, site.type, loc=site.loc)
    return c.make_vector(fc, site)  # pyright: ignore[reportReturnType]


METAL = Language(
    name="metal",
    calls=_calls(),
    variables={
        "thread_position_in_threadgroup": lambda a: GridIndex(Grid.THREAD, a),
        "threadgroup_position_in_grid": lambda a: GridIndex(Grid.GROUP, a),
        "threads_per_threadgroup": lambda a: GridIndex(Grid.GROUP_SIZE, a),
        "threadgroups_per_grid": lambda a: GridIndex(Grid.GRID_SIZE, a),
        "thread_position_in_grid": lambda a: global_index(a, U32),
        "threads_per_grid": _total,
        "thread_index_in_threadgroup": _linear_index,
        "thread_index_in_simdgroup": lambda _a: GridIndex(Grid.LANE),
        "simdgroup_index_in_threadgroup": lambda _a: GridIndex(Grid.SUBGROUP),
        "threads_per_simdgroup": lambda _a: GridIndex(Grid.SUBGROUP_SIZE),
    },
    default_space=Space.PRIVATE,
    header="gpuport_metal.h",
    padded_vec3=True,
)


def mlx_signature(text: KernelText) -> str:
    """Return the parameter list that MLX generates for a kernel (without buffer numbers)."""
    parts: list[str] = []
    for p in text.params:
        if p.kind in ("buffer", "scalar"):
            scalar = parse_dtype(p.dtype)
            base = MSL_TYPES.get(str(scalar if isinstance(scalar, Scalar) else scalar.elem))
            if base is None:
                raise refuse("GP2005", f"argument {p.name} of type {p.dtype} on Metal")
            if p.kind == "scalar":
                sign = "&" if isinstance(scalar, Scalar) else "*"
                parts.append(f"const constant {base}{sign} {p.spelled or p.name}")
            else:
                parts.append(f"{'const ' if p.is_input else ''}device {base}* {p.spelled or p.name}")
    found = [a for a in ATTRIBUTES if re.search(rf"\b{a}\b", text.source)]
    parts += [f"{ATTRIBUTES[a]} {a} [[{a}]]" for a in found]
    return ", ".join(parts)


def read_metal_text(text: KernelText, name: str) -> Program:
    """Read a Metal kernel from its header and body; diagnostics call the file `name`, lines are those of the body."""
    header = Path(__file__).parent / "include" / "gpuport_metal.h"
    flags = [
        "-x",
        "c++",
        "-std=c++17",
        "-Wno-unknown-attributes",
        "-Wno-reserved-user-defined-literal",
        "-include",
        str(header),
        "-isystem",
        str(header.parent),
    ]
    dynamic = [p.name for p in text.params if p.kind == "template"]
    function = f"kernel_{re.sub(r'[^A-Za-z0-9_]', '_', text.entry)}"
    opening = f"[[kernel]] void {function}({mlx_signature(text)}) {{\n"
    whole = f'{text.header}\n__attribute__((annotate("kernel"))) {opening}{text.source}\n}}\n'
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / name
        path.write_text(_with_static(whole, flags, dynamic), encoding="utf-8")
        defines = {d: str(DYNAMIC_BYTES) for d in dynamic}
        source = Source(path, function, defines)
        program, _ = read_entry(METAL, source, flags, ".metal.cpp", kernel_attribute="AnnotateAttr")
    program = map_functions(map_functions(program, with_fills), _dynamic_arrays)
    kernel = program.kernel.__class__(text.entry, program.kernel.params, program.kernel.body, program.kernel.returns)
    return program.__class__(
        kernel, program.functions, program.constants, "metal", program.launch_bound, program.subgroup_width
    )


def _dynamic_arrays(function: Function) -> Function:
    """Turn the array of DYNAMIC_BYTES into the launch's dynamic shared memory (length 0)."""
    import dataclasses

    names: dict[str, Array] = {}

    def declare(s: Stmt) -> list[Stmt]:
        if (
            isinstance(s, Declare)
            and s.space is Space.SHARED
            and isinstance(s.type, Array)
            and s.type.size == DYNAMIC_BYTES
        ):
            names[s.name] = Array(s.type.elem, 0)
            return [dataclasses.replace(s, type=names[s.name])]
        return [s]

    body = rewrite_stmts(function.body, declare)
    function = dataclasses.replace(function, body=body)
    if not names:
        return function
    return rewrite_exprs(
        function, lambda e: Var(e.name, names[e.name], loc=e.loc) if isinstance(e, Var) and e.name in names else e
    )


def _with_static(text: str, flags: list[str], dynamic: list[str]) -> str:
    """Put `static` before threadgroup variables, which C++ wants of a variable in another address space.

    clang's own diagnostic says where they are.
    """
    arguments = [*flags, *(f"-D{d}={DYNAMIC_BYTES}" for d in dynamic)]
    _, messages = parse(text, ".metal.cpp", arguments)
    lines = text.split("\n")
    for m in sorted(messages, key=lambda m: (m.line, m.col), reverse=True):
        if "automatic variable qualified with an" in m.text and 0 < m.line <= len(lines):
            line = lines[m.line - 1]
            at = line.rfind("threadgroup", 0, m.col)
            if at >= 0 and not line[:at].rstrip().endswith("static"):
                lines[m.line - 1] = f"{line[:at]}static {line[at:]}"
    return with_copies("\n".join(lines), arguments)
