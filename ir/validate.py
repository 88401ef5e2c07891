"""The rules of the IR: what every reader must give and every rewrite must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from . import nodes as n
from .mathlib import MATH
from .printer import declare, show_expr
from .typerules import array_levels, element, integral, lanes, leaf, numeric, same_value_type, value_size, valued
from .types import BOOL, U32, U64, VOID, Array, Pointer, Space, Struct, Type, Vector, scalar_of
from .walk import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COMPARE = frozenset(("==", "!=", "<", "<=", ">", ">="))
_LOGIC = frozenset(("&&", "||"))
_SHIFT = frozenset(("<<", ">>"))
_INTEGER = frozenset(("%", "&", "|", "^"))
_ARITHMETIC = frozenset(("+", "-", "*", "/"))
_ATOMICS = frozenset(("add", "sub", "min", "max", "and", "or", "xor", "exch", "cas"))
_SHUFFLES = frozenset(("idx", "up", "down", "xor"))
_VOTES = frozenset(("any", "all", "ballot", "active"))


class InvalidProgram(Exception):
    """A program that breaks the rules of ir.nodes: a defect of a reader or a rewrite, not of the user's kernel.

    `violations` lists them all, each with its line where it is known.
    """

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(self.violations))


def validate(program: n.Program) -> None:
    """Return if the program keeps the rules of ir.nodes; else raise InvalidProgram with every violation."""
    bad: list[str] = []
    known: dict[str, n.Function] = {}
    for f in (*program.functions, program.kernel):
        if f.name in known:
            bad.append(f"two functions are named {f.name}")
        checker = _Checker(f, known, f is program.kernel, {c.name: c for c in program.constants})
        checker.function()
        bad += checker.bad
        known[f.name] = f
    if program.kernel.returns != VOID:
        bad.append(f"kernel {program.kernel.name} returns {program.kernel.returns}; a kernel returns void")
    names = [c.name for c in program.constants]
    bad += [f"two constants are named {name}" for name in sorted({x for x in names if names.count(x) > 1})]
    if bad:
        raise InvalidProgram(bad)


@dataclass(frozen=True, slots=True)
class _Name:
    type: Type
    const: bool
    space: Space


class _Checker:
    """One function's violations. `known` are the functions before it, so that recursion shows as an unknown callee."""

    def __init__(
        self, f: n.Function, known: dict[str, n.Function], kernel: bool, constants: dict[str, n.NamedConstant]
    ) -> None:
        self.f = f
        self.known = known
        self.kernel = kernel
        self.constants = constants
        self.bad: list[str] = []
        self.names: dict[str, _Name] = {}
        self.loc: n.Loc | None = f.loc
        self.loops = 0

    def want(self, holds: bool, message: str | Callable[[], str], loc: n.Loc | None = None) -> None:
        """Note a violation; the message is made only then."""
        if not holds:
            message = message if isinstance(message, str) else message()
            where = loc or self.loc
            self.bad.append(f"{self.f.name}{f' ({where})' if where else ''}: {message}")

    def function(self) -> None:
        for p in self.f.params:
            self.want(p.name not in self.names, f"two parameters are named {p.name}")
            self.want(not isinstance(p.type, Array) and p.type != VOID, f"parameter {p.name} has type {p.type}")
            self.names[p.name] = _Name(p.type, False, Space.PRIVATE)
        self.block(self.f.body)
        if self.f.returns != VOID:
            returns = any(isinstance(s, n.Return) for s in walk(self.f.body))
            self.want(returns, lambda: f"returns {self.f.returns} but has no return statement", self.f.loc)

    # statements

    def block(self, body: Sequence[n.Stmt]) -> None:
        outer = dict(self.names)
        for s in body:
            self.statement(s)
        self.names = outer

    def loop(self, body: Sequence[n.Stmt]) -> None:
        self.loops += 1
        self.block(body)
        self.loops -= 1

    def condition(self, e: n.Expr) -> None:
        self.expr(e)
        self.want(e.type == BOOL, lambda: f"condition {show_expr(e)} has type {e.type}, not bool")

    def statement(self, s: n.Stmt) -> None:
        self.loc = s.loc or self.loc
        match s:
            case n.Declare():
                self.declare(s)
            case n.Assign():
                self.assign(s)
            case n.Evaluate(value=value):
                self.expr(value)
                self.want(isinstance(value, n.Call | n.Atomic), lambda: f"{show_expr(value)} has no effect")
            case n.If(cond=cond, then=then, other=other):
                self.condition(cond)
                self.block(then)
                self.block(other)
            case n.For():
                outer = dict(self.names)
                for i in s.init:
                    self.want(isinstance(i, n.Declare | n.Assign | n.Evaluate), "for has a control statement in init")
                    self.statement(i)
                if s.cond is not None:
                    self.condition(s.cond)
                for i in s.step:
                    self.want(isinstance(i, n.Assign | n.Evaluate), "for has a step that is no assignment or call")
                    self.statement(i)
                self.loop(s.body)
                self.names = outer
            case n.While(cond=cond, body=body):
                self.condition(cond)
                self.loop(body)
            case n.Break() | n.Continue():
                self.want(self.loops > 0, lambda: f"{type(s).__name__.lower()} outside a loop")
            case n.Return(value=value):
                self.returns(value)
            case n.Block(body=body):
                self.block(body)
            case n.Barrier(scope=scope, mask=mask):
                self.want(scope is not n.Scope.DEVICE, "barrier over the device")
                if mask is not None:
                    self.expr(mask)
                    self.want(scope is n.Scope.SUBGROUP, "a mask at a barrier of the group")
                    self.want(mask.type == U32, lambda: f"mask of type {mask.type}")
            case n.Fence():
                pass
            case n.MatrixStep():
                self.matrix(s)

    def matrix(self, s: n.MatrixStep) -> None:
        for e in (s.matrix, *s.operands):
            self.expr(e)
        own = s.matrix.type.fragment if isinstance(s.matrix.type, Struct) else None
        self.want(own is not None and self.is_memory(s.matrix), lambda: f"{show_expr(s.matrix)} is no fragment")
        if own is None:
            return
        given = [e.type for e in s.operands]
        match s.op, given:
            case "fill", [value]:
                fits = value == own.elem
            case "load" | "store", [Pointer() as p, stride]:
                fits = p.elem == own.elem and integral(stride) and s.layout in ("row", "column")
            case "multiply", [Struct() as a, Struct() as b, Struct() as c]:
                uses = [t.fragment.use if t.fragment else "" for t in (a, b, c)]
                fits = all(u in ("any", w) for u, w in zip(uses, "abc", strict=True)) and c == s.matrix.type
            case _:
                fits = False
        self.want(fits, lambda: f"{s.op} of {own} with {', '.join(map(str, given))}")

    def returns(self, value: n.Expr | None) -> None:
        if value is not None:
            self.expr(value)
        got = VOID if value is None else value.type
        self.want(same_value_type(got, self.f.returns), lambda: f"returns {got}, declared {self.f.returns}")

    def declare(self, s: n.Declare) -> None:
        self.want(s.name not in self.names, lambda: f"{s.name} is declared while another {s.name} is visible")
        self.want(s.type != VOID, lambda: f"{s.name} has type void")
        spaces = (Space.PRIVATE, Space.SHARED, Space.CONSTANT)
        self.want(s.space in spaces, lambda: f"{s.name} is declared in {s.space.value} memory")
        if s.space is Space.CONSTANT:
            constants = s.items is not None and all(_constant(i) for i in s.items)
            self.want(s.const and constants, lambda: f"{s.name} in constant memory has no constant initialiser")
        if s.space is Space.SHARED:
            self.want(s.init is None and s.items is None, lambda: f"shared variable {s.name} has an initialiser")
        for t, inner in array_levels(s.type):
            dynamic = t.length == 0 and s.space is Space.SHARED and not inner
            self.want(t.length > 0 or dynamic, lambda: f"{declare(s.name, s.type)} has no length")
        if s.init is not None:
            self.expr(s.init)
            self.want(not isinstance(s.type, Array), lambda: f"array {s.name} is initialised by one value")
            self.want(
                same_value_type(s.init.type, s.type),
                f"{declare(s.name, s.type)} is initialised with {show_expr(s.init)} of type {s.init.type}",
            )
        if s.items is not None:
            self.want(isinstance(s.type, Array), lambda: f"{s.name} has a list of initialisers but is no array")
            if isinstance(s.type, Array):
                flat = s.type.size // leaf(s.type).size
                self.want(len(s.items) <= flat, f"{s.name} has {len(s.items)} initialisers for {flat} elements")
            for item in s.items:
                self.expr(item)
                self.want(item.type == leaf(s.type), f"initialiser {show_expr(item)} of {s.name} has type {item.type}")
        self.names[s.name] = _Name(s.type, s.const, s.space)

    def assign(self, s: n.Assign) -> None:
        self.expr(s.target)
        self.expr(s.value)
        t = s.target.type
        text = show_expr(s.target)
        self.want(self.is_memory(s.target), lambda: f"{text} is assigned but is no memory")
        self.want(not self.is_const(s.target), lambda: f"{text} is assigned but is const")
        self.want(not isinstance(t, Array), lambda: f"array {text} is assigned")
        if s.op is None:
            self.want(same_value_type(s.value.type, t), lambda: f"{text} of type {t} is assigned a {s.value.type}")
        elif t == BOOL and s.op in ("&", "|", "^"):
            self.want(s.value.type == BOOL, lambda: f"{text} {s.op}= with a {s.value.type}")
        elif s.op in _SHIFT:
            self.want(integral(t) and integral(s.value.type), lambda: f"{text} {s.op}= needs integers")
        else:
            self.want(s.op in _INTEGER | _ARITHMETIC, lambda: f"unknown operator {s.op}=")
            self.want(s.value.type == t, lambda: f"{text} of type {t}: {s.op}= with a {s.value.type}")
            self.want(s.op not in _INTEGER or integral(t), lambda: f"{s.op}= on {t}")

    def is_memory(self, e: n.Expr) -> bool:
        if isinstance(e, n.Component | n.Field):
            return self.is_memory(e.base)
        if isinstance(e, n.Element) and not isinstance(e.base.type, Pointer):
            return self.is_memory(e.base)
        return isinstance(e, n.Var | n.Element | n.Deref)

    def is_const(self, e: n.Expr) -> bool:
        match e:
            case n.Var(name=name):
                return name in self.names and self.names[name].const
            case n.Element(base=base):
                return base.type.const if isinstance(base.type, Pointer) else self.is_const(base)
            case n.Deref(pointer=pointer):
                return isinstance(pointer.type, Pointer) and pointer.type.const
            case n.Component(base=base) | n.Field(base=base):
                return self.is_const(base)
            case _:
                return False

    def home(self, e: n.Expr) -> Space | None:
        """The space that memory `e` lives in; None where it is not known to this check."""
        match e:
            case n.Var(name=name):
                return self.names[name].space if name in self.names else None
            case n.Element(base=base) | n.Component(base=base) | n.Field(base=base):
                return base.type.space if isinstance(base.type, Pointer) else self.home(base)
            case n.Deref(pointer=pointer):
                return pointer.type.space if isinstance(pointer.type, Pointer) else None
            case _:
                return None

    # expressions

    def expr(self, e: n.Expr) -> None:
        for child in _operands(e):
            self.expr(child)
        match e:
            case n.Const():
                self.const(e)
            case n.Var(name=name, type=t):
                self.want(name in self.names, lambda: f"{name} is not declared here", e.loc)
                if name in self.names:
                    declared = self.names[name].type
                    self.want(declared == t, lambda: f"{name} is declared {declared} but used as {t}", e.loc)
            case n.GridIndex(kind=kind, axis=axis):
                whole = kind in (n.Grid.LANE, n.Grid.SUBGROUP, n.Grid.SUBGROUP_SIZE)
                self.want(0 <= axis < (1 if whole else 3), lambda: f"{kind.value} along axis {axis}", e.loc)
                self.want(e.type == U32, lambda: f"{kind.value} has type {e.type}, not u32", e.loc)
            case n.Unary():
                ok = {"-": numeric(e.type), "~": integral(e.type), "!": e.type == BOOL}.get(e.op, False)
                self.want(ok and e.value.type == e.type, lambda: f"{show_expr(e)}: {e.op} on {e.value.type}", e.loc)
            case n.Binary():
                self.want(
                    _binary_types(e), lambda: f"{show_expr(e)}: {e.left.type} {e.op} {e.right.type} -> {e.type}", e.loc
                )
                can = e.op in ("+", "-", "*") and scalar_of(e.type).is_float
                self.want(can or not e.rounded, lambda: f"{show_expr(e)}: rounded by itself", e.loc)
            case n.IsNull(pointer=pointer):
                self.want(isinstance(pointer.type, Pointer) and e.type == BOOL, lambda: f"{show_expr(e)}: no pointer")
            case n.Select():
                self.condition(e.cond)
                fits = same_value_type(e.then.type, e.type) and same_value_type(e.other.type, e.type)
                self.want(fits, lambda: f"{show_expr(e)}: {e.then.type} or {e.other.type} -> {e.type}", e.loc)
            case n.Convert(value=value, type=t):
                fits = valued(value.type) and valued(t) and lanes(value.type) == lanes(t)
                self.want(fits, lambda: f"{show_expr(e)}: conversion from {value.type}", e.loc)
            case n.Bitcast(value=value, type=t):
                fits = valued(value.type) and valued(t) and value_size(value.type) == value_size(t)
                self.want(fits, lambda: f"{show_expr(e)}: bits of {value.type}", e.loc)
            case n.MakeVector(items=items, type=t):
                fits = len(items) == t.lanes and all(i.type == t.elem for i in items)
                self.want(fits, lambda: f"{show_expr(e)}: components of another number or type", e.loc)
            case n.Component(base=base, index=index):
                fits = isinstance(base.type, Vector) and index in range(base.type.lanes) and e.type == base.type.elem
                self.want(fits, lambda: f"{show_expr(e)}: component {index} of {base.type}", e.loc)
            case n.Field(base=base, name=name):
                member = base.type.member(name) if isinstance(base.type, Struct) else None
                fits = member is not None and member.type == e.type
                self.want(fits, lambda: f"{show_expr(e)}: member {name} of {base.type}", e.loc)
            case n.Aggregate():
                self.want(_aggregate_types(e), lambda: f"{show_expr(e)}: items of another number or type", e.loc)
            case n.MathCall():
                self.math(e)
            case n.Call():
                self.call(e)
            case n.Shuffle() | n.Vote() | n.Atomic():
                self.simt(e)
            case _:
                self.address(e)

    def const(self, e: n.Const) -> None:
        v, t = e.value, e.type
        if t == BOOL:
            self.want(isinstance(v, bool), lambda: f"bool constant {v!r}", e.loc)
        elif t.is_integer:
            low, high = (-(1 << t.bits - 1), (1 << t.bits - 1) - 1) if t.signed else (0, (1 << t.bits) - 1)
            fits = isinstance(v, int) and not isinstance(v, bool) and low <= v <= high
            self.want(fits, lambda: f"{t} constant {v!r}", e.loc)
        else:
            self.want(t.is_float and isinstance(v, float), lambda: f"{t} constant {v!r}", e.loc)
        if e.name is not None:
            c = self.constants.get(e.name)
            self.want(
                c is not None and c.value == v, lambda: f"constant {e.name} = {v!r} is not in the program's list", e.loc
            )

    def address(self, e: n.Expr) -> None:
        text = show_expr(e)
        match e:
            case n.Element(base=base, index=index):
                inner = base.type.elem if isinstance(base.type, Pointer | Array) else None
                self.want(inner == e.type, lambda: f"{text}: element {e.type} of {base.type}", e.loc)
                self.want(integral(index.type), lambda: f"{text}: index of type {index.type}", e.loc)
            case n.Deref(pointer=pointer):
                inner = pointer.type.elem if isinstance(pointer.type, Pointer) else None
                self.want(inner == e.type, lambda: f"{text}: {e.type} behind {pointer.type}", e.loc)
            case n.Offset(pointer=pointer, delta=delta):
                fits = isinstance(pointer.type, Pointer) and same_value_type(pointer.type, e.type)
                self.want(
                    fits and integral(delta.type), lambda: f"{text}: {pointer.type} + {delta.type} -> {e.type}", e.loc
                )
            case n.AddressOf(memory=memory):
                self.want(self.is_memory(memory), lambda: f"{text}: the operand is no memory", e.loc)
                self.points(e, e.type, memory.type, self.home(memory))
            case n.Decay(array=array):
                inner = array.type.elem if isinstance(array.type, Array) else None
                self.points(e, e.type, inner, self.home(array))
            case n.PointerCast(pointer=pointer, type=t):
                null = isinstance(pointer, n.Const) and pointer.value == 0
                known = isinstance(pointer.type, Pointer) and pointer.type.space is t.space
                self.want(null or known, lambda: f"{text}: cast from {pointer.type} to {t}", e.loc)
            case _:
                self.want(False, lambda: f"unknown expression {type(e).__name__}", e.loc)

    def points(self, e: n.Expr, t: Pointer, inner: Type | None, space: Space | None) -> None:
        self.want(t.elem == inner, lambda: f"{show_expr(e)}: pointer to {t.elem}, memory of {inner}", e.loc)
        fits = space is None or t.space in (space, Space.GENERIC)
        self.want(fits, lambda: f"{show_expr(e)}: {t.space.value} pointer to {space and space.value} memory", e.loc)

    def math(self, e: n.MathCall) -> None:
        row = MATH.get(e.fn)
        if row is None or len(e.args) != row.arity:
            self.want(False, lambda: f"{show_expr(e)}: unknown function or wrong number of operands", e.loc)
            return
        same = e.args[:-1] if row.int_last else e.args
        operand = e.args[0].type
        ok = all(a.type == operand for a in same) and valued(operand)
        kind = element(operand)
        ok = ok and kind is not None and (kind.is_float if row.domain == "float" else kind.is_integer)
        if row.int_last:
            ok = ok and integral(e.args[-1].type)
        result = element(e.type)
        match row.result:
            case "same":
                ok = ok and e.type == operand
            case name:
                ok = ok and result is not None and result.name == name and lanes(e.type) == lanes(operand)
        self.want(ok, lambda: f"{show_expr(e)}: ({', '.join(str(a.type) for a in e.args)}) -> {e.type}", e.loc)

    def call(self, e: n.Call) -> None:
        callee = self.known.get(e.function)
        if callee is None or e.function == self.f.name:
            self.want(False, lambda: f"{e.function} is called before it is defined (or calls itself)", e.loc)
            return
        self.want(
            e.type == callee.returns, lambda: f"{show_expr(e)} has type {e.type}, returns {callee.returns}", e.loc
        )
        self.want(
            len(e.args) == len(callee.params), lambda: f"{show_expr(e)}: {len(callee.params)} arguments expected", e.loc
        )
        for a, p in zip(e.args, callee.params, strict=False):
            fits = same_value_type(a.type, p.type)
            self.want(fits, f"{show_expr(e)}: {p.name} is {p.type}, the argument {a.type}", e.loc)

    def simt(self, e: n.Shuffle | n.Vote | n.Atomic) -> None:
        text = show_expr(e)
        if not isinstance(e, n.Atomic) and e.mask is not None:
            self.want(e.mask.type == U32, lambda: f"{text}: mask of type {e.mask and e.mask.type}", e.loc)
        match e:
            case n.Shuffle():
                self.want(e.kind in _SHUFFLES, lambda: f"{text}: unknown shuffle", e.loc)
                self.want(_width(e.width), lambda: f"{text}: width {e.width} is no power of two to 64", e.loc)
                fits = e.value.type == e.type and valued(e.type) and integral(e.lane.type)
                self.want(fits, lambda: f"{text}: {e.value.type} from lane {e.lane.type} -> {e.type}", e.loc)
            case n.Vote():
                self.want(_width(e.width), lambda: f"{text}: width {e.width} is no power of two to 64", e.loc)
                fits = e.type in (U32, U64) if e.kind in ("ballot", "active") else e.type == BOOL
                self.want(e.kind in _VOTES and e.value.type == BOOL and fits, lambda: f"{text}: wrong types", e.loc)
            case n.Atomic():
                p = e.pointer.type
                fits = isinstance(p, Pointer) and not p.const and p.elem == e.type == e.value.type
                self.want(fits and e.op in _ATOMICS, lambda: f"{text}: atomic on {p} with {e.value.type}", e.loc)
                cas = e.expected is not None and e.expected.type == e.type
                self.want(cas if e.op == "cas" else e.expected is None, lambda: f"{text}: wrong expected value", e.loc)


def _constant(e: n.Expr) -> bool:
    return isinstance(e, n.Const) or (isinstance(e, n.MakeVector) and all(isinstance(i, n.Const) for i in e.items))


def _operands(e: n.Expr) -> list[n.Expr]:
    out: list[n.Expr] = []
    for value in vars(e).values():
        if isinstance(value, n.Node):
            out.append(cast("n.Expr", value))
        elif isinstance(value, tuple):
            out += [cast("n.Expr", v) for v in cast("tuple[object, ...]", value) if isinstance(v, n.Node)]
    return out


def _binary_types(e: n.Binary) -> bool:
    left, right = e.left.type, e.right.type
    if e.op in _COMPARE:
        pointers = isinstance(left, Pointer) and isinstance(right, Pointer)
        same = left.space is right.space if pointers else left == right  # pyright: ignore[reportAttributeAccessIssue]
        return same and lanes(left) == lanes(e.type) and element(e.type) == BOOL
    if e.op in _LOGIC:
        return left == right == e.type == BOOL
    if e.op in _SHIFT:
        return left == e.type and integral(left) and integral(right)
    if e.op == "-" and isinstance(left, Pointer) and isinstance(right, Pointer):
        return left.elem == right.elem and integral(e.type)
    if e.op in _INTEGER:
        return left == right == e.type and (integral(left) or (left == BOOL and e.op != "%"))
    return e.op in _ARITHMETIC and left == right == e.type and numeric(left)


def _aggregate_types(e: n.Aggregate) -> bool:
    if isinstance(e.type, Array):
        return len(e.items) == e.type.length and all(i.type == e.type.elem for i in e.items)
    members = e.type.members[:1] if e.type.union else e.type.members
    return [i.type for i in e.items] == [m.type for m in members]


def _width(width: int) -> bool:
    return width == 0 or width in (1, 2, 4, 8, 16, 32, 64)
