"""Shared memory where the destination allows it: declared by the kernel, handed to the functions that use it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.types import U16, U32, U64, Array, Pointer, Space, Type, Vector, alignment_of, flat_elem
from ...ir.walk import map_functions, rewrite_stmts, walk
from .names import declared, fresh, rename

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Placed:
    """A program whose shared variables are all declared at the kernel's top level.

    `needs` has, per device function, the shared variables that it uses and the kernel declares for it. `dynamic` is the
    launch's shared memory (an array of length 0), which the kernel declares too, if there is one; `at_file_scope` are
    declarations of it that stand before all functions.
    """

    program: n.Program
    needs: dict[str, tuple[n.Declare, ...]]
    dynamic: n.Declare | None
    at_file_scope: tuple[n.Declare, ...] = ()


def place_shared(program: n.Program, alignment: int = 0) -> Placed:
    """Move every shared declaration to the kernel's top level; names that would clash get a number.

    alignment: bytes that the launch's shared memory must be aligned to, where its element decides that.
    """
    taken = set(declared(program.kernel)) | {f.name for f in program.functions} | {c.name for c in program.constants}
    functions: list[n.Function] = []
    needs: dict[str, tuple[n.Declare, ...]] = {}
    moved: list[n.Declare] = []
    dynamic: list[n.Declare] = []
    for f in program.functions:
        own = [s for s in walk(f) if isinstance(s, n.Declare) and s.space is Space.SHARED]
        mapping: dict[str, str] = {}
        mine: list[n.Declare] = []
        for s in own:
            name = s.name
            if is_dynamic(s):
                same = [d for d in dynamic if d.name == s.name and d.type == s.type]
                if not same:
                    name = _unless_kernels(s, program.kernel, taken)
                    dynamic.append(dataclasses.replace(s, name=name))
            else:
                name = fresh(s.name, taken)
                moved.append(dataclasses.replace(s, name=name))
            taken.add(name)
            mapping[s.name] = name
            mine.append(dataclasses.replace(s, name=name))
        body = rewrite_stmts(f.body, lambda s: () if isinstance(s, n.Declare) and s.space is Space.SHARED else (s,))
        g = rename(dataclasses.replace(f, body=body), mapping)
        assert isinstance(g, n.Function)
        functions.append(g)
        needs[f.name] = tuple(mine)
    kernel, own_dynamic = _hoist(program.kernel, taken)
    dynamic = _distinct([*own_dynamic, *dynamic])
    # the widest element first: it decides the alignment of the memory that the others are views of
    dynamic.sort(key=lambda d: -_elem_size(d.type))
    if dynamic and alignment > alignment_of(dynamic[0].type):
        words = Array({2: U16, 4: U32, 8: U64}.get(alignment, Vector(U32, 4)), 0)
        name = fresh(f"{dynamic[0].name}_words", taken)
        dynamic.insert(0, n.Declare(name, words, space=Space.SHARED, loc=dynamic[0].loc))
    views = [_view(d, dynamic[0]) for d in dynamic[1:]]
    body = (*(dataclasses.replace(m, comments=(), trailing=None) for m in moved), *views, *kernel.body)
    kernel = dataclasses.replace(kernel, body=body)
    new = dataclasses.replace(program, kernel=kernel, functions=tuple(functions))
    return Placed(new, _transitive(new, needs), dynamic[0] if dynamic else None)


def keep_shared(program: n.Program) -> Placed:
    """Leave shared memory where it is, for languages in which device functions may declare it.

    Declarations of the launch's shared memory all begin at its start; those of one name and several types get a number,
    for they are one variable to a C++ compiler. They stand at file scope if a device function has one: in the kernel,
    which is extern "C", and in the function they would be two variables of one name.
    """
    taken = {name for f in (*program.functions, program.kernel) for name in declared(f)}
    types: dict[str, Type] = {}

    def numbered(f: n.Function) -> n.Function:
        mapping: dict[str, str] = {}
        for s in walk(f):
            if isinstance(s, n.Declare) and is_dynamic(s) and types.setdefault(s.name, s.type) != s.type:
                mapping[s.name] = fresh(s.name, taken)
                taken.add(mapping[s.name])
                types[mapping[s.name]] = s.type
        g = rename(f, mapping) if mapping else f
        assert isinstance(g, n.Function)
        return g

    kernel = numbered(program.kernel)
    functions = tuple(numbered(f) for f in program.functions)
    new = dataclasses.replace(program, kernel=kernel, functions=functions)
    at_file_scope: dict[str, n.Declare] = {}
    if any(is_dynamic(s) for f in functions for s in walk(f) if isinstance(s, n.Declare)):
        every = [s for f in (*functions, kernel) for s in walk(f) if isinstance(s, n.Declare) and is_dynamic(s)]
        at_file_scope = {s.name: s for s in reversed(every)}
        new = map_functions(
            new, lambda f: dataclasses.replace(f, body=rewrite_stmts(f.body, lambda s: () if is_dynamic(s) else (s,)))
        )
    return Placed(new, {f.name: () for f in functions}, None, tuple(at_file_scope.values()))


def is_dynamic(s: n.Stmt) -> bool:
    """Tell whether a statement declares the launch's shared memory."""
    return isinstance(s, n.Declare) and s.space is Space.SHARED and isinstance(s.type, Array) and s.type.length == 0


def _elem_size(t: Type) -> int:
    elem = flat_elem(t)
    return 8 if isinstance(elem, Pointer) else elem.size if not isinstance(elem, Array) else 0


def _unless_kernels(s: n.Declare, kernel: n.Function, taken: set[str]) -> str:
    same = any(isinstance(k, n.Declare) and is_dynamic(k) and k.name == s.name for k in walk(kernel))
    return s.name if same else fresh(s.name, taken)


def _distinct(declares: Sequence[n.Declare]) -> list[n.Declare]:
    return list({d.name: d for d in declares}.values())


def _view(d: n.Declare, base: n.Declare) -> n.Declare:
    if not isinstance(d.type, Array) or isinstance(d.type.elem, Array):
        raise TypeError("dynamic shared memory of more than one dimension")
    pointer = Pointer(d.type.elem, Space.SHARED)
    array = n.Decay(n.Var(base.name, base.type), Pointer(flat_elem(base.type), Space.SHARED))  # pyright: ignore[reportArgumentType]
    return n.Declare(d.name, pointer, n.PointerCast(array, pointer), comments=d.comments, loc=d.loc)


def _hoist(kernel: n.Function, taken: set[str]) -> tuple[n.Function, list[n.Declare]]:
    dynamic: list[n.Declare] = []
    names = declared(kernel)
    body: list[n.Stmt] = []
    pending: tuple[str, ...] = ()

    def nested(stmts: tuple[n.Stmt, ...], out: list[n.Declare]) -> tuple[n.Stmt, ...]:
        kept: list[n.Stmt] = []
        mapping: dict[str, str] = {}
        for s in stmts:
            if isinstance(s, n.Declare) and s.space is Space.SHARED:
                if is_dynamic(s):
                    dynamic.append(s)
                    continue
                name = s.name if names.count(s.name) == 1 else fresh(s.name, taken)
                taken.add(name)
                mapping[s.name] = name
                out.append(dataclasses.replace(s, name=name))
                continue
            t = inner(s, out)
            kept.append(rename(t, mapping) if mapping else t)  # pyright: ignore[reportArgumentType]
        return tuple(kept)

    def inner(s: n.Stmt, out: list[n.Declare]) -> n.Stmt:
        match s:
            case n.If():
                return dataclasses.replace(s, then=nested(s.then, out), other=nested(s.other, out))
            case n.For() | n.While() | n.Block():
                return dataclasses.replace(s, body=nested(s.body, out))
            case _:
                return s

    for s in kernel.body:
        if is_dynamic(s) and isinstance(s, n.Declare):
            dynamic.append(s)
            pending += s.comments
            continue
        out: list[n.Declare] = []
        t = inner(s, out)
        body.extend(out)
        body.append(dataclasses.replace(t, comments=pending + t.comments) if pending else t)
        pending = ()
    return dataclasses.replace(kernel, body=tuple(body)), dynamic


def _transitive(program: n.Program, own: dict[str, tuple[n.Declare, ...]]) -> dict[str, tuple[n.Declare, ...]]:
    needs: dict[str, tuple[n.Declare, ...]] = {}
    for f in program.functions:
        all_of = {d.name: d for d in own.get(f.name, ())}
        for x in walk(f):
            if isinstance(x, n.Call):
                all_of.update({d.name: d for d in needs.get(x.function, ())})
        needs[f.name] = tuple(all_of.values())
    return needs
