"""Writing Metal for `mx.fast.metal_kernel`: MLX makes the signature, so a body and a header are written.

MLX (mlx/backend/common/metal_kernel.cpp) makes `const device T*` of an input with 8 elements or more, `constant T&` of
a 0-d one, and adds each attribute, and each `NAME_shape`, `NAME_strides` and `NAME_ndim`, whose name occurs in the
body.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, Refusal, refuse
from ...ir.types import Pointer, Space, Struct, Type, Vector, buffer_scalar
from ...ir.walk import walk
from ...templates import render
from ..base import KernelText, TextParam
from ..clike.declare import Types
from ..clike.emit import Emitted, emit
from ..clike.frame import buffer_params, header_lines
from ..clike.names import declared, fresh, rename
from ..clike.text import comment_block
from .dialect import FLOAT_ATOMICS, INTEGER_ATOMICS, METAL, WIDE_ATOMICS

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ..clike.dialect import Dialect
    from ..clike.plan import WritePlan

SHARED_BYTES = "SHARED_BYTES"
"""The integer template argument that receives the launch's dynamic shared memory, bytes."""


def dialect_for(machine: Machine) -> Dialect:
    """Metal as this device has it: float atomics on device memory are native, or compared and exchanged."""
    lanes = METAL.lanes
    if lanes is not None:
        width = int(machine.get("execution.subgroup_width", 32))
        lanes = dataclasses.replace(lanes, hardware_width=width)
    native = machine.get("features.atomic_f32_global", "none") == "native"
    atomics = METAL.atomics if native else (*INTEGER_ATOMICS, FLOAT_ATOMICS)
    if machine.get("features.atomic_i64", "none") in ("minmax", "native"):
        atomics = (*atomics, WIDE_ATOMICS)
    return dataclasses.replace(METAL, atomics=atomics, lanes=lanes)


def write(program: n.Program, machine: Machine, plan: WritePlan) -> KernelText:
    """Write a program as the body and the header of a Metal kernel for MLX.

    Every pointer must have its address space. The host passes each scalar as a 0-d array, each `in` buffer with at
    least 8 elements, and SHARED_BYTES as a template argument where the program has dynamic shared memory. Raises
    Refusal with everything that cannot be written.
    """
    dialect = dialect_for(machine)
    inputs = [p.name for p in program.kernel.params]
    mlx = {f"{name}_{what}" for name in inputs for what in ("shape", "strides", "ndim")}
    prepared, aliases = _alias_parameters(program, plan, dialect)
    emitted = emit(prepared, dialect, machine, plan, forbidden=mlx, dynamic_size=SHARED_BYTES)
    params = list(buffer_params(program.kernel, emitted, plan))
    if emitted.dynamic is not None:
        params.append(TextParam(SHARED_BYTES, "template", "i32"))
    types = Types(dialect)
    spelled = {p.name: p.spelled or p.name for p in params}
    written = zip(program.kernel.params, emitted.program.kernel.params, strict=False)
    elems = {p.name: q.type.elem for p, q in written if isinstance(q.type, Pointer)}  # structs may have new names
    prologue = [
        _prologue(
            alias, spelled[name], dataclasses.replace(t, elem=elems[name]) if isinstance(t, Pointer) else t, types
        )
        for name, (alias, t) in aliases.items()
    ]
    header = render(
        "dialects/metal/header.metal.j2",
        machine=machine,
        header=header_lines(program, machine, plan, emitted, "Metal for MLX"),
        unfused=dialect.unfused if emitted.rounded else "",
        constants=emitted.constants,
        helpers=emitted.helpers,
        functions=emitted.functions,
    )
    source = render(
        "dialects/metal/body.metal.j2",
        machine=machine,
        comments=comment_block(program.kernel.comments, "    "),
        signature=_signature(plan, emitted, params, types),
        prologue=[f"    {line}" for line in prologue],
        body=emitted.body,
    )
    return KernelText("metal", plan.entry, source, tuple(params), header=header)


def _alias_parameters(
    program: n.Program, plan: WritePlan, dialect: Dialect
) -> tuple[n.Program, dict[str, tuple[str, Type]]]:
    """Give another name in the body to the parameters that MLX declares with another type than the kernel's.

    These are buffers of vectors (MLX has their scalars), `in` buffers that the source does not declare const, and
    scalars that the kernel assigns to (MLX passes them by reference to constant memory).
    """
    kernel = program.kernel
    problems: list[Diagnostic] = []
    taken = set(declared(kernel)) | {c.name for c in program.constants} | dialect.reserved
    aliases: dict[str, tuple[str, Type]] = {}
    assigned = _assigned(kernel)
    for p in kernel.params:
        t, loc = p.type, p.loc or kernel.loc
        if isinstance(t, Pointer):
            if isinstance(t.elem, Pointer) or t.space not in (Space.GLOBAL, Space.CONSTANT):
                problems.append(Diagnostic("GP2009", f"{p.name}: a kernel argument {t}", loc))
                continue
            reads = plan.roles.get(p.name) in ("in", "null") or p.name in plan.in_place
            if isinstance(t.elem, Vector):
                aliases[p.name] = (fresh(f"{p.name}{t.elem.lanes}", taken), t)
            elif isinstance(t.elem, Struct):
                aliases[p.name] = (fresh(f"{p.name}_", taken), t)
            elif (reads and not t.const) or t.volatile or t.space is Space.CONSTANT:
                aliases[p.name] = (fresh(f"{p.name}_", taken), dataclasses.replace(t, space=Space.GLOBAL))
        elif isinstance(t, Vector):
            aliases[p.name] = (fresh(f"{p.name}{t.lanes}", taken), t)
        elif p.name in assigned:
            aliases[p.name] = (fresh(f"{p.name}_", taken), t)
        if p.name in aliases:
            taken.add(aliases[p.name][0])
    if problems:
        raise Refusal(problems)
    mapping = {name: alias for name, (alias, _) in aliases.items()}
    body = tuple(rename(s, mapping) for s in kernel.body)
    return dataclasses.replace(program, kernel=dataclasses.replace(kernel, body=body)), aliases  # pyright: ignore[reportArgumentType]


def _assigned(kernel: n.Function) -> set[str]:
    """The variables that the kernel assigns to or takes the address of."""
    names: set[str] = set()
    for x in walk(kernel):
        target = x.target if isinstance(x, n.Assign) else x.memory if isinstance(x, n.AddressOf) else None
        while isinstance(target, n.Component | n.Field):
            target = target.base
        if isinstance(target, n.Var):
            names.add(target.name)
    return names


def _prologue(alias: str, name: str, t: Type, types: Types) -> str:
    declaration = types.declaration(t, alias)
    if isinstance(t, Vector):  # an array of its components
        return f"{declaration} = {types.name(t)}({', '.join(f'{name}[{i}]' for i in range(t.lanes))});"
    return f"{declaration} = ({types.name(t)}){name};" if isinstance(t, Pointer) else f"{declaration} = {name};"


def _signature(plan: WritePlan, emitted: Emitted, params: list[TextParam], types: Types) -> list[str]:
    """The parameters as MLX declares them, for the reader of the body."""
    kernel = emitted.program.kernel
    texts: list[str] = []
    for p, text in zip(kernel.params, params, strict=False):
        t = p.type
        types.loc = p.loc
        if isinstance(t, Pointer):
            elem = t.elem.elem if isinstance(t.elem, Vector) else t.elem
            elem = buffer_scalar(elem) if isinstance(elem, Struct) else elem
            if isinstance(elem, Pointer):
                raise refuse("GP2009", f"{p.name}: a kernel argument {t}", p.loc)
            const = "const " if text.is_input else ""
            texts.append(f"{const}device {types.name(elem)}* {p.name}")
        else:
            part = t.elem if isinstance(t, Vector) else t
            texts.append(f"const constant {types.name(part)}{'*' if isinstance(t, Vector) else '&'} {p.name}")
    return comment_block([f"MLX declares: {', '.join(texts)}"], "    ")
