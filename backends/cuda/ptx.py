"""Inline PTX in common use, by its exact text; from the PTX ISA. What is not here is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Assign,
    Barrier,
    Binary,
    Bitcast,
    Block,
    Call,
    Const,
    Convert,
    Deref,
    Expr,
    Fence,
    Grid,
    GridIndex,
    If,
    MathCall,
    Scope,
    Stmt,
    Unary,
)
from ...ir.types import F32, I32, U32, U64, Pointer, Scalar
from ..clang.constants import fold
from ..clang.copies import SIZES, copy
from ..clang.operators import as_bool

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clang.assembly import Instruction
    from ..clang.context import FunctionContext

    Lower = Callable[[FunctionContext, Instruction], Expr | Stmt | None]


def _lane(fc: FunctionContext) -> Expr:
    fc.uses_subgroup = True
    return GridIndex(Grid.LANE)


def _lane_mask(kind: str) -> Lower:
    """%lanemask_lt and its sisters: the lanes below, up to, from, above and at this one."""

    def lower(fc: FunctionContext, i: Instruction) -> Expr:
        own = Binary("<<", Const(1, U32), _lane(fc), U32, loc=i.loc)
        below = Binary("-", own, Const(1, U32), U32, loc=i.loc)
        match kind:
            case "eq":
                return own
            case "lt":
                return below
            case "le":
                return Binary("|", below, own, U32, loc=i.loc)
            case "ge":
                return Unary("~", below, U32, loc=i.loc)
            case _:
                return Unary("~", Binary("|", below, own, U32), U32, loc=i.loc)

    return lower


def _math(fn: str, t: Scalar) -> Lower:
    def lower(_fc: FunctionContext, i: Instruction) -> Expr:
        return MathCall(fn, tuple(_as(a, t) for a in i.inputs), t, loc=i.loc)

    return lower


def _as(e: Expr, t: Scalar) -> Expr:
    if e.type == t:
        return e
    same_size = isinstance(e.type, Scalar) and e.type.size == t.size
    return Bitcast(e, t) if same_size and isinstance(e.type, Scalar) and e.type.is_float else Convert(e, t, True)


def _call(name: str, t: Scalar) -> Lower:
    """A function of our header, on words."""

    def lower(fc: FunctionContext, i: Instruction) -> Expr:
        from ..clang.unit import lower_device_function

        for decl in fc.unit.decls.values():
            if decl.get("kind") == "FunctionDecl" and decl.get("name") == name:
                f = lower_device_function(fc, decl, i.loc)
                pairs = zip(i.inputs, f.params, strict=True)
                args = tuple(_as(a, p.type) for a, p in pairs if isinstance(p.type, Scalar))
                result = Call(f.name, args, f.returns, loc=i.loc)
                return result if f.returns == t else Convert(result, t, True, loc=i.loc)
        raise refuse("GP1101", f"inline assembly without {name}", i.loc)

    return lower


def _operator(op: str, t: Scalar) -> Lower:
    return lambda _fc, i: Binary(op, _as(i.inputs[0], t), _as(i.inputs[1], t), t, loc=i.loc)


def _load(fc: FunctionContext, i: Instruction) -> Expr:
    del fc
    pointer = i.inputs[0]
    if not isinstance(pointer.type, Pointer) or i.output is None or pointer.type.elem != i.output.type:
        raise refuse("GP1101", "inline assembly that loads another type than its pointer's", i.loc)
    return Deref(pointer, pointer.type.elem, loc=i.loc)


def _store(fc: FunctionContext, i: Instruction) -> Stmt:
    del fc
    pointer, value = i.inputs
    if not isinstance(pointer.type, Pointer) or pointer.type.elem != value.type:
        raise refuse("GP1101", "inline assembly that stores another type than its pointer's", i.loc)
    return Assign(Deref(pointer, pointer.type.elem, loc=i.loc), value, loc=i.loc)


def _copy(size: int | None, predicate: bool = False) -> Lower:
    """cp.async: the places, the size where it is an operand, how many bytes are read of it where that is one."""

    def lower(fc: FunctionContext, i: Instruction) -> Stmt:
        inputs = list(i.inputs)
        cond = as_bool(inputs.pop(0)) if predicate else None
        to, source = inputs[:2]
        rest = inputs[2:]
        known = size if size is not None else fold(rest.pop(0))
        if not isinstance(known, int):
            raise refuse("GP1101", "inline assembly: cp.async of a size that is no constant", i.loc)
        stmts = copy(fc, to, source, known, rest[0] if rest else None, i.loc)
        return If(cond, tuple(stmts), loc=i.loc) if cond is not None else Block(tuple(stmts), loc=i.loc)

    return lower


def _copies() -> dict[str, Lower]:
    out: dict[str, Lower] = {}
    hints = ("", ".L2::64B", ".L2::128B", ".L2::256B")
    for text in (f"cp.async.{cache}.shared.global{hint}" for cache in ("ca", "cg") for hint in hints):
        for size in SIZES:
            out[f"{text} [%0], [%1], {size}"] = out[f"{text} [%0], [%1], {size}, %2"] = _copy(size)
        out[f"{text} [%0], [%1], %2"] = out[f"{text} [%0], [%1], %2, %3"] = _copy(None)
        out[f".reg .pred p; setp.ne.b32 p, %0, 0; @p {text} [%1], [%2], %3"] = _copy(None, predicate=True)
    for text in ("cp.async.commit_group", "cp.async.wait_all", "cp.async.wait_group %0"):
        out[text] = lambda _fc, _i: None
    for prior in range(8):
        out[f"cp.async.wait_group {prior}"] = lambda _fc, _i: None
    return out


def _refused(why: str) -> Lower:
    def lower(_fc: FunctionContext, i: Instruction) -> None:
        raise refuse("GP1101", f"inline assembly: {why}", i.loc)

    return lower


def _table() -> dict[str, Lower]:
    out: dict[str, Lower] = {
        "": lambda _fc, _i: None,
        "mov.u32 %0, %laneid": lambda fc, _i: _lane(fc),
        "mov.s32 %0, %laneid": lambda fc, _i: Convert(_lane(fc), I32, True),
        "bar.sync 0": lambda _fc, i: Barrier(Scope.GROUP, loc=i.loc),
        "barrier.sync 0": lambda _fc, i: Barrier(Scope.GROUP, loc=i.loc),
        "membar.gl": lambda _fc, i: Fence(Scope.DEVICE, loc=i.loc),
        "membar.cta": lambda _fc, i: Fence(Scope.GROUP, loc=i.loc),
        "fma.rn.f32 %0, %1, %2, %3": _math("fma", F32),
        "popc.b32 %0, %1": _math("popcount", U32), "brev.b32 %0, %1": _math("brev", U32),
        "mul.hi.u32 %0, %1, %2": _math("mulhi", U32), "mul.hi.s32 %0, %1, %2": _math("mulhi", I32),
        "mul.hi.u64 %0, %1, %2": _math("mulhi", U64), "mul.lo.u32 %0, %1, %2": _operator("*", U32),
        "add.u32 %0, %1, %2": _operator("+", U32), "add.s32 %0, %1, %2": _operator("+", I32),
        "and.b32 %0, %1, %2": _operator("&", U32), "or.b32 %0, %1, %2": _operator("|", U32),
        "xor.b32 %0, %1, %2": _operator("^", U32), "add.f32 %0, %1, %2": _operator("+", F32),
        "mul.f32 %0, %1, %2": _operator("*", F32),
        "bfe.u32 %0, %1, %2, %3": _call("gp_bfe_u32", U32), "bfe.s32 %0, %1, %2, %3": _call("gp_bfe_s32", I32),
        "bfi.b32 %0, %1, %2, %3, %4": _call("gp_bfi_b32", U32), "prmt.b32 %0, %1, %2, %3": _call("gp_prmt_b32", U32),
        "lop3.b32 %0, %1, %2, %3, %4": _call("gp_lop3_b32", U32), "bfind.u32 %0, %1": _call("gp_bfind_u32", U32),
        "shf.l.wrap.b32 %0, %1, %2, %3": _call("__funnelshift_l", U32),
        "shf.r.wrap.b32 %0, %1, %2, %3": _call("__funnelshift_r", U32),
        "shf.l.clamp.b32 %0, %1, %2, %3": _call("__funnelshift_lc", U32),
        "shf.r.clamp.b32 %0, %1, %2, %3": _call("__funnelshift_rc", U32),
        "prefetch.global.L1 [%0]": lambda _fc, _i: None, "prefetch.global.L2 [%0]": lambda _fc, _i: None,
    }  # fmt: skip
    out |= _copies()
    for kind in ("eq", "lt", "le", "ge", "gt"):
        out[f"mov.u32 %0, %lanemask_{kind}"] = _lane_mask(kind)
    for ftz in ("", ".ftz"):
        for ptx, fn in {"ex2": "fast_exp2", "lg2": "fast_log2", "sin": "fast_sin", "cos": "fast_cos", "rsqrt": "rsqrt",
                        "sqrt": "sqrt", "rcp": "recip"}.items():  # fmt: skip
            out[f"{ptx}.approx{ftz}.f32 %0, %1"] = _math(fn, F32)
    out["tanh.approx.f32 %0, %1"] = _math("tanh", F32)
    for types in ("f32", "s32", "u32", "b32", "f64", "u64", "s64"):
        for hint in ("", ".nc", ".cs", ".cg", ".ca", ".lu", ".nc.L1::no_allocate"):
            out[f"ld.global{hint}.{types} %0, [%1]"] = _load
        for hint in ("", ".cs", ".cg", ".wt", ".wb"):
            out[f"st.global{hint}.{types} [%0], %1"] = _store
    for register in ("smid", "warpid", "nsmid", "gridid"):
        out[f"mov.u32 %0, %{register}"] = _refused(f"%{register}, which no other device has")
    for register in ("clock", "clock_hi"):
        out[f"mov.u32 %0, %{register}"] = _refused("a clock of one device")
    for register in ("clock64", "globaltimer"):
        out[f"mov.u64 %0, %{register}"] = _refused("a clock of one device")
    return out


PTX = _table()
