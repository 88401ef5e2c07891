"""Statements compiled to closures that change the state of the run; control flow by masks.

After a statement the mask holds the lanes that fall through to the next one. The mask object is kept where no lane
left, since variables use its identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.types import Scalar, Space, Struct, Vector, flat_elem, scalar_of
from ...ir.walk import walk
from .collectives import barrier
from .compiler import ZERO, Compiler, Eval, Run, Slot
from .expressions import binary, expression, lanes_of
from .formats import LANE, MEMORY, round_to, to_memory
from .lanes import DEAD, meet, minus, stack, union, with_component
from .memory import buffer_region
from .places import access, address, in_memory, is_const, slot_of
from .regions import Pointer, Region
from .state import State
from .structs import store_whole, whole_access, zeros
from .tickets import depends
from .traffic import diverging
from .updates import atomic


def block(c: Compiler, body: Sequence[ir.Stmt]) -> Run:
    """Statements in a scope of their own."""
    with c.scope():
        run = sequence(c, body)
        arrays = [c.names[x.name] for x in body if isinstance(x, ir.Declare) and x.space is Space.PRIVATE]
    regions = [r for r in arrays if isinstance(r, Region)]
    if not regions or not _leaks(body):
        return run
    s = c.state

    def ended() -> None:
        mask = s.mask
        run()
        for region in regions:
            region.forget(mask)

    return ended


def _leaks(body: Sequence[ir.Stmt]) -> bool:
    """Whether a pointer that lives longer than a block is set in it."""
    inside = {x.name for x in walk(body) if isinstance(x, ir.Declare)}
    for x in walk(body):
        if isinstance(x, ir.Assign) and isinstance(x.target, ir.Var) and x.target.name not in inside:
            if isinstance(x.target.type, PointerType):
                return True
        elif isinstance(x, ir.Return) and x.value is not None and isinstance(x.value.type, PointerType):
            return True
    return False


def sequence(c: Compiler, body: Sequence[ir.Stmt]) -> Run:
    """Statements in the scope at hand."""
    s = c.state
    runs, outer = [], c.told
    for x in body:
        runs.append(statement(c, x))
        if c.facts.atomics and _decides(x):
            c.told = c.told or depends(c.program, x.cond, c.tickets)
    c.told = outer
    n = len(runs)
    if n == 1:
        only = runs[0]

        def one() -> None:
            s.steps += 1
            only()

        return one

    def run() -> None:
        s.steps += n
        for x in runs:
            x()
            if s.mask is DEAD:
                return

    return run


def _decides(x: ir.Stmt) -> TypeGuard[ir.If | ir.While]:
    """Whether what follows a statement happens only where its condition came out one way."""
    leaves = (ir.Return, ir.Break, ir.Continue)
    return isinstance(x, ir.While) or (isinstance(x, ir.If) and any(isinstance(n, leaves) for n in walk(x)))


def statement(c: Compiler, x: ir.Stmt) -> Run:
    """Compile one statement."""
    outer, c.loc = c.loc, x.loc or c.loc
    try:
        build = _BUILD[type(x)]
    except KeyError:
        raise c.fail(x, f"the emulator does not know {type(x).__name__}") from None
    run = build(c, x)
    c.loc = outer
    return run


def _table(c: Compiler, x: ir.Declare) -> Run:
    """Constant memory: one array for the launch, filled now."""
    elem = flat_elem(x.type)
    assert isinstance(elem, (Scalar, Vector))
    assert isinstance(x.type, ArrayType)
    scalar = scalar_of(elem)
    values = [v for i in x.items or () for v in (i.items if isinstance(i, ir.MakeVector) else (i,))]
    plain = [v.value for v in values if isinstance(v, ir.Const)]
    array = np.zeros(x.type.size // scalar.size, MEMORY[scalar])
    lanes = round_to(np.array(plain, np.float64), scalar) if scalar.is_float else np.array(plain, LANE[scalar])
    array[: len(plain)] = to_memory(lanes, scalar)
    region = c.memory.add(buffer_region(c.state, x.name, scalar, array, "in"))
    region.space = "constant"
    c.domain.attach(region)
    c.names[x.name] = region
    return lambda: None


def _declare(c: Compiler, x: ir.Declare) -> Run:
    s = c.state
    if x.space is Space.CONSTANT:
        return _table(c, x)
    if x.space is Space.SHARED or isinstance(x.type, (ArrayType, Struct)) or x.name in c.addressed:
        region = c.region(x.name, x.type, x.space, x)
        init = expression(c, x.init) if x.init is not None else None
        items = [expression(c, i) for i in x.items] if x.items is not None else None
        c.names[x.name] = region
        return _fill(c, x, region, init, items)
    init = expression(c, x.init) if x.init is not None else None
    slot = Slot(x.name, x.type)
    c.names[x.name] = slot
    if init is not None:

        def first() -> None:
            slot.bind(init(), s.mask)

        return first
    slot.maybe = True
    empty: Any = None
    if not isinstance(x.type, PointerType):
        empty = c.domain.poison(scalar_of(x.type), lanes_of(x.type))
    nowhere = np.zeros((1, 1, lanes_of(x.type)) if isinstance(x.type, Vector) else (1, 1), bool)

    def none() -> None:
        slot.bind(empty, s.mask)
        slot.valid = nowhere

    return none


def _fill(c: Compiler, x: ir.Declare, region: Region, init: Eval | None, items: list[Eval] | None) -> Run:
    s, memory = c.state, c.memory
    if x.space is Space.SHARED:
        return lambda: None
    if init is not None and isinstance(x.type, Struct):
        parts, start = whole_access(c, x.type, x), Pointer(region, ZERO)
        return lambda: store_whole(c, start, parts, init())
    if init is not None:
        assert isinstance(x.type, (Scalar, Vector))
        whole, here = memory.access(x.type, c.at(x)), Pointer(region, ZERO)
        return lambda: memory.store(here, whole, init())
    if items is None:
        return lambda: region.forget(s.mask)
    elem = flat_elem(x.type)
    if isinstance(elem, Struct):
        return _fill_structs(c, x, elem, region, items)
    assert isinstance(elem, (Scalar, Vector))
    one, count, scalar = memory.access(elem, c.at(x)), region.size // elem.size, scalar_of(elem)
    zero: Any = c.domain.constant(0.0, scalar) if scalar.is_float else np.zeros((1, 1), LANE[scalar])
    if isinstance(elem, Vector):
        zero = stack([zero] * elem.lanes)

    def fill() -> None:
        for i in range(count):
            at = Pointer(region, np.full((1, 1), i * elem.size, np.int64))
            memory.store(at, one, items[i]() if i < len(items) else zero)

    return fill


def _fill_structs(c: Compiler, x: ir.Declare, elem: Struct, region: Region, items: list[Eval]) -> Run:
    whole = whole_access(c, elem, x)

    def fill() -> None:
        for i in range(region.size // elem.size):
            at = Pointer(region, np.full((1, 1), i * elem.size, np.int64))
            store_whole(c, at, whole, items[i]() if i < len(items) else zeros(c, elem))

    return fill


def _assign(c: Compiler, x: ir.Assign) -> Run:
    value = expression(c, x.value)
    if in_memory(c, x.target):
        return _assign_memory(c, x, value)
    slot = slot_of(c, x.target)
    if slot is not None:
        if x.op is not None:
            value = binary(c, _operation(x), expression(c, x.target), value)
        return lambda: c.assign(slot, value())
    if isinstance(x.target, ir.Component):
        whole = slot_of(c, x.target.base)
        if whole is not None:
            if x.op is not None:
                value = binary(c, _operation(x), expression(c, x.target), value)
            return _assign_component(c, whole, x.target.index, value)
    raise c.fail(x, f"cannot assign to {type(x.target).__name__}")


def _operation(x: ir.Assign) -> ir.Binary:
    t = x.target.type
    assert isinstance(t, (Scalar, Vector)) or x.op is None
    return ir.Binary(x.op or "", x.target, x.value, t, loc=x.loc)  # pyright: ignore[reportArgumentType]


def _assign_memory(c: Compiler, x: ir.Assign, value: Eval) -> Run:
    if isinstance(x.target.type, Struct):
        place, whole = address(c, x.target), whole_access(c, x.target.type, x, const=is_const(x.target))
        return lambda: store_whole(c, place(), whole, value())
    where, memory = address(c, x.target), c.memory
    if x.op is None and isinstance(x.value, ir.Bitcast) and isinstance(x.target.type, Scalar):
        source, t = x.value.value, x.value.value.type
        if isinstance(t, Scalar) and t.is_float:
            # floats kept as bits in memory stay floats, whatever the domain's are
            kept, bits = access(c, x.target, t), expression(c, source)
            return lambda: memory.store(where(), kept, bits())
    what = access(c, x.target)
    if x.op is None:
        return lambda: memory.store(where(), what, value())
    here: list[Any] = [None]
    updated = binary(c, _operation(x), lambda: memory.load(here[0], what), value)

    def run() -> None:
        p = here[0] = where()
        memory.store(p, what, updated())

    return run


def _assign_component(c: Compiler, slot: Slot, index: int, value: Eval) -> Run:
    s = c.state

    def run() -> None:
        valid = slot.valid
        new, mask = with_component(slot.value, index, value()), s.mask
        if mask is slot.mask or mask is None:
            slot.value = new
            added = np.ones((1, 1), bool)
        else:
            slot.value = c.blend(mask, new, slot.value)
            added = mask
        if valid is None:
            return
        if valid.ndim == 2:
            valid = np.repeat(valid[..., None], slot.type.lanes if isinstance(slot.type, Vector) else 1, axis=2)
        shape = np.broadcast_shapes(valid.shape[:2], added.shape)
        valid = np.array(np.broadcast_to(valid, (*shape, valid.shape[2])))
        valid[..., index] |= added
        slot.valid = None if valid.all() else valid

    return run


def _evaluate(c: Compiler, x: ir.Evaluate) -> Run:
    value = atomic(c, x.value, used=False) if isinstance(x.value, ir.Atomic) else expression(c, x.value)

    def run() -> None:
        value()

    return run


def _if(c: Compiler, x: ir.If) -> Run:
    s, cond, counted = c.state, expression(c, x.cond), c.memory.traffic is not None
    with c.guarded(x.cond):
        then, other = block(c, x.then), block(c, x.other) if x.other else None

    def run() -> None:
        holds = cond()
        if holds.size == 1:
            if holds.flat[0]:
                then()
            elif other:
                other()
            return
        mask = s.mask
        yes = meet(mask, holds)
        if not yes.any():
            if other:
                other()
            return
        no = meet(mask, ~holds)
        if not no.any():
            then()
            return
        if counted:
            s.counts["divergent_branches"] = s.counts.get("divergent_branches", 0) + diverging(s, yes, no)
        s.mask = yes
        then()
        after = s.mask
        rest = no
        if other:
            s.mask = no
            other()
            rest = s.mask
        s.mask = mask if after is yes and rest is no else union(after, rest)

    return run


def _loop(
    c: Compiler, node: ir.Stmt, init: Run | None, cond: Eval | None, step: Run | None, body: Run,
    counters: list[Slot], *, post: bool = False,
) -> Run:  # fmt: skip
    """All loops: `post` tests the condition behind the first iteration. `counters` live no longer than the loop."""
    s, loc, counted = c.state, node.loc, c.memory.traffic is not None

    def run() -> None:
        entry = s.mask
        if init:
            init()
        outer = s.breaks, s.continues
        returns = s.frame.returns
        live, first = entry, post
        while True:
            s.steps += 1
            s.spend(loc)
            if cond is not None and not first:
                holds = cond()
                if holds.size == 1:
                    if not holds.flat[0]:
                        break
                else:
                    done = meet(live, ~holds)
                    if done.any():
                        live = meet(live, holds)
                        if not live.any():
                            break
                        if counted:
                            s.counts["divergent_branches"] = s.counts.get("divergent_branches", 0) + diverging(
                                s, live, done
                            )
            first = False
            s.mask = live
            for slot in counters:
                slot.mask = live
            s.breaks, s.continues = DEAD, DEAD
            before = s.frame.returns
            body()
            whole = s.breaks is DEAD and s.frame.returns == before
            after = live if whole else union(s.mask, s.continues)
            if after is DEAD:
                break
            live = s.mask = after
            if step:
                for slot in counters:
                    slot.mask = live
                step()
        s.breaks, s.continues = outer
        s.mask = entry if s.frame.returns == returns else minus(entry, s.frame.returned)

    return run


def _for(c: Compiler, x: ir.For) -> Run:
    with c.scope():
        before = set(map(id, c.names.values()))
        init = sequence(c, x.init) if x.init else None
        counters = [v for v in c.names.values() if isinstance(v, Slot) and id(v) not in before]
        cond = expression(c, x.cond) if x.cond is not None else None
        step = sequence(c, x.step) if x.step else None
        body = block(c, x.body)
    return _loop(c, x, init, cond, step, body, counters)


def _while(c: Compiler, x: ir.While) -> Run:
    cond = expression(c, x.cond)
    return _loop(c, x, None, cond, None, block(c, x.body), [], post=x.post)


def _break(c: Compiler, x: ir.Break) -> Run:
    s = c.state

    def run() -> None:
        s.breaks = union(s.breaks, s.mask)
        s.mask = DEAD

    return run


def _continue(c: Compiler, x: ir.Continue) -> Run:
    s = c.state

    def run() -> None:
        s.continues = union(s.continues, s.mask)
        s.mask = DEAD

    return run


def _return(c: Compiler, x: ir.Return) -> Run:
    s = c.state
    value = expression(c, x.value) if x.value is not None else None

    def run() -> None:
        if value is not None:
            got, frame = value(), s.frame
            if frame.value is None or s.mask is None:
                frame.value = got
            else:
                frame.value = c.blend(s.mask, got, frame.value)
        leave(s, c)

    return run


def leave(s: State, c: Compiler) -> None:
    """The active lanes leave the function; in the kernel they have exited."""
    if s.frame is s.kernel:
        s.exited = union(s.exited, s.mask)
    s.leave()


def _barrier(c: Compiler, x: ir.Barrier) -> Run:
    s, scope, loc, orders = c.state, x.scope, c.at(x), x.orders
    mask = expression(c, x.mask) if x.mask is not None else None
    return lambda: barrier(s, scope, loc, mask() if mask is not None else None, orders)


def _fence(c: Compiler, x: ir.Fence) -> Run:
    s = c.state

    def run() -> None:
        if x.scope is ir.Scope.DEVICE:
            numbers = s.group_numbers[s.full(s.mask).any(axis=1), 0]
            s.fenced[numbers] = s.now
            s.now += 1

    return run


def _block(c: Compiler, x: ir.Block) -> Run:
    return block(c, x.body)


_BUILD: dict[type, Callable[[Compiler, Any], Run]] = {
    ir.Declare: _declare,
    ir.Assign: _assign,
    ir.Evaluate: _evaluate,
    ir.If: _if,
    ir.For: _for,
    ir.While: _while,
    ir.Break: _break,
    ir.Continue: _continue,
    ir.Return: _return,
    ir.Barrier: _barrier,
    ir.Fence: _fence,
    ir.Block: _block,
}
