"""The statements of one function, each put under its mask."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ... import nodes as n
from ...analysis.collectives import Collective
from ...analysis.divergence import lazy_collectives
from ...analysis.progress import waits
from ...printer import show_body, show_expr
from ...types import BOOL, VOID
from ...walk import walk
from ..pieces import both, exits, mentioned, negate
from .leaving import Leaving
from .lifting import MARK, Lifting
from .state import LAZY, Again, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MARK", "Masking"]


class Masking(Leaving, Lifting):
    """One function rewritten so that all threads reach its collectives."""

    def run(self) -> n.Function:
        """Return the function rewritten; Refusal where that cannot be done."""
        while True:
            self.start()
            try:
                return self.attempt()
            except Again:
                continue

    def attempt(self) -> n.Function:
        """Emit the function under the present guesses."""
        params = self.f.params
        context = Context()
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

    def block(
        self,
        body: Sequence[n.Stmt],
        context: Context,
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
                self.special(s, context, later, out)
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

    def guarded(self, body: Sequence[n.Stmt], start: int, context: Context, after: bool, out: list[n.Stmt]) -> int:
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

    def special(self, s: n.Stmt, context: Context, later: bool, out: list[n.Stmt]) -> None:
        """Emit a statement that holds a collective or an exit."""
        match s:
            case n.Barrier():
                out.append(s)
            case n.Block(body=body):
                out.append(dataclasses.replace(s, body=tuple(self.block(body, context, after=later))))
            case n.If():
                self.branch(s, context, later, out)
            case n.For() | n.While():
                self.loop(s, context, later, out)
            case n.Return() | n.Break() | n.Continue():
                self.leave(s, context, later, out)
            case _:
                self.lifted(s, context, out)

    def leave(self, s: n.Return | n.Break | n.Continue, context: Context, later: bool, out: list[n.Stmt]) -> None:
        """Emit a return, break or continue."""
        if isinstance(s, n.Return) and s.value is not None and self.hot(s.value) and context.masks:
            s = dataclasses.replace(s, value=self.lift(s.value, context, out))
        if isinstance(s, n.Return):
            real = not context.masks
            if not real and not later and self.f.returns == VOID:
                self.guard((s,), context, out)
                return
        else:
            real = len(context.masks) == context.entry
        if real:
            out.append(s)
            return
        self.guard(self.clear(s, context), context, out)

    def branch(self, s: n.If, context: Context, later: bool, out: list[n.Stmt]) -> None:
        """Emit an if: kept where all threads agree, else in line under masks."""
        kept = self.uniform(s, context) or self.everywhere(s.cond)
        if not kept and not self.hot(s.then) and not self.hot(s.other) and not self.hot(s.cond):
            # only exits in it: they clear masks
            self.need_exits(s, context)
            self.guard(self.soften((s,), context)[0], context, out)
            return
        cond = s.cond
        if self.hot(cond) and context.masks:
            cond = self.lift(cond, context, out)
        if not self.hot(s.then) and not self.hot(s.other) and not any(True for _ in exits(s)):
            self.guard((dataclasses.replace(s, cond=cond),), context, out)
            return
        if kept:
            then = self.block(s.then, context, after=later)
            other = self.block(s.other, context, after=later)
            out.append(dataclasses.replace(s, cond=cond, then=tuple(then), other=tuple(other)))
            return
        mask = self.new_mask()
        out.append(n.Declare(mask, BOOL, both(context.mask, cond), loc=s.loc, comments=s.comments, trailing=s.trailing))
        other_mask = ""
        if s.other:
            other_mask = self.new_mask()
            out.append(n.Declare(other_mask, BOOL, both(context.mask, negate(n.Var(mask, BOOL))), loc=s.loc))
        out += self.scoped(s.then, context.push(mask), later or self.hot(s.other))
        if s.other:
            out += self.scoped(s.other, context.push(other_mask), later)

    def need_exits(self, s: n.Stmt, context: Context) -> None:
        """Ask for the masks that the exits in `s` clear, before it is emitted."""
        for x in exits(s):
            self.clear(x, context)

    def scoped(self, body: Sequence[n.Stmt], context: Context, later: bool) -> list[n.Stmt]:
        """A branch's statements in line; in a block of their own where a name of theirs is declared elsewhere, too."""
        new = self.block(body, context, after=later)
        if any(isinstance(s, n.Declare) and s.name in self.repeated for s in new):
            return [n.Block(tuple(new))]
        return new

    def loop(self, s: n.For | n.While, context: Context, later: bool, out: list[n.Stmt]) -> None:
        """Emit a loop: around a collective with a header that all threads run."""
        if not self.hot(s):
            self.need_exits(s, context)
            self.guard(self.soften((s,), context)[0], context, out)
            return
        if id(s) in self.guesses.voted:
            self.voted(s, context, out)
            return
        kinds = self.facts.collectives.of(s) & self.facts.kinds
        inner = dataclasses.replace(context, breaks=None, continues=None, loop=id(s))
        if ("break", id(s)) in self.guesses.needed:
            inner = dataclasses.replace(self.declare_mask(inner, out), breaks=len(context.masks))
        outer = context
        for i in s.init if isinstance(s, n.For) else ():
            self.header(i, s, outer)
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
            raise self.vote(s, kinds, "the loop around {what} has a continue and a step that only some threads take")
        cond = s.cond
        steady = cond is None or self.everywhere(cond) or (not inner.masks and self.uniform(s, inner))
        if not steady or (cond is not None and self.hot(cond) and inner.masks):
            text = f"`{show_expr(cond)}`" if cond is not None else "its exit"
            why = f"the loop runs a different number of times in different threads ({text}), and {{what}} is in it"
            raise self.vote(s, kinds, why)
        if (cond is None or isinstance(cond, n.Const)) and not any(_ends(x) for x in body):
            raise self.vote(s, kinds, "the loop ends at different times in different threads, and {what} is in it")
        if isinstance(s, n.For):
            out.append(dataclasses.replace(s, step=tuple(kept), body=tuple(body)))
        else:
            out.append(dataclasses.replace(s, body=tuple(body)))

    def vote(self, s: n.For | n.While, kinds: frozenset[Collective], why: str) -> Exception:
        """Have the threads vote on the rounds of a loop whose own header parts them; the refusal where they may not.

        A barrier in such a loop is undefined in the source. A loop that waits for other threads would hold them back.
        """
        barrier = Collective.BARRIER in self.facts.collectives.of(s)
        if barrier or not self.facts.vote or waits(self.facts.uniformity.program, s):
            return self.refuse(s, kinds, why)
        # where this loop is, the ones in it may keep their headers after all
        inside = {id(x) for x in walk(s)}
        self.guesses.voted -= inside | {id(self.bare[i]) for i in inside & self.bare.keys()}
        self.guesses.varying -= inside
        self.guesses.voted.add(id(s))
        return Again()

    def voted(self, s: n.For | n.While, context: Context, out: list[n.Stmt]) -> None:
        """Emit a loop that all threads go round together, as long as one of them goes on."""
        if isinstance(s, n.For) and s.init:
            bare = self.bare.setdefault(id(s), dataclasses.replace(s, init=()))
            self.guesses.voted.add(id(bare))
            scope = dict(self.scope)
            new = self.block((*s.init, bare), context, after=True)
            self.scope = scope
            known = any(isinstance(i, n.Declare) and i.name in self.repeated for i in s.init)
            out += [n.Block(tuple(new))] if known else new
            return
        cond = None if isinstance(s.cond, n.Const) and s.cond.value else s.cond
        lazy = (lazy_collectives(x, self.facts.collectives) & self.facts.kinds for x in walk(cond or ()))
        if found := next(filter(None, lazy), None):
            raise self.refuse(s, found, LAZY)
        mask = self.new_mask()
        goes_on = n.Var(mask, BOOL)
        begin = context.mask
        if cond is not None and not (isinstance(s, n.While) and s.post):
            begin = both(begin, self.lift(cond, context, out) if context.masks else cond)
        begin = begin or n.boolean(True)
        out.append(n.Declare(mask, BOOL, begin, loc=s.loc, comments=s.comments, trailing=s.trailing))
        # no exit is a real one: all threads come to the next vote
        inner = context.push(mask, entry=-1, breaks=len(context.masks), continues=None, loop=id(s))
        scope = dict(self.scope)
        body = self.block(s.body, inner, after=True, owner=s)
        self.scope = scope
        turn = self.block(s.step, inner, after=True) if isinstance(s, n.For) else []
        if cond is not None:
            again = both(goes_on, self.lift(cond, inner, turn))
            turn.append(n.Assign(goes_on, again, loc=s.loc))
        out.append(n.While(n.Call(self.facts.vote, (goes_on,), BOOL, loc=s.loc), (*body, *turn), loc=s.loc))

    def header(self, s: n.Stmt, loop: n.For | n.While, context: Context) -> None:
        """Check a statement that starts a loop, which all threads run."""
        if not context.masks:
            self.check(s)
        elif not self.in_lockstep(s, context) and not (isinstance(s, n.Declare) and self.plain_declare(s)):
            why = f"the loop around {{what}} starts from values of the threads that reach it ({show_stmt(s)})"
            raise self.vote(loop, self.facts.kinds, why)


def show_stmt(s: n.Stmt) -> str:
    """Return a statement of one line for a message."""
    return show_body((s,)).strip().rstrip(";")


def _ends(s: n.Stmt) -> bool:
    """Whether a statement can leave the loop around it."""
    return any(isinstance(x, n.Return | n.Break) for x in exits(s))
