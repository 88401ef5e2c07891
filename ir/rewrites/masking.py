"""One function rewritten so that all threads reach its collectives; see `rewrites.predicate`.

Masks form a stack: a statement takes effect in the threads where the topmost is true, and a mask implies those below it.
A variable is *lockstep* where every thread, masked or not, computes the same value for it: headers of loops around
collectives may use nothing else. Which variables are lockstep, and which masks are needed, is found by trying: a
function is emitted with the most optimistic guess, and anew whenever a guess proves wrong.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from .. import nodes as n
from ..analysis.collectives import Collective, Collectives
from ..analysis.divergence import lazy_collectives
from ..analysis.uniformity import Level, Uniformity
from ..analysis.usage import address_taken, root_variable
from ..diagnostics import refuse
from ..printer import show_body, show_expr
from ..types import BOOL, I32, VOID, Array, Pointer, Scalar, Space, Vector
from ..walk import children, rebuild, rewrite_stmts, walk
from .pieces import Names, both, exits, mentioned, negate, safe, zero

if TYPE_CHECKING:
    from collections.abc import Sequence

Exit = Literal["return", "break", "continue"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the program: uniformity, collectives, and the kinds of collectives that all threads must reach."""

    uniformity: Uniformity
    collectives: Collectives
    kinds: frozenset[Collective]


@dataclass(frozen=True, slots=True)
class Variant:
    """A device function that takes a mask as its last parameter; `everywhere`: parameters that are lockstep in all calls."""

    name: str
    everywhere: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Context:
    """Where a statement is emitted: the masks, how many of them threads have left for good, and the loop around it.

    `returns` tells that the lowest mask lives to the function's end. In a loop, `entry` is how many masks its body began
    with; `breaks` and `continues` are where the masks begin that a masked break or continue clears.
    """

    masks: tuple[str, ...] = ()
    gone: int = 0
    returns: bool = False
    entry: int = 0
    breaks: int | None = None
    continues: int | None = None
    loop: int = 0

    @property
    def height(self) -> int:
        """How many masks part threads that come together again."""
        return len(self.masks) - self.gone

    @property
    def mask(self) -> n.Expr | None:
        return n.Var(self.masks[-1], BOOL) if self.masks else None

    def push(self, mask: str, **changes: object) -> _Context:
        return dataclasses.replace(self, masks=(*self.masks, mask), **changes)  # pyright: ignore[reportArgumentType]


@dataclass(slots=True)
class _Guesses:
    """What former attempts have shown: declarations that are not lockstep, masks needed (by exit and construct)."""

    varying: set[int] = field(default_factory=set[int])
    needed: set[tuple[Exit, int]] = field(default_factory=set[tuple[Exit, int]])
    result: bool = False


@dataclass(frozen=True, slots=True)
class _Lock:
    """A visible lockstep variable: the height of its declaration, and which declaration that is."""

    height: int
    key: int


class _Again(Exception):  # noqa: N818
    """A guess proved wrong and has been corrected."""


class Masking:
    """The rewriting of one function. `asked` are the variants of device functions that its calls need."""

    MARK = "?active"

    def __init__(self, f: n.Function, facts: Facts, taken: set[str], variant: Variant | None) -> None:
        self.f = f
        self.facts = facts
        self.taken = taken
        self.variant = variant
        self.guesses = _Guesses()
        self.pointed = address_taken(f)
        self.shared = {s.name for s in walk(f.body) if isinstance(s, n.Declare) and s.space is Space.SHARED}
        counts = [s.name for s in walk(f.body) if isinstance(s, n.Declare)]
        self.repeated = {name for name in counts if counts.count(name) > 1}
        self.start()

    def start(self) -> None:
        """Forget what one attempt wrote."""
        self.names = Names(self.taken)
        self.masks: set[str] = set()
        self.scope = {p.name: _Lock(0, id(p)) for p in self.f.params if self.steady_param(p)}
        self.guards: list[n.If] = []
        self.asked: dict[str, frozenset[str]] = {}
        self.result: str | None = None

    def steady_param(self, p: n.Param) -> bool:
        """Whether a parameter has one value in all threads that call, masked ones too."""
        if p.name in self.pointed:
            return False
        if self.variant is not None:
            return p.name in self.variant.everywhere
        return self.facts.uniformity.params.get((self.f.name, p.name), Level.THREAD) is not Level.THREAD

    def run(self) -> n.Function:
        """Return the function rewritten; Refusal where that cannot be done."""
        while True:
            self.start()
            try:
                return self.attempt()
            except _Again:
                continue

    def attempt(self) -> n.Function:
        params = self.f.params
        context = _Context()
        if self.variant is not None:
            mask = self.new_mask()
            params = (*params, n.Param(mask, BOOL))
            context = context.push(mask, gone=1, returns=True)
        head: list[n.Stmt] = []
        if self.guesses.result:
            self.result = self.names.fresh("result")
            head.append(n.Declare(self.result, self.f.returns, self.nothing(self.f.returns, self.f.loc)))
        body = self.block(self.f.body, context, after=False, owner=self.f)
        if self.result is not None:
            body.append(n.Return(n.Var(self.result, self.f.returns)))
        name = self.variant.name if self.variant is not None else self.f.name
        return dataclasses.replace(self.f, name=name, params=params, body=self.settle((*head, *body)))

    def settle(self, body: tuple[n.Stmt, ...]) -> tuple[n.Stmt, ...]:
        """Make const the masks that are never cleared."""
        cleared = {root_variable(s.target) for s in walk(body) if isinstance(s, n.Assign)}

        def const(s: n.Stmt) -> Sequence[n.Stmt]:
            if isinstance(s, n.Declare) and s.name in self.masks and s.name not in cleared:
                return [dataclasses.replace(s, const=True)]
            return [s]

        return rewrite_stmts(body, const)

    # questions

    def hot(self, node: n.Node | Sequence[n.Node]) -> bool:
        return bool(self.facts.collectives.of(node) & self.facts.kinds)

    def hot_here(self, s: n.Stmt) -> bool:
        return any(self.hot(c) for c in children(s) if not isinstance(c, n.Statement))

    def uniform(self, s: n.Stmt, context: _Context) -> bool:
        """Whether all threads are here, and agree on the condition or value of the source's statement `s`."""
        control = self.facts.uniformity.control(s)
        return not context.masks and not control.divergent and self.facts.uniformity.level(s) is not Level.THREAD

    def lockstep(self, name: str) -> bool:
        return name in self.scope and self.scope[name].key not in self.guesses.varying

    def everywhere(self, e: n.Expr) -> bool:
        """Whether every thread, masked or not, may evaluate `e` and gets the same value."""
        if not safe(e):
            return False
        for x in walk(e):
            if isinstance(x, n.Var) and not (self.lockstep(x.name) or x.name in self.shared):
                return False
            if isinstance(x, n.GridIndex) and x.kind in (n.Grid.THREAD, n.Grid.LANE, n.Grid.SUBGROUP):
                return False
        return True

    def drop(self, name: str) -> None:
        self.guesses.varying.add(self.scope[name].key)
        raise _Again

    def need(self, exit_: Exit, owner: int) -> None:
        self.guesses.needed.add((exit_, owner))
        raise _Again

    def new_mask(self) -> str:
        name = self.names.fresh("active")
        self.masks.add(name)
        return name

    def refuse(self, s: n.Node, kinds: frozenset[Collective], why: str) -> Exception:
        barrier = Collective.BARRIER in kinds
        what = "a barrier" if barrier else "a shuffle or vote"
        return refuse("GP2003" if barrier else "GP2004", why.format(what=what), s.loc or self.f.loc)

    def nothing(self, t: object, loc: n.Loc | None) -> n.Expr | None:
        """A value for threads that have none."""
        if isinstance(t, Scalar | Vector) and t != VOID:
            return zero(t)
        return None

    # blocks

    def block(
        self,
        body: Sequence[n.Stmt],
        context: _Context,
        *,
        after: bool,
        owner: n.Function | n.For | n.While | None = None,
    ) -> list[n.Stmt]:
        """Emit statements; `after` tells that a collective may follow them, `owner` whose whole body they are."""
        out: list[n.Stmt] = []
        i = 0
        while i < len(body):
            s = body[i]
            later = after or self.hot(body[i + 1 :])
            if owner is not None:
                shorter = self.early_exit(s, context, owner, later, out)
                if shorter is not None:
                    context, i = shorter, i + 1
                    continue
                context = self.arm(s, context, owner, out)
            if not self.plain(s, context, later):
                out += self.special(s, context, later)
                i += 1
            elif not context.masks:
                self.check(s)
                out.append(s)
                i += 1
            elif self.in_lockstep(s, context):
                out.append(s)
                i += 1
            else:
                i += self.guarded(body, i, context, after, out)
        return out

    def plain(self, s: n.Stmt, context: _Context, later: bool) -> bool:
        """Whether `s` needs no rewriting itself: no collective in it, and its exits may stay as they are."""
        if isinstance(s, n.Barrier):
            return False
        if self.hot(s):
            return not context.masks and not isinstance(s, n.If | n.For | n.While | n.Block | n.Return)
        return all(self.may_stay(x, context, later) for x in exits(s))

    def may_stay(self, x: n.Return | n.Break | n.Continue, context: _Context, later: bool) -> bool:
        if isinstance(x, n.Return) and not later:
            return self.f.returns == VOID or not context.masks
        return not context.masks and not self.facts.uniformity.control(x).divergent

    def check(self, s: n.Stmt) -> None:
        """Note what an unmasked statement does to lockstep variables."""
        for x in walk(s):
            if lazy := lazy_collectives(x, self.facts.collectives) & self.facts.kinds:
                raise self.refuse(x if x.loc else s, lazy, LAZY)
            if not isinstance(x, n.Declare | n.Assign):
                continue
            varies = self.facts.uniformity.control(x).divergent or self.facts.uniformity.level(x) is Level.THREAD
            if isinstance(x, n.Declare):
                self.scope.pop(x.name, None)
                if not varies and self.candidate(x):
                    self.scope[x.name] = _Lock(0, id(x))
            elif (name := root_variable(x.target)) is not None and varies and self.lockstep(name):
                self.drop(name)

    def candidate(self, s: n.Declare) -> bool:
        return isinstance(s.type, Scalar) and s.space is Space.PRIVATE and s.name not in self.pointed

    def anywhere(self, e: n.Expr) -> bool:
        """Whether every thread may evaluate `e`, whatever it then gets."""
        return safe(e) and not any(isinstance(x, n.Var) and x.name in self.shared for x in walk(e))

    def plain_declare(self, s: n.Declare) -> bool:
        """Whether every thread may run a declaration as it is."""
        return (s.init is None or self.anywhere(s.init)) and all(self.anywhere(i) for i in s.items or ())

    def in_lockstep(self, s: n.Stmt, context: _Context) -> bool:
        """Whether a masked statement sets a lockstep variable, so that all threads run it."""
        if isinstance(s, n.Declare):
            if s.space is Space.SHARED:
                return True
            self.scope.pop(s.name, None)
            steady = s.init is None or self.everywhere(s.init)
            if not steady or not self.candidate(s) or id(s) in self.guesses.varying:
                return False
            self.scope[s.name] = _Lock(context.height, id(s))
            return True
        if isinstance(s, n.Assign) and isinstance(s.target, n.Var) and self.lockstep(s.target.name):
            if self.scope[s.target.name].height != context.height or not self.everywhere(_assigned(s)):
                self.drop(s.target.name)
            return True
        return False

    def guarded(self, body: Sequence[n.Stmt], start: int, context: _Context, after: bool, out: list[n.Stmt]) -> int:
        """Emit the run of plain statements from `start` under the mask; returns how many there were."""
        end = start
        while end < len(body) and self.plain(body[end], context, after or self.hot(body[end + 1 :])):
            if end > start and self.in_lockstep(body[end], context):
                break
            end += 1
        run, rest = list(body[start:end]), mentioned(body[end:])
        while run and isinstance(s := run[0], n.Declare) and s.name in rest and self.plain_declare(s):
            out.append(run.pop(0))
        inside: list[n.Stmt] = []
        for s in run:
            if isinstance(s, n.Declare) and s.name in rest:
                out.append(self.hoisted(s))
                inside += self.initialised(s)
            else:
                inside.append(s)
        self.guard(inside, context, out)
        return end - start

    def guard(self, inside: Sequence[n.Stmt], context: _Context, out: list[n.Stmt]) -> None:
        """Emit statements for the threads of the mask only."""
        own: set[str] = set()
        for x in walk(list(inside)):
            if isinstance(x, n.Declare):
                own.add(x.name)
                self.scope.pop(x.name, None)
            name = root_variable(x.target) if isinstance(x, n.Assign) else None
            if name is not None and name not in own and self.lockstep(name):
                self.drop(name)
        mask = context.mask
        if mask is None:
            out += inside
            return
        last = out[-1] if out else None
        if inside and isinstance(last, n.If) and any(last is g for g in self.guards) and last.cond == mask:
            cleared = {root_variable(x.target) for x in walk(last.then) if isinstance(x, n.Assign)}
            if context.masks[-1] not in cleared:
                inside = (*out.pop().then, *inside)  # pyright: ignore[reportAttributeAccessIssue]
        if inside:
            self.guards.append(n.If(mask, tuple(inside), loc=inside[0].loc))
            out.append(self.guards[-1])

    def hoisted(self, s: n.Declare) -> n.Declare:
        return dataclasses.replace(s, init=self.nothing(s.type, s.loc), items=None, const=False, trailing=None)

    def initialised(self, s: n.Declare) -> list[n.Stmt]:
        """The assignments that stand for a declaration's initialiser."""
        target = n.Var(s.name, s.type)
        if s.init is not None:
            return [n.Assign(target, s.init, loc=s.loc, trailing=s.trailing)]
        if s.items is None:
            return []
        if not isinstance(s.type, Array) or isinstance(s.type.elem, Array):
            raise self.refuse(s, self.facts.kinds, "a nested array is initialised where {what} is not reached by all")
        elem = s.type.elem
        items = [*s.items, *(zero(elem) for _ in range(s.type.length - len(s.items)))]
        return [n.Assign(n.Element(target, n.Const(k, I32), elem), item, loc=s.loc) for k, item in enumerate(items)]

    # exits

    def early_exit(
        self, s: n.Stmt, context: _Context, owner: n.Function | n.For | n.While, later: bool, out: list[n.Stmt]
    ) -> _Context | None:
        """`if (cond) { ...; return; }` in a function's own block, or with continue in a loop's: the rest gets a mask."""
        match s:
            case n.If(then=(*head, n.Return(value=None)), other=()) if isinstance(owner, n.Function):
                pass
            case n.If(then=(*head, n.Continue()), other=()) if not isinstance(owner, n.Function):
                pass
            case _:
                return None
        if self.hot(s) or not later or any(True for x in head for _ in exits(x)):
            return None
        together = isinstance(owner, n.For | n.While) and len(context.masks) == context.entry
        if self.plain(s, context, later) or (together and self.everywhere(s.cond)):
            return None
        mask = self.new_mask()
        rest = both(context.mask, negate(s.cond))
        out.append(n.Declare(mask, BOOL, rest, loc=s.loc, comments=s.comments, trailing=s.trailing))
        inner = context.push(mask)
        if head:
            left = n.If(both(context.mask, n.Unary("!", n.Var(mask, BOOL), BOOL)), tuple(head), loc=s.loc)
            self.guard((left,), dataclasses.replace(context, masks=()), out)
        if isinstance(owner, n.Function):
            return dataclasses.replace(inner, gone=inner.gone + 1, returns=True)
        return inner if context.continues is not None else dataclasses.replace(inner, continues=len(context.masks))

    def arm(self, s: n.Stmt, context: _Context, owner: n.Function | n.For | n.While, out: list[n.Stmt]) -> _Context:
        """Declare, before the first statement that clears it, the mask that a return or continue needs."""
        if isinstance(owner, n.Function):
            wanted = ("return", id(owner)) in self.guesses.needed and not context.returns
            leaves = any(isinstance(x, n.Return) for x in exits(s))
        else:
            wanted = ("continue", id(owner)) in self.guesses.needed and context.continues is None
            leaves = any(isinstance(x, n.Continue) for x in exits(s))
        if not wanted or not leaves:
            return context
        inner = self.declare_mask(context, out)
        if isinstance(owner, n.Function):
            return dataclasses.replace(inner, gone=inner.gone + 1, returns=True)
        return dataclasses.replace(inner, continues=len(context.masks))

    def declare_mask(self, context: _Context, out: list[n.Stmt]) -> _Context:
        mask = self.new_mask()
        out.append(n.Declare(mask, BOOL, context.mask or n.boolean(True)))
        return context.push(mask)

    def clear(self, x: n.Return | n.Break | n.Continue, context: _Context) -> list[n.Stmt]:
        """The statements by which a masked thread leaves."""
        first: list[n.Stmt] = []
        match x:
            case n.Return(value=value):
                if not context.returns:
                    self.need("return", id(self.f))
                begin = 0
                if value is not None:
                    if self.result is None:
                        if self.nothing(value.type, x.loc) is None:
                            raise self.refuse(
                                x, self.facts.kinds, "a pointer is returned early in a function with {what}"
                            )
                        self.guesses.result = True
                        raise _Again
                    first.append(n.Assign(n.Var(self.result, self.f.returns), value, loc=x.loc))
            case n.Break():
                begin = self.needed_mask("break", context.breaks, context)
            case n.Continue():
                begin = self.needed_mask("continue", context.continues, context)
        clears = [n.Assign(n.Var(m, BOOL), n.boolean(False), loc=x.loc) for m in context.masks[begin:]]
        if first:
            first[0] = dataclasses.replace(first[0], comments=x.comments)
        else:
            clears[0] = dataclasses.replace(clears[0], comments=x.comments)
        return [*first, *clears]

    def needed_mask(self, exit_: Exit, begin: int | None, context: _Context) -> int:
        if begin is None:
            self.need(exit_, context.loop)
        return cast("int", begin)

    def soften(self, body: Sequence[n.Stmt], context: _Context, in_loop: int = 0) -> tuple[list[n.Stmt], bool]:
        """Statements without collectives, their exits turned into cleared masks; and whether they may clear any."""
        out: list[n.Stmt] = []
        for i, s in enumerate(body):
            if isinstance(s, n.Return) or (not in_loop and isinstance(s, n.Break | n.Continue)):
                out += self.clear(s, context)
                out += [n.Break(loc=s.loc)] if in_loop else []
                return out, True
            leaves = [x for x in exits(s) if isinstance(x, n.Return) or not in_loop]
            if not leaves:
                out.append(s)
                continue
            if isinstance(s, n.If):
                then, other = self.soften(s.then, context, in_loop)[0], self.soften(s.other, context, in_loop)[0]
                out.append(dataclasses.replace(s, then=tuple(then), other=tuple(other)))
            elif isinstance(s, n.Block):
                out.append(dataclasses.replace(s, body=tuple(self.soften(s.body, context, in_loop)[0])))
            elif isinstance(s, n.For | n.While):
                out.append(dataclasses.replace(s, body=tuple(self.soften(s.body, context, in_loop + 1)[0])))
                if in_loop:
                    stop = n.If(negate(cast("n.Expr", context.mask)), (n.Break(loc=s.loc),), loc=s.loc)
                    out.append(stop)
            rest = body[i + 1 :]
            if not in_loop and rest:
                declared = {x.name for x in rest if isinstance(x, n.Declare)}
                assert context.mask is not None, declared
                out.append(n.If(context.mask, tuple(self.soften(rest, context)[0]), loc=rest[0].loc))
                return out, True
        return out, True

    # statements that hold a collective or an exit

    def special(self, s: n.Stmt, context: _Context, later: bool) -> list[n.Stmt]:
        match s:
            case n.Barrier():
                return [s]
            case n.Block(body=body):
                return [dataclasses.replace(s, body=tuple(self.block(body, context, after=later)))]
            case n.If():
                return self.branch(s, context, later)
            case n.For() | n.While():
                return self.loop(s, context, later)
            case n.Return() | n.Break() | n.Continue():
                return self.leave(s, context, later)
            case _:
                out: list[n.Stmt] = []
                self.lifted(s, context, out)
                return out

    def leave(self, s: n.Return | n.Break | n.Continue, context: _Context, later: bool) -> list[n.Stmt]:
        out: list[n.Stmt] = []
        if isinstance(s, n.Return) and s.value is not None and self.hot(s.value) and context.masks:
            s = dataclasses.replace(s, value=self.lift(s.value, context, out))
        if isinstance(s, n.Return):
            real = not context.masks
            if not real and not later and self.f.returns == VOID:
                self.guard((s,), context, out)
                return out
        else:
            real = len(context.masks) == context.entry
        if real:
            return [*out, s]
        self.guard(self.clear(s, context), context, out)
        return out

    def branch(self, s: n.If, context: _Context, later: bool) -> list[n.Stmt]:
        out: list[n.Stmt] = []
        kept = self.uniform(s, context) or self.everywhere(s.cond)
        if not kept and not self.hot(s.then) and not self.hot(s.other) and not self.hot(s.cond):
            # only exits in it: they clear masks
            self.need_exits(s, context)
            self.guard(self.soften((s,), context)[0], context, out)
            return out
        cond = s.cond
        if self.hot(cond) and context.masks:
            cond = self.lift(cond, context, out)
        if not self.hot(s.then) and not self.hot(s.other) and not any(True for _ in exits(s)):
            self.guard((dataclasses.replace(s, cond=cond),), context, out)
            return out
        if kept:
            then = self.block(s.then, context, after=later)
            other = self.block(s.other, context, after=later)
            out.append(dataclasses.replace(s, cond=cond, then=tuple(then), other=tuple(other)))
            return out
        mask = self.new_mask()
        out.append(n.Declare(mask, BOOL, both(context.mask, cond), loc=s.loc, comments=s.comments, trailing=s.trailing))
        other_mask = ""
        if s.other:
            other_mask = self.new_mask()
            out.append(n.Declare(other_mask, BOOL, both(context.mask, negate(n.Var(mask, BOOL))), loc=s.loc))
        out += self.scoped(s.then, context.push(mask), later or self.hot(s.other))
        if s.other:
            out += self.scoped(s.other, context.push(other_mask), later)
        return out

    def need_exits(self, s: n.Stmt, context: _Context) -> None:
        """Ask for the masks that the exits in `s` clear, before it is emitted."""
        for x in exits(s):
            self.clear(x, context)

    def scoped(self, body: Sequence[n.Stmt], context: _Context, later: bool) -> list[n.Stmt]:
        """A branch's statements in line; in a block of their own where a name of theirs is declared elsewhere, too."""
        new = self.block(body, context, after=later)
        if any(isinstance(s, n.Declare) and s.name in self.repeated for s in new):
            return [n.Block(tuple(new))]
        return new

    def loop(self, s: n.For | n.While, context: _Context, later: bool) -> list[n.Stmt]:
        out: list[n.Stmt] = []
        if not self.hot(s):
            self.need_exits(s, context)
            self.guard(self.soften((s,), context)[0], context, out)
            return out
        kinds = self.facts.collectives.of(s) & self.facts.kinds
        inner = dataclasses.replace(context, breaks=None, continues=None, loop=id(s))
        if ("break", id(s)) in self.guesses.needed:
            inner = dataclasses.replace(self.declare_mask(inner, out), breaks=len(context.masks))
        outer = context
        for i in s.init if isinstance(s, n.For) else ():
            self.header(i, outer)
        inner = dataclasses.replace(inner, entry=len(inner.masks))
        body = self.block(s.body, inner, after=True, owner=s)
        moved: list[n.Stmt] = []
        kept: list[n.Stmt] = []
        for i in s.step if isinstance(s, n.For) else ():
            if not inner.masks:
                self.check(i)
                kept.append(i)
            elif self.in_lockstep(i, outer):
                kept.append(i)
            else:
                moved.append(i)
        self.guard(moved, inner, body)
        if moved and any(isinstance(x, n.Continue) for x in walk(body)):
            raise self.refuse(s, kinds, "the loop around {what} has a continue and a step that only some threads take")
        cond = s.cond
        steady = cond is None or self.everywhere(cond) or (not inner.masks and self.uniform(s, inner))
        if not steady or (cond is not None and self.hot(cond) and inner.masks):
            text = f"`{show_expr(cond)}`" if cond is not None else "its exit"
            why = f"the loop runs a different number of times in different threads ({text}), and {{what}} is in it"
            raise self.refuse(s, kinds, why)
        if (cond is None or isinstance(cond, n.Const)) and not any(_ends(x) for x in body):
            raise self.refuse(s, kinds, "the loop ends at different times in different threads, and {what} is in it")
        if isinstance(s, n.For):
            out.append(dataclasses.replace(s, step=tuple(kept), body=tuple(body)))
        else:
            out.append(dataclasses.replace(s, body=tuple(body)))
        return out

    def header(self, s: n.Stmt, context: _Context) -> None:
        """Check a statement that starts a loop, which all threads run."""
        if not context.masks:
            self.check(s)
        elif not self.in_lockstep(s, context) and not (isinstance(s, n.Declare) and self.plain_declare(s)):
            why = f"the loop around {{what}} starts from values of the threads that reach it ({show_stmt(s)})"
            raise self.refuse(s, self.facts.kinds, why)

    # expressions that hold a collective

    def lifted(self, s: n.Stmt, context: _Context, out: list[n.Stmt]) -> None:
        """Emit a masked declaration, assignment or call whose expressions hold a collective."""
        if isinstance(s, n.Declare) and s.init is not None and s.items is None:
            comments, s = s.comments, dataclasses.replace(s, comments=())
            mark = len(out)
            init = self.lift(cast("n.Expr", s.init), context, out)
            last = out[-1]
            if isinstance(last, n.Declare) and isinstance(init, n.Var) and init.name == last.name:
                self.names.taken.discard(last.name)
                out[-1] = dataclasses.replace(s, init=last.init)
                self.scope.pop(s.name, None)
            else:
                new = dataclasses.replace(s, init=init)
                self.scope.pop(s.name, None)
                if self.plain_declare(new):
                    out.append(new)
                else:
                    out.append(self.hoisted(new))
                    self.guard(self.initialised(new), context, out)
            out[mark] = dataclasses.replace(out[mark], comments=comments)
            return
        if isinstance(s, n.Evaluate):
            call = self.lift(s.value, context, out, whole=True)
            if isinstance(call, n.Call) and self.hot(s.value):
                out.append(dataclasses.replace(s, value=call))
                return
            self.guard((dataclasses.replace(s, value=call),), context, out)
            return
        new = rebuild(s, lambda c: self.lift(cast("n.Expr", c), context, out))
        self.guard((new,), context, out)

    def lift(self, e: n.Expr, context: _Context, out: list[n.Stmt], *, whole: bool = False) -> n.Expr:
        """The expression with its collectives done by all threads before; `whole`: leave a call in its place."""
        if not self.hot(e):
            return e
        mask = cast("n.Expr", context.mask)
        match e:
            case n.Shuffle():
                value = self.operand(self.lift(e.value, context, out), context, out)
                lane = self.operand(self.lift(e.lane, context, out), context, out)
                return self.exchanged("other", dataclasses.replace(e, value=value, lane=lane), out)
            case n.Vote():
                value = self.lift(e.value, context, out)
                value = n.Binary("||", negate(mask), value, BOOL) if e.kind == "all" else both(mask, value)
                return self.exchanged("vote", dataclasses.replace(e, value=value), out)
            case n.Call():
                call = self.call(e, context, out)
                if whole or e.type == VOID:
                    return call
                return self.exchanged("other", call, out)
            case n.Select() if self.hot((e.then, e.other)):
                raise self.refuse(e, self.facts.collectives.of(e) & self.facts.kinds, LAZY)
            case n.Binary(op="&&" | "||", right=right) if self.hot(right):
                raise self.refuse(e, self.facts.collectives.of(e) & self.facts.kinds, LAZY)
            case _:
                return cast("n.Expr", rebuild(e, lambda c: self.lift(cast("n.Expr", c), context, out)))

    def exchanged(self, name: str, e: n.Shuffle | n.Vote | n.Call, out: list[n.Stmt]) -> n.Expr:
        name = self.names.fresh(name)
        out.append(n.Declare(name, e.type, e, const=not isinstance(e.type, Pointer), loc=e.loc))
        return n.Var(name, e.type, loc=e.loc)

    def operand(self, e: n.Expr, context: _Context, out: list[n.Stmt]) -> n.Expr:
        """`e` if every thread may evaluate it, else a variable that is zero in masked threads."""
        if self.anywhere(e):
            return e
        default = self.nothing(e.type, e.loc)
        name = self.names.fresh("operand")
        out.append(n.Declare(name, e.type, default, loc=e.loc))
        self.guard((n.Assign(n.Var(name, e.type), e, loc=e.loc),), context, out)
        return n.Var(name, e.type, loc=e.loc)

    def call(self, e: n.Call, context: _Context, out: list[n.Stmt]) -> n.Call:
        """A call that all threads make: of the function itself if that is harmless, else of its masked variant."""
        lifted = [self.lift(a, context, out) for a in e.args]
        steady = [self.everywhere(a) for a in lifted]
        args = tuple(self.operand(a, context, out) for a in lifted)
        f = self.facts.uniformity.program.function(e.function)
        levels = [self.facts.uniformity.params.get((f.name, p.name), Level.THREAD) for p in f.params]
        same = all(ok or level is Level.THREAD for ok, level in zip(steady, levels, strict=True))
        if same and harmless(f, self.facts.uniformity):
            return dataclasses.replace(e, args=args)
        everywhere = frozenset(p.name for p, ok in zip(f.params, steady, strict=True) if ok)
        self.asked[e.function] = self.asked.get(e.function, everywhere) & everywhere
        mask = cast("n.Expr", context.mask)
        return dataclasses.replace(e, function=e.function + self.MARK, args=(*args, mask))


LAZY = "{what} in an operand of &&, || or ?: that not all threads evaluate; write it as an if"


def harmless(f: n.Function, uniformity: Uniformity) -> bool:
    """Tell whether threads may call a function with zeros: no effect, no load, no call, no loop that depends on them."""
    for x in walk(f.body):
        match x:
            case n.Assign(target=target):
                if not isinstance(target, n.Var | n.Component) or root_variable(target) is None:
                    return False
            case n.Declare(space=Space.SHARED) | n.Atomic() | n.Call() | n.Deref() | n.Element():
                return False
            case n.For() | n.While():
                if uniformity.level(x) is Level.THREAD:
                    return False
            case _:
                pass
    return True


def show_stmt(s: n.Stmt) -> str:
    """Return a statement of one line for a message."""
    return show_body((s,)).strip().rstrip(";")


def _assigned(s: n.Assign) -> n.Expr:
    if s.op is None:
        return s.value
    return n.Binary(s.op, s.target, s.value, cast("Scalar", s.target.type))


def _ends(s: n.Stmt) -> bool:
    """Whether a statement can leave the loop around it."""
    return any(isinstance(x, n.Return | n.Break) for x in exits(s))
