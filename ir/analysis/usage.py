"""What a program uses: shared memory, names, types, and what it does to each buffer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .. import nodes as n
from ..types import Array, Pointer, Scalar, Space, Type, Vector, scalar_of
from ..walk import walk


@dataclass(frozen=True, slots=True)
class SharedUse:
    """Shared memory of a group: bytes of the arrays of known size, and whether there is one sized at launch.

    `static` lays the variables out in the order of the program, each at its CUDA alignment; a compiler may do better.
    """

    static: int
    dynamic: bool
    variables: tuple[n.Declare, ...]


@dataclass(slots=True)
class BufferUse:
    """What a kernel does to the memory behind one pointer parameter."""

    read: bool = False
    written: bool = False
    atomics: set[tuple[str, Scalar]] = field(default_factory=set[tuple[str, Scalar]])


def alignment(t: Type) -> int:
    """Return CUDA's alignment of a type, bytes (CUDA C++ Programming Guide, built-in vector types)."""
    if isinstance(t, Array):
        return alignment(t.elem)
    if isinstance(t, Pointer):
        return 8
    return t.alignment if isinstance(t, Vector) else max(t.size, 1)


def shared_use(program: n.Program) -> SharedUse:
    """Return the shared memory of the kernel and of every device function (each is allocated once per group)."""
    variables = tuple(
        s
        for f in (program.kernel, *program.functions)
        for s in walk(f.body)
        if isinstance(s, n.Declare) and s.space is Space.SHARED
    )
    static = 0
    for v in variables:
        size = 8 if isinstance(v.type, Pointer) else v.type.size
        if size:
            align = alignment(v.type)
            static = -(-static // align) * align + size
    return SharedUse(static, any(isinstance(v.type, Array) and v.type.length == 0 for v in variables), variables)


def names_used(f: n.Function) -> set[str]:
    """Return every name that a function declares, mentions or calls, its own included."""
    names = {f.name, *(p.name for p in f.params)}
    for x in walk(f.body):
        match x:
            case n.Var(name=name) | n.Declare(name=name) | n.Call(function=name):
                names.add(name)
            case n.Const(name=str(name)):
                names.add(name)
            case _:
                pass
    return names


def scalars_used(program: n.Program) -> dict[Scalar, n.Loc | None]:
    """Return every scalar type in the program, with the first line that needs it."""
    found: dict[Scalar, n.Loc | None] = {}
    for f in (program.kernel, *program.functions):
        loc = f.loc
        for p in f.params:
            _note(p.type, p.loc or loc, found)
        for x in walk(f.body):
            loc = x.loc or loc
            t = getattr(x, "type", None)
            if isinstance(t, Scalar | Vector | Pointer | Array):
                _note(t, x.loc or loc, found)
    return found


def _note(t: Type, loc: n.Loc | None, found: dict[Scalar, n.Loc | None]) -> None:
    while isinstance(t, Pointer):
        t = t.elem
    found.setdefault(scalar_of(t), loc)


def group_size_dependent(program: n.Program) -> bool:
    """Tell whether another group size may change results: the program reads an index or size of groups, or shares."""
    return any(
        isinstance(x, n.GridIndex | n.Barrier | n.Shuffle | n.Vote)
        or (isinstance(x, n.Declare) and x.space is Space.SHARED)
        for f in (program.kernel, *program.functions)
        for x in walk(f.body)
    )


def atomics_used(program: n.Program) -> Iterator[tuple[n.Atomic, Space]]:
    """Yield every atomic operation with the space that its pointer says."""
    for f in (program.kernel, *program.functions):
        for x in walk(f.body):
            if isinstance(x, n.Atomic) and isinstance(x.pointer.type, Pointer):
                yield x, x.pointer.type.space


def address_taken(f: n.Function) -> set[str]:
    """Return the private variables of a function that are reached through pointers, too."""
    found: set[str] = set()
    for x in walk(f.body):
        operand = x.memory if isinstance(x, n.AddressOf) else x.array if isinstance(x, n.Decay) else None
        if operand is not None and (root := root_variable(operand)) is not None:
            found.add(root)
    return found


def root_variable(e: n.Expr) -> str | None:
    """Return the variable that memory `e` is a part of; None behind a pointer."""
    while isinstance(e, n.Component) or (isinstance(e, n.Element) and not isinstance(e.base.type, Pointer)):
        e = e.base
    return e.name if isinstance(e, n.Var) else None


def buffer_uses(program: n.Program) -> dict[str, BufferUse]:
    """Return for each pointer parameter of the kernel how its memory is used, through pointer variables and calls.

    Flow-insensitive: a pointer variable may point to whatever is ever assigned to it.
    """
    params = [p.name for p in program.kernel.params if isinstance(p.type, Pointer)]
    uses = {name: BufferUse() for name in params}
    functions = {f.name: f for f in program.functions}
    _Pointers(functions, uses, {}).run(program.kernel, {name: frozenset((name,)) for name in params})
    return uses


_Roots = frozenset[str]
_NOWHERE: _Roots = frozenset()


class _Pointers:
    """Which buffers each pointer variable of a function may point into, given those of its parameters."""

    def __init__(
        self,
        functions: dict[str, n.Function],
        uses: dict[str, BufferUse],
        done: dict[tuple[str, tuple[tuple[str, _Roots], ...]], _Roots],
    ) -> None:
        self.functions, self.uses, self.done = functions, uses, done
        self.to: dict[str, _Roots] = {}
        self.result = _NOWHERE

    def run(self, f: n.Function, to: dict[str, _Roots]) -> _Roots:
        key = (f.name, tuple(sorted(to.items())))
        if key in self.done:
            return self.done[key]
        self.to = dict(to)
        before: dict[str, _Roots] | None = None
        while before != self.to:
            before = dict(self.to)
            for s in walk(f.body):
                if isinstance(s, n.Declare) and s.init is not None and isinstance(s.type, Pointer):
                    self.add(s.name, self.roots(s.init))
                elif isinstance(s, n.Assign) and isinstance(s.target.type, Pointer) and s.op is None:
                    self.add(root_variable(s.target), self.roots(s.value))
                elif isinstance(s, n.Return) and s.value is not None:
                    self.result |= self.roots(s.value)
        for s in walk(f.body):
            self.effects(s)
        self.done[key] = self.result
        return self.result

    def add(self, name: str | None, roots: _Roots) -> None:
        if name is not None:
            self.to[name] = self.to.get(name, _NOWHERE) | roots

    def roots(self, e: n.Expr) -> _Roots:
        match e:
            case n.Var(name=name):
                return self.to.get(name, _NOWHERE)
            case n.Offset(pointer=inner) | n.PointerCast(pointer=inner) | n.Deref(pointer=inner):
                return self.roots(inner)
            case n.AddressOf(memory=inner) | n.Decay(array=inner) | n.Element(base=inner) | n.Component(base=inner):
                return self.roots(inner)
            case n.Select(then=then, other=other):
                return self.roots(then) | self.roots(other)
            case n.Call(function=function, args=args) if function in self.functions:
                return self.call(self.functions[function], args)
            case _:
                return _NOWHERE

    def call(self, f: n.Function, args: tuple[n.Expr, ...]) -> _Roots:
        to = {p.name: self.roots(a) for p, a in zip(f.params, args, strict=True) if isinstance(p.type, Pointer)}
        return _Pointers(self.functions, self.uses, self.done).run(f, to)

    def effects(self, s: n.Node) -> None:
        match s:
            case n.Assign(target=target, op=op):
                for name in self.memory(target):
                    self.uses[name].written = True
                    self.uses[name].read |= op is not None
                self.reads(target, stored=True)
            case n.Atomic(pointer=pointer, op=op, type=t):
                for name in self.roots(pointer) & self.uses.keys():
                    self.uses[name].atomics.add((op, t))
                    self.uses[name].written = self.uses[name].read = True
            case n.Call(function=function, args=args) if function in self.functions:
                self.call(self.functions[function], args)
            case _:
                pass
        if isinstance(s, n.Statement) and not isinstance(s, n.Assign):
            for e in _own_exprs(s):
                self.reads(e)
        elif isinstance(s, n.Assign):
            self.reads(s.value)

    def reads(self, e: n.Expr, *, stored: bool = False) -> None:
        """Note the loads in an expression; of a stored-to target only those in its address."""
        address = isinstance(e, n.AddressOf)
        if isinstance(e, n.Element | n.Deref | n.Component) and not stored:
            for name in self.memory(e):
                self.uses[name].read = True
        for child in vars(e).values():
            for c in child if isinstance(child, tuple) else (child,):
                if isinstance(c, n.Node) and not isinstance(c, n.Statement):
                    inner = stored and isinstance(e, n.Component | n.Element) and c is e.base
                    keep = (inner and not isinstance(e.base.type, Pointer)) or address  # pyright: ignore[reportAttributeAccessIssue]
                    self.reads(c, stored=keep)  # pyright: ignore[reportArgumentType]

    def memory(self, e: n.Expr) -> _Roots:
        """The buffers that memory `e` may be a part of."""
        while isinstance(e, n.Component) or (isinstance(e, n.Element) and not isinstance(e.base.type, Pointer)):
            e = e.base
        if isinstance(e, n.Element):
            return self.roots(e.base) & self.uses.keys()
        return self.roots(e.pointer) & self.uses.keys() if isinstance(e, n.Deref) else _NOWHERE


def _own_exprs(s: n.Statement) -> Iterator[n.Expr]:
    for value in vars(s).values():
        for v in value if isinstance(value, tuple) else (value,):
            if isinstance(v, n.Node) and not isinstance(v, n.Statement):
                yield v  # pyright: ignore[reportReturnType]
