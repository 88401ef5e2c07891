"""Give every pointer an address space: OpenCL C and Metal have no generic pointers.

Spaces are inferred like types: each GENERIC pointer level is a variable, assignments and calls equate variables, and an
allocation (kernel parameter, shared or private variable) fixes one. A device function is analysed once, its result
reused at each call, and it is cloned for each combination of spaces that it is really called with.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..diagnostics import Diagnostic, Refusal, refuse
from ..printer import show_expr
from ..types import Pointer, Space, Type
from ..walk import rebuild

if TYPE_CHECKING:
    from collections.abc import Iterable

Slots = tuple[int, ...]


def resolve_spaces(program: n.Program) -> n.Program:
    """Return the program without Space.GENERIC.

    Pointer parameters of the kernel are GLOBAL. A device function called with one combination of spaces keeps its name;
    each further combination gets a clone, named after its spaces (`reduce_shared`). Device functions that the kernel
    does not reach are dropped. Raises Refusal (GP1201) with every pointer that may be in two spaces, or in none.
    """
    resolver = _Resolver(program)
    levels = [s for p in program.kernel.params for s in pointer_levels(p.type)]
    kernel = resolver.solve(program.kernel, tuple(Space.GLOBAL if s is Space.GENERIC else s for s in levels))
    if resolver.diagnostics:
        raise Refusal(resolver.diagnostics)
    return dataclasses.replace(program, kernel=kernel, functions=tuple(resolver.emitted))


def pointer_levels(t: Type) -> tuple[Space, ...]:
    """Return the spaces of a pointer type, outermost first; empty for what is no pointer."""
    levels: list[Space] = []
    while isinstance(t, Pointer):
        levels.append(t.space)
        t = t.elem
    return tuple(levels)


def with_spaces(t: Type, spaces: Iterable[Space]) -> Type:
    """Return a pointer type with these spaces, outermost first."""
    rest = list(spaces)
    if not isinstance(t, Pointer):
        return t
    elem = with_spaces(t.elem, rest[1:])
    return dataclasses.replace(t, space=rest[0], elem=cast("Pointer", elem))


@dataclass(frozen=True, slots=True)
class _Summary:
    """What a function demands of its pointers: per class of equal spaces its space if fixed, and if it may be null.

    `signature` has the class of each pointer level of the parameters, then of the result.
    """

    signature: Slots
    spaces: tuple[Space | None, ...]
    null: tuple[bool, ...]


class _Spaces:
    """Union-find over pointer levels."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.space: list[Space | None] = []
        self.null: list[bool] = []

    def new(self, space: Space | None, null: bool = False) -> int:
        self.parent.append(len(self.parent))
        self.space.append(space)
        self.null.append(null)
        return len(self.parent) - 1

    def find(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def unite(self, a: int, b: int) -> tuple[Space, Space] | None:
        """Equate two levels; the two spaces if they differ."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return None
        sa, sb = self.space[a], self.space[b]
        if sa is not None and sb is not None and sa is not sb:
            return sa, sb
        self.parent[b] = a
        self.space[a] = sa or sb
        self.null[a] = self.null[a] or self.null[b]
        return None

    def get(self, i: int) -> Space | None:
        """The space of a level; a pointer that is only ever null counts as GLOBAL."""
        root = self.find(i)
        return self.space[root] or (Space.GLOBAL if self.null[root] else None)


class _Resolver:
    """The functions of one program: their summaries, and the clones asked for so far."""

    def __init__(self, program: n.Program) -> None:
        self.functions = {f.name: f for f in program.functions}
        self.summaries: dict[str, _Summary] = {}
        self.open: set[str] = set()
        self.names: dict[tuple[str, tuple[Space, ...]], str] = {}
        self.taken = {*self.functions, program.kernel.name}
        self.emitted: list[n.Function] = []
        self.diagnostics: list[Diagnostic] = []

    def report(self, loc: n.Loc | None, message: str) -> None:
        found = Diagnostic("GP1201", message, loc)
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def summary(self, name: str) -> _Summary:
        if name not in self.summaries:
            f = self.functions[name]
            if name in self.open:
                raise refuse("GP1106", f"device function {name} calls itself", f.loc)
            self.open.add(name)
            body = _Body(self, f)
            body.run()
            self.summaries[name] = body.summary()
        return self.summaries[name]

    def solve(self, f: n.Function, spaces: tuple[Space, ...]) -> n.Function:
        """The function with every pointer resolved, its signature's pointer levels being in `spaces`."""
        body = _Body(self, f)
        for slot, space in zip(body.signature, spaces, strict=True):
            body.levels.unite(slot, body.fixed[space])
        body.run()
        body.final = True
        return body.run()

    def instance(self, name: str, spaces: tuple[Space, ...]) -> str:
        """The name of the clone of `name` for these spaces, made now if it is not there yet."""
        key = (name, spaces)
        if key in self.names:
            return self.names[key]
        others = [s for (f, s) in self.names if f == name]
        new = name if not others else self._clone_name(name, spaces, others[0])
        self.names[key] = new
        self.taken.add(new)
        solved = self.solve(self.functions[name], spaces)
        self.emitted.append(dataclasses.replace(solved, name=new))
        return new

    def _clone_name(self, name: str, spaces: tuple[Space, ...], first: tuple[Space, ...]) -> str:
        differing = [s.value for s, other in zip(spaces, first, strict=True) if s is not other]
        for words in (dict.fromkeys(differing), [s.value for s in spaces]):
            candidate = "_".join([name, *words])
            if candidate not in self.taken:
                return candidate
        return next(c for i in range(2, len(self.taken) + 3) if (c := f"{candidate}_{i}") not in self.taken)


@dataclass(frozen=True, slots=True)
class _Name:
    """A visible variable: the levels of its pointer type, and the level that stands for where it lives."""

    type: Type
    slots: Slots
    home: int


@dataclass(frozen=True, slots=True)
class _Value:
    """An expression rebuilt with the spaces known so far, its pointer levels, and for memory the level it lives in."""

    expr: n.Expr
    slots: Slots = ()
    home: int | None = None


class _Body:
    """One function, walked twice in the same order: first to equate levels, then (`final`) to write the spaces down."""

    def __init__(self, resolver: _Resolver, f: n.Function) -> None:
        self.resolver = resolver
        self.f = f
        self.levels = _Spaces()
        self.fixed = {s: self.levels.new(s) for s in Space if s is not Space.GENERIC}
        self.params = [self.of_type(p.type, record=False) for p in f.params]
        self.result = self.of_type(f.returns, record=False)
        self.signature: Slots = tuple(s for slots in (*self.params, self.result) for s in slots)
        self.made: list[int] = []
        self.final = False
        self.cursor = 0
        self.names: dict[str, _Name] = {}
        self.loc = f.loc
        self.unknown: set[int] = set()

    def run(self) -> n.Function:
        self.cursor = 0
        private = self.fixed[Space.PRIVATE]
        self.names = {p.name: _Name(p.type, s, private) for p, s in zip(self.f.params, self.params, strict=True)}
        body = self.block(self.f.body)
        self.loc = self.f.loc
        params = tuple(
            dataclasses.replace(p, type=self.typed(p.type, s, f"parameter {p.name}"))
            for p, s in zip(self.f.params, self.params, strict=True)
        )
        returns = self.typed(self.f.returns, self.result, f"the result of {self.f.name}")
        return dataclasses.replace(self.f, params=params, returns=returns, body=body)

    def summary(self) -> _Summary:
        roots = [self.levels.find(s) for s in self.signature]
        classes = list(dict.fromkeys(roots))
        return _Summary(
            tuple(classes.index(r) for r in roots),
            tuple(self.levels.space[r] for r in classes),
            tuple(self.levels.null[r] for r in classes),
        )

    # levels

    def new(self, space: Space | None = None, null: bool = False) -> int:
        """A new level; in the final walk, the one made at this place in the first walk."""
        if self.final:
            self.cursor += 1
            return self.made[self.cursor - 1]
        self.made.append(self.levels.new(space, null))
        return self.made[-1]

    def of_type(self, t: Type, *, record: bool = True) -> Slots:
        new = self.new if record else lambda: self.levels.new(None)
        return tuple(new() if s is Space.GENERIC else self.fixed[s] for s in pointer_levels(t))

    def typed(self, t: Type, slots: Slots, what: str) -> Type:
        if not slots:
            return t
        spaces = [self.levels.get(s) for s in slots]
        for slot, space in zip(slots, spaces, strict=True):
            root = self.levels.find(slot)
            if self.final and space is None and root not in self.unknown:
                self.unknown.add(root)
                self.resolver.report(self.loc, f"{what} never gets an address, so its memory cannot be told")
        return with_spaces(t, [s or Space.GENERIC for s in spaces])

    def unite(self, a: Slots, b: Slots, what: str, loc: n.Loc | None = None) -> None:
        for x, y in zip(a, b, strict=False):
            if (clash := self.levels.unite(x, y)) is not None:
                one, two = sorted(s.value for s in clash)
                self.resolver.report(
                    loc or self.loc, f"{what} may point to {one} memory and to {two} memory; use a pointer for each"
                )

    # statements

    def block(self, body: tuple[n.Stmt, ...]) -> tuple[n.Stmt, ...]:
        names = dict(self.names)
        out = tuple(self.statement(s) for s in body)
        self.names = names
        return out

    def statement(self, s: n.Stmt) -> n.Stmt:
        self.loc = s.loc or self.loc
        match s:
            case n.Declare():
                return self.declare(s)
            case n.Assign():
                target, value = self.expr(s.target), self.expr(s.value)
                self.unite(target.slots, value.slots, f"pointer {show_expr(s.target)}")
                return dataclasses.replace(s, target=target.expr, value=value.expr)
            case n.Return(value=value) if value is not None:
                got = self.expr(value)
                self.unite(self.result, got.slots, f"the result of {self.f.name}")
                return dataclasses.replace(s, value=got.expr)
            case n.For():
                names = dict(self.names)
                init = tuple(self.statement(i) for i in s.init)
                cond = self.expr(s.cond).expr if s.cond is not None else None
                new = dataclasses.replace(s, init=init, cond=cond, body=self.block(s.body), step=self.block(s.step))
                self.names = names
                return new
            case n.If():
                cond = self.expr(s.cond).expr
                return dataclasses.replace(s, cond=cond, then=self.block(s.then), other=self.block(s.other))
            case n.While():
                return dataclasses.replace(s, cond=self.expr(s.cond).expr, body=self.block(s.body))
            case n.Block():
                return dataclasses.replace(s, body=self.block(s.body))
            case _:
                return rebuild(s, lambda c: self.expr(cast("n.Expr", c)).expr)

    def declare(self, s: n.Declare) -> n.Declare:
        init = self.expr(s.init) if s.init is not None else None
        items = tuple(self.expr(i).expr for i in s.items) if s.items is not None else None
        name = _Name(s.type, self.of_type(s.type), self.fixed[s.space])
        self.names[s.name] = name
        if init is not None:
            self.unite(name.slots, init.slots, f"pointer {s.name}")
        return dataclasses.replace(
            s,
            type=self.typed(s.type, name.slots, f"pointer {s.name}"),
            init=init.expr if init is not None else None,
            items=items,
        )

    # expressions

    def expr(self, e: n.Expr) -> _Value:
        match e:
            case n.Var(name=name) if name in self.names:
                known = self.names[name]
                new = dataclasses.replace(e, type=self.typed(known.type, known.slots, f"pointer {name}"))
                return _Value(new, known.slots, known.home)
            case n.Element(base=base):
                got = self.expr(base)
                new = dataclasses.replace(e, base=got.expr, index=self.expr(e.index).expr)
                return self.memory(new, got)
            case n.Deref(pointer=pointer):
                got = self.expr(pointer)
                return self.memory(dataclasses.replace(e, pointer=got.expr), got)
            case n.Component(base=base) | n.Field(base=base):
                got = self.expr(base)
                return _Value(dataclasses.replace(e, base=got.expr), (), got.home)
            case n.AddressOf(memory=memory):
                got = self.expr(memory)
                return self.pointer(e, {"memory": got.expr}, (self.home(got), *got.slots))
            case n.Decay(array=array):
                got = self.expr(array)
                return self.pointer(e, {"array": got.expr}, (self.home(got),))
            case n.Offset(pointer=pointer, delta=delta):
                got = self.expr(pointer)
                return self.pointer(e, {"pointer": got.expr, "delta": self.expr(delta).expr}, got.slots)
            case n.PointerCast(pointer=pointer):
                got = self.expr(pointer)
                null = not got.slots
                missing = len(pointer_levels(e.type)) - len(got.slots)
                slots = got.slots + tuple(self.new(None, null) for _ in range(missing))
                return self.pointer(e, {"pointer": got.expr}, slots[: len(pointer_levels(e.type))])
            case n.Select() if isinstance(e.type, Pointer):
                cond, then, other = self.expr(e.cond), self.expr(e.then), self.expr(e.other)
                self.unite(then.slots, other.slots, show_expr(e), e.loc)
                return self.pointer(e, {"cond": cond.expr, "then": then.expr, "other": other.expr}, then.slots)
            case n.Binary():
                left, right = self.expr(e.left), self.expr(e.right)
                self.unite(left.slots, right.slots, show_expr(e), e.loc)
                return _Value(dataclasses.replace(e, left=left.expr, right=right.expr))
            case n.Call():
                return self.call(e)
            case _:
                return _Value(rebuild(e, lambda c: self.expr(cast("n.Expr", c)).expr))

    def memory(self, new: n.Element | n.Deref, base: _Value) -> _Value:
        """What `base[i]` or `*base` is: an element of an array lives where the array does."""
        if not base.slots:
            return _Value(new, (), base.home)
        typed = dataclasses.replace(new, type=self.typed(new.type, base.slots[1:], show_expr(new)))
        return _Value(typed, base.slots[1:], base.slots[0])

    def home(self, value: _Value) -> int:
        return self.fixed[Space.PRIVATE] if value.home is None else value.home

    def pointer(self, e: n.Expr, parts: dict[str, n.Expr], slots: Slots) -> _Value:
        """The pointer expression `e` with new parts; a space that its type states is binding."""
        for slot, space in zip(slots, pointer_levels(e.type), strict=False):
            if space is not Space.GENERIC:
                self.unite((slot,), (self.fixed[space],), show_expr(e), e.loc)
        new_type = self.typed(e.type, slots, show_expr(e))
        return _Value(cast("n.Expr", dataclasses.replace(cast("n.Offset", e), **parts, type=new_type)), slots)

    def call(self, e: n.Call) -> _Value:
        args = [self.expr(a) for a in e.args]
        callee = self.resolver.functions[e.function]
        summary = self.resolver.summary(e.function)
        classes = [self.new(s, null) for s, null in zip(summary.spaces, summary.null, strict=True)]
        signature = [classes[c] for c in summary.signature]
        at = 0
        for param, arg in zip(callee.params, args, strict=True):
            count = len(pointer_levels(param.type))
            own = tuple(signature[at : at + count])
            self.unite(own, arg.slots, f"argument {param.name} of {e.function}", e.loc)
            at += count
        result = tuple(signature[at:])
        name = e.function
        spaces = [self.levels.get(s) for s in signature]
        if self.final and not self.resolver.diagnostics:
            known = tuple(s for s in spaces if s is not None)
            if len(known) == len(spaces):
                name = self.resolver.instance(e.function, known)
            else:
                self.resolver.report(e.loc or self.loc, f"a pointer of {e.function} never gets an address")
        new = dataclasses.replace(
            e, function=name, args=tuple(a.expr for a in args), type=self.typed(e.type, result, show_expr(e))
        )
        return _Value(new, result)
