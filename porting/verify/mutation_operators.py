"""The mutation operators: what can stand in a node's place. Each is `Place -> replacements`, pure and local."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from ...ir import nodes as n
from ...ir.types import BOOL, F32, U32, Array, Pointer, Scalar, Space, Type
from ...ir.walk import walk

_LARGE: Final = 3e38
_COMPARE: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_TF32, _BF16 = 0xFFFFE000, 0xFFFF0000


@dataclass(frozen=True)
class Place:
    """A node where it stands: its ancestors, the function's own node first, its function and program."""

    node: Any
    parents: tuple[n.Node, ...]
    function: n.Function
    program: n.Program

    @property
    def parent(self) -> Any:
        """The node that it is a child of."""
        return self.parents[-1]

    @property
    def loc(self) -> n.Loc | None:
        """Where it is in the text: its own place, or that of the nearest ancestor that has one."""
        return next((x.loc for x in (self.node, *reversed(self.parents)) if x.loc is not None), None)

    @property
    def in_condition(self) -> bool:
        """True in what an `if`, a loop or a `?:` asks."""
        chain = (*self.parents, self.node)
        asks = n.If | n.For | n.While | n.Select
        return any(isinstance(p, asks) and c is getattr(p, "cond", None) for p, c in pairwise(chain))

    @property
    def loop(self) -> n.For | None:
        """The For whose own condition, start or step this belongs to."""
        chain = (*self.parents, self.node)
        for p, c in pairwise(chain):
            if isinstance(p, n.For) and (c is p.cond or any(c is s for s in (*p.init, *p.step))):
                return p
        return None

    @property
    def loaded(self) -> bool:
        """True for memory that is read here, not written and not pointed at."""
        child = self.node
        for parent in reversed(self.parents):
            if isinstance(parent, n.Assign):
                return child is not parent.target
            if isinstance(parent, n.AddressOf | n.Decay | n.Component | n.Field):
                return False
            if isinstance(parent, n.Element) and child is parent.base:
                return False
            if isinstance(parent, n.Statement) or child is not getattr(parent, "base", None):
                return True
            child = parent
        return True

    def scalars(self, t: Type) -> list[str]:
        """The kernel's parameters of a type, where they can be named: in the kernel itself."""
        kernel = self.program.kernel
        return [p.name for p in kernel.params if p.type == t] if self.function is kernel else []


Plant = Callable[[Place], Iterator[Any]]
OPERATORS: Final[dict[str, tuple[str, Plant]]] = {}
"""By name: the family and the operator."""


def operator(family: str, name: str) -> Callable[[Plant], Plant]:
    """Enter a function into OPERATORS."""

    def enter(plant: Plant) -> Plant:
        OPERATORS[name] = (family, plant)
        return plant

    return enter


def _integer(e: Any) -> bool:
    t = getattr(e, "type", None)
    return isinstance(t, Scalar) and t.is_integer


def _float(e: Any) -> bool:
    t = getattr(e, "type", None)
    return isinstance(t, Scalar) and t.is_float


def _binary(op: str, a: n.Expr, b: n.Expr) -> n.Binary:
    assert isinstance(a.type, Scalar)
    return n.Binary(op, a, b, a.type)


def _plus(e: Any, delta: int) -> n.Binary:
    return _binary("+" if delta > 0 else "-", e, n.Const(abs(delta), e.type))


def _with_op(e: Any, op: str) -> Any:
    return dataclasses.replace(e, op=op)


def _masked(e: Any, mask: int) -> n.Expr:
    """The f32 value with the low bits of its significand cleared."""
    bits = n.Bitcast(e, U32)
    return n.Bitcast(n.Binary("&", bits, n.Const(mask, U32), U32), F32)


def _index_of(node: Any) -> tuple[str, Any] | None:
    if isinstance(node, n.Element):
        return "index", node.index
    return ("delta", node.delta) if isinstance(node, n.Offset) else None


def _space(base: Any) -> Space | None:
    return base.type.space if isinstance(base.type, Pointer) else None


# --- index


@operator("index", "index + 1")
def _index_plus(p: Place) -> Iterator[Any]:
    if (found := _index_of(p.node)) and _integer(found[1]):
        yield dataclasses.replace(p.node, **{found[0]: _plus(found[1], 1)})


@operator("index", "index - 1")
def _index_minus(p: Place) -> Iterator[Any]:
    if (found := _index_of(p.node)) and _integer(found[1]):
        yield dataclasses.replace(p.node, **{found[0]: _plus(found[1], -1)})


@operator("index", "axis x for y")
def _axis(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.GridIndex) and p.node.kind.value in ("thread", "group", "group_size", "grid_size"):
        yield dataclasses.replace(p.node, axis=1 if p.node.axis == 0 else 0)


@operator("index", "group for thread")
def _group(p: Place) -> Iterator[Any]:
    swap = {n.Grid.THREAD: n.Grid.GROUP, n.Grid.GROUP: n.Grid.THREAD}
    if isinstance(p.node, n.GridIndex) and p.node.kind in swap:
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("index", "another size as the stride")
def _stride(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Var) and _integer(p.node) and not p.in_condition:
        yield from _other_scalars(p)


def _other_scalars(p: Place) -> Iterator[Any]:
    names = p.scalars(p.node.type)
    if p.node.name in names:
        yield from (dataclasses.replace(p.node, name=name) for name in names if name != p.node.name)


@operator("index", "pitch dropped")
def _pitch(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "*" and _integer(e) and isinstance(p.parent, n.Binary | n.Offset):
        yield e.left
        yield e.right


@operator("index", "index cut to 16 bits")
def _truncated(p: Place) -> Iterator[Any]:
    found = _index_of(p.node)
    base = getattr(p.node, "base", None) or getattr(p.node, "pointer", None)
    if found and _integer(found[1]) and _space(base) in (Space.GLOBAL, Space.CONSTANT):
        index = found[1]
        yield dataclasses.replace(p.node, **{found[0]: _binary("&", index, n.Const(0xFFFF, index.type))})


@operator("index", "- for +")
def _sign(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op == "+" and _integer(p.node):
        yield _with_op(p.node, "-")


@operator("index", "row and column swapped")
def _transposed(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "+" and _integer(e):
        product = e.left
        if isinstance(product, n.Binary) and product.op == "*" and e.right.type == product.type:
            yield _binary("+", _binary("*", e.right, product.right), product.left)


@operator("index", "another integer operation")
def _integer_operation(p: Place) -> Iterator[Any]:
    swap = {"%": "/", "/": "%", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|"}
    if isinstance(p.node, n.Binary | n.Assign) and p.node.op in swap:
        typed = p.node if isinstance(p.node, n.Binary) else p.node.target
        if _integer(typed):
            yield _with_op(p.node, swap[p.node.op])


# --- guards


@operator("guard", "<= for <")
def _relational(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in _COMPARE and p.in_condition:
        yield _with_op(p.node, _COMPARE[p.node.op])


@operator("guard", "!= for ==")
def _negated(p: Place) -> Iterator[Any]:
    swap = {"==": "!=", "!=": "=="}
    if isinstance(p.node, n.Binary) and p.node.op in swap and p.in_condition:
        yield _with_op(p.node, swap[p.node.op])


@operator("guard", "guard dropped")
def _unguarded(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.If) and not p.node.other:
        yield [n.Block(p.node.then)] if p.node.then else []


@operator("guard", "half a guard dropped")
def _conjunct(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("&&", "||") and p.in_condition:
        yield p.node.left
        yield p.node.right


@operator("guard", "&& for ||")
def _logic(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("&&", "||"):
        yield _with_op(p.node, "||" if p.node.op == "&&" else "&&")


@operator("guard", "another size in the guard")
def _dimension(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Var) and _integer(p.node) and p.in_condition:
        yield from _other_scalars(p)


@operator("guard", "guard one too narrow")
def _narrow(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("<", "<=") and p.in_condition and p.loop is None and _integer(e.right):
        yield dataclasses.replace(e, right=_plus(e.right, -1))


# --- tiles and loops


def _steps(loop: n.For) -> list[n.Assign]:
    return [s for s in loop.step if isinstance(s, n.Assign) and s.op == "+"]


@operator("tile", "step one too long")
def _step(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and p.loop is not None and _integer(p.node.target) and p.node.op is not None:
        value: Any = p.node.value
        yield dataclasses.replace(p.node, value=_plus(value, 1))


@operator("tile", "first step left out")
def _start(p: Place) -> Iterator[Any]:
    if not isinstance(p.node, n.Declare | n.Assign) or p.loop is None or p.node not in p.loop.init:
        return
    if isinstance(p.node, n.Declare) and p.node.init is not None and _integer(p.node.init):
        yield dataclasses.replace(p.node, init=_plus(p.node.init, 1))
    elif isinstance(p.node, n.Assign) and _integer(p.node.value):
        yield dataclasses.replace(p.node, value=_plus(p.node.value, 1))


@operator("tile", "last step left out")
def _last(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("<", "<=") and p.loop is not None and _integer(e.right):
        yield dataclasses.replace(e, right=_plus(e.right, -1))


@operator("tile", "tail left out")
def _tail(p: Place) -> Iterator[Any]:
    e, loop = p.node, p.loop
    if loop is None or e is not loop.cond or not isinstance(e, n.Binary) or e.op != "<":
        return
    for s in _steps(loop):
        if isinstance(s.value, n.Const) and s.value.value == 1:
            continue  # i + 1 <= n is i < n
        if s.target == e.left and getattr(s.value, "type", None) == getattr(e.left, "type", None):
            ahead: Any = e.left
            yield dataclasses.replace(e, op="<=", left=_binary("+", ahead, s.value))


@operator("tile", "tile size + 1")
def _larger(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Const) and p.node.name and _integer(p.node):
        yield n.Const(int(p.node.value) + 1, p.node.type)


@operator("tile", "tile size - 1")
def _smaller(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Const) and p.node.name and _integer(p.node) and p.node.value > 1:
        yield n.Const(int(p.node.value) - 1, p.node.type)


# --- synchronisation


@operator("sync", "barrier dropped")
def _no_barrier(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier):
        yield []


@operator("sync", "barrier before the store")
def _early(p: Place) -> Iterator[Any]:
    for name in ("body", "then", "other"):
        body: Any = getattr(p.node, name, None)
        if not isinstance(body, tuple):
            continue
        for i in range(1, len(body)):
            if isinstance(body[i], n.Barrier) and not isinstance(body[i - 1], n.Barrier | n.Declare):
                moved = (*body[: i - 1], body[i], body[i - 1], *body[i + 1 :])
                yield dataclasses.replace(p.node, **{name: moved})


@operator("sync", "barrier of the subgroup only")
def _weaker(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier) and p.node.scope is n.Scope.GROUP:
        yield dataclasses.replace(p.node, scope=n.Scope.SUBGROUP)


@operator("sync", "barrier in divergent flow")
def _divergent(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Barrier) and p.node.scope is n.Scope.GROUP:
        first = n.Binary("!=", n.GridIndex(n.Grid.THREAD), n.Const(0, U32), BOOL)
        yield n.If(first, (p.node,))


@operator("sync", "fence dropped")
def _no_fence(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Fence):
        yield []


# --- memory


@operator("memory", "initial value dropped")
def _uninitialised(p: Place) -> Iterator[Any]:
    d = p.node
    if isinstance(d, n.Declare) and d.init is not None and isinstance(d.type, Scalar) and not d.const:
        yield dataclasses.replace(d, init=None)


@operator("memory", "store dropped")
def _no_store(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and isinstance(p.node.target, n.Element | n.Deref | n.Component | n.Field):
        yield []


@operator("memory", "plain for atomic")
def _plain(p: Place) -> Iterator[Any]:
    ops = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
    s = p.node
    atomic = (
        s.value if isinstance(s, n.Evaluate | n.Assign | n.Return) else s.init if isinstance(s, n.Declare) else None
    )
    if not isinstance(atomic, n.Atomic):
        return
    memory = n.Deref(atomic.pointer, atomic.type)
    if atomic.op in ops:
        update = n.Assign(memory, atomic.value, ops[atomic.op])
    elif atomic.op in ("min", "max"):
        fn = f"f{atomic.op}" if atomic.type.is_float else atomic.op
        update = n.Assign(memory, n.MathCall(fn, (memory, atomic.value), atomic.type))
    elif atomic.op == "exch":
        update = n.Assign(memory, atomic.value)
    else:
        return
    match s:
        case n.Evaluate():
            yield [update]
        case n.Declare():
            yield [dataclasses.replace(s, init=memory), update]
        case n.Assign():
            yield [dataclasses.replace(s, value=memory), update]
        case _:
            old = n.Declare("gp_old", atomic.type, memory)
            yield [old, update, dataclasses.replace(s, value=n.Var("gp_old", atomic.type))]


@operator("memory", "statements swapped")
def _swapped(p: Place) -> Iterator[Any]:
    for name in ("body", "then", "other"):
        body: Any = getattr(p.node, name, None)
        if not isinstance(body, tuple):
            continue
        for i in range(1, len(body)):
            if _dependent(body[i - 1], body[i]):
                moved = (*body[: i - 1], body[i], body[i - 1], *body[i + 1 :])
                yield dataclasses.replace(p.node, **{name: moved})


def _dependent(a: Any, b: Any) -> bool:
    """Whether one statement writes what the other reads, or both the same; a declaration is not moved."""
    if not all(isinstance(s, n.Assign | n.For | n.If) for s in (a, b)):
        return False

    def targets(s: Any) -> list[n.Expr]:
        return [x.target for x in walk(s) if isinstance(x, n.Assign)]

    def roots(e: n.Node) -> set[str]:
        return {x.name for x in [next((x for x in walk(e) if isinstance(x, n.Var)), None)] if x is not None}

    def written(s: Any) -> set[str]:
        return {name for t in targets(s) for name in roots(t)}

    def read(s: Any) -> set[str]:
        plain = [x.target for x in walk(s) if isinstance(x, n.Assign) and x.op is None]
        skipped = {id(next(v for v in walk(t) if isinstance(v, n.Var))) for t in plain if roots(t)}
        return {x.name for x in walk(s) if isinstance(x, n.Var) and id(x) not in skipped}

    same = any(t == u for t in targets(a) for u in targets(b))
    return same or bool(written(a) & read(b) or written(b) & read(a))


def shared_arrays(f: n.Function) -> list[n.Declare]:
    """Return the declarations of shared arrays that can be one shorter."""
    found = [x for x in walk(f) if isinstance(x, n.Declare) and x.space is Space.SHARED]
    return [d for d in found if isinstance(d.type, Array) and d.type.length > 1]


# --- numerics


@operator("numerics", "input in tf32")
def _load_tf32(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Element | n.Deref) and p.node.type == F32 and p.loaded:
        yield _masked(p.node, _TF32)


@operator("numerics", "input in bf16")
def _load_bf16(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Element | n.Deref) and p.node.type == F32 and p.loaded:
        yield _masked(p.node, _BF16)


@operator("numerics", "output in tf32")
def _store_tf32(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        yield dataclasses.replace(s, value=_masked(s.value, _TF32))


@operator("numerics", "output off by 1e-4")
def _store_scaled(p: Place) -> Iterator[Any]:
    if (s := _float_store(p)) is not None:
        factor = 1.0 + 13 * 2.0**-17
        yield dataclasses.replace(s, value=_binary("*", s.value, n.Const(factor, F32)))


def _float_store(p: Place) -> n.Assign | None:
    s = p.node
    plain = isinstance(s, n.Assign) and s.op is None and isinstance(s.target, n.Element | n.Deref)
    return s if plain and s.target.type == F32 and not isinstance(s.value, n.Const) else None


@operator("numerics", "accumulator in tf32")
def _narrow_sum(p: Place) -> Iterator[Any]:
    s = p.node
    if not isinstance(s, n.Assign) or not isinstance(s.target, n.Var) or s.target.type != F32:
        return
    if s.op is not None:
        yield dataclasses.replace(s, op=None, value=_masked(_binary(s.op, s.target, s.value), _TF32))
    elif s.target in walk(s.value):
        yield dataclasses.replace(s, value=_masked(s.value, _TF32))


@operator("numerics", "exponent not shifted")
def _unshifted(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "-" and isinstance(p.parent, n.MathCall) and "exp" in p.parent.fn:
        yield e.left


@operator("numerics", "factor dropped")
def _no_factor(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("*", "/") and _float(p.node):
        yield p.node.left


@operator("numerics", "epsilon dropped")
def _no_epsilon(p: Place) -> Iterator[Any]:
    e = p.node
    if not isinstance(e, n.Binary) or e.op != "+" or not _float(e):
        return
    small = isinstance(e.right, n.Const) and 0 < abs(e.right.value) < 1e-2
    given = isinstance(e.right, n.Var) and e.right.name in p.scalars(e.right.type)
    if small or given:
        yield e.left


@operator("numerics", "constant off by 2^-10")
def _constant(p: Place) -> Iterator[Any]:
    c = p.node
    if isinstance(c, n.Const) and c.type == F32 and 0 < abs(c.value) < _LARGE:
        scaled = float(c.value) * (1 + 2.0**-10)
        yield n.Const(_f32(scaled), F32)


def _f32(value: float) -> float:
    import struct

    return float(struct.unpack("f", struct.pack("f", value))[0])


# --- special values


@operator("special", "ternary for fmax")
def _ternary(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.MathCall) and e.fn in ("fmax", "fmin") and isinstance(e.type, Scalar):
        a, b = e.args
        for first, second in ((a, b), (b, a)):
            cond = n.Binary(">" if e.fn == "fmax" else "<", first, second, BOOL)
            yield n.Select(cond, first, second, e.type)


@operator("special", "zero for the least number")
def _identity(p: Place) -> Iterator[Any]:
    c = p.node
    if isinstance(c, n.Const) and _float(c) and abs(c.value) >= _LARGE:
        yield n.Const(0.0, c.type)


@operator("special", "NaN not asked for")
def _no_nan(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.MathCall) and p.node.fn in ("isnan", "isinf"):
        yield n.boolean(False)


@operator("special", "sign kept")
def _no_fabs(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.MathCall) and p.node.fn in ("fabs", "abs"):
        yield p.node.args[0]


# --- semantics


@operator("semantics", "another arithmetic operation")
def _arithmetic(p: Place) -> Iterator[Any]:
    swap = {"+": "-", "-": "+", "*": "+", "/": "*"}
    e = p.node
    if isinstance(e, n.Binary) and e.op in swap and _float(e):
        yield _with_op(e, swap[e.op])
    if isinstance(e, n.Assign) and e.op in ("+", "-") and p.loop is None:
        yield _with_op(e, swap[e.op])


@operator("semantics", "operands swapped")
def _operands(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("-", "/", "%", "<<", ">>") and e.left.type == e.right.type:
        yield dataclasses.replace(e, left=e.right, right=e.left)


@operator("semantics", "added twice")
def _twice(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and p.node.op in ("+", "-", "*") and p.loop is None:
        yield [p.node, p.node]


@operator("semantics", "addend of fma dropped")
def _no_addend(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.MathCall) and e.fn == "fma" and isinstance(e.type, Scalar):
        yield dataclasses.replace(e, args=(*e.args[:2], n.Const(0.0, e.type)))


@operator("semantics", "min for max")
def _minimum(p: Place) -> Iterator[Any]:
    swap = {"fmax": "fmin", "fmin": "fmax", "min": "max", "max": "min"}
    if isinstance(p.node, n.MathCall) and p.node.fn in swap:
        yield dataclasses.replace(p.node, fn=swap[p.node.fn])


@operator("semantics", "another atomic operation")
def _atomic_operation(p: Place) -> Iterator[Any]:
    swap = {"add": "sub", "sub": "add", "min": "max", "max": "min", "and": "or", "or": "and", "xor": "or"}
    if isinstance(p.node, n.Atomic) and p.node.op in swap:
        yield _with_op(p.node, swap[p.node.op])


@operator("semantics", "another shuffle")
def _shuffle(p: Place) -> Iterator[Any]:
    swap = {"up": "down", "down": "up", "xor": "down", "idx": "xor"}
    if isinstance(p.node, n.Shuffle):
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("semantics", "lane + 1 in a shuffle")
def _lane(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Shuffle) and _integer(p.node.lane):
        yield dataclasses.replace(p.node, lane=_plus(p.node.lane, 1))


@operator("semantics", "another vote")
def _vote(p: Place) -> Iterator[Any]:
    swap = {"any": "all", "all": "any"}
    if isinstance(p.node, n.Vote) and p.node.kind in swap:
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("semantics", "branches swapped")
def _branches(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Select):
        yield dataclasses.replace(p.node, then=p.node.other, other=p.node.then)
    if isinstance(p.node, n.If) and p.node.other:
        yield dataclasses.replace(p.node, then=p.node.other, other=p.node.then)


@operator("semantics", "another buffer")
def _buffer(p: Place) -> Iterator[Any]:
    v = p.node
    if isinstance(v, n.Var) and isinstance(v.type, Pointer):
        for other in p.program.kernel.params if p.function is p.program.kernel else ():
            if other.name != v.name and other.type == v.type:
                yield dataclasses.replace(v, name=other.name)


@operator("semantics", "break for continue")
def _leave(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Continue):
        yield n.Break()


@operator("semantics", "early return dropped")
def _no_return(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Return) and p.node.value is None:
        yield []
