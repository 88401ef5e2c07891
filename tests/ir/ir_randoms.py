"""Random structured kernels with barriers and shuffles that are legal CUDA, for tests of rewrites.

Three kinds of control: the whole group, whole warps, single threads. Barriers stand only where every thread of the
group that has not returned comes, shuffles only where whole warps come; shared memory is read across threads between
barriers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import ir_build as b
from gpuport.ir import nodes as n
from gpuport.ir.types import BOOL, I32, Array, Pointer, Space

THREADS = 64
SLOTS = b.var("s", Array(I32, THREADS))
GROUP, WARP, THREAD = 0, 1, 2
FUNCTIONS = (
    b.device(
        "warp_sum",
        {"v": I32},
        n.For(
            (b.let("o", b.c(16)),),
            b.op(b.var("o"), ">", 0),
            (b.put(b.var("o"), 1, ">>"),),
            (b.put(b.var("v"), b.shuffle(b.var("v"), b.var("o")), "+"),),
        ),
        n.Return(b.var("v")),
        returns=I32,
    ),
    b.device(
        "keep_sum",
        {"p": Pointer(I32, Space.GLOBAL), "v": I32, "k": I32},
        b.when(b.op(b.op(b.tid(), "/", 32), "==", 1), n.Return(b.op(b.var("k"), "+", 5))),
        b.put(b.el(b.var("p", b.GLOBAL_I32), b.tid()), b.var("v"), "+"),
        b.let("u", b.shuffle(b.var("v"), 0, "idx", 1)),
        n.Return(b.op(b.var("u"), "+", b.var("k"))),
        returns=I32,
    ),
)


@dataclass(frozen=True)
class Here:
    """What stands where: the control, in how many loops, whether threads of this warp or of this group are missing."""

    control: int = GROUP
    loops: int = 0
    lanes_gone: bool = False
    warps_gone: bool = False
    depth: int = 0

    @property
    def barrier(self) -> bool:
        return self.control == GROUP and not self.warps_gone

    @property
    def shuffle(self) -> bool:
        return self.control != THREAD and not self.lanes_gone


class Maker:
    def __init__(self, seed: int, *, warp_loops: bool = False) -> None:
        """`warp_loops`: half of the loops take another number of rounds in each warp."""
        self.warp_loops = warp_loops
        self.random = Random(seed)
        self.names = 0

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def small(self) -> int:
        return self.random.randint(0, 9)

    def fresh(self, base: str) -> str:
        self.names += 1
        return f"{base}{self.names}"

    def program(self) -> n.Program:
        body, _ = self.block(Here(), ("a", "b"))
        head = (b.shared("s", I32, THREADS), b.let("a", b.el(b.x, b.tid())), b.let("b", b.tid()))
        tail = (b.put(b.el(b.y, b.tid()), b.op(b.var("a"), "+", b.op(b.var("b"), "*", 3)), "+"),)
        return b.program(*head, *body, *tail, params=(b.X, b.Y, b.N), functions=FUNCTIONS)

    def value(self, names: tuple[str, ...], deep: int = 1) -> n.Expr:
        kind = self.pick("var", "var", "const", "tid", "n", "op", "load", "mod")
        if kind == "op" and deep:
            return b.op(self.value(names, deep - 1), str(self.pick("+", "-", "*", "^")), self.value(names, deep - 1))
        if kind == "load":
            return b.el(b.x, b.tid())
        if kind == "mod":
            return b.op(b.var(str(self.pick(*names))), "%", self.small() + 1)
        if kind == "tid":
            return b.tid()
        return b.c(self.small()) if kind == "const" else b.size if kind == "n" else b.var(str(self.pick(*names)))

    def target(self, names: tuple[str, ...]) -> n.Var:
        """A variable to assign: any but the counters of loops."""
        return b.var(str(self.pick(*(name for name in names if name[0] != "i"))))

    def cond(self, control: int, names: tuple[str, ...]) -> n.Expr:
        if control == GROUP:
            return b.op(b.op(b.size, "+", b.bid()), str(self.pick("<", "==", ">")), self.small() + 3)
        if control == WARP:
            return b.op(b.op(b.tid(), "/", 32), str(self.pick("==", "<", "!=")), self.small() % 2)
        return b.op(self.value(names), str(self.pick("<", "==", ">", "!=")), self.small() * 3)

    def block(self, here: Here, names: tuple[str, ...]) -> tuple[tuple[n.Stmt, ...], Here]:
        out: list[n.Stmt] = []
        for _ in range(self.random.randint(2, 5)):
            made, here, names = self.statement(here, names)
            out += made
        return tuple(out), here

    def statement(self, here: Here, names: tuple[str, ...]) -> tuple[list[n.Stmt], Here, tuple[str, ...]]:
        kinds = ["set", "set", "let", "store"]
        kinds += ["exchange", "exchange"] if here.barrier else []
        kinds += ["shuffle", "call", "keep", "vote"] if here.shuffle else []
        kinds += ["if", "if", "for", "exit"] if here.depth < 3 else []
        target = self.target(names)
        match self.pick(*kinds):
            case "let":
                name = self.fresh("v")
                return [b.let(name, self.value(names), const=False)], here, (*names, name)
            case "store":
                return [b.put(b.el(b.y, b.tid()), self.value(names), "+")], here, names
            case "exchange":
                there = b.op(b.op(b.tid(), "+", self.small()), "%", THREADS)
                read = b.put(target, b.el(SLOTS, there), "+")
                write = b.put(b.el(SLOTS, b.tid()), self.value(names))
                return [n.Block((write, n.Barrier(), read, n.Barrier()))], here, names
            case "shuffle":
                value = b.shuffle(self.value(names), self.small(), str(self.pick("xor", "down", "up", "idx")))
                return [b.put(target, b.op(value, "+", self.value(names)))], here, names
            case "call":
                return [b.put(target, n.Call("warp_sum", (self.value(names),), I32))], here, names
            case "keep":
                call = n.Call("keep_sum", (b.y, self.value(names), self.value(names)), I32)
                name = self.fresh("w")
                return [b.let(name, call, const=True)], here, names
            case "vote":
                kind = str(self.pick("any", "all"))
                vote = n.Vote(kind, self.cond(THREAD, names), BOOL)
                return [b.put(target, n.Select(vote, b.c(1), b.c(2), I32), "+")], here, names
            case "if":
                return self.branch(here, names)
            case "for":
                return self.loop(here, names)
            case "exit":
                return self.leave(here, names)
            case _:
                return [b.put(target, self.value(names), self.pick(None, "+", "-"))], here, names

    def branch(self, here: Here, names: tuple[str, ...]) -> tuple[list[n.Stmt], Here, tuple[str, ...]]:
        control = int(str(self.pick(GROUP, WARP, THREAD)))
        inner = replace(here, control=max(here.control, control), depth=here.depth + 1)
        then, after = self.block(inner, names)
        other, after_other = self.block(inner, names) if self.pick(True, False) else ((), inner)
        gone = replace(
            here,
            lanes_gone=here.lanes_gone or after.lanes_gone or after_other.lanes_gone,
            warps_gone=here.warps_gone or after.warps_gone or after_other.warps_gone,
        )
        return [b.when(self.cond(control, names), *then, other=other)], gone, names

    def loop(self, here: Here, names: tuple[str, ...]) -> tuple[list[n.Stmt], Here, tuple[str, ...]]:
        i = self.fresh("i")
        control = int(str(self.pick(GROUP, GROUP, GROUP, THREAD)))
        limit = b.op(b.size, "%", 4) if control == GROUP else b.op(b.tid(), "%", 3)
        if self.warp_loops and self.pick(True, False):
            control, warp = WARP, b.op(b.op(b.tid(), "/", 32), "*", self.small())
            limit = b.op(b.op(warp, "+", self.small()), "%", 4)
        inner = replace(here, control=max(here.control, control), loops=here.loops + 1, depth=here.depth + 1)
        body, after = self.block(inner, (*names, i))
        if (after.lanes_gone, after.warps_gone) != (here.lanes_gone, here.warps_gone):
            # threads that left miss what the next iteration began with
            inner = replace(inner, lanes_gone=after.lanes_gone, warps_gone=after.warps_gone)
            if _collective(body):
                body = tuple(s for s in body if not _collective((s,)))
        back = replace(here, lanes_gone=after.lanes_gone, warps_gone=after.warps_gone)
        return [b.count(i, limit, *body)], back, names

    def leave(self, here: Here, names: tuple[str, ...]) -> tuple[list[n.Stmt], Here, tuple[str, ...]]:
        control = max(here.control, int(str(self.pick(GROUP, WARP, THREAD))))
        kinds: list[n.Stmt] = [n.Return(), *([n.Break(), n.Continue()] if here.loops else [])]
        exit_ = self.pick(*kinds)
        assert isinstance(exit_, n.Return | n.Break | n.Continue)
        first = [b.put(self.target(names), self.value(names))] if self.pick(True, False) else []
        gone = here
        if control == THREAD:
            gone = replace(here, lanes_gone=True)
        if not isinstance(exit_, n.Return) and control != GROUP:
            gone = replace(gone, warps_gone=True)
        return [b.when(self.cond(control, names), *first, exit_)], gone, names


def _collective(body: tuple[n.Stmt, ...]) -> bool:
    from gpuport.ir.walk import walk

    return any(isinstance(x, n.Barrier | n.Shuffle | n.Vote | n.Call) for x in walk(body))
