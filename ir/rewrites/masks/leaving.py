"""Early returns, breaks and continues that only some threads take: they clear masks instead."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from ... import nodes as n
from ...types import BOOL, VOID
from ..pieces import both, exits, negate
from .state import Again, Context, Exit, State

if TYPE_CHECKING:
    from collections.abc import Sequence


class Leaving(State):
    """How threads leave a function, a loop or an iteration without missing its collectives."""

    def early_exit(
        self, s: n.Stmt, context: Context, owner: n.Function | n.For | n.While, later: bool, out: list[n.Stmt]
    ) -> Context | None:
        """`if (c) { ...; return; }` in a function's own block, or with continue in a loop's: the rest gets a mask."""
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

    def arm(self, s: n.Stmt, context: Context, owner: n.Function | n.For | n.While, out: list[n.Stmt]) -> Context:
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

    def clear(self, x: n.Return | n.Break | n.Continue, context: Context) -> list[n.Stmt]:
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
                        raise Again
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

    def needed_mask(self, exit_: Exit, begin: int | None, context: Context) -> int:
        """Return where the masks begin that an exit clears; ask for one where there is none."""
        if begin is None:
            self.need(exit_, context.loop)
        return cast("int", begin)

    def soften(self, body: Sequence[n.Stmt], context: Context, in_loop: int = 0) -> tuple[list[n.Stmt], bool]:
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

    def may_stay(self, x: n.Return | n.Break | n.Continue, context: Context, later: bool) -> bool:
        """Tell whether an exit may stay as it is: nothing follows it, or all threads take it."""
        if isinstance(x, n.Return) and not later:
            return self.f.returns == VOID or not context.masks
        return not context.masks and not self.facts.uniformity.control(x).divergent

    def plain(self, s: n.Stmt, context: Context, later: bool) -> bool:
        """Whether `s` needs no rewriting itself: no collective in it, and its exits may stay as they are."""
        if isinstance(s, n.Barrier):
            return False
        if self.hot(s):
            return not context.masks and not isinstance(s, n.If | n.For | n.While | n.Block | n.Return)
        return all(self.may_stay(x, context, later) for x in exits(s))
