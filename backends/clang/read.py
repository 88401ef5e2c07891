"""From a source file and an entry's name to a program: run clang, find the entry, lower it."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.diagnostics import Diagnostic, Refusal, Severity, refuse
from ...ir.nodes import Loc, Program
from .context import Language, Unit
from .host import without_host
from .records import Node
from .tool import Message, parse, without_collector
from .unit import lower_program

if TYPE_CHECKING:
    from collections.abc import Sequence

ENTRY = "gpuport_entry"


@dataclass(frozen=True)
class Source:
    """A source file, the kernel wanted from it, defines and include folders."""

    path: Path
    entry: str
    defines: dict[str, str]
    include_dirs: tuple[Path, ...] = ()


def read_entry(
    language: Language, source: Source, flags: Sequence[str], suffix: str, *, kernel_attribute: str
) -> tuple[Program, dict[str, int]]:
    """Read one kernel; see `read_cuda` for what it gives and raises."""
    with without_collector():
        return _read_entry(language, source, flags, suffix, kernel_attribute)


def _read_entry(
    language: Language, source: Source, flags: Sequence[str], suffix: str, kernel_attribute: str
) -> tuple[Program, dict[str, int]]:
    path = source.path.resolve()
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    unit_text = f'#include "{quoted}"\n'
    if suffix != ".cl":  # C++: an instantiation is asked for by taking its address
        unit_text += f"static const auto {ENTRY} = &({source.entry});\n"
    arguments = [
        *flags,
        "-I", str(path.parent),
        *(a for d in source.include_dirs for a in ("-I", str(d))),
        *(f"-D{k}={v}" for k, v in source.defines.items()),
    ]  # fmt: skip
    ast, messages = parse(unit_text, suffix, arguments, prune=language.name == "opencl")
    names = {str(path): source.path.name}
    left_out: tuple[str, ...] = ()
    if _own_errors(messages) and language.name in ("cuda", "hip"):
        with without_host(unit_text, suffix, arguments) as (overlay, left_out):
            ast, messages = parse(unit_text, suffix, [*arguments, *overlay])
    own = _own_errors(messages)
    if own:
        compile_errors = _compile_diagnostics(own, names)
        raise Refusal([*compile_errors, *_beside(language, source, ast, names, kernel_attribute, compile_errors)])
    entry_errors = [m for m in messages if m.severity == "error"]
    kernels = kernels_of(ast, kernel_attribute)
    if entry_errors:
        _refuse_entry(source, kernels, entry_errors)
    unit = Unit(language, ast, names)
    entry = _entry_declaration(unit, source, kernels, kernel_attribute)
    try:
        program = dataclasses.replace(lower_program(unit, entry), left_out=left_out)
        return program, template_values(unit, entry)
    except RecursionError:
        raise refuse("GP1109", f"{entry['name']} is nested too deeply", unit.loc(entry)) from None


def _own_errors(messages: Sequence[Message]) -> list[Message]:
    """Return the errors that are not about the unit's own line, which names the entry."""
    return [m for m in messages if m.severity == "error" and not Path(m.file).name.startswith("gpuport_unit")]


def _beside(
    language: Language, source: Source, ast: Node, names: dict[str, str], kernel_attribute: str,
    found: Sequence[Diagnostic],
) -> list[Diagnostic]:  # fmt: skip
    """Return what would be refused at other lines, were the source to compile, as far as clang's tree tells."""
    lines = {d.loc.line for d in found if d.loc is not None}
    try:
        unit = Unit(language, ast, names)
        lower_program(unit, _entry_declaration(unit, source, kernels_of(ast, kernel_attribute), kernel_attribute))
    except Refusal as refusal:
        return [
            d for d in refusal.diagnostics if d.loc is not None and d.loc.line not in lines and d.number[:4] == "GP11"
        ]
    except (RecursionError, LookupError, TypeError, AttributeError, ValueError, AssertionError):
        return []  # the tree of a source with errors lacks what lowering relies on
    return []


def _compile_diagnostics(messages: Sequence[Message], names: dict[str, str]) -> list[Diagnostic]:
    launches = [m for m in messages if m.text.startswith("kernel launch from __device__")]
    return [
        Diagnostic(
            "GP1102" if m in launches else "GP1001",
            "a kernel launch inside a kernel (dynamic parallelism) is not supported" if m in launches else m.text,
            Loc(names.get(m.file, m.file), m.line, m.col) if m.line else None,
            Severity.ERROR,
        )
        for m in messages
    ]


def kernels_of(ast: Node, kernel_attribute: str) -> list[str]:
    """Return the names of the kernels (templates too) in the user's source."""
    found: list[str] = []
    stack = [ast]
    while stack:
        node = stack.pop()
        for child in node.get("inner", ()):
            kind = child.get("kind")
            if kind in ("NamespaceDecl", "LinkageSpecDecl", "FunctionTemplateDecl"):
                stack.append(child)
            if kind == "FunctionDecl" and _is_kernel(child, kernel_attribute):
                found.append(child["name"])
    return sorted(set(found))


def _refuse_entry(source: Source, kernels: list[str], messages: Sequence[Message]) -> None:
    name = source.entry.split("<")[0].strip()
    plain = name.rsplit("::", 1)[-1]
    if plain not in kernels:
        raise _no_entry(source, kernels)
    first = messages[0].text
    raise refuse("GP1003", f"entry {source.entry!r}: {first}", Loc(source.path.name, 1))


def _no_entry(source: Source, kernels: list[str]) -> Refusal:
    name = source.entry.split("<")[0].strip()
    near = difflib.get_close_matches(name, kernels, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(kernels) if kernels else "none"
    return refuse("GP1002", f"no kernel {name!r} in {source.path.name}; kernels there: {listed}{hint}")


def _entry_declaration(unit: Unit, source: Source, kernels: list[str], kernel_attribute: str) -> Node:
    for decl in unit.decls.values():
        named = decl.get("kind") == "FunctionDecl" and decl.get("name") == source.entry
        if unit.language.name == "opencl" and named and _is_kernel(decl, kernel_attribute):
            return decl
        if decl.get("kind") == "VarDecl" and decl.get("name") == ENTRY:
            target = _first_function(decl)
            found = unit.decls.get(target.get("id", "")) if target else None
            if found is None:
                break
            if not _is_kernel(found, kernel_attribute):
                raise _no_entry(source, kernels)
            return found
    raise _no_entry(source, kernels)


def _is_kernel(decl: Node, kernel_attribute: str) -> bool:
    return any(c.get("kind") == kernel_attribute for c in decl.get("inner", ()))


def _first_function(node: Node) -> Node | None:
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") == "DeclRefExpr" and n["referencedDecl"]["kind"] == "FunctionDecl":
            return n["referencedDecl"]
        stack.extend(reversed(n.get("inner", [])))
    return None


def template_values(unit: Unit, entry: Node) -> dict[str, int]:
    """Return the integer template arguments of an instantiated entry, by the parameter's name."""
    arguments = [c for c in entry.get("inner", ()) if c.get("kind") == "TemplateArgument"]
    if not arguments:
        return {}
    for decl in unit.decls.values():
        if decl.get("kind") != "FunctionTemplateDecl" or not any(c.get("id") == entry["id"] for c in decl["inner"]):
            continue
        params = [
            c for c in decl["inner"] if c.get("kind", "").startswith(("TemplateType", "NonType", "TemplateTemplate"))
        ]
        return {
            p["name"]: int(a["value"])
            for p, a in zip(params, arguments, strict=False)
            if "value" in a and "name" in p and not isinstance(a["value"], bool)
        }
    return {}
