"""From a program to the pieces of a text: constants, helpers, functions, the kernel's body."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...ir import nodes as n
from ...ir.analysis.buffers import buffer_uses
from ...ir.analysis.exactness import has_loose_products, rounds_by_itself
from ...ir.analysis.overwrites import overwritten_across_barriers
from ...ir.analysis.views import shared_alignment
from ...ir.diagnostics import Diagnostic, Refusal
from ...ir.rewrites.retype import program_structs
from ...ir.types import Array, Pointer, Scalar, Space, Struct, Type, Vector, leaves, scalar_of
from ...ir.walk import map_functions, rewrite_stmts, walk
from .declare import Types
from .expressions import Expressions
from .helpers import Helpers
from .literals import literal
from .names import definable, legal_names
from .shared import Placed, is_dynamic, keep_shared, place_shared
from .statements import Statements
from .structs import definition, legal_structs
from .tables import place_tables, table_definition
from .text import comment_block, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...hwmodels import Machine
    from .dialect import Dialect
    from .plan import WritePlan

_LARGEST_GROUP = 1 << 16
_LARGEST_GRID = (1 << 31) - 1


@dataclass(frozen=True)
class Emitted:
    """The pieces of a text, each as lines without a trailing newline.

    `program` is what was printed (renamed, shared memory placed); `renamed` the kernel parameters under a new name.
    """

    program: n.Program
    constants: list[str]
    helpers: list[str]
    functions: list[str]
    body: list[str]
    notes: tuple[Diagnostic, ...]
    renamed: dict[str, str]
    dynamic: n.Declare | None
    extensions: tuple[str, ...]
    types_used: frozenset[str]
    rounded: bool


def emit(
    program: n.Program,
    dialect: Dialect,
    machine: Machine,
    plan: WritePlan,
    *,
    forbidden: Iterable[str] = (),
    dynamic_size: str = "",
    depth: int = 1,
    context: dict[str, Any] | None = None,
) -> Emitted:
    """Print a program's pieces in a dialect; raises Refusal with everything that the dialect cannot say.

    `forbidden` are further names that the author's must not have, `dynamic_size` spells the size of dynamic shared
    memory where the text declares it (else it is a parameter), `context` goes to the helper templates.
    """
    program, struct_notes = legal_structs(program, dialect, (f.name for f in program.functions))
    structs = program_structs(program)
    program, renamed, notes = legal_names(program, dialect, [*forbidden, *(s.name for s in structs)])
    program, tables = place_tables(program)
    alignment = shared_alignment(program)
    if dialect.extern_shared:
        placed = keep_shared(program)
    else:
        placed = place_shared(program, alignment=0 if dynamic_size else alignment)
    program = placed.program
    helpers = Helpers(machine=machine, block=plan.block, **(context or {}))
    constants = definable(program, dialect)
    used = {x.name for f in (*program.functions, program.kernel) for x in walk(f) if isinstance(x, n.Const) and x.name}
    width = program.subgroup_width or int(machine.get("execution.subgroup_width", 32))
    expressions = Expressions(
        dialect,
        helpers,
        constants=constants,
        extras={},
        functions={f.name: f for f in program.functions},
        subgroup_width=width,
        loose=has_loose_products(program),
        bounds={n.Grid.THREAD: _LARGEST_GROUP - 1, n.Grid.GROUP_SIZE: _LARGEST_GROUP, n.Grid.GROUP: _LARGEST_GRID},
    )
    memory = dialect.ordered_memory[exchanges_global(program)]
    problems: list[Diagnostic] = []
    texts: list[str] = []
    uses: dict[str, tuple[str, ...]] = {}
    for f in program.functions:
        statements = Statements(expressions, plan.diagnostics, dynamic_size, memory, alignment)
        _enter(expressions, f.name, placed, uses)
        body = statements.body(f.body, 1)
        uses[f.name] = tuple(expressions.attributes)
        head = _function_head(f, dialect, placed, uses, problems)
        texts.append("\n".join([*comment_block(f.comments, ""), *head, *body, "}"]))
        problems += statements.problems
    statements = Statements(expressions, plan.diagnostics, dynamic_size, memory, alignment)
    _enter(expressions, "", placed, uses)
    kernel_body: list[n.Stmt] = list(program.kernel.body)
    if placed.dynamic is not None and dynamic_size:
        kernel_body.insert(0, dataclasses.replace(placed.dynamic, comments=(), trailing=None))
    body = statements.body(kernel_body, depth)
    problems += statements.problems
    for d in placed.at_file_scope:
        texts.insert(0, "\n".join(Statements(expressions, (), "", memory, alignment).statement(d, 0)))
    definitions: list[str] = []
    for s in structs:
        if s.fragment is not None:
            continue
        try:
            definitions.append(definition(s, Types(dialect)))
        except Refusal as refusal:
            problems += refusal.diagnostics
    _enter(expressions, "", placed, uses)
    data: list[str] = []
    for t in tables:
        try:
            data += table_definition(t, expressions)
        except Refusal as refusal:
            problems += refusal.diagnostics
    if problems:
        raise Refusal(dict.fromkeys(problems))
    defines = [
        line for c in constants.values() if c.name in used for line in [f"#define {c.name} {_definition(c, dialect)}"]
    ] + data
    return Emitted(
        program,
        defines,
        [*definitions, *helpers.texts()],
        texts,
        body,
        (*struct_notes, *notes),
        renamed,
        placed.dynamic,
        tuple(helpers.extensions),
        types_used(program),
        rounds_by_itself(program),
    )


def exchanges_global(program: n.Program) -> bool:
    """Tell whether threads may read or overwrite global memory that others wrote, so that a barrier has to order it.

    Atomics whose result nobody takes read nothing in this sense.
    """

    def blind(s: n.Stmt) -> tuple[n.Stmt, ...]:
        if isinstance(s, n.Evaluate) and isinstance(s.value, n.Atomic):
            a = s.value
            return tuple(n.Evaluate(x) for x in (a.pointer, a.value, a.expected) if x is not None)
        return (s,)

    seen = map_functions(program, lambda f: dataclasses.replace(f, body=rewrite_stmts(f.body, blind)))
    written = buffer_uses(program)
    read_back = any(use.read and written[name].written for name, use in buffer_uses(seen).items())
    return read_back or bool(overwritten_across_barriers(program))


def types_used(program: n.Program) -> frozenset[str]:
    """The names of all scalar types that a program's variables and expressions have."""
    found: set[str] = set()
    for f in (*program.functions, program.kernel):
        for x in walk(f):
            t = getattr(x, "type", None)
            while isinstance(t, Pointer | Array | Vector):
                t = t.elem
            if isinstance(t, Scalar):
                found.add(t.name)
            elif isinstance(t, Struct):
                found.update(scalar_of(leaf).name for m in t.members for _, leaf in leaves(m.type))
    return frozenset(found)


def _enter(expressions: Expressions, function: str, placed: Placed, uses: dict[str, tuple[str, ...]]) -> None:
    """Set what a function's text calls the things that come from the kernel."""
    scalars = {d.name for needs in placed.needs.values() for d in needs if not isinstance(d.type, Array)}
    expressions.references = frozenset(scalars) if function else frozenset()
    expressions.attributes = {}
    expressions.extras = {
        f: [("&" if not function and d.name in scalars else "") + d.name for d in needs]
        for f, needs in placed.needs.items()
    }
    expressions.passed_attributes = uses


def _function_head(
    f: n.Function, dialect: Dialect, placed: Placed, uses: dict[str, tuple[str, ...]], problems: list[Diagnostic]
) -> list[str]:
    types = Types(dialect)
    types.loc = f.loc
    try:
        params = [types.declaration(p.type, p.name) for p in f.params]
        params += [_shared_parameter(d, types, dialect) for d in placed.needs[f.name]]
        params += [f"{'uint3' if 'simdgroup' not in a else 'uint'} {a}" for a in uses[f.name]]
        returns = types.name(f.returns)
    except Refusal as refusal:
        problems += [Diagnostic(d.number, d.message, d.loc or f.loc) for d in refusal.diagnostics]
        return []
    return wrap(f"{dialect.function_prefix}{returns} {f.name}({', '.join(params)}) {{")


def _shared_parameter(d: n.Declare, types: Types, dialect: Dialect) -> str:
    if is_dynamic(d) and isinstance(d.type, Array):
        elem = d.type.elem
        if isinstance(elem, Array):
            raise TypeError("dynamic shared memory of more than one dimension")
        return types.declaration(Pointer(elem, Space.SHARED), d.name)
    if not isinstance(d.type, Array):
        return types.declaration(Pointer(_value(d.type), Space.SHARED), d.name)
    if not isinstance(d.type.elem, Array):
        return types.declaration(Pointer(d.type.elem, Space.SHARED), d.name)
    # rows of an array: the first dimension is the pointer's
    first = f"{d.name}[{d.type.length}]"
    return types.declaration(d.type, d.name, space=Space.SHARED).replace(first, f"(*{d.name})", 1)


def _value(t: Type) -> Scalar | Vector | Struct:
    if not isinstance(t, Scalar | Vector | Struct):
        raise TypeError(f"a shared variable of type {t}")
    return t


def _definition(c: n.NamedConstant, dialect: Dialect) -> str:
    text = literal(c.value, c.type, dialect)
    return f"({text})" if text.startswith("-") else text
