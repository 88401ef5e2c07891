"""The expression printer: IR expressions to C text with as few parentheses and casts as the meaning allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, refuse
from ...ir.types import BOOL, I32, U32, Pointer, Scalar, Type, Vector
from . import operators as ops
from .calls import Calls
from .conversions import common, limits, promote, wraps_alike
from .declare import Types
from .literals import literal
from .memory import Memory
from .text import ASSIGNMENT, COMPARISONS, POSTFIX, PRECEDENCE, PRIMARY, TERNARY, UNARY, Text, enclose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .dialect import Dialect
    from .helpers import Helpers

# clang asks for parentheses in these mixtures, and so do readers: the operator, and the precedences of inner ones
_ARITHMETIC = frozenset({11, 12, 13})
_CLEARER: dict[str, frozenset[int]] = {
    "||": frozenset({5}),
    "|": _ARITHMETIC | {7, 8, 9, 10},
    "^": _ARITHMETIC | {8, 9, 10},
    "&": _ARITHMETIC | {9, 10},
    "<<": frozenset({12, 13}),
    ">>": frozenset({12, 13}),
    **{op: frozenset({9, 10}) for op in COMPARISONS},
}

# operators on vectors, as parts of helper names
_STEMS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem", "&": "and", "|": "or", "^": "xor"} | {
    "<<": "shl",
    ">>": "shr",
}


class Expressions:
    """Prints the expressions of one program.

    `constants` are the names that are defined at the top, `extras` the arguments that calls of a device function pass
    behind its own, `references` the variables that are pointers in the text where the IR has the thing itself.
    `loose`: some float products may be fused. `bounds` gives upper bounds of grid indices where known.
    """

    def __init__(
        self,
        dialect: Dialect,
        helpers: Helpers,
        *,
        constants: Mapping[str, n.NamedConstant],
        extras: Mapping[str, Sequence[str]],
        functions: Mapping[str, n.Function],
        subgroup_width: int,
        loose: bool,
        bounds: Mapping[n.Grid, int],
    ) -> None:
        self.dialect = dialect
        self.types = Types(dialect)
        self.helpers = helpers
        self.problems: list[Diagnostic] = []
        self.references: frozenset[str] = frozenset()
        self.loc: n.Loc | None = None
        self._constants = constants
        self.extras = extras
        self.attributes: dict[str, None] = {}
        self.passed_attributes: Mapping[str, Sequence[str]] = {}
        self.ranges: dict[str, tuple[int, int]] = {}
        self.calls = Calls(self)
        self.memory = Memory(self)
        self._functions = functions
        self.width = subgroup_width
        self._bounds = bounds
        self._loose = loose

    # --- the three ways in which an operand is asked for

    def value(self, e: n.Expr) -> Text:
        """Print with the conversions that C makes by itself left out; see `Text` for what then holds."""
        self.types.loc = e.loc or self.loc
        match e:
            case n.Const():
                return self._const(e)
            case n.Var():
                if e.name in self.references:
                    return Text(f"*{e.name}", UNARY, e.type)
                return Text(e.name, PRIMARY, e.type, self.ranges.get(e.name))
            case n.GridIndex():
                return self._grid(e)
            case n.Unary():
                return self._unary(e)
            case n.Binary():
                return self.binary(e)
            case n.Select():
                return self._select(e)
            case n.Convert():
                return self._convert(e)
            case n.Bitcast():
                return self._bitcast(e)
            case n.Element() | n.Deref() | n.Component() | n.Field():
                return self.memory.place(e)
            case n.Aggregate():
                return self._aggregate(e)
            case n.Offset():
                return self.memory.offset(e)
            case n.AddressOf():
                return self.memory.address(e)
            case n.Decay():
                return Text(enclose(self.value(e.array), POSTFIX), POSTFIX, e.type)
            case n.PointerCast():
                inner = enclose(self.value(e.pointer), UNARY)
                return Text(f"({self.types.name(e.type)}){inner}", UNARY, e.type)
            case n.MakeVector():
                return self._make_vector(e)
            case n.MathCall():
                return self.calls.math(e)
            case n.Call():
                return self.calls.call(e)
            case n.Shuffle():
                return self.calls.shuffle(e)
            case n.Vote():
                return self.calls.vote(e)
            case n.Atomic():
                return self.calls.atomic(e)
            case n.IsNull():
                raise refuse("GP1102", "a test of a pointer against null that the spec does not decide", e.loc)

    def exact(self, e: n.Expr) -> Text:
        """Print with the IR's type: with a cast where C's type is another one."""
        text = self.value(e)
        return text if text.ctype == e.type or not isinstance(e.type, Scalar) else self.cast(text, e.type)

    def assignable(self, e: n.Expr) -> Text:
        """Print for a place that converts to the IR's type: an initialiser, an assignment, an argument."""
        text = self.value(e)
        if text.ctype != e.type and not self.dialect.classes.isdisjoint((str(e.type), str(text.ctype))):
            return self.exact(e)
        return text

    def condition(self, e: n.Expr) -> Text:
        """Print for a place that tests against zero; OpenCL C tests no float by itself."""
        text = self.value(e)
        if isinstance(text.ctype, Scalar) and text.ctype.is_float:
            zero = Text(literal(0.0, text.ctype, self.dialect), PRIMARY, text.ctype)
            return self._join("!=", text, zero, BOOL)
        return text

    def index(self, e: n.Expr) -> Text:
        """Print an integer for a place that takes every integer type, with the value unchanged."""
        text = self.value(e)
        return text if isinstance(e.type, Scalar) and ops.exact(text, e.type) else self.exact(e)

    def plain(self, e: n.Expr, prec: int = ASSIGNMENT) -> str:
        """The assignable text, in parentheses if it binds weaker than `prec`."""
        return enclose(self.assignable(e), prec)

    def computes(self, op: str, t: Scalar, value: Text) -> bool:
        """Tell whether C's `target op= value` computes what the IR does in the target's type `t`."""
        return ops.result_type(op, Text("", PRIMARY, t), value, t) is not None

    # --- leaves

    def _const(self, e: n.Const) -> Text:
        known = self._constants.get(e.name) if e.name else None
        span = (int(e.value), int(e.value)) if e.type.is_integer else None
        if known is not None and _same_value(known.value, e.value):
            return Text(known.name, PRIMARY, known.type, span if known.type.is_integer else None)
        self.types.name(e.type)
        text = literal(e.value, e.type, self.dialect)
        if e.type.is_integer and e.type.bits < 32:
            return Text(text, UNARY if text.startswith("-") else PRIMARY, I32, span)
        return Text(text, UNARY if text[0] in "-(" and not text.startswith("(-") else PRIMARY, e.type, span)

    def _grid(self, e: n.GridIndex) -> Text:
        form = self.dialect.grid.get(e.kind)
        if form is None:
            raise refuse("GP2006", f"{self.dialect.title} does not have {e.kind.value}", e.loc or self.loc)
        if e.kind is n.Grid.SUBGROUP_SIZE:
            return Text(f"{self.width}u", PRIMARY, U32, (self.width, self.width))
        bound = self._bounds.get(e.kind)
        self.use(self.dialect.attributes.get(e.kind, ""))
        text = form.format(axis=e.axis, xyz="xyz"[e.axis], width=self.width)
        if e.kind in (n.Grid.LANE, n.Grid.SUBGROUP):
            if "{width}" in form:
                return Text(text, PRECEDENCE["%"], self.dialect.grid_type, (0, bound) if bound else None)
            return Text(text, POSTFIX, U32, (0, bound) if bound else None)
        return Text(text, POSTFIX, self.dialect.grid_type, (0, bound) if bound is not None else None)

    def use(self, *attributes: str) -> None:
        """Note which attributes of the kernel the text so far needs."""
        known = frozenset(self.dialect.attributes.values())
        self.attributes.update(dict.fromkeys(a for a in attributes if a in known))

    def _bitcast(self, e: n.Bitcast) -> Text:
        source, inner = e.value.type, self.exact(e.value)
        types = [t for t in (source, e.type) if isinstance(t, Scalar)]
        if self.dialect.bitcasts and len(types) == 2 and all(t.is_integer for t in types):
            return self.cast(inner, types[1])
        form = self.dialect.bitcasts.get((str(source), str(e.type)), self.dialect.bitcast)
        if not form and self.dialect.bitcast_helper:
            spelled = {"from": self.types.name(source), "to": self.types.name(e.type)}
            function = f"gp_bits_{e.type}_of_{source}"
            self.helpers.need(function, self.dialect.bitcast_helper, function=function, **spelled)
            return Text(f"{function}({inner.text})", POSTFIX, e.type)
        if not form:
            raise refuse("GP2006", f"{self.dialect.title} has no bit cast from {source} to {e.type}", e.loc or self.loc)
        text = form.format(type=self.types.name(e.type), value=inner.text)
        return Text(text, UNARY if text.startswith("(") else POSTFIX, e.type)

    def by_component(
        self, stem: str, e: n.Expr, operands: Sequence[n.Expr], part: Callable[[tuple[n.Expr, ...]], n.Expr]
    ) -> Text:
        """A helper that does an operation on vectors component by component.

        `part` gives the operation on one component of each operand; operands that are no vectors stay whole.
        """
        if not isinstance(e.type, Vector):
            raise refuse("GP2010", f"{stem} of vectors giving {e.type}", e.loc or self.loc)
        args = [self.exact(o).text for o in operands]
        # the operands inside the helper, which no range or constant of this place may touch
        names = "abc"[: len(operands)]
        ranges, self.ranges = self.ranges, {}
        items: list[str] = []
        for lane in range(e.type.lanes):
            inside = [n.Var(name, o.type) for name, o in zip(names, operands, strict=True)]
            lanes = tuple(n.Component(v, lane, v.type.elem) if isinstance(v.type, Vector) else v for v in inside)
            items.append(self.exact(part(lanes)).text)
        self.ranges = ranges
        kinds = "_".join(str(o.type) for o in operands)
        name = f"gp_{stem}" + (f"_{e.type}" if isinstance(e, n.Convert) else "")
        self.helpers.need(
            f"{name}_{kinds}",
            self.dialect.componentwise,
            function=name,
            type=self.types.name(e.type),
            params=[self.types.declaration(o.type, name) for name, o in zip(names, operands, strict=True)],
            made=self.dialect.make_vector.format(type=self.types.name(e.type), items=", ".join(items)),
        )
        return Text(f"{name}({', '.join(args)})", POSTFIX, e.type)

    # --- operators

    def cast(self, text: Text, t: Scalar) -> Text:
        """The text with a cast to `t` before it."""
        return Text(
            f"({self.types.name(t)}){enclose(text, UNARY)}", UNARY, t, text.range if ops.exact(text, t) else None
        )

    def _convert(self, e: n.Convert) -> Text:
        source = e.value.type
        if isinstance(e.type, Vector):
            elem = e.type.elem
            if self.dialect.componentwise:
                return self.by_component("convert", e, [e.value], lambda a: n.Convert(a[0], elem))
            inner = self.value(e.value).text
            call = self.dialect.convert_vector.format(type=self.types.name(e.type), value=inner)
            return Text(call, POSTFIX, e.type)
        inner = self.value(e.value)
        if not isinstance(source, Scalar):
            raise TypeError(f"conversion of {source}")
        self.types.name(e.type)
        narrows = source.is_integer and e.type.is_integer and e.type.bits <= source.bits
        if not (inner.ctype == source or ops.exact(inner, source) or (narrows and ops.is_integer(inner))):
            inner = self.cast(inner, source)
        if self.dialect.saturating and source.is_float and e.type.is_integer and not isinstance(e.value, n.Const):
            call = self.dialect.saturating.format(type=self.types.name(e.type), value=inner.text)
            return Text(call, POSTFIX, e.type)
        if e.implicit and self.dialect.classes.isdisjoint((e.type.name, source.name)):
            return inner
        return self.cast(inner, e.type)

    def _unary(self, e: n.Unary) -> Text:
        if e.op == "!":
            return Text(f"!{enclose(self.condition(e.value), UNARY)}", UNARY, BOOL)
        if isinstance(e.type, Vector) and self.dialect.componentwise:
            elem, stem = e.type.elem, {"-": "neg", "~": "not"}.get(e.op, "")
            return self.by_component(stem, e, [e.value], lambda a: n.Unary(e.op, a[0], elem))
        inner = self.value(e.value)
        c = inner.ctype
        if isinstance(c, Scalar) and isinstance(e.type, Scalar):
            c = promote(c)
            if c != e.type and not (wraps_alike(c, e.type) or c == promote(e.type)):
                inner, c = self.cast(inner, e.type), promote(e.type)
        text = enclose(inner, UNARY)
        # `--x` and `- -x` are not the same
        return Text(e.op + (f"({text})" if text.startswith(e.op) else text), UNARY, c)

    def binary(self, e: n.Binary) -> Text:
        """An operator and its operands, with casts where C would compute in another type."""
        if e.op in ("&&", "||"):
            return self._join(e.op, self.condition(e.left), self.condition(e.right), BOOL)
        t = e.left.type
        if isinstance(t, Pointer):
            return self._join(e.op, self.value(e.left), self.value(e.right), e.type)
        if isinstance(t, Vector):
            if e.op in COMPARISONS:
                raise refuse("GP1102", "comparison of whole vectors", e.loc or self.loc)
            if self.dialect.componentwise:
                elem, operands = t.elem, (e.left, e.right)
                return self.by_component(
                    _STEMS[e.op], e, operands, lambda a: n.Binary(e.op, a[0], a[1], elem, e.rounded)
                )
            return self._join(e.op, self.exact(e.left), self.exact(e.right), e.type)
        if not isinstance(t, Scalar):
            raise TypeError(f"operator {e.op} on {t}")
        if e.op in ("<<", ">>"):
            return self._shift(e, t)
        # a sum has nothing to be fused with where every product is rounded by itself
        alone = self.dialect.rounded.get((e.op, t.name)) if e.rounded and (e.op == "*" or self._loose) else None
        if alone:
            return Text(f"{alone}({self.exact(e.left).text}, {self.exact(e.right).text})", POSTFIX, t)
        left, right = self.value(e.left), self.value(e.right)
        for a, b in self._casts(left, right, t):
            if e.op in COMPARISONS:
                if ops.comparable(a, b, t):
                    return self._join(e.op, a, b, BOOL, (0, 1))
            elif (c := ops.result_type(e.op, a, b, t)) is not None:
                span = ops.range_of(e.op, a.range, b.range)
                return self._join(e.op, a, b, c, span if span and _within(span, t) else None)
        wide = ops.widened(t)
        return self._join(e.op, self.cast(left, wide), self.cast(right, wide), wide)

    def _casts(self, left: Text, right: Text, t: Scalar) -> list[tuple[Text, Text]]:
        a = left if left.ctype == t else self.cast(left, t)
        b = right if right.ctype == t else self.cast(right, t)
        return [(left, right), (a, right), (left, b), (a, b)]

    def _shift(self, e: n.Binary, t: Scalar) -> Text:
        left, right = self.value(e.left), self.index(e.right)
        c = ops.scalar(left)
        c = promote(c) if c else None
        fits = c is not None and (
            c == t or (e.op == "<<" and wraps_alike(c, t)) or (ops.exact(left, t) and (t.bits < 32 or not t.signed))
        )
        if not fits or c is None or (c != t and c.bits < t.bits):
            left, c = self.cast(left, t), promote(t)
        span = ops.range_of(e.op, left.range, right.range)
        return self._join(e.op, left, right, c, span if span and _within(span, t) else None)

    def _join(self, op: str, left: Text, right: Text, c: Type, span: tuple[int, int] | None = None) -> Text:
        prec = PRECEDENCE[op]
        a = self._side(op, left, prec)
        b = self._side(op, right, prec + 1)
        return Text(f"{a} {op} {b}", prec, c, span)

    def _side(self, op: str, side: Text, prec: int) -> str:
        clearer = side.prec in _CLEARER.get(op, frozenset())
        return f"({side.text})" if side.prec < prec or clearer else side.text

    def _select(self, e: n.Select) -> Text:
        cond = enclose(self.condition(e.cond), TERNARY + 1)
        then, other = self.value(e.then), self.value(e.other)
        c: Type = e.type
        if isinstance(e.type, Scalar):
            for a, b in self._casts(then, other, e.type):
                ca, cb = ops.scalar(a), ops.scalar(b)
                both = common(ca, cb) if ca and cb else None
                if both is None:
                    continue
                wraps = both.is_integer and e.type.is_integer and both.bits >= e.type.bits
                if both == e.type or wraps or (e.type == BOOL and both.is_integer):
                    then, other, c = a, b, both
                    break
        return Text(f"{cond} ? {enclose(then, TERNARY + 1)} : {enclose(other, TERNARY)}", TERNARY, c)

    # --- values of several parts

    def braces(self, e: n.Expr) -> str:
        """An initialiser in braces where it stands in a declaration or in other braces."""
        if isinstance(e, n.Aggregate):
            return f"{{{', '.join(self.braces(i) for i in e.items)}}}"
        return self.exact(e).text

    def _aggregate(self, e: n.Aggregate) -> Text:
        name = self.types.name(e.type)
        text = f"{name}{self.braces(e)}" if self.dialect.cpp else f"({name}){self.braces(e)}"
        return Text(text, POSTFIX, e.type)

    def _make_vector(self, e: n.MakeVector) -> Text:
        items = [self.assignable(i) if not self.dialect.cpp else self.exact(i) for i in e.items]
        first = e.items[0]
        splat = self.dialect.splats and all(i == first for i in e.items)
        if splat and isinstance(first, n.Const | n.Var):
            items = [self.exact(first)]
        form = self.dialect.make_vectors.get(e.type.elem.name, self.dialect.make_vector)
        text = form.format(type=self.types.name(e.type), items=", ".join(i.text for i in items))
        return Text(text, UNARY if text.startswith("(") else POSTFIX, e.type)


def _same_value(a: bool | int | float, b: bool | int | float) -> bool:
    return a == b


def _within(span: tuple[int, int], t: Scalar) -> bool:
    low, high = limits(t) if t.is_integer else (0, 0)
    return low <= span[0] and span[1] <= high
