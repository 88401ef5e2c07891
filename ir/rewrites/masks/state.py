"""Masks and lockstep variables: what is known while a function is rewritten.

Masks form a stack: a statement takes effect in the threads where the topmost is true, and a mask implies those below.
A variable is *lockstep* where every thread, masked or not, computes the same value for it: headers of loops around
collectives may use nothing else. Which variables are lockstep, and which masks are needed, is found by trying: a
function is emitted with the most optimistic guess, and anew whenever a guess proves wrong.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from ... import nodes as n
from ...analysis.collectives import Collective, Collectives
from ...analysis.divergence import lazy_collectives
from ...analysis.uniformity import Level, Uniformity
from ...analysis.usage import address_taken, root_variable
from ...diagnostics import refuse
from ...types import BOOL, I32, VOID, Array, Scalar, Space, Struct, Vector
from ...walk import children, rewrite_stmts, walk
from ..pieces import Names, safe, zero

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Exit = Literal["return", "break", "continue"]
LAZY = "{what} in an operand of &&, || or ?: that not all threads evaluate; write it as an if"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the program: uniformity, collectives, and those kinds of them that all threads must reach.

    `vote` is the name for `group_vote.group_any`; empty where loops may not vote.
    """

    uniformity: Uniformity
    collectives: Collectives
    kinds: frozenset[Collective]
    vote: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """A device function with a mask as its last parameter; `everywhere`: parameters that are lockstep in all calls."""

    name: str
    everywhere: frozenset[str]


@dataclass(frozen=True, slots=True)
class Context:
    """Where a statement is emitted: the masks, how many of them threads have left for good, and the loop around it.

    `returns` tells that the lowest mask lives to the function's end. In a loop, `entry` is how many masks its body
    began with; `breaks` and `continues` are where the masks begin that a masked break or continue clears.
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
        """The topmost mask; None where all threads take effect."""
        return n.Var(self.masks[-1], BOOL) if self.masks else None

    def push(self, mask: str, **changes: object) -> Context:
        """Return the context under one mask more."""
        return dataclasses.replace(self, masks=(*self.masks, mask), **changes)  # pyright: ignore[reportArgumentType]


@dataclass(slots=True)
class Guesses:
    """What former attempts have shown.

    Declarations that are not lockstep, masks needed (by exit and construct), loops whose rounds are voted on.
    """

    varying: set[int] = field(default_factory=set[int])
    voted: set[int] = field(default_factory=set[int])
    needed: set[tuple[Exit, int]] = field(default_factory=set[tuple[Exit, int]])
    result: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """A visible lockstep variable: the height of its declaration, and which declaration that is."""

    height: int
    key: int


class Again(Exception):
    """A guess proved wrong and has been corrected."""


class State:
    """The rewriting of one function. `asked` are the variants of device functions that its calls need."""

    def __init__(self, f: n.Function, facts: Facts, taken: set[str], variant: Variant | None) -> None:
        self.f = f
        self.facts = facts
        self.taken = taken
        self.variant = variant
        self.guesses = Guesses()
        self.bare: dict[int, n.For] = {}
        self.pointed = address_taken(f)
        self.shared = {s.name for s in walk(f.body) if isinstance(s, n.Declare) and s.space is Space.SHARED}
        counts = [s.name for s in walk(f.body) if isinstance(s, n.Declare)]
        self.repeated = {name for name in counts if counts.count(name) > 1}
        self.start()

    def start(self) -> None:
        """Forget what one attempt wrote."""
        self.names = Names(self.taken)
        self.masks: set[str] = set()
        self.scope = {p.name: Lock(0, id(p)) for p in self.f.params if self.steady_param(p)}
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

    def settle(self, body: tuple[n.Stmt, ...]) -> tuple[n.Stmt, ...]:
        """Make const the masks that are never cleared."""
        cleared = {root_variable(s.target) for s in walk(body) if isinstance(s, n.Assign)}

        def const(s: n.Stmt) -> Sequence[n.Stmt]:
            if isinstance(s, n.Declare) and s.name in self.masks and s.name not in cleared:
                return [dataclasses.replace(s, const=True)]
            return [s]

        return rewrite_stmts(body, const)

    def hot(self, node: n.Node | Sequence[n.Node]) -> bool:
        """Tell whether there is a collective in a node that all threads must reach."""
        return bool(self.facts.collectives.of(node) & self.facts.kinds)

    def uniform(self, s: n.Stmt, context: Context) -> bool:
        """Whether all threads are here, and agree on the condition or value of the source's statement `s`."""
        control = self.facts.uniformity.control(s)
        return not context.masks and not control.divergent and self.facts.uniformity.level(s) is not Level.THREAD

    def lockstep(self, name: str) -> bool:
        """Tell whether a visible variable is lockstep."""
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
        """Give up that a variable is lockstep, and try again."""
        self.guesses.varying.add(self.scope[name].key)
        raise Again

    def need(self, exit_: Exit, owner: int) -> None:
        """Ask for a mask that an exit clears, and try again."""
        self.guesses.needed.add((exit_, owner))
        raise Again

    def new_mask(self) -> str:
        """Take a name for a mask."""
        name = self.names.fresh("active")
        self.masks.add(name)
        return name

    def refuse(self, s: n.Node, kinds: frozenset[Collective], why: str) -> Exception:
        """Return the refusal of a statement; `{what}` in the reason becomes the collective."""
        barrier = Collective.BARRIER in kinds
        what = "a barrier" if barrier else "a shuffle or vote"
        return refuse("GP2003" if barrier else "GP2004", why.format(what=what), s.loc or self.f.loc)

    def nothing(self, t: object, loc: n.Loc | None) -> n.Expr | None:
        """A value for threads that have none; None where the type has no zero."""
        if isinstance(t, Scalar | Vector) and t != VOID:
            return zero(t)
        if isinstance(t, Struct) and t.fragment is None and not t.union:
            members = [m.type for m in t.members]
            if all(isinstance(m, Scalar | Vector) for m in members):
                return n.Aggregate(tuple(zero(cast("Scalar", m)) for m in members), t)
        return None

    def candidate(self, s: n.Declare) -> bool:
        """Tell whether a declared variable can be lockstep at all."""
        return isinstance(s.type, Scalar) and s.space is Space.PRIVATE and s.name not in self.pointed

    def anywhere(self, e: n.Expr) -> bool:
        """Whether every thread may evaluate `e`, whatever it then gets."""
        return safe(e) and not _reads(e, self.shared)

    def plain_declare(self, s: n.Declare) -> bool:
        """Whether every thread may run a declaration as it is."""
        return (s.init is None or self.anywhere(s.init)) and all(self.anywhere(i) for i in s.items or ())

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
                    self.scope[x.name] = Lock(0, id(x))
            elif (name := root_variable(x.target)) is not None and varies and self.lockstep(name):
                self.drop(name)

    def in_lockstep(self, s: n.Stmt, context: Context) -> bool:
        """Whether a masked statement sets a lockstep variable, so that all threads run it."""
        if isinstance(s, n.Declare):
            if s.space in (Space.SHARED, Space.CONSTANT):
                return True
            self.scope.pop(s.name, None)
            steady = s.init is None or self.everywhere(s.init)
            if not steady or not self.candidate(s) or id(s) in self.guesses.varying:
                return False
            self.scope[s.name] = Lock(context.height, id(s))
            return True
        if isinstance(s, n.Assign) and isinstance(s.target, n.Var) and self.lockstep(s.target.name):
            if self.scope[s.target.name].height != context.height or not self.everywhere(_assigned(s)):
                self.drop(s.target.name)
            return True
        return False

    def guard(self, inside: Sequence[n.Stmt], context: Context, out: list[n.Stmt]) -> None:
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
        if isinstance(last, n.Declare) and last.name == context.masks[-1] and last.init == n.boolean(True):
            out += inside
            return
        if inside and isinstance(last, n.If) and any(last is g for g in self.guards) and last.cond == mask:
            cleared = {root_variable(x.target) for x in walk(last.then) if isinstance(x, n.Assign)}
            if context.masks[-1] not in cleared:
                inside = (*out.pop().then, *inside)  # pyright: ignore[reportAttributeAccessIssue]
        if inside:
            self.guards.append(n.If(mask, tuple(inside), loc=inside[0].loc))
            out.append(self.guards[-1])

    def hoisted(self, s: n.Declare) -> n.Declare:
        """Return a declaration without its initialiser: zero, for all threads."""
        return dataclasses.replace(s, init=self.nothing(s.type, s.loc), items=None, const=False, trailing=None)

    def initialised(self, s: n.Declare) -> list[n.Stmt]:
        """The assignments that stand for a declaration's initialiser."""
        target = n.Var(s.name, s.type)
        if s.init is not None:
            return [n.Assign(target, s.init, loc=s.loc, trailing=s.trailing)]
        if s.items is None:
            return []
        if not isinstance(s.type, Array) or not isinstance(s.type.elem, Scalar | Vector):
            raise self.refuse(s, self.facts.kinds, "a nested array is initialised where {what} is not reached by all")
        elem = s.type.elem
        items = [*s.items, *(zero(elem) for _ in range(s.type.length - len(s.items)))]
        return [n.Assign(n.Element(target, n.Const(k, I32), elem), item, loc=s.loc) for k, item in enumerate(items)]

    def declare_mask(self, context: Context, out: list[n.Stmt]) -> Context:
        """Declare a mask that begins like the topmost, or as true."""
        mask = self.new_mask()
        out.append(n.Declare(mask, BOOL, context.mask or n.boolean(True)))
        return context.push(mask)


def _assigned(s: n.Assign) -> n.Expr:
    if s.op is None:
        return s.value
    return n.Binary(s.op, s.target, s.value, cast("Scalar", s.target.type))


def _reads(e: n.Node, names: Collection[str]) -> bool:
    """Tell whether an expression reads one of the variables; the address of a variable reads nothing of it."""
    match e:
        case n.Var(name=name):
            return name in names
        case n.Decay(array=n.Var()) | n.AddressOf(memory=n.Var()):
            return False
        case n.AddressOf(memory=n.Element(base=base, index=index)) if isinstance(base.type, Array):
            return _reads(index, names) or _reads(n.AddressOf(base, e.type), names)
        case n.Decay(array=n.Element(base=base, index=index)) if isinstance(base.type, Array):
            return _reads(index, names) or _reads(n.Decay(base, e.type), names)
        case _:
            return any(_reads(c, names) for c in children(e))
