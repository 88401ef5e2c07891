"""The translator: reads the source, fits it to the destination, writes it in the destination's language."""

from __future__ import annotations

import dataclasses
from functools import reduce
from typing import TYPE_CHECKING

from ..backends.clike.plan import WritePlan
from ..backends.clike.wrapper import WrapperArg, WrapperSize, host_wrapper
from ..backends.readers import read_source
from ..hwmodels.errors import GpuportError
from ..ir.diagnostics import Diagnostic, Refusal
from ..ir.rewrites.nulls import resolve_nulls
from ..ir.types import Pointer
from .candidate import Candidate, SourceProgram
from .decisions import Decision
from .metal_body import is_body, read_body
from .spec.expressions import Expression
from .specialise import alternatives, fits, rechosen, specialise
from .specialise.mlx import updated_in_place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..backends.base import KernelText, Launch
    from ..hwmodels import Machine
    from ..ir.nodes import Function, Program
    from .spec import Kernel
    from .specialise.task import Doubles, Language

# what is written; a machine gets the first of these that it runs
WRITERS: tuple[Language, ...] = ("cuda", "hip", "metal", "opencl")


class NoWriter(GpuportError):
    """gpuport writes no language that the destination runs."""


def language_for(machine: Machine, wanted: str | None = None) -> Language:
    """Return the language to write for a machine: `wanted`, or the first that gpuport writes and the machine runs.

    Raises NoWriter where the machine does not run `wanted`, or nothing that gpuport writes.
    """
    for api in WRITERS:
        if api in machine.apis and wanted in (None, api):
            return api
    runs = f"{machine.id} runs {', '.join(machine.apis) or 'nothing known'}"
    if wanted is not None:
        raise NoWriter(f"{runs}: no {wanted} is written for it")
    raise NoWriter(f"{runs}; gpuport writes {', '.join(WRITERS)}")


def read_kernel(kernel: Kernel) -> SourceProgram:
    """Read a kernel's source and check the spec against its parameters. Raises Refusal, SpecError."""
    program, values = _read(kernel, kernel.model.entry, kernel.model.defines)
    _check_state(kernel, program.kernel)
    kernel.check_parameters(program.kernel.params)
    return SourceProgram(kernel, program, _constants(kernel, program, values))


def _check_state(kernel: Kernel, function: Function) -> None:
    """Refuse (GP1107) global variables that the kernel writes and the spec does not name: they outlive a launch."""
    found: list[Diagnostic] = []
    for p in function.params[len(kernel.args) :]:
        before = p.loc is not None and function.loc is not None and p.loc.line < function.loc.line
        if before and p.name not in kernel.args and isinstance(p.type, Pointer) and not p.type.const:
            message = f"the kernel writes the global variable {p.name}, which keeps its value between launches"
            found.append(Diagnostic("GP1107", f"{message}: give it in [args] with the role inout", p.loc))
    if found:
        raise Refusal(found)


def _read(kernel: Kernel, entry: str, defines: Mapping[str, str]) -> tuple[Program, dict[str, int]]:
    if is_body(kernel):
        return read_body(kernel, defines), {}
    program, values = read_source(
        kernel.source,
        entry,
        language=kernel.model.language,
        defines=defines,
        include_dirs=[kernel.folder / d for d in kernel.model.include_dirs],
    )
    return resolve_nulls(program, [name for name, arg in kernel.args.items() if arg.role == "null"]), values


def _constants(kernel: Kernel, program: Program, values: Mapping[str, int]) -> dict[str, int]:
    named = {c.name: int(c.value) for c in program.constants if isinstance(c.value, int)}
    return {**named, **kernel.integer_defines(), **values}


def translate(
    source: SourceProgram, src: Machine, dst: Machine, *, language: str | None = None, fp64: Doubles = ""
) -> list[Candidate]:
    """Return the translation for a destination, in `language` if one is named, else in that of its vendor.

    `fp64`: what f64 becomes where the destination has none; empty refuses it.

    Raises Refusal with everything that stands in its way, NoWriter where the destination does not run `language`.
    """
    language = language_for(dst, language)
    chosen, decisions = choose(source, dst, language)
    launches = launches_of(chosen)
    block, largest = _blocks(launches)
    kernel = source.kernel
    special = specialise(
        chosen.program,
        src,
        dst,
        language=language,
        block=block,
        max_block=largest,
        shared_bytes=max(launch.shared_bytes for launch in launches),
        roles=kernel.roles,
        inits={n: a.init for n, a in kernel.args.items() if a.is_buffer},
        fp64=fp64,
    )
    decisions = (*_left_out(source.program), *decisions, *special.decisions)
    text = _write(kernel, special.program, dst, language, block, decisions, special.diagnostics)
    text = dataclasses.replace(text, fp64=special.held)
    return [Candidate(text, chosen.constants, decisions, special.diagnostics)]


def _left_out(program: Program) -> tuple[Decision, ...]:
    why = "this host code does not compile with gpuport's headers, and the kernel compiles without it"
    return (Decision(f"not read: {'; '.join(program.left_out)}", why),) if program.left_out else ()


def launches_of(source: SourceProgram) -> list[Launch]:
    """Return the launches of all sizes."""
    return [source.kernel.launch(sizes, source.constants) for sizes in source.kernel.size_sets()]


def _blocks(launches: Sequence[Launch]) -> tuple[tuple[int, int, int] | None, tuple[int, int, int]]:
    blocks = {launch.block for launch in launches}
    largest = reduce(lambda a, b: (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])), blocks)
    return (next(iter(blocks)) if len(blocks) == 1 else None), largest


def choose(source: SourceProgram, dst: Machine, language: Language) -> tuple[SourceProgram, tuple[Decision, ...]]:
    """Return the source with the constants that fit the destination, the author's if they do.

    Only integers that the launch expressions mention, as template arguments of the entry or as defines of the spec, are
    changed, and only to smaller powers of two. Raises Refusal with the numbers if nothing fits.
    """
    problems = _problems(source, dst, language)
    if not problems:
        return source, ()
    kernel = source.kernel
    tied = kernel.launch_names() & changeable(kernel, source).keys()
    for values in alternatives(source.constants, tied):
        try:
            other = with_constants(source, {n: values[n] for n in tied})
        except Refusal:
            continue  # a static_assert, or a specialisation that is not there
        if any(other.constants.get(n) != values[n] for n in tied) or _problems(other, dst, language):
            continue
        return other, (rechosen(source.constants, other.constants, problems),)
    if tied:
        raise Refusal(problems)
    named = ", ".join(sorted(changeable(kernel, source))) or "none"
    hint = f"nothing can be re-chosen: the launch names no template parameter or define ({named} could be named there)"
    raise Refusal([dataclasses.replace(problems[0], message=f"{problems[0].message}; {hint}"), *problems[1:]])


def _problems(source: SourceProgram, dst: Machine, language: Language) -> list[Diagnostic]:
    found: dict[Diagnostic, None] = {}
    for launch in launches_of(source):
        found.update(dict.fromkeys(fits(source.program, dst, launch.block, launch.shared_bytes, language)))
    return list(found)


def changeable(kernel: Kernel, source: SourceProgram) -> dict[str, int]:
    """Return the integers that can be set from outside: the entry's template arguments and the spec's defines."""
    template = _template_names(kernel.model.entry, source)
    return {**kernel.integer_defines(), **{n: source.constants[n] for n in template}}


def _template_names(entry: str, source: SourceProgram) -> list[str]:
    """Return the names of the entry's integer template parameters, in the order of their arguments."""
    _, values = _read(source.kernel, entry, source.kernel.model.defines)
    return list(values)


def with_constants(source: SourceProgram, values: Mapping[str, int]) -> SourceProgram:
    """Read the source again with other template arguments and defines."""
    kernel = source.kernel
    names = _template_names(kernel.model.entry, source)
    entry = replace_arguments(kernel.model.entry, {i: values[n] for i, n in enumerate(names) if n in values})
    defines = {**kernel.model.defines, **{n: str(v) for n, v in values.items() if n in kernel.model.defines}}
    program, found = _read(kernel, entry, defines)
    constants = {**_constants(kernel, program, found), **{n: int(v) for n, v in defines.items() if n in values}}
    return SourceProgram(kernel, program, constants)


def replace_arguments(entry: str, values: Mapping[int, int]) -> str:
    """Replace integer template arguments of an entry, counted from 0 among the integer ones."""
    head, bracket, rest = entry.partition("<")
    if not bracket:
        return entry
    parts, depth = [""], 0
    for c in rest.rpartition(">")[0]:
        depth += (c in "<(") - (c in ">)")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    count = 0
    for i, part in enumerate(parts):
        try:
            int(part.strip(), 0)
        except ValueError:
            continue
        if count in values:
            parts[i] = part.replace(part.strip(), str(values[count]))
        count += 1
    return f"{head}<{','.join(parts)}>"


def _write(
    kernel: Kernel,
    program: Program,
    dst: Machine,
    language: Language,
    block: tuple[int, int, int] | None,
    decisions: tuple[Decision, ...],
    diagnostics: tuple[Diagnostic, ...],
) -> KernelText:
    plan = WritePlan(
        entry=kernel.name,
        roles={n: a.role or "in" for n, a in kernel.args.items() if a.is_buffer},
        block=block,
        title=kernel.source.name,
        decisions=tuple(d.what for d in decisions),
        diagnostics=diagnostics,
        in_place=updated_in_place(kernel.roles, {n: a.init for n, a in kernel.args.items()}, language),
    )
    match language:
        case "cuda":
            from ..backends.cuda.writer import write
        case "hip":
            from ..backends.hip.writer import write
        case "metal":
            from ..backends.metal.writer import write
        case "opencl":
            from ..backends.opencl.writer import write
    return write(program, dst, plan)


def wrapper_for(kernel: Kernel, candidate: Candidate, dst: Machine, kernel_file: str) -> str:
    """Return the host wrapper's source: a Python module with a function named after the kernel."""

    def python(e: Expression) -> str:
        return e.to_python(lambda n: n if n in kernel.model.sizes else str(candidate.constants[n]))

    args: list[WrapperArg] = []
    for name, arg in kernel.args.items():
        if arg.is_buffer:
            shape = tuple(python(e) for e in arg.shape or ())
            args.append(WrapperArg(name, "buffer", str(arg.dtype), shape, arg.role, None, arg.init))
        else:
            value = python(arg.value) if isinstance(arg.value, Expression) else repr(arg.value)
            args.append(WrapperArg(name, "scalar", str(arg.dtype), value=value))
    launch = kernel.model.launch
    ones = ("1", "1")
    return host_wrapper(
        candidate.text,
        dst,
        name=kernel.name,
        kernel_file=kernel_file,
        args=args,
        sizes=_inferred_sizes(kernel),
        grid=(*map(python, launch.grid), *ones)[:3],
        block=(*map(python, launch.block), *ones)[:3],
        shared=python(launch.shared),
    )


def _inferred_sizes(kernel: Kernel) -> list[WrapperSize]:
    """Say where each size comes from: axes of input arrays that are that size alone; none makes it a keyword."""
    given = {n: a for n, a in kernel.args.items() if a.role == "in" or (a.role == "inout" and a.init is None)}
    return [
        WrapperSize(
            size, tuple((n, axis) for n, a in given.items() for axis, e in enumerate(a.shape or ()) if e.text == size)
        )
        for size in kernel.model.sizes
    ]
