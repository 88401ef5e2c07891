"""Expressions that hold a collective under a mask: all threads do the collective first, those of the mask the rest."""

from __future__ import annotations

import dataclasses
from typing import cast

from ... import nodes as n
from ...analysis.uniformity import Level, Uniformity
from ...analysis.usage import root_variable
from ...types import BOOL, VOID, Pointer, Space
from ...walk import rebuild, walk
from ..pieces import both, negate
from .state import LAZY, Context, State

# stands behind a callee's name until its masked variant has one
MARK = "?active"


class Lifting(State):
    """How a statement's collectives come out of it."""

    def lifted(self, s: n.Stmt, context: Context, out: list[n.Stmt]) -> None:
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

    def lift(self, e: n.Expr, context: Context, out: list[n.Stmt], *, whole: bool = False) -> n.Expr:
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
        """Declare a variable for what all threads exchange, and return it."""
        name = self.names.fresh(name)
        out.append(n.Declare(name, e.type, e, const=not isinstance(e.type, Pointer), loc=e.loc))
        return n.Var(name, e.type, loc=e.loc)

    def operand(self, e: n.Expr, context: Context, out: list[n.Stmt]) -> n.Expr:
        """`e` if every thread may evaluate it, else a variable that is zero in masked threads."""
        if self.anywhere(e):
            return e
        default = self.nothing(e.type, e.loc)
        name = self.names.fresh("operand")
        out.append(n.Declare(name, e.type, default, loc=e.loc))
        self.guard((n.Assign(n.Var(name, e.type), e, loc=e.loc),), context, out)
        return n.Var(name, e.type, loc=e.loc)

    def call(self, e: n.Call, context: Context, out: list[n.Stmt]) -> n.Call:
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
        return dataclasses.replace(e, function=e.function + MARK, args=(*args, mask))


def harmless(f: n.Function, uniformity: Uniformity) -> bool:
    """Tell whether threads may call a function with zeros: no effect, load or call, no loop that depends on them."""
    for x in walk(f.body):
        match x:
            case n.Assign(target=target):
                if not isinstance(target, n.Var | n.Component | n.Field) or root_variable(target) is None:
                    return False
            case n.Declare(space=Space.SHARED) | n.Atomic() | n.Call() | n.Deref() | n.Element():
                return False
            case n.For() | n.While():
                if uniformity.level(x) is Level.THREAD:
                    return False
                # with zeros a thread may never come to the exit that ends the loop
                leaves = (y for y in walk(x.body) if isinstance(y, n.Break | n.Return))
                if any(uniformity.control(cast("n.Stmt", y)).divergent for y in leaves):
                    return False
            case _:
                pass
    return True
