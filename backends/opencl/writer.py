"""Writing OpenCL C: the dialect as the device has it, the kernel's signature, the file around it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, Refusal, refuse
from ...ir.nodes import Grid, Scope
from ...ir.types import BOOL, Array, Pointer, Space, Vector
from ...ir.walk import walk
from ...templates import render
from ..base import KernelText, TextParam
from ..clike.emit import Emitted, emit, types_used
from ..clike.frame import buffer_params, header_lines
from ..clike.text import comment_block, wrap
from .dialect import (
    AMDGCN_BARRIER,
    AMDGCN_LANES,
    BARRIERS,
    DEVICE_FENCE_2,
    FENCES,
    INT64,
    KHR_BARRIER,
    KHR_LANES,
    LOCAL_LANES,
    OPENCL,
)

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ..clike.dialect import Dialect, LaneForm
    from ..clike.plan import WritePlan


def dialect_for(machine: Machine, block: tuple[int, int, int] | None) -> Dialect:
    """OpenCL C as this device has it: its types, its 64-bit atomics, and how its lanes exchange values."""
    scalars = dict(OPENCL.scalars)
    if machine.get("features.fp64", False):
        scalars["f64"] = "double"
    if machine.get("features.fp16", False):
        scalars["f16"] = "half"
    barriers, fences, atomics = dict(BARRIERS), dict(FENCES), OPENCL.atomics
    if machine.get("features.atomic_i64", "none") == "native":
        atomics = (*atomics, *INT64)
    lanes: LaneForm | None = None
    width = int(machine.get("execution.subgroup_width", 32))
    thread = thread_index(block)
    grid = dict(OPENCL.grid)
    match machine.get("features.opencl_shuffle", "none"):
        case "khr":
            lanes = dataclasses.replace(KHR_LANES, hardware_width=width)
            barriers[Scope.SUBGROUP] = KHR_BARRIER
            grid[Grid.LANE], grid[Grid.SUBGROUP] = "get_sub_group_local_id()", "get_sub_group_id()"
            fences[Scope.DEVICE] = DEVICE_FENCE_2
        case "amdgcn_bpermute":
            lanes = dataclasses.replace(AMDGCN_LANES, hardware_width=width)
            barriers[Scope.SUBGROUP] = AMDGCN_BARRIER
            fences[Scope.DEVICE] = DEVICE_FENCE_2
        case _:
            lanes = LOCAL_LANES
    if machine.get("features.opencl_device_fence", False):
        fences[Scope.DEVICE] = DEVICE_FENCE_2
    if Grid.LANE not in grid:
        grid[Grid.LANE], grid[Grid.SUBGROUP] = f"{thread} % {{width}}u", f"{thread} / {{width}}u"
    return dataclasses.replace(
        OPENCL, scalars=scalars, barriers=barriers, fences=fences, atomics=atomics, lanes=lanes, grid=grid
    )


def thread_index(block: tuple[int, int, int] | None) -> str:
    """The linear index of a thread in its group, x fastest, as a uint."""
    if block is not None and block[1] == block[2] == 1:
        return "(uint)get_local_id(0)"
    return "(uint)(get_local_id(0) + get_local_size(0) * (get_local_id(1) + get_local_size(1) * get_local_id(2)))"


def write(program: n.Program, machine: Machine, plan: WritePlan) -> KernelText:
    """Write a program as an OpenCL C file for a machine.

    Every pointer must have its address space. Where the machine has no subgroup shuffle, a program that shuffles or
    votes must have its lane scratch (`gp_lanes`) already. Raises Refusal with everything that cannot be written.
    """
    dialect = dialect_for(machine, plan.block)
    _check_scratch(program, dialect)
    threads = plan.block[0] * plan.block[1] * plan.block[2] if plan.block else 0
    context = {
        "thread": thread_index(plan.block),
        "threads": f"{threads}u" if threads else "get_local_size(0) * get_local_size(1) * get_local_size(2)",
        "hardware_width": dialect.lanes.hardware_width if dialect.lanes is not None else 0,
    }
    emitted = emit(program, dialect, machine, plan, context=context)
    kernel = emitted.program.kernel
    parameters, params = _parameters(program.kernel, kernel, emitted, dialect, plan)
    attribute = (
        "" if plan.block is None else f"__attribute__((reqd_work_group_size({', '.join(map(str, plan.block))})))"
    )
    signature = [*([f"__kernel {attribute}"] if attribute else []), *_signature(plan.entry, parameters, not attribute)]
    used = types_used(program)
    extensions = [e for t, e in (("f64", "cl_khr_fp64"), ("f16", "cl_khr_fp16")) if t in used]
    source = render(
        "dialects/opencl/kernel.cl.j2",
        machine=machine,
        header=header_lines(program, machine, plan, emitted, "OpenCL C"),
        extensions=[*extensions, *emitted.extensions],
        constants=emitted.constants,
        helpers=emitted.helpers,
        functions=emitted.functions,
        comments=comment_block(kernel.comments, ""),
        signature=signature,
        body=emitted.body,
    )
    # subgroup functions came with 2.0, fences across groups with 2.0 and as an option in 3.0; all take 1.2
    fenced = any(isinstance(x, n.Fence) and x.scope is Scope.DEVICE for f in program.all_functions for x in walk(f))
    version = "CL2.0" if dialect.lanes is not LOCAL_LANES else "CL3.0" if fenced else "CL1.2"
    return KernelText("opencl", plan.entry, source, params, options=(f"-cl-std={version}",))


def _check_scratch(program: n.Program, dialect: Dialect) -> None:
    if dialect.lanes is None or not dialect.lanes.lane_scratch:
        return
    for f in (*program.functions, program.kernel):
        lanes = [x for x in walk(f) if isinstance(x, n.Shuffle | n.Vote)]
        has = any(isinstance(x, n.Declare | n.Param) and x.name == "gp_lanes" for x in walk(f))
        if lanes and not has:
            raise refuse("GP2006", f"{f.name} exchanges lanes and has no scratch memory gp_lanes for it", lanes[0].loc)


def _parameters(
    original: n.Function, kernel: n.Function, emitted: Emitted, dialect: Dialect, plan: WritePlan
) -> tuple[list[str], tuple[TextParam, ...]]:
    from ..clike.declare import Types

    types = Types(dialect)
    texts: list[str] = []
    problems: list[Diagnostic] = []
    for p in kernel.params:
        types.loc = p.loc or kernel.loc
        t = p.type
        try:
            if isinstance(t, Pointer) and (
                isinstance(t.elem, Pointer) or t.space not in (Space.GLOBAL, Space.CONSTANT)
            ):
                raise refuse("GP2009", f"{p.name}: a kernel argument {t}", types.loc)
            if isinstance(t, Vector) and t.lanes == 3:
                raise refuse("GP2009", f"{p.name}: a 3-vector by value is padded in OpenCL", types.loc)
            if t == BOOL:
                texts.append(f"uchar {p.name}")
            else:
                texts.append(types.declaration(t, p.name))
        except Refusal as refusal:
            problems += refusal.diagnostics
    if problems:
        raise Refusal(problems)
    params = list(buffer_params(original, emitted, plan))
    if emitted.dynamic is not None and isinstance(emitted.dynamic.type, Array):
        elem = emitted.dynamic.type.elem
        if isinstance(elem, Array):
            raise refuse(
                "GP2010", f"{emitted.dynamic.name}: dynamic shared memory of several dimensions", emitted.dynamic.loc
            )
        texts.append(types.declaration(Pointer(elem, Space.SHARED), emitted.dynamic.name))
        params.append(TextParam(emitted.dynamic.name, "local", str(elem)))
    return texts, tuple(params)


def _signature(entry: str, parameters: list[str], kernel_word: bool) -> list[str]:
    return wrap(f"{'__kernel ' if kernel_word else ''}void {entry}({', '.join(parameters)}) {{")
