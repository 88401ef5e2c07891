"""Metal as IR: whole kernels, and the body-only form of `mx.fast.metal_kernel`.

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
    Convert,
    Declare,
    Expr,
    Fence,
    Grid,
    GridIndex,
    MakeVector,
    MathCall,
    Scope,
    Select,
    Unary,
    Var,
)
from ...ir.types import BOOL, F32, U32, Array, Pointer, Scalar, Space, Type, Vector, parse_dtype
from ...ir.walk import map_functions, rewrite_exprs, rewrite_stmts
from ..clang import handlers as c
from ..clang.context import CallSite, FunctionContext, Handler, Language
from ..clang.matrices import simdgroup, with_fills
from ..clang.objects import keep
from ..clang.operators import as_bool
from ..clang.read import Source, read_entry
from ..clang.tool import diagnose
from ..clang.types import parse_type
from ..opencl.builtins import clamp, common_calls, lane_by_lane
from ..opencl.reader import global_index
from .casts import with_casts
from .copies import with_copies
from .vectors import cast, make_vector, tested

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...ir.nodes import Function, Program, Stmt
    from ..base import KernelText
    from ..clang.context import Node, Unit

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


def _sincos(fc: FunctionContext, site: CallSite) -> Expr:
    """`sincos(x, c)`: gives the sine, and the cosine into a variable."""
    x, cosine = site.args
    if not isinstance(x.type, Scalar):
        raise refuse("GP1104", f"{site.name} of {x.type}", site.loc)
    sine = keep(fc, MathCall("sin", (x,), x.type, loc=site.loc), "sine", site.loc)
    fc.before.append(Assign(cosine, MathCall("cos", (x,), x.type, loc=site.loc), loc=site.loc))
    return sine


def _fract(a: tuple[Expr, ...], t: Scalar, _fc: FunctionContext) -> Expr:
    below = Binary("-", a[0], MathCall("floor", (a[0],), t), t)
    return MathCall(
        "fmin", (below, Const(1 - 2.0 ** (-11 if t.bits == 16 else -24), t)), t
    )  # the largest number under 1


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
        "gp_simd_size": c.grid(Grid.SUBGROUP_SIZE), "gp_simd_lane": c.grid(Grid.LANE), "sincos": _sincos,
        "divide": c.operator("/"), "gp_load": c.identity, "gp_cast": cast, "gp_store": _store,
    }  # fmt: skip
    out |= {
        name: handler
        for name, handler in common_calls().items()
        if not name.startswith(("as_", "convert_", "native_")) and name not in out
    }
    out["saturate"] = lane_by_lane(lambda a, t, fc: clamp((a[0], Const(0.0, t), Const(1.0, t)), t, fc))
    out["select"] = lane_by_lane(lambda a, t, _fc: Select(as_bool(a[2]), a[1], a[0], t))
    out["any"], out["all"] = tested("||"), tested("&&")
    out["fract"] = lane_by_lane(_fract)
    out["absdiff"], out["addsat"], out["subsat"] = out["abs_diff"], out["add_sat"], out["sub_sat"]
    out["atomic_thread_fence"] = _fence
    for op in ("add", "sub", "min", "max", "and", "or", "xor"):
        out[f"atomic_fetch_{op}_explicit"] = c.atomic(op)
    out["atomic_min_explicit"], out["atomic_max_explicit"] = c.atomic("min"), c.atomic("max")
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
            out[f"metal::gp_make_{base}{lanes}"] = make_vector
    out.update(simdgroup())
    return out


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
    attribute=lambda unit, node: _attribute(unit, node),
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


def _attribute(unit: Unit, node: Node) -> Expr | None:
    """What a parameter of a whole kernel stands for by its attribute, in its own type; None for an argument."""
    end = node.get("range", {}).get("end", {})
    end = end.get("expansionLoc", end)
    if "offset" not in end:
        return None
    behind = unit.text(end["file"])[end["offset"] + end["tokLen"] :][:200].decode(errors="replace")
    found = re.match(r"\s*\[\[\s*(\w+)\s*\]\]", behind)
    builtin = METAL.variables.get(found[1]) if found else None
    if builtin is None:
        return None
    t = parse_type(node["type"], unit.loc(node)).type
    if isinstance(t, Vector):
        lanes = [builtin(axis) for axis in range(t.lanes)]
        return MakeVector(tuple(e if t.elem == U32 else Convert(e, t.elem, True) for e in lanes), t)
    if not isinstance(t, Scalar):
        raise refuse("GP1103", f"the parameter {node.get('name')} of type {t}", unit.loc(node))
    return builtin(0) if t == U32 else Convert(builtin(0), t, True)


def read_metal(
    path: Path, entry: str, *, defines: Mapping[str, str] | None = None, include_dirs: Sequence[Path] = ()
) -> tuple[Program, dict[str, int]]:
    """Read a whole kernel from a Metal source file; gives and raises what `read_cuda` does.

    The parameters are the buffers, constants and threadgroup memory, in their order; what an attribute gives is none.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise refuse("GP1001", f"{path.name}: {error.strerror or error}") from None
    for name, written in re.findall(r'host_name\("([^"]+)"\)\s*\]\]\s*kernel\s+\w+\s+([^(;]+)[(;]', text):
        entry = written.strip() if entry == name else entry
    text = _as_cpp(text)
    flags = [*_flags(), '-Dkernel=__attribute__((annotate("kernel")))', "-I", str(path.resolve().parent)]
    given = [f"-D{k}={v}" for k, v in (defines or {}).items()] + [f"-I{d}" for d in include_dirs]
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        copy = Path(tmp) / path.name
        copy.write_text(_with_static(text, [*flags, *given], []), encoding="utf-8")
        source = Source(copy, entry, dict(defines or {}), tuple(include_dirs))
        program, values = read_entry(METAL, source, flags, ".metal.cpp", kernel_attribute="AnnotateAttr")
        return map_functions(program, with_fills), values


def _as_cpp(text: str) -> str:
    """Spell Metal's attributes so that our macros of the same names leave them alone; every line and column stays."""
    text = _as_clang(text)
    text = re.sub(r"\[\[\s*kernel\s*\]\]", lambda m: "kernel".center(len(m[0])), text)
    text = re.sub(r'\[\[\s*host_name\("[^"\n]*"\)\s*\]\]', lambda m: " " * len(m[0]), text)
    return re.sub(r"(\[\[\s*)threadgroup(?=\s*\()", r"\1gp_threads_", text)


def _as_clang(text: str) -> str:
    """Spell Metal's pragma on fused multiply-adds as clang does: as long, so that every column stays."""
    return re.sub(r"(#[ \t]*pragma[ \t]+)METAL(?=[ \t]+fp[ \t]+contract\b)", r"\1clang", text)


def _flags() -> list[str]:
    header = Path(__file__).parent / "include" / "gpuport_metal.h"
    return ["-x", "c++", "-std=c++17", "-Wno-unknown-attributes", "-Wno-reserved-user-defined-literal",
            "-include", str(header), "-isystem", str(header.parent)]  # fmt: skip


def read_metal_text(text: KernelText, name: str) -> Program:
    """Read a Metal kernel from its header and body; diagnostics call the file `name`, lines are those of the body."""
    flags = _flags()
    dynamic = [p.name for p in text.params if p.kind == "template"]
    function = f"kernel_{re.sub(r'[^A-Za-z0-9_]', '_', text.entry)}"
    opening = f"[[kernel]] void {function}({mlx_signature(text)}) {{\n"
    whole = f'{text.header}\n__attribute__((annotate("kernel"))) {opening}{text.source}\n}}\n'
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / name
        path.write_text(_with_static(_as_clang(whole), flags, dynamic), encoding="utf-8")
        defines = {d: str(DYNAMIC_BYTES) for d in dynamic}
        source = Source(path, function, defines)
        program, _ = read_entry(METAL, source, flags, ".metal.cpp", kernel_attribute="AnnotateAttr")
    program = map_functions(map_functions(program, with_fills), _dynamic_arrays)
    program = _writable(program, {p.spelled or p.name for p in text.params if p.in_place})
    kernel = program.kernel.__class__(text.entry, program.kernel.params, program.kernel.body, program.kernel.returns)
    return program.__class__(
        kernel, program.functions, program.constants, "metal", program.launch_bound, program.subgroup_width
    )


def _writable(program: Program, names: set[str]) -> Program:
    """Drop the const of the arguments that the kernel writes through, which MLX declares as inputs."""
    if not names:
        return program

    def free(t: Type) -> Type:
        return dataclasses.replace(t, const=False) if isinstance(t, Pointer) else t

    def use(e: Expr) -> Expr:
        return dataclasses.replace(e, type=free(e.type)) if isinstance(e, Var) and e.name in names else e

    kernel = program.kernel
    params = tuple(dataclasses.replace(p, type=free(p.type)) if p.name in names else p for p in kernel.params)
    changed = rewrite_exprs(dataclasses.replace(kernel, params=params), use)
    return dataclasses.replace(program, kernel=changed)


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
    messages = diagnose(text, ".metal.cpp", arguments) if "threadgroup" in text else ()
    lines = text.split("\n")
    for m in sorted(messages, key=lambda m: (m.line, m.col), reverse=True):
        if "automatic variable qualified with an" in m.text and 0 < m.line <= len(lines):
            line = lines[m.line - 1]
            at = line.rfind("threadgroup", 0, m.col)
            if at >= 0 and not line[:at].rstrip().endswith("static"):
                lines[m.line - 1] = f"{line[:at]}static {line[at:]}"
    return with_casts(with_copies("\n".join(lines), arguments), arguments)
