"""Matrix steps as plain loops and shuffles, where there is no matrix unit, or as steps of smaller matrices.

Each lane holds a piece of a row: element i of lane l is element l*E + i of the matrix in row order, E elements a lane.
Of b it is the piece of a row that is as long as an accumulator's, for then the lanes of a multiplication agree on the
element that they ask each other for. A kernel cannot tell: which elements a lane has is not defined by any language.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import nodes as n
from ..analysis.usage import names_used
from ..types import BF16, BOOL, F16, F32, U32, Array, Fragment, Member, Pointer, Scalar, Struct, Type, flat_elem
from ..walk import map_functions, rewrite_exprs, rewrite_stmts, walk
from .retype import retype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WIDTH = 32
"""Lanes that hold a matrix together."""


def fragments(program: n.Program) -> tuple[Fragment, ...]:
    """Return the fragments that a program has, in order of appearance."""
    found: dict[Fragment, None] = {}
    for f in program.all_functions:
        for x in walk(f):
            elem = flat_elem(_pointee(getattr(x, "type", None) or U32))
            if isinstance(elem, Struct) and elem.fragment is not None:
                found[elem.fragment] = None
    return tuple(found)


def _pointee(t: Type) -> Type:
    return t.elem if isinstance(t, Pointer) else t


def fragment_struct(name: str, fragment: Fragment) -> Struct:
    """Return the type of a fragment's variables, with the elements that one lane holds."""
    elements = held(fragment)
    elem = fragment.elem
    return Struct(name, (Member("x", Array(elem, elements), 0),), elem.size * elements, elem.size, False, fragment)


def held(f: Fragment) -> int:
    """Return how many elements of a fragment one lane holds."""
    if f.use == "b":
        return -(-f.k * _row_parts(f) // WIDTH) * _piece(f)
    rows, columns = f.shape
    return rows * columns // WIDTH


def elements_held(e: n.Expr) -> int:
    """Return how many elements one lane holds of a fragment, or of one behind a pointer; 0 for anything else."""
    t = _pointee(e.type)
    return held(t.fragment) if isinstance(t, Struct) and t.fragment is not None else 0


def can_be_held(f: Fragment) -> bool:
    """Tell whether the shapes divide as they have to."""
    piece = f.m * f.n // WIDTH
    if f.m * f.n % WIDTH or f.m * f.k % WIDTH or not piece or f.n % piece:
        return False
    a = f.m * f.k // WIDTH
    return f.k % a == 0


def _piece(f: Fragment) -> int:
    """The elements of an accumulator's row that one lane holds."""
    return f.m * f.n // WIDTH


def _row_parts(f: Fragment) -> int:
    return f.n // _piece(f)


Rounding: TypeAlias = "Callable[[n.Expr, n.Expr, int, Scalar], Any]"  # an expression, of a kind of its own, too


def expand(program: n.Program, *, unroll: bool = True, rounding: Rounding | None = None) -> n.Program:
    """Return the program with loops and shuffles in place of matrix steps; its fragments become plain structs.

    Without `unroll` the compiler is not asked to unroll the loops, which are long where a shuffle has barriers.
    rounding: makes of each float sum what a matrix unit makes of it, given the sum, the largest magnitude among its
    terms (a subnormal factor counts as the smallest normal number) and partial results, the number of terms, and the
    type of the factors.
    """
    if not fragments(program):
        return program
    constants = {c.name for c in program.constants}

    def function(f: n.Function) -> n.Function:
        steps = _Steps(names_used(f) | constants, unroll, rounding)
        return dataclasses.replace(f, body=rewrite_stmts(f.body, steps.statement))

    plain = retype(map_functions(program, function), _plain)
    return dataclasses.replace(plain, subgroup_width=program.subgroup_width or WIDTH)


def _plain(t: Type) -> Type:
    return dataclasses.replace(t, fragment=None) if isinstance(t, Struct) else t


def _u32(value: int) -> n.Const:
    return n.Const(value, U32)


def _bin(op: str, left: n.Expr, right: n.Expr | int) -> n.Expr:
    """An operation on u32, without what does nothing."""
    if isinstance(right, int):
        if (op in "*/" and right == 1) or (op == "+" and right == 0):
            return left
        if op == "%" and right == 1:
            return _u32(0)
        right = _u32(right)
    if isinstance(left, n.Const):
        if op == "+" and left.value == 0:
            return right
        if op in "*/%" and left.value == 0:
            return left
    return n.Binary(op, left, right, U32)


def _fragment(e: n.Expr) -> Fragment:
    assert isinstance(e.type, Struct)
    assert e.type.fragment is not None
    return e.type.fragment


def _element(matrix: n.Expr, index: n.Expr) -> n.Element:
    f = _fragment(matrix)
    return n.Element(n.Field(matrix, "x", Array(f.elem, held(f))), index, f.elem)


def _as(value: n.Expr, t: Scalar) -> n.Expr:
    return value if value.type == t else n.Convert(value, t)


@dataclass
class _Steps:
    """The steps of one function; `taken` are the names that nothing new may have."""

    taken: set[str]
    unroll: bool = True
    rounding: Rounding | None = None

    def statement(self, s: n.Stmt) -> list[n.Stmt]:
        """Return what takes the place of a statement."""
        if not isinstance(s, n.MatrixStep):
            return [s]
        body = list(getattr(self, f"_{s.op}")(s))
        first = dataclasses.replace(body[0], comments=s.comments)
        return [dataclasses.replace(x, loc=s.loc) for x in (first, *body[1:])]

    def _name(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.taken:
            count += 1
            candidate = f"{name}_{count}"
        return candidate

    def _loop(self, name: str, count: int, body: Sequence[n.Stmt]) -> n.For:
        i = n.Var(name, U32)
        return n.For(
            (n.Declare(name, U32, _u32(0)),),
            n.Binary("<", i, _u32(count), BOOL),
            (n.Assign(i, _u32(1), "+"),),
            tuple(body),
            unroll=0 if self.unroll else None,
        )

    def _fill(self, s: n.MatrixStep) -> Iterator[n.Stmt]:
        i = self._name("i")
        yield self._loop(i, held(_fragment(s.matrix)), [n.Assign(_element(s.matrix, n.Var(i, U32)), s.operands[0])])

    def _places(self, f: Fragment) -> tuple[list[n.Stmt], n.Expr, n.Expr, int, int]:
        """The row and the first column of what this lane holds: declarations, row, column, elements, row's step.

        A lane holds `elements` of a row, and, of a matrix b with more than that, of rows `step` further down too.
        """
        lane = n.GridIndex(n.Grid.LANE)
        if f.use == "b":
            parts, count, rows = _row_parts(f), _piece(f), f.k
        else:
            _, columns = f.shape
            count = held(f)
            parts, rows = columns // count, f.shape[0]
        lanes = min(WIDTH, rows * parts)
        mine: n.Expr = lane if lanes == WIDTH else _bin("%", lane, lanes)
        row, column = self._name("row"), self._name("column")
        declared: list[n.Stmt] = [n.Declare(row, U32, _bin("/", mine, parts), const=True)]
        start: n.Expr = _u32(0)
        if parts > 1:
            declared.append(n.Declare(column, U32, _bin("*", _bin("%", mine, parts), count), const=True))
            start = n.Var(column, U32)
        return declared, n.Var(row, U32), start, count, lanes // parts

    def _load(self, s: n.MatrixStep) -> Iterator[n.Stmt]:
        yield self._moved(s, store=False)

    def _store(self, s: n.MatrixStep) -> Iterator[n.Stmt]:
        yield self._moved(s, store=True)

    def _moved(self, s: n.MatrixStep, *, store: bool) -> n.Block:
        pointer, stride = s.operands
        assert isinstance(pointer.type, Pointer)
        f = _fragment(s.matrix)
        declared, row, column, count, step = self._places(f)
        tile, line, i = self._name("tile"), self._name("stride"), self._name("i")
        at = dataclasses.replace(pointer.type, restrict=False)
        declared.append(n.Declare(tile, at, pointer))
        declared.append(n.Declare(line, U32, _as(stride, U32), const=True))
        place = n.Var(i, U32)
        for group in range(held(f) // count):
            at_row, at_column = _bin("+", row, group * step), _bin("+", column, place)
            slow, fast = (at_row, at_column) if s.layout == "row" else (at_column, at_row)
            index = _bin("+", _bin("*", slow, n.Var(line, U32)), fast)
            memory = n.Element(n.Var(tile, at), index, f.elem)
            element = _element(s.matrix, _bin("+", place, group * count))
            moved = n.Assign(memory, element) if store else n.Assign(element, memory)
            declared.append(self._loop(i, count, [moved]))
        return n.Block(tuple(declared))

    def _multiply(self, s: n.MatrixStep) -> Iterator[n.Stmt]:
        a, b, c = s.operands
        f = _shape(_fragment(a), _fragment(b), _fragment(c))
        sums = f.elem if f.elem not in (F16, BF16) else F32
        piece, parts = _piece(f), _row_parts(f)
        held_a = f.m * f.k // WIDTH
        lane = n.GridIndex(n.Grid.LANE)
        k, i = self._name("k"), self._name("i")
        vk, vi = n.Var(k, U32), n.Var(i, U32)
        body: list[n.Stmt] = []
        if sums == f.elem:
            total = s.matrix
            if s.matrix != c:
                body.append(self._loop(i, piece, [n.Assign(_element(s.matrix, vi), _element(c, vi))]))

            def target(index: n.Expr) -> n.Expr:
                return _element(total, index)
        else:  # rounded once, as a matrix unit does
            name = self._name("sums")
            body.append(n.Declare(name, Array(sums, piece)))
            held_sums = n.Var(name, Array(sums, piece))

            def target(index: n.Expr) -> n.Expr:
                return n.Element(held_sums, index, sums)

            body.append(self._loop(i, piece, [n.Assign(target(vi), _as(_element(c, vi), sums))]))
        from_a = _bin("+", _bin("*", _bin("/", lane, parts), f.k // held_a), _bin("/", vk, held_a))
        mine = _as(_element(a, _bin("%", vk, held_a)), sums)
        left = self._name("left")
        place_b = _bin("+", _bin("*", vk, parts), _bin("%", lane, parts))
        from_b = _bin("%", place_b, WIDTH) if f.k * parts > WIDTH else place_b
        slot = vi
        if f.k * parts > WIDTH:
            slot = _bin("+", _bin("*", _bin("/", vk, WIDTH // parts), piece), vi)
        theirs = _as(_element(b, slot), sums)
        right: n.Expr = n.Shuffle("idx", theirs, from_b, sums, WIDTH)
        before: list[n.Stmt] = []
        behind: list[n.Stmt] = []
        after: list[n.Stmt] = []
        if self.rounding is not None and sums.is_float:
            reach, second = self._name("reach"), self._name("right")
            most = n.Element(n.Var(reach, Array(sums, piece)), vi, sums)
            body.append(n.Declare(reach, Array(sums, piece)))
            body.append(self._loop(i, piece, [n.Assign(most, _math("fabs", target(vi)))]))
            before.append(n.Declare(second, sums, right, const=True))
            right = n.Var(second, sums)
            elem = _fragment(a).elem
            term = n.Binary("*", _weight(n.Var(left, sums), elem), _weight(right, elem), sums)
            behind.append(n.Assign(most, _math("fmax", most, _math("fmax", term, _math("fabs", target(vi))))))
            after.append(self._loop(i, piece, [n.Assign(target(vi), self.rounding(target(vi), most, f.k, elem))]))
        add = n.Assign(target(vi), n.Binary("*", n.Var(left, sums), right, sums), "+")
        inner = [
            n.Declare(left, sums, n.Shuffle("idx", mine, from_a, sums, WIDTH), const=True),
            self._loop(i, piece, [*before, add, *behind]),
        ]
        body += [self._loop(k, f.k, inner), *after]
        if sums != f.elem:
            body.append(self._loop(i, piece, [n.Assign(_element(s.matrix, vi), _as(target(vi), f.elem))]))
        yield n.Block(tuple(body))


def _math(fn: str, *args: n.Expr) -> n.Expr:
    assert isinstance(args[0].type, Scalar)
    return n.MathCall(fn, args, args[0].type)


def _weight(x: n.Expr, elem: Scalar) -> n.Expr:
    """The magnitude of a factor as its exponent tells it: of a subnormal one that of the smallest normal number."""
    assert isinstance(x.type, Scalar)
    zero, least = n.Const(0.0, x.type), n.Const(2.0 ** (-14 if elem is F16 else -126), x.type)
    return n.Select(n.Binary("==", x, zero, BOOL), zero, _math("fmax", _math("fabs", x), least), x.type)


def _shape(a: Fragment, b: Fragment, c: Fragment) -> Fragment:
    """The accumulator of a multiplication, with the K of its operands."""
    return dataclasses.replace(c, use="c", m=a.shape[0], k=a.shape[1], n=b.shape[1])


def tile(program: n.Program, size: int, elems: frozenset[Scalar]) -> n.Program | None:
    """Return the program on matrices of `size` x `size` elements, or None where its fragments are not local variables.

    `elems` are what the small matrices may hold. A fragment becomes an array of rows of small matrices.
    """
    found = fragments(program)
    if any(side % size for f in found for side in (f.m, f.n, f.k)) or not {f.elem for f in found} <= elems:
        return None
    for f in program.all_functions:
        kept = {id(x) for x in walk(f.body) if isinstance(x, n.MatrixStep | n.Declare)}
        for x in walk(f):
            elem = flat_elem(_pointee(getattr(x, "type", None) or U32))
            if not isinstance(elem, Struct) or elem.fragment is None or id(x) in kept:
                continue
            local = isinstance(x, n.Var | n.Element) and not isinstance(x.type, Pointer)
            if not local or (isinstance(x, n.Declare) and x.init is not None):
                return None
        if any(isinstance(x, n.Assign) and isinstance(x.target.type, Struct) and x.target.type.fragment
               for x in walk(f.body)):  # fmt: skip
            return None
    if all(f.use == "any" and f.m == size for f in found):
        return program
    tiles = _Tiles(size)
    return map_functions(program, tiles.function)


@dataclass
class _Tiles:
    size: int

    def small(self, elem: Scalar) -> Struct:
        """The type of a small matrix."""
        return fragment_struct(f"Matrix_{elem}", Fragment("any", self.size, self.size, self.size, elem))

    def type(self, t: Type) -> Type:
        """A type with small matrices in place of fragments."""
        if isinstance(t, Array):
            return Array(self.type(t.elem), t.length)  # pyright: ignore[reportArgumentType]
        if not isinstance(t, Struct) or t.fragment is None or t.fragment.use == "any":
            return t
        rows, columns = t.fragment.shape
        return Array(Array(self.small(t.fragment.elem), columns // self.size), rows // self.size)

    def function(self, f: n.Function) -> n.Function:
        """Rewrite one function: first the steps, then the variables."""
        steps = _Steps(names_used(f))

        def statement(s: n.Stmt) -> list[n.Stmt]:
            return [self.step(steps, s)] if isinstance(s, n.MatrixStep) else [s]

        body = rewrite_stmts(f.body, statement)
        f = dataclasses.replace(f, body=body)
        f = rewrite_exprs(f, self.expression)

        def declare(s: n.Stmt) -> list[n.Stmt]:
            return [dataclasses.replace(s, type=self.type(s.type)) if isinstance(s, n.Declare) else s]

        return dataclasses.replace(f, body=rewrite_stmts(f.body, declare))

    def expression(self, e: n.Expr) -> n.Expr:
        """Elements of a fragment are elements of its small matrices; bottom-up."""
        if isinstance(e, n.Var) and self.type(e.type) != e.type:
            return dataclasses.replace(e, type=self.type(e.type))
        if isinstance(e, n.Element):
            base = e.base
            if isinstance(base, n.Field) and isinstance(base.base.type, Array):
                rows = base.base.type
                assert isinstance(rows.elem, Array)
                small = rows.elem.elem
                assert isinstance(small, Struct)
                each = held(small.fragment) if small.fragment else 1
                index = e.index if e.index.type == U32 else n.Convert(e.index, U32, True)
                which = _bin("/", index, each)
                matrix = self.at(base.base, _bin("/", which, rows.elem.length), _bin("%", which, rows.elem.length))
                inner = n.Field(matrix, "x", small.members[0].type)
                return n.Element(inner, _bin("%", index, each), e.type, loc=e.loc)
            if isinstance(base.type, Array) and base.type.elem != e.type:
                return dataclasses.replace(e, type=base.type.elem)
        return e

    @staticmethod
    def at(matrix: n.Expr, row: n.Expr, column: n.Expr) -> n.Expr:
        """One of the small matrices of a fragment."""
        assert isinstance(matrix.type, Array)
        line = n.Element(matrix, row, matrix.type.elem)
        assert isinstance(matrix.type.elem, Array)
        return n.Element(line, column, matrix.type.elem.elem)

    def step(self, steps: _Steps, s: n.MatrixStep) -> n.Stmt:
        """A step on all small matrices."""
        i, j, k = (steps._name(x) for x in "ijk")  # pyright: ignore[reportPrivateUsage]
        vi, vj, vk = (n.Var(x, U32) for x in (i, j, k))
        f = _fragment(s.matrix)
        rows, columns = (side // self.size for side in f.shape)

        def part(matrix: n.Expr, row: n.Expr, column: n.Expr) -> n.Expr:
            return self.at(self.whole(matrix), row, column)

        match s.op:
            case "multiply":
                a, b, c = s.operands
                depth = _fragment(a).shape[1] // self.size
                own = part(s.matrix, vi, vj)
                inner: list[n.Stmt] = []
                if c != s.matrix:
                    inner.append(n.Assign(own, part(c, vi, vj)))
                once = n.MatrixStep("multiply", own, (part(a, vi, vk), part(b, vk, vj), own), loc=s.loc)
                inner.append(steps._loop(k, depth, [once]))  # pyright: ignore[reportPrivateUsage]
            case "fill":
                inner = [dataclasses.replace(s, matrix=part(s.matrix, vi, vj), comments=(), trailing=None)]
            case _:
                pointer, stride = s.operands
                line = _as(stride, U32)
                slow, fast = (vi, vj) if s.layout == "row" else (vj, vi)
                delta = _bin("+", _bin("*", _bin("*", slow, self.size), line), _bin("*", fast, self.size))
                assert isinstance(pointer.type, Pointer)
                start = n.Offset(pointer, delta, pointer.type)
                inner = [
                    dataclasses.replace(
                        s, matrix=part(s.matrix, vi, vj), operands=(start, stride), comments=(), trailing=None
                    )
                ]
        loops = steps._loop(i, rows, [steps._loop(j, columns, inner)])  # pyright: ignore[reportPrivateUsage]
        return dataclasses.replace(loops, comments=s.comments, trailing=s.trailing, loc=s.loc)

    def whole(self, matrix: n.Expr) -> n.Expr:
        """A fragment as the array that it becomes."""
        return rewrite_exprs(matrix, self.expression)
